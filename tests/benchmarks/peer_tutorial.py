"""The captioner that tutorials teach: ResNet-101 and an LSTM with soft attention.

Xu et al., "Show, Attend and Tell" (ICML 2015), in the sizes of the widely used PyTorch tutorial:
14 x 14 regions, 512 units, additive attention computed anew for each word. It writes step by step.
"""

from pathlib import Path

import torch
import torchvision
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from tests.benchmarks.peers import BEAM, Pixels, Write, squeeze_and_normalise

HIDDEN, REGIONS_SIDE, CHANNELS = 512, 14, 2048
VOCABULARY = 9490  # that of the tutorial's model, trained on COCO
_START = 0
_FILE = "model.safetensors"


class Tutorial(nn.Module):
    """Encoder and decoder, with random weights.

    Args:
        cnn: layers up to a grid of features.
        channels: of that grid.
    """

    def __init__(self, cnn: nn.Module, channels: int = CHANNELS) -> None:
        super().__init__()
        self.cnn = cnn
        self.pool = nn.AdaptiveAvgPool2d(REGIONS_SIDE)
        self.embed = nn.Embedding(VOCABULARY, HIDDEN)
        self.key = nn.Linear(channels, HIDDEN)
        self.query = nn.Linear(HIDDEN, HIDDEN)
        self.score = nn.Linear(HIDDEN, 1)
        self.gate = nn.Linear(HIDDEN, channels)
        self.begin = nn.Linear(channels, 2 * HIDDEN)
        self.lstm = nn.LSTMCell(HIDDEN + channels, HIDDEN)
        self.output = nn.Linear(HIDDEN, VOCABULARY)

    def see(self, pixels: Tensor) -> Tensor:
        """Region features, (B, 3, side, side) -> (B, R, C)."""
        regions: Tensor = self.pool(self.cnn(pixels)).flatten(2).transpose(1, 2).contiguous()
        return regions

    def step(self, words: Tensor, regions: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, ...]:
        """Log-probabilities of the next word, (B, V), and the LSTM's new state."""
        hidden = torch.relu(self.key(regions) + self.query(h).unsqueeze(1))  # (B, R, H)
        weights = self.score(hidden).softmax(dim=1)  # (B, R, 1)
        seen = self.gate(h).sigmoid() * (regions * weights).sum(dim=1)  # (B, C)
        h, c = self.lstm(torch.cat([self.embed(words), seen], dim=1), (h, c))
        return self.output(h).log_softmax(dim=1), h, c

    @torch.inference_mode()
    def write(self, pixels: Tensor, length: int, beam: int = BEAM) -> Tensor:
        """Sentences of exactly so many words by beam search, (B, length)."""
        regions = self.see(pixels).repeat_interleave(beam, dim=0)  # (B K, R, C)
        h, c = self.begin(regions.mean(dim=1)).chunk(2, dim=1)
        pictures = len(pixels)
        words = torch.full((pictures * beam,), _START)
        totals = torch.full((pictures, beam), -torch.inf)
        totals[:, 0] = 0  # all beams start alike: only one may spread
        first = torch.arange(pictures).unsqueeze(1) * beam  # (B, 1)
        sentences = torch.empty(pictures * beam, 0, dtype=torch.long)
        for _ in range(length):
            log_probs, h, c = self.step(words, regions, h, c)
            candidates = totals.unsqueeze(2) + log_probs.view(pictures, beam, -1)
            totals, place = candidates.flatten(1).topk(beam, dim=1)  # (B, K)
            parents = (first + place // VOCABULARY).flatten()
            words = (place % VOCABULARY).flatten()
            h, c = h[parents], c[parents]
            sentences = torch.cat([sentences[parents], words.unsqueeze(1)], dim=1)
        return sentences[::beam]


def _build() -> Tutorial:
    layers = list(torchvision.models.resnet101(weights=None).children())[:-2]
    return Tutorial(nn.Sequential(*layers)).eval()


def prepare(folder: Path) -> None:
    """Write random weights."""
    save_file(_build().state_dict(), folder / _FILE)


def load(folder: Path, words: int) -> Write:
    """Read them; 256 pixels, as in the tutorial."""
    with torch.device("meta"):  # spares random numbers
        model = _build()
    model.load_state_dict(load_file(folder / _FILE), assign=True)

    def write(pictures: list[Pixels]) -> list[list[int]]:
        pixels = torch.from_numpy(squeeze_and_normalise(pictures, 256))
        written: list[list[int]] = model.write(pixels, words).tolist()
        return written

    return write
