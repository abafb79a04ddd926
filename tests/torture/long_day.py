"""A day of eight hours in fast motion: memory, handles, threads and processes do not grow.

Run by ``python -m tests.torture.long_day [ROUNDS]``; 480 by default, one for each minute. In each,
something is asked for; now and then live mode watches the camera, the machine sleeps and wakes with
the camera's connection lost, the settings are opened, the history is searched and emptied.
"""

import itertools
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import fields, replace
from pathlib import Path

import cv2
from PySide6.QtGui import QGuiApplication, QImage

from desktop.program import Program
from desktop.settings_dialog import SettingsDialog
from tests.camera_parts import CameraServer, camera_server
from tests.picture_kinds import snapshot
from tests.torture.program_parts import (
    Pulse,
    Vitals,
    a_program,
    pause,
    photos,
    vitals,
    wait_until,
)

_MINUTES = 480

# What may be more at the end than in the second quarter, as noise of measuring: megabytes, counts.
_GROWTH = Vitals(memory=24, handles=3, threads=2, processes=1)

_REQUESTS = ("camera", "screen", "window", "clipboard", "file", "aim")
_DETAILS = ("repeat", "where", "text", "spell", "copy", "stop", "show")


class Day:
    """The program, its camera, and what happens to them."""

    def __init__(self, program: Program, camera: CameraServer, folder: Path) -> None:
        self._program, self._camera = program, camera
        self._photos = photos(folder / "photos", 40)
        self._image = QImage(self._photos[0])
        self._chance = random.Random(8)
        self.pulse = Pulse()
        self.answers = 0
        program.flow.told.connect(self._on_told)

    def begin(self) -> None:
        """All of it once, as the first of everything loads what stays."""
        for request in _REQUESTS:
            self._ask(request, 1)
        self._live()

    def minute(self, number: int) -> None:
        """What happens in a minute."""
        self._ask(self._chance.choice(_REQUESTS), number)
        for detail in self._chance.sample(_DETAILS, 2):
            self._program.do(detail)
            pause(0.02)
        if number % 8 == 3:
            self._live()
        if number % 30 == 11:
            self._sleep()
        if number % 40 == 17:
            self._change_settings(number)
        if number % 40 == 29:
            self._look_back()

    def _ask(self, request: str, number: int) -> None:
        before = self.answers
        if request == "clipboard" and number % 2:
            QGuiApplication.clipboard().setImage(self._image)
        if request == "file":
            some = self._chance.sample(self._photos, self._chance.randint(1, 3))
            self._program.on_asked_from_outside(some, "")
        else:
            self._program.do(request)
        wait_until(lambda: self.answers > before, f"an answer to {request}")

    def _live(self) -> None:
        """Watch for a while, and see something new."""
        self._program.do("live")
        pause(1.5)
        self._program.do("live")

    def _sleep(self) -> None:
        """The machine sleeps in the midst of live mode; when it wakes, the stream has ended."""
        self._program.do("live")
        pause(0.5)
        self._camera.stop()
        _freeze(1.0)
        self._camera.start()
        self.pulse.skip()
        pause(0.5)
        self._program.do("live")

    def _change_settings(self, number: int) -> None:
        window = self._program.window
        self._program.do("settings")
        wait_until(lambda: window.findChildren(SettingsDialog), "the settings")
        (dialog,) = window.findChildren(SettingsDialog)
        dialog.applied.emit(replace(self._program.settings, rate=100 + number % 200))
        dialog.reject()
        wait_until(lambda: not window.findChildren(SettingsDialog), "the end of the settings")

    def _look_back(self) -> None:
        self._program.do("find")
        pause(0.1)
        self._program.history.forget_older_than(1)
        list(self._program.history.walk())

    def _on_told(self, sentence: str) -> None:
        # At rest, or why nothing can be described.
        self.answers += not sentence.startswith("Looking")


def _freeze(seconds: float) -> None:
    """Stop this process for a while, as the system does to all when it sleeps."""
    me = os.getpid()
    subprocess.run(["sh", "-c", f"kill -STOP {me}; sleep {seconds}; kill -CONT {me}"], check=True)


def median(samples: list[Vitals]) -> Vitals:
    """Of each figure by itself."""
    names = [field.name for field in fields(Vitals)]
    return Vitals(*(statistics.median(getattr(one, name) for one in samples) for name in names))


def frames(kinds: int = 6) -> list[bytes]:
    """What the camera sees."""
    made = []
    for kind in range(kinds):
        done, coded = cv2.imencode(".jpg", snapshot(kind, 320, 240)[:, :, ::-1])
        assert done
        made.append(coded.tobytes())
    return made


def main() -> int:
    """Live through the day; gives the exit status."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else _MINUTES
    scenes, began, survived = itertools.cycle(frames()), time.monotonic(), 0
    samples: list[Vitals] = []
    scene = [next(scenes)]
    with (
        tempfile.TemporaryDirectory() as name,
        camera_server(lambda: scene[0], rate=10) as camera,
        a_program(Path(name), f'camera = "{camera.url}"\n') as program,
    ):
        day = Day(program, camera, Path(name))
        day.begin()
        for number in range(rounds):
            scene[0] = next(scenes)
            try:
                day.minute(number)
                survived += 1
            except Exception:
                traceback.print_exc()
            samples.append(vitals())
            if number % max(1, rounds // 8) == 0:
                print(f"  minute {number}: {samples[-1]}", flush=True)
    quarter = max(1, rounds // 4)
    early, late = median(samples[quarter : 2 * quarter]), median(samples[-quarter:])
    more = late.exceeds(early, _GROWTH)
    seconds = time.monotonic() - began
    print(f"  longest stall: {day.pulse.cause}")
    print(
        f"long day: {rounds} minutes tried, {survived} survived in {seconds:.0f} s; "
        f"grown: {', '.join(more) or 'nothing'}; longest stall {day.pulse.longest:.2f} s; "
        f"second quarter {early}, last {late}"
    )
    return int(survived < rounds or bool(more))


if __name__ == "__main__":
    sys.exit(main())
