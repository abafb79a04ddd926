"""How many bad pictures are caught, how many photographs refused: a table, or ``--json``.

Photographs come from the val splits, rendered pictures from layouts the fit has not seen.
"""

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import numpy as np
from PySide6.QtWidgets import QApplication

from core.quality import find_notes
from tests import made_pages
from tests.benchmarks.kind_pictures import Labelled, bad, good, mild, photograph_paths, rendered

COUNTS = {"screen": 180, "document": 90, "chart": 50, "icon": 60}


def tally(pictures: Iterable[Labelled]) -> dict[str, Counter[str]]:
    """For each way of making: how many there are, were refused, and got the right code."""
    counts: dict[str, Counter[str]] = {}
    for picture in pictures:
        notes = find_notes(picture.pixels)
        count = counts.setdefault(picture.how, Counter())
        count["pictures"] += 1
        count["refused"] += bool(notes)
        count["right"] += notes == (picture.kind,)
        count["bad"] += picture.kind != "photograph"
    return counts


def figures(photographs: int, spoilt: int) -> dict[str, Any]:
    """All figures.

    Args:
        photographs: at most so many of each data set.
        spoilt: photographs that are made bad in every step.
    """
    paths = photograph_paths("val", photographs)
    counts = tally(good(paths, every=8))
    counts |= tally(bad(paths[:: max(1, len(paths) // spoilt)][:spoilt]))
    counts |= tally(mild(paths[:: max(1, len(paths) // spoilt)][:spoilt]))
    counts |= tally(rendered(made_pages.SECOND, COUNTS, paths, seed=4))
    wrong = [count for count in counts.values() if count["bad"]]
    return {
        "caught": _share(wrong, "refused"),
        "named": _share(wrong, "right"),
        "refused": _share([counts[name] for name in {name for name, _ in paths}], "refused"),
        "milliseconds": _milliseconds(),
        "each": {
            how: {"pictures": count["pictures"], "refused": count["refused"] / count["pictures"]}
            for how, count in counts.items()
        },
    }


def _share(counts: list[Counter[str]], what: str) -> float:
    return sum(count[what] for count in counts) / sum(count["pictures"] for count in counts)


def _milliseconds() -> float:
    """Processor time of one check of a 4-megapixel picture, the best of many."""
    pixels = np.random.default_rng(0).integers(0, 256, (1728, 2304, 3), dtype=np.uint8)
    best = float("inf")
    for _ in range(30):
        began = time.thread_time()
        find_notes(pixels)
        best = min(best, time.thread_time() - began)
    return 1000 * best


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--photographs", type=int, default=1000)
    parser.add_argument("--spoilt", type=int, default=40)
    options = parser.parse_args()
    application = QApplication([])
    found = figures(options.photographs, options.spoilt)
    application.quit()
    if options.json:
        print(json.dumps(found))
        return
    for how, row in found["each"].items():
        print(f"{how:<36}{row['pictures']:>6}{row['refused']:>9.1%} refused")
    print(f"bad pictures caught {found['caught']:.1%}, by the right name {found['named']:.1%}")
    print(f"photographs refused {found['refused']:.2%}; {found['milliseconds']:.1f} ms a picture")


if __name__ == "__main__":
    main()
