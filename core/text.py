"""Reads the text in a picture, with a local OCR library whose models come inside its wheel."""

import threading
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.caption import Box
from core.text_engine import Pixels, TextEngine
from core.text_layout import Area, Placed, paragraphs, reading_order
from core.text_likely import text_likely
from core.text_quads import Quads, find_lean, join_pieces, turned
from core.text_speech import FIRST_WORDS, split_parts, worth_saying

# Text is looked for at full size on whatever a screen shows at 100 %. What is larger comes from a
# camera, or from a screen whose text is drawn larger: it is looked for in a reduced copy, which
# bounds time and memory, and read from the full picture.
_SCREEN_PIXELS = 2560 * 1440
_REDUCED_PIXELS = 1600 * 1200
# Enough to tell whether there is text at all.
_GLANCED_PIXELS = 416 * 312
# Lines below this confidence are debris: icons, borders, texture.
_CONFIDENT = 0.6
# A page is turned where so many lines, the longest of the first few, are less sure than this, or
# where most are so many times as high as wide. The first are read soon in any case.
_LONGEST = 3
_FIRST = 8
_SURE = 0.85
_UPENDED = 1.5
# What has so many words, and no number, says nothing new when it is repeated.
_SENTENCE = 4
# Letters that stand beside numbers among Latin ones: micro, ohm, and as in 1ª and Nº.
_BESIDE_NUMBERS = "µ\u03a9ªº"


@dataclass(frozen=True)
class Line:
    """A line read in a picture.

    Attributes:
        text: what is written, in Latin letters.
        confidence: mean probability of its characters, 0 to 1; less beside another script.
        box: upright, around the line.
    """

    text: str
    confidence: float
    box: Box


@dataclass(frozen=True)
class Text:
    """What was read in a picture.

    Attributes:
        lines: in reading order.
        paragraphs: the same as it would be read aloud: wrapped lines joined, cells of a row
            separated by commas, debris left out, and sentences that were told before.
        complete: whether the picture was read to its end.
    """

    lines: tuple[Line, ...]
    paragraphs: tuple[str, ...]
    complete: bool

    @property
    def spoken(self) -> str:
        """Everything, each paragraph ended by a full stop so that a voice pauses there."""
        return " ".join(self.parts(words=1))

    def parts(self, words: int = FIRST_WORDS) -> tuple[str, ...]:
        """What to read on each press of a key: whole sentences, of about so many words each.

        Of a text that was not read to its end, the sentence in which it stops is left out, so
        that the first portions stay the same when more is read.
        """
        return split_parts(self.paragraphs, words, complete=self.complete)

    def begins(self, words: int = FIRST_WORDS) -> str:
        """The first sentences, of about so many words; empty where there is no text."""
        return next(iter(self.parts(words)), "")

    @property
    def doubtless(self) -> tuple[str, ...]:
        """The lines of a photograph that are beyond doubt, without the date that cameras print."""
        said = (
            line.text for line in self.lines if worth_saying(line.text, line.confidence, line.box)
        )
        return tuple(dict.fromkeys(said))

    def says(self, words: int = FIRST_WORDS) -> str:
        """What a photograph says beyond doubt, such as ``EXIT``; mostly empty.

        Args:
            words: at most about so many.
        """
        joined = [", ".join(self.doubtless)] if self.doubtless else []
        return next(iter(split_parts(joined, words)), "")


class Reading:
    """A picture whose lines were found, and are read as far as asked for.

    A screen full of text takes seconds to read. The first words are there much sooner, and the
    rest when the user wants to hear on.

    Args:
        engine: what reads the lines.
        pixels: (height, width, 3) uint8 RGB; kept as long as this is.
        quads: the lines that were found in it, some in pieces.
        quarters: of a turn to the left that the picture was given; places are told of the picture
            as it was before.
    """

    def __init__(self, engine: TextEngine, pixels: Pixels, quads: Quads, quarters: int = 0) -> None:
        self._engine, self._pixels, self._quarters = engine, pixels, quarters
        # On a page that leans, what stands beside each other is only seen once it is level.
        lean = find_lean(quads)
        level = join_pieces(turned(quads, -lean))
        self._places = reading_order([_area(quad) for quad in level])
        self._quads = turned(level[[place.index for place in self._places]], lean)
        self._read: list[tuple[str, float]] = []  # text and confidence
        self._known: dict[int, tuple[str, float]] = {}  # the same of lines read for `sureness`
        size = np.ptp(self._quads, axis=1)  # (lines, width and height)
        self._lengths = size.max(axis=1)
        self._upended = size[:, 1] > _UPENDED * size[:, 0]

    @property
    def sideways(self) -> bool:
        """Whether most of the text runs from top to bottom or back."""
        upended = self._lengths[self._upended].sum()
        return len(self._lengths) >= _LONGEST and bool(upended > self._lengths.sum() / 2)

    @property
    def unsure(self) -> bool:
        """Whether there is text enough to tell that it is gibberish, and it may be."""
        return len(self._lengths) >= _LONGEST and self.sureness < _SURE

    @property
    def sureness(self) -> float:
        """The median confidence of the longest of the first lines, read for this; 0 without any."""
        longest = self._lengths[:_FIRST].argsort()[-_LONGEST:].tolist()
        return float(np.median([self._recognise(line)[1] for line in longest] or [0.0]))

    @property
    def complete(self) -> bool:
        """Whether every line was read."""
        return len(self._read) == len(self._quads)

    def text(self, words: int | None = None, cancelled: Callable[[], bool] | None = None) -> Text:
        """Read on, and return everything read so far.

        Args:
            words: stop when so many are read in all; None reads to the end.
            cancelled: asked before each line; when true, the lines read so far are returned.
        """
        while not self.complete:
            if words is not None and sum(len(text.split()) for text, _ in self._read) >= words:
                break
            if cancelled is not None and cancelled():
                break
            self._read.append(self._recognise(len(self._read)))
        return self._text()

    def _recognise(self, line: int) -> tuple[str, float]:
        if line not in self._known:
            quad = self._quads[line : line + 1]
            (self._known[line],) = self._engine.recognise(self._pixels, quad)
        return self._known[line]

    def _text(self) -> Text:
        kept: list[tuple[Line, Placed]] = []
        looks = zip(self._read, self._places, self._quads, strict=False)
        for (raw, confidence), place, quad in looks:
            text, share = _latin(raw)
            confidence *= share  # beside another script, Latin letters are often misread
            if text and confidence >= _CONFIDENT:
                kept.append((Line(text, confidence, self._share(_area(quad))), place))
        told = [(line.text, place) for line, place in kept if not _debris(line.text)]
        return Text(
            lines=tuple(line for line, _ in kept),
            paragraphs=tuple(_told_once(paragraphs(told))),
            complete=self.complete,
        )

    def _share(self, area: Area) -> Box:
        height, width = self._pixels.shape[:2]
        left, right = max(0.0, area.left / width), min(1.0, area.right / width)
        top, bottom = max(0.0, area.top / height), min(1.0, area.bottom / height)
        for _ in range(self._quarters):  # each of them back, to the right
            left, top, right, bottom = 1 - bottom, left, 1 - top, right
        return left, top, right, bottom


def _area(quad: NDArray[np.float32]) -> Area:
    return Area(*quad.min(axis=0).tolist(), *quad.max(axis=0).tolist())


class TextReader:
    """Finds and reads lines of text. The models are loaded on first use, or by `load`.

    One reader may be used from any thread, but by one at a time; the same picture always gives
    the same text. A page may lie on its side or stand on its head.

    Args:
        threads: for the networks; by default all processors of this process.
    """

    def __init__(self, threads: int | None = None) -> None:
        self._threads = threads
        self._lock = threading.Lock()
        self._engine: TextEngine | None = None

    def load(self) -> TextEngine:
        """Load the models, about a second; does nothing when they are.

        Raises:
            TextReaderMissing: if the library or its models are not there.
        """
        with self._lock:
            if self._engine is None:
                self._engine = TextEngine(self._threads)
            return self._engine

    def read(
        self,
        pixels: Pixels,
        words: int | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Text:
        """Read a picture, or its first words.

        Args:
            pixels: (height, width, 3) uint8 RGB.
            words: stop when so many are read; None reads to the end. To read on later without
                beginning anew, keep what `find` returns.
            cancelled: asked before each line; when true, the lines read so far are returned.

        Raises:
            TextReaderMissing: if the library or its models are not there.
        """
        return self.find(pixels).text(words, cancelled)

    def likely(self, pixels: Pixels) -> bool:
        """Whether a photograph is worth reading; far quicker than finding no text in it.

        The quick look of `core.text_likely` comes first and spares most photographs the rest, and
        even the loading of the models; the network then looks at a small copy of the picture.

        Args:
            pixels: (height, width, 3) uint8 RGB.

        Raises:
            TextReaderMissing: if the library or its models are not there.
        """
        return text_likely(pixels) and len(self.load().find(pixels, _GLANCED_PIXELS)) > 0

    def find(self, pixels: Pixels) -> Reading:
        """Find the lines of a picture and put them into reading order.

        No more is read of them yet than tells which way up the picture is.

        Args:
            pixels: (height, width, 3) uint8 RGB; kept until the `Reading` is dropped.

        Raises:
            TextReaderMissing: if the library or its models are not there.
        """
        found = self._find(pixels)
        if found.sideways:
            turns = [self._find(pixels, 1), self._find(pixels, 3)]
        elif found.unsure:
            turns = [found, self._find(pixels, 2)]
        else:
            return found
        return max(turns, key=lambda reading: reading.sureness)

    def _find(self, pixels: Pixels, quarters: int = 0) -> Reading:
        """The lines of a picture that is turned to the left before."""
        engine = self.load()
        pixels = np.ascontiguousarray(np.rot90(pixels, quarters))
        large = pixels.shape[0] * pixels.shape[1] > _SCREEN_PIXELS
        quads = engine.find(pixels, _REDUCED_PIXELS if large else _SCREEN_PIXELS)
        return Reading(engine, pixels, quads, quarters)


def _told_once(told: Sequence[str]) -> Iterator[str]:
    """Paragraphs without repeated sentences; a state, an answer or a price may come twice."""
    before: set[str] = set()
    for paragraph in told:
        sentence = len(paragraph.split()) >= _SENTENCE and not any(map(str.isnumeric, paragraph))
        if not (sentence and paragraph in before):
            yield paragraph
        before.add(paragraph)


def _latin(text: str) -> tuple[str, float]:
    """The text without characters of other scripts, and the share of it that this is.

    A voice could not read them, and icons are often taken for them.
    """
    text = "".join(map(_usual, unicodedata.normalize("NFC", text))).strip()
    kept = "".join(char for char in text if _is_latin(char)).strip()
    return kept, len(kept) / max(1, len(text))


def _usual(char: str) -> str:
    """A sign as Latin text has it. No fraction or raised digit changes: 2½ is not 21/2."""
    if "\uff00" <= char <= "\uffef" or char in "\u3000℃℉":
        return unicodedata.normalize("NFKC", char)
    return "µ" if char == "\u03bc" else char  # voices read the sign, not the letter, as "micro"


def _is_latin(char: str) -> bool:
    if char.isascii() or not char.isalpha() or char in _BESIDE_NUMBERS:
        return True
    return "LATIN" in unicodedata.name(char, "")


def _debris(text: str) -> bool:
    """Single letters and signs: borders, icons, bullets. A number may be a price or a key."""
    solid = [char for char in text if char.isalnum()]
    return not solid or (len(solid) == 1 and unicodedata.category(solid[0]) not in ("Nd", "No"))
