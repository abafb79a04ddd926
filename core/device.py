"""Where the model runs: a graphics card where there is one, else the processor."""

import torch

from core.errors import DeviceError

DEVICES = ("auto", "cpu", "cuda", "mps")


def choose_device(name: str) -> torch.device:
    """The device of this name; ``auto`` takes the fastest that is there.

    Raises:
        DeviceError: if the name is unknown or this machine has no such device.
    """
    if name not in DEVICES:
        raise DeviceError(f"There is no device {name!r}; choose one of {', '.join(DEVICES)}.")
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        name = next(device for device, there in available.items() if there)
    if not available[name]:
        raise DeviceError(f"This machine has no usable {name} device; use --device cpu or auto.")
    return torch.device(name)
