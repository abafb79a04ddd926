"""The least time that Seesay's own model can take on this machine.

``python -m tests.benchmarks.floor --model DIR`` prints one JSON object. Two things bound it: sums,
by the rate of a large matrix product in float32 on all processors, and weights, which have to come
out of memory, by the speed of copying a large array (bytes read and bytes written both count).
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from core.model import CaptionModel
from core.model_file import load_model
from core.parts import See, Write, word_gates

_SIDE = 3072  # of the matrices
_COPIED = 256 * 1024 * 1024  # bytes, far more than any cache
_ROUNDS = 5


@dataclass(frozen=True)
class Work:
    """What has to be done for one picture.

    Attributes:
        encoder_macs: multiply-adds of seeing it, second head included.
        encoder_bytes: float32 weights of that.
        step_macs: multiply-adds of a step of the search, all beams.
        step_bytes: float32 weights, keys and values that a step reads.
    """

    encoder_macs: int
    encoder_bytes: int
    step_macs: int
    step_bytes: int


def count_work(model: CaptionModel, beam: int = 3) -> Work:
    """Count by torch's own counter of matrix products and convolutions.

    With one picture and one beam each multiply-add of a step reads a number of its own, so that
    their count is that of the numbers read, too.
    """
    side, hidden = model.config.image_size, model.config.hidden
    pixels = torch.zeros(1, 3, side, side, dtype=torch.uint8)
    see = See(model)
    with torch.inference_mode():
        write = Write(model.decoder, word_gates(model.decoder))
        seen = see(pixels)

        def step(beams: int) -> tuple[Tensor, ...]:
            words, state = torch.full((1, beams), 1), torch.zeros(1, beams, 6 * hidden)
            arrays = (seen.inputs, seen.keys, seen.values)
            return write(
                words, torch.zeros(1, beams), *arrays, *state.split([5 * hidden, hidden], dim=2)
            )

        decoder = model.decoder
        parts: list[nn.Module] = [model.encoder, decoder.value, decoder.summary, decoder.key]
        if model.recogniser is not None:
            parts.append(model.recogniser)
        weights = sum(one.numel() for part in parts for one in part.parameters())
        return Work(
            encoder_macs=_macs(lambda: see(pixels)),
            encoder_bytes=4 * (weights + 5 * hidden**2),
            step_macs=_macs(lambda: step(beam)),
            step_bytes=4 * _macs(lambda: step(1)),
        )


def _macs(run: Callable[[], object]) -> int:
    with FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops() // 2


def matrix_rate() -> float:
    """Floating-point operations a second of a large product, the better of torch and numpy."""
    arrays = [np.random.default_rng(0).random((_SIDE, _SIDE), np.float32) for _ in range(2)]
    tensors = [torch.from_numpy(array) for array in arrays]
    seconds = min(_best(lambda: arrays[0] @ arrays[1]), _best(lambda: tensors[0] @ tensors[1]))
    return float(2 * _SIDE**3 / seconds)


def copy_rate() -> float:
    """Bytes a second, read and written together, of copying on all processors."""
    source = torch.ones(_COPIED // 4)
    target = torch.zeros(_COPIED // 4)
    return 2 * _COPIED / _best(lambda: target.copy_(source))


def _best(run: Callable[[], object]) -> float:
    """Seconds of the quickest of some rounds; the first warms up."""
    seconds = []
    for _ in range(_ROUNDS + 1):
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    return min(seconds[1:])


def main() -> None:
    """Print the floor."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    work = count_work(load_model(parser.parse_args().model)[0])
    flops, copied = matrix_rate(), copy_rate()
    encoder = max(2 * work.encoder_macs / flops, work.encoder_bytes / copied)
    step = max(2 * work.step_macs / flops, work.step_bytes / copied)
    found = {
        **asdict(work),
        "gflops": flops / 1e9,
        "gb_per_s": copied / 1e9,
        "encoder_ms": 1000 * encoder,
        "step_ms": 1000 * step,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
