"""The captioning model: a CNN that sees regions and an LSTM that looks at them word by word.

The decoder is the adaptive attention of Lu et al., "Knowing When to Look: Adaptive Attention via
a Visual Sentinel for Image Captioning" (CVPR 2017), with three differences. Attention is the
scaled dot product with several heads (Vaswani et al., 2017) instead of the additive one. The
sentinel is gated from a projection of the LSTM's output instead of its memory cell, which
``nn.LSTM`` does not return for every step. The output layer is the word embedding transposed
(Press and Wolf, 2017). Attention is computed from the LSTM's output and not fed back into it, so
that a whole sentence is one LSTM call in training.
"""

import copy
from dataclasses import replace
from typing import NamedTuple

import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F

from core.efficientnet_lite import LITE, EfficientNetLite
from core.model_config import ModelConfig
from core.preprocess import PREPROCESSING

State = tuple[Tensor, Tensor]  # the LSTM's output and memory, each (1, sentences, hidden)


class Scene(NamedTuple):
    """What the decoder keeps of each picture; computed once, used for every word."""

    summary: Tensor  # (pictures, hidden)
    values: Tensor  # (pictures, regions, hidden)
    keys: Tensor  # (pictures, regions, hidden)

    def select(self, index: Tensor) -> "Scene":
        """The pictures with these indices, for sentences that share a picture."""
        return Scene(*(tensor.index_select(0, index) for tensor in self))


class Look(NamedTuple):
    """Where the decoder looked for each word, averaged over the heads; the two sum to one."""

    regions: Tensor  # (sentences, words, regions) attention to each region
    sentinel: Tensor  # (sentences, words) how much the word was expected rather than seen


def build_cnn(name: str, pretrained: bool = False) -> nn.Module:
    """A CNN of torchvision, or an EfficientNet-Lite, with its classifier.

    Args:
        name: such as ``mobilenet_v2``, ``resnet101`` or ``efficientnet_lite0``.
        pretrained: with torchvision's default weights, which it downloads, not random ones.

    Raises:
        ValueError: if there is no such model, or no weights of it to download.
    """
    if name in LITE:
        if pretrained:
            raise ValueError(
                f"torchvision has no weights of {name}; name a file of them in `weights`"
            )
        return EfficientNetLite(name)
    if name not in torchvision.models.list_models(module=torchvision.models):
        raise ValueError(f"torchvision has no model {name!r}; choose a CNN such as mobilenet_v2")
    cnn: nn.Module = torchvision.models.get_model(name, weights="DEFAULT" if pretrained else None)
    return cnn


def without_head(cnn: nn.Module) -> nn.Module:
    """The layers of a torchvision CNN that come before its pooling and classifier.

    Raises:
        ValueError: if the model does not end in a pooled grid of features.
    """
    layers: list[nn.Module] = []
    for name, child in cnn.named_children():
        if name in ("avgpool", "classifier", "fc"):
            break
        if not name.lower().startswith("aux"):  # Inception's classifiers for training alone
            layers.append(child)
    else:
        raise ValueError("this model has no grid of features; choose a CNN such as mobilenet_v2")
    # What these families do between their layers, in their forward methods.
    if isinstance(cnn, torchvision.models.DenseNet):
        layers.append(nn.ReLU())
    if isinstance(cnn, torchvision.models.GoogLeNet | torchvision.models.Inception3):
        layers.insert(0, _InceptionInput())
    return layers[0] if len(layers) == 1 else nn.Sequential(*layers)


class _InceptionInput(nn.Module):
    """ImageNet's normalisation to the -1 to 1 that GoogLeNet and Inception v3 were trained on."""

    def forward(self, x: Tensor) -> Tensor:
        mean = x.new_tensor(PREPROCESSING["mean"]).view(3, 1, 1)
        std = x.new_tensor(PREPROCESSING["std"]).view(3, 1, 1)
        return (x * std + mean) * 2 - 1


class Encoder(nn.Module):
    """Pictures to region features.

    Args:
        name: of a CNN, as for `build_cnn`.
        image_size: side of the square input, in pixels.
        own_layers: see `ModelConfig`.

    Raises:
        ValueError: if torchvision has no such model, it makes no grid of features from pictures
            of this size, or it has no more layers than these.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, name: str, image_size: int, own_layers: int = 0) -> None:
        super().__init__()
        self.cnn = without_head(build_cnn(name))
        layers = len(self.cnn) if isinstance(self.cnn, nn.Sequential) else 0
        if own_layers and own_layers >= layers:
            raise ValueError(f"own_layers must be below {layers}, the layers of {name}")
        self.shared_layers = layers - own_layers
        for key in ("mean", "std"):
            channels = torch.tensor(PREPROCESSING[key]).view(3, 1, 1)
            self.register_buffer(key, channels, persistent=False)
        try:
            with torch.no_grad():
                grid = self.cnn.eval()(torch.zeros(1, 3, image_size, image_size))
        except RuntimeError as error:
            raise ValueError(
                f"{name} makes no grid of features from pictures of {image_size} x {image_size} "
                "pixels; choose a larger image_size or a CNN such as mobilenet_v2"
            ) from error
        self.channels: int = grid.shape[1]
        self.rows: int = grid.shape[2]
        self.columns: int = grid.shape[3]
        self.to(memory_format=torch.channels_last)

    def forward(self, pixels: Tensor) -> Tensor:
        """Region features, row by row.

        Args:
            pixels: (pictures, 3, image_size, image_size) uint8, RGB.

        Returns:
            (pictures, rows * columns, channels) float.
        """
        return self.finish(self.share(pixels))

    def share(self, pixels: Tensor) -> Tensor:
        """What the second head is told of pictures as well, (pictures, channels, rows, columns).

        Args:
            pixels: as for `forward`.
        """
        return self.split()[0](self.normalise(pixels))

    def finish(self, shared: Tensor) -> Tensor:
        """Region features, as of `forward`, from what `share` gives."""
        return as_regions(self.split()[1](shared))

    def split(self) -> tuple[nn.Module, nn.Module]:
        """The layers that the second head shares, and the others."""
        if not isinstance(self.cnn, nn.Sequential):
            return self.cnn, nn.Identity()
        return self.cnn[: self.shared_layers], self.cnn[self.shared_layers :]

    def normalise(self, pixels: Tensor) -> Tensor:
        """What a CNN of torchvision takes, (pictures, 3, side, side) float, of uint8 pixels."""
        x = (pixels.float() / 255 - self.mean) / self.std
        return x.contiguous(memory_format=torch.channels_last)


def as_regions(grid: Tensor) -> Tensor:
    """A CNN's grid of features, (B, C, rows, columns), as regions, (B, rows * columns, C)."""
    return grid.flatten(2).transpose(1, 2)


class Decoder(nn.Module):
    """Adaptive-attention LSTM: region features to words.

    Args:
        channels: width of the region features.
        config: sizes of the model.
    """

    def __init__(self, channels: int, config: ModelConfig) -> None:
        super().__init__()
        hidden = config.hidden
        self.heads = config.heads
        self.embed = nn.Embedding(config.vocabulary_size, hidden)
        self.value = nn.Linear(channels, hidden)
        self.summary = nn.Linear(channels, hidden)
        self.key = nn.Linear(hidden, hidden, bias=False)
        self.lstm = nn.LSTM(2 * hidden, hidden, batch_first=True)
        self.query = nn.Linear(hidden, hidden)
        self.gate_input = nn.Linear(2 * hidden, hidden)
        self.gate_state = nn.Linear(hidden, hidden, bias=False)
        self.memory = nn.Linear(hidden, hidden)
        self.sentinel_key = nn.Linear(hidden, hidden, bias=False)
        self.output = nn.Linear(hidden, hidden)
        self.bias = nn.Parameter(torch.zeros(config.vocabulary_size))
        self.dropout = nn.Dropout(config.dropout)
        # Tied to the output layer, so its scale is that of an output layer.
        nn.init.normal_(self.embed.weight, std=hidden**-0.5)

    def look_at(self, regions: Tensor) -> Scene:
        """What the decoder keeps of each picture.

        Args:
            regions: (pictures, regions, channels) from the encoder.
        """
        summary = self.dropout(F.relu(self.summary(regions.mean(dim=1))))  # (B, H)
        values = self.dropout(F.relu(self.value(regions)))  # (B, R, H)
        return Scene(summary, values, self.key(values))

    def teach(
        self, regions: Tensor, words: Tensor, picture_of: Tensor | None, counted: Tensor
    ) -> Tensor:
        """Teacher forcing over sentences that may share pictures.

        Args:
            regions: (pictures, regions, channels) from the encoder.
            words: (sentences, length) indices that start with ``<start>``.
            picture_of: (sentences,) index of each sentence's picture; None where each picture has
                as many, in a row, which is quicker.
            counted: (sentences, length) bool, which of the words that follow are scored; leaving
                out the padding spares the largest product of all.

        Returns:
            (counted words, vocabulary) logits of the words that follow, sentence by sentence.
        """
        scene = self.look_at(regions)
        if picture_of is not None:
            scene = scene.select(picture_of)
        hidden = self._recall(scene, words, None)[0]
        return self._score(hidden[counted])

    def forward(
        self, scene: Scene, words: Tensor, state: State | None = None
    ) -> tuple[Tensor, Look, State]:
        """Scores of the word after each given word (teacher forcing; or one step of a search).

        Args:
            scene: one entry for each sentence, or for as many sentences in a row.
            words: (sentences, length) indices, the first ``<start>`` when there is no state.
            state: of the LSTM before the first word; none at the start of a sentence.

        Returns:
            logits (sentences, length, vocabulary), where it looked, and the LSTM's new state.
        """
        hidden, look, new_state = self._recall(scene, words, state)
        return self._score(hidden), look, new_state

    def _recall(
        self, scene: Scene, words: Tensor, state: State | None
    ) -> tuple[Tensor, Look, State]:
        """What is known before each next word: seen in the picture and said so far, (S, T, H)."""
        output, sentinel, new_state = self._listen(scene.summary, words, state)
        hidden, look = self._look(scene, output, sentinel)
        return hidden, look, new_state

    def _listen(
        self, summary: Tensor, words: Tensor, state: State | None
    ) -> tuple[Tensor, Tensor, State]:
        """What is said so far, and the sentinel of each word, both (S, T, H)."""
        sentences, length = words.shape
        summary = summary.repeat_interleave(sentences // len(summary), dim=0)  # (S, H)
        embedded = self.dropout(self.embed(words) * self.embed.embedding_dim**0.5)  # (S, T, H)
        summary = summary.unsqueeze(1).expand(-1, length, -1).to(embedded.dtype)
        x = torch.cat([embedded, summary], dim=2)  # (S, T, 2H)
        if state is None:
            zeros = x.new_zeros(1, sentences, self.lstm.hidden_size)
            state = (zeros, zeros)
        output, new_state = self.lstm(x, state)  # (S, T, H)
        before = torch.cat([state[0].transpose(0, 1).to(output.dtype), output[:, :-1]], dim=1)
        gate = torch.sigmoid(self.gate_input(x) + self.gate_state(before))
        return output, gate * torch.tanh(self.memory(output)), new_state

    def _look(self, scene: Scene, output: Tensor, sentinel: Tensor) -> tuple[Tensor, Look]:
        """What is seen for each word, with what is said so far, (S, T, H)."""
        pictures = len(scene.keys)

        def gather(x: Tensor) -> Tensor:  # (S, T, ...) -> (B, S / B * T, ...)
            return x.reshape(pictures, -1, *x.shape[2:])

        # A picture's sentences look at it together: its keys and values are not copied for each.
        context, look = self._attend(scene, gather(self.query(output)), gather(sentinel))
        regions, sentinels = (x.reshape(*output.shape[:2], *x.shape[2:]) for x in look)
        return context.reshape(output.shape) + output, Look(regions, sentinels)

    def _score(self, hidden: Tensor) -> Tensor:
        """Logits of the next word, (..., H) -> (..., V)."""
        mixed = torch.tanh(self.output(self.dropout(hidden)))
        return F.linear(self.dropout(mixed), self.embed.weight, self.bias)

    def _attend(self, scene: Scene, query: Tensor, sentinel: Tensor) -> tuple[Tensor, Look]:
        """Attention over the regions and, as one more region, the sentinel of each word."""

        def split(x: Tensor) -> Tensor:  # (S, T, H) -> (S, heads, T, H / heads)
            return x.unflatten(2, (self.heads, -1)).transpose(1, 2)

        q = split(query) * (query.shape[2] // self.heads) ** -0.5
        to_regions = q @ split(scene.keys).transpose(2, 3)  # (S, heads, T, R)
        to_sentinel = (q * split(self.sentinel_key(sentinel))).sum(dim=3, keepdim=True)
        weights = torch.cat([to_regions, to_sentinel], dim=3).softmax(dim=3)  # (S, heads, T, R + 1)
        alpha, beta = weights[..., :-1], weights[..., -1:]
        context = alpha.to(q.dtype) @ split(scene.values) + beta * split(sentinel)
        context = context.transpose(1, 2).flatten(2)  # (S, T, H)
        return context, Look(alpha.mean(dim=1), beta.squeeze(3).mean(dim=1))


class Expectation(nn.Module):
    """What words are to be expected of a picture, told from the picture as a whole.

    By these the sentences of a search are ranked (`core.agreement`): a detector of words beside the
    captioner, as in Fang et al., "From Captions to Visual Concepts and Back" (CVPR 2015), but one
    linear layer.

    Args:
        channels: width of the region features.
        config: sizes of the model.
    """

    mean: Tensor
    scale: Tensor
    rarity: Tensor

    def __init__(self, channels: int, config: ModelConfig) -> None:
        super().__init__()
        inputs = channels + config.classes
        self.linear = nn.Linear(inputs, config.expected)
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("scale", torch.ones(inputs))
        # Of every word: what it counts in a sentence.
        self.register_buffer("rarity", torch.ones(config.vocabulary_size))

    def forward(self, pooled: Tensor, answers: Tensor) -> Tensor:
        """How far each word is expected, (B, words), any number.

        Args:
            pooled: (B, channels) mean of the region features.
            answers: (B, classes) of the second head; no classes where there is none.
        """
        features = torch.cat([pooled, answers], dim=1)
        expected: Tensor = self.linear((features - self.mean) * self.scale)
        return expected


class CaptionModel(nn.Module):
    """Encoder, decoder, and where there are such, the head that names things and the expectation.

    Built from its configuration alone.

    Args:
        config: sizes and names of the parts.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config.encoder, config.image_size, config.own_layers)
        self.decoder = Decoder(self.encoder.channels, config)
        self.recogniser: nn.Sequential | None = None
        if config.classes:
            self.recogniser = nn.Sequential(
                copy.deepcopy(self.encoder.split()[1]) if config.own_layers else nn.Identity(),
                nn.AdaptiveAvgPool2d(1),
                nn.Flatten(),
                nn.Linear(self.encoder.channels, config.classes),
            )
        self.expectation: Expectation | None = None
        if config.expected:
            self.expectation = Expectation(self.encoder.channels, config)

    def forget_expectation(self) -> None:
        """Expect nothing any more, where the encoder will be another."""
        self.config = replace(self.config, expected=0)
        self.expectation = None

    def recognise(self, shared: Tensor) -> Tensor:
        """What the encoder's original classifier would answer to pictures.

        Args:
            shared: of the pictures, from `Encoder.share`.

        Returns:
            (pictures, classes) logits.

        Raises:
            ValueError: if this model has no such head.
        """
        if self.recogniser is None:
            raise ValueError("this model has no head that names things")
        logits: Tensor = self.recogniser(shared)
        return logits
