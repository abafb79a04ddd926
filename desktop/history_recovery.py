"""A damaged history: set aside under a name that says so; what can be read goes into a new one."""

import contextlib
import os
import shutil
import sqlite3
import struct
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

from core.caption import Level
from desktop.history_entry import ENTRY_COLUMNS, SOURCES, DamagedError, from_row
from desktop.history_pages import RowPages
from desktop.history_schema import PAGE_SIZE, connect, number, without_trigger

_MARK = ".damaged-"
_WORKPLACE = ".recovering-"
_COLUMNS = {
    "entries": (*ENTRY_COLUMNS, "deleted"),
    "details": ("id", "words", "thumbnail"),
    "pictures": ("id", "jpeg"),
}
_NAMES = {table: ", ".join(columns) for table, columns in _COLUMNS.items()}

# What makes rows good to copy as they are; others are looked at one by one.
_SOUND = {
    "entries": " AND ".join(
        (
            "typeof(time) = 'integer' AND time BETWEEN 0 AND 9999999999999999",  # to the year 2286
            *(
                f"{column} IN {values}"
                for column, values in (("source", SOURCES), ("level", get_args(Level)))
            ),
            *(
                f"typeof({column}) = 'text'"
                for column in ("name", "spoken", "text", "notes", "model", "note")
            ),
            "typeof(caption) IN ('text', 'null')",
            *(f"typeof({column}) = 'real'" for column in ("confidence", "seconds")),
            *(f"{column} IN (0, 1)" for column in ("starred", "deleted")),
        )
    ),
    "details": "typeof(words) = 'text' AND typeof(thumbnail) = 'blob'",
    "pictures": "typeof(jpeg) = 'blob' AND substr(jpeg, 1, 2) = x'ffd8'",
}
_NOT_OF_DAMAGE = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
}

# Of SQLite's file format (sqlite.org/fileformat.html):
_LOG_HEADER = struct.Struct(">16x 2I 8x")  # two salts
_FRAME_HEADER = struct.Struct(">2I 2I 8x")  # page, pages of the file if a commit else 0, two salts


def remove_leftovers(path: Path, older_than: float) -> None:
    """Remove what damage left beside the history: files set aside, recoveries that were broken off.

    Args:
        path: of the history.
        older_than: seconds since 1970; what was changed later stays.

    Raises:
        OSError: if the disk does not let it.
    """
    for file in path.parent.glob(f"{path.stem}{_MARK}*"):
        if file.stat().st_mtime < older_than:
            file.unlink(missing_ok=True)
    for folder in path.parent.glob(f"{_WORKPLACE}*"):
        if folder.stat().st_mtime < older_than:
            shutil.rmtree(folder)


def recover(path: Path) -> tuple[Path, int]:
    """Put a new history in the place of a damaged one.

    The damaged file stays in its place until the new one is complete, so that a stop at any
    moment loses nothing.

    Returns:
        where the damaged file is now, and how many entries were saved from it.

    Raises:
        OSError, sqlite3.Error: if the disk does not let it.
    """
    log, shared = (path.with_name(path.name + end) for end in ("-wal", "-shm"))
    with tempfile.TemporaryDirectory(prefix=_WORKPLACE, dir=path.parent) as folder:
        new, copy = Path(folder, "new.sqlite3"), Path(folder, "copy.sqlite3")
        shutil.copyfile(path, copy)
        if log.exists():
            _apply_log(log, copy)
        with contextlib.closing(connect(new)) as db:
            saved = _save_entries(copy, db)
        with new.open("rb") as file:
            os.fsync(file.fileno())
        aside = _free_name(path)
        _link(path, aside)
        if log.exists():
            _link(log, aside.with_name(aside.name + "-wal"))
        # A log left behind would be taken for the new file's.
        log.unlink(missing_ok=True)
        shared.unlink(missing_ok=True)
        new.replace(path)
    return aside, saved


def _free_name(path: Path) -> Path:
    start = f"{path.stem}{_MARK}{datetime.now():%Y-%m-%d-%H%M%S}"
    aside, number = path.with_name(start + path.suffix), 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{start}-{number}{path.suffix}")
    return aside


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copy2(source, target)


def _apply_log(log: Path, copy: Path) -> None:
    """Write the committed pages of a write-ahead log to their places.

    SQLite would do it, but not where the file's header is damaged.
    """
    waiting: dict[int, bytes] = {}
    with log.open("rb") as frames, copy.open("r+b") as file:
        start = frames.read(32)
        salts = _LOG_HEADER.unpack(start) if len(start) == _LOG_HEADER.size else None
        while len(header := frames.read(_FRAME_HEADER.size)) == _FRAME_HEADER.size:
            number, is_commit, *frame_salts = _FRAME_HEADER.unpack(header)
            page = frames.read(PAGE_SIZE)
            if tuple(frame_salts) != salts or len(page) < PAGE_SIZE:
                break  # left from an earlier round, or cut short
            waiting[number] = page
            if is_commit:
                for number, page in waiting.items():
                    file.seek((number - 1) * PAGE_SIZE)
                    file.write(page)
                waiting.clear()


def _save_entries(copy: Path, new: sqlite3.Connection) -> int:
    """Copy every row that is found, with or without the pages that led to it.

    Returns:
        the number of entries.
    """
    # Nothing depends on the new file before it is complete.
    new.execute("PRAGMA journal_mode = MEMORY")
    new.execute("PRAGMA synchronous = OFF")
    new.execute("PRAGMA foreign_keys = OFF")  # pictures are found before their entries, too
    question = "SELECT sql FROM sqlite_schema WHERE name = ?"
    tables = {table: new.execute(question, (table,)).fetchone()[0] for table in _COLUMNS}
    with (
        without_trigger(new, "entry_added"),
        RowPages(copy, tables) as pages,
        contextlib.closing(sqlite3.connect(copy)) as old,
    ):
        old.text_factory = lambda data: data.decode("utf-8", "replace")
        new.execute("ATTACH ? AS old", (str(copy),))
        for table, group in pages.groups():
            _save_group(table, group, pages, old, new)
        new.execute("DETACH old")
    for table in ("details", "pictures"):
        new.execute(f"DELETE FROM {table} WHERE id NOT IN (SELECT id FROM entries)")
    new.execute("INSERT INTO search (search) VALUES ('rebuild')")
    return number(new, "SELECT count(*) FROM entries")


def _save_group(
    table: str | None,
    group: list[int],
    pages: RowPages,
    old: sqlite3.Connection,
    new: sqlite3.Connection,
) -> None:
    """Copy the rows of some pages: at once if they are whole, else of fewer and fewer pages."""
    pages.show(group)
    if table is not None and _save_at_once(table, new):
        return
    if len(group) > 1:
        half = len(group) // 2
        _save_group(table, group[:half], pages, old, new)
        _save_group(table, group[half:], pages, old, new)
        return
    _save_one_by_one(old, new)
    if pages.show_made_anew(group[0]):
        _save_one_by_one(old, new)


def _save_one_by_one(old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    for table in _COLUMNS:
        for row in _rows(old, table):
            if _is_sound(table, row):
                places = ", ".join("?" * len(row))
                statement = f"INSERT INTO {table} ({_NAMES[table]}) VALUES ({places})"
                with contextlib.suppress(sqlite3.IntegrityError):  # there already
                    new.execute(statement, row)


def _save_at_once(table: str, new: sqlite3.Connection) -> bool:
    """Copy all rows that are shown; returns whether they were whole and all of this table."""
    copy = (
        f"INSERT OR IGNORE INTO main.{table} ({_NAMES[table]}) "
        f"SELECT {_NAMES[table]} FROM old.{table} WHERE {_SOUND[table]}"
    )
    try:
        saved = new.execute(copy).rowcount
        # The index of words has tables that look like the one of pictures.
        return table == "pictures" or saved == number(new, f"SELECT count(*) FROM old.{table}")
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF in _NOT_OF_DAMAGE:
            raise
        return False


def _is_sound(table: str, row: tuple[Any, ...]) -> bool:
    """Whether it is a row of this table, and not of another one or damaged."""
    match table, row:
        case "entries", (*entry, 0 | 1):
            try:
                from_row(entry, "", b"", False)
            except DamagedError:
                return False
            return True
        case "details", (_, str(), bytes()):
            return True
        case "pictures", (_, bytes(jpeg)):
            return jpeg.startswith(b"\xff\xd8")
    return False


def _rows(db: sqlite3.Connection, table: str) -> Iterator[tuple[Any, ...]]:
    columns = _NAMES[table]
    try:
        yield from db.execute(f"SELECT {columns} FROM {table}").fetchall()
        return
    except sqlite3.Error:
        pass  # so one by one
    ids: dict[int, None] = {}
    for order in ("ASC", "DESC"):  # from both sides up to what cannot be read
        with contextlib.suppress(sqlite3.Error):
            for (number,) in db.execute(f"SELECT id FROM {table} ORDER BY id {order}"):
                ids[number] = None
    question = f"SELECT {columns} FROM {table} WHERE id = ?"
    for number in ids:
        with contextlib.suppress(sqlite3.Error):
            yield from db.execute(question, (number,)).fetchall()
