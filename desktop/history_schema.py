"""The file of the history: its tables, its versions, and what its errors mean."""

import contextlib
import os
import sqlite3
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from desktop.history_entry import DamagedError, HistoryError

# "Seesay history" files say so in their header, so that no other program's file is taken for one.
APPLICATION_ID = 0x53656573

# Fixed, so that recovery knows it where the header is lost. Bytes.
PAGE_SIZE = 4096

# How long a write waits for another process (the window, a command) to end its own, in seconds.
_PATIENCE = 5.0

# Step by step from an empty file to the present version: the version is how many were taken.
# A released step is never changed; a new version adds one.
_STEPS: tuple[tuple[str, ...], ...] = (
    (
        # Small rows, so that a walk over many is quick; what is large is in tables of its own.
        """CREATE TABLE entries (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            time INTEGER NOT NULL,  -- microseconds since the beginning of 1970 in UTC
            source TEXT NOT NULL,
            name TEXT NOT NULL,
            caption TEXT,
            spoken TEXT NOT NULL,
            confidence REAL NOT NULL,
            level TEXT NOT NULL,
            text TEXT NOT NULL,  -- lines
            notes TEXT NOT NULL,  -- codes with spaces between
            seconds REAL NOT NULL,
            model TEXT NOT NULL,
            note TEXT NOT NULL,
            starred INTEGER NOT NULL,
            deleted INTEGER NOT NULL DEFAULT 0  -- 1 until it is undone or purged
        )""",
        """CREATE TABLE details (
            id INTEGER PRIMARY KEY REFERENCES entries ON DELETE CASCADE,
            words TEXT NOT NULL,  -- JSON
            thumbnail BLOB NOT NULL  -- JPEG
        )""",
        """CREATE TABLE pictures (
            id INTEGER PRIMARY KEY REFERENCES entries ON DELETE CASCADE,
            jpeg BLOB NOT NULL
        )""",
        "CREATE INDEX entries_time ON entries (time)",
        "CREATE INDEX entries_source ON entries (source, deleted)",
        "CREATE INDEX entries_starred ON entries (starred) WHERE starred = 1",
        "CREATE INDEX entries_deleted ON entries (deleted) WHERE deleted = 1",
        # "facts" lets the index answer for words, source and star at once.
        """CREATE VIEW searchable AS
            SELECT id, spoken, text, note, name,
                source || CASE starred WHEN 1 THEN ' starred' ELSE '' END AS facts
            FROM entries WHERE deleted = 0""",
        """CREATE VIRTUAL TABLE search USING fts5(
            spoken, text, note, name, facts, content = 'searchable', content_rowid = 'id',
            tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3'
        )""",
        """CREATE TRIGGER entry_added AFTER INSERT ON entries BEGIN
            INSERT INTO search (rowid, spoken, text, note, name, facts)
                SELECT id, spoken, text, note, name, facts FROM searchable WHERE id = new.id;
        END""",
        # The index must be told the old values, hence before the change.
        """CREATE TRIGGER entry_changes BEFORE UPDATE OF note, starred, deleted ON entries BEGIN
            INSERT INTO search (search, rowid, spoken, text, note, name, facts)
                SELECT 'delete', id, spoken, text, note, name, facts
                FROM searchable WHERE id = old.id;
        END""",
        """CREATE TRIGGER entry_changed AFTER UPDATE OF note, starred, deleted ON entries BEGIN
            INSERT INTO search (rowid, spoken, text, note, name, facts)
                SELECT id, spoken, text, note, name, facts FROM searchable WHERE id = new.id;
        END""",
        """CREATE TRIGGER entry_goes BEFORE DELETE ON entries BEGIN
            INSERT INTO search (search, rowid, spoken, text, note, name, facts)
                SELECT 'delete', id, spoken, text, note, name, facts
                FROM searchable WHERE id = old.id;
        END""",
    ),
    (
        # A screen's text is read to its end while its beginning is heard, and kept then.
        "DROP TRIGGER entry_changes",
        "DROP TRIGGER entry_changed",
        """CREATE TRIGGER entry_changes BEFORE UPDATE OF text, note, starred, deleted ON entries
        BEGIN
            INSERT INTO search (search, rowid, spoken, text, note, name, facts)
                SELECT 'delete', id, spoken, text, note, name, facts
                FROM searchable WHERE id = old.id;
        END""",
        """CREATE TRIGGER entry_changed AFTER UPDATE OF text, note, starred, deleted ON entries
        BEGIN
            INSERT INTO search (rowid, spoken, text, note, name, facts)
                SELECT id, spoken, text, note, name, facts FROM searchable WHERE id = new.id;
        END""",
    ),
)
VERSION = len(_STEPS)

# Files that this process has opened by SQLite. On POSIX, closing a file in any other way drops the
# locks of all connections of the process, and another process would take them for gone.
_opened: set[tuple[int, int] | None] = set()
_opening = threading.Lock()  # a thread that finds no file there must not close one that came

_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_HEADER = struct.Struct(">16s 44x i 4x i")  # signature, version, application: 72 bytes


def connect(path: Path | None) -> sqlite3.Connection:
    """Open the file, or make it, readable for its owner alone; None keeps all in memory.

    Raises:
        DamagedError: if it is damaged, or something else.
        HistoryError: if it was made by a newer version.
        sqlite3.Error, OSError: if it cannot be opened.
    """
    if path is not None:
        with _opening:
            _make_private(path)
    # Several threads may use the connection, one at a time; the history has a lock for it.
    db = sqlite3.connect(
        path or ":memory:", timeout=_PATIENCE, isolation_level=None, check_same_thread=False
    )
    try:
        _prepare(db)
    except sqlite3.Error as error:
        db.close()
        if is_damage(error):
            raise DamagedError from error
        raise
    except BaseException:
        db.close()
        raise
    return db


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from another of the same name; None without a file."""
    with contextlib.suppress(FileNotFoundError):
        status = path.stat()
        return status.st_dev, status.st_ino
    return None


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the error tells of a damaged file."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _DAMAGE


def explain(error: sqlite3.Error | OSError, path: Path | None) -> HistoryError:
    """The sentence for the user about an error that is no damage."""
    if isinstance(error, OSError):
        reason, code = error.strerror or str(error), None
    else:
        reason, code = str(error), getattr(error, "sqlite_errorcode", None)
    match code and code & 0xFF:
        case sqlite3.SQLITE_FULL:
            return HistoryError(
                "The history cannot be written, because the disk is full: make room on it."
            )
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return HistoryError(
                "The history is in use by another program: close that program, or try again."
            )
        case _:
            return HistoryError(
                f"The history {path} cannot be used ({reason}): "
                "make sure that its folder can be written and its disk has room."
            )


def _refuse_newer(path: Path) -> None:
    # From the header itself: SQLite would not only read but also tidy up.
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER.size)
    except FileNotFoundError:
        return
    if len(header) < _HEADER.size:
        return
    signature, version, application = _HEADER.unpack(header)
    if signature == b"SQLite format 3\0" and application == APPLICATION_ID:
        _check_version(version, path)


def _make_private(path: Path) -> None:
    """Make the file where there is none, for its owner alone."""
    if _identity(path) in _opened:
        return
    _refuse_newer(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)
    _opened.add(_identity(path))


def _check_version(version: int, path: Path | None) -> None:
    if version > VERSION:
        raise HistoryError(
            f"The history {path} was made by a newer version of Seesay and is left as it is: "
            "install that version again to use it."
        )


def _prepare(db: sqlite3.Connection) -> None:
    # Damaged text is still better read than not.
    db.text_factory = lambda data: data.decode("utf-8", "replace")
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten
    db.execute("PRAGMA cell_size_check = ON")
    db.execute(f"PRAGMA page_size = {PAGE_SIZE}")
    ours = number(db, "PRAGMA application_id") == APPLICATION_ID
    if not ours or number(db, "PRAGMA user_version") != VERSION:
        _migrate(db)
    # A write-ahead log lets one process read while the other writes, and needs no fsync at each
    # commit: a killed process loses nothing, and power failure at most the last lines.
    _log_ahead(db)
    db.execute("PRAGMA synchronous = NORMAL")
    # Whoever writes would wait for the disk whenever the log has grown; `history_log` moves it.
    # When it is begun anew, nothing of its length is kept: that tells how much there is to move.
    db.execute("PRAGMA wal_autocheckpoint = 0")
    db.execute("PRAGMA journal_size_limit = 0")


def _log_ahead(db: sqlite3.Connection) -> None:
    # The one thing for which SQLite itself does not wait while another process begins a new file.
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > end:
                raise
        time.sleep(0.01)


def _migrate(db: sqlite3.Connection) -> None:
    db.execute("BEGIN IMMEDIATE")  # another process may be about to do the same
    try:
        version = number(db, "PRAGMA user_version")
        _check_version(version, None)
        is_empty = not number(db, "SELECT count(*) FROM sqlite_schema")
        if not is_empty and number(db, "PRAGMA application_id") != APPLICATION_ID:
            raise DamagedError
        create_tables(db, version)
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


def create_tables(db: sqlite3.Connection, version: int = 0) -> None:
    """Bring the tables from a version to the present one, within the caller's transaction."""
    for step in _STEPS[version:]:
        for statement in step:
            db.execute(statement)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {VERSION}")


@contextlib.contextmanager
def without_trigger(db: sqlite3.Connection, name: str) -> Iterator[None]:
    """Leave the index of words alone meanwhile, within the caller's transaction."""
    question = "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = ?"
    (trigger,) = db.execute(question, (name,)).fetchone()
    db.execute(f"DROP TRIGGER {name}")
    yield
    db.execute(trigger)


def number(db: sqlite3.Connection, question: str) -> int:
    """The answer to a question that has a single number for it."""
    return int(db.execute(question).fetchone()[0])
