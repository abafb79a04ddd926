"""The captioner behind the window: the newest request wins, and nothing ends its thread."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pytestqt.qtbot import QtBot

from core.caption import Caption
from core.captioner import Captioner
from core.picture import Picture, open_picture
from desktop.captioning import Captioning

WAIT = 60_000  # ms; torch may have to be imported on a busy machine


def picture(seed: int) -> Picture:
    pixels = np.random.default_rng(seed).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    return open_picture(pixels)


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
    def fail(*_: Any) -> Caption:
        raise RuntimeError("no kernel\nfor this")

    with monkeypatch.context() as patch:
        patch.setattr(Captioner, "caption", fail)
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
    real = Captioner.caption

    def load_on_card(model: Path, device: str) -> Captioner:
        captioner = load(model, "cpu")
        if device == "auto":
            captioner.device = torch.device("cuda")
        return captioner

    def caption(self: Captioner, source: Picture, beam: int = 3) -> Caption:
        if self.device.type == "cuda":
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(self, source, beam)

    monkeypatch.setattr(Captioner, "load", load_on_card)
    monkeypatch.setattr(Captioner, "caption", caption)
    with qtbot.waitSignals([captioning.told, captioning.captioned], timeout=WAIT, order="strict"):
        captioning.ask(picture(1))
    assert captioning_of(captioning).device.type == "cpu"
