"""What the tests of the history in the window share: a few entries, and a user of the pane."""

from datetime import UTC, datetime, timedelta

from PySide6.QtCore import Qt
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.history import History
from desktop.history_pane import HistoryPane
from tests.history_parts import caption_of, picture_of


def add_four(history: History) -> None:
    """Newest first: a dark picture, a red ball, a cat, two dogs."""
    now = datetime.now(UTC)
    history.add(caption_of(), "camera", picture_of(), when=now - timedelta(days=1))
    history.add(caption_of("A cat on a sofa."), "screen", picture_of(seed=1))
    history.add(caption_of("Perhaps a red ball."), "camera", when=now - timedelta(days=40))
    history.add(caption_of(None), "camera")


class User:
    """Works with a pane by its keys, and hears what is told."""

    def __init__(self, pane: HistoryPane, qtbot: QtBot) -> None:
        self.pane, self.bot = pane, qtbot
        self.told: list[str] = []
        pane.told.connect(self.told.append)
        pane.exported.connect(self.told.append)
        self.repeated = QSignalSpy(pane.repeat_requested)
        self.opened = QSignalSpy(pane.opened)

    @property
    def rows(self) -> list[str]:
        model = self.pane.model
        return [model.entry(row).caption.spoken for row in range(model.rowCount())]

    def choose(self, row: int) -> None:
        self.pane.list.setFocus()
        self.pane.list.choose(row)

    def press(self, key: Qt.Key, modifier: Qt.KeyboardModifier | None = None) -> None:
        focus = QApplication.focusWidget()
        assert focus is not None
        QTest.keyClick(focus, key, modifier or Qt.KeyboardModifier.NoModifier)

    def type_words(self, words: str) -> None:
        self.pane.focus_search()
        QTest.keyClicks(self.pane.filters.words, words)


def open_pane(history: History, qtbot: QtBot) -> User:
    pane = HistoryPane(history)
    qtbot.addWidget(pane)
    pane.resize(420, 640)
    with qtbot.waitActive(pane):
        pane.show()
        pane.activateWindow()
    return User(pane, qtbot)
