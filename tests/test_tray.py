"""The icon in a tray, for those who use the mouse: the program lives on in it without a window."""

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.desktop_parts import Desktop, Reader, a_desktop, wait_for

_PANEL = """
panel_items = TS
panel_size = 100% 32
panel_position = top left horizontal
systray_padding = 4 4 4
"""


def start_panel(desktop: Desktop) -> None:
    config = desktop.home / "panel"
    config.write_text(_PANEL)
    desktop.start(["tint2", "-c", str(config)])


def windows(desktop: Desktop) -> list[str]:
    """What the program shows: icon, menu, window."""
    return desktop.xdotool("search", "--onlyvisible", "--class", "seesay").splitlines()


def icon(desktop: Desktop) -> str:
    """The window of the icon, once the panel shows it; the program has no other yet."""
    return wait_for(lambda: windows(desktop), "the icon")[0]


def click(desktop: Desktop, window: str, button: str) -> None:
    desktop.xdotool("mousemove", "--window", window, "8", "8", "click", button)


def click_for(desktop: Desktop, tray: str, button: str, done: Callable[[], bool]) -> None:
    """Click until it has an effect; the panel may miss a click while it draws itself anew."""
    for _ in range(5):
        click(desktop, tray, button)
        with contextlib.suppress(AssertionError):
            wait_for(done, "what the click does", timeout=10)
            return
    raise AssertionError("the clicks did nothing")


def visible(desktop: Desktop) -> bool:
    return bool(desktop.xdotool("search", "--onlyvisible", "--name", "^Seesay$"))


def test_the_tray_keeps_the_program_and_brings_the_window_back(
    tmp_path: Path, x_display: str, tiny_model: Path
) -> None:
    if shutil.which("tint2") is None:
        pytest.skip("tint2 is not installed")
    settings = 'welcomed = true\nspeech = "screen_reader"\nearcons = false\n'
    with a_desktop(tmp_path, x_display, settings) as desktop:
        start_panel(desktop)
        reader = Reader(desktop.environment)
        desktop.seesay("app", "--minimised", "--model", str(tiny_model))
        tray = icon(desktop)
        assert not visible(desktop)

        click_for(desktop, tray, "1", lambda: visible(desktop))
        reader.find("frame", "Seesay")
        desktop.press("alt+F4")
        reader.announced(lambda text: text.startswith("Seesay goes on in the tray."))
        wait_for(lambda: not visible(desktop), "the window to hide")

        click_for(desktop, tray, "3", lambda: len(windows(desktop)) == 2)
        desktop.press("r")
        reader.announced(lambda text: text == "Nothing has been described yet.")
        reader.close()
        assert "Traceback" not in desktop.log()
