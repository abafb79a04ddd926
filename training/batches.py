"""Batches of an epoch: which pictures, in which order, the same after a restart."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import Dataset

from core.picture import open_picture
from core.search import MAX_WORDS
from core.vocabulary import Vocabulary
from training.config import StageConfig
from training.data import Example
from training.distributed import Group
from training.features import FeatureCache
from training.pictures import vary
from training.pixels import PixelCache

# Where inputs come from; None decodes the picture each time.
Source = FeatureCache | PixelCache | None

# A few rambling sentences would stretch the padding of every batch: they are cut, with <start>,
# to what a search may write.
_LONGEST = MAX_WORDS + 1


@dataclass(frozen=True)
class Batch:
    """What a process sees of a training step.

    Attributes:
        inputs: (pictures, 3, side, side) uint8, or cached features (pictures, channels,
            rows, columns).
        words: (sentences, length) indices, padded at the end.
        picture_of: (sentences,) index of each sentence's picture.
        places: of the pictures in the whole batch.
        spare: whether there were fewer pictures than processes, and this one has another's, which
            is not to count.
    """

    inputs: Tensor
    words: Tensor
    picture_of: Tensor
    places: list[int]
    spare: bool


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
    """A process's shares of the batches of one epoch, to be read by a loader one by one.

    Args:
        examples: all pictures with their sentences.
        vocabulary: of the decoder.
        plan: indices of each batch's pictures.
        source: cached features, cached pictures, or none.
        side: of the squares that are made of pictures, in pixels.
        seed: of mirroring and cropping.
        stage: how pictures are cropped and changed.
        group: of the processes that have a share of each batch.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        vocabulary: Vocabulary,
        plan: Sequence[Sequence[int]],
        source: Source,
        side: int,
        seed: str,
        stage: StageConfig,
        group: Group,
    ) -> None:
        self.examples, self.vocabulary, self.plan = examples, vocabulary, plan
        self.source, self.side, self.group = source, side, group
        self.seed, self.stage = seed, stage

    def __len__(self) -> int:
        return len(self.plan)

    def __getitem__(self, number: int) -> Batch:
        indices = self.plan[number]
        own = [*self.group.share(range(len(indices)))]
        places = own or [0]
        sentences = [
            (picture, torch.tensor(self.vocabulary.encode(sentence)[:_LONGEST]))
            for picture, place in enumerate(places)
            for sentence in self.examples[indices[place]].sentences
        ]
        words = torch.nn.utils.rnn.pad_sequence(
            [encoded for _, encoded in sentences],
            batch_first=True,
            padding_value=Vocabulary.pad,
        )
        picture_of = torch.tensor([picture for picture, _ in sentences])
        return Batch(self._inputs(number, places), words, picture_of, places, spare=not own)

    def _inputs(self, number: int, places: Sequence[int]) -> Tensor:
        indices, seed = self.plan[number], f"{self.seed}/{number}"
        if isinstance(self.source, FeatureCache):
            chance = random.Random(seed)
            views = [chance.randrange(self.source.views) for _ in indices]
            return self.source.get([indices[at] for at in places], [views[at] for at in places])
        squares = []
        for place in places:
            example = self.examples[indices[place]]
            if self.source is not None:
                pixels = self.source.get(indices[place])
            else:
                pixels = open_picture(example.path).pixels
            varied = vary(
                pixels,
                self.side,
                f"{seed}/{place}",
                example.flippable,
                self.stage.smallest_crop,
                self.stage.light,
                self.stage.spoil,
            )
            squares.append(torch.from_numpy(varied))
        return torch.stack(squares)
