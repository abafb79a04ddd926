"""The page of the first start: what Seesay does, what it cannot, and the keys to learn."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop.actions import ACTIONS
from desktop.keys import spoken_keys
from desktop.settings import Settings


class Welcome(QDialog):
    """Tells in four sentences what to know of Seesay.

    Args:
        settings: whose hotkeys are told.
        parent: the window that it belongs to.
    """

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Welcome to Seesay")
        self._settings = settings

        page = QWidget()
        column = QVBoxLayout(page)
        for sentence in self._sentences():
            # Screen readers say the labels of a dialog when it opens; those that can be reached by
            # Tab can also be heard once more.
            label = QLabel(sentence)
            label.setWordWrap(True)
            label.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByKeyboard
                | Qt.TextInteractionFlag.TextSelectableByMouse
            )
            label.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            column.addWidget(label)
        column.addStretch()
        # With a very large font, what does not fit can be scrolled to.
        scroll = QScrollArea()
        scroll.setWidget(page)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        letters = self.fontMetrics()
        scroll.setMinimumHeight(4 * letters.lineSpacing())

        buttons = QDialogButtonBox()
        start = buttons.addButton("&Start", QDialogButtonBox.ButtonRole.AcceptRole)
        start.setAccessibleDescription("Closes this page.")
        start.setDefault(True)
        buttons.accepted.connect(self.accept)

        layout = QVBoxLayout(self)
        layout.addWidget(scroll)
        layout.addWidget(buttons)
        size = self.sizeHint().expandedTo(letters.size(0, "m" * 50))
        size.setHeight(22 * letters.lineSpacing())
        self.resize(size.boundedTo(self.screen().availableSize()))
        start.setFocus()

    def text(self) -> str:
        """The whole text, to be spoken."""
        return " ".join(self._sentences())

    def _sentences(self) -> list[str]:
        return [
            "Seesay looks at what your camera or your screen shows and says aloud, in one "
            "sentence, what is in it.",
            "It learnt from photographs of everyday life, such as people, animals, streets and "
            "rooms, and reads text aloud; it does not know who anybody is, knows nothing of "
            "drawings and medical pictures, and can be wrong even where it sounds sure.",
            f"Learn three keys: {self._keys('camera')} describes what the camera sees, "
            f"{self._keys('screen')} what is on the screen, and {self._keys('stop')} silences "
            "Seesay.",
            "Nothing leaves your computer: pictures are looked at here, and Seesay needs no "
            "account and no network.",
        ]

    def _keys(self, action: str) -> str:
        keys = self._settings.hotkeys.get(action)
        if keys:
            return spoken_keys(keys)
        shortcut = next(each.shortcut for each in ACTIONS if each.name == action)
        return f"{spoken_keys(shortcut)}, in Seesay's window,"
