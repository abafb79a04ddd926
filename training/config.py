"""A training run as a TOML file."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import torch

from core.errors import SeesayError
from core.model import ModelConfig

T = TypeVar("T")


class ConfigError(SeesayError):
    """A run that is not described as it should be."""


@dataclass(frozen=True)
class DataConfig:
    """A data set and how much it counts.

    Attributes:
        folder: of the data set, relative to the current folder.
        weight: how many times an epoch shows each picture; 0.5 shows every second one.
    """

    folder: str
    weight: float = 1.0


@dataclass(frozen=True)
class StageConfig:
    """A part of the training with its own learning rates.

    Attributes:
        name: for logs.
        epochs: how often all data is seen.
        batch: pictures in a step.
        learning_rate: of the decoder, at the end of the warm-up.
        encoder_learning_rate: of every layer of the encoder; 0 freezes it and caches its features.
        warm_up: steps in which the learning rates rise from zero.
        final: share of the learning rates that is left at the end of the cosine.
        smallest_crop: share of width and height that a random crop keeps at least (with an
            encoder that learns; cached features know only the mirror image).
    """

    name: str
    epochs: int
    batch: int
    learning_rate: float
    encoder_learning_rate: float = 0.0
    warm_up: int = 200
    final: float = 0.0
    smallest_crop: float = 1.0


@dataclass(frozen=True)
class TrainConfig:
    """A whole run.

    Attributes:
        name: of the model, kept in its config.
        output: folder for checkpoints, logs, and the best model so far.
        weights: torchvision weights of the encoder as a safetensors file; without it torchvision
            downloads its own.
        start: a trained model's folder to go on from, instead of new weights and vocabulary.
        licence: of the trained model, kept in its config.
        seed: of everything random.
        min_count: a word that occurs less often in the training sentences is not learnt.
        label_smoothing: share of probability spread over all words (Szegedy et al., 2016).
        weight_decay: of AdamW (Loshchilov and Hutter, 2019).
        clip: largest norm of a step's gradient.
        precision: ``float32``, or ``bfloat16`` for autocast.
        checkpoint_every: steps between two checkpoints inside an epoch.
        beam: of the search that is scored on ``val``.
    """

    name: str
    output: str
    data: tuple[DataConfig, ...]
    stages: tuple[StageConfig, ...]
    model: Mapping[str, Any]
    weights: str | None = None
    start: str | None = None
    licence: str = ""
    seed: int = 1
    min_count: int = 5
    label_smoothing: float = 0.1
    weight_decay: float = 0.01
    clip: float = 2.0
    precision: str = "float32"
    checkpoint_every: int = 200
    beam: int = 3

    @property
    def dtype(self) -> torch.dtype:
        """Of the autocast regions."""
        return {"float32": torch.float32, "bfloat16": torch.bfloat16}[self.precision]


def read_config(path: Path) -> TrainConfig:
    """Read a run's TOML file.

    Raises:
        ConfigError: if it cannot be read, or has an entry that is unknown, missing or wrong.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(
            f"There is no file {path}; give a run such as those in training/configs/."
        ) from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read as TOML: {error}.") from error
    data = tuple(_build(DataConfig, entry, path) for entry in content.pop("data", []))
    stages = tuple(_build(StageConfig, entry, path) for entry in content.pop("stage", []))
    model = content.pop("model", {})
    known = {field.name for field in fields(ModelConfig)} - {"vocabulary_size"}
    unknown = set(model) - known
    if unknown:
        raise ConfigError(f"{path}: [model] has no entry {', '.join(sorted(unknown))}.")
    run = {**content, "data": data, "stages": stages, "model": model}
    config = _build(TrainConfig, run, path)
    if not data or not stages:
        raise ConfigError(f"{path} needs at least one [[data]] and one [[stage]].")
    if config.precision not in ("float32", "bfloat16"):
        raise ConfigError(f"{path}: precision is float32 or bfloat16.")
    for stage in stages:
        if stage.epochs < 1 or stage.batch < 1 or stage.learning_rate <= 0:
            raise ConfigError(
                f"{path}: stage {stage.name!r} needs epochs, batch and learning_rate above 0."
            )
    return config


def _build(kind: type[T], entries: Mapping[str, Any], path: Path) -> T:
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    unknown = set(entries) - names
    if unknown:
        raise ConfigError(f"{path} has an unknown entry: {', '.join(sorted(unknown))}.")
    try:
        return kind(**entries)
    except TypeError as error:
        raise ConfigError(f"{path} lacks an entry: {error}.") from error
