"""Beam search over a batch of pictures, with the attention of the winning sentence."""

from dataclasses import dataclass

import torch
from torch import Tensor

from core.model import Decoder, Scene
from core.vocabulary import Vocabulary

# Divides a sentence's log-probability by length ** LENGTH_NORM; chosen on the val splits.
LENGTH_NORM = 0.7
MAX_WORDS = 20


@dataclass(frozen=True)
class Hypothesis:
    """A finished sentence and how it came about.

    Attributes:
        words: indices, without ``<start>`` and ``<end>``.
        log_probs: of each word and, last, of ``<end>``.
        regions: (words, regions) attention to each region, for each word.
        sentinel: (words,) how much each word was expected rather than seen, 0 to 1.
        score: normalised log-probability that won the search.
    """

    words: tuple[int, ...]
    log_probs: tuple[float, ...]
    regions: Tensor
    sentinel: Tensor
    score: float


@dataclass(frozen=True)
class _Step:
    """One word for each live beam; all tensors (pictures, beam), maps besides."""

    words: Tensor
    parents: Tensor
    log_probs: Tensor
    regions: Tensor  # (pictures, beam, regions)
    sentinel: Tensor


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
    best_length = torch.zeros(pictures, dtype=torch.long, device=device)
    best_beam = torch.zeros(pictures, dtype=torch.long, device=device)
    best_end = torch.zeros(pictures, device=device)
    first_row = torch.arange(pictures, device=device).unsqueeze(1) * beam  # (B, 1)
    steps: list[_Step] = []
    state = None

    for length in range(max_words + 1):
        logits, look, state = decoder(repeated, words.view(-1, 1), state)
        log_probs = logits[:, -1].float().log_softmax(dim=1).view(pictures, beam, -1)  # (B, K, V)

        ended = totals + log_probs[..., Vocabulary.end]
        score, which = (ended / (length + 1) ** length_norm).max(dim=1)
        # A sentence of no words is no caption.
        better = (score > best) & (length > 0)
        best = torch.where(better, score, best)
        best_length = torch.where(better, length, best_length)
        best_beam = torch.where(better, which, best_beam)
        end = log_probs[..., Vocabulary.end].gather(1, which.unsqueeze(1)).squeeze(1)
        best_end = torch.where(better, end, best_end)
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
        if bool((totals[:, 0] / (max_words + 1) ** length_norm <= best).all()):
            break

    return _trace(steps, best, best_length, best_beam, best_end)


def _trace(
    steps: list[_Step], best: Tensor, lengths: Tensor, beams: Tensor, ends: Tensor
) -> list[Hypothesis]:
    """Follow the winners back from their last word to their first."""
    words = torch.stack([step.words for step in steps]).tolist()  # [step][picture][beam]
    parents = torch.stack([step.parents for step in steps]).tolist()
    log_probs = torch.stack([step.log_probs for step in steps]).tolist()
    regions = torch.stack([step.regions for step in steps]).float().cpu()  # (steps, B, K, R)
    sentinel = torch.stack([step.sentinel for step in steps]).float().cpu()  # (steps, B, K)
    hypotheses = []
    winners = zip(lengths.tolist(), beams.tolist(), best.tolist(), ends.tolist(), strict=True)
    for picture, (length, beam, score, end) in enumerate(winners):
        path = []
        for step in range(length - 1, -1, -1):
            path.append(beam)
            beam = parents[step][picture][beam]
        path.reverse()
        at = range(length)
        hypotheses.append(
            Hypothesis(
                words=tuple(words[step][picture][path[step]] for step in at),
                log_probs=(*(log_probs[step][picture][path[step]] for step in at), end),
                regions=regions[list(at), picture, path],
                sentinel=sentinel[list(at), picture, path],
                score=score,
            )
        )
    return hypotheses
