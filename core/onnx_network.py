"""The network in onnxruntime, on the processor: fast, and without torch."""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before it is loaded

import numpy as np
import onnxruntime as ort

from core.model_folder import GRAPHS, ModelFolder
from core.network import Sight, Written
from core.processors import processors

_QUIET = 4  # onnxruntime's severity "fatal"


class OnnxNetwork:
    """A network that was exported by ``training/export.py``; see `core.network.Network`.

    Args:
        folder: of the model, with its graphs.

    Raises:
        ModelError: if onnxruntime cannot run the graphs with these weights.
    """

    device = "cpu"

    def __init__(self, folder: ModelFolder) -> None:
        options = ort.SessionOptions()
        options.log_severity_level = _QUIET
        options.intra_op_num_threads = processors()
        # A waiting thread would take a core from speech and the window.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._see, self._write, self._reread = (
                ort.InferenceSession(folder.path / name, options) for name in GRAPHS
            )
        except Exception as error:  # onnxruntime's own kinds have no common base
            raise folder.unreadable() from error

    def see(self, pixels: np.ndarray) -> Sight:
        """See pictures."""
        return Sight(*_run(self._see, pixels))

    def write(
        self,
        sight: Sight,
        words: np.ndarray,
        totals: np.ndarray,
        recurrent: np.ndarray,
        cell: np.ndarray,
    ) -> Written:
        """Extend sentences by a word."""
        arrays = (words, totals, sight.inputs, sight.keys, sight.values, recurrent, cell)
        return Written(*_run(self._write, *arrays))

    def reread(
        self,
        words: np.ndarray,
        targets: np.ndarray,
        summary: np.ndarray,
        keys: np.ndarray,
        values: np.ndarray,
    ) -> np.ndarray:
        """Log-probabilities of given sentences' words."""
        (log_probs,) = _run(self._reread, words, targets, summary, keys, values)
        return log_probs


def _run(session: ort.InferenceSession, *arrays: np.ndarray) -> list[np.ndarray]:
    names = (entry.name for entry in session.get_inputs())
    outputs: list[np.ndarray] = session.run(None, dict(zip(names, arrays, strict=True)))
    return outputs
