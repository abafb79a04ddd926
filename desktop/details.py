"""What can be asked for after a description: where its things are, and the text, in portions."""

from core.caption import DRAWN, Caption
from core.speaking import text_begun
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
        # Words of the text. A sentence that was cut off goes on where it was, which makes other
        # portions of the whole than there were of its beginning.
        self._heard = 0
        if DRAWN.intersection(caption.notes):
            self._heard = len(text_begun(caption.spoken).split())

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
        text = self._caption.text
        parts = split_parts(text, FIRST_WORDS, self._complete, self._heard)
        if parts:
            self._heard += len(parts[0].split())
            return parts[0]
        if not self._complete:
            return None
        self._heard = 0
        return "That was all of the text." if text else "No text was read in this picture."
