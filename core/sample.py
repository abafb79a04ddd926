"""A small sample of a picture of any size, cheap enough to measure before every caption."""

from dataclasses import dataclass

import cv2
import numpy as np

# The side of the small picture: about what the model sees, and what is lost here is lost to it.
SIDE = 224
# Rows looked at in full detail, each with the next, and of how many pixels.
_ROWS = 64
_COLUMNS = 768


@dataclass(frozen=True)
class Sample:
    """What is measured of a picture.

    Attributes:
        small: (224, 224, 3) uint8 RGB, the picture squeezed to a square.
        grey: (224, 224) uint8, the same without colours.
        beside: uint8, how far pixels of the full picture are from their right neighbours, in the
            channel where it is most.
        below: the same for their lower neighbours.
    """

    small: np.ndarray
    grey: np.ndarray
    beside: np.ndarray
    below: np.ndarray


def take_sample(pixels: np.ndarray) -> Sample:
    """Sample a picture.

    Args:
        pixels: (height, width, 3) uint8 RGB, of any size.
    """
    height, width = pixels.shape[:2]
    # The average of all pixels would take longer than everything else: four of each cell must do.
    doubled = cv2.resize(pixels, (2 * SIDE, 2 * SIDE), interpolation=cv2.INTER_NEAREST)
    small = cv2.resize(doubled, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    top = np.linspace(0, max(0, height - 2), min(height, _ROWS)).astype(int)
    left = np.linspace(0, max(0, width - 2), min(width, _COLUMNS)).astype(int)
    right = np.minimum(left + 1, width - 1)
    upper, lower = pixels[top], pixels[np.minimum(top + 1, height - 1)]
    at = upper.take(left, axis=1)
    return Sample(
        small=small,
        grey=cv2.cvtColor(small, cv2.COLOR_RGB2GRAY),
        beside=distance(at, upper.take(right, axis=1)),
        below=distance(at, lower.take(left, axis=1)),
    )


def distance(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """How far two pictures (height, width, 3) uint8 differ, in the channel where it is most."""
    red, green, blue = cv2.split(cv2.absdiff(one, other))
    return cv2.max(cv2.max(red, green), blue)
