"""The photographs that speed is measured on."""

import json
import random
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import cycle
from pathlib import Path

import numpy as np

from core.picture import open_picture

Pixels = np.ndarray
_KEPT = 100  # photographs in memory
_KINDS = (".jpg", ".png", ".webp")
# Those of scikit-image that a camera took, of things and people.
_FEW = ("astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg")


def photograph_paths(folder: Path, count: int) -> list[str]:
    """Some of a folder; where it has none, the few that come with scikit-image."""
    paths = sorted(path for path in folder.glob("*") if path.suffix in _KINDS)
    if paths:
        return [str(path) for path in random.Random(0).sample(paths, min(count, len(paths)))]
    spec = find_spec("skimage")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    data = Path(spec.submodule_search_locations[0]) / "data"
    return [str(data / name) for name in _FEW if (data / name).exists()]


def read_photographs(names: Path) -> Iterator[Pixels]:
    """Decoded photographs without end, (height, width, 3) uint8 RGB; the first are kept.

    Args:
        names: JSON list of their paths.
    """
    opened: list[Pixels] = []
    for name in json.loads(names.read_text()):
        pixels = open_picture(name).pixels
        if len(opened) < _KEPT:
            opened.append(pixels)
        yield pixels
    yield from cycle(opened)
