"""Words to numbers and back: the tokenizer and the vocabulary of the captioner."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

PAD, START, END, UNKNOWN = "<pad>", "<start>", "<end>", "<unk>"
SPECIALS = (PAD, START, END, UNKNOWN)

# A word may hold apostrophes and hyphens inside ("child's", "t-shirt"); all other punctuation
# is left out, as the metrics of the field leave it out.
_WORD = re.compile(r"[a-z0-9]+(?:['-][a-z0-9]+)*")


def tokenize(sentence: str) -> list[str]:
    """Lower-case words of a sentence, without punctuation."""
    return _WORD.findall(sentence.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))


def write_sentence(words: Sequence[str]) -> str:
    """A sentence as people write it: first letter upper-case, a full stop at the end."""
    if not words:
        return ""
    text = " ".join(words)
    return f"{text[0].upper()}{text[1:]}."


class Vocabulary:
    """A fixed list of words; the four special ones come first.

    Args:
        words: every word once, in the order of the model's output, the four of ``SPECIALS`` first.

    Raises:
        ValueError: if the special words do not stand first, or one of the others stands twice or is
            no word as ``tokenize`` gives it.
    """

    pad, start, end, unknown = range(4)

    def __init__(self, words: Sequence[str]) -> None:
        if tuple(words[:4]) != SPECIALS:
            raise ValueError(f"a vocabulary starts with {', '.join(SPECIALS)}")
        for word in words[4:]:
            if not isinstance(word, str) or tokenize(word) != [word]:
                raise ValueError(f"{word!r} is no word of a vocabulary")
        self.words = tuple(words)
        self._index = {word: index for index, word in enumerate(self.words)}
        if len(self._index) != len(self.words):
            raise ValueError("a vocabulary holds each word once")

    @classmethod
    def build(cls, sentences: Iterable[str], min_count: int = 5) -> "Vocabulary":
        """The words that occur at least ``min_count`` times, the frequent ones first."""
        counts = Counter(word for sentence in sentences for word in tokenize(sentence))
        kept = [word for word, count in counts.items() if count >= min_count]
        # Ties are broken by the alphabet, so that the same sentences give the same vocabulary.
        return cls([*SPECIALS, *sorted(kept, key=lambda word: (-counts[word], word))])

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self._index

    def encode(self, sentence: str) -> list[int]:
        """Indices of the words between ``<start>`` and ``<end>``; unknown words give ``<unk>``."""
        inner = [self._index.get(word, self.unknown) for word in tokenize(sentence)]
        return [self.start, *inner, self.end]

    def decode(self, indices: Iterable[int]) -> list[str]:
        """Words up to the first ``<end>``, without the special ones."""
        words = []
        for index in indices:
            if index == self.end:
                break
            if index >= len(SPECIALS):
                words.append(self.words[index])
        return words
