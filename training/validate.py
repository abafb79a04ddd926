"""What chooses a checkpoint: CIDEr on the val splits; and what was forgotten beside it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from core.model import CaptionModel
from core.search import beam_search
from core.torch_network import TorchNetwork
from core.vocabulary import Vocabulary
from training.ahead import load_ahead
from training.data import Example
from training.distributed import Group
from training.pictures import Squares
from training.scores import cider

_BATCH = 64


def validate(
    model: CaptionModel,
    vocabulary: Vocabulary,
    sets: Mapping[str, Sequence[Example]],
    beam: int,
    answers: Mapping[str, Sequence[int]],
    group: Group,
) -> tuple[dict[str, float], dict[str, float]]:
    """Caption the pictures of each set, and ask the second head what they show.

    Args:
        model: with a second head where there are answers.
        vocabulary: of its decoder.
        sets: pictures with people's sentences, by name.
        beam: of the search.
        answers: by name of the set, the original classifier's top answers to this process's share
            of the pictures; empty where nothing is to be kept.
        group: of the processes that caption a share each.

    Returns:
        CIDEr of each set, 0-100 scale, by our own tokenizer (close to the standard one, no Java);
        and of each set with answers, the percentage of pictures with the same top answer. Nothing
        in the processes that do not write.
    """
    model.eval()
    ciders, same = {}, {}
    for name, examples in sets.items():
        paths = [example.path for example in group.share(examples)]
        share = describe(model, vocabulary, paths, beam)
        if name in answers:
            pairs = zip(share, answers[name], strict=True)
            share = [(caption, top == answer) for (caption, top), answer in pairs]
        found = group.gather(share)
        if not group.first:
            continue
        captions = [caption for caption, _ in found]
        ciders[name] = cider(captions, [example.sentences for example in examples])
        if name in answers:
            same[name] = 100 * sum(kept for _, kept in found) / len(found)
    return ciders, same


def describe(
    model: CaptionModel,
    vocabulary: Vocabulary,
    paths: Sequence[Path],
    beam: int,
) -> list[tuple[str, int]]:
    """The model's sentence for each picture, words joined by spaces, and its top answer.

    The answer is the index of a class, and -1 for a model without a second head.
    """
    network = TorchNetwork(model)
    found: list[tuple[str, int]] = []
    for pixels in load_ahead(Squares(paths, model.config.image_size), _BATCH):
        sight = network.see(pixels.numpy())
        written = beam_search(network, sight, beam)
        top = [-1] * len(pixels)
        if model.recogniser is not None:
            top = sight.answers.argmax(axis=1).tolist()
        sentences = (" ".join(vocabulary.decode(hypothesis.words)) for hypothesis in written)
        found += zip(sentences, top, strict=True)
    return found
