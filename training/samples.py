"""What the model says of a few pictures, and where it looked for each word, on one sheet."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from core.caption import Word
from core.model import CaptionModel
from core.overlay import light
from core.picture import open_picture
from core.preprocess import squeeze_many
from core.search import Hypothesis, beam_search
from core.torch_network import TorchNetwork
from core.vocabulary import Vocabulary, write_sentence
from training.data import Example

_PICTURES = 6
_PAPER, _INK, _PALE = (255, 255, 255), (20, 20, 20), (110, 110, 110)
_BAR, _TRACK = (40, 90, 200), (225, 225, 225)
_TILE, _GAP = 120, 8  # pixels
_COLUMNS = 12
_SENTENCE, _LABEL, _SMALLEST = 20, 16, 9  # height of the letters
_LEGEND = (
    "Bright is where the model looked; the bar is how much a word was seen, not just expected."
)
WIDTH = _GAP + _COLUMNS * (_TILE + _GAP)


def choose(sets: Mapping[str, Sequence[Example]]) -> list[Example]:
    """A few pictures of every set, spread over it; the same ones each time."""
    chosen: list[Example] = []
    for examples in sets.values():
        count = min(len(examples), max(1, _PICTURES // len(sets)))
        chosen += [examples[number * len(examples) // count] for number in range(count)]
    return chosen


def draw_samples(
    model: CaptionModel,
    vocabulary: Vocabulary,
    examples: Sequence[Example],
    beam: int,
) -> Image.Image:
    """A sheet with a block for each picture: the model's sentence, a person's, and the words.

    A word's tile is bright where its attention was; the bar below tells how much the word was seen
    rather than expected from those before it.

    Args:
        model: in evaluation mode.
        vocabulary: of its decoder.
        examples: the pictures.
        beam: of the search.

    Returns:
        An RGB image, `WIDTH` wide, as high as the sentences need.
    """
    network, pictures = TorchNetwork(model), [open_picture(example.path) for example in examples]
    squares = squeeze_many([picture.pixels for picture in pictures], model.config.image_size)
    found = beam_search(network, network.see(squares), beam)
    blocks = []
    for example, picture, hypothesis in zip(examples, pictures, found, strict=True):
        small = Image.fromarray(picture.pixels)
        small.thumbnail((_TILE, _TILE), Image.Resampling.LANCZOS)
        words = _words(hypothesis, vocabulary, model.encoder.rows)
        blocks.append(_block(small, words, example.sentences[0]))
    top = _GAP + round(1.5 * _LABEL)
    sheet = Image.new("RGB", (WIDTH, top + sum(block.height for block in blocks)), _PAPER)
    _write(ImageDraw.Draw(sheet), (_GAP, _GAP), _LEGEND, WIDTH - 2 * _GAP, _LABEL, _PALE)
    for block in blocks:
        sheet.paste(block, (0, top))
        top += block.height
    return sheet


def _words(hypothesis: Hypothesis, vocabulary: Vocabulary, rows: int) -> list[Word]:
    grids = hypothesis.regions.reshape(len(hypothesis.words), rows, -1)  # (words, rows, columns)
    maps = grids.tolist()
    seen = (1 - hypothesis.sentinel).tolist()
    return [
        Word(word, grounded, None, None, tuple(map(tuple, grid)))
        for word, grounded, grid in zip(
            vocabulary.decode(hypothesis.words), seen, maps, strict=True
        )
    ]


def _block(picture: Image.Image, words: Sequence[Word], truth: str) -> Image.Image:
    """One picture: two lines of text, then its tiles in as many lines as they need."""
    lines = math.ceil((1 + len(words)) / _COLUMNS)
    head = _GAP + round(1.3 * (_SENTENCE + _LABEL))
    line = picture.height + round(1.5 * _LABEL) + 3 * _GAP
    block = Image.new("RGB", (WIDTH, head + lines * line + _GAP), _PAPER)
    draw = ImageDraw.Draw(block)
    sentence = write_sentence([word.word for word in words])
    _write(draw, (_GAP, _GAP), sentence, WIDTH - 2 * _GAP, _SENTENCE)
    below = _GAP + round(1.3 * _SENTENCE)
    _write(draw, (_GAP, below), f"A person wrote: {truth}", WIDTH - 2 * _GAP, _LABEL, _PALE)
    pixels = np.asarray(picture, dtype=np.float32)
    block.paste(picture, (_GAP, head + _GAP))
    for number, word in enumerate(words, start=1):
        row, column = divmod(number, _COLUMNS)
        left, top = _GAP + column * (_TILE + _GAP), head + row * line + _GAP
        block.paste(light(pixels, word), (left, top))
        top += picture.height
        _write(draw, (left, top), word.word, _TILE, _LABEL)
        top += round(1.5 * _LABEL)
        draw.rectangle((left, top, left + picture.width - 1, top + 3), _TRACK)
        draw.rectangle((left, top, left + word.grounded * (picture.width - 1), top + 3), _BAR)
    return block


def _write(
    draw: ImageDraw.ImageDraw,
    at: tuple[int, int],
    text: str,
    width: int,
    size: int,
    colour: tuple[int, int, int] = _INK,
) -> None:
    """A line of text, in smaller letters where it is too long; cut where that does not help."""
    font = ImageFont.load_default(size)
    while font.getlength(text) > width and size > _SMALLEST:
        size -= 1
        font = ImageFont.load_default(size)
    while font.getlength(text) > width:
        text = text[:-2] + "…"
    draw.text(at, text, colour, font)
