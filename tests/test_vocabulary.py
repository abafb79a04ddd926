"""Sentences to words and numbers, and back."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.vocabulary import SPECIALS, Vocabulary, tokenize, write_sentence

WORDS = st.lists(st.from_regex(r"[a-z0-9]{1,8}(['-][a-z0-9]{1,3})?", fullmatch=True), min_size=1)
BETWEEN = st.sampled_from([" ", "  ", ", ", ". ", "! ", " - ", " '", '" ', "\n", " (", "/"])


def vocabulary_of(*words: str) -> Vocabulary:
    return Vocabulary([*SPECIALS, *words])


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("A dog runs.", ["a", "dog", "runs"]),
        ("Two DOGS , running !", ["two", "dogs", "running"]),
        ("The child's t-shirt", ["the", "child's", "t-shirt"]),
        ("The child\u2019s hat", ["the", "child's", "hat"]),
        ("the dogs' bowls, 'quoted' -- and - so", ["the", "dogs", "bowls", "quoted", "and", "so"]),
        ("number 12 of 3.", ["number", "12", "of", "3"]),
        ("", []),
        (" .,;!?'-\n\t", []),
    ],
)
def test_words_without_punctuation(sentence: str, words: list[str]) -> None:
    assert tokenize(sentence) == words


@settings(max_examples=50)
@given(words=WORDS, data=st.data())
def test_a_sentence_of_known_words_comes_back(words: list[str], data: st.DataObject) -> None:
    vocabulary = vocabulary_of(*dict.fromkeys(words))
    spelt = [data.draw(st.sampled_from([word, word.upper(), word.title()])) for word in words]
    sentence = "".join(word + data.draw(BETWEEN) for word in spelt)
    assert vocabulary.decode(vocabulary.encode(sentence)) == words


@given(words=WORDS)
def test_a_written_sentence_reads_back_as_its_words(words: list[str]) -> None:
    assert tokenize(write_sentence(words)) == words


@given(sentence=st.text())
def test_any_text_is_encoded(sentence: str) -> None:
    vocabulary = vocabulary_of("a", "dog")
    indices = vocabulary.encode(sentence)
    assert (indices[0], indices[-1]) == (vocabulary.start, vocabulary.end)
    assert {vocabulary.pad, vocabulary.start, vocabulary.end}.isdisjoint(indices[1:-1])
    assert len(indices) == len(tokenize(sentence)) + 2


def test_unknown_words_keep_their_place_and_are_not_written() -> None:
    vocabulary = vocabulary_of("a", "dog")
    assert vocabulary.encode("A zebra dog") == [1, 4, 3, 5, 2]
    assert vocabulary.decode([1, 4, 3, 5, 2]) == ["a", "dog"]
    assert "dog" in vocabulary
    assert "zebra" not in vocabulary


def test_what_stands_after_the_end_is_not_read() -> None:
    vocabulary = vocabulary_of("a", "dog")
    assert vocabulary.decode([5, 2, 4, 4]) == ["dog"]
    assert vocabulary.decode([]) == []


def test_specials_stand_first_under_their_own_numbers() -> None:
    vocabulary = Vocabulary.build(["a dog"], min_count=1)
    assert vocabulary.words[:4] == SPECIALS
    names = [vocabulary.pad, vocabulary.start, vocabulary.end, vocabulary.unknown]
    assert names == [SPECIALS.index(f"<{name}>") for name in ("pad", "start", "end", "unk")]
    assert len(vocabulary) == 6


def test_frequent_words_come_first_and_rare_ones_are_left_out() -> None:
    sentences = ["dog dog dog cat cat", "Dog. Cat? Bird"]
    assert Vocabulary.build(sentences, min_count=3).words[4:] == ("dog", "cat")
    assert Vocabulary.build(sentences, min_count=1).words[4:] == ("dog", "cat", "bird")
    assert Vocabulary.build(iter([]), min_count=1).words == SPECIALS


@given(st.permutations(["b a", "a b c", "d", "c'c d"]))
def test_the_order_of_sentences_does_not_matter(sentences: Sequence[str]) -> None:
    built = Vocabulary.build(sentences, min_count=1)
    assert built.words[4:] == ("a", "b", "d", "c", "c'c")


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["a", "dog"],
        ["<start>", "<pad>", "<end>", "<unk>", "a"],
        [*SPECIALS, "a", "dog", "a"],
        [*SPECIALS, "a", "<end>"],
        [*SPECIALS, "two words"],
        [*SPECIALS, "Dog"],
        [*SPECIALS, ""],
        [*SPECIALS, "\x1b[2J"],
        [*SPECIALS, 7],
        [*SPECIALS, None],
    ],
    ids=repr,
)
def test_no_vocabulary(words: list[str]) -> None:
    with pytest.raises(ValueError, match="vocabulary"):
        Vocabulary(words)


def test_written_as_people_write() -> None:
    assert write_sentence(["a", "child's", "t-shirt"]) == "A child's t-shirt."
    assert re.fullmatch(r"12 dogs\.", write_sentence(["12", "dogs"]))
    assert write_sentence([]) == ""
