"""Things that a model recognises, through the captioner and the command line."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import seesay
from core.captioner import Captioner
from core.confidence import UNCALIBRATED
from core.model import CaptionModel
from core.model_file import load_model, save_model
from core.things import CLASSES
from tests.picture_kinds import save_snapshot, snapshot

GOLDEN_RETRIEVER = 207  # of ImageNet's classes


@pytest.fixture(scope="module")
def model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model with a second head, to which everything is the same breed of dog."""
    without, vocabulary, _ = load_model(tiny_model)
    model = CaptionModel(replace(without.config, classes=CLASSES))
    model.load_state_dict(without.state_dict(), strict=False)
    assert model.recogniser is not None
    answer = model.recogniser[-1]
    assert isinstance(answer, torch.nn.Linear)
    with torch.no_grad():
        answer.weight.zero_()
        answer.bias.zero_()
        answer.bias[GOLDEN_RETRIEVER] = 12
    folder = tmp_path_factory.mktemp("models") / "naming"
    save_model(model, vocabulary, folder, {"name": "naming"})
    return folder


@pytest.fixture
def captioner(model: Path) -> Captioner:
    return Captioner.load(model, "cpu")


def test_what_is_recognised_is_said_instead_of_a_guess(captioner: Captioner) -> None:
    unsure = captioner.caption(snapshot(2))
    assert unsure.level == "unsure"
    assert unsure.caption is not None
    assert "golden retriever" in [thing.name for thing in unsure.things]
    assert unsure.spoken.startswith("I am not sure what is happening here. I see ")
    assert "golden retriever" in unsure.spoken
    # Nor is a sentence that would mislead followed by nothing.
    captioner.confidence = replace(UNCALIBRATED, none=1.0)
    none = captioner.caption(snapshot(2))
    assert (none.caption, none.level, none.spoken) == (None, "none", unsure.spoken)
    # A sentence that is to be trusted needs no such help.
    captioner.confidence = replace(UNCALIBRATED, sure=0.0)
    sure = captioner.caption(snapshot(2))
    assert sure.spoken == sure.caption == unsure.caption
    assert sure.things == unsure.things


def test_nothing_is_recognised_in_what_is_no_photograph(captioner: Captioner) -> None:
    captions = captioner.caption_many([np.zeros((60, 80, 3), np.uint8), snapshot(2)])
    assert [bool(caption.things) for caption in captions] == [False, True]
    assert "dog" not in captions[0].spoken


def test_json_carries_the_things(
    model: Path, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_snapshot(tmp_path / "photo.png", 2)
    arguments = ("caption", "--json", "--no-text", str(tmp_path / "photo.png"), "--model")
    assert seesay.main([*arguments, str(model)]) == 0
    things = json.loads(capsys.readouterr().out)["things"]
    assert 1 <= len(things) <= 3
    assert "golden retriever" in [thing["name"] for thing in things]
    for thing in things:
        assert set(thing) == {"name", "confidence"}
        assert 0.5 <= thing["confidence"] <= 1
    # A model without a second head names none.
    assert seesay.main([*arguments, str(tiny_model)]) == 0
    assert json.loads(capsys.readouterr().out)["things"] == []
