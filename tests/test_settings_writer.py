"""Settings are saved beside the window: it does not wait for the disk, and none are lost."""

import threading
from pathlib import Path

from pytestqt.qtbot import QtBot

from desktop.settings import Settings, SettingsFile
from desktop.settings_writer import SettingsWriter
from tests.program_parts import WAIT


class BusyDisk(SettingsFile):
    """A file whose disk is busy until it is let go."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.begun, self.free = threading.Event(), threading.Event()
        self.written: list[int] = []

    def save(self, settings: Settings) -> None:
        self.begun.set()
        assert self.free.wait(WAIT / 1000)
        super().save(settings)
        self.written.append(settings.rate)


def test_saving_waits_for_nothing_and_the_last_is_kept(qtbot: QtBot, tmp_path: Path) -> None:
    file = BusyDisk(tmp_path / "settings.toml")
    writer = SettingsWriter(file)
    writer.save(Settings(rate=100))
    assert file.begun.wait(WAIT / 1000)
    for rate in range(101, 200):
        writer.save(Settings(rate=rate))  # returns, though nothing can be written yet
    assert file.written == []
    file.free.set()
    qtbot.waitUntil(lambda: file.load()[0].rate == 199, timeout=WAIT)
    writer.close()
    assert file.written == [100, 199]


def test_the_end_saves_what_still_waits(tmp_path: Path) -> None:
    file = BusyDisk(tmp_path / "settings.toml")
    writer = SettingsWriter(file)
    writer.save(Settings(rate=100))
    assert file.begun.wait(WAIT / 1000)
    writer.save(Settings(rate=101))
    threading.Timer(0.1, file.free.set).start()
    writer.close()
    assert file.load() == (Settings(rate=101), None)


def test_what_cannot_be_saved_is_told(qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    writer = SettingsWriter(SettingsFile(tmp_path / "file" / "settings.toml"))
    with qtbot.waitSignal(writer.tried, timeout=WAIT) as tried:
        writer.save(Settings())
    assert "cannot be saved" in (tried.args or [""])[0]
    (tmp_path / "file").unlink()
    with qtbot.waitSignal(writer.tried, timeout=WAIT) as tried:
        writer.save(Settings())
    assert tried.args == [""]
    writer.close()
