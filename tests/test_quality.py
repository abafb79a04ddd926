"""Pictures of which no sentence about a photograph is made, and those of which one is."""

import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from core.caption import DRAWN
from core.picture import open_picture
from core.quality import SENTENCES, UNFIT, find_notes
from tests import made_pages, other_screens
from tests import picture_kinds as kinds
from tests.benchmarks.kind_pictures import DATA, bad, good, photograph_paths
from tests.made_screens import Maker

needs_data = pytest.mark.skipif(not DATA.exists(), reason="the photographs are not here")


def photograph(name: str) -> np.ndarray:
    folder = Path(pytest.importorskip("skimage").__file__).parent / "data"
    return open_picture(folder / name).pixels


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def noise(mean: float, spread: float, size: tuple[int, int] = (120, 160)) -> np.ndarray:
    values = rng().normal(mean, spread, (*size, 3))
    return values.clip(0, 255).astype(np.uint8)


def half_and_half() -> np.ndarray:
    pixels = np.zeros((100, 100, 3), np.uint8)
    pixels[:, 50:] = 255
    return pixels


@pytest.mark.parametrize(
    ("pixels", "notes"),
    [
        pytest.param(np.zeros((50, 60, 3), np.uint8), ("dark",), id="black"),
        pytest.param(noise(5, 3), ("dark",), id="covered lens"),
        pytest.param(np.zeros((1, 1, 3), np.uint8), ("dark",), id="black pixel"),
        pytest.param(np.full((50, 60, 3), 255, np.uint8), ("blank",), id="white"),
        pytest.param(np.full((9, 9, 3), (0, 0, 200), np.uint8), ("blank",), id="blue"),
        pytest.param(np.full((1, 1, 3), 90, np.uint8), ("blank",), id="pixel"),
        pytest.param(noise(128, 60, (224, 224)), ("noise",), id="noise"),
    ],
)
def test_pictures_that_show_nothing(pixels: np.ndarray, notes: tuple[str, ...]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert find_notes(pixels) == notes
        # The same of a large picture, where not every pixel is looked at.
        assert find_notes(pixels.repeat(12, axis=0).repeat(12, axis=1)) == notes


@pytest.mark.parametrize("size", [(1, 300), (300, 1), (2, 2), (30, 4000), (100, 100)])
def test_every_size_is_looked_at(size: tuple[int, int]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert set(find_notes(noise(128, 40, size))) <= UNFIT


def test_each_note_has_a_sentence() -> None:
    assert set(SENTENCES) >= UNFIT
    assert all(sentence.endswith(".") for sentence in SENTENCES.values())


PHOTOGRAPHS = ["astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg", "motorcycle_left.png"]


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_photographs_are_not_refused(name: str) -> None:
    pixels = photograph(name)
    variants = {"as it is": pixels, "small": kinds.thumbnail(pixels, 80)}
    makers = [kinds.framed, kinds.enlarged, kinds.grey]
    if name in PHOTOGRAPHS[:3]:  # with something in the middle
        makers += [kinds.on_white, kinds.silhouette]
    variants |= {make.__name__: make(pixels, rng()) for make in makers}
    assert {how: find_notes(shown) for how, shown in variants.items() if find_notes(shown)} == {}


def between_bars(pixels: np.ndarray, colour: int, sideways: bool = False) -> np.ndarray:
    """As a phone held upright shows it, or one held sideways."""
    turned = pixels.transpose(1, 0, 2) if sideways else pixels
    width = 360
    shown = kinds.as_frame(turned, (width, width * len(turned) // turned.shape[1]), 90)
    above = (780 - len(shown)) // 2
    canvas = np.full((780, width, 3), colour, np.uint8)
    canvas[above : above + len(shown)] = shown
    return canvas.transpose(1, 0, 2) if sideways else canvas


@pytest.mark.parametrize("name", PHOTOGRAPHS)
@pytest.mark.parametrize("colour", [0, 255])
@pytest.mark.parametrize("sideways", [False, True])
def test_bars_beside_a_photograph_change_nothing(name: str, colour: int, sideways: bool) -> None:
    assert find_notes(between_bars(photograph(name), colour, sideways)) == ()


def test_a_screen_or_a_blurred_picture_between_bars_stays_one(qapp: QApplication) -> None:
    mail = other_screens.mail(rng())
    blurred = kinds.BAD["blurred"]
    shown = [make(photograph("coffee.png"), rng()) for make in blurred.values()]
    assert find_notes(between_bars(mail, 0))
    assert all(find_notes(between_bars(pixels, 0)) for pixels in shown)


@pytest.mark.parametrize("kind", list(kinds.BAD))
def test_bad_pictures_are_caught_by_their_name(kind: str) -> None:
    missed = []
    for name, side in (("astronaut.png", 224), ("coffee.png", 224), ("chelsea.png", 480)):
        pixels = kinds.as_frame(photograph(name), (side, side), 90)
        for step, make in kinds.BAD[kind].items():
            found = find_notes(make(pixels, rng()))
            # Burnt out to nothing but white is one colour.
            if found != (kind,) and not (kind == "overexposed" and found == ("blank",)):
                missed.append((name, side, step))
    assert missed == []


@pytest.mark.parametrize(
    "make",
    [
        *other_screens.SECOND_SCREENS,
        *made_pages.SECOND["document"],
        *made_pages.SECOND["chart"],
        *made_pages.SECOND["icon"],
    ],
    ids=lambda make: make.__name__,
)
def test_drawn_pictures_are_no_photographs(make: Maker, qapp: QApplication) -> None:
    notes = [find_notes(make(np.random.default_rng(seed))) for seed in range(3)]
    assert all(found and DRAWN.issuperset(found) for found in notes), notes


def test_a_screen_that_shows_a_photograph_is_described(qapp: QApplication) -> None:
    screen = other_screens.mail(rng())
    viewer = kinds.with_photograph(screen, photograph("coffee.png"), 0.85, rng())
    assert find_notes(viewer) == ()
    page = kinds.with_photograph(screen, photograph("coffee.png"), 0.1, rng())
    assert find_notes(page) == ("screen",)


@needs_data
def test_hardly_any_photograph_is_refused() -> None:
    refused = Counter(
        bool(find_notes(seen.pixels)) for seen in good(photograph_paths("val", 250), 9)
    )
    assert refused[True] <= 0.02 * refused.total()


@needs_data
def test_nearly_all_bad_pictures_are_caught() -> None:
    caught = Counter(bool(find_notes(seen.pixels)) for seen in bad(photograph_paths("val", 10)))
    assert caught[True] >= 0.98 * caught.total()
