"""Private by construction: no network, no trace in private mode, nothing readable by others.

``python -m tests.torture.privacy``, on Linux. The command and the window do what they mainly do,
three times: under strace, which tells of every socket; with the network cut off; and in private
mode, after which the disk is searched. The last two need root.
"""

import contextlib
import hashlib
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import skimage

from desktop.history import History
from tests.desktop_parts import Desktop, a_desktop, a_display, wait_for

ROOT = Path(__file__).resolve().parent.parent.parent
_DATA = Path(skimage.__file__).parent / "data"
_PUBLIC = ("/tmp", "/dev/shm")
_SECONDS = 300
_SPOKEN = 22_050  # bytes of sound, half a second

# Sockets between programs of one machine. Netlink asks the kernel which addresses there are.
_LOCAL = {"AF_UNIX", "AF_LOCAL", "AF_NETLINK"}
_SOCKET = re.compile(r"\bsocket(?:pair)?\((\w+)")

_SETTINGS = "welcomed = true\nearcons = false\n"
_PRIVATE = _SETTINGS + "private = true\nkeep_pictures = true\n"


def pictures(folder: Path) -> list[Path]:
    """A photograph and a page with text, in a folder of their own."""
    folder.mkdir()
    photo, page = folder / "cat on a sofa.png", folder / "page.png"
    shutil.copyfile(_DATA / "chelsea.png", photo)
    shutil.copyfile(_DATA / "page.png", page)
    return [photo, page]


def fingerprint(paths: list[Path]) -> list[tuple[str, float, int]]:
    """What changes with any change of files: content, time and permissions."""
    return [
        (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime, path.stat().st_mode)
        for path in paths
    ]


def by_the_command(
    folder: Path, seen: list[Path], prefix: list[str], environment: dict[str, str] | None = None
) -> Iterator[str]:
    """Caption, speak, save, draw, a whole folder, the history; gives what did not work."""
    photo, page = map(str, seen)
    out = folder / "out"
    out.mkdir()
    actions = [
        [
            "caption",
            "--save-speech",
            str(out / "said.wav"),
            "--attention",
            str(out / "a.png"),
            photo,
        ],
        ["caption", "--json", "--where", photo, page],
        ["library", str(seen[0].parent), "--out", str(out / "said.jsonl")],
        ["history", "list"],
    ]
    for action in actions:
        done = subprocess.run(
            [*prefix, sys.executable, "-m", "seesay", *action],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
        if done.returncode or (action[0] == "caption" and not done.stdout.strip()):
            yield f"seesay {action[0]} gave {done.returncode}: {done.stderr[-500:]}"
    for name in ("said.wav", "a.png", "said.jsonl"):
        if not (out / name).exists():
            yield f"{name} was not written"
    shutil.rmtree(out)


def by_the_window(desktop: Desktop, seen: list[Path], prefix: list[str]) -> Iterator[str]:
    """Files, the screen, the clipboard, repeat, in a window; gives what did not work."""
    command = [*prefix, sys.executable, "-m", "seesay", "app"]
    log = (desktop.home / "seesay.log").open("ab")
    program = desktop.start(
        [*command, *map(str, seen)], stderr=log, stdout=log, start_new_session=True
    )
    with contextlib.ExitStack() as stack:
        stack.callback(os.killpg, program.pid, signal.SIGKILL)
        wait_for(partial(_heard, desktop, _SPOKEN), "speech", _SECONDS)
        for action in ("screen", "clipboard", "repeat"):
            more = len(desktop.loudspeaker.sound) + _SPOKEN
            asked = desktop.start([*command, "--do", action], stderr=log, stdout=log)
            if asked.wait(_SECONDS):
                yield f"seesay app --do {action} gave {asked.returncode}"
            wait_for(partial(_heard, desktop, more), f"speech after {action}", _SECONDS)
        if program.poll() is not None:
            yield "the window was closed"
    program.wait()
    if "Traceback" in desktop.log():
        yield desktop.log()[-1000:]


def _heard(desktop: Desktop, bytes_of_sound: int) -> bool:
    return len(desktop.loudspeaker.sound) > bytes_of_sound


def under_strace(folder: Path) -> Iterator[str]:
    """Every socket that is opened; gives the families that leave the machine."""
    seen = pictures(folder / "pictures")
    before = fingerprint(seen)
    log = folder / "sockets.log"
    prefix = ["strace", "--follow-forks", "--quiet=all", "--trace=network", "-A", "-o", str(log)]
    home = folder / "home"
    home.mkdir()
    with a_display() as display, a_desktop(home, display, _SETTINGS) as desktop:
        yield from by_the_command(folder, seen, prefix, desktop.environment)
        yield from by_the_window(desktop, seen, prefix)
    families = set(_SOCKET.findall(log.read_text()))
    if "AF_UNIX" not in families:
        yield f"strace saw nothing: {families}"
    for family in families - _LOCAL:
        yield f"a socket of the family {family} was opened"
    if fingerprint(seen) != before:
        yield "a picture was changed"
    yield from _readable_by_others(home)


def _readable_by_others(home: Path) -> Iterator[str]:
    history = home / ".local" / "share" / "seesay"
    if stat.S_IMODE(history.stat().st_mode) != 0o700:
        yield "the folder of the history can be entered by others"
    for file in history.iterdir():
        if stat.S_IMODE(file.stat().st_mode) != 0o600:
            yield f"{file.name} is readable by others"
    with contextlib.closing(History(history / "history.sqlite3")) as kept:
        if not kept.count():
            yield "nothing was kept"


def without_network(folder: Path) -> Iterator[str]:
    """The same where there is no network at all, not even the machine's own."""
    seen = pictures(folder / "pictures")
    home = folder / "home"
    home.mkdir()
    with a_display() as display, a_desktop(home, display, _SETTINGS) as desktop:
        yield from by_the_command(folder, seen, [], desktop.environment)
        yield from by_the_window(desktop, seen, [])


def in_private_mode(folder: Path) -> Iterator[str]:
    """What is left on the disk after private mode; `_PUBLIC` folders are empty ones of its own.

    The program is killed, so that it has no time to tidy up.
    """
    seen = pictures(folder / "pictures")
    home = folder / "home"
    home.mkdir()
    command = [sys.executable, "-m", "seesay", "caption", str(seen[0])]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_SECONDS)
    sentence = done.stdout.partition(" (confidence")[0].strip()
    with a_display() as display, a_desktop(home, display, _PRIVATE) as desktop:
        yield from by_the_window(desktop, seen, [])
        yield from _traces([home, *map(Path, _PUBLIC)], sentence, seen[0])


def _traces(places: list[Path], sentence: str, picture: Path) -> Iterator[str]:
    """Files in which a sentence, a picture, a part of its file or its name is found."""
    whole = picture.read_bytes()
    wanted = {
        "the sentence": sentence.encode(),
        "the sentence in UTF-16": sentence.encode("utf-16-le"),
        "the picture's bytes": whole[len(whole) // 2 :][:64],
        "the picture's name": picture.name.encode(),
        "a JPEG": b"\xff\xd8\xff\xe0\x00\x10JFIF",
        "a PNG": b"\x89PNG\r\n\x1a\n",
    }
    if len(sentence) < 10:
        yield f"no sentence to look for: {sentence!r}"
    for place in places:
        for path in place.rglob("*"):
            if path.is_symlink() or not path.is_file():
                continue
            content = path.read_bytes()
            for what, needle in wanted.items():
                if needle in content:
                    yield f"{what} is in {path}"


_WAYS = {
    "under strace": (under_strace, []),
    "without network": (without_network, ["unshare", "--net"]),
    "in private mode": (in_private_mode, ["unshare", "--net", "--mount"]),
}


def examine(way: str) -> list[str] | None:
    """Do one of the ways in a process and, where that takes it, namespaces of its own.

    Returns:
        What was not as it should be; None where it cannot be tried here.
    """
    _, prefix = _WAYS[way]
    needed = prefix or ["strace", "-o", "/dev/null"]
    if shutil.which(needed[0]) is None:
        return None
    # In private mode, other folders stand in their place, also in that of a checkout.
    if way == "in private mode" and any(ROOT.is_relative_to(place) for place in _PUBLIC):
        return None
    if subprocess.run([*needed, "true"], capture_output=True).returncode:
        return None
    # Not below /tmp, which is another one in private mode.
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        done = subprocess.run(
            [*prefix, sys.executable, "-m", "tests.torture.privacy", way, folder],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=4 * _SECONDS,
        )
    wrong = done.stdout.splitlines()
    return [*wrong, done.stderr[-2000:]] if done.returncode else wrong


def _inside(way: str, folder: Path) -> None:
    if way == "in private mode":
        for place in _PUBLIC:
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], check=True)
    for wrong in _WAYS[way][0](folder):
        print(wrong, flush=True)


def main() -> int:
    """Run, and print what failed and the closing line."""
    tried = survived = 0
    for way in _WAYS:
        wrong = examine(way)
        if wrong is None:
            print(f"privacy: not tried {way}, which is not allowed here")
            continue
        tried += 1
        survived += not wrong
        for what in wrong:
            print(f"{way}: {what}", flush=True)
    print(f"privacy: {tried} tried, {survived} survived")
    return 0 if survived == tried else 1


if __name__ == "__main__":
    if len(sys.argv) == 3:
        _inside(sys.argv[1], Path(sys.argv[2]))
    else:
        sys.exit(main())
