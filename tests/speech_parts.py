"""What the tests of speech share: what a text sounds like, and who is running."""

import os
import shutil
import sys
import wave
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop.voice import start_engine, synthesize
from tests.sound_parts import RATE, Loudspeaker

needs_speech = pytest.mark.skipif(
    not sys.platform.startswith("linux")
    or not shutil.which("espeak-ng")
    or not shutil.which("aplay"),
    reason="needs espeak-ng and aplay",
)

SENTENCE = "Two dogs run through the tall grass of a wide field."
OTHER = "A woman in a red coat waits at the corner of the street."
QUICK = 450  # words a minute, so that the tests take less time
LIMIT = 15_000  # milliseconds until a signal, on a busy machine


def synthesised(text: str, rate: int = QUICK) -> bytes:
    """What a text sounds like, without the silence around it."""
    engine = start_engine()
    engine.setProperty("rate", rate)
    path = Path(os.environ["HOME"], "synthesised.wav")
    synthesize(engine, text, path)
    with wave.open(str(path)) as sound:
        assert sound.getframerate() == RATE
        return sound.readframes(-1).strip(b"\0")


def part(sound: bytes, start: float, seconds: float = 0.4) -> bytes:
    """Cut a part out of a sound; the start is a fraction of its length."""
    first = int(len(sound) * start) // 2 * 2
    return sound[first : first + int(seconds * RATE) * 2]


def children(parent: int, name: str) -> list[int]:
    """Process numbers of the children of a process whose command has a name in it."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes().decode(errors="replace")
            state, number = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
        except (OSError, ValueError):
            continue
        if name in command and state != "Z" and int(number) == parent:
            found.append(int(entry.name))
    return found


def is_there(number: int) -> bool:
    try:
        # Empty for one that is dead, but kept in the list by its new parent.
        return bool(Path(f"/proc/{number}/cmdline").read_bytes())
    except OSError:
        return False


def running() -> list[int]:
    return children(os.getpid(), "desktop.speech_process")


def speech_process() -> int:
    (number,) = running()
    return number


def players() -> list[int]:
    return children(speech_process(), "aplay")


def wait_for_sound(
    qtbot: QtBot, loudspeaker: Loudspeaker, since: float = 0.0, seconds: float = 0.0
) -> None:
    """Wait until something is heard, and goes on being heard for a while."""

    def heard() -> bool:
        times = loudspeaker.audible(since)
        return bool(times) and times[-1] - times[0] >= seconds

    qtbot.waitUntil(heard, timeout=LIMIT)
