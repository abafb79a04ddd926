"""Corners of lines, put right before they are read: made level, pieces of one line joined."""

import numpy as np
from numpy.typing import NDArray

Quads = NDArray[np.float32]  # (lines, 4 corners from the upper left clockwise, x and y) in pixels

# Pieces stand on one line when their middles differ by less than this share of the lower one, and
# their heights by less than this factor; and none leans by more than this share of its height.
_SAME_LINE = 0.25
_SAME_HEIGHT = 1.5
_LEVEL = 0.15
# Lines so many times as high as wide run from top to bottom.
_UPENDED = 1.5
# A page is turned level when three quarters of its lines lean more than this, in radians, for a
# letter that reaches down lets single ones seem to lean. Upright pages lean no more than the most.
_LEAST_LEAN = 0.004
_MOST_LEAN = 0.35


def find_lean(quads: Quads) -> float:
    """Radians by which a page leans clockwise: as most of the length of its lines; 0 for upright.

    Lines not twice as wide as high tell nothing.
    """
    along = quads[:, 1] - quads[:, 0]  # (lines, 2)
    length = np.hypot(*along.T)
    wide = length > 2 * np.hypot(*(quads[:, 3] - quads[:, 0]).T)
    if not wide.any():
        return 0.0
    angle, length = np.arctan2(along[wide, 1], along[wide, 0]), length[wide]
    order = angle.argsort()
    share = length[order].cumsum() / length.sum()
    low, lean, high = angle[order][np.searchsorted(share, (0.25, 0.5, 0.75))].tolist()
    one_way = low > _LEAST_LEAN or high < -_LEAST_LEAN
    return lean if one_way and abs(lean) < _MOST_LEAN else 0.0


def turned(quads: Quads, angle: float) -> Quads:
    """Lines turned clockwise by so many radians, about the upper left of the picture."""
    x, y = quads[..., 0], quads[..., 1]
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([x * cos - y * sin, x * sin + y * cos], axis=-1).astype(np.float32)


def join_pieces(quads: Quads) -> Quads:
    """Level lines, each in one: pieces that overlap would have the letters between read twice."""
    left, top = quads.min(axis=1).T
    right, bottom = quads.max(axis=1).T
    height, middle = bottom - top, (top + bottom) / 2
    low, high = np.minimum.outer(height, height), np.maximum.outer(height, height)
    overlap = np.minimum.outer(right, right) > np.maximum.outer(left, left)
    level = np.abs(quads[:, 0, 1] - quads[:, 1, 1]) < _LEVEL * height
    level &= height < _UPENDED * (right - left)  # of a page on its side, no lines are one
    one_line = np.abs(np.subtract.outer(middle, middle)) < _SAME_LINE * low
    one_line &= (high < _SAME_HEIGHT * low) & np.logical_and.outer(level, level)
    line = np.arange(len(quads))
    for first, second in np.argwhere(np.triu(one_line & overlap, 1)):
        line[line == line[second]] = line[first]
    return np.array([_around(quads[line == one]) for one in np.unique(line)], np.float32).reshape(
        -1, 4, 2
    )


def _around(pieces: Quads) -> NDArray[np.float32]:
    """The corners of a line that was found in so many pieces."""
    if len(pieces) == 1:
        return pieces[0]
    left, top = pieces.min(axis=(0, 1))
    right, bottom = pieces.max(axis=(0, 1))
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
