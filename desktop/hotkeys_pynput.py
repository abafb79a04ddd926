"""Hotkeys on Windows and macOS, by way of pynput."""

import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from desktop.keys import Hotkey, title_of

_NAMES = {
    "PgUp": "page_up",
    "PgDown": "page_down",
    "Ins": "insert",
    "Del": "delete",
    "Return": "enter",
    "Print": "print_screen",
    "ScrollLock": "scroll_lock",
    "Space": "space",
    "Tab": "tab",
    "Backspace": "backspace",
    "Esc": "esc",
    "Home": "home",
    "End": "end",
    "Left": "left",
    "Right": "right",
    "Up": "up",
    "Down": "down",
    "Pause": "pause",
    "Menu": "menu",
    **{f"F{number}": f"f{number}" for number in range(1, 21)},
}
# What Qt calls Ctrl is the Command key of macOS, and its Meta is the Control key there.
_MODIFIERS = {
    "darwin": {"Ctrl": "<cmd>", "Alt": "<alt>", "Shift": "<shift>", "Meta": "<ctrl>"},
    "win32": {"Ctrl": "<ctrl>", "Alt": "<alt>", "Shift": "<shift>", "Meta": "<cmd>"},
}


def pynput_keys(hotkey: Hotkey, platform: str = sys.platform) -> str | None:
    """The hotkey as pynput writes it, "<ctrl>+<shift>+<f7>"; None if it does not know the key."""
    if len(hotkey.key) == 1:
        key = hotkey.key.lower()
    elif hotkey.key in _NAMES:
        key = f"<{_NAMES[hotkey.key]}>"
    else:
        return None
    return "+".join([*(_MODIFIERS[platform][name] for name in hotkey.modifiers), key])


class PynputHotkeys:
    """Listens for hotkeys with pynput.

    Args:
        on_pressed: called in a thread, with the name of the action.
        on_problems: called after each `set`, with one sentence for each problem.
    """

    def __init__(
        self, on_pressed: Callable[[str], None], on_problems: Callable[[list[str]], None]
    ) -> None:
        self._on_pressed = on_pressed
        self._on_problems = on_problems
        self._listener: Any = None

    def set(self, hotkeys: Mapping[str, Hotkey]) -> None:
        """Listen for these keys, by action, and for no others."""
        # There is no pynput on Linux, where it would need a compiler.
        from pynput import keyboard

        self.close()
        problems = []
        wanted = {}
        for action, hotkey in hotkeys.items():
            keys = pynput_keys(hotkey)
            if keys is None:
                problems.append(
                    f"{hotkey.text} ({title_of(action)}) cannot be a hotkey on this system: "
                    "choose another key in the settings."
                )
            else:
                wanted[keys] = partial(self._on_pressed, action)
        if wanted:
            self._listener = keyboard.GlobalHotKeys(wanted)
            self._listener.start()
            self._listener.wait()
            if sys.platform == "darwin" and not self._listener.IS_TRUSTED:
                problems.append(
                    "macOS does not let Seesay hear its hotkeys: allow it in the System Settings "
                    "under Privacy & Security, Accessibility, and start Seesay again."
                )
        self._on_problems(problems)

    def close(self) -> None:
        """Stop listening."""
        if self._listener is not None:
            self._listener.stop()
            self._listener = None
