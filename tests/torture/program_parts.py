"""The desktop program in this process, on a display of its own, and how it bears what it gets."""

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from shutil import which
from typing import Any

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from desktop.program import Program
from tests.desktop_parts import a_display
from tests.picture_kinds import save_snapshot
from tests.screen_parts import window_manager
from tests.torture.processes import descendants

_TICK = 10  # milliseconds
_LONG = 0.4  # seconds without a tick, after which it is noted what all threads are at
_MEGABYTE = 2**20


@dataclass(frozen=True)
class Vitals:
    """What this process takes from the machine.

    Attributes:
        memory: resident, in megabytes.
        handles: open files, sockets and pipes.
        threads: of this process.
        processes: that it has started, and those have, which still are there.
    """

    memory: float
    handles: float
    threads: float
    processes: float

    def exceeds(self, before: "Vitals", growth: "Vitals") -> list[str]:
        """What is more than it was before by more than this."""
        found = []
        for name, now in asdict(self).items():
            was = getattr(before, name)
            if now > was + getattr(growth, name):
                found.append(f"{name} from {was:.0f} to {now:.0f}")
        return found

    def __str__(self) -> str:
        return (
            f"{self.memory:.0f} MB, {self.handles:.0f} handles, {self.threads:.0f} threads, "
            f"{self.processes:.0f} processes"
        )


def vitals() -> Vitals:
    """What this process takes now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Vitals(
        pages * os.sysconf("SC_PAGE_SIZE") / _MEGABYTE,
        len(os.listdir("/proc/self/fd")),
        len(os.listdir("/proc/self/task")),
        len(descendants(os.getpid())),
    )


class Pulse:
    """Ticks in the event loop, and notes the longest time in which it did not come to that.

    Attributes:
        longest: seconds.
        cause: what all threads were at in the midst of it, where that could be seen, and how much
            of the processor's time they got.
    """

    def __init__(self) -> None:
        self.begin()
        self._timer = QTimer(interval=_TICK)
        self._timer.timeout.connect(self._beat)
        self._timer.start()
        threading.Thread(target=self._watch, daemon=True).start()

    def begin(self) -> None:
        """Measure from now on."""
        self.longest, self.cause = 0.0, ""
        self.skip()

    def skip(self) -> None:
        """Do not count what has just been waited for on purpose."""
        self._last, self._worked, self._seen = time.monotonic(), time.process_time(), ""

    def _beat(self) -> None:
        stall = time.monotonic() - self._last - _TICK / 1000
        if stall > self.longest:
            worked = time.process_time() - self._worked
            self.longest = stall
            self.cause = f"{worked:.2f} s of the processor in {stall:.2f} s\n{self._seen}"
        self.skip()

    def _watch(self) -> None:
        # Not by faulthandler, whose timer does not wait for Python's lock: that crashes threads.
        while True:
            time.sleep(_LONG / 8)
            if time.monotonic() - self._last > _LONG and not self._seen:
                self._seen = _stacks()


def _stacks() -> str:
    """What all threads of this process are at."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return "\n".join(
        f"{names.get(number, number)}:\n{''.join(traceback.format_stack(frame))}"
        for number, frame in sys._current_frames().items()
    )


def wait_until(check: Callable[[], Any], what: str, seconds: float = 60) -> None:
    """Run the event loop until something is true.

    Raises:
        AssertionError: if it does not become true.
    """
    loop, end = QEventLoop(), time.monotonic() + seconds
    timer = QTimer(interval=_TICK)
    timer.timeout.connect(lambda: loop.exit() if check() or time.monotonic() > end else None)
    timer.start()
    loop.exec()
    assert check(), f"waited in vain for {what}"


def pause(seconds: float) -> None:
    """Run the event loop for a while."""
    loop = QEventLoop()
    QTimer.singleShot(round(1000 * seconds), loop.quit)
    loop.exec()


def photos(folder: Path, files: int, kinds: int = 8) -> list[str]:
    """So many picture files of a few kinds."""
    for kind in range(kinds):
        save_snapshot(folder / f"kind{kind}.png", kind)
    paths = [folder / f"{number:04}.png" for number in range(files)]
    for number, path in enumerate(paths):
        path.hardlink_to(folder / f"kind{number % kinds}.png")
    return [*map(str, paths)]


@contextmanager
def a_program(folder: Path, settings: str = "") -> Iterator[Program]:
    """The program with its own model and voice, and a home of its own; ready.

    What is said is heard by nobody, but takes the time that the device takes: none.
    """
    (folder / "config" / "seesay").mkdir(parents=True)
    (folder / "config" / "seesay" / "settings.toml").write_text("welcomed = true\n" + settings)
    (folder / ".asoundrc").write_text("pcm.!default { type null }\n")
    for name, place in (("HOME", ""), ("XDG_CONFIG_HOME", "config"), ("XDG_DATA_HOME", "data")):
        os.environ[name] = str(folder / place)
    for name in ("XDG_SESSION_TYPE", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        os.environ.pop(name, None)
    os.environ["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={folder}/no-bus"
    with a_display() as display:
        os.environ["DISPLAY"] = display
        with window_manager(display) if which("openbox") else nullcontext():
            application = QApplication([])
            application.setQuitOnLastWindowClosed(False)
            program = Program()
            ready: list[str] = []
            program.captioning.ready.connect(ready.append)
            program.start(minimised=False)
            wait_until(lambda: ready, "the model")
            yield program
            program.close()
            application.shutdown()
