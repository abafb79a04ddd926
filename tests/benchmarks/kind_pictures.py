"""Photographs, bad pictures and rendered ones in all their variants, with what they are."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.picture import open_picture
from tests import picture_kinds as kinds
from tests.made_screens import Maker
from training.data import load_split

DATA = Path(__file__).parent.parent.parent / "data"
SETS = ("flickr8k", "coco", "rooms")


class Labelled(NamedTuple):
    """A picture, the code that is expected (``photograph``: none), and how it was made."""

    pixels: np.ndarray
    kind: str
    how: str


def photograph_paths(split: str, most: int) -> list[tuple[str, Path]]:
    """At most so many photographs of each data set, with the set's name."""
    found = []
    for name in SETS:
        paths = [example.path for example in load_split(DATA / name, split)]
        random.Random(0).shuffle(paths)
        found += [(name, path) for path in paths[:most]]
    return found


def good(paths: Sequence[tuple[str, Path]], every: int) -> Iterator[Labelled]:
    """All photographs, and each variant of every so many."""
    rng = np.random.default_rng(1)
    for number, (name, path) in enumerate(paths):
        pixels = open_picture(path).pixels
        yield Labelled(pixels, "photograph", name)
        if number % every == 0:
            for variant, make in kinds.GOOD.items():
                yield Labelled(make(pixels, rng), "photograph", variant)


def bad(paths: Sequence[tuple[str, Path]]) -> Iterator[Labelled]:
    """Each photograph, made bad in each step."""
    rng = np.random.default_rng(2)
    for _, path in paths:
        pixels = open_picture(path).pixels
        for kind, steps in kinds.BAD.items():
            for step, make in steps.items():
                yield Labelled(make(pixels, rng), kind, step)


def mild(paths: Sequence[tuple[str, Path]]) -> Iterator[Labelled]:
    """Each photograph, made a little worse in each way."""
    rng = np.random.default_rng(5)
    for _, path in paths:
        pixels = open_picture(path).pixels
        for step, make in kinds.MILD.items():
            yield Labelled(make(pixels, rng), "photograph", step)


def rendered(
    makers: dict[str, list[Maker]],
    counts: dict[str, int],
    paths: Sequence[tuple[str, Path]],
    seed: int,
) -> Iterator[Labelled]:
    """So many of each kind, as they are, small, as JPEG, photographed, and with photographs."""
    rng = np.random.default_rng(seed)
    for kind, count in counts.items():
        for number in range(count):
            make = makers[kind][number % len(makers[kind])]
            pixels, quality = make(rng), int(rng.integers(60, 96))
            yield Labelled(pixels, kind, f"{kind} {make.__name__}")
            yield Labelled(kinds.thumbnail(pixels, quality), kind, f"{kind}, 224 x 224")
            if number % 2:
                yield Labelled(kinds.as_jpeg(pixels, quality), kind, f"{kind}, JPEG")
            elif kind != "icon":
                yield Labelled(kinds.photographed(pixels, rng), kind, f"{kind}, photographed")
            if kind == "screen":
                shown = open_picture(paths[int(rng.integers(len(paths)))][1]).pixels
                page = kinds.with_photograph(pixels, shown, rng.uniform(0.08, 0.3), rng)
                yield Labelled(page, kind, "screen with a photograph")
                if number % 3 == 0:
                    viewer = kinds.with_photograph(pixels, shown, rng.uniform(0.7, 0.92), rng)
                    yield Labelled(viewer, "photograph", "screen full of a photograph")
