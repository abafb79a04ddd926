"""The pages of a damaged history that hold rows: found one by one, and given to SQLite to read."""

import contextlib
import sqlite3
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from desktop.history_rows import LEAF, made_anew, read_number
from desktop.history_schema import PAGE_SIZE, number

# Of SQLite's file format (sqlite.org/fileformat.html):
_ABOVE_LEAVES = 5  # first byte of a page of a table that leads to those with rows
_LEAF_HEADER = struct.Struct(">B 2x H 3x H")  # kind, rows, where the first of them is
_ABOVE_HEADER = struct.Struct(">B 2x 2H x I")  # kind, links, where the last of them is, last page
_LINK = struct.Struct(">I x")  # a page; the number of its last row is not needed to read all
_COUNTS, _COUNTS_AT = struct.Struct(">4I"), 24  # change counter, pages, two about free pages
_VALID_FOR_AT = 92  # the change counter for which the number of pages holds

_LEAVES_AT_ONCE = 64


class RowPages:
    """The pages of a file that hold rows of tables, shown to SQLite as tables.

    SQLite itself does the reading: a page for each table is added to the end of the file, with a
    new beginning of the file that tells of these tables alone. What these pages lead to changes
    with each `show`. So it does not matter whether the pages that led to the rows are lost, and
    long rows, which go on in other pages, are followed.

    Args:
        file: a copy of a history, which is changed.
        tables: name -> statement that makes the table, of which the first column is its id.
    """

    def __init__(self, file: Path, tables: dict[str, str]) -> None:
        self._end = -(-file.stat().st_size // PAGE_SIZE)  # pages of the history itself
        self._shown = 0
        scratch = file.with_name("tables.sqlite3")
        columns = _make_tables(scratch, tables, self._end)
        self._tables = {columns[name]: name for name in tables}  # by what a row tells of its table
        self._file = file.open("r+b")
        self._file.write(scratch.read_bytes()[:PAGE_SIZE])
        self._put(bytes(PAGE_SIZE))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._file.close()

    def groups(self) -> Iterator[tuple[str | None, list[int]]]:
        """All pages that hold rows, a few at a time: of which table they seem to be, which pages.

        The table is None where that is not to be seen; such a page comes alone.
        """
        waiting: dict[str, list[int]] = {name: [] for name in self._tables.values()}
        for place in range(1, self._end):
            page = self._page(place)
            kind, rows, start = _LEAF_HEADER.unpack_from(page)
            if kind != LEAF or not rows:
                if made_anew(page, self._tables.keys()) is not None:  # its beginning is lost
                    yield None, [place]
                continue
            table = self._tables.get(_columns_at(page, start))
            if table is None:
                yield None, [place]
                continue
            waiting[table].append(place)
            if len(waiting[table]) == _LEAVES_AT_ONCE:
                yield table, waiting[table]
                waiting[table] = []
        yield from ((table, pages) for table, pages in waiting.items() if pages)

    def show(self, pages: Sequence[int]) -> None:
        """Make the rows of these pages the rows of each of the tables."""
        self._put(self._page(pages[0]) if len(pages) == 1 else _above(pages))

    def show_made_anew(self, page: int) -> bool:
        """Show the rows that are found in a damaged page by themselves; whether there are any."""
        made = made_anew(self._page(page), self._tables.keys())
        if made is not None:
            self._put(made)
        return made is not None

    def _put(self, root: bytes) -> None:
        self._file.seek(self._end * PAGE_SIZE)
        self._file.write(root * len(self._tables))
        # Another change counter, so that SQLite reads its pages anew.
        self._shown += 1
        self._file.seek(_COUNTS_AT)
        self._file.write(_COUNTS.pack(self._shown, self._end + len(self._tables), 0, 0))
        self._file.seek(_VALID_FOR_AT)
        self._file.write(struct.pack(">I", self._shown))
        self._file.flush()

    def _page(self, number: int) -> bytes:
        self._file.seek(number * PAGE_SIZE)
        return self._file.read(PAGE_SIZE).ljust(PAGE_SIZE, b"\0")


def _make_tables(file: Path, tables: dict[str, str], end: int) -> dict[str, int]:
    """Make a file whose first page tells of these tables after its end, a page for each.

    Returns:
        how many columns each table has.
    """
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        for statement in tables.values():
            db.execute(statement)
        columns = {
            name: number(db, f"SELECT count(*) FROM pragma_table_info('{name}')") for name in tables
        }
        db.execute("PRAGMA writable_schema = ON")
        for place, table in enumerate(tables, end + 1):
            db.execute("UPDATE sqlite_schema SET rootpage = ? WHERE name = ?", (place, table))
        others = ", ".join("?" * len(tables))
        db.execute(f"DELETE FROM sqlite_schema WHERE name NOT IN ({others})", tuple(tables))
    return columns


def _columns_at(page: bytes, place: int) -> int:
    """How many columns the row at a place has; 0 where there is none with an id."""
    try:
        _, place = read_number(page, place)  # bytes of the row
        _, place = read_number(page, place)  # its id
        size, first = read_number(page, place)
        if page[first] != 0:  # the id is not stored again
            return 0
        columns, at = 0, first
        while at < place + size:
            _, at = read_number(page, at)
            columns += 1
        return columns
    except IndexError:
        return 0


def _above(pages: Sequence[int]) -> bytes:
    """A page that leads to these pages."""
    # The links stand at the end, before them at the beginning where each of them is.
    places = [PAGE_SIZE - _LINK.size * count for count in range(1, len(pages))]
    header = _ABOVE_HEADER.pack(_ABOVE_LEAVES, len(places), places[-1], pages[-1] + 1)
    start = header + struct.pack(f">{len(places)}H", *places)
    # Pages are counted from one in the file.
    links = b"".join(_LINK.pack(page + 1) for page in reversed(pages[:-1]))
    return start + bytes(PAGE_SIZE - len(start) - len(links)) + links
