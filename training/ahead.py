"""The items of a data set, prepared while those before them are learnt from."""

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
from torch.utils.data import DataLoader, Dataset

from core.errors import SeesayError
from core.processors import processors

T = TypeVar("T")

_AHEAD = 4  # items
_MOST_LOADERS = 8


def load_ahead(dataset: Dataset[T], batch: int | None = None) -> Iterator[T]:
    """The items of a data set in their order, each prepared while others are used.

    By a thread, or by processes of their own where a card computes. These are never forked from
    this one: what another thread holds at that moment, such as a lock of PyTorch's, would be held
    in the copy for ever.

    Args:
        dataset: of known length.
        batch: items that are stacked into one; None hands each over as it is.

    Raises:
        SeesayError: where the data set raises one, with the same sentence.
    """
    count = loaders()
    if count:
        yield from _by_processes(dataset, batch, count)
        return
    items = iter(DataLoader(dataset, batch))
    with ThreadPoolExecutor(1, "load ahead") as pool:
        ahead = deque(pool.submit(next, items, None) for _ in range(_AHEAD))
        while (item := ahead.popleft().result()) is not None:
            ahead.append(pool.submit(next, items, None))
            yield item


def loaders() -> int:
    """How many processes prepare pictures for this one.

    Where a card computes, as many as it has processors of its own; else none, for the processors
    are busy.
    """
    if not torch.cuda.is_available():
        return 0
    return max(1, min(_MOST_LOADERS, processors() // int(os.environ.get("LOCAL_WORLD_SIZE", 1))))


def _by_processes(dataset: Dataset[T], batch: int | None, count: int) -> Iterator[T]:
    server = "forkserver" in multiprocessing.get_all_start_methods()  # Windows starts each anew
    if server:
        multiprocessing.set_forkserver_preload([__name__])  # once for all of them
    try:
        yield from DataLoader(
            dataset,
            batch,
            num_workers=count,
            prefetch_factor=_AHEAD,
            multiprocessing_context="forkserver" if server else None,
            worker_init_fn=_end_with_parent,
        )
    except SeesayError as error:
        # Its message is the process's traceback, whose last line is "core.errors.Kind: sentence".
        raise type(error)(str(error).strip().splitlines()[-1].partition(": ")[2]) from None


def _end_with_parent(worker: int) -> None:
    """End the process that prepares as soon as the one that it prepares for is killed.

    PyTorch's own look after the parent begins too late for one that is killed at once, and would
    wait for ever.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
