"""The figure that chooses a checkpoint: CIDEr on the val splits."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from core.model import CaptionModel
from core.search import beam_search
from core.vocabulary import Vocabulary
from training.data import Example
from training.pictures import Squares, load_ahead
from training.precision import autocast
from training.scores import cider

_BATCH = 64


def validate(
    model: CaptionModel,
    vocabulary: Vocabulary,
    sets: Mapping[str, Sequence[Example]],
    beam: int,
    precision: torch.dtype = torch.float32,
) -> dict[str, float]:
    """CIDEr of each set, 0-100 scale, by our own tokenizer: close to the standard one, no Java."""
    model.eval()
    scores = {}
    for name, examples in sets.items():
        paths = [example.path for example in examples]
        captions = write_captions(model, vocabulary, paths, beam, precision)
        scores[name] = cider(captions, [example.sentences for example in examples])
    return scores


def write_captions(
    model: CaptionModel,
    vocabulary: Vocabulary,
    paths: Sequence[Path],
    beam: int,
    precision: torch.dtype,
) -> list[str]:
    """The model's sentence for each picture, words joined by spaces."""
    device = model.encoder.mean.device
    captions = []
    for pixels in load_ahead(Squares(paths, model.config.image_size), _BATCH):
        with torch.inference_mode(), autocast(device, precision):
            scene = model.decoder.look_at(model.encoder(pixels.to(device)))
            found = beam_search(model.decoder, scene, beam)
        captions += [" ".join(vocabulary.decode(hypothesis.words)) for hypothesis in found]
    return captions
