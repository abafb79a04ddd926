"""The entries of a query as Qt's views want them, fetched a page at a time."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import QIcon, QPixmap, QPixmapCache

from desktop.history import Entry, History, HistoryError, Query

_PAGE = 100
# While the program runs for weeks, as many as this stay in memory, unless more are looked at.
_MOST = 1000
_Index = QModelIndex | QPersistentModelIndex


class HistoryModel(QAbstractListModel):
    """Newest first. Thumbnails are decoded when they are drawn; words are left in the file.

    Args:
        history: where the entries are.
        parent: owner.
    """

    failed = Signal(str)
    """A page could not be read: one sentence."""

    def __init__(self, history: History, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._history = history
        self._query = Query()
        self._entries: list[Entry] = []
        self._complete = False

    def show_query(self, query: Query) -> None:
        """Show the entries of a query, afresh from the file."""
        self.beginResetModel()
        self._query = query
        self._entries = []
        self._entries = self._next_page()
        self.endResetModel()

    def entry(self, row: int) -> Entry:
        """The entry in a row, without its words."""
        return self._entries[row]

    def row_of(self, entry: int) -> int | None:
        """The row of the entry with this id; None if it is not (yet) among them."""
        row = self._place(entry)
        found = row < len(self._entries) and self._entries[row].id == entry
        return row if found else None

    def put(self, entry: Entry) -> None:
        """Insert an entry at its place, or put it in the place of its former state."""
        entry = replace(entry, caption=replace(entry.caption, words=()))
        row = self._place(entry.id)
        if self.row_of(entry.id) is not None:
            self._entries[row] = entry
            self.dataChanged.emit(self.index(row), self.index(row))
        elif row < len(self._entries) or self._complete:
            self.beginInsertRows(QModelIndex(), row, row)
            self._entries.insert(row, entry)
            self.endInsertRows()
            if len(self._entries) > _MOST:
                self._forget_oldest()

    def take_out(self, entries: Iterable[int]) -> None:
        """Show these entries no longer."""
        for entry in entries:
            row = self.row_of(entry)
            if row is not None:
                self.beginRemoveRows(QModelIndex(), row, row)
                del self._entries[row]
                self.endRemoveRows()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """As Qt asks for it: the rows that were fetched so far."""
        return 0 if parent.isValid() else len(self._entries)

    def canFetchMore(self, parent: _Index) -> bool:
        """As Qt asks for it."""
        return not parent.isValid() and not self._complete

    def fetchMore(self, parent: _Index) -> None:
        """As Qt asks for it, when the view comes to its end."""
        page = self._next_page()
        if page:
            first = len(self._entries)
            self.beginInsertRows(QModelIndex(), first, first + len(page) - 1)
            self._entries += page
            self.endInsertRows()

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """As Qt asks for it."""
        if not index.isValid():
            return None
        entry = self._entries[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return f"{entry.caption.spoken}\n{entry.plain_facts()}"
            case Qt.ItemDataRole.AccessibleTextRole | Qt.ItemDataRole.ToolTipRole:
                return entry.plain_text()
            case Qt.ItemDataRole.DecorationRole:
                return _icon(entry)
        return None

    def _forget_oldest(self) -> None:
        """Leave the last row in the file, from which it is fetched when the view comes to it."""
        last = len(self._entries) - 1
        self.beginRemoveRows(QModelIndex(), last, last)
        del self._entries[last]
        self.endRemoveRows()
        self._complete = False

    def _next_page(self) -> list[Entry]:
        before = self._entries[-1].id if self._entries else None
        try:
            page = self._history.page(self._query, before, _PAGE, with_words=False)
        except HistoryError as error:
            self._complete = True  # or the view would ask again at once
            self.failed.emit(str(error))
            return []
        self._complete = len(page) < _PAGE
        return page

    def _place(self, entry: int) -> int:
        return bisect_left(self._entries, -entry, key=lambda other: -other.id)


def _icon(entry: Entry) -> QIcon | None:
    if not entry.thumbnail:
        return None
    # With the time: after everything was deleted, another entry may have the same number.
    key = f"history {entry.id} {entry.time.isoformat()}"
    pixmap = QPixmap()
    if not QPixmapCache.find(key, pixmap):
        pixmap.loadFromData(entry.thumbnail)
        QPixmapCache.insert(key, pixmap)
    return QIcon(pixmap)
