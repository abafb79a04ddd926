"""How far a model's confidence can be trusted: figures and plots on one split."""

import io
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

from core.captioner import Captioner
from core.confidence import Confidence
from core.model_folder import replace_file
from training.data import load_split
from training.evaluate import describe
from training.judgements import Experts
from training.target import check_target, writing
from training.where_figures import where_figures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BINS = 15

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def evaluate_trust(
    data: Path, split: str, beam: int, device: str, model: Path | None, plots: Path | None
) -> dict[str, Any]:
    """Compare the confidence of a model with how many of its sentences are acceptable.

    A sentence is acceptable where most of Flickr8k's experts would probably call it right, or right
    with minor mistakes: see `Experts`. The judgements are of other captions than the model's.

    Args:
        data: folder of Flickr8k, with people's judgements beside the captions.
        split: ``val`` for choices, ``test`` for reports.
        beam: of the search, at least 1.
        device: see ``Captioner.load``.
        model: folder of a trained model; None for the one that comes with Seesay.
        plots: folder for ``reliability.png`` and ``risk-coverage.png``; None for no plots.

    Returns:
        The figures of ``figures``; of people's agreement with the metric, see
        ``Experts.agreement``; those of ``where_figures``, with ``where_`` before; and ``images``,
        ``beam``, ``seconds``, ``model``, ``data``, ``split``.

    Raises:
        SeesayError: if data, judgements, a picture, the model or the device is missing or damaged,
            or the plots cannot be written.
    """
    examples = load_split(data, split)
    experts = Experts(data)
    captioner = Captioner.load(model, device)
    if plots is not None:
        check_target(plots)
    began = time.monotonic()
    found = describe(captioner, examples, beam)
    seconds = time.monotonic() - began
    said = [caption.caption or "" for caption in found]
    right = experts.accept(said, [example.sentences for example in examples])
    probabilities = np.array([caption.confidence for caption in found])
    if plots is not None:
        with writing(plots):
            draw(probabilities, right, plots)
    places = where_figures(data, split, device, model)
    return {
        **figures(probabilities, right, captioner.confidence),
        **{name: round(value, 3) for name, value in experts.agreement().items()},
        **{f"where_{name}": value for name, value in places.items()},
        "images": len(examples),
        "beam": beam,
        "seconds": round(seconds, 1),
        "model": captioner.config["name"],
        "data": str(data),
        "split": split,
    }


def figures(probabilities: Floats, right: Flags, confidence: Confidence) -> dict[str, Any]:
    """What says how good probabilities are, and what the levels are worth.

    Args:
        probabilities: that each sentence is acceptable.
        right: whether it is.
        confidence: gives the levels.

    Returns:
        ``acceptable`` (share of all), ``auroc``, ``ece``, ``aurc``; for each level its ``share``
        of the pictures and how many of its sentences are ``right``; ``sure_from`` and
        ``none_below``, its limits. None is what cannot be told.
    """
    levels = np.array([confidence.level(value) for value in probabilities.tolist()])
    by_level: dict[str, Any] = {}
    for level in ("sure", "unsure", "none"):
        chosen = levels == level
        by_level[f"share_{level}"] = round(float(chosen.mean()), 3)
        by_level[f"right_{level}"] = round(float(right[chosen].mean()), 3) if chosen.any() else None
    area = auroc(probabilities, right)
    return {
        "acceptable": round(float(right.mean()), 3),
        "auroc": None if area is None else round(area, 3),
        "ece": round(expected_calibration_error(probabilities, right), 3),
        "aurc": round(float(risk_coverage(probabilities, right)[1].mean()), 3),
        **by_level,
        "sure_from": round(confidence.sure, 3) if confidence.sure <= 1 else None,
        "none_below": round(confidence.none, 3),
    }


def auroc(probabilities: Floats, right: Flags) -> float | None:
    """How often a right sentence got more than a wrong one; ties count half; None without both."""
    if right.all() or not right.any():
        return None
    wins = mannwhitneyu(probabilities[right], probabilities[~right]).statistic
    return float(wins / (right.sum() * (~right).sum()))


def expected_calibration_error(probabilities: Floats, right: Flags) -> float:
    """Mean distance of probability and share of right in 15 bins of equal width, 0 to 1.

    Naeini, Cooper and Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning"
    (AAAI 2015); Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017).
    """
    return float(sum(share * abs(told - true) for told, true, share in _bins(probabilities, right)))


def risk_coverage(probabilities: Floats, right: Flags) -> tuple[Floats, Floats]:
    """Share of wrong sentences (risk) when only the most probable share (coverage) is said.

    El-Yaniv and Wiener, "On the Foundations of Noise-free Selective Classification" (JMLR 2010).
    The mean of the risk is the area under the curve.

    Returns:
        Coverage and risk, one for each number of sentences.
    """
    order = np.argsort(-probabilities, kind="stable")
    said = np.arange(1, len(order) + 1)
    return said / len(order), np.cumsum(~right[order]) / said


def _bins(probabilities: Floats, right: Flags) -> list[tuple[float, float, float]]:
    """Mean probability, share of right, and share of all sentences, of each bin that has any."""
    place = np.minimum((probabilities * _BINS).astype(int), _BINS - 1)
    chosen = [place == number for number in range(_BINS)]
    return [
        (float(probabilities[one].mean()), float(right[one].mean()), float(one.mean()))
        for one in chosen
        if one.any()
    ]


def draw(probabilities: Floats, right: Flags, folder: Path) -> None:
    """Save the reliability diagram and the risk-coverage curve.

    Args:
        probabilities: that each sentence is acceptable.
        right: whether it is.
        folder: gets ``reliability.png`` and ``risk-coverage.png``; made where it does not exist.
    """
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    told, true, share = zip(*_bins(probabilities, right), strict=True)
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], "--", color="grey", label="perfect")
    axes.bar(told, share, width=0.03, color="tab:orange", label="share of all sentences")
    axes.plot(told, true, "o-", color="tab:blue", label="measured")
    axes.set(xlabel="confidence", ylabel="share of acceptable sentences", xlim=(0, 1), ylim=(0, 1))
    _save(figure, folder / "reliability.png")
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    axes.plot(*risk_coverage(probabilities, right), color="tab:blue", label="the most confident")
    axes.axhline(1 - right.mean(), linestyle="--", color="grey", label="any")
    axes.set(xlabel="share of pictures that get a sentence", ylabel="share of wrong sentences")
    axes.set(xlim=(0, 1), ylim=(0, 1))
    _save(figure, folder / "risk-coverage.png")


def _save(figure: "Figure", path: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    for axes in figure.axes:
        axes.grid(alpha=0.3)
        axes.legend(loc="upper left")
    content = io.BytesIO()
    FigureCanvasAgg(figure).print_png(content)
    replace_file(path, content.getvalue())
