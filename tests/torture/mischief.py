"""Cameras and voices that fail at random instants: each is told in time, each comes back.

Run by ``python -m tests.torture.mischief [TIMES]``; 120 by default: half of them those of some
cameras, over loopback, and half those of the process that speaks, all at the same time.
"""

import contextlib
import io
import os
import random
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import numpy as np
from PIL import Image
from PySide6.QtCore import QCoreApplication

from desktop.camera import CameraError, CameraReader, list_cameras, take_picture
from desktop.speech import Speech
from tests.camera_parts import CameraServer, Mode, camera_server
from tests.speech_parts import SENTENCE, running
from tests.torture.program_parts import Vitals, pause, vitals, wait_until

_TIMES = 120
_CAMERAS = 3
_MODES: tuple[Mode, ...] = ("stall", "garbage", "halves", "cut", "refuse", "silent")
_SIZES = ((320, 240), (640, 480), (240, 320), (161, 97))
_TOLD_WITHIN = 3.5  # seconds until a request for a picture is answered, in one way or the other
_BACK_WITHIN = 8.0  # seconds until there is a picture again
_GROWTH = Vitals(memory=40, handles=4, threads=3, processes=1)


class Camera:
    """A camera that is kept open, as by live mode, and asked for pictures all the time."""

    def __init__(self, server: CameraServer, chance: random.Random) -> None:
        self._server, self._chance = server, chance
        self._reader = CameraReader(server.url)
        self._picture(_BACK_WITHIN)

    def fail(self) -> None:
        """Something happens while a picture is taken; then all is well again."""
        mode = self._chance.choice((*_MODES, "gone"))
        threading.Timer(self._chance.uniform(0, 0.3), self._do, [mode]).start()
        end = time.monotonic() + self._chance.uniform(0.3, 1.5)
        while time.monotonic() < end:
            self._picture(_TOLD_WITHIN)
        if self._chance.random() < 0.3:  # and one that opens the camera anew
            asked = time.monotonic()
            with contextlib.suppress(CameraError):
                take_picture(self._server.url)
            assert time.monotonic() - asked < _TOLD_WITHIN + 1
        size = self._chance.choice(_SIZES)
        self._server.frame = lambda: noise(size)
        self._do("send")
        back = time.monotonic() + _BACK_WITHIN
        while not self._picture(_TOLD_WITHIN):
            assert time.monotonic() < back, f"no picture after {mode}"

    def close(self) -> None:
        """Let go of it."""
        self._reader.close()
        self._reader.wait_closed(_BACK_WITHIN)

    def _do(self, mode: str) -> None:
        if mode == "gone":
            self._server.stop()
            return
        self._server.mode = mode  # type: ignore[assignment]
        if mode == "send":
            self._server.stop()
            self._server.start()

    def _picture(self, seconds: float) -> bool:
        asked = time.monotonic()
        try:
            picture = self._reader.picture()
        except CameraError:
            picture = None
            time.sleep(0.05)
        assert time.monotonic() - asked < seconds, f"waited {time.monotonic() - asked:.1f} s"
        assert picture is None or picture.pixels.std() > 10, "a picture that is not whole"
        return picture is not None


def noise(size: tuple[int, int]) -> bytes:
    """A picture of which each part differs from all others."""
    width, height = size
    rows, columns = np.mgrid[:height, :width]
    pixels = np.stack([rows * 3 % 256, columns * 5 % 256, (rows + columns) % 256], axis=2)
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "jpeg")
    return file.getvalue()


class Voice:
    """A voice whose process is killed or stopped at any moment, or whose sound device goes."""

    def __init__(self, home: Path, chance: random.Random) -> None:
        self._asoundrc, self._chance = home / ".asoundrc", chance
        self._set_device("null")
        self.finished: list[int] = []
        self.failures: list[str] = []
        self._speech = Speech()
        self._speech.finished.connect(self.finished.append)
        self._speech.failed.connect(self.failures.append)
        self._say()

    def fail(self) -> None:
        """Something happens while it speaks; the text after it is said all the same."""
        what = self._chance.choice(("kill", "stop", "no device", "new text"))
        before = len(self.finished)
        number = self._speech.say(SENTENCE)
        pause(self._chance.uniform(0, 0.15))
        processes = running()
        if what == "no device":
            self._set_device("hw card 31")
            pause(self._chance.uniform(0, 0.3))
            self._speech.say(SENTENCE)
            self._wait()
            self._set_device("null")
        elif what == "new text":
            for _ in range(20):
                number = self._speech.say(SENTENCE)
        else:
            for process in processes:
                os.kill(process, signal.SIGKILL if what == "kill" else signal.SIGSTOP)
            wait_until(lambda: len(self.finished) > before, f"the end of the text after {what}", 30)
        self._say()
        assert number in self.finished
        assert len(self.finished) == len(set(self.finished)), "told twice"
        assert all(sentence.endswith(".") for sentence in self.failures), self.failures
        assert len(running()) == 1, "another process is left"

    def close(self) -> None:
        """End it."""
        self._speech.close()

    def _say(self) -> None:
        failures = len(self.failures)
        number = self._speech.say(SENTENCE)
        wait_until(lambda: number in self.finished, "the next text", 30)
        assert len(self.failures) == failures, self.failures[failures:]

    def _wait(self) -> None:
        number = self._speech.say(SENTENCE)
        wait_until(lambda: number in self.finished, "the text that nobody hears", 30)

    def _set_device(self, kind: str) -> None:
        self._asoundrc.write_text(f"pcm.!default {{ type {kind} }}\n")


class Failing:
    """Lets something fail again and again, and counts how often that was survived."""

    def __init__(self, name: str, fails: Callable[[], None]) -> None:
        self.tried = self.survived = 0
        self._name, self._fails = name, fails

    def run(self, times: int) -> None:
        """Do so."""
        began = time.monotonic()
        for _ in range(times):
            self.tried += 1
            try:
                self._fails()
                self.survived += 1
            except Exception:
                traceback.print_exc()
        print(
            f"  {self._name}: {self.tried} times, {self.survived} survived, "
            f"{time.monotonic() - began:.0f} s",
            flush=True,
        )


def main() -> int:
    """Let all of it happen; gives the exit status."""
    # Of each camera, and of the voice as many as of all cameras.
    times = max(2, (int(sys.argv[1]) if len(sys.argv) > 1 else _TIMES) // 2 // _CAMERAS)
    application = QCoreApplication([])
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as home, contextlib.ExitStack() as stack:
        os.environ["HOME"] = home
        list_cameras(60)
        servers = [
            stack.enter_context(camera_server(lambda: noise((320, 240)))) for _ in range(_CAMERAS)
        ]
        cameras = [Camera(server, random.Random(4 + place)) for place, server in enumerate(servers)]
        voice = Voice(Path(home), random.Random(9))
        fails = [Failing(f"camera {place + 1}", one.fail) for place, one in enumerate(cameras)]
        voices = Failing("voice", voice.fail)
        threads = [threading.Thread(target=one.run, args=[times]) for one in fails]
        for thread in threads:
            thread.start()
        half = _CAMERAS * times // 2
        voices.run(half)
        wait_until(lambda: sum(one.tried for one in fails) > half, "half of the cameras", 600)
        before = vitals()
        voices.run(_CAMERAS * times - half)
        wait_until(lambda: not any(map(threading.Thread.is_alive, threads)), "the cameras", 600)
        now = vitals()
        for camera in cameras:
            camera.close()
        voice.close()
        assert running() == [], "a process is left"
    application.shutdown()
    tried = sum(one.tried for one in (*fails, voices))
    survived = sum(one.survived for one in (*fails, voices))
    grown = now.exceeds(before, _GROWTH)
    print(
        f"mischief: {tried} tried, {survived} survived, {time.monotonic() - began:.0f} s; "
        f"grown: {', '.join(grown) or 'nothing'}; from {before} to {now}"
    )
    return int(survived < tried or bool(grown))


if __name__ == "__main__":
    sys.exit(main())
