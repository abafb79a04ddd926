"""Teaches a model what words to expect of a picture, by which it ranks its sentences.

    python -m training.expect runs/average --data data/flickr8k data/coco data/rooms --to runs/final

It begins with ridge regression from the features of each picture as a whole to its people's
sentences, as vectors of the field's tf-idf weights: what those who see such pictures agree in (as
Devlin et al., "Exploring Nearest Neighbor Approaches for Image Captioning", 2015, who ask the most
similar pictures). Then it learns to rank sentences of the model's own (`training.ranking`). After
that, the model wants graphs and a calibration.
"""

import argparse
import math
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from core.agreement import weigh_words
from core.errors import SeesayError
from core.model import CaptionModel
from core.model_file import load_model, save_model
from core.model_folder import read_model_folder
from core.network import Network, load_network
from core.search import Hypothesis, beam_search
from core.vocabulary import Vocabulary
from training.ahead import load_ahead
from training.checkpoint import seed_step
from training.data import Example, for_training, load_split
from training.least_squares import LeastSquares
from training.pictures import Squares
from training.ranking import contest, rank
from training.reward import Reward
from training.target import check_target, writing

# On val, all words bring no more; 600 bring a little less for Flickr8k.
_WORDS = 1000
# Chosen on val, as the next two: what agreement counts beside a sentence's likelihood.
_WEIGHT = 20.0
_RIDGE = 0.1
# Added for every word, so that sentences are a tenth of a word longer, which METEOR likes.
_WELCOME = 0.2
# Features that hardly vary are not enlarged: by this share of what they vary on average.
_STILL = 0.2
# Pictures of a data set for which sentences are ranked.
_CAPTIONED = 8000
_BEAM = 3
_BATCH = 32
_ROWS = 4096

Sentence = Sequence[int]  # indices of its words, and last of <end>


def expect(
    model: CaptionModel,
    network: Network,
    vocabulary: Vocabulary,
    sets: Sequence[Sequence[Example]],
    meteor: float,
) -> CaptionModel:
    """The model, which knows what to expect.

    Args:
        model: that was trained; what it expected is forgotten.
        network: that runs it.
        vocabulary: of its decoder.
        sets: pictures with people's sentences, of each data set; each counts as often as it has
            sentences.
        meteor: what METEOR counts beside CIDEr-D where sentences are ranked.

    Raises:
        SeesayError: if METEOR counts and there is no Java for it, or if there is one picture alone.
    """
    model.forget_expectation()
    made = CaptionModel(replace(model.config, expected=min(_WORDS, len(vocabulary)))).eval()
    made.load_state_dict(model.state_dict(), strict=False)
    expectation, known = made.expectation, made.config.expected
    assert expectation is not None
    pictures = [
        [vocabulary.encode(sentence)[1:] for sentence in example.sentences]
        for examples in sets
        for example in examples
    ]
    if len(pictures) == 1:
        raise SeesayError("Nothing can be learnt from one picture: give a data set with more.")
    reward = Reward(pictures, vocabulary, meteor=meteor)
    rarity = find_rarity(pictures, len(vocabulary))
    features, found = see_all(network, model.config.image_size, sets)
    mean, spread = features.mean(dim=0), features.std(dim=0)
    scale = 1 / (spread + _STILL * _by_parts(spread, model.encoder.channels))
    features = (features - mean) * scale

    linear = fit(features, pictures, rarity, known)
    expectation.load_state_dict({**linear, "mean": mean, "scale": scale, "rarity": rarity})

    contests = []
    for picture, hypothesis in tqdm(found.items(), unit="picture"):
        written = [hypothesis.words, *(rival.words for rival in hypothesis.rivals)]
        ended = [[*words, vocabulary.end] for words in written]
        earned = reward.score(ended, [pictures[picture]] * len(ended))
        contests.append(contest(hypothesis, earned, rarity.numpy(), known))
    rank(expectation.linear, features[list(found)], contests)
    with torch.no_grad():
        expectation.linear.bias.add_(_WELCOME)
    return made


def fit(
    features: Tensor, pictures: Sequence[Sequence[Sentence]], rarity: Tensor, known: int
) -> dict[str, Tensor]:
    """The regression from pictures to their sentences: the layer of an expectation.

    Args:
        features: (pictures, features) standardised.
        pictures: people's sentences of each.
        rarity: (vocabulary,) as of `find_rarity`.
        known: number of words to tell of.
    """
    fitted = LeastSquares(features.shape[1], known, _RIDGE)
    for start in range(0, len(pictures), _ROWS):
        rows = slice(start, start + _ROWS)
        wanted = torch.stack([weigh(one, rarity)[:known] for one in pictures[rows]])
        times = torch.tensor([float(len(sentences)) for sentences in pictures[rows]])
        fitted.show(features[rows], _WEIGHT * wanted, times)
    return {f"linear.{name}": tensor for name, tensor in fitted.state().items()}


def find_rarity(pictures: Sequence[Sequence[Sentence]], words: int) -> Tensor:
    """Inverse document frequency of each word, where a picture is a document, (words,)."""
    counts = Counter(word for sentences in pictures for word in {*chain.from_iterable(sentences)})
    return torch.tensor([math.log(len(pictures) / max(counts[word], 1)) for word in range(words)])


def weigh(sentences: Sequence[Sentence], rarity: Tensor) -> Tensor:
    """The mean of some sentences as vectors of tf-idf weights of length 1, (words,)."""
    words, counts = weigh_words([words[:-1] for words in sentences], rarity.numpy())
    total = torch.zeros(len(rarity))
    total.index_add_(0, torch.from_numpy(words.ravel()), torch.from_numpy(counts.ravel()))
    return total / len(sentences)


def see_all(
    network: Network, side: int, sets: Sequence[Sequence[Example]]
) -> tuple[Tensor, dict[int, Hypothesis]]:
    """What an expectation is told of pictures, and of some of them all that the search finishes.

    Args:
        network: that sees and writes; what it expects is left aside.
        side: of the squares that it sees, in pixels.
        sets: of pictures, of which the first ones of each are captioned.

    Returns:
        Features, (pictures, channels and classes), and sentences by the picture's place there.
    """
    rows = []
    found: dict[int, Hypothesis] = {}
    place = 0
    with tqdm(total=sum(map(len, sets)), unit="picture") as bar:
        for examples in sets:
            squares = Squares([example.path for example in examples], side)
            for number, pixels in enumerate(load_ahead(squares, _BATCH)):
                sight = network.see(pixels.numpy())
                if number * _BATCH < _CAPTIONED:
                    free = replace(sight, expected=np.zeros_like(sight.expected))
                    written = beam_search(network, free, _BEAM, rivals=None)
                    found |= dict(enumerate(written, start=place))
                rows.append(torch.from_numpy(np.hstack([sight.pooled, sight.answers])))
                place += len(pixels)
                bar.update(len(pixels))
    return torch.cat(rows), found


def _by_parts(spread: Tensor, channels: int) -> Tensor:
    """The mean of region features and of answers, each in place of their own."""
    parts = (spread[:channels], spread[channels:])
    return torch.cat([part.mean().expand(len(part)) for part in parts])


def main() -> int:
    """Teach; gives the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m training.expect",
        description="Teach a model what words to expect of a picture.",
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument(
        "--meteor",
        type=float,
        default=0.0,
        help="what METEOR counts beside CIDEr-D (needs Java); default %(default)s",
    )
    parser.add_argument("--to", type=Path, required=True)
    options = parser.parse_args()
    try:
        model, vocabulary, config = load_model(options.model)
        sets = [for_training(load_split(folder.resolve(), "train")) for folder in options.data]
        check_target(options.to)
        seed_step("expect")
        network = load_network(read_model_folder(options.model))
        made = expect(model, network, vocabulary, sets, options.meteor)
        facts: dict[str, Any] = {
            name: config[name] for name in ("name", "licence", "training") if name in config
        }
        with writing(options.to):
            save_model(made, vocabulary, options.to, facts)
    except SeesayError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
