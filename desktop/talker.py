"""Says sentences the way the user chose: own voice, screen reader, both, or not at all."""

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.announce import announce
from desktop.settings import SpeechMode
from desktop.speech import Speech

# Screen readers do not tell when they are done: 220 words a minute, in milliseconds a character.
_READING_PACE = 50


class Talker(QObject):
    """One sentence at a time; a new one interrupts the last.

    Args:
        speech: Seesay's own voice.
        origin: the window that announcements come from.

    Attributes:
        mode: as the user chose.
        speaking: whether a sentence is being said.
    """

    finished = Signal()
    """The last sentence has been said, or the screen reader has had the time for it; not after an
    interruption by another sentence."""

    def __init__(self, speech: Speech, origin: QObject) -> None:
        super().__init__(origin)
        self.mode: SpeechMode = "own"
        self.speaking = False
        self._speech = speech
        self._origin = origin
        self._number = 0  # of the utterance, while the own voice speaks
        self._reading = QTimer(self, singleShot=True)
        self._reading.timeout.connect(self._finish)
        speech.finished.connect(self._on_finished)
        speech.failed.connect(self._on_failed)

    def say(self, text: str) -> None:
        """Say a sentence, in place of what is being said."""
        self._number = 0  # before the voice tells that it ended the last one
        self._reading.stop()
        self.speaking = True
        if self.mode in ("screen_reader", "both"):
            announce(self._origin, text)
        if self.mode in ("own", "both"):
            self._number = self._speech.say(text)
        else:
            self._speech.stop()  # that may be speaking still, from before another mode was chosen
            self._reading.start(_READING_PACE * len(text) if self.mode == "screen_reader" else 0)

    def stop(self) -> None:
        """Be silent at once."""
        self._number = 0
        self._reading.stop()
        self.speaking = False
        self._speech.stop()

    def _on_finished(self, number: int) -> None:
        if number == self._number:
            self._finish()

    def _finish(self) -> None:
        self.speaking = False
        self.finished.emit()

    def _on_failed(self, sentence: str) -> None:
        # Whoever cannot hear it may have a screen reader, whatever the setting says.
        if self.mode == "own":
            announce(self._origin, sentence)
