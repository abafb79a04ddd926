"""The process that speaks, `python -m desktop.speech_process`: JSON lines in, JSON lines out.

In come `{"do": "say", "number", "pieces", "voice", "rate", "volume"}` and `{"do": "stop"}`; the
newest counts. Out go objects with a key `tell`:

- `ready` with `voices`, once; then `failed` with number 0, if there is no voice or no player;
- for an utterance with its `number`: `heard`; `player` with the process `group` that makes the
  sound (Linux only, before the first sound); `started`; `piece` with the `index` of the piece being
  said; `alive`; and at the end `finished`, or `failed` with a `sentence`.

`within`, where it is given, promises the next line of the utterance within so many seconds: a
process that breaks the promise hangs. When standard input ends, so do the process and its sound.
"""

import contextlib
import json
import os
import sys
import threading
import wave
from collections.abc import Iterable
from typing import Any, BinaryIO

from core.errors import SeesayError
from desktop.voice import find_player, place_for_speech, start_engine, synthesize

_ON_LINUX = sys.platform.startswith("linux")
if _ON_LINUX:
    from desktop.player import Player

# Promises in seconds. Waking a wireless loudspeaker can take some of the first.
_TO_START = 6.0
_TO_GO_ON = 3.0
_CHUNK_SECONDS = 0.5


class SpeechServer:
    """Says the newest of the requests; one thread listens, the main thread speaks.

    Args:
        out: where the lines about what happens go.
    """

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._out_lock = threading.Lock()
        self._changed = threading.Condition()
        # Under _changed:
        self._request: dict[str, Any] | None = None
        self._wanted = 0  # the utterance to be heard now, 0 for none
        self._player: Player | None = None
        # Of the main thread alone:
        self._engine: Any = None
        self._own_voice = ""
        self._voice_ids: set[str] = set()

    def listen(self, lines: Iterable[bytes]) -> None:
        """Take requests until the lines end; then end the process."""
        for line in lines:
            request = json.loads(line)
            saying = request["do"] == "say"
            with self._changed:
                self._request = request if saying else None
                self._wanted = request["number"] if saying else 0
                self._silence()
                self._changed.notify()
            if saying:
                self._tell("heard", number=request["number"], within=_TO_START)
        with self._changed:
            self._silence()
            os._exit(0)  # the main thread may be inside an engine that does not return

    def work(self) -> None:
        """Speak what is asked for; never returns."""
        voices: list[dict[str, Any]] = []
        problem = ""
        try:
            voices = self._start_engine()
            if _ON_LINUX:
                find_player()
        except SeesayError as error:
            problem = str(error)
        self._tell("ready", voices=voices)
        if problem:
            self._tell("failed", number=0, sentence=problem)
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._request is not None)
                request, self._request = self._request, None
            if request is not None:
                self._answer(request)

    def _answer(self, request: dict[str, Any]) -> None:
        number: int = request["number"]
        try:
            if self._engine is None:
                self._start_engine()
            self._configure(request["voice"], request["rate"], request["volume"])
            if _ON_LINUX:
                whole = self._play(number, request["pieces"])
            else:
                whole = self._let_engine_say(number, request["pieces"], request["rate"])
            if whole:
                self._tell("finished", number=number)
        except SeesayError as error:
            self._tell("failed", number=number, sentence=str(error))
        except Exception as error:  # the engine of each system fails in its own way
            sentence = (
                f"The voice of this computer failed ({error or type(error).__name__}): "
                "choose another voice in the settings."
            )
            self._tell("failed", number=number, sentence=" ".join(sentence.split()))

    def _start_engine(self) -> list[dict[str, Any]]:
        engine = start_engine()
        self._own_voice = engine.getProperty("voice") or ""
        voices = engine.getProperty("voices")
        self._voice_ids = {voice.id for voice in voices}
        self._engine = engine
        return [
            {
                "id": voice.id,
                "name": voice.name or voice.id,
                # Windows gives numbers of languages, older macOS bytes.
                "languages": [_as_text(language) for language in voice.languages or ()],
            }
            for voice in voices
        ]

    def _configure(self, voice: str, rate: int, volume: int) -> None:
        # A voice that was uninstalled since it was chosen gives way to the system's own.
        chosen = voice if voice in self._voice_ids else self._own_voice
        if chosen:
            self._engine.setProperty("voice", chosen)
        self._engine.setProperty("rate", rate)
        self._engine.setProperty("volume", volume / 100)

    def _play(self, number: int, pieces: list[str]) -> bool:
        """Synthesise and play piece by piece; False if it was interrupted."""
        player: Player | None = None
        try:
            for index, piece in enumerate(pieces):
                sound, channels, rate = self._synthesize(piece)
                if player is None:
                    player = self._open_player(number, channels, rate)
                    if player is None:
                        return False
                self._tell("piece", number=number, index=index, within=_TO_GO_ON)
                step = int(_CHUNK_SECONDS * rate) * channels * 2  # bytes
                for start in range(0, len(sound), step):
                    if not player.feed(sound[start : start + step]):
                        return player.finish()
                    self._tell("alive", number=number, within=_TO_GO_ON)
            return player is None or player.finish()
        finally:
            if player is not None:
                player.kill()  # still there only if a piece could not be synthesised

    def _synthesize(self, text: str) -> tuple[bytes, int, int]:
        """Return the 16-bit samples of a text, how many channels, and their rate."""
        with place_for_speech() as path:
            synthesize(self._engine, text, path)
            with wave.open(str(path)) as speech:
                return speech.readframes(-1), speech.getnchannels(), speech.getframerate()

    def _open_player(self, number: int, channels: int, rate: int) -> "Player | None":
        """Start the player and wait for the sound device; None if a newer request came."""
        with self._changed:
            if self._wanted != number:
                return None
            player = self._player = Player(channels, rate)
        # Told before the first sound, so that whoever asked can end the sound when this process
        # no longer can.
        self._tell("player", number=number, group=player.group, within=_TO_START)
        if player.wait_until_open():
            self._tell("started", number=number, within=_TO_GO_ON)
        return player

    def _let_engine_say(self, number: int, pieces: list[str], rate: int) -> bool:
        """Say piece by piece through the engine; only ending this process interrupts it."""
        for index, piece in enumerate(pieces):
            if index == 0:
                self._tell("started", number=number, within=_TO_START)
            # Three times what it should take: names and numbers are longer than they look.
            speaking = 3 * 60 * (len(piece) / 6) / rate
            self._tell("piece", number=number, index=index, within=_TO_START + speaking)
            self._engine.say(piece)
            self._engine.runAndWait()
        return True

    def _silence(self) -> None:
        """End the sound; the caller holds the lock."""
        if self._player is not None:
            self._player.kill()
            self._player = None

    def _tell(self, what: str, **more: object) -> None:
        line = json.dumps({"tell": what, **more}) + "\n"
        # Whoever listened is gone: standard input ends as well, and that ends the process.
        with self._out_lock, contextlib.suppress(OSError):
            self._out.write(line.encode())
            self._out.flush()


def _as_text(language: object) -> str:
    if isinstance(language, bytes):
        return language.decode("ascii", "ignore")
    return str(language)


def main() -> None:
    """Speak until standard input ends."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what engines print must not come between the lines
    server = SpeechServer(out)
    threading.Thread(target=server.listen, args=(sys.stdin.buffer,), daemon=True).start()
    server.work()


if __name__ == "__main__":
    main()
