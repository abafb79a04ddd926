"""The figures of a model on one split of a data set, by the field's standard scorers."""

import time
from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from core.caption import Caption
from core.captioner import BATCH, Captioner
from training.data import Example, load_split
from training.scores import score


def evaluate(data: Path, split: str, beam: int, device: str, model: Path | None) -> dict[str, Any]:
    """Caption every picture of a split and score the sentences against all of people's.

    What the model writes is scored even where it is too doubtful to be said; a picture for which
    nothing is written (it is black, or one plain colour) counts with an empty caption.

    Args:
        data: folder of a data set, see ``load_split``.
        split: ``val`` for choices, ``test`` for reports.
        beam: of the search, at least 1.
        device: see ``Captioner.load``.
        model: folder of a trained model; None for the one that comes with Seesay.

    Returns:
        The figures of ``score``, and ``images``, ``silent`` (pictures without a sentence),
        ``beam``, ``seconds`` (for opening and captioning all pictures), ``model`` (its name),
        ``data`` and ``split``.

    Raises:
        SeesayError: if data, a picture, the model or the device is missing or damaged.
    """
    examples = load_split(data, split)
    captioner = Captioner.load(model, device)
    began = time.monotonic()
    captions = [found.caption for found in describe(captioner, examples, beam)]
    seconds = time.monotonic() - began
    references = [example.sentences for example in examples]
    return {
        **score([caption or "" for caption in captions], references),
        "images": len(examples),
        "silent": captions.count(None),
        "beam": beam,
        "seconds": round(seconds, 1),
        "model": captioner.config["name"],
        "data": str(data),
        "split": split,
    }


def describe(captioner: Captioner, examples: Sequence[Example], beam: int) -> list[Caption]:
    """Caption pictures, with a progress bar, and say even what is too doubtful to be said.

    Args:
        captioner: of which a copy is used.
        examples: the pictures.
        beam: of the search, at least 1.

    Raises:
        PictureError: if a picture cannot be read.
    """
    outspoken = copy(captioner)
    outspoken.confidence = replace(captioner.confidence, none=0.0)
    captions: list[Caption] = []
    with tqdm(total=len(examples), desc="captions", unit="picture") as bar:
        for at in range(0, len(examples), BATCH):
            paths = [example.path for example in examples[at : at + BATCH]]
            captions += outspoken.caption_many(paths, beam, text=False, places=False)
            bar.update(len(paths))
    return captions
