"""A training run that is killed goes on, and ends like one that never was."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from core.errors import SeesayError
from tests.tiny_runs import curves, progress, rows, starts, write_config, write_weights
from tests.tiny_sets import shapes
from training.checkpoint import Saved
from training.config import StageConfig, read_config
from training.train import Trainer, train

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_weights(tmp_path_factory.mktemp("weights"))


def test_resume_without_or_with_a_damaged_checkpoint(tmp_path: Path, weights: Path) -> None:
    config = read_config(write_config(tmp_path, weights, shapes(tmp_path / "shapes", 2)))
    with pytest.raises(SeesayError, match="without --resume"):
        train(config, resume=True)
    assert not (tmp_path / "run").exists()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "last.safetensors").write_bytes(b"half a check")
    with pytest.raises(SeesayError, match="damaged"):
        train(config, resume=True)


def test_resumed_between_stages_the_encoder_frozen_after_it_learnt(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = shapes(tmp_path / "shapes", 4)
    whole, broken = (
        read_config(write_config(tmp_path / name, weights, data)) for name in ("whole", "broken")
    )
    # Clipped at every step, so that what is clipped by counts.
    whole, broken = (
        replace(config, clip=0.01, stages=(config.stages[1], config.stages[0]))
        for config in (whole, broken)
    )
    train(whole)
    run_stage = Trainer._run_stage

    def run_first_stage(trainer: Trainer, stage: StageConfig, saved: Saved) -> None:
        if stage.name == "decoder":
            raise KeyboardInterrupt
        run_stage(trainer, stage, saved)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_run_stage", run_first_stage)
        with pytest.raises(KeyboardInterrupt):
            train(broken)
    train(broken, resume=True)
    expected, found = (
        load_file(Path(config.output) / "last.safetensors") for config in (whole, broken)
    )
    for name, tensor in expected.items():
        assert torch.equal(found[name], tensor), name


# Whatever a stage may hold that a checkpoint, or a seed, has to remember.
EVERYTHING_ELSE = """
views = 0
light = 0.2
spoil = 0.3
hide = 0.1
concepts = 0.02
average = 0.9
"""
RUN = """
import sys
from pathlib import Path
from training.config import read_config
from training.train import train
train(read_config(Path(sys.argv[1])), resume="--resume" in sys.argv)
"""


def start(config: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Train in a process of its own, one thread, so that sums have one order."""
    return subprocess.Popen(
        [sys.executable, "-c", RUN, config, *arguments],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=(config.parent / "stderr.txt").open("ab"),
    )


def kill_inside(process: subprocess.Popen[bytes], folder: Path, stage: int, epoch: int) -> None:
    """Kill -9 a run in the middle of an epoch, as its checkpoint tells."""

    def inside() -> bool:
        if not (folder / "last.safetensors").exists():
            return False
        now = progress(folder)
        return (now["stage"], now["epoch"]) == (stage, epoch) and now["step"] > 0

    deadline = time.monotonic() + 120
    while True:
        assert process.poll() is None, (folder.parent / "stderr.txt").read_text()
        assert time.monotonic() < deadline
        if inside():
            # Held still, so that it cannot reach the end of the epoch before it is killed.
            process.send_signal(signal.SIGSTOP)
            if inside():
                break
            process.send_signal(signal.SIGCONT)
        time.sleep(0.002)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert inside()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system knows no kill -9")
def test_killed_and_resumed_run_ends_like_an_uninterrupted_one(
    tmp_path: Path, weights: Path
) -> None:
    data = shapes(tmp_path / "shapes", 16)
    whole = write_config(tmp_path / "whole", weights, data, epochs=(2, 2))
    killed = write_config(tmp_path / "killed", weights, data, epochs=(2, 2))
    for config in (whole, killed):
        text = config.read_text().replace("keep = 0", EVERYTHING_ELSE)
        # The last layers learn, on what pixels become in those before them.
        config.write_text(text.replace("min_count = 1", "min_count = 1\nown_layers = 3"))
    uninterrupted = start(whole)
    folder = killed.parent / "run"
    kill_inside(start(killed), folder, stage=0, epoch=1)
    kill_inside(start(killed, "--resume"), folder, stage=1, epoch=0)
    assert start(killed, "--resume").wait(timeout=120) == 0
    assert uninterrupted.wait(timeout=120) == 0

    def figures(config: Path) -> list[dict[str, str]]:
        return [{**row, "seconds": ""} for row in rows(config.parent / "run")]

    assert figures(killed) == figures(whole)
    assert len(figures(whole)) == 4
    assert float(figures(whole)[-1]["loss"]) < float(figures(whole)[0]["loss"])
    assert len(starts(folder)) == 3
    # Nothing is shown twice, and nothing got lost.
    shown, expected_curves = curves(folder), curves(whole.parent / "run")
    for name in shown.keys() - {"epoch/seconds"}:
        assert shown[name] == expected_curves[name], name
    assert shown.keys() == expected_curves.keys()
    for name in ("last.safetensors", "best/model.safetensors"):
        expected = load_file(whole.parent / "run" / name)
        found = load_file(folder / name)
        assert found.keys() == expected.keys()
        for key, tensor in found.items():
            assert torch.equal(tensor, expected[key]), key
