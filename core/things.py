"""Names for what a picture shows, from the answers of the encoder's ImageNet classifier.

The thousand classes stand in a tree of plain English names (``resources/things.json``, made from
WordNet by ``tools/make_things.py``). What seven kinds of terrier each have a little of, "terrier"
and "dog" have much of; so the name that is said is as narrow as it can be without losing belief.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import exp, log

import numpy as np

from core.caption import Thing
from core.paths import RESOURCES

CLASSES = 1000
MOST = 3
# Below this confidence nothing is named, and from the second on it is named without a "perhaps".
LEAST, SURE = 0.5, 0.8
# What the classifier hardly believes in is not named, however often people's sentences have it.
_BELIEVED = 0.4
# A narrower name is taken while it keeps this share of the wider one's belief.
_KEEPS = 0.8


@dataclass(frozen=True)
class Tree:
    """The names, and how far each can be trusted.

    Attributes:
        names: of all things and kinds of things.
        said: a name with its article.
        also: other words for it.
        kind: the next wider name; empty for the widest.
        narrower: the next narrower names; under the empty name, the widest of all.
        members: (2, pairs) every name with every class that goes by it, as their numbers.
        slope, shift: of the logistic curve from belief to confidence.
        shifts: what the classifier's habits add to or take from the curve for single names.
    """

    names: tuple[str, ...]
    said: Mapping[str, str]
    also: Mapping[str, tuple[str, ...]]
    kind: Mapping[str, str]
    narrower: Mapping[str, tuple[str, ...]]
    members: np.ndarray
    slope: float
    shift: float
    shifts: Mapping[str, float]


@cache
def tree() -> Tree:
    """The tree in ``resources/things.json``."""
    table = json.loads((RESOURCES / "things.json").read_text(encoding="utf-8"))
    entries, calibration = table["names"], table["calibration"]
    names = tuple(entries)
    kind = {name: entries[name]["kind"] for name in names}
    at = {name: index for index, name in enumerate(names)}
    members = []
    for number, name in enumerate(table["classes"]):
        while name:
            members.append((at[name], number))
            name = kind[name]
    narrower: dict[str, list[str]] = {}
    for name in names:
        narrower.setdefault(kind[name], []).append(name)
    return Tree(
        names=names,
        said={name: entries[name]["said"] for name in names},
        also={name: tuple(entries[name]["also"]) for name in names},
        kind=kind,
        narrower={name: tuple(below) for name, below in narrower.items()},
        members=np.array(members).T,
        slope=calibration["slope"],
        shift=calibration["shift"],
        shifts=calibration["shifts"],
    )


def beliefs(logits: np.ndarray) -> dict[str, float]:
    """The classifier's belief in each name, 0 to 1: that of all classes that go by it.

    Args:
        logits: (1000,) of the classes, in torchvision's order.

    Raises:
        ValueError: if these are not the logits of a thousand classes.
    """
    if logits.shape != (CLASSES,):
        raise ValueError(f"logits must be of {CLASSES} classes, not of shape {logits.shape}")
    powers = np.exp(logits.astype(np.float64) - float(logits.max()))
    names, classes = tree().members
    shares = np.bincount(names, weights=(powers / powers.sum())[classes])
    return dict(zip(tree().names, shares.tolist(), strict=True))


def things(logits: np.ndarray) -> tuple[Thing, ...]:
    """What is probably in the picture: at most `MOST` things, the likeliest first.

    A name's confidence is calibrated (Platt, 1999, with a shift for each name; fitted by
    ``training/things.py``): of a hundred things with confidence 0.7, some 70 are mentioned, by this
    or a narrower name, when five people describe the picture. People do not mention everything, so
    a thing is there more often than that. A narrower name that follows a wider one ("dog",
    "terrier") carries the wider one's confidence times its share of the belief, as nobody's
    sentences tell breeds.

    Args:
        logits: (1000,) of the classes, in torchvision's order.

    Returns:
        Empty where nothing can be named with a confidence of `LEAST`.

    Raises:
        ValueError: if these are not the logits of a thousand classes.
    """
    belief = beliefs(logits)
    found: list[list[Thing]] = []
    for widest in tree().narrower[""]:
        if belief[widest] < _BELIEVED:  # nor is any narrower name believed in more
            continue
        names = narrowing(widest, belief)
        told = [
            name
            for name in names
            if belief[name] >= _BELIEVED and confidence(name, belief[name]) >= LEAST
        ]
        if not told:
            continue
        name = told[-1]
        one = Thing(name, confidence(name, belief[name]))
        found.append([one])
        if below := tree().narrower.get(name):
            detail = names[-1] if names[-1] != name else max(below, key=lambda one: belief[one])
            share = belief[detail] / belief[name]
            if one.confidence * share >= LEAST:
                found[-1].append(Thing(detail, one.confidence * share))
    found.sort(key=lambda group: -group[0].confidence)
    return tuple(thing for group in found for thing in group)[:MOST]


def narrowing(name: str, belief: Mapping[str, float]) -> list[str]:
    """A name and narrower ones, while they keep nearly all of the belief."""
    path = [name]
    while below := tree().narrower.get(path[-1]):
        likeliest = max(below, key=lambda one: belief[one])
        if belief[likeliest] < _KEEPS * belief[path[-1]]:
            break
        path.append(likeliest)
    return path


def confidence(name: str, belief: float) -> float:
    """How often people mention a thing in which the classifier believes so much; 0 to 1."""
    z = tree().slope * log_odds(belief) + tree().shift + tree().shifts.get(name, 0.0)
    return 1 / (1 + exp(-z))


def log_odds(share: float) -> float:
    """The logarithm of the odds of a share, kept finite."""
    bounded = min(max(share, 1e-4), 1 - 1e-4)
    return log(bounded / (1 - bounded))


def spoken_things(found: Sequence[Thing]) -> str:
    """A sentence such as "I see perhaps a coffee mug and a laptop."; empty for no things."""
    phrases: list[str] = []
    hedged = detailed = False
    before = ""
    for thing in found:
        said = tree().said[thing.name]
        if before and before in _wider(thing.name):
            phrases[-1] += f", {'maybe' if hedged else 'perhaps'} {said}"
            detailed = True
        elif thing.confidence < SURE and not hedged:
            phrases.append(f"perhaps {said}")
            hedged = True
        else:
            phrases.append(said)
        before = thing.name
    if not phrases:
        return ""
    *most, last = phrases
    comma = "," if detailed or len(most) > 1 else ""
    return f"I see {', '.join(most)}{comma} and {last}." if most else f"I see {last}."


def _wider(name: str) -> list[str]:
    """The kinds above a name."""
    found = []
    while name := tree().kind[name]:
        found.append(name)
    return found
