"""What of a text is said, and in which portions."""
# ruff: noqa: RUF001  (the typographic quotation marks are meant)

import re
from collections.abc import Iterator, Sequence

from core.caption import Box

# In photographs, texture is sometimes taken for letters; below this confidence nothing is said.
_BEYOND_DOUBT = 0.9
# Letters or digits that a line must have to be said of a photograph.
_SHORTEST = 2
# A date or time alone near the upper or lower edge was printed there by the camera.
_EDGE = 0.15
_BETWEEN = r"[\s.:/'’-]{1,2}"
_YEAR = r"['’]?(?:\d\d|\d{4})"
_DAY = r"\d{1,2}"  # or month
_DATE = f"(?:{_YEAR}{_BETWEEN}{_DAY}{_BETWEEN}{_DAY}|{_DAY}{_BETWEEN}{_DAY}{_BETWEEN}{_YEAR})"
_TIME = r"\d{1,2}:\d\d(?::\d\d)?(?:\s*[AP]M)?"
# Anything looser is a telephone number, a price, or opening hours, which are said.
_STAMP = re.compile(rf"{_DATE}(?:\s+{_TIME})?|{_TIME}(?:\s+{_DATE})?", re.IGNORECASE)

# A portion has about so many words: ten seconds of speech.
FIRST_WORDS = 25

_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)]*\s+(?=[\"'“‘(]?[A-Z0-9À-Þ])")


def worth_saying(text: str, confidence: float, box: Box) -> bool:
    """Whether a line of a photograph is said: confident, a word at least, and no camera's date."""
    solid = sum(char.isalnum() for char in text)
    if confidence < _BEYOND_DOUBT or solid < max(_SHORTEST, len(text.replace(" ", "")) / 2):
        return False
    at_edge = box[1] > 1 - _EDGE or box[3] < _EDGE
    return not (at_edge and _STAMP.fullmatch(text.strip()))


def split_parts(
    paragraphs: Sequence[str], words: int, complete: bool = True, heard: int = 0
) -> tuple[str, ...]:
    """Sentences in portions of at least so many words each, save the last.

    A sentence of more than twice as many words is divided. Where the text is not complete, its
    last sentence is left out, unless there is no other.

    Args:
        paragraphs: of the text.
        words: of a portion.
        complete: whether this is all of the text.
        heard: so many of its first words are left out.
    """
    sentences = [sentence for paragraph in paragraphs for sentence in _sentences(paragraph, words)]
    if not complete and len(sentences) > 1:
        sentences.pop()
    parts: list[str] = []
    enough = True
    for sentence in _after(sentences, heard):
        if enough:
            parts.append(sentence)
        else:
            parts[-1] += f" {sentence}"
        enough = len(parts[-1].split()) >= words
    return tuple(parts)


def _after(sentences: Sequence[str], heard: int) -> Iterator[str]:
    """What is left of some sentences after so many words."""
    for sentence in sentences:
        words = sentence.split()
        if heard < len(words):
            yield " ".join(words[heard:])
        heard = max(0, heard - len(words))


def _sentences(paragraph: str, words: int) -> list[str]:
    ended = paragraph if paragraph[-1] in ".!?…:;" else f"{paragraph}."
    longest = 2 * max(words, 10)
    sentences = (sentence.split() for sentence in _SENTENCE_END.split(ended))
    return [
        " ".join(sentence[at : at + longest])
        for sentence in sentences
        for at in range(0, len(sentence), longest)
    ]
