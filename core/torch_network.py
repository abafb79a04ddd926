"""The network in torch: on graphics cards, and on the processor where it was not exported."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from core.device import choose_device
from core.model import CaptionModel
from core.model_file import build
from core.model_folder import ModelFolder
from core.network import Network, Part
from core.parts import Reread, Search, See


class TorchNetwork(Network):
    """A network that runs in torch.

    Args:
        model: in evaluation mode, on the device where it shall run.
    """

    def __init__(self, model: CaptionModel) -> None:
        self.model = model
        self._device = model.encoder.mean.device
        self.device = self._device.type
        if model.expectation is not None:
            self.rarity = _to_numpy(model.expectation.rarity)
        self._parts: dict[Part, nn.Module] = {
            "see": See(model),
            "search": Search(model.decoder),
            "reread": Reread(model.decoder),
        }

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
    def _run(self, part: Part, *arrays: np.ndarray) -> Sequence[np.ndarray]:
        # Half precision pays on graphics cards; on the processor it would change sentences.
        with torch.autocast(self.device, enabled=self.device == "cuda"):
            made = self._parts[part](*map(self._to_device, arrays))
        return [_to_numpy(tensor) for tensor in ([made] if isinstance(made, Tensor) else made)]

    def _to_device(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self._device)


def _to_numpy(tensor: Tensor) -> np.ndarray:
    array: np.ndarray = (tensor.float() if tensor.is_floating_point() else tensor).cpu().numpy()
    return array
