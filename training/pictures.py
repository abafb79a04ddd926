"""Pictures for training: loaded, cropped a little and mirrored, the same for the same seed."""

import random
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from core.picture import open_picture
from core.preprocess import squeeze
from training.data import Example

_GREY = 116  # near ImageNet's mean, which is zero to the encoder


def load_square(path: Path, side: int) -> np.ndarray:
    """A picture squeezed to (3, side, side) uint8; PictureError where it cannot be read."""
    return squeeze(open_picture(path).pixels, side)


def load_varied(path: Path, side: int, seed: str, flippable: bool, smallest: float) -> np.ndarray:
    """A picture as `vary` gives it; PictureError where it cannot be read."""
    return vary(open_picture(path).pixels, side, seed, flippable, smallest)


def vary(
    pixels: np.ndarray,
    side: int,
    seed: str,
    flippable: bool,
    smallest: float,
    light: float = 0,
    spoil: float = 0,
) -> np.ndarray:
    """A picture cropped at random, sometimes mirrored, in another light, spoilt a little.

    Gives (3, side, side) uint8.

    Args:
        pixels: (height, width, 3) uint8.
        side: of the square, in pixels.
        seed: the same seed gives the same crop.
        flippable: whether it may be mirrored.
        smallest: share of width and of height that a crop keeps at least; 1 keeps everything.
        light: most that brightness, contrast and saturation change, as shares; hues stay, for
            sentences name colours.
        spoil: chance to be turned a little, to be blurred or noisy, and to have a part hidden.
    """
    chance = random.Random(seed)
    height, width = pixels.shape[:2]
    crop_height = max(1, round(height * chance.uniform(smallest, 1)))
    crop_width = max(1, round(width * chance.uniform(smallest, 1)))
    # Not by randint, whose use of random bits depends on the size: cached at another size, a
    # picture is cropped and mirrored alike.
    top = round(chance.uniform(0, height - crop_height))
    left = round(chance.uniform(0, width - crop_width))
    square = squeeze(pixels[top : top + crop_height, left : left + crop_width], side)
    if flippable and chance.random() < 0.5:
        square = np.ascontiguousarray(square[:, :, ::-1])
    square = _relit(square, chance, light) if light else square
    return _spoilt(square, chance, spoil) if spoil else square


def _relit(square: np.ndarray, chance: random.Random, most: float) -> np.ndarray:
    brightness, contrast, saturation = (chance.uniform(1 - most, 1 + most) for _ in range(3))
    grey = square.mean(axis=0, dtype=np.float32)  # (side, side)
    coloured = grey + saturation * (square - grey)
    changed = brightness * (grey.mean() + contrast * (coloured - grey.mean()))
    return np.clip(changed, 0, 255).astype(np.uint8)


def _spoilt(square: np.ndarray, chance: random.Random, share: float) -> np.ndarray:
    """As a photograph taken by a hand that cannot see: askew, blurred, a finger on it."""
    side = square.shape[1]
    pixels = np.ascontiguousarray(square.transpose(1, 2, 0))  # (side, side, 3)
    if chance.random() < share:
        turn = cv2.getRotationMatrix2D((side / 2, side / 2), chance.uniform(-10, 10), 1.05)
        pixels = cv2.warpAffine(pixels, turn, (side, side), borderMode=cv2.BORDER_REFLECT_101)
    if chance.random() < share:
        if chance.random() < 0.5:
            pixels = cv2.GaussianBlur(pixels, (0, 0), chance.uniform(0.4, 1.6))
        else:
            noise = np.random.default_rng(chance.randrange(1 << 30))
            noisy = pixels + noise.normal(0, chance.uniform(4, 16), pixels.shape)
            pixels = np.clip(noisy, 0, 255).astype(np.uint8)
    if chance.random() < share:
        height, width = (round(side * chance.uniform(0.15, 0.4)) for _ in range(2))
        top, left = chance.randrange(side - height), chance.randrange(side - width)
        pixels[top : top + height, left : left + width] = _GREY
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


class Views(Dataset[Tensor]):
    """Several views of each picture, (views, 3, side, side) uint8.

    The first is the whole picture, the second its mirror image where it may be mirrored, the others
    are random crops, some of them mirrored.

    Args:
        examples: the pictures.
        side: of the square, in pixels.
        views: of each picture, at least 1.
        smallest: share of width and of height that a crop keeps at least.
    """

    def __init__(
        self, examples: Sequence[Example], side: int, views: int = 2, smallest: float = 1.0
    ) -> None:
        self.examples, self.side, self.views, self.smallest = examples, side, views, smallest

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int) -> Tensor:
        example = self.examples[index]
        whole = load_square(example.path, self.side)
        squares = [whole, np.ascontiguousarray(whole[:, :, ::-1]) if example.flippable else whole]
        squares += [
            load_varied(example.path, self.side, f"{index}/{k}", example.flippable, self.smallest)
            for k in range(2, self.views)
        ]
        return torch.from_numpy(np.stack(squares[: self.views]))

    def blank(self) -> Tensor:
        """A black picture, (1, 3, side, side)."""
        return torch.zeros(1, 3, self.side, self.side, dtype=torch.uint8)

    def describe(self) -> str:
        """All that the views depend on, but for the pictures' content."""
        paths = [f"{example.path} {example.flippable}" for example in self.examples]
        return "\n".join([f"{self.side} {self.views} {self.smallest}", *paths])


class Squares(Dataset[Tensor]):
    """Pictures as (3, side, side) uint8 tensors, in the order of their paths."""

    def __init__(self, paths: Sequence[Path], side: int) -> None:
        self.paths, self.side = paths, side

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Tensor:
        return torch.from_numpy(load_square(self.paths[index], self.side))
