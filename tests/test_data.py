"""Data sets in the formats that training and evaluation read."""

import json
from pathlib import Path

import pytest

from tests.tiny_sets import draw, entry, karpathy
from training.data import DataError, Example, for_training, load_split


def test_flickr8k_like_set(tmp_path: Path) -> None:
    folder = karpathy(
        tmp_path / "flickr8k",
        [
            entry("train", "a.png", ["A dog runs .", " A dog on grass . "]),
            entry("val", "b.png", ["A boy ."]),
            entry("test", "c.png", ["A girl ."]),
            entry("extra", "d.png", ["Two men ."]),
        ],
    )
    dog = Example(folder / "images/a.png", ("A dog runs .", "A dog on grass ."))
    men = Example(folder / "images/d.png", ("Two men .",))
    assert load_split(folder, "train") == [dog, men]
    assert load_split(folder, "val") == [Example(folder / "images/b.png", ("A boy .",))]
    assert load_split(folder, "test") == [Example(folder / "images/c.png", ("A girl .",))]


def test_coco_in_karpathys_splits(tmp_path: Path) -> None:
    folder = karpathy(
        tmp_path / "coco",
        [
            entry("train", "1.png", ["A bus."], filepath="train2014"),
            entry("restval", "2.png", ["A cat."], filepath="val2014"),
            entry("test", "3.png", ["A cup."], filepath="val2014"),
        ],
    )
    train = [example.path for example in load_split(folder, "train")]
    assert train == [folder / "images/train2014/1.png", folder / "images/val2014/2.png"]
    assert [example.sentences for example in load_split(folder, "test")] == [("A cup.",)]


def test_rooms_know_their_category(tmp_path: Path) -> None:
    folder = karpathy(
        tmp_path / "rooms", [entry("train", "a.png", ["There is a bed."], category="attic")]
    )
    assert load_split(folder, "train")[0].category == "attic"


def test_pictures_without_sentences_are_left_out(tmp_path: Path) -> None:
    entries = [entry("train", "a.png", []), entry("train", "b.png", ["A bus."])]
    folder = karpathy(tmp_path / "set", entries)
    assert [example.path.name for example in load_split(folder, "train")] == ["b.png"]


@pytest.mark.parametrize("annotations", ["annotations", "."])
@pytest.mark.parametrize("images", ["images/{}2014", "{}2014", "images"])
def test_cocos_own_annotations(tmp_path: Path, annotations: str, images: str) -> None:
    (tmp_path / annotations).mkdir(exist_ok=True)
    for split, number in (("train", 7), ("val", 8)):
        content = {
            "images": [
                {"id": number, "file_name": f"{number}.png"},
                {"id": 99, "file_name": "nobody wrote about it.png"},
            ],
            "annotations": [
                {"image_id": number, "caption": "A kitchen with a table. "},
                {"image_id": number, "caption": f"A room of {split}."},
            ],
        }
        file = tmp_path / annotations / f"captions_{split}2014.json"
        file.write_text(json.dumps(content))
        draw(tmp_path / images.format(split) / f"{number}.png")
    for split, number in (("train", 7), ("val", 8)):
        path = tmp_path / images.format(split) / f"{number}.png"
        sentences = ("A kitchen with a table.", f"A room of {split}.")
        assert load_split(tmp_path, split) == [Example(path, sentences)]


def one_sentence(error: pytest.ExceptionInfo[Exception]) -> str:
    text = str(error.value)
    assert text.endswith(".")
    assert "\n" not in text
    return text


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        load_split(tmp_path / "nowhere", "train")
    assert "nowhere" in one_sentence(error)


@pytest.mark.parametrize("split", ["test", "nonsense"])
def test_no_such_split(tmp_path: Path, split: str) -> None:
    folder = karpathy(tmp_path / "set", [entry("train", "a.png", ["A bus."])])
    with pytest.raises(DataError) as error:
        load_split(folder, split)
    assert split in one_sentence(error)


@pytest.mark.parametrize("name", ["dataset_set.json", "captions_train2014.json"])
@pytest.mark.parametrize(
    "content",
    [
        "",
        '{"images": [',
        "[]",
        "{}",
        '{"images": [3], "annotations": [3]}',
        '{"images": [{"split": "train", "filename": "a.png"}], "annotations": [{}]}',
        '{"images": [{"split": "train", "filename": "a.png", "sentences": [{"raw": 3}]}],'
        ' "annotations": [{"image_id": 1, "caption": 3}]}',
    ],
)
def test_broken_annotations(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError) as error:
        load_split(tmp_path, "train")
    assert name in one_sentence(error)


def test_missing_picture_is_told_at_once(tmp_path: Path) -> None:
    entries = [entry("train", "a.png", ["A bus."]), entry("train", "b.png", ["A cat."])]
    folder = karpathy(tmp_path / "set", entries)
    (folder / "images/b.png").unlink()
    with pytest.raises(DataError) as error:
        load_split(folder, "train")
    assert "b.png" in one_sentence(error)


def kept(*sentences: str, category: str | None = None) -> tuple[str, ...]:
    (example,) = for_training([Example(Path("a.png"), sentences, category)])
    return example.sentences


def test_training_leaves_out_what_nobody_wants_to_hear() -> None:
    good = "A man rides a brown horse."
    noun, meta = "sink", "This is a picture of a man on a horse."
    meta_behind = "There is a brown horse in this photo."
    assert kept(noun, good, meta, meta_behind) == (good,)
    assert kept("A man takes a picture with his phone.") == (
        "A man takes a picture with his phone.",
    )


def test_training_keeps_poor_sentences_where_there_is_nothing_else() -> None:
    assert kept("sink", "two taps") == ("sink", "two taps")


def test_a_rooms_category_becomes_a_sentence() -> None:
    there_is = "There is a lamp beside the bed."
    assert kept("lamp", there_is, category="bedroom") == (there_is, "This is a bedroom.")
    assert kept("beams", category="attic") == ("This is an attic.",)


@pytest.mark.parametrize(
    ("sentence", "flippable"),
    [
        ("A dog runs to the left .", False),
        ("The Right hand holds a cup .", False),
        ("The leftmost chair is red.", False),
        ("A lamp stands on the left-hand side.", False),
        ("A man in bright clothes has a moustache .", True),
        ("Upright poles and cleft rocks .", True),
    ],
)
def test_left_and_right_forbid_mirroring(sentence: str, flippable: bool) -> None:
    assert Example(Path("a.png"), ("A dog .", sentence)).flippable is flippable
