"""What a training step minimises: a mean over the whole batch, of which a process has a share."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.model import as_regions
from core.search import MAX_WORDS
from core.vocabulary import Vocabulary
from training.batches import Batch
from training.checkpoint import seed_of
from training.critic import TEMPERATURE, advantages, sample_sentences, strip
from training.distributed import Group
from training.keep import Teacher, forgetting
from training.learning import Learning
from training.precision import autocast
from training.reward import Reward


@dataclass(frozen=True)
class Loss:
    """What a step is told.

    Attributes:
        value: to be differentiated; the mean over the processes of its gradients is the gradient
            of the mean over the whole batch.
        total: for the log, summed over the whole batch.
        count: of what `total` is summed over.
    """

    value: Tensor
    total: float
    count: float


@dataclass(frozen=True)
class _Share:
    """The same of this process's share, and by how many words `cost` is to be divided."""

    cost: Tensor
    words: int
    total: float
    count: int


class Objective(nn.Module):
    """The loss of a stage: of the sentences, of their words, of the second head.

    Args:
        learning: what learns in the stage.
        group: of the processes that have shares of each batch.
        label_smoothing: see `TrainConfig`.
        precision: of the computation, such as ``torch.bfloat16``.
        teacher: for a stage with `keep`.
        reward: for a self-critical stage.
    """

    def __init__(
        self,
        learning: Learning,
        group: Group,
        label_smoothing: float,
        precision: torch.dtype,
        teacher: Teacher | None = None,
        reward: Reward | None = None,
    ) -> None:
        super().__init__()
        self.model, self.stage, self.group = learning.model, learning.stage, group
        self.frozen, self.upper, self.concepts = learning.frozen, learning.upper, learning.concepts
        self.label_smoothing, self.precision = label_smoothing, precision
        self.teacher, self.reward = teacher, reward

    def forward(self, batch: Batch, place: str) -> Loss:
        """The loss of a batch.

        Args:
            batch: this process's share.
            place: of the step in the run, the seed of what is drawn.
        """
        group, stage, encoder = self.group, self.stage, self.model.encoder
        inputs = grid = batch.inputs.to(group.device)
        with autocast(group.device, self.precision):
            if inputs.dtype == torch.uint8:
                with torch.no_grad():
                    grid = self.frozen(encoder.normalise(inputs))
            grid = self.upper(grid)  # (B, C, rows, columns)
        regions = as_regions(grid)
        seen = regions
        if stage.hide:
            kept = F.dropout(torch.ones_like(regions[:, :1]), stage.hide)  # (B, 1, C)
            seen = regions * kept
        if self.reward is not None:
            share = self._criticise(batch, seen, place, self.reward)
        else:
            share = self._teach(batch, seen)
        counts = not batch.spare
        words, pictures, total, count = group.sum(
            *(counts * one for one in (share.words, len(inputs), share.total, share.count))
        )
        value = share.cost * group.size / words
        if self.concepts is not None:
            missed = self.concepts(regions, batch.words.tolist(), batch.picture_of.tolist())
            value = value + stage.concepts * missed * group.size / pictures
        if stage.keep and self.teacher is not None:
            logits = self.model.recognise(grid.float())
            forgotten = forgetting(logits, self.teacher.answer(encoder, inputs))
            value = value + stage.keep * forgotten * (len(inputs) * group.size / pictures)
        return Loss(value if counts else 0 * value, total, count)

    def _teach(self, batch: Batch, regions: Tensor) -> _Share:
        """Cross entropy of people's sentences, for each word."""
        device = self.group.device
        words, targets = batch.words[:, :-1].to(device), batch.words[:, 1:].to(device)
        # Nothing is learnt of padding, nor of where <unk> would stand: it is never written.
        counted = (targets != Vocabulary.pad) & (targets != Vocabulary.unknown)
        with autocast(device, self.precision):
            logits = self.model.decoder.teach(regions, words, batch.picture_of.to(device), counted)
        cost = F.cross_entropy(
            logits.float(),
            targets[counted],
            label_smoothing=self.label_smoothing,
            reduction="sum",
        )
        return _Share(cost, len(logits), cost.item(), len(logits))

    def _criticise(self, batch: Batch, regions: Tensor, place: str, reward: Reward) -> _Share:
        """Policy gradient of the reward of sentences that the decoder draws itself."""
        decoder, samples, device = self.model.decoder, self.stage.samples, self.group.device
        decoder.dropout.eval()  # what is drawn and what is learnt from are the same policy
        pictures = len(batch.inputs)
        chances = _chances(batch, place, samples).to(device)
        with autocast(device, self.precision):
            with torch.no_grad():
                scene = decoder.look_at(regions)
            drawn = sample_sentences(decoder, scene, chances)  # (pictures * samples, length)
            targets = drawn[:, 1:]
            counted = targets != Vocabulary.pad
            logits = decoder.teach(regions, drawn[:, :-1], None, counted)
        references: list[list[list[int]]] = [[] for _ in range(pictures)]
        for words, picture in zip(batch.words.tolist(), batch.picture_of.tolist(), strict=True):
            references[picture].append(strip(words))
        written = [strip(words) for words in drawn.tolist()]
        truth = [sentences for sentences in references for _ in range(samples)]
        rewards = torch.tensor(reward.score(written, truth), device=device)
        advantage = advantages(rewards.view(pictures, samples)).flatten()
        log_probs = -F.cross_entropy(
            logits.float() / TEMPERATURE, targets[counted], reduction="none"
        )
        weights = advantage.unsqueeze(1).expand_as(targets)[counted]
        cost = -(weights * log_probs).sum()
        return _Share(cost, len(log_probs), -rewards.sum().item(), len(rewards))


def _chances(batch: Batch, place: str, samples: int) -> Tensor:
    """Uniform random numbers, (pictures * samples, words), which depend on picture and step alone.

    However many processes there are, they draw the same sentences for the same picture.
    """
    generator = torch.Generator()
    return torch.cat(
        [
            torch.rand(
                samples,
                MAX_WORDS + 1,
                generator=generator.manual_seed(seed_of(place, number)),
            )
            for number in batch.places
        ]
    )
