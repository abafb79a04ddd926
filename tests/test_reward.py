"""What a drawn sentence earns: CIDEr-D, and what else a recipe counts."""

import pytest

pytest.importorskip("pycocoevalcap")

from core.vocabulary import SPECIALS, Vocabulary
from training.critic import CiderReward
from training.reward import Reward
from training.scores import has_java

VOCABULARY = Vocabulary([*SPECIALS, "a", "dog", "runs", "on", "grass", "dogs", "running", "hound"])


def indices(sentence: str) -> list[int]:
    return VOCABULARY.encode(sentence)[1:]


TRUTH = [[indices("A dog runs on grass")], [indices("A running hound")]]
WRITTEN = [indices("A dog runs on grass"), indices("A running dog runs")]


def test_bleu_counts_by_its_weight() -> None:
    cider = CiderReward(TRUTH).score(WRITTEN, TRUTH)
    earned = Reward(TRUTH, VOCABULARY, bleu=2).score(WRITTEN, TRUTH)
    assert earned[0] == pytest.approx(cider[0] + 2)  # word for word: BLEU-4 is 1
    assert cider[1] <= earned[1] < cider[1] + 0.5


@pytest.mark.skipif(not has_java(), reason="METEOR needs Java")
def test_meteor_knows_words_of_the_same_stem() -> None:
    written = [indices("A dogs runs on grass"), indices("")]
    cider = CiderReward(TRUTH).score(written, TRUTH)
    earned = Reward(TRUTH, VOCABULARY, meteor=2).score(written, TRUTH)
    assert cider[0] + 1.5 < earned[0] < cider[0] + 2
    assert earned[1] == cider[1] == 0


def test_repeating_costs_whatever_counts() -> None:
    plain, again = (
        Reward(TRUTH, VOCABULARY, bleu=1).score([indices(sentence)], TRUTH[:1])[0]
        for sentence in ("A dog runs on grass", "A dog runs on grass a dog runs on grass")
    )
    assert again < plain - 0.3
