"""The network in onnxruntime, on the processor: fast, and without torch."""

from collections.abc import Sequence
from dataclasses import fields
from typing import get_args

import numpy as np
from safetensors import SafetensorError, safe_open

from core.errors import ModelError
from core.model_folder import WEIGHTS, ModelFolder, not_finite, unreadable
from core.network import Network, Part, Sight, Steps
from core.onnx_session import open_session

# Arrays that go into each part and come out of it.
_ARRAYS: dict[Part, tuple[int, int]] = {
    "see": (1, len(fields(Sight))),
    "search": (10, len(fields(Steps))),
    "reread": (5, 1),
}


class OnnxNetwork(Network):
    """A network that was exported by ``training/export.py``.

    Args:
        folder: of the model, with its graphs.

    Raises:
        ModelError: if onnxruntime cannot run the graphs with these weights; as some of that shows
            when they run, any method may raise it.
    """

    device = "cpu"

    def __init__(self, folder: ModelFolder) -> None:
        self._folder = folder.path
        try:
            self._sessions = {
                part: open_session(folder.path / f"{part}.onnx") for part in get_args(Part)
            }
        except Exception as error:  # onnxruntime's own kinds have no common base
            raise unreadable(folder.path) from error
        for part, session in self._sessions.items():
            if (len(session.get_inputs()), len(session.get_outputs())) != _ARRAYS[part]:
                raise ModelError(
                    f"The graphs in {folder.path} were exported by another version of Seesay: "
                    "export the model again, or give the folder of another one."
                )
        if folder.architecture.expected:
            self.rarity = _rarity(folder)

    def _run(self, part: Part, *arrays: np.ndarray) -> Sequence[np.ndarray]:
        session = self._sessions[part]
        names = (entry.name for entry in session.get_inputs())
        try:
            outputs: Sequence[np.ndarray] = session.run(None, dict(zip(names, arrays, strict=True)))
        except Exception as error:  # as above
            raise unreadable(self._folder) from error
        # Weights are looked at by the numbers that come of them: there are far more weights.
        if any(np.isnan(array).any() for array in outputs):
            raise not_finite(self._folder)
        return outputs


def _rarity(folder: ModelFolder) -> np.ndarray:
    try:
        with safe_open(folder.path / WEIGHTS, framework="numpy") as file:
            rarity: np.ndarray = file.get_tensor("expectation.rarity")
    except (OSError, SafetensorError) as error:
        raise unreadable(folder.path) from error
    if rarity.shape != (len(folder.vocabulary),):
        raise unreadable(folder.path)
    if not np.isfinite(rarity).all():
        raise not_finite(folder.path)
    return rarity
