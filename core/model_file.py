"""The model on disk: ``model.safetensors`` and ``config.json``, nothing that could run code."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from core.model import CaptionModel
from core.model_folder import (
    CONFIG,
    FORMAT,
    WEIGHTS,
    ModelFolder,
    not_finite,
    read_model_folder,
    replace_file,
    unreadable,
)
from core.preprocess import PREPROCESSING
from core.vocabulary import Vocabulary

_SCALE = ":scale"
_IN_8_BITS = ("recogniser.", "expectation.", "decoder.embed.", "decoder.lstm.")


def save_model(
    model: CaptionModel, vocabulary: Vocabulary, folder: Path, facts: Mapping[str, Any]
) -> None:
    """Write a model that ``load_model`` reads.

    Matrices and kernels are kept in half precision; those of the word embeddings, the LSTM, the
    second head and the expectation in 8 bits with a scale for each row; vectors (biases, batch
    norms), which cost nothing and may leave half precision's range, as they are.

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
        if tensor.ndim > 1 and name.startswith(_IN_8_BITS):
            tensors[name], tensors[name + _SCALE] = _to_8_bits(tensor)
        else:
            tensors[name] = tensor.half() if tensor.ndim > 1 else tensor
    weights = save(tensors)
    config = {
        "format": FORMAT,
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


def load_model(folder: Path) -> tuple[CaptionModel, Vocabulary, dict[str, Any]]:
    """Read a model: the network in float32 and evaluation mode, its words, its config.

    Raises:
        ModelError: if a file is missing, damaged, or not of a Seesay model.
    """
    found = read_model_folder(folder)
    return build(found), found.vocabulary, found.config


def build(folder: ModelFolder) -> CaptionModel:
    """The network of a model's files, in float32 and evaluation mode.

    Raises:
        ModelError: if the weights do not fit the architecture or are not finite.
    """
    try:
        model = CaptionModel(folder.architecture)
        state = _to_floats(load(folder.weights))
        model.load_state_dict(state)
    except (SafetensorError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise unreadable(folder.path) from error
    if not all(tensor.isfinite().all() for tensor in state.values()):
        raise not_finite(folder.path)
    return model.eval()
