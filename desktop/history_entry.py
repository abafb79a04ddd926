"""An entry of the history: what is kept of a description, how it reads, how it fills a row."""

import base64
import contextlib
import io
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast, get_args

from core.caption import Caption, Level, Thing, Word
from core.errors import PictureError, SeesayError
from desktop.actions import Source

if TYPE_CHECKING:
    from core.picture import Picture

SOURCES: tuple[Source, ...] = get_args(Source)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LEVELS: tuple[Level, ...] = get_args(Level)
# Not from strftime: Qt sets the locale of the whole process, and the rest of the text is English.
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


class HistoryError(SeesayError):
    """The history cannot be read or written, or has no such entry."""


class DamagedError(Exception):
    """The file is no history, or damaged; never leaves the history's modules."""


@dataclass(frozen=True)
class Entry:
    """A description that was given.

    Attributes:
        id: never used again, also not after the entry is deleted; later ones have greater ids.
        time: when it was given, with time zone.
        source: where the picture came from.
        caption: as it was given; its ``path`` is the camera's name, window's title or file.
        note: the user's own.
        starred: whether the user marked it.
        thumbnail: a JPEG file, longest side 160 pixels; empty where there was no picture.
        has_picture: whether the full picture was kept, too.
    """

    id: int
    time: datetime
    source: Source
    caption: Caption
    note: str
    starred: bool
    thumbnail: bytes
    has_picture: bool

    @property
    def name(self) -> str:
        """The camera's name, the window's title, or the path of the file."""
        return self.caption.path

    def thumbnail_picture(self) -> "Picture | None":
        """The thumbnail to look at; None where there is none."""
        return opened(self.thumbnail)

    def plain_facts(self, now: datetime | None = None) -> str:
        """What is said after the sentence, as in ``Camera, today 14:05, starred``."""
        facts = [self.source.capitalize(), plain_time(self.time, now)]
        if self.starred:
            facts.append("starred")
        if self.note:
            facts.append(f"note: {self.note}")
        return ", ".join(facts)

    def plain_text(self, now: datetime | None = None) -> str:
        """The entry in a line, to be heard as well as read."""
        return f"{self.caption.spoken} {self.plain_facts(now)}"

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of ``seesay history --json``: the caption's, and what is kept with it."""
        return {
            "id": self.id,
            "time": self.time.isoformat(timespec="seconds"),
            "source": self.source,
            "starred": self.starred,
            "note": self.note,
            **self.caption.to_dict(),
        }


@dataclass(frozen=True)
class Query:
    """Which entries are wanted; without arguments, all.

    Attributes:
        words: all must begin words of the sentence, the text in the picture, the note or the name.
            Anything may be typed here.
        source: only from there.
        first: only from this day on, in local time.
        last: only until the end of this day.
        starred: only starred ones.
    """

    words: str = ""
    source: Source | None = None
    first: date | None = None
    last: date | None = None
    starred: bool = False


def opened(jpeg: bytes) -> "Picture | None":
    """A stored picture; None where it is empty or damaged."""
    from core.picture import open_picture  # not needed for what only lists entries

    try:
        return open_picture(jpeg)
    except PictureError:
        return None


def to_jpeg(picture: "Picture", longest: int, quality: int) -> bytes:
    """A picture as it is stored, its longest side at most so many pixels."""
    from PIL import Image

    # Of a much larger picture, a part of its pixels is plenty to make a few from, and quicker.
    step = max(1, max(picture.width, picture.height) // (4 * longest))
    image = Image.fromarray(picture.pixels[::step, ::step])
    image.thumbnail((longest, longest))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def plain_time(time: datetime, now: datetime | None = None) -> str:
    """A time as people say it: ``today 14:05``, ``yesterday 9:30``, ``Monday 7:15``, ``3 May``.

    Args:
        time: with time zone; told in local time.
        now: the present by default.
    """
    time = time.astimezone()
    today = (now or datetime.now(UTC)).astimezone().date()
    clock = f"{time.hour}:{time.minute:02}"
    match (today - time.date()).days:
        case 0:
            return f"today {clock}"
        case 1:
            return f"yesterday {clock}"
        case 2 | 3 | 4 | 5 | 6:
            return f"{_WEEKDAYS[time.weekday()]} {clock}"
    year = "" if time.year == today.year else f" {time.year}"
    return f"{plain_day(time)}{year} {clock}"


def plain_day(day: date) -> str:
    """``3 May``."""
    return f"{day.day} {_MONTHS[day.month - 1]}"


def to_microseconds(time: datetime) -> int:
    """Microseconds from the beginning of 1970 in UTC to a time with time zone."""
    return (time - _EPOCH) // _MICROSECOND


# What an entry fills of a row; `ENTRY_COLUMNS` are in the table of entries.
ENTRY_COLUMNS = (
    *("id", "time", "source", "name", "caption", "spoken", "confidence", "level"),
    *("text", "notes", "seconds", "model", "note", "starred"),
)


def to_row(time: datetime, source: Source, caption: Caption) -> dict[str, Any]:
    """The values of a new entry's columns, without its id."""
    return {
        "time": to_microseconds(time),
        "source": source,
        "name": storable(caption.path),
        "caption": caption.caption and storable(caption.caption),
        "spoken": storable(caption.spoken),
        "confidence": round(caption.confidence, 4),
        "level": caption.level,
        "text": text_to_column(caption.text),
        "notes": " ".join(caption.notes),
        "seconds": round(caption.seconds, 4),
        "model": storable(caption.model),
        "note": "",
        "starred": 0,
    }


def text_to_column(text: Sequence[str]) -> str:
    """What was read in a picture, as it is stored."""
    return storable("\n".join(text))


def from_row(row: Sequence[Any], details: str, thumbnail: bytes, has_picture: bool) -> Entry:
    """Build an entry from what is stored.

    Args:
        row: the values of `ENTRY_COLUMNS`.
        details: as `details_to_json` gave them; empty for none.
        thumbnail: JPEG or empty.
        has_picture: whether the full picture is there.

    Raises:
        DamagedError: for values that no entry has.
    """
    value = dict(zip(ENTRY_COLUMNS, row, strict=True))
    words, things = _details_from_json(details)
    try:
        if value["source"] not in SOURCES or value["level"] not in _LEVELS:
            raise DamagedError
        caption = Caption(
            path=_text(value["name"]),
            caption=None if value["caption"] is None else _text(value["caption"]),
            confidence=float(value["confidence"]),
            level=cast(Level, value["level"]),
            spoken=_text(value["spoken"]),
            words=words,
            text=tuple(_text(value["text"]).splitlines()),
            notes=tuple(_text(value["notes"]).split()),
            things=things,
            seconds=float(value["seconds"]),
            model=_text(value["model"]),
        )
        return Entry(
            id=value["id"],
            time=(_EPOCH + value["time"] * _MICROSECOND).astimezone(),
            source=cast(Source, value["source"]),
            caption=caption,
            note=_text(value["note"]),
            starred=bool(value["starred"]),
            thumbnail=bytes(thumbnail),
            has_picture=has_picture,
        )
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, OSError) as error:
        raise DamagedError from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("text expected")
    return value


def storable(text: str) -> str:
    """Text as SQLite takes it: a name's undecodable byte is written out, as the command does."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


_WORD_COLUMNS = ("word", "grounded", "where", "box", "rows", "attention")


def details_to_json(words: Sequence[Word], things: Sequence[Thing]) -> str:
    """Words and things in little room: a list for each property, attention as a byte for each cell.

    The cell where a word was seen most has 255. A sentence takes about one kilobyte.
    """
    if not words and not things:
        return ""
    columns: dict[str, Any] = {
        "word": [word.word for word in words],
        "grounded": [round(word.grounded, 4) for word in words],
        "where": [word.where for word in words],
        "box": [word.box and [round(side, 4) for side in word.box] for word in words],
        "rows": [len(word.attention) for word in words],
        "attention": [_pack(word.attention) for word in words],
        "things": [[thing.name, round(thing.confidence, 4)] for thing in things],
    }
    return json.dumps(columns, separators=(",", ":"))


def _details_from_json(text: str) -> tuple[tuple[Word, ...], tuple[Thing, ...]]:
    """The inverse; a sentence whose details are damaged is told without them."""
    with contextlib.suppress(ValueError, TypeError, LookupError, AttributeError, ArithmeticError):
        columns = json.loads(text) if text else {}
        words = tuple(
            Word(word, grounded, where, None if box is None else tuple(box), _unpack(cells, rows))
            for word, grounded, where, box, rows, cells in zip(
                *(columns.get(name, ()) for name in _WORD_COLUMNS), strict=True
            )
        )
        things = tuple(
            Thing(_text(name), float(share)) for name, share in columns.get("things", ())
        )
        return words, things
    return (), ()


def _pack(attention: Sequence[Sequence[float]]) -> str:
    cells = list(itertools.chain.from_iterable(attention))
    most = max(cells, default=0) or 1
    return base64.b64encode(bytes(round(255 * max(0, cell) / most) for cell in cells)).decode()


def _unpack(packed: str, rows: int) -> tuple[tuple[float, ...], ...]:
    cells = base64.b64decode(packed)
    if not cells:
        return ()
    total, width = sum(cells) or 1, len(cells) // rows
    shares = [cell / total for cell in cells]
    return tuple(tuple(shares[row * width : (row + 1) * width]) for row in range(rows))
