"""Hotkeys that are asked for at a desktop's portal, over a D-Bus of the test's own."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from tests.desktop_parts import a_bus
from tests.hotkey_parts import Listener

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="D-Bus")


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
    with a_bus() as (daemon, address):
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        monkeypatch.setenv("XDG_SESSION_TYPE", "wayland")
        yield daemon


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
