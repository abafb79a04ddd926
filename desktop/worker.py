"""A thread that works for a window: one job at a time, the newest first."""

import threading
from collections import deque
from collections.abc import Callable

# A job under way is given this many seconds when the program ends.
_PATIENCE = 5.0


class Worker:
    """Runs jobs in a thread of its own.

    A new job takes the place of one that still waits, so that few wait, whatever comes.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self._change = threading.Condition()
        self._first: deque[Callable[[], None]] = deque()
        self._waiting: Callable[[], None] | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def ask(self, job: Callable[[], None]) -> None:
        """Run a job when the one under way is done; it deals with its own exceptions."""
        with self._change:
            self._waiting = job
            self._change.notify()

    def ask_first(self, job: Callable[[], None]) -> None:
        """Run a job before the one that waits; nothing takes its place or cancels it."""
        with self._change:
            self._first.append(job)
            self._change.notify()

    def is_wanted(self) -> bool:
        """Whether a job waits, or the end: one under way that can wait had better stop."""
        with self._change:
            return bool(self._first or self._waiting or self._closed)

    def cancel(self) -> None:
        """Forget the job that waits."""
        with self._change:
            self._waiting = None

    def close(self, finish: bool = False) -> None:
        """End the thread after the job under way.

        Args:
            finish: whether what waits is done, too.
        """
        with self._change:
            if not finish:
                self._first.clear()
                self._waiting = None
            self._closed = True
            self._change.notify()
        self._thread.join(_PATIENCE)

    def _run(self) -> None:
        while (job := self._next()) is not None:
            job()

    def _next(self) -> Callable[[], None] | None:
        with self._change:
            self._change.wait_for(lambda: self._first or self._waiting or self._closed)
            if self._first:
                return self._first.popleft()
            job, self._waiting = self._waiting, None
            return job
