"""Where each word of a sentence was seen: the sentence is read again with little of the picture.

The decoder reads its own sentence while it is shown one strip of the picture alone, then the next,
all in one batch. A word that was seen somewhere is probable where that place is shown and
improbable elsewhere; a word that the words before it called for stays as probable as it was. This
is explaining by showing and hiding parts of the input (Zeiler and Fergus, "Visualizing and
Understanding Convolutional Networks", ECCV 2014; Petsiuk et al., "RISE", BMVC 2018), done on region
features, which spares the encoder. Attention tells less: with several heads and a sentinel it need
not lie where the thing is.
"""

import math
from typing import NamedTuple

import numpy as np

from core.network import Network, Sight, given_and_following, summarise

# Strips across the picture and as many down; each about half as wide as the picture, overlapping.
# Seven, three and two of one region or of three were tried: they find the same half as often.
_STRIPS = 3


class Grounding(NamedTuple):
    """How the words of a sentence hang on the picture."""

    maps: np.ndarray  # (words, side, side) where each was seen; not negative, the cells sum to one
    grounded: np.ndarray  # (words,) how much each was seen rather than expected, 0 to 1


def ground(network: Network, sight: Sight, picture: int, words: tuple[int, ...]) -> Grounding:
    """Find where the words of a sentence were seen.

    The value of a cell is the word's probability given the strips that cross it, as their geometric
    mean across times that down; the cells are scaled to sum to one. ``grounded`` is the share of
    the word's probability that is lost between the strip that shows it best and the one that shows
    it least.

    Args:
        network: that saw the picture.
        sight: of pictures whose regions are square.
        picture: its index there.
        words: indices of the sentence, without ``<start>`` and ``<end>``; at least one.
    """
    regions = sight.summaries.shape[1]
    side = math.isqrt(regions)
    starts, width = _strips(side)
    grid = np.arange(regions).reshape(side, side)
    across = [grid[at : at + width].ravel() for at in starts]
    down = [grid[:, at : at + width].ravel() for at in starts]
    strips = np.stack(across + down)  # (S, regions of a strip)
    given, following = given_and_following([words] * len(strips))
    log_probs = network.reread(
        given,
        following,
        summarise(sight.summaries[picture, strips]),
        # Of (heads, H / heads, R) and (heads, R, H / heads), the strips come to the front.
        sight.keys[picture][..., strips].transpose(2, 0, 1, 3),
        sight.values[picture][:, strips].transpose(1, 0, 2, 3),
    )[:, :-1]  # (S, words)
    crossed = np.array([[at <= line < at + width for at in starts] for line in range(side)])
    weights = crossed / crossed.sum(axis=1, keepdims=True)  # (side, strips) of each row, or column
    by_row, by_column = (weights @ half for half in np.split(log_probs, 2))  # (side, words)
    cells = by_row[:, None] + by_column[None]  # (side, side, words)
    maps = np.exp(cells - cells.max(axis=(0, 1)))
    maps /= maps.sum(axis=(0, 1))
    grounded = 1 - np.exp(log_probs.min(axis=0) - log_probs.max(axis=0))
    return Grounding(maps.transpose(2, 0, 1), grounded)


def _strips(side: int) -> tuple[list[int], int]:
    """Where each strip begins, and how many regions wide it is."""
    width = max(1, side // 2)
    return [round(strip * (side - width) / (_STRIPS - 1)) for strip in range(_STRIPS)], width
