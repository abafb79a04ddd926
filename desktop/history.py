"""The history: what was said of which picture, kept on disk, found again by its words."""

import contextlib
import math
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from core.caption import Caption
from desktop.actions import Source
from desktop.history_entry import (
    Entry,
    HistoryError,
    Query,
    details_to_json,
    opened,
    storable,
    text_to_column,
    to_jpeg,
    to_microseconds,
    to_row,
)
from desktop.history_file import HistoryFile
from desktop.history_query import fetch_entries, select
from desktop.history_recovery import remove_leftovers
from desktop.history_removal import remove

if TYPE_CHECKING:
    from core.picture import Picture

__all__ = ["Entry", "History", "HistoryError", "Query", "Source", "open_history"]

_ALL = Query()
_PAGE = 50
_THUMBNAIL = 160  # pixels of the longest side


class History:
    """The descriptions that were given, newest first.

    What `add` returned is on disk: a killed process loses nothing. Several processes may have the
    history open, and several threads may use this object. Damage is mended when it is met.

    Args:
        path: the file; by default in the user's data folder. ``":memory:"`` keeps nothing.
        problem: what to tell at first.

    Raises:
        HistoryError: if it cannot be opened, or belongs to a newer version of Seesay.
    """

    def __init__(self, path: Path | str | None = None, problem: str | None = None) -> None:
        self._file = HistoryFile(None if path == ":memory:" else Path(path or _default_path()))
        self._file.problem = self._file.problem or problem

    @property
    def path(self) -> Path | None:
        """The file; None for a history in memory."""
        return self._file.path

    @property
    def problem(self) -> str | None:
        """One sentence about what went wrong and what became of it; None if all is well.

        It tells of a damaged file that was set aside, now or while the history was in use, and of
        a history that cannot be kept on disk.
        """
        return self._file.problem

    def tell_damage_to(self, listener: Callable[[str], None]) -> None:
        """Have damage that is met from now on told at once, in a sentence, in whichever thread."""
        self._file.on_damage = listener

    def twin(self) -> "History":
        """Another of the same file: neither waits for what the other does. In memory, this one.

        Raises:
            HistoryError: if it cannot be opened.
        """
        if self.path is None:
            return self
        twin = History(self.path)
        twin.tell_damage_to(self._file.on_damage)
        if twin.problem is not None:
            self._file.on_damage(twin.problem)
        return twin

    def settle(self) -> None:
        """Move what was written into the file proper, if it is much; others go on meanwhile.

        To be called after some changes, where nobody waits for it: it may take a disk seconds.
        Nothing is lost without it, nor if it cannot be done.
        """
        self._file.settle()

    def close(self) -> None:
        """Let go of the file; nothing can be asked afterwards."""
        self._file.close()

    def add(
        self,
        caption: Caption,
        source: Source,
        picture: "Picture | None" = None,
        keep_picture: bool = False,
        when: datetime | None = None,
    ) -> Entry:
        """Keep a description; a process that is killed later does not lose it.

        Args:
            caption: what is said.
            source: where the picture came from.
            picture: of which a thumbnail is kept.
            keep_picture: keep the full picture, too.
            when: now by default.

        Raises:
            HistoryError: if it cannot be written.
        """
        when = (when or datetime.now(UTC)).astimezone()
        row = to_row(when, source, caption)
        words = details_to_json(caption.words, caption.things)
        thumbnail = b"" if picture is None else to_jpeg(picture, _THUMBNAIL, quality=80)
        full = None
        if picture is not None and keep_picture:
            full = to_jpeg(picture, max(picture.width, picture.height), quality=90)

        def write(db: sqlite3.Connection) -> int:
            names, places = ", ".join(row), ", ".join("?" * len(row))
            statement = f"INSERT INTO entries ({names}) VALUES ({places}) RETURNING id"
            (entry,) = db.execute(statement, tuple(row.values())).fetchone()
            db.execute("INSERT INTO details VALUES (?, ?, ?)", (entry, words, thumbnail))
            if full is not None:
                db.execute("INSERT INTO pictures VALUES (?, ?)", (entry, full))
            return int(entry)

        return Entry(
            self._file.write(write), when, source, caption, "", False, thumbnail, full is not None
        )

    def page(
        self,
        query: Query = _ALL,
        before: int | None = None,
        limit: int = _PAGE,
        with_words: bool = True,
    ) -> list[Entry]:
        """The next entries, newest first: in the reverse of the order in which they were added.

        Args:
            query: which ones.
            before: id of the last entry that is known already; None for the first page. Entries
                that come or go meanwhile shift nothing.
            limit: how many at most; fewer come only at the end.
            with_words: whether the captions have their words, which take most of the memory.

        Raises:
            HistoryError: if it cannot be read.
        """

        def read(db: sqlite3.Connection) -> list[Entry]:
            where = select(query, db)
            condition, values = where.condition, where.values
            if before is not None:
                condition, values = f"{condition} AND {where.id} < ?", (*values, before)
            return fetch_entries(
                db,
                f"{where.tables} {{}} WHERE {condition} ORDER BY {where.id} DESC LIMIT ?",
                (*values, limit),
                with_words,
            )

        return self._file.read(read)

    def walk(self, query: Query = _ALL) -> Iterator[Entry]:
        """All entries of a query, newest first, a page at a time in memory.

        Raises:
            HistoryError: if it cannot be read.
        """
        entries = self.page(query)
        while entries:
            yield from entries
            entries = self.page(query, before=entries[-1].id)

    def count(self, query: Query = _ALL, most: int = sys.maxsize) -> int:
        """How many entries a query has.

        Args:
            query: which ones.
            most: where to stop counting, which spares time.

        Raises:
            HistoryError: if it cannot be read.
        """

        def read(db: sqlite3.Connection) -> int:
            where = select(query, db)
            found = f"SELECT 1 FROM {where.tables} WHERE {where.condition} LIMIT ?"
            statement = f"SELECT count(*) FROM ({found})"
            return int(db.execute(statement, (*where.values, most)).fetchone()[0])

        return self._file.read(read)

    def get(self, entry: int) -> Entry:
        """The entry with this id.

        Raises:
            HistoryError: if there is none, or it cannot be read.
        """

        def read(db: sqlite3.Connection) -> list[Entry]:
            return fetch_entries(
                db, "entries AS e {} WHERE e.id = ? AND e.deleted = 0", (entry,), True
            )

        found = self._file.read(read)
        if not found:
            raise _missing(entry)
        return found[0]

    def picture(self, entry: int) -> "Picture | None":
        """The full picture; None if only the thumbnail was kept.

        Raises:
            HistoryError: if it cannot be read.
        """
        statement = "SELECT jpeg FROM pictures WHERE id = ?"
        row = self._file.read(lambda db: db.execute(statement, (entry,)).fetchone())
        return None if row is None else opened(row[0])

    def complete(self, entry: int, caption: Caption) -> None:
        """Keep what came after an entry was added: words with their places, and all of its text.

        Args:
            entry: id of the entry.
            caption: the same, now whole.

        Raises:
            HistoryError: if there is no such entry, or it cannot be written.
        """
        words = details_to_json(caption.words, caption.things)
        text = text_to_column(caption.text)

        def write(db: sqlite3.Connection) -> None:
            query = "SELECT text FROM entries WHERE id = ? AND deleted = 0"
            before = db.execute(query, (entry,)).fetchone()
            if before is None:
                raise _missing(entry)
            db.execute("UPDATE details SET words = ? WHERE id = ?", (words, entry))
            if before != (text,):  # it would be indexed anew, which mostly is for nothing
                db.execute("UPDATE entries SET text = ? WHERE id = ?", (text, entry))

        self._file.write(write)

    def set_note(self, entry: int, note: str) -> None:
        """Change the user's own note.

        Raises:
            HistoryError: if there is no such entry, or it cannot be written.
        """
        self._change(entry, "note", storable(note))

    def set_star(self, entry: int, starred: bool) -> None:
        """Mark an entry, or unmark it.

        Raises:
            HistoryError: if there is no such entry, or it cannot be written.
        """
        self._change(entry, "starred", int(starred))

    def delete(self, entries: Iterable[int]) -> None:
        """Take entries out; `restore` brings them back until `purge`.

        Raises:
            HistoryError: if it cannot be written.
        """
        self._set_deleted(entries, 1)

    def restore(self, entries: Iterable[int]) -> None:
        """Bring deleted entries back.

        Raises:
            HistoryError: if it cannot be written.
        """
        self._set_deleted(entries, 0)

    def purge(self) -> None:
        """Remove for good what was deleted.

        Raises:
            HistoryError: if it cannot be written.
        """
        remove(self._file, "deleted = 1", ())

    def forget_older_than(self, days: int) -> bool:
        """Remove for good what is older, damaged files that were set aside included.

        Args:
            days: of 24 hours; 0 or less keeps all.

        Returns:
            Whether there were such entries.

        Raises:
            HistoryError: if it cannot be written.
        """
        if days <= 0:
            return False
        oldest = datetime.now(UTC) - timedelta(days=min(days, 365_000))
        found = remove(self._file, "time < ?", (to_microseconds(oldest),))
        self._remove_leftovers(oldest.timestamp())
        return found

    def tidy(
        self, keep_days: int, on_forgotten: Callable[[], None] | None = None
    ) -> threading.Thread:
        """`purge` and `forget_older_than` in a thread of its own; meant for the program's start.

        Args:
            keep_days: as of `forget_older_than`.
            on_forgotten: told, in that thread, when entries were too old and are gone.

        With many entries they take a while, in which others can use the history. The end of the
        program does not wait for them; they go on at the next start, as after a failure.
        """

        def work() -> None:
            # Not through this object, so that nobody who uses it has to wait.
            with contextlib.suppress(HistoryError), contextlib.closing(History(self.path)) as own:
                own.purge()
                if own.forget_older_than(keep_days) and on_forgotten is not None:
                    on_forgotten()

        thread = threading.Thread(target=work, name="tidy history", daemon=True)
        if self.path is not None:
            thread.start()
        return thread

    def clear(self) -> None:
        """Remove everything for good, also damaged files that were set aside.

        Raises:
            HistoryError: if it cannot be written, or another process keeps reading it.
        """

        with self._file.lock:
            self._file.empty()
            self._file.empty_log()
        self._remove_leftovers(math.inf)

    def _change(self, entry: int, column: str, value: str | int) -> None:
        statement = f"UPDATE entries SET {column} = ? WHERE id = ? AND deleted = 0"
        if not self._file.write(lambda db: db.execute(statement, (value, entry)).rowcount):
            raise _missing(entry)

    def _set_deleted(self, entries: Iterable[int], deleted: int) -> None:
        statement = "UPDATE entries SET deleted = ? WHERE id = ? AND deleted != ?"
        rows = [(deleted, entry, deleted) for entry in entries]
        self._file.write(lambda db: db.executemany(statement, rows))

    def _remove_leftovers(self, older_than: float) -> None:
        if self.path is not None:
            with self._file.plain_errors():
                remove_leftovers(self.path, older_than)


def open_history(path: Path | None = None) -> History:
    """Open the history, or one in memory where that cannot be; its ``problem`` then says so."""
    try:
        return History(path)
    except HistoryError as error:
        return History(":memory:", f"{error} Until then, nothing is kept when Seesay ends.")


def _default_path() -> Path:
    return Path(platformdirs.user_data_dir("seesay", appauthor=False), "history.sqlite3")


def _missing(entry: int) -> HistoryError:
    return HistoryError(f"There is no entry {entry} in the history: look at the list for others.")
