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
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from core.model import Decoder, Scene
from core.vocabulary import Vocabulary

# Strips across the picture and as many down; each about half as wide as the picture, overlapping.
# Seven, three and two of one region or of three were tried: they find the same half as often.
_STRIPS = 3


class Grounding(NamedTuple):
    """How the words of a sentence hang on the picture."""

    maps: Tensor  # (words, side, side) where each was seen; not negative, the cells sum to one
    grounded: Tensor  # (words,) how much each was seen rather than expected, 0 to 1
    blind: tuple[float, ...]  # log-probability of each and of ``<end>`` with nothing to see


@torch.inference_mode()
def ground(decoder: Decoder, regions: Tensor, words: tuple[int, ...]) -> Grounding:
    """Find where the words of a sentence were seen.

    The value of a cell is the word's probability given the strips that cross it, as their geometric
    mean across times that down; the cells are scaled to sum to one. ``grounded`` is the share of
    the word's probability that is lost between the strip that shows it best and the one that shows
    it least.

    Args:
        decoder: in evaluation mode.
        regions: (side * side, channels) of one picture, row by row, from the encoder.
        words: indices of the sentence, without ``<start>`` and ``<end>``; at least one.
    """
    side = math.isqrt(len(regions))
    grid = regions.float().unflatten(0, (side, side))  # (side, side, C); autocast halves it
    starts, width = _strips(side)
    across = [grid[at : at + width].flatten(0, 1) for at in starts]  # (width * side, C) each
    down = [grid[:, at : at + width].flatten(0, 1) for at in starts]
    strips = decoder.look_at(torch.stack(across + down))
    nothing = Scene.nothing(strips.summary, len(regions), strips.summary.shape[1])
    seen, blind = _read(decoder, [strips, nothing], words)
    log_probs = seen[:, :-1]  # (2 * strips, words)
    crossed = torch.tensor([[at <= line < at + width for at in starts] for line in range(side)])
    weights = crossed / crossed.sum(dim=1, keepdim=True)  # (side, strips) of each row, or column
    by_row, by_column = (weights.to(log_probs) @ half for half in log_probs.chunk(2))
    cells = by_row.unsqueeze(1) + by_column.unsqueeze(0)  # (side, side, words)
    maps = cells.flatten(0, 1).softmax(dim=0).T.unflatten(1, (side, side))
    grounded = 1 - (log_probs.amin(dim=0) - log_probs.amax(dim=0)).exp()
    return Grounding(maps.cpu(), grounded.cpu(), tuple(blind[0].tolist()))


def _read(decoder: Decoder, scenes: Sequence[Scene], words: Sequence[int]) -> list[Tensor]:
    """Log-probabilities of a sentence's words and ``<end>`` before each, (pictures, words + 1)."""
    device = scenes[0].summary.device
    said = torch.tensor([Vocabulary.start, *words, Vocabulary.end], device=device)
    return [
        # (pictures, words + 1, V)
        logits.float().log_softmax(dim=2)[:, torch.arange(len(words) + 1), said[1:]]
        for logits in decoder.reread(scenes, said[:-1])
    ]


def _strips(side: int) -> tuple[list[int], int]:
    """Where each strip begins, and how many regions wide it is."""
    width = max(1, side // 2)
    return [round(strip * (side - width) / (_STRIPS - 1)) for strip in range(_STRIPS)], width
