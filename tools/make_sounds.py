#!/usr/bin/env python3
"""Writes the short sounds of the desktop program: tools/make_sounds.py [FOLDER]

They are soft sine notes with rounded edges, far below the loudness of speech, so that they lie
beside a voice and not over it. The same samples come out every time.
"""

import sys
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 22050
PEAK = 10 ** (-18 / 20)  # -18 dBFS
FOLDER = Path(__file__).resolve().parent.parent / "resources" / "sounds"

Sound = NDArray[np.float64]  # (samples,) -1 to 1


def edges(sound: Sound, attack: float, release: float) -> Sound:
    """Let a sound rise and fall along half a cosine wave, in so many seconds each."""
    rise, fall = int(attack * RATE), int(release * RATE)
    shaped = sound.copy()
    shaped[:rise] *= (1 - np.cos(np.linspace(0, np.pi, rise))) / 2
    shaped[-fall:] *= (1 + np.cos(np.linspace(0, np.pi, fall))) / 2
    return shaped


def note(pitch: float, seconds: float) -> Sound:
    """A sine of so many hertz, with a little of its octave, that fades away."""
    time = np.arange(int(seconds * RATE)) / RATE
    tone = np.sin(2 * np.pi * pitch * time) + 0.2 * np.sin(4 * np.pi * pitch * time)
    return edges(tone, 0.012, seconds - 0.02)


def click(seconds: float) -> Sound:
    """A puff of noise without its shrill part."""
    noise = np.random.default_rng(7).standard_normal(int(seconds * RATE))
    return edges(np.convolve(noise, np.hanning(12), "same"), 0.003, seconds - 0.004)


def silence(seconds: float) -> Sound:
    """Nothing, for so long."""
    return np.zeros(int(seconds * RATE))


SOUNDS = {
    "looking": [note(587, 0.09)],
    "done": [note(587, 0.08), note(880, 0.14)],  # up: it is there
    "failed": [note(330, 0.1), note(220, 0.14)],  # down: it is not
    "camera": [click(0.03), silence(0.05), click(0.05)],  # as a shutter opens and closes
}


def main() -> None:
    """Write all sounds into the folder named on the command line, or where the program has them."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, parts in SOUNDS.items():
        sound = np.concatenate(parts)
        samples = np.round(sound / np.abs(sound).max() * PEAK * 32767).astype("<i2")
        with wave.open(str(folder / f"{name}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(samples.tobytes())


if __name__ == "__main__":
    main()
