"""How well sentences agree with what is expected, against the field's cosine of tf-idf vectors."""

import numpy as np
import pytest
import torch

from core.agreement import agreement
from core.vocabulary import Vocabulary
from training.expect import find_rarity, weigh

WORDS = 12


def vector(sentence: tuple[int, ...], rarity: np.ndarray) -> np.ndarray:
    """Counts of the words, ``<end>`` included, times their rarity, of length 1."""
    counts = np.bincount([*sentence, Vocabulary.end], minlength=WORDS)
    weighted = counts * rarity
    unit: np.ndarray = weighted / np.linalg.norm(weighted)
    return unit


@pytest.mark.parametrize("known", [WORDS, 7])
def test_it_is_the_product_of_unit_vectors(known: int) -> None:
    random = np.random.default_rng(1)
    rarity = random.uniform(0, 5, WORDS).astype(np.float32)
    expected = random.normal(size=known).astype(np.float32)
    sentences = [(4,), (4, 5, 4, 6, 4), (5, 11, 5), (7, 8, 9, 10, 11, 4), (11, 10)]
    found = agreement(sentences, expected, rarity)
    assert found == pytest.approx(
        [vector(sentence, rarity)[:known] @ expected for sentence in sentences], abs=1e-4
    )


def test_a_sentence_agrees_best_with_what_it_made_expected() -> None:
    sentences = [(4, 5, 6), (4, 7, 8, 4), (9,), (10, 11, 5)]
    pictures = [[[*sentence, Vocabulary.end]] for sentence in sentences]
    rarity = find_rarity(pictures, WORDS)
    for number, sentence in enumerate(pictures):
        expected = weigh(sentence, rarity).numpy()
        found = agreement(sentences, expected, rarity.numpy())
        assert found[number] == pytest.approx(1, abs=1e-3)
        assert sorted(found)[-2] < 0.9


def test_words_that_are_everywhere_count_nothing() -> None:
    """Neither do they divide by nothing."""
    rarity = torch.zeros(WORDS).numpy()
    assert agreement([(4, 5)], np.ones(WORDS, np.float32), rarity).tolist() == [0]


def test_words_that_are_none_are_noticed() -> None:
    with pytest.raises(IndexError):
        agreement([(4, WORDS)], np.ones(3, np.float32), np.ones(WORDS, np.float32))
