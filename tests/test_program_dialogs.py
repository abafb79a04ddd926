"""The window and its dialogs beside what is under way: nothing is lost, changed or told twice."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QSignalSpy
from PySide6.QtWidgets import QApplication, QInputDialog
from pytestqt.qtbot import QtBot

from core.picture import Picture
from desktop.first_run import Welcome
from desktop.history import History, Query
from desktop.history_export import export_history
from desktop.region import RegionPicker
from tests.history_parts import caption_of
from tests.program_parts import WAIT, Start, announcements, pictures, programs, sentences

SPOKEN = 'speech = "screen_reader"\n'


@pytest.fixture
def start(
    tiny_model: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Start]:
    with programs(tiny_model, tmp_path, qtbot, monkeypatch) as begin:
        yield begin


@pytest.fixture
def announced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    return announcements(monkeypatch)


@pytest.mark.usefixtures("announced")
def test_the_welcome_page_drops_no_file_that_was_asked_for(
    start: Start, tmp_path: Path, qtbot: QtBot
) -> None:
    program = start(SPOKEN)
    program.on_asked_from_outside(pictures(tmp_path, "red", "blue"), "")
    program._welcome()
    welcome = program.window.findChild(Welcome)
    assert welcome is not None
    welcome.accept()
    qtbot.waitUntil(lambda: len(sentences(tmp_path)) == 2, timeout=WAIT)


def test_copied_files_are_told_by_their_names(
    start: Start, announced: list[str], tmp_path: Path, qtbot: QtBot
) -> None:
    program = start(SPOKEN)
    copied = QMimeData()
    copied.setUrls([QUrl.fromLocalFile(path) for path in pictures(tmp_path, "red", "blue")])
    QGuiApplication.clipboard().setMimeData(copied)
    announced.clear()
    program.do("clipboard")
    qtbot.waitUntil(lambda: len(announced) == 2, timeout=WAIT)
    assert [sentence.partition(":")[0] for sentence in announced] == ["red.png", "blue.png"]


def test_a_hotkey_that_is_taken_is_told_once_while_others_are_chosen(
    start: Start, announced: list[str], qtbot: QtBot
) -> None:
    program = start(SPOKEN)
    problem = "Ctrl+Shift+F7 is taken."
    announced.clear()
    program.hotkeys.problems.emit([problem])
    for let_go in (True, False):  # a field for keys has the focus, and has it no more
        program._let_go_of_keys(let_go)
        program.hotkeys.problems.emit([] if let_go else [problem])
        assert problem in program.window.problems.text()
    qtbot.waitUntil(lambda: problem in announced, timeout=WAIT)
    qtbot.waitUntil(lambda: not (program._talker.speaking or program.flow._later), timeout=WAIT)
    assert announced.count(problem) == 1


def test_closing_the_welcome_page_tells_what_waited_for_its_end(
    start: Start, announced: list[str], qtbot: QtBot
) -> None:
    program = start(SPOKEN)
    program._welcome()
    welcome = program.window.findChild(Welcome)
    assert welcome is not None
    program.flow.say(welcome.text())
    program.hotkeys.problems.emit(["Ctrl+Shift+F7 is taken."])
    assert announced[-1] == welcome.text()
    welcome.accept()
    assert announced[-1] == "Ctrl+Shift+F7 is taken."


@pytest.mark.usefixtures("announced")
def test_one_picture_of_the_screen_at_a_time_is_chosen_from(start: Start, qtbot: QtBot) -> None:
    program = start(SPOKEN)
    pixels = np.zeros((90, 160, 3), np.uint8)
    cancelled = QSignalSpy(program._choice.cancelled)
    for _ in range(2):
        program.flow.to_choose_from.emit(Picture(pixels, "screen"))
    pickers = [one for one in QApplication.topLevelWidgets() if isinstance(one, RegionPicker)]
    assert [one.isVisible() for one in pickers].count(True) == 1
    (shown,) = [one for one in pickers if one.isVisible()]
    assert cancelled.count() == 0
    with qtbot.waitSignal(shown.destroyed):
        shown.close()
    assert cancelled.count() == 1


@pytest.mark.usefixtures("announced")
def test_what_is_too_old_leaves_the_list_as_soon_as_that_is_chosen(
    start: Start, qtbot: QtBot
) -> None:
    program = start(SPOKEN)
    long_ago = datetime.now(UTC) - timedelta(days=30)
    program._pane.added(program.history.add(caption_of("Old."), "file", when=long_ago))
    program._pane.added(program.history.add(caption_of("New."), "file"))
    assert program._pane.model.rowCount() == 2
    program._save(replace(program.settings, keep_days=7))
    qtbot.waitUntil(lambda: program._pane.model.rowCount() == 1, timeout=WAIT)
    assert program._pane.model.entry(0).caption.spoken == "New."


@pytest.mark.usefixtures("announced")
def test_searching_leaves_the_window_as_large_as_it_was(start: Start) -> None:
    program = start(SPOKEN)
    program.window.showMaximized()
    program.do("find")
    assert program.window.isMaximized()
    program.window.showMinimized()
    program.do("find")
    assert program.window.isMaximized()
    assert not program.window.isMinimized()


@pytest.mark.usefixtures("announced")
def test_the_note_on_a_page_fits_on_the_screen(start: Start) -> None:
    program = start(SPOKEN)
    page = caption_of("A page with a long text " + "that goes on and on " * 15)
    program._pane.added(program.history.add(page, "file"))
    program._pane.list.choose(0)
    program._pane.actions_by_name["note"].trigger()
    dialog = program.window.findChild(QInputDialog)
    assert dialog is not None
    assert dialog.width() < 700
    dialog.reject()


@pytest.mark.usefixtures("announced")
def test_an_export_is_finished_before_the_program_ends(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = start(SPOKEN)
    program.history.add(caption_of("A dog."), "file")
    order: list[str] = []
    ending = threading.Event()
    end, close = program.captioning.close, program.history.close

    def late(history: History, path: Path, query: Query | None) -> int:
        ending.wait(WAIT / 1000)
        written = export_history(history, path, query)
        order.append("exported")
        return written

    def end_the_last_before_the_history() -> None:
        end()
        ending.set()

    def close_history() -> None:
        order.append("closed")
        close()

    monkeypatch.setattr("desktop.history_pane.export_history", late)
    monkeypatch.setattr(program.captioning, "close", end_the_last_before_the_history)
    monkeypatch.setattr(program.history, "close", close_history)
    program._pane.export_to(tmp_path / "all.jsonl")
    program.close()
    assert order == ["exported", "closed"]
    assert len((tmp_path / "all.jsonl").read_text("utf-8").splitlines()) == 1
