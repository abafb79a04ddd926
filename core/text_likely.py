"""A quick look whether there may be text in a picture, without the OCR networks."""

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

# The look is taken at about this many pixels.
_LOOKED_AT = 640 * 480
# What surrounds a letter: the mean over so many pixels.
_AROUND = 31
# Signs of text: so many letters in a row that stand out by this much of 255, and do so alike (the
# difference as a share). Either will do: a short word in strong contrast, or a longer in weak.
_SIGNS = ((4, 40, 0.25), (3, 60, 0.3))
# Heights of letters, in pixels.
_LOW, _HIGH = 6, 120
# Shapes that are looked at, those that stand out most: a meadow has thousands.
_MOST = 600


def text_likely(pixels: Pixels) -> bool:
    """Whether there may be text: a row of shapes that could be letters.

    As in Epshtein, Ofek and Wexler ("Detecting text in natural scenes with stroke width
    transform", CVPR 2010), candidates of alike size and contrast are chained to words; here they
    are the connected components of what is darker or lighter than its surroundings, which is
    much quicker than strokes and good enough for a first look.

    Args:
        pixels: (height, width, 3) uint8 RGB.
    """
    grey = _reduced(pixels)
    around = cv2.blur(grey, (_AROUND, _AROUND))
    darker: Pixels = cv2.subtract(around, grey).astype(np.uint8, copy=False)
    lighter: Pixels = cv2.subtract(grey, around).astype(np.uint8, copy=False)
    return any(
        _longest_word(shapes, contrast, alike) >= letters
        for letters, contrast, alike in _SIGNS
        for shapes in (darker, lighter)
    )


def _reduced(pixels: Pixels) -> Pixels:
    """A grey copy of at most the pixels that are looked at."""
    height, width = pixels.shape[:2]
    scale = (_LOOKED_AT / (height * width)) ** 0.5
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        # Leave out pixels first: to average all of a large photograph would take the longest.
        step = max(1, int(0.5 / scale))
        thinned = np.ascontiguousarray(pixels[::step, ::step])
        pixels = cv2.resize(thinned, size, interpolation=cv2.INTER_AREA).astype(
            np.uint8, copy=False
        )
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)


def _longest_word(shapes: Pixels, contrast: int, alike: float) -> int:
    """Letters in the longest row of them.

    Args:
        shapes: (height, width), how much each pixel stands out.
        contrast: least of it in a letter.
        alike: by how large a share letters of a word may differ in it.
    """
    mask = (shapes > contrast).view(np.uint8)
    count, labels, found, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    left, top, width, height, area = found.T
    fill = area / (width * height)
    fit = (height >= _LOW) & (height <= _HIGH) & (width <= 2 * height) & (height <= 10 * width)
    fit &= (fill > 0.15) & (fill < 0.95)
    fit[0] = False  # the background
    letters = np.flatnonzero(fit)
    if not len(letters):
        return 0
    inside = np.flatnonzero(mask)
    total = np.bincount(labels.ravel()[inside], shapes.ravel()[inside], minlength=count)
    strength = total[letters] / area[letters]
    strongest = np.argsort(-strength, kind="stable")[:_MOST]
    letters, strength = letters[strongest], strength[strongest]
    order = np.argsort(left[letters], kind="stable")
    letters, strength = letters[order], strength[order]
    boxes = np.stack([left, top, width, height], axis=1)[letters].astype(np.float32)
    return _longest_chain(_neighbours(boxes, strength.astype(np.float32), alike))


def _neighbours(boxes: Floats, strength: Floats, alike: float) -> NDArray[np.bool_]:
    """Whether the second of two letters (left to right) may follow the first in a word.

    Args:
        boxes: (letters, 4): left, top, width, height.
        strength: (letters,), how much each stands out.
        alike: by how large a share they may differ in it.
    """
    left, top, width, height = boxes.T
    right, bottom, middle = left + width, top + height, top + height / 2
    low, high = np.minimum.outer(height, height), np.maximum.outer(height, height)
    gap = left[None, :] - right[:, None]  # (first, second), as all below
    step = np.minimum(
        np.abs(np.subtract.outer(bottom, bottom)), np.abs(np.subtract.outer(middle, middle))
    )
    near = (gap > -0.25 * low) & (gap < 0.8 * high) & (step < 0.25 * high) & (low > 0.55 * high)
    difference = np.abs(np.subtract.outer(strength, strength))
    return np.triu(near & (difference < alike * np.maximum.outer(strength, strength)), 1)


def _longest_chain(follows: NDArray[np.bool_]) -> int:
    length = np.ones(len(follows), np.int32)
    for second in np.flatnonzero(follows.any(axis=0)):
        length[second] = 1 + length[follows[:, second]].max()
    return int(length.max())
