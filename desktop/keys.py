"""Hotkeys as text such as "Ctrl+Shift+F7": read, checked, and turned into what systems want."""

import re
import sys
from dataclasses import dataclass

from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QKeySequence

from desktop.actions import ACTIONS

_MODIFIERS = (
    ("Ctrl", Qt.KeyboardModifier.ControlModifier),
    ("Alt", Qt.KeyboardModifier.AltModifier),
    ("Shift", Qt.KeyboardModifier.ShiftModifier),
    ("Meta", Qt.KeyboardModifier.MetaModifier),
)
# Keys that only change what others do; alone, they are no hotkey.
_MODIFIER_KEYS = {
    Qt.Key.Key_Shift,
    Qt.Key.Key_Control,
    Qt.Key.Key_Alt,
    Qt.Key.Key_Meta,
    Qt.Key.Key_AltGr,
    Qt.Key.Key_CapsLock,
    Qt.Key.Key_NumLock,
    Qt.Key.Key_unknown,
}
_EDITING_KEYS = {"Space", "Tab", "Backtab", "Return", "Enter", "Backspace", "Del", "Esc"} | {
    "Left", "Right", "Up", "Down", "Home", "End", "PgUp", "PgDown",
}  # fmt: skip
_FUNCTION_KEY = re.compile(r"F\d{1,2}")
_KEYSYM_NAMES = {
    "Space": "space",
    "Tab": "Tab",
    "Backtab": "ISO_Left_Tab",
    "Return": "Return",
    "Enter": "KP_Enter",
    "Backspace": "BackSpace",
    "Esc": "Escape",
    "Ins": "Insert",
    "Del": "Delete",
    "Home": "Home",
    "End": "End",
    "PgUp": "Prior",
    "PgDown": "Next",
    "Left": "Left",
    "Right": "Right",
    "Up": "Up",
    "Down": "Down",
    "Pause": "Pause",
    "Print": "Print",
    "ScrollLock": "Scroll_Lock",
    "Menu": "Menu",
    "Help": "Help",
}


@dataclass(frozen=True)
class Hotkey:
    """One key with its modifiers.

    Attributes:
        text: as it is stored, for example "Ctrl+Shift+F7".
        modifiers: of "Ctrl", "Alt", "Shift" and "Meta" (Super, or the Windows key), in this order.
            As everywhere in Qt, "Ctrl" is the Command key of macOS, and "Meta" its Control key.
        key: the key alone, as Qt writes it: "F7", "A", "PgUp", "+".
    """

    text: str
    modifiers: tuple[str, ...]
    key: str

    @property
    def types_text(self) -> bool:
        """Whether the keys write something where one types, alone or with Shift."""
        return not {"Ctrl", "Alt", "Meta"} & set(self.modifiers) and (
            len(self.key) == 1 or self.key in _EDITING_KEYS
        )

    @property
    def keysym_name(self) -> str | None:
        """The key's name in X11 and Wayland, "a", "F7" or "Prior"; None for signs such as "+"."""
        if len(self.key) == 1:
            return self.key.lower() if self.key.isascii() and self.key.isalnum() else None
        if _FUNCTION_KEY.fullmatch(self.key):
            return self.key
        return _KEYSYM_NAMES.get(self.key)


def read_hotkey(text: str) -> Hotkey | None:
    """What ``text`` says, in any order and case of letters; None if it is not one hotkey.

    Keys of the number pad are none: what they send hangs on Num Lock.
    """
    sequence = QKeySequence.fromString(text, QKeySequence.SequenceFormat.PortableText)
    if sequence.count() != 1:
        return None
    combination: QKeyCombination = sequence[0]  # type: ignore[index]  # PySide's stubs lack it
    if combination.key() in _MODIFIER_KEYS:
        return None
    held = combination.keyboardModifiers()
    if held & Qt.KeyboardModifier.KeypadModifier:
        return None
    return Hotkey(
        sequence.toString(QKeySequence.SequenceFormat.PortableText),
        tuple(name for name, modifier in _MODIFIERS if modifier & held),
        QKeySequence(combination.key()).toString(QKeySequence.SequenceFormat.PortableText),
    )


def title_of(action: str) -> str:
    """The title of an action, as it stands in a sentence."""
    return next(each.plain_title for each in ACTIONS if each.name == action).removesuffix(" …")


def spoken_keys(keys: str, platform: str = sys.platform) -> str:
    """Keys such as "Ctrl+Shift+F7" as they are called aloud and on the keyboard."""
    names = {"Ctrl": "Control", "Meta": "Super"}
    if platform == "darwin":
        names = {"Ctrl": "Command", "Meta": "Control", "Alt": "Option"}
    elif platform == "win32":
        names["Meta"] = "Windows"
    return re.sub(r"[A-Za-z]+", lambda word: names.get(word[0], word[0]), keys)
