"""Beam search over a batch of pictures, with the attention of the winning sentence."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np

from core.agreement import agreement
from core.network import Network, Sight, Steps

# Divides a sentence's log-probability by length ** LENGTH_NORM; chosen on the val splits.
LENGTH_NORM = 0.7
MAX_WORDS = 20
# Finished sentences besides the winner that are kept where nothing else is asked.
RIVALS = 7


@dataclass(frozen=True)
class Rival:
    """A finished sentence that did not win.

    Attributes:
        words: indices, without ``<start>`` and ``<end>``.
        score, expected: as of `Hypothesis`.
    """

    words: tuple[int, ...]
    score: float
    expected: float = 0.0


@dataclass(frozen=True)
class Hypothesis:
    """A finished sentence and how it came about.

    Attributes:
        words: indices, without ``<start>`` and ``<end>``.
        log_probs: of each word and, last, of ``<end>``.
        entropies: in nats, of what might have stood in place of each word and, last, of ``<end>``.
        regions: (words, regions) attention to each region, for each word.
        sentinel: (words,) how much each word was expected rather than seen, 0 to 1.
        score: normalised log-probability, and its agreement with what was expected.
        rivals: other finished sentences, the best first.
        expected: this agreement alone; 0 where the model does not tell what to expect.
    """

    words: tuple[int, ...]
    log_probs: tuple[float, ...]
    entropies: tuple[float, ...]
    regions: np.ndarray
    sentinel: np.ndarray
    score: float
    rivals: tuple[Rival, ...]
    expected: float = 0.0


def beam_search(
    network: Network,
    sight: Sight,
    beam: int = 3,
    max_words: int = MAX_WORDS,
    length_norm: float = LENGTH_NORM,
    rivals: int | None = RIVALS,
) -> list[Hypothesis]:
    """The best sentence of each picture.

    ``beam`` unfinished sentences are kept for each picture; every step extends each by every word
    and keeps the best. Sentences that end are set aside under their log-probability divided by
    ``length ** length_norm`` (the length counts ``<end>``); the search stops when no unfinished
    sentence can overtake the best of these. Where the model tells what words are to be expected of
    the picture, the `agreement` with these is added (as Fang et al., CVPR 2015, rank their
    sentences by more than their likelihood). The best wins, or if it says three words twice ("a man
    in a red shirt in a red shirt"), the best that does not. ``<unk>`` and a word straight after
    itself are never written.

    Args:
        network: that saw the pictures.
        sight: of the pictures.
        beam: number of unfinished sentences kept, at least 1.
        max_words: longest sentence, ``<end>`` not counted.
        length_norm: 0 picks the most probable sentence, larger values favour longer ones.
        rivals: finished sentences besides the winner that are kept at most; None keeps all.
    """
    if len(sight.inputs) == 0:
        return []
    steps = network.search(sight, beam, max_words, length_norm)
    return [
        _trace(steps, picture, expected, network.rarity, rivals)
        for picture, expected in enumerate(sight.expected)
    ]


def _trace(
    steps: Steps, picture: int, expected: np.ndarray, rarity: np.ndarray | None, most: int | None
) -> Hypothesis:
    """Follow a picture's sentences from their first word, and let the best one win."""
    written, paths, scores = _finished(steps, picture)
    agreed = np.zeros_like(scores)
    if rarity is not None:
        agreed = agreement(written, expected, rarity)
        scores = scores + agreed
    order = np.argsort(-scores, kind="stable").tolist()
    winner = next((at for at in order if not _repeats(written[at])), order[0])
    rivals = [at for at in order if at != winner][:most]
    path, length = paths[winner], len(paths[winner])
    # The beam that each word was added to, and last the one that ended.
    before = [*(int(steps.parents[i, picture, beam]) for i, beam in enumerate(path)), path[-1]]
    return Hypothesis(
        words=written[winner],
        log_probs=(
            *steps.log_probs[range(length), picture, path].tolist(),
            float(steps.ends[length, picture, path[-1]]),
        ),
        entropies=tuple(steps.entropies[range(length + 1), picture, before].tolist()),
        regions=steps.regions[range(length), picture, before[:-1]],
        sentinel=steps.sentinel[range(length), picture, before[:-1]],
        score=float(scores[winner]),
        rivals=tuple(Rival(written[at], float(scores[at]), float(agreed[at])) for at in rivals),
        expected=float(agreed[winner]),
    )


def _repeats(words: Sequence[int]) -> bool:
    """Whether three words in a row stand there twice."""
    phrases = [*zip(words, words[1:], words[2:], strict=False)]
    return len({*phrases}) < len(phrases)


def _finished(
    steps: Steps, picture: int
) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]], np.ndarray]:
    """Of each sentence that ended, its words and the beam of each; and their scores, (S,)."""
    scores = steps.scores[:, picture]  # (T, K)
    ended = scores > -math.inf
    nothing: tuple[int, ...] = ()
    live = [(nothing, nothing)] * scores.shape[1]
    finished: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
    # In lists: to look into an array takes longer than all that is done here.
    each = (array.tolist() for array in (ended, steps.parents[:, picture], steps.words[:, picture]))
    for ends, parents, words in zip(*each, strict=True):
        finished += compress(live, ends)
        live = [
            ((*live[parent][0], word), (*live[parent][1], beam))
            for beam, (parent, word) in enumerate(zip(parents, words, strict=True))
        ]
    return [words for words, _ in finished], [path for _, path in finished], scores[ended]
