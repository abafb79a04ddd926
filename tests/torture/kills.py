"""``kill -9`` at random instants: what was said is kept, what was written is whole, all goes on.

Run by ``python -m tests.torture.kills [KILLS [SUBJECT...]]``; 500 by default, over all subjects.
"""

import os

# One thread each, so that forks of this process work as it does. Windows stay invisible.
os.environ |= {"OMP_NUM_THREADS": "1", "QT_QPA_PLATFORM": "offscreen"}

import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from core.captioner import Captioner
from tests.picture_kinds import save_snapshot
from tests.tiny_models import save_tiny_model
from tests.torture.kill_runs import Library, Training
from tests.torture.kill_subjects import (
    CommandLine,
    Desktop,
    Mending,
    Saving,
    SettingsSaving,
    Subject,
)
from tests.torture.killing import Killer

_PICTURES = 40

# What is killed, and how many of a hundred kills it gets.
_SHARES: dict[str, tuple[Callable[[Path, Killer], Subject], int]] = {
    "the command line": (CommandLine, 12),
    "the desktop program": (Desktop, 22),
    "saving history": (Saving, 20),
    "mending history": (Mending, 8),
    "library as JSON Lines": (partial(Library, form="jsonl"), 7),
    "library as a table": (partial(Library, form="csv"), 7),
    "library as XMP files": (partial(Library, form="xmp"), 7),
    "training": (Training, 10),
    "saving settings": (SettingsSaving, 7),
}


def prepare(folder: Path) -> None:
    """Make the model and the pictures that the subjects share."""
    save_tiny_model(folder / "model")
    for number in range(_PICTURES):
        save_snapshot(folder / "photos" / f"{number:02}.png", number)
    Captioner.load(folder / "model", "cpu")  # imports what a first caption imports


def kill(name: str, folder: Path, kills: int) -> tuple[int, int]:
    """Kill one subject so many times; gives how many were survived, and runs that went whole."""
    make, _ = _SHARES[name]
    (folder / name).mkdir()
    killer = Killer(folder / name)
    subject = make(folder / name, killer)
    chance = random.Random(name)
    survived = tried = whole = 0
    while tried < kills:
        try:
            killed = killer.run(subject.work, chance.uniform(0, subject.longest))
            subject.check(killed)
        except Exception:
            tried += 1
            traceback.print_exc()
            continue
        tried, survived, whole = tried + killed, survived + killed, whole + (not killed)
        # One kill of many is to come too late, however busy the machine is by now.
        if whole:
            subject.longest *= 1.03 if killed else 0.8
    try:
        subject.finish()
        killer.check_orphans()
    except Exception:
        traceback.print_exc()
        survived -= 1
    return survived, whole


def main() -> int:
    """Kill all subjects; gives the exit status."""
    torch.set_num_threads(1)
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    began, tried, survived = time.monotonic(), 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        for subject in sys.argv[2:] or _SHARES:
            wanted = max(1, round(kills * _SHARES[subject][1] / 100))
            start = time.monotonic()
            came_through, whole = kill(subject, folder, wanted)
            tried, survived = tried + wanted, survived + came_through
            print(
                f"  {subject}: {wanted} killed, {came_through} survived, {whole} were done before, "
                f"{time.monotonic() - start:.0f} s",
                flush=True,
            )
    print(f"kills: {tried} tried, {survived} survived, {time.monotonic() - began:.0f} s")
    return int(survived < tried)


if __name__ == "__main__":
    sys.exit(main())
