"""Speech that is lost: its process hangs or dies, or there is no voice, player or sound device."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop.speech import Speech
from tests.sound_parts import RATE, Loudspeaker
from tests.speech_parts import (
    LIMIT,
    OTHER,
    QUICK,
    SENTENCE,
    children,
    is_there,
    needs_speech,
    part,
    running,
    speech_process,
    synthesised,
    wait_for_sound,
)

pytestmark = needs_speech


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP], ids=["dies", "hangs"])
def test_what_was_lost_is_said_again_once(
    end: signal.Signals, speech: Speech, loudspeaker: Loudspeaker, qtbot: QtBot
) -> None:
    started: list[int] = []
    over: list[int] = []
    speech.started.connect(started.append)
    speech.finished.connect(over.append)
    speech.failed.connect(pytest.fail)
    number = speech.say(SENTENCE)
    wait_for_sound(qtbot, loudspeaker, seconds=0.5)
    former = speech_process()
    os.kill(former, end)
    qtbot.waitUntil(lambda: over == [number], timeout=2 * LIMIT)
    assert started == [number]
    expected = synthesised(SENTENCE)
    assert loudspeaker.times(part(expected, 0.05)) == 2
    assert loudspeaker.times(part(expected, 0.6)) == 1
    assert speech_process() != former


def test_what_was_said_before_the_loss_is_not_said_again(
    speech: Speech, loudspeaker: Loudspeaker, qtbot: QtBot
) -> None:
    first = " ".join([SENTENCE] * 3)
    second = " ".join([OTHER] * 3)
    speech.say(f"{first} {second}")
    length = len(synthesised(first)) / 2 / RATE
    wait_for_sound(qtbot, loudspeaker, seconds=length + 1)
    os.kill(speech_process(), signal.SIGKILL)
    with qtbot.waitSignal(speech.finished, timeout=LIMIT):
        pass
    assert loudspeaker.times(part(synthesised(first), 0.1)) == 3
    # Three, and the one that was cut short by the loss.
    assert loudspeaker.times(part(synthesised(second), 0.05)) == 4


def test_a_text_that_is_lost_twice_is_given_up_and_the_next_is_said(
    speech: Speech, loudspeaker: Loudspeaker, qtbot: QtBot
) -> None:
    failures: list[str] = []
    over: list[int] = []
    speech.failed.connect(failures.append)
    speech.finished.connect(over.append)

    def speaks() -> bool:
        return any(children(process, "aplay") for process in running())

    def is_gone(process: int) -> bool:
        return process not in running()

    number = speech.say(SENTENCE)
    for _ in range(2):
        assert over == []
        qtbot.waitUntil(speaks, timeout=LIMIT)
        wait_for_sound(qtbot, loudspeaker, since=time.monotonic())
        former = speech_process()
        os.kill(former, signal.SIGKILL)
        qtbot.waitUntil(partial(is_gone, former), timeout=LIMIT)
    qtbot.waitUntil(lambda: over == [number], timeout=LIMIT)
    assert len(failures) == 1
    with qtbot.waitSignal(speech.finished, timeout=LIMIT):
        speech.say(OTHER)
    assert loudspeaker.times(part(synthesised(OTHER), 0.6)) == 1
    assert len(failures) == 1


def test_a_process_that_hangs_is_silenced_at_once_too(
    speech: Speech, loudspeaker: Loudspeaker, qtbot: QtBot
) -> None:
    speech.say(SENTENCE)
    wait_for_sound(qtbot, loudspeaker, seconds=0.3)
    os.kill(speech_process(), signal.SIGSTOP)
    stopped = time.monotonic()
    speech.stop()
    # The next text is said, by another process, without what came before it.
    with qtbot.waitSignal(speech.finished, timeout=LIMIT):
        speech.say(OTHER)
    assert loudspeaker.played(stopped, stopped + 1) < 0.2
    assert loudspeaker.times(part(synthesised(SENTENCE), 0.6)) == 0
    assert loudspeaker.times(part(synthesised(OTHER), 0.1)) == 1


def test_where_the_engine_cannot_stop_a_warm_process_takes_over(
    loudspeaker: Loudspeaker, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.speech._SILENCED_BY_END", True)
    speech = Speech()
    speech.configure("", QUICK, 100)
    with qtbot.waitSignal(speech.voices, timeout=LIMIT):
        pass
    speech.say(SENTENCE)
    wait_for_sound(qtbot, loudspeaker, seconds=0.3)
    qtbot.waitUntil(lambda: len(running()) == 2, timeout=LIMIT)
    before = running()
    stopped = time.monotonic()
    speech.say(OTHER)
    with qtbot.waitSignal(speech.finished, timeout=LIMIT):
        pass
    assert len(set(before) & set(running())) == 1
    assert loudspeaker.times(part(synthesised(SENTENCE), 0.6)) == 0
    assert loudspeaker.times(part(synthesised(OTHER), 0.1)) == 1
    assert loudspeaker.audible(stopped)
    speech.close()
    qtbot.waitUntil(lambda: running() == [], timeout=LIMIT)


def failure_of_saying(speech: Speech, qtbot: QtBot) -> list[str]:
    """Say a sentence twice where it cannot be heard; what was told about it."""
    failures: list[str] = []
    speech.failed.connect(failures.append)
    for _ in range(2):
        with qtbot.waitSignal(speech.finished, timeout=LIMIT):
            speech.say(SENTENCE)
    return failures


def test_without_a_sound_device(
    speech: Speech, loudspeaker: Loudspeaker, tmp_path: Path, qtbot: QtBot
) -> None:
    device = (tmp_path / ".asoundrc").read_text()
    (tmp_path / ".asoundrc").write_text("pcm.!default { type hw card 31 }\n")
    failures = failure_of_saying(speech, qtbot)
    assert len(failures) == 1
    assert failures[0].startswith("Nothing is read aloud, because no sound device can be used (")
    # Once there is one, it is used.
    (tmp_path / ".asoundrc").write_text(device)
    with qtbot.waitSignal(speech.finished, timeout=LIMIT):
        speech.say(OTHER)
    assert loudspeaker.times(part(synthesised(OTHER), 0.6)) == 1
    assert len(failures) == 1
    # When it is gone again, that is told again, also where the last was not said to its end.
    with qtbot.waitSignal(speech.started, timeout=LIMIT):
        speech.say(SENTENCE)
    speech.stop()
    (tmp_path / ".asoundrc").write_text("pcm.!default { type hw card 31 }\n")
    started: list[int] = []
    speech.started.connect(started.append)
    assert len(failure_of_saying(speech, qtbot)) == 1
    assert started == []  # of what nobody hears


def test_without_a_player(tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    speech = Speech()
    with qtbot.waitSignal(speech.failed, timeout=LIMIT) as told:  # before anything is to be said
        pass
    assert "install alsa-utils" in told.args[0]
    assert failure_of_saying(speech, qtbot) == []
    speech.close()


def test_without_a_voice(tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("libespeak-ng.so.1", "libespeak.so.1"):
        (tmp_path / name).write_bytes(b"no library")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    speech = Speech()
    with qtbot.waitSignal(speech.failed, timeout=LIMIT) as told:
        pass
    assert "install espeak-ng" in told.args[0]
    assert failure_of_saying(speech, qtbot) == []
    speech.close()


def test_a_process_that_cannot_start(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    speech = Speech()
    with qtbot.waitSignal(speech.failed, timeout=LIMIT):
        pass
    assert failure_of_saying(speech, qtbot) == []
    speech.close()


# Stands for the first process that speaks; the next one is real.
MAD = """#!{python}
import json, os, sys, time
from pathlib import Path
try:
    Path({mark!r}).touch(exist_ok=False)
except FileExistsError:
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
def tell(what, **more):
    return json.dumps({{"tell": what, **more}}).encode() + b"\\n"
madness = {madness!r}
out = os.fdopen(1, "wb", buffering=0)
out.write(tell("ready", voices=[]))
request = json.loads(sys.stdin.buffer.readline())
out.write(tell("heard", number=request["number"], within=60.0))
while madness == "messages":
    out.write(tell("alive", number=request["number"], within=60.0))
while madness == "a line without end":
    out.write(b"x" * 65536)
out.write({{
    "noise": bytes(range(255, 0, -1)) * 9,
    "too deep": b"[" * 100_000 + b"\\n",
    "no message": b'["started"]\\n',
    "no number": tell("started", number="one", within=60.0),
    "all processes": tell("player", number=request["number"], within=60.0, group=1),
}}[madness])
time.sleep(60)
"""


@pytest.mark.parametrize(
    "madness",
    [
        *("messages", "a line without end", "noise", "too deep", "no message", "no number"),
        "all processes",
    ],
)
def test_a_process_that_has_gone_mad_is_replaced(
    madness: str,
    loudspeaker: Loudspeaker,
    tmp_path: Path,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    python = tmp_path / "python"
    mad = MAD.format(python=sys.executable, mark=str(tmp_path / "mark"), madness=madness)
    python.write_text(mad)
    python.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(python))
    speech = Speech()
    speech.configure("", QUICK, 100)
    speech.failed.connect(pytest.fail)
    with qtbot.waitSignal(speech.finished, timeout=LIMIT):  # before the promise is broken
        speech.say(SENTENCE)
    assert loudspeaker.times(part(synthesised(SENTENCE), 0.1)) == 1
    speech.close()


PROGRAM = """
import sys
from PySide6.QtCore import QCoreApplication
from desktop.speech import Speech
app = QCoreApplication(sys.argv)
speech = Speech()
speech.say("Two dogs run through the tall grass of a wide field. " * 20)
app.exec()
"""


def test_nobody_speaks_on_after_the_program_was_killed(
    loudspeaker: Loudspeaker, qtbot: QtBot
) -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], cwd=Path(__file__).resolve().parent.parent
    )
    try:
        wait_for_sound(qtbot, loudspeaker, seconds=0.2)
        (speaking,) = children(program.pid, "desktop.speech_process")
        (player,) = children(speaking, "aplay")
    finally:
        program.kill()
        program.wait()
    killed = time.monotonic()
    qtbot.waitUntil(lambda: not is_there(speaking) and not is_there(player), timeout=LIMIT)
    assert loudspeaker.played(killed) < 1
