"""The precision of training and validation."""

import torch
from torch import nn


def autocast(device: torch.device, precision: torch.dtype) -> torch.autocast:
    """A context in which matrix products and convolutions are computed in this precision."""
    return torch.autocast(device.type, precision, enabled=precision != torch.float32)


def usable_precision(device: torch.device, precision: torch.dtype) -> torch.dtype:
    """This precision, or float32 on a processor that cannot compute an LSTM in it."""
    lstm = nn.LSTM(8, 8, batch_first=True).to(device)
    try:
        with autocast(device, precision):
            lstm(torch.zeros(1, 2, 8, device=device))[0].sum().backward()
    except RuntimeError:  # oneDNN has no such LSTM for older processors
        return torch.float32
    return precision
