"""How well text is read in windows, pages and signs, how often it is made up, and what it costs.

``python -m tests.benchmarks.bench_text [FOLDER OF PHOTOGRAPHS]``; with a folder (of photographs
with hardly any text), signs are put on its pictures, and what is read in the others is printed.
"""

import os
import random
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PIL import Image
from PySide6.QtGui import QFontDatabase

from core.text import TextReader
from core.text_likely import text_likely
from tests import rendered_pages
from tests.rendered_pages import Look, Pixels, Rendered
from tests.signs import sign_on
from tests.text_scores import accuracy_in_any_order, accuracy_in_order, words_of

LOOKS = (
    Look("DejaVu Sans", 12),
    Look("DejaVu Sans", 13, dark=True),
    Look("DejaVu Serif", 14),
    Look("DejaVu Sans Mono", 12, dark=True),
    Look("DejaVu Sans", 16, dark=True),
    # In the fonts of Debian's package fonts-urw-base35; left out where they are missing.
    Look("Nimbus Sans", 13),
    Look("Nimbus Roman", 15, dark=True),
)
SIGNS = ("EXIT", "STOP", "Coffee", "Open", "Library", "Platform 4", "SALE 50%", "Bakery", "Room 12",
         "No smoking", "Danger", "Toilets", "Bus stop", "Pharmacy", "Mind the step")  # fmt: skip
HEIGHTS = (14, 18, 24, 36, 60, 90)
SIGNS_EACH = 15


def main(photographs: Path | None = None) -> dict[str, float]:
    """Print everything; gives the figures by name."""
    rendered_pages.application()
    reader = TextReader()
    started = time.perf_counter()
    reader.load()
    figures = _print({"seconds to load": time.perf_counter() - started})
    figures |= _print(_screens(reader))
    figures |= _print(_windows(reader))
    if photographs:
        paths = sorted(photographs.iterdir())
        random.Random(0).shuffle(paths)
        figures |= _print(_signs(reader, paths[:200]))
        figures |= _print(_without_text(reader, paths[200:500]))
    return figures


def _print(figures: dict[str, float]) -> dict[str, float]:
    for name, value in figures.items():
        print(f"{name:<64} {value:8.3f}", flush=True)
    return figures


def _windows(reader: TextReader) -> dict[str, float]:
    """Word accuracy over all windows and pages, and by kind, look and light."""
    right: dict[str, list[tuple[float, float, int]]] = defaultdict(list)
    for look, window in _rendered():
        read = " ".join(line.text for line in reader.read(window.pixels).lines)
        score = accuracy_in_any_order(read, window.text), accuracy_in_order(read, window.text)
        light = "dark" if look.dark else "light"
        for group in ("all", window.name, f"{look.family} {look.size}", light):
            right[group].append((*score, len(words_of(window.text))))
    figures = {}
    for group, scores in right.items():
        words = sum(count for *_, count in scores)
        for column, name in enumerate(("in any order", "in order")):
            mean = sum(score[column] * score[2] for score in scores) / words
            figures[f"word accuracy, {group}, {name}"] = mean
    return figures


def _rendered() -> Iterator[tuple[Look, Rendered]]:
    families = " ".join(QFontDatabase.families())
    for seed, look in enumerate(look for look in LOOKS if look.family in families):
        for make in rendered_pages.WINDOWS + rendered_pages.PAGES:
            yield look, make(look, seed)


def _screens(reader: TextReader) -> dict[str, float]:
    """Seconds for full screens of text: the first words, and all."""
    figures = {}
    for size in ((1280, 800), (1920, 1080)):
        screen = rendered_pages.editor(Look(size=13), 7, size, paragraphs=9)
        name = f"{size[0]} x {size[1]}, {len(words_of(screen.text))} words"
        started, used = time.perf_counter(), time.process_time()
        reading = reader.find(screen.pixels)
        reading.text(words=25)
        figures[f"{name}: seconds to the first 25 words"] = time.perf_counter() - started
        figures[f"{name}: processor seconds to the first 25 words"] = time.process_time() - used
        reading.text()
        figures[f"{name}: seconds to the last word"] = time.perf_counter() - started
        figures[f"{name}: processor seconds to the last word"] = time.process_time() - used
    return figures


def _signs(reader: TextReader, paths: list[Path]) -> dict[str, float]:
    """Share of signs noticed, and said exactly, by the height of their letters."""
    rng = random.Random(1)
    figures = {}
    for height in HEIGHTS:
        seen = noticed = said = 0
        for _ in range(SIGNS_EACH):
            words = rng.choice(SIGNS)
            photograph = sign_on(_open(rng.choice(paths), (640, 480)), words, height, rng)
            seen += text_likely(photograph)
            noticed += reader.likely(photograph)
            said += words in reader.read(photograph).says()
        for name, count in (("quick look", seen), ("noticed", noticed), ("said", said)):
            figures[f"signs, {height} pixels of 480: {name}"] = count / SIGNS_EACH
    return figures


def _without_text(reader: TextReader, paths: list[Path]) -> dict[str, float]:
    """What photographs without text cost, and what is said of them."""
    quick, glance, read = [], [], []
    passed = noticed = said = 0
    for path in paths:
        pixels = _open(path)
        started = time.process_time()
        passed += text_likely(pixels)
        quick.append(time.process_time() - started)
        started = time.process_time()
        likely = reader.likely(pixels)
        glance.append(time.process_time() - started)
        if not likely:
            continue
        noticed += 1
        started = time.process_time()
        says = reader.read(pixels).says()
        read.append(time.process_time() - started)
        if says:
            said += 1
            print(f"{path.name} says: {says}")
    milliseconds = [1000 * value for value in glance]
    return {
        "photographs": len(paths),
        "passed by the quick look": passed / len(paths),
        "noticed": noticed / len(paths),
        "something said": said / len(paths),
        "quick look, processor ms, median": 1000 * statistics.median(quick),
        "quick look and glance, processor ms, median": statistics.median(milliseconds),
        "quick look and glance, processor ms, 95 %": statistics.quantiles(milliseconds, n=20)[-1],
        "reading where noticed, processor ms, median": 1000 * statistics.median(read or [0]),
    }


def _open(path: Path, size: tuple[int, int] | None = None) -> Pixels:
    image = Image.open(path).convert("RGB")
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC) if size else image)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
