"""People's judgements, the calibration that follows from them, and the figures of trust."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from core.captioner import Captioner
from core.confidence import LONG_EVIDENCE, UNCALIBRATED
from core.model_folder import CONFIG
from seesay import main
from tests.tiny_sets import entry, karpathy
from training.calibrate import Sample, fit, names
from training.calibrate import main as calibrate
from training.data import DataError
from training.judgements import CROWD, EXPERTS, Experts
from training.trust import auroc, expected_calibration_error, figures, risk_coverage

SUBJECTS = ["black dog", "small child", "young man", "grey cat", "tall woman", "old horse"]
DEEDS = ["runs over green grass", "sits on a wooden bench", "swims in blue water"]


def sentences(number: int) -> list[str]:
    who, what = SUBJECTS[number % 6], DEEDS[number // 6 % 3]
    return [
        f"A {who} {what}.",
        f"There is one {who} that {what} today.",
        f"The {who} {what} in the sun.",
        f"A {who} alone {what}.",
        f"Here a {who} {what}.",
    ]


@pytest.fixture(scope="module")
def flickr8k(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures in three splits, and experts who know who does what in them."""
    entries = [
        entry(split, f"{split}{number}.png", sentences(number))
        for split in ("train", "val", "test")
        for number in range(18)
    ]
    folder = karpathy(tmp_path_factory.mktemp("data") / "flickr8k", entries)
    experts, crowd = [], []
    for one in range(18):
        for other in range(18):
            pair = f"test{one}.jpg\ttrain{other}.jpg#{other % 5}"
            alike = (one % 6 == other % 6) + (one // 6 == other // 6)
            experts.append(f"{pair}\t{1 + alike}\t{2 + alike}\t{1 + alike}")
            crowd.append(f"{pair}\t{alike / 2}\t{alike}\t{2 - alike}")
    experts.append("test0.jpg\ttest0.jpg#1\t4\t4\t4")
    (folder / EXPERTS).write_text("\n".join(experts) + "\n")
    (folder / CROWD).write_text("\n".join(crowd) + "\n")
    return folder


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    for file in tiny_model.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def test_experts_are_imitated(flickr8k: Path) -> None:
    experts = Experts(flickr8k)
    captions = ["The black dog runs over grass.", "A black dog sits.", "A grey cat swims.", ""]
    probabilities = experts.probability(captions, [sentences(0)] * 4)
    assert list(probabilities) == sorted(probabilities, reverse=True)
    assert list(experts.accept(captions, [sentences(0)] * 4)) == [True, False, False, False]
    # What is worth much does not depend on what else is scored.
    assert experts.probability(captions[:1], [sentences(0)])[0] == probabilities[0]
    agreement = experts.agreement()
    assert set(agreement) == {"tau_b", "tau_c", "tau_c_cider", "tau_b_crowd"}
    assert all(0.5 < value <= 1 for value in agreement.values())


@pytest.mark.parametrize(
    "line",
    [
        "test0.jpg\ttrain1.jpg#9\t1\t1\t1",
        "test0.jpg\tnobody.jpg#1\t1\t1\t1",
        "test0.jpg\ttrain1.jpg#0\t1\t1",
        "test0.jpg\ttrain1.jpg#0\tyes\tno\tno",
        "test0.jpg",
        "",
    ],
)
def test_damaged_judgements_are_told(line: str, flickr8k: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    for name in ("images", "dataset_flickr8k.json"):
        (damaged / name).symlink_to(flickr8k / name)
    with pytest.raises(DataError, match="put the judgements of Flickr8k there"):
        Experts(damaged)
    (damaged / EXPERTS).write_text(f"{line}\n" if line else "")
    with pytest.raises(DataError, match=r"does not hold judgements|is empty"):
        Experts(damaged)


def test_figures_by_hand() -> None:
    told = np.array([0.9, 0.8, 0.8, 0.3, 0.1])
    right = np.array([True, True, False, False, True])
    # Of six pairs: 0.9 wins twice, 0.8 wins once and ties once, 0.1 loses twice.
    assert auroc(told, right) == pytest.approx(3.5 / 6)
    assert auroc(told, np.ones(5, bool)) is None
    # 0.9 stands alone in its bin; 0.8 twice, half right; 0.3; 0.1.
    gaps = 0.1 + 2 * abs(0.8 - 0.5) + 0.3 + 0.9
    assert expected_calibration_error(told, right) == pytest.approx(gaps / 5)
    assert expected_calibration_error(np.array([0.0, 1.0]), np.array([False, True])) == 0
    coverage, risk = risk_coverage(told, right)
    assert list(coverage) == pytest.approx([0.2, 0.4, 0.6, 0.8, 1])
    assert list(risk) == pytest.approx([0, 0, 1 / 3, 2 / 4, 2 / 5])


def made_up(count: int, seed: int, shift: float = 0.0) -> list[Sample]:
    """Sentences that are right as their evidence, their picture and their words promise."""
    random = np.random.default_rng(seed)
    samples = []
    for _ in range(count):
        evidence = dict(zip(LONG_EVIDENCE, random.normal(size=len(LONG_EVIDENCE)), strict=True))
        summary = random.normal(size=4)
        words = ["dog" if random.random() < 0.5 else "hydrant", "outside"]
        logit = 2 * evidence["gain"] + 1.5 * summary[0] + (1 if "dog" in words else -1) + shift
        right = bool(random.random() < 1 / (1 + math.exp(-logit)))
        samples.append(Sample(words, evidence, summary, right))
    return samples


def short(likelihood: float, right: bool) -> Sample:
    evidence = {"short": 1.0, "short_likelihood": likelihood}
    return Sample(["a", "kitchen"], evidence, np.zeros(4), right)


def told(samples: Sequence[Sample], judge: object) -> np.ndarray:
    return np.array([judge.probability(s.evidence, s.words, s.summary) for s in samples])  # type: ignore[attr-defined]


def test_calibration_finds_what_is_true() -> None:
    rooms = [short(-0.1 * at, at < 10) for at in range(20)]
    judge, found = fit(made_up(2000, 1, shift=1.5), made_up(1000, 2), rooms)
    fresh = made_up(3000, 3)
    right = np.array([sample.right for sample in fresh])
    measured = figures(told(fresh, judge), right, judge)
    assert measured["auroc"] > 0.87
    assert measured["ece"] < 0.05  # although the sentences to learn from were right more often
    assert measured["right_sure"] > 0.83
    assert measured["share_sure"] > 0.3
    assert measured["right_none"] < 0.15
    assert measured["auroc"] == pytest.approx(found["auroc"], abs=0.03)
    good, bad = told([short(0.0, True), short(-2.0, False)], judge)
    assert good > 0.6 > 0.4 > bad


def test_too_little_to_calibrate_with() -> None:
    with pytest.raises(DataError, match="too few"):
        fit(made_up(100, 1), made_up(5, 2), [])
    with pytest.raises(DataError, match="too few"):
        fit([], made_up(100, 2), [])


def test_a_room_is_right_where_it_is_named() -> None:
    assert names(["this", "is", "a", "bedroom"], "bedroom")
    assert names(["this", "is", "a", "room"], "dining room")
    assert not names(["this", "is", "a", "kitchen"], "bathroom")


def test_the_commands_from_pictures_to_figures(
    folder: Path, flickr8k: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    common = ["evaluate", "--trust", "--json", "--model", str(folder), "--device", "cpu"]
    data = ["--data", str(flickr8k), "--beam", "2"]
    assert main([*common, *data, "--plots", str(tmp_path / "plots")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["images"] == 18
    assert (found["share_sure"], found["sure_from"]) == (0, None)
    assert 0 <= found["ece"] <= 1
    for name in ("reliability.png", "risk-coverage.png"):
        assert (tmp_path / "plots" / name).read_bytes().startswith(b"\x89PNG")
    # What this model writes is nonsense, of which nothing is to be learnt.
    before = (folder / CONFIG).read_bytes()
    assert calibrate([str(folder), "--data", str(flickr8k.parent)]) == 2
    assert "too few" in capsys.readouterr().err
    assert (folder / CONFIG).read_bytes() == before
    assert Captioner.load(folder, "cpu").confidence is UNCALIBRATED


def test_plots_are_of_trust(flickr8k: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--data", str(flickr8k), "--plots", "here"]) == 2
    assert "--trust" in capsys.readouterr().err


def test_plots_that_cannot_be_written_are_told_before_the_captions(
    folder: Path, flickr8k: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    common = ["evaluate", "--trust", "--model", str(folder), "--device", "cpu"]
    plots = tmp_path / "file" / "plots"
    assert main([*common, "--data", str(flickr8k), "--plots", str(plots)]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"seesay: {plots} cannot be written")
    assert len(told.splitlines()) == 1
