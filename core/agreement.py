"""How well sentences agree with the words that a picture lets expect."""

from collections.abc import Sequence

import numpy as np

from core.vocabulary import Vocabulary

_LEAST = 1e-6  # so that the length of a sentence of common words divides


def agreement(
    sentences: Sequence[Sequence[int]], expected: np.ndarray, rarity: np.ndarray
) -> np.ndarray:
    """How far sentences are expected: the sum over their words, each by what it counts there.

    Args:
        sentences: words of each as indices, without ``<start>`` and ``<end>``.
        expected: (words,) how far each of the first words of the vocabulary is expected.
        rarity: (vocabulary,) inverse document frequency of every word.

    Returns:
        (sentences,) float32.

    Raises:
        IndexError: if a word is not in the vocabulary.
    """
    words, counts = weigh_words(sentences, rarity)
    hopes = np.zeros(len(rarity), np.float32)
    hopes[: len(expected)] = expected
    total: np.ndarray = (counts * hopes[words]).sum(axis=1)
    return total


def weigh_words(
    sentences: Sequence[Sequence[int]], rarity: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What each word counts in its sentence.

    A sentence is a vector of the field's tf-idf weights, of length 1: it is not expected the more
    for saying more. ``<end>``, which ends it, counts as a word.

    Args:
        sentences, rarity: as of `agreement`.

    Returns:
        Words, ``<end>`` last, (sentences, longest + 1), and of each, what it counts.
    """
    lengths = np.array([len(words) + 1 for words in sentences])
    words = np.full((len(lengths), lengths.max()), Vocabulary.end)  # (S, T)
    for row, sentence in enumerate(sentences):
        words[row, : len(sentence)] = sentence
    there = np.arange(words.shape[1]) < lengths[:, None]
    counts = np.where(there, rarity[words], 0)
    # A word that stands there twice counts twice, and so in the length twice with each time.
    times = ((words[:, :, None] == words[:, None, :]) & there[:, None, :]).sum(axis=2)
    length = np.sqrt((counts**2 * times).sum(axis=1, keepdims=True))
    return words, (counts / (length + _LEAST)).astype(np.float32)
