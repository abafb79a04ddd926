"""The picture once more for each word, lit where the model looked when it wrote the word.

The figure of Xu et al., "Show, Attend and Tell" (ICML 2015).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from core.caption import Caption, Word
from core.picture import Picture

_PAPER, _INK = (255, 255, 255), (20, 20, 20)
_TITLE_SIZE, _LABEL_SIZE = 26, 21  # height of the letters, in pixels
_GAP = 16
_AREA = 300 * 225  # pixels of a tile, whatever the picture's shape
_LONGEST = 900  # side of a tile
_NARROWEST = 190  # cell, so that long words find room
_WIDEST = 1600  # figure
_TITLE_ROOM = 600  # beside a lone picture, so that its sentence is not broken into many lines
# Regions that were not looked at keep this much of their light.
_DIMMED = 0.25
# How far towards white the region that was looked at most is lifted.
_LIFTED = 0.3


@dataclass(frozen=True)
class _Tile:
    image: Image.Image
    label: str


def draw_attention(picture: Picture, caption: Caption) -> Image.Image:
    """The picture, then once a word what the model looked at, with how much the word was seen.

    The brightest spot of each tile is what was looked at most for that word; the number beside
    the word is its ``grounded``. Without words, the figure is the picture and what was said of it.

    Args:
        picture: as it was captioned.
        caption: of this picture.

    Returns:
        An RGB image of at most 1600 pixels in width, as high as the words need.
    """
    small = _shrink(picture)
    pixels = np.asarray(small, dtype=np.float32)  # (height, width, 3), 0 to 255
    tiles = [_Tile(small, "the picture")]
    tiles += [
        _Tile(light(pixels, word), f"{word.word} {word.grounded:.2f}") for word in caption.words
    ]
    return _compose(tiles, _title(caption))


def light(pixels: NDArray[np.float32], word: Word) -> Image.Image:
    """The picture, dark but for what the model looked at when it wrote a word.

    Args:
        pixels: (height, width, 3) RGB, 0 to 255.
        word: of this picture's caption.
    """
    height, width = pixels.shape[:2]
    grid = Image.fromarray(np.array(word.attention, dtype=np.float32))  # rows x columns
    smooth = np.asarray(grid.resize((width, height), Image.Resampling.BICUBIC))
    smooth = smooth.clip(0)  # bicubic curves swing below zero
    light = (smooth / smooth.max())[..., None]  # (height, width, 1), 0 to 1
    lit = pixels * (_DIMMED + (1 - _DIMMED) * light)
    lit += (255 - lit) * _LIFTED * light**2
    return Image.fromarray(lit.round().astype(np.uint8))


def _title(caption: Caption) -> str:
    if not caption.is_sentence_said:  # the confidence is that of the sentence
        return caption.spoken
    return f"{caption.spoken} (confidence {caption.confidence:.0%})"


def _shrink(picture: Picture) -> Image.Image:
    """The picture at the size of a tile; very long ones get thin."""
    shape = picture.width / picture.height
    width, height = math.sqrt(_AREA * shape), math.sqrt(_AREA / shape)
    scale = min(1.0, _LONGEST / max(width, height))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return Image.fromarray(picture.pixels).resize(size, Image.Resampling.LANCZOS)


def _compose(tiles: list[_Tile], title: str) -> Image.Image:
    label_font = ImageFont.load_default(_LABEL_SIZE)
    title_font = ImageFont.load_default(_TITLE_SIZE)
    tile_width, tile_height = tiles[0].image.size
    cell_width = max(tile_width, _NARROWEST) + _GAP
    cell_height = tile_height + round(1.5 * _LABEL_SIZE) + _GAP
    columns = min(len(tiles), max(1, (_WIDEST - _GAP) // cell_width))
    rows = math.ceil(len(tiles) / columns)
    columns = math.ceil(len(tiles) / rows)  # rows as even as they can be
    width = max(columns * cell_width, _TITLE_ROOM) + _GAP
    lines = _wrap(title, title_font, width - 2 * _GAP)
    line_height = round(1.3 * _TITLE_SIZE)
    top = _GAP + line_height * len(lines) + _GAP

    figure = Image.new("RGB", (width, top + rows * cell_height), _PAPER)
    draw = ImageDraw.Draw(figure)
    for number, line in enumerate(lines):
        draw.text((_GAP, _GAP + number * line_height), line, _INK, title_font)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        left, upper = _GAP + column * cell_width, top + row * cell_height
        figure.paste(tile.image, (left, upper))
        draw.text((left, upper + tile_height + 4), tile.label, _INK, label_font)
    return figure


def _wrap(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: float) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
