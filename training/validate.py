"""What chooses a checkpoint: CIDEr on the val splits; and what was forgotten beside it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

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
    answers: Mapping[str, Tensor],
    precision: torch.dtype = torch.float32,
) -> tuple[dict[str, float], dict[str, float]]:
    """Caption the pictures of each set, and ask the second head what they show.

    Args:
        model: with a second head where there are answers.
        vocabulary: of its decoder.
        sets: pictures with people's sentences, by name.
        beam: of the search.
        answers: by name of the set, the original classifier's top answer to each picture, indices
            (pictures,); empty where nothing is to be kept.
        precision: of the computation.

    Returns:
        CIDEr of each set, 0-100 scale, by our own tokenizer (close to the standard one, no Java);
        and of each set with answers, the percentage of pictures with the same top answer.
    """
    model.eval()
    ciders, same = {}, {}
    for name, examples in sets.items():
        paths = [example.path for example in examples]
        captions, top = describe(model, vocabulary, paths, beam, precision)
        ciders[name] = cider(captions, [example.sentences for example in examples])
        if name in answers:
            same[name] = 100 * (top == answers[name]).float().mean().item()
    return ciders, same


def describe(
    model: CaptionModel,
    vocabulary: Vocabulary,
    paths: Sequence[Path],
    beam: int,
    precision: torch.dtype,
) -> tuple[list[str], Tensor]:
    """The model's sentence for each picture, words joined by spaces, and its top answer.

    The answers are (pictures,) indices of classes, and -1 for a model without a second head.
    """
    device = model.encoder.mean.device
    captions, top = [], []
    for pixels in load_ahead(Squares(paths, model.config.image_size), _BATCH):
        with torch.inference_mode(), autocast(device, precision):
            shared = model.encoder.share(pixels.to(device))
            regions = model.encoder.finish(shared)
            found = beam_search(model.decoder, model.decoder.look_at(regions), beam)
            if model.recogniser is not None:
                top.append(model.recognise(shared).argmax(dim=1).cpu())
            else:
                top.append(torch.full((len(pixels),), -1))
        captions += [" ".join(vocabulary.decode(hypothesis.words)) for hypothesis in found]
    return captions, torch.cat(top)
