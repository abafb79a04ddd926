"""Word accuracy of text that was read, against the text that was drawn."""

import re
from collections import Counter
from collections.abc import Sequence

# A word with what holds it together inside: 11:30, half-past, http://host.
_WORD = re.compile(r"\w+(?:[.,:'\u2019/@-]+\w+)*")


def words_of(text: str) -> list[str]:
    """The words of a text, as they are written, without the punctuation around them."""
    return _WORD.findall(text)


def accuracy_in_any_order(read: str, drawn: str) -> float:
    """1 less the share of words that are missing or made up, whichever are more."""
    got, wanted = Counter(words_of(read)), Counter(words_of(drawn))
    wrong = max((wanted - got).total(), (got - wanted).total())
    return 1 - wrong / wanted.total()


def accuracy_in_order(read: str, drawn: str) -> float:
    """1 less the word error rate: words to insert, delete or replace, as a share of the drawn."""
    got, wanted = words_of(read), words_of(drawn)
    return 1 - _distance(got, wanted) / len(wanted)


def _distance(first: Sequence[str], second: Sequence[str]) -> int:
    """Levenshtein's, in words."""
    above = list(range(len(second) + 1))
    for row, word in enumerate(first, start=1):
        here = [row]
        for column, other in enumerate(second, start=1):
            change = above[column - 1] + (word != other)
            here.append(min(change, above[column] + 1, here[-1] + 1))
        above = here
    return above[-1]
