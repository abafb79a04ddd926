"""What is said aloud of a picture: its sentence, with a hedge where that is due, and its text."""

from collections.abc import Sequence

from core.caption import Level, Thing, hedged, is_told
from core.quality import SENTENCES
from core.things import spoken_things

_UNCLEAR = "I cannot tell what this picture shows."
_UNSURE = "I am not sure what is happening here."
_BEGINS, _SAYS = "It begins: ", "It says: "
# Said instead of the sentence of `SENTENCES` where there is text to begin with.
_TEXTUAL = {
    "screen": "This is a screen, mostly text.",
    "document": "This is a document.",
}


def speak(
    sentence: str | None,
    level: Level,
    notes: Sequence[str],
    things: Sequence[Thing],
    text: str,
) -> str:
    """All that is said of a picture.

    Args:
        sentence: the caption; None where there is none.
        level: how far to trust it.
        notes: codes of what makes the picture unfit for a caption.
        things: that were recognised; they are said instead of a guess.
        text: what is written in the picture, or the beginning of that; "" for nothing.
    """
    for note in notes:
        if text and note in _TEXTUAL:
            return f"{_TEXTUAL[note]} {_BEGINS}{text}"
    if notes:
        said = " ".join(SENTENCES[note] for note in notes)
    elif sentence is not None and is_told(level, things):
        said = sentence if level == "sure" else hedged(sentence)
    else:
        said = f"{_UNSURE} {spoken_things(things)}" if things else _UNCLEAR
    return f"{said} {_SAYS}{text}" if text else said


def text_begun(spoken: str) -> str:
    """With how much of its text a screen, a page or a drawing was told; "" for nothing.

    Args:
        spoken: by `speak`, of such a picture.
    """
    return spoken.partition(_BEGINS)[2] or spoken.partition(_SAYS)[2]
