"""What a run was made with, so that it can be repeated: recipe, data, code and machine."""

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

import torch

from core.errors import SeesayError
from core.model_folder import CONFIG, WEIGHTS, replace_file
from training.checkpoint import Progress
from training.config import TrainConfig
from training.data import Example, summary
from training.distributed import Group


def write_record(
    folder: Path,
    config: TrainConfig,
    recipe: Path | None,
    examples: Sequence[Example],
    group: Group,
    resumed: Progress | None,
) -> None:
    """Write ``run.json``, with an entry for each start of the run, and copy what it stands for.

    The recipe becomes ``recipe.toml``; where the code was changed since its revision, the changes
    become ``changes.patch``.

    Args:
        folder: of the run.
        config: as it is read, defaults included.
        recipe: the TOML file, kept as ``recipe.toml``; None where there is none.
        examples: of training.
        group: of the processes.
        resumed: how far the run was; None at its beginning.

    Raises:
        SeesayError: if the record of a run that goes on is damaged.
    """
    path = folder / "run.json"
    starts: list[dict[str, Any]] = []
    if resumed is not None and path.exists():
        try:
            starts = json.loads(path.read_text(encoding="utf-8"))["starts"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SeesayError(f"{path} is damaged; delete it, the run goes on without.") from error
    at = None
    if resumed is not None:
        at = {"stage": resumed.stage, "epoch": resumed.epoch, "step": resumed.step}
    files = [Path(config.weights)] if config.weights is not None else []
    if config.start is not None:
        files += [Path(config.start) / name for name in (WEIGHTS, CONFIG)]
    revision = _revision()
    start = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "resumed_at": at,
        "config": asdict(config),
        "data": summary(examples),
        "sha256": {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files},
        "git": revision,
        "versions": {"python": platform.python_version(), **_versions()},
        "machine": platform.platform(),
        "device": _device(group.device),
        "processes": group.size,
        "threads": torch.get_num_threads(),
    }
    replace_file(path, json.dumps({"starts": [*starts, start]}, indent=2).encode())
    if recipe is not None:
        replace_file(folder / "recipe.toml", recipe.read_bytes())
    if revision is not None and revision["changed"]:
        replace_file(folder / "changes.patch", _changes())


def _versions() -> dict[str, str]:
    """Of every package that is installed."""
    return {package.name: package.version for package in sorted(distributions(), key=_name)}


def _name(package: Distribution) -> str:
    return package.name.lower()


def _device(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return device.type


def _revision() -> dict[str, Any] | None:
    """Of this code, and whether anything was changed since; None where Git does not know it."""
    try:
        # Seesay may be installed below a folder that belongs to another project.
        _git("ls-files", "--error-unmatch", Path(__file__).name)
        changed = bool(_git("status", "--porcelain"))
        return {"commit": _git("rev-parse", "HEAD").decode().strip(), "changed": changed}
    except (OSError, subprocess.CalledProcessError):
        return None


def _changes() -> bytes:
    """What was changed since the revision, as a patch, files that are new to Git included."""
    top = os.fsdecode(_git("rev-parse", "--show-toplevel").removesuffix(b"\n"))
    new = _git("-C", top, "ls-files", "--others", "--exclude-standard", "-z").split(b"\0")[:-1]
    against_nothing = ("-C", top, "diff", "--no-index", "--", "/dev/null")
    added = (_git(*against_nothing, os.fsdecode(name), found=1) for name in new)
    return b"".join([_git("diff", "HEAD"), *added])


def _git(*command: str, found: int = 0) -> bytes:
    """What Git prints, which need not be text.

    Args:
        command: with its options.
        found: what it ends with besides 0 where it is content.
    """
    call = ["git", "-C", str(Path(__file__).resolve().parent), *command]
    done = subprocess.run(call, capture_output=True)
    if done.returncode not in (0, found):
        done.check_returncode()
    return done.stdout
