"""How probably a sentence is acceptable: what the decoder knows of it, weighed by calibration."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from core.caption import Level
from core.errors import ModelError

if TYPE_CHECKING:
    from core.search import Hypothesis

# "This is a living room": so few words are a kind of sentence of its own, which names a place as a
# whole. They are far more probable than other words, right or wrong, and are weighed apart.
_SHORT = 5
LONG_EVIDENCE = (
    "least",
    "entropy",
    "gain",
    "content_likelihood",
    "margin",
    "agreement",
    "variety",
    "expected",
)
# Words that say nothing of what is seen.
_FUNCTION_WORDS = frozenset(
    re.findall(
        r"\S+",
        "a an the this that these there it its he she they his her their him them and or while as "
        "of in on at to with by for from into onto through over under up down out off near next "
        "front behind beside between around along across above below top side is are be being been "
        "was were has have having who which other another some one two",
    )
)
SHORT_EVIDENCE = ("short", "short_likelihood")
EVIDENCE = LONG_EVIDENCE + SHORT_EVIDENCE
# Evidence further than this many standard deviations from its mean counts as just so far: what
# calibration never saw proves nothing.
FAR = 3.0
# A rival weighs exp(_SHARPNESS * difference of the likelihoods) as much as the winner.
_SHARPNESS = 2.0
# Logits beyond this would overflow, and are as good as certain.
_MOST = 50.0
# No sensible parameter is larger; NaN is not smaller.
_LARGEST = 1e6


def weigh(
    hypothesis: "Hypothesis", words: Sequence[str], blind: Sequence[float]
) -> dict[str, float]:
    """What speaks for and against a sentence.

    Args:
        hypothesis: the winner of a search, with its rivals.
        words: of the sentence, as they are read.
        blind: log-probability of each word and of ``<end>`` had there been no picture.

    Returns:
        By name, for a sentence of more than five words:

        - ``least``: mean log-probability of the two least probable of the words and ``<end>``;
        - ``entropy``: in nats, the mean over what might have stood in each place;
        - ``gain``: by how much the picture raised the mean log-probability;
        - ``content_likelihood``: mean log-probability of the words that are not function words;
        - ``margin``: of its normalised log-probability before the most probable rival's;
        - ``agreement``: Dice coefficient of the words with those of each finished sentence, the
          mean weighted by their normalised log-probabilities;
        - ``variety``: different words per word;
        - ``expected``: how far its words are those that the picture let expect.

        For a shorter one: ``short``, which is 1, and ``short_likelihood``, the mean log-probability
        of its words and ``<end>``.
    """
    log_probs = hypothesis.log_probs
    likelihood = sum(log_probs) / len(log_probs)
    if len(words) <= _SHORT:
        return {"short": 1.0, "short_likelihood": likelihood}
    own = set(hypothesis.words)
    content = [at for at, word in enumerate(words) if word not in _FUNCTION_WORDS]
    content = content or list(range(len(words)))
    score = hypothesis.score - hypothesis.expected
    behind = [score - (rival.score - rival.expected) for rival in hypothesis.rivals]
    finished = [(1.0, own)]
    for rival, distance in zip(hypothesis.rivals, behind, strict=True):
        finished.append((math.exp(-_SHARPNESS * distance), set(rival.words)))
    total = sum(weight for weight, _ in finished)
    alike = sum(
        weight * 2 * len(own & other) / (len(own) + len(other)) for weight, other in finished
    )
    return {
        "least": sum(sorted(log_probs)[:2]) / 2,
        "entropy": sum(hypothesis.entropies) / len(hypothesis.entropies),
        "gain": likelihood - sum(blind) / len(blind),
        "content_likelihood": sum(log_probs[at] for at in content) / len(content),
        # A lone sentence is as far ahead as its own score.
        "margin": min(behind, default=abs(score)),
        "agreement": alike / total,
        "variety": len(own) / len(words),
        "expected": hypothesis.expected,
    }


@dataclass(frozen=True)
class Term:
    """How a piece of evidence counts: ``weight`` for each ``scale`` that it is above ``mean``."""

    mean: float
    scale: float
    weight: float


@dataclass(frozen=True)
class Confidence:
    """A judge of sentences: logistic regression on evidence, picture and words.

    Without terms, it was never calibrated, and the probability is the geometric mean of those of
    the words, which ranks sentences but does not tell how many of a hundred are acceptable.

    Attributes:
        terms: for each name of `EVIDENCE`; what a sentence lacks counts as average.
        bias: logit of a sentence of average evidence, before picture and words.
        scene: weights of the decoder's summary of the picture, for some kinds of pictures are
            harder than others; not used for short sentences, as the next.
        words: weights of words that are more often right, or wrong, than the decoder believes.
        sure: a sentence at least so probably acceptable is said without a hedge.
        none: one less probably acceptable would mislead and is not said.
    """

    terms: Mapping[str, Term]
    bias: float
    scene: tuple[float, ...]
    words: Mapping[str, float]
    sure: float
    none: float

    def judge(
        self,
        hypothesis: "Hypothesis",
        words: Sequence[str],
        blind: Sequence[float],
        summary: Sequence[float],
    ) -> float:
        """The probability that a sentence is acceptable, 0 to 1.

        Args:
            hypothesis, words, blind: as of `weigh`.
            summary: the decoder's, of the picture.
        """
        if not self.terms:
            return math.exp(sum(hypothesis.log_probs) / len(hypothesis.log_probs))
        return self.probability(weigh(hypothesis, words, blind), words, summary)

    def probability(
        self, evidence: Mapping[str, float], words: Sequence[str], summary: Sequence[float]
    ) -> float:
        """The probability that a sentence is acceptable, 0 to 1.

        Args:
            evidence: of `weigh`.
            words: of the sentence.
            summary: the decoder's, of the picture.
        """
        logit = self.bias
        if "short" not in evidence:
            logit += sum(w * x for w, x in zip(self.scene, summary, strict=True))
            logit += sum(self.words.get(word, 0.0) for word in set(words))
        for name, value in evidence.items():
            term = self.terms[name]
            standard = (value - term.mean) / term.scale
            logit += term.weight * max(-FAR, min(FAR, standard))
        return 1 / (1 + math.exp(-max(-_MOST, min(_MOST, logit))))

    def level(self, probability: float) -> Level:
        """How a sentence that is acceptable with this probability is said, if at all."""
        if probability >= self.sure:
            return "sure"
        return "unsure" if probability >= self.none else "none"

    def to_dict(self) -> dict[str, Any]:
        """The entry ``confidence`` of a model's config."""
        return {
            "bias": self.bias,
            "sure": self.sure,
            "none": self.none,
            "words": dict(self.words),
            "scene": list(self.scene),
            "terms": {name: asdict(term) for name, term in self.terms.items()},
        }


# For a model that was never calibrated: nothing that it says is sure.
UNCALIBRATED = Confidence(terms={}, bias=0.0, scene=(), words={}, sure=math.inf, none=0.0)


def read_confidence(config: Mapping[str, Any]) -> Confidence:
    """The calibration that a model's config holds; `UNCALIBRATED` where there is none.

    Raises:
        ModelError: if the entry is damaged.
    """
    entry = config.get("confidence")
    if entry is None:
        return UNCALIBRATED
    try:
        terms = {name: Term(**term) for name, term in entry["terms"].items()}
        scene, words = tuple(entry["scene"]), dict(entry["words"])
        found = Confidence(terms, entry["bias"], scene, words, entry["sure"], entry["none"])
        numbers = [found.bias, found.sure, found.none, *scene, *words.values()]
        for term in terms.values():
            numbers += [term.mean, term.scale, term.weight]
        if set(terms) != set(EVIDENCE) or not all(map(_is_number, numbers)):
            raise ValueError("terms")
        if len(scene) != config["architecture"]["hidden"]:
            raise ValueError("scene")
        if not 0 <= found.none <= found.sure <= 1 or min(t.scale for t in terms.values()) <= 0:
            raise ValueError("range")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"The entry 'confidence' in the config of the model {config['name']} is damaged; "
            "calibrate the model anew or install Seesay again."
        ) from error
    return found


def _is_number(value: Any) -> bool:
    # To isinstance, True is an int. Of an integer that no float can hold, isfinite would raise.
    return type(value) in (int, float) and abs(value) < _LARGEST
