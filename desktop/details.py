"""What can be asked for after a description: where its things are, and the text, in portions."""

from collections.abc import Sequence

from core.caption import DRAWN, Caption
from core.text_speech import FIRST_WORDS, split_parts
from core.where import with_places


class Details:
    """The details of a description.

    Args:
        caption: as it was told, perhaps without words and with the beginning of its text only.
        complete: whether it has all of them.
    """

    def __init__(self, caption: Caption, complete: bool) -> None:
        self._caption = caption
        self._complete = complete
        # Of a screen or a page, the first portion was said as its description.
        self._next = 1 if DRAWN.intersection(caption.notes) else 0

    @property
    def any_text(self) -> bool:
        """Whether there is text so far."""
        return bool(self._caption.text)

    def complete(self, caption: Caption) -> None:
        """The same caption has its words and all of its text by now."""
        self._caption, self._complete = caption, True

    def where(self) -> str | None:
        """The sentence with the places of its things.

        Returns:
            None where they have not been found yet.
        """
        if not self._caption.is_sentence_said:
            return "No sentence was said, so there are no places to tell."
        if not self._complete:
            return None
        return with_places(self._caption) or "Where things are is not clear enough to say."

    def next_text(self) -> str | None:
        """The next portion of text, then that this was all, then the first again.

        Returns:
            None where it has not been read yet.
        """
        text: Sequence[str] = self._caption.text
        parts = split_parts(text, FIRST_WORDS, self._complete)
        if self._next < len(parts):
            self._next += 1
            return parts[self._next - 1]
        if not self._complete:
            return None
        self._next = 0
        return "That was all of the text." if parts else "No text was read in this picture."
