"""The captioner behind the window: the newest request wins, and nothing ends its thread."""

import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pytestqt.qtbot import QtBot

from core.caption import Caption
from core.captioner import Beginning, Captioner
from core.picture import Picture, open_picture
from desktop.captioning import Captioning
from tests.picture_kinds import snapshot
from tests.rendered_pages import Look, web_page

WAIT = 60_000  # ms; torch may have to be imported on a busy machine


def picture(seed: int) -> Picture:
    return open_picture(snapshot(seed))


@pytest.fixture
def captioning(tiny_model: Path, qtbot: QtBot) -> Iterator[Captioning]:
    worker = Captioning(tiny_model)
    yield worker
    worker.close()


def test_a_request_while_the_model_loads_is_answered(captioning: Captioning, qtbot: QtBot) -> None:
    with qtbot.waitSignals([captioning.ready, captioning.captioned], timeout=WAIT, order="strict"):
        captioning.load()
        captioning.ask(picture(1))


def test_loading_is_told_whatever_is_cancelled_or_asked_for(
    captioning: Captioning, tmp_path: Path, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(captioning.ready, timeout=WAIT):
        captioning.load()
        captioning.cancel()
    missing = Captioning(tmp_path / "nothing")
    with qtbot.waitSignal(missing.failed, timeout=WAIT) as blocker:
        missing.load()
        missing.ask(picture(1))
        missing.cancel()
    assert (blocker.args or [])[0] == 0
    missing.close()


def test_features_are_near_for_one_scene_and_far_for_two(
    captioning: Captioning, qtbot: QtBot
) -> None:
    def features(seed: int) -> np.ndarray:
        with qtbot.waitSignal(captioning.glanced, timeout=WAIT) as blocker:
            number = captioning.glance(picture(seed))
        assert (blocker.args or [])[0] == number
        return (blocker.args or [])[1]

    one, other = features(1), features(2)
    assert one.ndim == 1
    assert float(one @ one) == pytest.approx(1, abs=1e-4)
    assert float(one @ features(1)) == pytest.approx(1, abs=1e-4)
    assert float(one @ other) < 0.999


def test_the_newest_of_many_requests_is_answered(captioning: Captioning, qtbot: QtBot) -> None:
    answers: dict[int, Caption] = {}
    captioning.captioned.connect(answers.__setitem__)
    with qtbot.waitSignal(captioning.ready, timeout=WAIT):
        captioning.load()
    for seed in range(200):
        last = captioning.ask(picture(seed))
    qtbot.waitUntil(lambda: last in answers, timeout=WAIT)
    expected = captioning_of(captioning).caption(picture(199))
    assert answers[last].caption == expected.caption
    assert len(answers) < 200  # the others were dropped, not worked off


def captioning_of(captioning: Captioning) -> Captioner:
    assert captioning._captioner is not None
    return captioning._captioner


def test_a_cancelled_request_is_never_answered(captioning: Captioning, qtbot: QtBot) -> None:
    answers: list[int] = []
    captioning.captioned.connect(lambda number, caption: answers.append(number))
    captioning.ask(picture(1))
    captioning.cancel()
    with qtbot.waitSignal(captioning.captioned, timeout=WAIT):
        kept = captioning.ask(picture(2))
    assert answers == [kept]


def test_a_model_that_cannot_be_loaded_is_told_and_tried_again(
    tiny_model: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    folder = tmp_path / "model"
    worker = Captioning(folder)
    with qtbot.waitSignal(worker.failed, timeout=WAIT) as blocker:
        worker.load()
    number, sentence = blocker.args or []
    assert number == 0
    assert str(folder) in sentence
    with qtbot.waitSignal(worker.failed, timeout=WAIT):
        worker.ask(picture(1))
    shutil.copytree(tiny_model, folder)
    with qtbot.waitSignal(worker.captioned, timeout=WAIT):
        worker.ask(picture(1))
    worker.close()


def test_an_exception_is_told_and_the_thread_lives_on(
    captioning: Captioning, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> Caption:
        raise RuntimeError("no kernel\nfor this")

    with monkeypatch.context() as patch:
        patch.setattr(Captioner, "start", fail)
        with qtbot.waitSignal(captioning.failed, timeout=WAIT) as blocker:
            captioning.ask(picture(1))
        assert "no kernel for this" in (blocker.args or [])[1]
    with qtbot.waitSignal(captioning.captioned, timeout=WAIT):
        captioning.ask(picture(1))


def test_without_memory_on_the_graphics_card_the_processor_goes_on(
    captioning: Captioning, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stands in for a graphics card, which the machine of the tests need not have."""
    load = Captioner.load
    real = Captioner.start

    def load_on_card(model: Path, device: str) -> Captioner:
        captioner = load(model, "cpu")
        if device == "auto":
            captioner.network.device = "cuda"
        return captioner

    def begin(self: Captioner, picture: Picture, text: bool) -> Beginning:
        if self.network.device == "cuda":
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(self, picture, text=text)

    monkeypatch.setattr(Captioner, "load", load_on_card)
    monkeypatch.setattr(Captioner, "start", begin)
    with qtbot.waitSignals([captioning.told, captioning.captioned], timeout=WAIT, order="strict"):
        captioning.ask(picture(1))
    assert captioning_of(captioning).network.device == "cpu"


def test_the_rest_of_a_screens_text_follows_the_caption(
    captioning: Captioning, qtbot: QtBot
) -> None:
    page = open_picture(web_page(Look()).pixels)
    answers: list[tuple[int, Caption]] = []
    captioning.captioned.connect(lambda *answer: answers.append(answer))
    captioning.completed.connect(lambda *answer: answers.append(answer))
    number = captioning.ask(page)
    qtbot.waitUntil(lambda: len(answers) == 2, timeout=WAIT)
    (first, begun), (second, whole) = answers
    assert first == second == number
    assert begun.notes == whole.notes
    assert len(whole.text) > len(begun.text) > 1
    assert whole.text[: len(begun.text) - 1] == begun.text[:-1]


def test_the_words_follow_each_caption_also_if_something_else_is_asked_for(
    captioning: Captioning, qtbot: QtBot
) -> None:
    told: list[tuple[int, Caption]] = []
    whole: dict[int, Caption] = {}
    captioning.completed.connect(whole.__setitem__)

    def ask_for_more(number: int, caption: Caption) -> None:
        told.append((number, caption))
        if len(told) < 5:
            captioning.ask(picture(len(told) + 1))

    captioning.captioned.connect(ask_for_more)
    captioning.ask(picture(1))
    qtbot.waitUntil(lambda: len(whole) == 5, timeout=WAIT)
    for number, caption in told:
        assert caption.caption is not None
        assert caption.words == ()
        assert [word.word for word in whole[number].words] == re.findall(
            r"[\w'-]+", caption.caption.lower()
        )
        assert replace(whole[number], words=()) == caption


def test_a_caption_whose_words_cannot_be_found_stays_as_it_was(
    captioning: Captioning, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("no kernel for this")

    monkeypatch.setattr(Captioner, "complete", fail)
    answers: list[tuple[int, Caption]] = []
    captioning.captioned.connect(lambda *answer: answers.append(answer))
    captioning.completed.connect(lambda *answer: answers.append(answer))
    captioning.ask(picture(1))
    qtbot.waitUntil(lambda: len(answers) == 2, timeout=WAIT)
    assert answers[0] == answers[1]
    with qtbot.waitSignal(captioning.captioned, timeout=WAIT):
        captioning.ask(picture(2))


def test_what_is_asked_for_next_does_not_wait_until_all_is_read(
    captioning: Captioning, qtbot: QtBot
) -> None:
    read: list[int] = []
    captioning.completed.connect(lambda number, _: read.append(number))
    with qtbot.waitSignal(captioning.captioned, timeout=WAIT):
        first = captioning.ask(open_picture(web_page(Look()).pixels))
    with qtbot.waitSignal(captioning.captioned, timeout=WAIT):
        second = captioning.ask(picture(1))
    qtbot.waitUntil(lambda: second in read, timeout=WAIT)
    assert first not in read


@pytest.mark.parametrize("dropped", [True, False], ids=["dropped", "answered"])
def test_what_was_told_is_read_to_its_end_whatever_is_asked_for_after_it(
    captioning: Captioning, qtbot: QtBot, dropped: bool
) -> None:
    read: list[int] = []
    captioning.completed.connect(lambda number, _: read.append(number))
    page = open_picture(web_page(Look()).pixels)
    with qtbot.waitSignal(captioning.captioned, timeout=WAIT):
        captioning.last_told = captioning.ask(page)
    second = captioning.ask(page)
    if dropped:
        captioning.cancel()
        qtbot.waitUntil(lambda: captioning.last_told in read, timeout=WAIT)
        assert second not in read
    else:
        qtbot.waitUntil(lambda: len(read) == 2, timeout=WAIT)
        assert read == [second, captioning.last_told]  # the newest first


def test_it_is_told_when_no_text_can_be_read(
    captioning: Captioning, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    with qtbot.waitSignal(captioning.told, timeout=WAIT) as blocker:
        captioning.load()
    assert "install the package rapidocr" in (blocker.args or [])[0]
    with qtbot.waitSignal(captioning.captioned, timeout=WAIT):
        captioning.ask(picture(1))
