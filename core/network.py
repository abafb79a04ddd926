"""What runs the network: onnxruntime on the processor, torch on a graphics card."""

import platform
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from core.model_folder import ModelFolder
from core.vocabulary import Vocabulary

Part = Literal["see", "search", "reread"]


@dataclass(frozen=True)
class Sight:
    """What is kept of pictures, all float32.

    Attributes:
        pooled: (B, channels) mean of the region features.
        summaries: (B, R, H) of each region, before their mean and ReLU.
        keys: (B, heads, H / heads, R).
        values: (B, heads, R, H / heads).
        inputs: (B, 5 H) what the picture gives to the LSTM's and the sentinel's gates.
        answers: (B, classes) logits of the second head; no classes where there is none.
        expected: (B, words) how far the first words of the vocabulary are expected; no words where
            the model does not tell.
    """

    pooled: np.ndarray
    summaries: np.ndarray
    keys: np.ndarray
    values: np.ndarray
    inputs: np.ndarray
    answers: np.ndarray
    expected: np.ndarray

    @property
    def summary(self) -> np.ndarray:
        """The decoder's summary of each picture, (B, H)."""
        return summarise(self.summaries)


def summarise(summaries: np.ndarray) -> np.ndarray:
    """The decoder's summary of some regions, (..., R, H) -> (..., H)."""
    return np.maximum(summaries.mean(axis=-2), 0)


@dataclass(frozen=True)
class Steps:
    """All steps of a beam search, (T, B, K) where nothing else is said.

    The first three are of the beams as they go on, the others of the beams as they were.

    Attributes:
        parents: the beams that go on.
        words: the word that each of these is extended with.
        log_probs: of these words.
        scores: what each sentence is worth if it ends here; minus infinity where it must not, and
            once the search for its picture is over.
        ends: log-probability of ``<end>``.
        entropies: in nats, of the word that follows.
        regions: (T, B, K, R) attention to each region, averaged over the heads.
        sentinel: attention to the sentinel.
    """

    parents: np.ndarray
    words: np.ndarray
    log_probs: np.ndarray
    scores: np.ndarray
    ends: np.ndarray
    entropies: np.ndarray
    regions: np.ndarray
    sentinel: np.ndarray


class Network(ABC):
    """A loaded network; all arrays are float32 where nothing else is said.

    Attributes:
        device: where it runs, such as "cpu".
        rarity: (vocabulary,) what each word counts in a sentence that is compared with what is
            expected; None for a model that does not tell.
    """

    device: str
    rarity: np.ndarray | None = None

    @abstractmethod
    def _run(self, part: Part, *arrays: np.ndarray) -> Sequence[np.ndarray]:
        """What a part of the network (``core/parts.py``) makes of these arrays."""

    def see(self, pixels: np.ndarray) -> Sight:
        """See pictures, (B, 3, side, side) uint8 RGB."""
        return Sight(*self._run("see", pixels))

    def search(self, sight: Sight, beam: int, most: int, norm: float) -> Steps:
        """Write sentences by beam search; `core.search` tells how, and which wins.

        Args:
            sight: of the pictures.
            beam: number of unfinished sentences kept.
            most: words of the longest sentence.
            norm: power of the length that log-probabilities are divided by.
        """
        pictures, gates = sight.inputs.shape
        totals = np.full((pictures, beam), -np.inf, np.float32)
        totals[:, 0] = 0  # all beams start alike: only one may spread
        steps = self._run(
            "search",
            np.full((pictures, beam), Vocabulary.start),
            totals,
            np.full(pictures, -np.inf, np.float32),
            np.zeros((pictures, beam, gates), np.float32),
            np.zeros((pictures, beam, gates // 5), np.float32),
            sight.inputs,
            sight.keys,
            sight.values,
            np.array(most),
            np.array(norm, np.float32),
        )
        return Steps(*steps)

    def reread(
        self,
        words: np.ndarray,
        targets: np.ndarray,
        summary: np.ndarray,
        keys: np.ndarray,
        values: np.ndarray,
    ) -> np.ndarray:
        """Log-probabilities of given sentences' words, by teacher forcing, (S, T).

        Args:
            words: (S, T) int64 indices that start with ``<start>``.
            targets: (S, T) int64, the words that follow.
            summary: (S, H) of each sentence's scene.
            keys, values: of each sentence's scene, as of `Sight`, with any number of regions.
        """
        (log_probs,) = self._run("reread", words, targets, summary, keys, values)
        return log_probs


def blind_log_probs(
    network: Network, sight: Sight, sentences: Sequence[Sequence[int]]
) -> list[tuple[float, ...]]:
    """How probable sentences would be with nothing to see, all at once.

    Args:
        network: that wrote them.
        sight: of any pictures with as many regions, of which only the shape is used.
        sentences: words of each as indices, without ``<start>`` and ``<end>``.

    Returns:
        For each of them, the log-probability of each word and, last, of ``<end>``.
    """
    if not sentences:
        return []
    words, targets = given_and_following(sentences)
    arrays = (sight.summary, sight.keys, sight.values)
    nothing = (np.zeros((len(words), *array.shape[1:]), np.float32) for array in arrays)
    rows = network.reread(words, targets, *nothing).tolist()
    return [tuple(row[: len(sentence) + 1]) for row, sentence in zip(rows, sentences, strict=True)]


def given_and_following(sentences: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Sentences as `Network.reread` takes them: words and the words that follow, (S, T)."""
    longest = max(map(len, sentences)) + 1
    words = np.full((len(sentences), longest), Vocabulary.pad)
    targets = np.full((len(sentences), longest), Vocabulary.end)
    words[:, 0] = Vocabulary.start
    for row, sentence in enumerate(sentences):
        words[row, 1 : len(sentence) + 1] = sentence
        targets[row, : len(sentence)] = sentence
    return words, targets


def load_network(model: ModelFolder, device: str = "auto") -> Network:
    """The network of a model, on this device.

    On the processor, a model that was exported runs in onnxruntime, which is several times as fast
    and spares the import of torch; every other runs in torch.

    Args:
        model: as `read_model_folder` gives it.
        device: a name of torch's, such as ``cpu``, or ``auto``: the fastest that is there.

    Raises:
        ModelError: if the model cannot be loaded.
        DeviceError: if this machine has no such device.
    """
    if model.exported and _is_processor(device):
        from core.onnx_network import OnnxNetwork

        return OnnxNetwork(model)
    from core.torch_network import TorchNetwork

    return TorchNetwork.load(model, device)


def _is_processor(device: str) -> bool:
    if device != "auto":
        return device == "cpu"
    if not _may_have_graphics_card():
        return True
    from core.device import choose_device

    return choose_device(device).type == "cpu"


def _may_have_graphics_card() -> bool:
    """Whether it is worth to import torch, which takes seconds, to ask it for a graphics card."""
    if sys.platform == "darwin":
        return platform.machine() == "arm64"
    if sys.platform == "win32":
        return Path("C:/Windows/System32/nvcuda.dll").exists()
    return any(map(Path.exists, map(Path, ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg"))))
