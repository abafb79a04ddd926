"""Speech: sentences to the loudspeaker or to a WAV file, with the voice that the system has."""

import contextlib
import io
import shutil
import subprocess
import sys
import tempfile
import wave
from pathlib import Path
from typing import Any

import pyttsx3

from core.errors import SeesayError


class VoiceError(SeesayError):
    """Nothing can be said: there is no voice, no sound device, or no place for the file."""


def speak(text: str) -> None:
    """Say a sentence aloud; returns when it has been said.

    Raises:
        VoiceError: if there is no voice, or nothing to play it on.
    """
    if not sys.platform.startswith("linux"):
        engine = _start_engine()
        engine.say(text)
        engine.runAndWait()
        return
    # pyttsx3 would start aplay, too, but not notice that it is missing or finds no sound device.
    player = shutil.which("aplay")
    if player is None:
        raise VoiceError("Nothing is read aloud, because aplay is missing: install alsa-utils.")
    with tempfile.TemporaryDirectory() as folder:
        speech = Path(folder, "speech.wav")
        _synthesize(text, speech)
        played = subprocess.run(
            [player, "-q", str(speech)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
    if played.returncode != 0:
        # "aplay: main:831: audio open error: No such file or directory"
        reason = (played.stderr.strip().splitlines() or ["no reason given"])[-1].split(": ")[-1]
        raise VoiceError(
            f"Nothing is read aloud, because no sound device can be used ({reason}): "
            "connect one, or save the speech to a file."
        )


def save_speech(text: str, path: Path) -> None:
    """Write a sentence as speech to a WAV file.

    Raises:
        VoiceError: if there is no voice or the file cannot be written.
    """
    with tempfile.TemporaryDirectory() as folder:
        speech = Path(folder, "speech.wav")
        _synthesize(text, speech)
        try:
            path.write_bytes(speech.read_bytes())
        except OSError as error:
            raise VoiceError(
                f"The speech cannot be written to {path} ({error.strerror}): "
                "choose a file that can be written."
            ) from error


def _start_engine() -> Any:
    try:
        return pyttsx3.init()
    except Exception as error:  # the engine of each system fails in its own way
        raise VoiceError(
            "There is no voice on this computer: install espeak-ng with your system's package "
            "manager (on Debian and Ubuntu: sudo apt-get install espeak-ng)."
        ) from error


def _synthesize(text: str, path: Path) -> None:
    engine = _start_engine()
    # pyttsx3 prints where it saved; standard output belongs to the captions.
    with contextlib.redirect_stdout(io.StringIO()):
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
