"""The captioner behind the window: pictures in, captions out, in a thread of its own."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, SignalInstance

from core.errors import SeesayError
from core.picture import Picture
from desktop.worker import Worker

if TYPE_CHECKING:
    from core.caption import Caption
    from core.captioner import Beginning, Captioner


class Captioning(QObject):
    """Captions one picture at a time; the newest request wins.

    A new request takes the place of one that still waits; of one under way, the answer is dropped.
    Requests while the model loads wait for it. What runs the model is imported in the thread, so
    that a window can be up before. Whatever goes wrong is told as the answer to the request, and
    the thread lives on.

    Args:
        model: folder of a model; the built-in one by default.
        parent: as of every QObject.

    Attributes:
        last_told: number of the request whose answer the user was told last; what that lacks is
            found, whatever is asked for after it and comes to nothing.
    """

    ready = Signal(str)
    """The model is loaded; with its name."""
    captioned = Signal(int, object)
    """The number of a request and its `Caption`, still without words and with no more than the
    beginning of a screen's text."""
    completed = Signal(int, object)
    """The number of a request and its `Caption` once more, now whole; it follows at once, but where
    a screen's text is still to be read: then after what is asked for meanwhile, and only if it is
    the last that was told."""
    aimed = Signal(int, object)
    """The number of a request and the `Aim` of its picture."""
    glanced = Signal(int, object)
    """The number of a request and the features of its picture, (channels,) of length 1."""
    failed = Signal(int, str)
    """The number of a request and a sentence of why it has no answer; 0 for that of `load`."""
    told = Signal(str)
    """A sentence that concerns all requests, such as a change from the GPU to the processor."""

    def __init__(self, model: Path | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._captioner: Captioner | None = None
        self._device = "auto"
        self.last_told = 0
        self._newest = 0
        self._begun: list[tuple[int, Beginning]] = []  # captions that are not whole, newest first
        self._worker = Worker("captioning")

    def load(self, text: bool = True) -> None:
        """Load the model now, so that the first caption need not wait for it.

        Args:
            text: whether what reads text is loaded after it.
        """
        # Whatever is asked for or cancelled meanwhile, `ready` or `failed` tells how it went.
        self._worker.ask_first(partial(self._try, 0, self._load, None))
        if text:
            self._worker.ask_first(self._load_text_reader)

    def ask(self, picture: Picture, text: bool = True) -> int:
        """Ask for a caption; gives the number by which the answer comes.

        Args:
            picture: to be described.
            text: whether its text is read.
        """
        number = self._newest + 1
        return self._ask(partial(self._start, number, picture, text), self.captioned)

    def glance(self, picture: Picture) -> int:
        """Ask for the features of a picture; gives the number by which the answer comes."""
        return self._ask(lambda captioner: captioner.glance(picture), self.glanced)

    def aim(self, picture: Picture, facing_you: bool) -> int:
        """Ask how the camera is held; gives the number by which the answer comes."""
        from core.aim import aim

        return self._ask(lambda _: aim(picture.pixels, facing_you), self.aimed)

    def cancel(self) -> None:
        """Drop what waits and what is under way: no answer comes to it any more."""
        self._newest += 1
        self._worker.cancel()
        if self._begun:  # whose reading may have stopped for what is dropped now
            self._worker.ask_first(self._complete)

    def close(self) -> None:
        """End the thread."""
        self.cancel()
        self._worker.close()

    def _ask(self, work: Callable[["Captioner"], object], answered: SignalInstance) -> int:
        self._newest += 1
        number = self._newest
        self._worker.ask(partial(self._do, number, partial(self._answer, work), answered))
        return number

    def _do(self, number: int, work: Callable[[], object], answered: SignalInstance) -> None:
        self._try(number, work, answered)
        self._complete()

    def _start(
        self, number: int, picture: Picture, text: bool, captioner: "Captioner"
    ) -> "Caption":
        begun = captioner.start(picture, text=text)
        if number == self._newest:  # or else nobody is told
            told = [one for one in self._begun if one[0] == self.last_told]
            self._begun = [(number, begun), *told]
        return begun.caption

    def _complete(self) -> None:
        """Find what the last captions lack; reading stops when something else is asked for."""
        while self._begun and self._captioner is not None:
            number, begun = self._begun[0]
            whole: Caption | None
            try:
                whole = self._captioner.complete(begun, self._worker.is_wanted)
            except Exception:  # of the network or the library; what was told is there
                whole = begun.caption
            if whole is None:
                return
            del self._begun[0]
            self.completed.emit(number, whole)

    def _try(
        self, number: int, work: Callable[[], object], answered: SignalInstance | None
    ) -> None:
        try:
            answer, signal = work(), answered
        except SeesayError as error:
            answer, signal = str(error), self.failed
        except Exception as error:  # whatever the network raises
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            answer = f"The picture could not be described ({reason}): try again, or another one."
            signal = self.failed
        if signal is not None and number in (0, self._newest):
            signal.emit(number, answer)

    def _load(self) -> None:
        from core.captioner import Captioner

        if self._captioner is None:
            self._captioner = Captioner.load(self._model, self._device)
            self.ready.emit(self._captioner.config["name"])

    def _load_text_reader(self) -> None:
        # The first screen need not wait for it then; a request that is there already does not.
        if self._captioner is None or self._worker.is_wanted():
            return
        try:
            self._captioner.load_text_reader()
        except SeesayError as error:
            self.told.emit(str(error))
        except Exception as error:  # of the library
            self.told.emit(f"Text cannot be read ({error}): install Seesay again.")

    def _answer(self, work: Callable[["Captioner"], object]) -> object:
        self._load()
        captioner = self._captioner
        assert captioner is not None
        if captioner.network.device == "cpu":
            return work(captioner)
        import torch

        try:
            return work(captioner)
        except torch.OutOfMemoryError:
            pass
        self._captioner, self._device = None, "cpu"
        self.told.emit("The graphics card is out of memory: Seesay goes on with the processor.")
        return self._answer(work)
