"""Gives a trained model another encoder, and its decoder eyes for it.

    python -m training.transplant resources/model --encoder efficientnet_lite0
        --weights weights/efficientnet_lite0.safetensors --image-size 224
        --data data/flickr8k data/coco --to runs/transplanted

The decoder's two layers that look at region features are fitted by least squares to make of the new
encoder's features what they made of the old one's. From such sentences one can go on.
"""

import argparse
import random
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn
from tqdm import tqdm

from core.errors import SeesayError
from core.model import CaptionModel, Encoder, build_cnn, without_head
from core.model_file import load_model, save_model
from training.ahead import load_ahead
from training.data import for_training, load_split
from training.least_squares import LeastSquares
from training.pictures import Squares
from training.target import check_target, writing

_BATCH = 32
_RIDGE = 1e-3  # of the features' mean square


def transplant(
    model: CaptionModel, name: str, cnn: nn.Module, side: int, paths: Sequence[Path]
) -> CaptionModel:
    """A model without a second head that sees with another encoder what it saw with its own.

    Args:
        model: that was trained.
        name: of the new encoder, as for `build_cnn`.
        cnn: the new encoder, without its head.
        side: of the square pictures that it shall see, in pixels.
        paths: of the pictures that both look at.

    Raises:
        ValueError: if the new encoder divides such pictures into other regions than the old one.
    """
    sizes = replace(model.config, encoder=name, image_size=side, classes=0, own_layers=0)
    made = CaptionModel(replace(sizes, expected=0)).eval()
    made.encoder.cnn.load_state_dict(cnn.state_dict())
    # Of the same size of pictures, or the old one would divide them otherwise.
    old = Encoder(model.config.encoder, side).eval()
    old.load_state_dict(model.encoder.state_dict())
    if (old.rows, old.columns) != (made.encoder.rows, made.encoder.columns):
        raise ValueError("The two encoders divide pictures into other regions; choose another CNN.")
    decoder, width = model.decoder, model.config.hidden
    value, summary = (LeastSquares(made.encoder.channels, width, _RIDGE) for _ in range(2))
    pictures = Squares(paths, side)
    with torch.inference_mode(), tqdm(total=len(pictures), unit="picture") as bar:
        for pixels in load_ahead(pictures, _BATCH):
            seen, shown = old(pixels), made.encoder(pixels)  # (B, R, C) each
            value.show(shown.flatten(0, 1), decoder.value(seen).flatten(0, 1))
            summary.show(shown.mean(dim=1), decoder.summary(seen.mean(dim=1)))
            bar.update(len(pixels))
    state = decoder.state_dict()
    for layer, fitted in (("value", value.state()), ("summary", summary.state())):
        state |= {f"{layer}.{key}": tensor for key, tensor in fitted.items()}
    made.decoder.load_state_dict(state)
    return made


def _encoder(name: str, weights: Path | None) -> nn.Module:
    try:
        cnn = build_cnn(name, pretrained=weights is None)
        if weights is not None:
            cnn.load_state_dict(load_file(weights))
        return without_head(cnn)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise SeesayError(f"{weights or name} cannot be used: {error}.") from error


def main() -> int:
    """Transplant; gives the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--encoder", required=True, help="name of a CNN")
    parser.add_argument("--weights", type=Path, help="of it; without, torchvision's")
    parser.add_argument("--image-size", type=int, help="in pixels; without, the model's")
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--pictures", type=int, default=2500, help="to look at; %(default)s")
    parser.add_argument("--to", type=Path, required=True)
    options = parser.parse_args()
    try:
        model, vocabulary, facts = load_model(options.model)
        cnn = _encoder(options.encoder, options.weights)
        paths = [
            example.path
            for folder in options.data
            for example in for_training(load_split(folder.resolve(), "train"))
        ]
        check_target(options.to)
        paths = random.Random(1).sample(paths, min(options.pictures, len(paths)))
        side = options.image_size or model.config.image_size
        made = transplant(model, options.encoder, cnn, side, paths)
        kept: dict[str, Any] = {name: facts[name] for name in ("name", "licence") if name in facts}
        with writing(options.to):
            save_model(made, vocabulary, options.to, kept)
    except (SeesayError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
