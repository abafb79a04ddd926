"""The real program on a desktop of its own, as a screen reader and a keyboard know it."""

import io
import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from desktop.history import History
from tests.camera_parts import CameraServer
from tests.desktop_parts import Desktop, Reader, a_desktop, wait_for
from tests.picture_kinds import snapshot
from tests.screen_parts import OTHER_PROGRAM, program
from tests.tiny_sets import draw

# Roles that tell nothing; what has the focus must have another one.
_MEANINGLESS = {"unknown", "filler", "panel", "invalid", ""}


@pytest.fixture(scope="module")
def camera() -> Iterator[CameraServer]:
    """A network camera before which two walls meet."""
    wall = Image.new("RGB", (320, 240), (200, 60, 40))
    wall.paste((40, 60, 200), (0, 0, 160, 240))
    file = io.BytesIO()
    wall.save(file, "jpeg")
    server = CameraServer(file.getvalue)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def desktop(
    tmp_path_factory: pytest.TempPathFactory,
    x_display: str,
    tiny_model: Path,
    camera: CameraServer,
) -> Iterator[Desktop]:
    """The program with its own voice and announcements, before a screen in four colours."""
    settings = f'welcomed = true\nspeech = "both"\ncamera = "{camera.url}"\n'
    with (
        a_desktop(tmp_path_factory.mktemp("home"), x_display, settings) as desktop,
        program(OTHER_PROGRAM, "0,0,10,10", DISPLAY=x_display, QT_QPA_PLATFORM="xcb"),
    ):
        desktop.seesay("app", "--model", str(tiny_model))
        yield desktop


@pytest.fixture(scope="module")
def reader(desktop: Desktop) -> Iterator[Reader]:
    reader = Reader(desktop.environment)
    reader.find("frame", "Seesay")
    wait_for(lambda: status(reader) == "Ready.", "the model")
    yield reader
    reader.close()


def status(reader: Reader) -> str:
    return reader.find("label", "Status: ")["name"].removeprefix("Status: ")


def sentence(reader: Reader) -> str:
    return reader.find("text", "Description")["text"]


def focus_window(desktop: Desktop) -> None:
    # Qt has a window of the same name that nobody sees, and that is never activated.
    (window,) = desktop.xdotool("search", "--onlyvisible", "--name", "^Seesay$").split()
    desktop.xdotool("windowactivate", "--sync", window)


def kept(desktop: Desktop) -> list[Any]:
    history = History(desktop.home / ".local" / "share" / "seesay" / "history.sqlite3")
    try:
        return history.page(limit=100)
    finally:
        history.close()


def test_everything_that_can_have_the_focus_has_a_role_and_a_name(reader: Reader) -> None:
    nodes = [node for node in reader.tree() if "FOCUSABLE" in node["states"]]
    assert len(nodes) > 15
    bad = [node for node in nodes if node["role"] in _MEANINGLESS or not node["name"].strip()]
    assert bad == []


def test_no_two_siblings_share_a_name(reader: Reader) -> None:
    def parent(node: dict[str, Any]) -> list[int]:
        return node["path"][:-1]

    shown = [node for node in reader.tree() if "SHOWING" in node["states"] and node["name"]]
    for path, siblings in itertools.groupby(sorted(shown, key=parent), key=parent):
        names = [(node["role"], node["name"]) for node in siblings]
        assert len(names) == len(set(names)), path


def test_tab_reaches_everything_and_returns(desktop: Desktop, reader: Reader) -> None:
    focus_window(desktop)
    wanted = {
        (node["role"], node["name"])
        for node in reader.tree()
        if {"FOCUSABLE", "SHOWING", "ENABLED"} <= set(node["states"])
        # A list takes the focus as a whole, and Alt goes to the menus.
        and node["role"] not in ("list item", "menu item", "menu bar", "frame", "scroll pane")
    }
    reached: list[tuple[str, str]] = []

    def focused(kind: str, value: Any) -> bool:
        return kind == "event" and value["type"].startswith("object:state-changed:focused")

    for _ in range(3 * len(wanted)):
        desktop.press("Tab")
        event = reader.lines.wait(focused)
        reached.append((event["role"], event["name"]))
        if len(reached) > 1 and reached[-1] == reached[0]:
            break
    assert reached[-1] == reached[0], "Tab does not come back"
    assert wanted - set(reached) == set()


def test_a_hotkey_elsewhere_describes_the_screen(desktop: Desktop, reader: Reader) -> None:
    before = len(kept(desktop))
    heard = desktop.loudspeaker.seconds
    desktop.press("ctrl+shift+F8")
    wait_for(lambda: len(kept(desktop)) == before + 1, "the entry")
    entry = kept(desktop)[0]
    assert entry.source == "screen"
    assert reader.announced(lambda text: text == entry.caption.spoken)
    wait_for(lambda: sentence(reader) == entry.caption.spoken, "the sentence in the window")
    assert reader.find("list item", entry.caption.spoken[:20])
    wait_for(lambda: desktop.loudspeaker.seconds > heard + 0.5, "the voice")


def test_a_button_is_pressed_by_an_accessible_action(desktop: Desktop, reader: Reader) -> None:
    before = len(kept(desktop))
    button = reader.find("push button", "Describe screen")
    assert "Ctrl+Shift+F8" in button["description"]
    reader.act(button, "Press")
    wait_for(lambda: len(kept(desktop)) == before + 1, "the entry")
    assert reader.announced(lambda text: text == kept(desktop)[0].caption.spoken)


def test_escape_silences_and_repeat_says_it_again(desktop: Desktop, reader: Reader) -> None:
    focus_window(desktop)
    last = kept(desktop)[0].caption.spoken
    wait_for(lambda: sentence(reader) == last, "the sentence in the window")
    desktop.press("ctrl+r")
    assert reader.announced(lambda text: text == last)
    desktop.press("Escape")
    wait_for(lambda: status(reader) in ("Stopped.", "Ready."), "silence")


def test_a_second_start_hands_its_picture_over(
    desktop: Desktop, reader: Reader, tmp_path: Path
) -> None:
    draw(tmp_path / "shared picture.png", "blue")
    before = len(kept(desktop))
    second = desktop.seesay("app", str(tmp_path / "shared picture.png"))
    assert second.wait(60) == 0
    wait_for(lambda: len(kept(desktop)) == before + 1, "the entry")
    assert kept(desktop)[0].source == "file"
    draw(tmp_path / "bad.png")
    (tmp_path / "bad.png").write_bytes(b"no picture")
    assert desktop.seesay("app", str(tmp_path / "bad.png")).wait(60) == 0
    assert reader.announced(lambda text: "bad.png" in text)


def test_words_that_come_after_the_sentence_are_not_announced(
    desktop: Desktop, reader: Reader, tmp_path: Path
) -> None:
    Image.fromarray(snapshot(3)).save(tmp_path / "photo.png")
    focus_window(desktop)
    desktop.press("ctrl+f")
    desktop.press("shift+Tab")
    words = reader.find("list", "Words")
    wait_for(lambda: "FOCUSED" in reader.find("list", "Words")["states"], "the focus")
    assert desktop.seesay("app", str(tmp_path / "photo.png")).wait(60) == 0
    begin = len(reader.lines.seen)
    spoken = reader.announced(lambda text: text.startswith("Perhaps: "))
    wait_for(lambda: [one.word for one in kept(desktop)[0].caption.words], "the words in the entry")
    shown = reader.find("list item", kept(desktop)[0].caption.words[-1].word)
    assert shown["path"][:-1] == words["path"]
    after = reader.find("list", "Words")
    assert (after["name"], after["description"]) == (words["name"], words["description"])
    assert "FOCUSED" in after["states"]
    events = [value for kind, value in reader.lines.seen[begin:] if kind == "event"]
    values = [event["value"] for event in events]
    assert [value for value in values if value != "Still looking."] == [spoken]


def test_many_presses_are_one_answer(desktop: Desktop, reader: Reader) -> None:
    before = len(kept(desktop))
    desktop.xdotool("key", "--delay", "20", *["ctrl+shift+F8"] * 30)
    wait_for(lambda: len(kept(desktop)) > before, "an entry")
    wait_for(lambda: status(reader) == "Ready.", "the end")
    assert len(kept(desktop)) - before < 30
    assert "Traceback" not in desktop.log()


def camera_light(reader: Reader) -> str:
    return reader.find("label", "Camera is")["name"]


def test_the_camera_is_open_only_while_it_is_needed(
    desktop: Desktop, reader: Reader, camera: CameraServer
) -> None:
    before = len(kept(desktop))
    desktop.press("ctrl+shift+F7")

    # Of the many presses before, one may be answered only now.
    def is_kept() -> bool:
        entries = kept(desktop)
        return len(entries) > before and entries[0].source == "camera"

    wait_for(is_kept, "the entry")
    wait_for(lambda: camera_light(reader) == "Camera is off", "the indicator")
    wait_for(lambda: camera.clients == 0, "the camera to be let go")


def test_live_tells_when_the_camera_goes_and_comes_back(
    desktop: Desktop, reader: Reader, camera: CameraServer
) -> None:
    desktop.press("ctrl+shift+F3")
    assert reader.announced(lambda text: text.startswith("Live"))
    wait_for(lambda: camera_light(reader) == "Camera is on", "the indicator")
    assert "CHECKED" in reader.find("check box", "Live")["states"]

    def seconds_to_be_told() -> float:
        wait_for(lambda: camera.clients == 1, "the stream")
        camera.stop()
        gone = time.monotonic()
        assert reader.announced(lambda text: text.startswith("The camera is gone"))
        taken = time.monotonic() - gone
        camera.start()
        assert reader.announced(lambda text: text == "The camera is back.")
        return taken

    # 3 seconds, and half of one to hear of it here, but for what other programs do meanwhile.
    assert any(seconds_to_be_told() < 3.5 for _ in range(3))
    desktop.press("ctrl+shift+F3")
    assert reader.announced(lambda text: text.startswith("Live is off"))
    wait_for(lambda: camera_light(reader) == "Camera is off", "the indicator")
    wait_for(lambda: camera.clients == 0, "the camera to be let go")
