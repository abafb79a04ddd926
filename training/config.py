"""A training run as a TOML file."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from math import inf
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import torch

from core.errors import SeesayError
from core.model_config import ModelConfig
from core.vocabulary import SPECIALS

T = TypeVar("T")

_HERE = "training/config.py"
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
# The annotation of an entry -> what TOML may hold for it.
_KINDS: dict[Any, tuple[tuple[type, ...], str]] = {
    str: ((str,), "text in quotes"),
    str | None: ((str,), "text in quotes"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    bool: ((bool,), "true or false"),
}


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

    @property
    def name(self) -> str:
        """Of the folder as it is given: of a link its own, for two may lead to folders alike."""
        return Path(os.path.abspath(self.folder)).name


@dataclass(frozen=True)
class StageConfig:
    """A part of the training with its own learning rates.

    Attributes:
        name: for logs.
        epochs: how often all data is seen.
        batch: pictures in a step.
        learning_rate: of the decoder, at the end of the warm-up.
        encoder_learning_rate: of the encoder's layers that learn; 0 freezes them all. The features
            of frozen layers are cached.
        warm_up: steps in which the learning rates rise from zero.
        final: share of the learning rates that is left at the end of the cosine.
        smallest_crop: share of width and height that a random crop keeps at least.
        light: how much brighter, darker, plainer or paler a random crop may be, as a share; not for
            cached features.
        spoil: chance of each random crop to be turned a little, to be blurred or noisy, and to have
            a part hidden; not for cached features.
        views: of each picture, whose features are cached: the whole picture, its mirror image, and
            from the third on random crops. With 0, for encoders whose last layers learn, nothing is
            cached, and no crop is seen twice.
        samples: sentences drawn for each picture in self-critical training, at least 2 (see
            ``critic.py``; the loss is minus their mean CIDEr-D); 0 trains by teacher forcing.
        bleu, meteor: what BLEU-4 and METEOR, 0 to 1, count in the reward of self-critical training
            beside CIDEr-D, 0 to 10.
        hide: share of the encoder's channels that is hidden from the decoder in each picture.
        concepts: weight of the words of a picture's sentences as a target for the encoder alone
            (see ``concepts.py``).
        average: share of the past in the running average of the weights, such as 0.995, which is
            what is scored, kept, and handed to the next stage; 0 for the weights themselves.
        keep: weight of the second target, the answers of the encoder's original classifier (see
            ``keep.py``; with an encoder that learns); 0 lets it forget them.
    """

    name: str
    epochs: int
    batch: int
    learning_rate: float
    encoder_learning_rate: float = 0.0
    warm_up: int = 200
    final: float = 0.0
    smallest_crop: float = 1.0
    light: float = 0.0
    spoil: float = 0.0
    views: int = 2
    samples: int = 0
    bleu: float = 0.0
    meteor: float = 0.0
    hide: float = 0.0
    concepts: float = 0.0
    average: float = 0.0
    keep: float = 0.0

    def caches(self, own_layers: int) -> bool:
        """Whether it learns from cached features.

        Args:
            own_layers: of the model.
        """
        return not self.encoder_learning_rate or bool(own_layers and self.views)


@dataclass(frozen=True)
class TrainConfig:
    """A whole run.

    Attributes:
        name: of the model, kept in its config.
        output: folder for checkpoints, logs, and the best model so far.
        weights: torchvision weights of the encoder as a safetensors file, to start from or (see
            ``keep``) to learn from; without it torchvision downloads its own.
        start: a trained model's folder to go on from, instead of new weights and vocabulary; of
            ``model``, only another ``image_size`` can be given then.
        own_layers: give the model a second head that names things as the encoder's original
            classifier does, with copies of this many original layers at the encoder's end; the
            layers before them are the original ones too, and shared. 0 for none; more than
            ``start`` has give a new one.
        licence: of the trained model, kept in its config.
        seed: of everything random.
        min_count: a word that occurs less often in the training sentences is not learnt.
        label_smoothing: share of probability spread over all words (Szegedy et al., 2016).
        weight_decay: of AdamW (Loshchilov and Hutter, 2019).
        clip: largest norm of a step's gradient.
        precision: ``float32``, or ``bfloat16`` for autocast.
        cache_pictures: keep the decoded pictures on disk for stages in which every layer of the
            encoder learns; quicker, but for the room that it takes (see ``pixels.py``).
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
    own_layers: int = 0
    licence: str = ""
    seed: int = 1
    min_count: int = 5
    label_smoothing: float = 0.1
    weight_decay: float = 0.01
    clip: float = 2.0
    precision: str = "float32"
    cache_pictures: bool = True
    checkpoint_every: int = 200
    beam: int = 3

    @property
    def dtype(self) -> torch.dtype:
        """Of the autocast regions."""
        return _DTYPES[self.precision]


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
    data = tuple(_build(DataConfig, table, path) for table in _tables(content, "data", path))
    stages = tuple(_build(StageConfig, table, path) for table in _tables(content, "stage", path))
    model = content.pop("model", {})
    _check(isinstance(model, dict), path, "model must be a table, [model]")
    _check("vocabulary_size" not in model, path, "vocabulary_size follows from the sentences")
    for name in ("classes", "own_layers"):
        _check(name not in model, path, f"{name} of the model follow from `own_layers` or `keep`")
    _check(
        "expected" not in model, path, "what is expected is learnt afterwards, by training.expect"
    )
    try:
        _build(ModelConfig, {"vocabulary_size": len(SPECIALS), **model}, path)
    except ValueError as error:
        raise ConfigError(f"{path}: {error}.") from error
    config = _build(TrainConfig, {**content, "data": data, "stages": stages, "model": model}, path)
    others = config.start is not None and {*model} - {"image_size"}
    _check(not others, path, "with start, [model] may give image_size alone")
    _check_values(config, path)
    return config


def _tables(content: dict[str, Any], name: str, path: Path) -> list[dict[str, Any]]:
    tables = content.pop(name, None)
    written = isinstance(tables, list) and all(isinstance(table, dict) for table in tables)
    _check(bool(tables) and written, path, f"at least one table [[{name}]] is needed")
    return tables or []


def _build(kind: type[T], entries: Mapping[str, Any], path: Path) -> T:
    """A dataclass from a table's entries, whose types are checked where TOML has them."""
    hints = get_type_hints(kind)
    for name, value in entries.items():
        _check(name in hints, path, f"there is no entry {name!r}; see the docstrings of {_HERE}")
        kinds, described = _KINDS.get(hints[name], ((object,), ""))
        # To isinstance, True is an int.
        fits = isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))
        _check(fits, path, f"{name} must be {described}, not {value!r}")
    for field in fields(kind):  # type: ignore[arg-type]
        needed = field.default is MISSING and field.name not in entries
        _check(not needed, path, f"the entry {field.name!r} is missing")
    return kind(**entries)


def _check_values(config: TrainConfig, path: Path) -> None:
    _check(config.precision in _DTYPES, path, f"precision must be one of {', '.join(_DTYPES)}")
    for name in ("min_count", "checkpoint_every", "beam"):
        _check(getattr(config, name) >= 1, path, f"{name} must be at least 1")
    _check(0 < config.clip < inf, path, "clip must be above 0")
    _check(0 <= config.weight_decay < inf, path, "weight_decay must be 0 or above")
    _check(config.own_layers >= 0, path, "own_layers must be 0 or above")
    _check(0 <= config.label_smoothing < 1, path, "label_smoothing must be from 0 to below 1")
    names = [data.name for data in config.data]
    # The log tells data sets apart by their folder's name.
    _check(len({*names}) == len(names), path, "two data sets have folders of the same name")
    for data in config.data:
        _check(0 < data.weight < inf, path, "the weight of a data set must be above 0")
    for stage in config.stages:
        _check(min(stage.epochs, stage.batch) >= 1, path, "epochs and batch must be at least 1")
        _check(0 < stage.learning_rate < inf, path, "learning_rate must be above 0")
        encoder_fits = 0 <= stage.encoder_learning_rate < inf
        _check(encoder_fits, path, "encoder_learning_rate must be 0 or above")
        _check(stage.warm_up >= 0, path, "warm_up must be 0 or above")
        _check(0 <= stage.final <= 1, path, "final must be from 0 to 1")
        _check(stage.samples == 0 or stage.samples >= 2, path, "samples must be 0, or at least 2")
        _check(0 < stage.smallest_crop <= 1, path, "smallest_crop must be above 0, at most 1")
        fewest = 0 if config.own_layers and stage.encoder_learning_rate else 1
        _check(stage.views >= fewest, path, f"views must be at least {fewest}")
        for name in ("light", "hide", "average"):
            _check(0 <= getattr(stage, name) < 1, path, f"{name} must be from 0 to below 1")
        _check(0 <= stage.spoil <= 1, path, "spoil must be from 0 to 1")
        for name in ("light", "spoil"):
            needless = getattr(stage, name) and stage.caches(config.own_layers)
            _check(not needless, path, f"{name} is not for cached features: see `views`")
        for name in ("bleu", "meteor", "concepts", "keep"):
            _check(0 <= getattr(stage, name) < inf, path, f"{name} must be 0 or above")
        for name in ("bleu", "meteor"):
            needless = getattr(stage, name) and not stage.samples
            _check(not needless, path, f"{name} is for stages with samples")
        _check(not (stage.keep and config.own_layers), path, "keep is for runs without own_layers")
        for name in ("concepts", "keep"):
            needless = getattr(stage, name) and not stage.encoder_learning_rate
            _check(
                not needless, path, f"{name} is for stages with an encoder_learning_rate above 0"
            )


def _check(holds: bool, path: Path, sentence: str) -> None:
    if not holds:
        raise ConfigError(f"{path}: {sentence}.")
