"""Seesay's own windows, which screenshots must not show."""

import ctypes
import sys
from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid

from desktop.screen_area import Area

_WDA_EXCLUDEFROMCAPTURE = 0x11
_NS_WINDOW_SHARING_NONE = 0
_SETTLED = 200  # milliseconds


def exclude_from_capture(window: QWidget) -> bool:
    """Ask the system to leave a window out of screenshots; once, when it is shown.

    Returns:
        Whether it will. If not (X11, Wayland, old Windows), the window has to be hidden.
    """
    excluded = False
    if sys.platform == "win32":
        excluded = bool(
            ctypes.windll.user32.SetWindowDisplayAffinity(
                ctypes.c_void_p(int(window.winId())), _WDA_EXCLUDEFROMCAPTURE
            )
        )
    elif sys.platform == "darwin":
        excluded = _unshare_on_macos(int(window.winId()))
    return excluded


def in_the_way() -> list[QWidget]:
    """The windows of this program that a screenshot would show."""
    return [
        window
        for window in QApplication.topLevelWidgets()
        if window.isVisible() and not window.isMinimized() and not exclude_from_capture(window)
    ]


class HiddenWindows:
    """Hides windows for the moment of a screenshot, and brings them back as they were.

    A dialog hidden this way must have been opened by ``open()`` or ``show()``: to the event loop of
    ``exec()``, hiding is closing.
    """

    def __init__(self, windows: Sequence[QWidget]) -> None:
        """Note where they are; nothing is hidden yet."""
        self._corners = {window: window.pos() for window in windows}
        self._active = QApplication.activeWindow()
        self._hidden: list[QWidget] = []

    def __bool__(self) -> bool:
        """Whether any is hidden."""
        return bool(self._hidden)

    @property
    def areas(self) -> list[Area]:
        """Where they are on the screen, in device pixels."""
        return [_device_area(window) for window in self._corners]

    def hide(self, area: Area | None = None) -> None:
        """Hide those that touch an area, or all; what is beneath takes a moment to appear.

        Those that were closed since, and may be deleted, stay closed.
        """
        self._hidden = [
            window
            for window in self._corners
            if isValid(window)
            and window.isVisible()
            and (area is None or _device_area(window).within(area))
        ]
        for window in self._hidden:
            window.hide()

    def show(self) -> None:
        """Bring back what was hidden; only the window that had the focus takes it again."""
        hidden, self._hidden = self._hidden, []
        for window in hidden:
            # An open menu or tooltip was closed by hiding it; others may have gone meanwhile.
            passing = (Qt.WindowType.Popup, Qt.WindowType.ToolTip)
            if not isValid(window) or window.windowType() in passing:
                continue
            before = window.testAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
            quiet = before or window is not self._active
            window.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating, quiet)
            window.move(self._corners[window])
            window.show()
            window.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating, before)
            if window is self._active:
                window.activateWindow()
                QTimer.singleShot(_SETTLED, window, partial(_notice_focus, window))


def _notice_focus(window: QWidget) -> None:
    """Tell Qt of a focus that came back before it had heard that it was gone.

    Hidden and shown again within milliseconds, a window has the keyboard on X11, but is not active
    to Qt, which noticed no change.
    """
    focused = QGuiApplication.focusWindow()
    if focused is not None and focused is window.windowHandle() and not window.isActiveWindow():
        QApplication.setActiveWindow(window)


def _device_area(window: QWidget) -> Area:
    # Of a scaled screen, Qt scales distances from its corner, not the corner itself.
    screen, frame, ratio = window.screen(), window.frameGeometry(), window.devicePixelRatio()
    corner = screen.geometry().topLeft()
    return Area(
        round(corner.x() + (frame.x() - corner.x()) * ratio),
        round(corner.y() + (frame.y() - corner.y()) * ratio),
        round(frame.width() * ratio),
        round(frame.height() * ratio),
    )


def _unshare_on_macos(view: int) -> bool:
    objc = ctypes.CDLL("/usr/lib/libobjc.dylib")
    objc.sel_registerName.restype = ctypes.c_void_p

    def selector(name: bytes) -> ctypes.c_void_p:
        return ctypes.c_void_p(objc.sel_registerName(name))

    # objc_msgSend is called with the types of the method that it stands for.
    get = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)(
        ("objc_msgSend", objc)
    )
    set_number = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_ulong)(
        ("objc_msgSend", objc)
    )
    window = get(ctypes.c_void_p(view), selector(b"window"))
    if not window:
        return False
    set_number(ctypes.c_void_p(window), selector(b"setSharingType:"), _NS_WINDOW_SHARING_NONE)
    return True
