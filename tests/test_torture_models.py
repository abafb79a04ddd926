"""The heavy tests of bad models and homes, in short; models forged with the right hashes."""

import hashlib
import json
import random
import shutil
from pathlib import Path

import onnx
import pytest
from safetensors.numpy import load_file, save

from core.captioner import Captioner
from core.errors import ModelError
from core.model_folder import CONFIG, GRAPHS, WEIGHTS
from core.paths import BUILTIN_MODEL
from tests.picture_kinds import save_snapshot, snapshot
from tests.torture import bad_homes, bad_models


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of a model with graphs, to be spoilt."""
    return Path(shutil.copytree(BUILTIN_MODEL, tmp_path / "model"))


def forge(folder: Path, name: str, content: bytes) -> None:
    """Put in another file, with the hash that fits it."""
    (folder / name).write_bytes(content)
    config = json.loads((folder / CONFIG).read_text())
    digest = hashlib.sha256(content).hexdigest()
    if name == WEIGHTS:
        config["sha256"] = digest
    else:
        config["graphs"][name] = digest
    (folder / CONFIG).write_text(json.dumps(config))


def test_a_few_bad_models() -> None:
    result = bad_models.run(BUILTIN_MODEL, 8)
    assert result.failures == []
    assert result.tried == 8


@pytest.mark.parametrize("name", GRAPHS)
def test_another_graph_in_the_place_of_one(name: str, folder: Path) -> None:
    for other in GRAPHS:
        if other != name:
            forge(folder, name, (folder / other).read_bytes())
            with pytest.raises(ModelError, match="another version of Seesay: export"):
                Captioner.load(folder, "cpu")


def test_weights_that_are_not_numbers_show_when_they_run(folder: Path) -> None:
    weights = load_file(folder / WEIGHTS)
    weights["decoder.query.weight"][:] = float("nan")
    forge(folder, WEIGHTS, save(weights))
    with pytest.raises(ModelError, match="not finite numbers"):
        Captioner.load(folder, "cpu").caption(snapshot(1), text=False)


@pytest.mark.parametrize("place", ["../secret.bin", "/etc/passwd"])
def test_a_graph_takes_weights_from_its_own_folder_alone(place: str, folder: Path) -> None:
    (folder.parent / "secret.bin").write_bytes((folder / WEIGHTS).read_bytes())
    model = onnx.load(folder / GRAPHS[0], load_external_data=False)
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = place
    forge(folder, GRAPHS[0], model.SerializeToString())
    with pytest.raises(ModelError, match="this version of Seesay can read"):
        Captioner.load(folder, "cpu")


def test_the_same_seed_spoils_in_the_same_way(folder: Path, tmp_path: Path) -> None:
    done = bad_models.spoil(folder, tmp_path / "trap", random.Random(3))
    again = Path(shutil.copytree(BUILTIN_MODEL, tmp_path / "again"))
    assert bad_models.spoil(again, tmp_path / "trap", random.Random(3)) == done
    for name in (CONFIG, WEIGHTS, *GRAPHS):
        assert (folder / name).read_bytes() == (again / name).read_bytes()


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    if not bad_homes.can_mount():
        pytest.skip("only root may make file systems for it")
    save_snapshot(tmp_path / "photo.png")
    (tmp_path / "place").mkdir()
    photo, place = tmp_path / "photo.png", tmp_path / "place"
    assert bad_homes.examine("full", BUILTIN_MODEL, photo, place) == []
