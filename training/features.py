"""Features of frozen layers, kept on disk in half precision.

While layers do not change, neither do their features: they are computed once for some views of
every picture, and an epoch of what follows them costs minutes instead of hours.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.fx.experimental.optimization import fuse
from torch.utils.data import Subset
from tqdm import tqdm

from core.model import Encoder
from core.model_file import replace_file
from training.pictures import Views, load_ahead
from training.precision import autocast

_BATCH = 16  # views; more of them leave a processor's cache
_DONE_EVERY = 256  # batches between two notes of how far we are


class FeatureCache:
    """A CNN's grids of some views of every picture of a list, on disk.

    The file holds (pictures, views, channels, rows, columns) halves.

    Args:
        views: of the pictures; a picture's index is its place there.
        encoder: whose layers are frozen, on the device where it shall run.
        folder: where the file is kept; a file of the same views and layers is used again, one that
            was left half-way is completed.
        shared: stop at the layers that the second head shares (see `ModelConfig.own_layers`).
        precision: of the computation, such as ``torch.bfloat16``.
    """

    def __init__(
        self,
        views: Views,
        encoder: Encoder,
        folder: Path,
        shared: bool = False,
        precision: torch.dtype = torch.float32,
    ) -> None:
        layers = encoder.split()[0] if shared else encoder.cnn
        self.views = views.views
        with torch.inference_mode():
            blank = encoder.normalise(views.blank().to(encoder.mean.device))
            grid = layers.eval()(blank)  # (1, C, rows, columns)
        self.shape = (len(views), self.views, *grid.shape[1:])
        name = _fingerprint(views, layers)
        folder.mkdir(parents=True, exist_ok=True)
        self.file, progress = folder / f"{name}.f16", folder / f"{name}.json"
        done = 0
        if self.file.exists() and progress.exists():
            done = json.loads(progress.read_text())["done"]
        if done < len(views):
            self._fill(views, encoder, layers, done, progress, precision)

    def _fill(
        self,
        views: Views,
        encoder: Encoder,
        layers: nn.Module,
        done: int,
        progress: Path,
        precision: torch.dtype,
    ) -> None:
        device = encoder.mean.device
        mode: Literal["r+", "w+"] = "r+" if self.file.exists() else "w+"
        array = np.memmap(self.file, np.float16, mode, shape=self.shape)
        batches = load_ahead(Subset(views, range(done, len(views))), max(1, _BATCH // self.views))
        fused = fuse(layers.eval())  # a copy, several times as fast
        at = done
        with tqdm(total=len(views), initial=done, desc="features", unit="picture") as bar:
            for number, pixels in enumerate(batches, start=1):
                count = len(pixels)
                inputs = encoder.normalise(pixels.flatten(0, 1).to(device))
                with torch.inference_mode(), autocast(device, precision):
                    grids = fused(inputs)  # (B * views, C, rows, columns)
                half = grids.half().cpu().unflatten(0, (count, self.views))
                array[at : at + count] = half.numpy()
                at += count
                bar.update(count)
                if number % _DONE_EVERY == 0 or at == len(views):
                    array.flush()
                    replace_file(progress, json.dumps({"done": at}).encode())

    def get(self, indices: Sequence[int], views: Sequence[int]) -> Tensor:
        """Grids of one view of each of these pictures, (pictures, channels, rows, columns)."""
        # Opened anew each time: a loader's process may be handed this object as a copy, which an
        # open array would fill with the whole file.
        array = np.memmap(self.file, np.float16, "r", shape=self.shape)
        rows = array[np.asarray(indices), np.asarray(views)]
        return torch.from_numpy(rows).float()


def _fingerprint(views: Views, layers: nn.Module) -> str:
    digest = hashlib.sha256(views.describe().encode())
    for name, tensor in layers.state_dict().items():
        digest.update(name.encode() + tensor.detach().cpu().float().numpy().tobytes())
    return digest.hexdigest()[:16]
