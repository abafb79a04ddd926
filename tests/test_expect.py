"""What a model learns to expect of pictures."""

import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.captioner import Captioner
from core.model import CaptionModel, without_head
from core.model_config import ModelConfig
from core.model_file import load_model, save_model
from core.model_folder import read_model_folder
from core.network import load_network
from core.search import beam_search
from core.vocabulary import Vocabulary
from tests.tiny_sets import COLOURS, lively_cnn, shapes
from tests.tool_parts import status_of
from training import expect
from training.average import average
from training.config import DataConfig, StageConfig, TrainConfig
from training.data import load_split
from training.distributed import join
from training.keep import Teacher, add_recogniser
from training.pictures import load_square
from training.train import Trainer
from training.transplant import transplant


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shapes(tmp_path_factory.mktemp("data") / "shapes", train=18)


@pytest.fixture(scope="module")
def start(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that knows the words of the shapes, but writes nonsense; with a second head."""
    sentences = [one for example in load_split(data, "train") for one in example.sentences]
    vocabulary = Vocabulary.build(sentences, min_count=1)
    cnn = lively_cnn("mobilenet_v2", 64)
    model = CaptionModel(ModelConfig(len(vocabulary), "mobilenet_v2", 64, hidden=32, heads=4))
    folder = tmp_path_factory.mktemp("models") / "start"
    save_model(add_recogniser(model, Teacher(cnn), 2), vocabulary, folder, {"name": "start"})
    return folder


@pytest.fixture(scope="module")
def taught(start: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "taught"
    with pytest.MonkeyPatch.context() as patch:
        arguments = (start, "--data", data, "--to", folder)
        assert status_of(expect, *arguments, monkeypatch=patch) == 0
    return folder


def test_what_people_say_of_such_pictures_is_expected(taught: Path, data: Path) -> None:
    captioner = Captioner.load(taught, "cpu")
    words = captioner.vocabulary.words
    for example in load_split(data, "train"):
        pixels = torch.from_numpy(load_square(example.path, 64)).unsqueeze(0).numpy()
        expected = captioner.network.see(pixels).expected[0]
        assert len(expected) == len(words)
        colour = max(COLOURS, key=lambda name: float(expected[words.index(name)]))
        assert f" {colour} " in example.sentences[0]
    assert captioner.config["name"] == "start"


def test_the_sentence_that_says_what_is_expected_wins(taught: Path, data: Path) -> None:
    """By its likelihood alone another would, for the decoder's weights are random."""
    captioner = Captioner.load(taught, "cpu")
    likeliest = set()
    for example in load_split(data, "train")[:6]:
        pixels = torch.from_numpy(load_square(example.path, 64)).unsqueeze(0).numpy()
        sight = captioner.network.see(pixels)
        unmoved = replace(sight, expected=np.zeros_like(sight.expected))
        found, other = (
            captioner.vocabulary.decode(beam_search(captioner.network, one, 20, 3)[0].words)
            for one in (sight, unmoved)
        )
        likeliest.add(tuple(other))
        assert {*found} & {*COLOURS} == {*example.sentences[0].split()} & {*COLOURS}, found
    assert len(likeliest) == 1


def test_rarity_is_the_field_s_inverse_document_frequency() -> None:
    rarity = expect.find_rarity([[[4, 4, 2], [5, 2]], [[4, 2]], [[6, 2]], [[4, 2]]], 8)
    expected = [math.log(4)] * 2 + [0, math.log(4), math.log(4 / 3), *[math.log(4)] * 3]
    assert rarity.tolist() == pytest.approx(expected)


def test_another_encoder_expects_nothing(
    taught: Path, start: Path, data: Path, tmp_path: Path
) -> None:
    """Nor does one that goes on learning: both are to be taught anew."""
    average([taught, start], tmp_path / "mean")
    assert load_model(tmp_path / "mean")[0].expectation is None
    model, _, _ = load_model(taught)
    cnn = without_head(lively_cnn("mobilenet_v2", 64))
    paths = [example.path for example in load_split(data, "train")]
    assert transplant(model, "mobilenet_v2", cnn, 64, paths).expectation is None
    stage = StageConfig("decoder", epochs=1, batch=2, learning_rate=1e-3)
    run = TrainConfig(
        "more", str(tmp_path / "run"), (DataConfig(str(data)),), (stage,), {}, start=str(taught)
    )
    with join() as group:
        trained = Trainer(run, group).model
    assert trained.expectation is None
    assert trained.config == load_model(start)[0].config


def test_a_model_can_be_taught_anew(taught: Path, data: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(taught, tmp_path / "copy"))
    model, vocabulary, _ = load_model(copy)
    network = load_network(read_model_folder(copy))
    again = expect.expect(model, network, vocabulary, [load_split(data, "train")], meteor=0)
    assert again.expectation is not None
    first = load_model(taught)[0].expectation
    assert first is not None
    one, other = again.expectation.linear.weight, first.linear.weight
    assert (one - other).norm() < 0.05 * one.norm()  # in 8 bits


def test_what_is_missing_is_told(
    start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = (start, "--data", tmp_path / "no set", "--to", tmp_path / "new")
    assert status_of(expect, *arguments, monkeypatch=monkeypatch) == 2
    assert "holds neither dataset*.json" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_one_picture_teaches_nothing(
    start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = (start, "--data", shapes(tmp_path / "one", train=1), "--to", tmp_path / "new")
    assert status_of(expect, *arguments, monkeypatch=monkeypatch) == 2
    assert "Nothing can be learnt from one picture" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
