"""The gates of a trained network, as a circuit has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from bvar._validation import check_integer
from bvar.circuit.netlist import MOST, TableGate
from bvar.circuit.truth import MAX_FAN_IN

__all__ = ["GateNetwork", "gates_of"]


class GateNetwork(Protocol):
    """A network whose layers are gates, with a group sum as the last one: a :class:`bvar.networks.Network`.

    A layer that uses gates at several places has a method `unrolled`, which gives layers of gates; one that puts
    what inner layers make beside what they read has them as `layers`.
    """

    @property
    def layers(self) -> Sequence[Any]:
        """From the input to the scores."""


def gates_of(network: GateNetwork, n_inputs: int | None) -> tuple[int, list[TableGate], range, int]:
    """Return the inputs, gates, outputs and groups of a network: one gate for each of its own, in order."""
    *layers, last = network.layers
    n_groups = _check_group_sum(last)
    gates: list[TableGate] = []
    width = n_inputs if n_inputs is not None else getattr((layers or [last])[0], "n_inputs", None)
    n_inputs = check_integer(width, "n_inputs", low=1, high=MOST)
    signals = _climb(layers, "layer {} of network", np.arange(n_inputs), n_inputs, gates)
    width = len(signals)
    if last.n_inputs != width:
        raise ValueError(f"the group sum of network has {last.n_inputs} inputs, but {width} come from below")
    first = int(signals[0])
    if (np.diff(signals) != 1).any():
        raise TypeError("the group sum of network must stand on a layer of gates")
    return n_inputs, gates, range(first, first + width), n_groups


def _climb(
    layers: Sequence[Any], name: str, signals: np.ndarray, n_inputs: int, gates: list[TableGate]
) -> np.ndarray:
    """Add the gates of some layers that read signals; return the signals that come out of the last."""
    for depth, layer in enumerate(layers):
        if hasattr(layer, "layers"):  # beside what they read
            made = _climb(layer.layers, name.format(depth) + ", layer {} in it", signals, n_inputs, gates)
            signals = np.concatenate([signals, made])
            continue
        for level in layer.unrolled() if hasattr(layer, "unrolled") else [layer]:
            tables, wires = _check_layer(level, name.format(depth), len(signals))
            gates += map(TableGate, tables.tolist(), map(tuple, signals[wires].tolist()))
            signals = n_inputs + np.arange(len(gates) - len(wires), len(gates))
    return signals


def _check_group_sum(layer: Any) -> int:
    """Return the number of groups of the last layer, which says so or says how large a group is."""
    if hasattr(layer, "n_inputs") and not hasattr(layer, "wires"):
        if hasattr(layer, "n_groups"):
            return layer.n_groups
        if hasattr(layer, "group_size"):
            return layer.n_inputs // layer.group_size
    raise TypeError(f"the last layer of network must be a group sum, got {type(layer).__name__}")


def _check_layer(layer: Any, name: str, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the tables and the wires of a layer of gates."""
    if not (hasattr(layer, "wires") and hasattr(layer, "table")):
        raise TypeError(f"{name} must have gates with wires and a table, got {type(layer).__name__}")
    wires, bits = np.asarray(layer.wires), layer.table.bits
    if wires.dtype.kind not in "iu":
        raise TypeError(f"{name}: wires must be integers, got dtype {wires.dtype}")
    if wires.ndim != 2 or not 1 <= wires.shape[1] <= MAX_FAN_IN:
        raise ValueError(f"{name}: wires must have the shape (n_gates, 1 to {MAX_FAN_IN}), got {wires.shape}")
    if bits.shape != (len(wires), 2 ** wires.shape[1]):
        raise ValueError(
            f"{name}: the table must have the shape ({len(wires)}, {2 ** wires.shape[1]}), got {bits.shape}"
        )
    if wires.size and not (wires.min() >= 0 and wires.max() < width):
        raise ValueError(f"{name}: wires must be in [0, {width - 1}], got {wires.min()} to {wires.max()}")
    return bits.words[:, 0], wires.astype(np.int64)
