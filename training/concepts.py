"""The words of people's sentences, without their order, as a target for the encoder alone.

A detector of words (Fang et al., "From Captions to Visual Concepts and Back", CVPR 2015) that is
trained beside the decoder and left out of the model: it makes the encoder see what is there, where
the decoder is content with what is likely to be said.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LEARNING_RATE = 1e-3
# The most frequent words tell nothing of a picture, the rare ones cannot be learnt.
_COMMONEST = 40
_WORDS = 860
_DROPOUT = 0.3


class Concepts(nn.Module):
    """A detector of the words that people's sentences hold.

    Args:
        channels: width of the region features.
        pictures: for each training picture, its sentences as indices of words.
    """

    def __init__(self, channels: int, pictures: Iterable[Sequence[Sequence[int]]]) -> None:
        super().__init__()
        counts = Counter(
            word for sentences in pictures for word in {*chain.from_iterable(sentences)}
        )
        common = [word for word, _ in counts.most_common(_COMMONEST + _WORDS)][_COMMONEST:]
        self.places = {word: place for place, word in enumerate(common)}
        self.linear = nn.Linear(channels, len(common))
        nn.init.constant_(self.linear.bias, -4.0)  # most pictures show none of them

    def forward(
        self, regions: Tensor, sentences: Sequence[Sequence[int]], of: Sequence[int]
    ) -> Tensor:
        """Binary cross entropy, summed over the words and over the pictures.

        Args:
            regions: (pictures, regions, channels) from the encoder.
            sentences: indices of their words.
            of: each sentence's picture.
        """
        there = torch.zeros(len(regions), len(self.places))
        for words, picture in zip(sentences, of, strict=True):
            there[picture, [self.places[word] for word in words if word in self.places]] = 1
        seen = F.dropout(regions.float().mean(dim=1), _DROPOUT, self.training)  # (B, C)
        logits = self.linear(seen)  # (B, words)
        return F.binary_cross_entropy_with_logits(logits, there.to(logits.device), reduction="sum")
