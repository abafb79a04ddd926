"""The parts of the desktop program together, in a window that nobody sees."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from core.caption import Caption
from core.where import with_places
from desktop import talker
from desktop.history import History, Query
from desktop.program import Program
from tests.picture_kinds import snapshot
from tests.rendered_pages import Look, web_page

WAIT = 60_000  # ms; the model is loaded within

Start = Callable[..., Program]


@pytest.fixture
def start(
    tiny_model: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Start]:
    """Starts the program in a home of its own, with these settings; ready when it returns."""
    for name, folder in (("HOME", ""), ("XDG_CONFIG_HOME", "config"), ("XDG_DATA_HOME", "data")):
        monkeypatch.setenv(name, str(tmp_path / folder))
    (tmp_path / ".asoundrc").write_text("pcm.!default { type null }\n")
    started: list[Program] = []

    def begin(settings: str = "", **environment: str) -> Program:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        (tmp_path / "config" / "seesay").mkdir(parents=True, exist_ok=True)
        file = tmp_path / "config" / "seesay" / "settings.toml"
        file.write_text("welcomed = true\nearcons = false\n" + settings)
        program = Program(tiny_model)
        started.append(program)
        with qtbot.waitSignal(program.captioning.ready, timeout=WAIT):
            program.start(minimised=False)
        return program

    yield begin
    for program in started:
        program.close()
        program.window.deleteLater()


def pictures(folder: Path, *colours: str) -> list[str]:
    paths = [folder / f"{colour}.png" for colour in colours]
    for path in paths:
        Image.fromarray(snapshot(len(path.name))).save(path)
    return [str(path) for path in paths]


def sentences(folder: Path) -> list[str]:
    history = History(folder / "data" / "seesay" / "history.sqlite3")
    try:
        return [entry.caption.spoken for entry in history.page()]
    finally:
        history.close()


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


@pytest.fixture
def announced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a screen reader is told; no screen reader runs beside the invisible window.

    Except that a machine is slow, which not all are.
    """
    monkeypatch.setattr("desktop.flow._STILL_MS", WAIT)
    sentences: list[str] = []
    monkeypatch.setattr(talker, "announce", lambda origin, text: sentences.append(text))
    return sentences


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


def test_a_description_that_cannot_be_kept_is_said_and_shown_with_the_reason(
    start: Start, announced: list[str], tmp_path: Path, qtbot: QtBot
) -> None:
    program = start('speech = "screen_reader"\n')
    program.history.close()
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
