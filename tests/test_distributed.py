"""Several processes train one model, started by torchrun, over loopback."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.tiny_runs import progress, rows, write_config, write_weights
from tests.tiny_sets import shapes

# Longer than all that waits in a test here, on a machine that is busy.
pytestmark = pytest.mark.timeout(900)

Run = subprocess.Popen[str]

ROOT = Path(__file__).resolve().parent.parent
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone")
# In caches so small that both processes have something to fill.
SMALL_PIECES = """
import sys
import seesay
import training.cache
training.cache._PIECE = 1
sys.exit(seesay.main(sys.argv[1:]))
"""
CRITIC = """
[[stage]]
name = "critic"
epochs = 1
batch = 3
learning_rate = 1e-4
warm_up = 2
samples = 3
"""
FROZEN_AGAIN = """
[[stage]]
name = "decoder again"
epochs = 1
batch = 3
learning_rate = 1e-3
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Teacher forcing, every layer, self-critical; nothing in it depends on a process.

    There is no dropout, and the batch norms keep their statistics. Each batch has three pictures,
    so that one process has twice as many as the other, and the last one has one, so that the other
    has none. Of the three pictures of `val`, one process captions two.
    """
    folder = tmp_path_factory.mktemp("recipe")
    data = shapes(folder / "shapes", 10)
    file = write_config(folder, write_weights(folder), data, epochs=(2, 1), keep=0.5)
    text = file.read_text().replace("batch = 2", "batch = 3").replace("weight = 1.5", "weight = 4")
    # So much in the first stage that there is something to score, so little in the others that
    # rounding does not grow into a difference.
    for found, written in (("5e-3", "1e-2"), ("2e-3", "5e-4"), ("1e-3", "1e-4")):
        text = text.replace(f"learning_rate = {found}", f"learning_rate = {written}")
    file.write_text(text.replace("heads = 2", "heads = 2\ndropout = 0.0") + CRITIC)
    return file


def start(recipe: Path, folder: Path, *command: str | Path, resume: bool = False) -> Run:
    """Begin a run that leaves everything in ``folder``."""
    folder.mkdir(exist_ok=True)
    own = folder / "run.toml"
    own.write_text(recipe.read_text().replace(str(recipe.parent / "run"), str(folder / "run")))
    return subprocess.Popen(
        [*command, "train", own, *(["--resume"] if resume else [])],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(run: Run) -> str:
    """Wait for a run that ends well; give what it wrote to standard output."""
    said, complained = run.communicate(timeout=280)
    assert run.returncode == 0, complained
    return said


def compare(found: Path, expected: Path, critic: float = 0.05) -> None:
    """Two runs had the same losses and scores, up to rounding.

    In self-critical training after other stages, their rounding may turn over a draw, and with it
    one of 120 sentences, whose rewards are 0 to 10 and far apart: its loss may differ by `critic`.
    """
    assert len(rows(found)) == len(rows(expected))
    for row, other in zip(rows(found), rows(expected), strict=True):
        assert (row["stage"], row["epoch"]) == (other["stage"], other["epoch"])
        near = critic if row["stage"] == "critic" else 2e-3
        assert float(row["loss"]) == pytest.approx(float(other["loss"]), abs=near)
        assert float(row["cider_mean"]) == pytest.approx(float(other["cider_mean"]), abs=0.5)


def worker(run: Run, rank: int) -> int:
    """The process of this rank that torchrun has started."""
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(file.read_text().rpartition(")")[2].split()[1])
            variables = (file.parent / "environ").read_bytes().split(b"\0")
        except OSError:  # it is gone, or another user's
            continue
        if parent == run.pid and f"RANK={rank}".encode() in variables:
            return int(file.parent.name)
    raise AssertionError(f"there is no process of rank {rank}")


@pytest.fixture(scope="module")
def alone(recipe: Path) -> Path:
    """The output folder of a run of one process."""
    finish(start(recipe, recipe.parent / "alone", sys.executable, "-m", "seesay"))
    return recipe.parent / "alone" / "run"


def test_two_processes_train_like_one_and_one_of_them_writes(recipe: Path, alone: Path) -> None:
    folder = recipe.parent / "two"
    folder.mkdir()
    script = folder / "small_pieces.py"
    script.write_text(SMALL_PIECES)
    said = finish(start(recipe, folder, *TORCHRUN, "--nproc-per-node", "2", script))
    assert said.count("The best model is in") == 1
    compare(folder / "run", alone)
    assert [row["stage"] for row in rows(alone)] == ["decoder"] * 2 + ["everything", "critic"]
    assert float(rows(alone)[-1]["loss"]) < 0  # minus a reward
    assert float(rows(alone)[-1]["cider_mean"]) > 5
    assert len([*(folder / "features").glob("*.npy")]) == 2 * 10  # of two encoders


def test_two_processes_draw_and_judge_the_sentences_of_one_model_like_one(
    recipe: Path, alone: Path
) -> None:
    head, _, rest = recipe.read_text().partition("[model]")
    data = rest[rest.index("[[data]]") : rest.index("[[stage]]")]
    own = recipe.parent / "critic.toml"
    critic = CRITIC.replace("learning_rate = 1e-4", "learning_rate = 1e-3")
    own.write_text(f'start = "{alone / "best"}"\n{head}{data}{critic}')
    ones, twos = recipe.parent / "critic-one", recipe.parent / "critic-two"
    runs = [
        start(own, ones, sys.executable, "-m", "seesay"),
        start(own, twos, *TORCHRUN, "--nproc-per-node", "2", "-m", "seesay"),
    ]
    for run in runs:
        finish(run)
    compare(twos / "run", ones / "run", critic=2e-3)
    (row,) = rows(ones / "run")
    assert row["stage"] == "critic"
    assert float(row["loss"]) < 0  # minus a reward: there was something to judge


def test_processes_whose_batch_norms_learnt_from_other_pictures_go_on_with_one_encoder(
    recipe: Path,
) -> None:
    text = recipe.read_text().replace("keep = 0.5", "keep = 0").replace("epochs = 2", "epochs = 1")
    # Of four pictures, so that each process has others in the last step, too.
    text = text.replace(CRITIC, FROZEN_AGAIN).replace("batch = 3", "batch = 4")
    own = recipe.parent / "statistics.toml"
    own.write_text(text)
    folder = recipe.parent / "statistics"
    finish(start(own, folder, *TORCHRUN, "--nproc-per-node", "2", "-m", "seesay"))
    stages = [row["stage"] for row in rows(folder / "run")]
    assert stages == ["decoder", "everything", "decoder again"]


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are found in /proc")
def test_killed_process_ends_the_run_which_another_number_of_them_goes_on_with(
    recipe: Path, alone: Path
) -> None:
    folder = recipe.parent / "killed"
    run = start(recipe, folder, *TORCHRUN, "--nproc-per-node", "2", "-m", "seesay")
    checkpoint, deadline = folder / "run" / "last.safetensors", time.monotonic() + 200
    while not checkpoint.exists():
        assert run.poll() is None, run.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.002)
    os.kill(worker(run, rank=1), signal.SIGKILL)
    _, complained = run.communicate(timeout=100)  # the other one does not wait for it for ever
    assert run.returncode != 0
    assert complained.count("go on with the run by --resume") == 1
    # But for torchrun's own.
    assert complained.count("Traceback") == complained.count("ChildFailedError: ") == 1
    assert len(progress(folder / "run")["rows"]) < len(rows(alone))

    finish(start(recipe, folder, sys.executable, "-m", "seesay", resume=True))
    compare(folder / "run", alone)
