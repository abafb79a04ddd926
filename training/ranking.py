"""Teaches an expectation to rank a search's sentences by what they earn.

Minimum risk training (Smith and Eisner, 2006; Shen et al., 2016) of the expectation alone: what the
sentence that wins is likely to earn, over the sentences that the search finishes for pictures of
``train``, is to be as much as possible.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from core.agreement import weigh_words
from core.search import Hypothesis

_BATCH = 64
_LEARNING_RATE = 1e-4
# The others were chosen on val.
_EPOCHS = 3
_DROPOUT = 0.3  # of the features
_TEMPERATURE = 0.25  # of the scores


@dataclass(frozen=True)
class Contest:
    """The sentences that a search finished for a picture.

    Attributes:
        words: (S, T) indices.
        counts: (S, T) what each of these counts in its sentence.
        likelihoods: (S,) scores by the search alone.
        earned: (S,) by each.
    """

    words: Tensor
    counts: Tensor
    likelihoods: Tensor
    earned: Tensor


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


def rank(linear: nn.Linear, features: Tensor, contests: Sequence[Contest]) -> None:
    """Train the layer of an expectation.

    Args:
        linear: that makes of features how far each word is expected; changed.
        features: (pictures, features) standardised.
        contests: one of each picture.
    """
    steps = _EPOCHS * -(-len(contests) // _BATCH)
    optimizer = torch.optim.Adam(linear.parameters(), _LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 1 / steps, steps)
    with tqdm(total=steps, unit="step") as bar:
        for _ in range(_EPOCHS):
            for batch in torch.randperm(len(contests)).split(_BATCH):
                shown = F.dropout(features[batch], _DROPOUT)
                loss = risk(linear(shown), [contests[picture] for picture in batch.tolist()])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                bar.update()


def risk(expected: Tensor, contests: Sequence[Contest]) -> Tensor:
    """Minus the mean of what a sentence earns that is drawn by the scores.

    Args:
        expected: (B, words) of each picture.
        contests: one of each.
    """
    rows = []
    for hopes, one in zip(expected, contests, strict=True):
        scores = one.likelihoods + (one.counts * hopes[one.words]).sum(dim=1)  # (S,)
        rows.append((scores / _TEMPERATURE).softmax(dim=0) @ one.earned)
    return -torch.stack(rows).mean()
