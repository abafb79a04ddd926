"""Whether the system saves its battery, so that what runs for long had better wait."""

import contextlib
import ctypes
import subprocess
import sys

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.worker import Worker

_LOOK_EVERY = 5000  # ms
_PATIENCE = 2.0  # seconds for the system to answer
# The two names that the service of Linux desktops has had; the older lives on beside the new one.
_SERVICES = ("org.freedesktop.UPower.PowerProfiles", "net.hadess.PowerProfiles")


class PowerSaver(QObject):
    """Watches the system's battery saver from `start` to `stop`.

    Attributes:
        on: what was seen last; False where the system does not tell.
    """

    changed = Signal(bool)
    """The battery saver was turned on or off."""
    _seen = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.on = False
        self._worker = Worker("battery saver")  # the system may take its time
        self._timer = QTimer(self, interval=_LOOK_EVERY)
        self._timer.timeout.connect(self._look)
        self._seen.connect(self._on_seen)

    def start(self) -> None:
        """Watch from now on."""
        self._timer.start()
        self._look()

    def stop(self) -> None:
        """Watch no longer; what was seen is forgotten."""
        self._timer.stop()
        self._worker.cancel()
        self.on = False

    def close(self) -> None:
        """End the thread."""
        self.stop()
        self._worker.close()

    def _look(self) -> None:
        self._worker.ask(lambda: self._seen.emit(battery_is_saved()))

    def _on_seen(self, on: bool) -> None:
        if self._timer.isActive() and on != self.on:
            self.on = on
            self.changed.emit(on)


def battery_is_saved() -> bool:
    """Whether the battery saver is on; False where the system does not tell.

    Blocks for up to a few seconds.
    """
    with contextlib.suppress(Exception):  # a service that is absent or odd saves nothing
        match sys.platform:
            case "linux":
                return _linux()
            case "win32":
                return _windows()
            case "darwin":
                return _macos()
    return False


def _linux() -> bool:
    from jeepney import DBusAddress, MessageType, Properties
    from jeepney.io.blocking import open_dbus_connection

    with open_dbus_connection("SYSTEM") as connection:
        for name in _SERVICES:
            service = DBusAddress("/" + name.replace(".", "/"), name, name)
            asking = Properties(service).get("ActiveProfile")
            reply = connection.send_and_get_reply(asking, timeout=_PATIENCE)
            if reply.header.message_type == MessageType.method_return:
                return reply.body[0][1] == "power-saver"
    return False


class _SystemPowerStatus(ctypes.Structure):
    _fields_ = (
        ("ac_line", ctypes.c_ubyte),
        ("battery", ctypes.c_ubyte),
        ("percent", ctypes.c_ubyte),
        ("saver", ctypes.c_ubyte),
        ("seconds_left", ctypes.c_uint32),
        ("seconds_in_all", ctypes.c_uint32),
    )


def _windows() -> bool:
    status = _SystemPowerStatus()
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009  # other systems' types lack it
    return bool(kernel.GetSystemPowerStatus(ctypes.byref(status))) and status.saver == 1


def _macos() -> bool:
    settings = subprocess.run(
        ["pmset", "-g"], capture_output=True, text=True, timeout=_PATIENCE, check=True
    )
    return any(line.split()[:2] == ["lowpowermode", "1"] for line in settings.stdout.splitlines())
