"""One fresh picture of a camera, and a reader that comes back when the camera returns."""

import atexit
import contextlib
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.picture import Picture, open_picture
from desktop.camera_device import (
    Camera,
    CameraError,
    OpenCamera,
    exposure_settled,
    list_cameras,
    no_answer,
    open_camera,
)

__all__ = ["Camera", "CameraError", "CameraReader", "State", "list_cameras", "take_picture"]

State = Literal["opening", "open", "lost", "closed"]

_LOST_AFTER = 2.5  # seconds without a frame, so that it is said within 3
_ENDS_AFTER = 0.5  # seconds in which every read fails at once: the stream is at its end
_GIVE_UP_AFTER = 10.0  # seconds that one attempt may take; then it is left behind
_BACKOFF = (0.25, 2.0)  # seconds before another attempt: the first, the longest
_ATTEMPTS = 3  # that fail until picture() raises: a device that was just closed is busy at first
_MOST_LEFT_BEHIND = 2  # threads that hang, beyond which a reader starts no more


def take_picture(camera: str, timeout: float = 3.0) -> Picture:
    """Open a camera, take one picture, and close it.

    Args:
        camera: its number, device or address, as in `CameraReader`.
        timeout: seconds until this returns or raises, whatever the camera does.

    Raises:
        CameraError: no picture came; the message is one sentence for the user.
    """
    reader = CameraReader(camera)
    try:
        return reader.picture(timeout)
    finally:
        reader.close()


class CameraReader:
    """Keeps a camera open until it is closed, and opens it again when it was lost.

    Threads of its own do all that may block; no method waits for them longer than it says.
    """

    def __init__(self, camera: str, on_state: Callable[[State], None] | None = None) -> None:
        """Begin to open the camera; returns at once.

        Args:
            camera: a number such as "0", a device such as "/dev/video0", the address of a stream
                (http, https, rtsp, rtmp, tcp or udp), or "" for the first camera.
            on_state: told every change, from a thread of the reader's: ``opening``; ``open`` at
                the first frame; ``lost`` when none came for 2.5 seconds, and then either ``open``
                again or ``closed``. That is the last one: it comes after `close`, when the
                camera is free for others.
        """
        self._camera = camera
        self._on_state = on_state
        self._state: State | None = None
        self._changed = threading.Condition()  # guards what follows and the grabber's attributes
        self._closing = threading.Event()
        self._failed = 0  # attempts
        self._problem: CameraError | None = None  # of the last attempt, until a frame comes
        self._last_sign = time.monotonic()  # the last frame, or the beginning
        self._grabber = _Grabber(camera, self._changed)
        self._keeper = threading.Thread(target=self._keep_open, name="camera", daemon=True)
        self._keeper.start()
        _readers.add(self)

    def picture(self, timeout: float = 3.0) -> Picture:
        """A picture taken after this was called; its name is the camera's.

        Where a stream changes its size, its pictures are scaled to the first until it is reopened.
        Blocks for up to ``timeout`` seconds: call it from a thread.

        Raises:
            CameraError: none came, or the camera was closed.
        """
        asked = time.monotonic()
        with self._changed:
            hopeless = self._failed + _ATTEMPTS

            def decided() -> bool:
                self._grabber.wanted = True
                fresh = self._grabber.frame_time >= asked
                return fresh or self._closing.is_set() or self._failed >= hopeless

            self._changed.wait_for(decided, timeout)
            grabber = self._grabber
            frame, name = grabber.frame, grabber.title
            if frame is None or grabber.frame_time < asked:
                raise self._problem or no_answer(self._camera)
        return replace(open_picture(frame[:, :, ::-1]), name=name)  # BGR -> RGB

    def close(self) -> None:
        """Let go of the camera; returns at once."""
        with self._changed:
            self._closing.set()
            self._changed.notify_all()

    def wait_closed(self, timeout: float) -> None:
        """After `close`: wait until the camera is free for others, up to ``timeout`` seconds."""
        self._keeper.join(timeout)

    def _keep_open(self) -> None:
        self._tell("opening")
        left_behind: list[_Grabber] = []
        backoff = _BACKOFF[0]
        while True:
            self._watch()
            self._grabber.stop()
            if self._closing.is_set():
                break
            left_behind.append(self._grabber)
            if self._grabber.last_sign is not None:
                backoff = _BACKOFF[0]
            self._pause(backoff)
            backoff = min(2 * backoff, _BACKOFF[1])
            while sum(grabber.is_alive() for grabber in left_behind) > _MOST_LEFT_BEHIND:
                self._pause(_BACKOFF[1])
                if self._closing.is_set():
                    break
            left_behind = [grabber for grabber in left_behind if grabber.is_alive()]
            with self._changed:
                if self._closing.is_set():
                    break
                self._grabber = _Grabber(self._camera, self._changed)
        if self._grabber.is_alive():
            self._grabber.join(_LOST_AFTER)
        self._tell("closed")

    def _watch(self) -> None:
        """Run one attempt to its end, telling the state meanwhile."""
        grabber = self._grabber
        grabber.start()
        started = time.monotonic()
        while not self._closing.is_set():
            with self._changed:
                self._changed.wait(0.1)
                if grabber.last_sign is not None:
                    self._last_sign = grabber.last_sign
                    self._problem = None
                over = grabber.problem is not None
                if over:
                    self._problem = grabber.problem
                    self._failed += 1
                    self._changed.notify_all()
            self._tell_silence()
            if over or time.monotonic() - max(started, self._last_sign) > _GIVE_UP_AFTER:
                return

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._closing.is_set() and (left := until - time.monotonic()) > 0:
            with self._changed:
                self._changed.wait(min(left, 0.1))
            self._tell_silence()

    def _tell_silence(self) -> None:
        if time.monotonic() - self._last_sign > _LOST_AFTER:
            self._tell("lost")
        elif self._grabber.last_sign is not None:
            self._tell("open")

    def _tell(self, state: State) -> None:
        if state != self._state:
            self._state = state
            if self._on_state is not None:
                self._on_state(state)


class _Grabber(threading.Thread):
    """One attempt to open and read: the only thread that touches its capture.

    It reads all the time, so that no frame grows old in a buffer, but decodes only what is wanted.

    Attributes, guarded by the condition, which is notified of a first frame, a wanted one, the end:
        wanted: set by who waits for a frame.
        frame: (height, width, 3) BGR, the last that was wanted.
        frame_time: when that came; -1 before.
        title: the camera's name.
        last_sign: when the last frame came, wanted or not.
        problem: set when the attempt has ended.
    """

    def __init__(self, camera: str, changed: threading.Condition) -> None:
        super().__init__(name="camera grabber", daemon=True)
        self.wanted = True
        self.frame: NDArray[np.uint8] | None = None
        self.frame_time = -1.0
        self.title = ""
        self.last_sign: float | None = None
        self.problem: CameraError | None = None
        self._camera = camera
        self._changed = changed
        self._stopping = False

    def stop(self) -> None:
        """Ask it to end after the call that it is in."""
        self._stopping = True

    def run(self) -> None:
        """Open the camera, and read until stopped or at the end."""
        problem = None
        # Drivers and codecs fail in their own ways; all are the end of this attempt.
        with contextlib.suppress(Exception):
            try:
                camera = open_camera(self._camera)
            except CameraError as error:
                problem = error
            else:
                try:
                    self._read(camera)
                finally:
                    camera.capture.release()
        with self._changed:
            self.problem = problem or no_answer(self._camera)
            self._changed.notify_all()

    def _read(self, camera: OpenCamera) -> None:
        self.title = camera.name
        levels: list[float] = []  # mean grey level of each frame until the exposure has settled
        settled = not camera.adapts
        failing_since: float | None = None
        while not self._stopping:
            before = time.monotonic()
            if not camera.capture.grab():
                # One damaged frame is not the end.
                failing_since = failing_since or before
                if time.monotonic() - failing_since > _ENDS_AFTER:
                    return
                time.sleep(0.02)
                continue
            failing_since = None
            came = time.monotonic()
            with self._changed:
                first = self.last_sign is None
                self.last_sign = came
                if first:
                    began = came
                    self._changed.notify_all()
            if settled and not self.wanted:
                continue
            good, frame = camera.capture.retrieve()
            if not good or frame is None or frame.ndim != 3 or frame.shape[2] != 3:
                continue
            if not settled:
                levels.append(float(frame[::8, ::8].mean()))
                settled = exposure_settled(levels, came - began)
            if settled:
                with self._changed:
                    self.frame, self.frame_time, self.wanted = frame, came, False
                    self._changed.notify_all()


_readers: weakref.WeakSet[CameraReader] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    # The interpreter must not end under a thread that is in a driver, unless that hangs.
    for reader in list(_readers):
        reader.close()
    for reader in list(_readers):
        reader.wait_closed(1.0)
