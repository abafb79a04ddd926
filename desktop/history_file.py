"""The open file of the history: transactions, damage mended when it is met, errors in sentences."""

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from desktop.history_entry import DamagedError, HistoryError
from desktop.history_log import settle, truncate
from desktop.history_recovery import recover
from desktop.history_schema import connect, explain, is_damage, number

# Files up to this size are checked whole when they are opened, which takes a few hundredths of a
# second; damage in larger ones shows when it is met. Bytes.
_CHECKED_WHOLE = 16 * 1024 * 1024

_T = TypeVar("_T")

# Several threads, each with the file open, may meet the same damage.
_mending = threading.Lock()


class HistoryFile:
    """A database that may be asked from several threads, and outlives damage to its file.

    Args:
        path: the file; None for memory.

    Raises:
        HistoryError: if it cannot be opened, or belongs to a newer version of Seesay.

    Attributes:
        path: as given.
        problem: one sentence about damage and what became of it; None if all is well.
        on_damage: called with that sentence when it comes, in the thread that met the damage.
        lock: to be held over several calls that belong together.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.problem: str | None = None
        self.on_damage: Callable[[str], None] = lambda sentence: None
        self.lock = threading.RLock()
        self._usable = False  # not while it could not be opened or mended; then it is tried again
        with self.plain_errors():
            self._open_or_recover()

    def close(self) -> None:
        """Let go of the file."""
        with self.lock:
            self._db.close()

    def read(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Do what needs the database; once more with a mended one if this one is damaged.

        Raises:
            HistoryError: if it cannot be done.
        """
        with self.lock, self.plain_errors():
            self._follow()
            try:
                return work(self._db)
            except (sqlite3.DatabaseError, DamagedError) as error:
                if isinstance(error, sqlite3.DatabaseError) and not is_damage(error):
                    raise
                self._recover()
                return work(self._db)

    def write(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """As `read`, in a transaction of its own: all of the work is done, or nothing.

        Raises:
            HistoryError: if it cannot be done.
        """

        def transaction(db: sqlite3.Connection) -> _T:
            db.execute("BEGIN IMMEDIATE")
            try:
                result = work(db)
                db.execute("COMMIT")
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")
            return result

        return self.read(transaction)

    def empty(self) -> None:
        """Take out everything at once, however much it is; ids go on from where they were.

        Raises:
            HistoryError: if it cannot be done, as while another process writes.
        """

        def work(db: sqlite3.Connection) -> None:
            # An empty database is copied over this one, page by page. SQLite does that under the
            # locks that any other process knows, and cuts off the rest of the file.
            with contextlib.closing(connect(None)) as nothing:
                last = db.execute("SELECT name, seq FROM sqlite_sequence").fetchall()
                nothing.executemany("INSERT INTO sqlite_sequence VALUES (?, ?)", last)
                nothing.backup(db, progress=_refuse_to_wait)

        self.read(work)

    def settle(self) -> None:
        """Move what is in the log into the file if it has become much, while others go on.

        Nothing is lost if that cannot be done: the next time may do it.
        """
        if self.path is not None:
            with contextlib.suppress(sqlite3.Error, DamagedError, HistoryError, OSError):
                settle(self.path)

    def empty_log(self) -> None:
        """Leave no older state of the file in its log.

        Raises:
            HistoryError: if another process keeps it in use.
        """
        if not self.read(truncate):
            raise HistoryError(
                "The entries are gone from the history but may be left in its log: "
                "close other windows and commands of Seesay, and delete again."
            )

    @contextlib.contextmanager
    def plain_errors(self) -> Iterator[None]:
        """Turn errors of the disk and of the database into sentences.

        Raises:
            HistoryError: in their stead.
        """
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise explain(error, self.path) from error
        except DamagedError as error:
            raise HistoryError(
                f"The history {self.path} is damaged and cannot be mended: move it elsewhere."
            ) from error

    def _open_or_recover(self) -> None:
        try:
            self._open()
        except DamagedError:
            self._recover()

    def _open(self) -> None:
        self._usable = False
        self._identity = self._present_identity()
        self._db = connect(self.path)
        try:
            self._identity = self._present_identity()
            if self.path is not None and self.path.stat().st_size <= _CHECKED_WHOLE:
                _check(self._db)
        except BaseException as error:
            self._db.close()
            if isinstance(error, sqlite3.Error) and is_damage(error):
                raise DamagedError from error
            raise
        self._usable = True

    def _present_identity(self) -> tuple[int, int] | None:
        """What tells the file from another of the same name; None without a file."""
        with contextlib.suppress(FileNotFoundError):
            if self.path is not None:
                status = self.path.stat()
                return status.st_dev, status.st_ino
        return None

    def _follow(self) -> None:
        """Open the file anew if another process mended it, somebody deleted it, or it failed."""
        if not self._usable or self._present_identity() != self._identity:
            self._db.close()
            self._open_or_recover()

    def _recover(self) -> None:
        assert self.path is not None  # memory does not get damaged
        self._usable = False
        if hasattr(self, "_db"):
            self._db.close()
        with _mending:
            if self._present_identity() == self._identity:  # or another was quicker
                aside, saved = recover(self.path)
                what = f"{saved} of its entries were saved"
                if not saved:
                    what = "nothing in it could be read"
                self.problem = (
                    f"The history was damaged: {what}, and the damaged file is now {aside.name}."
                )
                self.on_damage(self.problem)
        self._open()


def _check(db: sqlite3.Connection) -> None:
    (answer, *_) = db.execute("PRAGMA quick_check(1)").fetchone()
    if answer != "ok":
        raise DamagedError
    # That leaves out the index of words, whose own check needs the right to write: where another
    # process has it, or nobody, the next start checks.
    patience = number(db, "PRAGMA busy_timeout")
    db.execute("PRAGMA busy_timeout = 0")
    try:
        db.execute("INSERT INTO search (search) VALUES ('integrity-check')")
    except sqlite3.OperationalError:
        pass
    finally:
        db.execute(f"PRAGMA busy_timeout = {patience}")


def _refuse_to_wait(status: int, *_: int) -> None:
    """End a copy for which another process has no room, rather than trying for ever."""
    if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        error = sqlite3.OperationalError("database is locked")
        error.sqlite_errorcode = status
        raise error
