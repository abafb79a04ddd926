"""Whether a window can be opened at all: Qt itself would abort instead of telling."""

import ctypes
import os
import sys

from core.errors import SeesayError

# Loaded by Qt for X11, and missing on many a fresh system. Library -> Debian's package.
_LIBRARIES = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
}


class DisplayError(SeesayError):
    """There is no screen that a window could be shown on."""


def check_display() -> None:
    """Find out what would keep a window from opening.

    Raises:
        DisplayError: if there is no desktop, or a library is missing.
    """
    chosen = os.environ.get("QT_QPA_PLATFORM", "")
    if not sys.platform.startswith("linux") or chosen not in ("", "xcb"):
        return
    if os.environ.get("WAYLAND_DISPLAY") and not chosen:
        return
    if not _can_connect(os.environ.get("DISPLAY", "")):
        raise DisplayError(
            "There is no desktop to open a window on: start Seesay from one, "
            'or describe pictures with "seesay caption --speak photo.jpg".'
        )
    missing = [package for library, package in _LIBRARIES.items() if not _is_there(library)]
    if missing:
        raise DisplayError(
            f"The window needs {', '.join(missing)}: install it with your package manager "
            f"(on Debian and Ubuntu: sudo apt-get install {' '.join(missing)})."
        )


def _can_connect(display: str) -> bool:
    from Xlib.display import Display
    from Xlib.error import DisplayError as NoDisplayError

    if not display:
        return False
    try:
        Display(display).close()
    except (NoDisplayError, OSError):
        return False
    return True


def _is_there(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
