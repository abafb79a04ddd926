"""Live mode: watches the camera, and finds what is worth telling."""

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from core.caption import Caption
from core.picture import Picture
from core.scene import SceneWatch, Step, grey_view
from desktop.captioning import Captioning
from desktop.power_saver import PowerSaver
from desktop.sources import Order, Sources

# From the beginning of one look to that of the next, in milliseconds.
_PACE = 500
_SOON = 200  # while something changes, so that a cut is told within two seconds
# At least this is left to others between two looks, however slow the machine is.
_BREATH = 50
_AFTER_FAILURE = 1000


class Live(QObject):
    """Looks through the camera twice a second, and tells of new scenes only.

    Args:
        captioning: the worker.
        sources: of pictures.
        may_look: whether nobody else needs camera, captions or the user's ear just now.
        reads_text: whether text in pictures is to be read.
        parent: as of every QObject.
    """

    found = Signal(int, object, object)
    """The number of a request, its `Caption` of a new scene, and the `Picture`."""
    failed = Signal(str)
    """A sentence of why nothing can be seen; once, until something is seen again."""
    told = Signal(str)
    """A sentence on how things are."""
    changed = Signal(bool)
    """Live mode was turned on or off."""

    def __init__(
        self,
        captioning: Captioning,
        sources: Sources,
        may_look: Callable[[], bool],
        reads_text: Callable[[], bool],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.on = False
        self._captioning = captioning
        self._sources = sources
        self._may_look = may_look
        self._reads_text = reads_text
        self._watch = SceneWatch()
        self._order: Order | None = None  # of the look under way
        self._picture: Picture | None = None
        self._number: int | None = None  # of the request to the captioning under way
        self._began = 0.0
        self._problem = ""  # that was told
        self._saver = PowerSaver(self)
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._look)
        sources.taken.connect(self._on_taken)
        sources.failed.connect(self._on_not_taken)
        captioning.glanced.connect(self._on_glanced)
        captioning.captioned.connect(self._on_captioned)
        captioning.failed.connect(self._on_no_answer)
        self._saver.changed.connect(self._on_saver)

    def set_on(self, on: bool) -> None:
        """Begin to watch, or stop."""
        if on == self.on:
            return
        self.on = on
        self._watch = SceneWatch()
        self._problem = ""
        self._sources.keep_camera(on)
        if on:
            self._saver.start()
        else:
            self._saver.stop()
        self.drop()
        self.changed.emit(on)

    def drop(self) -> None:
        """Forget the look under way, for something else is asked of camera or captions."""
        self._order = self._picture = self._number = None
        self._timer.stop()
        if self.on and not self._saver.on:
            self._timer.start(_PACE)

    def heard(self, caption: Caption) -> None:
        """Note that the user asked for the camera's picture, and was told this."""
        self._watch.heard(caption, time.monotonic())

    def close(self) -> None:
        """End the threads."""
        self.set_on(False)
        self._saver.close()

    def _look(self) -> None:
        self._began = time.monotonic()
        if not self._may_look():
            self._again(_PACE)
            return
        self._order = Order("camera", quiet=True)
        self._sources.take(self._order)

    def _again(self, pace: int) -> None:
        """Look again this many milliseconds after the present look began."""
        self._order = self._picture = self._number = None
        passed = round(1000 * (time.monotonic() - self._began))
        self._timer.start(max(_BREATH, pace - passed))

    def _on_taken(self, order: Order, picture: Picture) -> None:
        if order is not self._order:
            return
        if self._watch.glimpse(grey_view(picture.pixels)):
            self._picture = picture
            self._number = self._captioning.glance(picture)
        else:
            self._problem = ""
            self._again(_PACE)

    def _on_glanced(self, number: int, features: NDArray[np.float32]) -> None:
        if number != self._number or self._picture is None:
            return
        self._problem = ""
        match self._watch.see(features, time.monotonic()):
            case Step.DESCRIBE:
                self._number = self._captioning.ask(self._picture, self._reads_text())
            case Step.LOOK_SOON:
                self._again(_SOON)
            case Step.WAIT:
                self._again(_PACE)

    def _on_captioned(self, number: int, caption: Caption) -> None:
        picture = self._picture
        if number != self._number or picture is None:
            return
        self._again(_PACE)
        # Something may have begun to be said meanwhile; then the scene is looked at afterwards.
        if self._may_look() and self._watch.judge(caption, time.monotonic()):
            self.found.emit(number, caption, picture)

    def _on_not_taken(self, order: Order, sentence: str) -> None:
        if order is self._order:
            self._fail(sentence)

    def _on_no_answer(self, number: int, sentence: str) -> None:
        if number == self._number:
            self._fail(sentence)

    def _fail(self, sentence: str) -> None:
        self._again(_AFTER_FAILURE)
        # A camera that is lost has been told by those who keep it open.
        if sentence != self._problem and not self._sources.lost and self._may_look():
            self._problem = sentence
            self.failed.emit(sentence)

    def _on_saver(self, on: bool) -> None:
        self._sources.keep_camera(not on)
        self.drop()
        self.told.emit(
            "The battery saver is on: live waits until it is off."
            if on
            else "The battery saver is off: live goes on."
        )
