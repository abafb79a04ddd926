"""Beam search over a batch of pictures, with the attention of the winning sentence."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from core.model import Decoder, Scene
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
        score: normalised log-probability, at most the winner's.
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
        score: normalised log-probability that won the search.
        rivals: up to `RIVALS` other finished sentences, the best first.
    """

    words: tuple[int, ...]
    log_probs: tuple[float, ...]
    entropies: tuple[float, ...]
    regions: Tensor
    sentinel: Tensor
    score: float
    rivals: tuple[Rival, ...]


@dataclass(frozen=True)
class _Step:
    """One word for each live beam; all tensors (pictures, beam), maps besides."""

    words: Tensor
    parents: Tensor
    log_probs: Tensor
    regions: Tensor  # (pictures, beam, regions)
    sentinel: Tensor


@dataclass(frozen=True)
class _Ends:
    """What each live beam is worth if it ends here; all tensors (pictures, beam)."""

    scores: Tensor  # -inf where that is no sentence
    log_probs: Tensor  # of ``<end>``
    entropies: Tensor  # in nats, of the word that follows


@torch.inference_mode()
def beam_search(
    decoder: Decoder,
    scene: Scene,
    beam: int = 3,
    max_words: int = MAX_WORDS,
    length_norm: float = LENGTH_NORM,
) -> list[Hypothesis]:
    """The best sentence of each picture.

    ``beam`` unfinished sentences are kept for each picture; every step extends each by every word
    and keeps the best. Sentences that end are set aside under their log-probability divided by
    ``length ** length_norm`` (the length counts ``<end>``), and the best of these wins; the search
    stops when no unfinished sentence can overtake it. ``<unk>`` and a word straight after itself
    are never written.

    Args:
        decoder: in evaluation mode.
        scene: of the pictures.
        beam: number of unfinished sentences kept, at least 1.
        max_words: longest sentence, ``<end>`` not counted.
        length_norm: 0 picks the most probable sentence, larger values favour longer ones.
    """
    pictures, device = scene.summary.shape[0], scene.summary.device
    if pictures == 0:
        return []
    repeated = scene.repeat(beam)
    words = torch.full((pictures, beam), Vocabulary.start, device=device)
    totals = torch.full((pictures, beam), -torch.inf, device=device)
    totals[:, 0] = 0  # all beams start alike: only one may spread
    best = torch.full((pictures,), -torch.inf, device=device)
    done = torch.zeros(pictures, dtype=torch.bool, device=device)
    first_row = torch.arange(pictures, device=device).unsqueeze(1) * beam  # (B, 1)
    steps: list[_Step] = []
    ends: list[_Ends] = []
    state = None

    for length in range(max_words + 1):
        logits, look, state = decoder(repeated, words.view(-1, 1), state)
        log_probs = logits[:, -1].float().log_softmax(dim=1).view(pictures, beam, -1)  # (B, K, V)

        end = log_probs[..., Vocabulary.end]
        scores = (totals + end) / (length + 1) ** length_norm
        if length == 0:  # a sentence of no words is no caption
            scores = torch.full_like(scores, -torch.inf)
        # A picture's own search is over, however long the others of its batch go on.
        scores = scores.masked_fill(done.unsqueeze(1), -torch.inf)
        ends.append(_Ends(scores, end, -(log_probs.exp() * log_probs).sum(dim=2)))
        best = torch.maximum(best, scores.amax(dim=1))
        if length == max_words:
            break

        allowed = log_probs.clone()
        allowed[..., : Vocabulary.unknown + 1] = -torch.inf  # the four special words
        allowed.scatter_(2, words.unsqueeze(2), -torch.inf)
        candidates = (totals.unsqueeze(2) + allowed).flatten(1)  # (B, K * V)
        totals, index = candidates.topk(beam, dim=1)  # (B, K)
        vocabulary_size = log_probs.shape[2]
        parents, words = index // vocabulary_size, index % vocabulary_size
        chosen = (first_row + parents).flatten()  # (B * K,)
        state = (state[0][:, chosen], state[1][:, chosen])
        steps.append(
            _Step(
                words=words,
                parents=parents,
                log_probs=log_probs.flatten(1).gather(1, index),
                regions=look.regions[chosen, -1].view(pictures, beam, -1),
                sentinel=look.sentinel[chosen, -1].view(pictures, beam),
            )
        )
        # Log-probabilities only fall, and no length divides by more than the longest does.
        done = totals[:, 0] / (max_words + 1) ** length_norm <= best
        if bool(done.all()):
            break

    return _trace(steps, ends)


@torch.inference_mode()
def blind_log_probs(
    decoder: Decoder, scene: Scene, hypotheses: Sequence[Hypothesis]
) -> list[tuple[float, ...]]:
    """How probable each sentence would be with nothing to see, all at once by teacher forcing.

    Args:
        decoder: in evaluation mode.
        scene: of any pictures with as many regions, of which only the shape is used.
        hypotheses: sentences that the decoder wrote.

    Returns:
        For each of them, the log-probability of each word and, last, of ``<end>``.
    """
    if not hypotheses:
        return []
    device = scene.summary.device
    sentences = [torch.tensor([Vocabulary.start, *one.words]) for one in hypotheses]
    given = pad_sequence(sentences, batch_first=True, padding_value=Vocabulary.pad)  # (S, T)
    following = torch.full_like(given, Vocabulary.end)
    following[:, :-1] = given[:, 1:].where(given[:, 1:] != Vocabulary.pad, Vocabulary.end)
    nothing = Scene.nothing(scene.summary, *scene.values.shape[1:]).repeat(len(sentences))
    logits, _, _ = decoder(nothing, given.to(device))  # (S, T, V)
    log_probs = logits.float().log_softmax(dim=2).gather(2, following.to(device).unsqueeze(2))
    rows = log_probs.squeeze(2).tolist()
    return [tuple(row[: len(sentence)]) for row, sentence in zip(rows, sentences, strict=True)]


def _trace(steps: list[_Step], ends: list[_Ends]) -> list[Hypothesis]:
    """Follow the best sentences back from their last word to their first."""
    words = torch.stack([step.words for step in steps]).tolist()  # [step][picture][beam]
    parents = torch.stack([step.parents for step in steps]).tolist()
    log_probs = torch.stack([step.log_probs for step in steps]).tolist()
    regions = torch.stack([step.regions for step in steps]).float().cpu()  # (steps, B, K, R)
    sentinel = torch.stack([step.sentinel for step in steps]).float().cpu()  # (steps, B, K)
    end_log_probs = torch.stack([end.log_probs for end in ends]).tolist()
    entropies = torch.stack([end.entropies for end in ends]).tolist()
    scores = torch.stack([end.scores for end in ends], dim=1).flatten(1)  # (B, (steps + 1) * K)
    best, index = scores.topk(min(1 + RIVALS, scores.shape[1]), dim=1)
    beams = len(words[0][0])
    hypotheses = []
    for picture, places in enumerate(index.tolist()):
        paths = [_path(parents, picture, *divmod(place, beams)) for place in places]
        written = [
            tuple(words[step][picture][beam] for step, beam in enumerate(path)) for path in paths
        ]
        path, length = paths[0], len(paths[0])
        at = list(range(length))
        before = [0, *(parents[step][picture][path[step]] for step in at[1:])]
        hypotheses.append(
            Hypothesis(
                words=written[0],
                log_probs=(
                    *(log_probs[step][picture][path[step]] for step in at),
                    end_log_probs[length][picture][path[-1]],
                ),
                entropies=(
                    *(entropies[step][picture][before[step]] for step in at),
                    entropies[length][picture][path[-1]],
                ),
                regions=regions[at, picture, path],
                sentinel=sentinel[at, picture, path],
                score=float(best[picture, 0]),
                rivals=tuple(
                    Rival(sentence, score)
                    for sentence, score in zip(written[1:], best[picture, 1:].tolist(), strict=True)
                    if score > -math.inf
                ),
            )
        )
    return hypotheses


def _path(parents: list[list[list[int]]], picture: int, length: int, beam: int) -> list[int]:
    """The beam of each word of a sentence, from the beam of its last."""
    path: list[int] = []
    for step in range(length - 1, -1, -1):
        path.append(beam)
        beam = parents[step][picture][beam]
    return path[::-1]
