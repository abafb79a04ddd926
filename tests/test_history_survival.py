"""The history when processes are killed, write at once, or the disk is full: nothing is lost."""

import contextlib
import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from core.picture import Picture
from desktop.history import History, HistoryError, Query, open_history
from tests.history_parts import caption_of, is_sound, picture_of, sentences, start


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "seesay" / "history.sqlite3"


KILLED = """
import os, random, signal, sys, time
from desktop.history import History
from tests.history_parts import caption_of, is_sound, picture_of, sentences, start

def write(path, log, picture):
    history = History(path)
    assert history.problem is None
    while True:
        entry = history.add(caption_of(), "camera", picture, keep_picture=True)
        os.write(log, b"%d\\n" % entry.id)
        if entry.id % 7 == 0:
            history.set_star(entry.id, True)

log = os.open(sys.argv[2], os.O_CREAT | os.O_APPEND | os.O_WRONLY)
picture = picture_of(320, 240)
random.seed(0)
rounds = int(sys.argv[3])
while rounds > 0 or os.fstat(log).st_size < 100:  # on a busy machine little is written in a round
    rounds -= 1
    writers = []
    for _ in range(2):  # as the window and a command
        writers.append(os.fork())
        if writers[-1] == 0:
            write(sys.argv[1], log, picture)
    for writer in writers:
        time.sleep(random.uniform(0, 0.2))
        os.kill(writer, signal.SIGKILL)
        _, status = os.waitpid(writer, 0)
        assert os.WTERMSIG(status) == signal.SIGKILL
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system starts processes otherwise")
def test_nothing_is_lost_when_killed(path: Path, tmp_path: Path) -> None:
    log = tmp_path / "told"
    assert start(KILLED, path, log, 10).wait(timeout=120) == 0
    told = {int(line) for line in log.read_text().splitlines()}
    assert len(told) > 20
    with contextlib.closing(History(path)) as history:
        assert history.problem is None
        assert told <= {entry.id for entry in history.walk()}
        assert history.count(Query("dogs")) == history.count()
        assert all(history.picture(entry) is not None for entry in told)
    assert is_sound(path)


WRITER = """
import sys
from desktop.history import History
from tests.history_parts import caption_of
history = History(sys.argv[1])
for number in range(80):
    history.add(caption_of(f"Line {number}."), sys.argv[2])
"""


def test_two_processes_write_at_once(path: Path) -> None:
    writers = [start(WRITER, path, source) for source in ("camera", "screen", "file")]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0]
    with contextlib.closing(History(path)) as history:
        for source in ("camera", "screen", "file"):
            lines = sentences(history, Query(source=source))
            assert lines == [f"Line {number}." for number in range(79, -1, -1)]


def test_one_who_begins_a_file_is_waited_for(path: Path) -> None:
    """Also when its tables stand, and the write-ahead log is not yet begun."""
    History(path).close()
    opened: list[int] = []

    def open_and_count() -> None:
        with contextlib.closing(History(path)) as history:
            opened.append(history.count())

    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN IMMEDIATE")
        second = threading.Thread(target=open_and_count)
        second.start()
        second.join(0.3)
        assert second.is_alive()
        other.execute("COMMIT")
    second.join(60)
    assert opened == [0]


def test_several_threads_use_one_history(path: Path) -> None:
    history = History(path)

    def add() -> None:
        for number in range(25):
            history.add(caption_of(f"Line {number}."), "camera")
            history.page(Query("line"))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert history.count(Query("line")) == 100
    history.close()


FULL_DISK = """
import resource, sys
from desktop.history import History, HistoryError
from tests.history_parts import caption_of, is_sound, picture_of, sentences, start
history = History(sys.argv[1])
kept = history.add(caption_of("Before."), "camera")
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
failed = 0
while not failed:
    try:
        history.add(caption_of("While."), "camera", picture_of(), keep_picture=True)
    except HistoryError as error:
        print(error)
        failed += 1
print(history.page()[-1].caption.spoken)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
history.add(caption_of("After."), "camera")
print(history.page()[0].caption.spoken)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit for files")
def test_a_full_disk_is_told_and_survived(path: Path) -> None:
    output, _ = start(FULL_DISK, path, 400_000).communicate(timeout=60)
    sentence, before, after = output.splitlines()
    assert sentence.startswith("The history")
    assert sentence.endswith(".")
    assert "disk" in sentence
    assert (before, after) == ("Before.", "After.")
    assert is_sound(path)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HistoryError, match="make sure that its folder can be written"):
        History(tmp_path / "file" / "history.sqlite3")
    history = open_history(tmp_path / "file" / "history.sqlite3")
    assert history.problem is not None
    assert "nothing is kept" in history.problem
    history.add(caption_of(), "camera", picture_of())
    assert history.count(Query("dogs")) == 1
    history.tidy(7)
    history.clear()
    assert history.count() == 0


def test_a_file_deleted_under_it_is_made_anew(path: Path) -> None:
    with contextlib.closing(History(path)) as history:
        history.add(caption_of("Old."), "camera")
        for file in path.parent.iterdir():
            file.unlink()
        history.add(caption_of("New."), "camera")
        with contextlib.closing(History(path)) as again:
            assert sentences(again) == ["New."]


def test_clearing_gives_way_to_one_who_writes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desktop.history_schema._PATIENCE", 0.1)
    with contextlib.closing(History(path)) as history:
        history.add(caption_of(), "camera")
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(HistoryError, match="in use by another program"):
                history.clear()
            other.execute("ROLLBACK")
        assert history.count() == 1
        history.clear()
        assert history.count() == 0


def test_a_second_opening_leaves_the_log_to_the_first(tmp_path: Path) -> None:
    """On POSIX, a file that is closed takes the locks of the whole process with it."""
    path = tmp_path / "history.sqlite3"
    first = History(path)
    first.add(caption_of("A dog runs."), "camera")
    History(path).close()  # such as to tidy up
    first.add(caption_of("A cat sleeps."), "camera")
    count = "from desktop.history import *; import sys; print(History(sys.argv[1]).count())"
    command = [sys.executable, "-c", count, str(path)]

    def count_elsewhere() -> str:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert count_elsewhere() == "2\n"  # and throws away a log that it takes for left behind
    first.add(caption_of("A bird sings."), "camera")
    assert count_elsewhere() == "3\n"
    first.close()


def test_the_log_is_moved_when_it_has_become_much(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite3"
    log = path.with_name(f"{path.name}-wal")
    picture = Picture(np.random.default_rng(0).integers(0, 255, (900, 1200, 3), np.uint8), "")
    with contextlib.closing(History(path)) as history:
        history.add(caption_of("The first."), "camera")
        size = path.stat().st_size
        history.settle()  # too little
        assert path.stat().st_size == size
        while log.stat().st_size < 4 * 1024 * 1024:
            history.add(caption_of(), "camera", picture, keep_picture=True)
        assert path.stat().st_size == size  # nobody who adds waits for it
        with contextlib.closing(History(path)) as reader:
            reader.count()
            history.settle()
        assert log.stat().st_size < 100_000
        assert path.stat().st_size > 4 * 1024 * 1024
        assert sentences(history)[-1] == "The first."
        history.add(caption_of("The last."), "camera")
    assert is_sound(path)
    with contextlib.closing(History(path)) as history:
        assert sentences(history)[0] == "The last."
