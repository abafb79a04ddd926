"""Bars of one plain colour on two sides of a picture, as a screen shows beside a photograph."""

import cv2
import numpy as np

# How far a pixel of a bar may be from its colour, of 255: compression leaves traces.
_PLAIN = 12
# Of the side across the bars: how high each is at least, how alike both are, and what they leave.
_THINNEST = 0.04
_ALIKE = 0.08
_SMALLEST = 0.2


def without_bars(pixels: np.ndarray) -> np.ndarray:
    """The picture between two bars, above and below or left and right; all of it without such.

    Args:
        pixels: (height, width, 3) uint8 RGB.

    Returns:
        A view of the pixels.
    """
    colour = pixels[0, 0].astype(int)
    low, high = np.maximum(colour - _PLAIN, 0), np.minimum(colour + _PLAIN, 255)
    plain = cv2.inRange(np.ascontiguousarray(pixels), low, high) > 0  # (height, width)
    if (rows := _between(plain)) is not None:
        return pixels[rows]
    if (columns := _between(plain.T)) is not None:
        return pixels[:, columns]
    return pixels


def _between(plain: np.ndarray) -> slice | None:
    """The rows between a bar above and one below; None where these are not two bars."""
    height = len(plain)
    inside = np.flatnonzero(~plain.all(axis=1))
    if not len(inside):
        return None
    first, last = int(inside[0]), int(inside[-1]) + 1
    thinner, thicker = sorted((first, height - last))
    if thinner < _THINNEST * height or thicker - thinner > _ALIKE * height:
        return None
    # A photograph fills the picture from side to side; a window or a drawing has margins there.
    sides = plain[first:last, [0, -1]]
    if last - first < _SMALLEST * height or sides.mean(axis=0).max() >= 0.5:
        return None
    return slice(first, last)
