"""Descriptions are kept, and completed in whatever order their parts come."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from core.caption import Caption
from desktop.history import Entry, History, Query
from desktop.keeper import Keeper
from tests.history_parts import caption_of, picture_of

WAIT = 10_000  # ms
WHOLE = caption_of(text=["Platform nine"])
BEGUN = replace(WHOLE, words=(), text=())


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with closing(History(tmp_path / "history.sqlite3")) as history:
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
    keeper: Keeper, history: History, qtbot: QtBot
) -> None:
    entry = add(keeper, qtbot, 7)
    history.delete([entry.id])
    keeper.complete(7, WHOLE)
    assert add(keeper, qtbot, 8).id > entry.id
    history.close()
    keeper.complete(8, WHOLE)
    with qtbot.waitSignal(keeper.added, timeout=WAIT) as blocker:
        keeper.add(9, BEGUN, "camera", picture_of(), keep_picture=False)
    assert "history" in (blocker.args or [])[2]
