"""Pictures of which nothing can honestly be said."""

import numpy as np

# Of 255; a covered lens still gives a little noise, a night street has lamps.
_DARK = 20
_FLAT = 4

# "Almost", for a line of small print may stand on such a page.
SENTENCES = {
    "dark": "The picture is almost black. The lens may be covered, or the screen curtain on.",
    "blank": "The picture is almost one plain colour. There is too little in it to describe.",
}


def find_notes(pixels: np.ndarray) -> tuple[str, ...]:
    """Codes of what makes a picture unfit for a sentence: ``dark`` or ``blank``; mostly none.

    Args:
        pixels: (height, width, 3) uint8 RGB.
    """
    # Every few pixels are enough, and keep a large photograph from costing more than its caption.
    step = max(1, min(pixels.shape[:2]) // 128)
    sample = pixels[::step, ::step].reshape(-1, 3).astype(np.float32)
    if np.percentile(sample.max(axis=1), 99) < _DARK:
        return ("dark",)
    low, high = np.percentile(sample, (1, 99), axis=0)
    return ("blank",) if (high - low).max() < _FLAT else ()
