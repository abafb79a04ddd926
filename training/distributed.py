"""Processes that train one model together: PyTorch's process group, as torchrun starts it.

For a process alone, sharing gives everything and collecting gives back what it was given.
"""

import os
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import FrameType
from typing import NoReturn, TypeVar

import torch
from torch import Tensor
from torch import distributed as dist

from core.device import choose_device
from core.errors import SeesayError

T = TypeVar("T")

# Longer than a process may wait for another that still fills its part of a cache.
_PATIENCE = timedelta(minutes=30)
_LOST = "Another process of this run has ended, so this one stops; go on with the run by --resume."


@dataclass(frozen=True)
class Group:
    """The processes of a run, seen from one of them.

    Attributes:
        device: where this process computes.
        rank: its number, from 0; the first one writes what the run leaves.
        size: number of processes.
    """

    device: torch.device
    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def share(self, items: Sequence[T]) -> Sequence[T]:
        """What this process does of a list that is the same in all processes."""
        return items[self.rank :: self.size]

    def gather(self, share: list[T]) -> list[T]:
        """The shares of all processes, in the order from which `share` took them."""
        if self.size == 1:
            return share
        shares: list[list[T]] = [[] for _ in range(self.size)]
        dist.all_gather_object(shares, share)
        longest = max(map(len, shares))
        return [one[at] for at in range(longest) for one in shares if at < len(one)]

    def sum(self, *values: float) -> list[float]:
        """Each value, added up over all processes."""
        if self.size == 1:
            return [*values]
        totals = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(totals)
        return totals.tolist()

    def agree(self, tensors: Iterable[Tensor]) -> None:
        """Give every process the first one's values of these tensors."""
        if self.size > 1:
            for tensor in tensors:
                dist.broadcast(tensor, src=0)

    def wait(self) -> None:
        """Until every process has come here."""
        if self.size > 1:
            dist.barrier()


@contextmanager
def join() -> Iterator[Group]:
    """Meet the other processes, if torchrun has started any, and part from them at the end.

    Raises:
        SeesayError: if there are more processes than graphics cards, or another process ends
            before its time.
    """
    size = int(os.environ.get("WORLD_SIZE", 1))
    if size == 1:
        yield Group(choose_device("auto"))
        return
    # Gloo knows no other devices than these.
    device = torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        cards = torch.cuda.device_count()
        if device.index >= cards:
            raise SeesayError(
                f"This machine has {cards} graphics cards; start no more processes on it, by "
                f"torchrun --nproc-per-node {cards}."
            )
        torch.cuda.set_device(device)
    signal.signal(signal.SIGTERM, _stop)  # torchrun's, when another process has failed
    try:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=_PATIENCE)
        yield Group(device, dist.get_rank(), dist.get_world_size())
        dist.barrier()
    except RuntimeError as error:
        if isinstance(error, dist.DistError) or "gloo" in str(error):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it has been told already
            raise SeesayError(_LOST) from error
        raise
    dist.destroy_process_group()


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    """Tell it in one sentence, and end at once: there is nothing left to be tidied up."""
    print(f"seesay: {_LOST}", file=sys.stderr, flush=True)
    os._exit(2)
