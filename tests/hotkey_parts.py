"""What tests of hotkeys share, whether an X server or a portal gives them."""

import contextlib

from pytestqt.qtbot import QtBot

from desktop.hotkeys import Hotkeys


class Listener:
    """Hotkeys and what they told."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.hotkeys = Hotkeys()
        self.pressed: list[str] = []
        self.problems: list[str] = []
        self.hotkeys.pressed.connect(self.pressed.append)

    def set(self, **hotkeys: str) -> list[str]:
        """Set these hotkeys; returns the problems."""
        with self.qtbot.waitSignal(self.hotkeys.problems) as told:
            self.hotkeys.set(hotkeys)
        assert told.args is not None
        return list(told.args[0])

    def expect(self, *actions: str) -> None:
        """All that was pressed since the last time, after a press of "show" that ends it."""
        wanted = [*actions]
        with contextlib.suppress(self.qtbot.TimeoutError):
            self.qtbot.waitUntil(lambda: len(self.pressed) >= len(wanted), timeout=10_000)
        assert self.pressed == wanted
        self.pressed.clear()
