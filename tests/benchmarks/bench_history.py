"""How quick the history is with 100,000 entries: opening, pages, search as you type, deletion."""

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

from desktop.history import History, Query
from desktop.history_entry import SOURCES, details_to_json, to_row
from desktop.history_schema import connect
from tests.history_parts import caption_of, picture_of

ENTRIES = 100_000
REPEATS = 15

_WHO = ("man", "woman", "child", "dog", "cat", "boy", "girl", "group", "bird", "horse", "player")
_DOES = ("sits", "stands", "runs", "plays", "walks", "jumps", "sleeps", "waits", "rides", "swims")
_WHERE = ("grass", "street", "kitchen", "table", "beach", "snow", "water", "field", "bench", "sofa")
_LOOK = ("red", "blue", "green", "white", "black", "brown", "small", "large", "young", "old", "wet")
_RARE = "zebra"


def main(entries: int = ENTRIES) -> dict[str, dict[str, float]]:
    """Print a table; gives its rows: name -> p50 and max in milliseconds, or megabytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "history.sqlite3")
        started = time.perf_counter()
        _fill(path, entries)
        print(f"{entries} entries written in {time.perf_counter() - started:.0f} s")
        rows = {"file": {"megabytes": path.stat().st_size / 1e6}}
        for name, milliseconds in _measure(path):
            rows[name] = {"p50": statistics.median(milliseconds), "max": max(milliseconds)}
    for name, row in rows.items():
        print(f"{name:<36}", *(f"{kind} {value:9.2f}" for kind, value in row.items()))
    return rows


def _fill(path: Path, entries: int) -> None:
    chance = random.Random(0)
    pictures = [_thumbnail(seed) for seed in range(64)]
    now = datetime.now(UTC)
    words = [details_to_json(caption_of(_sentence(chance), seed=n).words, ()) for n in range(500)]
    db = connect(path)
    db.execute("BEGIN")
    for number in range(entries):
        caption = caption_of(
            f"{_sentence(chance)[:-1]} with a {_RARE}."
            if number % 5000 == 0
            else _sentence(chance),
            path=f"/home/user/Pictures/2024/holiday/IMG_{number:06}.jpg",
            text=["Exit", "Platform 3"] if number % 10 == 0 else (),
            with_words=False,
        )
        when = now - timedelta(minutes=5 * (entries - number))
        row = to_row(when, chance.choice(SOURCES), caption)
        row["starred"] = int(number % 50 == 0)
        places = ", ".join("?" * len(row))
        done = db.execute(
            f"INSERT INTO entries ({', '.join(row)}) VALUES ({places})", tuple(row.values())
        )
        details = (done.lastrowid, chance.choice(words), chance.choice(pictures))
        db.execute("INSERT INTO details VALUES (?, ?, ?)", details)
    db.execute("COMMIT")
    db.close()


def _thumbnail(seed: int) -> bytes:
    history = History(":memory:")
    entry = history.add(caption_of(), "camera", picture_of(seed=seed))
    history.close()
    return entry.thumbnail


def _sentence(chance: random.Random) -> str:
    pick = chance.choice
    return (
        f"A {pick(_LOOK)} {pick(_WHO)} {pick(_DOES)} on the {pick(_LOOK)} {pick(_WHERE)} near "
        f"a {pick(_WHO)}."
    )


def _measure(path: Path) -> Iterator[tuple[str, list[float]]]:
    def open_and_list() -> None:
        history = History(path)
        history.page(with_words=False)
        history.close()

    yield "open, first page, close", _times(open_and_list)
    history = History(path)
    yield "first page", _times(lambda: history.page(with_words=False))
    last = history.page()[-1].id
    middle = last // 2
    yield "page in the middle", _times(lambda: history.page(before=middle, with_words=False))
    today = date.today()
    for name, query in {
        "all": Query(),
        "common word (a)": Query("a"),
        "common word (dog)": Query("dog"),
        "two words (dog grass)": Query("dog grass"),
        "rare word": Query(_RARE),
        "no result": Query("xylophone"),
        "1 letter (s)": Query("s"),
        "2 letters (be)": Query("be"),
        "3 letters (str)": Query("str"),
        "word in camera, starred": Query("dog", source="camera", starred=True),
        "word, last 7 days": Query("dog", first=today - timedelta(days=6)),
        "camera": Query(source="camera"),
        "starred": Query(starred=True),
        "a day": Query(first=today - timedelta(days=30), last=today - timedelta(days=30)),
        "camera, last 7 days": Query(source="camera", first=today - timedelta(days=6)),
    }.items():
        yield f"page:  {name}", _times(partial(history.page, query, with_words=False))
        yield f"count: {name}", _times(partial(history.count, query, 1000))
    picture = picture_of(1920, 1080)
    yield "add, 1920 x 1080", _times(lambda: history.add(caption_of(), "camera", picture))
    yield (
        "add, full picture kept",
        _times(lambda: history.add(caption_of(), "camera", picture, keep_picture=True)),
    )
    yield "star", _times(lambda: history.set_star(middle, True))
    yield "delete", _times(partial(history.delete, range(100, 101)), 1)
    yield "bring back", _times(partial(history.restore, range(100, 101)), 1)
    history.delete(range(1, 11))
    yield "purge of 10", _times(history.purge, 1)
    yield "forget 1,000", _times(lambda: history.forget_older_than(_days_for(path, 1000)), 1)
    yield "clear", _times(history.clear, 1)
    history.close()


def _days_for(path: Path, entries: int) -> int:
    """So many days that this many entries or somewhat fewer are older."""
    history = History(path)
    oldest = history.page(before=history.page(limit=1)[0].id - ENTRIES + entries, limit=1)[0]
    history.close()
    return (datetime.now(UTC) - oldest.time).days + 1


def _times(work: Callable[[], object], repeats: int = REPEATS) -> list[float]:
    milliseconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        milliseconds.append((time.perf_counter() - started) * 1000)
    return milliseconds


if __name__ == "__main__":
    main()
