"""How far a picture leans, from the straight lines in it."""

import cv2
import numpy as np

# Lines are looked for in a picture of about this many pixels along its longer side.
_LONGER_SIDE = 640
# Shorter segments, as a share of the longer side, are texture.
_SHORTEST = 0.05
# Nobody holds a camera so that the world leans further without knowing.
_LARGEST = 30.0
# Lines within this many degrees of the strongest direction belong to it.
_TOGETHER = 2.0
# Confident where the lines that agree are this many times the longer side, and this share of all.
_ENOUGH = 1.5
_AGREE = 0.42


def find_tilt(pixels: np.ndarray) -> float | None:
    """Degrees by which the picture leans clockwise, -30 to 30; None where nothing tells for sure.

    Walls, doors, shelves and horizons are upright or level: the direction, modulo 90 degrees, that
    most of the length of all line segments shares (von Gioi et al., "LSD: A Fast Line Segment
    Detector", PAMI 2010) is taken for one of these.

    Args:
        pixels: (height, width, 3) uint8 RGB.
    """
    grey = cv2.cvtColor(shrunk(pixels, _LONGER_SIDE), cv2.COLOR_RGB2GRAY)
    side = max(grey.shape)
    found: np.ndarray | None = cv2.createLineSegmentDetector().detect(grey)[0]
    if found is None:
        return None
    x0, y0, x1, y1 = found.reshape(-1, 4).T
    length = np.hypot(x1 - x0, y1 - y0)
    long = length > _SHORTEST * side
    # y points down, so that a positive angle is clockwise to the eye.
    angle = np.degrees(np.arctan2(y1 - y0, x1 - x0))[long]
    length = length[long]
    angle = (angle + 45) % 90 - 45
    if length.sum() < _ENOUGH * side:
        return None
    candidates = np.arange(-45, 45, 0.5)
    distance = np.abs((angle - candidates[:, None] + 45) % 90 - 45)  # (candidates, segments)
    support = ((distance < _TOGETHER) * length).sum(axis=1)
    best = int(support.argmax())
    if support[best] < max(_ENOUGH * side, _AGREE * length.sum()):
        return None
    near = distance[best] < _TOGETHER
    offset = (angle[near] - candidates[best] + 45) % 90 - 45
    tilt = float(candidates[best] + np.average(offset, weights=length[near]))
    return tilt if abs(tilt) <= _LARGEST else None


def shrunk(pixels: np.ndarray, longer_side: int) -> np.ndarray:
    """The picture, made smaller where its longer side has more pixels."""
    height, width = pixels.shape[:2]
    share = longer_side / max(height, width)
    if share >= 1:
        return pixels
    size = (max(1, round(width * share)), max(1, round(height * share)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
