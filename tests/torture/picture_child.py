"""The process that opens bad pictures, and may die of them: ``python -m`` of this by its parent.

Before a picture is opened it lies in the box, a file that the parent looks into when this process
is gone. What takes more than `LIMIT` of the processor's time ends it by a signal.
"""

import mmap
import random
import re
import signal
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from tests.torture.mutation import mutate, with_checksums

Way = Literal["mutation", "coverage"]

LIMIT = 2.0  # seconds of the processor's time, as the machine may be busy with something else
MOST_MEMORY = 300_000  # kB over what the process has before the first picture
BOX_BYTES = 4 * 1024 * 1024
# Tried, refused, slowest (s), peak (kB), bytes of the picture that is opened.
BOX = struct.Struct("<QQdQQ")


class Examiner:
    """Opens pictures through the one door, and keeps the count in the box.

    Args:
        box: a file of `BOX_BYTES`.
        failed: where files are kept that did not do as they should, beside what went wrong.
        open_picture: of ``core.picture``, as it is loaded by now.
        refusal: the one error that may come.
    """

    def __init__(
        self,
        box: Path,
        failed: Path,
        open_picture: Callable[[bytes], Any],
        refusal: type[Exception],
    ) -> None:
        with box.open("r+b") as file:
            self._box = mmap.mmap(file.fileno(), BOX_BYTES)
        self._failed, self._open_picture, self._refusal = failed, open_picture, refusal
        self._tried, self._refused, self._slowest, self._peak, _ = BOX.unpack_from(self._box)
        _forget_memory()
        self._before = _memory()

    def examine(self, data: bytes) -> None:
        """Open one picture; ends the process where that takes too much memory."""
        self._tried += 1
        self._note(data)
        _forget_memory()
        signal.setitimer(signal.ITIMER_PROF, LIMIT)
        start = time.process_time()
        try:
            picture = self._open_picture(data)
            height, width, _ = picture.pixels.shape
            wrong = None if height * width <= 4096 * 4096 else "more pixels than are kept"
        except self._refusal as error:
            self._refused += 1
            sentence = str(error)
            good = sentence.endswith(".") and "\n" not in sentence and len(sentence) < 200
            wrong = None if good else sentence
        except Exception as error:
            wrong = repr(error)
        self._slowest = max(self._slowest, time.process_time() - start)
        signal.setitimer(signal.ITIMER_PROF, 0)
        grown = _memory() - self._before
        self._peak = max(self._peak, grown)
        self._note(b"")
        if grown > MOST_MEMORY:
            self._note(data)
            # At once: what leads by coverage would take an exception for its own.
            signal.raise_signal(signal.SIGKILL)
        if wrong is not None:
            name = self._failed / f"{self._tried}-{random.getrandbits(32):08x}"
            name.with_suffix(".picture").write_bytes(data)
            name.with_suffix(".txt").write_text(wrong)

    def _note(self, data: bytes) -> None:
        figures = (self._tried, self._refused, self._slowest, self._peak, len(data))
        BOX.pack_into(self._box, 0, *figures)
        self._box[BOX.size : BOX.size + len(data)] = data


def _memory() -> int:
    """The most memory that this process had since `_forget_memory`, in kB."""
    # Not getrusage: what that gives begins with the parent's.
    found = re.search(rb"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_bytes())
    assert found is not None
    return int(found[1])


def _forget_memory() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _by_mutation(seeds: list[bytes], count: int, seed: int, box: Path, failed: Path) -> None:
    from core.errors import PictureError
    from core.picture import open_picture

    examiner = Examiner(box, failed, open_picture, PictureError)
    for number in range(seed, seed + count):
        chance = random.Random(number)
        examiner.examine(mutate(chance.choice(seeds), chance, seeds))


def _by_coverage(corpus: Path, count: int, seed: int, box: Path, failed: Path) -> None:
    import atheris

    with atheris.instrument_imports(include=["PIL", "core"]):
        from core.errors import PictureError
        from core.picture import open_picture
    examiner = Examiner(box, failed, open_picture, PictureError)

    def change(data: bytes, most: int, seed: int) -> bytes:
        return with_checksums(atheris.Mutate(data, most))[:most]

    limits = ["-timeout=600", "-rss_limit_mb=0", "-max_len=16384", "-detect_leaks=0"]
    atheris.Setup(
        [sys.argv[0], str(corpus), f"-runs={count}", f"-seed={seed + 1}", *limits],
        examiner.examine,
        custom_mutator=change,
    )
    atheris.Fuzz()


def main(way: Way, corpus: str, count: str, seed: str, box: str, failed: str) -> None:
    """Open so many pictures in one of the ways."""
    work = int(count), int(seed), Path(box), Path(failed)
    if way == "coverage":
        _by_coverage(Path(corpus), *work)
    else:
        _by_mutation([path.read_bytes() for path in sorted(Path(corpus).iterdir())], *work)


if __name__ == "__main__":
    main(*sys.argv[1:])  # type: ignore[arg-type]
