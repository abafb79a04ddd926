"""Bad models: damaged, foreign and forged files, each a caption or one sentence, nothing executed.

``python -m tests.torture.bad_models [COUNT]``. A forger can compute hashes: two thirds of what is
damaged here has the hash that fits it. All is opened in a process that may die of it.
"""

import hashlib
import json
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.model_folder import CONFIG, GRAPHS, WEIGHTS
from tests.torture.mutation import mutate

ROOT = Path(__file__).resolve().parent.parent.parent
LIMIT = 20.0  # seconds of the processor's time, for loading and a caption
_SECRET = "secret.bin"  # beside the model's folder


class _Trap:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def spoil(folder: Path, trap: Path, chance: random.Random) -> str:
    """Damage one thing in a model's folder, always the same for the same chance.

    Args:
        folder: of an exported model.
        trap: a file that a pickle creates which is opened.
        chance: for all that is chosen.

    Returns:
        What was done.
    """
    name = chance.choice((CONFIG, WEIGHTS, *GRAPHS))
    path = folder / name
    content = path.read_bytes()
    kinds = ["cut", "bits", "bytes", "other"]
    kind = chance.choice([*kinds, "entry", "entry"] if name == CONFIG else [*kinds, "forged"])
    match kind:
        case "cut":
            content = content[: chance.randrange(len(content))]
        case "bits":
            changed = bytearray(content)
            for _ in range(chance.choice((1, 1, 8, 100))):
                changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
            content = bytes(changed)
        case "bytes":
            # Of a large file, the beginning tells what the rest is.
            most = 4096 if name == WEIGHTS and chance.random() < 0.7 else len(content)
            content = mutate(content[:most], chance, [content[:most]]) + content[most:]
        case "other":
            others = [pickle.dumps(_Trap(trap)), b"", *map(Path.read_bytes, folder.iterdir())]
            content = chance.choice(others)
        case "forged":
            content = (
                _forged_weights(content, chance)
                if name == WEIGHTS
                else _forged_graph(content, chance)
            )
        case "entry":
            content = json.dumps(_with_entry_changed(json.loads(content), chance)).encode()
    path.write_bytes(content)
    if name != CONFIG and chance.random() < 0.67:
        config = json.loads((folder / CONFIG).read_bytes())
        digest = hashlib.sha256(content).hexdigest()
        if name == WEIGHTS:
            config["sha256"] = digest
        else:
            config["graphs"][name] = digest
        if chance.random() < 0.2:
            del config["graphs"]  # so that torch runs it
        (folder / CONFIG).write_text(json.dumps(config))
        kind += " with its hash"
    return f"{name}: {kind}"


def _odd_value(chance: random.Random) -> Any:
    values: tuple[Any, ...] = (
        *(None, True, 0, 1, -1, 3, 2**31, 10**400, 0.5, float("nan"), float("inf"), "", "7"),
        *([], {}, [[]], ["a"], {"a": 1}, "a\0b", "\x1b[31m", "\ud800", "x" * 100_000),
        *("../../etc/passwd", "/etc/passwd", f"../{_SECRET}", "file:///etc/passwd", "C:\\a.onnx"),
    )
    return chance.choice(values)


def _with_entry_changed(value: Any, chance: random.Random) -> Any:
    """A JSON value with one thing in it, at any depth, replaced, removed, doubled or renamed."""
    if not isinstance(value, dict | list) or not value or chance.random() < 0.15:
        return _odd_value(chance)
    if isinstance(value, list):
        place = chance.randrange(len(value))
        match chance.randrange(6):
            case 0:
                return value[:place] + value[place + 1 :]
            case 1:
                return value[: place + 1] + value[place:]
        return [*value[:place], _with_entry_changed(value[place], chance), *value[place + 1 :]]
    key = chance.choice(list(value))
    match chance.randrange(8):
        case 0:
            return {name: entry for name, entry in value.items() if name != key}
        case 1:
            return {**value, str(_odd_value(chance)): value[key]}
    return {**value, key: _with_entry_changed(value[key], chance)}


def _forged_weights(content: bytes, chance: random.Random) -> bytes:
    """Other shapes, kinds, places or names in the header of a safetensors file."""
    size = int.from_bytes(content[:8], "little")
    header = _with_entry_changed(json.loads(content[8 : 8 + size]), chance)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content[8 + size :]


def _forged_graph(content: bytes, chance: random.Random) -> bytes:
    """Other places of weights, shapes, operations or names in an ONNX file."""
    import onnx

    model = onnx.load_from_string(content)
    graph = model.graph
    tensors = [tensor for tensor in graph.initializer if tensor.external_data]
    node = chance.choice(graph.node)
    match chance.randrange(8):
        case 0 | 1 if tensors:
            entry = chance.choice(chance.choice(tensors).external_data)
            paths = (f"../{_SECRET}", "/etc/passwd", "/dev/zero", CONFIG, "", ".", "a\0b")
            numbers = ("-1", "0", str(2**63), "x", "99999999")
            entry.value = chance.choice(paths if entry.key == "location" else numbers)
        case 2:
            tensor = chance.choice(graph.initializer)
            if tensor.dims:
                place = chance.randrange(len(tensor.dims))
                tensor.dims[place] = chance.choice((0, 1, -1, 7, 2**31, 2**62))
        case 3:
            node.op_type = chance.choice(("Loop", "If", "Identity", "NoSuchThing", "Reshape"))
        case 4:
            node.domain = chance.choice(("com.microsoft", "ai.onnx.ml", "evil"))
        case 5:
            chance.choice((graph.input, graph.output)).pop()
        case 6:
            some = chance.choice((graph.input, graph.output))
            one, two = chance.randrange(len(some)), chance.randrange(len(some))
            some[one].name, some[two].name = some[two].name, some[one].name
        case _:
            graph.node.remove(node)
    forged: bytes = model.SerializeToString()
    return forged


def _listing(folder: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def child(model: Path, first: int, last: int, places: Path) -> None:
    """Try cases, and tell of each in a line: how long it took, and what was wrong or None."""
    from core.captioner import Captioner
    from core.errors import SeesayError
    from tests.picture_kinds import snapshot

    # What libraries print must not come among the lines.
    told = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    picture = snapshot(1)
    trap = places / "executed"
    for number in range(first, last):
        folder = places / "model"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(model, folder)
        done = spoil(folder, trap, random.Random(number))
        before = _listing(places)
        print(json.dumps([number, done]), file=told, flush=True)
        signal.setitimer(signal.ITIMER_PROF, LIMIT)
        start = time.process_time()
        wrong = None
        try:
            caption = Captioner.load(folder, "cpu").caption(picture, text=False)
            json.dumps(caption.to_dict(), allow_nan=False)
            if not caption.spoken or "\n" in caption.spoken:
                wrong = repr(caption.spoken)
        except SeesayError as error:
            sentence = str(error)
            if "\n" in sentence or len(sentence) > 500:
                wrong = sentence[:500]
        except BaseException as error:
            wrong = repr(error)[:500]
        seconds = time.process_time() - start
        signal.setitimer(signal.ITIMER_PROF, 0)
        if trap.exists():
            wrong = "a pickle was executed"
        elif _listing(places) != before:
            wrong = "something was written"
        print(json.dumps([seconds, wrong]), file=told, flush=True)


@dataclass
class Result:
    """What became of the models.

    Attributes:
        tried: how many.
        failures: what was done to a model, and what came of it.
        slowest: seconds of the processor's time.
    """

    tried: int
    failures: list[str]
    slowest: float


def run(model: Path, count: int) -> Result:
    """Try so many bad models.

    Args:
        model: folder of an exported model, which stays as it is.
        count: how many.
    """
    result = Result(0, [], 0.0)
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / _SECRET).write_bytes(bytes(1_000_000))
        while result.tried < count:
            _run_child(model, count, Path(name), result)
    return result


def _run_child(model: Path, count: int, places: Path, result: Result) -> None:
    """Let a process go on where the one before it died."""
    command = [sys.executable, "-m", "tests.torture.bad_models", "child"]
    arguments = [str(model), str(result.tried), str(count), str(places)]
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(
            [*command, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        assert process.stdout is not None
        lines: Iterator[str] = iter(process.stdout)
        for line in lines:
            number, done = json.loads(line)
            result.tried = number + 1
            answer = next(lines, None)
            if answer is None:
                seconds, wrong = 0.0, f"died, status {process.wait()}"
            else:
                seconds, wrong = json.loads(answer)
            result.slowest = max(result.slowest, seconds)
            if wrong is not None:
                result.failures.append(f"{number}, {done}: {wrong}")
            if result.tried % 250 == 0:
                print(f"  {result.tried} tried", flush=True)
        if process.wait() and not result.tried:
            log.seek(0)
            raise RuntimeError(f"No model was tried:\n{log.read().decode()[-2000:]}")


def main() -> int:
    """Run, and print what failed and the closing line."""
    from tests.tiny_models import save_tiny_model
    from training.export import export

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "model"
        save_tiny_model(folder)
        export(folder)
        result = run(folder, count)
    for failure in result.failures:
        print(failure)
    print(
        f"bad models: {result.tried} tried, {result.tried - len(result.failures)} survived, "
        f"slowest {result.slowest:.1f} s"
    )
    return 1 if result.failures else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        _, _, model, first, last, places = sys.argv
        child(Path(model), int(first), int(last), Path(places))
    else:
        sys.exit(main())
