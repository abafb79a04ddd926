"""Bad pictures: damaged files through the one door, each a `Picture` or one sentence.

``python -m tests.torture.bad_pictures [COUNT]``: one half is made by mutation of good files, the
other half (where atheris is installed) is led by the lines of the readers that it reaches.
"""

import importlib.util
import io
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from tests.picture_kinds import snapshot
from tests.torture.picture_child import BOX, BOX_BYTES, Way

ROOT = Path(__file__).resolve().parent.parent.parent
_STANDSTILL = 300.0  # seconds in which no further picture is opened; the first comes late
_MOST_DEATHS = 50


def good_files() -> list[bytes]:
    """Real pictures in every kind of file that the door knows, small so that many can be tried."""
    photo = Image.fromarray(snapshot(0, 72, 54))
    clear = photo.copy()
    clear.putalpha(photo.getchannel("G"))
    more = [Image.fromarray(snapshot(seed, 72, 54)) for seed in (1, 2)]
    exif = Image.Exif()
    exif.update({0x0112: 6, 0x010F: "A camera"})
    frames: dict[str, Any] = {"save_all": True, "append_images": more}
    grey, wide = photo.convert("L"), photo.convert("I;16")
    kinds: list[tuple[Image.Image, str, dict[str, Any]]] = [
        (photo, "JPEG", {"exif": exif, "comment": b"A comment."}),
        (photo, "JPEG", {"progressive": True, "restart_marker_blocks": 4}),
        (photo.convert("CMYK"), "JPEG", {"quality": 30}),
        (grey, "JPEG", {"dpi": (72, 72), "icc_profile": b"no profile " * 20}),
        (photo, "PNG", {"exif": exif}),
        (photo.quantize(64), "PNG", {"transparency": 3}),
        (clear, "PNG", {}),
        (wide, "PNG", {}),
        (photo, "PNG", frames),
        (photo, "WEBP", {"exif": exif}),
        (clear, "WEBP", {"lossless": True}),
        (photo, "WEBP", frames),
        (photo, "GIF", frames),
        (photo.quantize(16), "GIF", {"interlace": 1, "transparency": 2}),
        (photo, "BMP", {}),
        (photo.quantize(16), "BMP", {}),
        (photo, "TIFF", {"exif": exif}),
        (photo, "TIFF", {"compression": "tiff_lzw"}),
        (photo, "TIFF", {"compression": "jpeg"}),
        (clear, "TIFF", {"compression": "tiff_adobe_deflate", "big_tiff": True}),
        (photo.convert("1"), "TIFF", {"compression": "group4"}),
        (wide, "TIFF", frames),
        (clear, "ICO", {}),
        (photo, "PPM", {}),
        (photo, "AVIF", {"speed": 10}),
    ]
    files = []
    for image, format, options in kinds:
        file = io.BytesIO()
        image.save(file, format, **options)
        files.append(file.getvalue())
    return files


@dataclass
class Result:
    """What became of the pictures.

    Attributes:
        tried: how many were opened.
        refused: with a sentence.
        failed: how many gave anything but a picture or a sentence.
        slowest: seconds of the processor's time.
        peak: most memory over what the process had before, in MB.
    """

    tried: int = 0
    refused: int = 0
    failed: int = 0
    slowest: float = 0.0
    peak: int = 0


class _Child:
    """A process that opens pictures, replaced by another when it dies."""

    def __init__(self, way: Way, count: int, corpus: Path, folder: Path, failed: Path) -> None:
        self._way, self._count, self._failed = way, count, failed
        self._corpus = folder / f"{way}-corpus"
        shutil.copytree(corpus, self._corpus)  # where what leads somewhere new is added
        self._box = folder / f"{way}-box"
        self._box.write_bytes(bytes(BOX_BYTES))
        self._log = folder / f"{way}.log"
        self.deaths = 0
        self._start()

    def _start(self) -> None:
        tried = self.figures()[0]
        arguments = (self._corpus, self._count - tried, tried, self._box, self._failed)
        command = [sys.executable, "-m", "tests.torture.picture_child", self._way]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*command, *map(str, arguments)], cwd=ROOT, stdout=log, stderr=log
            )
        self._seen, self._since = tried, time.monotonic()

    def figures(self) -> tuple[int, int, float, int, int]:
        with self._box.open("rb") as file:
            tried, refused, slowest, peak, length = BOX.unpack(file.read(BOX.size))
        return tried, refused, slowest, peak, length

    def is_done(self) -> bool:
        """Look after the process; whether all of its pictures were opened."""
        tried, *_, length = self.figures()
        status = self._process.poll()
        if status is None:
            if tried != self._seen:
                self._seen, self._since = tried, time.monotonic()
            elif time.monotonic() - self._since > _STANDSTILL:
                self._process.kill()
            return False
        if status == 0 and tried >= self._count:
            return True
        if tried == self._seen == 0 and length == 0:
            raise RuntimeError(f"No picture was opened:\n{self._log.read_text()[-2000:]}")
        with self._box.open("rb") as file:
            file.seek(BOX.size)
            data = file.read(length)
        name = self._failed / f"death-{self._way}-{self.deaths}"
        name.with_suffix(".picture").write_bytes(data)
        name.with_suffix(".txt").write_text(
            f"status {status}\n{self._log.read_text(errors='replace')[-2000:]}"
        )
        self.deaths += 1
        if self.deaths == _MOST_DEATHS or tried >= self._count:
            return True
        self._start()
        return False

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


def run(count: int, failed: Path, ways: Sequence[Way]) -> Result:
    """Open so many damaged pictures.

    Args:
        count: how many, shared by the ways.
        failed: an empty folder for the files that did not do as they should.
        ways: to make them; each has a process of its own.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corpus = folder / "good"
        corpus.mkdir()
        for number, data in enumerate(good_files()):
            (corpus / f"{number:02}").write_bytes(data)
        children = [_Child(way, count // len(ways), corpus, folder, failed) for way in ways]
        waiting = list(children)
        try:
            while waiting := [child for child in waiting if not child.is_done()]:
                time.sleep(0.2)
        finally:
            for child in children:
                child.kill()
        result = Result(failed=len(list(failed.glob("*.picture"))))
        for child in children:
            tried, refused, slowest, peak, _ = child.figures()
            result.tried += tried
            result.refused += refused
            result.slowest = max(result.slowest, slowest)
            result.peak = max(result.peak, peak // 1000)
    return result


def main() -> int:
    """Run, print the closing line, and keep what failed."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    failed = Path(tempfile.mkdtemp(prefix="bad-pictures-"))
    ways: list[Way] = ["mutation"]
    if importlib.util.find_spec("atheris") is None:
        print("bad pictures: atheris is not installed, so by mutation alone")
    else:
        ways.append("coverage")
    result = run(count, failed, ways)
    print(
        f"bad pictures: {result.tried} tried, {result.tried - result.failed} survived "
        f"({result.refused} refused), slowest {result.slowest:.1f} s, peak {result.peak} MB"
    )
    if result.failed or result.tried < count // len(ways) * len(ways):
        print(f"What did not survive is in {failed}.")
        return 1
    failed.rmdir()
    return 0


if __name__ == "__main__":
    sys.exit(main())
