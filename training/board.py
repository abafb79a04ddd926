"""What a run shows: for TensorBoard its curves, step by step, and sheets of samples."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from core.model_folder import replace_file

_EVERY = 10  # steps


class Board:
    """The logs in ``tensorboard/`` and ``samples/``, without what a killed run wrote too much.

    Their axis counts what was done, steps and scored epochs alike, so that each has a place of its
    own.

    Args:
        folder: of the run.
        begin: what was done before; entries from there on are taken back.
    """

    def __init__(self, folder: Path, begin: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder / "tensorboard"), purge_step=begin)
        self._samples = folder / "samples"

    def step(self, place: int, loss: float, rates: Mapping[str, float]) -> None:
        """Tell a step's loss and learning rates; most steps are left out."""
        if place % _EVERY == 0:
            self._writer.add_scalar("step/loss", loss, place)
            for name, rate in rates.items():
                self._writer.add_scalar(f"learning_rate/{name}", rate, place)

    def epoch(self, place: int, number: int, row: Mapping[str, Any], sheet: Image.Image) -> None:
        """Tell the figures of an epoch of this number, and show its samples."""
        for name, value in row.items():
            if name not in ("stage", "epoch"):
                self._writer.add_scalar(f"epoch/{name}", value, place)
        self._writer.add_image("samples", np.asarray(sheet), place, dataformats="HWC")
        self._samples.mkdir(exist_ok=True)
        content = io.BytesIO()
        sheet.save(content, "PNG", optimize=True)
        replace_file(self._samples / f"epoch-{number:03}.png", content.getvalue())

    def flush(self) -> None:
        """Put everything on disk."""
        self._writer.flush()

    def close(self) -> None:
        """Put everything on disk, and write no more."""
        self._writer.close()
