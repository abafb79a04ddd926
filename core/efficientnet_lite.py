"""EfficientNet-Lite, an encoder that torchvision does not have.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (ICML 2019),
in the Lite variant of the TensorFlow TPU models (2020): no squeeze-and-excitation, and ReLU6 in
place of swish, both for processors. Laid out as torchvision lays out its CNNs.
"""

from math import ceil

from torch import Tensor, nn

# Of Lite0: kernel, stride, expansion, channels, blocks.
_STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
# How much wider and deeper each is; the first and the last layer and stage stay as they are.
LITE = {
    "efficientnet_lite0": (1.0, 1.0),
    "efficientnet_lite1": (1.0, 1.1),
    "efficientnet_lite2": (1.1, 1.2),
}


class EfficientNetLite(nn.Module):
    """A CNN with its classifier for ImageNet.

    Args:
        name: one of `LITE`.
        classes: of the classifier.
    """

    def __init__(self, name: str, classes: int = 1000) -> None:
        super().__init__()
        wider, deeper = LITE[name]
        layers: list[nn.Module] = [nn.Sequential(*_layer(3, 32, kernel=3, stride=2))]
        channels = 32
        for number, (kernel, stride, expansion, made, blocks) in enumerate(_STAGES):
            width = _round(made * wider)
            # Not deeper in its first and last stage.
            inner = 0 < number < len(_STAGES) - 1
            for block in range(ceil(blocks * deeper) if inner else blocks):
                layers.append(_Block(channels, width, kernel, 1 if block else stride, expansion))
                channels = width
        layers.append(nn.Sequential(*_layer(channels, 1280, kernel=1)))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, classes))

    def forward(self, x: Tensor) -> Tensor:
        """Logits, (pictures, classes), of normalised pixels, (pictures, 3, side, side)."""
        logits: Tensor = self.classifier(self.avgpool(self.features(x)).flatten(1))
        return logits


class _Block(nn.Module):
    """An inverted residual (Sandler et al., 2018): widened, seen channel by channel, narrowed."""

    def __init__(self, given: int, made: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = given * expansion
        widen = _layer(given, wide, kernel=1) if expansion > 1 else []
        look = _layer(wide, wide, kernel, stride, groups=wide)
        self.layers = nn.Sequential(*widen, *look, *_layer(wide, made, kernel=1)[:-1])
        self.adds = stride == 1 and given == made

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.layers(x)
        return x + made if self.adds else made


def _layer(given: int, made: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    """Convolution, batch norm, ReLU6.

    A stride of 2 pads as TensorFlow does where sides are even: one row more below and one column
    more to the right.
    """
    before, after = (kernel - stride) // 2, (kernel - stride + 1) // 2
    even = before == after
    pad = [] if even else [nn.ZeroPad2d((before, after, before, after))]
    convolution = nn.Conv2d(
        given, made, kernel, stride, before if even else 0, groups=groups, bias=False
    )
    return [*pad, convolution, nn.BatchNorm2d(made, eps=1e-3, momentum=0.01), nn.ReLU6()]


def _round(channels: float) -> int:
    """The nearest multiple of 8 that is not below nine tenths of it."""
    rounded = int(channels + 4) // 8 * 8
    return rounded if rounded >= 0.9 * channels else rounded + 8
