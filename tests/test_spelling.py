"""Spelling: a wrong sign in a price or an address is a wrong price or address."""

import pytest

from desktop.spelling import spelled


@pytest.mark.parametrize(
    ("sentence", "heard"),
    [
        ("A dog, running.", "A, D O G, R U N N I N G"),
        ("It says: pay 12.50 €.", "I T, S A Y S, P A Y, 1 2 dot 5 0, euro"),
        ("mail anna.k-2@web.de!", "M A I L, A N N A dot K hyphen 2 at W E B dot D E"),
        ("(see www.x.org/a_b)", "S E E, W W W dot X dot O R G slash A underscore B"),
        ("“Don't” … 50% off", "D O N apostrophe T, 5 0 per cent, O F F"),
        ("Cafe\u0301 ★ ❤\ufe0f", "C A F É, black star, heavy black heart"),
        ("...", ""),
    ],
)
def test_signs_within_words_are_named_and_those_of_sentences_are_not(
    sentence: str, heard: str
) -> None:
    assert spelled(sentence) == heard
