"""ViT-base + GPT-2 in onnxruntime with dynamic int8 weights, in two ways.

As NVDA runs it: one sentence is followed, and the picture's keys and values are computed anew for
every word, since the decoder's graph takes the encoder's output (source/_localCaptioner in NVDA's
repository). And as well as it can be done: the picture's keys and values are computed once, with
the encoder, and as many sentences are followed as Seesay follows.
"""

from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.peers import BEAM, Pixels, Write, squeeze_and_normalise, vit_gpt2

_ENCODER, _DECODER = "encoder.onnx", "decoder.onnx"
_START = 50256


def prepare(folder: Path, as_nvda: bool = False) -> None:
    """Export encoder and decoder with cache, and quantise them."""
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from torch.export import Dim

    from tests.benchmarks.gpt2_step import See, SeeNoMore, Step, StepAnew

    model = vit_gpt2()
    see = (SeeNoMore(model) if as_nvda else See(model)).eval()
    step = (StepAnew(model.decoder) if as_nvda else Step(model.decoder)).eval()
    batch, both = {0: Dim.DYNAMIC}, {0: Dim.DYNAMIC, 2: Dim.DYNAMIC}
    with torch.inference_mode():
        pixels = torch.zeros(2, 3, 224, 224)
        cross = [array.contiguous() for array in see(pixels)]
        past = [torch.zeros(2, 12, 5, 64) for _ in range(2 * model.decoder.config.n_layer)]
        arguments = (torch.zeros(2, 1, dtype=torch.long), torch.tensor([5]), past, cross)
        sizes = (batch, None, [both] * len(past), [batch] * len(cross))
        # Weights of convolutions must be unsigned for onnxruntime.
        for name, part, inputs, shapes, kind in (
            (_ENCODER, see, (pixels,), (batch,), QuantType.QUInt8),
            (_DECODER, step, arguments, sizes, QuantType.QInt8),
        ):
            whole = folder / f"float-{name}"
            torch.onnx.export(
                part, inputs, whole, dynamic_shapes=shapes, dynamo=True, verbose=False
            )
            quantize_dynamic(whole, folder / name, weight_type=kind)
            for left in folder.glob(f"float-{name}*"):
                left.unlink()


def load(folder: Path, words: int, beam: int = BEAM) -> Write:
    """Load both graphs, with the settings that onnxruntime has by itself."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 3
    encoder, decoder = (
        ort.InferenceSession(folder / name, options) for name in (_ENCODER, _DECODER)
    )

    def write(pictures: list[Pixels]) -> list[list[int]]:
        pixels = squeeze_and_normalise(pictures, 224)
        cross = encoder.run(None, {encoder.get_inputs()[0].name: pixels})
        return _beam_search(decoder, cross, words, beam)

    return write


def _beam_search(decoder: Any, cross: list[np.ndarray], length: int, beam: int) -> list[list[int]]:
    """Sentences of exactly so many words; ``cross`` is what the encoder gave."""
    names = [entry.name for entry in decoder.get_inputs()]
    pictures = len(cross[0])
    cross = [array.repeat(beam, axis=0) for array in cross]  # (B K, heads, R, 64)
    past = [np.zeros((pictures * beam, 12, 0, 64), np.float32) for _ in decoder.get_outputs()[1:]]
    words = np.full((pictures * beam, 1), _START)
    totals = np.full((pictures, beam), -np.inf, np.float32)
    totals[:, 0] = 0  # all beams start alike: only one may spread
    first = np.arange(pictures)[:, None] * beam  # (B, 1)
    sentences = np.empty((pictures * beam, 0), np.int64)
    for place in range(length):
        arrays = chain([words, np.array([place])], past, cross)
        log_probs, *past = decoder.run(None, dict(zip(names, arrays, strict=True)))
        size = log_probs.shape[1]
        candidates = (totals[:, :, None] + log_probs.reshape(pictures, beam, -1)).reshape(
            pictures, -1
        )
        best = np.argpartition(-candidates, beam - 1, axis=1)[:, :beam]  # (B, K)
        totals = np.take_along_axis(candidates, best, axis=1)
        parents = (first + best // size).ravel()
        words = (best % size).reshape(-1, 1)
        past = [array[parents] for array in past]
        sentences = np.concatenate([sentences[parents], words], axis=1)
    chosen = (first + totals.argmax(axis=1, keepdims=True)).ravel()
    written: list[list[int]] = sentences[chosen].tolist()
    return written
