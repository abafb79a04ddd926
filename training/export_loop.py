"""Makes the beam search one graph: its step, repeated inside onnxruntime."""

from collections.abc import Iterator

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from core.parts import Beams


def repeat(step: onnx.ModelProto) -> onnx.ModelProto:
    """The graph of ``core.parts.Search`` from that of ``core.parts.Step``.

    What does not change from step to step, such as transposed weights, is done once before the loop
    (loop-invariant code motion).
    """
    number, *inputs = step.graph.input
    carried, same = inputs[: len(Beams._fields)], inputs[len(Beams._fields) :]
    begun = [_called(one, f"{one.name}.begun") for one in carried]
    as_begun = {one.name: first.name for one, first in zip(carried, begun, strict=True)}
    changing = {number.name, *as_begun}
    before, inside = [], []
    for node in step.graph.node:
        if node.op_type == "Shape":  # sizes never change
            node.input[:] = [as_begun.get(node.input[0], node.input[0])]
        if changing.isdisjoint(_reads(node)):
            before.append(node)
        else:
            inside.append(node)
            changing.update(node.output)

    # A loop wants a name of its own for each output, also where two are the same.
    outputs = [_called(one, f"step.{at}") for at, one in enumerate(step.graph.output)]
    inside += [
        helper.make_node("Identity", [one.name], [output.name])
        for one, output in zip(step.graph.output, outputs, strict=True)
    ]
    going_on = helper.make_tensor_value_info("going_on", TensorProto.BOOL, [])
    body = helper.make_graph(inside, "step", [number, going_on, *carried], outputs)

    ended = [f"{one.name}.ended" for one in carried]
    kept = [helper.make_empty_tensor_value_info(f"kept.{at}") for at in range(len(outputs))]
    kept = kept[1 + len(carried) :]
    most = step.graph.input[-2].name
    one = numpy_helper.from_array(np.array(1), "one")
    loop = [
        helper.make_node("Add", [most, one.name], ["steps"]),
        helper.make_node(
            "Loop",
            ["steps", "", *(given.name for given in begun)],
            [*ended, *(output.name for output in kept)],
            body=body,
        ),
    ]
    graph = helper.make_graph(
        [*before, *loop], "search", [*begun, *same], kept, [*step.graph.initializer, one]
    )
    return helper.make_model(graph, opset_imports=step.opset_import, ir_version=step.ir_version)


def _reads(node: onnx.NodeProto) -> Iterator[str]:
    """What a node takes, that of its own graphs (the branches of an ``If``) included."""
    yield from node.input
    for attribute in node.attribute:
        for graph in (attribute.g, *attribute.graphs):
            for inner in graph.node:
                yield from _reads(inner)


def _called(value: onnx.ValueInfoProto, name: str) -> onnx.ValueInfoProto:
    renamed = onnx.ValueInfoProto()
    renamed.CopyFrom(value)
    renamed.name = name
    return renamed
