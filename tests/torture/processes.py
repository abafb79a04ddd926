"""The processes of this machine: which were started by which, and which belong together."""

import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """One that has not ended.

    Attributes:
        number: its own.
        parent: number of the one that started it.
        session: number of the one that leads its session.
        command: its name and arguments.
    """

    number: int
    parent: int
    session: int
    command: str


def processes() -> Iterator[Process]:
    """All that run; none where the system tells of them in another way than Linux."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            command = (folder / "cmdline").read_text(errors="replace").replace("\0", " ")
        except OSError:  # it has ended meanwhile
            continue
        state, parent, _, session = fields[:4]
        if state != "Z":
            yield Process(int(folder.name), int(parent), int(session), command)


def descendants(process: int) -> list[int]:
    """What a process has started, and what those have, which still run."""
    parents = {one.number: one.parent for one in processes()}
    found, last = [], [process]
    while last:
        last = [child for child, parent in parents.items() if parent in last]
        found += last
    return found


def kill_session(leader: int) -> None:
    """End all that belong to a process that leads a session, and all that it has started."""
    members = [one.number for one in processes() if one.session == leader]
    for number in {*members, *descendants(leader)}:
        with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
            os.kill(number, signal.SIGKILL)
