"""What else is measured of Seesay, each in a process of its own.

``python -m tests.benchmarks.probes NAME --model DIR --photographs LIST --count N`` prints one JSON
object.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from core.captioner import Captioner
from core.preprocess import squeeze_many
from core.search import LENGTH_NORM, MAX_WORDS, beam_search
from tests.benchmarks.photographs import Pixels, read_photographs

SIZES = (1, 4, 16, 64)


def parts(model: Path, photographs: Iterator[Pixels], count: int) -> dict[str, float]:
    """Milliseconds of seeing a picture, and of a step of the search for its sentence."""
    captioner = Captioner.load(model)
    network, see, write, steps = captioner.network, [], [], []
    for picture in islice(photographs, 5 + count):
        pixels = squeeze_many([picture], captioner.image_size)
        began = time.perf_counter()
        sight = network.see(pixels)
        seen = time.perf_counter()
        written = network.search(sight, 3, MAX_WORDS, LENGTH_NORM)
        searched = time.perf_counter()
        see.append(seen - began)
        steps.append(len(written.words))
        write.append((searched - seen) / steps[-1])
    return {
        "encoder_ms": 1000 * statistics.median(see[5:]),
        "step_ms": 1000 * statistics.median(write[5:]),
        "steps": statistics.fmean(steps[5:]),
    }


def growth(model: Path, photographs: Iterator[Pixels], count: int) -> dict[str, float]:
    """Megabytes in memory after 100 captions and after ``count``."""
    captioner, found = Captioner.load(model), {}
    for number, picture in enumerate(islice(photographs, count), 1):
        captioner.caption_many([picture], text=False)
        if number in (100, count):
            found[f"after_{number}_mb"] = _memory_mb()
    return found


def batches(model: Path, photographs: Iterator[Pixels], count: int) -> dict[str, float]:
    """Captions a second of the network alone, in batches of each size (`Captioner` takes 16)."""
    captioner, found = Captioner.load(model), {}
    for size in SIZES:
        seconds = []
        for _ in range(1 + max(2, count // size)):
            pictures = list(islice(photographs, size))
            began = time.perf_counter()
            sight = captioner.network.see(squeeze_many(pictures, captioner.image_size))
            beam_search(captioner.network, sight)
            seconds.append(time.perf_counter() - began)
        found[str(size)] = size / statistics.median(seconds[1:])
    return found


def same(model: Path, photographs: Iterator[Pixels], count: int) -> dict[str, float]:
    """How many sentences are, word by word, those of the same weights in torch in float32."""
    # Here, so that `growth` is measured as people run Seesay, without torch.
    from core.model_file import load_model
    from core.torch_network import TorchNetwork

    captioner, slow = Captioner.load(model), TorchNetwork(load_model(model)[0])
    equal = 0
    for picture in islice(photographs, count):
        pixels = squeeze_many([picture], captioner.image_size)
        (one,), (other,) = (
            beam_search(network, network.see(pixels)) for network in (captioner.network, slow)
        )
        equal += one.words == other.words
    return {"same": equal, "of": count}


def _memory_mb() -> float:
    """Of this process now; on Linux alone."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


PROBES: dict[str, Callable[[Path, Iterator[Pixels], int], dict[str, float]]] = {
    "parts": parts,
    "growth": growth,
    "batches": batches,
    "same": same,
}


def main() -> None:
    """Measure one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=PROBES)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--photographs", type=Path, required=True, help="JSON list of their paths")
    parser.add_argument("--count", type=int, default=50)
    options = parser.parse_args()
    photographs = read_photographs(options.photographs)
    print(json.dumps(PROBES[options.name](options.model, photographs, options.count)))


if __name__ == "__main__":
    main()
