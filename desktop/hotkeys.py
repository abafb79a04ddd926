"""Hotkeys anywhere in the system: one face before the ways of the different desktops."""

import os
import sys
from collections.abc import Callable, Mapping
from typing import Protocol

from PySide6.QtCore import QObject, Qt, Signal

from desktop.keys import Hotkey, read_hotkey, title_of


class _Backend(Protocol):
    def set(self, hotkeys: Mapping[str, Hotkey]) -> None: ...

    def close(self) -> None: ...


class Hotkeys(QObject):
    """Tells when one of the hotkeys is pressed, whichever program is in front.

    Holding a key is one press. On X11, keys are grabbed; on Wayland, the desktop is asked for them
    through its portal and may let the user choose others; on Windows and macOS, pynput listens.
    """

    pressed = Signal(str)
    """The name of an action, once its hotkey goes down."""

    problems = Signal(list)
    """All present problems, as sentences; comes after each `set`, empty where all is well."""

    _heard = Signal(str)
    _met = Signal(list)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._own_problems: list[str] = []
        # The backends call from threads of theirs; queued, it goes on in the thread of this one.
        self._heard.connect(self._tell_pressed, Qt.ConnectionType.QueuedConnection)
        self._met.connect(self._tell_problems, Qt.ConnectionType.QueuedConnection)
        self._backend: _Backend | None = _start_backend(self._heard.emit, self._met.emit)

    def set(self, hotkeys: Mapping[str, str]) -> None:
        """Listen for these keys, by the name of the action, in place of those before.

        Returns at once. "" is no key. Keys that are not understood, or are already another
        action's, are left out and told in `problems`.
        """
        if self._backend is None:
            return
        self._own_problems = []
        wanted: dict[str, Hotkey] = {}
        for action, keys in hotkeys.items():
            if not keys:
                continue
            hotkey = read_hotkey(keys)
            if hotkey is None:
                self._own_problems.append(
                    f"{keys} ({title_of(action)}) is no hotkey: choose another in the settings."
                )
                continue
            other = next((name for name, each in wanted.items() if each == hotkey), None)
            if other is None:
                wanted[action] = hotkey
            else:
                self._own_problems.append(
                    f"{hotkey.text} is the hotkey of both {title_of(other)} and "
                    f"{title_of(action)}: choose another for one of them in the settings."
                )
        self._backend.set(wanted)

    def close(self) -> None:
        """Let go of all keys; nothing is told any more."""
        if self._backend is not None:
            self._backend.close()
            self._backend = None

    def _tell_pressed(self, action: str) -> None:
        if self._backend is not None:
            self.pressed.emit(action)

    def _tell_problems(self, problems: list[str]) -> None:
        if self._backend is not None:
            self.problems.emit([*self._own_problems, *problems])


def _start_backend(
    on_pressed: Callable[[str], None], on_problems: Callable[[list[str]], None]
) -> _Backend:
    if not sys.platform.startswith("linux"):
        from desktop.hotkeys_pynput import PynputHotkeys

        return PynputHotkeys(on_pressed, on_problems)
    if os.environ.get("XDG_SESSION_TYPE") == "wayland":
        from desktop.hotkeys_portal import PortalHotkeys

        return PortalHotkeys(on_pressed, on_problems)
    from desktop.hotkeys_x11 import X11Hotkeys

    return X11Hotkeys(on_pressed, on_problems)
