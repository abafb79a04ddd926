"""Pictures in, captions out."""

import io
import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from core.caption import Caption
from core.captioner import Captioner
from core.errors import DeviceError, ModelError, PictureError
from core.model_folder import WEIGHTS
from core.nouns import NOUNS
from core.paths import BUILTIN_MODEL
from core.picture import Picture, PictureSource, open_picture
from core.where import SEEN
from tests.picture_kinds import snapshot


@pytest.fixture(scope="module")
def captioner(tiny_model: Path) -> Captioner:
    return Captioner.load(tiny_model, "cpu")


def black() -> np.ndarray:
    return np.zeros((40, 60, 3), np.uint8)


def without_seconds(caption: Caption) -> dict[str, Any]:
    return {key: value for key, value in caption.to_dict().items() if key != "seconds"}


def assert_same(one: Caption, other: Caption) -> None:
    """The same sentence, seen in the same places, up to rounding."""
    assert (one.caption, one.level, one.notes) == (other.caption, other.level, other.notes)
    assert [word.word for word in one.words] == [word.word for word in other.words]
    assert one.confidence == pytest.approx(other.confidence, rel=1e-3)
    for word, again in zip(one.words, other.words, strict=True):
        assert np.array(word.attention) == pytest.approx(np.array(again.attention), abs=1e-4)
        assert word.grounded == pytest.approx(again.grounded, abs=1e-4)


def test_a_caption_is_a_sentence_with_its_words(captioner: Captioner) -> None:
    for seed in range(8):
        caption = captioner.caption(snapshot(seed))
        assert caption.caption is not None
        words = [word.word for word in caption.words]
        assert caption.caption == " ".join(words).capitalize() + "."
        assert set(words) <= set(captioner.vocabulary.words[4:])
        assert 1 <= len(words) <= 20
        assert 0 < caption.confidence <= 1
        # Of a model without calibration, nothing is sure.
        assert caption.level == "unsure"
        assert caption.spoken == f"Perhaps: {caption.caption[0].lower()}{caption.caption[1:]}"
        assert caption.seconds > 0
        assert (caption.path, caption.model) == ("picture", "tiny")
        assert (caption.notes, caption.text) == ((), ())


def test_each_word_has_a_map_and_each_thing_that_was_seen_a_place(captioner: Captioner) -> None:
    captions = captioner.caption_many([snapshot(seed) for seed in range(8)])
    words = [word for caption in captions for word in caption.words]
    for word in words:
        attention = np.array(word.attention)
        assert attention.shape == (2, 2)
        assert attention.min() >= 0
        assert attention.sum() == pytest.approx(1)
        assert 0 <= word.grounded <= 1
        seen = word.grounded > SEEN and word.word in NOUNS
        assert (word.where is None) == (word.box is None) == (not seen)
        if word.box:
            left, top, right, bottom = word.box
            assert 0 <= left < right <= 1
            assert 0 <= top < bottom <= 1
    assert {word.where is None for word in words} == {True, False}


def test_without_places_there_are_no_words(captioner: Captioner) -> None:
    caption = captioner.caption(snapshot(0), places=False)
    whole = captioner.caption(snapshot(0))
    assert caption.words == ()
    assert caption.caption == whole.caption
    assert caption.confidence == pytest.approx(whole.confidence, rel=1e-3)


def test_a_caption_begins_without_words_and_is_completed_to_the_same(captioner: Captioner) -> None:
    for pixels in (snapshot(0), snapshot(6), black()):
        begun = captioner.start(Picture(pixels, "picture"))
        assert begun.caption.words == ()
        # What is quick is not broken off.
        whole = captioner.complete(begun, lambda: True)
        assert whole is not None
        assert replace(whole, words=()) == begun.caption
        (expected,) = captioner.caption_many([pixels])
        assert bool(whole.words) == (expected.caption is not None)
        assert_same(whole, expected)
        assert whole.spoken == expected.spoken


@pytest.mark.parametrize(("value", "note"), [(0, "dark"), (255, "blank"), (128, "blank")])
@pytest.mark.parametrize("size", [(1, 1), (1, 40), (48, 64)])
def test_nothing_is_made_up_about_an_empty_picture(
    value: int, note: str, size: tuple[int, int], captioner: Captioner
) -> None:
    caption = captioner.caption(np.full((*size, 3), value, np.uint8))
    assert (caption.caption, caption.level, caption.confidence) == (None, "none", 0)
    assert caption.notes == (note,)
    assert caption.words == ()
    assert caption.spoken.endswith(".")


@pytest.mark.parametrize("size", [(1280, 64), (64, 1280), (2, 300), (300, 2), (8, 8)])
def test_pictures_of_odd_shapes(size: tuple[int, int], captioner: Captioner) -> None:
    caption = captioner.caption(snapshot(0, *size))
    assert (caption.caption is None) == bool(caption.notes)
    assert caption.caption is not None or min(size) <= 8  # so small, it may be called an icon
    assert caption.spoken.endswith(".")


def test_every_kind_of_source_gives_the_same_sentence(captioner: Captioner, tmp_path: Path) -> None:
    pixels = snapshot(1)
    image = Image.fromarray(pixels)
    path = tmp_path / "patches.png"
    image.save(path)
    data = path.read_bytes()
    file, opened = io.BytesIO(data), open_picture(path)
    sources: list[PictureSource] = [str(path), path, data, file, pixels, image, opened]
    captions = captioner.caption_many(sources)
    for caption in captions:
        assert_same(caption, captions[0])
    named = [str(path), str(path), *["picture"] * 4, str(path)]
    assert [caption.path for caption in captions] == named


@pytest.mark.parametrize("count", [0, 1, 17, 40])
def test_many_pictures_in_their_order(count: int, captioner: Captioner) -> None:
    pictures = [
        # Some of which nothing is said, at the start, at the end and on the edges of batches.
        Picture(black() if number in (0, 5, 15, 16, 39) else snapshot(number), f"{number}.png")
        for number in range(count)
    ]
    together = captioner.caption_many(iter(pictures))
    assert [caption.path for caption in together] == [picture.name for picture in pictures]
    for picture, caption in zip(pictures, together, strict=True):
        assert_same(caption, captioner.caption(picture))
    assert len({caption.caption for caption in together}) >= count // 3


def test_only_pictures_of_which_nothing_can_be_said(captioner: Captioner) -> None:
    captions = captioner.caption_many([black()] * 17)
    assert [caption.notes for caption in captions] == [("dark",)] * 17


def test_the_same_picture_gives_the_same_caption(captioner: Captioner) -> None:
    first, second = (without_seconds(captioner.caption(snapshot(2))) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("beam", [1, 2, 5, 40])
def test_beams(beam: int, captioner: Captioner) -> None:
    assert captioner.caption(snapshot(3), beam).caption is not None


@pytest.mark.parametrize("beam", [0, -1])
def test_a_beam_of_nothing(beam: int, captioner: Captioner) -> None:
    with pytest.raises(ValueError, match="beam must be at least 1"):
        captioner.caption(snapshot(3), beam)
    with pytest.raises(ValueError, match="beam must be at least 1"):
        captioner.caption_many([], beam)


def test_a_bad_picture(captioner: Captioner, tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"missing\.jpg does not exist"):
        captioner.caption(tmp_path / "missing.jpg")
    with pytest.raises(PictureError):
        captioner.caption_many([snapshot(0), b"no picture"])


def test_two_threads_at_once(captioner: Captioner) -> None:
    pictures = [snapshot(seed) for seed in range(6)]
    expected = [without_seconds(captioner.caption(picture)) for picture in pictures]
    with ThreadPoolExecutor(2) as threads:
        futures = [threads.submit(captioner.caption, picture) for picture in pictures * 3]
        assert [without_seconds(future.result()) for future in futures] == expected * 3


def test_json_has_the_fields_that_scripts_rely_on(captioner: Captioner) -> None:
    for picture in (snapshot(4), black()):
        caption = captioner.caption(picture)
        written = json.loads(json.dumps(caption.to_dict(), allow_nan=False))
        assert list(written) == [
            *("path", "caption", "confidence", "level", "spoken"),
            *("words", "text", "notes", "things", "seconds", "model"),
        ]
        assert written["caption"] == caption.caption
        assert written["level"] in ("sure", "unsure", "none")
        assert 0 <= written["confidence"] <= 1
        assert len(written["words"]) == len(caption.words)
        for word in written["words"]:
            assert list(word) == ["word", "grounded", "where", "box"]
            assert word["box"] is None or len(word["box"]) == 4


def test_a_caption_crosses_processes_unchanged(captioner: Captioner) -> None:
    for picture in (snapshot(4), black()):
        caption = captioner.caption(picture)
        assert pickle.loads(pickle.dumps(caption)) == caption
        assert len({caption, pickle.loads(pickle.dumps(caption))}) == 1
        with pytest.raises(FrozenInstanceError):
            caption.caption = "A unicorn."  # type: ignore[misc]


@pytest.mark.parametrize("device", ["tpu", "", "cuda:9", "CPU"])
def test_an_unknown_device(device: str, tiny_model: Path) -> None:
    with pytest.raises(DeviceError, match="choose one of auto, cpu, cuda, mps"):
        Captioner.load(tiny_model, device)


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_device_that_is_not_there(device: str, tiny_model: Path) -> None:
    if getattr(torch, device).is_available():
        pytest.skip(f"this machine has {device}")
    with pytest.raises(DeviceError, match=f"no usable {device} device; use --device cpu or auto"):
        Captioner.load(tiny_model, device)


def test_auto_finds_a_device_with_the_same_sentences(
    captioner: Captioner, tiny_model: Path
) -> None:
    found = Captioner.load(tiny_model)
    assert found.network.device in ("cpu", "cuda", "mps")
    assert found.caption(snapshot(5)).caption == captioner.caption(snapshot(5)).caption


def test_a_missing_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="install Seesay again"):
        Captioner.load(tmp_path)


def test_the_built_in_model_describes_a_photograph() -> None:
    if not (BUILTIN_MODEL / WEIGHTS).exists():
        pytest.skip("no built-in model in resources/model")
    photographs = Path(pytest.importorskip("skimage").__file__).parent / "data"
    assert (BUILTIN_MODEL / WEIGHTS).stat().st_size <= 25 * 1024**2
    captioner = Captioner.load(device="cpu")
    cat, astronaut = (
        captioner.caption(photographs / f"{name}.png") for name in ("chelsea", "astronaut")
    )
    assert "cat" in cat.spoken
    assert astronaut.caption is not None
    assert len(astronaut.words) >= 3
    assert 0 < astronaut.confidence <= 1
