"""Details of a description: places and text, also while they are still being found."""

from dataclasses import replace

import pytest

from core.caption import Caption, Thing
from core.where import with_places
from desktop.details import Details
from tests.history_parts import caption_of

MUG = Thing("coffee mug", 0.9)


def clear() -> Caption:
    """A caption with a thing that was seen at one place."""
    captions = (caption_of("A dog on the grass.", seed=seed) for seed in range(20))
    return next(caption for caption in captions if with_places(caption))


def test_places_are_there_when_the_caption_is_whole() -> None:
    whole = clear()
    details = Details(replace(whole, words=()), complete=False)
    assert details.where() is None
    details.complete(whole)
    assert details.where() == with_places(whole)


@pytest.mark.parametrize("complete", [False, True])
def test_without_a_sentence_nobody_waits_for_places(complete: bool) -> None:
    dark = caption_of(None)
    instead = replace(clear(), level="unsure", things=(MUG,), words=())
    for caption in (dark, instead):
        said = Details(caption, complete).where()
        assert said == "No sentence was said, so there are no places to tell."


def test_places_that_are_not_clear_are_not_told() -> None:
    said = Details(caption_of(with_words=False), complete=True).where()
    assert said == "Where things are is not clear enough to say."


def test_text_goes_on_where_it_was_when_the_rest_is_there() -> None:
    sentences = [f"Sentence number {number} of a long text that is read." for number in range(30)]
    screen = replace(caption_of(None, text=sentences[:15]), notes=("screen",))
    details = Details(screen, complete=False)
    heard = []
    while (portion := details.next_text()) is not None:
        heard.append(portion)
    assert details.next_text() is None
    details.complete(replace(screen, text=tuple(sentences)))
    while (portion := details.next_text()) != "That was all of the text.":
        assert portion is not None
        heard.append(portion)
    told = " ".join(heard)
    assert sentences[-1] in told
    assert all(told.count(f"number {number} ") <= 1 for number in range(30))
