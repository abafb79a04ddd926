"""The desktop program's start and end."""

import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QSocketNotifier
from PySide6.QtWidgets import QApplication

from desktop.display import check_display
from desktop.program import Program
from desktop.single_instance import NotAnsweringError, SingleInstance
from desktop.tray import app_icon


def run(
    paths: Sequence[str] = (), action: str = "", minimised: bool = False, model: Path | None = None
) -> int:
    """Run the program until it is quit; if it runs already, hand the request over instead.

    Args:
        paths: of pictures to describe at once.
        action: name of an action to do at once, such as ``camera``; "" for none.
        minimised: whether the window stays in the tray.
        model: folder of a model; the built-in one by default.

    Returns:
        The exit status.

    Raises:
        SeesayError: if there is no desktop, or the program that runs already does not answer.
    """
    check_display()
    application = QApplication(sys.argv[:1])
    application.setApplicationName("Seesay")
    application.setDesktopFileName("seesay")
    application.setWindowIcon(app_icon())
    application.setQuitOnLastWindowClosed(False)
    paths = [os.path.abspath(path) for path in paths]
    instance = SingleInstance()
    if not instance.first():
        try:
            instance.hand_over(paths, action)
            return 0
        except NotAnsweringError:
            if not instance.first():  # or it was about to end, and has
                raise
    program = Program(model)
    instance.asked.connect(program.on_asked_from_outside)
    program.start(minimised)
    if paths or action:
        program.on_asked_from_outside(paths, action)
    with _quitting_on_signals(application):
        status = application.exec()
    # What follows may take a while, in which another may begin.
    instance.close()
    program.close()
    return status


@contextmanager
def _quitting_on_signals(application: QApplication) -> Iterator[None]:
    """Quit in good order on Ctrl-C and when the session ends.

    Python looks at signals only when its own code runs; the socket wakes Qt's loop for it.
    """
    reader, writer = socket.socketpair()
    reader.setblocking(False)
    writer.setblocking(False)
    notifier = QSocketNotifier(reader.fileno(), QSocketNotifier.Type.Read)
    notifier.activated.connect(lambda: reader.recv(64))
    signal.set_wakeup_fd(writer.fileno())
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: application.exit(0))
    try:
        yield
    finally:
        signal.set_wakeup_fd(-1)
        notifier.setEnabled(False)
        reader.close()
        writer.close()
