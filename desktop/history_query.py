"""Queries of the history in SQL: words for the full-text index, days and sources for the others."""

import sqlite3
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from desktop.history_entry import (
    ENTRY_COLUMNS,
    Entry,
    Query,
    from_row,
    storable,
    to_microseconds,
)

_EVER = 1 << 62  # microseconds, beyond any time
_COLUMNS = ", ".join(f"e.{column}" for column in ENTRY_COLUMNS)


@dataclass(frozen=True)
class Selection:
    """Where a query finds its entries.

    Attributes:
        tables: for FROM; the table of entries is ``e`` there.
        condition: for WHERE.
        values: of the condition's question marks.
        id: the column to sort by, which is cheapest there.
    """

    tables: str
    condition: str
    values: tuple[str | int, ...]
    id: str


def select(query: Query, db: sqlite3.Connection) -> Selection:
    """Say in SQL which entries are wanted."""
    conditions: list[str] = []
    values: list[str | int] = []
    match = _match(query)
    if match is not None:
        tables, id_column = "search CROSS JOIN entries AS e ON e.id = search.rowid", "search.rowid"
        conditions.append("search MATCH ?")
        values.append(match)
    else:
        tables, id_column = "entries AS e", "e.id"
        conditions.append("e.deleted = 0")
        if query.source is not None:
            conditions.append("e.source = ?")
            values.append(query.source)
        if query.starred:
            conditions.append("e.starred = 1")
    if query.first is not None or query.last is not None:
        start = -_EVER if query.first is None else _midnight(query.first)
        end = _EVER if query.last is None else _midnight(query.last + timedelta(days=1))
        # Clocks are set back now and then, so the order of ids is not quite that of times. The
        # ids only narrow down where to look, in the order that is wanted.
        conditions += [f"{id_column} BETWEEN ? AND ?", "+e.time >= ?", "+e.time < ?"]
        bounds = "SELECT min(id), max(id) FROM entries WHERE time >= ? AND time < ?"
        first, last = db.execute(bounds, (start, end)).fetchone()
        values += [first or 0, last or 0, start, end]
    return Selection(tables, " AND ".join(conditions), tuple(values), id_column)


def fetch_entries(
    db: sqlite3.Connection, where: str, values: tuple[str | int, ...], with_words: bool
) -> list[Entry]:
    """The entries that a statement finds.

    Args:
        db: to ask.
        where: the statement from FROM on, with ``{}`` where further tables are joined.
        values: of its question marks.
        with_words: whether their captions have their words.
    """
    words = "d.words" if with_words else "''"
    joined = "LEFT JOIN details AS d ON d.id = e.id LEFT JOIN pictures AS p ON p.id = e.id"
    question = (
        f"SELECT {_COLUMNS}, {words}, d.thumbnail, p.id IS NOT NULL FROM {where.format(joined)}"
    )
    rows = db.execute(question, values).fetchall()
    return [from_row(row[:-3], row[-3] or "", row[-2] or b"", bool(row[-1])) for row in rows]


def _match(query: Query) -> str | None:
    """The expression for the full-text index; None where there are no words to look for.

    Each word is quoted, so that nothing in it is taken for an operator; the index breaks it up
    (``don't`` into two parts that follow each other) and its last part may go on.
    """
    words = [
        word.replace('"', '""')
        for word in storable(query.words.replace("\0", " ")).split()
        if any(letter.isalnum() for letter in word)
    ]
    if not words:
        return None
    wanted = " AND ".join(f'"{word}" *' for word in words)
    parts = [f"{{spoken text note name}} : ({wanted})"]
    if query.source is not None:
        parts.append(f"facts : {query.source}")
    if query.starred:
        parts.append("facts : starred")
    return " AND ".join(parts)


def _midnight(day: date) -> int:
    """Microseconds since 1970 at the beginning of a day in local time."""
    return to_microseconds(datetime.combine(day, time()).astimezone())
