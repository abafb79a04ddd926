"""Region features of a frozen encoder, kept on disk in half precision.

While the encoder does not change, neither do its features: they are computed once for every
picture and its mirror image, and an epoch of the decoder costs minutes instead of hours.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from core.model import Encoder
from core.model_file import replace_file
from training.data import Example
from training.pictures import Squares, load_ahead
from training.precision import autocast

_BATCH = 64
_DONE_EVERY = 32  # batches between two notes of how far we are


class FeatureCache:
    """Features of every picture of a list, (pictures, 2, regions, channels) half on disk.

    Args:
        examples: the pictures; a picture's index is its place in this list.
        encoder: the frozen encoder, on the device where it shall run.
        side: of the encoder's input, in pixels.
        folder: where the file is kept; a file of the same pictures and encoder is used again, one
            that was left half-way is completed.
        precision: of the computation, such as ``torch.bfloat16``.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        encoder: Encoder,
        side: int,
        folder: Path,
        precision: torch.dtype = torch.float32,
    ) -> None:
        paths = [example.path for example in examples]
        self.shape = (len(paths), 2, encoder.rows * encoder.columns, encoder.channels)
        name = _fingerprint(paths, encoder, side)
        folder.mkdir(parents=True, exist_ok=True)
        self.file, progress = folder / f"{name}.f16", folder / f"{name}.json"
        done = 0
        if self.file.exists() and progress.exists():
            done = json.loads(progress.read_text())["done"]
        if done < len(paths):
            self._fill(paths, encoder, side, done, progress, precision)

    def _fill(
        self,
        paths: Sequence[Path],
        encoder: Encoder,
        side: int,
        done: int,
        progress: Path,
        precision: torch.dtype,
    ) -> None:
        device = encoder.mean.device
        mode: Literal["r+", "w+"] = "r+" if self.file.exists() else "w+"
        array = np.memmap(self.file, np.float16, mode, shape=self.shape)
        batches = load_ahead(Squares(paths[done:], side), _BATCH)
        encoder.eval()
        at = done
        with tqdm(total=len(paths), initial=done, desc="features", unit="picture") as bar:
            for number, pixels in enumerate(batches, start=1):
                both = torch.stack([pixels, pixels.flip(3)], dim=1).flatten(0, 1).to(device)
                with torch.inference_mode(), autocast(device, precision):
                    regions = encoder(both)  # (2 B, R, C)
                count = len(pixels)
                half = regions.half().cpu().unflatten(0, (count, 2))
                array[at : at + count] = half.numpy()
                at += count
                bar.update(count)
                if number % _DONE_EVERY == 0 or at == len(paths):
                    array.flush()
                    replace_file(progress, json.dumps({"done": at}).encode())

    def get(self, indices: Sequence[int], flipped: Sequence[bool]) -> Tensor:
        """Features of pictures, (pictures, regions, channels) float."""
        # Opened anew each time: a loader's process may be handed this object as a copy, which an
        # open array would fill with the whole file.
        array = np.memmap(self.file, np.float16, "r", shape=self.shape)
        rows = array[np.asarray(indices), np.asarray(flipped, dtype=int)]
        return torch.from_numpy(rows).float()


def _fingerprint(paths: Sequence[Path], encoder: Encoder, side: int) -> str:
    digest = hashlib.sha256(f"{side}\n".encode())
    for path in paths:
        digest.update(f"{path}\n".encode())
    for name, tensor in encoder.state_dict().items():
        digest.update(name.encode() + tensor.detach().cpu().float().numpy().tobytes())
    return digest.hexdigest()[:16]
