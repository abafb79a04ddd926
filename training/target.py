"""Where a command of training writes: looked at before long work, and told where it fails."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import SeesayError


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Tell in a sentence that what is done here cannot write to its place."""
    try:
        yield
    except OSError as error:
        raise SeesayError(
            f"{place} cannot be written ({error.strerror}): mend that or make room there, or give "
            "another folder."
        ) from error


def check_target(folder: Path) -> None:
    """See that a folder can be written, or made; leaves nothing there.

    Raises:
        SeesayError: if it cannot.
    """
    with writing(folder):
        whole = folder.absolute()
        nearest = next(one for one in (whole, *whole.parents) if one.exists())
        with tempfile.TemporaryFile(dir=nearest):
            pass
