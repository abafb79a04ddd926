"""Statistics that tell a drawn picture (screen, document, chart, icon) from a photograph."""

from typing import Any

import cv2
import numpy as np

from core.sample import SIDE, Sample, distance

_TILE = 8
_TILES = SIDE // _TILE

NAMES = (
    "flat pixels",
    "nearly flat pixels",
    "weak steps",
    "strong steps",
    "very strong steps",
    "strong among all steps",
    "flat tiles",
    "two-tone tiles",
    "textured tiles",
    "top colour",
    "two top colours",
    "four top colours",
    "sixteen top colours",
    "colour entropy",
    "saturation",
    "saturated",
    "brightness",
    "paper",
    "black",
    "steps along the axes",
    "longest row",
    "rows in step",
    "longest column",
    "columns in step",
    "row rhythm",
    "busy parts",
    "equal neighbours",
    "close neighbours",
    "far neighbours",
    "far among unequal",
    "grain",
    "rim",
    "centre",
    "tile softness",
    "grey steps",
)


def statistics(sample: Sample) -> np.ndarray:
    """The statistics ``NAMES`` of a picture, each roughly 0 to 1; (statistics,) float32."""
    across = distance(sample.small[:-1, :-1], sample.small[:-1, 1:])  # (223, 223)
    down = distance(sample.small[:-1, :-1], sample.small[1:, :-1])
    step = cv2.max(across, down)
    steps = _counts(step).cumsum() / step.size  # share up to each size
    weak, strong = steps[24] - steps[4], 1 - steps[40]

    # Tiles of 8 x 8 pixels: (784, 64) grey values.
    tiles = sample.grey.reshape(_TILES, _TILE, _TILES, _TILE).swapaxes(1, 2).reshape(-1, _TILE**2)
    low, high = tiles.min(axis=1, keepdims=True), tiles.max(axis=1, keepdims=True)
    spread = high - low
    near_end = _share(cv2.min(tiles - low, high - tiles) < 0.15 * spread, axis=1)
    spread = spread[:, 0]
    contrasty = spread > 24
    softness = tiles[contrasty].std(axis=1) / spread[contrasty]

    red, green, blue = cv2.split(sample.small)
    # Sixteen steps of each channel.
    counts = cv2.calcHist([sample.small], [0, 1, 2], None, [16] * 3, [0, 256] * 3)
    shares = np.sort(counts[counts > 0])[::-1] / SIDE**2
    entropy = -(shares * np.log2(shares)).sum()

    peak = cv2.max(cv2.max(red, green), blue)
    floor = cv2.min(cv2.min(red, green), blue)
    chroma = peak - floor

    hard = step > 24
    hard_across, hard_down = across > 24, down > 24
    strong_steps = np.count_nonzero(hard_across) + np.count_nonzero(hard_down)
    axial = np.count_nonzero(hard_across & (down < across // 5))
    axial += np.count_nonzero(hard_down & (across < down // 5))
    rows, columns = _share(hard_down, axis=1), _share(hard_across, axis=0)
    # Lines of text: the share of each row that is inked goes up and down.
    ink = _share(hard_across, axis=1)
    rhythm = np.abs(np.diff(ink)).mean() / (ink.mean() + 0.01)
    parts = _share(hard[:220, :220].reshape(10, 22, 220), axis=1).reshape(10, 10, 22).mean(axis=2)
    rim = np.count_nonzero(hard) - np.count_nonzero(hard[16:-16, 16:-16])

    neighbours = (_counts(sample.beside) + _counts(sample.below)).cumsum()
    neighbours = neighbours / neighbours[-1]
    far = 1 - neighbours[32]
    grain = float(np.searchsorted(neighbours, 0.5))

    textured = (spread > 14) & (near_end < 0.5)
    return np.array(
        (
            steps[1],
            steps[4],
            weak,
            strong,
            1 - steps[80],
            strong / (1 - steps[4] + 0.01),
            _share(spread <= 4),
            _share((spread > 48) & (near_end > 0.7)),
            _share(textured),
            shares[0],
            shares[:2].sum(),
            shares[:4].sum(),
            shares[:16].sum(),
            entropy / 12,
            cv2.mean(chroma)[0] / 255,
            _share(chroma > 60),
            cv2.mean(peak)[0] / 255,
            _share((floor > 215) & (chroma < 24)),
            _share(peak < 48),
            axial / (strong_steps + 1),
            rows.max(),
            _share(rows > 0.25),
            columns.max(),
            _share(columns > 0.25),
            min(rhythm, 2) / 2,
            _share(parts > 0.03),
            neighbours[0],
            neighbours[2],
            far,
            far / (1 - neighbours[0] + 0.01),
            min(grain, 16) / 16,
            rim / 13000,
            _share(hard[56:168, 56:168]),
            softness.mean() if len(softness) else 0.5,
            _share(chroma[:-1, :-1][hard] < 24) if hard.any() else 0.5,
        ),
        np.float32,
    )


def _counts(values: np.ndarray) -> np.ndarray:
    """How often each value of an array of uint8 occurs, (256,)."""
    return cv2.calcHist([values], [0], None, [256], [0, 256]).ravel().astype(np.int64)


def _share(mask: np.ndarray, axis: int | None = None) -> Any:
    """The share that is true; as ``mask.mean(axis)``, but several times as fast."""
    return np.count_nonzero(mask, axis=axis) / (mask.size if axis is None else mask.shape[axis])
