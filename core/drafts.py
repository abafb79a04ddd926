"""Drafts that become files once they are whole; those of processes that were killed are left."""

import contextlib
import time
from collections.abc import Iterable
from pathlib import Path

# A draft is there for a moment; one that is older is of a process that was killed.
_SECONDS = 60


def remove_drafts(drafts: Iterable[Path]) -> None:
    """Remove what killed processes have left; another one may be at work on the newest."""
    for draft in drafts:
        with contextlib.suppress(OSError):
            if time.time() - draft.stat().st_mtime > _SECONDS:
                draft.unlink()
