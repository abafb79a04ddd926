"""What training sees: plans of epochs, batches, varied pictures and cached features."""

import copy
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.errors import PictureError, SeesayError
from core.model import Encoder, as_regions, without_head
from core.picture import open_picture
from core.preprocess import squeeze_many
from core.vocabulary import Vocabulary
from tests.tiny_sets import draw, lively_cnn, shapes
from training.batches import Batch, Batches, plan_epoch
from training.cache import RowCache
from training.config import StageConfig
from training.data import Example, load_split
from training.distributed import Group
from training.features import FeatureCache
from training.pictures import Views, load_square, load_varied, vary
from training.pixels import PixelCache

SIDE = 64
ALONE = Group(torch.device("cpu"))


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> list[Example]:
    return load_split(shapes(tmp_path_factory.mktemp("sets") / "shapes", train=9), "train")


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    encoder = Encoder("mobilenet_v3_small", SIDE).eval()
    cnn = without_head(lively_cnn("mobilenet_v3_small", SIDE))
    encoder.cnn.load_state_dict(cnn.state_dict())
    return encoder


def vocabulary_of(examples: list[Example]) -> Vocabulary:
    return Vocabulary.build((text for example in examples for text in example.sentences), 1)


def stage(smallest_crop: float) -> StageConfig:
    return StageConfig("tried", 1, 2, 1e-3, smallest_crop=smallest_crop)


def test_plan_shows_every_picture_once_in_an_order_of_its_seed() -> None:
    plan = plan_epoch([1] * 10, 4, "1/0/0")
    assert [len(batch) for batch in plan] == [4, 4, 2]
    assert sorted(index for batch in plan for index in batch) == list(range(10))
    assert plan == plan_epoch([1] * 10, 4, "1/0/0")
    assert plan != plan_epoch([1] * 10, 4, "1/0/1")


def test_plan_shows_pictures_by_their_weights() -> None:
    weights = [3.0] * 100 + [0.5] * 400 + [1.25] * 400
    plan = plan_epoch(weights, 32, "seed")
    shown = Counter(index for batch in plan for index in batch)
    assert {shown[index] for index in range(100)} == {3}
    assert {shown[index] for index in range(100, 500)} == {0, 1}
    assert {shown[index] for index in range(500, 900)} == {1, 2}
    assert 150 < sum(shown[index] for index in range(100, 500)) < 250
    assert 450 < sum(shown[index] for index in range(500, 900)) < 550


def test_each_sentence_belongs_to_its_picture(examples: list[Example]) -> None:
    vocabulary = vocabulary_of(examples)
    plan = [[4, 0, 7], [1]]
    batches = Batches(examples, vocabulary, plan, None, SIDE, "seed", stage(1.0), ALONE)
    assert len(batches) == 2
    batch = batches[0]
    assert batch.inputs.dtype == torch.uint8
    assert batch.inputs.shape == (3, 3, SIDE, SIDE)
    told: dict[int, set[str]] = {}
    for words, picture in zip(batch.words.tolist(), batch.picture_of.tolist(), strict=True):
        told.setdefault(picture, set()).add(" ".join(vocabulary.decode(words[1:])))
    for place, index in enumerate(plan[0]):
        plain = {text.lower().rstrip(" .") for text in examples[index].sentences}
        assert told[place] == plain
        square = load_square(examples[index].path, SIDE)
        seen = batch.inputs[place].numpy()
        assert np.array_equal(seen, square) or np.array_equal(seen, square[:, :, ::-1])


def test_batches_are_the_same_for_the_same_seed(examples: list[Example]) -> None:
    def inputs(seed: str) -> torch.Tensor:
        plan = [[0, 1, 2, 3, 4, 5, 6, 7]]
        return Batches(
            examples, vocabulary_of(examples), plan, None, SIDE, seed, stage(0.7), ALONE
        )[0].inputs

    assert torch.equal(inputs("1/1/0"), inputs("1/1/0"))
    assert not torch.equal(inputs("1/1/0"), inputs("1/1/1"))


def test_varied_pictures_are_mirrored_half_of_the_time(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    draw(path, "blue", left=4)
    square = load_square(path, SIDE)
    varied = [load_varied(path, SIDE, str(seed), True, 1.0) for seed in range(40)]
    mirrored = [bool(np.array_equal(one, square[:, :, ::-1])) for one in varied]
    as_it_is = [bool(np.array_equal(one, square)) for one in varied]
    assert all(one != other for one, other in zip(mirrored, as_it_is, strict=True))
    assert 10 < sum(mirrored) < 30
    for seed in range(40):
        assert np.array_equal(load_varied(path, SIDE, str(seed), False, 1.0), square)


def test_varied_pictures_are_cropped_a_little(tmp_path: Path) -> None:
    # Every pixel tells where it stands: red grows with x, green with y.
    path = tmp_path / "a.png"
    ramp = np.zeros((200, 200, 3), np.uint8)
    ramp[:, :, 0] = np.arange(200)
    ramp[:, :, 1] = np.arange(200)[:, None]
    Image.fromarray(ramp).save(path)
    sizes = []
    for seed in range(30):
        varied = load_varied(path, SIDE, str(seed), False, 0.6)
        assert varied.shape == (3, SIDE, SIDE)
        assert np.array_equal(varied, load_varied(path, SIDE, str(seed), False, 0.6))
        red, green = varied[0].astype(int), varied[1].astype(int)
        sizes += [np.ptp(red[0]) / 200, np.ptp(green[:, 0]) / 200]
    assert 0.55 < min(sizes) < 0.7
    assert 0.9 < max(sizes) <= 1


def test_cached_features_are_those_of_the_encoder(
    examples: list[Example], encoder: Encoder, tmp_path: Path
) -> None:
    cache = FeatureCache(Views(examples, SIDE), encoder, tmp_path, ALONE)
    pixels = [open_picture(example.path).pixels for example in examples]
    squares = torch.from_numpy(squeeze_many(pixels, SIDE))
    with torch.inference_mode():
        plain, mirrored = encoder(squares), encoder(squares.flip(3))
    order = [5, 0, 5, 8]
    found = cache.get(order, [0, 0, 1, 1])
    expected = torch.stack([plain[5], plain[0], mirrored[5], mirrored[8]])
    torch.testing.assert_close(as_regions(found), expected, rtol=2e-3, atol=2e-3)
    assert (plain[5] - mirrored[5]).abs().max() > 0.1


def test_shared_layers_are_cached_and_the_others_go_on_from_them(
    examples: list[Example], tmp_path: Path
) -> None:
    encoder = Encoder("mobilenet_v3_small", SIDE, own_layers=3).eval()
    encoder.cnn.load_state_dict(without_head(lively_cnn("mobilenet_v3_small", SIDE)).state_dict())
    views = Views(examples, SIDE, views=4, smallest=0.7)
    cache = FeatureCache(views, encoder, tmp_path, ALONE, shared=True)
    with torch.inference_mode():
        found = encoder.finish(cache.get([3] * 4, range(4)))
        expected = encoder(views[3])
    torch.testing.assert_close(found, expected, rtol=1e-2, atol=1e-2)


def test_spoilt_pictures_are_still_of_the_same_thing() -> None:
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:, :32], pixels[:, 32:] = 200, 90
    spoilt = [vary(pixels, 64, f"{seed}", False, 1.0, spoil=0.5) for seed in range(30)]
    assert all(square.shape == (3, 64, 64) and square.dtype == np.uint8 for square in spoilt)
    changed = [square for square in spoilt if (square != pixels.transpose(2, 0, 1)).any()]
    assert 15 < len(changed) < 30  # each of three ways, half of the time
    for square in spoilt:
        assert square[:, :, :24].mean() > square[:, :, 40:].mean() + 50
    again = vary(pixels, 64, "3", False, 1.0, spoil=0.5)
    np.testing.assert_array_equal(again, spoilt[3])


def test_another_light_keeps_what_is_seen_and_its_hue() -> None:
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:, :4], pixels[:, 4:] = (180, 60, 60), (60, 60, 120)
    lit = [vary(pixels, 8, f"{seed}", False, 1.0, light=0.3) for seed in range(20)]
    assert len({square.tobytes() for square in lit}) > 10
    for square in lit:
        red, green, blue = square.astype(int)
        assert (red - green)[:, 0].min() > 30
        assert (blue - green)[:, 7].min() > 15
        assert np.abs(red - green)[:, 7].max() <= 1
        assert np.abs(square.astype(int).mean() - pixels.mean()) < 0.6 * pixels.mean()
    assert np.array_equal(lit[3], vary(pixels, 8, "3", False, 1.0, light=0.3))


def test_views_of_a_picture(examples: list[Example]) -> None:
    whole, mirrored, crop, other = Views(examples, SIDE, views=4, smallest=0.7)[0]
    assert torch.equal(mirrored, whole.flip(2))
    for first, second in ((whole, crop), (whole, other), (crop, other), (mirrored, crop)):
        assert not torch.equal(first, second)
    # "left" would become a lie in the mirror.
    fixed = [replace(examples[0], sentences=("A square is left of it.",))]
    assert not fixed[0].flippable
    whole, mirrored = Views(fixed, SIDE)[0]
    assert torch.equal(mirrored, whole)


def test_cache_of_other_weights_is_another(
    examples: list[Example], encoder: Encoder, tmp_path: Path
) -> None:
    first = FeatureCache(Views(examples, SIDE), encoder, tmp_path, ALONE).get([0], [0])
    other = copy.deepcopy(encoder)
    next(other.parameters()).data *= 1.5
    assert not torch.equal(
        FeatureCache(Views(examples, SIDE), other, tmp_path, ALONE).get([0], [0]), first
    )


def test_cache_of_another_precision_is_another(
    examples: list[Example], encoder: Encoder, tmp_path: Path
) -> None:
    views = Views(examples, SIDE)
    FeatureCache(views, encoder, tmp_path, ALONE, precision=torch.bfloat16)
    found = FeatureCache(views, encoder, tmp_path, ALONE).get([0], [0])
    exact = FeatureCache(views, encoder, tmp_path / "exact", ALONE).get([0], [0])
    assert torch.equal(found, exact)


def test_cache_is_completed_and_then_used_again(
    encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.features._BATCH", 4)  # two pictures
    monkeypatch.setattr("training.cache._PIECE", 1)  # one picture
    examples = load_split(shapes(tmp_path / "shapes", train=6), "train")
    indices, views = list(range(6)), [index % 2 for index in range(6)]
    views_of_them = Views(examples, SIDE)
    expected = FeatureCache(views_of_them, encoder, tmp_path / "whole", ALONE).get(indices, views)

    damaged = examples[5].path.read_bytes()
    examples[5].path.write_bytes(damaged[:60])
    with pytest.raises(PictureError):
        FeatureCache(Views(examples, SIDE), encoder, tmp_path / "features", ALONE)
    examples[5].path.write_bytes(damaged)
    # What was done before stays: this picture would give other features now.
    draw(examples[0].path, "green", "bottom", left=30)
    completed = FeatureCache(Views(examples, SIDE), encoder, tmp_path / "features", ALONE)
    assert torch.equal(completed.get(indices, views), expected)

    for example in examples:
        example.path.unlink()
    used_again = FeatureCache(Views(examples, SIDE), encoder, tmp_path / "features", ALONE)
    assert torch.equal(used_again.get(indices, views), expected)


def test_cache_whose_files_were_deleted_is_made_anew(
    examples: list[Example], encoder: Encoder, tmp_path: Path
) -> None:
    first = FeatureCache(Views(examples, SIDE), encoder, tmp_path, ALONE).get([0, 8], [0, 1])
    for file in tmp_path.glob("*.npy"):
        file.unlink()
    again = FeatureCache(Views(examples, SIDE), encoder, tmp_path, ALONE).get([0, 8], [0, 1])
    assert torch.equal(again, first)


def test_cached_pictures_are_those_on_disk_decoded_once(tmp_path: Path) -> None:
    examples = load_split(shapes(tmp_path / "shapes", train=6), "train")
    expected = [load_square(example.path, 80) for example in examples]
    # So large that a crop of four fifths has the model's size.
    cache = PixelCache(examples, SIDE, 0.8, tmp_path / "pixels", ALONE)
    for index, square in enumerate(expected):
        assert np.array_equal(cache.get(index).transpose(2, 0, 1), square)
    for example in examples:
        example.path.unlink()
    used_again = PixelCache(examples, SIDE, 0.8, tmp_path / "pixels", ALONE)
    assert np.array_equal(used_again.get(5), cache.get(5))


def test_batches_of_cached_pictures_are_cropped_and_mirrored_as_those_decoded_each_time(
    examples: list[Example], tmp_path: Path
) -> None:
    vocabulary, plan = vocabulary_of(examples), [[*range(8)]]
    cache = PixelCache(examples, SIDE, 0.7, tmp_path, ALONE)

    def inputs(source: PixelCache | None, seed: str) -> torch.Tensor:
        return Batches(examples, vocabulary, plan, source, SIDE, seed, stage(0.7), ALONE)[
            0
        ].inputs.float()

    cached, decoded, other = inputs(cache, "1"), inputs(None, "1"), inputs(cache, "2")
    assert cached.shape == decoded.shape
    # Squeezed before the crop or after it, which makes edges a little softer.
    assert (cached - decoded).abs().mean() < 3
    assert (cached - other).abs().mean() > 10


def test_processes_share_a_batch_as_one_would_see_it(examples: list[Example]) -> None:
    vocabulary, plan = vocabulary_of(examples), [[3, 1, 4, 0, 5], [2]]

    def batch(number: int, rank: int, size: int) -> Batch:
        group = Group(torch.device("cpu"), rank, size)
        return Batches(examples, vocabulary, plan, None, SIDE, "1", stage(0.7), group)[number]

    whole, *parts = batch(0, 0, 1), batch(0, 0, 2), batch(0, 1, 2)
    assert [part.places for part in parts] == [[0, 2, 4], [1, 3]]
    for part in parts:
        assert not part.spare
        assert torch.equal(part.inputs, whole.inputs[part.places])
    assert sum(len(part.words) for part in parts) == len(whole.words)
    # One of them has nothing to do: it is given a picture that does not count.
    assert [batch(1, rank, 2).spare for rank in (0, 1)] == [False, True]
    assert torch.equal(batch(1, 1, 2).inputs, batch(1, 0, 2).inputs)


def test_cache_that_the_disk_cannot_hold(tmp_path: Path) -> None:
    cache = RowCache(tmp_path, "large", 2, (10**9, 10**9), np.uint8)
    with pytest.raises(SeesayError, match="make room"):
        cache.fill(lambda indices: [], ALONE, "nothing")
    assert list(tmp_path.iterdir()) == []
