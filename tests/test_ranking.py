"""Sentences ranked by what they earn."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import nn

import training.ranking
from core.agreement import agreement
from core.search import Hypothesis, Rival
from training.ranking import Contest, contest, rank, risk, together

WORDS, KNOWN = 9, 7
RARITY = np.linspace(0.5, 3, WORDS).astype(np.float32)
SENTENCES = [(4, 5), (6,), (4, 8, 4, 5), (7, 6, 5)]


def hypothesis(sentences: Sequence[tuple[int, ...]], scores: Sequence[float]) -> Hypothesis:
    """What a search found, the first sentence being the winner."""
    rivals = tuple(map(Rival, sentences[1:], scores[1:]))
    nothing = np.zeros((len(sentences[0]), 1))
    return Hypothesis(sentences[0], (), (), nothing, nothing[:, 0], scores[0], rivals)


def contests(pictures: int, earned: np.ndarray) -> list[Contest]:
    scores = [-0.5, -0.6, -0.8, -1.0]
    found = hypothesis(SENTENCES, scores)
    return [contest(found, row, RARITY, KNOWN) for row in earned[:pictures].tolist()]


def test_the_risk_is_minus_what_is_earned_by_chance() -> None:
    random = np.random.default_rng(1)
    earned = random.uniform(0, 3, (5, len(SENTENCES)))
    expected = random.normal(size=(5, KNOWN)).astype(np.float32)
    chances = []
    for row in expected:
        scores = np.array([-0.5, -0.6, -0.8, -1.0]) + agreement(SENTENCES, row, RARITY)
        weights = np.exp(scores / training.ranking._TEMPERATURE)
        chances.append(weights / weights.sum())
    found = risk(torch.from_numpy(expected), together(contests(5, earned)))
    assert float(found) == pytest.approx(-(np.array(chances) * earned).sum(axis=1).mean(), rel=1e-4)


def test_pictures_with_fewer_and_shorter_sentences_count_as_alone() -> None:
    long = hypothesis(SENTENCES, [-0.5, -0.6, -0.8, -1.0])
    short = hypothesis([(6,), (5,)], [-0.7, -0.4])
    both = [
        contest(long, [0.0, 1, 2, 3], RARITY, KNOWN),
        contest(short, [3.0, 1], RARITY, KNOWN),
    ]
    expected = torch.randn(2, KNOWN, generator=torch.Generator().manual_seed(2))
    alone = [
        risk(row.unsqueeze(0), together([one])) for row, one in zip(expected, both, strict=True)
    ]
    found = risk(expected, together(both))
    assert float(found) == pytest.approx(float(sum(alone)) / 2, rel=1e-5)


def test_what_earns_most_comes_to_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training.ranking, "_RUNS", 2)
    monkeypatch.setattr(training.ranking, "_EPOCHS", 150)
    monkeypatch.setattr(training.ranking, "_LEARNING_RATE", 0.03)
    torch.manual_seed(1)
    kinds = torch.arange(40) % len(SENTENCES)
    features = nn.functional.one_hot(kinds).float() + 0.1 * torch.randn(40, len(SENTENCES))
    earned = nn.functional.one_hot(kinds).numpy() * 2.0
    linear = nn.Linear(len(SENTENCES), KNOWN)
    nn.init.zeros_(linear.weight)
    nn.init.zeros_(linear.bias)

    def won() -> list[int]:
        expected = linear(features).detach().numpy()
        scores = np.array([-0.5, -0.6, -0.8, -1.0])
        return [int((scores + agreement(SENTENCES, row, RARITY)).argmax()) for row in expected]

    assert set(won()) == {0}
    rank(linear, features, contests(40, earned))
    assert won() == kinds.tolist()
