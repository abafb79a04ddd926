"""The history as a file for others: CSV, JSON Lines, or a page with pictures that stands alone."""

import base64
import csv
import itertools
import json
import os
import tempfile
from collections.abc import Callable, Iterable
from html import escape
from pathlib import Path
from typing import TextIO

from desktop.history import History
from desktop.history_entry import Entry, HistoryError, Query, plain_day

_CSV_COLUMNS = (
    *("id", "time", "source", "name", "sentence", "confidence", "level"),
    *("text", "notes", "note", "starred"),
)

# Read by screen readers and by low-vision people: headings to jump between, an alternative text
# for each picture, the reader's own font size and colours, nothing fetched and nothing run.
_PAGE_START = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>Seesay history</title>
<style>
:root { color-scheme: light dark; }
body { max-width: 45em; margin: 1em auto; padding: 0 1em; font-family: sans-serif; }
article { margin: 0 0 2em; overflow: auto; }
article img { max-width: 100%; height: auto; }
</style>
</head>
<body>
<header>
<h1>Seesay history</h1>
<p>What Seesay said of pictures, newest first. A sentence may be wrong.</p>
</header>
<main>
"""
_PAGE_END = "</main>\n</body>\n</html>\n"


def export_history(history: History, path: Path, query: Query | None = None) -> int:
    """Write entries to a file; it is there only once it is complete.

    Args:
        history: where the entries are.
        path: to be written; its suffix ``.csv``, ``.jsonl`` or ``.html`` says in which format.
        query: which entries; all by default.

    Returns:
        how many there were.

    Raises:
        HistoryError: for another suffix, and if the file cannot be written or the history read.
    """
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        raise HistoryError(
            f"{path.name} does not say in which format to export: "
            "give a name that ends in .csv, .jsonl or .html."
        )
    part, numbers = None, itertools.count()
    # Counted on the way: zip takes a number only where there was an entry.
    entries = (entry for entry, _ in zip(history.walk(query or Query()), numbers, strict=False))
    try:
        # Readable for its owner alone, like the history itself.
        handle, part = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        # Excel takes CSV for UTF-8 only with a byte order mark.
        encoding = "utf-8-sig" if path.suffix.lower() == ".csv" else "utf-8"
        with open(handle, "w", encoding=encoding, newline="") as file:
            write(entries, file)
        os.replace(part, path)
        part = None
    except OSError as error:
        raise HistoryError(
            f"{path} cannot be written ({error.strerror}): choose another place for it."
        ) from error
    finally:
        if part is not None:
            os.unlink(part)
    return next(numbers)


def _write_csv(entries: Iterable[Entry], file: TextIO) -> None:
    table = csv.writer(file)
    table.writerow(_CSV_COLUMNS)
    for entry in entries:
        caption = entry.caption
        table.writerow(
            (
                entry.id,
                entry.time.isoformat(timespec="seconds"),
                entry.source,
                _cell(entry.name),
                _cell(caption.spoken),
                f"{caption.confidence:.4f}",
                caption.level,
                _cell("\n".join(caption.text)),
                " ".join(caption.notes),
                _cell(entry.note),
                "yes" if entry.starred else "no",
            )
        )


def _cell(text: str) -> str:
    """Text that a spreadsheet takes for text: a picture may show what looks like a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _write_lines(entries: Iterable[Entry], file: TextIO) -> None:
    for entry in entries:
        file.write(json.dumps(entry.to_dict(), ensure_ascii=False, allow_nan=False) + "\n")


def _write_page(entries: Iterable[Entry], file: TextIO) -> None:
    file.write(_PAGE_START)
    day = None
    for entry in entries:
        if entry.time.date() != day:
            if day is not None:
                file.write("</section>\n")
            day = entry.time.date()
            heading = f"{plain_day(day)} {day.year}"
            file.write(f"<section>\n<h2>{heading}</h2>\n")
        file.write(_article(entry))
    file.write("</section>\n" if day is not None else "<p>There are no entries.</p>\n")
    file.write(_PAGE_END)


def _article(entry: Entry) -> str:
    caption = entry.caption
    star = "Starred: " if entry.starred else ""
    facts = [f"{entry.source.capitalize()}: {entry.name}"]
    if caption.caption is not None:
        facts.append(f"confidence {caption.confidence:.0%}")
    lines = ["<article>", f"<h3>{star}{_text(caption.spoken)}</h3>"]
    if entry.thumbnail:
        data = base64.b64encode(entry.thumbnail).decode()
        alt = _text(f"Picture: {caption.spoken}")
        lines.append(f'<img src="data:image/jpeg;base64,{data}" alt="{alt}">')
    time = entry.time
    lines.append(
        f'<p><time datetime="{time.isoformat(timespec="seconds")}">{time:%H:%M}</time>, '
        f"{_text(', '.join(facts))}</p>"
    )
    if caption.text:
        lines.append(f"<p>Text in the picture: {'<br>'.join(map(_text, caption.text))}</p>")
    if entry.note:
        lines.append(f"<p>Note: {_text(entry.note)}</p>")
    lines.append("</article>\n")
    return "\n".join(lines)


def _text(text: str) -> str:
    """For HTML, without the control characters that it forbids."""
    return escape("".join(letter for letter in text if letter >= " " or letter in "\n\t"))


_WRITERS: dict[str, Callable[[Iterable[Entry], TextIO], None]] = {
    ".csv": _write_csv,
    ".jsonl": _write_lines,
    ".html": _write_page,
}
EXPORT_SUFFIXES = tuple(_WRITERS)
