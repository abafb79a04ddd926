"""What a run begins with: a trained model, or a new one whose encoder knows ImageNet."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from core.errors import SeesayError
from core.model import CaptionModel, build_cnn, without_head
from core.model_config import ModelConfig
from core.model_file import load_model
from core.vocabulary import SPECIALS, Vocabulary
from training.checkpoint import seed_step
from training.config import TrainConfig
from training.data import Example


def start_model(
    config: TrainConfig, examples: Sequence[Example]
) -> tuple[CaptionModel, Vocabulary]:
    """A trained model to go on from, or a new one with an encoder that knows ImageNet.

    Args:
        config: of the run.
        examples: of training, whose words a new model learns.

    Raises:
        SeesayError: if weights or model are missing or do not fit, or there is no word to learn.
    """
    if config.start is not None:
        model, vocabulary, _ = load_model(Path(config.start))
        model.forget_expectation()
        size = config.model.get("image_size", model.config.image_size)
        if size != model.config.image_size:
            resized = CaptionModel(replace(model.config, image_size=size))
            resized.load_state_dict(model.state_dict())
            model = resized
        return model, vocabulary
    sentences = (sentence for example in examples for sentence in example.sentences)
    vocabulary = Vocabulary.build(sentences, config.min_count)
    if len(vocabulary) == len(SPECIALS):
        raise SeesayError(
            f"No word occurs min_count times ({config.min_count}) in the training sentences: lower "
            "min_count, or give English sentences."
        )
    seed_step(config.seed, "start")
    try:
        architecture = ModelConfig(vocabulary_size=len(vocabulary), **config.model)
        model = CaptionModel(architecture)
    except (ValueError, RuntimeError) as error:
        raise SeesayError(f"The encoder cannot be set up: {error}.") from error
    cnn = original_cnn(config, architecture.encoder)
    model.encoder.cnn.load_state_dict(without_head(cnn).state_dict())
    return model, vocabulary


def original_cnn(config: TrainConfig, name: str) -> nn.Module:
    """The encoder of this name as it was trained on ImageNet, with its classifier.

    Raises:
        SeesayError: if there is no such encoder, or its weights are missing or do not fit.
    """
    weights = config.weights
    try:
        cnn = build_cnn(name, pretrained=weights is None)
    except (OSError, ValueError, RuntimeError) as error:
        raise SeesayError(f"The encoder cannot be set up: {error}.") from error
    if weights is not None:
        fill(cnn, Path(weights), name, "leave `weights` out to download")
    return cnn


def fill(cnn: nn.Module, weights: Path, name: str, otherwise: str) -> None:
    """Give an encoder of this name its weights from a file.

    Args:
        cnn: with its classifier.
        weights: the file.
        name: of the encoder.
        otherwise: what one can do without the file.

    Raises:
        SeesayError: if they are missing or do not fit.
    """
    try:
        cnn.load_state_dict(load_file(weights))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise SeesayError(
            f"{weights} cannot be read as torchvision's weights of {name}; put them there, "
            f"or {otherwise}."
        ) from error
