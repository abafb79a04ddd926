"""Screens, pages and signs through the captioner: what is told of them, and reading on."""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from core.captioner import Beginning, Captioner
from core.picture import Picture
from tests import rendered_pages
from tests.picture_kinds import snapshot
from tests.rendered_pages import FONTS, Look, Pixels, Rendered
from tests.signs import sign_on
from tests.text_scores import accuracy_in_order

pytest.importorskip("rapidocr", reason="the OCR library is not installed")

BEGINNING = "This is a screen, mostly text. It begins: "


@pytest.fixture(scope="module", autouse=True)
def qt() -> None:
    rendered_pages.application()


@pytest.fixture(scope="module")
def captioner(tiny_model: Path) -> Captioner:
    return Captioner.load(tiny_model, "cpu")


@pytest.fixture(scope="module")
def full_screen() -> Rendered:
    """Three times as many words as are read at first."""
    return rendered_pages.article(Look(size=13), 3)


@pytest.fixture(scope="module")
def begun(captioner: Captioner, full_screen: Rendered) -> Beginning:
    return captioner.start(Picture(full_screen.pixels, "screen.png"))


def test_a_screen_is_told_with_its_text_and_without_a_sentence(captioner: Captioner) -> None:
    window = rendered_pages.dialog(Look(size=12), 1)
    caption = captioner.caption(window.pixels)
    assert (caption.caption, caption.level, caption.confidence) == (None, "none", 0)
    assert (caption.notes, caption.words, caption.things) == (("screen",), (), ())
    assert accuracy_in_order(" ".join(caption.text), window.text) >= 0.95
    assert caption.spoken.startswith(f"{BEGINNING}Save the changes to the document")


def test_nothing_is_read_where_that_is_not_wanted(captioner: Captioner) -> None:
    window = rendered_pages.dialog(Look(size=12), 1)
    caption = captioner.caption(window.pixels, text=False)
    assert (caption.caption, caption.text) == (None, ())
    assert "Save" not in caption.spoken
    sign = sign_on(snapshot(2, 640, 480), "EXIT", 60, random.Random(2))
    caption = captioner.caption(sign, text=False)
    assert caption.caption is not None
    assert caption.text == ()
    assert "says" not in caption.spoken


@pytest.mark.parametrize(("words", "seed"), [("EXIT", 2), ("FISH MARKET", 4)])
def test_a_sign_is_read_after_the_sentence(captioner: Captioner, words: str, seed: int) -> None:
    ground = snapshot(seed, 640, 480)
    without = captioner.caption(ground)
    assert without.text == ()
    assert "says" not in without.spoken
    caption = captioner.caption(sign_on(ground, words, 60, random.Random(seed)))
    assert (caption.text, caption.notes) == ((words,), ())
    assert caption.caption is not None
    sentence = caption.caption[0].lower() + caption.caption[1:]
    assert caption.spoken == f"Perhaps: {sentence} It says: {words}."


def test_of_a_full_screen_the_beginning_comes_first(
    begun: Beginning, full_screen: Rendered
) -> None:
    caption = begun.caption
    assert caption.spoken.startswith(f"{BEGINNING}News from the library.")
    assert caption.seconds > 0
    assert begun.reading is not None
    first = " ".join(caption.text)
    assert 40 <= len(first.split()) < len(full_screen.text.split()) / 2
    assert full_screen.text.startswith(first[:40])


def test_reading_on_gives_the_whole_text(
    captioner: Captioner, begun: Beginning, full_screen: Rendered
) -> None:
    caption = begun.caption
    assert captioner.complete(begun, lambda: True) is None
    assert begun.reading is not None
    assert not begun.reading.complete
    whole = captioner.complete(begun, lambda: False)
    assert whole is not None
    assert accuracy_in_order(" ".join(whole.text), full_screen.text) >= 0.95
    assert " ".join(whole.text).startswith(" ".join(caption.text))
    # What has been said of it stays.
    assert whole == replace(caption, text=whole.text)
    assert whole.text == captioner.caption(full_screen.pixels).text


def test_where_no_more_text_is_there_is_nothing_to_go_on_with(captioner: Captioner) -> None:
    sign = sign_on(snapshot(2, 640, 480), "EXIT", 60, random.Random(2))
    short = rendered_pages.dialog(Look(size=12), 5)
    for pixels in (sign, short.pixels):
        begun = captioner.start(Picture(pixels, "picture.png"))
        assert begun.caption.text
        assert begun.reading is None
    begun = captioner.start(Picture(short.pixels, "picture.png"), text=False)
    assert (begun.caption.text, begun.reading) == ((), None)


NOTICE = (
    *("The library opens at nine in the", "morning and closes at half past", "six. Guide dogs are"),
    *("welcome inside and water bowls", "stand beside the entrance.", "Members pay a quarter and"),
    *("children pay nothing at all.", "The summer concert takes place", "in the garden behind the"),
)


def a_notice_board() -> Pixels:
    """More words in a photograph than are read of a screen at first."""
    picture = Image.fromarray(snapshot(2, 1280, 960))
    board = ImageDraw.Draw(picture)
    font = ImageFont.truetype(str(FONTS / "DejaVuSans-Bold.ttf"), 28)
    board.rectangle((330, 220, 930, 670), fill=(0, 100, 50))
    for number, line in enumerate(NOTICE):
        board.text((350, 235 + 48 * number), line, "white", font)
    return np.asarray(picture)


def test_text_in_a_photograph_is_read_whole_at_once(captioner: Captioner) -> None:
    begun = captioner.start(Picture(a_notice_board(), "board.png"))
    assert begun.caption.caption is not None
    assert begun.caption.text == NOTICE
    assert begun.reading is None


def test_text_of_pictures_in_one_batch_goes_to_its_own(captioner: Captioner) -> None:
    sign = sign_on(snapshot(2, 640, 480), "EXIT", 60, random.Random(2))
    window = rendered_pages.dialog(Look(size=12), 1)
    captions = captioner.caption_many([window.pixels, snapshot(3), sign])
    assert [bool(caption.caption) for caption in captions] == [False, True, True]
    assert captions[0].text[0].startswith("Save the changes")
    assert [caption.text for caption in captions[1:]] == [(), ("EXIT",)]
