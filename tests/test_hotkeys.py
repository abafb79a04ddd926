"""Hotkeys: pressed with xdotool on a real X server, and asked for at a desktop's portal."""

import contextlib
import json
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
from desktop.hotkeys import Hotkeys
from desktop.hotkeys_pynput import pynput_keys
from desktop.keys import read_hotkey

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11 and D-Bus")


class Screen:
    """An X server of this file's own, with keys to press."""

    def __init__(self) -> None:
        reader, writer = os.pipe()
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writer), "-nolisten", "tcp"],
            pass_fds=(writer,),
            stderr=subprocess.DEVNULL,
        )
        os.close(writer)
        with open(reader) as numbers:
            self.name = f":{numbers.readline().strip()}"
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


class Listener:
    """Hotkeys and what they told."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.hotkeys = Hotkeys()
        self.pressed: list[str] = []
        self.problems: list[str] = []
        self.hotkeys.pressed.connect(self.pressed.append)

    def set(self, **hotkeys: str) -> list[str]:
        """Set these hotkeys; returns the problems."""
        with self.qtbot.waitSignal(self.hotkeys.problems) as told:
            self.hotkeys.set(hotkeys)
        assert told.args is not None
        return list(told.args[0])

    def expect(self, *actions: str) -> None:
        """All that was pressed since the last time, after a press of "show" that ends it."""
        wanted = [*actions]
        with contextlib.suppress(self.qtbot.TimeoutError):
            self.qtbot.waitUntil(lambda: len(self.pressed) >= len(wanted), timeout=10_000)
        assert self.pressed == wanted
        self.pressed.clear()


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
    assert listener.set(**wanted) == []
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
    before = threading.active_count()
    listener = Listener(qtbot)
    listener.set(camera="Ctrl+Shift+F7")
    started = time.monotonic()
    listener.hotkeys.close()
    assert time.monotonic() - started < 0.5
    assert threading.active_count() == before
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


PORTAL = """
import sys, json
from jeepney import *
from jeepney.io.blocking import open_dbus_connection

# What a desktop's portal does for global shortcuts, driven by lines on standard input.
NAME, PATH = "org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop"
SHORTCUTS = "org.freedesktop.portal.GlobalShortcuts"
answer = json.loads(sys.argv[1])
connection = open_dbus_connection("SESSION")
connection.send_and_get_reply(message_bus.RequestName(NAME))
print("ready", flush=True)

def emit(path, interface, member, signature, body):
    connection.send(new_signal(DBusAddress(path, interface=interface), member, signature, body))

while True:
    call = connection.receive()
    if call.header.message_type != MessageType.method_call:
        continue
    member = call.header.fields[HeaderFields.member]
    client = call.header.fields[HeaderFields.sender].lstrip(":").replace(".", "_")
    if member == "Close":
        print(json.dumps(["closed", call.header.fields[HeaderFields.path]]), flush=True)
        continue
    request = f"{PATH}/request/{client}/" + call.body[-1]["handle_token"][1]
    if member == "CreateSession":
        session = f"{PATH}/session/{client}/" + call.body[0]["session_handle_token"][1]
        results = {"session_handle": ("s", session)}
    else:
        assert call.header.fields[HeaderFields.signature] == "oa(sa{sv})sa{sv}"
        assert call.body[0] == session
        shortcuts = {name: {key: value for key, (_, value) in details.items()}
                     for name, details in call.body[1]}
        print(json.dumps(["bound", shortcuts]), flush=True)
        given = [(name, {"trigger_description": ("s", "?")})
                 for name in shortcuts if name not in answer["withheld"]]
        results = {"shortcuts": ("a(sa{sv})", given)}
    code = answer["code"] if member == "BindShortcuts" else 0
    emit(request, "org.freedesktop.portal.Request", "Response", "ua{sv}", (code, results))
    connection.send(new_method_return(call, "o", (request,)))
    if member == "BindShortcuts" and code == 0:
        other = session.replace("seesay", "another")
        for path, name in ((session, "camera"), (other, "screen"), (session, "stop")):
            emit(PATH, SHORTCUTS, "Activated", "osta{sv}", (path, name, 0, {}))
"""


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> "Iterator[subprocess.Popen[str]]":
    if shutil.which("dbus-daemon") is None:
        pytest.skip("dbus-daemon is not installed")
    daemon = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--print-address"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert daemon.stdout is not None
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", daemon.stdout.readline().strip())
    monkeypatch.setenv("XDG_SESSION_TYPE", "wayland")
    yield daemon
    daemon.terminate()
    daemon.communicate()


class Portal:
    """Stands for the desktop, which no test machine has."""

    def __init__(self, code: int = 0, withheld: tuple[str, ...] = ()) -> None:
        answer = json.dumps({"code": code, "withheld": withheld})
        self.process = subprocess.Popen(
            [sys.executable, "-c", PORTAL, answer], stdout=subprocess.PIPE, text=True
        )
        assert self.said() == "ready"

    def said(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


def test_a_wayland_desktop_is_asked(bus: None, qtbot: QtBot) -> None:
    portal = Portal()
    listener = Listener(qtbot)
    assert listener.set(camera="Ctrl+Shift+F7", stop="Meta+Alt+PgUp", live="Ctrl++") == []
    _, shortcuts = json.loads(portal.said())
    triggers = {name: details.get("preferred_trigger") for name, details in shortcuts.items()}
    assert triggers == {"camera": "CTRL+SHIFT+F7", "stop": "ALT+LOGO+Prior", "live": None}
    assert shortcuts["stop"]["description"].startswith("Stop: ")
    listener.expect("camera", "stop")

    assert listener.set(camera="Ctrl+Shift+F8") == []
    assert json.loads(portal.said())[0] == "closed"
    assert json.loads(portal.said())[1]["camera"]["preferred_trigger"] == "CTRL+SHIFT+F8"
    listener.expect("camera", "stop")

    portal.end()
    with qtbot.waitSignal(listener.hotkeys.problems) as told:
        portal = Portal()
    assert told.args == [[]]
    listener.expect("camera", "stop")
    assert listener.set() == []
    listener.hotkeys.close()
    portal.end()


def test_what_the_desktop_refuses_is_told(bus: None, qtbot: QtBot) -> None:
    portal = Portal(withheld=("stop",))
    listener = Listener(qtbot)
    (told,) = listener.set(camera="Ctrl+Shift+F7", stop="Ctrl+Shift+F12")
    assert "no key to Stop" in told
    listener.hotkeys.close()
    portal.end()

    portal = Portal(code=1)
    listener = Listener(qtbot)
    assert "given Seesay no hotkeys" in listener.set(camera="Ctrl+Shift+F7")[0]
    listener.hotkeys.close()
    portal.end()


def test_a_wayland_desktop_without_a_portal(bus: None, qtbot: QtBot) -> None:
    listener = Listener(qtbot)
    (told,) = listener.set(camera="Ctrl+Shift+F7")
    assert "seesay app --do camera" in told
    listener.hotkeys.close()


def test_a_bus_that_goes_is_told(
    bus: "subprocess.Popen[str]", qtbot: QtBot, capfd: pytest.CaptureFixture[str]
) -> None:
    portal = Portal()
    listener = Listener(qtbot)
    assert listener.set(camera="Ctrl+Shift+F7") == []
    with qtbot.waitSignal(listener.hotkeys.problems) as told:
        bus.kill()
    assert told.args is not None
    assert "bus has gone" in told.args[0][0]
    assert "seesay app --do camera" in listener.set(camera="Ctrl+Shift+F8")[0]
    listener.hotkeys.close()
    portal.end()
    assert "Exception" not in capfd.readouterr().err


@pytest.mark.parametrize("address", ["unix:path=/nowhere", "", "nonsense"])
def test_a_wayland_desktop_without_a_bus(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("XDG_SESSION_TYPE", "wayland")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    listener = Listener(qtbot)
    (told,) = listener.set(camera="Ctrl+Shift+F7")
    assert "seesay app --do camera" in told
    listener.hotkeys.close()
