"""Statistics that tell a blurred photograph from a sharp one."""

from itertools import pairwise

import cv2
import numpy as np

from core.sample import SIDE, Sample

_TILE = 16
_TILES = SIDE // _TILE
_DIRECTIONS = ((0, 1), (1, 0), (1, 1), (1, -1))
_LAGS = (1, 2, 4, 8, 16)

NAMES = (
    *(f"growth {near}-{far}, {place}" for place in ("least", "second", "third", "most")
      for near, far in pairwise(_LAGS)),
    *(f"bend, {share} %" for share in (10, 50, 75, 90, 97)),
    *(f"strongest bend, {share} %" for share in (10, 50, 90, 100)),
    *(f"slope, {share} %" for share in (10, 50, 90, 100)),
    "contrast",
)  # fmt: skip


def statistics(sample: Sample) -> np.ndarray:
    """The statistics ``NAMES`` of a picture; (statistics,) float32.

    The structure function, the mean squared difference of pixels at a distance, grows with the
    distance as its square where everything is smooth, and less where there are edges: its growth
    is taken in four directions, sorted, because a shaken camera leaves edges in one. Bends (second
    derivatives) against slopes, tile by tile, tell whether at least something is sharp.
    """
    # One grey value is what rounding and the quietest camera give.
    grey = cv2.GaussianBlur(sample.grey, (0, 0), 1).astype(np.float32)
    growth = []
    for down, across in _DIRECTIONS:
        spread = [_spread(grey, down * lag, across * lag) for lag in _LAGS]
        growth.append(np.diff(np.log(spread)))
    bends = np.abs(cv2.Laplacian(grey, cv2.CV_32F))
    slopes = cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)) / 8
    bend, slope = _tiles(bends), _tiles(slopes)
    rows = bends.reshape(_TILES, _TILE, SIDE).max(axis=1)  # (14, 224)
    strongest = rows.reshape(_TILES, _TILES, _TILE).max(axis=2).ravel()
    return np.concatenate(
        (
            np.sort(growth, axis=0).ravel(),
            np.percentile((bend + 0.1) / (slope + 0.3), (10, 50, 75, 90, 97)),
            np.log(np.percentile(strongest, (10, 50, 90, 100)) + 0.3),
            np.log(np.percentile(slope, (10, 50, 90, 100)) + 0.3),
            (np.log(grey.std() + 1),),
        )
    ).astype(np.float32)


def _spread(grey: np.ndarray, down: int, across: int) -> float:
    left, right = max(0, -across), max(0, across)
    one = grey[: SIDE - down, left : SIDE - right]
    other = grey[down:, right : SIDE - left]
    return cv2.norm(one, other, cv2.NORM_L2SQR) / one.size + 0.1


def _tiles(values: np.ndarray) -> np.ndarray:
    return cv2.resize(values, (_TILES, _TILES), interpolation=cv2.INTER_AREA).ravel()
