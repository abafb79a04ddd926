"""Pictures for training: loaded, cropped a little and mirrored, the same for the same seed."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from core.errors import SeesayError
from core.picture import open_picture
from core.preprocess import squeeze

T = TypeVar("T")


def load_square(path: Path, side: int) -> np.ndarray:
    """A picture squeezed to (3, side, side) uint8; PictureError where it cannot be read."""
    return squeeze(open_picture(path).pixels, side)


def load_varied(path: Path, side: int, seed: str, flippable: bool, smallest: float) -> np.ndarray:
    """A picture cropped at random, sometimes mirrored, (3, side, side) uint8.

    Args:
        path: of the picture.
        side: of the square, in pixels.
        seed: the same seed gives the same crop.
        flippable: whether it may be mirrored.
        smallest: share of width and of height that a crop keeps at least; 1 keeps everything.
    """
    chance = random.Random(seed)
    pixels = open_picture(path).pixels
    height, width = pixels.shape[:2]
    crop_height = max(1, round(height * chance.uniform(smallest, 1)))
    crop_width = max(1, round(width * chance.uniform(smallest, 1)))
    top = chance.randint(0, height - crop_height)
    left = chance.randint(0, width - crop_width)
    square = squeeze(pixels[top : top + crop_height, left : left + crop_width], side)
    if flippable and chance.random() < 0.5:
        square = np.ascontiguousarray(square[:, :, ::-1])
    return square


class Squares(Dataset[Tensor]):
    """Pictures as (3, side, side) uint8 tensors, in the order of their paths."""

    def __init__(self, paths: Sequence[Path], side: int) -> None:
        self.paths, self.side = paths, side

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Tensor:
        return torch.from_numpy(load_square(self.paths[index], self.side))


def load_ahead(dataset: Dataset[T], batch: int | None = None) -> Iterator[T]:
    """The items of a data set in their order, prepared by a process of their own.

    Args:
        dataset: of known length.
        batch: items that are stacked into one; None hands each over as it is.

    Raises:
        SeesayError: where the data set raises one, with the same sentence.
    """
    try:
        yield from DataLoader(dataset, batch, num_workers=1, prefetch_factor=4)
    except SeesayError as error:
        # Its message is the process's traceback, whose last line is "core.errors.Kind: sentence".
        raise type(error)(str(error).strip().splitlines()[-1].partition(": ")[2]) from None
