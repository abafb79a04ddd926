"""Self-critical training: the reward is CIDEr, and what earns more becomes more probable."""

from itertools import pairwise

import pytest
import torch

from core.model import Decoder
from core.model_config import ModelConfig
from core.vocabulary import Vocabulary
from training.critic import (
    CiderReward,
    advantages,
    cost_of_repeating,
    sample_sentences,
    strip,
)

pytest.importorskip("pycocoevalcap")

END = Vocabulary.end
LONGEST = 21
TRUTH = [[[5, 6, 7, END], [5, 6, 8, END]], [[9, 10, 11, END]], [[12, 5, 13, 14, END]]]


def test_the_reward_is_cider_over_the_training_sentences() -> None:
    from pycocoevalcap.cider.cider import Cider

    written = [[5, 6, 7, END], [9, 11, END], [4, END]]

    def text(words: list[int]) -> str:
        return " ".join(map(str, words))

    references = {number: [text(words) for words in group] for number, group in enumerate(TRUTH)}
    results = {number: [text(words)] for number, words in enumerate(written)}
    _, expected = Cider().compute_score(references, results)
    reward = CiderReward(TRUTH)
    assert reward.score(written, TRUTH) == pytest.approx(list(expected))
    # A few of the pictures at a time are scored by the frequencies of all.
    assert reward.score(written[:1], TRUTH[:1]) == pytest.approx([expected[0]])


def test_a_sentence_that_breaks_off_earns_less() -> None:
    whole, broken = CiderReward(TRUTH).score([[5, 6, 7, END], [5, 6, 7]], [TRUTH[0], TRUTH[0]])
    assert broken < whole


def test_the_baseline_is_the_mean_of_the_others() -> None:
    result = advantages(torch.tensor([[1.0, 2.0, 6.0], [3.0, 3.0, 3.0]]))
    assert result.tolist() == [[-3.0, -1.5, 4.5], [0.0, 0.0, 0.0]]


def test_saying_a_phrase_again_costs() -> None:
    a, man, in_, red, shirt, end = 10, 11, 12, 13, 14, END
    assert cost_of_repeating([a, man, in_, a, red, shirt, end]) == 0
    once = cost_of_repeating([a, man, in_, a, red, shirt, a, red, shirt, end])
    twice = cost_of_repeating([a, man, in_, a, red, shirt, in_, a, red, shirt, end])
    assert 0 < once < twice
    assert cost_of_repeating([end]) == 0


def test_samples_are_sentences() -> None:
    torch.manual_seed(1)
    decoder = Decoder(6, ModelConfig(16, hidden=8, heads=2)).eval()
    scene = decoder.look_at(torch.randn(2, 4, 6))
    drawn = sample_sentences(decoder, scene, torch.rand(100, LONGEST))
    assert (drawn[:, 0] == Vocabulary.start).all()
    for words in drawn.tolist():
        inner = strip(words)
        assert Vocabulary.unknown not in inner
        assert inner.count(END) <= 1
        if END in inner:
            assert inner[-1] == END
            assert set(words[words.index(END) + 1 :]) <= {Vocabulary.pad}
        assert all(one != next_one for one, next_one in pairwise(inner))


def test_a_sentence_is_drawn_alike_in_whatever_company() -> None:
    torch.manual_seed(3)
    decoder = Decoder(6, ModelConfig(16, hidden=8, heads=2)).eval()
    scene, chances = decoder.look_at(torch.randn(6, 4, 6)), torch.rand(6, LONGEST)
    together = sample_sentences(decoder, scene, chances)
    for picture in range(6):
        only = torch.tensor([picture])
        alone = sample_sentences(decoder, scene.select(only), chances[only])
        assert strip(alone[0].tolist()) == strip(together[picture].tolist())


def test_samples_follow_the_probabilities() -> None:
    torch.manual_seed(2)
    decoder = Decoder(6, ModelConfig(16, hidden=8, heads=2)).eval()
    scene = decoder.look_at(torch.randn(1, 4, 6))
    first = sample_sentences(decoder, scene, torch.rand(4000, LONGEST))[:, 1]
    logits = decoder(scene, torch.full((4000, 1), Vocabulary.start))[0][0, 0].detach()
    logits[[Vocabulary.pad, Vocabulary.start, Vocabulary.unknown]] = -torch.inf
    expected = logits.softmax(dim=0)
    found = torch.bincount(first, minlength=16) / 4000
    assert (found - expected).abs().max() < 0.04
