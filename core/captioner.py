"""The captioner: pictures in, captions out."""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from core.bars import Part
from core.caption import DRAWN, Caption, Thing
from core.confidence import read_confidence
from core.errors import ModelError
from core.grounding import ground
from core.model_folder import read_model_folder
from core.network import Network, Sight, blind_log_probs, load_network
from core.paths import BUILTIN_MODEL
from core.picture import Picture, PictureSource, open_picture
from core.preprocess import squeeze_many
from core.quality import examine, settle_notes
from core.search import Hypothesis, beam_search
from core.speaking import speak
from core.text import Reading, Text, TextReader
from core.text_engine import TextReaderMissing
from core.things import CLASSES, things
from core.vocabulary import Vocabulary, write_sentence
from core.where import locate

# Pictures that go through the network at once; who streams captions hands over as many.
BATCH = 16
# Words of a screen that are read before it is described; the rest is read while these are heard.
_FIRST_WORDS = 40


@dataclass(frozen=True)
class Seen:
    """What the network makes of a picture."""

    sight: Sight
    picture: int  # its index there
    hypothesis: Hypothesis
    confidence: float
    things: tuple[Thing, ...]
    part: Part  # of the picture that it is about


@dataclass(frozen=True)
class Beginning:
    """A caption that can be told, and what the rest of it is found with.

    Attributes:
        caption: without words, and of a screen or a page, with no more than the first of its text.
        seen: for the words; None without a sentence.
        reading: for the text, with the picture; None where none is left to be read.
    """

    caption: Caption
    seen: Seen | None
    reading: Reading | None


class Captioner:
    """A loaded model that describes pictures.

    Args:
        network: that sees and writes.
        image_size: side in pixels of the squares that it sees.
        vocabulary: of its decoder.
        config: of the model file; ``name`` and ``confidence`` are used.

    Raises:
        ModelError: if the calibration of the confidence is damaged.
    """

    def __init__(
        self, network: Network, image_size: int, vocabulary: Vocabulary, config: dict[str, Any]
    ) -> None:
        self.network = network
        self.image_size = image_size
        self.vocabulary = vocabulary
        self.config = config
        self.confidence = read_confidence(config)
        self._reader: TextReader | None = TextReader()

    @classmethod
    def load(cls, model: str | os.PathLike[str] | None = None, device: str = "auto") -> "Captioner":
        """Load a model from its folder; without one, the model that comes with Seesay.

        Args:
            model: folder with ``model.safetensors`` and ``config.json``.
            device: ``auto`` (the fastest that is there), ``cpu``, ``cuda`` or ``mps``.

        Raises:
            ModelError: if the model is missing, damaged or foreign.
            DeviceError: if this machine has no such device.
        """
        folder = read_model_folder(Path(model) if model else BUILTIN_MODEL)
        network = load_network(folder, device)
        return cls(network, folder.architecture.image_size, folder.vocabulary, folder.config)

    def caption(
        self, picture: PictureSource, beam: int = 3, text: bool = True, places: bool = True
    ) -> Caption:
        """Describe one picture.

        Args:
            picture: a path, bytes, a file, an array (height, width, 3) uint8 RGB, a PIL image, or
                a ``Picture``.
            beam: sentences followed at once in the search; 1 is fastest.
            text: whether text in the picture is read.
            places: whether it is found out where each word was seen; without, no words are given.

        Raises:
            PictureError: if it is no picture that can be read.
            ModelError: if the model turns out to be damaged.
            ValueError: if ``beam`` is below 1.
        """
        return self.caption_many([picture], beam, text, places)[0]

    def caption_many(
        self,
        pictures: Iterable[PictureSource],
        beam: int = 3,
        text: bool = True,
        places: bool = True,
    ) -> list[Caption]:
        """Describe pictures, in their order; quicker for each than one by one.

        Args:
            pictures: any number of what ``caption`` takes.
            beam: sentences followed at once in the search.
            text: whether text in the pictures is read.
            places: whether it is found out where each word was seen; without, no words are given.

        Raises:
            PictureError: if one of them is no picture that can be read.
            ValueError: if ``beam`` is below 1.
        """
        if beam < 1:
            raise ValueError("beam must be at least 1")
        captions: list[Caption] = []
        opened = map(open_picture, pictures)
        while batch := list(islice(opened, BATCH)):
            begun = self._caption_batch(batch, beam, text)
            captions += map(self._with_words, begun) if places else (one.caption for one in begun)
        return captions

    def start(self, picture: Picture, beam: int = 3, text: bool = True) -> Beginning:
        """Describe one picture as soon as there is something to tell of it.

        Args:
            picture: as `open_picture` gives it.
            beam: sentences followed at once in the search.
            text: whether text in the picture is read.

        Returns:
            A caption without words, to go on with by `complete`.
        """
        (begun,) = self._caption_batch([picture], beam, text, _FIRST_WORDS)
        return begun

    def complete(self, begun: Beginning, cancelled: Callable[[], bool]) -> Caption | None:
        """The whole caption: its words with where each was seen, and all the text of its picture.

        Args:
            begun: as `start` gave it.
            cancelled: asked before each line of text; when true, there is no answer.
        """
        caption = self._with_words(begun)
        if begun.reading is None:
            return caption
        read = begun.reading.text(cancelled=cancelled)
        return replace(caption, text=read.paragraphs) if read.complete else None

    def load_text_reader(self) -> None:
        """Load what reads text now, which takes a second, and not with the first text there is.

        Raises:
            TextReaderMissing: if it is not there; captions come without it.
        """
        if self._reader is not None:
            self._reader.load()

    def glance(self, picture: Picture) -> np.ndarray:
        """What is in a picture, as numbers: near each other for one scene, far for two.

        Takes a fraction of a caption's time.

        Returns:
            (channels,) float32, the mean of the region features, of length 1.
        """
        pooled = self.network.see(squeeze_many([picture.pixels], self.image_size)).pooled[0]
        unit: np.ndarray = pooled / max(float(np.linalg.norm(pooled)), 1e-12)
        return unit

    def _caption_batch(
        self,
        pictures: list[Picture],
        beam: int,
        text: bool,
        most_words: int | None = None,
    ) -> list[Beginning]:
        began = time.perf_counter()
        examined = [(picture, *examine(picture.pixels)) for picture in pictures]
        fit = [(picture.pixels, part) for picture, found, part in examined if not found]
        described = iter(self._describe(fit, beam))
        each = (time.perf_counter() - began) / len(pictures)
        results = []
        for picture, found, _ in examined:
            began = time.perf_counter()
            seen = None if found else next(described)
            reading = self._find_text(picture, found) if text else None
            # Of a photograph, what is written is read whole and sifted.
            read = reading.text(most_words if found else None) if reading is not None else None
            caption = self._write(picture, found, seen, read)
            seconds = each + time.perf_counter() - began
            results.append(
                Beginning(
                    replace(caption, seconds=seconds),
                    seen if caption.caption is not None else None,
                    reading if reading is not None and not reading.complete else None,
                )
            )
        return results

    def _with_words(self, begun: Beginning) -> Caption:
        if begun.seen is None:
            return begun.caption
        written = begun.seen.hypothesis.words
        maps, grounded = ground(self.network, begun.seen.sight, begun.seen.picture, written)
        maps = begun.seen.part.spread(maps)
        looks = zip(self.vocabulary.decode(written), maps, grounded.tolist(), strict=True)
        return replace(begun.caption, words=tuple(locate(*look) for look in looks))

    def _describe(self, shown: list[tuple[np.ndarray, Part]], beam: int) -> list[Seen]:
        if not shown:
            return []
        seen = [part.cut(pixels) for pixels, part in shown]
        sight = self.network.see(squeeze_many(seen, self.image_size))
        found = self._search(sight, beam)
        blind = blind_log_probs(self.network, sight, [one.words for one in found])
        named = sight.answers.shape[1] == CLASSES
        return [
            Seen(
                sight, number, hypothesis, self._trust(hypothesis, log_probs, summary), names, part
            )
            for number, hypothesis, log_probs, summary, names, (_, part) in zip(
                range(len(found)),
                found,
                blind,
                sight.summary.tolist(),
                [things(row) if named else () for row in sight.answers],
                shown,
                strict=True,
            )
        ]

    def _search(self, sight: Sight, beam: int) -> list[Hypothesis]:
        try:
            found = beam_search(self.network, sight, beam)
            if any(len(self.vocabulary.decode(one.words)) < len(one.words) for one in found):
                raise ValueError("words that are none")
        except (IndexError, ValueError) as error:  # of graphs that somebody tampered with
            raise ModelError(
                f"The model {self.config['name']} writes no sentences; install Seesay again or "
                "give the folder of another model."
            ) from error
        return found

    def _trust(
        self, hypothesis: Hypothesis, blind: Sequence[float], summary: Sequence[float]
    ) -> float:
        words = self.vocabulary.decode(hypothesis.words)
        return self.confidence.judge(hypothesis, words, blind, summary)

    def _find_text(self, picture: Picture, notes: Sequence[str]) -> Reading | None:
        """The text of a picture, found but not yet read; None where there hardly is any."""
        if self._reader is None or not DRAWN.issuperset(notes):
            return None
        try:
            if notes or self._reader.likely(picture.pixels):
                return self._reader.find(picture.pixels)
        except TextReaderMissing:
            self._reader = None  # captions come without it
        return None

    def _write(
        self,
        picture: Picture,
        notes: tuple[str, ...],
        seen: Seen | None,
        read: Text | None,
    ) -> Caption:
        confidence = seen.confidence if seen is not None else 0.0
        level = self.confidence.level(confidence) if seen is not None else "none"
        sentence: str | None = None
        # A sentence so probably wrong that it would mislead is kept to itself.
        if seen is not None and level != "none":
            sentence = write_sentence(self.vocabulary.decode(seen.hypothesis.words))
        said = ""
        lines: tuple[str, ...] = ()
        if read is not None and notes:
            said, lines = read.begins(), read.paragraphs
            notes = settle_notes(notes, lines)
        elif read is not None:
            said, lines = read.says(), read.doubtless
        named = seen.things if seen is not None else ()
        return Caption(
            path=picture.name,
            caption=sentence,
            confidence=confidence,
            level=level,
            spoken=speak(sentence, level, notes, named, said),
            words=(),
            text=lines,
            notes=notes,
            things=named,
            seconds=0.0,
            model=self.config["name"],
        )
