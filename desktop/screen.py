"""Screenshots: all monitors or one, a region, the active window."""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import mss
from PIL import Image

from core.picture import Picture, open_picture
from desktop.active_window import active_window
from desktop.screen_area import NO_PORTAL, NO_SCREEN, Area, ScreenError

__all__ = [
    "Area",
    "Monitor",
    "ScreenError",
    "grab_area",
    "grab_screen",
    "grab_window",
    "list_monitors",
    "monitors",
    "on_wayland",
    "screen_area",
]


_SIDES = ("left", "top", "width", "height")


@dataclass(frozen=True)
class Monitor(Area):
    """A monitor: where it is, its number from 1, and its name for people."""

    number: int
    name: str


def on_wayland() -> bool:
    """Whether the desktop is a Wayland one, where only its own portal takes screenshots."""
    return os.environ.get("XDG_SESSION_TYPE", "").lower() == "wayland" and bool(
        os.environ.get("WAYLAND_DISPLAY")
    )


def monitors() -> list[Monitor]:
    """The monitors in the system's order.

    Raises:
        ScreenError: there is no screen.
    """
    with _screen() as screen:
        # The first is all together; it stands alone where the system does not tell them apart.
        found = screen.monitors[1:] or screen.monitors[:1]
        return [
            Monitor(
                **{side: monitor[side] for side in _SIDES},
                number=number,
                name=str(monitor.get("name") or monitor.get("output") or f"Monitor {number}"),
            )
            for number, monitor in enumerate(found, 1)
        ]


def list_monitors() -> list[Monitor]:
    """The monitors to choose from; none where there is no screen."""
    try:
        return monitors()
    except ScreenError:
        return []


def screen_area(screen: str = "all") -> Area:
    """Where all monitors are, or the one with this number.

    Raises:
        ScreenError: there is no screen, or no such monitor.
    """
    if screen == "all":
        with _screen() as shown:
            return _whole(shown)
    for monitor in monitors():
        if str(monitor.number) == screen:
            return monitor
    raise ScreenError(
        f"Monitor {screen} is not connected: choose another monitor, or all, in the settings."
    )


def grab_screen(screen: str = "all") -> Picture:
    """A picture of all monitors, or of the one with this number.

    Raises:
        ScreenError: the screen cannot be captured.
    """
    return grab_area(screen_area(screen), "screen" if screen == "all" else f"monitor {screen}")


def grab_area(area: Area, name: str = "screen") -> Picture:
    """A picture of a part of the screen; what lies outside is cut off.

    Raises:
        ScreenError: the screen cannot be captured, or all of the area lies outside.
    """
    if on_wayland():
        raise ScreenError(NO_PORTAL)
    _check_permission()
    with _screen() as screen:
        part = area.within(_whole(screen))
        if not part:
            raise ScreenError("That part lies outside of the screen: choose another one.")
        shot = screen.grab({side: getattr(part, side) for side in _SIDES})
    # Pillow reorders the bytes several times faster than NumPy.
    image = Image.frombuffer("RGB", shot.size, shot.bgra, "raw", "BGRX", 0, 1)
    return replace(open_picture(image), name=name)


def grab_window(not_pid: int | None = None) -> Picture:
    """A picture of the active window, as far as it is on the screen; its title is the name.

    Args:
        not_pid: process whose windows are refused: Seesay's own.

    Raises:
        ScreenError: there is none, it is minimised, or belongs to ``not_pid``.
    """
    window = active_window(not_pid)
    return grab_area(window.area, window.title or "window")


def _whole(screen: mss.MSS) -> Area:
    return Area(**{side: screen.monitors[0][side] for side in _SIDES})


@contextmanager
def _screen() -> Iterator[mss.MSS]:
    # A connection for each call: they come from several threads, and displays come and go.
    try:
        with mss.MSS() as screen:
            yield screen
    except ScreenError:
        raise
    # A display that is missing or goes away shows in errors of each system's own.
    except Exception as error:
        raise ScreenError(NO_SCREEN) from error


def _check_permission() -> None:
    # Without permission, macOS gives the bare wallpaper, which would be described in earnest.
    if sys.platform == "darwin":
        graphics = ctypes.CDLL("/System/Library/Frameworks/CoreGraphics.framework/CoreGraphics")
        graphics.CGPreflightScreenCaptureAccess.restype = ctypes.c_bool
        if not graphics.CGPreflightScreenCaptureAccess():
            graphics.CGRequestScreenCaptureAccess()
            raise ScreenError(
                "Seesay may not see the screen: allow it in the System Settings under Privacy and "
                "Security, Screen Recording, and start Seesay again."
            )
