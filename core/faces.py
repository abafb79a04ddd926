"""Faces in a picture."""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
from cv2.data import haarcascades

from core.caption import Box
from core.tilt import shrunk

# Faces are looked for in a picture of this many pixels along its longer side.
_LONGER_SIDE = 640
# The smallest face, as a share of the shorter side: smaller ones are people in the background.
_SMALLEST = 0.09
# Each size looked for is this much larger than the one before.
_NEXT_SIZE = 1.1
# How many neighbouring windows must agree; chosen on val photographs, with and without people.
_AGREE = 3


def find_faces(pixels: np.ndarray) -> tuple[Box, ...]:
    """A box around each face that looks at the camera, as shares of the picture, largest first.

    OpenCV's cascade (Viola and Jones, "Rapid Object Detection using a Boosted Cascade of Simple
    Features", CVPR 2001), which comes in its wheel.

    Args:
        pixels: (height, width, 3) uint8 RGB.
    """
    grey = cv2.cvtColor(shrunk(pixels, _LONGER_SIDE), cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    smallest = max(20, round(_SMALLEST * min(height, width)))
    found = _cascade().detectMultiScale(grey, _NEXT_SIZE, _AGREE, minSize=(smallest, smallest))
    boxes = sorted(((int(x), int(y), int(w), int(h)) for x, y, w, h in found), key=lambda b: -b[2])
    return tuple((x / width, y / height, (x + w) / width, (y + h) / height) for x, y, w, h in boxes)


@cache
def _cascade() -> cv2.CascadeClassifier:
    return cv2.CascadeClassifier(str(Path(haarcascades) / "haarcascade_frontalface_alt2.xml"))
