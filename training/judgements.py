"""People's judgements of captions, and the CIDEr from which on they accept one.

Flickr8k comes with experts' and a crowd's opinions of captions put to pictures (Hodosh, Young and
Hockenmaier, "Framing Image Description as a Ranking Task", JAIR 47, 2013): of people's captions,
nearly all of them written for another picture. They tell what a value of the metric means.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau

from core.vocabulary import tokenize
from training.critic import CiderReward
from training.data import DataError, Example, load_split
from training.logistic import Logistic, fit_logistic

EXPERTS, CROWD = "ExpertAnnotations.txt", "CrowdFlowerAnnotations.txt"
# Experts choose from 1, "does not describe the picture", to 4; 3 is "with minor mistakes".
_RIGHT = 3
_SPLITS = ("train", "val", "test")
_RIDGE = 1e-6

Floats = NDArray[np.float64]


class SentenceMetrics:
    """What single sentences are worth, by frequencies counted once and for all.

    The usual CIDEr of a test set counts document frequencies in that set's references; counted in
    the training sentences, a sentence is worth the same in every set.

    Args:
        examples: pictures whose sentences are counted.
    """

    def __init__(self, examples: Sequence[Example]) -> None:
        self._numbers: dict[str, int] = {}
        groups = [self._encode(example.sentences) for example in examples]
        self._reward = CiderReward(groups)
        self._pictures = Counter(word for group in groups for word in {w for s in group for w in s})
        self._count = len(groups)

    def score(self, captions: Sequence[str], references: Sequence[Sequence[str]]) -> Floats:
        """Two figures for each caption, both square roots, which spread the low values.

        The first is CIDEr-D (Vedantam et al., 2015), 0 to 10 before the root. The second is how
        many of the references hold each word of the caption, a mean over its words weighted by
        their inverse document frequency, 0 to 1 before the root.

        Args:
            captions: any number.
            references: for each of them, people's sentences.

        Returns:
            (captions, 2).
        """
        written = self._encode(captions)
        truth = [self._encode(group) for group in references]
        cider = self._reward.score(written, truth)
        words = [self._agreement(*pair) for pair in zip(written, truth, strict=True)]
        return np.sqrt(np.stack([cider, words], axis=1).clip(min=0))

    def _encode(self, sentences: Iterable[str]) -> list[list[int]]:
        numbers = self._numbers
        return [
            [numbers.setdefault(word, len(numbers)) for word in tokenize(sentence)]
            for sentence in sentences
        ]

    def _agreement(self, caption: Sequence[int], references: Sequence[Sequence[int]]) -> float:
        weight = found = 0.0
        for word in set(caption):
            rare = log(self._count / max(1, self._pictures[word]))
            weight += rare
            found += rare * sum(word in sentence for sentence in references) / len(references)
        return found / weight if weight else 0.0


@dataclass(frozen=True)
class Judgement:
    """What people thought of a caption put to a picture.

    Attributes:
        caption: written for this picture or another.
        references: other sentences that people wrote for this picture.
        grades: of each expert, 1 to 4; or the crowd's share of yes, 0 to 1.
    """

    caption: str
    references: tuple[str, ...]
    grades: tuple[float, ...]

    @property
    def right(self) -> bool:
        """Whether most experts call the caption right, or right with minor mistakes."""
        return sum(grade >= _RIGHT for grade in self.grades) * 2 > len(self.grades)


class Experts:
    """Stands in for Flickr8k's experts: would most of them call a sentence right?

    A logistic regression of their judgements on `SentenceMetrics`. A sentence is *acceptable* where
    that is more likely than not.

    Args:
        folder: of Flickr8k, with the judgements beside the captions.

    Raises:
        DataError: if captions or judgements are missing or damaged.
    """

    def __init__(self, folder: Path) -> None:
        splits = {split: load_split(folder, split) for split in _SPLITS}
        self._folder = folder
        self._sentences = {
            example.path.stem: example.sentences
            for examples in splits.values()
            for example in examples
        }
        self._metrics = SentenceMetrics(splits["train"])
        self._judgements = read_judgements(folder / EXPERTS, self._sentences, _expert_grades)
        right = np.array([judgement.right for judgement in self._judgements])
        self._scores = self._score(self._judgements)
        self.model: Logistic = fit_logistic(self._scores, right, _RIDGE)

    def probability(self, captions: Sequence[str], references: Sequence[Sequence[str]]) -> Floats:
        """How probably most experts would call each caption right.

        Args:
            captions: any number.
            references: for each of them, people's sentences.
        """
        return self.model.predict(self._metrics.score(captions, references))

    def accept(
        self, captions: Sequence[str], references: Sequence[Sequence[str]]
    ) -> NDArray[np.bool_]:
        """Whether each caption is acceptable; arguments as of ``probability``."""
        return self.probability(captions, references) >= 0.5

    def agreement(self) -> dict[str, float]:
        """Kendall's rank correlation of the metric with people.

        Returns:
            ``tau_b`` and ``tau_c`` with the experts' single grades, ``tau_c_cider`` of CIDEr alone,
            and ``tau_b_crowd`` with the crowd's share of yes.

        Raises:
            DataError: if the crowd's judgements are missing or damaged.
        """
        crowd = read_judgements(self._folder / CROWD, self._sentences, _crowd_grades)
        grades = np.array([judgement.grades for judgement in self._judgements])  # (pairs, experts)
        # As is usual for this set, each expert's grade is a data point of its own.
        flat, experts = grades.ravel(), grades.shape[1]
        metric = np.repeat(self.model.predict(self._scores), experts)
        cider = np.repeat(self._scores[:, 0], experts)
        said = self.model.predict(self._score(crowd))
        return {
            "tau_b": float(kendalltau(metric, flat).statistic),
            "tau_c": float(kendalltau(metric, flat, variant="c").statistic),
            "tau_c_cider": float(kendalltau(cider, flat, variant="c").statistic),
            "tau_b_crowd": float(kendalltau(said, [one.grades[0] for one in crowd]).statistic),
        }

    def _score(self, judgements: Sequence[Judgement]) -> Floats:
        captions = [judgement.caption for judgement in judgements]
        return self._metrics.score(captions, [judgement.references for judgement in judgements])


def read_judgements(
    path: Path,
    sentences: Mapping[str, Sequence[str]],
    grades: Callable[[Sequence[str]], tuple[float, ...]],
) -> list[Judgement]:
    """The judgements of a file whose lines hold picture, caption (``picture#n``) and grades.

    Where a caption was written for the judged picture itself, it is left out of the references.

    Args:
        path: of the file, its columns divided by tabs.
        sentences: of each picture, by its file name without suffix.
        grades: turns a line's last columns into grades.

    Raises:
        DataError: if the file is missing, damaged, empty or of other pictures.
    """
    found = []
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            picture, caption, *rest = line.split("\t")
            other, _, number = caption.rpartition("#")
            references = list(sentences[Path(picture).stem])
            words = sentences[Path(other).stem][int(number)]
            if Path(other).stem == Path(picture).stem:
                del references[int(number)]
            found.append(Judgement(words, tuple(references), grades(rest)))
    except OSError as error:
        raise DataError(f"{path} cannot be read; put the judgements of Flickr8k there.") from error
    except (ValueError, KeyError, IndexError) as error:
        raise DataError(f"{path} does not hold judgements of these pictures ({error}).") from error
    if not found:
        raise DataError(f"{path} is empty; put the judgements of Flickr8k there.")
    return found


def _expert_grades(columns: Sequence[str]) -> tuple[float, ...]:
    one, two, three = map(float, columns)
    return one, two, three


def _crowd_grades(columns: Sequence[str]) -> tuple[float, ...]:
    share, _, _ = map(float, columns)
    return (share,)
