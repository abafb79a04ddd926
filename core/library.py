"""A folder of pictures, captioned batch by batch, in runs that may be interrupted."""

import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from tqdm import tqdm

from core.captioner import BATCH, Captioner
from core.errors import PictureError
from core.library_out import Csv, JsonLines, NotWrittenError, Out
from core.library_place import Place
from core.library_walk import Found
from core.library_xmp import Sidecars
from core.picture import Picture, open_picture
from core.where import spoken_where

# Batches that are opened while one is captioned; a large photograph takes 50 megabytes.
_AHEAD = 1

Results = list[tuple[Found, dict[str, Any]]]
"""Pictures, each with the object of ``seesay caption --json``, or with ``error`` alone."""


class Engine(Protocol):
    """What captions pictures, on this machine or on many."""

    def __call__(self, folder: Path, to_do: Sequence[Found]) -> Generator[Results]:
        """Caption all these pictures, each once; what cannot be read is told as its error.

        Args:
            folder: of the library.
            to_do: pictures in it.

        Raises:
            SeesayError: if the engine cannot work.
        """


@dataclass(frozen=True)
class Summary:
    """How a run went.

    Attributes:
        captioned: pictures that got a sentence.
        unsaid: pictures of which nothing can honestly be said, such as pages.
        failed: pictures and folders that could not be read, or of which nothing could be written.
        skipped: what an earlier run had written.
        why: where it is told why they failed.
    """

    captioned: int
    unsaid: int
    failed: int
    skipped: int
    why: str

    def __str__(self) -> str:
        text = f"{self.captioned} captioned"
        if self.unsaid:
            text += f", {self.unsaid} without a sentence"
        if self.failed:
            text += f", {self.failed} failed ({self.why})"
        if self.skipped:
            text += f", {self.skipped} were done before"
        return text + "."


def open_out(path: Path, form: str) -> Out:
    """Open an output, new or of an interrupted run.

    Args:
        path: the file; for ``xmp``, the folder that gets the files.
        form: ``jsonl``, ``csv`` or ``xmp``.

    Raises:
        SeesayError: if it cannot be written, is something else, or another run writes it.
    """
    forms: dict[str, Callable[[Path], Out]] = {"jsonl": JsonLines, "csv": Csv, "xmp": Sidecars}
    return forms[form](path)


def caption_library(engine: Engine, folder: Path, pictures: Sequence[Found], out: Out) -> Summary:
    """Caption the pictures of a library that are not yet in the output, or failed, by name.

    What fails is written with its error, or told where the output has no place for it, and the
    others go on. A bar shows pictures a second and the time left.

    Args:
        engine: that captions them.
        folder: of the library.
        pictures: all that are in it.
        out: gets each result as soon as its batch is captioned.

    Raises:
        SeesayError: if the folder vanishes, the output cannot be written, or the engine not work.
    """
    done = out.done([found.name for found in pictures])
    to_do = [found for found in pictures if found.name not in done]
    place = Place(folder)
    unsaid = failed = 0
    with (
        tqdm(total=len(to_do), unit="picture", dynamic_ncols=True) as bar,
        closing(engine(folder, to_do)) as batches,
    ):
        for batch in batches:
            place.check()  # or each picture that is left would be noted as one that is gone
            for found, result in batch:
                try:
                    out.write(found.name, result)
                except NotWrittenError as error:
                    tqdm.write(f"seesay: {error}", sys.stderr)
                    failed += 1
                else:
                    failed += "error" in result
                    unsaid += "error" not in result and result["caption"] is None
            bar.update(len(batch))
    captioned = len(to_do) - unsaid - failed
    return Summary(captioned, unsaid, failed, len(pictures) - len(to_do), out.why)


@dataclass(frozen=True)
class LocalEngine:
    """Captions on this machine: the next batch is opened, by all cores, while one is captioned.

    Attributes:
        captioner: that describes the pictures.
        beam: sentences followed at once in the search.
        text: whether text in the pictures is read, which takes seconds for a page.
        where: whether results tell where things are, as ``where`` and in ``words``.
    """

    captioner: Captioner
    beam: int
    text: bool = False
    where: bool = False

    def __call__(self, folder: Path, to_do: Sequence[Found]) -> Generator[Results]:
        """As for every `Engine`; in the order given."""
        for found, pictures in _opened(folder, to_do):
            yield list(zip(found, self._caption(pictures), strict=True))

    def _caption(self, pictures: list[Picture | str]) -> Iterator[dict[str, Any]]:
        good = [picture for picture in pictures if isinstance(picture, Picture)]
        captions = iter(self.captioner.caption_many(good, self.beam, self.text, self.where))
        for picture in pictures:
            if isinstance(picture, Picture):
                caption = next(captions)
                where = {"where": spoken_where(caption.words)} if self.where else {}
                yield caption.to_dict() | where
            else:
                yield {"error": picture}


def _opened(
    folder: Path, to_do: Sequence[Found]
) -> Iterator[tuple[list[Found], list[Picture | str]]]:
    """Batch by batch, each with its pictures or the sentences of why there are none."""
    remaining = iter(to_do)
    ahead: deque[tuple[list[Found], list[Future[Picture | str]]]] = deque()
    with ThreadPoolExecutor() as pool:
        while True:
            batch = list(islice(remaining, BATCH))
            if batch:
                ahead.append((batch, [pool.submit(open_found, folder, found) for found in batch]))
            if not ahead:
                return
            if not batch or len(ahead) > _AHEAD:
                batch, futures = ahead.popleft()
                yield batch, [future.result() for future in futures]


def open_found(folder: Path, found: Found) -> Picture | str:
    """A picture of a folder, or the sentence of why there is none."""
    if found.error is not None:
        return found.error
    try:
        return open_picture(folder / found.name)
    except PictureError as error:
        return str(error)
