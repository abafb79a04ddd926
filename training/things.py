"""Calibrates the names of things, and tells how often what is named is mentioned by people.

    python -m training.things MODEL --data data/flickr8k data/coco data/rooms --split val [--fit]

Tells how often; with ``--fit``, first fits the curve from the classifier's belief to a confidence
and writes it into ``resources/things.json``. There are no labels of things here, only sentences: a
name counts as right if a sentence has it or a narrower one. What is there but unmentioned counts as
wrong, so the figures are cautious.
"""

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from core.caption import Thing
from core.errors import SeesayError
from core.model import Encoder, build_cnn
from core.model_config import ModelConfig
from core.model_folder import read_model_folder, replace_file
from core.network import Network, load_network
from core.paths import RESOURCES
from core.things import LEAST, SURE, beliefs, log_odds, narrowing, things, tree
from training.ahead import load_ahead
from training.data import Example, load_split
from training.keep import Teacher
from training.pictures import Squares
from training.start import fill
from training.target import check_target, writing

_BATCH = 32
# Less belief than this tells nothing, and there is much of it.
_WORTH = 0.03
# Of the prior of a name's own shift: names that were rarely seen stay near the common curve.
_SPREAD = 1.0


@dataclass(frozen=True)
class Row:
    """A name in which the classifier believes to some degree, and whether people mention it."""

    data: str
    name: str
    belief: float
    mentioned: bool


def answers(network: Network, side: int, examples: Sequence[Example]) -> np.ndarray:
    """Logits of the second head for each picture, (pictures, classes).

    Args:
        network: with such a head.
        side: of the squares that it sees, in pixels.
        examples: the pictures.
    """
    squares = Squares([example.path for example in examples], side)
    seen = (network.see(pixels.numpy()) for pixels in load_ahead(squares, _BATCH))
    return np.concatenate([sight.answers for sight in seen])


def rows(data: str, examples: Sequence[Example], logits: np.ndarray) -> list[Row]:
    """What there is to learn from the pictures of a data set."""
    found = []
    for example, one in zip(examples, logits, strict=True):
        belief = beliefs(one)
        for widest in tree().narrower[""]:
            if belief[widest] >= _WORTH:
                found += [
                    Row(data, name, belief[name], mentions(example.sentences, name))
                    for name in narrowing(widest, belief)
                ]
    return found


def mentions(sentences: Iterable[str], name: str) -> bool:
    """Whether a sentence has this name or a narrower one, or another word for it."""
    return any(_pattern(name).search(sentence.lower()) for sentence in sentences)


@cache
def _pattern(name: str) -> re.Pattern[str]:
    words = {
        form for one in _below(name) for word in (one, *tree().also[one]) for form in _forms(word)
    }
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(words)))})\b")


def _below(name: str) -> list[str]:
    return [name, *(one for below in tree().narrower.get(name, ()) for one in _below(below))]


def _forms(word: str) -> list[str]:
    word = word.lower()
    if word.endswith("man"):
        return [word, f"{word[:-3]}men"]
    if word.endswith(("s", "sh", "ch", "x")):
        return [word, f"{word}es"]
    if word.endswith("y"):
        return [word, f"{word}s", f"{word[:-1]}ies"]
    return [word, f"{word}s"]


def fit(found: Sequence[Row], reference: str) -> dict[str, float | dict[str, float]]:
    """The logistic curve with a shift for each name, the likeliest under a normal prior.

    Args:
        found: of all data sets.
        reference: the data set whose number of sentences a picture the confidence is about; what
            people mention in others, with fewer sentences, is shifted by an amount of its own.
    """
    names = sorted({row.name for row in found})
    sets = sorted({row.data for row in found} - {reference})
    odds = torch.tensor([log_odds(row.belief) for row in found])
    right = torch.tensor([float(row.mentioned) for row in found])
    name = torch.tensor([names.index(row.name) for row in found])
    data = torch.tensor([sets.index(row.data) if row.data in sets else len(sets) for row in found])
    curve = torch.tensor([1.0, 0.0], requires_grad=True)
    shifts = torch.zeros(len(names), requires_grad=True)
    offsets = torch.zeros(len(sets), requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [curve, shifts, offsets], max_iter=200, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimizer.zero_grad()
        offset = F.pad(offsets, (0, 1))[data]
        logits = curve[0] * odds + curve[1] + shifts[name] + offset
        total = F.binary_cross_entropy_with_logits(logits, right, reduction="sum")
        total = total + shifts.square().sum() / (2 * _SPREAD**2)
        total.backward()
        return total

    optimizer.step(loss)
    slope, shift = curve.tolist()
    return {
        "slope": round(slope, 4),
        "shift": round(shift, 4),
        "shifts": {
            one: round(value, 2)
            for one, value in zip(names, shifts.tolist(), strict=True)
            if abs(value) >= 0.05
        },
    }


def report(examples: Sequence[Example], logits: np.ndarray) -> str:
    """How many pictures get a name, and in how many of them it is mentioned."""
    first: list[tuple[Thing, bool]] = []
    every: Counter[tuple[str, bool]] = Counter()
    for example, one in zip(examples, logits, strict=True):
        named = things(one)
        judged = [(thing, mentions(example.sentences, thing.name)) for thing in named]
        first += judged[:1]
        every.update((thing.name, right) for thing, right in judged)
    lines = [f"named something in {len(first)} of {len(examples)} pictures"]
    for least, most in ((LEAST, SURE), (SURE, 1.01)):
        part = [right for thing, right in first if least <= thing.confidence < most]
        mean = np.mean([t.confidence for t, _ in first if least <= t.confidence < most] or [0])
        lines.append(
            f"first names with confidence {least} to {min(most, 1)}: {len(part)}, of which "
            f"{sum(part)} mentioned ({sum(part) / max(1, len(part)):.0%}; expected {mean:.0%})"
        )
    totals = Counter({name: every[name, True] + every[name, False] for name, _ in every})
    lines += [f"{name}: {every[name, True]} of {count}" for name, count in totals.most_common(25)]
    return "\n".join(lines)


def main() -> int:
    """Fit where it is asked for, and judge; gives the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, help="the first has most sentences a picture"
    )
    parser.add_argument("--split", default="val")
    parser.add_argument("--fit", action="store_true")
    parser.add_argument(
        "--original", type=Path, help="ImageNet weights of the encoder, to compare the answers with"
    )
    options = parser.parse_args()
    try:
        judge(options.model, options.data, options.split, options.fit, options.original)
    except SeesayError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def judge(model: Path, data: Sequence[Path], split: str, fits: bool, original: Path | None) -> None:
    """Print how often what a model names is mentioned; see `main` for the arguments.

    Raises:
        SeesayError: if the model names nothing, or model, data or original are missing or damaged.
    """
    folder = read_model_folder(model)
    if not folder.architecture.classes:
        raise SeesayError("This model names no things; train it with `own_layers`.")
    sets = _load_sets(data, split)
    if fits:
        check_target(RESOURCES)
    teacher = _read_original(folder.architecture, original) if original else None
    network, side = load_network(folder), folder.architecture.image_size
    logits = {name: answers(network, side, examples) for name, examples in sets.items()}
    if fits:
        calibrate(sets, logits)
    for name, examples in sets.items():
        print(f"{name}: {report(examples, logits[name])}")
        if teacher is not None:
            same = agreement(folder.architecture, teacher, examples, logits[name])
            print(f"same top answer as the original classifier: {same:.1%}")
        print()


def _load_sets(folders: Sequence[Path], split: str) -> dict[str, list[Example]]:
    """The examples of each data set, by its folder's name."""
    sets: dict[str, list[Example]] = {}
    for folder in folders:
        name = folder.absolute().name
        if name in sets:
            raise SeesayError(f"Two data sets are called {name}: rename one of the folders.")
        sets[name] = load_split(folder, split)
    return sets


def _read_original(architecture: ModelConfig, weights: Path) -> Teacher:
    """The original classifier of a model's encoder."""
    cnn = build_cnn(architecture.encoder)
    fill(cnn, weights, architecture.encoder, "leave --original out")
    return Teacher(cnn)


def agreement(
    architecture: ModelConfig, teacher: Teacher, examples: Sequence[Example], logits: np.ndarray
) -> float:
    """Share of the pictures whose likeliest class is that of the original classifier."""
    encoder = Encoder(
        architecture.encoder, architecture.image_size
    )  # of which it asks how to scale
    top = teacher.top_answers(encoder, architecture.image_size, {"": examples})[""]
    return float((logits.argmax(axis=1) == np.array(top)).mean())


def calibrate(sets: Mapping[str, Sequence[Example]], logits: Mapping[str, np.ndarray]) -> None:
    """Fit on these pictures, the first set the reference, and write what the program reads."""
    found = [row for name, examples in sets.items() for row in rows(name, examples, logits[name])]
    path = RESOURCES / "things.json"
    table = json.loads(path.read_text(encoding="utf-8"))
    table["calibration"] = fit(found, next(iter(sets)))
    text = json.dumps(table, indent=0, ensure_ascii=False)
    with writing(path):
        replace_file(path, f"{text}\n".encode())
    tree.cache_clear()


if __name__ == "__main__":
    sys.exit(main())
