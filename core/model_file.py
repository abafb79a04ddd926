"""The model on disk: ``model.safetensors`` and ``config.json``, nothing that could run code."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from core.errors import ModelError
from core.model import CaptionModel, ModelConfig
from core.preprocess import PREPROCESSING
from core.vocabulary import SPECIALS, Vocabulary

WEIGHTS, CONFIG = "model.safetensors", "config.json"
_FORMAT = 1
_SCALE = ":scale"


def save_model(
    model: CaptionModel, vocabulary: Vocabulary, folder: Path, facts: Mapping[str, Any]
) -> None:
    """Write a model that ``load_model`` reads.

    Matrices and kernels are kept in half precision, those of the second head in 8 bits with a scale
    for each row; vectors (biases, batch norms), which cost nothing and may leave half precision's
    range, as they are.

    Args:
        model: to be saved; not changed.
        vocabulary: of its decoder.
        folder: created where it does not exist.
        facts: the model's ``name``, and what else is known (training data, figures, licence), as
            JSON values.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, Tensor] = {}
    for name, tensor in model.state_dict().items():
        tensor = tensor.detach().cpu().contiguous()
        if tensor.ndim > 1 and name.startswith("recogniser."):
            tensors[name], tensors[name + _SCALE] = _to_8_bits(tensor)
        else:
            tensors[name] = tensor.half() if tensor.ndim > 1 else tensor
    weights = save(tensors)
    config = {
        "format": _FORMAT,
        **facts,
        "sha256": hashlib.sha256(weights).hexdigest(),
        "architecture": asdict(model.config),
        "preprocessing": PREPROCESSING,
        "vocabulary": list(vocabulary.words),
    }
    # The config names the weights by their hash, so a kill between the two is noticed on loading.
    replace_file(folder / WEIGHTS, weights)
    replace_file(folder / CONFIG, (json.dumps(config, indent=1) + "\n").encode())


def _to_8_bits(tensor: Tensor) -> tuple[Tensor, Tensor]:
    """Whole numbers from -127 to 127, and what each row of them is to be multiplied with."""
    scale = tensor.flatten(1).abs().amax(dim=1).clamp(min=1e-12) / 127  # (rows,)
    whole = (tensor / scale.view(-1, *[1] * (tensor.ndim - 1))).round()
    return whole.to(torch.int8), scale


def _to_floats(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The model's state of what is in its file."""
    state = {}
    for name, tensor in tensors.items():
        if name.endswith(_SCALE):
            continue
        if tensor.dtype == torch.int8:
            scale = tensors[name + _SCALE]
            tensor = tensor * scale.view(-1, *[1] * (tensor.ndim - 1))
        state[name] = tensor.float() if tensor.is_floating_point() else tensor
    return state


def replace_file(path: Path, content: bytes) -> None:
    """Write a file at once or not at all, whenever the process may be killed."""
    temporary = path.with_name(f"{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def load_model(folder: Path) -> tuple[CaptionModel, Vocabulary, dict[str, Any]]:
    """Read a model: the network in float32 and evaluation mode, its words, its config.

    Raises:
        ModelError: if a file is missing, damaged, or not of a Seesay model.
    """
    config = _read_config(folder / CONFIG)
    try:
        weights = (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise ModelError(
            f"The model {folder} has no readable {WEIGHTS}; install Seesay again or give the "
            "folder of another model."
        ) from error
    if hashlib.sha256(weights).hexdigest() != config["sha256"]:
        raise ModelError(
            f"The weights in {folder} are damaged or belong to another {CONFIG}; "
            "install Seesay again or copy the model again."
        )
    try:
        vocabulary = Vocabulary(config["vocabulary"])
        architecture = ModelConfig(**config["architecture"])
        if not len(SPECIALS) < architecture.vocabulary_size == len(vocabulary):
            raise ValueError("the vocabulary does not fit the architecture")
        model = CaptionModel(architecture)
        state = _to_floats(load(weights))
        model.load_state_dict(state)
    except (SafetensorError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise ModelError(
            f"{folder} does not hold a model that this version of Seesay can read; "
            "install Seesay again or give the folder of another model."
        ) from error
    if not all(tensor.isfinite().all() for tensor in state.values()):
        raise ModelError(f"The weights in {folder} are not finite numbers; train or copy it again.")
    return model.eval(), vocabulary, config


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            f"The model {path.parent} has no readable {CONFIG}; install Seesay again or give the "
            "folder of another model."
        ) from error
    if (
        not isinstance(config, dict)
        or config.get("format") != _FORMAT
        or not isinstance(config.get("name"), str)
        or "sha256" not in config
    ):
        raise ModelError(
            f"{path} is not the description of a Seesay model of format {_FORMAT}; "
            "give the folder of a model made by this version."
        )
    return config
