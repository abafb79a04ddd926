"""Pictures of which no sentence about a photograph is made: too bad to see, or no photograph."""

from collections.abc import Sequence

import cv2
import numpy as np

from core.bars import Part, between_bars, whole
from core.caption import DRAWN
from core.kinds import judge
from core.sample import SIDE, Sample, take_sample

# Of 255; a covered lens still gives a little noise, a night street has lamps.
_DARK = 36
_FLAT = 4
# A picture is refused where it is a photograph with a smaller probability; chosen on val.
_PHOTOGRAPH = 0.78

# More words than this are hardly in an icon, or in a chart, whose text is mostly numbers.
_WORDS = {"icon": 3, "chart": 12}
_PLAIN = 0.7

# What is said of each, in words that help; text that was read may follow.
SENTENCES = {
    "dark": "The picture is almost black. The lens may be covered, or the screen curtain on.",
    "blank": "The picture is almost one plain colour: a wall, the sky, or something over the lens.",
    "overexposed": "The picture is almost all white: far too bright. Turn away from the light.",
    "blurred": "Blurred: hold still, and not too close.",
    "noise": "The picture is nothing but grain. More light may help.",
    "screen": "This is a screen, not a photograph.",
    "document": "This is a document.",
    "chart": "This is a chart or a diagram.",
    "icon": "This is an icon or a simple drawing.",
}
# Codes with which no sentence about a photograph is made.
UNFIT = frozenset(SENTENCES)
# What a photograph between plain bars, as a phone shows it, is taken for.
_OF_BARS = DRAWN | {"blurred"}


def find_notes(pixels: np.ndarray) -> tuple[str, ...]:
    """The code of what makes a picture unfit for a sentence, of ``SENTENCES``; mostly none.

    Args:
        pixels: (height, width, 3) uint8 RGB, of any size.
    """
    return examine(pixels)[0]


def examine(pixels: np.ndarray) -> tuple[tuple[str, ...], Part]:
    """The notes of `find_notes`, and the part of the picture that is to be described.

    That is a photograph between two plain bars, and otherwise all of the picture.
    """
    notes = _notes(pixels)
    if _OF_BARS.issuperset(notes):
        part = between_bars(pixels)
        if part != whole(pixels) and not _notes(part.cut(pixels)):
            return (), part
    return notes, whole(pixels)


def _notes(pixels: np.ndarray) -> tuple[str, ...]:
    sample = take_sample(pixels)
    if plain := _plain(sample):
        return (plain,)
    kinds = judge(sample)
    if kinds.pop("photograph") >= _PHOTOGRAPH:
        return ()
    return (max(kinds, key=lambda kind: kinds[kind]),)


def _plain(sample: Sample) -> str | None:
    """What is certain without statistics: of black nothing is ever invented."""
    channels = cv2.split(sample.small)
    counts = np.array([cv2.calcHist([one], [0], None, [256], [0, 256])[:, 0] for one in channels])
    shares = counts.cumsum(axis=1) / SIDE**2  # (3, 256) of the pixels up to each value
    lowest, high, highest = ((shares < share).sum(axis=1) for share in (0.002, 0.99, 0.998))
    if high.max() < _DARK:
        return "dark"
    if (highest - lowest).max() < _FLAT:
        return "blank"
    return None


def settle_notes(notes: tuple[str, ...], text: Sequence[str]) -> tuple[str, ...]:
    """The notes of what is no photograph, once its text is known.

    A message box looks much like a chart, and a page to log in like an icon, until one reads them.

    Args:
        notes: as `find_notes` gave them.
        text: paragraphs that were read.
    """
    words = [word for paragraph in text for word in paragraph.split()]
    plain = sum(word.strip(".,:;!?").isalpha() for word in words)
    most = _WORDS.get(notes[0]) if notes else None
    if most is not None and plain > max(most, _PLAIN * len(words)):
        return ("screen",)
    return notes
