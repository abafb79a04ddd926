"""Pictures for the program, from wherever they are asked for, without making the window wait."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal

from core.errors import SeesayError
from core.picture import Picture, PictureSource, open_picture
from desktop.actions import Source
from desktop.camera import CameraError, CameraReader, State, list_cameras
from desktop.screenshots import Screenshots
from desktop.worker import Worker

# Seconds that a camera may take to give up what it holds, so that the next request can open it.
_CLOSING = 1.0
# Seconds until a quiet look gives up, so that what the user asks for need not wait for it.
_QUIET = 1.0

_LABELS: dict[Source, str] = {
    "camera": "the camera",
    "screen": "the screen",
    "window": "the window",
    "clipboard": "the clipboard",
    "region": "a part of the screen",
}


@dataclass(frozen=True, eq=False)
class Order:
    """A picture that is asked for.

    Attributes:
        source: where it comes from.
        given: the path of a file, or the picture itself (clipboard, region).
        one_of_many: whether its name is said, to tell it from the others.
        quiet: whether nothing is told unless there is something new (live mode).
    """

    source: Source
    given: PictureSource | None = None
    one_of_many: bool = False
    quiet: bool = False
    aims: bool = False

    @property
    def label(self) -> str:
        """What is looked at."""
        if isinstance(self.given, str):
            return Path(self.given).name
        return _LABELS.get(self.source, "the picture")


def file_orders(paths: Sequence[str]) -> list[Order]:
    """An order for each picture file."""
    return [Order("file", path, one_of_many=len(paths) > 1) for path in paths]


class Sources(QObject):
    """Takes the picture that is ordered; a new order takes the place of the one before.

    What may block runs in threads: one for the camera, which may hang for seconds, one for files.

    Attributes:
        camera: number, device or address; "" for the first.
        screen: "all" or the number of a monitor.
        lost: whether the camera that is kept open was lost, which has been told.
    """

    taken = Signal(object, object)
    """An `Order` and its `Picture`."""
    failed = Signal(object, str)
    """An `Order` and a sentence of why there is no picture."""
    told = Signal(str)
    """A sentence on the camera that is kept open: it was lost, or is back."""
    camera_open = Signal(bool)
    """Whether the camera is open."""

    cameras_found = Signal(list)
    """The cameras that are connected, after `find_cameras`."""

    _camera_state = Signal(object, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.camera = ""
        self.screen = "all"
        self._camera_worker = Worker("camera pictures")
        self._file_worker = Worker("picture files")
        self._list_worker = Worker("list of cameras")
        self._screenshots = Screenshots(self)
        self._shot: Order | None = None  # what the screenshot under way is for
        self._kept: CameraReader | None = None
        self._open: list[list[CameraReader]] = []  # as the states of each tell
        self._was_open = False
        self.lost = False
        self._screenshots.taken.connect(lambda picture: self._on_shot(picture))
        self._screenshots.failed.connect(lambda sentence: self._on_no_shot(sentence))
        # From the camera's threads to this one.
        self._camera_state.connect(self._on_camera_state, Qt.ConnectionType.QueuedConnection)

    def take(self, order: Order) -> None:
        """Take a picture; ``taken`` or ``failed`` tells of it, unless a newer order comes."""
        self.cancel()
        match order.source, order.given:
            case "camera", None:
                self._camera_worker.ask(
                    partial(self._try, order, partial(self._look_through_camera, order))
                )
            case "window", None:
                self._shot = order
                self._screenshots.take_window()
            case _, None:  # the screen, or all of it for a part to be chosen from
                self._shot = order
                self._screenshots.take_screen(self.screen if order.source == "screen" else "all")
            case _, given:
                self._file_worker.ask(partial(self._try, order, partial(open_picture, given)))

    @property
    def camera_faces_user(self) -> bool:
        """Whether the camera is one of the computer, which mostly looks at who sits before it."""
        return "://" not in self.camera

    def find_cameras(self) -> None:
        """Look which cameras are connected; ``cameras_found`` tells."""
        self._list_worker.ask(lambda: self.cameras_found.emit(list_cameras()))

    def cancel(self) -> None:
        """Forget what was ordered."""
        self._shot = None
        self._camera_worker.cancel()
        self._file_worker.cancel()
        self._screenshots.cancel()

    def keep_camera(self, on: bool) -> None:
        """Keep the camera open between pictures, and say when it is lost and comes back."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None
        self._was_open = self.lost = False
        if on:
            self._kept = self._open_camera()

    def use_camera(self, camera: str) -> None:
        """Take pictures with this camera from now on, also where another one is kept open."""
        if camera != self.camera:
            self.camera = camera
            if self._kept is not None:
                self.keep_camera(True)

    def close(self) -> None:
        """Let go of the camera and end the threads."""
        self.cancel()
        self.keep_camera(False)
        self._camera_worker.close()
        self._file_worker.close()
        self._list_worker.close()

    def _try(self, order: Order, take: Callable[[], Picture]) -> None:
        try:
            self.taken.emit(order, take())
        except SeesayError as error:
            self.failed.emit(order, str(error))
        except Exception as error:  # of drivers and files; the thread must live on
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            self.failed.emit(order, f"There is no picture ({reason}): try again.")

    def _open_camera(self) -> CameraReader:
        holder: list[CameraReader] = []

        def tell(state: State) -> None:
            # A camera may take longer to close than the program: then nobody is left to be told.
            with contextlib.suppress(RuntimeError):
                self._camera_state.emit(holder, state)

        reader = CameraReader(self.camera, tell)
        holder.append(reader)
        return reader

    def _look_through_camera(self, order: Order) -> Picture:
        kept = self._kept
        if kept is not None:
            try:
                return kept.picture(_QUIET) if order.quiet and self._was_open else kept.picture()
            except CameraError:
                if self._kept is None or self._kept is kept:
                    raise
                return self._look_through_camera(order)  # another camera was chosen meanwhile
        reader = self._open_camera()
        try:
            return reader.picture()
        finally:
            reader.close()
            reader.wait_closed(_CLOSING)

    def _on_camera_state(self, holder: list[CameraReader], state: State) -> None:
        if state in ("open", "closed"):
            # One that was closed may need seconds for it, while another is open already.
            self._open = [other for other in self._open if other is not holder]
            if state == "open":
                self._open.append(holder)
            if state == "open" or not self._open:
                self.camera_open.emit(bool(self._open))
        if self._kept is None or self._kept not in holder:
            return
        # One that never opened is told as the answer to the request for its picture.
        if state == "lost" and self._was_open and not self.lost:
            self.lost = True
            self.told.emit("The camera is gone: connect it again, and Seesay goes on by itself.")
        elif state == "open":
            was_lost, self.lost, self._was_open = self.lost, False, True
            if was_lost:
                self.told.emit("The camera is back.")

    def _on_shot(self, picture: Picture) -> None:
        if self._shot is not None:
            self.taken.emit(self._shot, picture)

    def _on_no_shot(self, sentence: str) -> None:
        if self._shot is not None:
            self.failed.emit(self._shot, sentence)
