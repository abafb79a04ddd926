"""Pictures decoded once, squeezed to squares and kept on disk, for encoders that learn."""

import hashlib
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from torch.utils.data import Subset

from training.ahead import load_ahead
from training.cache import RowCache
from training.data import Example
from training.distributed import Group
from training.pictures import Squares

_BATCH = 16


class PixelCache:
    """Every picture of a list as a square of uint8, memory-mapped.

    The squares are so large that even the smallest crop need not be enlarged.

    Args:
        examples: the pictures.
        side: of the model's input, in pixels.
        smallest: share of width and height that a crop keeps at least.
        folder: where the files are kept; those of the same pictures and size are used again.
        group: of the processes that need it.
    """

    def __init__(
        self, examples: Sequence[Example], side: int, smallest: float, folder: Path, group: Group
    ) -> None:
        paths = [example.path for example in examples]
        # A little less, lest 224 / 0.7 becomes 321 by rounding.
        self.side = math.ceil(side / smallest - 1e-6)
        name = hashlib.sha256("\n".join([str(self.side), *map(str, paths)]).encode()).hexdigest()
        shape = (self.side, self.side, 3)
        self.cache = RowCache(folder, name[:16], len(paths), shape, np.uint8)

        def squares(indices: Sequence[int]) -> Iterator[np.ndarray]:
            for pixels in load_ahead(Subset(Squares(paths, self.side), indices), _BATCH):
                yield pixels.permute(0, 2, 3, 1).contiguous().numpy()

        self.cache.fill(squares, group, "pictures")

    def get(self, index: int) -> np.ndarray:
        """A picture, (side, side, 3) uint8."""
        return self.cache.row(index)
