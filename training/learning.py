"""What learns in a stage, what stays as it is, and what is averaged."""

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import nn
from torch.fx.experimental.optimization import fuse
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from core.model import CaptionModel
from training.checkpoint import Saved
from training.concepts import LEARNING_RATE, Concepts
from training.config import StageConfig


class Learning:
    """The parts of a model in a stage.

    Args:
        model: that learns.
        stage: see `StageConfig`.
        sentences: for each training picture, its sentences as indices of words.

    Attributes:
        frozen: the encoder's first layers, which pixels pass before `upper`; nothing where all
            layers learn, and where what they give is cached.
        upper: the encoder's layers that learn.
        concepts: the detector of words of a stage with `concepts`.
        average: running average of the model, of a stage with `average`.
    """

    def __init__(
        self,
        model: CaptionModel,
        stage: StageConfig,
        sentences: Sequence[Sequence[Sequence[int]]],
    ) -> None:
        self.model, self.stage = model, stage
        self.frozen: nn.Module = nn.Identity()
        self.upper: nn.Module = nn.Identity()
        device = model.encoder.mean.device
        own_layers = model.config.own_layers
        first: nn.Module | None = None
        if stage.encoder_learning_rate and own_layers:
            first, self.upper = model.encoder.split()
        elif stage.encoder_learning_rate:
            self.upper = model.encoder.cnn
        if first is not None and not stage.caches(own_layers):
            self.frozen = fuse(first.eval()).requires_grad_(False)  # a copy, twice as fast
            self.frozen.to(memory_format=torch.channels_last)
        self.concepts: Concepts | None = None
        if stage.concepts:
            self.concepts = Concepts(model.encoder.channels, sentences).to(device)
        self.average: AveragedModel | None = None
        if stage.average:
            ema = get_ema_multi_avg_fn(stage.average)
            self.average = AveragedModel(model, multi_avg_fn=ema, use_buffers=True)

    @property
    def shown(self) -> CaptionModel:
        """The model that is scored and kept."""
        return self.model if self.average is None else cast(CaptionModel, self.average.module)

    @property
    def parts(self) -> dict[str, nn.Module]:
        """What a checkpoint holds."""
        parts = {"model": self.model, "concepts": self.concepts, "average": self.average}
        return {name: part for name, part in parts.items() if part is not None}

    def restore(self, saved: Saved) -> None:
        """Go on from a checkpoint, whose model is in place already."""
        for name, part in self.parts.items():
            if name != "model":
                saved.restore(name, part)

    def groups(self) -> list[dict[str, Any]]:
        """Parameters that learn, for an optimizer, with the ``rate`` of each group."""
        model, stage = self.model, self.stage
        groups = [("decoder", [*model.decoder.parameters()], stage.learning_rate)]
        if stage.keep and model.recogniser is not None:
            groups[0][1].extend(model.recogniser.parameters())
        if stage.encoder_learning_rate:
            layers = [*self.upper.parameters()]
            groups.append(("encoder", layers, stage.encoder_learning_rate))
        if self.concepts is not None:
            groups.append(("concepts", [*self.concepts.parameters()], LEARNING_RATE))
        model.requires_grad_(False)
        # What is left of a stage before would count where gradients are clipped by their norm.
        model.zero_grad(set_to_none=True)
        for _, parameters, _ in groups:
            for parameter in parameters:
                parameter.requires_grad_(True)
        return [{"params": each, "rate": rate, "name": name} for name, each, rate in groups]

    def begin(self) -> None:
        """Layers that learn behave as in training, all others as in use."""
        model, stage = self.model, self.stage
        model.eval()
        model.decoder.train()
        # The statistics of the batch norms are part of what is to be kept: those of a batch would
        # change the answers to four pictures in ten before anything is learnt.
        self.upper.train(not stage.keep)

    def step(self) -> None:
        """After each step of the optimizer."""
        if self.average is not None:
            self.average.update_parameters(self.model)

    def finish(self) -> None:
        """After the stage: the next one goes on from what was kept."""
        if self.average is not None:
            self.model.load_state_dict(self.average.module.state_dict())
