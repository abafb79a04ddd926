"""CIDEr on photographs that are mirrored, in bad light, cropped or noisy.

Run ``python -m tests.benchmarks.bench_changed [--model DIR]``; it needs ``data/flickr8k``.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from core.model_folder import read_model_folder
from core.network import load_network
from core.paths import BUILTIN_MODEL
from core.picture import open_picture
from core.preprocess import squeeze_many
from core.search import beam_search
from training.data import load_split
from training.scores import cider

_BATCH = 16
_NOISE = 12  # standard deviation, of 255
_EDGE = 1 / 8  # of each side, that is cut off


def _pale(pixels: np.ndarray) -> np.ndarray:
    """With 40 % of its colours and 60 % of its contrast."""
    grey = pixels.mean(axis=2, keepdims=True)
    pale = grey + 0.4 * (pixels - grey)
    return pale.mean() + 0.6 * (pale - pale.mean())


def _inner(pixels: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[:2]
    top, left = round(_EDGE * height), round(_EDGE * width)
    return pixels[top : height - top, left : width - left]


def main() -> None:
    """Print a line for each change."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=BUILTIN_MODEL)
    parser.add_argument("--split", default="val")
    options = parser.parse_args()
    folder = read_model_folder(options.model)
    network, side = load_network(folder, "cpu"), folder.architecture.image_size
    examples = load_split(Path("data/flickr8k"), options.split)
    references = [example.sentences for example in examples]
    pictures = [open_picture(example.path).pixels for example in examples]
    random = np.random.default_rng(0)
    changes: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "as it is": lambda pixels: pixels,
        "mirrored": lambda pixels: pixels[:, ::-1],
        "at 45 % of its light": lambda pixels: pixels * 0.45,
        "at 150 %": lambda pixels: pixels * 1.5,
        "pale": _pale,
        "inner 56 %": _inner,
        "noise": lambda pixels: pixels + random.normal(0, _NOISE, pixels.shape),
    }
    for name, change in changes.items():
        sentences = []
        for at in range(0, len(pictures), _BATCH):
            batch = [
                np.ascontiguousarray(np.clip(change(pixels), 0, 255).astype(np.uint8))
                for pixels in pictures[at : at + _BATCH]
            ]
            for found in beam_search(network, network.see(squeeze_many(batch, side))):
                sentences.append(" ".join(folder.vocabulary.decode(found.words)))
        print(f"{name:<22}{cider(sentences, references):.1f}", flush=True)


if __name__ == "__main__":
    main()
