"""A screenshot on Wayland: asked of the desktop's portal over D-Bus."""

import contextlib
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import SLOT, QObject, QThreadPool, QTimer, QUrl, Signal, Slot
from PySide6.QtDBus import QDBusConnection, QDBusMessage, QDBusPendingCallWatcher

from core.errors import SeesayError
from core.picture import Picture, open_picture
from desktop.screen_area import NO_PORTAL

_SERVICE = "org.freedesktop.portal.Desktop"
_OBJECT = "/org/freedesktop/portal/desktop"
_REQUEST = "org.freedesktop.portal.Request"

_REFUSED = (
    "The desktop did not allow a screenshot: allow it for Seesay in the system's settings, or copy "
    "one with the Print Screen key and describe the clipboard."
)

# The portal may ask the user for permission, who needs time to find and read that question.
_PATIENCE = 60_000  # milliseconds


class PortalScreenshot(QObject):
    """One screenshot of all monitors; emits ``taken`` or ``failed``, once. Never blocks."""

    taken = Signal(object)  # Picture
    failed = Signal(str)  # one sentence for the user
    _opened = Signal(object)  # Picture, or None where the file is no picture

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bus = QDBusConnection.sessionBus()
        self._path = ""
        self._over = False
        self._opened.connect(self._finish)

    def take(self) -> None:
        """Ask for the screenshot."""
        if not self._bus.isConnected():
            QTimer.singleShot(0, self, lambda: self._fail(NO_PORTAL))
            return
        # The answer is a signal of an object whose path is known beforehand, so that it can be
        # listened to before anybody can send it.
        token = f"seesay_{secrets.token_hex(8)}"
        sender = self._bus.baseService().removeprefix(":").replace(".", "_")
        self._listen(f"{_OBJECT}/request/{sender}/{token}")
        message = QDBusMessage.createMethodCall(
            _SERVICE, _OBJECT, "org.freedesktop.portal.Screenshot", "Screenshot"
        )
        message.setArguments(["", {"handle_token": token, "interactive": False}])
        call = QDBusPendingCallWatcher(self._bus.asyncCall(message), self)
        call.finished.connect(self._asked)
        QTimer.singleShot(_PATIENCE, self, lambda: self._fail(NO_PORTAL))

    def _listen(self, path: str) -> None:
        self._path = path
        slot: Any = SLOT("_answered(uint,QVariantMap)")  # a string, whatever the stubs say
        self._bus.connect(_SERVICE, path, _REQUEST, "Response", self, slot)

    @Slot("QDBusPendingCallWatcher*")
    def _asked(self, call: QDBusPendingCallWatcher) -> None:
        if call.isError():
            self._fail(NO_PORTAL)
            return
        (path,) = call.reply().arguments()
        if path.path() != self._path:  # old portals choose a path of their own
            self._listen(path.path())

    @Slot("uint", "QVariantMap")
    def _answered(self, code: int, results: dict[str, object]) -> None:
        file = QUrl(str(results.get("uri", ""))).toLocalFile()
        if code != 0 or not file:
            self._fail(_REFUSED if code == 1 else NO_PORTAL)
        elif not self._over:
            # Decoding would hold up the windows.
            QThreadPool.globalInstance().start(lambda: self._read(Path(file)))

    def _read(self, file: Path) -> None:
        try:
            picture = replace(open_picture(file), name="screen")
        except SeesayError:
            picture = None
        with contextlib.suppress(OSError):
            file.unlink()
        with contextlib.suppress(RuntimeError):  # the program has ended meanwhile
            self._opened.emit(picture)

    @Slot(object)
    def _finish(self, picture: Picture | None) -> None:
        if picture is None:
            self._fail(NO_PORTAL)
        elif not self._over:
            self._over = True
            self.taken.emit(picture)

    def _fail(self, sentence: str) -> None:
        if not self._over:
            self._over = True
            self.failed.emit(sentence)
