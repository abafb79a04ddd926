"""The history in the window: search as you type, filters, a list, and what can be done with it."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import (
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QInputDialog,
    QLabel,
    QMenu,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop.history import Entry, History, HistoryError, Query
from desktop.history_export import export_history
from desktop.history_filters import HistoryFilters
from desktop.history_list import HistoryList
from desktop.history_model import HistoryModel
from desktop.wrapping_layout import WrappingLayout

_MOST_COUNTED = 1000
_EXPORTING = 60.0  # seconds that the end of the program waits for an export
_FORMATS = {
    "Page with pictures (*.html)": "html",
    "Table (*.csv)": "csv",
    "JSON Lines (*.jsonl)": "jsonl",
}


@dataclass(frozen=True)
class _Deed:
    """What can be done with an entry, or with all.

    Attributes:
        title: in the menu.
        name: on a button, for screen readers, which may read it without what is around it.
        keys: as ``QKeySequence`` reads them; the first is shown.
        help: what happens, in a sentence.
    """

    title: str
    name: str
    keys: tuple[str, ...]
    help: str


_DEEDS = {
    "show": _Deed("Show", "Show entry", ("Return", "Enter"), "Show it in the window."),
    "repeat": _Deed("Repeat", "Repeat entry", ("R",), "Say it again."),
    "copy": _Deed("Copy", "Copy entry", ("Ctrl+C",), "Copy the sentence."),
    "star": _Deed("Star", "Star entry", ("S",), "Mark it, or take the mark away."),
    "note": _Deed("Note …", "Note of entry", ("F2",), "Write a note of your own."),
    "delete": _Deed("Delete", "Delete entry", ("Del",), "Delete what is chosen."),
    "undo": _Deed("Undo", "Undo deletion", ("Ctrl+Z",), "Bring back what was deleted last."),
    "export": _Deed("Export …", "Export history", ("Ctrl+S",), "Write what is listed to a file."),
}


class HistoryPane(QWidget):
    """Shows the history and lets the user work with it, by keys, buttons or the context menu.

    Args:
        history: where the entries are.
        parent: owner.
    """

    repeat_requested = Signal(str)
    """A sentence to say again."""
    opened = Signal(object)
    """The `Entry`, with its words, to show in the window."""
    told = Signal(str)
    """A sentence about what happened."""
    damaged = Signal(str)
    """The history was damaged: a sentence on what became of it. The pane shows what was saved."""
    exported = Signal(str)
    """An export has ended: a sentence on how it went."""
    _damage_met = Signal(str)

    def __init__(self, history: History, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._history = history
        self._deleted: list[list[int]] = []
        self._exporting: threading.Thread | None = None
        self.model = HistoryModel(history, self)
        self.model.failed.connect(self.told)
        self.filters = HistoryFilters()
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.list = HistoryList(self.model)
        work = {
            "show": self._show,
            "repeat": self._repeat,
            "copy": self._copy,
            "star": self._star,
            "note": self._note,
            "delete": self._delete,
            "undo": self._undo,
            "export": self._export,
        }
        self.actions_by_name = {name: self._action(_DEEDS[name], work[name]) for name in _DEEDS}
        self.list.doubleClicked.connect(self._show)
        self._lay_out()
        self.filters.changed.connect(self._search)
        self.exported.connect(self._on_exported)
        # In good time, not in the middle of what met the damage, nor in its thread.
        self._damage_met.connect(self._on_damage, Qt.ConnectionType.QueuedConnection)
        history.tell_damage_to(self._hear_of_damage)
        self._tell_summary = QTimer(self, interval=600, singleShot=True)
        self._tell_summary.timeout.connect(lambda: self.told.emit(self.summary.text()))
        self.refresh()

    def added(self, entry: Entry) -> None:
        """Show an entry that was just added to the history, if it is among what is looked for."""
        with self._problems_told():
            newest = self._history.page(self.filters.query(), limit=1, with_words=False)
            if newest and newest[0].id == entry.id:
                self.model.put(entry)
            self._summarise()

    def refresh(self) -> None:
        """Read everything afresh, as after the history was cleared."""
        with self._problems_told():
            self.model.show_query(self.filters.query())
            self._summarise()

    def focus_search(self) -> None:
        """Put the cursor into the search field."""
        self.filters.words.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.filters.words.selectAll()

    def export_to(self, path: Path) -> None:
        """Write what is listed to a file, while the window goes on; `exported` tells the end."""
        if self._exporting is not None and self._exporting.is_alive():
            self.told.emit("An export is still under way: wait until it is done.")
            return
        query = self.filters.query()

        def work() -> None:
            try:
                entries = export_history(self._history, path, query)
                sentence = f"{_entries(entries)} exported to {path.name}."
            except HistoryError as error:
                sentence = str(error)
            with contextlib.suppress(RuntimeError):  # the window is gone
                self.exported.emit(sentence)

        self.told.emit("Exporting …")
        self._exporting = threading.Thread(target=work, name="export history")
        self._exporting.start()

    def finish_export(self) -> None:
        """Let an export that is under way come to its end, unless that takes very long."""
        if self._exporting is not None:
            self._exporting.join(_EXPORTING)

    def _on_exported(self) -> None:
        self._exporting = None  # its thread may need a moment to end

    def _action(self, deed: _Deed, work: Callable[[], None]) -> QAction:
        action = QAction(deed.title, self)
        action.setShortcuts([QKeySequence(keys) for keys in deed.keys])
        # Single letters are keys in the list only; elsewhere they are typed.
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        action.setToolTip(deed.help)
        action.triggered.connect(lambda: work())
        self.list.addAction(action)
        return action

    def _lay_out(self) -> None:
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.addWidget(self.filters)
        column.addWidget(self.summary)
        column.addWidget(self.list, stretch=1)
        buttons = WrappingLayout()
        for name in ("repeat", "note"):
            buttons.addWidget(self._button(name))
        buttons.addWidget(self._menu_button())
        column.addLayout(buttons)
        # With a very large font the pane scrolls instead of squeezing the list.
        scroll = QScrollArea()
        scroll.setWidget(whole)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(scroll)

    def _button(self, name: str) -> QPushButton:
        deed, action = _DEEDS[name], self.actions_by_name[name]
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        button = QPushButton(f"{deed.title} ({keys})")
        button.setAccessibleName(deed.name)
        button.setAccessibleDescription(f"{deed.help} {keys} in the list.")
        button.setToolTip(deed.help)
        button.setAutoDefault(True)  # Enter presses it, as well as Space
        button.clicked.connect(action.trigger)
        return button

    def _menu_button(self) -> QPushButton:
        button = QPushButton("&More")
        button.setAccessibleName("More for entries")
        button.setAccessibleDescription("A menu of all that can be done with entries.")
        menu = QMenu(button)
        menu.setAccessibleName("Entries")
        menu.addActions(list(self.actions_by_name.values()))
        button.setMenu(menu)
        return button

    def _search(self) -> None:
        self.refresh()
        # Not at every letter: it would speak into the typing.
        self._tell_summary.start()

    def _summarise(self) -> None:
        query = self.filters.query()
        entries = self._history.count(query, _MOST_COUNTED + 1)
        if query == Query():
            text = (
                _entries(entries)
                if entries
                else "Nothing has been kept yet. What Seesay says will be listed here."
            )
        elif entries:
            text = f"{_entries(entries)} found"
        else:
            text = "Nothing found. Try fewer words, or another source or day."
        self.summary.setText(text)
        self.list.setAccessibleDescription(text)

    def _current(self) -> Entry | None:
        """The entry that the cursor is on; tells that there is none."""
        index = self.list.currentIndex()
        if index.isValid():
            return self.model.entry(index.row())
        self.told.emit("Choose an entry in the list first.")
        return None

    def _show(self) -> None:
        with self._problems_told():
            if (entry := self._current()) is not None:
                self.opened.emit(self._history.get(entry.id))

    def _repeat(self) -> None:
        if (entry := self._current()) is not None:
            self.repeat_requested.emit(entry.caption.spoken)

    def _copy(self) -> None:
        if (entry := self._current()) is not None:
            QGuiApplication.clipboard().setText(entry.caption.spoken)
            self.told.emit("Copied.")

    def _star(self) -> None:
        with self._problems_told():
            if (entry := self._current()) is not None:
                self._history.set_star(entry.id, not entry.starred)
                self.model.put(self._history.get(entry.id))
                self.told.emit("Star taken away." if entry.starred else "Starred.")

    def _note(self) -> None:
        entry = self._current()
        if entry is None:
            return
        dialog = QInputDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle("Note")
        dialog.setLabelText(f"Your note on: {entry.caption.spoken}")
        for label in dialog.findChildren(QLabel):
            label.setWordWrap(True)  # or a page's text would make it wider than the screen
        dialog.setTextValue(entry.note)
        dialog.textValueSelected.connect(lambda note: self._set_note(entry.id, note))
        dialog.open()

    def _set_note(self, entry: int, note: str) -> None:
        with self._problems_told():
            self._history.set_note(entry, note.strip())
            self.model.put(self._history.get(entry))
            self.told.emit("Note kept." if note.strip() else "Note taken away.")

    def _delete(self) -> None:
        if self._current() is None:
            return
        rows = sorted(index.row() for index in self.list.selectionModel().selectedIndexes())
        rows = rows or [self.list.currentIndex().row()]
        ids = [self.model.entry(row).id for row in rows]
        with self._problems_told():
            self._history.delete(ids)
            self._deleted.append(ids)
            self.model.take_out(ids)
            self._choose(min(rows[0], self.model.rowCount() - 1))
            self._summarise()
            self.told.emit(
                "Deleted. Ctrl+Z brings it back."
                if len(ids) == 1
                else f"{_entries(len(ids))} deleted. Ctrl+Z brings them back."
            )

    def _undo(self) -> None:
        if not self._deleted:
            self.told.emit("There is nothing to undo.")
            return
        ids = self._deleted[-1]
        with self._problems_told():
            self._history.restore(ids)
            self._deleted.pop()
            for entry in ids:
                self.model.put(self._history.get(entry))
            self._choose(self.model.row_of(ids[0]))
            self._summarise()
            self.told.emit("It is back." if len(ids) == 1 else f"{_entries(len(ids))} are back.")

    def _choose(self, row: int | None) -> None:
        if row is not None and row >= 0:
            self.list.choose(row)

    def _export(self) -> None:
        dialog = QFileDialog(self, "Export history", str(Path.home() / "seesay history"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters(list(_FORMATS))
        dialog.setDefaultSuffix("html")
        dialog.filterSelected.connect(lambda chosen: dialog.setDefaultSuffix(_FORMATS[chosen]))
        dialog.fileSelected.connect(lambda path: self.export_to(Path(path)))
        dialog.open()

    @contextlib.contextmanager
    def _problems_told(self) -> Iterator[None]:
        try:
            yield
        except HistoryError as error:
            self.told.emit(str(error))

    def _hear_of_damage(self, sentence: str) -> None:
        with contextlib.suppress(RuntimeError):  # the window is gone
            self._damage_met.emit(sentence)

    def _on_damage(self, sentence: str) -> None:
        self.refresh()
        self.damaged.emit(sentence)


def _entries(number: int) -> str:
    if number > _MOST_COUNTED:
        return f"More than {_MOST_COUNTED:,} entries"
    return "1 entry" if number == 1 else f"{number:,} entries"
