"""Stars, notes and deletions in the window's history: by keys, and taken back."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QInputDialog,
    QLineEdit,
)
from pytestqt.qtbot import QtBot

from desktop.history import History
from tests.history_pane_parts import User, add_four, open_pane

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


def test_star(user: User, four: History) -> None:
    user.choose(2)
    user.press(KEY.Key_S)
    assert four.get(2).starred
    user.press(KEY.Key_S)
    assert not four.get(2).starred
    assert user.told == ["Starred.", "Star taken away."]
    assert user.pane.list.currentIndex().row() == 2


def test_note(user: User, four: History) -> None:
    user.choose(2)
    user.press(KEY.Key_F2)
    dialog = user.pane.findChild(QInputDialog)
    assert dialog is not None
    field = dialog.findChild(QLineEdit)
    assert field is not None
    name = QAccessible.queryAccessibleInterface(field).text(QAccessible.Text.Name)
    assert name == "Your note on: A cat on a sofa."
    user.bot.waitUntil(lambda: QApplication.focusWidget() is field)
    QTest.keyClicks(field, "This is Mimi")
    user.press(KEY.Key_Return)
    assert four.get(2).note == "This is Mimi"
    assert user.told == ["Note kept."]
    name = user.pane.model.index(2).data(Qt.ItemDataRole.AccessibleTextRole)
    assert name.endswith(", note: This is Mimi")
    user.type_words("mimi")
    user.bot.waitUntil(lambda: user.rows == ["A cat on a sofa."])


def test_delete_and_undo(user: User, four: History) -> None:
    user.choose(1)
    user.press(KEY.Key_Delete)
    user.press(KEY.Key_Delete)
    assert user.rows == ["The picture is too dark to say what it shows.", "Two dogs run on grass."]
    assert user.told == ["Deleted. Ctrl+Z brings it back."] * 2
    assert QApplication.focusWidget() is user.pane.list
    assert user.pane.list.currentIndex().row() == 1
    assert user.pane.summary.text() == "2 entries"
    for _ in range(3):
        user.press(KEY.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert user.told[2:] == ["It is back.", "It is back.", "There is nothing to undo."]
    assert [entry.id for entry in four.walk()] == [4, 3, 2, 1]
    assert user.pane.list.currentIndex().row() == 1  # on what came back
    assert len(user.rows) == 4


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A history that does not wait long for another program."""
    monkeypatch.setattr("desktop.history_schema._PATIENCE", 0.1)


@pytest.mark.usefixtures("impatient")
def test_an_undo_that_fails_can_be_tried_again(user: User, four: History) -> None:
    user.choose(0)
    user.press(KEY.Key_Delete)
    assert four.path is not None
    with contextlib.closing(sqlite3.connect(four.path)) as other:
        other.execute("BEGIN IMMEDIATE")
        user.press(KEY.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert "in use" in user.told[-1]
    assert len(user.rows) == 3
    user.press(KEY.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert user.told[-1] == "It is back."
    assert len(user.rows) == four.count() == 4


def test_several_are_deleted_together(user: User, four: History) -> None:
    user.choose(0)
    user.press(KEY.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    user.press(KEY.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    user.press(KEY.Key_Delete)
    assert user.rows == ["Two dogs run on grass."]
    assert user.told == ["3 entries deleted. Ctrl+Z brings them back."]
    user.press(KEY.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert len(user.rows) == four.count() == 4


def test_what_another_program_deleted_is_told(user: User, four: History) -> None:
    user.choose(0)
    four.clear()
    user.press(KEY.Key_Return)
    assert user.opened.count() == 0
    assert user.told[0].startswith("There is no entry 4")
