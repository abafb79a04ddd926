"""Captions of many files, each with its own error, so that one bad file stops none."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from core.caption import Caption
from core.captioner import BATCH, Captioner
from core.errors import PictureError
from core.picture import Picture, open_picture


def describe(
    captioner: Captioner,
    paths: Iterable[str],
    beam: int,
    text: bool = True,
    places: bool = True,
) -> Iterator[tuple[str, Picture | PictureError, Caption | None]]:
    """Each path with its picture and caption, in order; or with its error and None.

    Pictures are captioned in batches, and only one batch is in memory at a time.

    Args:
        captioner: that describes them.
        paths: of picture files; ``-`` is standard input.
        beam: sentences followed at once in the search.
        text: whether text in the pictures is read.
        places: whether captions have words, with where each was seen.
    """
    remaining = iter(paths)
    while batch := list(islice(remaining, BATCH)):
        pictures = [_open(path) for path in batch]
        good = [picture for picture in pictures if isinstance(picture, Picture)]
        captions = iter(captioner.caption_many(good, beam, text, places))
        for path, picture in zip(batch, pictures, strict=True):
            yield path, picture, next(captions) if isinstance(picture, Picture) else None


def _open(path: str) -> Picture | PictureError:
    try:
        if path != "-":
            return open_picture(path)
        if sys.stdin is None:
            return PictureError("Standard input is closed: give the path of a picture.")
        return replace(open_picture(sys.stdin.buffer), name=path)
    except PictureError as error:
        return error
