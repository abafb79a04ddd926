"""Too much at once: the latest request is answered, little waits, the window stays alive.

Run by ``python -m tests.torture.hammering [PRESSES]``; 10,000 by default, 1,000 dropped files and
500 changes of the settings in proportion.
"""

import itertools
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication

from desktop.description import Description
from desktop.program import Program
from desktop.settings import SettingsFile
from desktop.settings_dialog import SettingsDialog
from tests.torture.program_parts import Pulse, a_program, pause, photos, vitals, wait_until

_PRESSES = 10_000
_A_MINUTE = 60.0
_KEYS = ("F8", "F10", "F11", "F6", "F12")  # with Ctrl and Shift
_AT_ONCE = 250  # presses of one run of xdotool

# What is borne.
_STALL = 1.0  # seconds without a turn of the event loop
_GROWTH = 60.0  # megabytes


class Trial:
    """The program, what it tells, and how it bears it."""

    def __init__(self, program: Program, folder: Path) -> None:
        self.program, self.folder = program, folder
        self.pulse = Pulse()
        self.described: list[tuple[str, str]] = []  # source and path; pictures would fill memory
        self.told: list[str] = []
        program.flow.described.connect(self._on_described)
        program.flow.told.connect(self.told.append)
        # The first of everything loads what stays.
        program.do("screen")
        wait_until(lambda: self.described, "the screen")
        self.describe(*photos(folder / "first", 8))
        wait_until(lambda: self.told[-1] == "Ready.", "rest")
        self.before = vitals()

    def describe(self, *paths: str) -> None:
        """Describe these, and wait for the last of them."""
        self.program.on_asked_from_outside([*paths], "")
        self.wait_for(paths[-1])

    def wait_for(self, path: str, seconds: float = 60) -> None:
        """Wait until this file is the last that was described."""
        wait_until(lambda: self.paths()[-1:] == [path], f"the description of {path}", seconds)

    def paths(self) -> list[str]:
        """Of the files that were described."""
        return [path for _, path in self.described]

    def _on_described(self, one: Description) -> None:
        self.described.append((one.source, one.caption.path))

    def tell(self, what: str, began: float) -> None:
        """Print how it went, and look whether it is to be borne."""
        now = vitals()
        print(
            f"  {what}, {time.monotonic() - began:.0f} s, "
            f"longest stall {self.pulse.longest:.2f} s, now {now}, before {self.before}",
            flush=True,
        )
        assert self.pulse.longest < _STALL, self.pulse.cause
        assert now.memory - self.before.memory < _GROWTH


def press_keys(trial: Trial, presses: int) -> None:
    """Hotkeys, as fast as they are to come, and then one more that is to be answered."""
    heard: list[str] = []
    trial.program.hotkeys.pressed.connect(heard.append)
    trial.described.clear()
    trial.pulse.begin()
    began = time.monotonic()
    keys = itertools.cycle(_KEYS)
    left = presses
    while left > 0:
        some = [*itertools.islice(keys, min(left, _AT_ONCE))]
        left -= len(some)
        _press(*some)
        due = began + _A_MINUTE * (presses - left) / _PRESSES
        pause(max(0.0, due - time.monotonic()))
    wait_until(lambda: len(heard) == presses, "all presses to be heard")
    rate = presses / (time.monotonic() - began) * 60
    answered = len(trial.described)
    _press("F8")
    wait_until(lambda: len(trial.described) > answered, "the answer to the last press")
    wait_until(lambda: trial.told[-1] == "Ready.", "rest")
    assert trial.described[-1][0] == "screen"
    trial.tell(f"{presses} presses, {rate:.0f} a minute, {answered} answered meanwhile", began)


def drop_files(trial: Trial, files: int) -> None:
    """Files on the window: all are described; and once more, when something else is asked for."""
    paths = photos(trial.folder / "dropped", files)
    (other,) = photos(trial.folder / "other", 1)
    dialog = _open_settings(trial.program)
    dialog.applied.emit(replace(trial.program.settings, speech="silent", earcons=False))
    dialog.reject()
    trial.described.clear()
    trial.pulse.begin()
    began = time.monotonic()
    _drop(trial.program, paths)
    trial.wait_for(paths[-1], 2 * files)
    assert trial.paths() == paths
    history = trial.program.history
    kept = [entry.caption.path for entry in history.page(limit=files, with_words=False)]
    assert kept == paths[::-1]
    for _ in range(5):
        _drop(trial.program, paths)
    trial.described.clear()
    trial.describe(other)
    assert trial.paths() == [other]
    trial.tell(f"{files} files dropped at once, all described", began)


def change_settings(trial: Trial, changes: int) -> None:
    """Settings that change all the time while one file after the other is described."""
    program = trial.program
    paths = photos(trial.folder / "meanwhile", max(10, changes // 5))
    dialog = _open_settings(program)
    trial.described.clear()
    trial.pulse.begin()
    began = time.monotonic()
    _drop(program, paths)
    for number in range(changes):
        dialog.applied.emit(
            replace(
                program.settings,
                rate=80 + number % 300,
                speech=("own", "silent", "screen_reader")[number % 3],
                earcons=bool(number % 2),
                read_text=bool(number % 5),
                keep_pictures=bool(number % 7),
                hotkeys={**program.settings.hotkeys, "live": f"Ctrl+Shift+F{3 + number % 2}"},
            )
        )
        pause(0.02)
    dialog.applied.emit(replace(program.settings, speech="silent"))
    dialog.reject()
    trial.wait_for(paths[-1], 4 * len(paths))
    assert trial.paths() == paths
    saved = (program.settings, None)
    wait_until(lambda: SettingsFile().load() == saved, "the settings to be saved")
    trial.tell(f"{changes} changes of the settings, {len(paths)} files described", began)


def _open_settings(program: Program) -> SettingsDialog:
    program.do("settings")
    wait_until(lambda: program.window.findChildren(SettingsDialog), "the settings")
    (dialog,) = program.window.findChildren(SettingsDialog)
    return dialog


def _press(*keys: str) -> None:
    held = ("keydown", "ctrl", "keydown", "shift")
    released = ("keyup", "shift", "keyup", "ctrl")
    xdotool = subprocess.Popen(["xdotool", *held, "key", "--delay", "0", *keys, *released])
    wait_until(lambda: xdotool.poll() is not None, "the presses")


def _drop(program: Program, paths: list[str]) -> None:
    what = QMimeData()
    what.setUrls([QUrl.fromLocalFile(path) for path in paths])
    copy, button = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    keys = Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(program.window, QDragEnterEvent(QPoint(9, 9), copy, what, button, keys))
    QApplication.sendEvent(program.window, QDropEvent(QPointF(9, 9), copy, what, button, keys))


def main() -> int:
    """Do all of it; gives the exit status."""
    presses = int(sys.argv[1]) if len(sys.argv) > 1 else _PRESSES
    trials: tuple[tuple[Callable[[Trial, int], None], int], ...] = (
        (press_keys, presses),
        (drop_files, max(20, presses // 10)),
        (change_settings, max(20, presses // 20)),
    )
    tried = survived = 0
    with tempfile.TemporaryDirectory() as name, a_program(Path(name), "keep_days = 0\n") as program:
        trial = Trial(program, Path(name))
        for work, count in trials:
            tried += count
            try:
                work(trial, count)
                survived += count  # all, or none: they are one trial
            except Exception:
                traceback.print_exc()
        # Nothing is left over, and what was kept is whole.
        wait_until(lambda: vitals().processes <= trial.before.processes, "the players to end")
        now, before = vitals(), trial.before
        grown = now.threads > before.threads + 2 or now.handles > before.handles + 5
    print(f"hammering: {tried} tried, {survived} survived; at the end {now}, at the start {before}")
    return int(survived < tried or grown)


if __name__ == "__main__":
    sys.exit(main())
