"""Items of a data set that are prepared ahead."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.utils.data import Dataset, Subset

from core.errors import PictureError
from tests.tiny_sets import draw
from training import ahead
from training.ahead import load_ahead
from training.pictures import Squares, load_square

SIDE = 32
# Killed as soon as it has asked for the processes that prepare, before they begin.
KILLED = """
import os, signal
import multiprocessing.popen_forkserver as popen
from training import ahead
ahead.loaders = lambda: 2
start = popen.Popen._launch
def launch(self, process):
    start(self, process)
    os.kill(os.getpid(), signal.SIGKILL)
popen.Popen._launch = launch
list(ahead.load_ahead([1, 2, 3]))
"""


@pytest.fixture(params=[0, 2], ids=["by a thread", "by two processes"])
def loaders(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(ahead, "loaders", lambda: request.param)
    count: int = request.param
    return count


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{number}.png" for number in range(7)]
    for path in paths:
        draw(path)
    return paths


class Numbers(Dataset[int]):
    """Each of which is its own index."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __len__(self) -> int:
        return 100

    def __getitem__(self, index: int) -> int:
        self.asked.append(index)
        return index


def test_items_come_in_their_order_as_they_are_or_stacked(loaders: int) -> None:
    order = [7, 3, 9, 0, 10, 1, 2]
    assert [*load_ahead(Subset(Numbers(), order))] == order
    stacked = load_ahead(Subset(Numbers(), order), 3)
    assert [torch.as_tensor(batch).tolist() for batch in stacked] == [[7, 3, 9], [0, 10, 1], [2]]


def test_damaged_picture_is_told_in_one_sentence(loaders: int, pictures: list[Path]) -> None:
    pictures[1].write_text("no picture")
    with pytest.raises(PictureError) as direct:
        load_square(pictures[1], SIDE)
    with pytest.raises(PictureError) as told:
        list(load_ahead(Squares(pictures, SIDE), 2))
    assert str(told.value) == str(direct.value)


def test_no_more_is_prepared_than_will_soon_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "loaders", lambda: 0)
    numbers = Numbers()
    items = load_ahead(numbers)
    assert next(items) == 0
    del items  # waits for what is under way
    assert len(numbers.asked) <= 6


@pytest.mark.skipif(sys.platform == "win32", reason="starts its processes otherwise")
def test_a_killed_training_leaves_no_process() -> None:
    run = subprocess.Popen(
        [sys.executable, "-c", KILLED],
        cwd=Path(__file__).resolve().parent.parent,
        stdout=subprocess.PIPE,
    )
    run.communicate(timeout=200)  # the output ends when nobody is left who could write to it
    assert run.returncode == -signal.SIGKILL
