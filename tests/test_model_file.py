"""Models on disk: what is saved is what captions, and what is damaged or foreign is refused."""

import hashlib
import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save

from core.captioner import Captioner
from core.errors import ModelError
from core.model import CaptionModel
from core.model_config import ModelConfig
from core.model_file import load_model, save_model
from core.model_folder import CONFIG, WEIGHTS
from core.preprocess import PREPROCESSING
from core.torch_network import TorchNetwork
from core.vocabulary import SPECIALS, Vocabulary
from tests.picture_kinds import snapshot


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model, to be spoilt."""
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


def edit(folder: Path, **changes: Any) -> None:
    """Change entries of the config; None takes one out."""
    config = json.loads((folder / CONFIG).read_text())
    config = {key: value for key, value in {**config, **changes}.items() if value is not None}
    (folder / CONFIG).write_text(json.dumps(config))


def replace_weights(folder: Path, weights: bytes) -> None:
    """Put in other weights, with the hash that fits them."""
    (folder / WEIGHTS).write_bytes(weights)
    edit(folder, sha256=hashlib.sha256(weights).hexdigest())


def assert_refused(folder: Path, told: str) -> None:
    """One clear sentence that names the model and says what to do; nothing written."""
    before = sorted(folder.rglob("*"))
    with pytest.raises(ModelError, match=told) as caught:
        load_model(folder)
    message = str(caught.value)
    assert folder.name in message
    assert "\n" not in message
    assert any(word in message for word in ("install", "give", "copy", "train"))
    assert sorted(folder.rglob("*")) == before


def test_saving_and_loading_gives_identical_captions(tiny_model: Path, tmp_path: Path) -> None:
    model, vocabulary, config = load_model(tiny_model)
    save_model(model, vocabulary, tmp_path / "new" / "copy", {"name": config["name"]})
    copy = tmp_path / "new" / "copy"
    assert (copy / WEIGHTS).read_bytes() == (tiny_model / WEIGHTS).read_bytes()

    pictures = [snapshot(seed) for seed in range(5)]
    first, second, third = (
        [caption.to_dict() | {"seconds": 0} for caption in captioner.caption_many(pictures)]
        for captioner in (
            Captioner(TorchNetwork(model), model.config.image_size, vocabulary, config),
            Captioner.load(copy, "cpu"),
            Captioner.load(tiny_model, "cpu"),
        )
    )
    assert first == second == third
    assert len({caption["caption"] for caption in first}) > 1


def test_a_saved_model_is_described_by_its_config(folder: Path) -> None:
    model, vocabulary, config = load_model(folder)
    save_model(model, vocabulary, folder, {"name": "mine", "figures": {"cider": 50.5}})
    config = json.loads((folder / CONFIG).read_text())
    assert config["name"] == "mine"
    assert config["figures"] == {"cider": 50.5}
    assert config["vocabulary"] == list(vocabulary.words)
    assert config["preprocessing"]["mean"] == list(PREPROCESSING["mean"])
    assert config["architecture"]["encoder"] == "mobilenet_v2"
    assert config["sha256"] == hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    assert sorted(os.listdir(folder)) == [CONFIG, WEIGHTS]


def test_weights_take_half_precision_on_disk_and_full_in_memory(tiny_model: Path) -> None:
    model, _, _ = load_model(tiny_model)
    count = sum(tensor.numel() for tensor in model.state_dict().values())
    assert (tiny_model / WEIGHTS).stat().st_size < 2.2 * count
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert not model.training


def test_saving_leaves_the_model_as_it_was(tmp_path: Path) -> None:
    vocabulary = Vocabulary([*SPECIALS, "a", "dog"])
    model = CaptionModel(ModelConfig(len(vocabulary), "resnet18", 64, hidden=8, heads=2)).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    save_model(model, vocabulary, tmp_path, {"name": "mine"})
    assert model.training
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name])


@pytest.mark.parametrize("own_layers", [0, 1])
def test_a_head_that_names_things_is_saved_and_loaded(own_layers: int, tmp_path: Path) -> None:
    torch.manual_seed(3)
    vocabulary = Vocabulary([*SPECIALS, "a", "dog"])
    config = ModelConfig(
        len(vocabulary), "resnet18", 64, hidden=8, heads=2, classes=7, own_layers=own_layers
    )
    model = CaptionModel(config).eval()
    save_model(model, vocabulary, tmp_path, {"name": "mine"})
    pixels = torch.randint(0, 256, (3, 3, 64, 64), dtype=torch.uint8)
    with torch.inference_mode():
        shared = model.encoder.share(pixels)
        found = load_model(tmp_path)[0].recognise(shared)
        expected = model.recognise(shared)
    assert found.shape == (3, 7)
    # Its layers are kept in 8 bits: three digits at most.
    assert (found - expected).abs().max() < 0.02 * expected.abs().max()


def test_what_is_expected_of_pictures_is_saved_and_loaded(tmp_path: Path) -> None:
    torch.manual_seed(3)
    vocabulary = Vocabulary([*SPECIALS, "a", "dog"])
    sizes = ModelConfig(len(vocabulary), "resnet18", 64, hidden=8, heads=2, classes=7, expected=5)
    model = CaptionModel(sizes).eval()
    assert model.expectation is not None
    model.expectation.rarity.copy_(torch.rand(len(vocabulary)))
    save_model(model, vocabulary, tmp_path, {"name": "mine"})
    again = load_model(tmp_path)[0].expectation
    assert again is not None
    assert torch.equal(again.rarity, model.expectation.rarity)
    pooled, answers = torch.rand(3, 512), torch.randn(3, 7)
    with torch.inference_mode():
        found, expected = again(pooled, answers), model.expectation(pooled, answers)
    assert found.shape == (3, 5)
    assert (found - expected).abs().max() < 0.02 * expected.abs().max()  # of 8 bits


def test_no_more_words_can_be_expected_than_there_are() -> None:
    with pytest.raises(ValueError, match="expected must be a whole number from 0 to 6"):
        ModelConfig(6, expected=7)


def test_a_model_from_before_there_were_names_for_things(folder: Path) -> None:
    architecture = json.loads((folder / CONFIG).read_text())["architecture"]
    assert [architecture.pop(name) for name in ("classes", "own_layers", "expected")] == [0, 0, 0]
    edit(folder, architecture=architecture)
    model, _, _ = load_model(folder)
    assert model.recogniser is None
    assert model.expectation is None
    with pytest.raises(ValueError, match="no head"):
        model.recognise(torch.rand(1, 1280, 2, 2))


@pytest.mark.parametrize("name", ["no such folder", "with\0null"])
def test_no_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no readable config\.json; install"):
        load_model(tmp_path / name)


@pytest.mark.parametrize("missing", [CONFIG, WEIGHTS])
def test_a_missing_file(missing: str, folder: Path) -> None:
    (folder / missing).unlink()
    assert_refused(folder, f"no readable {missing}")


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS])
def test_a_folder_in_place_of_a_file(name: str, folder: Path) -> None:
    (folder / name).unlink()
    (folder / name).mkdir()
    assert_refused(folder, f"no readable {name}")


def test_a_file_in_place_of_the_folder(tiny_model: Path) -> None:
    with pytest.raises(ModelError, match="no readable"):
        load_model(tiny_model / WEIGHTS)


def cut(weights: bytes) -> bytes:
    return weights[: len(weights) // 2]


def flip(weights: bytes) -> bytes:
    middle = len(weights) // 2
    return weights[:middle] + bytes([weights[middle] ^ 1]) + weights[middle + 1 :]


@pytest.mark.parametrize("damage", [cut, flip, lambda _: b"", lambda weights: weights + b"\0"])
def test_damaged_weights(damage: Callable[[bytes], bytes], folder: Path) -> None:
    weights = folder / WEIGHTS
    weights.write_bytes(damage(weights.read_bytes()))
    assert_refused(folder, "damaged or belong to another")


class _Trap:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_a_pickle_is_not_opened(folder: Path, tmp_path: Path) -> None:
    trap = tmp_path / "executed"
    replace_weights(folder, pickle.dumps(_Trap(trap)))
    assert_refused(folder, "does not hold a model")
    torch.save({"trap": _Trap(trap)}, folder / WEIGHTS)
    replace_weights(folder, (folder / WEIGHTS).read_bytes())
    assert_refused(folder, "does not hold a model")
    assert not trap.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"weights = 1",
        b"\xff\xfe\x00",
        b"[" * 200_000 + b"]" * 200_000,
        b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
        b'{"format": ' + b"9" * 5000 + b"}",
    ],
    ids=["empty", "cut", "no JSON", "no text", "deep list", "deep object", "huge number"],
)
def test_a_config_that_is_no_json(content: bytes, folder: Path) -> None:
    (folder / CONFIG).write_bytes(content)
    assert_refused(folder, "no readable config")


@pytest.mark.parametrize("content", ["[]", "null", "1", '"text"', "{}", "NaN"])
def test_a_config_of_something_else(content: str, folder: Path) -> None:
    (folder / CONFIG).write_text(content)
    assert_refused(folder, "not the description of a Seesay model")


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"format": "1"},
        {"format": None},
        {"format": 10**400},
        {"sha256": None},
        {"name": None},
        {"name": 7},
    ],
    ids=str,
)
def test_another_description(changes: dict[str, Any], folder: Path) -> None:
    edit(folder, **changes)
    assert_refused(folder, "not the description of a Seesay model")


@pytest.mark.parametrize("hash", [7, [], "", "0" * 64])
def test_another_hash(hash: Any, folder: Path) -> None:
    edit(folder, sha256=hash)
    assert_refused(folder, "damaged or belong to another")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda words: words[:-1],
        lambda words: [*words, "zebra"],
        lambda words: [*words[:-1], words[-2]],
        lambda words: [*words[:-1], 7],
        lambda words: [*words[:-1], None],
        lambda words: [*words[:-1], ["dog"]],
        lambda words: [*words[:-1], "\x1b[31m"],
        lambda words: words[::-1],
        lambda words: " ".join(words),
        lambda words: dict.fromkeys(words, 1),
        lambda _: 7,
        lambda _: [],
        lambda _: None,
    ],
)
def test_another_vocabulary(spoil: Callable[[list[str]], Any], folder: Path) -> None:
    words = json.loads((folder / CONFIG).read_text())["vocabulary"]
    edit(folder, vocabulary=spoil(words))
    assert_refused(folder, "does not hold a model")


def test_a_vocabulary_of_no_words(tmp_path: Path) -> None:
    model = CaptionModel(ModelConfig(len(SPECIALS), "mobilenet_v2", 64, hidden=8, heads=2))
    save_model(model, Vocabulary(SPECIALS), tmp_path, {"name": "mute"})
    assert_refused(tmp_path, "does not hold a model")


@pytest.mark.parametrize(
    "changes",
    [
        {"encoder": "no_such_net"},
        {"encoder": "vit_b_16"},
        {"encoder": "resnet18"},
        {"encoder": "../mobilenet_v2"},
        {"encoder": 7},
        {"encoder": ["mobilenet_v2"]},
        {"encoder": None},
        {"image_size": 10**6},
        {"image_size": 1},
        {"image_size": 0},
        {"image_size": 64.0},
        {"image_size": 10**400},
        {"image_size": None},
        {"hidden": 10**9},
        {"hidden": 64},
        {"hidden": 0},
        {"hidden": -32},
        {"hidden": "32"},
        {"hidden": True, "heads": True},
        {"heads": 0},
        {"heads": 3},
        {"heads": 64},
        {"heads": -4},
        {"heads": True},
        {"heads": [4]},
        {"vocabulary_size": 10**9},
        {"vocabulary_size": -1},
        {"vocabulary_size": "all"},
        {"dropout": -0.1},
        {"dropout": 1.5},
        {"dropout": float("nan")},
        {"dropout": 10**400},
        {"dropout": "0.3"},
        {"classes": 5},
        {"classes": -1},
        {"classes": 10**9},
        {"classes": True},
        {"layers": 3},
    ],
    ids=lambda changes: str(changes)[:30],
)
def test_another_architecture(changes: dict[str, Any], folder: Path) -> None:
    architecture = json.loads((folder / CONFIG).read_text())["architecture"]
    edit(folder, architecture={**architecture, **changes})
    assert_refused(folder, "does not hold a model")


@pytest.mark.parametrize("architecture", [None, {}, [], "mobilenet_v2", 7, {"hidden": 32}])
def test_no_architecture(architecture: Any, folder: Path) -> None:
    edit(folder, architecture=architecture)
    assert_refused(folder, "does not hold a model")


State = dict[str, torch.Tensor]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda state: {**state, "decoder.bias": state["decoder.bias"][1:].clone()},
        lambda state: dict(list(state.items())[:-1]),
        lambda state: {**state, "more": torch.zeros(1)},
        lambda state: {f"module.{name}": tensor for name, tensor in state.items()},
        lambda _: {},
    ],
    ids=["another shape", "one missing", "one more", "other names", "none"],
)
def test_weights_of_another_model(spoil: Callable[[State], State], folder: Path) -> None:
    replace_weights(folder, save(spoil(load_file(folder / WEIGHTS))))
    assert_refused(folder, "does not hold a model")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_numbers(value: float, folder: Path) -> None:
    state = load_file(folder / WEIGHTS)
    state["decoder.query.weight"][0, 0] = value
    replace_weights(folder, save(state))
    assert_refused(folder, "not finite numbers")


def test_weights_of_another_training_of_the_same_model(folder: Path) -> None:
    """As after a kill between the two files: the old description beside the new weights."""
    description = (folder / CONFIG).read_bytes()
    model, vocabulary, config = load_model(folder)
    with torch.no_grad():
        model.decoder.bias.add_(1)
    save_model(model, vocabulary, folder, {"name": config["name"]})
    load_model(folder)
    (folder / CONFIG).write_bytes(description)
    assert_refused(folder, "damaged or belong to another")
