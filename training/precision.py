"""The precision of training and validation."""

import torch


def autocast(device: torch.device, precision: torch.dtype) -> torch.autocast:
    """A context in which matrix products and convolutions are computed in this precision."""
    return torch.autocast(device.type, precision, enabled=precision != torch.float32)
