"""The window: the sentence, the picture, buttons for the sources, the history."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QEvent, QSize, Qt, QUrl, Signal
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QKeySequence,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from desktop.actions import ACTIONS, DETAILS, PROGRAM, Action
from desktop.description import Description
from desktop.picture_view import PictureView
from desktop.words import Words
from desktop.wrapping_layout import WrappingLayout

# Larger than the system's font: the sentence is what people came for.
_SENTENCE_SCALE = 1.6
_SENTENCE_LINES = (2, 4)  # that are seen at least and at most

# Menu -> names of its actions; "-" is a line between them.
_MENUS = {
    "&Describe": "camera screen window clipboard region file - live aim - quit",
    "&Speech": "repeat text stop - where spell copy",
    "&Options": "cameras settings find",
    "&Help": "welcome",
}
_BUTTONS = (
    *("camera", "screen", "window", "clipboard", "region", "file"),
    *("repeat", "text", "stop", "live", "aim"),
)
# In letters and lines of the system's font, so that larger fonts get a larger window.
_WIDTH, _HEIGHT = 140, 44
# Below this many letters, the history goes under the description instead of beside it.
_SIDE_BY_SIDE = 100


class Window(QMainWindow):
    """Shows what it is told to show, and tells what the user asks for.

    Args:
        history: the pane beside the description.
    """

    asked = Signal(str)
    """The name of an action."""
    dropped = Signal(list)
    """Paths of files that were dropped on the window."""
    closing = Signal()
    """The window was closed; by default it stays hidden."""

    def __init__(self, history: QWidget) -> None:
        super().__init__()
        self.setWindowTitle("Seesay")
        self.setAcceptDrops(True)
        self.actions_by_name = {
            action.name: self._action(action) for action in (*ACTIONS, *DETAILS, *PROGRAM)
        }
        self.actions_by_name["live"].setCheckable(True)
        self._buttons: list[QPushButton] = []
        self._build_menus()

        self.sentence = QPlainTextEdit()
        self.sentence.setReadOnly(True)
        self.sentence.setTabChangesFocus(True)
        # Read-only text has no cursor by default; with one, it can be read letter by letter.
        self.sentence.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.sentence.setAccessibleName("Description")
        self.sentence.setPlainText("Nothing has been described yet.")
        self.words = Words()
        self.picture = PictureView()
        self.words.chosen.connect(self.picture.show_word)
        self.status = QLabel("Starting …")
        self.status.setAccessibleName("Status: Starting …")
        self.status.setWordWrap(True)
        self.camera_light = QLabel()
        self.problems = QLabel()
        self.problems.setWordWrap(True)
        self.problems.setFrameShape(QFrame.Shape.StyledPanel)
        # Can be walked through and copied from.
        self.problems.setTextInteractionFlags(self.sentence.textInteractionFlags())
        self.problems.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._splitter = QSplitter()
        self._lay_out(history)
        self.show_camera(False)
        self.show_problems([])
        self.set_font_sizes()
        self.sentence.setFocus()

    def _action(self, action: Action) -> QAction:
        made = QAction(action.title, self)
        made.setShortcut(QKeySequence(action.shortcut))
        made.setStatusTip(action.help)
        made.setToolTip(action.help)
        made.triggered.connect(lambda: self.asked.emit(action.name))
        return made

    def _build_menus(self) -> None:
        for title, names in _MENUS.items():
            menu = self.menuBar().addMenu(title)
            menu.setAccessibleName(title.replace("&", ""))
            for name in names.split():
                if name == "-":
                    menu.addSeparator()
                else:
                    menu.addAction(self.actions_by_name[name])
        # A shortcut works while its action belongs to a visible widget; "show" is in no menu.
        self.addAction(self.actions_by_name["show"])

    def _lay_out(self, history: QWidget) -> None:
        buttons = WrappingLayout()
        for name in _BUTTONS:
            buttons.addWidget(self._button(name))
        left = QWidget()
        column = QVBoxLayout(left)
        column.addWidget(self.sentence)
        column.addLayout(buttons)
        column.addWidget(self.words)
        column.addWidget(self.picture, stretch=1)
        # With a very large font the window scrolls instead of cutting off.
        scroll = QScrollArea()
        scroll.setWidget(left)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        splitter = self._splitter
        splitter.setAccessibleName("Description and history")
        splitter.addWidget(scroll)
        splitter.addWidget(history)
        splitter.setStretchFactor(0, 3)
        splitter.setStretchFactor(1, 2)
        splitter.setChildrenCollapsible(False)
        scroll.lower()  # also the order in which screen readers find them
        bottom = QHBoxLayout()
        bottom.addWidget(self.status, stretch=1)
        bottom.addWidget(self.camera_light)
        whole = QWidget()
        rows = QVBoxLayout(whole)
        rows.addWidget(self.problems)
        rows.addWidget(splitter, stretch=1)
        rows.addLayout(bottom)
        self.setCentralWidget(whole)
        letters = self.fontMetrics()
        wanted = QSize(_WIDTH * letters.averageCharWidth(), _HEIGHT * letters.lineSpacing())
        self.resize(wanted.boundedTo(self.screen().availableSize()))

    def _button(self, name: str) -> QPushButton:
        action = self.actions_by_name[name]
        button = QPushButton(action.text())
        button.setAccessibleName(action.text().replace("&", ""))
        button.setAutoDefault(True)  # Enter presses it, as well as Space
        button.setCheckable(action.isCheckable())
        button.clicked.connect(action.trigger)
        action.toggled.connect(button.setChecked)
        self._buttons.append(button)
        return button

    def show_hotkeys(self, hotkeys: Mapping[str, str]) -> None:
        """Tell the keys of each button: in its tip and its description for screen readers."""
        for name, button in zip(_BUTTONS, self._buttons, strict=True):
            action = self.actions_by_name[name]
            keys = f"{action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)} here"
            if hotkeys.get(name):
                keys += f", {hotkeys[name]} anywhere"
            button.setToolTip(f"{action.toolTip()} {keys}.")
            button.setAccessibleDescription(f"{action.toolTip()} {keys}.")

    def set_font_sizes(self) -> None:
        """Follow the system's font."""
        font = self.font()
        font.setPointSizeF(font.pointSizeF() * _SENTENCE_SCALE)
        self.sentence.setFont(font)
        line = self.sentence.fontMetrics().lineSpacing()
        self.sentence.setMinimumHeight(_SENTENCE_LINES[0] * line + 16)
        self.sentence.setMaximumHeight(_SENTENCE_LINES[1] * line + 16)

    def show_description(self, description: Description) -> None:
        """Show a caption and its picture; the focus stays where it is."""
        caption = description.caption
        self.sentence.setPlainText(caption.spoken)
        self.picture.show_picture(description.picture, caption.spoken)
        self.words.show_words(caption)

    def show_status(self, sentence: str) -> None:
        """Show how things are."""
        self.status.setText(sentence)
        self.status.setAccessibleName(f"Status: {sentence}")

    def show_problems(self, problems: Sequence[str]) -> None:
        """Show what does not work and what helps, until it is mended."""
        self.problems.setText("\n".join(problems))
        self.problems.setAccessibleName(f"Problem: {' '.join(problems)}")
        self.problems.setVisible(bool(problems))

    def show_camera(self, on: bool) -> None:
        """Show whether the camera is open: in words, not in colour alone."""
        text = "● Camera is on" if on else "○ Camera is off"
        self.camera_light.setText(text)
        self.camera_light.setAccessibleName(text[2:])

    def show_live(self, on: bool) -> None:
        """Show whether live mode is on."""
        self.actions_by_name["live"].setChecked(on)

    def bring_to_front(self) -> None:
        """Show the window and give it the focus."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def changeEvent(self, event: QEvent) -> None:
        """As Qt tells of a new system font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ApplicationFontChange:
            self.set_font_sizes()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """As Qt tells of it."""
        super().resizeEvent(event)
        narrow = self.width() < _SIDE_BY_SIDE * self.fontMetrics().averageCharWidth()
        self._splitter.setOrientation(
            Qt.Orientation.Vertical if narrow else Qt.Orientation.Horizontal
        )

    def closeEvent(self, event: QCloseEvent) -> None:
        """As Qt tells of it."""
        event.ignore()
        self.closing.emit()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """As Qt tells of it."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """As Qt tells of it."""
        self.dropped.emit(local_paths(event.mimeData().urls()))


def local_paths(urls: Sequence[QUrl]) -> list[str]:
    """Paths of the URLs that stand for files of this machine."""
    return [url.toLocalFile() for url in urls if url.isLocalFile()]
