"""Pictures that are refused, each with one sentence, and what damaged or huge ones cost."""

import io
import os
import struct
import subprocess
import sys
import tempfile
import textwrap
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.errors import PictureError
from core.picture import MAX_BYTES, open_picture
from tests.picture_files import CLEAR, PLAIN, encode

ROOT = Path(__file__).resolve().parent.parent


def noise(width: int, height: int) -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


def png_header(width: int, height: int) -> bytes:
    """A PNG of the given size with next to nothing in it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(4_000_000), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def refusal(source: Any) -> str:
    with pytest.raises(PictureError) as caught:
        open_picture(source)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def run(script: str, *arguments: str, options: tuple[str, ...] = ()) -> str:
    """Run a script in a process of its own; whatever it says on standard error fails the test."""
    done = subprocess.run(
        [sys.executable, *options, "-c", textwrap.dedent(script), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stderr, done.returncode) == ("", 0)
    return done.stdout


def test_floats_that_are_not_numbers_are_refused() -> None:
    for value in (np.nan, np.inf):
        data = encode(Image.fromarray(np.array([[0, value]], np.float32)), "TIFF")
        assert "damaged" in refusal(data)


@pytest.mark.skipif(sys.platform == "win32", reason="measures memory with the module resource")
def test_a_200_megapixel_photograph_costs_little_memory(tmp_path: Path) -> None:
    # A phone's largest: one eight-pixel block repeated, so that the test is quick to write.
    path = tmp_path / "phone.jpg"
    Image.new("L", (16320, 12240), 90).save(path, quality=50)
    script = """
        import sys
        from core.picture import open_picture
        from tests.benchmarks.process import peak_mb
        before = peak_mb()
        picture = open_picture(sys.argv[1])
        print(picture.width, picture.height, peak_mb() - before)
    """
    width, height, grown = map(float, run(script, str(path)).split())
    assert (width, height) == (4080, 3060)
    assert 10 < grown < 250  # MB; none at all would be that of another process


def test_a_decompression_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(50_000, 50_000))
    assert path.stat().st_size < 10_000
    assert refusal(path) == (
        f"{path} is 50000 x 50000 pixels, more than Seesay opens: "
        "shrink it below 256 million pixels first."
    )


def test_bombs_of_other_kinds() -> None:
    gif = bytearray(encode(Image.new("L", (1, 1)), "GIF"))
    gif[6:10] = struct.pack("<HH", 65535, 65535)
    bmp = bytearray(encode(Image.new("L", (1, 1)), "BMP"))
    bmp[18:26] = struct.pack("<ii", 1 << 20, 1 << 20)
    jpeg = bytearray(encode(Image.new("L", (1, 1)), "JPEG"))
    start = jpeg.index(b"\xff\xc0")
    jpeg[start + 5 : start + 9] = struct.pack(">HH", 65500, 65500)
    hidden = png_header(50_000, 50_000)
    ico = struct.pack("<HHHBBBBHHII", 0, 1, 1, 16, 16, 0, 0, 1, 32, len(hidden), 22) + hidden
    for data in (bytes(gif), bytes(bmp), bytes(jpeg), b"P5 99999 99999 255\n\0", ico):
        assert "pixels" in refusal(data)
    assert "pixels" in refusal(Image.new("1", (20_000, 20_000)))
    assert "pixels" in refusal(np.broadcast_to(np.uint8(0), (50_000, 50_000, 3)))


def flat_png(width: int, height: int) -> bytes:
    return encode(Image.new("RGB", (width, height), (9, 90, 200)), "PNG", compress_level=9)


def test_more_pixels_than_so_few_bytes_are_worth() -> None:
    """Below what is opened at most, but gigabytes from a few kilobytes."""
    cut = png_header(15_900, 16_000)
    ico = struct.pack("<HHHBBBBHHII", 0, 1, 1, 16, 16, 0, 0, 1, 32, len(cut), 22) + cut
    tall = bytearray(encode(CLEAR, "PNG"))
    tall[20:24] = struct.pack(">I", 4_000_000)
    tall[29:33] = struct.pack(">I", zlib.crc32(tall[12:29]))
    gif = bytearray(encode(PLAIN, "GIF"))
    gif[6:10] = struct.pack("<HH", 15_900, 16_000)
    webp = encode(Image.new("RGB", (8000, 8000)), "WEBP", lossless=True, method=0)
    jpeg = bytearray(encode(PLAIN, "JPEG", progressive=True))
    start = jpeg.index(b"\xff\xc2")
    jpeg[start + 5 : start + 9] = struct.pack(">HH", 15_900, 16_000)
    for data in (cut, ico, bytes(tall), bytes(gif), webp, bytes(jpeg)):
        sentence = refusal(data)
        assert "pixels in" in sentence
        assert f"in {len(data)} bytes" in sentence or data is ico
    # What is only plain, and not larger than a screen or a scanned page, is a picture.
    assert open_picture(flat_png(6000, 4000)).width == 3000
    page = Image.new("1", (7016, 9921), 1)
    assert open_picture(encode(page, "TIFF", compression="group4")).height == 3307


def test_a_palette_that_is_missing() -> None:
    data = encode(PLAIN.quantize(4), "PNG")
    start = data.index(b"PLTE") - 4
    end = start + 12 + int.from_bytes(data[start : start + 4], "big")
    assert "damaged" in refusal(data[:start] + data[end:])


def test_a_jpeg_of_a_thousand_scans() -> None:
    jpeg = encode(Image.new("L", (2048, 2048), 90), "JPEG", progressive=True)
    last = jpeg.rindex(b"\xff\xda")
    scan = jpeg[last:-2]
    assert open_picture(jpeg[:-2] + scan * 20 + jpeg[-2:]).width == 2048
    assert "shrink it" in refusal(jpeg[:-2] + scan * 1000 + jpeg[-2:])


@pytest.mark.parametrize(
    "shape",
    [(), (5,), (5, 5, 2), (3, 5, 5), (1, 5, 5, 3), (0, 5), (5, 0, 3), (0, 0, 4), (5, 5, 0)],
)
def test_arrays_of_wrong_shapes_are_refused(shape: tuple[int, ...]) -> None:
    assert refusal(np.zeros(shape, np.uint8)).startswith("The array has ")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -0.1, 1.1, 255.0])
def test_floats_out_of_range_are_refused(value: float) -> None:
    array = np.zeros((4, 4, 3), np.float32)
    array[2, 2, 2] = value
    assert "outside 0 to 1" in refusal(array)


@pytest.mark.parametrize("kind", [np.int8, np.int64, np.uint32, np.complex128, object, "U1"])
def test_arrays_of_other_types_are_refused(kind: Any) -> None:
    assert "convert it to uint8" in refusal(np.zeros((4, 4), kind))


def test_a_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "none.jpg"
    assert refusal(path) == f"{path} does not exist: check the path."
    (tmp_path / "file").write_bytes(b"x")
    assert "does not exist" in refusal(tmp_path / "file" / "none.jpg")


def test_a_folder(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"{tmp_path} is a folder: give the path of a picture."


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.jpg"
    path.touch()
    assert refusal(path) == f"{path} is empty: copy or download it again."
    assert refusal(b"") == "The picture is empty: copy or download it again."
    assert "is empty" in refusal(io.BytesIO())


@pytest.mark.parametrize("path", ["", "a\0b.jpg", "x" * 5000, "line\nbreak.jpg", "\udce9.jpg"])
def test_odd_paths(path: str) -> None:
    assert "check the path" in refusal(path)
    refusal(path).encode()  # can be printed


def test_a_link_to_itself(tmp_path: Path) -> None:
    path = tmp_path / "loop.jpg"
    path.symlink_to(path)
    assert str(path) in refusal(path)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_a_file_without_read_permission() -> None:
    # Root may read everything, so the script first becomes the user nobody. Not in tmp_path, which
    # only its owner may enter.
    script = """
        import os, sys
        from core.errors import PictureError
        from core.picture import open_picture
        open_picture(sys.argv[1])  # imports all it needs while that is allowed
        if os.geteuid() == 0:
            os.setuid(65534)
        open_picture(sys.argv[1])  # the readable one still opens
        try:
            open_picture(sys.argv[2])
        except PictureError as error:
            print(error)
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for path, mode in ((folder / "open.png", 0o644), (folder / "shut.png", 0o000)):
            path.write_bytes(encode(PLAIN, "PNG"))
            path.chmod(mode)
        said = run(script, str(folder / "open.png"), str(folder / "shut.png"))
        assert said == (
            f"You have no permission to read {folder / 'shut.png'}: "
            "change its permissions or ask its owner.\n"
        )


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "ICO"])
def test_a_truncated_file(format: str, tmp_path: Path) -> None:
    data = encode(noise(64, 48), format)
    for kept in (0.3, 0.9):
        path = tmp_path / f"cut.{format}"
        path.write_bytes(data[: int(len(data) * kept)])
        assert refusal(path) == f"{path} is damaged or cut short: copy or download it again."


def test_text_renamed_to_jpg(tmp_path: Path) -> None:
    path = tmp_path / "letter.jpg"
    path.write_text("Dear reader, this is no picture. " * 50)
    assert refusal(path) == (
        f"{path} is not a picture that Seesay can read: "
        "give a JPEG, PNG, WebP, GIF, BMP, TIFF, PPM, ICO or AVIF file."
    )


@pytest.mark.parametrize(
    "data",
    [
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"BMW and other makers of cars",
        b"\0",
    ],
)
def test_other_formats(data: bytes) -> None:
    assert "not a picture that Seesay can read" in refusal(data)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_devices_and_pipes_do_not_hang(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.jpg"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero"), Path("/dev/null")):
        assert refusal(path) == f"{path} is a device or pipe: give the path of a picture file."


class Endless(io.RawIOBase):
    """Never comes to an end, as a broken program before the pipe."""

    chunk = bytes(1024 * 1024)
    given = 0

    def read(self, size: int = -1) -> bytes:
        self.given += len(self.chunk)
        return self.chunk


def test_too_many_bytes(tmp_path: Path) -> None:
    path = tmp_path / "huge.jpg"
    with open(path, "wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert refusal(path) == (
        f"{path} is larger than the 512 megabytes that Seesay reads: save it smaller first."
    )
    stream = Endless()
    assert "larger than the 512 megabytes" in refusal(stream)
    assert stream.given < MAX_BYTES * 1.01


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert "binary mode" in refusal(io.StringIO("text"))
    closed = io.BytesIO(encode(PLAIN, "PNG"))
    closed.close()
    assert "cannot be read" in refusal(closed)
    with open(tmp_path / "written.png", "wb") as writing:
        assert "cannot be read" in refusal(writing)


def test_things_that_are_no_picture() -> None:
    for thing in (None, 7, [[0, 1], [2, 3]], object()):
        assert type(thing).__name__ in refusal(thing)
    assert "no pixels" in refusal(Image.new("RGB", (0, 5)))


def test_nothing_is_warned_or_printed_and_pillow_is_left_alone(tmp_path: Path) -> None:
    """Also where warnings are errors; the bad EXIF and the bad TIFF both make Pillow warn."""
    exif = Image.Exif()
    exif[0x010F] = "A camera with a long name"
    damaged = exif.tobytes()[:-20]
    (tmp_path / "exif.jpg").write_bytes(encode(PLAIN, "JPEG", exif=damaged))
    tiff = encode(PLAIN, "TIFF")
    (tmp_path / "tags.tif").write_bytes(tiff[:40] + b"\xff" * 40 + tiff[80:])
    script = """
        import sys
        from PIL import Image, ImageFile
        before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
        from core.errors import PictureError
        from core.picture import open_picture
        for path in sys.argv[1:]:
            try:
                open_picture(path)
            except PictureError as error:
                print(error)
        assert before == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)
        assert "torch" not in sys.modules
    """
    paths = [str(path) for path in sorted(tmp_path.iterdir())]
    for options in ((), ("-W", "error")):
        said = run(script, *paths, options=options)
        assert said.endswith("tags.tif is damaged or cut short: copy or download it again.\n")
        assert said.count("\n") == 1
