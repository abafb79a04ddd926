"""Confidence in names of things, learnt from what people mention."""

from pathlib import Path

import numpy as np
import pytest

from core.paths import BUILTIN_MODEL
from core.things import CLASSES, tree
from tests.tiny_sets import shapes
from tests.tool_parts import status_of
from training import things
from training.data import Example
from training.things import Row, fit, mentions, report, rows


def classes(name: str) -> np.ndarray:
    """Numbers of the classes that go by a name."""
    names, numbers = tree().members
    return numbers[names == tree().names.index(name)]


def certain(name: str) -> np.ndarray:
    """Logits of a classifier that is sure of a class that goes by this name."""
    found = np.zeros(CLASSES, np.float32)
    found[classes(name)[0]] = 14
    return found


def example(path: str, *sentences: str) -> Example:
    return Example(Path(path), sentences)


@pytest.mark.parametrize(
    ("sentence", "name", "expected"),
    [
        ("Two terriers play.", "dog", True),
        ("A dog plays.", "terrier", False),
        ("A puppy plays.", "dog", True),
        ("A man on a couch.", "sofa", True),
        ("Two BUSES wait.", "bus", True),
        ("Ladies at a party.", "dog", False),
        ("A hotdog stand.", "dog", False),
        ("A plane in the sky.", "vehicle", True),
    ],
)
def test_a_name_is_mentioned_by_itself_or_something_narrower(
    sentence: str, name: str, expected: bool
) -> None:
    assert mentions(["Nothing here.", sentence], name) is expected


def test_rows_go_from_wide_to_narrow() -> None:
    found = rows("set", [example("a", "A dog runs.")], certain("beagle")[None])
    told = {row.name: row.mentioned for row in found}
    assert {"animal", "dog", "hound", "beagle"} <= told.keys()
    assert told["animal"]
    assert told["dog"]
    assert not told["hound"]
    assert not told["beagle"]
    assert all(0 < row.belief <= 1 and row.data == "set" for row in found)


def test_habits_of_the_classifier_are_learnt() -> None:
    chance = np.random.default_rng(1)
    found = []
    for _ in range(2000):
        belief = float(chance.uniform(0.03, 1))
        found.append(Row("a", "dog", belief, bool(chance.random() < belief)))
        # Believed in as often, and hardly ever there.
        found.append(Row("a", "screen", belief, bool(chance.random() < 0.1 * belief)))
        # As "dog", in a data set whose sentences mention half.
        found.append(Row("b", "dog", belief, bool(chance.random() < 0.5 * belief)))
    fitted = fit(found, "a")
    shifts = fitted["shifts"]
    assert isinstance(shifts, dict)
    assert shifts["dog"] - shifts["screen"] > 1.5

    def expected(name: str, belief: float) -> float:
        slope, shift = fitted["slope"], fitted["shift"]
        assert isinstance(slope, float)
        assert isinstance(shift, float)
        z = slope * np.log(belief / (1 - belief)) + shift + shifts[name]
        return float(1 / (1 + np.exp(-z)))

    for belief in (0.2, 0.5, 0.8):
        assert expected("dog", belief) == pytest.approx(belief, abs=0.1)
    assert expected("screen", 0.5) < 0.15


def test_a_name_that_was_hardly_seen_stays_near_the_curve() -> None:
    chance = np.random.default_rng(1)
    many = [Row("a", "dog", one, bool(chance.random() < one)) for one in chance.uniform(0, 1, 500)]
    fitted = fit([*many, Row("a", "screen", 0.5, False)], "a")
    assert isinstance(fitted["shifts"], dict)
    assert -1 < fitted["shifts"]["screen"] < 0


def test_the_report_counts() -> None:
    examples = [example("a", "A dog runs."), example("b", "A man."), example("c", "Nothing.")]
    some_dog = np.zeros(CLASSES, np.float32)
    some_dog[classes("dog")] = 14
    logits = np.stack([some_dog, some_dog, np.zeros(CLASSES, np.float32)])
    text = report(examples, logits)
    assert "named something in 2 of 3 pictures" in text
    assert "dog: 1 of 2" in text


def test_two_data_sets_of_one_name_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sets = [shapes(tmp_path / place / "shapes", 2) for place in ("a", "b")]
    arguments = (BUILTIN_MODEL, "--data", *sets)
    assert status_of(things, *arguments, monkeypatch=monkeypatch) == 2
    assert capsys.readouterr().err == (
        "Two data sets are called shapes: rename one of the folders.\n"
    )


def test_a_missing_original_is_told_before_the_pictures_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = shapes(tmp_path / "shapes", 2)
    for picture in (data / "images").iterdir():
        picture.write_bytes(b"no picture, which would be told otherwise")
    arguments = (BUILTIN_MODEL, "--data", data, "--original", tmp_path / "no.safetensors")
    assert status_of(things, *arguments, monkeypatch=monkeypatch) == 2
    assert "no.safetensors cannot be read as torchvision's weights" in capsys.readouterr().err


def test_a_model_that_names_nothing_is_told_in_a_sentence(
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = (tiny_model, "--data", tmp_path)
    assert status_of(things, *arguments, monkeypatch=monkeypatch) == 2
    assert "names no things" in capsys.readouterr().err
