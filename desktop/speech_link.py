"""The link to the process that speaks: starts it, hears it, and notices when it is lost."""

import contextlib
import json
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from PySide6.QtCore import QObject, QProcess, Qt, Signal

# Where `desktop` is found, in a checkout as in an installed package.
_ROOT = Path(__file__).resolve().parent.parent

# A process that tells more than this has gone mad. A long list of voices is one line.
_LONGEST_LINE = 4 * 1024 * 1024  # bytes
_MOST_A_SECOND = 1000  # messages


@dataclass(frozen=True)
class Voice:
    """A voice that can be chosen.

    Attributes:
        id: as the engine names it.
        name: for people.
        languages: codes such as ``en-gb``; some engines name none.
    """

    id: str
    name: str
    languages: tuple[str, ...]


class SpeechLink(QObject):
    """One process of `desktop.speech_process`, and the player that it started.

    Signals:
        told: a message from it; desktop/speech_process.py describes them.
        lost: it ended unasked, could not be started, or tells nonsense or too much.
    """

    told = Signal(dict)
    lost = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.voices: list[Voice] | None = None  # None until it is ready
        self._player: int | None = None  # the process group that makes the sound
        self._second, self._messages = 0.0, 0  # when it began, and how many came in it
        self._process = QProcess(self)
        # There, `desktop` is found, and nothing in the user's folder is taken for a module.
        self._process.setWorkingDirectory(str(_ROOT))
        self._process.setStandardErrorFile(QProcess.nullDevice())
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.finished.connect(self.lost)
        # Queued, because a start can fail before anyone is connected to `lost`.
        self._process.errorOccurred.connect(self._take_error, Qt.ConnectionType.QueuedConnection)
        self._process.start(sys.executable, ["-m", "desktop.speech_process"])

    def ask(self, request: dict[str, Any]) -> None:
        """Send a request; while the process starts, it waits in the pipe."""
        if self._process.state() != QProcess.ProcessState.NotRunning:
            self._process.write(json.dumps(request).encode() + b"\n")

    def silence(self) -> None:
        """End the sound at once, even when the process does not listen."""
        if sys.platform != "win32" and self._player is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._player, signal.SIGKILL)
        self._player = None

    def end(self) -> None:
        """End process and sound, without a signal."""
        self.blockSignals(True)
        self.silence()
        if self._process.state() == QProcess.ProcessState.NotRunning:
            self.deleteLater()
        else:
            self._process.finished.connect(self.deleteLater)
            self._process.kill()

    def wait_for_end(self) -> None:
        """Return when the process has ended, or half a second after."""
        self._process.waitForFinished(500)

    def read_waiting(self) -> None:
        """Take what the process has said, without waiting for the event loop."""
        self._process.waitForReadyRead(0)

    def _read(self) -> None:
        while self._process.canReadLine():
            try:
                message = self._take(bytes(self._process.readLine().data()))
            except (ValueError, RecursionError):
                self._give_up()
                return
            self.told.emit(message)
        if self._process.bytesAvailable() > _LONGEST_LINE:
            self._give_up()

    def _take(self, line: bytes) -> dict[str, Any]:
        """Read a message, and note what it tells of the process itself.

        Raises:
            ValueError: if it is none, or one too many.
        """
        now = time.monotonic()
        if now - self._second > 1:
            self._second, self._messages = now, 0
        self._messages += 1
        message = json.loads(line)
        match message:
            case _ if self._messages > _MOST_A_SECOND:
                raise ValueError("a flood")
            case {"tell": "ready", "voices": list(voices)}:
                self.voices = [_voice(voice) for voice in voices]
            case {
                "tell": "player",
                "number": int(),
                "within": int() | float(),
                "group": int(group),
            } if group > 1:  # 0 and 1 would be this program and all others
                self._player = group
            case {"tell": "finished", "number": int()}:
                self._player = None
            case {"tell": "failed", "number": int(), "sentence": str()}:
                self._player = None
            case {"tell": "piece", "number": int(), "within": int() | float(), "index": int()}:
                pass
            case {
                "tell": "heard" | "started" | "alive",
                "number": int(),
                "within": int() | float(),
            }:
                pass
            case _:
                raise ValueError("no message")
        return cast(dict[str, Any], message)

    def _give_up(self) -> None:
        self._process.readyReadStandardOutput.disconnect(self._read)
        self.lost.emit()

    def _take_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:  # all others end in `finished`
            self.lost.emit()


def _voice(voice: Any) -> Voice:
    match voice:
        case {"id": str(key), "name": str(name), "languages": list(languages)}:
            return Voice(key, name, tuple(map(str, languages)))
    raise ValueError("no voice")
