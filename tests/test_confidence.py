"""How far a sentence is trusted: the evidence, the calibration in a model's config, the levels."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage import data

from core.captioner import Captioner
from core.confidence import EVIDENCE, UNCALIBRATED, Confidence, Term, read_confidence, weigh
from core.errors import ModelError
from core.model_folder import CONFIG
from core.search import Hypothesis, Rival
from training.calibrate import write_confidence

HIDDEN = 32  # of the tiny model


def confidence(bias: float = 0.0, sure: float = 0.7, none: float = 0.1, **more: Any) -> Confidence:
    """One in which nothing counts but what is given."""
    terms = {name: Term(0.0, 1.0, 0.0) for name in EVIDENCE}
    terms |= more.pop("terms", {})
    values = {"scene": (0.0,) * HIDDEN, "words": {}, **more}
    return Confidence(terms=terms, bias=bias, sure=sure, none=none, **values)


def hypothesis(
    words: tuple[int, ...], log_probs: tuple[float, ...], *rivals: Rival, expected: float = 0.0
) -> Hypothesis:
    nothing = np.zeros(len(words))
    entropies = tuple(0.5 * at for at in range(len(log_probs)))
    score = sum(log_probs) + expected
    return Hypothesis(
        words, log_probs, entropies, nothing[:, None], nothing, score, rivals, expected
    )


def picture(seed: int) -> np.ndarray:
    """A part of the photograph of a cat; no two seeds look alike."""
    left = 40 * seed
    cat = data.chelsea()  # type: ignore[no-untyped-call]
    return np.ascontiguousarray(cat[:, left : left + 240])


@pytest.fixture
def captioner(tiny_model: Path) -> Captioner:
    return Captioner.load(tiny_model, "cpu")


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    for file in tiny_model.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def test_evidence_by_hand() -> None:
    words = ["a", "dog", "runs", "on", "the", "grass"]
    log_probs = (-0.1, -2.0, -0.4, -0.1, -0.1, -1.0, -0.5)  # -4.2
    rivals = (Rival((4, 5, 6, 7, 8), -4.2 - math.log(2) / 2), Rival((4,), -100.0))
    blind = (-0.1, -3.0, -2.4, -0.1, -0.1, -3.0, -0.6)  # -9.3
    found = weigh(hypothesis((4, 5, 6, 7, 8, 9), log_probs, *rivals), words, blind)
    assert found == pytest.approx(
        {
            "least": -1.5,
            "entropy": 1.5,
            "gain": (9.3 - 4.2) / 7,
            "content_likelihood": -3.4 / 3,  # dog, runs, grass
            "margin": math.log(2) / 2,
            "agreement": (1 + 0.5 * 10 / 11) / 1.5,
            "variety": 1.0,
            "expected": 0.0,
        }
    )


def test_what_was_expected_counts_apart_from_what_is_likely() -> None:
    """A rival may be more probable than the sentence that won."""
    words = ["a", "dog", "runs", "on", "the", "grass"]
    blind = (-0.6,) * 7
    rivals = (Rival((4, 5, 6, 7, 8), -2.0, 1.5), Rival((4,), -3.0, 0.0))  # alone: -3.5, -3
    won = hypothesis((4, 5, 6, 7, 8, 9), (-0.5,) * 7, *rivals, expected=2.0)
    found = weigh(won, words, blind)
    assert found["expected"] == 2.0
    assert found["margin"] == pytest.approx(-0.5)
    alike = (1 + 1.0 * 10 / 11 + math.exp(2 * 0.5) * 2 / 7) / (2 + math.exp(1))
    assert found["agreement"] == pytest.approx(alike)


def test_short_sentences_are_weighed_by_their_likelihood_alone() -> None:
    found = weigh(hypothesis((4, 5, 6, 7), (-0.1,) * 5), ["this", "is", "a", "kitchen"], (0.0,) * 5)
    assert found == pytest.approx({"short": 1.0, "short_likelihood": -0.1})
    judge = confidence(scene=(1.0,) * HIDDEN, words={"kitchen": 5.0})
    assert judge.probability(found, ["this", "is", "a", "kitchen"], [1.0] * HIDDEN) == 0.5


def test_a_sentence_without_rivals_or_content() -> None:
    lone = hypothesis((4, 5, 4, 5, 4, 5), (-1.0,) * 7)
    found = weigh(lone, ["on", "the"] * 3, (-1.0,) * 7)
    assert found["agreement"] == 1
    assert found["margin"] == 7
    assert found["content_likelihood"] == -1
    assert found["variety"] == pytest.approx(1 / 3)


def test_probability_is_logistic_in_what_speaks_for_a_sentence() -> None:
    judge = confidence(
        bias=0.5,
        terms={"gain": Term(mean=1.0, scale=2.0, weight=1.5)},
        scene=(0.25,) * HIDDEN,
        words={"dog": -0.75},
    )
    logit = 0.5 + 1.5 * (4.0 - 1.0) / 2 + 0.25 * HIDDEN * 0.1 - 0.75
    told = judge.probability({"gain": 4.0}, ["dog", "dog", "runs"], [0.1] * HIDDEN)
    assert told == pytest.approx(1 / (1 + math.exp(-logit)))


def test_evidence_that_calibration_never_saw_proves_no_more() -> None:
    judge = confidence(terms={"gain": Term(0.0, 1.0, 1.0)})
    far, further = (judge.probability({"gain": value}, [], [0.0] * HIDDEN) for value in (3, 1000))
    assert far == further < 0.96
    sure = confidence(bias=1e5)
    assert sure.probability({}, [], [0.0] * HIDDEN) == pytest.approx(1)


def test_levels() -> None:
    judge = confidence(sure=0.7, none=0.1)
    told = [judge.level(value) for value in (0.0, 0.0999, 0.1, 0.6999, 0.7, 1.0)]
    assert told == ["none", "none", "unsure", "unsure", "sure", "sure"]


def test_a_model_that_was_never_calibrated_is_never_sure(captioner: Captioner) -> None:
    assert captioner.confidence is UNCALIBRATED
    assert UNCALIBRATED.level(1.0) == "unsure"
    for caption in captioner.caption_many([picture(seed) for seed in range(4)]):
        assert caption.level == "unsure"
        assert caption.spoken.startswith("Perhaps: ")
        assert 0 < caption.confidence < 1


def test_the_level_decides_what_is_said(captioner: Captioner) -> None:
    captioner.confidence = confidence(bias=3.0)
    sure = captioner.caption(picture(1))
    assert (sure.level, sure.spoken) == ("sure", sure.caption)
    assert sure.confidence == pytest.approx(1 / (1 + math.exp(-3)))
    captioner.confidence = confidence(bias=0.0)
    unsure = captioner.caption(picture(1))
    assert unsure.caption == sure.caption
    assert (unsure.level, unsure.spoken[:9]) == ("unsure", "Perhaps: ")
    captioner.confidence = confidence(bias=-3.0)
    none = captioner.caption(picture(1))
    assert (none.caption, none.level, none.words) == (None, "none", ())
    assert none.spoken == "I cannot tell what this picture shows."
    assert none.confidence == pytest.approx(1 / (1 + math.exp(3)))


def test_a_picture_gets_the_same_confidence_alone_and_among_others(captioner: Captioner) -> None:
    terms = {name: Term(-1.0, 1.0, 0.7) for name in EVIDENCE}
    captioner.confidence = confidence(none=0.0, terms=terms, scene=(0.1,) * HIDDEN)
    pictures = [picture(seed) for seed in range(5)]
    together = captioner.caption_many(pictures)
    for one, other in zip(pictures, together, strict=True):
        assert captioner.caption(one).confidence == pytest.approx(other.confidence, rel=1e-4)
    assert len({round(caption.confidence, 5) for caption in together}) > 1


def test_a_calibration_goes_into_the_config_and_back(folder: Path) -> None:
    before = json.loads((folder / CONFIG).read_text())
    written = confidence(bias=1.25, words={"dog": 0.5})
    write_confidence(folder, written)
    after = json.loads((folder / CONFIG).read_text())
    assert after.pop("confidence") == written.to_dict()
    assert after == before
    assert Captioner.load(folder, "cpu").confidence == written
    write_confidence(folder, replace(written, bias=2.0))
    assert Captioner.load(folder, "cpu").confidence.bias == 2.0


@pytest.mark.parametrize(
    "damage",
    [
        {"bias": math.nan},
        {"bias": "1"},
        {"bias": True},
        {"bias": 10**400},
        {"sure": 1.5},
        {"sure": 0.05},
        {"none": -0.1},
        {"scene": [0.0]},
        {"scene": [None] * HIDDEN},
        {"scene": 7},
        {"words": ["dog"]},
        {"words": {"dog": "5"}},
        {"terms": {}},
        {"terms": []},
        {"terms": {"gain": {"mean": 0.0, "scale": 1.0, "weight": 1.0}}},
        {"terms": {name: {"mean": 0.0, "scale": 0.0, "weight": 1.0} for name in EVIDENCE}},
        {"terms": {name: {"mean": 0.0, "scale": 1.0} for name in EVIDENCE}},
        {"terms": dict.fromkeys(EVIDENCE)},
    ],
    ids=lambda damage: str(damage)[:40],
)
def test_a_damaged_calibration_is_refused(damage: dict[str, Any]) -> None:
    entry = {**confidence().to_dict(), **damage}
    config = {"name": "tiny", "architecture": {"hidden": HIDDEN}, "confidence": entry}
    with pytest.raises(ModelError, match="'confidence' in the config of the model tiny is damaged"):
        read_confidence(config)


@pytest.mark.parametrize("entry", [[], {}, 7, "sure", False])
def test_something_else_in_place_of_a_calibration(entry: Any) -> None:
    with pytest.raises(ModelError, match="damaged"):
        read_confidence({"name": "x", "architecture": {"hidden": HIDDEN}, "confidence": entry})
