"""Settings and history damaged at every 512 bytes: opened, told, and what can be kept is kept.

``python -m tests.torture.bad_files [STEP]``: at every so many bytes, 512 by default, of a settings
file, of a history, and of the log beside a history whose process was killed.
"""

import contextlib
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.errors import SeesayError
from desktop.history import Entry, History, Query, open_history
from desktop.settings import Settings, SettingsFile
from tests.history_parts import caption_of, filled, start

_PIECE = 512  # what a disk writes at once
_FINE = 16  # bytes; settings are so small that all of these are tried
_ENTRIES = 60  # of which the last was deleted
_PER_PIECE = 8  # no 512 bytes of the file hold more entries
_LOGGED = 20

_LEAVE_A_LOG = """
import os, signal, sys
from pathlib import Path
from desktop.history import History
from tests.history_parts import caption_of
history = History(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    history.add(caption_of(f"Cat {number}."), "camera")
print(flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@dataclass
class Result:
    """What became of the damaged files.

    Attributes:
        tried: how many.
        failures: where the damage was, and what was not as it should be.
        fewest: entries that were left of a history of 59, where 512 bytes were damaged.
        slowest: seconds to open one.
    """

    tried: int = 0
    failures: list[str] = field(default_factory=list)
    fewest: int = _ENTRIES - 1
    slowest: float = 0.0


def damages(content: bytes, step: int) -> Iterator[tuple[str, bytes]]:
    """A file cut short, or with 512 bytes emptied or overwritten, at every so many bytes."""
    for place in range(0, len(content), step):
        after = content[place + _PIECE :]
        yield f"cut at {place}", content[:place]
        yield f"emptied from {place}", content[:place] + bytes(_PIECE) + after
        noise = random.Random(place).randbytes(_PIECE)
        yield f"overwritten from {place}", content[:place] + noise + after
    yield "nothing left", b""


def damaged_settings(folder: Path, step: int, result: Result) -> None:
    """Load damaged settings; whatever is in them, settings come, and what was lost is told."""
    kept = Settings(voice="en-gb", camera="rtsp://phone/" + "x" * 3000, rate=200, private=True)
    file = SettingsFile(folder / "settings.toml")
    file.save(kept)
    whole = file.path.read_bytes()
    for what, content in damages(whole, step):
        result.tried += 1
        file.path.write_bytes(content)
        settings, told = file.load()
        asides = list(folder.glob("settings.toml.broken-*"))
        if told is not None and not told.endswith("."):
            result.failures.append(f"settings {what}: {told}")
        # What is cut or filled with nothing may well be settings; the rest was not lost, at least.
        if told is None and asides:
            result.failures.append(f"settings {what}: set aside in silence")
        if asides and [aside.read_bytes() for aside in asides] != [content]:
            result.failures.append(f"settings {what}: not what was set aside")
        for aside in asides:
            aside.unlink()
        file.save(replace(settings, rate=100))
        if file.load() != (replace(settings, rate=100), None):
            result.failures.append(f"settings {what}: cannot be set again")


def damaged_histories(folder: Path, step: int, result: Result) -> None:
    """Open damaged histories; nothing in the file may keep a new entry from being kept."""
    whole = filled(_ENTRIES)
    for number, (what, content) in enumerate(damages(whole, step)):
        path = folder / str(number) / "history.sqlite3"
        path.parent.mkdir()
        path.write_bytes(content)
        least = 0 if what.startswith(("cut", "nothing")) else _ENTRIES - 1 - _PER_PIECE
        found = _look(path, f"history {what}", least, content, result)
        if found is not None and not what.startswith(("cut", "nothing")):
            result.fewest = min(result.fewest, found)
        _remove(path.parent)


def damaged_logs(folder: Path, step: int, result: Result) -> None:
    """The same with the log that a killed process leaves; the file itself is whole."""
    path = folder / "killed" / "history.sqlite3"
    path.parent.mkdir()
    path.write_bytes(filled(_ENTRIES))
    process = start(_LEAVE_A_LOG, path, _LOGGED)
    process.wait()
    log = path.with_name(path.name + "-wal")
    base, whole = path.read_bytes(), log.read_bytes()
    for number, (what, content) in enumerate(damages(whole, step * 4)):
        path = folder / f"log-{number}" / "history.sqlite3"
        path.parent.mkdir()
        path.write_bytes(base)
        path.with_name(log.name).write_bytes(content)
        # A log is valid up to its first damage: what is behind was never in the file.
        _look(path, f"log {what}", _ENTRIES - 1, base, result)
        _remove(path.parent)


def _look(path: Path, what: str, least: int, content: bytes, result: Result) -> int | None:
    """Open a history as the program does; gives how many entries were left."""
    result.tried += 1
    began = time.perf_counter()
    try:
        history = open_history(path)
        with contextlib.closing(history):
            dogs = _dogs(history)
            result.slowest = max(result.slowest, time.perf_counter() - began)
            for entry in dogs:
                dog = int(entry.caption.spoken[4:-1])
                if entry.id != dog + 1 or entry.starred != (dog % 5 == 0):
                    result.failures.append(f"{what}: entry {entry.id} is another")
            added = history.add(caption_of("Afterwards."), "camera")
            if history.get(added.id).caption.spoken != "Afterwards.":
                result.failures.append(f"{what}: nothing can be kept afterwards")
            if history.count(Query("afterwards")) != 1:
                result.failures.append(f"{what}: nothing is found afterwards")
            if history.count(Query("dog")) != len(_dogs(history)):
                result.failures.append(f"{what}: not all is found afterwards")
            told = history.problem
    except (SeesayError, sqlite3.Error, OSError, ValueError) as error:
        result.failures.append(f"{what}: {error!r}")
        return None
    if len(dogs) < least:
        result.failures.append(f"{what}: {len(dogs)} entries of {least} are left")
    if told is None and len(dogs) < _ENTRIES - 1 and content:
        result.failures.append(f"{what}: {_ENTRIES - 1 - len(dogs)} entries lost in silence")
    asides = list(path.parent.glob("history.damaged-*.sqlite3"))
    if told is not None and [aside.read_bytes() for aside in asides] != [content]:
        result.failures.append(f"{what}: told {told!r}, but not kept beside it")
    return len(dogs)


def _dogs(history: History) -> list[Entry]:
    return [entry for entry in history.walk() if entry.caption.spoken.startswith("Dog ")]


def _remove(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


def by_the_command(folder: Path, result: Result) -> None:
    """The command itself with damaged files of both kinds: it works, and no traceback is shown."""
    data, config = folder / "data" / "seesay", folder / "config" / "seesay"
    for directory in (data, config):
        directory.mkdir(parents=True)
    whole = filled(_ENTRIES)
    environment = {
        **os.environ,
        "XDG_DATA_HOME": str(data.parent),
        "XDG_CONFIG_HOME": str(config.parent),
    }
    for place in (0, 512, len(whole) // 2, len(whole) - 512):
        result.tried += 1
        for file in (*data.iterdir(), *config.iterdir()):
            file.unlink()
        (data / "history.sqlite3").write_bytes(whole[:place])
        (config / "settings.toml").write_bytes(bytes(place))
        done = subprocess.run(
            [sys.executable, "-m", "seesay", "history", "list"],
            env=environment,
            capture_output=True,
            text=True,
        )
        if done.returncode not in (0, 2) or "Traceback" in done.stderr:
            result.failures.append(f"seesay history list, cut at {place}: {done.stderr}")


def run(step: int) -> Result:
    """Damage files at every so many bytes, and open them."""
    result = Result()
    # In memory where that can be: each file is written to the disk for good, which takes its time.
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(dir=memory) as name:
        folder = Path(name)
        damaged_settings(folder, min(step, _FINE), result)
        damaged_histories(folder, step, result)
        damaged_logs(folder, step, result)
        by_the_command(folder, result)
    return result


def main() -> int:
    """Run, and print what failed and the closing line."""
    result = run(int(sys.argv[1]) if len(sys.argv) > 1 else _PIECE)
    for failure in result.failures:
        print(failure)
    print(
        f"bad files: {result.tried} tried, {result.tried - len(result.failures)} survived, "
        f"slowest {result.slowest:.1f} s, at least {result.fewest} of {_ENTRIES - 1} entries kept"
    )
    return 1 if result.failures else 0


if __name__ == "__main__":
    sys.exit(main())
