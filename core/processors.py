"""How many processors there are to compute on."""

import os


def processors() -> int:
    """``OMP_NUM_THREADS``, which torch heeds too, or as many as this process may use."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    if told.isdecimal():
        return max(1, int(told))
    if hasattr(os, "sched_getaffinity"):  # a container often may use fewer than there are
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
