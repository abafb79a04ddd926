"""A small training run: its recipe, and what it leaves, read back."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from tests.tiny_sets import lively_cnn

ENCODER, SIDE = "mobilenet_v3_small", 64


def write_weights(folder: Path, encoder: str = ENCODER) -> Path:
    """The encoder's, for a recipe."""
    path = folder / "cnn.safetensors"
    save_file(lively_cnn(encoder, SIDE).state_dict(), path)
    return path


def write_config(
    folder: Path, weights: Path, *data: Path, epochs: Sequence[int] = (1, 1), keep: float = 0
) -> Path:
    """A run of both stages in ``folder/run``."""
    sets = "\n".join(f'[[data]]\nfolder = "{one}"\nweight = 1.5\n' for one in data)
    folder.mkdir(exist_ok=True)
    file = folder / "run.toml"
    file.write_text(
        f"""
name = "tiny"
output = "{folder / "run"}"
weights = "{weights}"
licence = "for tests"
min_count = 1
checkpoint_every = 2

[model]
encoder = "{ENCODER}"
image_size = {SIDE}
hidden = 24
heads = 2

{sets}

[[stage]]
name = "decoder"
epochs = {epochs[0]}
batch = 2
learning_rate = 5e-3
warm_up = 4

[[stage]]
name = "everything"
epochs = {epochs[1]}
batch = 2
learning_rate = 2e-3
encoder_learning_rate = 1e-3
warm_up = 4
smallest_crop = 0.8
keep = {keep}
"""
    )
    return file


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def progress(folder: Path) -> dict[str, Any]:
    # Read at once: the run may replace the file at any moment, and safetensors opens it twice.
    content = (folder / "last.safetensors").read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    found: dict[str, Any] = json.loads(header["__metadata__"]["progress"])
    return found


def curves(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard shows of a run, by name: the places and values of each curve."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder / "tensorboard"), size_guidance={"scalars": 0})
    events.Reload()
    return {
        tag: [(event.step, event.value) for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }


def starts(folder: Path) -> list[dict[str, Any]]:
    """What is recorded of each start of a run."""
    found: list[dict[str, Any]] = json.loads((folder / "run.json").read_text())["starts"]
    return found
