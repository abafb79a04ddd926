"""Scores of captions, and ``evaluate`` from pictures to figures."""

import errno
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pycocoevalcap
import pytest
import torch
from PIL import Image

from core.errors import ModelError, PictureError, SeesayError
from core.model import CaptionModel
from core.model_config import ModelConfig
from core.model_file import save_model
from core.vocabulary import Vocabulary
from tests.picture_kinds import save_snapshot
from tests.tiny_sets import entry, karpathy
from training.data import DataError
from training.evaluate import evaluate
from training.scores import cider, score

REFERENCES = [
    ["A brown dog runs across the green grass.", "The dog is running on grass."],
    ["A man in a red shirt rides a bike down the street.", "A man is riding a bicycle."],
    ["Two children play in the cold water of a lake.", "Children are swimming in a lake."],
    ["A kitchen with a white stove and a wooden table.", "This is a small kitchen."],
]
PERFECT = [sentences[0] for sentences in REFERENCES]
FAIR = ["A dog runs on grass.", "A man on a bike.", "Children in water.", "A kitchen with a table."]
WRONG = ["Nobody sees some boats."] * 4


@pytest.fixture
def no_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("no_java")
def test_scores_without_java_come_and_are_marked() -> None:
    perfect, fair, wrong = (score(captions, REFERENCES) for captions in (PERFECT, FAIR, WRONG))
    assert perfect["meteor"] is None
    assert "not comparable" in perfect["tokenizer"]
    for name in ("bleu1", "bleu2", "bleu3", "bleu4", "rouge_l"):
        assert perfect[name] == pytest.approx(100, abs=0.01)
        assert perfect[name] > fair[name] > wrong[name]
    assert perfect["cider"] > fair["cider"] > wrong["cider"] == 0


@pytest.mark.usefixtures("no_java")
def test_bleu_by_hand() -> None:
    found = score(["the cat the cat on the mat"], [["The cat is on the mat."]])
    # Clipped counts: the 2, cat 1, on 1, mat 1 of 7 words; the cat 1, on the 1, the mat 1 of 6.
    assert found["bleu1"] == pytest.approx(100 * 5 / 7, abs=0.01)
    assert found["bleu2"] == pytest.approx(100 * (5 / 7 * 3 / 6) ** 0.5, abs=0.01)


@pytest.mark.skipif(shutil.which("java") is None, reason="Java is not installed")
def test_scores_with_java() -> None:
    # Nothing that a sentence may hold, and no empty one, may shift the others by a line.
    odd = "\N{LINE SEPARATOR}a kitchen\nwith\r\na \x85 white \N{GRINNING FACE} stove\x0b and"
    references = [["", "A dog runs."], *REFERENCES[1:3], ["A kitchen with a white stove and"]]
    found = score(["A dog runs!", PERFECT[1], "", odd], references)
    assert found["tokenizer"] == "ptb"
    assert found["rouge_l"] == 75  # three are as people said it, one is empty
    assert 50 < found["bleu4"] < 100
    assert 50 < found["meteor"] < 100
    assert "java" not in names_of_children()


@pytest.mark.skipif(shutil.which("java") is None, reason="Java is not installed")
def test_scores_where_the_installation_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    make: Any = tempfile.NamedTemporaryFile
    installed = Path(pycocoevalcap.__path__[0])

    def refuse(*arguments: Any, dir: str, **options: Any) -> Any:
        if Path(dir).is_relative_to(installed):
            raise PermissionError(errno.EACCES, "Permission denied")
        return make(*arguments, dir=dir, **options)

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", refuse)
    found = score(PERFECT, REFERENCES)
    assert (found["tokenizer"], found["rouge_l"]) == ("ptb", 100)


@pytest.mark.skipif(shutil.which("java") is None, reason="Java is not installed")
def test_no_room_for_a_temporary_file_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", refuse)
    with pytest.raises(SeesayError, match="make room"):
        score(PERFECT, REFERENCES)


def names_of_children() -> list[str]:
    """Of this process; none where there is no /proc to see them."""
    names = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, rest = file.read_text().split("(", 1)[1].rsplit(")", 1)
        except OSError:
            continue  # it has just ended
        if int(rest.split()[1]) == os.getpid():
            names.append(name)
    return names


@pytest.mark.skipif(os.name != "posix", reason="makes a shell script")
def test_a_java_that_cannot_run_counts_as_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho no runtime present >&2\nexit 1\n")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert score(FAIR, REFERENCES)["meteor"] is None


def test_cider_prefers_what_people_agree_on() -> None:
    perfect, fair, wrong = (cider(captions, REFERENCES) for captions in (PERFECT, FAIR, WRONG))
    assert perfect > fair > wrong == 0
    # Each of two references counts half, and 10 is CIDEr's own factor.
    alone = [sentences[:1] for sentences in REFERENCES]
    assert cider(PERFECT, alone) == pytest.approx(1000)
    assert cider(["", *PERFECT[1:]], alone) == pytest.approx(750)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    torch.manual_seed(3)
    words = Vocabulary.build([" ".join(PERFECT)], 1)
    config = ModelConfig(len(words), "mobilenet_v3_small", image_size=64, hidden=16, heads=2)
    save_model(CaptionModel(config), words, folder, {"name": "tiny"})
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    entries = [
        entry("test", f"{number}.png", sentences) for number, sentences in enumerate(REFERENCES)
    ]
    folder = karpathy(tmp_path / "set", entries)
    for number in range(len(REFERENCES)):
        save_snapshot(folder / f"images/{number}.png", number)
    Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(folder / "images/2.png")
    return folder


@pytest.mark.usefixtures("no_java")
def test_evaluate(model: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = evaluate(data, "test", 2, "cpu", model)
    assert (found["images"], found["silent"], found["beam"]) == (4, 1, 2)
    assert (found["model"], found["data"], found["split"]) == ("tiny", str(data), "test")
    assert found["seconds"] >= 0
    assert found["meteor"] is None
    for name in ("bleu1", "bleu2", "bleu3", "bleu4", "rouge_l", "cider"):
        assert 0 <= found[name] < 100
    printed = capsys.readouterr()
    assert printed.out == ""  # standard output is the command's
    assert "4/4" in printed.err


def test_evaluate_tells_what_is_wrong(model: Path, data: Path) -> None:
    with pytest.raises(DataError, match="val"):
        evaluate(data, "val", 1, "cpu", model)
    with pytest.raises(ModelError):
        evaluate(data, "test", 1, "cpu", data)
    (data / "images/3.png").write_text("no picture")
    with pytest.raises(PictureError, match=r"3\.png"):
        evaluate(data, "test", 1, "cpu", model)
