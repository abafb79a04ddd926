"""The words of a sentence, to walk through and to hear where each was seen."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QListView, QListWidget, QListWidgetItem, QWidget

from core.caption import Caption, Word
from core.where import said_place


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
        """Show the words of a sentence that was said, as far as found, none of them chosen."""
        self.clear()
        for word in caption.told_words if caption is not None else ():
            item = QListWidgetItem(word.word, self)
            place = said_place(word) or ""
            item.setData(Qt.ItemDataRole.UserRole, word)
            item.setToolTip(place or "not looked for at one place")
            item.setData(
                Qt.ItemDataRole.AccessibleTextRole, f"{word.word}, {place}" if place else word.word
            )
        rows = 2 if caption is not None and caption.is_sentence_said else 1
        self.setMaximumHeight(rows * round(1.7 * self.fontMetrics().height()) + 8)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """As Qt tells of it; a word is chosen then, since screen readers say the chosen one."""
        if self.currentRow() < 0:
            self.setCurrentRow(0)
        super().focusInEvent(event)

    def _on_current(self, item: QListWidgetItem | None) -> None:
        word: Word | None = item.data(Qt.ItemDataRole.UserRole) if item is not None else None
        self.chosen.emit(word)
