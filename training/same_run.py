"""What must not change in a run that goes on: its data, and its recipe up to where it is."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from core.model_config import ModelConfig
from training.config import TrainConfig
from training.data import Example, summary

# Where things are and how they are called, and what changes no number. `cache_pictures` does a
# little, but a full disk shall not end a run.
_FREE = ("name", "licence", "output", "weights", "start", "checkpoint_every", "cache_pictures")
# These are kept in another form.
_CHANGED = ("data", "stages", "model")


def lasting(
    config: TrainConfig, examples: Sequence[Example], architecture: ModelConfig
) -> dict[str, Any]:
    """What a checkpoint keeps of its run, as JSON has it."""
    # What a reader would look for first comes first: much of the model follows from the data.
    return {
        "data": {data.name: data.weight for data in config.data},
        "sentences": summary(examples)["sha256"],
        **{name: value for name, value in asdict(config).items() if name not in _FREE + _CHANGED},
        "model": asdict(architecture),
        "stages": [asdict(stage) for stage in config.stages],
    }


def difference(before: Mapping[str, Any], now: Mapping[str, Any], stage: int) -> str | None:
    """What differs, in words; None where the run may go on.

    Args:
        before: of the checkpoint.
        now: of the recipe.
        stage: that is to go on; those after it may change.
    """
    for name in now:
        if name != "stages" and before.get(name) != now[name]:
            if name == "sentences":
                return "the pictures or their sentences are others"
            if name == "model":  # whose sizes are many; most follow from data or start
                return "the model is built otherwise"
            return f"{name} was {before.get(name)} and is {now[name]}"
    for was, is_ in zip(before["stages"][: stage + 1], now["stages"], strict=False):
        for name, value in is_.items():
            if was.get(name) != value:
                return f"{name} of the stage {was['name']!r} was {was.get(name)} and is {value}"
    return None
