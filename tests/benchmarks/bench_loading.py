"""What a cache of decoded pictures saves: pictures a second of processor time, with and without.

Processor time of one process, so that what else runs on the machine matters little; the disk's own
time is not in it, since all files were read shortly before.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from core.picture import open_picture
from training.data import Example, load_split
from training.distributed import Group
from training.pictures import vary
from training.pixels import PixelCache

SIDE, ROUNDS = 224, 3


def enlarged(examples: Sequence[Example], folder: Path) -> list[Example]:
    """Copies of 640 x 480 pixels, with as much noise as makes a JPEG file of some 100 kB."""
    chance = np.random.default_rng(1)
    copies = []
    for number, example in enumerate(examples):
        pixels = Image.fromarray(open_picture(example.path).pixels).resize((640, 480))
        noisy = np.asarray(pixels) + chance.normal(0, 6, (480, 640, 1))
        path = folder / f"{number}.jpg"
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(path, quality=90)
        copies.append(replace(example, path=path))
    return copies


def speed(examples: Sequence[Example], get: Callable[[int], np.ndarray], smallest: float) -> float:
    """Pictures a second of processor time, the best of some rounds."""
    best = 0.0
    for number in range(ROUNDS):
        began = time.process_time()
        for index in range(len(examples)):
            vary(get(index), SIDE, f"{number}/{index}", True, smallest)
        best = max(best, len(examples) / (time.process_time() - began))
    return best


def main() -> None:
    """Print a row for each kind of pictures and of crops."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data/flickr8k"))
    parser.add_argument("--pictures", type=int, default=300)
    options = parser.parse_args()
    examples = load_split(options.data.resolve(), "train")[: options.pictures]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kinds = {"as they are": examples, "640 x 480": enlarged(examples, folder)}
        for kind, chosen in kinds.items():
            kilobytes = sum(one.path.stat().st_size for one in chosen) / len(chosen) / 1000
            print(f"{kind}: {kilobytes:.0f} kB a file")
            for smallest in (1.0, 0.8):
                cache = PixelCache(chosen, SIDE, smallest, folder, Group(torch.device("cpu")))
                paths = [example.path for example in chosen]
                decoded = speed(chosen, lambda at: open_picture(paths[at]).pixels, smallest)  # noqa: B023
                cached = speed(chosen, cache.get, smallest)
                size = cache.side**2 * 3 / 1000
                print(
                    f"  crops from {smallest:.0%}: decoded {decoded:.0f}/s, cached {cached:.0f}/s "
                    f"({cached / decoded:.1f} times), {size:.0f} kB a picture on disk"
                )


if __name__ == "__main__":
    main()
