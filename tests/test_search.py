"""Beam search, checked against looking at every sentence there is."""

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from core.agreement import agreement
from core.model import Decoder, Scene
from core.model_config import ModelConfig
from core.network import Sight, blind_log_probs
from core.parts import Write, Written
from core.search import RIVALS, Hypothesis, beam_search
from core.vocabulary import Vocabulary
from tests.decoder_networks import DecoderNetwork, only, sight_of

CHANNELS, REGIONS, WORDS = 6, 9, range(4, 7)
LONGEST = 4


@pytest.fixture(autouse=True)
def _seed() -> Iterator[None]:
    with torch.random.fork_rng(), torch.no_grad():
        yield


def random_search(seed: int, pictures: int = 3) -> tuple[Decoder, Scene, Sight]:
    torch.manual_seed(seed)
    decoder = Decoder(CHANNELS, ModelConfig(WORDS.stop, hidden=12, heads=3)).eval()
    for parameter in decoder.parameters():
        parameter.copy_(torch.randn_like(parameter) * 0.6)
    # Ends at the first chance and words never to be written are tempting.
    decoder.bias[Vocabulary.end] += seed % 3
    decoder.bias[Vocabulary.unknown] += 2
    regions = torch.randn(pictures, REGIONS, CHANNELS)
    return decoder, decoder.look_at(regions), sight_of(decoder, regions)


def search(decoder: Decoder, sight: Sight, *arguments: float, **named: float) -> list[Hypothesis]:
    return beam_search(DecoderNetwork(decoder), sight, *arguments, **named)  # type: ignore[arg-type]


def alone_of(sight: Sight, picture: int) -> Sight:
    return Sight(*(array[picture : picture + 1] for array in vars(sight).values()))


def rescore(decoder: Decoder, scene: Scene, words: tuple[int, ...]) -> tuple[Tensor, ...]:
    """Log-probability of each word and the end, and where was looked, by teacher forcing."""
    given = torch.tensor([[Vocabulary.start, *words]])
    logits, look, _ = decoder(scene, given)
    following = torch.tensor([*words, Vocabulary.end])
    log_probs = logits[0].log_softmax(dim=1).gather(1, following.unsqueeze(1)).squeeze(1)
    return log_probs, look.regions[0, :-1], look.sentinel[0, :-1]


def score_of(log_probs: Tensor, length_norm: float) -> float:
    return float(log_probs.sum()) / len(log_probs) ** length_norm


def every_sentence() -> Iterator[tuple[int, ...]]:
    """All sentences without a word straight after itself."""
    for length in range(1, LONGEST + 1):
        for words in itertools.product(WORDS, repeat=length):
            if all(one != other for one, other in itertools.pairwise(words)):
                yield words


# A large norm lets long sentences overtake: it shows a search that stops too early.
@pytest.mark.parametrize("length_norm", [0, 0.7, 2])
@pytest.mark.parametrize("seed", range(8))
def test_a_wide_beam_finds_the_best_of_all_sentences(seed: int, length_norm: float) -> None:
    decoder, scene, sight = random_search(seed, pictures=1)
    found = search(decoder, sight, 30, LONGEST, length_norm)[0]
    scores = {
        words: score_of(rescore(decoder, scene, words)[0], length_norm)
        for words in every_sentence()
    }
    assert found.words == max(scores, key=scores.__getitem__)
    assert found.score == pytest.approx(max(scores.values()), abs=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_a_beam_of_one_follows_the_likeliest_word(seed: int) -> None:
    decoder, scene, sight = random_search(seed)
    for picture, hypothesis in enumerate(search(decoder, sight, 1, LONGEST)):
        alone = only(scene, picture)
        words: tuple[int, ...] = ()
        scores: dict[tuple[int, ...], float] = {}
        for _ in range(LONGEST):
            logits, _, _ = decoder(alone, torch.tensor([[Vocabulary.start, *words]]))
            allowed = [word for word in WORDS if word != (words or (None,))[-1]]
            words = (*words, max(allowed, key=lambda word: float(logits[0, -1, word])))
            scores[words] = score_of(rescore(decoder, alone, words)[0], 0.7)
        assert hypothesis.words == max(scores, key=scores.__getitem__)


@pytest.mark.parametrize("beam", [1, 2, 3, 5])
def test_figures_and_maps_of_the_winner_are_those_of_its_own_words(beam: int) -> None:
    decoder, scene, sight = random_search(beam, pictures=4)
    for picture, hypothesis in enumerate(search(decoder, sight, beam)):
        expected = rescore(decoder, only(scene, picture), hypothesis.words)
        log_probs, regions, sentinel = expected
        assert hypothesis.log_probs == pytest.approx(log_probs.tolist(), abs=1e-4)
        torch.testing.assert_close(torch.tensor(hypothesis.regions), regions, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(
            torch.tensor(hypothesis.sentinel), sentinel, rtol=1e-4, atol=1e-5
        )
        assert hypothesis.score == pytest.approx(score_of(log_probs, 0.7), abs=1e-4)


@pytest.mark.parametrize("beam", [1, 3])
def test_many_pictures_give_what_each_gives_alone(beam: int) -> None:
    decoder, _, sight = random_search(1, pictures=7)
    together = search(decoder, sight, beam)
    alone = [search(decoder, alone_of(sight, picture), beam)[0] for picture in range(7)]
    assert [hypothesis.words for hypothesis in together] == [one.words for one in alone]
    for one, other in zip(together, alone, strict=True):
        assert one.log_probs == pytest.approx(other.log_probs, abs=1e-4)
        assert one.regions == pytest.approx(other.regions, abs=1e-5)


def tempted(*tempting: int) -> list[Hypothesis]:
    """Sentences of a model that wants to write these words above all."""
    decoder, _, sight = random_search(0, pictures=5)
    decoder.bias[list(tempting)] += 30
    return [one for beam in (1, 3) for one in search(decoder, sight, beam)]


def test_no_special_word_is_written() -> None:
    for hypothesis in tempted(Vocabulary.unknown, Vocabulary.pad, Vocabulary.start):
        assert set(hypothesis.words) <= set(WORDS)


def test_no_word_stands_straight_after_itself() -> None:
    for hypothesis in tempted(5):
        assert 5 in hypothesis.words
        assert all(one != other for one, other in itertools.pairwise(hypothesis.words))


def test_what_says_three_words_twice_does_not_win_against_what_does_not() -> None:
    # A decoder that goes round in a circle: 4, 5, 6, 4, 5, 6, ...
    decoder, _, sight = random_search(0, pictures=5)
    network = DecoderNetwork(decoder)
    network.search_part.step.write = Circling(decoder)
    for hypothesis in beam_search(network, sight, 3, max_words=8, length_norm=0.7):
        assert hypothesis.words in ((4, 5, 6), (4, 5, 6, 4), (4, 5, 6, 4, 5))
        assert (4, 5, 6) * 2 in [rival.words[:6] for rival in hypothesis.rivals]
        assert hypothesis.rivals[0].score > hypothesis.score


class Circling(Write):
    """Writes its three words in turn, and would rather not end."""

    def forward(self, words: Tensor, totals: Tensor, *arrays: Tensor) -> Written:
        following = torch.where((words >= 4) & (words < 6), words + 1, 4)
        order = totals.argsort(dim=1, descending=True, stable=True)
        log_probs = torch.full_like(totals, -0.01)
        return (
            super()
            .forward(words, totals, *arrays)
            ._replace(
                totals=(totals + log_probs).gather(1, order),
                parents=order,
                words=following.gather(1, order),
                log_probs=log_probs,
                ends=torch.full_like(totals, -2.0),
            )
        )


def test_a_sentence_has_at_least_one_word() -> None:
    assert {len(hypothesis.words) for hypothesis in tempted(Vocabulary.end)} == {1}


def test_a_sentence_has_no_more_words_than_allowed() -> None:
    decoder, _, sight = random_search(0)
    decoder.bias[Vocabulary.end] -= 30
    # Where every length is equally good per word, the longest has the end's price spread widest.
    found = search(decoder, sight, 3, max_words=4, length_norm=1)
    assert {len(hypothesis.words) for hypothesis in found} == {4}


def test_more_beams_than_sentences() -> None:
    decoder, _, sight = random_search(2)
    wide, wider = (search(decoder, sight, beam, LONGEST) for beam in (50, 500))
    assert [one.words for one in wide] == [one.words for one in wider]


def test_no_pictures() -> None:
    decoder, _, sight = random_search(0, pictures=0)
    assert search(decoder, sight) == []


@pytest.mark.parametrize("beam", [1, 3])
def test_entropies_are_those_of_what_might_have_stood_there(beam: int) -> None:
    decoder, scene, sight = random_search(beam, pictures=4)
    for picture, hypothesis in enumerate(search(decoder, sight, beam)):
        given = torch.tensor([[Vocabulary.start, *hypothesis.words]])
        logits, _, _ = decoder(only(scene, picture), given)
        expected = torch.distributions.Categorical(logits=logits[0]).entropy()
        assert hypothesis.entropies == pytest.approx(expected.tolist(), abs=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_rivals_are_the_best_other_sentences(seed: int) -> None:
    decoder, scene, sight = random_search(seed, pictures=1)
    found = search(decoder, sight, 30, LONGEST, length_norm=0)[0]
    scores = [rival.score for rival in found.rivals]
    assert len(scores) == RIVALS
    assert scores == sorted(scores, reverse=True)
    assert scores[0] <= found.score
    assert len({found.words, *(rival.words for rival in found.rivals)}) == 1 + RIVALS
    for rival in found.rivals:
        log_probs, _, _ = rescore(decoder, scene, rival.words)
        assert rival.score == pytest.approx(float(log_probs.sum()), abs=1e-4)


def test_rivals_do_not_depend_on_the_other_pictures() -> None:
    decoder, _, sight = random_search(1, pictures=7)
    for picture, one in enumerate(search(decoder, sight, 3)):
        alone = search(decoder, alone_of(sight, picture), 3)[0]
        assert [rival.words for rival in one.rivals] == [rival.words for rival in alone.rivals]


@pytest.mark.parametrize("beam", [1, 3, 30])
def test_sentences_are_ranked_by_what_is_expected_too(beam: int) -> None:
    decoder, scene, sight = random_search(3, pictures=4)
    network = DecoderNetwork(decoder)
    before = beam_search(network, sight, beam, LONGEST, rivals=None)
    random = np.random.default_rng(1)
    network.rarity = random.uniform(0, 3, WORDS.stop).astype(np.float32)
    expected = random.normal(scale=3, size=(4, WORDS.stop - 1)).astype(np.float32)
    after = beam_search(network, replace(sight, expected=expected), beam, LONGEST, rivals=None)
    for picture, (one, other) in enumerate(zip(before, after, strict=True)):
        assert {one.expected, *(rival.expected for rival in one.rivals)} == {0.0}
        likelihoods = {one.words: one.score, **{each.words: each.score for each in one.rivals}}
        sentences = [other.words, *(rival.words for rival in other.rivals)]
        assert sorted(sentences) == sorted(likelihoods)
        more = agreement(sentences, expected[picture], network.rarity)
        scores = [likelihoods[words] + add for words, add in zip(sentences, more, strict=True)]
        found = [other.score, *(rival.score for rival in other.rivals)]
        assert found == pytest.approx(scores, abs=1e-4)
        assert found == sorted(found, reverse=True)
        alone = [other.expected, *(rival.expected for rival in other.rivals)]
        assert alone == pytest.approx(more.tolist(), abs=1e-5)
        log_probs, _, _ = rescore(decoder, only(scene, picture), other.words)
        assert other.log_probs == pytest.approx(log_probs.tolist(), abs=1e-4)
    assert beam == 1 or [one.words for one in before] != [one.words for one in after]


def test_blind_log_probs_are_those_of_an_empty_scene() -> None:
    decoder, scene, sight = random_search(2, pictures=5)
    hypotheses = search(decoder, sight, 3)
    empty = Scene(*(torch.zeros_like(tensor[:1]) for tensor in scene))
    network = DecoderNetwork(decoder)
    blind = blind_log_probs(network, sight, [one.words for one in hypotheses])
    for log_probs, hypothesis in zip(blind, hypotheses, strict=True):
        expected, _, _ = rescore(decoder, empty, hypothesis.words)
        assert log_probs == pytest.approx(expected.tolist(), abs=1e-4)
    assert blind_log_probs(network, sight, []) == []
