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
def test_the_sentence_is_that_of_the_photograph(
    photo: np.ndarray, tiny_model: str, sideways: bool
) -> None:
    captioner = Captioner.load(tiny_model, "cpu")
    bare = captioner.caption(photo, text=False)
    shown = captioner.caption(with_bars(photo, sideways), text=False)
    assert (shown.caption, shown.confidence) == (bare.caption, bare.confidence)
    assert shown.words
    assert [word.word for word in shown.words] == [word.word for word in bare.words]


@pytest.mark.parametrize("sideways", [False, True])
def test_maps_over_the_part_become_maps_over_the_whole(photo: np.ndarray, sideways: bool) -> None:
    side = 8
    maps = np.random.default_rng(1).random((3, side, side))
    maps[0] = 0
    maps[0, 0, 0] = 1  # the upper left corner of the photograph
    shown = with_bars(photo, sideways)
    spread = between_bars(shown).spread(maps)
    assert spread.sum(axis=(1, 2)) == pytest.approx(maps.sum(axis=(1, 2)))
    if sideways:
        spread, maps, shown = (spread.transpose(0, 2, 1), maps.transpose(0, 2, 1), shown[:, :, 0].T)
    assert spread.sum(axis=1) == pytest.approx(maps.sum(axis=1))  # nothing moves along the bars
    first, last = (side * at / len(shown) for at in (100, len(shown) - 108))
    assert np.all(spread[:, : int(first)] == 0)
    assert np.all(spread[:, int(last) + 1 :] == 0)
    assert spread[0, int(first)].argmax() == 0
    assert np.flatnonzero(spread[0].sum(axis=1)).tolist() == [1, 2]
    assert np.array_equal(whole(photo).spread(maps), maps)
