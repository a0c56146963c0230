r"""What each layer becomes in ONNX: a few nodes of integer arithmetic.

A term of a sum, twice the embedded gate of a known input v = +-1 and a weight A = +-1, is linear in the input:

.. math:: 2 e(L) = [v \ne 0] (c + \beta A) + v (\gamma - \delta A), \qquad c = 2 \alpha + \beta + \gamma + \delta,

with the integers of :attr:`bvar.calculus.gates.Gate.xor_form` (put a = (1 + A) / 2, and likewise v, into it).  So
every gate is at most two products of matrices of int8.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bvar import kernels
from bvar.bits import BitMatrix
from bvar.calculus.gates import Gate
from bvar.export.layers import shift_of, writer_of
from bvar.layers import (
    Add,
    BooleanConv2d,
    BooleanLinear,
    Concatenate,
    GateConv2d,
    GateLayer,
    GroupSum,
    Layer,
    MaxPool2d,
    OrPool2d,
    SignalScale,
    SumPool2d,
    Threshold,
)

__all__ = ["Graph", "add_layers"]


class Graph:
    """Collects nodes and constants; values are known by their names.

    Attributes
    ----------
    nodes : list of onnx.NodeProto
        In the order in which they are computed.
    constants : list of onnx.TensorProto
        Weights, thresholds, wires and tables.
    """

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._names: dict[tuple[str, bytes], str] = {}

    def constant(self, values: Any) -> str:
        """Return the name of a constant; equal ones are held once."""
        from onnx import numpy_helper

        array = np.asarray(values)
        key = (f"{array.dtype}{array.shape}", array.tobytes())
        if array.dtype == object or key not in self._names:
            name = f"constant{len(self.constants)}"
            self.constants.append(numpy_helper.from_array(array, name))
            self._names[key] = name
        return self._names[key]

    def add(self, operation: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """Add a node with one output, and return its name."""
        from onnx import helper

        name = output or f"value{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, list(inputs), [name], **attributes))
        return name

    def cast(self, x: str, dtype: type[np.generic]) -> str:
        """Convert numbers."""
        from onnx import helper

        return self.add("Cast", x, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def values(self, bits: str, known: str | None = None) -> str:
        """Turn Booleans into values of M, int8, 0 where they are not known."""
        zero_or_two = self.add("Mul", self.cast(bits, np.int32), self.constant(np.int32(2)))
        values = self.add("Sub", zero_or_two, self.constant(np.int32(1)))
        if known is not None:
            values = self.add("Mul", values, self.cast(known, np.int32))
        return self.cast(values, np.int8)


def add_layers(graph: Graph, layers: Sequence[Layer], x: str) -> str:
    """Add layers one after the other to what `x` names, and return the name of what the last makes."""
    for layer in layers:
        x = writer_of(_WRITERS, layer, "ONNX")(graph, layer, x)
    return x


def _sum(graph: Graph, gate: Gate, weights: BitMatrix, x: str) -> str:
    """Sum the gate over the last axis of `x`."""
    alpha, beta, gamma, delta = gate.xor_form
    signs = kernels.unpack_ternary(weights).T
    of_value = graph.constant((gamma - delta * signs).astype(np.int8))
    twice = graph.add("MatMulInteger", x, of_value)
    of_known = (2 * alpha + beta + gamma + delta + beta * signs).astype(np.int8)
    if of_known.any():
        known = graph.add("Abs", x)
        twice = graph.add("Add", twice, graph.add("MatMulInteger", known, graph.constant(of_known)))
    return graph.add("Div", twice, graph.constant(np.int32(2)))


def _shifted(graph: Graph, sums: str, bias: Any, offset: Any) -> str:
    shift = shift_of(bias, offset)
    return graph.add("Add", sums, graph.constant(shift)) if shift.any() else sums


def _linear(graph: Graph, layer: BooleanLinear, x: str) -> str:
    return _shifted(graph, _sum(graph, layer.gate, layer.weight.bits, x), layer.bias, layer.offset)


def _conv(graph: Graph, layer: BooleanConv2d, x: str) -> str:
    """Gather what the window sees at each place; what is outside comes from a column beyond the last input."""
    window = layer.window
    beyond = graph.add("Expand", graph.constant(np.int8(layer.padding_value)), _column(graph, x))
    padded = graph.add("Concat", x, beyond, axis=1)
    numbers = np.arange(window.n_inputs).reshape(window.image_shape)
    seen = np.full((*window.places, window.n_taps, window.channels), window.n_inputs, np.int64)
    for tap, (rows, columns, down, across) in enumerate(window.taps()):
        seen[rows, columns, tap] = numbers[down, across]
    patches = graph.add("Gather", padded, graph.constant(seen.reshape(window.n_places, -1)), axis=1)
    sums = _shifted(graph, _sum(graph, layer.gate, layer.weight.bits, patches), layer.bias, None)
    return graph.add("Reshape", sums, graph.constant(np.array([-1, layer.n_outputs])))


def _column(graph: Graph, x: str) -> str:
    """Return the shape (n_samples, 1)."""
    n_samples = graph.add("Shape", x, start=0, end=1)
    return graph.add("Concat", n_samples, graph.constant(np.array([1])), axis=0)


def _threshold(graph: Graph, layer: Threshold, x: str) -> str:
    return graph.values(graph.add("GreaterOrEqual", x, graph.constant(layer.tau.astype(np.int32))))


def _gates(graph: Graph, layer: GateLayer, x: str) -> str:
    """Look every gate up at its address; what is missing is F."""
    bits = graph.cast(graph.add("Greater", x, graph.constant(np.int8(0))), np.int32)
    address = graph.constant(np.arange(layer.n_outputs, dtype=np.int32) << layer.fan_in)
    for i, wires in enumerate(layer.wires.T):
        read = graph.add("Gather", bits, graph.constant(wires.astype(np.int64)), axis=1)
        address = graph.add("Add", address, graph.add("Mul", read, graph.constant(np.int32(1 << i))))
    tables = kernels.unpack_ternary(layer.table.bits).ravel()
    return graph.add("Gather", graph.constant(tables), address, axis=0)


def _unrolled(graph: Graph, layer: GateConv2d | OrPool2d, x: str) -> str:
    return add_layers(graph, layer.unrolled(), x)


def _group_sum(graph: Graph, layer: GroupSum, x: str) -> str:
    groups = graph.add("Reshape", x, graph.constant(np.array([-1, layer.n_outputs, layer.group_size])))
    return graph.add("ReduceSum", graph.cast(groups, np.int32), graph.constant(np.array([2])), keepdims=0)


def _pool(graph: Graph, layer: MaxPool2d | SumPool2d, x: str) -> str:
    """Split rows and columns of pixels into squares, after cutting off what fills none."""
    size, (rows, columns, channels) = layer.size, layer.out_shape
    images = graph.add("Reshape", x, graph.constant(np.array([-1, *layer.image_shape])))
    ends = graph.constant(np.array([rows * size, columns * size]))
    cut = graph.add("Slice", images, graph.constant(np.array([0, 0])), ends, graph.constant(np.array([1, 2])))
    squares = graph.add("Reshape", cut, graph.constant(np.array([-1, rows, size, columns, size, channels])))
    reduce = "ReduceMax" if isinstance(layer, MaxPool2d) else "ReduceSum"
    pooled = graph.add(reduce, squares, graph.constant(np.array([2, 4])), keepdims=0)
    return graph.add("Reshape", pooled, graph.constant(np.array([-1, layer.n_outputs])))


def _as_it_is(graph: Graph, layer: SignalScale, x: str) -> str:
    return x


def _concatenate(graph: Graph, layer: Concatenate, x: str) -> str:
    known = graph.values(graph.add("Greater", x, graph.constant(np.int8(0))))  # what is missing is F there
    return graph.add("Concat", x, add_layers(graph, layer.layers, known), axis=1)


def _add(graph: Graph, layer: Add, x: str) -> str:
    first, *others = (add_layers(graph, branch, x) for branch in layer.branches)
    for other in others:
        first = graph.add("Add", first, other)
    return first


_WRITERS: dict[type[Layer], Callable[[Graph, Any, str], str]] = {
    Add: _add,
    BooleanConv2d: _conv,
    BooleanLinear: _linear,
    Concatenate: _concatenate,
    GateConv2d: _unrolled,
    GateLayer: _gates,
    GroupSum: _group_sum,
    MaxPool2d: _pool,
    OrPool2d: _unrolled,
    SignalScale: _as_it_is,
    SumPool2d: _pool,
    Threshold: _threshold,
}
