"""The history: what was said comes back, all is found again, nothing removed leaves a trace."""

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop.history import History, HistoryError, Query
from desktop.history_entry import plain_time
from tests.history_parts import caption_of, is_sound, picture_of, sentences


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "seesay" / "history.sqlite3"


@pytest.fixture
def history(path: Path) -> Iterator[History]:
    with contextlib.closing(History(path)) as history:
        yield history


def test_an_entry_comes_back_as_it_was(history: History, path: Path) -> None:
    when = datetime(2024, 2, 29, 23, 59, 59, 123456, tzinfo=UTC)
    caption = caption_of(text=["Exit", "Größe: 3 €"])
    added = history.add(caption, "file", picture_of(), keep_picture=True, when=when)
    with contextlib.closing(History(path)) as again:
        (entry,) = again.page()
        full = again.picture(entry.id)
    assert entry.time == added.time == when
    assert entry.time.utcoffset() is not None
    assert (entry.source, entry.name, entry.note, entry.starred) == (
        "file",
        "garden.jpg",
        "",
        False,
    )
    assert entry.has_picture
    assert full is not None
    assert (full.width, full.height) == (640, 480)
    thumbnail = entry.thumbnail_picture()
    assert thumbnail is not None
    assert (thumbnail.width, thumbnail.height) == (160, 120)
    assert np.abs(full.pixels[::4, ::4].astype(int) - thumbnail.pixels).mean() < 10
    assert replace(entry.caption, words=()) == replace(caption, words=())
    for word, kept in zip(caption.words, entry.caption.words, strict=True):
        assert replace(kept, attention=()) == replace(word, attention=())
        attention = np.array(kept.attention)
        assert attention.shape == (7, 7)
        assert attention.sum() == pytest.approx(1)
        np.testing.assert_allclose(attention, word.attention, atol=np.max(word.attention) / 200)


def test_an_entry_is_completed_with_its_words_and_text(history: History, path: Path) -> None:
    begun = caption_of(text=["Platform", "nine"], with_words=False)
    entry = history.add(begun, "file", picture_of()).id
    history.set_note(entry, "Seen in York")
    whole = caption_of(text=["Platform", "ten"])
    history.complete(entry, whole)
    kept = history.get(entry)
    assert [word.word for word in kept.caption.words] == [word.word for word in whole.words]
    assert [word.where for word in kept.caption.words] == [word.where for word in whole.words]
    assert kept.caption.text == whole.text
    assert (kept.note, bool(kept.thumbnail)) == ("Seen in York", True)
    assert [history.count(Query(word)) for word in ("nine", "ten", "york")] == [0, 1, 1]
    history.complete(entry, whole)
    assert history.count(Query("ten")) == 1
    assert is_sound(path)


def test_what_is_deleted_cannot_be_completed(history: History) -> None:
    entry = history.add(caption_of(with_words=False), "file").id
    history.delete([entry])
    with pytest.raises(HistoryError, match=f"no entry {entry}"):
        history.complete(entry, caption_of(text=["EXIT"]))
    history.restore([entry])
    assert (history.get(entry).caption.words, history.get(entry).caption.text) == ((), ())


def test_without_a_sentence_or_picture(history: History) -> None:
    entry = history.get(history.add(caption_of(None), "camera").id)
    assert entry.caption == caption_of(None)
    assert entry.thumbnail == b""
    assert entry.thumbnail_picture() is None
    assert history.picture(entry.id) is None
    assert not entry.has_picture


def test_names_that_are_no_text_are_kept_readably(history: History) -> None:
    odd = os.fsdecode(b"caf\xe9.png")
    assert history.get(history.add(caption_of(path=odd), "file").id).name == r"caf\udce9.png"
    nul = caption_of("A \0 b.", text=["\ud800"])
    assert history.get(history.add(nul, "file").id).caption.spoken == "A \0 b."


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_only_the_owner_can_read_it(history: History, path: Path) -> None:
    history.add(caption_of(), "camera")
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}


def test_pages_are_newest_first_and_stable(history: History) -> None:
    # Clocks jump; the order is that of adding all the same.
    now = datetime.now(UTC)
    ids = [
        history.add(caption_of(f"Number {n}."), "file", when=now - timedelta(hours=n % 3)).id
        for n in range(25)
    ]
    first = history.page(limit=10)
    assert [entry.id for entry in first] == ids[:-11:-1]
    history.delete([first[-1].id, first[2].id, ids[3]])
    history.add(caption_of("Newer."), "file")
    second = history.page(before=first[-1].id, limit=10)
    assert [entry.id for entry in second] == ids[14:4:-1]
    third = history.page(before=second[-1].id, limit=10)
    assert [entry.id for entry in third] == [ids[4], ids[2], ids[1], ids[0]]
    assert history.page(before=ids[0]) == []
    assert history.count() == 23


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", "abcd"),
        ("dog", "ad"),
        ("DOG grass", "a"),
        ("grass dogs", "a"),
        ("gra", "a"),
        ("g", "ab"),
        ("zebra", ""),
        ("ogs", ""),  # words are found by their beginnings
        ("don't", "b"),
        ("don\u2019t wal", "b"),
        ("t-shirt", "c"),
        ("shirt", "c"),
        ("uber", "d"),
        ("ÜBER", "d"),
        ("straß", "d"),
        ("garden", "a"),  # the name
        ("platform 3", "b"),  # text in the picture
        ("bought anna", "c"),  # the note
        ("camera", ""),  # the source is a filter, no word
        ('"', "abcd"),
        ('"dogs', "a"),
        ("dog OR", ""),
        ("NOT dog", ""),
        ("dog*", "ad"),
        ("- dog", "ad"),
        ("caption:dog", ""),
        ("(dog", "ad"),
    ],
)
def test_words_are_found_as_they_are_typed(history: History, words: str, found: str) -> None:
    history.add(caption_of("Two dogs run on grass.", path="Garden 1.jpg"), "camera")
    history.add(caption_of("A sign: don't walk.", text=["Go", "Platform 3"], path="x"), "screen")
    noted = history.add(caption_of("A man in a T-shirt.", path="x"), "camera")
    history.set_note(noted.id, "Bought by Anna")
    history.add(caption_of("Dog über der Straße.", path="x"), "file")
    names = dict(zip(sorted(entry.id for entry in history.page()), "abcd", strict=True))
    assert "".join(sorted(names[entry.id] for entry in history.page(Query(words)))) == found
    assert history.count(Query(words)) == len(found)


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(words=st.text(st.characters(), max_size=20))
def test_anything_may_be_typed(history: History, words: str) -> None:
    if not history.count():
        history.add(caption_of(), "camera")
    found = history.page(Query(words, source="camera"))
    assert len(found) == history.count(Query(words, source="camera"))


def test_filters_go_together(history: History) -> None:
    noon = datetime.now().astimezone().replace(hour=12, minute=0)
    today = noon.date()
    for days in range(4):
        for source in ("camera", "screen"):
            entry = history.add(
                caption_of(f"A dog, {days}."), source, when=noon - timedelta(days=days)
            )
            history.set_star(entry.id, days % 2 == 0)
    yesterday = today - timedelta(days=1)
    for words in ("", "dog"):
        assert history.count(Query(words)) == 8
        assert history.count(Query(words, source="camera")) == 4
        assert history.count(Query(words, starred=True)) == 4
        assert history.count(Query(words, first=yesterday)) == 4
        assert history.count(Query(words, last=yesterday)) == 6
        assert history.count(Query(words, first=yesterday, last=yesterday)) == 2
        assert history.count(Query(words, first=date(2000, 1, 1), last=date(2000, 1, 1))) == 0
        query = Query(words, "screen", yesterday, today, starred=True)
        assert sentences(history, query) == ["A dog, 0."]
        assert history.count(query) == 1
    assert history.count(Query("dog 3", source="camera")) == 1
    assert history.count(most=5) == 5


def test_note_and_star_change_and_are_found(history: History) -> None:
    entry = history.add(caption_of(), "camera").id
    history.set_note(entry, "Bella, the neighbours' dog")
    history.set_star(entry, True)
    changed = history.get(entry)
    assert (changed.note, changed.starred) == ("Bella, the neighbours' dog", True)
    assert history.count(Query("bella", starred=True)) == 1
    history.set_note(entry, "")
    history.set_star(entry, False)
    assert history.count(Query("bella")) == 0
    assert history.count(Query(starred=True)) == 0
    assert history.count(Query("dogs", starred=True)) == 0
    with pytest.raises(HistoryError, match="no entry 99"):
        history.set_note(99, "")


def test_what_is_deleted_comes_back_until_it_is_purged(history: History, path: Path) -> None:
    ids = [history.add(caption_of(f"Dog {n}."), "camera").id for n in range(3)]
    history.delete(ids[:2])
    assert sentences(history) == sentences(history, Query("dog")) == ["Dog 2."]
    with pytest.raises(HistoryError, match="no entry"):
        history.get(ids[0])
    history.restore(ids[:1])
    assert sentences(history) == sentences(history, Query("dog")) == ["Dog 2.", "Dog 0."]
    history.tidy(keep_days=0).join()
    history.restore(ids)
    assert history.count() == history.count(Query("dog")) == 2
    assert is_sound(path)


def test_what_is_older_is_forgotten(history: History, path: Path) -> None:
    now = datetime.now(UTC)
    for days in (0, 5, 6.9, 7.1, 400):
        history.add(caption_of(), "camera", picture_of(), True, now - timedelta(days=days))
    history.forget_older_than(0)
    assert history.count() == 5
    history.tidy(keep_days=7).join()
    assert history.count() == history.count(Query("dogs")) == 3
    history.forget_older_than(10**12)
    assert history.count() == 3
    assert is_sound(path)


def test_others_come_in_between_while_much_is_forgotten(history: History, path: Path) -> None:
    long_ago = datetime(2001, 1, 1, tzinfo=UTC)
    for number in range(1200):
        history.add(caption_of(f"Zanzibar {number}."), "camera", when=long_ago)
    seen = set()
    thread = history.tidy(keep_days=30)
    while thread.is_alive():
        seen.add(history.count())
        history.add(caption_of("Now."), "camera")
        seen.add(history.count(Query("zanzibar")))
    assert any(0 < count < 1200 for count in seen)
    assert history.count(Query("zanzibar")) == 0
    assert history.count() == history.count(Query("now")) > 0
    assert is_sound(path)
    history.close()
    assert b"zanzibar" not in path.read_bytes().lower()


@pytest.mark.parametrize("remove", ["clear", "purge", "forget"])
def test_what_is_removed_leaves_no_trace(history: History, path: Path, remove: str) -> None:
    aside = path.with_name("history.damaged-2024-01-01-000000.sqlite3")
    aside.write_bytes(b"zanzibar")
    os.utime(aside, (0, 0))
    long_ago = datetime(2001, 1, 1, tzinfo=UTC)
    entry = history.add(caption_of("In zanzibar.", "zanzibar"), "file", picture_of(), when=long_ago)
    history.set_note(entry.id, "zanzibar")
    history.set_note(entry.id, "Zanzibar")
    with contextlib.closing(History(path)) as window:  # another process, so to speak
        assert window.count() == 1
        match remove:
            case "clear":
                history.clear()
            case "purge":
                history.delete([entry.id])
                history.purge()
            case "forget":
                history.forget_older_than(30)
        assert window.count() == 0
        assert window.add(caption_of(), "camera").id > entry.id
    traces = [
        file.name
        for file in path.parent.iterdir()
        if b"zanzibar" in file.read_bytes().lower() and not (remove == "purge" and file == aside)
    ]
    assert traces == []
    assert is_sound(path)


def test_times_are_told_as_people_say_them() -> None:
    now = datetime(2024, 5, 16, 15, 0).astimezone()  # a Thursday
    assert plain_time(now.replace(hour=9, minute=5), now) == "today 9:05"
    assert plain_time(now - timedelta(days=1), now) == "yesterday 15:00"
    assert plain_time(now - timedelta(days=6), now) == "Friday 15:00"
    assert plain_time(now - timedelta(days=7), now) == "9 May 15:00"
    assert plain_time(now.replace(year=2023), now) == "16 May 2023 15:00"


def test_an_entry_is_told_in_a_line(history: History) -> None:
    entry = history.add(caption_of(), "camera")
    history.set_star(entry.id, True)
    history.set_note(entry.id, "Bella")
    line = history.get(entry.id).plain_text(entry.time)
    clock = f"{entry.time.hour}:{entry.time.minute:02}"
    assert line == f"Two dogs run on grass. Camera, today {clock}, starred, note: Bella"
