"""Reading text: windows and pages drawn by Qt, signs in photographs, and what is said of them."""

import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from core import text_engine
from core.text import Line, Reading, Text, TextReader
from core.text_engine import TextEngine
from core.text_likely import text_likely
from core.text_quads import Quads, turned
from core.text_speech import split_parts
from tests import rendered_pages
from tests.rendered_pages import Look, Pixels
from tests.text_scores import accuracy_in_any_order, accuracy_in_order

ROOT = Path(__file__).parent.parent
pytest.importorskip("rapidocr", reason="the OCR library is not installed")


@pytest.fixture(scope="module")
def reader() -> TextReader:
    return TextReader()


@pytest.fixture(scope="module", autouse=True)
def qt() -> None:
    rendered_pages.application()


def lines_of(text: Text) -> str:
    return " ".join(line.text for line in text.lines)


@pytest.mark.parametrize(
    ("make", "look"),
    [
        (rendered_pages.dialog, Look(size=12)),
        (rendered_pages.form, Look("DejaVu Serif", 14, dark=True)),
        (rendered_pages.files, Look(size=13)),
    ],
)
def test_windows_are_read_in_order(
    reader: TextReader, make: rendered_pages.Maker, look: Look
) -> None:
    window = make(look, 1)
    read = lines_of(reader.read(window.pixels))
    assert accuracy_in_any_order(read, window.text) >= 0.95
    assert accuracy_in_order(read, window.text) >= 0.95


def test_a_picture_of_more_rows_than_opencv_straightens_is_read(reader: TextReader) -> None:
    chat = Image.new("L", (160, 33_000), 255)
    for top, words in ((200, "Come at nine"), (32_900, "Bring notes")):
        ImageDraw.Draw(chat).text((10, top), words, 0, ImageFont.load_default(24))
    read = lines_of(reader.read(np.asarray(chat.convert("RGB"))))
    assert accuracy_in_order(read, "Come at nine Bring notes") == 1


def test_between_readings_the_processors_are_left_to_others(reader: TextReader) -> None:
    page = rendered_pages.dialog(Look(size=12), 1)
    reader.read(page.pixels)
    used = time.process_time()
    threading.Event().wait(0.1)  # nothing signals that threads do nothing
    assert time.process_time() - used < 0.02


def test_a_damaged_network_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = tmp_path / "finder.onnx"
    damaged.write_bytes(b"no network")
    monkeypatch.setattr(text_engine, "_FINDER", str(damaged))
    with pytest.raises(text_engine.TextReaderMissing, match="damaged: install rapidocr"):
        TextReader().load()


def test_columns_are_read_one_after_the_other_and_their_lines_joined(reader: TextReader) -> None:
    page = rendered_pages.two_columns(Look("DejaVu Serif", 13), 2, paragraphs=2)
    text = reader.read(page.pixels)
    assert accuracy_in_order(lines_of(text), page.text) >= 0.95
    assert text.paragraphs[0] == "The Reading Room Gazette"
    assert accuracy_in_order(text.paragraphs[1], page.lines[1]) >= 0.95


def test_the_first_words_come_before_the_rest_and_reading_goes_on(reader: TextReader) -> None:
    page = rendered_pages.article(Look(size=13), 3)
    reading = reader.find(page.pixels)
    first = reading.text(words=10)
    assert not first.complete
    assert 10 <= len(lines_of(first).split()) < 60
    assert first.begins(10).startswith("News from the library.")
    more = reading.text(words=60)
    assert lines_of(more).startswith(lines_of(first))
    assert len(lines_of(more).split()) >= 60
    assert not reading.text(cancelled=lambda: True).complete


def corners(*cells: tuple[float, float, float]) -> Quads:
    """Of lines 16 pixels high, from left, top and width."""
    areas = [(left, top, left + width, top + 16) for left, top, width in cells]
    return np.array([[(x, y), (r, y), (r, b), (x, b)] for x, y, r, b in areas], np.float32)


class Recognised(TextEngine):
    """An engine that knows what is written at each place."""

    def __init__(self, lines: Sequence[str], quads: Quads) -> None:
        self._lines, self._quads = lines, quads

    def recognise(self, pixels: Pixels, quads: Quads) -> list[tuple[str, float]]:
        nearest = [np.abs(self._quads - quad).sum(axis=(1, 2)).argmin() for quad in quads]
        return [(self._lines[number], 0.99) for number in nearest]


def read_at(quads: Quads, *lines: str) -> Text:
    """What is read in a picture of 1000 x 1000 pixels in which lines were found at these places."""
    pixels = np.zeros((1000, 1000, 3), np.uint8)
    return Reading(Recognised(lines, quads), pixels, quads).text()


def told(*lines: str) -> tuple[str, ...]:
    """The paragraphs of lines that stand so far apart that none goes on in the next."""
    places = corners(*((0, 50 * number, 100) for number in range(len(lines))))
    return read_at(places, *lines).paragraphs


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("50 \u03bcg", "50 µg"),
        ("50 µg", "50 µg"),
        ("2½ tablets", "2½ tablets"),
        ("10³", "10³"),
        ("€5²", "€5²"),
        ("10 kΩ", "10 kΩ"),
        ("10 k\u2126", "10 kΩ"),
        ("\uff21\uff22\u3000\uff11\uff12", "AB 12"),
        ("20 ℃", "20 °C"),
        ("Cafe\u0301", "Café"),
        ("Nº 5", "Nº 5"),
        ("½", "½"),
        ("Opening 时间", "Opening"),
    ],
)
def test_doses_and_numbers_are_told_as_they_are_written(written: str, said: str) -> None:
    assert told(written) == (said,)


def test_states_and_prices_are_told_as_often_as_they_stand_there() -> None:
    settings = ("Wi-Fi", "On", "Bluetooth", "On")
    menu = ("Soup of the day 4.50", "Soup of the day 4.50")
    assert told(*settings, *menu) == (*settings, *menu)
    assert told("Accept all of them", "On", "Accept all of them") == ("Accept all of them", "On")


def test_pieces_of_a_line_are_read_as_one() -> None:
    pieces = corners((0, 0, 60), (57, 2, 60), (114, 1, 60))
    (line,) = read_at(pieces, "EX", "XI", "IT").lines
    assert line.box == pytest.approx((0, 0, 0.174, 0.018))
    cells = corners((0, 0, 60), (62, 2, 60), (57, 15, 60))
    assert read_at(cells, "Bread", "2.50", "Vegan").paragraphs == ("Bread, 2.50", "Vegan")


@pytest.mark.parametrize("degrees", [-7, -3, 3, 7])
def test_a_page_that_leans_is_read_like_one_that_is_upright(degrees: float) -> None:
    names = ("Bread", "Milk", "Butter", "Honey", "Cheese")
    prices = ("2.50", "1.20", "3.10", "5.90", "4.40")
    upright = corners(*((left, 300 + 30 * row, 60) for row in range(5) for left in (150, 750)))
    listed = [words for row in zip(names, prices, strict=True) for words in row]
    leaning = turned(upright, np.radians(degrees))
    text = read_at(leaning, *listed)
    assert text.paragraphs == read_at(upright, *listed).paragraphs
    assert text.paragraphs[0] == "Bread, 2.50"
    assert text.lines[0].box == pytest.approx(
        np.ravel([leaning[0].min(0), leaning[0].max(0)]) / 1000
    )


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_page_on_its_side_or_its_head_is_read(reader: TextReader, quarters: int) -> None:
    page = rendered_pages.dialog(Look(size=16), 1)
    upright = reader.read(page.pixels)
    text = reader.read(np.rot90(page.pixels, quarters))
    assert text.paragraphs == upright.paragraphs
    left, top, right, bottom = upright.lines[0].box
    places = {
        1: (top, 1 - right, bottom, 1 - left),
        2: (1 - right, 1 - bottom, 1 - left, 1 - top),
        3: (1 - bottom, left, 1 - top, right),
    }
    assert text.lines[0].box == pytest.approx(places[quarters], abs=0.02)


def test_the_same_picture_gives_the_same_text(reader: TextReader) -> None:
    window = rendered_pages.dialog(Look(size=14, dark=True), 4)
    assert reader.read(window.pixels) == TextReader(threads=1).read(window.pixels)


def a_sign(words: str, ground: Pixels, size: int, tilt: float = 0) -> Pixels:
    """White on green, a plate in the middle of a picture."""
    font = ImageFont.truetype(str(rendered_pages.FONTS / "DejaVuSans-Bold.ttf"), size)
    left, top, right, bottom = font.getbbox(words)
    plate = Image.new(
        "RGBA", (int(right - left) + size, int(bottom - top) + size), (0, 100, 50, 255)
    )
    ImageDraw.Draw(plate).text((size / 2 - left, size / 2 - top), words, "white", font)
    plate = plate.rotate(tilt, expand=True, resample=Image.Resampling.BICUBIC)
    picture = Image.fromarray(ground)
    picture.paste(
        plate, ((picture.width - plate.width) // 2, (picture.height - plate.height) // 2), plate
    )
    return np.asarray(picture)


@pytest.fixture(scope="module")
def cat() -> Pixels:
    data = pytest.importorskip("skimage.data", reason="the sample photograph is not installed")
    return np.asarray(data.chelsea())


@pytest.mark.parametrize(
    ("words", "size", "tilt"), [("EXIT", 40, 0), ("Platform 4", 20, 8), ("Pharmacy", 28, -8)]
)
def test_a_sign_in_a_photograph_is_noticed_read_and_said(
    reader: TextReader, cat: Pixels, words: str, size: int, tilt: float
) -> None:
    photograph = a_sign(words, cat, size, tilt)
    assert reader.likely(photograph)
    text = reader.read(photograph)
    assert text.says() == f"{words}."
    left, top, right, bottom = text.lines[0].box
    assert left < 0.5 < right
    assert top < 0.5 < bottom


def test_a_photograph_without_text_says_nothing(reader: TextReader, cat: Pixels) -> None:
    assert not reader.likely(cat)
    assert reader.read(cat).says() == ""


def test_texture_says_nothing(reader: TextReader) -> None:
    data = pytest.importorskip("skimage.data")
    for name in ("grass", "gravel", "brick"):
        grey = getattr(data, name)()
        text = reader.read(np.stack([grey] * 3, axis=-1))
        assert text.says() == "", name


@pytest.mark.parametrize(
    "make", [rendered_pages.dialog, rendered_pages.files, rendered_pages.article]
)
@pytest.mark.parametrize("dark", [False, True])
def test_every_screen_and_page_is_noticed(make: rendered_pages.Maker, dark: bool) -> None:
    assert text_likely(make(Look(size=13, dark=dark), 5).pixels)


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (900, 3), (40, 40)])
def test_pictures_of_odd_sizes_have_no_text(reader: TextReader, size: tuple[int, int]) -> None:
    empty = reader.read(np.full((*size, 3), 128, np.uint8))
    assert empty == Text((), (), complete=True)
    assert (empty.spoken, empty.begins(), empty.says()) == ("", "", "")
    assert not text_likely(np.full((*size, 3), 128, np.uint8))


def test_a_large_photograph_is_read_from_its_full_size(reader: TextReader) -> None:
    ground = np.full((3000, 4000, 3), 90, np.uint8)
    assert reader.read(a_sign("Mind the step", ground, 40)).says() == "Mind the step."


def line(text: str, confidence: float = 0.99, top: float = 0.4) -> Line:
    return Line(text, confidence, (0.1, top, 0.5, top + 0.05))


@pytest.mark.parametrize(
    "unsaid",
    [
        line("EXIT", confidence=0.7),
        line("P"),
        line("|::-. x"),
        line("12.06.2024 10:31", top=0.93),
        line("'98 7 24", top=0.93),
        line("12/31 '98 7:05 PM", top=0.93),
        line("2024-06-12 10:31:08", top=0.01),
        line("10:31", top=0.93),
    ],
)
def test_doubtful_lines_and_dates_of_cameras_are_not_said(unsaid: Line) -> None:
    assert Text((unsaid, line("Bakery")), (), complete=True).says() == "Bakery."


@pytest.mark.parametrize(
    "said", ["0664 123 4567", "664 12 34", "12.50", "7:30 - 16:00", "9-12 14-18"]
)
def test_numbers_at_the_edge_that_are_no_dates_are_said(said: str) -> None:
    assert Text((line(said, top=0.93),), (), complete=True).says() == f"{said}."


def test_a_text_that_was_not_read_to_its_end_keeps_its_first_portions() -> None:
    begun = Text((), ("One two three. Four five six. Seven",), complete=False)
    whole = Text((), ("One two three. Four five six. Seven eight.",), complete=True)
    assert begun.parts(3) == whole.parts(3)[:2] == ("One two three.", "Four five six.")


def test_portions_end_at_sentences() -> None:
    paragraphs = ["News", "One two three four. Five six seven eight! Nine ten", "End of it?"]
    assert split_parts(paragraphs, 4) == (
        "News. One two three four.",
        "Five six seven eight!",
        "Nine ten. End of it?",
    )
    assert split_parts([" ".join(["word"] * 50)], 10) == (
        *[" ".join(["word"] * 20)] * 2,
        " ".join(["word"] * 9 + ["word."]),
    )


def test_reading_needs_no_network_writes_nothing_and_says_nothing(tmp_path: Path) -> None:
    """In a process of its own, because libraries log when they are first imported."""
    picture = tmp_path / "page.png"
    Image.fromarray(rendered_pages.dialog(Look(), 6).pixels).save(picture)
    program = f"""
import socket, sys
def refuse(*arguments, **more): raise AssertionError("network")
socket.socket.connect = socket.getaddrinfo = refuse
import core.text
assert not {{"onnxruntime", "rapidocr", "torch"}} & set(sys.modules), "imported too early"
import numpy as np
from PIL import Image
text = core.text.TextReader().read(np.asarray(Image.open({str(picture)!r})))
assert "Cancel" in text.spoken
assert "torch" not in sys.modules
"""
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not list(home.rglob("*"))


def test_a_missing_library_is_told_in_one_sentence() -> None:
    program = """
import sys
sys.modules["rapidocr"] = None
from core.errors import SeesayError
from core.text import TextReader
try:
    TextReader().load()
except SeesayError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "Text cannot be read: install the package rapidocr.\n"
