"""A table of the weights of a network: how many, how large, and how often each is used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bvar.energy import summarize_energy
from bvar.layers import Choice, Concatenate, GateConv2d, GateLayer, GroupSum, Layer, Offset, Trainable
from bvar.layers.base import Companion
from bvar.layers.gate import at_false

__all__ = ["summarize"]


def summarize(
    parameters: Sequence[Trainable],
    companion: Companion | None = None,
    layers: Sequence[Layer] = (),
    *,
    energy: bool = False,
) -> str:
    """Describe what votes train, what its companion trains, and what layers leave unused or cost."""
    real = () if companion is None else companion.tensors()
    tensors: list[tuple[str, tuple[int, ...], int, int, int]]
    tensors = [(p.name, p.shape, p.n_weights, p.n_bytes, p.n_weights * p.n_places) for p in parameters]
    tensors += [(name, values.shape, values.size, values.nbytes, n_uses) for name, values, n_uses in real]
    rows = [
        (name, " x ".join(map(str, shape)), n_weights, n_bytes, n_uses)
        for name, shape, n_weights, n_bytes, n_uses in tensors
    ]
    rows.append(("all", "", sum(row[2] for row in rows), sum(row[3] for row in rows), sum(row[4] for row in rows)))
    width = max(14, *(len(name) for name, *_ in rows))
    lines = [f"{name:<{width}} {shape:>10} {n:>9} {size:>9} {uses:>12}" for name, shape, n, size, uses in rows]
    head = f"{'parameter':<{width}} {'shape':>10} {'weights':>9} {'bytes':>9} {'uses':>12}"
    foot = "each weight is 1 bit; rows are padded to 64 bits"
    n_offsets = sum(p.values.size for p in parameters if isinstance(p, Offset))
    if n_offsets:
        foot += f"; the {n_offsets} offsets are integers of 32 bits"
    if real:
        n_real = sum(values.size for _, values, _ in real)
        foot += f"; the {n_real} real ones, listed last, are floats of 32 bits"
    n_wires = sum(p.values.size for p in parameters if isinstance(p, Choice))
    if n_wires:
        foot += f"; {n_wires} wires count once each, and keep a byte, and 32 bits for each candidate"
    feet, (n_unused, n_gates) = [foot], unused_gates(layers)
    if n_unused:
        feet.append(f"{n_unused} of {n_gates} gates lead to no score")
    for layer in fixed_trees(layers):
        n_tables = sum(table.shape[0] for table in layer.tables)
        feet.append(
            f"{n_tables} tables of {layer.name} stay as they began, at {layer.window.n_places} places each"
        )
    costs = ["", summarize_energy(layers)] if energy else []
    return "\n".join([head, *lines, *feet, *costs])


def fixed_trees(layers: Sequence[Layer]) -> Iterator[GateConv2d]:
    """Give the convolutions of gates that have no parameters, also those in other layers."""
    for layer in layers:
        if isinstance(layer, Concatenate):
            yield from fixed_trees(layer.layers)
        elif isinstance(layer, GateConv2d) and layer.fixed:
            yield layer


def unused_gates(layers: Sequence[Layer]) -> tuple[int, int]:
    """Count gates from which no path leads to a score, and all gates, of layers of gates below a sum of groups.

    A wire that the table of its gate ignores is no path.
    """
    if not layers or not isinstance(layers[-1], GroupSum):
        return 0, 0
    is_read = np.ones(layers[-1].n_inputs, np.bool_)
    n_unused = n_gates = 0
    for layer in reversed(layers[:-1]):
        if not isinstance(layer, GateLayer):
            break
        n_gates += len(is_read)
        n_unused += int(np.count_nonzero(~is_read))
        tables, below = layer.table.bits.words[:, 0], np.zeros(layer.n_inputs, np.bool_)
        for slot, wires in enumerate(layer.wires.T):
            below[wires[is_read & (at_false(tables, slot) != tables)]] = True
        is_read = below
    return n_unused, n_gates
