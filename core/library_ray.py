"""A library captioned by the workers of a Ray cluster, in the place of one that dies by another."""

import os
import secrets
import socket
import sys
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import ray
from ray.exceptions import RayError, RayTaskError
from tqdm import tqdm

from core.captioner import BATCH, Captioner
from core.errors import DeviceError, SeesayError
from core.library import LocalEngine, Results, open_found
from core.library_walk import Found
from core.picture import Picture

# Bytes for a worker: the model and its libraries, and a batch of opened photographs.
_MEMORY = 2 * 1024**3
# So often a worker may die of one batch, and so often in a row before it is ready for its first.
_MOST_DEATHS = 2
_MOST_STARTS = 3


class Worker:
    """Captions on one processor or graphics card of the cluster."""

    def load(
        self, folder: Path, model: Path | None, device: str, beam: int, text: bool, where: bool
    ) -> tuple[str, str]:
        """Get ready; gives Ray's name for the machine, and the machine's own."""
        # Other workers have the other processors; onnxruntime is told so, and torch heeds it.
        os.environ["OMP_NUM_THREADS"] = "1"
        cv2.setNumThreads(1)
        self._folder = folder
        self._engine = LocalEngine(Captioner.load(model, device), beam, text, where)
        return ray.get_runtime_context().get_node_id(), socket.gethostname()

    def caption(self, pictures: list[Found]) -> Results:
        """Caption a batch, in its order."""
        (results,) = self._engine(self._folder, pictures)
        return results


@dataclass
class _Batch:
    pictures: list[Found]
    deaths: int = 0


@dataclass
class _Hand:
    """A worker as the driver knows it; before its first batch, it has the model to load."""

    actor: Any
    starts: int
    node: str = ""
    host: str = ""
    batch: _Batch | None = None


@dataclass
class _Crew:
    """The workers of a run; each has one batch at most, so that one to blame is known."""

    folder: Path
    worker: Any  # makes an actor
    arguments: tuple[Any, ...]  # of its ``load``
    to_do: deque[_Batch]
    busy: dict[Any, _Hand] = field(default_factory=dict)  # by what each has promised
    idle: list[_Hand] = field(default_factory=list)

    def run(self, workers: int) -> Iterator[Results]:
        """Caption everything; in the order in which batches are done."""
        for _ in range(min(workers, len(self.to_do))):
            self._start(1)
        while self.to_do or any(hand.batch for hand in self.busy.values()):
            while self.to_do and self.idle:
                hand = self.idle.pop()
                hand.batch = self.to_do.popleft()
                self.busy[hand.actor.caption.remote(hand.batch.pictures)] = hand
            if not self.busy:
                raise SeesayError(
                    "Each worker of the Ray cluster ends before it is ready: see whether its "
                    "machines have the same Seesay installed and memory to spare."
                )
            (done,), _ = ray.wait(list(self.busy), num_returns=1)
            hand = self.busy.pop(done)
            try:
                answer = ray.get(done)
            except RayTaskError as error:
                raise error.cause from None  # such as a model that is not there
            except RayError:
                yield from self._replace(hand)
                continue
            if hand.batch is None:
                hand.node, hand.host = answer
            else:
                self._check(hand, answer)
                yield answer
                hand.batch = None
            self.idle.append(hand)

    def _start(self, starts: int) -> None:
        actor = self.worker.remote()
        self.busy[actor.load.remote(*self.arguments)] = _Hand(actor, starts)

    def _replace(self, hand: _Hand) -> Iterator[Results]:
        """A worker is gone; tells of a picture that is to blame for it."""
        ray.kill(hand.actor)  # where it is out of reach only, nothing must come from it any more
        if hand.batch is None:
            if hand.starts < _MOST_STARTS:
                self._start(hand.starts + 1)
            return
        self._start(1)
        tqdm.write(f"A worker on {hand.host} has ended; another takes its place.", sys.stderr)
        batch = hand.batch
        batch.deaths += 1
        if batch.deaths < _MOST_DEATHS:
            self.to_do.append(batch)
        elif len(batch.pictures) > 1:  # each alone, to find the one to blame
            self.to_do.extend(_Batch([found]) for found in batch.pictures)
        else:
            sentence = (
                f"{batch.pictures[0].name} ends the program that opens it, in each of "
                f"{_MOST_DEATHS} tries: save it anew with another program."
            )
            yield [(batch.pictures[0], {"error": sentence})]

    def _check(self, hand: _Hand, results: Results) -> None:
        """A picture that can be read here, but not there, is not to be noted as broken."""
        if hand.node == ray.get_runtime_context().get_node_id():
            return
        for found, result in results:
            if "error" in result and isinstance(open_found(self.folder, found), Picture):
                raise SeesayError(
                    f"The machine {hand.host} of the Ray cluster cannot read "
                    f"{self.folder / found.name}: let all its machines see the folder by the same "
                    "path."
                )


@dataclass(frozen=True)
class RayEngine:
    """Captions on a Ray cluster, with a worker for each graphics card, or else each processor.

    The cluster is the one that ``RAY_ADDRESS`` names; without, one is started on this machine.

    Attributes:
        model: folder of the model on each machine; None for the one that comes with Seesay.
        device: ``auto``, ``cpu`` or ``cuda``.
        beam: sentences followed at once in the search.
        text: whether text in the pictures is read.
        where: whether results tell where things are.
    """

    model: Path | None
    device: str
    beam: int
    text: bool = False
    where: bool = False

    def __call__(self, folder: Path, to_do: Sequence[Found]) -> Generator[Results]:
        """As for every `Engine`; in the order in which batches are done."""
        starts = range(0, len(to_do), BATCH)
        batches = deque(_Batch(list(to_do[start : start + BATCH])) for start in starts)
        folder = folder.absolute()
        model = self.model.absolute() if self.model else None
        with _cluster():
            device, needs, workers = _room(self.device)
            actor = ray.remote(Worker).options(
                num_cpus=needs["CPU"], num_gpus=needs.get("GPU", 0), memory=needs["memory"]
            )
            arguments = (folder, model, device, self.beam, self.text, self.where)
            yield from _Crew(folder, actor, arguments, batches).run(workers)


def _room(device: str) -> tuple[str, dict[str, float], int]:
    """The device of workers, what of a machine's resources each needs, and how many fit in."""
    if device == "auto":
        device = "cuda" if ray.cluster_resources().get("GPU", 0) >= 1 else "cpu"
    needs: dict[str, float] = {"CPU": 1, "memory": _MEMORY}
    if device != "cpu":
        needs["GPU" if device == "cuda" else device] = 1
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    workers = sum(
        int(min(machine.get(name, 0) // need for name, need in needs.items()))
        for machine in machines
    )
    if not workers:
        raise DeviceError(
            f"The Ray cluster has no machine for a worker on {device}, which takes a processor and "
            f"{_MEMORY // 1024**3} GB of memory: add one, or choose another --device."
        )
    return device, needs, workers


@contextmanager
def _cluster() -> Iterator[None]:
    """A connection to the cluster; nothing about it is printed or reported to Ray's makers."""
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    address = os.environ.get("RAY_ADDRESS")
    if not address:
        # Ray listens on all of the machine's networks: to those only who know this.
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
        # Its workers would stand back behind every other program.
        os.environ.setdefault("RAY_worker_niceness", "0")
        quiet |= {"address": "local", "include_dashboard": False, "object_store_memory": 100 << 20}
    # Ray prints to standard output that a worker died.
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        try:
            ray.init(**quiet)
        except (OSError, ValueError, RuntimeError, RayError) as error:
            raise SeesayError(
                f"The Ray cluster {address or 'on this machine'} cannot be used "
                f"({str(error).partition(chr(10))[0]}): check RAY_ADDRESS, and that Ray and Python "
                "are of the same versions there."
            ) from error
        try:
            yield
        finally:
            ray.shutdown()
