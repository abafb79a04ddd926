"""Features of frozen layers, kept on disk in half precision.

While layers do not change, neither do their features: they are computed once for some views of
every picture, and an epoch of what follows them costs minutes instead of hours.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.fx.experimental.optimization import fuse
from torch.utils.data import Subset

from core.model import Encoder
from training.ahead import load_ahead
from training.cache import RowCache
from training.distributed import Group
from training.pictures import Views
from training.precision import autocast

_BATCH = 16  # views; more of them leave a processor's cache


class FeatureCache:
    """A CNN's grids of some views of every picture of a list, on disk.

    A row holds (views, channels, rows, columns) halves.

    Args:
        views: of the pictures; a picture's index is its place there.
        encoder: whose layers are frozen, on the device where it shall run.
        folder: where the files are kept; those of the same views and layers are used again.
        group: of the processes that need it.
        shared: stop at the layers that the second head shares (see `ModelConfig.own_layers`).
        precision: of the computation, such as ``torch.bfloat16``.
    """

    def __init__(
        self,
        views: Views,
        encoder: Encoder,
        folder: Path,
        group: Group,
        shared: bool = False,
        precision: torch.dtype = torch.float32,
    ) -> None:
        layers = encoder.split()[0] if shared else encoder.cnn
        self.views = views.views
        device = encoder.mean.device
        with torch.inference_mode():
            blank = encoder.normalise(views.blank().to(device))
            grid = layers.eval()(blank)  # (1, C, rows, columns)
        shape = (self.views, *grid.shape[1:])
        self.cache = RowCache(
            folder, _fingerprint(views, layers, precision), len(views), shape, np.float16
        )

        def grids(indices: Sequence[int]) -> Iterator[np.ndarray]:
            fused = fuse(layers.eval())  # a copy, several times as fast
            for pixels in load_ahead(Subset(views, indices), max(1, _BATCH // self.views)):
                inputs = encoder.normalise(pixels.flatten(0, 1).to(device))
                with torch.inference_mode(), autocast(device, precision):
                    found = fused(inputs)  # (B * views, C, rows, columns)
                yield found.half().cpu().unflatten(0, (len(pixels), self.views)).numpy()

        self.cache.fill(grids, group, "features")

    def get(self, indices: Sequence[int], views: Sequence[int]) -> Tensor:
        """Grids of one view of each of these pictures, (pictures, channels, rows, columns)."""
        pairs = zip(indices, views, strict=True)
        return torch.from_numpy(np.stack([self.cache.row(i)[view] for i, view in pairs])).float()


def _fingerprint(views: Views, layers: nn.Module, precision: torch.dtype) -> str:
    digest = hashlib.sha256(f"{precision}\n{views.describe()}".encode())
    for name, tensor in layers.state_dict().items():
        digest.update(name.encode() + tensor.detach().cpu().float().numpy().tobytes())
    return digest.hexdigest()[:16]
