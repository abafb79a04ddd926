"""The model on disk: ``model.safetensors`` and ``config.json``, nothing that could run code."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save

from core.errors import ModelError
from core.model import CaptionModel, ModelConfig
from core.preprocess import PREPROCESSING
from core.vocabulary import SPECIALS, Vocabulary

WEIGHTS, CONFIG = "model.safetensors", "config.json"
_FORMAT = 1


def save_model(
    model: CaptionModel, vocabulary: Vocabulary, folder: Path, facts: Mapping[str, Any]
) -> None:
    """Write a model that ``load_model`` reads.

    Matrices and kernels are kept in half precision; vectors (biases, batch norms), which cost
    nothing and may leave half precision's range, as they are.

    Args:
        model: to be saved; not changed.
        vocabulary: of its decoder.
        folder: created where it does not exist.
        facts: the model's ``name``, and what else is known (training data, figures, licence), as
            JSON values.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        name: (tensor.half() if tensor.ndim > 1 else tensor).detach().cpu().contiguous()
        for name, tensor in model.state_dict().items()
    }
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
        state = {
            name: tensor.float() if tensor.is_floating_point() else tensor
            for name, tensor in load(weights).items()
        }
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
