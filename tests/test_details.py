"""Details of a description: places and text, also while they are still being found."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from core.caption import Caption, Thing
from core.speaking import speak
from core.text import Text
from core.where import with_places
from desktop.details import Details
from tests.history_parts import caption_of

MUG = Thing("coffee mug", 0.9)


def clear() -> Caption:
    """A caption with a thing that was seen at one place."""
    captions = (caption_of("A dog on the grass.", seed=seed) for seed in range(20))
    return next(caption for caption in captions if with_places(caption))


def test_places_are_there_when_the_caption_is_whole() -> None:
    whole = clear()
    details = Details(replace(whole, words=()), complete=False)
    assert details.where() is None
    details.complete(whole)
    assert details.where() == with_places(whole)


@pytest.mark.parametrize("complete", [False, True])
def test_without_a_sentence_nobody_waits_for_places(complete: bool) -> None:
    dark = caption_of(None)
    instead = replace(clear(), level="unsure", things=(MUG,), words=())
    for caption in (dark, instead):
        said = Details(caption, complete).where()
        assert said == "No sentence was said, so there are no places to tell."


def test_places_that_are_not_clear_are_not_told() -> None:
    said = Details(caption_of(with_words=False), complete=True).where()
    assert said == "Where things are is not clear enough to say."


LETTER = (
    "Dear Ms Hill,",
    " ".join(f"word{number}" for number in range(61)) + ". Then more.",
    "Yours",
)
PLAIN = tuple(f"Sentence number {number} of a long text that is read." for number in range(30))


@pytest.mark.parametrize("early", [False, True], ids=["when all is read", "while it is read"])
@pytest.mark.parametrize(
    ("begun", "whole"),
    [(PLAIN[:15], PLAIN), ((LETTER[0], LETTER[1][:250]), LETTER), (LETTER[:1], LETTER)],
    ids=["short sentences", "a long sentence", "a line"],
)
def test_every_word_of_a_text_is_said_once(
    begun: tuple[str, ...], whole: tuple[str, ...], early: bool
) -> None:
    first = Text((), begun, complete=False).begins()
    told = speak(None, "none", ("document",), (), first)
    page = replace(caption_of(None, text=begun), notes=("document",), spoken=told)
    details = Details(page, complete=False)
    heard = [first]
    while early and (portion := details.next_text()) is not None:
        heard.append(portion)
    details.complete(replace(page, text=whole))
    while (portion := details.next_text()) != "That was all of the text.":
        assert portion is not None
        heard.append(portion)
    assert _words(heard) == _words(whole)
    assert details.next_text() == Text((), whole, complete=True).begins()  # from its start again


def test_what_was_said_of_a_chart_is_not_said_again() -> None:
    told = speak(None, "none", ("chart",), (), "Sales. North.")
    chart = replace(caption_of(None, text=("Sales", "North")), notes=("chart",), spoken=told)
    assert Details(chart, complete=True).next_text() == "That was all of the text."


def _words(parts: Sequence[str]) -> list[str]:
    return " ".join(parts).replace(".", "").split()
