"""What was said of a library's pictures, as files: JSON Lines, CSV, or an XMP file for each."""

import csv
import io
import json
import os
import re
import shutil
from abc import ABC, abstractmethod
from collections.abc import Collection
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar, Self

from core.errors import SeesayError
from core.library_lock import only_run

_ESCAPED = {r"\\": "\\", r"\n": "\n", r"\r": "\r"}
_ESCAPES = str.maketrans({character: escape for escape, character in _ESCAPED.items()})


class NotWrittenError(SeesayError):
    """Of one picture nothing is written, and this tells why; those after it still can be."""


class Out(ABC):
    """Where results go; each is whole and in its place when ``write`` returns.

    Attributes:
        why: where it is told why pictures failed.
    """

    why: ClassVar[str]

    @abstractmethod
    def done(self, names: Collection[str]) -> set[str]:
        """Those among these pictures that an earlier run was through with; failures come again.

        Args:
            names: of pictures below the library's folder.
        """

    @abstractmethod
    def write(self, name: str, result: dict[str, Any]) -> None:
        """Add what was said of a picture, or why nothing could be.

        Args:
            name: of the picture below the library's folder.
            result: the object of ``seesay caption --json``; or ``error`` alone.

        Raises:
            NotWrittenError: if this cannot be written, or has no place here.
            SeesayError: if nothing can be written any more.
        """

    @abstractmethod
    def close(self) -> None:
        """Nothing more comes."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Lines(Out):
    """A file with one line a picture, which an interrupted run goes on with.

    Lines that the run before could not finish, or that tell why a picture failed, are taken off:
    these pictures come once more.

    Args:
        path: of the file.

    Raises:
        SeesayError: if it cannot be written, was not written by this, or another run writes it.
    """

    why = "the output tells why"
    header: ClassVar[bytes] = b""
    opening: ClassVar[bytes]
    """How such a file begins, by which it is known as one."""

    def __init__(self, path: Path) -> None:
        self._path = Path(os.path.realpath(path))
        self._done: set[str] = set()
        with ExitStack() as opened:
            try:
                opened.enter_context(only_run(self._path))
                failed = self._read()
                if failed:
                    self._take_off(failed)
                self._file = opened.enter_context(self._path.open("ab", buffering=0))
                if self._file.tell() == 0:
                    self._append(self.header)
            except (ValueError, LookupError, TypeError) as error:
                raise SeesayError(
                    f"{path} is not what Seesay wrote of a library: give another name."
                ) from error
            except OSError as error:
                raise cannot_write(path, error) from error
            self._opened = opened.pop_all()

    def _read(self) -> set[int]:
        """Learn what is done, and keep whole lines only; gives those of failures, by number."""
        whole = 0
        failed = set()
        with self._path.open("a+b") as file:
            file.seek(0)
            opening = file.read(len(self.opening))
            if not self.opening.startswith(opening):
                raise ValueError("a file of something else")
            file.seek(0)
            for number, line in enumerate(file):
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                if line == self.header:
                    continue
                name, has_failed = self.read(line)
                if has_failed:
                    failed.add(number)
                else:
                    self._done.add(name)
            file.truncate(whole)
        return failed

    def _take_off(self, lines: set[int]) -> None:
        """Take off the lines with these numbers; after a kill, there are all, or all others."""
        # Of this one name, since nobody else is in here: what a kill has left is written over.
        draft = self._path.with_name(f".{self._path.name}.draft")
        try:
            with self._path.open("rb") as old, draft.open("wb") as new:
                new.writelines(line for number, line in enumerate(old) if number not in lines)
                new.flush()
                os.fsync(new.fileno())  # hours of work, which a power cut must not cost
            shutil.copymode(self._path, draft)
            os.replace(draft, self._path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise

    @abstractmethod
    def line(self, name: str, result: dict[str, Any]) -> bytes:
        """The line of a picture; its end is the only end of a line in it."""

    @abstractmethod
    def read(self, line: bytes) -> tuple[str, bool]:
        """The name of the picture that a line is of, and whether the line tells why it failed.

        Raises:
            ValueError, LookupError, TypeError: if it is no such line.
        """

    def done(self, names: Collection[str]) -> set[str]:
        """As for every `Out`."""
        return self._done.intersection(names)

    def write(self, name: str, result: dict[str, Any]) -> None:
        """As for every `Out`."""
        try:
            self._append(self.line(name, result))
        except OSError as error:
            raise cannot_write(self._path, error) from error

    def _append(self, line: bytes) -> None:
        # One call for a line: after a kill, at most the last one is cut short.
        left = memoryview(line)
        while left:
            left = left[self._file.write(left) or 0 :]

    def close(self) -> None:
        """As for every `Out`."""
        self._opened.close()


class JsonLines(Lines):
    """One JSON object a line."""

    opening = b'{"path": "'

    def line(self, name: str, result: dict[str, Any]) -> bytes:
        """As for all `Lines`."""
        text = json.dumps(
            {"path": name} | result | {"path": name}, ensure_ascii=False, allow_nan=False
        )
        # A name's undecodable byte becomes \udcXX, which in JSON stands for the very same name.
        return text.encode("utf-8", "backslashreplace") + b"\n"

    def read(self, line: bytes) -> tuple[str, bool]:
        """As for all `Lines`."""
        result = json.loads(line)
        if not isinstance(result["path"], str):
            raise TypeError("a path is no text")
        return result["path"], "error" in result


class Csv(Lines):
    """A table with a heading, for spreadsheets.

    A path has ``\\n`` or ``\\r`` for a line break, and two backslashes for one. Within quotes,
    as they are, a damaged line would run on into the next ones.
    """

    columns = (
        "path",
        "caption",
        "confidence",
        "level",
        "spoken",
        "where",
        "text",
        "notes",
        "error",
    )
    opening = header = (",".join(columns) + "\n").encode()

    def line(self, name: str, result: dict[str, Any]) -> bytes:
        """As for all `Lines`."""
        cells = {**result, "path": name.translate(_ESCAPES)}
        cells["text"] = " / ".join(cells.get("text", ()))
        cells["notes"] = " ".join(cells.get("notes", ()))
        table = io.StringIO()
        row = [re.sub(r"[\r\n]", " ", str(cells.get(column) or "")) for column in self.columns]
        csv.writer(table, lineterminator="\n").writerow(row)
        return table.getvalue().encode("utf-8", "surrogateescape")

    def read(self, line: bytes) -> tuple[str, bool]:
        """As for all `Lines`."""
        try:
            (row,) = csv.reader([line.decode("utf-8", "surrogateescape")], strict=True)
        except csv.Error as error:
            raise ValueError("no row of a table") from error
        cells = dict(zip(self.columns, row, strict=True))
        name = re.sub(r"\\[\\nr]", lambda escape: _ESCAPED[escape[0]], cells["path"])
        return name, cells["error"] != ""


def cannot_write(path: Path, error: OSError) -> SeesayError:
    """The end of a run: nothing more can be written."""
    return SeesayError(
        f"{path} cannot be written ({error.strerror}): make room, or choose another place. "
        "What was written stays, and the same command goes on with it."
    )
