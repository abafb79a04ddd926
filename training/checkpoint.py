"""A run's whole state in one safetensors file, replaced at once, so that a kill loses little."""

import hashlib
import json
from collections.abc import Mapping
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
from training.same_run import difference


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
        lasting: what must not change in the run (see ``same_run.py``).
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
    lasting: dict[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> int:
        """Number of what was done so far, steps and scored epochs alike."""
        return self.steps + len(self.rows)


def save_checkpoint(
    path: Path, parts: Mapping[str, nn.Module], optimizer: Optimizer, progress: Progress
) -> None:
    """Write what learns, the optimizer and the progress in full precision.

    Args:
        path: of the file.
        parts: what learns, by name: ``model``, and what else the stage needs.
        optimizer: of these.
        progress: of the run.
    """
    tensors: dict[str, Tensor] = {
        f"{name}.{key}": value
        for name, part in parts.items()
        for key, value in part.state_dict().items()
    }
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{key}": value for key, value in state.items()}
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    replace_file(path, save(contiguous, {"progress": json.dumps(asdict(progress))}))


@dataclass
class Saved:
    """What a checkpoint holds beside the model and the progress.

    Attributes:
        tensors: of the other parts, with their names as prefixes.
        optimizer: state of each parameter.
    """

    tensors: dict[str, Tensor] = field(default_factory=dict)
    optimizer: dict[int, dict[str, Tensor]] = field(default_factory=dict)

    def restore(self, name: str, part: nn.Module) -> None:
        """Put a part's saved weights into it, if there are any."""
        state = {
            key.removeprefix(f"{name}."): tensor
            for key, tensor in self.tensors.items()
            if key.startswith(f"{name}.")
        }
        if state:
            part.load_state_dict(state)


def load_checkpoint(
    path: Path, model: nn.Module, lasting: Mapping[str, Any]
) -> tuple[Progress, Saved]:
    """Put the saved weights into a model; give the progress and the rest.

    Args:
        path: of the file.
        model: of the run.
        lasting: what the run is now, see ``same_run.py``.

    Raises:
        SeesayError: if the file is missing or damaged, or the run is another one.
    """
    if not path.exists():
        raise SeesayError(f"There is no checkpoint in {path.parent} yet; train without --resume.")
    try:
        with safe_open(path, "pt") as file:
            progress = Progress(**json.loads(file.metadata()["progress"]))
            differs = difference(progress.lasting, lasting, progress.stage)
            if differs is not None:
                raise SeesayError(
                    f"{path.parent} was begun otherwise: {differs}. Go on with the recipe.toml "
                    "there, or give this recipe another output folder."
                )
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        weights = {
            name.removeprefix("model."): tensors.pop(name)
            for name in [*tensors]
            if name.startswith("model.")
        }
        model.load_state_dict(weights)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise SeesayError(f"{path} is damaged; delete it and train without --resume.") from error
    saved = Saved(tensors)
    for name in [*tensors]:
        if name.startswith("optimizer."):
            _, index, key = name.split(".", 2)
            saved.optimizer.setdefault(int(index), {})[key] = tensors.pop(name)
    return progress, saved


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
