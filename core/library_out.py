"""What was said of a library's pictures, as files: JSON Lines, CSV, or an XMP file for each."""

import csv
import io
import json
import os
import re
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
        """Those among these pictures of which an earlier run wrote.

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

    A line that the run before could not finish is taken off: its picture comes once more.

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
                self._file = opened.enter_context(self._path.open("a+b", buffering=0))
                whole = self._read()
                self._file.truncate(whole)
                if whole == 0:
                    self._append(self.header)
            except (ValueError, LookupError, TypeError) as error:
                raise SeesayError(
                    f"{path} is not what Seesay wrote of a library: give another name."
                ) from error
            except OSError as error:
                raise cannot_write(path, error) from error
            self._opened = opened.pop_all()

    def _read(self) -> int:
        """Learn what is done; gives how many bytes of whole lines there are."""
        whole = 0
        with self._path.open("rb") as file:
            opening = file.read(len(self.opening))
            if not self.opening.startswith(opening):
                raise ValueError("a file of something else")
            file.seek(0)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                if line != self.header:
                    self._done.add(self.name_in(line))
        return whole

    @abstractmethod
    def line(self, name: str, result: dict[str, Any]) -> bytes:
        """The line of a picture; its end is the only end of a line in it."""

    @abstractmethod
    def name_in(self, line: bytes) -> str:
        """The name of the picture that a line is of.

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

    def name_in(self, line: bytes) -> str:
        """As for all `Lines`."""
        name = json.loads(line)["path"]
        if not isinstance(name, str):
            raise TypeError("a path is no text")
        return name


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

    def name_in(self, line: bytes) -> str:
        """As for all `Lines`."""
        try:
            (row,) = csv.reader([line.decode("utf-8", "surrogateescape")], strict=True)
        except csv.Error as error:
            raise ValueError("no row of a table") from error
        if len(row) != len(self.columns):
            raise ValueError("a row of another length")
        return re.sub(r"\\[\\nr]", lambda escape: _ESCAPED[escape[0]], row[0])


def cannot_write(path: Path, error: OSError) -> SeesayError:
    """The end of a run: nothing more can be written."""
    return SeesayError(
        f"{path} cannot be written ({error.strerror}): make room, or choose another place. "
        "What was written stays, and the same command goes on with it."
    )
