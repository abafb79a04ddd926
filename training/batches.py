"""Batches of an epoch: which pictures, in which order, the same after a restart."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import Dataset

from core.search import MAX_WORDS
from core.vocabulary import Vocabulary
from training.data import Example
from training.features import FeatureCache
from training.pictures import load_varied

# A few rambling sentences would stretch the padding of every batch: they are cut, with <start>,
# to what a search may write.
_LONGEST = MAX_WORDS + 1


@dataclass(frozen=True)
class Batch:
    """What a training step sees.

    Attributes:
        inputs: (pictures, 3, side, side) uint8, or cached features (pictures, channels,
            rows, columns).
        words: (sentences, length) indices, padded at the end.
        picture_of: (sentences,) index of each sentence's picture.
    """

    inputs: Tensor
    words: Tensor
    picture_of: Tensor


def plan_epoch(weights: Sequence[float], batch: int, seed: str) -> list[list[int]]:
    """Indices of the pictures of each batch of an epoch.

    Args:
        weights: of each picture, how many times it is shown (a fraction is a chance).
        batch: pictures in a batch; the last may have fewer.
        seed: the same seed gives the same plan.
    """
    chance = random.Random(seed)
    shown = [
        index
        for index, weight in enumerate(weights)
        for _ in range(int(weight) + (chance.random() < weight % 1))
    ]
    chance.shuffle(shown)
    return [shown[at : at + batch] for at in range(0, len(shown), batch)]


class Batches(Dataset[Batch]):
    """The batches of one epoch, to be read by a loader one by one.

    Args:
        examples: all pictures with their sentences.
        vocabulary: of the decoder.
        plan: indices of each batch's pictures.
        source: cached features, or the side in pixels of pictures to be loaded.
        seed: of mirroring and cropping.
        smallest_crop: see ``StageConfig``.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        vocabulary: Vocabulary,
        plan: Sequence[Sequence[int]],
        source: FeatureCache | int,
        seed: str,
        smallest_crop: float,
    ) -> None:
        self.examples, self.vocabulary, self.plan = examples, vocabulary, plan
        self.source, self.seed, self.smallest_crop = source, seed, smallest_crop

    def __len__(self) -> int:
        return len(self.plan)

    def __getitem__(self, number: int) -> Batch:
        indices = self.plan[number]
        chosen = [self.examples[index] for index in indices]
        sentences = [
            (picture, torch.tensor(self.vocabulary.encode(sentence)[:_LONGEST]))
            for picture, example in enumerate(chosen)
            for sentence in example.sentences
        ]
        words = torch.nn.utils.rnn.pad_sequence(
            [encoded for _, encoded in sentences],
            batch_first=True,
            padding_value=Vocabulary.pad,
        )
        picture_of = torch.tensor([picture for picture, _ in sentences])
        return Batch(self._inputs(number, indices, chosen), words, picture_of)

    def _inputs(self, number: int, indices: Sequence[int], chosen: Sequence[Example]) -> Tensor:
        seed = f"{self.seed}/{number}"
        if isinstance(self.source, FeatureCache):
            chance = random.Random(seed)
            return self.source.get(indices, [chance.randrange(self.source.views) for _ in indices])
        side = self.source
        squares = [
            torch.from_numpy(
                load_varied(
                    example.path, side, f"{seed}/{place}", example.flippable, self.smallest_crop
                )
            )
            for place, example in enumerate(chosen)
        ]
        return torch.stack(squares)
