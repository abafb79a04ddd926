"""Beam search over a batch of pictures, with the attention of the winning sentence."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.network import Network, Sight, Steps

# Divides a sentence's log-probability by length ** LENGTH_NORM; chosen on the val splits.
LENGTH_NORM = 0.7
MAX_WORDS = 20
# Finished sentences besides the winner that are kept, the best ones.
RIVALS = 7


@dataclass(frozen=True)
class Rival:
    """A finished sentence that did not win.

    Attributes:
        words: indices, without ``<start>`` and ``<end>``.
        score: normalised log-probability.
    """

    words: tuple[int, ...]
    score: float


@dataclass(frozen=True)
class Hypothesis:
    """A finished sentence and how it came about.

    Attributes:
        words: indices, without ``<start>`` and ``<end>``.
        log_probs: of each word and, last, of ``<end>``.
        entropies: in nats, of what might have stood in place of each word and, last, of ``<end>``.
        regions: (words, regions) attention to each region, for each word.
        sentinel: (words,) how much each word was expected rather than seen, 0 to 1.
        score: normalised log-probability.
        rivals: up to `RIVALS` other finished sentences, the best first.
    """

    words: tuple[int, ...]
    log_probs: tuple[float, ...]
    entropies: tuple[float, ...]
    regions: np.ndarray
    sentinel: np.ndarray
    score: float
    rivals: tuple[Rival, ...]


def beam_search(
    network: Network,
    sight: Sight,
    beam: int = 3,
    max_words: int = MAX_WORDS,
    length_norm: float = LENGTH_NORM,
) -> list[Hypothesis]:
    """The best sentence of each picture.

    ``beam`` unfinished sentences are kept for each picture; every step extends each by every word
    and keeps the best. Sentences that end are set aside under their log-probability divided by
    ``length ** length_norm`` (the length counts ``<end>``); the search stops when no unfinished
    sentence can overtake the best of these. It wins, or if it says three words twice ("a man in a
    red shirt in a red shirt"), the best that does not. ``<unk>`` and a word straight after itself
    are never written.

    Args:
        network: that saw the pictures.
        sight: of the pictures.
        beam: number of unfinished sentences kept, at least 1.
        max_words: longest sentence, ``<end>`` not counted.
        length_norm: 0 picks the most probable sentence, larger values favour longer ones.
    """
    pictures = len(sight.inputs)
    if pictures == 0:
        return []
    steps = network.search(sight, beam, max_words, length_norm)
    return [_trace(steps, picture) for picture in range(pictures)]


def _trace(steps: Steps, picture: int) -> Hypothesis:
    """Follow a picture's best sentences back from their last word to their first."""
    beams = steps.scores.shape[2]
    scores = steps.scores[:, picture].ravel()  # (T * K,)
    finished = int((scores > -math.inf).sum())
    paths: list[list[int]] = []
    written: list[tuple[int, ...]] = []
    winner = None
    order = np.argsort(-scores, kind="stable")[:finished].tolist()
    for at, place in enumerate(order):
        path = _path(steps, picture, *divmod(place, beams))
        paths.append(path)
        written.append(tuple(int(steps.words[i, picture, beam]) for i, beam in enumerate(path)))
        if winner is None and not _repeats(written[at]):
            winner = at
        if winner is not None and at >= RIVALS:
            break
    winner = winner or 0
    rivals = [at for at in range(len(paths)) if at != winner][:RIVALS]
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
        score=float(scores[order[winner]]),
        rivals=tuple(Rival(written[at], float(scores[order[at]])) for at in rivals),
    )


def _repeats(words: Sequence[int]) -> bool:
    """Whether three words in a row stand there twice."""
    phrases = [*zip(words, words[1:], words[2:], strict=False)]
    return len({*phrases}) < len(phrases)


def _path(steps: Steps, picture: int, length: int, beam: int) -> list[int]:
    """The beam of each word of a sentence of so many, from the beam of its last."""
    path: list[int] = []
    for parents in steps.parents[:length, picture][::-1].tolist():  # (K,) each
        path.append(beam)
        beam = parents[beam]
    return path[::-1]
