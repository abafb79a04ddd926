"""What the tests of the history share: captions, pictures, and a look into the file."""

import contextlib
import functools
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.caption import Caption, Level, Word
from core.picture import Picture
from desktop.history import History, Query

_ROOT = Path(__file__).resolve().parent.parent


def caption_of(
    sentence: str | None = "Two dogs run on grass.",
    path: str = "garden.jpg",
    text: Sequence[str] = (),
    level: Level = "sure",
    seed: int = 0,
    with_words: bool = True,
) -> Caption:
    """A caption with boxes and attention; None for one that says nothing can be seen."""
    random = np.random.default_rng(seed)
    words = []
    for word in (sentence or "").lower().rstrip(".").split() if with_words else ():
        grid = random.random((7, 7)) ** 4
        attention = tuple(map(tuple, (grid / grid.sum()).tolist()))
        grounded = round(float(random.random()), 4)
        seen = grounded > 0.5
        box = (0.1, 0.2857, 0.5714, 1.0) if seen else None
        words.append(Word(word, grounded, "left" if seen else None, box, attention))
    return Caption(
        path=path,
        caption=sentence,
        confidence=0.8125 if sentence else 0.0,
        level=level if sentence else "none",
        spoken=sentence or "The picture is too dark to say what it shows.",
        words=tuple(words),
        text=tuple(text),
        notes=() if sentence else ("dark",),
        things=(),
        seconds=0.0625,
        model="seesay-test",
    )


def picture_of(width: int = 640, height: int = 480, seed: int = 0) -> Picture:
    """A smooth picture of its own for each seed."""
    x, y = np.meshgrid(np.linspace(0, 6, width), np.linspace(0, 6, height))
    bands = [np.sin(x + seed + band) * np.cos(y * (band + 1)) for band in range(3)]
    return Picture(((np.stack(bands, axis=-1) + 1) * 127).astype(np.uint8), "garden.jpg")


def sentences(history: History, query: Query | None = None) -> list[str]:
    return [entry.caption.spoken for entry in history.walk(query or Query())]


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True)


def is_sound(path: Path) -> bool:
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("INSERT INTO search (search) VALUES ('integrity-check')")
        return db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@functools.cache
def filled(entries: int) -> bytes:
    """A history's file with so many dogs, the last of them deleted."""
    pictures = [picture_of(160, 120, seed) for seed in range(4)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "history.sqlite3")
        with contextlib.closing(History(path)) as history:
            for number in range(entries):
                caption = caption_of(f"Dog {number}.", seed=number)
                keep = number % 10 == 0
                entry = history.add(caption, "camera", pictures[number % 4], keep)
                history.set_star(entry.id, number % 5 == 0)
            history.delete([entries])
        return path.read_bytes()
