"""One captioner in a process of its own: loads it, captions pictures, and prints what that took.

``python -m tests.benchmarks.process --only NAME --files DIR --photographs LIST --began SECONDS``
prints one JSON object.
"""

import argparse
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.photographs import Pixels, read_photographs

BATCH = 16
SEESAY = ("seesay", "seesay_text", "seesay_all")
Write = Callable[[list[Pixels]], Sequence[Sequence[object]]]


def main() -> None:
    """Measure what ``--only`` names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", required=True, metavar="NAME")
    parser.add_argument("--prepare", action="store_true", help="make the files of a peer, no more")
    parser.add_argument(
        "--files", type=Path, required=True, help="what the captioner is loaded from"
    )
    parser.add_argument("--photographs", type=Path, help="JSON list of their paths")
    parser.add_argument("--count", type=int, default=50, help="captions one at a time")
    parser.add_argument("--words", type=int, default=12, help="that peers write")
    parser.add_argument("--seconds", type=float, default=60, help="at most for each figure")
    parser.add_argument("--began", type=float, help="time.monotonic() before this process started")
    options = parser.parse_args()
    if options.prepare:
        from tests.benchmarks.peers import get_peer

        get_peer(options.only).prepare(options.files)
    else:
        print(json.dumps(_measure(options)))


def _measure(options: argparse.Namespace) -> dict[str, Any]:
    photographs = read_photographs(options.photographs)
    began = time.monotonic()
    write = _load(options)
    loaded = time.monotonic()
    words = [len(sentence) for sentence in write([next(photographs)])]
    first = time.monotonic()
    seconds: list[float] = []
    while len(seconds) < options.count and (len(seconds) < 3 or sum(seconds) < options.seconds):
        picture = next(photographs)
        start = time.perf_counter()
        words += map(len, write([picture]))
        seconds.append(time.perf_counter() - start)
    peak = peak_mb()
    return {
        "load_s": loaded - began,
        "first_s": first - options.began,
        "n": len(seconds),
        "p50_ms": 1000 * statistics.median(seconds),
        "p95_ms": 1000 * statistics.quantiles(seconds, n=20, method="inclusive")[-1],
        "batch16_per_s": _in_batches(write, photographs, options.count, options.seconds),
        "peak_mb": peak,
        "peak_batch16_mb": peak_mb(),
        "weights_mb": sum(_sizes(options.files)) / 1e6,
        # Where Seesay keeps its sentence to itself, it was written all the same.
        "words": statistics.fmean(filter(None, words)),
    }


def _load(options: argparse.Namespace) -> Write:
    """The captioner, and no other, so that memory is its own."""
    if options.only in SEESAY:
        from core.captioner import Captioner

        captioner = Captioner.load(options.files)
        text, places = options.only != "seesay", options.only == "seesay_all"

        def write(pictures: list[Pixels]) -> list[list[str]]:
            found = captioner.caption_many(pictures, text=text, places=places)
            return [(one.caption or "").split() for one in found]

        return write
    from tests.benchmarks.peers import get_peer

    return get_peer(options.only).load(options.files, options.words)


def _in_batches(write: Write, photographs: Any, count: int, seconds: float) -> float:
    """Captions a second, after a batch to warm up."""
    batches = max(1, count // BATCH)
    taken: list[float] = []
    for _ in range(1 + batches):
        pictures = [next(photographs) for _ in range(BATCH)]
        start = time.perf_counter()
        write(pictures)
        taken.append(time.perf_counter() - start)
        if sum(taken) > seconds and len(taken) > 1:
            break
    return BATCH * len(taken[1:]) / sum(taken[1:])


def _sizes(folder: Path) -> Sequence[int]:
    kinds = (".safetensors", ".onnx", ".data")
    return [file.stat().st_size for file in folder.iterdir() if file.suffix in kinds]


def peak_mb() -> float:
    """Of this process so far; what Linux calls ru_maxrss begins with that of who started it."""
    if sys.platform != "linux":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


if __name__ == "__main__":
    main()
