"""What a run does with its data sets: every one counts, and what cannot be learnt from is told."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import SeesayError
from tests.tiny_runs import rows, write_config, write_weights
from tests.tiny_sets import entry, karpathy, shapes
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


def refused(config: TrainConfig) -> str:
    """The sentence that a run is refused with, which leaves nothing."""
    with pytest.raises(SeesayError) as error:
        train(config)
    assert not Path(config.output).exists()
    return str(error.value)


def test_sentences_without_a_word_to_learn(tmp_path: Path, weights: Path) -> None:
    entries = [entry(split, f"{split}.png", ["一個紅色的正方形"]) for split in ("train", "val")]
    other = recipe(tmp_path / "other", weights, karpathy(tmp_path / "letters", entries))
    assert "give English sentences" in refused(other)
    rare = recipe(tmp_path / "rare", weights, shapes(tmp_path / "shapes", 2))
    assert "lower min_count" in refused(replace(rare, min_count=50))


def test_weights_by_which_nothing_is_shown(tmp_path: Path, weights: Path) -> None:
    config = recipe(tmp_path / "runs", weights, shapes(tmp_path / "shapes", 2))
    config = replace(config, data=(replace(config.data[0], weight=1e-9),))
    assert refused(config) == (
        "Epoch 1 of the stage 'decoder' would show no picture: give a data set a higher weight, or "
        "more pictures."
    )


def test_a_broken_picture_of_val_is_told_before_anything_is_trained(
    tmp_path: Path, weights: Path
) -> None:
    data = shapes(tmp_path / "shapes", 2, val=2)
    (data / "images" / "3.png").write_bytes(b"no picture")
    assert "3.png is not a picture" in refused(recipe(tmp_path / "runs", weights, data))


def test_a_run_that_ends_before_its_first_checkpoint_is_to_begin_anew(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = recipe(tmp_path / "runs", weights, shapes(tmp_path / "shapes", 4))

    def refuse(file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        with pytest.raises(SeesayError, match="make room, and give the same command again"):
            train(config)
    train(config)
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(SeesayError, match="make room, and go on with the run by --resume"):
        train(config, resume=True)


def test_a_loss_that_is_not_finite_ends_a_run_before_its_checkpoint(
    tmp_path: Path, weights: Path
) -> None:
    config = recipe(tmp_path / "runs", weights, shapes(tmp_path / "shapes", 8))
    stage = replace(config.stages[0], learning_rate=1e30, warm_up=0)
    with pytest.raises(SeesayError, match="'decoder' is no longer a finite number: lower"):
        train(replace(config, stages=(stage,), checkpoint_every=4))
    assert not (Path(config.output) / "last.safetensors").exists()
    assert not (Path(config.output) / "best").exists()
