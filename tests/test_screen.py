"""Screenshots: all, one monitor, the active window; never with Seesay's own windows in them."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from desktop.active_window import active_window
from desktop.screen import Area, ScreenError, grab_area, grab_screen, grab_window, monitors
from tests.screen_parts import OTHER_PROGRAM, program, window_manager

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="X11 is Linux's")

RED, LIME, BLUE, YELLOW = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)
CYAN, MAGENTA = (0, 255, 255), (255, 0, 255)
WINDOW = "500,300,240,160"  # left, top, width, height


@pytest.fixture
def screen(x_display: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DISPLAY", x_display)
    monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)
    return x_display


@pytest.fixture
def managed(screen: str) -> Iterator[str]:
    if shutil.which("openbox") is None:
        pytest.skip("openbox is not installed")
    with window_manager(screen):
        yield screen


@contextlib.contextmanager
def other_program(display: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    with program(
        OTHER_PROGRAM, *(arguments or (WINDOW,)), DISPLAY=display, QT_QPA_PLATFORM="xcb"
    ) as running:
        wait_for(lambda: has(grab_screen().pixels, RED))
        if "letter" in arguments:
            wait_for(lambda: grab_window().name == "A letter")
            wait_for(lambda: has(grab_screen().pixels, CYAN))
        yield running


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while True:
        with contextlib.suppress(ScreenError):
            if condition():
                return
        assert time.monotonic() < deadline
        time.sleep(0.02)


def has(pixels: NDArray[np.uint8], colour: tuple[int, int, int]) -> bool:
    return bool((pixels == colour).all(axis=2).any())


def colours(pixels: NDArray[np.uint8]) -> set[tuple[int, ...]]:
    numbers = np.unique(pixels.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32))
    return {(int(number >> 16), int(number >> 8 & 255), int(number & 255)) for number in numbers}


def test_the_whole_screen_and_its_parts(screen: str) -> None:
    with other_program(screen):
        picture = grab_screen()
        assert (picture.width, picture.height, picture.name) == (1280, 800, "screen")
        assert colours(picture.pixels[:400, :640]) == {RED}
        assert colours(picture.pixels[:400, 640:]) == {LIME}
        assert colours(picture.pixels[400:, :640]) == {BLUE}
        assert colours(picture.pixels[400:, 640:]) == {YELLOW}

        part = grab_area(Area(630, 390, 20, 20))
        assert colours(part.pixels) == {RED, LIME, BLUE, YELLOW}
        at_the_edge = grab_area(Area(-100, -50, 150, 150))
        assert (at_the_edge.width, at_the_edge.height) == (50, 100)
        with pytest.raises(ScreenError, match="outside of the screen"):
            grab_area(Area(5000, 0, 10, 10))


def test_one_monitor(screen: str) -> None:
    (monitor,) = monitors()
    assert (monitor.number, monitor.left, monitor.top) == (1, 0, 0)
    assert (monitor.width, monitor.height) == (1280, 800)
    assert monitor.name
    assert grab_screen("1").width == 1280
    with pytest.raises(ScreenError, match="Monitor 2 is not connected: choose"):
        grab_screen("2")


def test_screenshots_in_many_threads(screen: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        pictures = list(pool.map(lambda _: grab_screen(), range(32)))
    assert all(picture.width == 1280 for picture in pictures)


@pytest.mark.parametrize("grab", [grab_screen, grab_window, monitors])
@pytest.mark.parametrize("display", [None, ":987"])
def test_without_a_screen(
    grab: Callable[[], object],
    display: str | None,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    if display is not None:
        monkeypatch.setenv("DISPLAY", display)
    with pytest.raises(ScreenError, match="cannot be captured: start Seesay inside the desktop"):
        grab()
    assert capfd.readouterr() == ("", "")


def test_the_active_window(managed: str) -> None:
    with other_program(managed, WINDOW, "letter") as other:
        picture = grab_window(not_pid=os.getpid())
        assert (picture.width, picture.height, picture.name) == (240, 160, "A letter")
        assert colours(picture.pixels) == {CYAN}
        with pytest.raises(ScreenError, match="Seesay's own window is in front: go to"):
            grab_window(not_pid=other.pid)

        assert other.stdin is not None
        print("minimise", file=other.stdin, flush=True)
        wait_for(lambda: not has(grab_screen().pixels, CYAN))
        with pytest.raises(ScreenError, match=r"No window is in front|minimised"):
            grab_window()


def test_an_active_window_that_is_partly_outside(managed: str) -> None:
    with other_program(managed, "1180,300,240,160", "letter"):
        picture = grab_window()
        assert 0 < picture.width < 240
        assert colours(picture.pixels) == {CYAN}


def test_without_any_window(managed: str) -> None:
    with pytest.raises(ScreenError, match="No window is in front: go to the window"):
        grab_window()


# Seesay with a window of its own in magenta: takes one screenshot and tells what happened.
OWN_PROGRAM = """
import json, sys, time
from PySide6.QtCore import QSocketNotifier, Qt, QTimer
from PySide6.QtWidgets import QApplication, QPushButton, QVBoxLayout, QWidget
from PIL import Image
from desktop.screenshots import Screenshots

app = QApplication([])
window = QWidget()
window.setStyleSheet("background: #ff00ff")
layout = QVBoxLayout(window)
for name in "ab":
    layout.addWidget(QPushButton(name))
button = layout.itemAt(1).widget()
button.setFocus()
window.setGeometry(300, 200, 400, 300)
screenshots = Screenshots()
story = {}
longest = 0.0
last = time.monotonic()

def tick():
    global last, longest
    now = time.monotonic()
    longest, last = max(longest, now - last), now

ticker = QTimer()
ticker.timeout.connect(tick)

def start():
    global longest, last, began
    longest, last, began = 0.0, time.monotonic(), time.monotonic()
    ticker.start(5)
    story["before"] = [window.x(), window.y(), window.isActiveWindow()]
    if sys.argv[1] == "twice":
        screenshots.take_window()
        screenshots.take_screen()
    elif sys.argv[1] == "closing":
        dialog = QWidget()
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()
        screenshots.take_screen()
        dialog.close()
    elif sys.argv[1] == "window":
        screenshots.take_window()
    else:
        screenshots.take_screen()

def taken(picture):
    story["taken"] = story.get("taken", 0) + 1
    story["seconds"] = time.monotonic() - began
    Image.fromarray(picture.pixels).save(sys.argv[2])
    look_after()

def failed(sentence):
    story["failed"] = sentence
    look_after()

def look_after():
    global answered
    answered = time.monotonic()
    QTimer.singleShot(300, end)

def end():
    story["after"] = [window.x(), window.y(), window.isActiveWindow()]
    # The window manager may need longer on a busy machine.
    if story["after"] != story["before"] and time.monotonic() - answered < 10:
        QTimer.singleShot(30, end)
        return
    story["focus"] = app.focusWidget() is button
    story["visible"] = window.isVisible()
    story["stall"] = longest
    print(json.dumps(story), flush=True)
    app.quit()

screenshots.taken.connect(taken)
screenshots.failed.connect(failed)
if sys.argv[3] == "behind":
    window.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
window.show()
notifier = QSocketNotifier(0, QSocketNotifier.Type.Read)
notifier.activated.connect(lambda: (notifier.setEnabled(False), start()))
QTimer.singleShot(0, lambda: print("ready", flush=True))
app.exec()
"""


def own_screenshot(display: str, what: str, file: Path, *arguments: str) -> dict[str, Any]:
    """Run Seesay's part of a screenshot once its window shows; what it tells of it."""
    arguments = arguments or ("active",)
    environment = {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
    with program(OWN_PROGRAM, what, str(file), *arguments, **environment) as running:
        wait_for(lambda: has(grab_screen().pixels, MAGENTA))
        if "active" in arguments:
            wait_for(lambda: active_window().area.width == 400)
        assert running.stdin is not None
        assert running.stdout is not None
        print(file=running.stdin, flush=True)
        story: dict[str, Any] = json.loads(running.stdout.readline())
        return story


def pixels_of(file: Path) -> NDArray[np.uint8]:
    with Image.open(file) as image:
        return np.asarray(image)


def test_the_own_window_is_never_in_the_picture(managed: str, tmp_path: Path) -> None:
    file = tmp_path / "screen.png"
    with other_program(managed):
        story = own_screenshot(managed, "screen", file)
    pixels = pixels_of(file)
    assert colours(pixels[:400, :640]) == {RED}
    assert colours(pixels[400:, :640]) == {BLUE}
    assert colours(pixels) == {RED, LIME, BLUE, YELLOW}
    # The window is back where it was, with the focus that it had.
    assert story["before"] == story["after"]
    assert story["before"][2]
    assert story["focus"]
    assert story["visible"]
    assert story["taken"] == 1
    assert story["seconds"] < 5


def test_the_focus_stays_in_another_program(managed: str, tmp_path: Path) -> None:
    file = tmp_path / "screen.png"
    with other_program(managed, WINDOW, "letter"):
        story = own_screenshot(managed, "screen", file, "behind")
        assert grab_window().name == "A letter"
    assert not has(pixels_of(file), MAGENTA)
    assert colours(pixels_of(file)[310:440, 510:730]) == {CYAN}
    assert story["before"] == story["after"]
    assert not story["before"][2]
    assert story["visible"]


def test_the_window_beneath_seesay_is_seen_whole(managed: str, tmp_path: Path) -> None:
    file = tmp_path / "window.png"
    with other_program(managed, WINDOW, "letter"):
        own_screenshot(managed, "window", file, "behind")
    assert pixels_of(file).shape == (160, 240, 3)
    assert colours(pixels_of(file)) == {CYAN}


def test_the_own_window_is_not_described(managed: str, tmp_path: Path) -> None:
    with other_program(managed):
        story = own_screenshot(managed, "window", tmp_path / "window.png")
    assert story["failed"].startswith("Seesay's own window is in front: go to the window")
    assert story["before"] == story["after"]


def test_of_two_screenshots_the_newest_wins(managed: str, tmp_path: Path) -> None:
    file = tmp_path / "screen.png"
    with other_program(managed):
        story = own_screenshot(managed, "twice", file)
    assert story["taken"] == 1
    assert "failed" not in story
    assert colours(pixels_of(file)) == {RED, LIME, BLUE, YELLOW}


def test_a_window_that_is_closed_meanwhile(managed: str, tmp_path: Path) -> None:
    file = tmp_path / "screen.png"
    with other_program(managed):
        story = own_screenshot(managed, "closing", file)
    assert story["taken"] == 1
    assert story["visible"]
    assert not has(pixels_of(file), MAGENTA)
