"""The page of the settings where hotkeys are chosen."""

from collections.abc import Mapping

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QFormLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop.actions import ACTIONS, HOTKEYS
from desktop.key_conflicts import Conflict, conflicts
from desktop.keys import read_hotkey, title_of

_HOW = "Press the new keys. Backspace removes them, Tab goes on."
_NO_MODIFIERS = (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier)
_LEAVING = {
    Qt.Key.Key_Tab,
    Qt.Key.Key_Backtab,
    Qt.Key.Key_Escape,
    Qt.Key.Key_Return,
    Qt.Key.Key_Enter,
}


class HotkeyEdit(QLineEdit):
    """A field that takes the keys pressed in it as a hotkey.

    Unlike QKeySequenceEdit, screen readers know it as a field with a value, and Tab, Shift+Tab,
    Escape and Enter do what they do everywhere.
    """

    recording = Signal(bool)
    """It has the focus, and so takes keys; or no longer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setPlaceholderText("none")
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.setAcceptDrops(False)
        self.setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled, False)

    def event(self, event: QEvent) -> bool:
        """Take keys that would be shortcuts of the window, too."""
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and not self._leaves(event)
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take the keys as the hotkey."""
        if self._leaves(event):
            event.ignore()
            return
        event.accept()
        plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
        if plain and event.key() in (Qt.Key.Key_Backspace, Qt.Key.Key_Delete):
            self.setText("")
            return
        keys = QKeySequence(event.keyCombination())
        hotkey = read_hotkey(keys.toString(QKeySequence.SequenceFormat.PortableText))
        if hotkey is not None:  # not a modifier alone
            self.setText(hotkey.text)
            self.selectAll()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Begin to take keys."""
        super().focusInEvent(event)
        self.selectAll()
        self.recording.emit(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """End taking keys."""
        super().focusOutEvent(event)
        self.recording.emit(False)

    @staticmethod
    def _leaves(event: QKeyEvent) -> bool:
        return event.key() in _LEAVING and event.modifiers() in _NO_MODIFIERS


class HotkeyPage(QWidget):
    """A field for each action, and what is wrong with the keys in them.

    Args:
        hotkeys: action's name -> keys now.
    """

    recording = Signal(bool)
    """Keys are being chosen, so that the present hotkeys had better be let go; or no longer."""

    told = Signal(str)
    """A sentence on the keys just chosen."""

    def __init__(self, hotkeys: Mapping[str, str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._edits: dict[str, HotkeyEdit] = {}
        self._notes: dict[str, QLabel] = {}
        self._is_recording = False

        layout = QVBoxLayout(self)
        intro = QLabel(f"These keys work whichever program is in front. {_HOW}")
        intro.setWordWrap(True)
        layout.addWidget(intro)
        self._problems = QLabel()
        self._problems.setWordWrap(True)
        self._problems.setAccessibleName("Hotkeys that do not work")
        # The keyboard can go there and a screen reader read it.
        self._problems.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByKeyboard
            | Qt.TextInteractionFlag.TextSelectableByMouse
        )
        self._problems.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._problems.hide()
        layout.addWidget(self._problems)

        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        layout.addLayout(form)
        for action in ACTIONS:
            edit = HotkeyEdit()
            edit.setText(hotkeys.get(action.name, ""))
            edit.setAccessibleName(f"Keys for {title_of(action.name)}")
            note = QLabel()
            note.setWordWrap(True)
            note.hide()
            column = QVBoxLayout()
            column.addWidget(edit)
            column.addWidget(note)
            label = QLabel(title_of(action.name))
            label.setBuddy(edit)
            form.addRow(label, column)
            self._edits[action.name], self._notes[action.name] = edit, note
            edit.recording.connect(self._on_recording)

        reset = QPushButton("&Reset to defaults")
        reset.setAccessibleDescription("Gives all actions the hotkeys they had at first.")
        reset.clicked.connect(self._reset)
        layout.addWidget(reset, alignment=Qt.AlignmentFlag.AlignLeft)
        layout.addStretch()

        self._check()
        for name, edit in self._edits.items():
            edit.textChanged.connect(lambda _, name=name: self._on_changed(name))

    def hotkeys(self) -> dict[str, str]:
        """Action's name -> keys as chosen, "" for none."""
        return {name: edit.text() for name, edit in self._edits.items()}

    def blocking(self) -> Conflict | None:
        """The first of the keys that cannot stay so."""
        return next((each for each in conflicts(self.hotkeys()) if each.blocks), None)

    def go_to(self, action: str) -> None:
        """Put the focus on the field of an action."""
        self._edits[action].setFocus()

    def show_problems(self, problems: list[str]) -> None:
        """Show what did not work when the keys were last put to use; none clears it."""
        if not self._is_recording:  # then the keys are let go, and say nothing
            self._problems.setText("\n".join(problems))
            self._problems.setVisible(bool(problems))

    def _reset(self) -> None:
        for name, edit in self._edits.items():
            edit.blockSignals(True)
            edit.setText(HOTKEYS.get(name, ""))
            edit.blockSignals(False)
        self._check()
        self.told.emit("All hotkeys are at their defaults.")

    def _on_recording(self, on: bool) -> None:
        self._is_recording = on
        self.recording.emit(on)

    def _on_changed(self, action: str) -> None:
        notes = self._check()
        keys = self._edits[action].text() or "None"
        self.told.emit(" ".join([f"{keys}.", *notes.get(action, [])]))

    def _check(self) -> dict[str, list[str]]:
        """Show what is wrong beside each field; returns the sentences by action."""
        found: dict[str, list[str]] = {}
        for conflict in conflicts(self.hotkeys()):
            found.setdefault(conflict.action, []).append(conflict.sentence)
        for name, edit in self._edits.items():
            sentence = " ".join(found.get(name, []))
            self._notes[name].setText(sentence)
            self._notes[name].setVisible(bool(sentence))
            edit.setAccessibleDescription(f"{sentence} {_HOW}".strip())
        return found
