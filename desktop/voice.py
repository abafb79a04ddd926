"""Speech: sentences to the loudspeaker or to a WAV file, with the voice that the system has."""

import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyttsx3

from core.errors import SeesayError
from core.model_folder import replace_file


class VoiceError(SeesayError):
    """Nothing can be said: there is no voice, no sound device, or no place for the file."""


def speak(text: str) -> None:
    """Say a sentence aloud; returns when it has been said.

    Raises:
        VoiceError: if there is no voice, or nothing to play it on.
    """
    if not sys.platform.startswith("linux"):
        engine = start_engine()
        engine.say(text)
        engine.runAndWait()
        return
    player = find_player()
    with place_for_speech() as speech:
        synthesize(start_engine(), text, speech)
        with speech.open("rb") as sound:
            played = subprocess.run(
                [player, "-q", "-"], stdin=sound, capture_output=True, text=True, errors="replace"
            )
    if played.returncode != 0:
        raise no_sound_device(played.stderr)


def save_speech(text: str, path: Path) -> None:
    """Write a sentence as speech to a WAV file.

    Raises:
        VoiceError: if there is no voice or the file cannot be written.
    """
    with place_for_speech() as speech:
        synthesize(start_engine(), text, speech)
        try:
            replace_file(path, speech.read_bytes())
        except OSError as error:
            raise VoiceError(
                f"The speech cannot be written to {path} ({error.strerror}): "
                "choose a file that can be written."
            ) from error


def start_engine() -> Any:
    """Start the speech engine of this system, as pyttsx3 gives it; later calls share it.

    Raises:
        VoiceError: if there is none.
    """
    try:
        engine = pyttsx3.init()
        _tell_true_sizes(engine)
        # Only a new engine is busy. Its first run does not wait for what it is to do, so it gets
        # nothing to do.
        if engine.isBusy():
            _settle(engine)
            engine.runAndWait()
        return engine
    except Exception as error:  # the engine of each system fails in its own way
        raise VoiceError(
            "There is no voice on this computer: install espeak-ng with your system's package "
            "manager (on Debian and Ubuntu: sudo apt-get install espeak-ng)."
        ) from error


@contextlib.contextmanager
def place_for_speech() -> Iterator[Path]:
    """A new, empty file for `synthesize`, which is gone at the end.

    On Linux it is in memory: nothing of what is said is left on the disk, whenever the process is
    killed, and a full disk does not silence it.
    """
    if sys.platform == "linux":
        with open(os.memfd_create("speech"), "rb") as memory:
            yield Path(f"/proc/self/fd/{memory.fileno()}")
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder, "speech.wav")


def synthesize(engine: Any, text: str, path: Path) -> None:
    """Write a text that is not empty as speech to a WAV file.

    Args:
        engine: from `start_engine`, with the voice, rate and volume that were set.
        text: what is to be said.
        path: a new or empty file.

    Raises:
        VoiceError: if the file was not written to its end.
    """
    # pyttsx3 prints where it saved; standard output belongs to the captions.
    with contextlib.redirect_stdout(io.StringIO()):
        _settle(engine)
        engine.save_to_file(text, str(path))
        engine.runAndWait()
    # It reports no failures, and some of its engines return before the file is complete.
    try:
        with wave.open(str(path)) as speech:
            frame = speech.getnchannels() * speech.getsampwidth()
            complete = 0 < speech.getnframes() * frame == len(speech.readframes(-1))
    except (OSError, EOFError, wave.Error):
        complete = False
    if not complete:
        raise VoiceError(
            "The voice of this computer wrote no complete WAV file: "
            "install espeak-ng again, or read the text instead."
        )


def _settle(engine: Any) -> None:
    """Wait for the thread in which espeak sets voice, rate and volume.

    pyttsx3 would take its work for speech that is to be cancelled, and cancel the next text.
    """
    if engine.driver_name == "espeak":
        from pyttsx3.drivers import _espeak

        _espeak.Synchronize()


def _tell_true_sizes(engine: Any) -> None:
    """Make pyttsx3 tell espeak how many bytes a text has, with the zero at its end.

    It would tell ten times as many. espeak copies them all, and the process dies of that where its
    memory ends before, as behind a long text.
    """
    if engine.driver_name == "espeak":
        from pyttsx3.drivers import _espeak

        def synth(text: bytes, flags: int) -> int:
            kind = _espeak.POS_CHARACTER
            status: int = _espeak.cSynth(text, len(text) + 1, 0, kind, 0, flags, None, None)
            return status

        _espeak.Synth = synth


def find_player() -> str:
    """Return the path of aplay, which plays sound on Linux.

    pyttsx3 would start it, too, but not notice that it is missing or finds no sound device.

    Raises:
        VoiceError: if it is not installed.
    """
    player = shutil.which("aplay")
    if player is None:
        raise VoiceError("Nothing is read aloud, because aplay is missing: install alsa-utils.")
    return player


def no_sound_device(complaint: str) -> VoiceError:
    """Return the error to raise when aplay failed, made from what it wrote to standard error."""
    # "aplay: main:831: audio open error: No such file or directory"
    reason = (complaint.strip().splitlines() or ["no reason given"])[-1].split(": ")[-1]
    return VoiceError(
        f"Nothing is read aloud, because no sound device can be used ({reason}): "
        "connect one, or save the speech to a file."
    )
