"""A folder that is at work for hours, while its drive may be unplugged."""

import os
from pathlib import Path

from core.errors import SeesayError


class Place:
    """A folder, remembered with the drive that it is on.

    Args:
        folder: that is there now.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._drive = _drive(folder)

    def check(self) -> None:
        """See whether it is still there; where a drive was, an empty folder may remain.

        Raises:
            SeesayError: if it has vanished.
        """
        drive = _drive(self._folder)
        if drive is None or drive != self._drive:
            raise SeesayError(
                f"The folder {self._folder} is no longer there: connect its drive again. "
                "What was written stays, and the same command goes on with it."
            )


def _drive(folder: Path) -> int | None:
    try:
        return os.stat(folder).st_dev
    except OSError:
        return None
