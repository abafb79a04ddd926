"""What kind of picture it is: a photograph, a bad one, or none (screen, document, chart, icon)."""

import json
from functools import cache

import numpy as np

from core import screen_like, sharpness
from core.paths import RESOURCES
from core.sample import Sample

WEIGHTS = RESOURCES / "kinds.json"
NAMES = screen_like.NAMES + sharpness.NAMES


def statistics(sample: Sample) -> np.ndarray:
    """All statistics ``NAMES`` of a picture; (statistics,) float32."""
    return np.concatenate((screen_like.statistics(sample), sharpness.statistics(sample)))


def judge(sample: Sample) -> dict[str, float]:
    """The probability of each kind, ``photograph`` first.

    A network with one small hidden layer weighs the statistics; `tests.benchmarks.fit_kinds` fitted
    it on photographs, made worse in steps, and on rendered screens, pages, charts and icons.
    """
    kinds, net = _network()
    x = (statistics(sample).clip(net["low"], net["high"]) - net["mean"]) / net["spread"]
    hidden = np.maximum(net["hidden"] @ x + net["hidden_bias"], 0)
    scores = net["output"] @ hidden + net["output_bias"]
    odds = np.exp(scores - scores.max())
    return dict(zip(kinds, (odds / odds.sum()).tolist(), strict=True))


@cache
def _network() -> tuple[list[str], dict[str, np.ndarray]]:
    stored = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    kinds = stored.pop("kinds")
    return kinds, {name: np.array(numbers, np.float32) for name, numbers in stored.items()}
