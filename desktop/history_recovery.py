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
from typing import Any

from desktop.history_entry import ENTRY_COLUMNS, DamagedError, from_row
from desktop.history_schema import PAGE_SIZE, connect, without_trigger

_MARK = ".damaged-"
_WORKPLACE = ".recovering-"
_COLUMNS = {
    "entries": (*ENTRY_COLUMNS, "deleted"),
    "details": ("id", "words", "thumbnail"),
    "pictures": ("id", "jpeg"),
}
_NAMES = {table: ", ".join(columns) for table, columns in _COLUMNS.items()}

# Of SQLite's file format (sqlite.org/fileformat.html):
_LEAF = 13  # first byte of a page that holds rows of a table
_COUNTS, _COUNTS_AT = struct.Struct(">4I"), 24  # change counter, pages, two about free pages
_VALID_FOR_AT = 92  # the change counter for which the number of pages holds
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
            # One file, without a log of its own: it can be moved.
            db.execute("PRAGMA journal_mode = DELETE")
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
    saved = 0
    new.execute("PRAGMA foreign_keys = OFF")  # pictures are found before their entries, too
    new.execute("BEGIN IMMEDIATE")
    with without_trigger(new, "entry_added"):
        for table, row in _found_rows(copy, new):
            if _is_sound(table, row):
                places = ", ".join("?" * len(row))
                statement = f"INSERT INTO {table} ({_NAMES[table]}) VALUES ({places})"
                with contextlib.suppress(sqlite3.IntegrityError):  # there already
                    new.execute(statement, row)
                    saved += table == "entries"
    for table in ("details", "pictures"):
        new.execute(f"DELETE FROM {table} WHERE id NOT IN (SELECT id FROM entries)")
    new.execute("INSERT INTO search (search) VALUES ('rebuild')")
    new.execute("COMMIT")
    return saved


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


def _found_rows(copy: Path, new: sqlite3.Connection) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield the rows of all leaf pages in the file, each read as a row of each table.

    SQLite itself does the reading: three tables of one page each are added to the end of the
    file, and each leaf becomes that page in turn. So it does not matter whether the pages above it
    are lost, and long rows, which go on in other pages, are followed.
    """
    pages = -(-copy.stat().st_size // PAGE_SIZE)
    first_page = _first_page(copy.with_name("tables.sqlite3"), new, pages)
    with copy.open("r+b") as file, contextlib.closing(sqlite3.connect(copy)) as db:
        db.text_factory = lambda data: data.decode("utf-8", "replace")
        file.write(first_page)
        for number in range(1, pages):
            file.seek(number * PAGE_SIZE)
            page = file.read(PAGE_SIZE).ljust(PAGE_SIZE, b"\0")
            if page[0] == _LEAF:
                file.seek(pages * PAGE_SIZE)
                file.write(page * len(_COLUMNS))
                # Another change counter, so that SQLite reads its pages anew.
                file.seek(_COUNTS_AT)
                file.write(_COUNTS.pack(number, pages + len(_COLUMNS), 0, 0))
                file.seek(_VALID_FOR_AT)
                file.write(struct.pack(">I", number))
                file.flush()
                for table in _COLUMNS:
                    yield from ((table, row) for row in _rows(db, table))


def _first_page(scratch: Path, new: sqlite3.Connection, pages: int) -> bytes:
    """The header and schema of a file that has our tables at its end, a page for each."""
    with contextlib.closing(sqlite3.connect(scratch, isolation_level=None)) as db:
        db.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        for table in _COLUMNS:
            (statement,) = new.execute(
                "SELECT sql FROM sqlite_schema WHERE name = ?", (table,)
            ).fetchone()
            db.execute(statement)
        db.execute("PRAGMA writable_schema = ON")
        for place, table in enumerate(_COLUMNS, pages + 1):
            db.execute("UPDATE sqlite_schema SET rootpage = ? WHERE name = ?", (place, table))
        db.execute("DELETE FROM sqlite_schema WHERE name NOT IN ('entries', 'details', 'pictures')")
    return scratch.read_bytes()[:PAGE_SIZE]


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
