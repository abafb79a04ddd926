"""Speech for the window: says one text at a time, and goes on when the engine hangs or dies."""

import re
import sys
import textwrap
from dataclasses import asdict, dataclass
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.speech_link import SpeechLink, Voice

__all__ = ["Speech", "Voice"]

# Elsewhere the engine plays the sound itself: only the end of its process silences it at once.
_SILENCED_BY_END = not sys.platform.startswith("linux")

# Seconds. Later limits are promised by the process itself.
_TO_BE_READY = 20.0
_TO_HEAR = 2.0

_MOST_LOSSES = 3  # in a row, before a process that nobody waits for is left alone
_BROKEN = "The voice does not work: start Seesay again, or choose another voice in the settings."

_SAMPLE = "This is how Seesay sounds: perhaps a dog runs over the grass."

_PIECE_LENGTH = 200  # characters; the voice makes a pause between pieces
_SENTENCE_END = re.compile(r"(?<=[.!?;:…])\s+")


@dataclass(frozen=True)
class _Manner:
    voice: str = ""
    rate: int = 180  # words a minute
    volume: int = 100  # per cent


@dataclass
class _Utterance:
    number: int
    manner: _Manner
    pieces: list[str]  # as the process has them now
    index: int = 0  # of the piece that is being said
    told_started: bool = False
    repeated: bool = False


class Speech(QObject):
    """Says texts aloud, the newest one only, in a process of its own.

    Signals:
        started: number of an utterance whose first sound starts.
        finished: number of an utterance that is over, once for each: said to the end, stopped, or
            given up after `failed`.
        failed: one sentence: why nothing is heard, and what helps; not again for every utterance.
        voices: list of `Voice`, after the start.
    """

    started = Signal(int)
    finished = Signal(int)
    failed = Signal(str)
    voices = Signal(list)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._manner = _Manner()
        self._voices: list[Voice] = []
        self._numbers = 0
        self._current: _Utterance | None = None
        self._losses = 0
        self._told = ""
        self._closed = False
        self._watch = QTimer(self)
        self._watch.setSingleShot(True)
        self._watch.timeout.connect(self._find_hanging)
        self._process: SpeechLink | None = None
        self._spare: SpeechLink | None = None
        self._start()

    def configure(self, voice: str, rate: int, volume: int) -> None:
        """Choose how the next utterances sound.

        Args:
            voice: the id of a `Voice`; "" for the system's own.
            rate: words a minute.
            volume: per cent of the full volume.
        """
        self._manner = _Manner(voice, rate, volume)

    def say(self, text: str) -> int:
        """Say a text instead of what is being said now; returns the number of the utterance."""
        return self._say(text, self._manner)

    def try_out(self, voice: str, rate: int, volume: int) -> int:
        """Say a sample in another manner, as `say` does; the next texts keep the manner they had.

        Args:
            voice: as for `configure`, like the others.
            rate: words a minute.
            volume: per cent of the full volume.
        """
        return self._say(_SAMPLE, _Manner(voice, rate, volume))

    def stop(self) -> None:
        """Be silent now."""
        former = self._silence()
        if former is not None:
            self.finished.emit(former.number)

    def close(self) -> None:
        """Be silent and end the process; nothing is said afterwards."""
        self._closed = True
        former, self._current = self._current, None
        processes = [process for process in (self._process, self._spare) if process is not None]
        self._spare = None
        self._discard()
        for process in processes:
            process.end()
            process.wait_for_end()
        if former is not None:
            self.finished.emit(former.number)

    def _say(self, text: str, manner: _Manner) -> int:
        former = self._silence()
        self._numbers += 1
        number = self._numbers
        pieces = _pieces(text)
        if pieces and not self._closed:
            self._current = _Utterance(number, manner, pieces)
            if self._process is None:
                self._start()
            self._ask()
        else:
            QTimer.singleShot(0, self, lambda: self.finished.emit(number))
        if former is not None:
            self.finished.emit(former.number)
        return number

    def _silence(self) -> _Utterance | None:
        """End the sound, and return the utterance that was not said to its end."""
        former, self._current = self._current, None
        if former is None or self._process is None:
            return former
        if _SILENCED_BY_END:
            self._discard()
            self._start()
        else:
            self._process.silence()
            self._process.ask({"do": "stop"})
            if self._process.voices is not None:
                self._watch.stop()
        return former

    def _start(self) -> None:
        """Take the spare process, or start one."""
        if self._closed:
            return
        process = self._spare or SpeechLink(self)
        self._spare = SpeechLink(self) if _SILENCED_BY_END else None
        process.told.connect(self._hear)
        process.lost.connect(self._lose)
        self._process = process
        if process.voices is None:
            self._expect(_TO_BE_READY)
        else:
            self._tell_voices(process.voices)

    def _discard(self) -> None:
        self._watch.stop()
        if self._process is not None:
            self._process.end()
            self._process = None

    def _ask(self) -> None:
        """Have the process say what is left of the current utterance."""
        process, utterance = self._process, self._current
        if process is None or utterance is None:
            return
        utterance.pieces = utterance.pieces[utterance.index :]
        utterance.index = 0
        process.ask(
            {
                "do": "say",
                "number": utterance.number,
                "pieces": utterance.pieces,
                **asdict(utterance.manner),
            }
        )
        self._expect(_TO_BE_READY if process.voices is None else _TO_HEAR)

    def _hear(self, message: dict[str, Any]) -> None:
        """Take a message of the process, as `SpeechLink.told` gives it."""
        utterance = self._current
        if message["tell"] == "ready":
            self._watch.stop()
            if utterance is not None:
                self._expect(_TO_HEAR)
            if self._process is not None and self._process.voices is not None:
                self._tell_voices(self._process.voices)
        elif message["tell"] == "failed" and message["number"] == 0:
            self._tell_failure(message["sentence"])
        elif utterance is not None and message["number"] == utterance.number:
            self._hear_of(utterance, message)

    def _hear_of(self, utterance: _Utterance, message: dict[str, Any]) -> None:
        """Take a message about the current utterance."""
        if "within" in message:
            self._expect(message["within"])
        match message["tell"]:
            case "started" if not utterance.told_started:
                utterance.told_started = True
                if not _SILENCED_BY_END:  # there, an engine says so before it tries
                    self._told = ""
                self.started.emit(utterance.number)
            case "piece":
                utterance.index = message["index"]
            case "finished":
                self._losses = 0
                self._told = ""
                self._finish()
            case "failed":
                self._finish(message["sentence"])

    def _finish(self, failure: str = "") -> None:
        """Be done with the current utterance."""
        utterance, self._current = self._current, None
        self._watch.stop()
        if failure:
            self._tell_failure(failure)
        if utterance is not None:
            self.finished.emit(utterance.number)

    def _expect(self, seconds: float) -> None:
        self._watch.start(round(seconds * 1000))

    def _find_hanging(self) -> None:
        process = self._process
        if process is None:
            return
        # When this program was held up itself, the answer is there, unread.
        process.read_waiting()
        if not self._watch.isActive() and (self._current is not None or process.voices is None):
            self._lose()

    def _lose(self) -> None:
        """Replace a process that died or hangs, and have it say what was lost, once."""
        utterance = self._current
        self._discard()
        self._losses += 1
        if utterance is not None and not utterance.repeated:
            utterance.repeated = True
            self._start()
            self._ask()
            return
        if self._losses < _MOST_LOSSES:
            self._start()
        if utterance is not None:
            self._finish(_BROKEN)
        elif self._losses >= _MOST_LOSSES:
            self._tell_failure(_BROKEN)

    def _tell_failure(self, sentence: str) -> None:
        if sentence != self._told:
            self._told = sentence
            self.failed.emit(sentence)

    def _tell_voices(self, voices: list[Voice]) -> None:
        if voices != self._voices:
            self._voices = voices
            self.voices.emit(voices)


def _pieces(text: str) -> list[str]:
    """Cut a text into sentences, so that the first is heard while the next is being prepared.

    Short sentences stay together, for the pauses between them are the voice's own; long ones are
    cut between words.
    """
    # File names can hold what is no text; engines in C stop at a NUL.
    clean = text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")
    pieces: list[str] = []
    for sentence in _SENTENCE_END.split(clean):
        for part in textwrap.wrap(sentence, _PIECE_LENGTH, break_on_hyphens=False):
            if pieces and len(pieces[-1]) + len(part) < _PIECE_LENGTH:
                pieces[-1] += " " + part
            else:
                pieces.append(part)
    return pieces
