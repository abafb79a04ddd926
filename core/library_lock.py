"""Keeps two runs of ``seesay library`` from writing the same output."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from core.errors import SeesayError


@contextmanager
def only_run(path: Path) -> Iterator[None]:
    """Nobody else is in here with the same file at the same time; a kill lets the next one in.

    A hidden file beside it stays, empty: to remove it could let two in.

    Args:
        path: of the output, with links followed.

    Raises:
        SeesayError: if another run is in here.
        OSError: if nothing can be written there.
    """
    # The output itself cannot be locked: on Windows, nobody could read what was written so far.
    lock = FileLock(path.with_name(f".{path.name.lstrip('.')}.lock"), timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise SeesayError(
            f"Another run writes to {path}: wait until it has ended, or give another --out."
        ) from None
    try:
        yield
    finally:
        lock.release()
