"""The attention figure: how many tiles, and that each is bright where the model looked."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from core.caption import Caption, Thing, Word
from core.overlay import draw_attention
from core.picture import open_picture

GREY = 120


def look(word: str, row: int, column: int, grounded: float = 0.7) -> Word:
    """A word for which one cell of a grid of 7 x 7 was looked at."""
    grid = np.zeros((7, 7))
    grid[row, column] = 1
    return Word(word, grounded, None, None, tuple(map(tuple, grid.tolist())))


def caption(*words: Word) -> Caption:
    return Caption(
        path="photo.png",
        caption="A dog.",
        confidence=0.62,
        level="sure",
        spoken="A dog.",
        words=words,
        text=(),
        notes=(),
        things=(),
        seconds=0.1,
        model="drawn",
    )


def plain(width: int, height: int) -> np.ndarray:
    return np.full((height, width, 3), GREY, np.uint8)


def pixels_of(figure: Image.Image) -> np.ndarray:
    return np.asarray(figure.convert("L"), dtype=float)


def tiles_of(figure: Image.Image) -> list[np.ndarray]:
    """The tiles of one row: what is neither paper nor label, from left to right."""
    pixels = pixels_of(figure)
    rows = np.flatnonzero((pixels[:, 20:80] < 250).all(axis=1))  # letters leave gaps
    band = pixels[rows[0] : rows[-1] + 1]
    filled = (band < 250).all(axis=0)
    edges = np.flatnonzero(np.diff(np.r_[0, filled, 0]))
    return [band[:, left:right] for left, right in edges.reshape(-1, 2)]


def test_each_word_has_a_tile_lit_where_the_model_looked() -> None:
    picture = open_picture(plain(400, 300))
    words = (look("a", 0, 0, 0.1), look("dog", 6, 6), look("runs", 3, 3))
    original, *tiles = tiles_of(draw_attention(picture, caption(*words)))
    assert np.all(original == GREY)
    assert len(tiles) == 3
    for tile, (down, across) in zip(tiles, [(0, 0), (1, 1), (0.5, 0.5)], strict=True):
        assert tile.shape == original.shape
        height, width = tile.shape
        y, x = np.unravel_index(tile.argmax(), tile.shape)
        assert abs(y - down * height) < height / 7 + 1
        assert abs(x - across * width) < width / 7 + 1
        assert tile.max() > GREY  # lifted where it looked
        assert np.median(tile) < GREY / 2  # dimmed where it did not


def test_labels_stand_apart_from_the_paper() -> None:
    picture = open_picture(plain(400, 300))
    with_words = pixels_of(draw_attention(picture, caption(look("dog", 3, 3))))
    other_words = pixels_of(draw_attention(picture, caption(look("cat", 3, 3))))
    changed = with_words != other_words
    assert changed.any()
    assert with_words[changed].min() < 60  # nearly black on white
    assert with_words[changed].max() > 200


@pytest.mark.parametrize(("width", "height"), [(400, 20), (20, 400), (1, 1), (3000, 1), (640, 480)])
def test_pictures_of_every_shape(width: int, height: int) -> None:
    picture = open_picture(plain(width, height))
    words = [look(word, 3, 3) for word in ("skateboarders", "and", "a", "snowboarder") * 5]
    figure = draw_attention(picture, caption(*words))
    assert figure.mode == "RGB"
    assert figure.width <= 1600
    assert figure.height <= 10_000
    without = draw_attention(picture, caption())
    assert figure.height * figure.width > 3 * without.height * without.width


def test_the_confidence_of_a_sentence_that_is_not_said_is_not_told() -> None:
    spoken = "I am not sure what is happening here. I see a lake."
    unsure = replace(caption(), level="unsure", spoken=spoken, things=(Thing("lake", 0.9),))
    silent = replace(unsure, caption=None)
    picture = open_picture(plain(400, 300))
    assert np.array_equal(
        pixels_of(draw_attention(picture, unsure)), pixels_of(draw_attention(picture, silent))
    )


def test_where_nothing_is_said_there_is_just_the_picture() -> None:
    picture = open_picture(plain(400, 300))
    spoken = "The picture is almost black. The lens may be covered, or the screen curtain on."
    silent = replace(caption(), caption=None, level="none", spoken=spoken, confidence=0.0)
    figure = draw_attention(picture, silent)
    (tile,) = tiles_of(figure)
    assert np.all(tile == GREY)
    # The whole sentence is inside: the last columns hold nothing but paper.
    assert np.all(pixels_of(figure)[:, -8:] == 255)
