"""Changes the history in a thread: encoding and writing may take a while."""

import contextlib
from collections import deque
from functools import partial

from PySide6.QtCore import QObject, Signal

from core.caption import Caption
from core.picture import Picture
from desktop.actions import Source
from desktop.history import Entry, History, HistoryError
from desktop.worker import Worker


class Keeper(QObject):
    """Adds descriptions, completes those that it added last, and deletes all.

    Args:
        history: where they are kept; others who use this object do not wait for the thread.
        parent: as of every QObject.
    """

    added = Signal(int, object, str)
    """The number of a description, its `Entry`, and an empty sentence; or None and why."""
    cleared = Signal(str)
    """All that was kept is gone; or the sentence tells why not."""

    def __init__(self, history: History, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._history = history
        self._worker = Worker("history")
        self._settler = Worker("history log")
        # Of the thread:
        self._own: History | None = None  # which it opens itself
        # and each with the number of its description:
        self._kept: deque[tuple[int, Entry]] = deque(maxlen=2)  # the last that were added
        self._whole: tuple[int, Caption] | None = None  # came before its description was added

    def add(
        self, number: int, caption: Caption, source: Source, picture: Picture, keep_picture: bool
    ) -> None:
        """Keep a description, in the place of one that still waits."""
        self._worker.ask(partial(self._add, number, caption, source, picture, keep_picture))

    def complete(self, number: int, caption: Caption) -> None:
        """Keep the whole caption of a description; does nothing if that is not kept."""
        self._worker.ask_first(partial(self._complete, number, caption))

    def cancel(self) -> None:
        """Forget the description that waits."""
        self._worker.cancel()

    def clear(self) -> None:
        """Delete all that was kept so far; ``cleared`` tells when that is done."""
        self._worker.ask_first(self._clear)

    def close(self) -> None:
        """End the threads; what is being kept is kept, and what is to be deleted is gone."""
        self._worker.close(finish=True)
        self._settler.close()
        if self._own is not None and self._own is not self._history:
            self._own.close()

    def _open(self) -> History:
        if self._own is None:
            self._own = self._history.twin()
        return self._own

    def _add(
        self, number: int, caption: Caption, source: Source, picture: Picture, keep_picture: bool
    ) -> None:
        if self._whole is not None and self._whole[0] == number:
            caption = self._whole[1]
        entry: Entry | None = None
        problem = ""
        try:
            entry = self._open().add(caption, source, picture, keep_picture)
            self._kept.append((number, entry))
        except HistoryError as error:
            problem = str(error)
        except Exception as error:  # such as too little memory; the description must be said
            problem = f"The description could not be kept in the history ({_reason(error)})."
        self.added.emit(number, entry, problem)
        self._settler.ask(self._history.settle)

    def _complete(self, number: int, caption: Caption) -> None:
        entry = next((entry for kept, entry in self._kept if kept == number), None)
        if entry is not None and caption != entry.caption:
            # What cannot be written has been told when the entry was, or will be with the next.
            with contextlib.suppress(Exception):
                self._open().complete(entry.id, caption)
        elif entry is None and (self._whole is None or number > self._whole[0]):
            self._whole = (number, caption)

    def _clear(self) -> None:
        problem = ""
        try:
            self._open().clear()
        except HistoryError as error:
            problem = str(error)
        except Exception as error:  # the thread must go on, or nothing would be said any more
            problem = f"The history could not be deleted ({_reason(error)}): try again."
        self.cleared.emit(problem)


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
