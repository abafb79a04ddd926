"""From a map over the region grid to "upper left", boxes, and a sentence with places."""

from collections.abc import Sequence

import numpy as np

from core.caption import Box, Caption, Word, hedged
from core.nouns import BETWEEN, NOUNS, SECOND
from core.vocabulary import write_sentence

# A word counts as seen when it is grounded more than this; chosen on the val splits.
SEEN = 0.5
# How far from the middle, as a share of the side, the centre of the map leaves "centre".
_OFF_CENTRE = 0.1
# Cells with at least this share of the strongest cell lie in the box; chosen on the val splits.
_IN_BOX = 0.6
# A box of at least this share of the picture is said to be everywhere.
_EVERYWHERE = 0.6
# More places than this in one sentence are hard to follow by ear.
_MOST_PLACES = 3

_SAID = {
    "above": "at the top",
    "below": "at the bottom",
    "centre": "in the middle",
    "left": "on the left",
    "right": "on the right",
}


def locate(word: str, attention: np.ndarray, grounded: float) -> Word:
    """A word of a sentence, with the place where it was seen if it names a thing.

    Args:
        word: as it stands in the sentence.
        attention: (rows, columns), not negative; the cells sum to one.
        grounded: how much the word was seen rather than expected, 0 to 1.
    """
    seen = grounded > SEEN and word in NOUNS
    return Word(
        word=word,
        grounded=grounded,
        where=place(attention) if seen else None,
        box=box(attention) if seen else None,
        attention=tuple(tuple(row) for row in attention.tolist()),
    )


def place(attention: np.ndarray) -> str:
    """Where the centre of a map lies: ``centre``, ``left``, ``upper left`` …

    Left is left for who looks at the picture.

    Args:
        attention: (rows, columns), not negative.
    """
    rows, columns = attention.shape
    total = attention.sum()
    x = float(attention.sum(axis=0) @ (np.arange(columns) + 0.5)) / (total * columns)
    y = float(attention.sum(axis=1) @ (np.arange(rows) + 0.5)) / (total * rows)
    across = "left" if x < 0.5 - _OFF_CENTRE else "right" if x > 0.5 + _OFF_CENTRE else ""
    down = "upper" if y < 0.5 - _OFF_CENTRE else "lower" if y > 0.5 + _OFF_CENTRE else ""
    if down and not across:
        return "above" if down == "upper" else "below"
    return f"{down} {across}".strip() or "centre"


def box(attention: np.ndarray) -> Box:
    """The smallest box around the strongest cells, as shares of the picture.

    Args:
        attention: (rows, columns), not negative.
    """
    rows, columns = attention.shape
    strong = attention >= _IN_BOX * attention.max()
    down, across = np.flatnonzero(strong.any(axis=1)), np.flatnonzero(strong.any(axis=0))
    return (
        float(across[0] / columns),
        float(down[0] / rows),
        float((across[-1] + 1) / columns),
        float((down[-1] + 1) / rows),
    )


def said_place(word: Word) -> str | None:
    """Where a word was seen, to be heard: "lower left", "in the middle", "everywhere".

    Returns:
        None for words that were hardly seen.
    """
    if word.where is None or word.box is None:
        return None
    left, top, right, bottom = word.box
    if (right - left) * (bottom - top) >= _EVERYWHERE:
        return "everywhere"
    return _SAID.get(word.where, word.where)


def spoken_where(words: Sequence[Word]) -> str:
    """The sentence with the places of its things, "A dog, lower left, runs through grass."

    A place follows the noun it belongs to, the last one where several make one name ("fire
    hydrant"); where that was rather expected than seen, it is the place of the one before. Of more
    than three, those are told whose words were seen best. A place that was told just before is not
    told again.

    Args:
        words: of a caption, in order.

    Returns:
        The sentence without a place where no noun was seen clearly; "" without words.
    """
    names: dict[int, Word] = {}  # by where it ends, the word of each name that tells its place
    for at, word in enumerate(words):
        before = words[at - 1] if at else word
        seen = word if word.where is not None else before
        named = word.word in NOUNS and seen.word in NOUNS and seen.where is not None
        if named and not _goes_on([later.word for later in words[at + 1 : at + 3]]):
            names[at] = seen
    told = sorted(names, key=lambda at: -names[at].grounded)[:_MOST_PLACES]
    parts: list[str] = []
    last = None
    for at, word in enumerate(words):
        place = said_place(names[at]) if at in told else None
        if place is None or place == last:
            parts.append(word.word)
            continue
        last = place
        parts.append(f"{word.word}, {place}" + ("," if at + 1 < len(words) else ""))
    return write_sentence(parts)


def _goes_on(after: Sequence[str]) -> bool:
    """Whether a noun makes one name with the one or two words after it."""
    if not after:
        return False
    between = len(after) > 1 and after[0] in BETWEEN and after[1] in NOUNS
    return between or after[0] in NOUNS or after[0] in SECOND


def with_places(caption: Caption) -> str:
    """The sentence, if it is said, with the places of its things; "" where none is clear."""
    if not any(said_place(word) for word in caption.told_words):
        return ""
    sentence = spoken_where(caption.told_words)
    return sentence if caption.level == "sure" else hedged(sentence)


def spoken_with_places(caption: Caption) -> str:
    """All that is said of a picture, its sentence with the places of its things."""
    sentence = with_places(caption)
    if not sentence or caption.caption is None:
        return caption.spoken
    plain = caption.caption if caption.level == "sure" else hedged(caption.caption)
    return sentence + caption.spoken.removeprefix(plain)
