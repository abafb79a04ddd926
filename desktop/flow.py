"""From a request to what is seen, said, shown and kept: the one path of every description."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication

from core.caption import Caption
from core.picture import Picture
from desktop.captioning import Captioning
from desktop.description import Description
from desktop.details import Details
from desktop.earcons import Earcons
from desktop.history import Entry, History
from desktop.keeper import Keeper
from desktop.live import Live
from desktop.settings import Settings
from desktop.sources import Order, Sources
from desktop.talker import Talker

if TYPE_CHECKING:
    from core.aim import Aim

# After this time without an answer, patience is asked for.
_STILL_MS = 1500
# After this time without an end of it, deleting the history is told.
_DELETING_MS = 1000
_DELETING = "The history is being deleted."


@dataclass(frozen=True, eq=False)
class _Answer:
    number: int  # of the request
    order: Order
    caption: Caption
    picture: Picture


class Flow(QObject):
    """Describes what is asked for; the newest request wins, and live mode waits for all others.

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
    completed = Signal(object)
    """The last `Caption`, now with its words and all of its text."""
    kept = Signal(object)
    """The `Entry` of the history that was added."""
    keeping = Signal(str)
    """Why the last description could not be kept; empty when one was."""
    cleared = Signal()
    """The history is empty."""
    to_choose_from = Signal(object)
    """The `Picture` of the screen of which the user is to choose a part."""
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
        self._keeper = Keeper(history, self)
        self._live = Live(
            captioning, sources, self._may_look, lambda: self.settings.read_text, self
        )
        self._order: Order | None = None  # under way
        self._number: int | None = None  # of the captioning's request under way
        self._picture: Picture | None = None
        self._answer: _Answer | None = None  # that is being kept
        self._queue: deque[Order] = deque()
        self._later: deque[str] = deque()  # sentences that wait until it is quiet
        self._last = ""  # description
        self._failure = ""  # if it was the last thing said
        self._details: Details | None = None  # of the last description
        self._awaited: Callable[[], None] | None = None  # says a detail that is not there yet
        self._told_number: int | None = None  # of the request that was answered last
        self._whole: tuple[int, Caption] | None = None  # the last that was completed
        self._still = QTimer(self, interval=_STILL_MS, singleShot=True)
        self._still.timeout.connect(lambda: self._talker.say("Still looking."))
        self._deleting = QTimer(self, interval=_DELETING_MS, singleShot=True)
        self._deleting.timeout.connect(lambda: self.tell_later(_DELETING))

        sources.taken.connect(self._on_taken)
        sources.failed.connect(self._on_not_taken)
        sources.told.connect(self.tell_later)
        captioning.captioned.connect(self._on_captioned)
        captioning.completed.connect(self._on_completed)
        captioning.aimed.connect(self._on_aimed)
        captioning.failed.connect(self._on_not_captioned)
        captioning.told.connect(self.tell_later)
        talker.finished.connect(self._on_said)
        self._keeper.added.connect(self._on_added)
        self._keeper.cleared.connect(self._on_cleared)
        self._live.found.connect(self._on_found)
        self._live.failed.connect(self._fail)
        self._live.told.connect(self.tell_later)
        self._live.changed.connect(self.live_changed)

    def describe(self, *orders: Order) -> None:
        """Describe these pictures, one after the other, in place of whatever is under way."""
        if not orders:
            self.fail("There is no file of this computer in it: save it as a file first.")
            return
        self._drop()
        self._queue.extend(orders)
        self._begin_next()

    def aim(self) -> None:
        """Tell how to hold the camera, in place of whatever is under way."""
        self._drop()
        self._queue.append(Order("camera", aims=True))
        self._begin_next()

    def choose_part(self) -> None:
        """Take the screen for a part to be chosen from, in place of whatever is under way.

        ``to_choose_from`` brings it; `describe`, `stop` or `give_up` ends the choice.
        """
        self._drop()
        self._order = Order("region")
        self._sources.take(self._order)

    def repeat(self) -> None:
        """Say the last description once more, or the failure that was said after it."""
        self._awaited = None
        self._talker.say(self._failure or self._last or "Nothing has been described yet.")

    def read_on(self) -> None:
        """Say the next portion of the text in the picture that was described last."""
        if self._details is None:
            self.say("Nothing has been described yet.")
            return
        if not self._details.any_text and not self.settings.read_text:
            self.say("Text is not read: that is turned off in the settings.")
            return
        portion = self._details.next_text()
        self.say(portion if portion is not None else "Still reading.")
        self._awaited = self.read_on if portion is None else None

    def say_where(self) -> None:
        """Say where the things of the last description were seen; within a moment after it."""
        if self._details is None:
            self.tell("Nothing has been described yet.")
            return
        places = self._details.where()
        self._awaited = self.say_where if places is None else None
        if places is not None:
            self.tell(places)

    def say(self, text: str) -> None:
        """Say something else that was asked for, such as a sentence letter by letter."""
        self._awaited = None
        self._say(text)

    def stop(self) -> None:
        """Be silent at once, and drop what is under way."""
        busy = self._order is not None or bool(self._queue)
        self._drop()
        self._later.clear()
        self.told.emit("Stopped." if busy else self._at_rest())

    def hush(self) -> None:
        """Be silent, and go on with what is under way."""
        if self._order is not None or not self._queue:
            self._talker.stop()
        if self._is_quiet():
            self._tell_waiting()

    def give_up(self, sentence: str) -> None:
        """Drop what is under way, and tell why."""
        self._drop()
        self.tell(sentence)

    def fail(self, sentence: str) -> None:
        """Tell that a request came to nothing, in place of whatever is under way."""
        self._drop()
        self._fail(sentence)

    def toggle_live(self) -> None:
        """Turn live mode on, or off."""
        self.set_live(not self._live.on)

    def set_live(self, on: bool) -> None:
        """Tell of every new scene before the camera, or stop doing so."""
        if on == self._live.on:
            return
        self._drop()
        self._live.set_on(on)
        self.tell("Live: the camera is on." if on else "Live is off, and so is the camera.")

    def tell(self, sentence: str) -> None:
        """Show and say how things are."""
        self.told.emit(sentence)
        self._say(sentence)

    def tell_later(self, sentence: str) -> None:
        """Tell when nothing is being said and nothing is under way; at once if that is so."""
        self._later.append(sentence)
        if self._is_quiet():
            self._tell_waiting()

    def remember(self, caption: Caption, complete: bool = True) -> None:
        """Make this the last description, which `repeat`, `read_on` and `say_where` are about.

        Args:
            caption: that is, or was, said.
            complete: whether it has its words and all of its text.
        """
        self._last = caption.spoken
        self._failure = ""
        self._details = Details(caption, complete)
        self._awaited = self._told_number = None

    def clear_history(self) -> None:
        """Delete all that was kept, while the user goes on, and tell when that is done."""
        self._keeper.clear()
        self._deleting.start()

    def close(self) -> None:
        """End live mode and the threads; what is being kept is kept."""
        self._drop()
        self._live.close()
        self._keeper.close()

    def _say(self, text: str) -> None:
        self._failure = ""
        self._talker.say(text)

    def _drop(self) -> None:
        self._queue.clear()
        self._order = self._picture = self._number = self._answer = self._awaited = None
        self._still.stop()
        self._sources.cancel()
        self._captioning.cancel()
        self._keeper.cancel()
        self._live.drop()
        self._talker.stop()

    def _is_quiet(self) -> bool:
        return self._order is None and not self._queue and not self._talker.speaking

    def _may_look(self) -> bool:
        """Whether live mode may go on: whoever works in a dialog does not want to be told."""
        return self._is_quiet() and not self._later and QApplication.activeModalWidget() is None

    def _at_rest(self) -> str:
        return "Live: watching the camera." if self._live.on else "Ready."

    def _begin_next(self) -> None:
        self._order = self._queue.popleft()
        self._earcons.play("looking")
        self._still.start()
        self.told.emit(f"Looking at {self._order.label} …")
        self._sources.take(self._order)

    def _on_taken(self, order: Order, picture: Picture) -> None:
        if order is not self._order:
            return
        if order.source == "region" and order.given is None:
            self.to_choose_from.emit(picture)
            return
        self._picture = picture
        if order.aims:
            self._number = self._captioning.aim(picture, self._sources.camera_faces_user)
        else:
            self._number = self._captioning.ask(picture, self.settings.read_text)

    def _on_not_taken(self, order: Order, sentence: str) -> None:
        if order is self._order:
            self._fail(sentence)

    def _on_not_captioned(self, number: int, sentence: str) -> None:
        if number == 0:  # nobody asked yet: the model cannot be loaded
            self.tell_later(sentence)
        elif number == self._number:
            self._fail(sentence)

    def _fail(self, sentence: str) -> None:
        self._still.stop()
        self._order = None
        self._earcons.play("failed")
        self.tell(sentence)
        self._failure = sentence

    def _on_captioned(self, number: int, caption: Caption) -> None:
        order, picture = self._order, self._picture
        if order is not None and picture is not None and number == self._number:
            self._keep(_Answer(number, order, caption, picture))

    def _on_aimed(self, number: int, aim: "Aim") -> None:
        if number == self._number:
            self._still.stop()
            self._order = None
            self._earcons.play("done")
            self.tell(aim.spoken)

    def _on_completed(self, number: int, caption: Caption) -> None:
        if self._whole is None or number > self._whole[0]:
            self._whole = (number, caption)
        if not self.settings.private:
            self._keeper.complete(number, caption)
        if number == self._told_number:
            self._complete(caption)

    def _complete(self, caption: Caption) -> None:
        """What the last description lacked is there."""
        if self._details is not None:
            self._details.complete(caption)
        self.completed.emit(caption)
        if self._awaited is not None:
            self._awaited()

    def _on_found(self, number: int, caption: Caption, picture: Picture) -> None:
        self._order = Order("camera", quiet=True)
        self._keep(_Answer(number, self._order, caption, picture))

    def _keep(self, answer: _Answer) -> None:
        """Keep it before it is said."""
        self._answer = answer
        if self.settings.private:
            self._on_added(answer.number, None, "")
        else:
            number, caption, picture = answer.number, answer.caption, answer.picture
            keep_picture = self.settings.keep_pictures
            self._keeper.add(number, caption, answer.order.source, picture, keep_picture)

    def _on_added(self, number: int, entry: Entry | None, problem: str) -> None:
        if entry is not None:
            self.kept.emit(entry)
        self.keeping.emit(problem)
        if self._answer is not None and number == self._answer.number:
            self._deliver(self._answer, problem)

    def _on_cleared(self, problem: str) -> None:
        self._deleting.stop()
        if _DELETING in self._later:
            self._later.remove(_DELETING)
        if not problem:
            self.cleared.emit()
        self.tell_later(problem or "The history is empty now.")

    def _deliver(self, answer: _Answer, problem: str) -> None:
        order, caption = answer.order, answer.caption
        self._still.stop()
        self._order = self._answer = None
        self.remember(caption, complete=False)
        self._told_number = self._captioning.last_told = answer.number
        if not order.quiet:
            self._earcons.play("done")
            if order.source == "camera":
                self._live.heard(caption)
        self.described.emit(Description(caption, answer.picture, order.source))
        self.told.emit(problem or self._at_rest())
        several = order.one_of_many and f"{order.label}: "
        self._talker.say((several or "") + caption.spoken + (f" {problem}" if problem else ""))
        if self._whole is not None and self._whole[0] == answer.number:
            self._complete(self._whole[1])

    def _on_said(self) -> None:
        if self._order is not None:
            return
        if self._queue:
            self._begin_next()
        else:
            self._tell_waiting()

    def _tell_waiting(self) -> None:
        if self._later:
            self.tell(self._later.popleft())
