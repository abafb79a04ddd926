"""What the user looks for in the history: words, source, day, star."""

from datetime import date, timedelta

from PySide6.QtCore import QDate, QTimer, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDateEdit,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from desktop.history import Query
from desktop.history_entry import SOURCES
from desktop.wrapping_layout import WrappingLayout

_TYPING_MS = 120  # without a further letter, until the search begins
_ONE_DAY = "Choose a day"
# Title -> first and last day, in days before today; None for no limit.
_DAYS: dict[str, tuple[int | None, int | None]] = {
    "Any day": (None, None),
    "Today": (0, 0),
    "Yesterday": (1, 1),
    "Last 7 days": (6, 0),
    "Last 30 days": (29, 0),
}


class HistoryFilters(QWidget):
    """Fields that make up a query."""

    changed = Signal()
    """The user looks for something else now."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = QLineEdit()
        # Otherwise the first focus moves the cursor here, and Orca keeps silent about the field.
        self.words.setCursorPosition(0)
        self.words.setAccessibleName("Search history")
        self.words.setAccessibleDescription(
            "Words of the sentence, the text in the picture, or your notes."
        )
        self.source = QComboBox()
        self.source.setAccessibleName("From which source")
        self.source.view().setAccessibleName("Sources")
        self.source.addItem("Any source", None)
        for source in SOURCES:
            self.source.addItem(source.capitalize(), source)
        self.days = QComboBox()
        self.days.setAccessibleName("From which days")
        self.days.view().setAccessibleName("Days")
        self.days.addItems([*_DAYS, _ONE_DAY])
        self.day = QDateEdit(QDate.currentDate())
        self.day.setCalendarPopup(True)
        self.day.setAccessibleName("Day")
        self.day.hide()
        self.starred = QCheckBox("Starred onl&y")
        self._lay_out()

        self._typing = QTimer(self, interval=_TYPING_MS, singleShot=True)
        self._typing.timeout.connect(self.changed)
        self.words.textChanged.connect(lambda: self._typing.start())
        self.source.currentIndexChanged.connect(self._on_changed)
        self.days.currentIndexChanged.connect(self._on_changed)
        self.day.dateChanged.connect(self._on_changed)
        self.starred.toggled.connect(self._on_changed)

    def query(self) -> Query:
        """What the fields say."""
        first, last = self._first_and_last()
        return Query(
            self.words.text().strip(),
            self.source.currentData(),
            first,
            last,
            self.starred.isChecked(),
        )

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        search = QFormLayout()
        search.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        search.addRow("Se&arch history:", self.words)
        column.addLayout(search)
        row = WrappingLayout()
        for title, field in (("&From:", self.source), ("Whe&n:", self.days)):
            both = QWidget()
            pair = QHBoxLayout(both)
            pair.setContentsMargins(0, 0, 0, 0)
            label = QLabel(title)
            label.setBuddy(field)
            pair.addWidget(label)
            pair.addWidget(field)
            row.addWidget(both)
        row.addWidget(self.day)
        row.addWidget(self.starred)
        column.addLayout(row)

    def _on_changed(self) -> None:
        self._typing.stop()
        self.day.setVisible(self.days.currentText() == _ONE_DAY)
        self.changed.emit()

    def _first_and_last(self) -> tuple[date | None, date | None]:
        if self.days.currentText() == _ONE_DAY:
            picked = self.day.date()
            day = date(picked.year(), picked.month(), picked.day())
            return day, day
        today = date.today()
        first, last = _DAYS[self.days.currentText()]
        return (
            None if first is None else today - timedelta(days=first),
            None if last is None else today - timedelta(days=last),
        )
