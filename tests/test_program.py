"""The parts of the desktop program together, in a window that nobody sees."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from core.caption import Caption
from core.where import with_places
from desktop import talker
from desktop.history import History, Query
from desktop.settings_dialog import SettingsDialog
from tests.history_parts import caption_of
from tests.program_parts import WAIT, Start, announcements, pictures, programs, sentences
from tests.rendered_pages import Look, web_page


@pytest.fixture
def start(
    tiny_model: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Start]:
    with programs(tiny_model, tmp_path, qtbot, monkeypatch) as begin:
        yield begin


@pytest.fixture
def announced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    return announcements(monkeypatch)


def test_several_files_are_described_one_after_the_other(
    start: Start, tmp_path: Path, qtbot: QtBot
) -> None:
    program = start('speech = "silent"\n')
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    red, blue = pictures(tmp_path, "red", "blue")
    told: list[str] = []
    program.flow.told.connect(told.append)
    program.on_asked_from_outside([red, str(bad), blue], "")
    qtbot.waitUntil(lambda: len(sentences(tmp_path)) == 2, timeout=WAIT)
    assert any("bad.png" in sentence for sentence in told)
    qtbot.waitUntil(
        lambda: program.window.sentence.toPlainText() == sentences(tmp_path)[0], timeout=WAIT
    )
    qtbot.waitUntil(lambda: program.window.words.count() > 0, timeout=WAIT)


def test_each_of_several_files_is_kept_with_its_words(
    start: Start, tmp_path: Path, qtbot: QtBot
) -> None:
    program = start('speech = "silent"\n')
    program.on_asked_from_outside(pictures(tmp_path, "red", "blue", "green", "yellow"), "")
    qtbot.waitUntil(lambda: len(sentences(tmp_path)) == 4, timeout=WAIT)
    qtbot.waitUntil(lambda: all(one.caption.words for one in program.history.page()), timeout=WAIT)
    for entry in program.history.page():
        written = " ".join(word.word for word in entry.caption.words)
        assert f"{written.capitalize()}." == entry.caption.caption


def test_words_come_after_the_sentence_and_nothing_tells_of_it(
    start: Start, announced: list[str], tmp_path: Path, qtbot: QtBot
) -> None:
    program = start('speech = "screen_reader"\n')
    announced.clear()
    words = program.window.words
    words.setFocus()
    names = words.accessibleName(), words.accessibleDescription()
    begun: list[tuple[Caption, int, int]] = []
    program.flow.described.connect(
        lambda one: begun.append((one.caption, words.count(), words.maximumHeight()))
    )
    with qtbot.waitSignal(program.flow.completed, timeout=WAIT) as blocker:
        program.on_asked_from_outside(pictures(tmp_path, "red"), "")
    caption = (blocker.args or [])[0]
    # Nothing else in the window moves when they come.
    assert begun == [(replace(caption, words=()), 0, words.maximumHeight())]
    shown = [words.item(at).text() for at in range(words.count())]
    assert shown == [word.word for word in caption.words]
    assert words.currentRow() == -1
    assert announced == [caption.spoken]
    assert (words.accessibleName(), words.accessibleDescription()) == names
    assert program.window.focusWidget() is words


def test_places_that_are_asked_for_early_are_said_when_they_are_found(
    start: Start, announced: list[str], tmp_path: Path, qtbot: QtBot
) -> None:
    program = start('speech = "screen_reader"\n')
    announced.clear()
    program.flow.described.connect(lambda _: program.do("where"))
    with qtbot.waitSignal(program.flow.completed, timeout=WAIT) as blocker:
        program.on_asked_from_outside(pictures(tmp_path, "red"), "")
    caption = (blocker.args or [])[0]
    places = with_places(caption) or "Where things are is not clear enough to say."
    qtbot.waitUntil(lambda: len(announced) == 2, timeout=WAIT)
    assert announced == [caption.spoken, places]
    assert program.window.status.text() == places
    program.do("where")
    assert announced[2:] == [places]


def test_a_detail_that_is_awaited_is_not_said_after_a_stop(
    start: Start, announced: list[str], tmp_path: Path, qtbot: QtBot
) -> None:
    program = start('speech = "screen_reader"\n')
    announced.clear()

    def ask_and_stop() -> None:
        program.do("where")
        program.do("stop")

    program.flow.described.connect(ask_and_stop)
    with qtbot.waitSignal(program.flow.completed, timeout=WAIT) as blocker:
        program.on_asked_from_outside(pictures(tmp_path, "red"), "")
    assert announced == [(blocker.args or [])[0].spoken]


def test_what_is_asked_for_last_is_answered(start: Start, tmp_path: Path, qtbot: QtBot) -> None:
    program = start('speech = "silent"\n')
    many = pictures(tmp_path, "red", "blue") * 30
    (last,) = pictures(tmp_path, "green")
    program.on_asked_from_outside(many, "")
    program.on_asked_from_outside([last], "")
    described: list[str] = []
    program.flow.described.connect(lambda one: described.append(one.caption.path))
    qtbot.waitUntil(lambda: bool(described), timeout=WAIT)
    assert described == [last]


def test_private_mode_keeps_nothing(start: Start, tmp_path: Path, qtbot: QtBot) -> None:
    program = start('speech = "silent"\nprivate = true\n')
    with qtbot.waitSignal(program.flow.completed, timeout=WAIT):
        program.on_asked_from_outside(pictures(tmp_path, "red"), "")
    program.do("where")
    program.close()
    assert sentences(tmp_path) == []
    assert program.window.words.count() > 0
    assert program.window.sentence.toPlainText() != "Nothing has been described yet."


def test_details_on_demand(start: Start, tmp_path: Path, qtbot: QtBot) -> None:
    program = start('speech = "silent"\n')
    program.do("spell")
    assert program.window.status.text() == "Nothing has been described yet."
    with qtbot.waitSignal(program.flow.described, timeout=WAIT) as blocker:
        program.on_asked_from_outside(pictures(tmp_path, "red"), "")
    caption = (blocker.args or [])[0].caption
    program.do("spell")
    assert program.window.status.text().startswith(
        " ".join(caption.spoken.split()[0].strip(":").upper())
    )
    qtbot.waitUntil(lambda: program.window.words.count() > 0, timeout=WAIT)
    program.do("where")
    assert program.window.status.text().endswith((".", "say."))
    program.do("copy")
    assert QGuiApplication.clipboard().text() == caption.spoken


def test_a_text_is_read_portion_by_portion_and_kept_whole(
    start: Start, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(talker, "announce", lambda _, text: said.append(text))
    program = start('speech = "screen_reader"\n')
    page = web_page(Look())
    Image.fromarray(page.pixels).save(tmp_path / "page.png")
    with qtbot.waitSignal(program.flow.completed, timeout=WAIT):
        program.on_asked_from_outside([str(tmp_path / "page.png")], "")
    begun = said[-1]
    assert "It begins: " in begun
    while said[-1] != "That was all of the text.":
        program.do("text")
    portions = said[said.index(begun) + 1 : -1]
    heard = " ".join([begun, *portions]).split()
    assert len(set(page.text.split()) & set(heard)) > 0.8 * len(set(page.text.split()))
    assert len(portions) > 1
    assert not set(portions[1:]) & set(portions[:1])
    # The last words are found in the history, though the entry is older than they are.
    last = max(portions[-1].split(), key=len).strip(".,:;")
    qtbot.waitUntil(lambda: program.history.count(Query(last)) == 1, timeout=WAIT)

    # Of what comes next, the text is read from its own beginning.
    with qtbot.waitSignal(program.flow.described, timeout=WAIT):
        program.on_asked_from_outside(pictures(tmp_path, "red"), "")
    program.do("text")
    qtbot.waitUntil(lambda: said[-1] == "No text was read in this picture.", timeout=WAIT)


def test_text_is_not_read_when_that_is_turned_off(
    start: Start, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(talker, "announce", lambda _, text: said.append(text))
    program = start('speech = "screen_reader"\nread_text = false\n')
    Image.fromarray(web_page(Look()).pixels).save(tmp_path / "page.png")
    with qtbot.waitSignal(program.flow.described, timeout=WAIT) as blocker:
        program.on_asked_from_outside([str(tmp_path / "page.png")], "")
    caption = (blocker.args or [])[0].caption
    assert caption.text == ()
    assert caption.caption is None
    program.do("text")
    assert said[-1] == "Text is not read: that is turned off in the settings."


def test_repeat_says_a_failure_only_if_nothing_was_said_since(
    start: Start, announced: list[str], tmp_path: Path, qtbot: QtBot
) -> None:
    program = start('speech = "screen_reader"\n')
    program.do("repeat")
    assert announced[-1] == "Nothing has been described yet."
    with qtbot.waitSignal(program.flow.described, timeout=WAIT) as blocker:
        program.on_asked_from_outside(pictures(tmp_path, "red"), "")
    sentence = (blocker.args or [])[0].caption.spoken
    QGuiApplication.clipboard().clear()
    program.do("clipboard")
    failure = announced[-1]
    assert failure != sentence
    program.do("repeat")
    assert announced[-1] == failure
    program.do("spell")
    program.do("repeat")
    assert announced[-1] == sentence


def test_a_full_picture_is_kept_before_it_is_said_while_the_window_goes_on(
    start: Start, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = start('speech = "silent"\nkeep_pictures = true\n')
    threads: list[threading.Thread] = []
    add = History.add

    def watched(self: History, *arguments: Any) -> Any:
        threads.append(threading.current_thread())
        return add(self, *arguments)

    monkeypatch.setattr(History, "add", watched)
    kept_when_shown: list[int] = []
    program.flow.described.connect(lambda _: kept_when_shown.append(len(sentences(tmp_path))))
    with qtbot.waitSignal(program.flow.described, timeout=WAIT):
        program.on_asked_from_outside(pictures(tmp_path, "red"), "")
    assert kept_when_shown == [1]
    assert program.history.page()[0].has_picture
    assert threading.main_thread() not in threads


def test_all_of_the_history_is_deleted_from_the_settings(
    start: Start, announced: list[str], tmp_path: Path, qtbot: QtBot
) -> None:
    program = start('speech = "screen_reader"\n')
    with qtbot.waitSignal(program.flow.kept, timeout=WAIT):
        program.on_asked_from_outside(pictures(tmp_path, "red"), "")
    assert program._pane.model.rowCount() == 1
    program.do("settings")
    qtbot.waitUntil(lambda: program.window.findChild(SettingsDialog) is not None, timeout=WAIT)
    dialog = program.window.findChild(SettingsDialog)
    assert dialog is not None
    dialog.delete_all.emit()
    qtbot.waitUntil(lambda: announced[-1] == "The history is empty now.", timeout=WAIT)
    assert program._pane.model.rowCount() == 0
    assert sentences(tmp_path) == []
    dialog.reject()


def test_news_waits_while_something_is_read_and_another_request_ends_the_waiting(
    start: Start, announced: list[str], qtbot: QtBot
) -> None:
    program = start('speech = "screen_reader"\n')
    flow = program.flow
    page = replace(caption_of(None), notes=("document",), spoken="A page. " * 20)
    flow.remember(page, complete=False)
    flow._told_number = 7
    program.do("text")
    assert announced[-1] == "Still reading."
    program.do("repeat")
    program.sources.told.emit("The camera is gone.")
    flow._on_completed(7, replace(page, text=("Exit.",)))
    assert announced[-1] == page.spoken
    qtbot.waitUntil(lambda: announced[-1] == "The camera is gone.", timeout=WAIT)
    program.do("text")
    assert announced[-1] == "Exit."


def test_quitting_is_not_told_as_going_on_in_the_tray(
    start: Start, announced: list[str], qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = start('speech = "screen_reader"\n')
    monkeypatch.setattr(program._tray, "is_there", lambda: True)
    program.window.show()
    QTimer.singleShot(0, program.window.actions_by_name["quit"].trigger)
    assert qapp.exec() == 0
    assert not any("tray" in sentence for sentence in announced)


def test_that_the_history_is_being_deleted_is_told_where_it_takes_long(
    start: Start, announced: list[str], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = start('speech = "screen_reader"\n')
    written = threading.Event()
    clear = History.clear

    def slow(self: History) -> None:
        written.wait(WAIT / 1000)
        clear(self)

    monkeypatch.setattr(History, "clear", slow)
    program.flow.clear_history()
    qtbot.waitUntil(lambda: announced[-1:] == ["The history is being deleted."], timeout=WAIT)
    written.set()
    qtbot.waitUntil(lambda: announced[-1] == "The history is empty now.", timeout=WAIT)
