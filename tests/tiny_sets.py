"""Small data sets made on the spot: plain shapes, and what there is to say of them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from core.model import build_cnn

COLOURS = {"red": (210, 30, 30), "green": (30, 160, 60), "blue": (40, 60, 210)}
PLACES = {"top": 4, "middle": 16, "bottom": 28}


def draw(path: Path, colour: str = "red", place: str = "top", left: int = 4) -> None:
    """A picture of 48 x 40 pixels: a coloured square on a ground that is lighter to the right."""
    pixels = np.full((40, 48, 3), 120, np.uint8)
    pixels += np.arange(0, 96, 2, dtype=np.uint8)[:, None]  # (48, 1) over (40, 48, 3)
    pixels[PLACES[place] : PLACES[place] + 10, left : left + 14] = COLOURS[colour]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def entry(split: str, filename: str, sentences: Sequence[str], **more: str) -> dict[str, Any]:
    """What Karpathy's format holds of a picture."""
    listed = [{"raw": sentence} for sentence in sentences]
    return {"split": split, "filename": filename, "sentences": listed, **more}


def karpathy(folder: Path, entries: Sequence[Mapping[str, Any]]) -> Path:
    """A data set in Karpathy's format, with all its pictures."""
    for number, one in enumerate(entries):
        colour, place = list(COLOURS)[number % 3], list(PLACES)[number // 3 % 3]
        draw(folder / "images" / one.get("filepath", "") / one["filename"], colour, place)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"dataset": folder.name, "images": entries})
    (folder / f"dataset_{folder.name}.json").write_text(text)
    return folder


def shapes(folder: Path, train: int = 12, val: int = 3) -> Path:
    """A data set in which a model can learn to name a square's colour and place."""
    entries = []
    for number in range(train + val):
        split = "train" if number < train else "val"
        colour, place = list(COLOURS)[number % 3], list(PLACES)[number // 3 % 3]
        sentences = [
            f"A {colour} square is at the {place}.",
            f"There is a {colour} box on the grey {'floor' if split == 'train' else 'carpet'}.",
        ]
        entries.append(entry(split, f"{number}.png", sentences))
    return karpathy(folder, entries)


def lively_cnn(name: str, side: int) -> nn.Module:
    """A CNN with random weights whose features differ from picture to picture.

    Untrained batch norms would let next to nothing through; here they have seen some noise.
    """
    torch.manual_seed(1)
    cnn = build_cnn(name).train()
    for module in cnn.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the plain mean of all batches
    with torch.no_grad():
        cnn(torch.randn(16, 3, side, side))
    return cnn.eval()
