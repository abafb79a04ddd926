"""The sizes that a model is built from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelConfig:
    """What is needed to build the model again.

    Attributes:
        encoder: name of a torchvision CNN, such as ``mobilenet_v2`` or ``resnet101``, or of an
            EfficientNet-Lite, such as ``efficientnet_lite0``.
        image_size: side in pixels of the square that a picture is squeezed to.
        vocabulary_size: number of words, the four special ones included.
        hidden: width of word embeddings, LSTM and attention.
        heads: number of attention heads; divides ``hidden``.
        dropout: share of the decoder's units left out in training.
        classes: answers of the second head, which names things as the encoder's original classifier
            did (1,000 for ImageNet); 0 for a model without it.
        own_layers: layers at the encoder's end of which the second head has copies of its own;
            0 if it looks at the same region features as the decoder.
        expected: words, the first ones of the vocabulary, of which the model tells how far they are
            to be expected of a picture; 0 for a model that does not.

    Raises:
        ValueError: if a size is out of range; a foreign file must not take all memory.
    """

    vocabulary_size: int
    encoder: str = "mobilenet_v2"
    image_size: int = 224
    hidden: int = 512
    heads: int = 8
    dropout: float = 0.3
    classes: int = 0
    own_layers: int = 0
    expected: int = 0

    def __post_init__(self) -> None:
        ranges = {
            "image_size": (32, 1024),
            "hidden": (1, 4096),
            "heads": (1, 4096),
            "classes": (0, 100_000),
            "own_layers": (0, 100),
            "expected": (0, self.vocabulary_size),
        }
        for name, (least, most) in ranges.items():
            size = getattr(self, name)
            if type(size) is not int or not least <= size <= most:  # to isinstance, True is an int
                raise ValueError(f"{name} must be a whole number from {least} to {most}")
        if self.hidden % self.heads:
            raise ValueError("heads must divide hidden")
        if not 0 <= self.dropout < 1:
            raise ValueError("dropout must be from 0 to below 1")
