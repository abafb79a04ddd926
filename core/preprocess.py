"""Any picture to the square of pixels that the model sees."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

# What a program in another language must do to feed the model as we do.
PREPROCESSING = {
    "channels": "RGB",
    "resize": "squeezed to a square of image_size, bicubic with antialiasing, nothing cropped",
    "scale": "divided by 255",
    "mean": (0.485, 0.456, 0.406),
    "std": (0.229, 0.224, 0.225),
}


def squeeze(pixels: np.ndarray, side: int) -> np.ndarray:
    """Squeeze a picture to a square, so that nothing at its edges is lost.

    Args:
        pixels: (height, width, 3) uint8 RGB.
        side: of the square, in pixels.

    Returns:
        (3, side, side) uint8.
    """
    if pixels.shape[:2] != (side, side):
        resized = Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC)
        pixels = np.asarray(resized)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def squeeze_many(pictures: Sequence[np.ndarray], side: int) -> np.ndarray:
    """Squeeze pictures of any sizes into one batch, (pictures, 3, side, side) uint8."""
    return np.stack([squeeze(pixels, side) for pixels in pictures])
