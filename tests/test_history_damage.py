"""The history's file damaged, cut short, foreign or of another version: what can be is kept."""

import contextlib
import os
import random
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.history import History, HistoryError, Query, open_history
from tests.history_parts import caption_of, filled, is_sound

PAGE = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "seesay" / "history.sqlite3"


@pytest.fixture
def history(path: Path) -> Iterator[History]:
    with contextlib.closing(History(path)) as history:
        yield history


def fill(path: Path, entries: int = 60) -> None:
    path.parent.mkdir()
    path.write_bytes(filled(entries))


def assert_set_aside(history: History, path: Path) -> Path:
    (aside,) = [file for file in path.parent.iterdir() if file.match("history.damaged-*.sqlite3")]
    assert history.problem is not None
    assert aside.name in history.problem
    assert "\n" not in history.problem
    assert is_sound(path)
    added = history.add(caption_of("Afterwards."), "camera")
    assert history.page(limit=1)[0].id == added.id
    assert not list(path.parent.glob(".recovering*"))
    return aside


@pytest.mark.parametrize(
    ("first", "last"),
    [(0, 100), (0, PAGE), (0, 6 * PAGE), (16, 24), (100, 400), (24, 32)],
    ids=["header", "page", "pages", "sizes", "schema", "counts"],
)
def test_a_lost_beginning_costs_little(path: Path, first: int, last: int) -> None:
    fill(path)
    with path.open("r+b") as file:
        file.seek(first)
        file.write(random.Random(0).randbytes(last - first))
    with contextlib.closing(History(path)) as history:
        if history.problem is None:  # SQLite did not need these bytes
            assert history.count() == 59
            return
        # The first page of rows may have been among what was overwritten.
        assert history.count() >= (59 if last <= PAGE else 30)
        for entry in history.page(Query("dog"), limit=20):
            number = int(entry.caption.spoken[4:-1])
            assert entry.starred == (number % 5 == 0)
            assert len(entry.caption.words) == 2
            assert entry.thumbnail.startswith(b"\xff\xd8")
            assert (history.picture(entry.id) is not None) == (number % 10 == 0)
        assert_set_aside(history, path)


@pytest.mark.parametrize("seed", range(12))
def test_overwritten_bytes_anywhere(path: Path, seed: int) -> None:
    chance = random.Random(seed)
    fill(path)
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(chance.randrange(size - 2 * PAGE))
        file.write(chance.randbytes(chance.choice([1, 100, PAGE, 2 * PAGE])))
    with contextlib.closing(History(path)) as history:
        found = list(history.walk())
        assert len(found) >= 30
        assert history.count(Query("dog")) <= len(found)
        history.add(caption_of("Afterwards."), "camera")
        if history.problem is not None:
            assert list(path.parent.glob("history.damaged-*"))
    assert is_sound(path)


@pytest.mark.parametrize("lost", [8, 100, 512])
def test_pages_without_their_beginning_keep_the_rows_behind_it(path: Path, lost: int) -> None:
    fill(path, 100)
    data = bytearray(path.read_bytes())
    for page in range(PAGE, len(data), PAGE):
        if data[page] == 13:  # it holds rows
            data[page : page + lost] = bytes(lost)
    path.write_bytes(data)
    with contextlib.closing(History(path)) as history:
        numbers = [int(entry.caption.spoken[4:-1]) for entry in history.walk()]
        assert numbers == sorted({*numbers}, reverse=True)
        assert len(numbers) >= (99 if lost < 512 else 80)
        for entry in history.page(Query("dog"), limit=20):
            assert entry.starred == (int(entry.caption.spoken[4:-1]) % 5 == 0)
        assert_set_aside(history, path)


def test_a_damaged_index_of_words_does_not_hide_entries(path: Path) -> None:
    """Which SQLite's own check of the file does not look into."""
    fill(path)
    data = bytearray(path.read_bytes())
    with contextlib.closing(sqlite3.connect(path)) as db:
        (block,) = db.execute(
            "SELECT block FROM search_data ORDER BY length(block) DESC"
        ).fetchone()
    start = data.index(block[:100]) + 200
    path.write_bytes(data[:start] + bytes(300) + data[start + 300 :])
    with contextlib.closing(History(path)) as history:
        assert history.count(Query("dog")) == history.count() == 59
        assert_set_aside(history, path)


def test_the_first_row_of_every_page_is_lost_alone(path: Path) -> None:
    fill(path, 200)
    data = bytearray(path.read_bytes())
    rows, lost = 0, 0
    for page in range(PAGE, len(data), PAGE):
        if data[page] == 13:  # it holds rows
            start = page + int.from_bytes(data[page + 8 : page + 10], "big")
            data[start + 2 : start + 5] = b"\xff\xff\xff"
            lost += 1
    data[:PAGE] = bytes(PAGE)
    path.write_bytes(data)
    with contextlib.closing(History(path)) as history:
        rows = history.count()
        assert 199 - lost <= rows < 199
        assert_set_aside(history, path)


@pytest.mark.parametrize("share", [0.6, 0.8, 0.99])
def test_a_file_cut_short(path: Path, share: float) -> None:
    fill(path, 200)
    size = int(path.stat().st_size * share)
    os.truncate(path, size)
    with contextlib.closing(History(path)) as history:
        numbers = [int(entry.caption.spoken[4:-1]) for entry in history.walk()]
        assert numbers == sorted(numbers, reverse=True)
        assert len(numbers) > 100 * share
        aside = assert_set_aside(history, path)
    assert aside.stat().st_size == size


@pytest.mark.parametrize("content", [b"This is no database. " * 1000, bytes(50_000), b"x" * 600])
def test_something_else_in_its_place(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with contextlib.closing(History(path)) as history:
        assert history.count() == 0
        aside = assert_set_aside(history, path)
        assert "nothing in it could be read" in str(history.problem)
    assert aside.read_bytes() == content


def test_another_programs_database_in_its_place(path: Path) -> None:
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE bookmarks (id INTEGER PRIMARY KEY, url TEXT)")
        db.execute("INSERT INTO bookmarks VALUES (1, 'x')")
        db.execute("PRAGMA user_version = 1")
        db.commit()
    before = path.read_bytes()
    with contextlib.closing(History(path)) as history:
        assert history.count() == 0
        assert assert_set_aside(history, path).read_bytes() == before


def test_damage_while_it_is_open(history: History, path: Path) -> None:
    for number in range(200):
        history.add(caption_of(f"Dog {number}."), "camera")
    history.purge()
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.write(random.Random(0).randbytes(size // 2))
    added = history.add(caption_of("Not lost."), "camera")
    assert history.get(added.id).caption.spoken == "Not lost."
    assert history.count(Query("dog")) > 50
    assert_set_aside(history, path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit for files")
def test_what_could_not_be_mended_on_a_full_disk_is_mended_later(
    history: History, path: Path
) -> None:
    import resource

    for number in range(5):
        history.add(caption_of(f"Line {number}."), "camera")
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path.write_bytes(b"broken" * (path.stat().st_size // 6))
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, unlimited[1]))
    try:
        for _ in range(2):
            with pytest.raises(HistoryError):
                history.add(caption_of("While."), "camera")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    history.add(caption_of("After."), "camera")
    assert_set_aside(history, path)


def test_a_second_process_mends_and_the_first_follows(history: History, path: Path) -> None:
    ids = [history.add(caption_of(f"Dog {number}."), "camera").id for number in range(40)]
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    history.delete(ids[7:9])  # which is in the log alone while the first has it open
    with path.open("r+b") as file:
        file.write(bytes(PAGE))
    with contextlib.closing(History(path)) as second:
        assert [entry.id for entry in second.walk()] == sorted({*ids} - {*ids[7:9]}, reverse=True)
        history.add(caption_of("Dog from the first."), "camera")
        assert second.count(Query("dog")) == 39
        assert_set_aside(second, path)


def test_clear_removes_set_aside_files(path: Path) -> None:
    fill(path, 5)
    path.write_bytes(b"broken")
    with contextlib.closing(History(path)) as history:
        aside = assert_set_aside(history, path)
        broken_off = path.with_name(".recovering-x")
        broken_off.mkdir()
        (broken_off / "copy.sqlite3").touch()
        history.clear()
        assert not aside.exists()
        assert not broken_off.exists()


def test_a_newer_versions_file_is_left_as_it_is(path: Path) -> None:
    fill(path, 5)
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 1000")
    before = path.read_bytes()
    with pytest.raises(HistoryError, match="newer version of Seesay"):
        History(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
    assert "newer version" in str(open_history(path).problem)


# As it was released. A later version keeps these and adds its own step.
TABLES_1 = (
    "entries(id,time,source,name,caption,spoken,confidence,level,text,notes,seconds,model,note,"
    "starred,deleted) details(id,words,thumbnail) pictures(id,jpeg)"
)
TRIGGERS_1 = """
DROP TRIGGER entry_changes;
DROP TRIGGER entry_changed;
CREATE TRIGGER entry_changes BEFORE UPDATE OF note, starred, deleted ON entries BEGIN
    INSERT INTO search (search, rowid, spoken, text, note, name, facts)
        SELECT 'delete', id, spoken, text, note, name, facts FROM searchable WHERE id = old.id;
END;
CREATE TRIGGER entry_changed AFTER UPDATE OF note, starred, deleted ON entries BEGIN
    INSERT INTO search (rowid, spoken, text, note, name, facts)
        SELECT id, spoken, text, note, name, facts FROM searchable WHERE id = new.id;
END;
PRAGMA user_version = 1;
"""


def test_files_of_version_1_are_read_and_brought_up_to_date(path: Path) -> None:
    fill(path, 3)
    with contextlib.closing(sqlite3.connect(path)) as db:
        tables = [
            f"{table}({','.join(row[1] for row in db.execute(f'PRAGMA table_info({table})'))})"
            for table in ("entries", "details", "pictures")
        ]
        assert " ".join(tables) == TABLES_1
        db.executescript(TRIGGERS_1)
    with contextlib.closing(History(path)) as history:
        assert history.problem is None
        newest = next(history.walk())
        history.complete(newest.id, replace(newest.caption, text=("Platform nine",)))
        assert [entry.id for entry in history.walk(Query("platform"))] == [newest.id]
        assert history.get(newest.id).caption.text == ("Platform nine",)
    assert is_sound(path)


def test_an_empty_file_becomes_a_history(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    with contextlib.closing(History(path)) as history:
        assert history.problem is None
        history.add(caption_of(), "camera")
        assert history.count(Query("dogs")) == 1
