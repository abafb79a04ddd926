"""Networks in onnxruntime as Seesay runs them: silent, quick, and asleep between their runs."""

import os
from pathlib import Path

# The official builds report their use to their maker unless told not to before they are loaded.
# Nothing of Seesay leaves the machine.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime as ort

from core.processors import processors

_QUIET = 4  # onnxruntime's severity "fatal"


def open_session(
    graph: Path, threads: int | None = None, keep_memory: bool = True
) -> ort.InferenceSession:
    """Load a network from its file.

    Args:
        graph: an ONNX file.
        threads: to compute with; by default as many as there are `processors`.
        keep_memory: of one run for the next, which is quicker; not for inputs of many sizes, which
            would keep that of the largest.

    Raises:
        Exception: of onnxruntime's own kinds, which have no common base, if it cannot be loaded.
    """
    options = ort.SessionOptions()
    options.log_severity_level = _QUIET
    options.enable_cpu_mem_arena = keep_memory
    options.intra_op_num_threads = threads or processors()
    # Within a run, threads wait for work awake, as to wake them takes longer than most of it.
    # Between runs they sleep: awake, they would take a core from the next network, from speech and
    # from the window.
    options.add_session_config_entry("session.intra_op.allow_spinning", "1")
    options.add_session_config_entry("session.force_spinning_stop", "1")
    # What onnxruntime falls back to when it fails, it prints.
    return ort.InferenceSession(graph, options, enable_fallback=0)
