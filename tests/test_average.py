"""The average of models."""

from pathlib import Path
from types import ModuleType

import pytest
import torch

import training.average
import training.export
from core.errors import ModelError
from core.model import CaptionModel
from core.model_config import ModelConfig
from core.model_file import load_model, save_model
from core.vocabulary import Vocabulary
from tests.tool_parts import status_of
from training.average import average


def changed(tiny_model: Path, folder: Path, by: float) -> Path:
    """The tiny model with another bias of its output layer."""
    model, vocabulary, _ = load_model(tiny_model)
    with torch.no_grad():
        model.decoder.bias.fill_(by)
    save_model(model, vocabulary, folder, {"name": f"changed by {by}"})
    return folder


def test_weights_are_averaged_and_the_rest_is_the_last_ones(
    tiny_model: Path, tmp_path: Path
) -> None:
    one, other = changed(tiny_model, tmp_path / "a", 1), changed(tiny_model, tmp_path / "b", 2)
    average([one, other], tmp_path / "mean")
    model, vocabulary, config = load_model(tmp_path / "mean")
    assert model.decoder.bias.tolist() == [1.5] * len(vocabulary)
    assert config["name"] == "changed by 2"
    same = load_model(one)[0].decoder.query.weight
    torch.testing.assert_close(model.decoder.query.weight, same)


def with_own_layers(tiny_model: Path, folder: Path, own_layers: int) -> Path:
    """A model with the tiny one's words, and a second head with layers of its own."""
    _, vocabulary, _ = load_model(tiny_model)
    size = ModelConfig(
        len(vocabulary), "resnet18", 64, hidden=8, heads=2, classes=5, own_layers=own_layers
    )
    save_model(CaptionModel(size), vocabulary, folder, {"name": folder.name})
    return folder


def test_a_second_head_with_more_layers_of_its_own_is_kept(
    tiny_model: Path, tmp_path: Path
) -> None:
    first, last = (with_own_layers(tiny_model, tmp_path / str(n), n) for n in (1, 3))
    average([first, last], tmp_path / "mean")
    found = load_model(tmp_path / "mean")[0]
    one, other = load_model(first)[0], load_model(last)[0]
    assert found.config == other.config
    for name, tensor in found.state_dict().items():
        expected = other.state_dict()[name]
        if tensor.is_floating_point() and not name.startswith("recogniser."):
            expected = (expected + one.state_dict()[name]) / 2
        torch.testing.assert_close(tensor, expected, rtol=1e-2, atol=1e-2)  # of half precision
    with pytest.raises(ModelError, match="is not built as"):
        average([last, first], tmp_path / "other")


def test_models_of_other_words_are_refused(tiny_model: Path, tmp_path: Path) -> None:
    model, vocabulary, _ = load_model(tiny_model)
    foreign = Vocabulary([*vocabulary.words[:-1], "quagga"])
    save_model(model, foreign, tmp_path / "foreign", {"name": "foreign"})
    with pytest.raises(ModelError, match="is not built as"):
        average([tmp_path / "foreign", tiny_model], tmp_path / "mean")
    assert not (tmp_path / "mean").exists()


@pytest.mark.parametrize("tool", [training.average, training.export])
def test_a_folder_without_a_model_is_told_in_a_sentence(
    tool: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    target = ["--to", str(tmp_path / "mean")] if tool is training.average else []
    assert status_of(tool, tmp_path, *target, monkeypatch=monkeypatch) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"The model {tmp_path} has no readable config.json")
    assert len(told.splitlines()) == 1
