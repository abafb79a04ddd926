"""Teaches an expectation to rank a search's sentences by what they earn.

Minimum risk training (Smith and Eisner, 2006; Shen et al., 2016) of the expectation alone: what the
sentence that wins is likely to earn, over the sentences that the search finishes for pictures of
``train``, is to be as much as possible.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from core.agreement import weigh_words
from core.search import Hypothesis

_BATCH = 64
_LEARNING_RATE = 1e-4
# The others were chosen on val.
_RUNS = 16
_EPOCHS = 3
_DROPOUT = 0.3  # of the features
_TEMPERATURE = 0.25  # of the scores


@dataclass(frozen=True)
class Contest:
    """The sentences that a search finished for a picture; or, with (B,) before all, for several.

    Attributes:
        words: (S, T) indices.
        counts: (S, T) what each of these counts in its sentence.
        likelihoods: (S,) scores by the search alone; minus infinity where there is no sentence.
        earned: (S,) by each.
    """

    words: Tensor
    counts: Tensor
    likelihoods: Tensor
    earned: Tensor

    def of(self, pictures: Tensor) -> "Contest":
        """Those of some of several pictures, by their places."""
        return Contest(*(tensor[pictures] for tensor in vars(self).values()))


def contest(found: Hypothesis, earned: Sequence[float], rarity: np.ndarray, known: int) -> Contest:
    """A picture's contest.

    Args:
        found: by a search that expects nothing, with all rivals.
        earned: by the winner and each rival.
        rarity: (vocabulary,) as of `weigh_words`.
        known: number of words that the expectation tells of.
    """
    words, counts = weigh_words([found.words, *(rival.words for rival in found.rivals)], rarity)
    likelihoods = [found.score, *(rival.score for rival in found.rivals)]
    unknown = words >= known
    return Contest(
        torch.from_numpy(np.where(unknown, 0, words)),
        torch.from_numpy(np.where(unknown, 0, counts)),
        torch.tensor(likelihoods),
        torch.tensor(earned),
    )


def together(contests: Sequence[Contest]) -> Contest:
    """The contests of several pictures in one."""
    most = max(len(one.words) for one in contests)
    longest = max(one.words.shape[1] for one in contests)

    def stack(name: str, empty: float = 0.0) -> Tensor:
        tensors = [getattr(one, name) for one in contests]
        size = (most, longest)[: tensors[0].dim()]
        made = tensors[0].new_full((len(tensors), *size), empty)
        for row, tensor in zip(made, tensors, strict=True):
            row[tuple(map(slice, tensor.shape))] = tensor
        return made

    return Contest(
        stack("words"), stack("counts"), stack("likelihoods", -torch.inf), stack("earned")
    )


def rank(linear: nn.Linear, features: Tensor, contests: Sequence[Contest]) -> None:
    """Train the layer of an expectation.

    Some runs from the same start, each with what it draws, end in layers whose mean ranks better
    than they do (as Breiman, "Bagging predictors", 1996, has it of predictors in general).

    Args:
        linear: that makes of features how far each word is expected; changed.
        features: (pictures, features) standardised.
        contests: one of each picture.
    """
    mean = AveragedModel(linear)
    shown = together(contests)
    steps = _EPOCHS * -(-len(contests) // _BATCH)
    with tqdm(total=_RUNS * steps, unit="step") as bar:
        for _ in range(_RUNS):
            run = deepcopy(linear)
            optimizer = torch.optim.Adam(run.parameters(), _LEARNING_RATE)
            schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 1 / steps, steps)
            for _ in range(_EPOCHS):
                for batch in torch.randperm(len(contests)).split(_BATCH):
                    loss = risk(run(F.dropout(features[batch], _DROPOUT)), shown.of(batch))
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    schedule.step()
                    bar.update()
            mean.update_parameters(run)
    linear.load_state_dict(mean.module.state_dict())


def risk(expected: Tensor, contest: Contest) -> Tensor:
    """Minus the mean of what a sentence earns that is drawn by the scores.

    Args:
        expected: (B, words) of each picture.
        contest: of as many pictures.
    """
    hopes = expected.gather(1, contest.words.flatten(1)).view_as(contest.counts)
    scores = contest.likelihoods + (contest.counts * hopes).sum(dim=2)  # (B, S)
    chances = (scores / _TEMPERATURE).softmax(dim=1)
    return -(chances * contest.earned).sum(dim=1).mean()
