"""A network camera for tests: MJPEG over loopback that can stop, stall, send garbage and return."""

import contextlib
import io
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

from PIL import Image

Mode = Literal["send", "stall", "garbage", "halves", "cut", "refuse", "silent"]
_BOUNDARY = "frame"


def jpeg(colour: tuple[int, int, int], size: tuple[int, int] = (320, 240)) -> bytes:
    """A picture in one colour as a JPEG file."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "jpeg", quality=90)
    return file.getvalue()


class CameraServer:
    """Streams ``frame()`` at ``rate`` a second to everyone who connects, as ``mode`` says.

    Attributes:
        mode: ``send`` good frames; ``stall`` sends nothing but keeps the connection; ``garbage``
            sends noise in place of pictures; ``halves`` cuts each picture in the middle; ``cut``
            ends the connection in the middle of one; ``refuse`` answers that there is nothing;
            ``silent`` accepts connections and does not even answer the request.
        frame: makes the JPEG file to send; called for every frame.
    """

    def __init__(self, frame: Callable[[], bytes], rate: float = 25) -> None:
        self.mode: Mode = "send"
        self.frame = frame
        self.rate = rate
        self.clients = 0
        self._stop = threading.Event()
        self._server: ThreadingHTTPServer | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}/stream.mjpg"

    def start(self) -> None:
        """Begin (again) to answer at ``url``."""
        self._stop = threading.Event()
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                camera.clients += 1
                # The one who listens may go at any time.
                with contextlib.suppress(OSError):
                    camera._answer(self, camera._stop)
                camera.clients -= 1
                self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request: object, client_address: object) -> None:
                pass

        self._server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Close the port and every connection."""
        self._stop.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _answer(self, request: BaseHTTPRequestHandler, stop: threading.Event) -> None:
        while self.mode == "silent" and not stop.wait(0.02):
            pass
        if self.mode == "refuse":
            request.send_error(404)
            return
        request.send_response(200)
        request.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
        request.end_headers()
        while not stop.is_set():
            if self.mode in ("stall", "silent"):
                stop.wait(0.02)
                continue
            part = self._part()
            if self.mode == "cut":
                request.wfile.write(part[: len(part) // 2])
                break
            request.wfile.write(part)
            stop.wait(1 / self.rate)
        request.connection.shutdown(socket.SHUT_RDWR)

    def _part(self) -> bytes:
        picture = self.frame()
        if self.mode == "garbage":
            picture = bytes((17 * i * i + 5 * i) % 256 for i in range(len(picture)))
        elif self.mode == "halves":
            picture = picture[: len(picture) // 2]
        head = (
            f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
        )
        return head.encode() + picture + b"\r\n"


@contextlib.contextmanager
def camera_server(frame: Callable[[], bytes], rate: float = 25) -> Iterator[CameraServer]:
    """A camera that is running, and stops at the end."""
    server = CameraServer(frame, rate)
    server.start()
    try:
        yield server
    finally:
        server.stop()
