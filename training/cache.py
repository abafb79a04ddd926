"""Arrays with a row for each picture, on disk, in pieces that processes fill by shares.

A piece is written at once when it is whole. So whatever is there is done: after a kill, and for
every process and machine that sees the same folder.
"""

import io
import math
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from core.errors import SeesayError
from core.model_folder import replace_file
from training.distributed import Group

_PIECE = 64 * 2**20  # bytes; a kill loses no more work than that

Rows = Callable[[Sequence[int]], Iterable[np.ndarray]]


class RowCache:
    """Rows that are computed once and memory-mapped when they are read.

    Args:
        folder: where the pieces are kept.
        name: of the rows; whatever they depend on is part of it.
        rows: how many.
        shape: of a row.
        dtype: of its numbers.
    """

    def __init__(
        self, folder: Path, name: str, rows: int, shape: tuple[int, ...], dtype: type[np.generic]
    ) -> None:
        self.folder, self.name, self.rows, self.shape = folder, name, rows, shape
        self.row_bytes = math.prod(shape) * np.dtype(dtype).itemsize
        self.in_piece = max(1, _PIECE // self.row_bytes)
        self.pieces = range(-(-rows // self.in_piece))

    def fill(self, make: Rows, group: Group, title: str) -> None:
        """Compute the rows that are missing, each process some pieces, and wait for the others.

        Args:
            make: gives the rows of these indices in their order, several at once.
            group: of the processes that fill it.
            title: of the progress bar.

        Raises:
            SeesayError: if the disk is too small, or another process writes to another disk.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        missing = [piece for piece in group.share(self.pieces) if not self._file(piece).exists()]
        indices = [index for piece in missing for index in self._indices(piece)]
        # Of all processes together, for they share the disk.
        self._check_room(group.sum(len(indices) * self.row_bytes)[0])
        held: list[np.ndarray] = []
        with tqdm(
            total=len(indices), desc=title, unit="picture", disable=not (indices and group.first)
        ) as bar:
            for rows in make(indices) if indices else ():
                held.extend(rows)
                bar.update(len(rows))
                while missing and len(held) >= (count := len(self._indices(missing[0]))):
                    self._write(missing.pop(0), np.stack(held[:count]))
                    del held[:count]
        group.wait()
        for piece in self.pieces:
            if not self._file(piece).exists():
                raise SeesayError(
                    f"{self._file(piece)} is missing; all machines of a run need one folder "
                    f"{self.folder} that they share."
                )

    def row(self, index: int) -> np.ndarray:
        """One row, memory-mapped: what is not looked at is not read."""
        # Opened anew each time: a loader's process may be handed this object as a copy, which an
        # open array would fill with the whole file.
        piece, place = divmod(index, self.in_piece)
        return np.load(self._file(piece), mmap_mode="r")[place]

    def _file(self, piece: int) -> Path:
        return self.folder / f"{self.name}-{piece:05}.npy"

    def _indices(self, piece: int) -> range:
        begin = piece * self.in_piece
        return range(begin, min(begin + self.in_piece, self.rows))

    def _write(self, piece: int, rows: np.ndarray) -> None:
        content = io.BytesIO()
        np.save(content, rows)
        replace_file(self._file(piece), content.getvalue())

    def _check_room(self, needed: float) -> None:
        free = shutil.disk_usage(self.folder).free
        if needed > free:
            raise SeesayError(
                f"{self.folder} needs {needed / 1e9:.1f} GB, and the disk has {free / 1e9:.1f} GB "
                "left; make room, or give an output folder on another disk."
            )
