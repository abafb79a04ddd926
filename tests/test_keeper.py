"""Descriptions are kept, and completed in whatever order their parts come."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from core.caption import Caption
from desktop.history import Entry, History, Query
from desktop.keeper import Keeper
from tests.history_parts import caption_of, picture_of

WAIT = 10_000  # ms
WHOLE = caption_of(text=["Platform nine"])
BEGUN = replace(WHOLE, words=(), text=())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite3"


@pytest.fixture
def history(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[History]:
    # Machines may be slow while one waits for the other.
    monkeypatch.setattr("desktop.history_schema._PATIENCE", 60.0)
    with closing(History(path)) as history:
        yield history


@pytest.fixture
def keeper(history: History, qtbot: QtBot) -> Iterator[Keeper]:
    keeper = Keeper(history)
    yield keeper
    keeper.close()


def add(keeper: Keeper, qtbot: QtBot, number: int, caption: Caption = BEGUN) -> Entry:
    with qtbot.waitSignal(keeper.added, timeout=WAIT) as blocker:
        keeper.add(number, caption, "camera", picture_of(), keep_picture=False)
    told, entry, problem = blocker.args or []
    assert (told, problem) == (number, "")
    assert isinstance(entry, Entry)
    return entry


def words(caption: Caption) -> list[tuple[str, str | None]]:
    return [(word.word, word.where) for word in caption.words]


def test_what_comes_later_is_kept_with_it(keeper: Keeper, history: History, qtbot: QtBot) -> None:
    entry = add(keeper, qtbot, 7)
    assert entry.caption == BEGUN
    keeper.complete(7, WHOLE)
    qtbot.waitUntil(lambda: history.count(Query("platform")) == 1, timeout=WAIT)
    assert words(history.get(entry.id).caption) == words(WHOLE)
    assert history.count() == 1


def test_what_comes_first_is_kept_with_it(keeper: Keeper, history: History, qtbot: QtBot) -> None:
    keeper.complete(7, WHOLE)
    kept = history.get(add(keeper, qtbot, 7).id).caption
    assert (words(kept), kept.text) == (words(WHOLE), WHOLE.text)


def test_what_belongs_to_another_is_kept_with_none(
    keeper: Keeper, history: History, qtbot: QtBot
) -> None:
    first = add(keeper, qtbot, 7)
    keeper.complete(8, WHOLE)
    second = add(keeper, qtbot, 9)
    assert [history.get(one.id).caption.words for one in (first, second)] == [(), ()]


def test_what_was_deleted_or_cannot_be_written_is_let_go(
    keeper: Keeper, history: History, path: Path, qtbot: QtBot
) -> None:
    entry = add(keeper, qtbot, 7)
    history.delete([entry.id])
    keeper.complete(7, WHOLE)
    assert add(keeper, qtbot, 8).id > entry.id
    path.unlink()
    path.mkdir()
    keeper.complete(8, WHOLE)
    with qtbot.waitSignal(keeper.added, timeout=WAIT) as blocker:
        keeper.add(9, BEGUN, "camera", picture_of(), keep_picture=False)
    assert "history" in (blocker.args or [])[2]


def test_nobody_waits_for_what_is_being_kept(
    keeper: Keeper, history: History, path: Path, qtbot: QtBot
) -> None:
    entry = add(keeper, qtbot, 7)
    told: list[int] = []
    keeper.added.connect(lambda number: told.append(number), Qt.ConnectionType.DirectConnection)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        keeper.add(8, BEGUN, "camera", picture_of(), keep_picture=False)
        for _ in range(100):
            assert [one.id for one in history.page()] == [entry.id]
        assert told == []  # it still waits for the other
        with qtbot.waitSignal(keeper.added, timeout=WAIT):
            other.execute("ROLLBACK")
    assert history.count() == 2


def test_all_is_deleted_while_others_read(
    keeper: Keeper, history: History, path: Path, qtbot: QtBot
) -> None:
    entry = add(keeper, qtbot, 7)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT id FROM entries").fetchall()
        keeper.clear()
        # The reader keeps the log as it is; others see what is there by now.
        qtbot.waitUntil(lambda: history.count() == 0, timeout=WAIT)
        with qtbot.waitSignal(keeper.cleared, timeout=WAIT) as blocker:
            other.execute("ROLLBACK")
    assert blocker.args == [""]
    assert add(keeper, qtbot, 8).id > entry.id


def test_what_cannot_be_deleted_is_told(
    keeper: Keeper, history: History, path: Path, qtbot: QtBot
) -> None:
    path.unlink()
    path.mkdir()
    with qtbot.waitSignal(keeper.cleared, timeout=WAIT) as blocker:
        keeper.clear()
    assert "history" in (blocker.args or [])[0]


def test_whatever_fails_later_descriptions_are_kept(
    keeper: Keeper, history: History, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    add(keeper, qtbot, 7)
    with monkeypatch.context() as patch:
        patch.setattr(History, "complete", fail)
        patch.setattr(History, "clear", fail)
        keeper.complete(7, WHOLE)
        with qtbot.waitSignal(keeper.cleared, timeout=WAIT) as blocker:
            keeper.clear()
    assert "MemoryError" in (blocker.args or [])[0]
    add(keeper, qtbot, 8)
    assert history.count() == 2


def test_the_end_waits_until_all_is_deleted(history: History, qtbot: QtBot) -> None:
    keeper = Keeper(history)
    add(keeper, qtbot, 7)
    keeper.clear()
    keeper.close()
    assert history.count() == 0


def test_the_log_does_not_grow_for_ever(
    keeper: Keeper, path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.history_log._MUCH", 100_000)
    log = path.with_name(f"{path.name}-wal")
    for number in range(30):
        add(keeper, qtbot, number)
        qtbot.waitUntil(lambda: log.stat().st_size < 100_000, timeout=WAIT)
    assert path.stat().st_size > 100_000


def test_one_in_memory_is_kept_and_deleted_as_well(qtbot: QtBot) -> None:
    with closing(History(":memory:")) as history:
        keeper = Keeper(history)
        add(keeper, qtbot, 7)
        assert history.count() == 1
        with qtbot.waitSignal(keeper.cleared, timeout=WAIT):
            keeper.clear()
        keeper.close()
        assert history.count() == 0  # it is still open
