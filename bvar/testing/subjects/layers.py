"""Values, layers and networks of the protocol as those of the package."""

from __future__ import annotations

from typing import Any

import numpy as np

from bvar import kernels
from bvar.bits import BitMatrix
from bvar.bits.windows import SlidingWindow
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
    Offset,
    OrPool2d,
    SignalScale,
    Threshold,
)
from bvar.networks.cross_entropy import CrossEntropy
from bvar.testing.oracle.formats import float64_of

__all__ = [
    "make_conv",
    "make_gate_conv",
    "make_layers",
    "make_loss",
    "make_offset",
    "read_bits",
    "read_values",
    "read_window",
]

_M = {"0": -1, "1": 1, "u": 0}

Rows = list[str]


def read_values(rows: Rows, n_bits: int | None = None) -> np.ndarray:
    """Rows of M as int8; without rows the width must be told."""
    width = len(rows[0]) if rows else n_bits or 0
    return np.array([_M[c] for row in rows for c in row], np.int8).reshape(len(rows), width)


def read_bits(rows: Rows, n_bits: int | None = None) -> BitMatrix:
    """Read rows as bits."""
    return kernels.pack(read_values(rows, n_bits))


def read_window(window: dict[str, Any]) -> SlidingWindow:
    """Read a window."""
    return SlidingWindow(*(tuple(window[n]) for n in ("image_shape", "size", "stride", "padding", "dilation")))


def make_loss(table: list[int]) -> CrossEntropy:
    """Make the loss that has this table."""
    loss = CrossEntropy(1)
    loss.table = np.array(table, np.int64)
    return loss


def make_offset(values: list[int], n_terms: int, rate: str) -> Offset:
    """Make offsets of sums of so many terms."""
    return Offset("offset", np.array(values, np.int32), n_terms, rate=float64_of(rate))


def _set_bits(layer: BooleanLinear | BooleanConv2d | GateConv2d, *tensors: Rows) -> None:
    parameters: tuple[Any, ...] = layer.parameters  # here all of bits
    for parameter, rows in zip(parameters, tensors, strict=True):
        parameter.bits = read_bits(rows)


def _tensors(weight: Rows, bias: str | None) -> list[Rows]:
    return [weight] if bias is None else [weight, [bias]]


def make_conv(window: Any, gate: int, weights: Rows, padding_value: int, bias: str | None = None) -> BooleanConv2d:
    """Make a convolution of these weights."""
    options: dict[str, Any] = {name: tuple(window[name]) for name in ("stride", "padding", "dilation")}
    layer = BooleanConv2d(
        tuple(window["image_shape"]),
        len(weights),
        tuple(window["size"]),
        gate,
        padding_value=padding_value,
        bias=bias is not None,
        random_state=0,
        **options,
    )
    _set_bits(layer, *_tensors(weights, bias))
    return layer


def _linear(layer: dict[str, Any]) -> BooleanLinear:
    rows, bias = layer["weight"], layer["bias"]
    options = {"bias": bias is not None, "centered": layer["centered"], "random_state": 0}
    made = BooleanLinear(len(rows[0]), len(rows), layer["gate"], **options)
    _set_bits(made, *_tensors(rows, bias))
    if layer.get("offset") is not None:
        made.offset = make_offset(layer["offset"], len(rows[0]), layer["offset_rate"])
        made.parameters = (*made.parameters, made.offset)
    return made


def _threshold(layer: dict[str, Any]) -> Threshold:
    made = Threshold(len(layer["tau"]), 1, 1)
    made.tau, made.curve = (np.array(layer[name], np.int32) for name in ("tau", "table"))
    if layer["shift"] != made.SHIFT:
        raise ValueError(f"shift must be {made.SHIFT}, got {layer['shift']}")
    return made


def _gates(layer: dict[str, Any], n_units: int) -> GateLayer:
    wires: dict[str, Any] = {"wires": np.array(layer["wires"])}
    shape, is_clipped = wires["wires"].shape, layer.get("is_clipped", True)
    if "candidates" in layer:
        wires = {"candidates": np.array(layer["candidates"]), "wire_rate": float64_of(layer["wire_rate"])}
    made = GateLayer(n_units, *shape, **wires, random_state=0, is_clipped=is_clipped)
    made.table.bits = read_bits(layer["tables"])
    return made


def make_gate_conv(wires: list[list[int]], tables: list[Rows], window: Any, damping: int = 1) -> GateConv2d:
    """Make trees of these tables, from the leaves to the root."""
    if window["dilation"] != [1, 1]:
        raise ValueError(f"dilation must be [1, 1] for trees of gates, got {window['dilation']}")
    options: dict[str, Any] = {name: tuple(window[name]) for name in ("stride", "padding")}
    made = GateConv2d(
        tuple(window["image_shape"]),
        len(tables[-1]),
        tuple(window["size"]),
        depth=len(tables),
        fan_in=len(wires[0]),
        leaves=np.reshape(wires, (len(tables[-1]), -1)),
        damping=damping,
        random_state=0,
        **options,
    )
    _set_bits(made, *tables)
    return made


def make_layers(given: list[Any], width: int) -> list[Layer]:
    """Make the layers; those of gates must be told how many units are below them."""
    made: list[Layer] = []
    for layer in given:
        match layer["type"]:
            case "linear":
                made.append(_linear(layer))
            case "conv":
                parts = (layer[name] for name in ("window", "gate", "weight", "padding_value", "bias"))
                made.append(make_conv(*parts))
            case "max_pool":
                made.append(MaxPool2d(tuple(layer["image_shape"]), layer["size"]))
            case "threshold":
                made.append(_threshold(layer))
                width = len(layer["tau"])
            case "gate":
                made.append(_gates(layer, width))
                width = len(layer["wires"])
            case "gate_conv":
                trees = make_gate_conv(*(layer[name] for name in ("wires", "tables", "window", "damping")))
                made.append(trees)
                width = trees.n_outputs
            case "or_pool":
                pool = OrPool2d(tuple(layer["image_shape"]), layer["size"])
                made.append(pool)
                width = pool.n_outputs
            case "group_sum":
                made.append(GroupSum(width, layer["n_groups"]))
            case "add":
                made.append(Add([make_layers(branch, width) for branch in layer["branches"]]))
            case "concatenate":
                both = Concatenate(make_layers(layer["layers"], width))
                made.append(both)
                width = both.n_outputs
            case "signal_scale":
                made.append(SignalScale(layer["fan_out"]))
    return made
