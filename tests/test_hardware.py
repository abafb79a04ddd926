"""The real program while monitors, the lock, D-Bus and at last the display come and go."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.history import Entry, History
from desktop.screen import grab_screen
from tests.desktop_parts import PATIENCE, Desktop, Reader, a_desktop, start_display, wait_for
from tests.history_parts import is_sound
from tests.screen_parts import OTHER_PROGRAM, program
from tests.speech_parts import children, is_there

_SPEAKING = "desktop.speech_process"


@pytest.fixture(scope="module")
def server() -> Iterator["subprocess.Popen[bytes]"]:
    for name in ("Xvfb", "xrandr", "i3lock"):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")
    server, display = start_display()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISPLAY", display)
        yield server
    server.kill()
    server.wait()


@pytest.fixture(scope="module")
def desktop(
    tmp_path_factory: pytest.TempPathFactory, server: "subprocess.Popen[bytes]"
) -> Iterator[Desktop]:
    """A display with one monitor, of which the second is to be described."""
    display = os.environ["DISPLAY"]
    settings = 'welcomed = true\nspeech = "both"\nscreen = "2"\nread_text = false\n'
    with (
        a_desktop(tmp_path_factory.mktemp("home"), display, settings) as desktop,
        program(OTHER_PROGRAM, "0,0,10,10", DISPLAY=display, QT_QPA_PLATFORM="xcb"),
    ):
        desktop.start(["xrandr", "--setmonitor", "left", "640/160x800/200+0+0", "screen"]).wait()
        yield desktop


@pytest.fixture(scope="module")
def running(desktop: Desktop, tiny_model: Path) -> "subprocess.Popen[bytes]":
    return desktop.seesay("app", "--model", str(tiny_model))


@pytest.fixture(scope="module")
def reader(desktop: Desktop, running: "subprocess.Popen[bytes]") -> Iterator[Reader]:
    reader = Reader(desktop.environment)
    reader.find("frame", "Seesay")
    wait_for(lambda: reader.find("label", "Status: Ready."), "the model")
    yield reader
    reader.close()


def add_monitor(desktop: Desktop) -> None:
    where = "640/160x800/200+640+0"
    assert desktop.start(["xrandr", "--setmonitor", "right", where, "none"]).wait() == 0


def history(desktop: Desktop) -> Path:
    return desktop.home / ".local" / "share" / "seesay" / "history.sqlite3"


def kept(desktop: Desktop) -> list[Entry]:
    history_ = History(history(desktop))
    try:
        return history_.page(limit=100)
    finally:
        history_.close()


def next_entry(desktop: Desktop, number: int) -> Entry:
    """The newest entry, once there are so many."""
    wait_for(lambda: len(kept(desktop)) >= number, f"entry {number}")
    return kept(desktop)[0]


def test_a_monitor_that_is_missing_is_told_and_used_once_it_is_there(
    desktop: Desktop, reader: Reader
) -> None:
    desktop.press("ctrl+shift+F8")
    assert reader.announced(lambda text: text.startswith("Monitor 2 is not connected: choose"))
    add_monitor(desktop)
    desktop.press("ctrl+shift+F8")
    assert next_entry(desktop, 1).name == "monitor 2"
    assert desktop.start(["xrandr", "--delmonitor", "right"]).wait() == 0
    desktop.press("ctrl+shift+F8")
    assert reader.announced(lambda text: text.startswith("Monitor 2 is not connected: choose"))
    add_monitor(desktop)
    desktop.press("ctrl+shift+F8")
    assert next_entry(desktop, 2).name == "monitor 2"


def test_a_locked_screen_is_told_and_the_keys_work_afterwards(
    desktop: Desktop, reader: Reader
) -> None:
    before = len(kept(desktop))
    lock = desktop.start(["i3lock", "--nofork", "--color=000000"])
    wait_for(lambda: desktop.xdotool("search", "--class", "i3lock"), "the lock")
    asking = desktop.seesay("app", "--do", "screen")  # the lock has the keys
    assert asking.wait(PATIENCE) == 0
    entry = next_entry(desktop, before + 1)
    assert entry.caption.caption is None
    assert "black" in entry.caption.spoken
    assert reader.announced(lambda text: "black" in text)
    lock.kill()
    lock.wait()
    wait_for(lambda: grab_screen("2").pixels.max() > 100, "the screen behind it")
    desktop.press("ctrl+shift+F8")
    assert next_entry(desktop, before + 2).caption.spoken != entry.caption.spoken


def test_without_d_bus_it_goes_on(desktop: Desktop, reader: Reader) -> None:
    before = len(kept(desktop))
    reader.close()
    desktop.end_bus()
    heard = desktop.loudspeaker.seconds
    desktop.press("ctrl+shift+F8")
    next_entry(desktop, before + 1)
    wait_for(lambda: desktop.loudspeaker.seconds > heard + 0.5, "the voice")
    assert "Traceback" not in desktop.log()


def test_when_the_display_goes_the_program_ends_and_nothing_is_lost(
    desktop: Desktop, running: "subprocess.Popen[bytes]", server: "subprocess.Popen[bytes]"
) -> None:
    before = len(kept(desktop))
    (speaking,) = children(running.pid, _SPEAKING)
    desktop.press("ctrl+shift+F8")
    last = next_entry(desktop, before + 1)
    server.kill()
    gone = time.monotonic()
    running.wait(PATIENCE)
    wait_for(lambda: not is_there(speaking), "the end of the voice")
    assert time.monotonic() - gone < 10
    assert "Traceback" not in desktop.log()
    assert kept(desktop)[0].id == last.id
    assert is_sound(history(desktop))
