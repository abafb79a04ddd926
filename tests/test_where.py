"""Where things were seen: maps for words, places, boxes, and the sentence that tells them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.caption import Caption, Level, Thing, Word
from core.captioner import Captioner
from core.grounding import Grounding, ground
from core.model_file import load_model
from core.paths import BUILTIN_MODEL
from core.preprocess import squeeze_many
from core.speaking import speak
from core.vocabulary import Vocabulary
from core.where import box, locate, place, spoken_where, spoken_with_places, with_places
from tests.decoder_networks import DecoderNetwork, sight_of

ROWS, COLUMNS = 5, 7
# Of the built-in model's grid, and of the strips of it, which begin at 0, 2 and 4.
SIDE, WIDTH = 8, 4


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


def seen(word: str, cell: tuple[int, int] | None = None, grounded: float = 0.9) -> Word:
    """A word that was seen in one cell, or everywhere alike."""
    attention = np.full((ROWS, COLUMNS), 1 / 35) if cell is None else looked_at(cell)
    return locate(word, attention, grounded)


def expected(sentence: str) -> list[Word]:
    """Words that the words before them called for."""
    return [seen(word, grounded=0.1) for word in sentence.split()]


def test_a_word_that_was_hardly_seen_has_no_place() -> None:
    assert seen("dog", (4, 0)).where == "lower left"
    word = seen("of", (4, 0), grounded=0.1)
    assert (word.where, word.box) == (None, None)
    assert np.sum(word.attention) == pytest.approx(1)


def test_the_sentence_with_its_places() -> None:
    words = [*expected("a"), seen("dog", (4, 0)), *expected("runs through"), seen("grass")]
    assert spoken_where(words) == "A dog, lower left, runs through grass, everywhere."
    words = [*expected("a"), seen("cat", (2, 3)), *expected("near a"), seen("window", (0, 3))]
    assert spoken_where(words) == "A cat, in the middle, near a window, at the top."


def test_a_place_follows_the_whole_name_and_not_its_adjectives() -> None:
    cell = (2, 6)
    words = [*expected("a"), seen("red", cell), seen("fire", cell), seen("hydrant", cell)]
    words += [seen("standing", cell), *expected("there")]
    assert spoken_where(words) == "A red fire hydrant, on the right, standing there."
    words[3] = seen("hydrant", grounded=0.1)
    assert spoken_where(words) == "A red fire hydrant, on the right, standing there."


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("a man climbs a rock face", "A man climbs a rock face, on the right."),
        ("a snow covered mountain", "A snow covered mountain, on the right."),
        ("grass covered in snow", "Grass, on the right, covered in snow."),
        ("a light brown dog", "A light brown dog, on the right."),
        ("a child on a swing set", "A child, on the right, on a swing set."),
        ("dogs on an ice rink", "Dogs, on the right, on an ice rink."),
    ],
)
def test_no_place_stands_in_the_midst_of_a_name(sentence: str, told: str) -> None:
    names = {"rock", "face", "snow", "mountain", "grass", "light", "dog", "child", "swing"}
    names |= {"dogs", "ice"}
    words = [seen(word, (2, 6), 0.9 if word in names else 0.1) for word in sentence.split()]
    assert spoken_where(words) == told


def test_a_place_is_not_told_twice_in_a_row() -> None:
    cell = (0, 0)
    words = [seen("dogs", cell), *expected("in a"), seen("field", cell), seen("by", cell)]
    words += [seen("trees", (0, 6))]
    assert spoken_where(words) == "Dogs, upper left, in a field by trees, upper right."


def test_of_many_places_those_that_were_seen_best_are_told() -> None:
    places = {"man": (0, 0), "dog": (0, 6), "bench": (4, 0), "ball": (4, 6)}
    words = [seen(noun, cell, 0.6 if noun == "dog" else 0.9) for noun, cell in places.items()]
    mixed = [part for word in words for part in (*expected("a"), word, *expected("and"))][:-1]
    assert spoken_where(mixed) == (
        "A man, upper left, and a dog and a bench, lower left, and a ball, lower right."
    )


@pytest.mark.parametrize(
    ("level", "things", "told"),
    [
        ("sure", (), "A dog, lower left, runs."),
        ("sure", (Thing("dog", 0.9),), "A dog, lower left, runs."),
        ("unsure", (), "Perhaps: a dog, lower left, runs."),
        ("unsure", (Thing("cat", 0.9),), ""),
    ],
)
def test_a_sentence_that_things_were_said_for_does_not_come_back_with_places(
    level: Level, things: tuple[Thing, ...], told: str
) -> None:
    words = (*expected("a"), seen("dog", (4, 0)), *expected("runs"))
    sentence = "A dog runs."
    spoken = speak(sentence, level, (), things, "")
    caption = Caption("", sentence, 0.5, level, spoken, words, (), (), things, 0.1, "model")
    assert with_places(caption) == told
    assert spoken_with_places(caption) == (told or spoken)
    aloud = speak(sentence, level, (), things, "EXIT.")
    assert spoken_with_places(replace(caption, spoken=aloud)) == (
        f"{told} It says: EXIT." if told else aloud
    )
    assert ("runs" in spoken) == bool(told) == bool(caption.told_words)


def test_without_a_place_the_sentence_stays_as_it_is() -> None:
    assert spoken_where(expected("two dogs on a beach")) == "Two dogs on a beach."
    assert spoken_where([]) == ""


@pytest.fixture(scope="module")
def captioner() -> Captioner:
    return Captioner.load(device="cpu")


def found(captioner: Captioner, pixels: np.ndarray, sentence: str) -> tuple[list[str], Grounding]:
    words = captioner.vocabulary.encode(sentence)[1:-1]
    sight = captioner.network.see(squeeze_many([pixels], captioner.image_size))
    return sentence.split(), ground(captioner.network, sight, 0, tuple(words))


def two(first: str, second: str, axis: int) -> np.ndarray:
    """Two photographs in one picture, each with half of it."""
    data = pytest.importorskip("skimage.data")
    photographs = [Image.fromarray(getattr(data, name)()) for name in (first, second)]
    return np.concatenate([np.asarray(one.resize((400, 300))) for one in photographs], axis)


@pytest.mark.parametrize(
    ("pair", "axis", "noun", "side"),
    [
        (("chelsea", "astronaut"), 1, "cat", "left"),
        (("astronaut", "chelsea"), 1, "cat", "right"),
        (("chelsea", "coffee"), 0, "cat", "above upper"),
        (("coffee", "chelsea"), 0, "cat", "below lower"),
        (("chelsea", "coffee"), 0, "cup", "below lower"),
        (("coffee", "chelsea"), 0, "cup", "above upper"),
    ],
)
def test_a_thing_is_found_in_its_photograph(
    captioner: Captioner, pair: tuple[str, str], axis: int, noun: str, side: str
) -> None:
    words, (maps, grounded) = found(captioner, two(*pair, axis), "a cat and a cup of coffee")
    at = words.index(noun)
    where = locate(noun, maps[at], float(grounded[at])).where
    assert where is not None
    assert set(where.split()) & set(side.split()), where


def test_nouns_are_seen_and_small_words_expected(captioner: Captioner) -> None:
    picture = two("chelsea", "coffee", axis=0)
    words, (maps, grounded) = found(captioner, picture, "a cat and a cup of coffee")
    assert maps.shape == (len(words), SIDE, SIDE)
    assert (maps >= 0).all()
    assert maps.sum(axis=(1, 2)) == pytest.approx(1, abs=1e-5)
    assert ((grounded >= 0) & (grounded <= 1)).all()
    assert grounded[words.index("cat")] > 0.5 > grounded[words.index("of")]


@torch.inference_mode()
def test_a_map_is_what_single_steps_of_the_decoder_give() -> None:
    model, vocabulary, _ = load_model(BUILTIN_MODEL)
    decoder = model.decoder
    words = vocabulary.encode("a cat on a table")[1:-1]
    square = squeeze_many([two("coffee", "chelsea", axis=1)], model.config.image_size)
    regions = model.encoder(torch.from_numpy(square))  # (1, R, C)
    grid = regions[0].view(SIDE, SIDE, -1)

    def probability(strip: torch.Tensor) -> list[float]:
        scene, state, heard = (
            decoder.look_at(strip.reshape(1, WIDTH * SIDE, -1)),
            None,
            Vocabulary.start,
        )
        steps = []
        for word in words:
            logits, _, state = decoder(scene, torch.tensor([[heard]]), state)
            steps.append(float(logits[0, -1].softmax(dim=0)[word]))
            heard = word
        return steps

    down = [probability(grid[:, at : at + WIDTH]) for at in (0, 2, 4)]
    across = [probability(grid[at : at + WIDTH]) for at in (0, 2, 4)]
    sight = sight_of(decoder, regions)
    maps, grounded = ground(DecoderNetwork(decoder), sight, 0, tuple(words))
    for at in range(len(words)):
        # The upper left corner lies in the first strip of each kind alone, the lower right in the
        # last: their ratio does not depend on the scale of the map.
        ratio = across[0][at] * down[0][at] / (across[2][at] * down[2][at])
        assert float(maps[at, 0, 0] / maps[at, -1, -1]) == pytest.approx(ratio, rel=1e-3)
        # The third column lies in the first two strips.
        middle = (down[1][at] / down[0][at]) ** 0.5
        assert float(maps[at, 0, 2] / maps[at, 0, 0]) == pytest.approx(middle, rel=1e-3)
        alone = [strip[at] for strip in across + down]
        assert float(grounded[at]) == pytest.approx(1 - min(alone) / max(alone), abs=1e-4)
