"""The history's write-ahead log, and how it is moved into the file."""

import contextlib
import sqlite3
import threading
import time
from pathlib import Path

from desktop.history_schema import VERSION, connect, number

# Some hundred descriptions without their full pictures, or a dozen with them. Bytes.
_MUCH = 4 * 1024 * 1024

# SQLite waits for those who read and write, but not for another who moves the log.
_moving = threading.Lock()


def settle(path: Path) -> None:
    """Move what is in the log into the file if it has become much; others read and write meanwhile.

    A disk that is busy may take seconds for it, which nobody who writes should wait for.

    Args:
        path: of the history.

    Raises:
        sqlite3.Error, OSError: if it cannot be done; all stays in the log.
    """
    log = path.with_name(f"{path.name}-wal")
    if not log.exists() or log.stat().st_size < _MUCH:
        return
    with _moving, contextlib.closing(connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(PASSIVE)")
        # Whoever is the next to write begins the log anew, and waits until the disk has its head.
        db.execute(f"PRAGMA user_version = {VERSION}")


def truncate(db: sqlite3.Connection) -> bool:
    """Move all of the log into the file, and leave nothing of it; tells whether that could be done.

    Args:
        db: the database; others may have it open, but none may be reading it all the time.
    """
    with _moving:
        end = time.monotonic() + number(db, "PRAGMA busy_timeout") / 1000
        while number(db, "PRAGMA wal_checkpoint(TRUNCATE)"):
            if time.monotonic() > end:
                return False
            time.sleep(0.01)  # another process moves it
    return True
