"""A run's whole state in one safetensors file, replaced at once, so that a kill loses little."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.optim import Optimizer

from core.errors import SeesayError
from core.model_folder import replace_file


@dataclass
class Progress:
    """How far a run is.

    Attributes:
        stage, epoch, step: of the next training step, counted from 0.
        steps: done in the whole run.
        loss_sum, loss_words: of the epoch so far.
        seconds: spent in training, over all restarts.
        best: highest mean CIDEr on ``val`` so far.
        rows: of the log, one for each finished epoch.
    """

    stage: int = 0
    epoch: int = 0
    step: int = 0
    steps: int = 0
    loss_sum: float = 0.0
    loss_words: float = 0
    seconds: float = 0.0
    best: float = -1.0
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def place(self) -> int:
        """Number of what was done so far, steps and scored epochs alike."""
        return self.steps + len(self.rows)


def save_checkpoint(path: Path, model: nn.Module, optimizer: Optimizer, progress: Progress) -> None:
    """Write model, optimizer and progress in full precision."""
    tensors: dict[str, Tensor] = {f"model.{k}": v for k, v in model.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{key}": value for key, value in state.items()}
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    replace_file(path, save(contiguous, {"progress": json.dumps(asdict(progress))}))


def load_checkpoint(path: Path, model: nn.Module) -> tuple[Progress, dict[int, dict[str, Tensor]]]:
    """Put the saved weights into a model; give the progress and the optimizer's state.

    Raises:
        SeesayError: if the file is missing, damaged or of another model.
    """
    if not path.exists():
        raise SeesayError(f"There is no checkpoint in {path.parent} yet; train without --resume.")
    try:
        with safe_open(path, "pt") as file:
            progress = Progress(**json.loads(file.metadata()["progress"]))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        weights = {
            name.removeprefix("model."): tensor
            for name, tensor in tensors.items()
            if name.startswith("model.")
        }
        model.load_state_dict(weights)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise SeesayError(
            f"{path} is damaged or was not made by this run; delete it and train without --resume."
        ) from error
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimizer."):
            _, index, key = name.split(".", 2)
            state.setdefault(int(index), {})[key] = tensor
    return progress, state


def restore_optimizer(optimizer: Optimizer, state: dict[int, dict[str, Tensor]]) -> None:
    """Give an optimizer of the same parameters the state it had."""
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def seed_step(*place: object) -> None:
    """Make what is random in a step depend on its place in the run alone."""
    torch.manual_seed(seed_of(*place))


def seed_of(*place: object) -> int:
    """A seed for a place in the run, from 0 to below 2 ** 63."""
    digest = hashlib.sha256("/".join(map(str, place)).encode()).digest()
    return int.from_bytes(digest[:8]) >> 1
