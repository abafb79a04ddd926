"""Screenshots on Wayland: from the desktop's portal, or a sentence of what works instead."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from desktop.screen import ScreenError, grab_screen
from tests.screen_parts import PORTAL, ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Wayland is Linux's")

COLOUR = (255, 0, 255)


# Seesay's part of a screenshot on Wayland.
WAYLAND_PROGRAM = """
import json, subprocess, sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from desktop.screenshots import Screenshots

what, *portal = sys.argv[1:]
if portal:
    service = subprocess.Popen(portal, stdout=subprocess.PIPE)
    service.stdout.readline()
app = QApplication([])
screenshots = Screenshots()

def end(**story):
    print(json.dumps(story), flush=True)
    app.quit()

screenshots.taken.connect(
    lambda picture: end(
        name=picture.name,
        size=[picture.width, picture.height],
        pixel=picture.pixels[0, 0].tolist(),
    )
)
screenshots.failed.connect(lambda sentence: end(failed=sentence))
if what == "window":
    screenshots.take_window()
else:
    screenshots.take_screen(what)
QTimer.singleShot(20_000, app.quit)
app.exec()
if portal:
    service.kill()
"""


def on_wayland(mode: str, picture: Path, what: str = "all") -> dict[str, Any]:
    """Take a screenshot from a portal of this mode, in a D-Bus session of its own."""
    if shutil.which("dbus-run-session") is None:
        pytest.skip("dbus-run-session is not installed")
    found = subprocess.run(["/usr/bin/python3", "-c", "import dbus, gi"], capture_output=True)
    if found.returncode != 0:
        pytest.skip("the system's Python has no D-Bus (python3-dbus, python3-gi)")
    portal = ["/usr/bin/python3", "-c", PORTAL, mode, str(picture)] if mode != "missing" else []
    ended = subprocess.run(
        ["dbus-run-session", "--", sys.executable, "-c", WAYLAND_PROGRAM, what, *portal],
        env={
            **os.environ,
            "XDG_SESSION_TYPE": "wayland",
            "WAYLAND_DISPLAY": "wayland-9",
            "QT_QPA_PLATFORM": "offscreen",
        },
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    story: dict[str, Any] = json.loads(ended.stdout)
    return story


@pytest.mark.parametrize("mode", ["usual", "old"])
def test_wayland_takes_it_from_the_portal(mode: str, tmp_path: Path) -> None:
    file = tmp_path / "Screenshot 1.png"
    Image.new("RGB", (64, 48), COLOUR).save(file)
    story = on_wayland(mode, file)
    assert story == {"name": "screen", "size": [64, 48], "pixel": list(COLOUR)}
    assert not file.exists()


@pytest.mark.parametrize("mode", ["missing", "denied", "usual"])
def test_wayland_without_a_screenshot_says_what_works(mode: str, tmp_path: Path) -> None:
    file = tmp_path / "broken.png"
    file.write_bytes(b"no picture")
    story = on_wayland(mode, file)
    assert "Print Screen key" in story["failed"]
    assert "describe the clipboard" in story["failed"]


def test_wayland_has_no_active_window(tmp_path: Path) -> None:
    assert "describe the screen" in on_wayland("missing", tmp_path / "none", "window")["failed"]


def test_on_wayland_nothing_is_grabbed_behind_its_back(
    x_display: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", x_display)
    monkeypatch.setenv("XDG_SESSION_TYPE", "wayland")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-9")
    with pytest.raises(ScreenError, match="Print Screen key"):
        grab_screen()
