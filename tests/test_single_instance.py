"""One Seesay for each user, tried with real processes; and its start at login."""

import configparser
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop import autostart, single_instance
from desktop.single_instance import NotAnsweringError, SingleInstance

OTHER = """
import json, sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from desktop.single_instance import SingleInstance

application = QCoreApplication([])
instance = SingleInstance(Path(sys.argv[1]))
first = instance.first()
print(json.dumps(first), flush=True)
if not first:
    wishes = json.loads(sys.stdin.readline())
    try:
        instance.hand_over(*wishes)
        print("handed over", flush=True)
    except Exception as error:
        print(error, flush=True)
else:
    instance.asked.connect(lambda paths, action: print(json.dumps([paths, action]), flush=True))
    application.exec()
"""

# Has the lock, does not listen yet, and when it does, is busy with its start.
SLOW = """
import json, sys, time
from pathlib import Path
from PySide6.QtCore import QCoreApplication, QLockFile
from PySide6.QtNetwork import QLocalServer
from desktop.single_instance import SingleInstance

application = QCoreApplication([])
instance = SingleInstance(Path(sys.argv[1]))
listen = QLocalServer.listen
def listen_late(*arguments):
    print("true", flush=True)
    time.sleep(0.3)
    return listen(*arguments)
QLocalServer.listen = listen_late
instance.first()
time.sleep(0.3)
instance.asked.connect(lambda paths, action: print(json.dumps([paths, action]), flush=True))
application.exec()
"""


class Other:
    """A second process that makes a `SingleInstance`."""

    def __init__(self, folder: Path, cwd: Path | None = None, script: str = OTHER) -> None:
        root = str(Path(__file__).parent.parent)
        path = os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])
        self.process = subprocess.Popen(
            [sys.executable, "-c", script, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": path},
        )
        self.first = json.loads(self.said())

    def said(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def hand_over(self, paths: list[str], action: str = "") -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([paths, action]) + "\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def instance(tmp_path: Path, qapp: object) -> Iterator[SingleInstance]:
    instance = SingleInstance(tmp_path)
    yield instance
    instance.close()


def test_a_second_start_hands_over(instance: SingleInstance, tmp_path: Path, qtbot: QtBot) -> None:
    assert instance.first()
    folder = tmp_path / "my pictures"
    folder.mkdir()
    (tmp_path / "file").write_text("")
    second = Other(tmp_path, cwd=folder)
    assert second.first is False
    with qtbot.waitSignal(instance.asked) as asked:
        second.hand_over(
            ["a photo.jpg", "../ünïcode 🦆.png", "/x/y.jpg", "bad\udcff.jpg"], "camera"
        )
    photo, bad = str(folder / "a photo.jpg"), str(folder / "bad\udcff.jpg")
    assert asked.args == [[photo, str(tmp_path / "ünïcode 🦆.png"), "/x/y.jpg", bad], "camera"]
    assert second.said() == "handed over"
    second.kill()


def test_nothing_to_hand_over_asks_for_the_window(
    instance: SingleInstance, tmp_path: Path, qtbot: QtBot
) -> None:
    assert instance.first()
    second = Other(tmp_path)
    with qtbot.waitSignal(instance.asked) as asked:
        second.hand_over([])
    assert asked.args == [[], ""]
    second.kill()


def test_a_hundred_thousand_paths(instance: SingleInstance, tmp_path: Path, qtbot: QtBot) -> None:
    assert instance.first()
    second = Other(tmp_path)
    paths = [f"/a/rather/long/folder/name/photo-{number}.jpeg" for number in range(100_000)]
    with qtbot.waitSignal(instance.asked, timeout=60_000) as asked:
        second.hand_over(paths)
    assert asked.args == [paths, ""]
    assert second.said() == "handed over"
    second.kill()


def test_a_killed_first_leaves_nothing_in_the_way(
    instance: SingleInstance, tmp_path: Path, qtbot: QtBot
) -> None:
    first = Other(tmp_path)
    assert first.first is True
    assert not instance.first()
    first.kill()  # by kill -9
    assert (tmp_path / "seesay.sock").exists()
    assert instance.first()
    second = Other(tmp_path)
    assert second.first is False
    with qtbot.waitSignal(instance.asked):
        second.hand_over(["x"])
    second.kill()


def test_the_end_of_the_first_makes_room(instance: SingleInstance, tmp_path: Path) -> None:
    assert instance.first()
    instance.close()
    other = Other(tmp_path)
    assert other.first is True
    other.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows stops no processes")
def test_a_hung_first_does_not_hang_the_second(instance: SingleInstance, tmp_path: Path) -> None:
    first = Other(tmp_path)
    os.utime(tmp_path / "seesay.lock", (0, 0))  # it was started long ago
    os.kill(first.process.pid, signal.SIGSTOP)
    assert not instance.first()
    started = time.monotonic()
    with pytest.raises(NotAnsweringError, match="does not answer"):
        instance.hand_over(["/photo.jpg"] * 50_000)
    assert time.monotonic() - started < 10  # one that is just starting would be given longer
    os.kill(first.process.pid, signal.SIGCONT)
    first.kill()


def test_a_first_that_is_just_starting_is_waited_for(
    instance: SingleInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single_instance, "PATIENCE", 0.1)
    first = Other(tmp_path, script=SLOW)
    assert not instance.first()
    instance.hand_over(["/photo.jpg"], "camera")
    assert json.loads(first.said()) == [["/photo.jpg"], "camera"]
    first.kill()


def test_of_many_starts_at_once_one_is_first(tmp_path: Path) -> None:
    others = [Other(tmp_path) for _ in range(2)]
    assert sorted(other.first for other in others) == [False, True]
    for other in others:
        other.kill()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="sockets are files there")
@pytest.mark.parametrize("message", [b"\0\0\0\x02{}", b"\xff\xff\xff\xff", b"\0\0\0\x01x", b"\0"])
def test_nonsense_is_passed_over(
    instance: SingleInstance, tmp_path: Path, qtbot: QtBot, message: bytes
) -> None:
    import socket

    assert instance.first()
    assert (tmp_path / "seesay.sock").stat().st_mode & 0o077 == 0  # for this user alone
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.connect(str(tmp_path / "seesay.sock"))
        stranger.sendall(message)
        second = Other(tmp_path)
        with qtbot.waitSignal(instance.asked) as asked:
            second.hand_over(["/x"])
    assert asked.args == [["/x"], ""]
    second.kill()


def test_without_a_place_for_the_lock_it_starts(tmp_path: Path, qapp: object) -> None:
    assert SingleInstance(tmp_path / "missing").first()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have other lists")
def test_start_at_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert not autostart.starts_at_login()
    autostart.set_start_at_login(False)
    autostart.set_start_at_login(True)
    autostart.set_start_at_login(True)
    assert autostart.starts_at_login()
    entry = configparser.RawConfigParser()
    entry.read(tmp_path / "config" / "autostart" / "seesay.desktop")
    command = shlex.split(entry["Desktop Entry"]["Exec"])
    assert Path(command[0]).is_absolute()
    assert command[-1] == "--minimised"
    autostart.set_start_at_login(False)
    assert not autostart.starts_at_login()

    (tmp_path / "config" / "autostart").rmdir()
    (tmp_path / "config" / "autostart").write_text("")
    with pytest.raises(autostart.AutostartError, match="cannot be changed"):
        autostart.set_start_at_login(True)


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("/usr/bin/seesay", "/usr/bin/seesay"),
        ("/home/an na/seesay", '"/home/an na/seesay"'),
        ("/100%/seesay", '"/100%%/seesay"'),
        ("/ü/seesay", '"/ü/seesay"'),
        ('a"b', r'"a\\"b"'),
        ("a$b`c", r'"a\\$b\\`c"'),
        ("a\\b", r'"a\\\\b"'),
    ],
)
def test_the_command_of_a_desktop_entry_is_quoted(word: str, quoted: str) -> None:
    assert f"\nExec={quoted} --minimised\n" in autostart.desktop_entry([word, "--minimised"])
