"""From a request to what is seen, said, shown and kept: the one path of every description."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal

from core.caption import Caption
from core.picture import Picture
from desktop.actions import Source
from desktop.captioning import Captioning
from desktop.earcons import Earcons
from desktop.history import Entry, History, HistoryError
from desktop.settings import Settings
from desktop.sources import Order, Sources
from desktop.talker import Talker

# After this time without an answer, patience is asked for.
_STILL_MS = 1500
# Pause between two looks in live mode, after what was said.
_LIVE_MS = 1000


@dataclass(frozen=True)
class Description:
    """A caption with what it came from.

    Attributes:
        caption: what was said.
        picture: what was seen; None for an entry of the history without its full picture.
        source: where the picture came from.
    """

    caption: Caption
    picture: Picture | None
    source: Source


class Flow(QObject):
    """Describes what is asked for; the newest request wins.

    Args:
        captioning: the worker.
        sources: of pictures.
        talker: says what there is to say.
        earcons: short sounds.
        history: keeps what was said, before it is said.
        settings: in effect; replace the attribute when they change.
        parent: as of every QObject.
    """

    described = Signal(object)
    """A `Description`, to show."""
    kept = Signal(object)
    """The `Entry` of the history that was added."""
    told = Signal(str)
    """A sentence on how things are, to show; what matters has been said aloud, too."""
    live_changed = Signal(bool)
    """Live mode was turned on or off."""

    def __init__(
        self,
        captioning: Captioning,
        sources: Sources,
        talker: Talker,
        earcons: Earcons,
        history: History,
        settings: Settings,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.settings = settings
        self._captioning = captioning
        self._sources = sources
        self._talker = talker
        self._earcons = earcons
        self._history = history
        self._order: Order | None = None  # under way
        self._number = 0  # of the captioning's request under way
        self._picture: Picture | None = None
        self._queue: deque[Order] = deque()
        self._last = ""
        self._live = False
        self._still = QTimer(self, interval=_STILL_MS, singleShot=True)
        self._still.timeout.connect(lambda: self._talker.say("Still looking."))
        self._next_look = QTimer(self, interval=_LIVE_MS, singleShot=True)
        self._next_look.timeout.connect(self._look_again)

        sources.taken.connect(self._on_taken)
        sources.failed.connect(self._on_not_taken)
        sources.told.connect(self.tell)
        captioning.captioned.connect(self._on_captioned)
        captioning.failed.connect(self._on_not_captioned)
        captioning.told.connect(self.tell)
        talker.finished.connect(self._on_said)

    def describe(self, *orders: Order) -> None:
        """Describe these pictures, one after the other, in place of whatever is under way."""
        self._drop()
        self._queue.extend(orders)
        self._begin_next()

    def repeat(self) -> None:
        """Say the last description once more."""
        self._talker.say(self._last or "Nothing has been described yet.")

    def say(self, text: str) -> None:
        """Say something else that was asked for, such as where things are."""
        self._talker.say(text)

    def stop(self) -> None:
        """Be silent at once, and drop what is under way."""
        busy = self._order is not None or bool(self._queue)
        self._drop()
        self.told.emit("Stopped." if busy else "Ready.")
        if self._live:
            self._next_look.start()

    def toggle_live(self) -> None:
        """Turn live mode on, or off."""
        self.set_live(not self._live)

    def set_live(self, on: bool) -> None:
        """Describe the camera again and again, or stop doing so."""
        if on == self._live:
            return
        self._drop()
        self._live = on
        self._sources.keep_camera(on)
        self.live_changed.emit(on)
        self.tell("Live: the camera is on." if on else "Live is off, and so is the camera.")

    def tell(self, sentence: str) -> None:
        """Show and say how things are."""
        self.told.emit(sentence)
        self._talker.say(sentence)

    def remember(self, sentence: str) -> None:
        """Make this the last description, which is said by ``repeat``."""
        self._last = sentence

    def _drop(self) -> None:
        self._queue.clear()
        self._order = None
        self._picture = None
        self._still.stop()
        self._next_look.stop()
        self._sources.cancel()
        self._captioning.cancel()
        self._talker.stop()

    def _begin_next(self) -> None:
        self._order = self._queue.popleft()
        if not self._order.quiet:
            self._earcons.play("looking")
            self._still.start()
            self.told.emit(f"Looking at {self._order.label} …")
        self._sources.take(self._order)

    def _look_again(self) -> None:
        if self._order is None and self._live:
            self._queue.append(Order("camera", quiet=True))
            self._begin_next()

    def _on_taken(self, order: Order, picture: Picture) -> None:
        if order is self._order:
            self._picture = picture
            self._number = self._captioning.ask(picture)

    def _on_not_taken(self, order: Order, sentence: str) -> None:
        if order is self._order:
            self._fail(sentence)

    def _on_not_captioned(self, number: int, sentence: str) -> None:
        if number == 0:  # nobody asked yet: the model cannot be loaded
            self.tell(sentence)
        elif self._order is not None and number == self._number:
            self._fail(sentence)

    def fail(self, sentence: str) -> None:
        """Tell that a request came to nothing, in place of whatever is under way."""
        self._drop()
        self._fail(sentence)

    def _fail(self, sentence: str) -> None:
        self._still.stop()
        order, self._order = self._order, None
        # What goes wrong in live mode is told once, not at every look.
        if order is not None and order.quiet and (self._sources.lost or sentence == self._last):
            self._next_look.start()
            return
        self._last = sentence
        self._earcons.play("failed")
        self.tell(sentence)

    def _on_captioned(self, number: int, caption: Caption) -> None:
        order, picture = self._order, self._picture
        if order is None or picture is None or number != self._number:
            return
        self._still.stop()
        self._order = None
        if order.quiet and caption.spoken == self._last:
            self._next_look.start()
            return
        self._last = caption.spoken
        problem = self._keep(caption, order.source, picture)
        if not order.quiet:
            self._earcons.play("done")
        self.described.emit(Description(caption, picture, order.source))
        self.told.emit(problem or "Ready.")
        several = order.one_of_many and f"{order.label}: "
        self._talker.say((several or "") + caption.spoken + (f" {problem}" if problem else ""))

    def _keep(self, caption: Caption, source: Source, picture: Picture) -> str | None:
        """Keep it before it is said; a sentence if that failed."""
        if self.settings.private:
            return None
        try:
            entry: Entry = self._history.add(caption, source, picture, self.settings.keep_pictures)
        except HistoryError as error:
            return str(error)
        self.kept.emit(entry)
        return None

    def _on_said(self) -> None:
        if self._order is not None:
            return
        if self._queue:
            self._begin_next()
        elif self._live:
            self._next_look.start()


def file_orders(paths: Sequence[str]) -> list[Order]:
    """An order for each picture file."""
    return [Order("file", path, one_of_many=len(paths) > 1) for path in paths]
