"""Another encoder for a trained model."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from core.model_file import load_model
from tests.tiny_models import save_tiny_model
from tests.tiny_sets import lively_cnn, shapes
from tests.tool_parts import status_of
from training import transplant
from training.pictures import load_square


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "training.transplant", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    save_tiny_model(folder)
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shapes(tmp_path_factory.mktemp("data") / "shapes")


def write_weights(path: Path, name: str) -> Path:
    save_file(lively_cnn(name, 64).state_dict(), path)
    return path


def test_the_decoder_sees_what_it_saw(trained: Path, data: Path, tmp_path: Path) -> None:
    weights = write_weights(tmp_path / "lite.safetensors", "efficientnet_lite0")
    new = tmp_path / "new"
    done = run(
        trained,
        *("--encoder", "efficientnet_lite0", "--weights", weights, "--data", data, "--to", new),
    )
    assert done.returncode == 0, done.stderr
    before, words, _ = load_model(trained)
    after, same_words, _ = load_model(new)
    assert same_words.words == words.words
    assert (after.config.encoder, after.config.image_size) == ("efficientnet_lite0", 64)
    paths = sorted((data / "images").iterdir())
    pixels = torch.stack([torch.from_numpy(load_square(path, 64)) for path in paths])
    with torch.inference_mode():
        wanted = before.decoder.look_at(before.encoder(pixels))
        found = after.decoder.look_at(after.encoder(pixels))
    # Most of these it was shown; there are fewer of them than channels, so that all can be fitted.
    shown = [int(path.stem) < 12 for path in paths]
    for name in ("summary", "values"):
        one, other = getattr(wanted, name)[shown], getattr(found, name)[shown]
        assert (one - other).norm() < 0.1 * (one - one.mean(dim=0)).norm(), name


@pytest.mark.parametrize(
    ("encoder", "weights", "sentence"),
    [
        ("no_such_net", None, "no_such_net cannot be used: torchvision has no model"),
        (
            "efficientnet_lite0",
            None,
            "efficientnet_lite0 cannot be used: torchvision has no weights",
        ),
        ("resnet18", "mobilenet_v2", "resnet18.safetensors cannot be used"),
        ("squeezenet1_1", "squeezenet1_1", "The two encoders divide pictures into other regions"),
    ],
)
def test_what_cannot_be_used_is_told(
    encoder: str,
    weights: str | None,
    sentence: str,
    trained: Path,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given: list[object] = [trained, "--encoder", encoder]
    if weights is not None:
        given += ["--weights", write_weights(tmp_path / f"{encoder}.safetensors", weights)]
    given += ["--data", data, "--to", tmp_path / "new"]
    assert status_of(transplant, *given, monkeypatch=monkeypatch) == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert "Traceback" not in told
    assert not (tmp_path / "new").exists()
