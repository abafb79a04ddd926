"""A folder of pictures, captioned batch by batch, in runs that may be interrupted."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from tqdm import tqdm

from core.captioner import BATCH, Captioner
from core.errors import PictureError
from core.library_out import Csv, JsonLines, Out
from core.library_walk import Found, walk
from core.library_xmp import Sidecars
from core.picture import Picture, open_picture
from core.where import spoken_where

# Batches that are opened while one is captioned; a large photograph takes 50 megabytes.
_AHEAD = 1


@dataclass(frozen=True)
class Summary:
    """How a run went.

    Attributes:
        captioned: pictures that were captioned.
        failed: pictures and folders that could not be read.
        skipped: what an earlier run had written.
    """

    captioned: int
    failed: int
    skipped: int

    def __str__(self) -> str:
        text = f"{self.captioned} captioned"
        if self.failed:
            text += f", {self.failed} could not be read (the output tells why)"
        if self.skipped:
            text += f", {self.skipped} were done before"
        return text + "."


def open_out(path: Path, form: str) -> Out:
    """Open an output, new or of an interrupted run.

    Args:
        path: the file; for ``xmp``, the folder that gets the files.
        form: ``jsonl``, ``csv`` or ``xmp``.

    Raises:
        SeesayError: if it cannot be written, or is something else.
    """
    forms: dict[str, Callable[[Path], Out]] = {"jsonl": JsonLines, "csv": Csv, "xmp": Sidecars}
    return forms[form](path)


def caption_library(
    captioner: Captioner,
    folder: Path,
    out: Out,
    beam: int,
    text: bool = False,
    where: bool = False,
) -> Summary:
    """Caption all pictures below a folder that are not yet in the output, by name.

    What cannot be read is written with its error, and the others go on. The next batch is opened,
    by all cores, while one is captioned; a bar shows pictures a second and the time left.

    Args:
        captioner: that describes them.
        folder: of the library.
        out: gets each result as soon as its batch is captioned.
        beam: sentences followed at once in the search.
        text: whether text in the pictures is read, which takes seconds for a page.
        where: whether results tell where things are, as ``where`` and in ``words``.

    Raises:
        SeesayError: if the folder cannot be read, or the output not be written.
    """
    everything = list(walk(folder))
    to_do = [found for found in everything if found.name not in out.done]
    captioned = failed = 0
    with tqdm(total=len(to_do), unit="picture", dynamic_ncols=True) as bar:
        for batch, pictures in _opened(folder, to_do):
            good = [picture for picture in pictures if isinstance(picture, Picture)]
            captions = iter(captioner.caption_many(good, beam, text, where))
            for found, picture in zip(batch, pictures, strict=True):
                if isinstance(picture, Picture):
                    caption = next(captions)
                    result: dict[str, Any] = caption.to_dict()
                    if where:
                        result["where"] = spoken_where(caption.words)
                    captioned += 1
                else:
                    result = {"error": picture}
                    failed += 1
                out.write(found.name, result)
            bar.update(len(batch))
    return Summary(captioned, failed, len(everything) - len(to_do))


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
                ahead.append((batch, [pool.submit(_open, folder, found) for found in batch]))
            if not ahead:
                return
            if not batch or len(ahead) > _AHEAD:
                batch, futures = ahead.popleft()
                yield batch, [future.result() for future in futures]


def _open(folder: Path, found: Found) -> Picture | str:
    if found.error is not None:
        return found.error
    try:
        return open_picture(folder / found.name)
    except PictureError as error:
        return str(error)
