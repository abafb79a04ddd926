"""The list of entries: rows of one height, with thumbnails, however many there are."""

from PySide6.QtCore import (
    QAbstractItemModel,
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    QSortFilterProxyModel,
    Qt,
)
from PySide6.QtGui import QFocusEvent, QFontMetrics
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

_LINES = 4  # of text in a row
_ROWS = 2  # that are always seen


class HistoryList(QListView):
    """Shows the entries; its actions are its context menu.

    Args:
        model: of the entries.
        parent: owner.
    """

    def __init__(self, model: QAbstractItemModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        # The view asks for each row anew whenever some are added. This model in between keeps the
        # same rows and answers without Python, which keeps long lists smooth.
        rows = QSortFilterProxyModel(self)
        rows.setSourceModel(model)
        self.setModel(rows)
        self.setItemDelegate(_Rows(self))
        self.setUniformItemSizes(True)
        self.setWordWrap(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.setAccessibleName("History")

    def choose(self, row: int) -> None:
        """Put the cursor on a row."""
        self.setCurrentIndex(self.model().index(row, 0))

    def focusInEvent(self, event: QFocusEvent) -> None:
        """As Qt tells of it; an entry is chosen then, since screen readers say the chosen one."""
        if not self.currentIndex().isValid():
            self.choose(0)
        super().focusInEvent(event)

    def minimumSizeHint(self) -> QSize:
        """As Qt asks for it: never less than some of the rows."""
        rows = _ROWS * _row_height(self.fontMetrics())
        return super().minimumSizeHint().expandedTo(QSize(0, rows + 2 * self.frameWidth()))


class _Rows(QStyledItemDelegate):
    """Rows of one height, with room for some lines of text and a thumbnail."""

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """As Qt asks for it."""
        height = _row_height(option.fontMetrics)
        return QSize(height, height)

    def initStyleOption(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """As Qt asks for it."""
        super().initStyleOption(option, index)
        height = (_LINES - 1) * option.fontMetrics.lineSpacing()
        option.decorationSize = QSize(height * 4 // 3, height)


def _row_height(font: QFontMetrics) -> int:
    return (2 * _LINES + 1) * font.lineSpacing() // 2
