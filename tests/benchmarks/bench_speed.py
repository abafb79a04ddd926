"""How fast Seesay is beside other captioners, and beside what this machine could do at best.

``python -m tests.benchmarks.bench_speed`` prints tables in Markdown and writes ``results.json``
beside this file and ``docs/speed.png``; with ``--quick``, it measures only what has a bar, writes
nothing, and exits with status 1 when a figure is worse than half its bar. Every captioner runs in a
process of its own, one after the other, on the same photographs, with all processors.
"""

import argparse
import datetime
import json
import math
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from core.paths import BUILTIN_MODEL
from core.processors import processors
from tests.benchmarks.peers import TITLES
from tests.benchmarks.photographs import photograph_paths
from tests.benchmarks.speed_report import plot, report

ROOT = Path(__file__).resolve().parents[2]
RESULTS, PLOT = Path(__file__).with_name("results.json"), ROOT / "docs" / "speed.png"
SEESAY = {
    "seesay": "Seesay",
    "seesay_text": "Seesay, text looked for, too",
    "seesay_all": "Seesay, text and places, too",
}
QUICK_PEERS = ("vit_gpt2_float32", "vit_gpt2_int8")
# What each ratio has to reach; of those over the floor, what it must stay below.
BARS = {"vit_gpt2_float32": 40, "vit_gpt2_int8": 15}
CEILINGS = {"encoder_over_floor": 2.5, "decoder_over_floor": 4}
_PACKAGES = ("numpy", "onnxruntime", "torch", "torchvision", "transformers")


class FailedError(Exception):
    """A measurement that came to nothing, and why."""


class Bench:
    """All measurements, on the same photographs.

    Args:
        folder: where what they need is written.
        model: folder of Seesay's model.
        photographs: folder of JPEG files.
        quick: with fewer repetitions.
    """

    def __init__(self, folder: Path, model: Path, photographs: Path, quick: bool) -> None:
        self.folder, self.model, self.quick = folder, model, quick
        self.paths = photograph_paths(photographs, 150 if quick else 1000)
        self.names = folder / "photographs.json"
        self.names.write_text(json.dumps(self.paths))

    def row(self, name: str, words: int) -> dict[str, Any]:
        """One captioner's row; ``failed`` tells why there are no figures."""
        title = {**SEESAY, **TITLES}[name]
        files = self.model
        say(f"{title} ...")
        try:
            if name in TITLES:
                files = self.folder / name
                files.mkdir()
                _run("process", "--only", name, "--prepare", "--files", files)
            measured = _run(
                "process", "--only", name, "--files", files, "--photographs", self.names,
                "--words", words, "--count", 16 if self.quick else 50,
                "--seconds", 10 if self.quick else 60, "--began", time.monotonic(),
            )  # fmt: skip
        except FailedError as error:
            measured = {"failed": str(error)}
        finally:
            if name in TITLES:
                shutil.rmtree(self.folder / name, ignore_errors=True)
        return {"name": name, "title": title, **measured}

    def probe(self, name: str, count: int, threads: int | None = None) -> dict[str, Any]:
        """One of ``probes.py``."""
        say(f"{name} ...")
        given = ("--model", self.model, "--photographs", self.names, "--count", count)
        return _run("probes", name, *given, threads=threads)

    def floor(self) -> dict[str, Any]:
        """The least time, the time measured, and how many times that is."""
        say("floor ...")
        least = _run("floor", "--model", self.model)
        measured = self.probe("parts", 30 if self.quick else 100)
        return {
            **least,
            "measured_encoder_ms": measured["encoder_ms"],
            "measured_step_ms": measured["step_ms"],
            "steps": measured["steps"],
        }

    def start_up(self) -> dict[str, float]:
        """Seconds of whole processes: for the help, and for one caption from nothing."""
        say("start-up ...")
        caption = ("caption", self.paths[0], "--json", "--model", str(self.model))
        return {
            "help_s": statistics.median(_seconds("caption", "--help") for _ in range(10)),
            "caption_s": statistics.median(_seconds(*caption) for _ in range(5)),
        }

    def library(self) -> dict[str, float]:
        """Pictures a second of the whole command, its start included, with one beam."""
        say("library ...")
        folder = self.folder / "library"
        folder.mkdir()
        for path in self.paths:
            shutil.copy(path, folder)
        out = str(self.folder / "library.jsonl")
        given = ("--beam", "1", "--model", str(self.model))
        seconds = _seconds("library", str(folder), "--out", out, *given)
        return {"pictures": len(self.paths), "per_s": len(self.paths) / seconds}


def measure(bench: Bench, peers: list[str], words: int | None) -> dict[str, Any]:
    """Everything that `report` shows.

    Args:
        bench: that measures.
        peers: names of those to measure.
        words: that they write; without, as many as Seesay does on average, rounded.
    """
    seesay, *more_of_it = (bench.row(name, 0) for name in SEESAY)
    words = words or round(seesay.get("words", 12))
    # Before the peers: where Seesay itself fails, nobody waits for them.
    floor = bench.floor()
    more = {} if bench.quick else _more(bench)
    # Fifty captions of Seesay's take a second, in which another program may be busy: of three such
    # seconds, beside those whom it is compared with, the middle one counts.
    runs, beside = [seesay], []
    for name in peers:
        beside.append(bench.row(name, words))
        if name in QUICK_PEERS:
            runs.append(bench.row("seesay", 0))
    rows = [_middle(runs), *more_of_it, *beside]
    return {
        "date": datetime.date.today().isoformat(),
        "machine": _machine(),
        "versions": {"python": platform.python_version(), **{p: version(p) for p in _PACKAGES}},
        "words": words,
        "photographs": len(bench.paths),
        "rows": rows,
        "floor": floor,
        "ratios": _ratios(rows, floor),
        **more,
    }


def _middle(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The row with the median of the times; one that failed counts as the slowest."""
    return sorted(runs, key=lambda row: row.get("p50_ms", math.inf))[len(runs) // 2]


def _more(bench: Bench) -> dict[str, Any]:
    """What has no bar, of Seesay alone."""
    return {
        "start_up": bench.start_up(),
        "library": bench.library(),
        "same": bench.probe("same", len(bench.paths)),
        "growth": bench.probe("growth", 10_000),
        "batches": {str(n): bench.probe("batches", 128, threads=n) for n in (1, 2)},
    }


def _ratios(rows: list[dict[str, Any]], floor: dict[str, Any]) -> dict[str, float | None]:
    """How many times as long each peer takes as Seesay, and Seesay as the floor."""
    by_name = {row["name"]: row for row in rows}
    seesay = by_name["seesay"].get("p50_ms")
    ratios: dict[str, float | None] = {}
    for name in BARS:
        peer = by_name.get(name, {}).get("p50_ms")
        ratios[name] = peer / seesay if peer and seesay else None
    ratios["encoder_over_floor"] = floor["measured_encoder_ms"] / floor["encoder_ms"]
    ratios["decoder_over_floor"] = floor["measured_step_ms"] / floor["step_ms"]
    return ratios


def worse_than_half(ratios: dict[str, float | None]) -> list[str]:
    """Sentences about the ratios that are worse than half their bar, or were not measured."""
    problems = []
    for name, bar in {**BARS, **CEILINGS}.items():
        ratio = ratios[name]
        if ratio is None:
            problems.append(f"{name} was not measured.")
        elif name in BARS and ratio < bar / 2:
            problems.append(f"{name} is {ratio:.1f}, below {bar / 2:g}, which is half its bar.")
        elif name in CEILINGS and ratio > bar * 2:
            problems.append(f"{name} is {ratio:.1f}, above {bar * 2:g}, which is twice its bar.")
    return problems


def _run(module: str, *arguments: object, threads: int | None = None) -> dict[str, Any]:
    """What a module beside this one prints as its last line, in JSON; nothing for no line.

    Raises:
        FailedError: with its last words, if it fails or takes too long.
    """
    command = [sys.executable, "-m", f"tests.benchmarks.{module}", *map(str, arguments)]
    env = {**os.environ, "HF_HUB_OFFLINE": "1"}
    if threads is not None:
        env["OMP_NUM_THREADS"] = str(threads)
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=1800
        )
    except subprocess.TimeoutExpired as error:
        raise FailedError("it took more than half an hour") from error
    if done.returncode:
        words = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
        raise FailedError(words[-1])
    lines = done.stdout.strip().splitlines()
    return json.loads(lines[-1]) if lines else {}


def _seconds(*arguments: str) -> float:
    """Of a whole run of ``seesay``."""
    began = time.perf_counter()
    command = [sys.executable, str(ROOT / "seesay.py"), *arguments]
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def _machine() -> dict[str, Any]:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": models[0] if models else platform.processor(),
        "processors": processors(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "system": platform.platform(),
    }


def say(line: str) -> None:
    """Tell how far it is, beside the tables."""
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    """Measure; gives the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only what has a bar")
    parser.add_argument("--model", type=Path, default=BUILTIN_MODEL, help="of Seesay")
    parser.add_argument("--photographs", type=Path, default=ROOT / "data/flickr8k/images")
    parser.add_argument("--words", type=int, help="that peers write (default: as many as Seesay)")
    parser.add_argument("--peers", nargs="*", choices=TITLES, help="which peers (default: all)")
    options = parser.parse_args()
    peers = options.peers
    if peers is None:
        peers = list(QUICK_PEERS if options.quick else TITLES)
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name), options.model.resolve(), options.photographs, options.quick)
        try:
            found = measure(bench, peers, options.words)
        except FailedError as error:
            say(f"Seesay itself could not be measured: {error}")
            return 1
    print(report(found))
    if options.quick:
        problems = worse_than_half(found["ratios"])
        for problem in problems:
            say(problem)
        return 1 if problems else 0
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")
    PLOT.parent.mkdir(exist_ok=True)
    plot(found["batches"], PLOT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
