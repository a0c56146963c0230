"""Layers of the networks of level 6, as the protocol spells them."""

from __future__ import annotations

from typing import Any

from bvar.testing.make.cases.windows import draw_trees, patch_size
from bvar.testing.make.draw import Draw, draw_candidates
from bvar.testing.oracle.formats import hex64

__all__ = [
    "concatenate",
    "conv",
    "gate_conv",
    "gates",
    "learnt",
    "linear",
    "max_pool",
    "or_pool",
    "signal_scale",
    "threshold",
    "with_offsets",
]

SHIFT = 20
"""Of every surrogate."""


def linear(draw: Draw, gate: int, n_in: int, n_out: int, bias: bool, centered: bool) -> dict[str, Any]:
    """Give a linear layer."""
    bits = draw.row(n_out) if bias else None
    weight = draw.rows(n_out, n_in)
    return {"type": "linear", "gate": gate, "weight": weight, "bias": bits, "centered": centered}


def with_offsets(layer: dict[str, Any], offset: list[int], rate: float) -> dict[str, Any]:
    """Give a linear layer offsets, which a full vote moves by this share of the spread of the sum."""
    return {**layer, "offset": offset, "offset_rate": hex64(rate)}


def concatenate(*layers: dict[str, Any]) -> dict[str, Any]:
    """Give a layer that puts what inner layers make behind what they see."""
    return {"type": "concatenate", "layers": list(layers)}


def signal_scale(fan_out: int) -> dict[str, Any]:
    """Give a layer that scales signals on their way down."""
    return {"type": "signal_scale", "fan_out": fan_out}


def conv(
    draw: Draw, gate: int, n_filters: int, window: dict[str, Any], outside: int, bias: bool
) -> dict[str, Any]:
    """Give a convolution; outside is 0 for nothing, or -1 for F."""
    return {
        "type": "conv",
        "gate": gate,
        "weight": draw.rows(n_filters, patch_size(window)),
        "bias": draw.row(n_filters) if bias else None,
        "window": window,
        "padding_value": outside,
    }


def max_pool(height: int, width: int, channels: int, size: int = 2) -> dict[str, Any]:
    """Give a pool of sums."""
    return {"type": "max_pool", "image_shape": [height, width, channels], "size": size}


def threshold(n_units: int, tau: int, curve: list[int]) -> dict[str, Any]:
    """Give a threshold, and the curve that carries signals back through it."""
    return {"type": "threshold", "tau": [tau] * n_units, "table": curve, "shift": SHIFT}


def gates(draw: Draw, n_units: int, n_gates: int, fan_in: int) -> dict[str, Any]:
    """Give a layer of gates."""
    wires, tables = draw.matrix(n_gates, fan_in, 0, n_units - 1), draw.rows(n_gates, 1 << fan_in)
    return {"type": "gate", "wires": wires, "tables": tables}


def learnt(
    draw: Draw, layer: dict[str, Any], n_units: int, n_candidates: int, rate: float = 1.0
) -> dict[str, Any]:
    """Give gates whose wires choose among candidates, the first of which they read."""
    others = draw_candidates(draw, n_units, *_shape(layer["wires"]), n_candidates - 1)
    units = [
        [[unit, *more] for unit, more in zip(wires, gate, strict=True)]
        for wires, gate in zip(layer["wires"], others, strict=True)
    ]
    return {**layer, "candidates": units, "wire_rate": hex64(rate)}


def _shape(wires: list[list[int]]) -> tuple[int, int]:
    return len(wires), len(wires[0])


def gate_conv(
    draw: Draw, window: dict[str, Any], n_filters: int, fan_in: int, depth: int, damping: int
) -> dict[str, Any]:
    """Give trees of gates over images."""
    trees = draw_trees(draw, window, n_filters, fan_in, depth, 0)
    del trees["images"]
    return {"type": "gate_conv", "damping": damping, **trees}


def or_pool(height: int, width: int, channels: int, size: int = 2) -> dict[str, Any]:
    """Give a pool of bits."""
    return {"type": "or_pool", "image_shape": [height, width, channels], "size": size}
