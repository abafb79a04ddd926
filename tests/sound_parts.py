"""A loudspeaker for tests: an ALSA device that takes sound no faster than a real one plays it."""

import fcntl
import math
import os
import threading
import time
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

RATE = 22050
"""Samples a second of espeak-ng, and of this loudspeaker: 16 bits, one channel."""

_STEP = 221  # samples, 10 ms
_ALIKE = 0.83  # the same words are above 0.9, others below 0.75


class Loudspeaker:
    """A named pipe that is read at the speed of speech.

    The null device of ALSA takes any amount at once; a full pipe makes the player wait. What was
    played, and when, is kept.

    Args:
        folder: becomes the home folder, with the `.asoundrc`, of programs that are to play here.
    """

    def __init__(self, folder: Path) -> None:
        pipe = folder / "loudspeaker"
        os.mkfifo(pipe)
        device = f'type file slave.pcm "null" file "{pipe}" format "raw"'
        (folder / ".asoundrc").write_text(f"pcm.!default {{ {device} }}\n")
        self._pipe = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
        fcntl.fcntl(self._pipe, fcntl.F_SETPIPE_SZ, 4096)
        self._heard: list[tuple[float, bytes]] = []
        self._off = threading.Event()
        self._thread = threading.Thread(target=self._play)
        self._thread.start()

    def _play(self) -> None:
        begun, played = time.monotonic(), 0
        while not self._off.wait(max(0, begun + played / (2 * RATE) - time.monotonic())):
            try:
                sound = os.read(self._pipe, 882)  # 20 ms
            except BlockingIOError:
                sound = b""
            now = time.monotonic()
            if sound:
                self._heard.append((now, sound))
                played += len(sound)
            else:
                begun, played = now + 0.005, 0

    @property
    def sound(self) -> bytes:
        """All that was played."""
        return b"".join(sound for _, sound in self._heard)

    @property
    def seconds(self) -> float:
        """Length of all that was played, silence within it included."""
        return len(self.sound) / (2 * RATE)

    def audible(self, since: float = 0.0) -> list[float]:
        """Times (of `time.monotonic`) since the given one at which something could be heard."""
        return [
            now
            for now, sound in list(self._heard)
            if now >= since
            and np.abs(np.frombuffer(sound[: len(sound) // 2 * 2], "<i2")).max() > 99
        ]

    def played(self, since: float, until: float = math.inf) -> float:
        """Length in seconds of what was played between two times (of `time.monotonic`).

        What a player had written when it was stopped is played on, up to two pages of the pipe,
        which are 0.19 seconds; however late it is read.
        """
        sounds = [sound for now, sound in list(self._heard) if since <= now < until]
        return sum(map(len, sounds)) / (2 * RATE)

    def times(self, sound: bytes) -> int:
        """How many times something was played that sounds like this (0.4 seconds or more)."""
        return len(matches(self.sound, sound))

    def switch_off(self) -> None:
        """Read no more."""
        self._off.set()
        self._thread.join()
        os.close(self._pipe)


def matches(sound: bytes, part: bytes) -> list[float]:
    """Seconds in a sound at which a part of it begins.

    Two runs of espeak-ng never give the same samples, so spectra over time are compared.
    """
    wanted = _spectra(part)
    windows = sliding_window_view(_spectra(sound), wanted.shape)[:, 0]  # (places, frames, bands)
    wanted = wanted - wanted.mean()
    windows = windows - windows.mean((1, 2), keepdims=True)
    scale = np.sqrt((windows**2).sum((1, 2)) * (wanted**2).sum())
    likeness = (windows * wanted).sum((1, 2)) / np.maximum(scale, 1e-9)  # (places,) -1 to 1
    found: list[float] = []
    for place in np.flatnonzero(likeness > _ALIKE):
        seconds = float(place) * _STEP / RATE
        if not found or seconds - found[-1] > 0.3:
            found.append(seconds)
    return found


def _spectra(sound: bytes) -> NDArray[np.float64]:
    """Loudness over time in bands of frequency, on a logarithmic scale, (frames, bands)."""
    frames = sliding_window_view(_samples(sound), 2 * _STEP)[::_STEP] * np.hanning(2 * _STEP)
    power = np.abs(np.fft.rfft(frames)[:, 1:129]) ** 2  # to about 6 kHz
    bands = power.reshape(len(frames), 16, 8).sum(2)
    return np.log10(bands + 1e4)


def _samples(sound: bytes) -> NDArray[np.float64]:
    return np.frombuffer(sound[: len(sound) // 2 * 2], "<i2").astype(np.float64)
