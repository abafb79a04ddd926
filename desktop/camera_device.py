"""What a camera setting stands for: names of cameras, and opening them with OpenCV."""

import contextlib
import os
import stat
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from core.errors import SeesayError

_STREAMS = ("http", "https", "rtsp", "rtmp", "tcp", "udp")
_OPEN_MILLISECONDS = 2500
_READ_MILLISECONDS = 2000

# An exposure has settled when the mean grey level (0 to 255) moves less than this a frame.
_STEADY = 1.5


class CameraError(SeesayError):
    """There is no camera, or it does not answer."""


@dataclass(frozen=True)
class Camera:
    """A camera that is connected.

    Attributes:
        id: what opens it, and what the settings keep.
        name: for people; no two in a list have the same.
    """

    id: str
    name: str


@dataclass(frozen=True)
class OpenCamera:
    """A camera that is open.

    Attributes:
        capture: the cv2.VideoCapture; any call of it may block.
        name: for people, without the password that an address may hold.
        adapts: whether its first frames are too dark or too bright, as those of devices are.
    """

    capture: Any
    name: str
    adapts: bool


def list_cameras(timeout: float = 3.0) -> list[Camera]:
    """The cameras that are connected, in the system's order.

    Empty also where they cannot be listed or the system takes longer than ``timeout`` seconds;
    the number, device or address of a camera can be opened all the same.
    """
    found: list[Camera] = []

    def look() -> None:
        with contextlib.suppress(Exception):  # drivers fail in their own ways
            found.extend(_connected())

    thread = threading.Thread(target=look, name="list cameras", daemon=True)
    thread.start()
    thread.join(timeout)
    return list(found)


def open_camera(camera: str) -> OpenCamera:
    """Open a camera; may block for seconds, and with a bad driver for ever.

    Args:
        camera: a number, a device, the address of a stream, or "" for the first camera.

    Raises:
        CameraError: it is not there or does not answer.
    """
    camera = camera.strip()
    host = _host(camera)
    if host is not None:
        capture = _open_stream(camera)
        if not capture.isOpened():
            raise no_answer(camera)
        return OpenCamera(capture, host, adapts=False)

    cameras = list_cameras()
    if not camera:
        if not cameras:
            raise CameraError("No camera found: connect one, or press F6 for the camera list.")
        camera = cameras[0].id
    names = {known.id: known.name for known in cameras}
    capture = _open_device(camera)
    if not capture.isOpened():
        raise no_answer(camera)
    return OpenCamera(capture, names.get(camera, f"camera {camera}"), adapts=True)


def no_answer(camera: str) -> CameraError:
    """What to tell of a camera that does not open, or sends nothing."""
    host = _host(camera)
    if host is not None:
        return CameraError(
            f"The camera at {host} does not answer: check that it is switched on and that its "
            "address in the settings is right."
        )
    return CameraError(
        "The camera does not answer: check that it is connected and that no other program uses "
        "it, or press F6 for the camera list."
    )


def exposure_settled(levels: Sequence[float], seconds: float) -> bool:
    """Whether a device that was just opened has got used to the light.

    Args:
        levels: mean grey level, 0 to 255, of each frame so far.
        seconds: since the first frame.
    """
    if seconds > 1:
        return True
    if len(levels) < 5:
        return False
    return max(abs(levels[-1] - levels[-2]), abs(levels[-2] - levels[-3])) < _STEADY


def _host(camera: str) -> str | None:
    """Of the address of a stream; None for a number or a device."""
    try:
        parts = urlsplit(camera)
        host = parts.hostname
    except ValueError:  # such as brackets that do not close
        parts, host = None, None
    if parts is not None and parts.scheme in _STREAMS and host:
        return host
    if parts is None or "://" in camera:
        raise CameraError(
            "The address of the camera cannot be used: give one that begins with http:// or "
            "rtsp://, or press F6 for the camera list."
        )
    return None


def _connected() -> list[Camera]:
    _cv2()  # before the other imports OpenCV and it prints
    from cv2_enumerate_cameras import enumerate_cameras

    infos = sorted(enumerate_cameras(_device_backend()), key=lambda info: info.index)
    cameras: list[Camera] = []
    for info in infos:
        name = (info.name or "").strip() or f"camera {info.index}"
        alike = sum(camera.name.split(", number ")[0] == name for camera in cameras)
        cameras.append(Camera(str(info.index), f"{name}, number {alike + 1}" if alike else name))
    return cameras


def _open_stream(address: str) -> Any:
    cv2 = _cv2()
    # Several decoding threads would hold back a frame each.
    options = {
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC: _OPEN_MILLISECONDS,
        cv2.CAP_PROP_READ_TIMEOUT_MSEC: _READ_MILLISECONDS,
        cv2.CAP_PROP_N_THREADS: 1,
    }
    return cv2.VideoCapture(
        address, cv2.CAP_FFMPEG, [number for option in options.items() for number in option]
    )


def _open_device(camera: str) -> Any:
    cv2 = _cv2()
    if camera.isdecimal() and len(camera) < 5:
        return cv2.VideoCapture(int(camera), _device_backend())
    # Anything else that is a file would be a film.
    try:
        is_device = stat.S_ISCHR(os.stat(camera).st_mode)
    except (OSError, ValueError):
        is_device = False
    if not is_device:
        raise CameraError(
            "The camera of the settings is not there: connect it, or press F6 for the camera list."
        )
    return cv2.VideoCapture(camera, _device_backend())


def _device_backend() -> int:
    cv2 = _cv2()
    backends = {"win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION, "linux": cv2.CAP_V4L2}
    return backends.get(sys.platform, cv2.CAP_ANY)


@cache
def _cv2() -> Any:
    """OpenCV, imported late (it takes a while) and quiet: its problems are told as CameraError."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    # Else one camera that hangs would keep all others from opening.
    os.environ.setdefault("OPENCV_FFMPEG_IS_THREAD_SAFE", "1")
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2")  # seconds
    os.environ.setdefault(
        "OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp|fflags;discardcorrupt"
    )
    import cv2

    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2
