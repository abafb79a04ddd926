"""How often a thing is found where it is: two photographs in one picture, each with its own things.

The pointing game of Zhang et al., "Top-down Neural Attention by Excitation Backprop" (ECCV 2016),
without boxes drawn by people: a noun that belongs to one of the two photographs alone must be found
in that photograph's half.
"""

import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from PIL import Image
from tqdm import tqdm

from core.caption import Word
from core.captioner import BATCH, Captioner
from core.grounding import ground
from core.nouns import NOUNS
from core.picture import open_picture
from core.preprocess import squeeze_many
from core.search import beam_search
from core.vocabulary import tokenize
from core.where import locate
from training.data import Example, load_split

Layout = Literal["side by side", "one above the other"]
_SEED = 0

# Words that people use of the same thing: "a guy" in one photograph and "a man" in the other are
# things of both. A noun that is in no line stands for itself.
_SYNONYMS = """
person man men boy boys girl girls woman women lady ladies guy guys kid kids child children people
 baby toddler adult adults couple crowd group player players rider riders cyclist bicyclist biker
 surfer surfers skier skiers snowboarder snowboarders skateboarder skateboarders hiker climber
 someone cowboy bride family passenger passengers team dancer swimmer runner runners worker workers
 skater males females male female band driver
dog dogs puppy puppies greyhound greyhounds shepherd terrier poodle
cat cats kitten kittens
horse horses pony
bird birds seagull duck ducks geese pigeon parrot
cow cows bull cattle
elephant elephants
bear bears teddy
giraffe giraffes
zebra zebras
sheep lamb goat goats
grass grassy field lawn yard backyard park garden meadow pasture
water ocean sea lake river pool beach wave waves pond surf stream puddle creek shore fountain
 splashing splashes swims swimming
snow snowy ski skis skiing sled ice
mountain mountains hill hillside cliff slope
sand sandy desert beach dirt mud
tree trees forest woods wooded branch branches leaves bush bushes
road street streets sidewalk highway intersection parking lot track tracks pavement path trail
ball balls soccer football basketball tennis baseball volleyball
bike bikes bicycle bicycles bmx cyclist bicyclist biker
motorcycle motorcycles motorbike scooter moped
car cars van suv taxi truck trucks vehicle vehicles bus buses traffic
train trains railroad locomotive
plane planes airplane airplanes jet jetliner airport aircraft runway
boat boats ship kayak canoe raft sailboat
skateboard skateboards skateboarding skateboarder skateboarders skate ramp rail railing
surfboard surfboards surfer surfers surfing board wave waves
snowboard snowboards snowboarder snowboarders snowboarding board
food plate plates pizza pizzas sandwich sandwiches cake meal fruit banana bananas bowl bowls donut
 doughnut doughnuts vegetables bread salad cheese meat oranges apples broccoli dish dishes
table tables desk desks counter
bed beds bedroom room
couch sofa
chair chairs bench benches seat
kitchen refrigerator stove oven fridge room
bathroom toilet sink bathtub shower tub room
laptop laptops computer computers keyboard monitor
phone phones cellphone
tv television
clock clocks tower
building buildings house houses city church store shop
window windows
vase vases flower flowers plant plants
sign signs
rock rocks rocky cliff
fence fenced gate
shirt shirts t-shirt jacket jackets coat suit dress uniform clothes clothing costume sweater vest
 jersey shorts jeans skirt tie hat hats cap helmet helmets sunglasses glasses scarf glove
bag bags luggage suitcase suitcases backpack
"""
# What people wear goes unmentioned more often than not: it belongs to every photograph of people.
_WORN = "shirt"
_WEARER = "person"


class Found(NamedTuple):
    """A noun of one photograph, looked for in a picture made of two."""

    word: Word
    layout: Layout
    second: bool  # it belongs to the right or lower photograph


def where_figures(
    data: Path, split: str, device: str = "auto", model: Path | None = None
) -> dict[str, Any]:
    """Compose pictures of two photographs each and see where their things are found.

    Every photograph of the split stands in one picture beside another and in one above or below
    another. A noun of the picture's sentence counts when people's sentences name it, or another
    word for it, in exactly one of the two photographs.

    Args:
        data: folder of a data set, see ``load_split``.
        split: ``val`` for choices, ``test`` for reports.
        device: see ``Captioner.load``.
        model: folder of a trained model; None for the one that comes with Seesay.

    Returns:
        ``pictures``; ``nouns`` that count; of these ``grounded`` (share that has a place); and of
        the grounded ones ``found`` (share whose map's centre lies in the right half), for each
        layout, too; ``told`` (share of which a side was told along the layout's axis) and
        ``told_right`` (share of these where it was the right one); ``box`` (mean share of the box
        that lies in the right half), ``box_chance`` (the same for the box of another noun of the
        same layout) and ``box_area`` (mean share of the picture).

    Raises:
        SeesayError: if data, a picture, the model or the device is missing or damaged.
    """
    examples = load_split(data, split)
    captioner = Captioner.load(model, device)
    chance = random.Random(_SEED)
    nouns: list[Found] = []
    pictures = 0
    layouts: tuple[Layout, ...] = ("side by side", "one above the other")
    for layout in layouts:
        shuffled = chance.sample(examples, len(examples))
        pairs = list(zip(shuffled[::2], shuffled[1::2], strict=False))
        pictures += len(pairs)
        with tqdm(total=len(pairs), desc=layout, unit="picture") as bar:
            for at in range(0, len(pairs), BATCH):
                batch = pairs[at : at + BATCH]
                sentences = _write(captioner, [_compose(*pair, layout) for pair in batch])
                for pair, words in zip(batch, sentences, strict=True):
                    nouns += _owned(words, *pair, layout)
                bar.update(len(batch))
    return {"pictures": pictures, **_score(nouns)}


def _compose(first: Example, second: Example, layout: Layout) -> np.ndarray:
    """Two photographs in one picture, (height, width, 3), each with half of it."""
    two = [Image.fromarray(open_picture(example.path).pixels) for example in (first, second)]
    size = two[0].size
    pixels = [np.asarray(image.resize(size, Image.Resampling.BICUBIC)) for image in two]
    return np.concatenate(pixels, axis=1 if layout == "side by side" else 0)


def _write(captioner: Captioner, pictures: Sequence[np.ndarray]) -> list[list[Word]]:
    """The words of each picture's sentence, also where the captioner would rather be silent."""
    sight = captioner.network.see(squeeze_many(pictures, captioner.image_size))
    sentences = []
    for picture, hypothesis in enumerate(beam_search(captioner.network, sight)):
        maps, grounded = ground(captioner.network, sight, picture, hypothesis.words)
        words = captioner.vocabulary.decode(hypothesis.words)
        looks = zip(words, maps, grounded.tolist(), strict=True)
        sentences.append([locate(*look) for look in looks])
    return sentences


def _owned(words: Iterable[Word], first: Example, second: Example, layout: Layout) -> list[Found]:
    """The nouns that belong to exactly one of the two photographs."""
    things = [_things(example) for example in (first, second)]
    found = []
    for word in words:
        if word.word in NOUNS:
            in_first, in_second = (not _names(word.word).isdisjoint(one) for one in things)
            if in_first != in_second:
                found.append(Found(word, layout, in_second))
    return found


def _things(example: Example) -> set[str]:
    named = {name for text in example.sentences for word in tokenize(text) for name in _names(word)}
    return named | {_WORN} if _WEARER in named else named


def _names(word: str) -> set[str]:
    """What a word may stand for: the first words of its lines of synonyms, or itself."""
    return _NAMES.get(word, {word})


def _read_synonyms() -> dict[str, set[str]]:
    names: dict[str, set[str]] = {}
    for line in _SYNONYMS.replace("\n ", " ").split("\n"):
        for word in line.split():
            names.setdefault(word, set()).add(line.split()[0])
    return names


_NAMES = _read_synonyms()


def _score(nouns: Sequence[Found]) -> dict[str, Any]:
    seen = [noun for noun in nouns if noun.word.where is not None]
    found = [_centre(noun) > 0.5 for noun in seen]
    told = [said for noun in seen if (said := _told(noun)) is not None]
    boxes = [_in_half(noun, noun) for noun in seen]
    others = random.Random(_SEED).sample(seen, len(seen))
    strangers = [
        _in_half(noun, other)
        for noun, other in zip(seen, others, strict=True)
        if noun.layout == other.layout
    ]
    beside = [noun.layout == "side by side" for noun in seen]
    return {
        "nouns": len(nouns),
        "grounded": _mean([noun.word.where is not None for noun in nouns]),
        "found": _mean(found),
        "found_side_by_side": _mean([right for right, b in zip(found, beside, strict=True) if b]),
        "found_above": _mean([right for right, b in zip(found, beside, strict=True) if not b]),
        "told": round(len(told) / len(seen), 3) if seen else None,
        "told_right": _mean(told),
        "box": _mean(boxes),
        "box_chance": _mean(strangers),
        "box_area": _mean([_area(noun) for noun in seen]),
    }


def _centre(noun: Found) -> float:
    """Where the centre of the map lies between the wrong photograph (0) and the right one (1)."""
    along = np.array(noun.word.attention).sum(axis=0 if noun.layout == "side by side" else 1)
    centre = float(along @ (np.arange(len(along)) + 0.5)) / len(along)
    return centre if noun.second else 1 - centre


def _told(noun: Found) -> bool | None:
    """Whether the right side was told; None where none was."""
    ways = ("left", "right") if noun.layout == "side by side" else ("upper above", "lower below")
    said = [any(word in way.split() for word in str(noun.word.where).split()) for way in ways]
    return said[noun.second] if any(said) else None


def _in_half(noun: Found, other: Found) -> float:
    """The share of another noun's box that lies in this noun's photograph."""
    assert other.word.box is not None
    low, high = other.word.box[0 if noun.layout == "side by side" else 1 :: 2]
    in_first = (min(high, 0.5) - min(low, 0.5)) / (high - low)
    return 1 - in_first if noun.second else in_first


def _area(noun: Found) -> float:
    assert noun.word.box is not None
    left, top, right, bottom = noun.word.box
    return (right - left) * (bottom - top)


def _mean(values: Sequence[float]) -> float | None:
    return round(float(np.mean(values)), 3) if values else None
