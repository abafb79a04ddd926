"""Calibrates a model's confidence: ``python -m training.calibrate MODEL_DIR [--data DIR]``.

A logistic regression tells from the decoder's evidence, its summary of the picture and the words
which sentences are acceptable. It learns from some of Flickr8k's ``train`` pictures, where the
model is too good, and is then set right on ``val``. Experts' judgements tell which sentences are
acceptable (see `training.judgements`). Sentences of a few words are what the model says of rooms;
the ``val`` of the rooms calibrates them apart: right is what names the kind of room. Sets with one
reference a picture would not tell which sentences are right. The result goes into the model's
``config.json`` under ``confidence``; everything else in it stays as it is. Run it after every
training: a few minutes on two cores.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.confidence import FAR, LONG_EVIDENCE, Confidence, Term, weigh
from core.errors import SeesayError
from core.model_folder import CONFIG, ModelFolder, read_model_folder, replace_file
from core.network import Network, blind_log_probs, load_network
from core.search import beam_search
from core.vocabulary import tokenize
from training.ahead import load_ahead
from training.data import DataError, Example, load_split
from training.judgements import Experts
from training.logistic import fit_logistic
from training.pictures import Squares
from training.target import check_target, writing
from training.trust import Flags, Floats, figures

BEAM = 3
# What "sure" promises, of val; more would make it rarer than a quarter of all sentences.
_SURE_RIGHT = 0.86
# Where five of six sentences are wrong, they mislead more than they tell.
_NONE_BELOW = 0.15
_FOLDS = 10
_REPEATS = 5
_TRAIN_PICTURES = 6000
# By cross-validation on val: the penalty, and how small the summary is made before it.
_RIDGE = 0.01
_SUMMARY_SHARE = 0.3
_LEAST_COUNT = 15  # of a word in train's sentences, to get a weight
# Rooms are few.
_SHORT_RIDGE = 0.01
_LEAST_SCALE = 1e-6  # so that evidence which is always the same divides
_BATCH = 32


@dataclass(frozen=True)
class Sample:
    """A sentence of the model and what is known of it.

    Attributes:
        words: of the sentence.
        evidence: of the decoder.
        summary: of the picture, by the decoder, (hidden,).
        right: whether the sentence is acceptable.
    """

    words: Sequence[str]
    evidence: Mapping[str, float]
    summary: Floats
    right: bool


def calibrate(model: Path, data: Path) -> dict[str, Any]:
    """Fit the confidence of a model and write it into its config.

    Args:
        model: folder of the model.
        data: folder that holds ``flickr8k``, with people's judgements, and may hold ``rooms``.

    Returns:
        Figures of the calibration by cross-validation on Flickr8k's ``val``.

    Raises:
        SeesayError: if model or data are missing or damaged, or the model cannot be written.
    """
    folder = read_model_folder(model)
    check_target(model)
    network = load_network(folder)
    experts = Experts(data / "flickr8k")
    sets = []
    for split, most in (("train", _TRAIN_PICTURES), ("val", None)):
        examples = load_split(data / "flickr8k", split)[:most]
        drafts = describe(network, folder, examples)
        sentences = [" ".join(draft.words) for draft in drafts]
        right = experts.accept(sentences, [example.sentences for example in examples])
        sets.append(
            [replace(draft, right=bool(one)) for draft, one in zip(drafts, right, strict=True)]
        )
    sets.append([])
    if (data / "rooms").is_dir():
        rooms = [one for one in load_split(data / "rooms", "val") if one.category]
        sets[-1] = [
            replace(draft, right=names(draft.words, room.category or ""))
            for draft, room in zip(describe(network, folder, rooms), rooms, strict=True)
        ]
    confidence, found = fit(*sets)
    write_confidence(model, confidence)
    return found


def describe(network: Network, folder: ModelFolder, examples: Sequence[Example]) -> list[Sample]:
    """The model's sentence for each picture, not yet judged."""
    samples: list[Sample] = []
    squares = Squares([example.path for example in examples], folder.architecture.image_size)
    for pixels in load_ahead(squares, _BATCH):
        sight = network.see(pixels.numpy())
        found = beam_search(network, sight, BEAM)
        blind = blind_log_probs(network, sight, [hypothesis.words for hypothesis in found])
        summaries = sight.summary.astype(np.float64)
        for hypothesis, log_probs, summary in zip(found, blind, summaries, strict=True):
            words = folder.vocabulary.decode(hypothesis.words)
            samples.append(Sample(words, weigh(hypothesis, words, log_probs), summary, False))
    return samples


def names(words: Sequence[str], category: str) -> bool:
    """Whether a sentence names a kind of room; "bedroom" will do for a hotel's bedroom."""
    return tokenize(category)[-1] in words


def fit(
    train: Sequence[Sample], val: Sequence[Sample], rooms: Sequence[Sample]
) -> tuple[Confidence, dict[str, Any]]:
    """The calibration that fits these sentences, and its cross-validated figures on ``val``.

    ``sure`` begins where at least 86 % of the sentences from there on are acceptable.

    Args:
        train: sentences for pictures that the model has learnt from.
        val: sentences for others, to set the probabilities right.
        rooms: sentences for rooms, nearly all of them short.

    Raises:
        DataError: if there are too few sentences, or all alike.
    """
    short = [sample for sample in [*val, *rooms] if "short" in sample.evidence]
    train, val = _long(train), _long(val)
    right = np.array([sample.right for sample in val], dtype=bool)
    learnt = np.array([sample.right for sample in train], dtype=bool)
    if len(val) < _FOLDS or len({*right.tolist()}) < 2 or len({*learnt.tolist()}) < 2:
        raise DataError("There are too few sentences to calibrate with; give all of train and val.")
    counts = Counter(word for sample in train for word in set(sample.words))
    words = sorted(word for word, count in counts.items() if count >= _LEAST_COUNT)
    summaries = np.array([sample.summary for sample in train])  # (train, hidden)
    middle = summaries.mean(axis=0)
    slope = _SUMMARY_SHARE / (summaries.std(axis=0) + _LEAST_SCALE)

    def features(samples: Sequence[Sample]) -> tuple[Floats, Floats, Floats]:
        """Evidence is measured by its own set: in ``train``, all of it is better."""
        table = np.array([[one.evidence[name] for name in LONG_EVIDENCE] for one in samples])
        means, scales = table.mean(axis=0), table.std(axis=0) + _LEAST_SCALE
        pictures = (np.array([one.summary for one in samples]) - middle) * slope
        held = np.array([[word in one.words for word in words] for one in samples], dtype=float)
        standard = ((table - means) / scales).clip(-FAR, FAR)
        return np.hstack([standard, pictures, held]), means, scales

    model = fit_logistic(features(train)[0], learnt, _RIDGE)
    inputs, means, scales = features(val)
    scores = (inputs @ model.weights)[:, None]
    scaling = fit_logistic(scores, right, 0.0)
    weights = model.weights * scaling.weights[0]
    of_evidence, of_scene, of_words = np.split(
        weights, [len(LONG_EVIDENCE), len(LONG_EVIDENCE) + len(middle)]
    )
    of_scene = of_scene * slope
    bias = scaling.bias - float(of_scene @ middle)
    terms = dict(zip(LONG_EVIDENCE, map(Term, means, scales, of_evidence), strict=True))
    terms |= _short_terms(short, bias)
    held_out = cross_validate(scores, right)
    confidence = Confidence(
        terms={name: Term(*map(float, astuple(term))) for name, term in terms.items()},
        bias=bias,
        scene=tuple(of_scene.tolist()),
        words=dict(zip(words, of_words.tolist(), strict=True)),
        sure=find_sure(held_out, right),
        none=_NONE_BELOW,
    )
    return confidence, figures(held_out, right, confidence)


def _long(samples: Sequence[Sample]) -> list[Sample]:
    return [sample for sample in samples if "short" not in sample.evidence]


def _short_terms(samples: Sequence[Sample], bias: float) -> dict[str, Term]:
    """Short sentences are judged by their likelihood alone, apart from the others."""
    likelihood = np.array([sample.evidence["short_likelihood"] for sample in samples])
    mean = float(likelihood.mean()) if samples else 0.0
    scale = float(likelihood.std()) + _LEAST_SCALE if samples else 1.0
    # Of an average one each, right and wrong, so that a handful of sentences proves little.
    standard = np.r_[(likelihood - mean) / scale, 0.0, 0.0].clip(-FAR, FAR)
    right = np.array([*(sample.right for sample in samples), True, False])
    model = fit_logistic(standard[:, None], right, _SHORT_RIDGE)
    short = Term(mean=0.0, scale=1.0, weight=model.bias - bias)
    return {"short": short, "short_likelihood": Term(mean, scale, float(model.weights[0]))}


def cross_validate(features: Floats, right: Flags) -> Floats:
    """The probability of each sentence by fits without it; the mean of several divisions."""
    probabilities = np.zeros(len(right))
    for seed in range(_REPEATS):
        fold = np.random.default_rng(seed).permutation(len(right)) % _FOLDS
        for number in range(_FOLDS):
            out = fold == number
            model = fit_logistic(features[~out], right[~out], 0.0)
            probabilities[out] += model.predict(features[out]) / _REPEATS
    return probabilities


def find_sure(probabilities: Floats, right: Flags) -> float:
    """Where ``sure`` begins; 1 where no sentence is sure enough."""
    order = np.argsort(-probabilities, kind="stable")
    shares = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(shares >= _SURE_RIGHT)
    return max(_NONE_BELOW, float(probabilities[order][enough[-1]])) if len(enough) else 1.0


def write_confidence(folder: Path, confidence: Confidence) -> None:
    """Put a calibration into the config of a model, at once or not at all."""
    path = folder / CONFIG
    config = json.loads(path.read_text(encoding="utf-8"))
    # Before the vocabulary, which is long.
    vocabulary = config.pop("vocabulary")
    config |= {"confidence": confidence.to_dict(), "vocabulary": vocabulary}
    with writing(folder):
        replace_file(path, (json.dumps(config, indent=1, allow_nan=False) + "\n").encode())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m training.calibrate", description="Calibrate a model's confidence."
    )
    parser.add_argument("model", type=Path, help="folder of the model, whose config is changed")
    parser.add_argument("--data", type=Path, default=Path("data"), help="holds flickr8k and rooms")
    options = parser.parse_args(arguments)
    try:
        found = calibrate(options.model, options.data)
    except SeesayError as error:
        print(error, file=sys.stderr)
        return 2
    for name, value in found.items():
        print(f"{name:<14} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
