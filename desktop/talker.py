"""Says sentences the way the user chose: own voice, screen reader, both, or not at all."""

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.announce import announce
from desktop.settings import SpeechMode
from desktop.speech import Speech


class Talker(QObject):
    """One sentence at a time; a new one interrupts the last.

    Args:
        speech: Seesay's own voice.
        origin: the window that announcements come from.
    """

    finished = Signal()
    """The last sentence has been said, or handed to the screen reader; not after an interruption
    by another sentence."""

    def __init__(self, speech: Speech, origin: QObject) -> None:
        super().__init__(origin)
        self.mode: SpeechMode = "own"
        self._speech = speech
        self._origin = origin
        self._number = 0
        speech.finished.connect(self._on_finished)
        speech.failed.connect(self._on_failed)

    def say(self, text: str) -> None:
        """Say a sentence, in place of what is being said."""
        if self.mode in ("screen_reader", "both"):
            announce(self._origin, text)
        if self.mode in ("own", "both"):
            self._number = self._speech.say(text)
        else:
            QTimer.singleShot(0, self, self.finished.emit)

    def stop(self) -> None:
        """Be silent at once."""
        self._number = 0
        self._speech.stop()

    def _on_finished(self, number: int) -> None:
        if number == self._number:
            self.finished.emit()

    def _on_failed(self, sentence: str) -> None:
        # Whoever cannot hear it may have a screen reader, whatever the setting says.
        if self.mode == "own":
            announce(self._origin, sentence)
