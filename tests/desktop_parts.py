"""The real program on a desktop of its own: X display, window manager, D-Bus, accessibility bus."""

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import pytest

from tests.sound_parts import Loudspeaker

ROOT = Path(__file__).resolve().parent.parent
_SYSTEM_PYTHON = "/usr/bin/python3"
_NEEDED = ("dbus-daemon", "openbox", "xdotool")
_BUS_LAUNCHER = Path("/usr/libexec/at-spi-bus-launcher")
# Seconds; for a machine that is busy with something else.
PATIENCE = 90.0


def start_display() -> tuple[subprocess.Popen[bytes], str]:
    """Start an X server; gives it and the name of its display, 1280 x 800 with 24 bits."""
    reader, writer = os.pipe()
    server = subprocess.Popen(
        [
            "Xvfb",
            "-displayfd",
            str(writer),
            "-screen",
            "0",
            "1280x800x24",
            "-nolisten",
            "tcp",
            "-noreset",
        ],
        pass_fds=(writer,),
        stdout=subprocess.DEVNULL,  # or who reads from a test that died would wait for it
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    with open(reader) as numbers:
        number = numbers.readline().strip()  # written once the server takes connections
    assert number, "Xvfb did not start"
    return server, f":{number}"


@contextmanager
def a_display() -> Iterator[str]:
    """The name of a new X display."""
    server, name = start_display()
    try:
        yield name
    finally:
        server.terminate()
        server.wait()


def start_bus(environment: dict[str, str] | None = None) -> tuple[subprocess.Popen[str], str]:
    """Start a D-Bus; gives its daemon and its address."""
    daemon = subprocess.Popen(
        ["dbus-daemon", "--session", "--print-address", "--nofork"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert daemon.stdout is not None
    return daemon, daemon.stdout.readline().strip()


@contextmanager
def a_bus() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A D-Bus of the test's own: its daemon and its address."""
    if not sys.platform.startswith("linux") or shutil.which("dbus-daemon") is None:
        pytest.skip("dbus-daemon is not installed")
    daemon, address = start_bus()
    yield daemon, address
    daemon.terminate()
    daemon.communicate()


def skip_without_desktop_parts() -> None:
    """Skip where what a desktop consists of is not installed."""
    for program in _NEEDED:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    if not _BUS_LAUNCHER.exists():
        pytest.skip("at-spi2-core is not installed")
    check = "import gi; gi.require_version('Atspi', '2.0')"
    if subprocess.run([_SYSTEM_PYTHON, "-c", check], capture_output=True).returncode:
        pytest.skip("python3-gi and gir1.2-atspi-2.0 are not installed")


def wait_for(check: Callable[[], Any], what: str, timeout: float = PATIENCE) -> Any:
    """The first true value of ``check``; for what tells nobody when it happens."""
    end = time.monotonic() + timeout
    while not (value := check()):
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.05)
    return value


class Lines:
    """Reads lines of JSON that a process writes, and waits for the one that is wanted."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: queue.Queue[Any] = queue.Queue()
        self.seen: list[Any] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(json.loads(line))

    def wait(self, wanted: Callable[[str, Any], bool], timeout: float = PATIENCE) -> Any:
        """The value of the next line that fits; those before are in ``seen``."""
        end = time.monotonic() + timeout
        while True:
            try:
                kind, value = self._lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"waited in vain; came: {self.seen[-20:]}") from None
            self.seen.append([kind, value])
            if wanted(kind, value):
                return value


class Reader:
    """What a screen reader knows of the program."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [_SYSTEM_PYTHON, str(ROOT / "tests" / "atspi_client.py")],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.lines = Lines(self._process)
        self.lines.wait(lambda kind, value: kind == "ready")

    def _ask(self, *command: Any) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return self.lines.wait(lambda kind, value: kind == "answer")

    def tree(self) -> list[dict[str, Any]]:
        """Every widget of the program: path, role, name, description, text, states, actions."""

        def ask() -> list[dict[str, Any]]:
            answer = self._ask("tree")
            return answer if isinstance(answer, list) else []  # a widget went away meanwhile

        return wait_for(ask, "the widgets")

    def find(self, role: str, name: str) -> dict[str, Any]:
        """The widget of this role whose name begins so; waits until it shows."""

        def look() -> dict[str, Any] | None:
            for node in self.tree():
                if (
                    node["role"] == role
                    and node["name"].startswith(name)
                    and "SHOWING" in node["states"]
                ):
                    return node
            return None

        return wait_for(look, f"{role} {name!r}")

    def act(self, node: dict[str, Any], action: str) -> None:
        """Do an accessible action of a widget."""
        assert self._ask("act", node["path"], action) is True

    def announced(self, wanted: Callable[[str], bool]) -> str:
        """The next announcement that fits."""
        event = self.lines.wait(
            lambda kind, value: (
                kind == "event"
                and value["type"].startswith("object:announcement")
                and wanted(value["value"] or "")
            )
        )
        return event["value"]

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


class Desktop:
    """A session with a home of its own, in which the program is started."""

    def __init__(self, folder: Path, display: str) -> None:
        self.home = folder
        self._processes: list[subprocess.Popen[Any]] = []
        runtime = folder / "runtime"
        runtime.mkdir(mode=0o700)
        self.loudspeaker = Loudspeaker(folder)
        self.environment = {
            **{
                key: value
                for key, value in os.environ.items()
                if not key.startswith(("XDG_", "QT_", "WAYLAND", "PYTEST", "DBUS"))
            },
            "DISPLAY": display,
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(runtime),
            "XDG_SESSION_TYPE": "x11",
            "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1",
            "OMP_NUM_THREADS": "1",
        }
        self._bus, self.environment["DBUS_SESSION_BUS_ADDRESS"] = start_bus(self.environment)
        self._processes.append(self._bus)
        self.start([str(_BUS_LAUNCHER), "--launch-immediately"])
        self.start(["openbox"])

    def start(self, command: list[str], **options: Any) -> subprocess.Popen[Any]:
        """Start a program that ends with the desktop."""
        options.setdefault("stdout", subprocess.DEVNULL)
        options.setdefault("stderr", subprocess.DEVNULL)
        process = subprocess.Popen(command, env=self.environment, cwd=ROOT, **options)
        self._processes.append(process)
        return process

    def seesay(self, *arguments: str) -> subprocess.Popen[Any]:
        """Start the program."""
        log = (self.home / "seesay.log").open("ab")
        return self.start([sys.executable, "-m", "seesay", *arguments], stderr=log, stdout=log)

    def end_bus(self) -> None:
        """Kill the session's D-Bus."""
        self._bus.kill()
        self._bus.wait()

    def press(self, keys: str) -> None:
        """Press keys such as ``ctrl+shift+F8``, wherever the focus is."""
        self.xdotool("key", keys)

    def xdotool(self, *arguments: str) -> str:
        """Run xdotool; gives what it prints."""
        command = ["xdotool", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        return done.stdout.strip()

    def log(self) -> str:
        """What the program wrote to its terminal."""
        path = self.home / "seesay.log"
        return path.read_text() if path.exists() else ""

    def close(self) -> None:
        for process in reversed(self._processes):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.loudspeaker.switch_off()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def a_desktop(folder: Path, display: str, settings: str = "welcomed = true\n") -> Iterator[Desktop]:
    """A desktop whose user has these settings."""
    skip_without_desktop_parts()
    config = folder / ".config" / "seesay"
    config.mkdir(parents=True)
    (config / "settings.toml").write_text(settings)
    with Desktop(folder, display) as desktop:
        yield desktop
