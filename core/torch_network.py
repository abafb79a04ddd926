"""The network in torch: on graphics cards, and on the processor where it was not exported."""

import numpy as np
import torch
from torch import Tensor

from core.device import choose_device
from core.model import CaptionModel
from core.model_file import build
from core.model_folder import ModelFolder
from core.network import Sight, Written
from core.parts import Reread, See, Write


class TorchNetwork:
    """A network that runs in torch; see `core.network.Network`.

    Args:
        model: in evaluation mode, on the device where it shall run.
    """

    def __init__(self, model: CaptionModel) -> None:
        self.model = model
        self._device = model.encoder.mean.device
        self.device = self._device.type
        self._see, self._write = See(model), Write(model.decoder)
        self._reread = Reread(model.decoder)

    @classmethod
    def load(cls, folder: ModelFolder, device: str) -> "TorchNetwork":
        """Build the network of a model's files on a device, such as ``auto`` or ``cuda``.

        Raises:
            ModelError: if the weights do not fit or are not finite.
            DeviceError: if this machine has no such device.
        """
        chosen = choose_device(device)
        return cls(build(folder).to(chosen))

    @torch.inference_mode()
    def see(self, pixels: np.ndarray) -> Sight:
        """See pictures."""
        with self._autocast():
            return Sight(*map(_to_numpy, self._see(self._to_device(pixels))))

    @torch.inference_mode()
    def write(
        self,
        sight: Sight,
        words: np.ndarray,
        totals: np.ndarray,
        recurrent: np.ndarray,
        cell: np.ndarray,
    ) -> Written:
        """Extend sentences by a word."""
        arrays = (words, totals, sight.inputs, sight.keys, sight.values, recurrent, cell)
        with self._autocast():
            return Written(*map(_to_numpy, self._write(*map(self._to_device, arrays))))

    @torch.inference_mode()
    def reread(
        self,
        words: np.ndarray,
        targets: np.ndarray,
        summary: np.ndarray,
        keys: np.ndarray,
        values: np.ndarray,
    ) -> np.ndarray:
        """Log-probabilities of given sentences' words."""
        arrays = (words, targets, summary, keys, values)
        with self._autocast():
            return _to_numpy(self._reread(*map(self._to_device, arrays)))

    def _to_device(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self._device)

    def _autocast(self) -> torch.autocast:
        # Half precision pays on graphics cards; on the processor it would change sentences.
        return torch.autocast(self.device, enabled=self.device == "cuda")


def _to_numpy(tensor: Tensor) -> np.ndarray:
    array: np.ndarray = (tensor.float() if tensor.is_floating_point() else tensor).cpu().numpy()
    return array
