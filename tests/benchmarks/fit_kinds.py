"""Fits ``resources/kinds.json``: python -m tests.benchmarks.fit_kinds (some ten minutes).

Photographs come from the train splits, rendered pictures from the first family of layouts.
"""

import json
import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import numpy as np
import torch
from PySide6.QtWidgets import QApplication
from torch.nn import functional as F

from core.kinds import WEIGHTS, statistics
from core.sample import take_sample
from tests import made_pages
from tests.benchmarks.kind_pictures import bad, good, mild, photograph_paths, rendered

KINDS = [
    *("photograph", "screen", "document", "chart", "icon"),
    *("dark", "blank", "overexposed", "blurred", "noise"),
]
HIDDEN, EPOCHS, BATCH = 48, 400, 512
COUNTS = {"screen": 450, "document": 200, "chart": 110, "icon": 220}


def measure() -> tuple[np.ndarray, np.ndarray]:
    """The statistics of all pictures, (pictures, statistics), and their kinds."""
    paths = photograph_paths("train", 7000)
    found, labels = [], []
    for pictures in (
        good(paths, every=8),
        bad(paths[::38]),
        mild(paths[::190]),
        rendered(made_pages.FIRST, COUNTS, paths, seed=3),
    ):
        for picture in pictures:
            found.append(statistics(take_sample(picture.pixels)))
            labels.append(KINDS.index(picture.kind))
    return np.array(found), np.array(labels)


def fit(found: np.ndarray, labels: np.ndarray) -> dict[str, object]:
    """The weights of the network, as they are stored."""
    torch.manual_seed(0)
    low, high = np.quantile(found, (0.002, 0.998), axis=0)
    clipped = found.clip(low, high)
    mean, spread = clipped.mean(axis=0), clipped.std(axis=0) + 1e-3
    x = torch.tensor((clipped - mean) / spread, dtype=torch.float32)
    y = torch.tensor(labels)
    # Rare kinds count more, but not so much that screens are taken for charts.
    weight = 1 / torch.bincount(y, minlength=len(KINDS)).float().sqrt()
    weight[0] *= 3
    hidden = torch.nn.Linear(x.shape[1], HIDDEN)
    output = torch.nn.Linear(HIDDEN, len(KINDS))
    parameters = [*hidden.parameters(), *output.parameters()]
    optimiser = torch.optim.AdamW(parameters, weight_decay=0.03)
    steps = EPOCHS * (len(x) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.01, total_steps=steps)
    for _ in range(steps):
        some = torch.randint(len(x), (BATCH,))
        # Other cameras and other screens differ a little from these.
        shaken = x[some] + 0.15 * torch.randn(BATCH, x.shape[1])
        scores = output(hidden(shaken).relu())
        loss = F.cross_entropy(scores, y[some], weight=weight, label_smoothing=0.02)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    stored = {
        "low": low,
        "high": high,
        "mean": mean,
        "spread": spread,
        "hidden": hidden.weight.detach().numpy(),
        "hidden_bias": hidden.bias.detach().numpy(),
        "output": output.weight.detach().numpy(),
        "output_bias": output.bias.detach().numpy(),
    }
    rounded = {name: np.round(values.astype(float), 4).tolist() for name, values in stored.items()}
    return {"kinds": KINDS, **rounded}


def main() -> None:
    """Measure, fit, store."""
    application = QApplication([])
    WEIGHTS.write_text(json.dumps(fit(*measure())) + "\n", encoding="utf-8")
    application.quit()


if __name__ == "__main__":
    main()
