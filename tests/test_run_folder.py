"""What a run leaves to read and look at: its record, its curves, its samples."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import seesay
from core.errors import SeesayError
from core.model_file import load_model
from core.paths import BUILTIN_MODEL
from tests.tiny_runs import curves, rows, starts, write_config, write_weights
from tests.tiny_sets import shapes
from training.checkpoint import Progress
from training.config import read_config
from training.data import Example, load_split
from training.distributed import Group
from training.record import write_record
from training.samples import WIDTH, choose, draw_samples
from training.train import train

ROOT = Path(__file__).resolve().parent.parent
ALONE = Group(torch.device("cpu"))


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the command that is finished: two epochs, then one, of six steps each."""
    folder = tmp_path_factory.mktemp("run")
    data = shapes(folder / "shapes", 12)
    file = write_config(folder, write_weights(folder), data, epochs=(2, 1))
    file.write_text(file.read_text().replace("weight = 1.5", "weight = 1"))
    assert seesay.main(["train", str(file)]) == 0
    return file


@pytest.fixture(scope="module")
def folder(recipe: Path) -> Path:
    return recipe.parent / "run"


def test_recipe_and_all_that_is_needed_to_repeat_it(recipe: Path, folder: Path) -> None:
    assert (folder / "recipe.toml").read_bytes() == recipe.read_bytes()
    (start,) = starts(folder)
    assert start["config"]["seed"] == 1
    assert [stage["name"] for stage in start["config"]["stages"]] == ["decoder", "everything"]
    assert start["versions"]["python"] == platform.python_version()
    assert start["versions"]["torch"] == version("torch")
    assert start["processes"] == 1
    assert start["device"]
    assert start["resumed_at"] is None
    assert start["data"]["pictures"] == 12
    assert list(start["sha256"]) == [str(recipe.parent / "cnn.safetensors")]


def test_revision_of_the_code(folder: Path) -> None:
    git = ["git", "-C", str(ROOT), "ls-files", "training/record.py"]
    if not subprocess.run(git, capture_output=True, text=True).stdout:
        pytest.skip("this tree does not belong to Git")
    head = ["git", "-C", str(ROOT), "rev-list", "--max-count=50", "HEAD"]
    revision = starts(folder)[0]["git"]
    assert revision["commit"] in subprocess.run(head, capture_output=True, text=True).stdout
    patch = folder / "changes.patch"
    assert patch.exists() == revision["changed"]


def test_changes_of_the_code_can_be_made_again(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, run = tmp_path / "a project" / "training", tmp_path / "run"
    code.mkdir(parents=True)
    run.mkdir()

    def git(*command: str) -> None:
        identity = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        call = ["git", "-C", str(code.parent), *identity, *command]
        subprocess.run(call, check=True, capture_output=True)

    (code / "record.py").write_bytes(b"# caf\xe9\n")
    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    changed = {
        code / "record.py": b"# caf\xe9s\n",
        code / "new one.py": b"print()\n",
        code.parent / "n\u00e9w": b"\xe9\n",
    }
    for file, content in changed.items():
        file.write_bytes(content)
    monkeypatch.setattr("training.record.__file__", str(code / "record.py"))
    write_record(run, read_config(recipe), None, [], ALONE, None)
    git("reset", "--hard")
    git("clean", "-fd")
    git("apply", str(run / "changes.patch"))
    assert {file: file.read_bytes() for file in changed} == changed


def test_record_without_git(recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    write_record(tmp_path, read_config(recipe), None, [], ALONE, None)
    (start,) = starts(tmp_path)
    assert start["git"] is None
    assert not (tmp_path / "recipe.toml").exists()


def test_each_start_is_recorded_and_other_sentences_show(recipe: Path, tmp_path: Path) -> None:
    config = read_config(recipe)
    examples = load_split(Path(config.data[0].folder), "train")
    write_record(tmp_path, config, recipe, examples, ALONE, None)
    write_record(tmp_path, config, recipe, examples[1:], ALONE, Progress(stage=1, step=4))
    first, second = starts(tmp_path)
    assert second["resumed_at"] == {"stage": 1, "epoch": 0, "step": 4}
    assert first["data"]["sha256"] != second["data"]["sha256"]
    write_record(tmp_path, config, recipe, examples, ALONE, None)  # a run from its beginning
    assert len(starts(tmp_path)) == 1
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(SeesayError, match=r"run\.json is damaged"):
        write_record(tmp_path, config, recipe, examples, ALONE, Progress())


def test_curves_tell_what_the_log_tells(folder: Path) -> None:
    found = curves(folder)
    for name in ("loss", "cider_shapes", "cider_mean"):
        told = [float(row[name]) for row in rows(folder)]
        assert [value for _, value in found[f"epoch/{name}"]] == pytest.approx(told)
    places = [place for place, _ in found["epoch/loss"]]
    steps = [place for place, _ in found["step/loss"]]
    # Six steps an epoch, then its scores: places 6, 13, 20. Every tenth place that is a step.
    assert places == [6, 13, 20]
    assert steps == [0, 10]
    assert [place for place, _ in found["learning_rate/decoder"]] == steps
    assert all(0 < rate <= 5e-3 for _, rate in found["learning_rate/decoder"])


def test_each_epoch_has_a_sheet_of_samples(folder: Path) -> None:
    sheets = sorted((folder / "samples").iterdir())
    assert [sheet.name for sheet in sheets] == [f"epoch-00{number}.png" for number in (1, 2, 3)]
    events = EventAccumulator(str(folder / "tensorboard"))
    events.Reload()
    shown = events.Images("samples")
    assert [event.step for event in shown] == [6, 13, 20]
    for path, event in zip(sheets, shown, strict=True):
        sheet = Image.open(path)
        assert sheet.size == (WIDTH, event.height)
        assert sheet.height > 3 * 40  # pixels of each of the three pictures of `val`


def test_samples_show_a_tile_for_each_word_lit_where_the_model_looked() -> None:
    photographs = Path(pytest.importorskip("skimage").__file__).parent / "data"
    model, vocabulary, _ = load_model(BUILTIN_MODEL)
    example = Example(photographs / "chelsea.png", ("A cat looks past the camera.",))
    sheet = draw_samples(model.eval(), vocabulary, [example], beam=3)
    picture, *lit = first_line(np.asarray(sheet.convert("L"), dtype=float))
    assert picture.shape == (80, 120)
    assert len(lit) > 2
    for tile in lit:
        assert tile.shape == picture.shape
        assert tile.mean() < picture.mean()  # dark but for where the model looked
    assert len({tile.tobytes() for tile in lit}) == len(lit)


def test_pictures_of_all_sets_are_chosen_and_none_twice() -> None:
    sets = {
        name: [Example(Path(f"{name}/{number}.jpg"), ("A dog.",)) for number in range(count)]
        for name, count in (("many", 100), ("two", 2), ("other", 50))
    }
    chosen = [str(example.path) for example in choose(sets)]
    assert chosen == [
        f"{name}.jpg" for name in ("many/0", "many/50", "two/0", "two/1", "other/0", "other/25")
    ]


def first_line(sheet: np.ndarray) -> list[np.ndarray]:
    """The tiles of a sheet's first line, from left to right."""
    full = np.flatnonzero((sheet[:, 9:55] < 250).all(axis=1))  # letters leave gaps
    end = np.flatnonzero(np.diff(full, append=full[-1] + 2) > 1)[0]
    band = sheet[full[0] : full[end] + 1]
    edges = np.flatnonzero(np.diff(np.r_[0, (band < 250).all(axis=0), 0]))
    return [band[:, left:right] for left, right in edges.reshape(-1, 2)]


def test_a_finished_run_that_is_resumed_repeats_nothing(recipe: Path, folder: Path) -> None:
    before = curves(folder)
    train(read_config(recipe), resume=True)
    assert curves(folder) == before
    assert [start["resumed_at"] for start in starts(folder)] == [
        None,
        {"stage": 1, "epoch": 1, "step": 0},
    ]
