"""Learning without forgetting: the original classifier's answers as a second target.

Li and Hoiem, "Learning without Forgetting" (ECCV 2016). Teacher and student see the same crop and
mirror image (Beyer et al., "Knowledge Distillation: A Good Teacher Is Patient and Consistent",
CVPR 2022), so nothing need be cached and a restart changes nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.model import CaptionModel, Encoder, without_head
from training.ahead import load_ahead
from training.data import Example
from training.pictures import Squares
from training.precision import autocast

# As in the paper: it lets the classes that the teacher thinks less likely count for more.
_TEMPERATURE = 2.0
_BATCH = 64


class Teacher:
    """The encoder's original classifier, which never changes.

    Args:
        cnn: a torchvision CNN with its classifier and trained weights.
        precision: of the computation, such as ``torch.bfloat16``.
    """

    def __init__(self, cnn: nn.Module, precision: torch.dtype = torch.float32) -> None:
        self.cnn = cnn.eval().requires_grad_(False).to(memory_format=torch.channels_last)
        self.precision = precision

    def to(self, device: torch.device) -> None:
        """Move it to where the model is."""
        self.cnn.to(device)

    def answer(self, encoder: Encoder, pixels: Tensor) -> Tensor:
        """Logits, (pictures, classes) float.

        Args:
            encoder: of the student; its normalisation is used.
            pixels: (pictures, 3, side, side) uint8, where the encoder is.
        """
        with torch.no_grad(), autocast(pixels.device, self.precision):
            logits: Tensor = self.cnn(encoder.normalise(pixels))
        return logits.float()

    def top_answers(
        self, encoder: Encoder, side: int, sets: Mapping[str, Sequence[Example]]
    ) -> dict[str, list[int]]:
        """The likeliest class of each picture of each set."""

        def answers(examples: Sequence[Example]) -> Iterator[int]:
            for pixels in load_ahead(Squares([one.path for one in examples], side), _BATCH):
                logits = self.answer(encoder, pixels.to(encoder.mean.device))
                yield from logits.argmax(dim=1).tolist()

        return {name: [*answers(examples)] for name, examples in sets.items()}


def add_recogniser(model: CaptionModel, teacher: Teacher, own_layers: int = 0) -> CaptionModel:
    """The same model with a new second head, with as many answers as the teacher's.

    Its layers are the teacher's, and so are the encoder's that it shares. Where the teacher's last
    layer does not look at the pooled features, the last layer is random.

    Args:
        model: without such a head; where it has one, that is not used.
        teacher: of the same kind as the model's encoder.
        own_layers: see `ModelConfig`.

    Raises:
        ValueError: if the encoder has no more layers than that.
    """
    side = model.config.image_size
    blank = torch.zeros(1, 3, side, side, dtype=torch.uint8)
    classes = teacher.answer(model.encoder, blank).shape[1]
    naming = CaptionModel(replace(model.config, classes=classes, own_layers=own_layers))
    naming.encoder.load_state_dict(model.encoder.state_dict())
    naming.decoder.load_state_dict(model.decoder.state_dict())
    assert naming.recogniser is not None
    if own_layers:
        original = without_head(teacher.cnn)
        assert isinstance(original, nn.Sequential)
        shared, _ = naming.encoder.split()
        shared.load_state_dict(original[:-own_layers].state_dict())
        # Numbered from 0 in the head, and from where they are cut off in the original.
        own = original[-own_layers:].state_dict().values()
        keys = naming.recogniser[0].state_dict()
        naming.recogniser[0].load_state_dict(dict(zip(keys, own, strict=True)))
    shape = naming.recogniser[-1].weight.shape
    for module in teacher.cnn.modules():
        if isinstance(module, nn.Linear) and module.weight.shape == shape:
            naming.recogniser[-1].load_state_dict(module.state_dict())
    return naming


def forgetting(logits: Tensor, answers: Tensor) -> Tensor:
    """How far a model's answers are from the teacher's: Kullback-Leibler divergence, softened.

    Both are divided by a temperature; its square keeps the size of the gradients (Hinton et al.,
    2015).

    Args:
        logits: (pictures, classes) of the model.
        answers: (pictures, classes) logits of the teacher.

    Returns:
        Mean over pictures, in nats times the squared temperature.
    """
    divergence = F.kl_div(
        (logits / _TEMPERATURE).log_softmax(dim=1),
        (answers / _TEMPERATURE).log_softmax(dim=1),
        reduction="batchmean",
        log_target=True,
    )
    return divergence * _TEMPERATURE**2
