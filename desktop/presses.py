"""Presses that come faster than they can be answered: few wait, and the window stays alive."""

from PySide6.QtCore import QObject, QTimer, Signal

# Each of these takes the place of what is under way, so those before it need not be begun.
_REQUESTS = {"camera", "screen", "window", "clipboard", "aim", "stop"}
_REPLACED = _REQUESTS | {"repeat", "text"}


class Presses(QObject):
    """Hands on what is asked for, one at each turn of the event loop.

    Of what waits, a request replaces all that it would end, and "repeat" and "show" an earlier one
    of themselves; to turn live mode on and off again is nothing.
    """

    due = Signal(str)
    """The action that is to be done now."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: list[str] = []
        self._turn = QTimer(self, interval=0)
        self._turn.timeout.connect(self._next)

    def add(self, action: str) -> None:
        """Do this soon; before anything else where nothing waits."""
        before = len(self._waiting)
        if action in _REQUESTS:
            self._waiting = [other for other in self._waiting if other not in _REPLACED]
        elif action != "text":
            self._waiting = [other for other in self._waiting if other != action]
        if action != "live" or len(self._waiting) == before:
            self._waiting.append(action)
        self._turn.start()

    def _next(self) -> None:
        if self._waiting:
            self.due.emit(self._waiting.pop(0))
        else:
            self._turn.stop()
