"""Beam search over a batch of pictures, with the attention of the winning sentence."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.network import Network, Sight, Written
from core.vocabulary import Vocabulary

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
    pictures, gates = sight.inputs.shape
    if pictures == 0:
        return []
    words = np.full((pictures, beam), Vocabulary.start)
    totals = np.full((pictures, beam), -np.inf, np.float32)
    totals[:, 0] = 0  # all beams start alike: only one may spread
    recurrent = np.zeros((pictures, beam, gates), np.float32)
    cell = np.zeros((pictures, beam, gates // 5), np.float32)
    best = np.full(pictures, -np.inf, np.float32)
    done = np.zeros(pictures, bool)
    rows = np.arange(pictures)[:, None]  # (B, 1)
    steps: list[Written] = []
    ends: list[np.ndarray] = []  # what each live beam is worth if it ends here, (B, K)

    for length in range(max_words + 1):
        step = network.write(sight, words, totals, recurrent, cell)
        scores = (totals + step.ends) / (length + 1) ** length_norm
        if length == 0:  # a sentence of no words is no caption
            scores = np.full_like(scores, -np.inf)
        # A picture's own search is over, however long the others of its batch go on.
        scores[done] = -np.inf
        steps.append(step)
        ends.append(scores)
        best = np.maximum(best, scores.max(axis=1))
        # Log-probabilities only fall, and no length divides by more than the longest does.
        done = step.totals[:, 0] / (max_words + 1) ** length_norm <= best
        if length == max_words or done.all():
            break
        words, totals = step.words, step.totals
        recurrent, cell = step.recurrent[rows, step.parents], step.cell[rows, step.parents]

    return [_trace(steps, ends, picture) for picture in range(pictures)]


def _trace(steps: list[Written], ends: list[np.ndarray], picture: int) -> Hypothesis:
    """Follow a picture's best sentences back from their last word to their first."""
    beams = ends[0].shape[1]
    scores = np.concatenate([end[picture] for end in ends])  # (steps * K,)
    finished = int((scores > -math.inf).sum())
    paths: list[list[int]] = []
    written: list[tuple[int, ...]] = []
    winner = None
    order = np.argsort(-scores, kind="stable")[:finished].tolist()
    for at, place in enumerate(order):
        path = _path(steps, picture, *divmod(place, beams))
        paths.append(path)
        written.append(tuple(int(steps[i].words[picture, beam]) for i, beam in enumerate(path)))
        if winner is None and not _repeats(written[at]):
            winner = at
        if winner is not None and at >= RIVALS:
            break
    winner = winner or 0
    rivals = [at for at in range(len(paths)) if at != winner][:RIVALS]
    path, length = paths[winner], len(paths[winner])
    # The beam that each word was added to, and where the last of them ended.
    before = [int(steps[step].parents[picture, beam]) for step, beam in enumerate(path)]
    log_probs = [float(steps[step].log_probs[picture, beam]) for step, beam in enumerate(path)]
    entropies = [float(steps[step].entropies[picture, beam]) for step, beam in enumerate(before)]
    last = steps[length]
    return Hypothesis(
        words=written[winner],
        log_probs=(*log_probs, float(last.ends[picture, path[-1]])),
        entropies=(*entropies, float(last.entropies[picture, path[-1]])),
        regions=np.stack([steps[at].regions[picture, beam] for at, beam in enumerate(before)]),
        sentinel=np.stack([steps[at].sentinel[picture, beam] for at, beam in enumerate(before)]),
        score=float(scores[order[winner]]),
        rivals=tuple(Rival(written[at], float(scores[order[at]])) for at in rivals),
    )


def _repeats(words: Sequence[int]) -> bool:
    """Whether three words in a row stand there twice."""
    phrases = [*zip(words, words[1:], words[2:], strict=False)]
    return len({*phrases}) < len(phrases)


def _path(steps: list[Written], picture: int, length: int, beam: int) -> list[int]:
    """The beam of each word of a sentence of so many, from the beam of its last."""
    path: list[int] = []
    for step in reversed(steps[:length]):
        path.append(beam)
        beam = int(step.parents[picture, beam])
    return path[::-1]
