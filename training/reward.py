"""What a sentence earns in self-critical training."""

from collections.abc import Iterable, Sequence

from pycocoevalcap.bleu.bleu_scorer import BleuScorer

from core.vocabulary import Vocabulary
from training.critic import CiderReward, as_text, cost_of_repeating
from training.scores import MeteorScorer

Sentence = Sequence[int]  # indices, <end> included


class Reward:
    """CIDEr-D, BLEU-4 and METEOR where they count, less what repetitions cost.

    Args:
        pictures: for each training picture, its sentences.
        vocabulary: of the indices.
        bleu, meteor: what these two count, see `StageConfig`.

    Raises:
        SeesayError: if METEOR counts and there is no Java for it.
    """

    def __init__(
        self,
        pictures: Iterable[Sequence[Sentence]],
        vocabulary: Vocabulary,
        bleu: float = 0.0,
        meteor: float = 0.0,
    ) -> None:
        self._vocabulary = vocabulary
        self._cider = CiderReward(pictures)
        self._bleu, self._meteor = bleu, meteor
        self._java = MeteorScorer() if meteor else None

    def score(
        self, written: Sequence[Sentence], references: Sequence[Sequence[Sentence]]
    ) -> list[float]:
        """What each sentence earns.

        Args:
            written: sentences.
            references: for each of them, people's.

        Raises:
            SeesayError: if Java fails.
        """
        earned = self._cider.score(written, references)
        earned = [
            one - cost_of_repeating(words) for one, words in zip(earned, written, strict=True)
        ]
        if self._bleu:
            scorer = BleuScorer(n=4)
            for words, truth in zip(written, references, strict=True):
                scorer += (as_text(words), [as_text(sentence) for sentence in truth])
            bleu = scorer.compute_score(option="closest")[1][3]
            earned = [one + self._bleu * more for one, more in zip(earned, bleu, strict=True)]
        if self._java is not None:
            truths = {at: [*map(self._say, truth)] for at, truth in enumerate(references)}
            _, meteor = self._java.score(
                truths, {at: [self._say(w)] for at, w in enumerate(written)}
            )
            earned = [one + self._meteor * more for one, more in zip(earned, meteor, strict=True)]
        return earned

    def _say(self, words: Sentence) -> str:
        # METEOR takes nothing for a broken line.
        return " ".join(self._vocabulary.decode(words)) or "nothing"
