"""The captioner: pictures in, captions out."""

import math
import os
import time
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.caption import Caption, Level, Word
from core.device import choose_device
from core.model import CaptionModel
from core.model_file import load_model
from core.paths import BUILTIN_MODEL
from core.picture import Picture, PictureSource, open_picture
from core.preprocess import squeeze_many
from core.quality import SENTENCES, find_notes
from core.search import Hypothesis, beam_search
from core.vocabulary import Vocabulary, write_sentence
from core.where import SEEN, box, place

# Pictures that go through the network at once; who streams captions hands over as many.
BATCH = 16
# Below this confidence a sentence is hedged; chosen on the val splits.
_SURE = 0.65


class Captioner:
    """A loaded model that describes pictures.

    Args:
        model: the network, in evaluation mode.
        vocabulary: of its decoder.
        config: of the model file; ``name`` is used.
        device: where the network runs.
    """

    def __init__(
        self,
        model: CaptionModel,
        vocabulary: Vocabulary,
        config: dict[str, Any],
        device: torch.device,
    ) -> None:
        self.model = model.to(device)
        self.vocabulary = vocabulary
        self.config = config
        self.device = device

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
        chosen = choose_device(device)
        network, vocabulary, config = load_model(Path(model) if model else BUILTIN_MODEL)
        return cls(network, vocabulary, config, chosen)

    def caption(self, picture: PictureSource, beam: int = 3) -> Caption:
        """Describe one picture.

        Args:
            picture: a path, bytes, a file, an array (height, width, 3) uint8 RGB, a PIL image, or
                a ``Picture``.
            beam: sentences followed at once in the search; 1 is fastest.

        Raises:
            PictureError: if it is no picture that can be read.
            ValueError: if ``beam`` is below 1.
        """
        return self.caption_many([picture], beam)[0]

    def caption_many(self, pictures: Iterable[PictureSource], beam: int = 3) -> list[Caption]:
        """Describe pictures, in their order; quicker for each than one by one.

        Args:
            pictures: any number of what ``caption`` takes.
            beam: sentences followed at once in the search.

        Raises:
            PictureError: if one of them is no picture that can be read.
            ValueError: if ``beam`` is below 1.
        """
        if beam < 1:
            raise ValueError("beam must be at least 1")
        captions: list[Caption] = []
        opened = map(open_picture, pictures)
        while batch := list(islice(opened, BATCH)):
            captions += self._caption_batch(batch, beam)
        return captions

    def _caption_batch(self, pictures: list[Picture], beam: int) -> list[Caption]:
        began = time.perf_counter()
        notes = [find_notes(picture.pixels) for picture in pictures]
        fit = [picture for picture, found in zip(pictures, notes, strict=True) if not found]
        hypotheses = iter(self._describe([picture.pixels for picture in fit], beam))
        seconds = (time.perf_counter() - began) / len(pictures)
        return [
            self._refuse(picture, found, seconds)
            if found
            else self._write(picture, next(hypotheses), seconds)
            for picture, found in zip(pictures, notes, strict=True)
        ]

    @torch.inference_mode()
    def _describe(self, pixels: list[np.ndarray], beam: int) -> list[Hypothesis]:
        if not pixels:
            return []
        batch = squeeze_many(pixels, self.model.config.image_size)
        inputs = torch.from_numpy(batch).to(self.device)
        # Half precision pays on graphics cards; on the processor it would change sentences.
        with torch.autocast(self.device.type, enabled=self.device.type == "cuda"):
            scene = self.model.decoder.look_at(self.model.encoder(inputs))
            return beam_search(self.model.decoder, scene, beam)

    def _write(self, picture: Picture, hypothesis: Hypothesis, seconds: float) -> Caption:
        words = self.vocabulary.decode(hypothesis.words)
        sentence = write_sentence(words)
        # The geometric mean of the probabilities of the words and of the sentence's end.
        confidence = math.exp(sum(hypothesis.log_probs) / len(hypothesis.log_probs))
        level: Level = "sure" if confidence >= _SURE else "unsure"
        rows, columns = self.model.encoder.rows, self.model.encoder.columns
        maps = hypothesis.regions.view(-1, rows, columns).numpy()  # (words, rows, columns)
        looks = zip(words, maps, hypothesis.sentinel.tolist(), strict=True)
        return Caption(
            path=picture.name,
            caption=sentence,
            confidence=confidence,
            level=level,
            spoken=sentence if level == "sure" else f"Perhaps: {sentence[0].lower()}{sentence[1:]}",
            words=tuple(_word(word, regions, 1 - beta) for word, regions, beta in looks),
            text=(),
            notes=(),
            seconds=seconds,
            model=self.config["name"],
        )

    def _refuse(self, picture: Picture, notes: tuple[str, ...], seconds: float) -> Caption:
        return Caption(
            path=picture.name,
            caption=None,
            confidence=0.0,
            level="none",
            spoken=" ".join(SENTENCES[note] for note in notes),
            words=(),
            text=(),
            notes=notes,
            seconds=seconds,
            model=self.config["name"],
        )


def _word(word: str, regions: np.ndarray, grounded: float) -> Word:
    seen = grounded > SEEN
    regions = regions + 1e-9  # so that a word which was not seen at all has a map, too
    attention = regions / regions.sum()
    return Word(
        word=word,
        grounded=grounded,
        where=place(attention) if seen else None,
        box=box(attention) if seen else None,
        attention=tuple(tuple(row) for row in attention.tolist()),
    )
