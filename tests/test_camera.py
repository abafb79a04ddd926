"""Cameras: a fresh picture in time, and what happens when they stop, stall or send nonsense."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from queue import Queue

import numpy as np
import pytest
import shiboken6
from numpy.typing import NDArray
from pytestqt.qtbot import QtBot

from desktop.camera import CameraError, CameraReader, State, list_cameras, take_picture
from desktop.camera_device import exposure_settled
from desktop.sources import Sources
from tests.camera_parts import CameraServer, Mode, camera_server, jpeg

RED, BLUE = (200, 20, 20), (20, 20, 200)


@pytest.fixture(scope="module", autouse=True)
def opencv() -> None:
    list_cameras(60)  # loads OpenCV, which may take its time on a busy machine


@pytest.fixture
def camera() -> Iterator[CameraServer]:
    with camera_server(lambda: jpeg(RED)) as server:
        yield server


@pytest.fixture
def states() -> "Queue[State]":
    return Queue()


def shows(pixels: NDArray[np.uint8], colour: tuple[int, int, int]) -> bool:
    return bool(np.abs(pixels.astype(int) - colour).max() < 30)


def test_a_picture_of_a_stream(camera: CameraServer, capfd: pytest.CaptureFixture[str]) -> None:
    picture = take_picture(camera.url)
    assert (picture.width, picture.height) == (320, 240)
    assert shows(picture.pixels, RED)
    assert picture.name == "127.0.0.1"
    assert capfd.readouterr() == ("", "")


def test_a_password_in_the_address_is_not_told(camera: CameraServer) -> None:
    address = camera.url.replace("127", "me:secret@127")
    assert "secret" not in take_picture(address).name
    camera.stop()
    with pytest.raises(CameraError) as told:
        take_picture(address, 0.5)
    assert "secret" not in str(told.value)


def test_the_picture_is_of_now_and_not_of_a_buffer(camera: CameraServer) -> None:
    reader = CameraReader(camera.url)
    reader.picture()
    for colour in (BLUE, RED, BLUE):
        camera.frame = partial(jpeg, colour)
        time.sleep(0.5)  # frames pass that nobody asks for
        assert shows(reader.picture().pixels, colour)
    reader.close()


def test_a_stream_that_changes_its_size_still_gives_whole_pictures(camera: CameraServer) -> None:
    reader = CameraReader(camera.url)
    assert reader.picture().width == 320
    camera.frame = lambda: jpeg(BLUE, (480, 640))
    deadline = time.monotonic() + 3
    while not shows(reader.picture().pixels, BLUE):
        assert time.monotonic() < deadline
    reader.close()
    assert (take_picture(camera.url).width, take_picture(camera.url).height) == (480, 640)


@pytest.mark.parametrize("mode", ["silent", "stall", "garbage", "cut", "refuse"])
def test_a_camera_that_sends_no_picture_is_told_in_time(camera: CameraServer, mode: Mode) -> None:
    camera.mode = mode

    def seconds() -> float:
        start = time.monotonic()
        with pytest.raises(CameraError, match="does not answer: check"):
            take_picture(camera.url)
        return time.monotonic() - start

    # Other programs are in the way of some; what is too slow by itself is so each time.
    assert any(seconds() < 3.3 for _ in range(3))


def test_half_pictures_do_no_harm(camera: CameraServer) -> None:
    reader = CameraReader(camera.url)
    reader.picture()
    modes: tuple[Mode, ...] = ("halves", "garbage", "halves", "garbage")
    for mode in modes:
        camera.mode = mode
        time.sleep(0.3)
    camera.mode = "send"
    assert reader.picture().width == 320
    reader.close()


def test_one_camera_that_hangs_does_not_hold_up_another(camera: CameraServer) -> None:
    with camera_server(lambda: jpeg(BLUE)) as hanging:
        hanging.mode = "silent"
        reader = CameraReader(hanging.url)
        while not hanging.clients:
            time.sleep(0.01)

        def seconds() -> float:
            start = time.monotonic()
            assert shows(take_picture(camera.url).pixels, RED)
            return time.monotonic() - start

        assert any(seconds() < 1.5 for _ in range(3))
        reader.close()


def test_a_stream_that_stops_is_told_and_comes_back(
    camera: CameraServer, states: "Queue[State]"
) -> None:
    reader = CameraReader(camera.url, states.put)
    assert [states.get(timeout=20), states.get(timeout=20)] == ["opening", "open"]

    def seconds_to_be_told() -> float:
        camera.stop()
        start = time.monotonic()
        assert states.get(timeout=20) == "lost"
        with pytest.raises(CameraError, match="does not answer"):
            reader.picture()
        taken = time.monotonic() - start
        camera.start()
        assert states.get(timeout=20) == "open"
        assert shows(reader.picture().pixels, RED)
        return taken

    assert any(seconds_to_be_told() < 6 for _ in range(3))
    reader.close()
    assert states.get(timeout=20) == "closed"
    assert states.empty()


def test_a_stream_that_stalls_is_told_and_comes_back(
    camera: CameraServer, states: "Queue[State]"
) -> None:
    reader = CameraReader(camera.url, states.put)
    assert [states.get(timeout=20), states.get(timeout=20)] == ["opening", "open"]

    def seconds_to_be_told() -> float:
        camera.mode = "stall"
        start = time.monotonic()
        assert states.get(timeout=20) == "lost"
        taken = time.monotonic() - start
        camera.mode = "send"
        assert states.get(timeout=20) == "open"
        return taken

    assert any(seconds_to_be_told() < 3 for _ in range(3))
    reader.close()
    assert states.get(timeout=20) == "closed"


def test_a_camera_that_goes_in_the_midst_of_a_picture_comes_back(
    camera: CameraServer, states: "Queue[State]"
) -> None:
    reader = CameraReader(camera.url, states.put)
    assert [states.get(timeout=20), states.get(timeout=20)] == ["opening", "open"]
    camera.mode = "cut"
    assert states.get(timeout=20) == "lost"
    camera.frame, camera.mode = partial(jpeg, BLUE, (480, 640)), "send"
    assert states.get(timeout=20) == "open"
    picture = reader.picture()
    assert (picture.width, picture.height) == (480, 640)
    assert shows(picture.pixels, BLUE)
    reader.close()


def test_a_short_gap_is_not_told(camera: CameraServer, states: "Queue[State]") -> None:
    reader = CameraReader(camera.url, states.put)
    reader.picture()
    camera.stop()
    camera.start()
    assert shows(reader.picture().pixels, RED)
    reader.close()
    assert [states.get(timeout=20) for _ in range(3)] == ["opening", "open", "closed"]


def test_closing_makes_nobody_wait(camera: CameraServer) -> None:
    def seconds() -> float:
        reader = CameraReader(camera.url)
        reader.picture()
        start = time.monotonic()
        reader.close()
        return time.monotonic() - start

    # One that waits for the stream does so each time; other programs are in the way of some.
    assert any(seconds() < 0.05 for _ in range(5))


def test_closing_lets_go_of_the_stream(camera: CameraServer, states: "Queue[State]") -> None:
    reader = CameraReader(camera.url, states.put)
    reader.picture()
    reader.close()
    while states.get(timeout=20) != "closed":
        pass
    deadline = time.monotonic() + 3
    while camera.clients and time.monotonic() < deadline:
        time.sleep(0.01)
    assert camera.clients == 0
    with pytest.raises(CameraError):
        reader.picture()


@pytest.mark.skipif(
    os.path.exists("/dev/video0") or sys.platform != "linux",
    reason="needs a machine without camera",
)
@pytest.mark.parametrize(
    ("camera_setting", "sentence"),
    [
        ("", "No camera found: connect one, or press F6 for the camera list."),
        ("0", "The camera does not answer: check that it is connected and"),
        ("/dev/video77", "The camera of the settings is not there: connect it, or press F6"),
        ("/dev/null", "The camera does not answer: "),
        ("http://[::1", "The address of the camera cannot be used: "),
        ("gopher://camera", "The address of the camera cannot be used: "),
        (__file__, "The camera of the settings is not there: "),
        ("a\0b", "The camera of the settings is not there: "),
    ],
)
def test_cameras_that_are_not_there(
    camera_setting: str, sentence: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CameraError) as told:
        take_picture(camera_setting)
    assert str(told.value).startswith(sentence)
    assert list_cameras() == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("at_exit", ["reader", "reader.close()", "reader.picture()"])
def test_the_program_ends_cleanly_whatever_the_camera_does(
    camera: CameraServer, at_exit: str
) -> None:
    code = "from desktop.camera import CameraReader, list_cameras; list_cameras(60); "
    code += f"reader = CameraReader({camera.url!r}); "
    ended = subprocess.run(
        [sys.executable, "-c", code + "reader.picture(); " + at_exit],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_the_exposure_settles_before_a_picture_is_taken() -> None:
    assert not exposure_settled([100], 0.0)
    assert not exposure_settled([5, 5, 5], 0.1)  # still black: the sensor starts
    assert not exposure_settled([10, 30, 60, 80, 95], 0.2)
    assert exposure_settled([10, 60, 95, 99.5, 100, 100.2], 0.3)
    assert exposure_settled([10, 60, 10, 60, 10, 60], 1.1)  # a lamp that flickers


def test_a_camera_may_close_after_the_program(
    camera: CameraServer, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    problems: list[object] = []

    def note(problem: threading.ExceptHookArgs) -> None:
        if problem.thread is not None and problem.thread.name.startswith("camera"):
            problems.append(problem)

    monkeypatch.setattr(threading, "excepthook", note)
    sources = Sources()
    sources.camera = camera.url
    with qtbot.waitSignal(sources.camera_open, timeout=20_000):
        sources.keep_camera(True)
    sources.close()
    shiboken6.delete(sources)
    for thread in threading.enumerate():
        if thread.name == "camera":
            thread.join(20)
            assert not thread.is_alive()
    assert not problems


def test_a_camera_that_closes_late_does_not_hide_that_another_is_open(
    camera: CameraServer, qtbot: QtBot
) -> None:
    sources = Sources()
    told: list[bool] = []
    sources.camera_open.connect(told.append)
    with camera_server(lambda: jpeg(BLUE)) as other:
        sources.use_camera(camera.url)
        sources.keep_camera(True)
        qtbot.waitUntil(lambda: told == [True], timeout=10_000)
        camera.mode = "stall"  # what reads it hangs, and does not see that it shall close
        qtbot.waitUntil(lambda: sources.lost, timeout=10_000)
        sources.use_camera(other.url)
        qtbot.waitUntil(lambda: len(sources._open) == 2, timeout=10_000)
        qtbot.waitUntil(lambda: len(sources._open) == 1, timeout=20_000)  # the first one closed
        sources.close()
        qtbot.waitUntil(lambda: told[-1] is False, timeout=10_000)
        assert told == [True, True, False]
