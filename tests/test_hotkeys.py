"""Hotkeys: pressed with xdotool on a real X server."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from desktop.actions import HOTKEYS
from desktop.hotkeys_pynput import pynput_keys
from desktop.keys import read_hotkey
from tests.desktop_parts import start_display
from tests.hotkey_parts import Listener

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11")


class Screen:
    """An X server of this file's own, with keys to press."""

    def __init__(self) -> None:
        self.server, self.name = start_display()
        self.environment = {**os.environ, "DISPLAY": self.name}

    def run(self, *command: str) -> None:
        subprocess.run(command, env=self.environment, check=True)

    def press(self, *keys: str) -> None:
        """One after the other, as fast as the server takes them."""
        self.run("xdotool", "key", "--delay", "0", *keys)

    def end(self) -> None:
        self.server.send_signal(signal.SIGKILL)
        self.server.wait()


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Screen]:
    for program in ("Xvfb", "xdotool", "setxkbmap"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    screen = Screen()
    monkeypatch.setenv("DISPLAY", screen.name)
    monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)
    yield screen
    screen.end()


@pytest.fixture
def listener(screen: Screen, qtbot: QtBot) -> Iterator[Listener]:
    listener = Listener(qtbot)
    yield listener
    listener.hotkeys.close()


def test_each_key_asks_for_its_action(screen: Screen, listener: Listener) -> None:
    assert listener.set(**HOTKEYS) == []
    screen.press(*(keys.replace("Ctrl+Shift", "ctrl+shift") for keys in HOTKEYS.values()))
    listener.expect(*HOTKEYS)


def test_other_keys_stay_with_the_other_programs(screen: Screen, listener: Listener) -> None:
    listener.set(camera="Ctrl+Shift+F7", stop="Meta+Alt+Esc", show="Ctrl+Shift+F2")
    screen.press("F7", "shift+F7", "ctrl+F7", "ctrl+alt+shift+F7", "super+Escape", "ctrl+shift+F8")
    screen.press("super+alt+Escape", "ctrl+shift+F2")
    listener.expect("stop", "show")


def test_a_function_key_with_shift_is_another(screen: Screen, listener: Listener) -> None:
    assert listener.set(camera="Ctrl+F7") == []
    screen.press("ctrl+shift+F7", "ctrl+F7")
    listener.expect("camera")
    assert listener.set(camera="Ctrl+Shift+F7", screen="Ctrl+F7") == []
    screen.press("ctrl+shift+F7", "ctrl+F7")
    listener.expect("camera", "screen")


def test_kinds_of_keys(screen: Screen, listener: Listener) -> None:
    keys = {
        "camera": ("Ctrl+A", "ctrl+a"),
        "screen": ("Ctrl+Shift+1", "ctrl+shift+1"),
        "window": ("Alt+PgUp", "alt+Prior"),
        "clipboard": ("Ctrl+!", "ctrl+exclam"),
        "repeat": ("Meta+Space", "super+space"),
        "stop": ("Ctrl++", "ctrl+plus"),
        "live": ("Shift+Pause", "shift+Pause"),
        "region": ("Ctrl+/", "ctrl+slash"),
    }
    keys.pop("screen")  # on this layout, Ctrl+Shift+1 and Ctrl+! are one
    assert listener.set(**{action: text for action, (text, _) in keys.items()}) == []
    screen.press(*(pressed for _, pressed in keys.values()))
    listener.expect(*keys)


@pytest.mark.parametrize("locks", [["Num_Lock"], ["Caps_Lock"], ["Num_Lock", "Caps_Lock"]])
def test_locks_do_not_matter(screen: Screen, listener: Listener, locks: list[str]) -> None:
    listener.set(camera="Ctrl+Shift+F7")
    screen.press(*locks, "ctrl+shift+F7")
    listener.expect("camera")


def test_holding_a_key_is_one_press(screen: Screen, listener: Listener) -> None:
    listener.set(camera="Ctrl+Shift+F7", show="Ctrl+Shift+F2")
    # The server repeats a key after 0.66 seconds.
    screen.run("xdotool", "keydown", "ctrl", "keydown", "shift", "keydown", "F7", "sleep", "1")
    screen.run("xdotool", "keyup", "F7", "keydown", "F7", "sleep", "1", "keyup", "F7")
    screen.run("xdotool", "key", "F2")
    listener.expect("camera", "camera", "show")


def test_no_press_is_lost_or_doubled(screen: Screen, listener: Listener) -> None:
    listener.set(camera="Ctrl+Shift+F7", screen="Ctrl+Shift+F8")
    screen.press(*["ctrl+shift+F7", "ctrl+shift+F8"] * 250)
    listener.expect(*["camera", "screen"] * 250)
    screen.run("xdotool", "keydown", "ctrl", "keydown", "shift")
    screen.press(*["F7"] * 500)
    listener.expect(*["camera"] * 500)


def test_keys_of_another_program_are_told(screen: Screen, listener: Listener, qtbot: QtBot) -> None:
    other = Listener(qtbot)
    assert other.set(camera="Ctrl+Shift+F7", stop="Ctrl+Shift+F12") == []
    wanted = {"repeat": "Ctrl+Shift+F7", "show": "Ctrl+Shift+F2"}
    (told,) = listener.set(**wanted)
    assert "Ctrl+Shift+F7 (Repeat)" in told
    screen.press("ctrl+shift+F7", "ctrl+shift+F2")
    other.expect("camera")
    listener.expect("show")

    other.hotkeys.close()
    # The X server may hear of the end of the one after the wish of the other.
    qtbot.waitUntil(lambda: listener.set(**wanted) == [], timeout=20_000)
    screen.press("ctrl+shift+F7")
    listener.expect("repeat")


def test_new_keys_replace_all_old_ones(screen: Screen, listener: Listener, qtbot: QtBot) -> None:
    listener.set(camera="Ctrl+Shift+F7", screen="Ctrl+Shift+F8")
    assert listener.set(camera="Ctrl+Shift+F8", show="Ctrl+Shift+F2") == []
    screen.press("ctrl+shift+F7", "ctrl+shift+F8", "ctrl+shift+F2")
    listener.expect("camera", "show")
    other = Listener(qtbot)
    assert other.set(camera="Ctrl+Shift+F7") == []  # free for others
    assert listener.set() == []
    assert other.set(camera="Ctrl+Shift+F8", screen="Ctrl+Shift+F2") == []
    other.hotkeys.close()


def test_keys_that_do_not_exist_or_are_double_are_told(listener: Listener) -> None:
    told = listener.set(camera="Ctrl+Ж", screen="F7", window="F7", stop="nonsense", live="Ctrl+F8")
    assert len(told) == 3
    assert "nonsense (Stop)" in told[0] or "nonsense (Stop)" in told[1]
    assert any(
        "F7 is the hotkey of both Describe screen and Describe window" in each for each in told
    )
    assert any("no key for Ctrl+Ж (Describe camera)" in each for each in told)


def test_another_layout_moves_the_keys(screen: Screen, listener: Listener, qtbot: QtBot) -> None:
    listener.set(camera="Ctrl+Y", stop="Ctrl+Shift+F12")
    screen.run("xdotool", "key", "ctrl+y")
    listener.expect("camera")
    with qtbot.waitSignal(listener.hotkeys.problems):
        screen.run("setxkbmap", "de")
    screen.press("ctrl+z", "ctrl+y", "ctrl+shift+F12")
    listener.expect("camera", "stop")


def test_signs_above_digits_and_letters_of_other_scripts_are_keys(
    screen: Screen, listener: Listener, qtbot: QtBot
) -> None:
    assert listener.set(camera="Ctrl+Shift+(", screen="Ctrl+Shift+)") == []
    screen.run("xdotool", "key", "ctrl+shift+18", "key", "ctrl+shift+19")  # the keys of 9 and 0
    listener.expect("camera", "screen")
    screen.run("setxkbmap", "ru")
    qtbot.waitUntil(lambda: listener.set(live="Ctrl+Shift+Й") == [], timeout=20_000)
    screen.run("xdotool", "key", "ctrl+shift+24")
    listener.expect("live")


def test_a_second_layout_does_not_matter(screen: Screen, listener: Listener) -> None:
    listener.set(camera="Ctrl+Shift+F7", screen="Ctrl+S")
    screen.run("setxkbmap", "us,ru", "-option", "grp:menu_toggle")
    screen.press("Menu")  # to Russian
    screen.press("ctrl+shift+F7")
    screen.run("xdotool", "key", "ctrl+39")  # the keycode of S
    listener.expect("camera", "screen")


def test_the_server_dies(screen: Screen, listener: Listener, qtbot: QtBot) -> None:
    listener.set(camera="Ctrl+Shift+F7")
    with qtbot.waitSignal(listener.hotkeys.problems) as told:
        screen.end()
    assert told.args is not None
    assert "X server has gone" in told.args[0][0]
    assert "X server has gone" in listener.set(camera="Ctrl+Shift+F8")[0]


def test_without_a_server(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":987")
    monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)
    listener = Listener(qtbot)
    assert "no X server" in listener.set(camera="Ctrl+Shift+F7")[0]
    listener.hotkeys.close()


def test_closing_is_quick_and_silent(screen: Screen, qtbot: QtBot) -> None:
    before = {*threading.enumerate()}
    listener = Listener(qtbot)
    listener.set(camera="Ctrl+Shift+F7")
    started = time.monotonic()
    listener.hotkeys.close()
    assert time.monotonic() - started < 5
    assert {*threading.enumerate()} <= before
    listener.hotkeys.close()
    listener.hotkeys.set({"camera": "Ctrl+Shift+F8"})
    screen.press("ctrl+shift+F7")
    assert listener.pressed == []


@pytest.mark.parametrize(
    ("keys", "windows", "mac"),
    [
        ("Ctrl+Shift+F7", "<ctrl>+<shift>+<f7>", "<cmd>+<shift>+<f7>"),
        ("Meta+Alt+S", "<alt>+<cmd>+s", "<alt>+<ctrl>+s"),
        ("Ctrl++", "<ctrl>++", "<cmd>++"),
        ("Alt+PgUp", "<alt>+<page_up>", "<alt>+<page_up>"),
        ("Shift+Esc", "<shift>+<esc>", "<shift>+<esc>"),
        ("Media Play", None, None),
    ],
)
def test_keys_for_windows_and_macos(keys: str, windows: str | None, mac: str | None) -> None:
    hotkey = read_hotkey(keys)
    assert hotkey is not None
    assert pynput_keys(hotkey, "win32") == windows
    assert pynput_keys(hotkey, "darwin") == mac
