"""Screenshots without Seesay's own windows, taken without holding up the event loop."""

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QThreadPool, QTimer, Signal, Slot

from core.errors import SeesayError
from core.picture import Picture
from desktop.active_window import active_window
from desktop.own_windows import HiddenWindows, in_the_way
from desktop.portal_screenshot import PortalScreenshot
from desktop.screen import grab_area, monitors, on_wayland, screen_area
from desktop.screen_area import NO_SCREEN, Area, ScreenError

# What is beneath a hidden window takes a moment to appear; animations take longest.
_LOOK_EVERY = 0.03  # seconds
_WAIT_AT_MOST = 0.4  # seconds
_WAYLAND_WAIT = 250  # milliseconds; there nobody may look
_CHANGED = 0.1  # share of pixels that differ when a window has gone

_ONLY_ALL = (
    "On this desktop a program sees the whole screen or nothing: describe the screen, or a region."
)


@dataclass(frozen=True)
class _Plan:
    """What to grab: found out before any window is hidden, because hiding changes what is active.

    Attributes:
        area: on the screen.
        name: of the picture.
        before: pixels of Seesay's own windows, by where they are.
    """

    area: Area
    name: str
    before: dict[Area, NDArray[np.uint8]]


@dataclass(frozen=True, eq=False)
class _Request:
    """What was asked for: a monitor's number or "all"; None for the active window."""

    screen: str | None


class Screenshots(QObject):
    """Takes screenshots, one at a time; the newest request wins.

    Each request that is neither overtaken nor cancelled ends with ``taken`` or ``failed``.
    """

    taken = Signal(object)  # Picture
    failed = Signal(str)  # one sentence for the user
    _thread_done = Signal(object, object)  # what goes on, with this result or error

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._wanted: _Request | None = None
        self._running: _Request | None = None
        self._windows = HiddenWindows([])
        self._thread_done.connect(self._go_on)

    def take_screen(self, screen: str = "all") -> None:
        """Take all monitors, or the one with this number."""
        self._take(_Request(screen))

    def take_window(self) -> None:
        """Take the active window; it fails where that is one of Seesay's own."""
        self._take(_Request(None))

    def cancel(self) -> None:
        """Forget the request; windows that are hidden still come back."""
        self._wanted = None

    def _take(self, request: _Request) -> None:
        self._wanted = request
        if self._running is None:
            self._begin(request)

    def _begin(self, request: _Request) -> None:
        self._running = request
        self._windows = HiddenWindows(in_the_way())
        if on_wayland():
            self._ask_portal(request)
        else:
            areas = self._windows.areas
            self._in_thread(lambda: _plan(request, areas), self._grab)

    def _grab(self, plan: _Plan) -> None:
        self._windows.hide(plan.area)
        self._in_thread(lambda: _grab_beneath(plan), self._end)

    def _ask_portal(self, request: _Request) -> None:
        if request.screen is None:
            self._in_thread(_refuse_window, self._end)
            return
        self._windows.hide()
        portal = PortalScreenshot(self)
        portal.taken.connect(lambda picture: self._end(_crop(picture, request.screen)))
        portal.failed.connect(lambda sentence: self._end(ScreenError(sentence)))
        portal.taken.connect(portal.deleteLater)
        portal.failed.connect(portal.deleteLater)
        QTimer.singleShot(_WAYLAND_WAIT if self._windows else 0, portal, portal.take)

    def _in_thread(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        def run() -> None:
            try:
                result = work()
            except SeesayError as error:
                result = error
            except Exception:  # whatever it was, windows that are hidden must come back
                result = ScreenError(NO_SCREEN)
            with contextlib.suppress(RuntimeError):  # the program has ended meanwhile
                self._thread_done.emit(then, result)

        QThreadPool.globalInstance().start(run)

    @Slot(object, object)
    def _go_on(self, then: Callable[[Any], None], result: Any) -> None:
        if isinstance(result, SeesayError):
            self._end(result)
        else:
            then(result)

    def _end(self, result: Picture | SeesayError) -> None:
        self._windows.show()
        done, self._running = self._running, None
        if self._wanted is not done:
            if self._wanted is not None:
                self._begin(self._wanted)
            return
        self._wanted = None
        if isinstance(result, SeesayError):
            self.failed.emit(str(result))
        else:
            self.taken.emit(result)


def _plan(request: _Request, own: Sequence[Area]) -> _Plan:
    if request.screen is None:
        window = active_window(os.getpid())
        area, name = window.area, window.title or "window"
    else:
        area = screen_area(request.screen)
        name = "screen" if request.screen == "all" else f"monitor {request.screen}"
    whole = screen_area()
    before = {part: grab_area(part).pixels for part in own if part.within(whole)}
    return _Plan(area, name, before)


def _grab_beneath(plan: _Plan) -> Picture:
    """Grab once Seesay's own windows have gone from the screen and what is beneath has come."""
    deadline = time.monotonic() + _WAIT_AT_MOST
    own = {area: pixels for area, pixels in plan.before.items() if area.within(plan.area)}
    last: dict[Area, NDArray[np.uint8]] = {}
    while own and time.monotonic() < deadline:
        time.sleep(_LOOK_EVERY)
        now = {area: grab_area(area).pixels for area in own}
        gone = all(_differ(now[area], own[area]) > _CHANGED for area in own)
        if gone and last and all(_differ(now[area], last[area]) == 0 for area in own):
            break
        last = now
    return grab_area(plan.area, plan.name)


def _differ(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """The share of pixels that differ, 0 to 1."""
    if one.shape != other.shape:  # monitors were changed meanwhile
        return 1.0
    return float(np.any(one != other, axis=2).mean())


def _refuse_window() -> Picture:
    raise ScreenError(_ONLY_ALL)


def _crop(picture: Picture, screen: str | None) -> Picture | SeesayError:
    """One monitor of a picture of all; desktops differ in its scale."""
    if screen in (None, "all"):
        return picture
    try:
        part, parts = screen_area(str(screen)), monitors()
    except SeesayError as error:
        return error
    left, top = min(area.left for area in parts), min(area.top for area in parts)
    right = max(area.left + area.width for area in parts)
    scale = picture.width / (right - left)
    rows = slice(round((part.top - top) * scale), round((part.top - top + part.height) * scale))
    columns = slice(
        round((part.left - left) * scale), round((part.left - left + part.width) * scale)
    )
    return Picture(picture.pixels[rows, columns], f"monitor {screen}")
