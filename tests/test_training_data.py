"""What a run does with its data sets: every one counts, and what cannot be learnt from is told."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.tiny_runs import rows, write_config, write_weights
from tests.tiny_sets import shapes
from training.config import TrainConfig, read_config
from training.train import train


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_weights(tmp_path_factory.mktemp("weights"))


def recipe(folder: Path, weights: Path, *data: Path) -> TrainConfig:
    """A run of the decoder alone, one epoch long."""
    config = read_config(write_config(folder, weights, *data))
    return replace(config, stages=config.stages[:1])


def test_links_to_folders_of_one_name_are_two_data_sets(tmp_path: Path, weights: Path) -> None:
    links = [tmp_path / "first", tmp_path / "second"]
    for link, place in zip(links, ("a", "b"), strict=True):
        link.symlink_to(shapes(tmp_path / place / "shapes", 2))
    train(recipe(tmp_path / "runs", weights, *links))
    (row,) = rows(tmp_path / "runs" / "run")
    assert {"cider_first", "cider_second"} <= row.keys()
