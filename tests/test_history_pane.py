"""The history in the window: what a screen reader finds, what keys do, what is told."""

import contextlib
import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import QDate, QModelIndex, Qt
from PySide6.QtGui import QAccessible, QGuiApplication, QIcon
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QFileDialog,
    QPushButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from desktop.history import Entry, History
from tests.history_pane_parts import User, add_four, open_pane
from tests.history_parts import caption_of, picture_of

KEY = Qt.Key


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with contextlib.closing(History(tmp_path / "history.sqlite3")) as history:
        yield history


@pytest.fixture
def four(history: History) -> History:
    add_four(history)
    return history


@pytest.fixture
def user(four: History, qtbot: QtBot) -> User:
    return open_pane(four, qtbot)


def test_a_screen_reader_finds_the_entries(user: User, four: History) -> None:
    four.set_star(2, True)
    user.pane.refresh()
    found = QAccessible.queryAccessibleInterface(user.pane.list)
    assert found.role() == QAccessible.Role.List
    assert found.text(QAccessible.Text.Name) == "History"
    assert found.text(QAccessible.Text.Description) == "4 entries"
    names = [found.child(row).text(QAccessible.Text.Name) for row in range(found.childCount())]
    assert [found.child(row).role() for row in range(4)] == [QAccessible.Role.ListItem] * 4
    assert names[0].startswith("The picture is too dark to say what it shows. Camera, today ")
    assert names[2].startswith("A cat on a sofa. Screen, today ")
    assert names[2].endswith(", starred")
    assert names[3].startswith("Two dogs run on grass. Camera, yesterday ")


def test_every_control_has_a_name_of_its_own(user: User) -> None:
    widgets = [
        widget
        for widget in user.pane.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisibleTo(user.pane)
    ]
    names = []
    for widget in widgets:
        found = QAccessible.queryAccessibleInterface(widget)
        assert found.role() != QAccessible.Role.NoRole
        names.append(found.text(QAccessible.Text.Name))
    assert all(names)
    assert len(set(names)) == len(names)


def test_tab_reaches_all_in_reading_order(user: User) -> None:
    user.pane.focus_search()
    reached = []
    while (focus := QApplication.focusWidget()) is not None and focus not in reached:
        reached.append(focus)
        user.press(KEY.Key_Tab)
    filters = user.pane.filters
    assert reached[:5] == [
        *(filters.words, filters.source, filters.days, filters.starred),
        user.pane.list,
    ]
    assert [widget.accessibleName() for widget in reached[5:]] == [
        *("Repeat entry", "Note of entry", "More for entries")
    ]
    assert QApplication.focusWidget() is filters.words


def test_every_action_is_in_the_menus_with_its_key(user: User) -> None:
    (more,) = [
        button
        for button in user.pane.findChildren(QPushButton)
        if button.accessibleName() == "More for entries"
    ]
    actions = more.menu().actions()
    assert actions == user.pane.list.actions()
    assert {action.text(): action.shortcut().toString() for action in actions} == {
        "Show": "Return",
        "Repeat": "R",
        "Copy": "Ctrl+C",
        "Star": "S",
        "Note …": "F2",
        "Delete": "Del",
        "Undo": "Ctrl+Z",
        "Export …": "Ctrl+S",
    }


def test_the_list_is_searched_while_typing(user: User) -> None:
    user.type_words("do")
    user.bot.waitUntil(lambda: user.rows == ["Two dogs run on grass."])
    assert user.pane.summary.text() == "1 entry found"
    user.bot.waitUntil(lambda: user.told == ["1 entry found"])
    user.type_words("zebra")
    user.bot.waitUntil(lambda: user.told[-1].startswith("Nothing found."))
    assert user.rows == []
    assert QApplication.focusWidget() is user.pane.filters.words
    user.pane.filters.words.clear()
    user.bot.waitUntil(lambda: len(user.rows) == 4)


def test_filters(user: User, four: History) -> None:
    filters = user.pane.filters
    four.set_star(1, True)
    filters.source.setCurrentText("Camera")
    assert len(user.rows) == 3
    filters.days.setCurrentText("Today")
    assert user.rows == ["The picture is too dark to say what it shows."]
    filters.days.setCurrentText("Yesterday")
    assert user.rows == ["Two dogs run on grass."]
    filters.starred.setChecked(True)
    assert user.rows == ["Two dogs run on grass."]
    filters.days.setCurrentText("Last 7 days")
    assert user.rows == ["Two dogs run on grass."]
    assert not filters.day.isVisible()
    filters.starred.setChecked(False)
    filters.days.setCurrentText("Choose a day")
    assert filters.day.isVisible()
    filters.day.setDate(QDate.currentDate().addDays(-40))
    assert user.rows == ["Perhaps a red ball."]
    filters.days.setCurrentText("Any day")
    filters.source.setCurrentText("Any source")
    assert len(user.rows) == 4


def test_nothing_kept_yet_is_told(history: History, qtbot: QtBot) -> None:
    user = open_pane(history, qtbot)
    assert user.pane.summary.text().startswith("Nothing has been kept yet.")
    user.pane.list.setFocus()
    for key in (KEY.Key_Return, KEY.Key_R, KEY.Key_S, KEY.Key_F2, KEY.Key_Delete):
        user.press(key)
    assert user.told == ["Choose an entry in the list first."] * 5


def test_a_new_entry_comes_to_the_top(user: User, four: History) -> None:
    user.choose(1)
    user.pane.added(four.add(caption_of("A bus."), "camera", picture_of()))
    assert user.rows[0] == "A bus."
    assert user.pane.list.currentIndex().row() == 2
    assert user.pane.summary.text() == "5 entries"
    assert user.told == []  # the description itself is said
    user.pane.filters.source.setCurrentText("Screen")
    user.pane.added(four.add(caption_of("A tram."), "camera"))
    assert user.rows == ["A cat on a sofa."]


def test_show_repeat_and_copy(user: User) -> None:
    user.choose(3)
    user.press(KEY.Key_Return)
    entry: Entry = user.opened.at(0)[0]
    assert entry.caption.spoken == "Two dogs run on grass."
    assert len(entry.caption.words) == 5
    user.press(KEY.Key_Enter)
    assert user.opened.count() == 2
    user.press(KEY.Key_R)
    assert user.repeated.at(0)[0] == "Two dogs run on grass."
    user.press(KEY.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "Two dogs run on grass."
    assert user.told == ["Copied."]


def test_letters_are_keys_in_the_list_alone(user: User) -> None:
    user.type_words("rs")
    assert user.pane.filters.words.text() == "rs"
    assert user.repeated.count() == 0


def test_export_by_keyboard(user: User, tmp_path: Path) -> None:
    user.choose(0)
    user.press(KEY.Key_S, Qt.KeyboardModifier.ControlModifier)
    dialog = user.pane.findChild(QFileDialog)
    assert dialog is not None
    dialog.selectFile(str(tmp_path / "all"))
    dialog.accept()
    user.bot.waitUntil(lambda: user.told[-1] == "4 entries exported to all.html.")
    assert user.told[0] == "Exporting …"
    assert (tmp_path / "all.html").exists()


def test_export_writes_what_is_listed(user: User, tmp_path: Path) -> None:
    user.pane.filters.source.setCurrentText("Screen")
    user.pane.export_to(tmp_path / "cat.jsonl")
    user.bot.waitUntil(lambda: user.told[-1] == "1 entry exported to cat.jsonl.")
    assert (tmp_path / "cat.jsonl").read_text().count("\n") == 1
    user.pane.export_to(tmp_path / "missing" / "all.csv")
    user.bot.waitUntil(lambda: "cannot be written" in user.told[-1])


def test_long_histories_are_fetched_in_pages(history: History, qtbot: QtBot) -> None:
    for number in range(450):
        history.add(caption_of(f"Number {number}.", with_words=False), "camera")
    user = open_pane(history, qtbot)
    assert len(user.rows) == 100
    user.pane.list.setFocus()
    for rows in (200, 300, 400, 450):
        user.press(KEY.Key_End)
        qtbot.waitUntil(partial(fetched, user, rows))
    user.press(KEY.Key_End)
    assert not user.pane.model.canFetchMore(QModelIndex())
    assert user.rows == [f"Number {number}." for number in range(449, -1, -1)]


def fetched(user: User, rows: int) -> bool:
    return len(user.rows) == rows


def test_thumbnails_are_decoded_when_they_are_drawn(user: User) -> None:
    icon = user.pane.model.index(2).data(Qt.ItemDataRole.DecorationRole)
    assert isinstance(icon, QIcon)
    assert icon.actualSize(icon.availableSizes()[0]).toTuple() == (160, 120)
    assert user.pane.model.index(0).data(Qt.ItemDataRole.DecorationRole) is None


def test_damage_that_shows_later_is_told(user: User, four: History) -> None:
    assert four.path is not None
    with contextlib.closing(sqlite3.connect(four.path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = four.path.read_bytes()
    four.path.write_bytes(b"broken" * (len(content) // 6))
    user.choose(0)
    with user.bot.waitSignal(user.pane.damaged) as told:
        user.press(KEY.Key_S)
    assert (told.args or [""])[0].startswith("The history was damaged")
    assert user.rows == []
    assert user.pane.summary.text().startswith("Nothing has been kept yet")


@pytest.mark.parametrize("scale", [1, 3])
def test_nothing_is_cut_off_with_a_large_font(user: User, scale: int) -> None:
    font = QApplication.font()
    larger = QApplication.font()
    larger.setPointSizeF(font.pointSizeF() * scale)
    QApplication.setFont(larger)
    try:
        QApplication.processEvents()
        QApplication.processEvents()
        for button in user.pane.findChildren(QAbstractButton):
            if button.isVisible() and button.text():
                assert button.width() >= button.minimumSizeHint().width()
                assert button.height() >= button.minimumSizeHint().height()
        row = user.pane.list.visualRect(user.pane.list.model().index(0, 0))
        assert row.height() > 4 * user.pane.list.fontMetrics().lineSpacing()
        assert user.pane.list.height() > 1.5 * row.height()
    finally:
        QApplication.setFont(font)


def test_of_very_many_entries_only_the_newest_stay_in_memory(
    user: User, four: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.history_model._MOST", 4)
    model = user.pane.model
    for number in range(3):
        user.pane.added(four.add(caption_of(f"Line {number}."), "camera"))
    assert user.rows[:3] == ["Line 2.", "Line 1.", "Line 0."]
    assert len(user.rows) == 4
    assert model.canFetchMore(QModelIndex())
    model.fetchMore(QModelIndex())
    assert len(user.rows) == 7
