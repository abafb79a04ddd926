"""The window that the user works in: its title and where it is."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from desktop.screen_area import NO_SCREEN, Area, ScreenError

_NONE = "No window is in front: go to the window that you mean, and press the hotkey there."
_MINIMISED = "The window in front is minimised: open it, and press the hotkey there."
_OWN = "Seesay's own window is in front: go to the window you mean, and press the hotkey there."


@dataclass(frozen=True)
class ActiveWindow:
    """The window that has the keyboard.

    Attributes:
        title: as its program gave it; may be empty.
        area: where its content is; parts may lie outside of the screen.
    """

    title: str
    area: Area


def active_window(not_pid: int | None = None) -> ActiveWindow:
    """Find the window that the user works in.

    Args:
        not_pid: process whose windows are refused: Seesay's own.

    Raises:
        ScreenError: there is none, it is minimised, or belongs to ``not_pid``.
    """
    if sys.platform != "linux":
        return _elsewhere(not_pid)
    return _on_x11(not_pid)


def _on_x11(not_pid: int | None) -> ActiveWindow:
    from Xlib import X, error

    with _x_display() as display:
        root = display.screen().root

        def property_of(window: Any, name: str) -> Any:
            found = window.get_full_property(display.intern_atom(name), X.AnyPropertyType)
            return found.value if found is not None and len(found.value) else None

        active = property_of(root, "_NET_ACTIVE_WINDOW")
        if active is None or not active[0]:
            raise ScreenError(_NONE)
        window = display.create_resource_object("window", int(active[0]))
        try:
            pid = property_of(window, "_NET_WM_PID")
            if not_pid is not None and pid is not None and int(pid[0]) == not_pid:
                raise ScreenError(_OWN)
            if window.get_attributes().map_state != X.IsViewable:
                raise ScreenError(_MINIMISED)
            title = property_of(window, "_NET_WM_NAME") or window.get_wm_name() or ""
            size = window.get_geometry()
            corner = root.translate_coords(window, 0, 0)
            # The shadow that some programs paint around themselves: left, right, top, bottom.
            shadow = property_of(window, "_GTK_FRAME_EXTENTS")
            if shadow is None or len(shadow) != 4:  # any program may write anything
                shadow = (0, 0, 0, 0)
            left, right, top, bottom = map(int, shadow)
        except error.XError as gone:  # it closed meanwhile
            raise ScreenError(_NONE) from gone
        return ActiveWindow(
            title.decode(errors="replace") if isinstance(title, bytes) else str(title),
            Area(
                corner.x + left,
                corner.y + top,
                size.width - left - right,
                size.height - top - bottom,
            ),
        )


@contextmanager
def _x_display() -> Iterator[Any]:
    # Xlib itself and not PyWinCtl, which keeps to the display that was there when it was imported.
    from Xlib import display, error

    try:
        connection = display.Display()
    except (error.DisplayError, OSError) as missing:
        raise ScreenError(NO_SCREEN) from missing
    try:
        yield connection
    except error.ConnectionClosedError as closed:
        raise ScreenError(NO_SCREEN) from closed
    finally:
        connection.close()


def _elsewhere(not_pid: int | None) -> ActiveWindow:
    try:
        import pywinctl

        window = pywinctl.getActiveWindow()
        if window is None:
            raise ScreenError(_NONE)
        if not_pid is not None and window.getPID() == not_pid:
            raise ScreenError(_OWN)
        if window.isMinimized:
            raise ScreenError(_MINIMISED)
        box = window.box
        return ActiveWindow(window.title or "", Area(box.left, box.top, box.width, box.height))
    except ScreenError:
        raise
    except Exception as error:  # each system fails in its own way
        raise ScreenError(_NONE) from error
