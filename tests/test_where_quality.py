"""Where the model looked, and pictures of which nothing can be said."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.quality import SENTENCES, find_notes
from core.where import box, place

ROWS, COLUMNS = 5, 7


def looked_at(*cells: tuple[int, int]) -> np.ndarray:
    """Nearly all attention on these cells, given as row and column."""
    attention = np.full((ROWS, COLUMNS), 0.001, np.float32)
    for row, column in cells:
        attention[row, column] = 1
    return attention / attention.sum()


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ((0, 0), "upper left"),
        ((0, 3), "above"),
        ((0, 6), "upper right"),
        ((2, 0), "left"),
        ((2, 3), "centre"),
        ((2, 6), "right"),
        ((4, 0), "lower left"),
        ((4, 3), "below"),
        ((4, 6), "lower right"),
    ],
)
def test_place_of_one_cell(cell: tuple[int, int], name: str) -> None:
    assert place(looked_at(cell)) == name


def test_two_sides_at_once_and_everywhere_are_the_centre() -> None:
    assert place(looked_at((2, 0), (2, 6))) == "centre"
    assert place(np.full((ROWS, COLUMNS), 1 / 35)) == "centre"
    assert place(np.ones((1, 1))) == "centre"


def test_box_around_what_was_looked_at() -> None:
    assert box(looked_at((1, 2))) == pytest.approx((2 / 7, 1 / 5, 3 / 7, 2 / 5))
    assert box(looked_at((1, 2), (3, 5))) == pytest.approx((2 / 7, 1 / 5, 6 / 7, 4 / 5))
    assert box(np.full((ROWS, COLUMNS), 1 / 35)) == (0, 0, 1, 1)


def test_weak_glances_are_outside_the_box() -> None:
    attention = looked_at((1, 2))
    attention[4, 6] = attention.max() / 4
    assert box(attention) == pytest.approx((2 / 7, 1 / 5, 3 / 7, 2 / 5))


@given(
    st.integers(1, 5).flatmap(
        lambda columns: st.lists(
            st.lists(st.floats(0, 1, width=32), min_size=columns, max_size=columns),
            min_size=1,
            max_size=5,
        )
    )
)
def test_boxes_lie_in_the_picture_and_sides_mirror(rows: list[list[float]]) -> None:
    attention = np.array(rows)
    attention[0, 0] += 0.1  # somewhere it looked
    left, top, right, bottom = box(attention)
    assert 0 <= left < right <= 1
    assert 0 <= top < bottom <= 1
    assert box(attention[:, ::-1]) == pytest.approx((1 - right, top, 1 - left, bottom))
    assert box(attention[::-1]) == pytest.approx((left, 1 - bottom, right, 1 - top))
    assert box(attention.T) == (top, left, bottom, right)
    named, mirrored = place(attention), place(attention[:, ::-1])
    assert mirrored.replace("right", "LEFT").replace("left", "right").lower() == named


def noise(mean: float, spread: float, size: tuple[int, int] = (120, 160)) -> np.ndarray:
    values = np.random.default_rng(0).normal(mean, spread, (*size, 3))
    return values.clip(0, 255).astype(np.uint8)


def night_street() -> np.ndarray:
    pixels = noise(6, 2)
    pixels[30:40, 20:30] = pixels[35:45, 120:130] = (255, 220, 150)
    return pixels


def half_and_half() -> np.ndarray:
    pixels = np.zeros((100, 100, 3), np.uint8)
    pixels[:, 50:] = 255
    return pixels


def fog() -> np.ndarray:
    """A faint slope of grey."""
    return np.broadcast_to(np.linspace(150, 160, 100)[:, None, None], (100, 120, 3)).astype("uint8")


@pytest.mark.parametrize(
    ("pixels", "notes"),
    [
        pytest.param(np.zeros((50, 60, 3), np.uint8), ("dark",), id="black"),
        pytest.param(noise(5, 3), ("dark",), id="covered lens"),
        pytest.param(np.zeros((1, 1, 3), np.uint8), ("dark",), id="black pixel"),
        pytest.param(np.full((50, 60, 3), 255, np.uint8), ("blank",), id="white"),
        pytest.param(np.full((9, 9, 3), (0, 0, 200), np.uint8), ("blank",), id="blue"),
        pytest.param(np.full((1, 1, 3), 90, np.uint8), ("blank",), id="pixel"),
        pytest.param(noise(128, 40), (), id="noise"),
        pytest.param(noise(128, 40, (1, 300)), (), id="line"),
        pytest.param(noise(128, 40, (300, 1)), (), id="column"),
        pytest.param(night_street(), (), id="night street"),
        pytest.param(half_and_half(), (), id="black and white"),
        pytest.param(fog(), (), id="fog"),
    ],
)
def test_notes(pixels: np.ndarray, notes: tuple[str, ...]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert find_notes(pixels) == notes
    # The same of a large picture, where not every pixel is looked at.
    assert find_notes(pixels.repeat(12, axis=0).repeat(12, axis=1)) == notes


def test_each_note_has_a_sentence() -> None:
    for note in ("dark", "blank"):
        assert SENTENCES[note].endswith(".")
