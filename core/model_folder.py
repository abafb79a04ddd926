"""A model's folder: which files it has, and that they belong together."""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import ModelError
from core.model_config import ModelConfig
from core.vocabulary import SPECIALS, Vocabulary

WEIGHTS, CONFIG = "model.safetensors", "config.json"
# What `training/export.py` adds for onnxruntime: graphs, with the weights of the file above.
GRAPHS = ("see.onnx", "search.onnx", "reread.onnx")
FORMAT = 1


@dataclass(frozen=True)
class ModelFolder:
    """A model as it lies on disk, of which nothing was run.

    Attributes:
        path: of the folder.
        config: what ``config.json`` holds.
        architecture: that it tells.
        vocabulary: that it tells.
        weights: content of ``model.safetensors``, whose hash was checked.
        exported: whether the graphs for onnxruntime are there, which were checked likewise.
    """

    path: Path
    config: dict[str, Any]
    architecture: ModelConfig
    vocabulary: Vocabulary
    weights: bytes
    exported: bool


def unreadable(folder: Path) -> ModelError:
    """The error of a model whose content makes no sense."""
    return ModelError(
        f"{folder} does not hold a model that this version of Seesay can read; "
        "install Seesay again or give the folder of another model."
    )


def not_finite(folder: Path) -> ModelError:
    """The error of a model with weights that are no numbers."""
    return ModelError(f"The weights in {folder} are not finite numbers; train or copy it again.")


def read_model_folder(path: Path) -> ModelFolder:
    """Read a model's files.

    Raises:
        ModelError: if one is missing, damaged, or not of a Seesay model.
    """
    config = _read_config(path / CONFIG)
    weights = _read_checked(path, WEIGHTS, config["sha256"])
    graphs = config.get("graphs", {})
    exported = isinstance(graphs, dict) and set(graphs) == set(GRAPHS)
    if exported:
        for name in GRAPHS:
            _read_checked(path, name, graphs[name])
    try:
        vocabulary = Vocabulary(config["vocabulary"])
        architecture = ModelConfig(**config["architecture"])
        if not len(SPECIALS) < architecture.vocabulary_size == len(vocabulary):
            raise ValueError("the vocabulary does not fit the architecture")
    except (ValueError, TypeError, KeyError) as error:
        raise unreadable(path) from error
    return ModelFolder(path, config, architecture, vocabulary, weights, exported)


def _read_checked(folder: Path, name: str, digest: str) -> bytes:
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        raise ModelError(
            f"The model {folder} has no readable {name}; install Seesay again or give the "
            "folder of another model."
        ) from error
    if hashlib.sha256(content).hexdigest() != digest:
        what = "weights" if name == WEIGHTS else "graphs"
        raise ModelError(
            f"The {what} in {folder} are damaged or belong to another {CONFIG}; "
            "install Seesay again or copy the model again."
        )
    return content


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
        or config.get("format") != FORMAT
        or not isinstance(config.get("name"), str)
        or "sha256" not in config
    ):
        raise ModelError(
            f"{path} is not the description of a Seesay model of format {FORMAT}; "
            "give the folder of a model made by this version."
        )
    return config


def replace_file(path: Path, content: bytes) -> None:
    """Write a file at once or not at all, whenever the process may be killed."""
    temporary = path.with_name(f"{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
