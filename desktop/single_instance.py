"""One Seesay for each user: a second start hands its wishes to the first."""

import contextlib
import getpass
import json
import os
import struct
import sys
import time
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path
from PySide6.QtCore import QLockFile, QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from core.errors import SeesayError

# How long a second start waits for the first, in seconds.
PATIENCE = 2.0
# So long after its own start the first may not answer yet: from a slow disk, all takes its time.
STARTING = 15.0
_AGAIN = 0.05  # seconds until it is looked again whether the first listens
# Room for hundreds of thousands of paths.
_MAX_BYTES = 64 * 1024 * 1024
_LENGTH = struct.Struct(">I")
_TAKEN = b"+"


class NotAnsweringError(SeesayError):
    """Another Seesay runs but does not take over what it is asked."""


class SingleInstance(QObject):
    """Finds out whether this is the first Seesay of this user, and carries wishes to it.

    Args:
        folder: where the first one leaves its lock and its socket; by default the user's own for
            such things.
    """

    asked = Signal(object, str)
    """In the first: a second start gave this list of absolute paths, and an action's name or ""."""

    def __init__(self, folder: Path | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        folder = folder or _own_folder()
        self._lock = QLockFile(str(folder / "seesay.lock"))
        self._lock.setStaleLockTime(0)  # held as long as its process lives, however long that is
        # Windows has no files for this but one list of names for all users.
        self._address = (
            f"seesay-{getpass.getuser()}"
            if sys.platform == "win32"
            else str(folder / "seesay.sock")
        )
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._welcome)

    def first(self) -> bool:
        """Whether no other Seesay runs; this one is it from now on, and is asked by the others.

        Where there is no place for a lock, each one is the first: better two than none.
        """
        if not self._lock.tryLock(0):
            return self._lock.error() != QLockFile.LockError.LockFailedError
        # Of a Seesay that was killed; nobody listens there, or the lock would not be ours.
        QLocalServer.removeServer(self._address)
        self._server.listen(self._address)
        return True

    def hand_over(self, paths: list[str], action: str = "") -> None:
        """Ask the first Seesay to describe these files, to do this, or to show its window.

        Raises:
            NotAnsweringError: if it does not answer within `PATIENCE`, or `STARTING` where it has
                just been started itself.
        """
        message = json.dumps({"paths": [os.path.abspath(path) for path in paths], "action": action})
        content = message.encode("ascii")
        end = time.monotonic() + max(PATIENCE, STARTING - self._age_of_the_first())
        socket = QLocalSocket()
        socket.connectToServer(self._address)
        # The first has the lock a moment before it listens.
        while not (connected := socket.waitForConnected(_milliseconds_until(end))):
            if time.monotonic() + _AGAIN > end:
                break
            time.sleep(_AGAIN)
            socket.connectToServer(self._address)
        if connected and len(content) <= _MAX_BYTES:
            socket.write(_LENGTH.pack(len(content)) + content)
            while socket.bytesToWrite() and socket.waitForBytesWritten(_milliseconds_until(end)):
                pass
            if socket.waitForReadyRead(_milliseconds_until(end)) and socket.readAll() == _TAKEN:
                return
        raise NotAnsweringError(
            "Seesay is running already but does not answer: wait a moment and try again, "
            "or end it and start it anew."
        )

    def close(self) -> None:
        """Be the first no more."""
        self._server.close()
        self._lock.unlock()

    def _age_of_the_first(self) -> float:
        """Seconds since it took the lock."""
        try:
            return abs(time.time() - os.path.getmtime(self._lock.fileName()))
        except OSError:  # it has just ended
            return STARTING

    def _welcome(self) -> None:
        while socket := self._server.nextPendingConnection():
            socket.readyRead.connect(lambda socket=socket: self._read(socket))
            socket.disconnected.connect(socket.deleteLater)
            self._read(socket)

    def _read(self, socket: QLocalSocket) -> None:
        """Take the message once it is there whole."""
        length = _LENGTH.unpack(bytes(socket.peek(_LENGTH.size).data()).ljust(_LENGTH.size, b"\0"))[
            0
        ]
        if length > _MAX_BYTES:
            socket.abort()
        if socket.bytesAvailable() < _LENGTH.size + max(length, 1):
            return
        socket.skip(_LENGTH.size)
        with contextlib.suppress(ValueError):
            paths, action = _checked(json.loads(bytes(socket.read(length).data())))
            socket.write(_TAKEN)
            socket.flush()
            self.asked.emit(paths, action)
        socket.disconnectFromServer()


def _checked(message: Any) -> tuple[list[str], str]:
    match message:
        case {"paths": list(paths), "action": str(action)} if all(
            isinstance(path, str) for path in paths
        ):
            return paths, action
        case _:
            raise ValueError("no message of Seesay")


def _milliseconds_until(end: float) -> int:
    return max(0, round((end - time.monotonic()) * 1000))


def _own_folder() -> Path:
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(runtime, "seesay") if runtime else user_cache_path("seesay", appauthor=False)
    with contextlib.suppress(OSError):  # then the lock fails, and Seesay starts without it
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
