"""Which pictures a folder holds, whatever its links and permissions are."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import SeesayError

# Names that a picture may have; what is in the file is found out when it is opened.
SUFFIXES = frozenset(
    (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"),
        *(".ppm", ".pgm", ".pbm", ".ico", ".avif"),
    )
)


@dataclass(frozen=True)
class Found:
    """A picture file, or a folder that cannot be read.

    Attributes:
        name: its path below the folder that is walked through, with ``/`` between its parts.
        error: why a folder cannot be read, as one sentence; None for a picture file.
    """

    name: str
    error: str | None = None


def walk(folder: Path) -> Iterator[Found]:
    """The pictures of a folder and of all below it, by name, those of a folder before its folders.

    Links are followed, and a folder that is reached a second time, as by a link to one above it,
    is left out. Hidden files and folders are left out as well.

    Args:
        folder: where to begin.

    Raises:
        SeesayError: if it is no folder or cannot be read.
    """
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise SeesayError(
            f"The folder {folder} cannot be read ({error.strerror}): check path and permissions."
        ) from error
    yield from _walk(entries, "", {_identity(os.stat(folder))})


def _walk(
    entries: list[os.DirEntry[str]], above: str, seen: set[tuple[int, int]]
) -> Iterator[Found]:
    folders: list[os.DirEntry[str]] = []
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if _is_folder(entry):
            folders.append(entry)
        elif os.path.splitext(entry.name)[1].lower() in SUFFIXES:
            yield Found(above + entry.name)  # broken links, too: opening them tells
    for entry in folders:
        name = above + entry.name
        try:
            identity = _identity(os.stat(entry.path))
            if identity in seen:
                continue
            seen.add(identity)
            inside = sorted(os.scandir(entry.path), key=lambda entry: entry.name)
        except OSError as error:
            yield Found(name, f"The folder {name} cannot be read ({error.strerror}): check it.")
            continue
        yield from _walk(inside, name + "/", seen)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # such as a link to itself
        return False


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
