"""Adds to a model's folder what onnxruntime needs to run it on a processor.

    python -m training.export resources/model

Three graphs, of `core/parts.py`, which hold no weights: these they take from ``model.safetensors``
beside them, at the bytes where they stand, and convert as they are loaded.
"""

import argparse
import hashlib
import json
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import TensorProto, helper
from onnxscript import optimizer
from torch import nn
from torch.export import Dim

from core.errors import SeesayError
from core.model_file import build
from core.model_folder import CONFIG, GRAPHS, WEIGHTS, ModelFolder, read_model_folder, replace_file
from core.network import given_and_following
from core.parts import Beams, Reread, See, Step, Write
from core.vocabulary import Vocabulary
from training.export_loop import repeat
from training.target import check_target, writing

_KINDS = {"F16": TensorProto.FLOAT16, "F32": TensorProto.FLOAT, "I8": TensorProto.INT8}


def export(folder: Path) -> None:
    """Write the graphs of a model into its folder, and their hashes into its config.

    Args:
        folder: of a trained model.

    Raises:
        ModelError: if it cannot be read.
        SeesayError: if it cannot be written.
    """
    model = read_model_folder(folder)
    check_target(folder)
    stored = _stored(model)
    hashes = {}
    for name, graph in zip(GRAPHS, _graphs(model), strict=True):
        _borrow_weights(graph, stored)
        _forget_origin(graph)
        content = graph.SerializeToString()
        hashes[name] = hashlib.sha256(content).hexdigest()
        with writing(folder):
            replace_file(folder / name, content)
    config = {**model.config, "graphs": hashes}
    with writing(folder):
        replace_file(folder / CONFIG, (json.dumps(config, indent=1) + "\n").encode())


def _graphs(folder: ModelFolder) -> list[onnx.ModelProto]:
    """`GRAPHS`, with the weights in them, from pictures and sentences to show the sizes."""
    model = build(folder)
    see, reread = See(model).eval(), Reread(model.decoder).eval()
    step = Step(Write(model.decoder)).eval()
    side = model.config.image_size
    pixels = torch.zeros(2, 3, side, side, dtype=torch.uint8)
    with torch.no_grad():
        seen = see(pixels)
        hidden = model.config.hidden
        beams = Beams(
            words=torch.full((2, 3), Vocabulary.start),
            totals=torch.zeros(2, 3),
            best=torch.zeros(2),
            recurrent=torch.zeros(2, 3, 5 * hidden),
            cell=torch.zeros(2, 3, hidden),
        )
        picture = (seen.inputs, seen.keys, seen.values)
        length, most, norm = torch.tensor(1), torch.tensor(20), torch.tensor(0.7)
        given, following = map(torch.from_numpy, given_and_following([[5, 6, 7], [8]]))
        summary = seen.summaries.mean(dim=1).relu()
        sentences = (given, following, summary, seen.keys, seen.values)
    any_size = Dim.DYNAMIC
    batch, beam = {0: any_size}, {0: any_size, 1: any_size}
    return [
        _graph(see, (pixels,), (batch,)),
        repeat(
            _graph(
                step,
                (length, *beams, *picture, most, norm),
                ({}, beam, beam, batch, beam, beam, batch, batch, batch, {}, {}),
            )
        ),
        _graph(
            reread,
            sentences,
            (beam, beam, batch, {0: any_size, 3: any_size}, {0: any_size, 2: any_size}),
        ),
    ]


def _graph(part: nn.Module, inputs: tuple[Any, ...], sizes: tuple[Any, ...]) -> onnx.ModelProto:
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of the exporter about itself
        # Not optimized: weights would be merged, and no longer be those of the file. onnxruntime
        # merges them when it loads the graph.
        program = torch.onnx.export(
            part, inputs, dynamic_shapes=sizes, dynamo=True, optimize=False, verbose=False
        )
    assert program is not None
    # What is small, but nothing of the weights: slices and transposes of them are made on loading.
    optimizer.fold_constants(
        program.model,
        input_size_limit=2048,
        output_size_limit=2048,
        should_fold=lambda node: False if node.op_type == "Transpose" else None,
    )
    optimizer.remove_unused_nodes(program.model)
    graph: onnx.ModelProto = program.model_proto
    return graph


def _stored(folder: ModelFolder) -> dict[str, tuple[str, list[int], int, int]]:
    """Of each tensor in the file of weights: kind, shape, first byte, bytes."""
    size = int.from_bytes(folder.weights[:8], "little")
    header = json.loads(folder.weights[8 : 8 + size])
    return {
        name: (
            entry["dtype"],
            entry["shape"],
            8 + size + entry["data_offsets"][0],
            entry["data_offsets"][1] - entry["data_offsets"][0],
        )
        for name, entry in header.items()
        if name != "__metadata__"
    }


def _borrow_weights(
    model: onnx.ModelProto, stored: Mapping[str, tuple[str, list[int], int, int]]
) -> None:
    """Replace a graph's weights by references to the file of weights, converted on loading.

    Args:
        model: whose graph is changed.
        stored: as of `_stored`.
    """
    graph = model.graph
    borrowed, nodes = [], []
    for tensor in [*graph.initializer]:
        name = tensor.name.removeprefix("model.").removeprefix("write.")  # that of the part
        if name not in stored:
            continue
        graph.initializer.remove(tensor)
        kind, shape, _, _ = stored[name]
        borrowed.append(_external(f"{tensor.name}:stored", name, stored, shape))
        if kind == "F32":
            borrowed[-1].name = tensor.name
        elif kind == "F16":
            nodes.append(_cast(f"{tensor.name}:stored", tensor.name))
        else:
            rows = [shape[0], *[1] * (len(shape) - 1)]
            scale = f"{tensor.name}:scale"
            borrowed.append(_external(scale, f"{name}:scale", stored, rows))
            nodes.append(_cast(f"{tensor.name}:stored", f"{tensor.name}:whole"))
            nodes.append(helper.make_node("Mul", [f"{tensor.name}:whole", scale], [tensor.name]))
    graph.initializer.extend(borrowed)
    rest = [*graph.node]
    del graph.node[:]
    graph.node.extend([*nodes, *rest])


def _forget_origin(model: onnx.ModelProto) -> None:
    """Take out where in which file each node came from, which is the exporter's own matter."""
    graph = model.graph
    inner = [
        attribute.g
        for node in graph.node
        for attribute in node.attribute
        if attribute.HasField("g")
    ]
    for part in (model, graph, *inner):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    for one in (graph, *inner):
        del one.value_info[:]
        for part in (*one.node, *one.initializer, *one.input, *one.output):
            part.ClearField("metadata_props")
            part.ClearField("doc_string")


def _cast(source: str, target: str) -> onnx.NodeProto:
    return helper.make_node("Cast", [source], [target], to=TensorProto.FLOAT)


def _external(
    name: str,
    stored_as: str,
    stored: Mapping[str, tuple[str, list[int], int, int]],
    shape: list[int],
) -> TensorProto:
    kind, _, offset, length = stored[stored_as]
    tensor = TensorProto(name=name, data_type=_KINDS[kind], dims=shape)
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", WEIGHTS), ("offset", offset), ("length", length)):
        tensor.external_data.add(key=key, value=str(value))
    return tensor


def main() -> int:
    """Export the model of a folder; gives the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    try:
        export(parser.parse_args().model)
    except SeesayError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
