"""What each layer becomes in C: constants, memory for what it makes, and a call of a function of ``c_parts``.

Bits and sums pass from layer to layer as arrays, which are taken from a few and given back after their last use.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from bvar.bits import BitMatrix, n_words
from bvar.calculus.gates import Gate
from bvar.export.c_text import array, unsigned
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

__all__ = ["Bits", "Builder", "Sums"]

_USES = {
    "fill": ("copy",),
    "sum": ("ones",),
    "reach": ("clear",),
    "gates": ("clear",),
    "conv": ("copy", "fill", "clear", "sum"),
}


class Bits(NamedTuple):
    """An array of words, and one that says which bits are known; None: all."""

    name: str
    n: int
    known: str | None


class Sums(NamedTuple):
    """An array of int32."""

    name: str
    n: int


class Builder:
    """Collects what the layers of a network become.

    Attributes
    ----------
    calls, tables : list of str
        Lines of C: what is done one after the other, and the constants.
    fields : dict of str to (str, int)
        Arrays of the memory: their type and length.
    parts : set of str
        Functions that are called.
    data_bytes : int
        Bytes of the constants.
    """

    def __init__(self, name: str, layers: Sequence[Layer]) -> None:
        self.name = name
        self.calls: list[str] = []
        self.tables: list[str] = []
        self.fields: dict[str, tuple[str, int]] = {}
        self.parts: set[str] = set()
        self.data_bytes = 0
        self._free: list[str] = []
        gates = [layer for layer in _every(layers) if isinstance(layer, GateLayer)]
        self.wire = unsigned(max((gate.n_inputs for gate in gates), default=1) - 1)
        self.table = unsigned(2**2 ** max((gate.fan_in for gate in gates), default=1) - 1)

    def add(self, layer: Layer, x: Bits | Sums, *, keep: bool = False) -> Bits | Sums:
        """Add a layer that takes `x`, and the last to do so unless others `keep` it; return what it makes."""
        made = writer_of(_WRITERS, layer, "C")(self, layer, x)
        if made is not x and not keep:
            self.give_back(x)
        return made

    def take(self, ctype: str, n: int) -> str:
        """Take an array of the memory."""
        free = [field for field in self._free if self.fields[field][0] == ctype]
        name = free[0] if free else f"{'bits' if ctype == 'uint64_t' else 'sums'}{len(self.fields)}"
        if free:
            self._free.remove(name)
        self.fields[name] = ctype, max(n, self.fields.get(name, ("", 0))[1])
        return name

    def give_back(self, x: Bits | Sums) -> None:
        """Let other layers have the arrays of `x`; never those of the input, which are the caller's."""
        names = {x.name, x.known} if isinstance(x, Bits) else {x.name}
        self._free += sorted(name for name in names if name in self.fields)

    def constant(self, ctype: str, what: str, values: np.ndarray) -> str:
        """Write a constant array; return its name."""
        name = f"{self.name}_{what}{len(self.tables)}"
        texts = [f"UINT64_C({v})" if ctype == "uint64_t" else v for v in values.ravel().tolist()]
        self.tables.append(array(ctype, name, texts))
        self.data_bytes += values.size * int("".join(filter(str.isdigit, ctype))) // 8
        return name

    def call(self, part: str, *arguments: Any) -> None:
        """Call a function; names of arrays of the memory are marked by what they are."""
        self.parts.update((part, *_needs(part)))
        self.calls.append(f"    {self.name}_{part}({', '.join(map(str, arguments))});\n")

    def clear_bits(self, n: int) -> str:
        """Take an array of bits and clear it."""
        name = self.take("uint64_t", n_words(n))
        self.call("clear", at(name), n)
        return name


def at(field: str | None) -> str:
    """Return how C writes an array of the memory, or that there is none."""
    return "0" if field is None else f"memory->{field}"


def _needs(part: str) -> set[str]:
    found = set(_USES.get(part, ()))
    return found.union(*map(_needs, found)) if found else found


def _every(layers: Sequence[Layer]) -> list[Layer]:
    """List layers and those inside of them."""
    found = []
    for layer in layers:
        inner: Sequence[Layer] = layer.layers if isinstance(layer, Concatenate) else ()
        inner = sum(layer.branches, ()) if isinstance(layer, Add) else inner
        inner = layer.unrolled() if isinstance(layer, GateConv2d | OrPool2d) else inner
        found += [layer, *_every(inner)]
    return found


def _gate(gate: Gate) -> tuple[int, int, int, int]:
    return tuple(gate.xor_form)  # type: ignore[return-value]


def _shift(builder: Builder, bias: Any, offset: Any) -> str:
    """Write what bias and offset add to sums; 0, a null, where they add nothing."""
    shift = shift_of(bias, offset)
    return builder.constant("int32_t", "shift", shift) if shift.any() else "0"


def _weights(builder: Builder, bits: BitMatrix) -> str:
    return builder.constant("uint64_t", "weight", bits.words)


def _linear(builder: Builder, layer: BooleanLinear, x: Bits) -> Sums:
    made = Sums(builder.take("int32_t", layer.n_outputs), layer.n_outputs)
    weights, shift = _weights(builder, layer.weight.bits), _shift(builder, layer.bias, layer.offset)
    sizes = layer.n_inputs, weights, layer.n_outputs
    builder.call("sum", at(x.name), at(x.known), *sizes, *_gate(layer.gate), shift, at(made.name))
    return made


def _conv(builder: Builder, layer: BooleanConv2d, x: Bits) -> Sums:
    made = Sums(builder.take("int32_t", layer.n_outputs), layer.n_outputs)
    weights, shift = _weights(builder, layer.weight.bits), _shift(builder, layer.bias, None)
    patch, seen = (builder.take("uint64_t", n_words(layer.window.patch_size)) for _ in range(2))
    window = f"{builder.name}_window{len(builder.tables)}"
    numbers = ", ".join(map(str, layer.window.numbers()))
    builder.tables.append(f"static const {builder.name}_window {window} = {{{numbers}}};\n")
    outside = int(layer.padding_value == -1)
    gate = _gate(layer.gate)
    arrays = at(patch), at(seen), at(made.name)
    builder.call(
        "conv", at(x.name), at(x.known), f"&{window}", weights, layer.n_filters, *gate, shift, outside, *arrays
    )
    builder.give_back(Bits(patch, 0, seen))
    return made


def _threshold(builder: Builder, layer: Threshold, x: Sums) -> Bits:
    made = Bits(builder.take("uint64_t", n_words(x.n)), x.n, None)
    same = (layer.tau == layer.tau[0]).all()
    tau = ("0", layer.tau[0]) if same else (builder.constant("int32_t", "tau", layer.tau), 0)
    builder.call("reach", at(x.name), x.n, *tau, at(made.name))
    return made


def _gates(builder: Builder, layer: GateLayer, x: Bits) -> Bits:
    made = Bits(builder.take("uint64_t", n_words(layer.n_outputs)), layer.n_outputs, None)
    wires = builder.constant(builder.wire, "wires", layer.wires)
    tables = builder.constant(builder.table, "tables", layer.table.bits.words[:, 0])
    builder.call("gates", at(x.name), wires, tables, layer.n_outputs, layer.fan_in, at(made.name))
    return made


def _unrolled(builder: Builder, layer: GateConv2d | OrPool2d, x: Bits) -> Bits | Sums:
    first, *others = layer.unrolled()
    made = builder.add(first, x, keep=True)  # who added the layer gives its input back
    for level in others:
        made = builder.add(level, made)
    return made


def _group_sum(builder: Builder, layer: GroupSum, x: Bits) -> Sums:
    made = Sums(builder.take("int32_t", layer.n_outputs), layer.n_outputs)
    builder.call("groups", at(x.name), layer.n_outputs, layer.group_size, at(made.name))
    return made


def _pool(builder: Builder, layer: MaxPool2d | SumPool2d, x: Sums) -> Sums:
    made = Sums(builder.take("int32_t", layer.n_outputs), layer.n_outputs)
    _, width, channels = layer.image_shape
    rows, columns, _ = layer.out_shape
    largest = int(isinstance(layer, MaxPool2d))
    builder.call("pool", at(x.name), width, channels, layer.size, rows, columns, largest, at(made.name))
    return made


def _as_it_is(builder: Builder, layer: SignalScale, x: Bits) -> Bits:
    return x


def _concatenate(builder: Builder, layer: Concatenate, x: Bits) -> Bits:
    inner: Any = Bits(x.name, x.n, None)  # what is missing is F there
    for one in layer.layers:
        inner = builder.add(one, inner, keep=inner.name == x.name)
    n, known = x.n + inner.n, None
    name = builder.clear_bits(n)
    _join(builder, name, (x.name, x.n), (inner.name, inner.n))
    if x.known is not None:
        known = builder.clear_bits(n)
        _join(builder, known, (x.known, x.n))
        builder.call("fill", at(known), x.n, inner.n)
    if inner.name != x.name:
        builder.give_back(inner)
    return Bits(name, n, known)


def _join(builder: Builder, to: str, *parts: tuple[str, int]) -> None:
    place = 0
    for name, n in parts:
        builder.call("copy", at(name), 0, at(to), place, n)
        place += n


def _add(builder: Builder, layer: Add, x: Bits) -> Sums:
    total: Any = None
    for branch in layer.branches:
        made: Any = x
        for one in branch:  # the input is read by other branches too, and some layers hand on what they get
            made = builder.add(one, made, keep=made is x)
        if total is None:
            total = made
        else:
            builder.call("add", at(made.name), made.n, at(total.name))
            builder.give_back(made)
    return total


_WRITERS: dict[type[Layer], Callable[[Builder, Any, Any], Any]] = {
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
