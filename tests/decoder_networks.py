"""A decoder without an encoder, as a network that writes about region features."""

import torch
from torch import Tensor

from core.model import Decoder, Scene
from core.network import Sight
from core.parts import Reread, Search, look
from core.torch_network import TorchNetwork


class DecoderNetwork(TorchNetwork):
    """A network that sees nothing itself, and is given the region features of pictures."""

    def __init__(self, decoder: Decoder) -> None:
        self.device, self._device = "cpu", torch.device("cpu")
        self.search_part = Search(decoder)
        self._parts = {"search": self.search_part, "reread": Reread(decoder)}


@torch.inference_mode()
def sight_of(decoder: Decoder, regions: Tensor) -> Sight:
    """What a network keeps of pictures with these regions, (pictures, regions, channels)."""
    seen = (regions.mean(dim=1), *look(decoder, regions), *(torch.zeros(len(regions), 0),) * 2)
    return Sight(*(tensor.numpy() for tensor in seen))


def only(scene: Scene, picture: int) -> Scene:
    """The scene of one of several pictures."""
    return scene.select(torch.tensor([picture]))
