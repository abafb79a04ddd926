"""The words of a sentence, to walk through and to hear where each was seen."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QListView, QListWidget, QListWidgetItem, QWidget

from core.caption import Caption, Word

_PLACES = {"above": "at the top", "below": "at the bottom", "centre": "in the middle"}


def said_place(place: str) -> str:
    """As part of a sentence, such as "on the upper left"."""
    return _PLACES.get(place, f"on the {place}")


def said_places(caption: Caption) -> str:
    """Where the things of a sentence were seen, as sentences."""
    seen = [word for word in caption.words if word.where is not None]
    if not seen:
        return "Where things are is not clear enough to say."
    return " ".join(f"{word.word.capitalize()}: {said_place(word.where or '')}." for word in seen)


def spelled(sentence: str) -> str:
    """A sentence letter by letter, with its words set apart."""
    words = (" ".join(filter(str.isalnum, word)).upper() for word in sentence.split())
    return ", ".join(word for word in words if word)


class Words(QListWidget):
    """A list that arrow keys walk through; each word tells where the model looked for it."""

    chosen = Signal(object)
    """The `Word` under the cursor, None when the list is left."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setSpacing(2)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setAccessibleName("Words")
        self.setAccessibleDescription(
            "The words of the description. On each, the picture shows where it was seen."
        )
        self.currentItemChanged.connect(self._on_current)
        self.show_words(None)

    def show_words(self, caption: Caption | None) -> None:
        """Show the words of a caption, none of them chosen."""
        self.clear()
        for word in caption.words if caption is not None else ():
            item = QListWidgetItem(word.word, self)
            place = said_place(word.where) if word.where is not None else ""
            item.setData(Qt.ItemDataRole.UserRole, word)
            item.setToolTip(place or "not looked for at one place")
            item.setData(
                Qt.ItemDataRole.AccessibleTextRole, f"{word.word}, {place}" if place else word.word
            )
        rows = 2 if self.count() else 1
        self.setMaximumHeight(rows * round(1.7 * self.fontMetrics().height()) + 8)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """As Qt tells of it; a word is chosen then, since screen readers say the chosen one."""
        if self.currentRow() < 0:
            self.setCurrentRow(0)
        super().focusInEvent(event)

    def _on_current(self, item: QListWidgetItem | None) -> None:
        word: Word | None = item.data(Qt.ItemDataRole.UserRole) if item is not None else None
        self.chosen.emit(word)
