"""Speech of the window: heard in time, silent at once, and in the manner chosen."""

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from desktop.speech import Speech, Voice
from desktop.talker import Talker
from tests.sound_parts import RATE, Loudspeaker
from tests.speech_parts import (
    LIMIT,
    OTHER,
    QUICK,
    SENTENCE,
    is_there,
    needs_speech,
    part,
    players,
    running,
    synthesised,
    wait_for_sound,
)

pytestmark = needs_speech


def test_a_text_is_said_once_and_whole(
    speech: Speech, loudspeaker: Loudspeaker, qtbot: QtBot
) -> None:
    started: list[int] = []
    speech.started.connect(started.append)
    with qtbot.waitSignal(speech.finished, timeout=LIMIT) as finished:
        number = speech.say(SENTENCE)
    assert finished.args == [number]
    assert started == [number]
    expected = synthesised(SENTENCE)
    assert loudspeaker.seconds == pytest.approx(len(expected) / 2 / RATE, abs=0.5)
    assert loudspeaker.times(part(expected, 0.1)) == 1
    assert loudspeaker.times(part(expected, 0.6)) == 1


def test_it_is_heard_soon_and_silent_at_once(
    speech: Speech, loudspeaker: Loudspeaker, qtbot: QtBot
) -> None:
    said = time.monotonic()
    number = speech.say(SENTENCE)
    wait_for_sound(qtbot, loudspeaker, seconds=0.4)
    assert loudspeaker.audible()[0] - said < 5  # much less, but for other programs
    with qtbot.waitSignal(speech.finished, timeout=LIMIT) as finished:
        stopped = time.monotonic()
        speech.stop()
    assert finished.args == [number]
    qtbot.waitUntil(lambda: not players(), timeout=LIMIT)
    assert loudspeaker.played(stopped) < 0.2


def test_the_newest_text_counts(speech: Speech, loudspeaker: Loudspeaker, qtbot: QtBot) -> None:
    over: list[int] = []
    speech.finished.connect(over.append)
    first = speech.say(SENTENCE)
    wait_for_sound(qtbot, loudspeaker, seconds=0.2)
    numbers = [speech.say(text) for text in (SENTENCE, OTHER, SENTENCE, OTHER)]
    assert over == [first, *numbers[:-1]]
    qtbot.waitUntil(lambda: len(over) == 5, timeout=LIMIT)
    assert over[-1] == numbers[-1]
    assert loudspeaker.times(part(synthesised(SENTENCE), 0.6)) == 0
    assert loudspeaker.times(part(synthesised(OTHER), 0.1)) == 1
    assert loudspeaker.times(part(synthesised(OTHER), 0.6)) == 1


def test_voice_rate_and_volume(speech: Speech, loudspeaker: Loudspeaker, qtbot: QtBot) -> None:
    def seconds_of(say: Callable[[], int]) -> float:
        before = loudspeaker.seconds
        with qtbot.waitSignal(speech.finished, timeout=LIMIT):
            say()
        return loudspeaker.seconds - before

    quick = seconds_of(lambda: speech.say(SENTENCE))
    assert loudspeaker.times(part(synthesised(SENTENCE), 0.3)) == 1
    before = len(loudspeaker.audible())
    speech.configure("", 300, 0)
    assert seconds_of(lambda: speech.say(SENTENCE)) > 1.3 * quick
    assert len(loudspeaker.audible()) == before
    # A voice that is not there (any more) gives way to the system's own.
    speech.configure("no/such-voice", QUICK, 100)
    seconds_of(lambda: speech.say(OTHER))
    assert loudspeaker.times(part(synthesised(OTHER), 0.3)) == 1
    # A try-out changes nothing for what is said next.
    seconds_of(lambda: speech.try_out("gmw/en-us", 450, 100))
    seconds_of(lambda: speech.say(OTHER))
    assert loudspeaker.times(part(synthesised(OTHER), 0.3)) == 2


def test_the_voices_are_listed(loudspeaker: Loudspeaker, qtbot: QtBot) -> None:
    speech = Speech()
    with qtbot.waitSignal(speech.voices, timeout=LIMIT) as told:
        pass
    speech.close()
    voices = told.args[0]
    assert all(isinstance(voice, Voice) and voice.name for voice in voices)
    assert len({voice.id for voice in voices}) == len(voices)
    assert [voice.name for voice in voices if voice.languages == ("en-us",)] == [
        "English (America)"
    ]


def test_an_empty_text_is_over_at_once(speech: Speech, qtbot: QtBot) -> None:
    with qtbot.waitSignal(speech.finished, timeout=500) as finished:
        number = speech.say(" \n\0 ")
    assert finished.args == [number]


def test_odd_characters_do_no_harm(speech: Speech, qtbot: QtBot) -> None:
    speech.failed.connect(pytest.fail)
    speech.configure("", 450, 100)
    for text in ("…", "a\0b", "\udcff.png", "<speak>&", "🐕 犬"):
        with qtbot.waitSignal(speech.finished, timeout=LIMIT):
            speech.say(text)


def test_a_long_text_starts_soon_and_has_no_gaps(
    speech: Speech, loudspeaker: Loudspeaker, qtbot: QtBot
) -> None:
    said = time.monotonic()
    speech.say(f"{SENTENCE} {OTHER} " * 1000)  # more than an hour
    wait_for_sound(qtbot, loudspeaker)
    assert loudspeaker.audible()[0] - said < 5
    speech.stop()
    speech.configure("", 450, 100)
    words = " and then ".join(str(number) for number in range(100, 110))
    begun = time.monotonic()
    with qtbot.waitSignal(speech.finished, timeout=2 * LIMIT):
        speech.say(words)  # no sentence ends in it
    times = loudspeaker.audible(begun)
    pauses = [after - before for before, after in itertools.pairwise(times)]
    assert max(pauses) < 1


def test_nothing_in_the_users_folder_is_taken_for_a_module(
    loudspeaker: Loudspeaker, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("desktop", "core"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit\n")
    (tmp_path / "json.py").write_text("raise SystemExit\n")
    monkeypatch.chdir(tmp_path)
    speech = Speech()
    with qtbot.waitSignal(speech.finished, timeout=LIMIT):
        speech.say("Dogs.")
    assert loudspeaker.audible()
    speech.close()


def test_closing_ends_all(speech: Speech, loudspeaker: Loudspeaker, qtbot: QtBot) -> None:
    number = speech.say(SENTENCE)
    wait_for_sound(qtbot, loudspeaker)
    (player,) = players()
    with qtbot.waitSignal(speech.finished, timeout=LIMIT) as finished:
        speech.close()
    assert finished.args == [number]
    qtbot.waitUntil(lambda: running() == [], timeout=LIMIT)
    qtbot.waitUntil(lambda: not is_there(player), timeout=LIMIT)


def test_a_spoken_line_is_never_mistaken_for_a_message(loudspeaker: Loudspeaker) -> None:
    """The process alone, as another program would talk to it: every line is an object."""
    request = {
        "do": "say",
        "number": 7,
        "pieces": ["Dogs."],
        "voice": "",
        "rate": 300,
        "volume": 50,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "desktop.speech_process"],
        cwd=Path(__file__).resolve().parent.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(request).encode() + b"\n")
    process.stdin.flush()
    tells: list[str] = []
    while "finished" not in tells:
        tells.append(json.loads(process.stdout.readline())["tell"])
    process.stdin.close()
    assert process.wait(5) == 0
    assert {"ready", "heard", "player", "started", "piece", "alive"} < set(tells)


def test_a_voice_that_is_not_chosen_any_more_is_silent_with_the_next_sentence(
    speech: Speech, loudspeaker: Loudspeaker, qtbot: QtBot
) -> None:
    talker = Talker(speech, QObject())
    talker.mode = "own"
    talker.say(SENTENCE)
    wait_for_sound(qtbot, loudspeaker, seconds=0.2)
    talker.mode = "silent"
    with qtbot.waitSignal(speech.finished, timeout=LIMIT):
        stopped = time.monotonic()
        talker.say(OTHER)
    qtbot.waitUntil(lambda: not players(), timeout=LIMIT)
    assert loudspeaker.played(stopped) < 0.2
