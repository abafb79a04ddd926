"""Large files from the web: a transfer that broke off goes on where it stopped."""

import hashlib
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import NoReturn
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tqdm import tqdm

from core.errors import SeesayError

_CHUNK = 1 << 20
_TIMEOUT = 30.0  # seconds without a byte
# Seconds before another try, after one that brought nothing.
_WAITS = (1.0, 5.0, 30.0)
_BUSY = (429, 500, 502, 503, 504)  # answers of servers that may do better in a while
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)$")


class DownloadError(SeesayError):
    """A download that is not complete; what has arrived in good order is kept."""


def fetch(url: str, path: Path, size: int, sha256: str) -> None:
    """Put a file from the web at ``path``, whole and verified.

    What has arrived is kept in ``<path>.part``. A transfer that breaks off goes on from there, at
    once while it brings anything, else after some pauses, else in the next call. A server that
    cannot send a part of a file sends all of it, of which only the new bytes are kept.

    Args:
        url: of the file.
        path: where it is put; a file that is there already is left alone.
        size: in bytes.
        sha256: of the content, in hexadecimal digits.

    Raises:
        DownloadError: if the file cannot be fetched or written, or is another one. After a wrong
            checksum nothing is kept, so that the next call begins anew.
    """
    if path.exists():
        return
    part = part_of(path)
    if part.exists() and part.stat().st_size > size:
        part.unlink()
    _transfer(url, part, size)
    _verify(part, sha256)
    with writing(path):
        part.rename(path)


def part_of(path: Path) -> Path:
    """Where the bytes of a file are kept until they are all there."""
    return path.with_name(f"{path.name}.part")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Tells what is wrong with the disk as one sentence."""
    try:
        yield
    except OSError as error:
        raise DownloadError(
            f"{path} cannot be written ({error.strerror}); make room or choose another folder, and "
            "run the same command again to go on."
        ) from error


def _transfer(url: str, part: Path, size: int) -> None:
    with writing(part):
        part.touch()
    have = part.stat().st_size
    waits = iter(_WAITS)
    with _bar(part.stem, size, have) as bar:
        while have < size:
            problem = _receive(url, part, size, bar)
            before, have = have, part.stat().st_size
            if have > before:
                waits = iter(_WAITS)
            elif (pause := next(waits, None)) is not None:
                time.sleep(pause)
            else:
                raise DownloadError(
                    f"{url} broke off at {have:,} of {size:,} bytes ({problem}); run the same "
                    "command again to go on from there."
                )


def _receive(url: str, part: Path, size: int, bar: "tqdm[NoReturn]") -> str:
    """Append what one connection brings; tells why it ended."""
    have = part.stat().st_size
    headers = {"User-Agent": "seesay", **({"Range": f"bytes={have}-"} if have else {})}
    try:
        response = urlopen(Request(url, headers=headers), timeout=_TIMEOUT)
    except HTTPError as error:
        if error.code in _BUSY:
            return f"HTTP {error.code}"
        raise DownloadError(
            f"{url} cannot be fetched (HTTP {error.code}: {error.reason}); try another --mirror."
        ) from error
    except (OSError, HTTPException) as error:  # no such host, no network, no answer
        return str(getattr(error, "reason", error))
    with response, writing(part), part.open("ab", buffering=0) as file:
        at = _begins_at(response, url, size)  # of the byte that comes next
        if at > have:
            raise DownloadError(f"{url} leaves bytes out; try another --mirror.")
        while at < size:
            try:
                chunk = response.read1(_CHUNK)[: size - at]
            except (OSError, HTTPException) as error:
                return str(error)
            if not chunk:
                return "the connection was closed"
            new = memoryview(chunk)[max(0, have - at) :]
            at += len(chunk)
            bar.update(len(new))
            while new:  # a disk that is nearly full takes a part
                new = new[file.write(new) :]
    return ""


def _begins_at(response: HTTPResponse, url: str, size: int) -> int:
    """Where in the file the answer begins, which must be of a file of this size."""
    start, total = 0, response.headers.get("Content-Length", "*")
    if response.status == 206:
        found = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
        if found is None:
            raise DownloadError(f"{url} does not say which part it sends; try another --mirror.")
        start, total = int(found[1]), found[2]
    if total.isdecimal() and int(total) != size:
        raise DownloadError(
            f"{url} is another file: it has {int(total):,} bytes, not {size:,}; try another "
            "--mirror."
        )
    return start


def _verify(part: Path, sha256: str) -> None:
    digest = hashlib.sha256()
    with part.open("rb") as file, _bar(f"checking {part.stem}", part.stat().st_size, 0) as bar:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            bar.update(len(chunk))
    if digest.hexdigest() != sha256:
        part.unlink()
        raise DownloadError(
            f"{part.stem} arrived damaged (its SHA-256 is not {sha256}) and was removed; run the "
            "same command again."
        )


def _bar(title: str, total: int, done: int) -> "tqdm[NoReturn]":
    return tqdm(total=total, initial=done, desc=title, unit="B", unit_scale=True)
