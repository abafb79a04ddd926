"""A desktop for tests: a window manager, windows of another program, and a screenshot portal."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent

# A program with a picture that fills the screen in four colours, and a window with the focus.
OTHER_PROGRAM = """
import sys
from PySide6.QtCore import QSocketNotifier, Qt, QTimer
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QApplication, QWidget

class Backdrop(QWidget):
    def paintEvent(self, event):
        painter = QPainter(self)
        w, h = self.width() // 2, self.height() // 2
        for x, y, colour in ((0, 0, "red"), (w, 0, "lime"), (0, h, "blue"), (w, h, "yellow")):
            painter.fillRect(x, y, w, h, QColor(colour))

app = QApplication([])
backdrop = Backdrop(None, Qt.WindowType.X11BypassWindowManagerHint)
backdrop.setGeometry(app.primaryScreen().geometry())
backdrop.show()
backdrop.lower()
letter = QWidget()
letter.setWindowTitle("A letter")
letter.setStyleSheet("background: #00ffff")
letter.setGeometry(*map(int, sys.argv[1].split(",")))
if "letter" in sys.argv:
    letter.show()
    letter.activateWindow()
def obey():
    command = sys.stdin.readline().strip()
    if command == "minimise":
        letter.showMinimized()
    elif command:
        print(command, flush=True)
notifier = QSocketNotifier(0, QSocketNotifier.Type.Read)
notifier.activated.connect(obey)
QTimer.singleShot(0, lambda: print("ready", flush=True))
app.exec()
"""

# The portal of a Wayland desktop, in the Python that has D-Bus: argv is the mode and the picture.
PORTAL = """
import sys
import dbus, dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

mode, picture = sys.argv[1:]
bus = dbus.SessionBus(mainloop=DBusGMainLoop())

class Request(dbus.service.Object):
    @dbus.service.signal("org.freedesktop.portal.Request", signature="ua{sv}")
    def Response(self, code, results):
        pass

class Portal(dbus.service.Object):
    @dbus.service.method(
        "org.freedesktop.portal.Screenshot", "sa{sv}", "o", sender_keyword="sender"
    )
    def Screenshot(self, parent, options, sender):
        token = options["handle_token"] if mode != "old" else "other"
        path = f"/org/freedesktop/portal/desktop/request/{sender[1:].replace('.', '_')}/{token}"
        request = Request(bus, path)
        results = {} if mode == "denied" else {"uri": "file://" + picture}
        code = dbus.UInt32(1 if mode == "denied" else 0)
        # Only the reply tells of another path, which Seesay then needs time to listen at.
        wait = 50 if mode != "old" else 2000
        GLib.timeout_add(wait, lambda: request.Response(code, results))
        return dbus.ObjectPath(path)

name = dbus.service.BusName("org.freedesktop.portal.Desktop", bus)
portal = Portal(bus, "/org/freedesktop/portal/desktop")
print("ready", flush=True)
GLib.MainLoop().run()
"""


@contextlib.contextmanager
def program(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A Python program that runs until the end of the block; it has printed a line before."""
    with subprocess.Popen(
        [sys.executable, "-c", *arguments],
        env={**os.environ, **environment},
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        try:
            assert running.stdout.readline() == "ready\n"
            yield running
        finally:
            running.terminate()


@contextlib.contextmanager
def window_manager(display: str) -> Iterator[None]:
    """Openbox on a display, until the end of the block."""
    from Xlib import X
    from Xlib.display import Display

    connection = Display(display)
    root = connection.screen().root
    root.change_attributes(event_mask=X.PropertyChangeMask)
    supporting = connection.intern_atom("_NET_SUPPORTING_WM_CHECK")
    root.delete_property(supporting)  # which the one before left
    connection.sync()
    with subprocess.Popen(
        ["openbox"],
        env={**os.environ, "DISPLAY": display},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as running:
        while root.get_full_property(supporting, X.AnyPropertyType) is None:
            connection.next_event()
        try:
            yield
        finally:
            running.terminate()
            connection.close()
