"""Self-critical training: the decoder samples sentences and learns from their CIDEr.

Rennie et al., "Self-critical Sequence Training for Image Captioning" (CVPR 2017); the baseline of a
sentence is the mean reward of the others sampled for its picture (Luo, "A Better Variant of
Self-Critical Sequence Training", 2020), which needs no search.
"""

from collections.abc import Iterable, Sequence
from math import log

import torch
from pycocoevalcap.cider.cider_scorer import CiderScorer, precook
from torch import Tensor

from core.model import Decoder, Scene
from core.vocabulary import Vocabulary


class CiderReward:
    """CIDEr-D (Vedantam et al., 2015) with the document frequencies of the training sentences.

    ``<end>`` counts as a word, so that a sentence that breaks off earns less.

    Args:
        pictures: for each training picture, its sentences as indices that end with ``<end>``.
    """

    def __init__(self, pictures: Iterable[Sequence[Sequence[int]]]) -> None:
        self._frequency = _Counts()
        count = 0
        for sentences in pictures:
            count += 1
            for ngram in {ngram for words in sentences for ngram in precook(as_text(words))}:
                self._frequency[ngram] += 1
        self._log_count = log(count)

    def score(
        self, written: Sequence[Sequence[int]], references: Sequence[Sequence[Sequence[int]]]
    ) -> list[float]:
        """CIDEr-D of each sentence against its references, 0 to 10.

        Args:
            written: sentences as indices, ``<end>`` included.
            references: for each of them, people's sentences in the same form.
        """
        scorer = _FixedCorpus()
        scorer.document_frequency, scorer.log_count = self._frequency, self._log_count
        for words, truth in zip(written, references, strict=True):
            scorer += (as_text(words), [as_text(sentence) for sentence in truth])
        return [float(value) for value in scorer.compute_cider()]


class _Counts(dict[tuple[str, ...], float]):
    """Zero for what was never counted, without keeping it: samples hold millions of new n-grams."""

    def __missing__(self, ngram: tuple[str, ...]) -> float:
        return 0.0


class _FixedCorpus(CiderScorer):  # type: ignore[misc]
    """Takes the size of the corpus from outside, not from the sentences at hand."""

    log_count = 0.0

    @property
    def ref_len(self) -> float:
        return self.log_count

    @ref_len.setter
    def ref_len(self, value: float) -> None:
        pass


def as_text(words: Sequence[int]) -> str:
    """Indices as the words of a scorer."""
    return " ".join(map(str, words))


# Label smoothing leaves much probability to words that do not fit: drawn as they are, sentences
# are far worse than those that the search finds, and learning first makes them shorter. A sharper
# policy draws sentences like those of the search.
TEMPERATURE = 0.6


@torch.no_grad()
def sample_sentences(decoder: Decoder, scene: Scene, chances: Tensor) -> Tensor:
    """Sentences drawn word by word from the decoder's probabilities, sharpened by `TEMPERATURE`.

    As in the search, the special words and a word straight after itself are never drawn.

    Args:
        decoder: without dropout.
        scene: one entry for each sentence, or for as many sentences in a row.
        chances: (sentences, longest) random numbers from 0 to below 1, one for each word.

    Returns:
        (sentences, length) indices with ``<start>`` and ``<end>``, padded at the end; a sentence of
        the greatest length has no ``<end>``.
    """
    count, device = len(chances), chances.device
    words = torch.full((count, 1), Vocabulary.start, device=device)
    ended = torch.zeros(count, dtype=torch.bool, device=device)
    state = None
    for chance in chances.split(1, dim=1):  # (S, 1)
        logits, _, state = decoder(scene, words[:, -1:], state)
        scores = logits[:, -1].float() / TEMPERATURE  # (S, V)
        scores[:, [Vocabulary.pad, Vocabulary.start, Vocabulary.unknown]] = -torch.inf
        scores.scatter_(1, words[:, -1:], -torch.inf)
        reached = scores.softmax(dim=1).cumsum(dim=1)  # (S, V)
        drawn = torch.searchsorted(reached, chance * reached[:, -1:], right=True)  # (S, 1)
        drawn = drawn.clamp(max=scores.shape[1] - 1)  # a chance of nearly 1 may be rounded up
        drawn[ended] = Vocabulary.pad
        words = torch.cat([words, drawn], dim=1)
        ended |= drawn.squeeze(1) == Vocabulary.end
        if bool(ended.all()):
            break
    return words


# CIDEr hardly minds "a man in a red shirt in a red shirt"; whoever hears it does.
_COST_OF_REPEATING = 0.3


def cost_of_repeating(words: Sequence[int]) -> float:
    """What a sentence's reward loses for every three words that it has said before."""
    phrases = [*zip(words, words[1:], words[2:], strict=False)]
    return _COST_OF_REPEATING * (len(phrases) - len({*phrases}))


def strip(words: Sequence[int]) -> list[int]:
    """A sentence's indices without ``<start>`` and padding."""
    return [word for word in words if word not in (Vocabulary.start, Vocabulary.pad)]


def advantages(rewards: Tensor) -> Tensor:
    """How much better each sentence is than the others of its picture.

    Args:
        rewards: (pictures, samples), at least two samples.
    """
    others = (rewards.sum(dim=1, keepdim=True) - rewards) / (rewards.shape[1] - 1)
    return rewards - others
