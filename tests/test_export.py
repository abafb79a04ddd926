"""A model that was exported: the same sentences from onnxruntime, without torch."""

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from core.captioner import Captioner
from core.errors import ModelError
from core.model import CaptionModel
from core.model_file import load_model, save_model
from core.model_folder import CONFIG, GRAPHS, WEIGHTS, read_model_folder
from core.onnx_network import OnnxNetwork
from core.paths import BUILTIN_MODEL
from core.torch_network import TorchNetwork
from tests.picture_kinds import save_snapshot, snapshot
from tests.tiny_sets import lively_cnn
from training.export import export
from training.keep import Teacher, add_recogniser


@pytest.fixture(scope="module")
def exported(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model with a second head that has layers of its own, and with an expectation."""
    model, vocabulary, _ = load_model(tiny_model)
    teacher = Teacher(lively_cnn(model.config.encoder, model.config.image_size))
    naming = add_recogniser(model, teacher, 2)
    made = CaptionModel(replace(naming.config, expected=len(vocabulary) - 3))
    made.load_state_dict(naming.state_dict(), strict=False)
    assert made.expectation is not None
    made.expectation.rarity.copy_(torch.arange(len(vocabulary)) / len(vocabulary))
    folder = tmp_path_factory.mktemp("models") / "exported"
    save_model(made, vocabulary, folder, {"name": "exported"})
    export(folder)
    return folder


@pytest.fixture
def folder(exported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported, tmp_path / "model"))


def test_both_networks_compute_the_same(exported: Path) -> None:
    files = read_model_folder(exported)
    onnx, torched = OnnxNetwork(files), TorchNetwork.load(files, "cpu")
    side = files.architecture.image_size
    pixels = np.random.default_rng(1).integers(0, 256, (3, 3, side, side), dtype=np.uint8)
    assert onnx.rarity is not None
    assert torched.rarity is not None
    assert onnx.rarity.tolist() == torched.rarity.tolist()
    first, second = onnx.see(pixels), torched.see(pixels)
    assert first.expected.shape == (3, files.architecture.expected)
    for name, array in vars(first).items():
        assert array == pytest.approx(vars(second)[name], rel=1e-3, abs=1e-3), name
    for most in (1, 12):
        for name, array in vars(onnx.search(second, 2, most, 0.7)).items():
            expected = vars(torched.search(second, 2, most, 0.7))[name]
            assert array.dtype == expected.dtype
            assert array == pytest.approx(expected, rel=1e-3, abs=1e-3), name


@pytest.mark.parametrize("beam", [1, 3])
def test_the_sentences_are_the_same(exported: Path, beam: int, tmp_path: Path) -> None:
    plain = Path(shutil.copytree(exported, tmp_path / "plain"))
    config = json.loads((plain / CONFIG).read_text())
    del config["graphs"]
    (plain / CONFIG).write_text(json.dumps(config))
    fast, slow = Captioner.load(exported, "cpu"), Captioner.load(plain, "cpu")
    assert isinstance(fast.network, OnnxNetwork)
    assert isinstance(slow.network, TorchNetwork)
    pictures = [snapshot(seed) for seed in range(4)]
    for one, other in zip(
        fast.caption_many(pictures, beam), slow.caption_many(pictures, beam), strict=True
    ):
        assert (one.caption, one.level, one.things) == (other.caption, other.level, other.things)
        assert one.confidence == pytest.approx(other.confidence, abs=1e-3)
        assert [word.where for word in one.words] == [word.where for word in other.words]


def test_torch_is_not_needed(exported: Path, tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    save_snapshot(picture, 3)
    code = (
        "import sys; sys.modules['torch'] = None; import seesay; "
        f"sys.exit(seesay.main(['caption', '--model', {str(exported)!r}, {str(picture)!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()


def test_graphs_hold_no_weights_and_no_paths(exported: Path) -> None:
    assert sum((exported / name).stat().st_size for name in GRAPHS) < 500_000
    for folder in (exported, BUILTIN_MODEL):
        for name in GRAPHS:
            content = (folder / name).read_bytes()
            assert b".py" not in content
            assert b"File " not in content


def test_the_built_in_model_is_exported() -> None:
    assert isinstance(Captioner.load(device="cpu").network, OnnxNetwork)


def test_a_processor_runs_the_graphs_whatever_else_the_machine_seems_to_have(
    exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.network._may_have_graphics_card", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert isinstance(Captioner.load(exported).network, OnnxNetwork)


def test_the_exported_model_keeps_its_name(exported: Path) -> None:
    assert json.loads((exported / CONFIG).read_text())["name"] == "exported"


@pytest.mark.parametrize("name", [*GRAPHS, WEIGHTS])
def test_a_damaged_file_is_refused(name: str, folder: Path) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ModelError, match="damaged"):
        Captioner.load(folder, "cpu")
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"has no readable {name}"):
        Captioner.load(folder, "cpu")


def test_graphs_that_are_none_are_refused(folder: Path) -> None:
    """As from somebody who can compute hashes."""
    (folder / GRAPHS[0]).write_bytes(b"no graph")
    config = json.loads((folder / CONFIG).read_text())
    config["graphs"][GRAPHS[0]] = hashlib.sha256(b"no graph").hexdigest()
    (folder / CONFIG).write_text(json.dumps(config))
    with pytest.raises(ModelError, match="this version of Seesay can read"):
        Captioner.load(folder, "cpu")


@pytest.mark.parametrize(
    ("rarity", "told"),
    [
        (None, "this version of Seesay can read"),
        (torch.ones(3), "this version of Seesay can read"),
        (torch.full((1,), torch.nan), "not finite numbers"),
    ],
)
def test_a_rarity_of_words_that_is_none_is_refused(
    rarity: torch.Tensor | None, told: str, folder: Path
) -> None:
    """As above; the graphs take their weights from other places of the file."""
    tensors = load_file(folder / WEIGHTS)
    config = json.loads((folder / CONFIG).read_text())
    own = tensors.pop("expectation.rarity")
    if rarity is not None:
        tensors["expectation.rarity"] = rarity if len(rarity) > 1 else rarity.expand_as(own).clone()
    save_file(tensors, folder / WEIGHTS)
    config["sha256"] = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    (folder / CONFIG).write_text(json.dumps(config))
    with pytest.raises(ModelError, match=told):
        OnnxNetwork(read_model_folder(folder))


def test_other_weights_are_noticed_before_anything_runs(folder: Path) -> None:
    model, vocabulary, _ = load_model(folder)
    with torch.no_grad():
        model.decoder.bias.add_(1)
    save_model(model, vocabulary, folder, {"name": "other"})  # without graphs in its config
    assert isinstance(Captioner.load(folder, "cpu").network, TorchNetwork)
