"""A full disk and a home that cannot be written: pictures are described and read aloud, and told.

``python -m tests.torture.bad_homes``, as root on Linux: each home is a file system of its own, in a
mount namespace of its own, so that nothing has to be unmounted whatever happens.
"""

import contextlib
import errno
import json
import os
import subprocess
import sys
import tempfile
import wave
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
_SECONDS = 120

# Name of a case -> whether there is a history, when the disk gets full, whether it is read-only.
CASES = {
    "full": (False, "before", False),
    "full, with a history": (True, "before", False),
    "full while the program runs": (True, "meanwhile", False),
    "read-only": (False, None, True),
    "read-only, with a history": (True, None, True),
}


def can_mount() -> bool:
    """Whether this process may make file systems of its own."""
    command = ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    with contextlib.suppress(FileNotFoundError):
        return subprocess.run(command, capture_output=True).returncode == 0
    return False


def examine(case: str, model: Path, photo: Path, folder: Path) -> list[str]:
    """Let the command and the desktop program describe a picture in such a home.

    Args:
        case: one of `CASES`.
        model: folder of a model.
        photo: a picture file.
        folder: an empty one, on a disk with room.

    Returns:
        What was not as it should be.
    """
    command = ["unshare", "--mount", sys.executable, "-m", "tests.torture.bad_homes"]
    done = subprocess.run(
        [*command, case, str(model), str(photo), str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=3 * _SECONDS,
    )
    if done.returncode:
        return [f"{case}: {done.stderr[-2000:]}"]
    wrong: list[str] = json.loads(done.stdout.splitlines()[-1])
    return [f"{case}: {what}" for what in wrong]


def fill(folder: Path) -> None:
    """Leave no room on the disk of a folder."""
    number = 0
    while True:
        try:
            with (folder / f"filling-{number}").open("wb", buffering=0) as file:
                for size in (65536, 1):
                    with contextlib.suppress(BlockingIOError):
                        while file.write(bytes(size)):
                            pass
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        if number == 2:
            return
        number += 1


def _inside(case: str, model: str, photo: str, folder: Path) -> list[str]:
    """The case in its namespace; gives what was not as it should be."""
    with_history, full, read_only = CASES[case]
    home = folder / "home"
    home.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", home], check=True)
    (home / ".asoundrc").write_text("pcm.!default { type null }\n")
    (home / "tmp").mkdir()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("XDG_")},
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "QT_QPA_PLATFORM": "offscreen",
    }
    if with_history:
        _make_history(home / ".local" / "share" / "seesay" / "history.sqlite3")
    if full == "before":
        fill(home)
    if read_only:
        subprocess.run(["mount", "-o", "remount,ro", home], check=True)
    wrong = []

    sound = folder / "said.wav"
    arguments = ["caption", "--model", model, "--save-speech", str(sound), photo]
    done = _run(["-m", "seesay", *arguments], environment)
    if done.returncode or "seesay" in done.stderr.lower() or not done.stdout.strip():
        wrong.append(
            f"the command gave {done.returncode}, {done.stdout!r}, {done.stderr[-1000:]!r}"
        )
    elif _seconds(sound) < 0.5:
        wrong.append("the command's speech is no speech")

    done = _run(
        ["-c", _PROGRAM, model, photo, str(home) if full == "meanwhile" else ""], environment
    )
    if done.returncode:
        wrong.append(f"the program ended with {done.returncode}: {done.stderr[-2000:]}")
        return wrong
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if not told["sentence"]:
        wrong.append("the program described nothing")
    if not told["heard"]:
        wrong.append("the program said nothing")
    if "history" not in told["problems"].lower():
        wrong.append(f"the program did not tell of the history, but {told['problems']!r}")
    if "Traceback" in done.stderr:
        wrong.append(done.stderr[-2000:])
    return wrong


def _run(arguments: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )


def _make_history(path: Path) -> None:
    from desktop.history import History
    from tests.history_parts import caption_of

    with contextlib.closing(History(path)) as history:
        history.add(caption_of(), "camera")


def _seconds(path: Path) -> float:
    with wave.open(str(path)) as sound:
        return sound.getnframes() / sound.getframerate()


# The desktop program: describes a picture, and ends when it has said what it shows.
_PROGRAM = """
import json, sys
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from desktop.program import Program
from tests.torture.bad_homes import fill

model, photo, to_fill = sys.argv[1:]
application = QApplication([])
program = Program(Path(model))
described, heard = [], []

def describe():
    if to_fill:
        fill(Path(to_fill))
    program.speech.started.connect(lambda number: heard.append(number) if described else None)
    program.speech.finished.connect(lambda number: heard and number == heard[-1] and end())
    program.on_asked_from_outside([photo], "")

def end():
    told = " ".join((program.window.problems.text(), *described[0].caption.notes))
    print(json.dumps({
        "sentence": described[0].caption.spoken,
        "heard": bool(heard),
        "problems": told,
    }), flush=True)
    application.quit()

program.captioning.ready.connect(describe)
program.flow.described.connect(described.append)
program.start(minimised=False)
QTimer.singleShot(100_000, application.quit)
application.exec()
program.close()
"""


def main() -> int:
    """Run, and print what failed and the closing line."""
    if not can_mount():
        print("bad homes: 0 tried, as only root may make file systems for it")
        return 0
    import skimage

    from core.paths import BUILTIN_MODEL

    photo = Path(skimage.__file__).parent / "data" / "chelsea.png"
    survived = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, case in enumerate(CASES):
            place = folder / str(number)
            place.mkdir()
            failures = examine(case, BUILTIN_MODEL, photo, place)
            survived += not failures
            for failure in failures:
                print(failure, flush=True)
    print(f"bad homes: {len(CASES)} tried, {survived} survived")
    return 0 if survived == len(CASES) else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        case, model, photo, place = sys.argv[1:]
        print(json.dumps(_inside(case, model, photo, Path(place))))
    else:
        sys.exit(main())
