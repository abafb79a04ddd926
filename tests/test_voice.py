"""Speech: into files, through a sound device, and what is said where one of them is missing."""

import json
import shutil
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

import seesay
from desktop.voice import VoiceError, save_speech, speak
from tests.tiny_sets import draw

needs_voice = pytest.mark.skipif(
    sys.platform.startswith("linux") and shutil.which("espeak-ng") is None,
    reason="espeak-ng is not installed",
)
needs_alsa = pytest.mark.skipif(shutil.which("aplay") is None, reason="aplay is not installed")


def heard(path: Path) -> tuple[float, float]:
    """Length in seconds and loudness (root mean square of full scale) of a WAV file."""
    with wave.open(str(path)) as speech:
        assert speech.getsampwidth() == 2
        samples = np.frombuffer(speech.readframes(-1), dtype="<i2") / 32768
        return len(samples) / speech.getframerate(), float(np.sqrt(np.mean(samples**2)))


def sound_device(folder: Path, monkeypatch: pytest.MonkeyPatch, device: str) -> None:
    """Make ALSA's default device, for the programs started from here, what ``device`` says."""
    (folder / ".asoundrc").write_text(f"pcm.!default {{ {device} }}\n")
    monkeypatch.setenv("HOME", str(folder))


@needs_voice
def test_speech_is_saved_whole(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    save_speech("Two dogs.", tmp_path / "short.wav")
    save_speech("Two dogs run through the tall grass of a wide field.", tmp_path / "long.wav")
    short, loudness = heard(tmp_path / "short.wav")
    assert 0.4 < short < 2
    assert loudness > 0.01
    assert heard(tmp_path / "long.wav")[0] > 2 * short
    save_speech("Two dogs run through the tall grass. " * 20, tmp_path / "longer.wav")
    assert heard(tmp_path / "longer.wav")[0] > 20 * short
    assert capfd.readouterr() == ("", "")


@needs_voice
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere it is not espeak")
def test_espeak_reads_no_memory_beyond_a_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyttsx3.drivers import _espeak

    given: list[tuple[bytes, int]] = []
    synth = _espeak.cSynth

    def watched(text: bytes, size: int, *rest: object) -> object:
        given.append((text, size))
        return synth(text, size, *rest)

    monkeypatch.setattr(_espeak, "cSynth", watched)
    sentence = "Zwei Hündchen laufen über die Straße."
    save_speech(sentence, tmp_path / "dogs.wav")
    text = sentence.encode()
    assert given == [(text, len(text) + 1)]
    assert heard(tmp_path / "dogs.wav")[0] > 1


@needs_voice
@needs_alsa
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere it takes a file")
def test_nothing_of_what_is_said_touches_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound_device(tmp_path, monkeypatch, "type null")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "no disk"))
    speak("Two dogs.")
    save_speech("Two dogs.", tmp_path / "dogs.wav")
    assert 0.4 < heard(tmp_path / "dogs.wav")[0] < 2


@needs_voice
def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(VoiceError, match="cannot be written"):
        save_speech("Two dogs.", tmp_path / "missing" / "speech.wav")


@needs_voice
@needs_alsa
def test_the_command_speaks_and_saves_all_sentences(
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    played = tmp_path / "played.wav"
    sound_device(tmp_path, monkeypatch, f'type file slave.pcm "null" file "{played}" format "wav"')
    for colour in ("red", "blue"):
        draw(tmp_path / f"{colour}.png", colour)
    pictures = [str(tmp_path / "red.png"), str(tmp_path / "blue.png")]
    saved = tmp_path / "saved.wav"
    options = ["--json", "--speak", "--save-speech", str(saved), "--model", str(tiny_model)]
    assert seesay.main(["caption", *options, pictures[0]]) == 0
    one, loudness = heard(saved)
    assert loudness > 0.01
    assert heard(played)[0] == pytest.approx(one, abs=0.1)

    assert seesay.main(["caption", *options, *pictures]) == 0
    assert heard(saved)[0] > one
    output, error = capfd.readouterr()
    assert error == ""
    assert len([json.loads(line) for line in output.splitlines()]) == 3


@needs_voice
@needs_alsa
def test_without_a_sound_device_the_captions_still_come(
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    sound_device(tmp_path, monkeypatch, "type hw card 31")
    photo = tmp_path / "photo.png"
    draw(photo)
    options = ["--speak", "--model", str(tiny_model)]
    assert seesay.main(["caption", *options, str(photo), str(photo)]) == 0
    output, error = capfd.readouterr()
    assert len(output.splitlines()) == 2
    assert error.startswith("seesay: Nothing is read aloud, because no sound device can be used")
    assert error.count("\n") == 1  # once, not for every picture


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux plays with aplay")
def test_without_a_player(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(VoiceError, match="install alsa-utils"):
        speak("Two dogs.")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux needs espeak-ng")
def test_without_a_voice(
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "pyttsx3.drivers.espeak", None)
    photo, speech = tmp_path / "photo.png", tmp_path / "speech.wav"
    draw(photo)
    options = ["--save-speech", str(speech), "--model", str(tiny_model)]
    assert seesay.main(["caption", *options, str(photo)]) == 2
    output, error = capfd.readouterr()
    assert output.count("\n") == 1  # the caption
    assert "install espeak-ng" in error
    assert error.count("\n") == 1
    assert not speech.exists()
