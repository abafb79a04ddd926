"""Entries of the history, removed for good while others use it."""

import itertools
import sqlite3
import time
from collections.abc import Callable

from desktop.history_file import HistoryFile

# What is removed in one transaction, which then takes a few hundredths of a second.
_REMOVED_AT_ONCE = 100  # entries
_MERGED_AT_ONCE = 64  # pages of the index of words


def remove(file: HistoryFile, condition: str, values: tuple[int, ...]) -> bool:
    """Remove entries, a few at a time, so that nobody waits long who wants to add one.

    Their rows go last: wherever this is broken off, the next time finds what is left to do.

    Args:
        file: of the history.
        condition: in SQL, with places for the values.
        values: for them.

    Returns:
        Whether there were any.

    Raises:
        HistoryError: if it cannot be written, or another process keeps it in use.
    """
    some = f"SELECT id FROM entries WHERE {condition}"
    chosen = f"WHERE id IN ({some} AND deleted = ? LIMIT {_REMOVED_AT_ONCE})"
    mark = f"UPDATE entries SET deleted = 1 {chosen}"
    _by_and_by(file, lambda db: db.execute(mark, (*values, 0)).rowcount)
    if not file.read(lambda db: db.execute(f"{some} LIMIT 1", values).fetchone()):
        return False

    # Merging the index of words leaves none of the removed ones behind. The first step, which
    # has a negative number, is to put all of the index down for it.
    steps = itertools.chain([-_MERGED_AT_ONCE], itertools.repeat(_MERGED_AT_ONCE))

    def merge(db: sqlite3.Connection) -> bool:
        before = db.total_changes
        db.execute("INSERT INTO search (search, rank) VALUES ('merge', ?)", (next(steps),))
        return db.total_changes - before >= 2  # less tells that nothing was left to do

    _by_and_by(file, merge)
    delete = f"DELETE FROM entries {chosen}"
    _by_and_by(file, lambda db: db.execute(delete, (*values, 1)).rowcount)
    file.empty_log()
    return True


def _by_and_by(file: HistoryFile, work: Callable[[sqlite3.Connection], int]) -> None:
    """Repeat some work, in a transaction each, until it tells that nothing was left to do."""
    begin = time.monotonic()
    while file.write(work):
        file.settle()
        # Those who wait for the file look for it now and then: half of the time it is theirs.
        time.sleep(time.monotonic() - begin)
        begin = time.monotonic()
