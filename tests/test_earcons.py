"""Earcons: short and quiet, heard when asked for, and never in the way."""

import shutil
import subprocess
import sys
import time
import wave
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from core.paths import RESOURCES
from desktop.earcons import Earcons, Sound
from tests.sound_parts import Loudspeaker

NAMES: tuple[Sound, ...] = get_args(Sound)
needs_aplay = pytest.mark.skipif(
    not sys.platform.startswith("linux") or shutil.which("aplay") is None,
    reason="needs aplay",
)


def frames(name: str) -> bytes:
    with wave.open(str(RESOURCES / "sounds" / f"{name}.wav")) as sound:
        return sound.readframes(-1)


def wait_for(name: str, loudspeaker: Loudspeaker, qtbot: QtBot) -> None:
    wanted = frames(name)
    qtbot.waitUntil(lambda: wanted in loudspeaker.sound, timeout=5000)


@pytest.mark.parametrize("name", NAMES)
def test_sounds_are_short_and_quiet_and_do_not_crack(name: str) -> None:
    with wave.open(str(RESOURCES / "sounds" / f"{name}.wav")) as sound:
        assert (sound.getnchannels(), sound.getsampwidth()) == (1, 2)
        assert 0.05 < sound.getnframes() / sound.getframerate() < 0.25
    samples = np.frombuffer(frames(name), "<i2") / 32767
    assert 20 * np.log10(np.abs(samples).max()) == pytest.approx(-18, abs=0.5)
    assert np.abs(samples[[0, -1]]).max() < 0.001


def test_the_sounds_are_those_of_the_script(tmp_path: Path) -> None:
    script = RESOURCES.parent / "tools" / "make_sounds.py"
    subprocess.run([sys.executable, script, tmp_path], check=True)
    assert sorted(path.stem for path in tmp_path.iterdir()) == sorted(NAMES)
    for name in NAMES:
        with wave.open(str(tmp_path / f"{name}.wav")) as sound:
            made = np.frombuffer(sound.readframes(-1), "<i2").astype(int)
        kept = np.frombuffer(frames(name), "<i2").astype(int)
        assert np.abs(made - kept).max() <= 1  # another machine may round otherwise


@needs_aplay
def test_a_sound_is_played_whole(loudspeaker: Loudspeaker, qtbot: QtBot) -> None:
    earcons = Earcons()
    for name in NAMES:
        earcons.play(name)
        wait_for(name, loudspeaker, qtbot)


@needs_aplay
def test_many_sounds_make_nobody_wait(loudspeaker: Loudspeaker, qtbot: QtBot) -> None:
    earcons = Earcons()
    begun = time.monotonic()
    for _ in range(40):
        earcons.play("looking")
    asked = time.monotonic() - begun
    length = len(frames("looking")) / 44100
    assert asked < 20 * length + 1
    wait_for("looking", loudspeaker, qtbot)
    # The others are left out, and do not come later.
    qtbot.waitUntil(lambda: time.monotonic() - loudspeaker.audible()[-1] > 0.3, timeout=5000)
    assert loudspeaker.seconds < asked + 10 * length


@needs_aplay
def test_sounds_that_are_turned_off(loudspeaker: Loudspeaker, qtbot: QtBot) -> None:
    earcons = Earcons()
    earcons.enabled = False
    earcons.play("failed")
    earcons.enabled = True
    earcons.play("done")
    wait_for("done", loudspeaker, qtbot)
    assert frames("failed") not in loudspeaker.sound


def test_without_a_player(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    Earcons().play("done")


@needs_aplay
def test_without_a_sound_device(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / ".asoundrc").write_text("pcm.!default { type hw card 31 }\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    earcons = Earcons()
    for _ in range(5):
        earcons.play("done")
    assert capfd.readouterr() == ("", "")
