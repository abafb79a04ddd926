"""Captions against references: BLEU, METEOR, ROUGE-L and CIDEr by pycocoevalcap."""

import contextlib
import io
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge

from core.errors import SeesayError
from core.vocabulary import tokenize

Sentences = dict[int, list[str]]  # tokens joined by spaces, for each picture

WITHOUT_JAVA = "METEOR needs Java 11 or newer, which is not here: install it."
_MEND_JAVA = "mend Java, or take it from the PATH to be scored without"


def cider(captions: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """CIDEr (Vedantam et al., 2015) on the 0-100 scale, with our own tokenizer: no Java, quick.

    Args:
        captions: one for each picture.
        references: people's sentences for each picture.
    """
    return 100 * float(Cider().compute_score(_plain(references), _plain(_listed(captions)))[0])


def score(captions: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, Any]:
    """The usual figures on the 0-100 scale, by the field's standard implementation.

    Sentences pass the Penn Treebank tokenizer of Stanford CoreNLP first, which needs Java, as
    METEOR does. Without Java, ``meteor`` is None, ``tokenizer`` tells that our own was used, and
    the figures are not comparable with published ones.

    Args:
        captions: one for each picture.
        references: people's sentences for each picture.

    Returns:
        ``bleu1`` to ``bleu4`` (Papineni et al., 2002), ``meteor`` (Denkowski and Lavie, 2014),
        ``rouge_l`` (Lin, 2004), ``cider`` (Vedantam et al., 2015) and ``tokenizer``.

    Raises:
        SeesayError: if Java is there but fails, or there is no room for a temporary file.
    """
    java = has_java()
    tokens = _penn_treebank if java else _plain
    truth, written = tokens(references), tokens(_listed(captions))
    with _silence():
        bleu = Bleu(4).compute_score(truth, written, verbose=0)[0]
        rouge_l = Rouge().compute_score(truth, written)[0]
        cider_d = Cider().compute_score(truth, written)[0]
        meteor = MeteorScorer().score(truth, written)[0] if java else None
    return {
        **{f"bleu{n}": round(100 * float(value), 2) for n, value in enumerate(bleu, start=1)},
        "meteor": None if meteor is None else round(100 * meteor, 2),
        "rouge_l": round(100 * float(rouge_l), 2),
        "cider": round(100 * float(cider_d), 2),
        "tokenizer": "ptb" if java else "own (no Java found: not comparable)",
    }


def has_java() -> bool:
    """Whether Java can be run."""
    # macOS has a command of this name even where there is no Java: only running it tells.
    try:
        return subprocess.run(["java", "-version"], capture_output=True).returncode == 0
    except OSError:
        return False


def _listed(captions: Sequence[str]) -> list[list[str]]:
    return [[caption] for caption in captions]


def _plain(groups: Sequence[Sequence[str]]) -> Sentences:
    return {
        index: [" ".join(tokenize(sentence)) for sentence in group]
        for index, group in enumerate(groups)
    }


def _penn_treebank(groups: Sequence[Sequence[str]]) -> Sentences:
    from pycocoevalcap.tokenizer import ptbtokenizer

    # The tokenizer reads one sentence a line: a line break inside one would shift all others.
    entries = {
        index: [{"caption": " ".join(sentence.split())} for sentence in group]
        for index, group in enumerate(groups)
    }
    archive = Path(ptbtokenizer.__file__).with_name(ptbtokenizer.STANFORD_CORENLP_3_4_1_JAR)
    try:
        # It writes a file beside its own, where an installation may be read-only.
        with (
            tempfile.TemporaryDirectory() as folder,
            patch.multiple(
                ptbtokenizer,
                __file__=str(Path(folder) / archive.name),
                STANFORD_CORENLP_3_4_1_JAR=str(archive),
            ),
            _silence(),
        ):
            tokens: Sentences = ptbtokenizer.PTBTokenizer().tokenize(entries)
    except OSError as error:
        raise SeesayError(
            f"The Penn Treebank tokenizer cannot write a temporary file ({error.strerror}): make "
            "room for one."
        ) from error
    if [len(group) for group in tokens.values()] != [len(group) for group in groups]:
        raise SeesayError(f"The Penn Treebank tokenizer failed; {_MEND_JAVA}.")
    return tokens


class MeteorScorer:
    """METEOR (Denkowski and Lavie, 2014), by a Java process that stays for the next sentences.

    Raises:
        SeesayError: if there is no Java.
    """

    def __init__(self) -> None:
        from pycocoevalcap.meteor.meteor import Meteor

        if not has_java():
            raise SeesayError(WITHOUT_JAVA)
        self._meteor = Meteor()

    def score(self, truth: Sentences, written: Sentences) -> tuple[float, list[float]]:
        """Of the corpus, and of each sentence, 0 to 1; both tokenized, ``written`` by one each.

        Raises:
            SeesayError: if Java fails.
        """
        try:
            corpus, each = self._meteor.compute_score(truth, written)
        except (OSError, ValueError) as error:
            # Or it would wait for itself when it is deleted and ends Java.
            self._meteor.lock.release()
            raise SeesayError(
                f"METEOR failed, which needs 2 GB of memory; {_MEND_JAVA}."
            ) from error
        return float(corpus), [*map(float, each)]


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """The scorers print as they go; ``evaluate --json`` owns standard output."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield
