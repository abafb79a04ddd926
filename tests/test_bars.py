"""A photograph between plain bars, as a screen shows it, is described as if there were none."""

import numpy as np
import pytest
from PIL import Image

from core.bars import between_bars, whole
from core.captioner import Captioner
from tests.picture_kinds import snapshot


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return np.asarray(Image.fromarray(snapshot(1)).resize((320, 240)))


def with_bars(photo: np.ndarray, sideways: bool = False) -> np.ndarray:
    """Between white bars of 100 and of 108 pixels."""
    pixels = photo.transpose(1, 0, 2) if sideways else photo
    shown = np.pad(pixels, ((100, 108), (0, 0), (0, 0)), constant_values=255)
    return shown.transpose(1, 0, 2) if sideways else shown


@pytest.mark.parametrize("sideways", [False, True])
def test_the_part_between_the_bars_is_found(photo: np.ndarray, sideways: bool) -> None:
    part = between_bars(with_bars(photo, sideways))
    assert np.array_equal(part.cut(with_bars(photo, sideways)), photo)
    assert between_bars(photo) == whole(photo)


@pytest.mark.parametrize("sideways", [False, True])
def test_the_sentence_is_that_of_the_photograph_and_places_are_those_of_the_screen(
    photo: np.ndarray, tiny_model: str, sideways: bool
) -> None:
    captioner = Captioner.load(tiny_model, "cpu")
    bare = captioner.caption(photo, text=False)
    shown = captioner.caption(with_bars(photo, sideways), text=False)
    assert (shown.caption, shown.confidence) == (bare.caption, bare.confidence)
    assert shown.words
    for word, other in zip(shown.words, bare.words, strict=True):
        attention, inner = (np.array(one.attention) for one in (word, other))
        assert attention.sum() == pytest.approx(1, abs=1e-5)
        if sideways:
            attention, inner = attention.T, inner.T
        # Of rows of the screen, the outer ones have next to nothing of the photograph.
        side = len(attention)
        edge = int(side * 100 / len(with_bars(photo)))
        assert np.all(attention[:edge] == 0)
        assert np.all(attention[side - edge :] == 0)
        assert attention.sum(axis=0) == pytest.approx(inner.sum(axis=0), abs=1e-5)
