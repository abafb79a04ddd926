"""Live mode: every new scene is told once, and nothing without one."""

import io
import itertools
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from desktop.description import Description
from desktop.history_entry import Entry
from desktop.power_saver import battery_is_saved
from desktop.program import Program
from tests.camera_parts import CameraServer, camera_server
from tests.desktop_parts import a_bus
from tests.rendered_pages import Look, article

skimage_data = pytest.importorskip("skimage.data", reason="scikit-image is not installed")

WAIT = 60_000  # ms; the model is loaded within
EACH = 5.0  # seconds that a scene lasts
TOLD_WITHIN = 4.0  # seconds; hardly one on a machine that does nothing else

Start = Callable[..., Program]


def frames(pixels: np.ndarray, number: int = 24) -> list[bytes]:
    """A still scene as a poor camera sees it: noise, flicker, a shaking hand, bad JPEG."""
    random = np.random.default_rng(0)
    seen: list[bytes] = []
    for _ in range(number):
        left, top = random.integers(0, 9, 2)
        light = random.uniform(0.85, 1.15)
        view = Image.fromarray(pixels).resize((328, 248)).crop((left, top, left + 320, top + 240))
        noisy = np.asarray(view) * light + random.normal(0, 8, (240, 320, 3))
        file = io.BytesIO()
        image = Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
        image.save(file, "jpeg", quality=int(random.integers(50, 90)))
        seen.append(file.getvalue())
    return seen


class Film:
    """Scenes one after the other, each for the same time; the first one also before `roll`."""

    def __init__(self, *scenes: np.ndarray) -> None:
        self.scenes = [itertools.cycle(frames(scene)) for scene in scenes]
        self.began: float | None = None

    def roll(self) -> None:
        self.began = time.monotonic()

    def scene(self, at: float) -> int:
        number = 0 if self.began is None else int((at - self.began) / EACH)
        return min(number, len(self.scenes) - 1)

    def frame(self) -> bytes:
        return next(self.scenes[self.scene(time.monotonic())])

    @property
    def over(self) -> bool:
        seconds = EACH * len(self.scenes)
        return self.began is not None and time.monotonic() - self.began > seconds


@pytest.fixture
def start(tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts the program with its own model before a camera; ready when it returns."""
    for name, folder in (("HOME", ""), ("XDG_CONFIG_HOME", "config"), ("XDG_DATA_HOME", "data")):
        monkeypatch.setenv(name, str(tmp_path / folder))
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/no-bus")
    started: list[Program] = []

    def begin(camera: CameraServer, speech: str = "silent", more: str = "") -> Program:
        folder = tmp_path / "config" / "seesay"
        folder.mkdir(parents=True)
        settings = f'welcomed = true\nearcons = false\nspeech = "{speech}"\n'
        (folder / "settings.toml").write_text(f'{settings}camera = "{camera.url}"\n{more}')
        program = Program()
        started.append(program)
        with qtbot.waitSignal(program.captioning.ready, timeout=WAIT):
            program.start(minimised=True)
        return program

    yield begin
    for program in started:
        program.close()
        program.window.deleteLater()


def dark(pixels: np.ndarray) -> np.ndarray:
    return pixels // 40


def has_its_words(entry: Entry) -> bool:
    return bool(entry.caption.words) == bool(entry.caption.caption)


def test_every_cut_is_told_once_and_nothing_without_one(start: Start, qtbot: QtBot) -> None:
    astronaut, coffee = skimage_data.astronaut(), skimage_data.coffee()
    cat, rocket = skimage_data.chelsea(), skimage_data.rocket()
    film = Film(astronaut, coffee, cat, rocket)
    with camera_server(film.frame, rate=15) as camera:
        program = start(camera)
        told: list[tuple[float, Description]] = []
        program.flow.described.connect(lambda one: told.append((time.monotonic(), one)))
        program.do("live")
        qtbot.waitUntil(lambda: bool(told), timeout=WAIT)
        film.roll()
        qtbot.waitUntil(lambda: film.over, timeout=WAIT)
        # The words come after the sentence.
        qtbot.waitUntil(lambda: all(map(has_its_words, program.history.page())), timeout=WAIT)
        assert any(one.caption.words for one in program.history.page())
    assert film.began is not None
    late = [(when - film.began) % EACH for when, _ in told[1:]]
    assert [film.scene(when) for when, _ in told] == [0, 1, 2, 3], late
    assert max(late) < TOLD_WITHIN, late
    assert "cat" in told[2][1].caption.spoken


class Wall:
    """A camera before one scene, until another is put there."""

    def __init__(self, scene: np.ndarray) -> None:
        self.show(scene)

    def show(self, scene: np.ndarray | list[bytes]) -> None:
        seen = scene if isinstance(scene, list) else frames(scene, 12)
        self._frames = itertools.cycle(seen)

    def frame(self) -> bytes:
        return next(self._frames)


@pytest.fixture
def wall() -> Wall:
    return Wall(skimage_data.coffee())


def test_it_interrupts_neither_speech_nor_the_users_own_requests(
    start: Start, wall: Wall, qtbot: QtBot
) -> None:
    cat = frames(skimage_data.chelsea(), 12)
    with camera_server(wall.frame, rate=15) as camera:
        program = start(camera, speech="screen_reader")
        with qtbot.waitSignal(program.flow.described, timeout=WAIT):
            program.do("live")
        with qtbot.waitSignal(program.flow.described, timeout=WAIT) as answer:
            with qtbot.waitSignal(
                program.sources.taken,
                timeout=WAIT,
                check_params_cb=lambda order, _: not order.quiet,
            ):
                program.do("camera")
            wall.show(cat)
        asked = time.monotonic()
        description = (answer.args or [])[0]
        with qtbot.waitSignal(program.flow.described, timeout=WAIT) as news:
            pass
        # A screen reader needs as long for the answer.
        assert time.monotonic() - asked > 0.05 * len(description.caption.spoken)
        assert "cat" in (news.args or [])[0].caption.spoken


def test_a_covered_lens_is_told_once_and_its_end_too(
    start: Start, wall: Wall, qtbot: QtBot
) -> None:
    told: list[str] = []
    wall.show(skimage_data.chelsea())
    with camera_server(wall.frame, rate=15) as camera:
        program = start(camera)
        program.flow.described.connect(lambda one: told.append(one.caption.spoken))
        program.do("live")
        qtbot.waitUntil(lambda: len(told) == 1, timeout=WAIT)
        assert "cat" in told[0]
        wall.show(skimage_data.chelsea() // 40)
        qtbot.waitUntil(lambda: len(told) == 2, timeout=WAIT)
        covered = time.monotonic()
        assert "black" in told[1] or "dark" in told[1]
        qtbot.waitUntil(lambda: time.monotonic() - covered > 3, timeout=WAIT)
        assert len(told) == 2
        wall.show(skimage_data.chelsea())
        qtbot.waitUntil(lambda: len(told) == 3, timeout=WAIT)
        assert "cat" in told[2]


def test_whatever_is_pressed_during_a_look_it_goes_on(
    start: Start, wall: Wall, qtbot: QtBot
) -> None:
    described: list[Description] = []
    actions = ["stop", "repeat", "camera", "live", "stop", "live"]
    with camera_server(wall.frame, rate=15) as camera:
        program = start(camera)
        program.flow.described.connect(described.append)
        program.do("live")
        for press in range(36):  # at any moment of a look
            qtbot.wait(37 * press % 150)
            program.do(actions[press % len(actions)])
        before = len(described)
        wall.show(skimage_data.chelsea())
        qtbot.waitUntil(
            lambda: any("cat" in one.caption.spoken for one in described[before:]), timeout=WAIT
        )


def test_the_end_of_the_program_does_not_wait_for_a_camera_that_hangs(
    start: Start, wall: Wall, qtbot: QtBot
) -> None:
    with camera_server(wall.frame, rate=15) as camera:
        program = start(camera)
        with qtbot.waitSignal(program.flow.described, timeout=WAIT):
            program.do("live")
        camera.mode = "stall"
        with qtbot.waitSignal(program.sources.failed, timeout=WAIT):
            pass
        began = time.monotonic()
        program.close()
        assert time.monotonic() - began < 8


POWER_PROFILES = """
import sys
from jeepney import *
from jeepney.io.blocking import open_dbus_connection

# The service of Linux desktops that knows the power profile; argument: its name, and the profile.
connection = open_dbus_connection("SESSION")
connection.send_and_get_reply(message_bus.RequestName(sys.argv[1]))
print("ready", flush=True)
while True:
    call = connection.receive()
    if call.header.message_type == MessageType.method_call:
        assert call.header.fields[HeaderFields.path] == "/" + sys.argv[1].replace(".", "/")
        assert call.body == (sys.argv[1], "ActiveProfile")
        connection.send(new_method_return(call, "v", (("s", sys.argv[2]),)))
"""


class SystemBus:
    """A system bus of its own, with a power profile."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._service: subprocess.Popen[str] | None = None

    def offer(self, name: str, profile: str) -> None:
        self.end()
        self._service = subprocess.Popen(
            [sys.executable, "-c", POWER_PROFILES, name, profile],
            env={"DBUS_SESSION_BUS_ADDRESS": self._address},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._service.stdout is not None
        assert self._service.stdout.readline() == "ready\n"

    def end(self) -> None:
        if self._service is not None:
            self._service.kill()
            self._service.communicate()


@pytest.fixture
def system_bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[SystemBus]:
    with a_bus() as (_, address):
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        bus = SystemBus(address)
        yield bus
        bus.end()


@pytest.mark.parametrize(
    "name", ["org.freedesktop.UPower.PowerProfiles", "net.hadess.PowerProfiles"]
)
def test_the_battery_saver_is_seen(system_bus: SystemBus, name: str) -> None:
    assert not battery_is_saved()  # nobody tells
    system_bus.offer(name, "power-saver")
    assert battery_is_saved()
    system_bus.offer(name, "balanced")
    assert not battery_is_saved()


def test_live_waits_while_the_battery_is_saved(
    system_bus: SystemBus, start: Start, wall: Wall, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    with camera_server(wall.frame, rate=15) as camera:
        program = start(camera)
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", system_bus._address)
        system_bus.offer("net.hadess.PowerProfiles", "power-saver")
        program.flow.told.connect(told.append)
        program.do("live")
        qtbot.waitUntil(lambda: any("battery saver is on" in one for one in told), timeout=WAIT)
        qtbot.waitUntil(lambda: camera.clients == 0, timeout=WAIT)
        wall.show(skimage_data.chelsea())  # in case it told of what was there before
        system_bus.offer("net.hadess.PowerProfiles", "balanced")
        with qtbot.waitSignal(program.flow.described, timeout=WAIT):
            pass
    assert any("goes on" in one for one in told)


@pytest.mark.parametrize("read", [True, False])
def test_a_page_before_the_camera_is_kept_with_all_of_its_text_if_text_is_read(
    read: bool, start: Start, qtbot: QtBot
) -> None:
    page = article(Look(size=13), 3)
    file = io.BytesIO()
    Image.fromarray(page.pixels).save(file, "jpeg", quality=95)
    with camera_server(file.getvalue, rate=5) as camera:
        program = start(camera, more="" if read else "read_text = false\n")
        with qtbot.waitSignal(program.flow.completed, timeout=WAIT) as blocker:
            program.do("live")
    caption = (blocker.args or [])[0]
    assert caption.caption is None
    assert len(" ".join(caption.text).split()) > 80 if read else not caption.text
    qtbot.waitUntil(lambda: program.history.page()[0].caption.text == caption.text, timeout=WAIT)


def test_aiming_tells_how_to_hold_the_camera(start: Start, qtbot: QtBot) -> None:
    face = Film(skimage_data.astronaut()[:280, 60:380])
    with camera_server(face.frame, rate=15) as camera:
        program = start(camera)
        told: list[str] = []
        program.flow.told.connect(told.append)
        program.do("aim")
        qtbot.waitUntil(lambda: any("One face" in sentence for sentence in told), timeout=WAIT)
        # What is described next is not taken for something to aim at.
        with qtbot.waitSignal(program.flow.described, timeout=WAIT):
            program.do("camera")
