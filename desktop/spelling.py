"""Sentences letter by letter, with the signs in addresses and prices called by their names."""

import unicodedata

# What belongs to the sentence, not to the word that it stands beside.
_BEFORE = "([{\"'“‘„«¿¡"  # noqa: RUF001
_AFTER = ".,;:!?…)]}\"'”’»"  # noqa: RUF001
_NAMES = {
    ".": "dot",
    ",": "comma",
    ":": "colon",
    "@": "at",
    "-": "hyphen",
    "–": "dash",  # noqa: RUF001
    "—": "dash",
    "_": "underscore",
    "/": "slash",
    "\\": "backslash",
    "'": "apostrophe",
    "’": "apostrophe",  # noqa: RUF001
    "+": "plus",
    "=": "equals",
    "*": "star",
    "#": "number sign",
    "%": "per cent",
    "&": "and",
    "°": "degrees",
    "€": "euro",
    "$": "dollar",
    "£": "pound",
}


def spelled(sentence: str) -> str:
    """A sentence letter by letter, with its words set apart."""
    words = (_spelled(word) for word in sentence.split())
    return ", ".join(word for word in words if word)


def _spelled(word: str) -> str:
    word = unicodedata.normalize("NFC", word).lstrip(_BEFORE).rstrip(_AFTER)
    return " ".join(filter(None, map(_named, word)))


def _named(letter: str) -> str:
    if letter.isalnum():
        return letter.upper()
    if unicodedata.category(letter) in ("Cf", "Mn"):  # what is not seen, such as joiners
        return ""
    return _NAMES.get(letter) or unicodedata.name(letter, "").lower()
