"""Averages the weights of models that went on from one another.

    python -m training.average resources/model runs/sharper/best --to runs/average

The average often describes better than each of them (Wortsman et al., "Model soups", ICML 2022). It
has the last one's picture size and second head, and what is known of it; then it wants an
expectation, graphs and a calibration.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from core.errors import ModelError, SeesayError
from core.model_file import load_model, save_model
from training.target import writing


def average(folders: Sequence[Path], target: Path) -> None:
    """Write the average of models as a model.

    Args:
        folders: of the models, at least one.
        target: folder of the average.

    Raises:
        ModelError: if one cannot be read, or their sizes or vocabularies differ.
        SeesayError: if the target cannot be written.
    """
    models = [load_model(folder) for folder in folders]
    for each, _, _ in models:
        each.forget_expectation()
    model, vocabulary, config = models[-1]
    for folder, (other, words, _) in zip(folders, models, strict=True):
        own_layers = other.config.own_layers
        if 0 < own_layers < model.config.own_layers:  # then both share the original's first layers
            own_layers = model.config.own_layers
        size = replace(other.config, image_size=model.config.image_size, own_layers=own_layers)
        if size != model.config or words.words != vocabulary.words:
            raise ModelError(
                f"{folder} is not built as {folders[-1]}: give models that went on from each other."
            )
    states = [other.state_dict() for other, _, _ in models]
    mean = {
        name: torch.stack([state[name] for state in states]).mean(dim=0)
        if tensor.is_floating_point() and not name.startswith("recogniser.")
        else tensor
        for name, tensor in states[-1].items()
    }
    model.load_state_dict(mean)
    facts: dict[str, Any] = {
        name: config[name] for name in ("name", "licence", "training") if name in config
    }
    with writing(target):
        save_model(model, vocabulary, target, facts)


def main() -> int:
    """Average models of several folders; gives the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--to", type=Path, required=True)
    options = parser.parse_args()
    try:
        average(options.models, options.to)
    except SeesayError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
