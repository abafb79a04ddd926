"""How the desktop program feels: its start, its event loop while it captions, key to first word."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from tests.desktop_parts import Desktop, a_desktop, a_display
from tests.picture_kinds import snapshot
from tests.rendered_pages import Look, application, web_page
from tests.screen_parts import program

if TYPE_CHECKING:
    from desktop.program import Program

# Shows a picture on the whole screen, without the focus.
BACKDROP = """
import sys
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QApplication, QLabel

app = QApplication([])
backdrop = QLabel(None, Qt.WindowType.X11BypassWindowManagerHint)
backdrop.setPixmap(QPixmap(sys.argv[1]))
backdrop.setGeometry(app.primaryScreen().geometry())
backdrop.show()
backdrop.lower()
QTimer.singleShot(0, lambda: print("ready", flush=True))
app.exec()
"""
REPEATS = 15
STARTS = 5
_TICK = 5  # ms
# What does not depend on what the screen shows.
_ONCE = ("start to window", "window to model ready")


def main() -> dict[str, dict[str, float]]:
    """Print a table; gives its rows: name -> p50, p99 and max in milliseconds."""
    rows: dict[str, dict[str, float]] = {}
    samples: dict[str, list[float]] = {}
    application()
    with tempfile.TemporaryDirectory() as folder, a_display() as display:
        screens = {
            "a photograph": snapshot(0, 1280, 800),
            "a page of text": web_page(Look(), size=(1280, 800)).pixels,
        }
        for screen, pixels in screens.items():
            place = Path(folder, screen)
            place.mkdir()
            Image.fromarray(pixels).save(place / "screen.png")
            with (
                a_desktop(place, display) as desktop,
                program(
                    BACKDROP, str(place / "screen.png"), DISPLAY=display, QT_QPA_PLATFORM="xcb"
                ),
            ):
                starts = STARTS if screen == "a photograph" else 1
                for repeat in range(starts):
                    # The last one goes on with what is measured while the program runs.
                    for name, value in _run(desktop, last=repeat == starts - 1):
                        if name in _ONCE and starts == 1:
                            continue
                        title = name if name in _ONCE else f"{screen}: {name}"
                        samples.setdefault(title, []).append(value)
    for name, values in samples.items():
        values.sort()
        rows[name] = {
            "p50": statistics.median(values),
            "p99": values[min(len(values) - 1, round(0.99 * len(values)))],
            "max": values[-1],
        }
        print(f"{name:<52}", *(f"{kind} {value:8.1f}" for kind, value in rows[name].items()))
    return rows


def _run(desktop: Desktop, last: bool) -> list[tuple[str, float]]:
    """One start of the program; its measurements come as lines: name, a tab, milliseconds."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_desktop", str(time.time())]
    environment = {**desktop.environment}
    environment.pop("OMP_NUM_THREADS")  # both cores, as for users
    with subprocess.Popen(
        [*command, "all" if last else "start"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as running:
        assert running.stdout is not None
        found: list[tuple[str, float]] = []
        pressed = 0.0
        for line in running.stdout:
            name, _, value = line.rstrip("\n").partition("\t")
            if name == "press":
                pressed = time.time()
                desktop.press("ctrl+shift+F8")
            elif name == "spoken":
                # The voice may sound a moment after its process has told so.
                time.sleep(0.3)
                since = time.monotonic() - (time.time() - pressed)
                sounds = desktop.loudspeaker.audible(since)
                if sounds:
                    found.append(("key to first sound", (sounds[0] - since) * 1000))
            elif value:
                found.append((name, float(value)))
        return found


def _inside(began: float, everything: bool) -> None:
    """Run the program here, and print what happens when."""
    from PySide6.QtCore import QEvent, QObject, QTimer
    from PySide6.QtWidgets import QApplication

    from desktop.program import Program
    from desktop.tray import app_icon

    def tell(name: str, seconds: float) -> None:
        print(f"{name}\t{seconds * 1000:.3f}", flush=True)

    application = QApplication([])
    application.setWindowIcon(app_icon())
    seesay = Program()
    seesay.flow.settings = seesay.settings
    # Earcons would be heard before the first word.
    seesay.earcons.enabled = False

    class Painted(QObject):
        """Tells when the window is drawn for the first time."""

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint:
                seesay.window.sentence.viewport().removeEventFilter(self)
                self.at = time.time()
                QTimer.singleShot(0, lambda: tell("start to window", time.time() - began))
            return False

    painted = Painted()
    seesay.window.sentence.viewport().installEventFilter(painted)
    done = _measure_running(seesay, tell) if everything else application.quit
    seesay.captioning.ready.connect(lambda: tell("window to model ready", time.time() - painted.at))
    seesay.captioning.ready.connect(done)
    seesay.start(minimised=False)
    application.exec()
    seesay.close()


def _measure_running(seesay: "Program", tell: Callable[[str, float], None]) -> Callable[[], None]:
    """Key presses answered one by one, with their parts; then captions without a pause."""
    from PySide6.QtCore import Qt, QTimer
    from PySide6.QtWidgets import QApplication

    times: dict[str, float] = {}
    left = REPEATS
    ticks: list[float] = []
    ticker = QTimer(seesay, interval=_TICK, timerType=Qt.TimerType.PreciseTimer)

    def mark(name: str) -> None:
        times[name] = time.perf_counter()

    def on_started() -> None:
        nonlocal left
        mark("speech")
        tell("capture", times["taken"] - times["pressed"])
        tell("queue, caption, history", times["described"] - times["taken"])
        tell("speech start", times["speech"] - times["described"])
        tell("key seen to speech start", times["speech"] - times["pressed"])
        print("spoken", flush=True)
        left -= 1
        QTimer.singleShot(800, seesay.flow.stop)  # a page is long

    def on_finished() -> None:
        # In silence, so that the first sound is the one that was asked for.
        QTimer.singleShot(700, press if left else stall)

    def press() -> None:
        print("press", flush=True)

    def stall() -> None:
        """Captions one after the other, while the event loop is timed."""
        seesay.speech.started.disconnect(on_started)
        seesay.speech.finished.disconnect(on_finished)
        seesay.flow.described.connect(lambda _: seesay.do("clipboard"))
        picture = seesay.window.picture.grab().toImage()
        QApplication.clipboard().setImage(picture)
        ticker.timeout.connect(lambda: ticks.append(time.perf_counter()))
        ticker.start()
        seesay.do("clipboard")
        QTimer.singleShot(10_000, end)

    def end() -> None:
        for before, after in pairwise(ticks):
            tell("event loop stall while captioning", max(0.0, after - before - _TICK / 1000))
        QApplication.quit()

    seesay.hotkeys.pressed.connect(lambda _: mark("pressed"))
    seesay.sources.taken.connect(lambda *_: mark("taken"))
    seesay.flow.described.connect(lambda _: mark("described"))
    seesay.speech.started.connect(on_started)
    seesay.speech.finished.connect(on_finished)
    return lambda: QTimer.singleShot(1000, press)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _inside(float(sys.argv[1]), sys.argv[2] == "all")
    else:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        main()
