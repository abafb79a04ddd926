"""The network in onnxruntime, on the processor: fast, and without torch."""

import os
from collections.abc import Sequence
from dataclasses import fields
from typing import get_args

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before it is loaded

import numpy as np
import onnxruntime as ort

from core.model_folder import ModelFolder, not_finite, unreadable
from core.network import Network, Part, Sight, Steps
from core.processors import processors

_QUIET = 4  # onnxruntime's severity "fatal"

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
        options = ort.SessionOptions()
        options.log_severity_level = _QUIET
        options.intra_op_num_threads = processors()
        # Within a run, threads wait for work awake, as to wake them takes longer than most of it.
        # Between runs they sleep: awake, they would take a core from speech and the window.
        options.add_session_config_entry("session.intra_op.allow_spinning", "1")
        options.add_session_config_entry("session.force_spinning_stop", "1")
        self._folder = folder.path
        try:
            self._sessions: dict[Part, ort.InferenceSession] = {
                # What onnxruntime falls back to when it fails, it prints.
                part: ort.InferenceSession(folder.path / f"{part}.onnx", options, enable_fallback=0)
                for part in get_args(Part)
            }
        except Exception as error:  # onnxruntime's own kinds have no common base
            raise unreadable(folder.path) from error
        for part, session in self._sessions.items():
            if (len(session.get_inputs()), len(session.get_outputs())) != _ARRAYS[part]:
                raise unreadable(folder.path)

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
