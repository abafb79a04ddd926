"""What is said of a picture: plain immutable values that cross threads, processes and JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Level = Literal["sure", "unsure", "none"]
# Notes of what is no photograph, but may hold much, above all text.
DRAWN = frozenset({"screen", "document", "chart", "icon"})
Box = tuple[float, float, float, float]  # left, top, right, bottom as shares of the picture


@dataclass(frozen=True)
class Thing:
    """Something that was recognised in the picture.

    Attributes:
        name: plain English, without article, such as ``coffee mug``.
        confidence: 0 to 1, see `core.things.things`.
    """

    name: str
    confidence: float


@dataclass(frozen=True)
class Word:
    """A word of the sentence and where it was seen.

    Attributes:
        word: as it stands in the sentence, lower-case.
        grounded: how much it was seen rather than expected from the words before, 0 to 1.
        where: ``left``, ``upper left``, ``centre`` …; None for words that were hardly seen, and for
            those that name no thing.
        box: around it; None for the same words.
        attention: where it was seen, as rows of the region grid from top to bottom; all cells sum
            to one.
    """

    word: str
    grounded: float
    where: str | None
    box: Box | None
    attention: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Caption:
    """A sentence about a picture, and how far to trust it.

    Attributes:
        path: the picture's name, as given.
        caption: the sentence; None where nothing can honestly be said.
        confidence: 0 to 1.
        level: ``sure``, ``unsure`` or ``none`` (no sentence).
        spoken: what is said aloud, hedge included.
        words: of the sentence, in order; none where it was not found out where they were seen.
        text: read in the picture, wrapped lines joined.
        notes: codes of what was noticed, such as ``dark`` or ``screen``.
        things: that were recognised, whatever the sentence says; at most three.
        seconds: from the open picture to the sentence.
        model: name of the model.
    """

    path: str
    caption: str | None
    confidence: float
    level: Level
    spoken: str
    words: tuple[Word, ...]
    text: tuple[str, ...]
    notes: tuple[str, ...]
    things: tuple[Thing, ...]
    seconds: float
    model: str

    @property
    def told_words(self) -> tuple[Word, ...]:
        """The words of the sentence, if it is said; none where things are said instead of it."""
        return self.words if self.is_sentence_said else ()

    @property
    def is_sentence_said(self) -> bool:
        """Whether there is a sentence, and things are not said instead of it."""
        return self.caption is not None and is_told(self.level, self.things)

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of ``seesay caption --json``."""
        return {
            "path": self.path,
            "caption": self.caption,
            "confidence": round(self.confidence, 4),
            "level": self.level,
            "spoken": self.spoken,
            "words": [
                {
                    "word": word.word,
                    "grounded": round(word.grounded, 4),
                    "where": word.where,
                    "box": word.box and [round(side, 4) for side in word.box],
                }
                for word in self.words
            ],
            "text": list(self.text),
            "notes": list(self.notes),
            "things": [
                {"name": thing.name, "confidence": round(thing.confidence, 4)}
                for thing in self.things
            ],
            "seconds": round(self.seconds, 4),
            "model": self.model,
        }


def is_told(level: Level, things: Sequence[Thing]) -> bool:
    """Whether a sentence is said: what was recognised is said instead of a guess."""
    return level == "sure" or not things


def hedged(sentence: str) -> str:
    """A sentence that may be wrong, as it is said."""
    return f"Perhaps: {sentence[0].lower()}{sentence[1:]}"
