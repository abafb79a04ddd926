"""What a run leaves to read: a table of its epochs and the curves as a picture."""

import csv
import io
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from core.model_folder import replace_file


def write_log(folder: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write ``log.csv`` and ``curves.png``, one row or point for each finished epoch."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    replace_file(folder / "log.csv", text.getvalue().encode())
    _plot(folder / "curves.png", rows)


def _plot(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    epochs = range(1, len(rows) + 1)
    figure = Figure(figsize=(9, 4), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    loss, cider = figure.subplots(1, 2)
    loss.plot(epochs, [row["loss"] for row in rows], marker="o")
    loss.set(xlabel="epoch", ylabel="training loss (nats a word)")
    for name in (key for key in rows[0] if key.startswith("cider")):
        cider.plot(epochs, [row[name] for row in rows], marker="o", label=name)
    cider.set(xlabel="epoch", ylabel="CIDEr on val (0-100 scale)")
    cider.legend()
    for axes in (loss, cider):
        # The first epoch of each later stage, where the curves may jump.
        for epoch, (before, row) in enumerate(pairwise(rows), start=1):
            if before["stage"] != row["stage"]:
                axes.axvline(epoch + 0.5, linestyle=":", color="grey")
        axes.grid(alpha=0.3)
    content = io.BytesIO()
    canvas.print_png(content)
    replace_file(path, content.getvalue())
