"""Short, quiet sounds that tell what is going on before a word is said."""

import contextlib
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject

from core.paths import RESOURCES

Sound = Literal["looking", "done", "failed", "camera"]

_MOST_AT_ONCE = 3
_STUCK_AFTER = 2.0  # seconds; no sound is a quarter of one long


class Earcons(QObject):
    """Plays the sounds of Seesay; where that is not possible, nothing happens."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.enabled = True
        self._playing: list[tuple[float, subprocess.Popen[bytes]]] = []

    def play(self, name: Sound) -> None:
        """Start a sound and return; it is left out while too many others are still playing."""
        if not self.enabled:
            return
        file = RESOURCES / "sounds" / f"{name}.wav"
        if sys.platform == "win32":
            import winsound

            with contextlib.suppress(RuntimeError):
                winsound.PlaySound(
                    str(file), winsound.SND_FILENAME | winsound.SND_ASYNC | winsound.SND_NODEFAULT
                )
        else:
            self._start_player(file)

    def _start_player(self, file: Path) -> None:
        now = time.monotonic()
        for started, player in self._playing:
            if now - started > _STUCK_AFTER:
                player.kill()  # nothing happens to one that has ended
        self._playing = [
            (since, player) for since, player in self._playing if player.poll() is None
        ]
        command = ["afplay"] if sys.platform == "darwin" else ["aplay", "-q"]
        program = shutil.which(command[0])
        if program is None or len(self._playing) >= _MOST_AT_ONCE:
            return
        with contextlib.suppress(OSError):
            player = subprocess.Popen(
                [program, *command[1:], str(file)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            self._playing.append((now, player))
