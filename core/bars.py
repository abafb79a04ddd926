"""Bars of one plain colour on two sides of a picture, as a screen shows beside a photograph."""

from dataclasses import dataclass

import cv2
import numpy as np

# How far a pixel of a bar may be from its colour, of 255: compression leaves traces.
_PLAIN = 12
# Of the side across the bars: how high each is at least, how alike both are, and what they leave.
_THINNEST = 0.04
_ALIKE = 0.08
_SMALLEST = 0.2


@dataclass(frozen=True)
class Part:
    """A part of a picture, or all of it.

    Attributes:
        rows, columns: of the part.
        height, width: of the whole picture, in pixels.
    """

    rows: slice
    columns: slice
    height: int
    width: int

    def cut(self, pixels: np.ndarray) -> np.ndarray:
        """A view of the part of the whole picture's pixels."""
        return pixels[self.rows, self.columns]

    def spread(self, maps: np.ndarray) -> np.ndarray:
        """Maps over the part, (maps, side, side), as such over the whole; their sums stay."""
        if self == Part(slice(0, self.height), slice(0, self.width), self.height, self.width):
            return maps
        side = maps.shape[1]
        down = _shares(self.rows, self.height, side)
        across = _shares(self.columns, self.width, side)
        spread: np.ndarray = down @ maps @ across.T
        return spread.astype(maps.dtype)


def whole(pixels: np.ndarray) -> Part:
    """All of a picture, (height, width, 3)."""
    height, width = pixels.shape[:2]
    return Part(slice(0, height), slice(0, width), height, width)


def between_bars(pixels: np.ndarray) -> Part:
    """The picture between two bars, above and below or left and right; all of it without such.

    Args:
        pixels: (height, width, 3) uint8 RGB.
    """
    height, width = pixels.shape[:2]
    colour = pixels[0, 0].astype(int)
    low, high = np.maximum(colour - _PLAIN, 0), np.minimum(colour + _PLAIN, 255)
    above_below = _plain(pixels[[0, -1]], low, high).all()
    beside = _plain(pixels[:, [0, -1]], low, high).all()
    if above_below or beside:
        plain = _plain(pixels, low, high)
        if above_below and (rows := _between(plain)) is not None:
            return Part(rows, slice(0, width), height, width)
        if beside and (columns := _between(plain.T)) is not None:
            return Part(slice(0, height), columns, height, width)
    return whole(pixels)


def _plain(pixels: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Which pixels have the colour of the bars, (height, width) bool."""
    return cv2.inRange(np.ascontiguousarray(pixels), low, high) > 0


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


def _shares(part: slice, size: int, cells: int) -> np.ndarray:
    """How much of each cell of a part lies in each cell of the whole, (cells, cells of the part).

    Args:
        part: of the whole, in pixels.
        size: of the whole, in pixels.
        cells: of either.
    """
    grid = np.linspace(0, size, cells + 1)
    edges = np.linspace(part.start, part.stop, cells + 1)
    ends = np.minimum.outer(grid[1:], edges[1:])
    starts = np.maximum.outer(grid[:-1], edges[:-1])
    shares: np.ndarray = np.clip(ends - starts, 0, None) / (edges[1] - edges[0])
    return shares
