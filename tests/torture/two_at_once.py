"""Two at once: programs and commands on one history, many starts, two users; nothing is lost.

Run by ``python -m tests.torture.two_at_once [PICTURES [TRIAL...]]``: how many each program
describes, 400 by default, and which functions of this file are tried.
"""

import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from desktop.history import History
from tests.history_parts import is_sound
from tests.picture_kinds import save_snapshot

_ROOT = Path(__file__).resolve().parents[2]
_PICTURES = 400
_KINDS = 6
_LONGEST = 5.0  # seconds between two descriptions; a lock-up takes as long as SQLite is patient
_PATIENCE = 600.0  # seconds
_NOBODY = 65534
_SETTINGS = 'welcomed = true\nearcons = false\nspeech = "silent"\nread_text = false\n'

# A command line that looks at the history all the time; argument: where to export to.
_COMMANDS = """
import itertools, sys
import seesay
for number in itertools.count():
    for command in (["list", "--limit", "20"], ["search", "a"], ["export", sys.argv[1]]):
        status = seesay.main(["history", *command])
        print("status", status, file=sys.stderr, flush=True)
"""


class Skipped(Exception):
    """This cannot be tried on this machine; with the reason."""


def environment(home: Path, runtime: str = "runtime") -> dict[str, str]:
    """Of a user with this home."""
    for name in ("config/seesay", "data", runtime):
        (home / name).mkdir(parents=True, exist_ok=True)
    (home / "config" / "seesay" / "settings.toml").write_text(_SETTINGS)
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "DBUS"))},
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_RUNTIME_DIR": str(home / runtime),
        "OMP_NUM_THREADS": "1",
        "QT_QPA_PLATFORM": "offscreen",
    }


def start_program(
    folder: Path, home: dict[str, str], pictures: int, *before: str
) -> subprocess.Popen[str]:
    """A program that describes so many pictures."""
    photos = [str(folder / "photos" / f"{number % _KINDS}.png") for number in range(pictures)]
    command = [*before, sys.executable, "-m", "tests.torture.sayer"]
    with (folder / "stderr.txt").open("a") as errors:
        return subprocess.Popen(
            [*command, *photos],
            cwd=_ROOT,
            env=home,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )


def check_said(program: subprocess.Popen[str], pictures: int) -> list[tuple[str, str]]:
    """What a program has said, which has had no problem and never waited long."""
    output, _ = program.communicate(timeout=_PATIENCE)
    (start, problem, _), *lines = map(json.loads, output.splitlines())
    assert (program.returncode, start, problem) == (0, "first", None)
    assert len(lines) == pictures, f"{len(lines)} of {pictures}; {lines[-1:]}"
    assert all(path != "problem" for path, *_ in lines), lines
    times = [when for *_, when in lines]
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert max(gaps, default=0.0) < _LONGEST, f"waited {max(gaps):.1f} s"
    return [(path, spoken) for path, spoken, _ in lines]


def check_kept(home: Path, said: list[tuple[str, str]]) -> None:
    """All that was said is in the history, once."""
    path = home / "data" / "seesay" / "history.sqlite3"
    with contextlib.closing(History(path)) as history:
        assert history.problem is None
        kept = Counter((entry.name, entry.caption.spoken) for entry in history.walk())
    assert kept == Counter(said)
    assert is_sound(path)


def programs_and_commands(folder: Path, pictures: int) -> str:
    """Two programs of two sessions of a user, and commands that list, search and export."""
    home = folder / "home"
    programs = [
        start_program(folder, environment(home, runtime), pictures)
        for runtime in ("runtime", "other session")
    ]
    commands = subprocess.Popen(
        [sys.executable, "-c", _COMMANDS, str(folder / "export.jsonl")],
        cwd=_ROOT,
        env=environment(home),
        stdout=subprocess.DEVNULL,
        stderr=(folder / "commands.txt").open("w"),
    )
    try:
        said = [line for program in programs for line in check_said(program, pictures)]
    finally:
        commands.kill()
        commands.wait()
        for program in programs:
            program.kill()
    check_kept(home, said)
    told = (folder / "commands.txt").read_text().splitlines()
    assert set(told) == {"status 0"}, [line for line in told if line != "status 0"][:3]
    return f"{len(said)} descriptions beside {len(told)} commands"


def many_starts(folder: Path, pictures: int) -> str:
    """Starts of one user at the same moment: one program runs, and all are heard."""
    home = environment(folder / "starter")
    count = max(3, min(20, pictures // 20))
    command = [sys.executable, "-m", "seesay", "app", str(folder / "photos" / "0.png")]
    with (folder / "stderr.txt").open("a") as errors:
        starts = [
            subprocess.Popen(command, cwd=_ROOT, env=home, stderr=errors) for _ in range(count)
        ]
    end = time.monotonic() + 120
    while sum(start.poll() is None for start in starts) > 1:
        assert time.monotonic() < end, "several are running"
        time.sleep(0.1)
    statuses = Counter(start.poll() for start in starts)
    running = [start for start in starts if start.poll() is None]
    for start in running:
        start.send_signal(signal.SIGTERM)
        start.wait(30)
    assert statuses == {None: 1, 0: count - 1}, statuses
    return f"{count} starts, {statuses[0]} handed over"


def two_users(folder: Path, pictures: int) -> str:
    """Two users of one machine, each with a program and a history that the other cannot read."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("setpriv") is None:
        raise Skipped("to become another user takes root and setpriv")
    other = folder / "other user"
    theirs = environment(other)
    become = ("setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", "--")
    folder.chmod(0o755)
    for path in (other, *other.rglob("*")):
        os.chown(path, _NOBODY, _NOBODY)
    can = [*become, sys.executable, "-c", "import desktop.program, core.captioner"]
    if subprocess.run(can, cwd=_ROOT, env=theirs, capture_output=True).returncode:
        raise Skipped("another user may not run this Python")
    mine = environment(folder / "one user")
    programs = (
        start_program(folder, mine, pictures),
        start_program(folder, theirs, pictures, *become),
    )
    said = [check_said(program, pictures) for program in programs]
    check_kept(folder / "one user", said[0])
    theirs["XDG_DATA_HOME"] = str(folder / "one user" / "data")
    reading = [*become, sys.executable, "-m", "seesay", "history", "list"]
    refused = subprocess.run(reading, cwd=_ROOT, env=theirs, capture_output=True, text=True)
    assert refused.returncode == 2, "another user reads the history"
    assert len(refused.stderr.splitlines()) == 1, refused.stderr
    check_kept(other, said[1])
    return f"{len(said[0])} descriptions each"


def main() -> int:
    """Do all of it; gives the exit status."""
    pictures = int(sys.argv[1]) if len(sys.argv) > 1 else _PICTURES
    every = (programs_and_commands, many_starts, two_users)
    trials = [trial for trial in every if trial.__name__ in sys.argv[2:] or not sys.argv[2:]]
    survived = left_out = 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(_KINDS):
            save_snapshot(folder / "photos" / f"{number}.png", number)
        for trial in trials:
            title = trial.__name__.replace("_", " ")
            try:
                print(f"  {title}: {trial(folder, pictures)}", flush=True)
                assert "Traceback" not in (errors := (folder / "stderr.txt").read_text()), errors
                survived += 1
            except Skipped as reason:
                print(f"  {title}: left out, {reason}", flush=True)
                left_out += 1
            except Exception:
                traceback.print_exc()
    print(
        f"two at once: {len(trials) - left_out} tried, {survived} survived, {left_out} left out, "
        f"{time.monotonic() - began:.0f} s"
    )
    return int(survived + left_out < len(trials))


if __name__ == "__main__":
    sys.exit(main())
