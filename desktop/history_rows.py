"""Rows in a damaged page of a history: found by what they look like, and put into a page anew."""

import re
import struct
from collections.abc import Iterator, Set

from desktop.history_schema import PAGE_SIZE

# Of SQLite's file format (sqlite.org/fileformat.html):
LEAF = 13  # first byte of a page of a table that holds rows
_HEADER = struct.Struct(">B 2x 2H x")  # kind, rows, where the first of them is
_MOST_INSIDE = PAGE_SIZE - 35  # bytes of a row; longer ones go on in other pages
_BYTES = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)  # of values that are numbers, by their kind

# A row tells first how long its list of kinds is; its id, the first value, is not stored again.
_START = re.compile(rb"(?s)(?=[\x02-\x7f]\x00)")


def made_anew(page: bytes, columns: Set[int]) -> bytes | None:
    """A page with all the rows that are found in a damaged one; None where there are none.

    Rows that go on in other pages are left out.

    Args:
        page: of which any part may be lost.
        columns: the numbers of columns that rows may have.
    """
    rows = dict(_rows(page, columns))
    places = struct.pack(f">{len(rows)}H", *(rows[number] for number in sorted(rows)))
    start = min(rows.values(), default=0)
    if _HEADER.size + len(places) > start:
        return None
    made = _HEADER.pack(LEAF, len(rows), start) + places
    return made + bytes(start - len(made)) + page[start:]


def _rows(page: bytes, columns: Set[int]) -> Iterator[tuple[int, int]]:
    """The id of each row, and where it starts."""
    for found in _START.finditer(page):
        kinds = found.start()
        length = _length(page, kinds, columns)
        if length is None:
            continue
        # Before the kinds stand the row's length and its id.
        for start in range(max(0, kinds - 11), kinds - 1):
            told, middle = read_number(page, start)
            if told == length:
                number, end = read_number(page, middle)
                if end == kinds:
                    yield number, start
                    break


def _length(page: bytes, start: int, columns: Set[int]) -> int | None:
    """Bytes of the row whose kinds start here; None if they are not those of a row."""
    end, length = start + page[start], page[start]
    count, at = 0, start + 1
    while at < min(end, PAGE_SIZE - 9):
        kind, at = read_number(page, at)
        if kind in (10, 11):  # which SQLite does not write
            return None
        length += _BYTES[kind] if kind < len(_BYTES) else (kind - 12) // 2
        count += 1
    fits = at == end and start + length <= PAGE_SIZE and length <= _MOST_INSIDE
    return length if fits and count in columns else None


def read_number(page: bytes, place: int) -> tuple[int, int]:
    """A number of one to nine bytes, of which the high bit tells that more follow; its end.

    Raises:
        IndexError: if the page ends before it.
    """
    value = 0
    for at in range(place, place + 8):
        value = value << 7 | page[at] & 0x7F
        if page[at] < 0x80:
            return value, at + 1
    return value << 8 | page[place + 8], place + 9
