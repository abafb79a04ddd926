"""Captioned photographs from disk: Karpathy's splits and COCO's own annotations."""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import SeesayError
from core.vocabulary import tokenize

# Karpathy's "restval" is the part of COCO's val that everyone trains on; Flickr8k's "extra"
# stands in none of the official lists.
TRAIN_SPLITS = ("train", "restval", "extra")

_SIDES = re.compile(r"\b(?:left|right|leftmost|rightmost)\b", re.IGNORECASE)
# Talk about the photograph instead of what is in it, which nobody wants to hear.
_META = re.compile(
    r"\b(?:(?:photo|photograph|picture|image)s? of|(?:in|of) (?:this|the) (?:photo|picture|image))",
    re.IGNORECASE,
)
_MIN_WORDS = 4


class DataError(SeesayError):
    """A data set that is missing or not in the expected format."""


@dataclass(frozen=True)
class Example:
    """A photograph and what people wrote about it."""

    path: Path
    sentences: tuple[str, ...]
    category: str | None = None

    @property
    def flippable(self) -> bool:
        """Whether the sentences stay true when the picture is mirrored."""
        return not any(_SIDES.search(sentence) for sentence in self.sentences)


def load_split(folder: Path, split: str) -> list[Example]:
    """The examples of one split of a data set.

    Args:
        folder: holds ``dataset*.json`` in the format of Karpathy's splits, or COCO's own
            ``captions_*.json`` (in it or in ``annotations/``), beside the folder ``images``.
        split: ``train`` (with what is always trained on besides), ``val`` or ``test``. COCO's own
            annotations are chosen by the file's name: ``train`` finds ``captions_train2014.json``.

    Raises:
        DataError: if the folder, the annotations, the split or a picture is missing.
    """
    karpathy = sorted(folder.glob("dataset*.json"))
    if karpathy:
        examples = _read_karpathy(folder, karpathy[0], split)
    else:
        found = sorted(folder.glob(f"**/captions_{split}*.json"))
        if not found:
            raise DataError(
                f"{folder} holds neither dataset*.json nor captions_{split}*.json; "
                "give the folder of a data set in Karpathy's or COCO's format."
            )
        examples = _read_coco(folder, found[0])
    if not examples:
        raise DataError(f"{folder} has no pictures in the split {split!r}; try train, val or test.")
    for example in examples:
        # Better now than after hours of training.
        if not example.path.exists():
            raise DataError(f"{example.path} is missing; put all pictures of the data set there.")
    return examples


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as JSON ({error}); fetch it again.") from error


def _read_karpathy(folder: Path, file: Path, split: str) -> list[Example]:
    wanted = TRAIN_SPLITS if split == "train" else (split,)
    images = folder / "images"
    try:
        return [
            Example(
                path=images / entry.get("filepath", "") / entry["filename"],
                sentences=tuple(sentence["raw"].strip() for sentence in entry["sentences"]),
                category=entry.get("category"),
            )
            for entry in _read_json(file)["images"]
            if entry["split"] in wanted and entry["sentences"]
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{file} is not in the format of Karpathy's splits ({error}).") from error


def _read_coco(folder: Path, file: Path) -> list[Example]:
    content = _read_json(file)
    sentences: dict[int, list[str]] = {}
    # COCO keeps one folder of pictures for each split, named after it: captions_val2014.json
    # describes what is in val2014/ (or images/val2014/).
    name = file.stem.removeprefix("captions_")
    candidates = (folder / "images" / name, folder / name, folder / "images")
    images = next((path for path in candidates if path.is_dir()), folder)
    try:
        for annotation in content["annotations"]:
            sentences.setdefault(annotation["image_id"], []).append(annotation["caption"].strip())
        return [
            Example(images / entry["file_name"], tuple(sentences[entry["id"]]))
            for entry in content["images"]
            if entry["id"] in sentences
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{file} is not in the format of COCO's captions ({error}).") from error


def for_training(examples: Iterable[Example]) -> list[Example]:
    """Examples with the sentences that are worth learning.

    Noun phrases of a word or two and talk about the photograph itself are left out, unless an
    example has nothing else. Where the kind of room is known, it makes a sentence of its own.
    """
    chosen = []
    for example in examples:
        kept = [
            sentence
            for sentence in example.sentences
            if len(tokenize(sentence)) >= _MIN_WORDS and not _META.search(sentence)
        ]
        if example.category:
            kept.append(f"This is {_article(example.category)} {example.category}.")
        sentences = tuple(kept) or example.sentences
        chosen.append(Example(example.path, sentences, example.category))
    return chosen


def _article(noun: str) -> str:
    # Rooms that begin with "u" are utility rooms.
    return "an" if noun[0].lower() in "aeio" else "a"


def summary(examples: Sequence[Example]) -> dict[str, Any]:
    """How many there are, and a hash of names and sentences: to read all pictures takes long."""
    digest = hashlib.sha256()
    for example in examples:
        digest.update("\n".join([example.path.name, *example.sentences, ""]).encode())
    sentences = sum(len(example.sentences) for example in examples)
    return {"pictures": len(examples), "sentences": sentences, "sha256": digest.hexdigest()}
