"""The text of a description, portion by portion."""

from collections.abc import Sequence

from core.caption import DRAWN, Caption
from core.text_speech import FIRST_WORDS, split_parts


class ReadOn:
    """Which portion of a picture's text comes next.

    Args:
        caption: of the picture, perhaps with no more than the beginning of its text.
        complete: whether that is all of its text.
    """

    def __init__(self, caption: Caption, complete: bool) -> None:
        self._text: Sequence[str] = caption.text
        self._complete = complete
        # Of a screen or a page, the first portion was said as its description.
        self._next = 1 if DRAWN.intersection(caption.notes) else 0

    @property
    def any(self) -> bool:
        """Whether there is text so far."""
        return bool(self._text)

    def complete(self, caption: Caption) -> None:
        """All of the text has been read by now."""
        self._text, self._complete = caption.text, True

    def next(self) -> str | None:
        """The next portion, then that this was all, then the first again.

        Returns:
            None where it has not been read yet.
        """
        parts = split_parts(self._text, FIRST_WORDS, self._complete)
        if self._next < len(parts):
            self._next += 1
            return parts[self._next - 1]
        if not self._complete:
            return None
        self._next = 0
        return "That was all of the text." if parts else "No text was read in this picture."
