"""What goes wrong around the desktop program: told in its window and aloud, nothing lost."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from desktop.program import Program
from tests.program_parts import WAIT, Start, announcements, pictures, programs, sentences


@pytest.fixture
def start(
    tiny_model: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Start]:
    with programs(tiny_model, tmp_path, qtbot, monkeypatch) as begin:
        yield begin


@pytest.fixture
def announced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    return announcements(monkeypatch)


def test_the_clipboard_without_a_picture_is_told(
    start: Start, tmp_path: Path, qtbot: QtBot
) -> None:
    program = start('speech = "silent"\n')
    QGuiApplication.clipboard().clear()
    with qtbot.waitSignal(program.flow.told, timeout=WAIT) as blocker:
        program.do("clipboard")
    assert "copy" in (blocker.args or [""])[0].lower()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux needs espeak-ng")
def test_without_a_player_the_window_says_what_to_install(
    start: Start, tmp_path: Path, qtbot: QtBot
) -> None:
    (tmp_path / "empty").mkdir()
    program = start(PATH=str(tmp_path / "empty"))
    with qtbot.waitSignal(program.flow.described, timeout=WAIT):
        program.on_asked_from_outside(pictures(tmp_path, "red"), "")
    qtbot.waitUntil(program.window.problems.isVisible, timeout=WAIT)
    assert "install" in program.window.problems.text()
    assert len(sentences(tmp_path)) == 1  # and all the rest works


def test_damaged_settings_and_history_are_told_and_set_aside(
    start: Start, tmp_path: Path, qtbot: QtBot
) -> None:
    (tmp_path / "data" / "seesay").mkdir(parents=True)
    (tmp_path / "data" / "seesay" / "history.sqlite3").write_bytes(b"no database " * 1000)
    program = start("no toml at all\n")
    assert program.window.problems.isVisible()
    assert "settings" in program.window.problems.text().lower()
    assert "history" in program.window.problems.text().lower()
    program.do("stop")
    assert list((tmp_path / "config" / "seesay").glob("settings.toml.broken-*"))


def test_settings_that_cannot_be_saved_are_told_and_used_all_the_same(
    start: Start, tmp_path: Path, qtbot: QtBot
) -> None:
    program = start('speech = "silent"\n')
    folder = tmp_path / "config" / "seesay"
    folder.rename(tmp_path / "away")
    folder.write_text("no folder")
    with qtbot.waitSignal(
        program.flow.told, timeout=WAIT, check_params_cb=lambda told: "cannot be saved" in told
    ):
        program._use_camera("Lamp", "http://lamp/")
    assert program.settings.camera == "http://lamp/"
    assert "cannot be saved" in program.window.problems.text()
    folder.unlink()
    program._use_camera("Lamp", "http://lamp/2")
    qtbot.waitUntil(lambda: "saved" not in program.window.problems.text(), timeout=WAIT)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have no X display")
@pytest.mark.parametrize("display", ["", ":987"])
def test_without_a_desktop_one_sentence(display: str, tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "DISPLAY": display}
    done = subprocess.run(
        [sys.executable, "-m", "seesay"],
        env=environment,
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("seesay: There is no desktop")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have no X display")
def test_a_screen_that_cannot_be_taken_is_told_where_a_part_is_to_be_chosen(
    start: Start, announced: list[str], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = start('speech = "screen_reader"\n')
    monkeypatch.setenv("DISPLAY", ":987")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    announced.clear()
    program.do("region")
    qtbot.waitUntil(lambda: bool(announced), timeout=WAIT)
    assert program.window.status.text() == announced[-1]


def test_a_description_that_cannot_be_kept_is_said_and_shown_with_the_reason(
    start: Start, announced: list[str], tmp_path: Path, qtbot: QtBot
) -> None:
    program = start('speech = "screen_reader"\n')
    path = tmp_path / "data" / "seesay" / "history.sqlite3"
    path.unlink()
    path.mkdir()
    with qtbot.waitSignal(program.flow.described, timeout=WAIT) as blocker:
        program.on_asked_from_outside(pictures(tmp_path, "red"), "")
    spoken = (blocker.args or [])[0].caption.spoken
    assert announced[-1].startswith(spoken)
    reason = announced[-1].removeprefix(spoken).strip()
    assert "history" in reason.lower()
    assert reason in program.window.problems.text()


def test_an_entry_that_cannot_be_read_is_told(
    start: Start, announced: list[str], tmp_path: Path, qtbot: QtBot
) -> None:
    program = start('speech = "screen_reader"\n')
    with qtbot.waitSignal(program.flow.kept, timeout=WAIT) as blocker:
        program.on_asked_from_outside(pictures(tmp_path, "red"), "")
    program.history.close()
    announced.clear()
    program._pane.opened.emit((blocker.args or [])[0])
    assert "history" in announced[-1].lower()


def test_damage_that_is_met_later_is_told_and_shown_after_the_description(
    start: Start, announced: list[str], tmp_path: Path, qtbot: QtBot
) -> None:
    program = start('speech = "screen_reader"\n')
    red, blue = pictures(tmp_path, "red", "blue")
    with qtbot.waitSignal(program.flow.described, timeout=WAIT):
        program.on_asked_from_outside([red], "")
    qtbot.waitUntil(lambda: bool(program.history.page()[0].caption.words), timeout=WAIT)
    path = tmp_path / "data" / "seesay" / "history.sqlite3"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path.write_bytes(b"broken" * (path.stat().st_size // 6))
    with qtbot.waitSignal(program.flow.described, timeout=WAIT) as blocker:
        program.on_asked_from_outside([blue], "")
    qtbot.waitUntil(lambda: announced[-1].startswith("The history was damaged"), timeout=WAIT)
    assert announced[-2] == (blocker.args or [])[0].caption.spoken
    assert "damaged" in program.window.problems.text()


def test_a_model_that_cannot_be_loaded_is_told_even_if_all_is_stopped(
    start: Start, announced: list[str], tmp_path: Path, qtbot: QtBot
) -> None:
    program = start('speech = "screen_reader"\n')
    other = Program(tmp_path / "no model")
    with qtbot.waitSignal(other.captioning.failed, timeout=WAIT):
        other.start(minimised=False)
        QTimer.singleShot(0, lambda: other.do("stop"))  # right after it begins to load
    assert "no model" in other.window.problems.text()
    qtbot.waitUntil(lambda: any("no model" in one for one in announced), timeout=WAIT)
    other.close()
    other.window.deleteLater()
    assert "model" not in program.window.problems.text()


def test_what_holds_no_file_is_told_when_it_is_dropped(start: Start) -> None:
    program = start('speech = "silent"\n')
    told: list[str] = []
    program.flow.told.connect(told.append)
    program.window.dropped.emit([])  # a link of a browser, for instance
    assert told == ["There is no file of this computer in it: save it as a file first."]
