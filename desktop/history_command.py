"""The history at the command line: ``seesay history list|search|show|export|clear``."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from desktop.history import Entry, History, Query

_EXAMPLES = """\
examples:
  seesay history list --limit 10           the last ten descriptions
  seesay history search red ball           those in which words begin so
  seesay history show 12                   all that is known of one
  seesay history export all.html           a page with pictures; also .csv and .jsonl
  seesay history clear                     delete everything for good"""

_LAST_ID = (1 << 63) - 1  # that the file can hold


def add_parser(commands: "argparse._SubParsersAction[Any]") -> argparse.ArgumentParser:
    """Add ``history`` to the commands; what it does is in `lines`."""
    history: argparse.ArgumentParser = commands.add_parser(
        "history",
        help="find, export or delete what was said",
        description="What the desktop program said of pictures, newest first.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = history.add_subparsers(
        title="actions", dest="action", metavar="ACTION", required=True
    )

    every = actions.add_parser("list", help="list descriptions", description="List descriptions.")
    search = actions.add_parser(
        "search",
        help="find descriptions by words",
        description="Find by words of the sentence, the text in the picture, notes and names.",
    )
    search.add_argument("words", nargs="+", metavar="WORDS", help="beginnings of words")
    for found in (every, search):
        found.add_argument("--json", action="store_true", help="print one JSON object a line")
        found.add_argument("--limit", type=_number, metavar="N", help="at most so many")

    show = actions.add_parser("show", help="show one", description="Show one description.")
    show.add_argument("id", type=_number, metavar="ID", help="its number, as list prints it")
    show.add_argument("--json", action="store_true", help="print one JSON object")

    export = actions.add_parser(
        "export",
        help="write all to a file",
        description="Write all descriptions to a CSV, JSON Lines or HTML file.",
    )
    export.add_argument("file", type=Path, metavar="FILE", help="ends in .csv, .jsonl or .html")

    clear = actions.add_parser(
        "clear", help="delete everything", description="Delete the whole history for good."
    )
    clear.add_argument("--yes", action="store_true", help="without asking")
    return history


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) <= _LAST_ID):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def lines(options: argparse.Namespace) -> Iterator[str]:
    """Do what was asked for, and yield the lines to print.

    Raises:
        HistoryError: if it cannot be done.
    """
    from desktop.history import History, Query

    history = History()
    try:
        if history.problem is not None:
            print(f"seesay: {history.problem}", file=sys.stderr, flush=True)
        match options.action:
            case "list":
                yield from _listed(history, Query(), options)
            case "search":
                yield from _listed(history, Query(words=" ".join(options.words)), options)
            case "show":
                entry = history.get(options.id)
                yield from [_json(entry)] if options.json else _told(entry)
            case "export":
                yield _exported(history, options.file)
            case "clear":
                yield _cleared(history, options.yes)
    finally:
        history.close()


def _listed(history: "History", query: "Query", options: argparse.Namespace) -> Iterator[str]:
    number = 0
    for number, entry in enumerate(history.walk(query), 1):
        yield _json(entry) if options.json else f"{entry.id}: {_one_line(entry.plain_text())}"
        if number == options.limit:
            return
    if not number and not options.json:
        yield "Nothing in the history has these words." if query.words else "The history is empty."


def _json(entry: "Entry") -> str:
    return json.dumps(entry.to_dict(), ensure_ascii=False, allow_nan=False)


def _told(entry: "Entry") -> Iterator[str]:
    from desktop.history_entry import plain_time

    caption = entry.caption
    yield _one_line(caption.spoken)
    facts: dict[str, str] = {
        "time": f"{plain_time(entry.time)} ({entry.time.isoformat(timespec='seconds')})",
        "source": entry.source,
        "name": entry.name,
        "confidence": f"{caption.confidence:.0%} ({caption.level})",
        "seen": ", ".join(f"{word.word} {word.where}" for word in caption.told_words if word.where),
        "text": " / ".join(caption.text),
        "noticed": ", ".join(caption.notes),
        "note": entry.note,
        "starred": "yes" if entry.starred else "",
        "model": caption.model,
    }
    yield from (f"{name}: {_one_line(value)}" for name, value in facts.items() if value)


def _one_line(text: str) -> str:
    """Text that cannot steer the terminal: from a picture or a file's name, anything may come."""
    return "".join(
        letter if letter.isprintable() else repr(letter)[1:-1] for letter in " ".join(text.split())
    )


def _exported(history: "History", path: Path) -> str:
    from desktop.history_export import export_history

    entries = export_history(history, path)
    return f"{entries} description{'' if entries == 1 else 's'} exported to {path}."


def _cleared(history: "History", confirmed: bool) -> str:
    from desktop.history import HistoryError

    entries = history.count()
    if not confirmed:
        if not sys.stdin.isatty():
            raise HistoryError(
                "Nothing was deleted, because nobody can be asked here: add --yes to delete all."
            )
        print(f"Delete all {entries} descriptions for good? Type yes: ", end="", file=sys.stderr)
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            return "Nothing was deleted."
    history.clear()
    return "The history is empty now."
