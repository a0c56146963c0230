"""A table of the weights of a network: how many, how large, and how often each is used."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from bvar.energy import summarize_energy
from bvar.layers import Layer, Offset, Trainable
from bvar.layers.base import Companion

__all__ = ["summarize"]


def summarize(
    parameters: Sequence[Trainable],
    companion: Companion | None = None,
    layers: Sequence[Layer] | None = None,
) -> str:
    """Describe parameters that votes train, those that its companion trains, and what layers cost."""
    real = () if companion is None else companion.tensors()
    tensors: list[tuple[str, tuple[int, ...], int, int]]
    tensors = [(p.name, p.shape, p.n_bytes, p.n_places) for p in parameters]
    tensors += [(name, values.shape, values.nbytes, n_places) for name, values, n_places in real]
    rows = [
        (name, " x ".join(map(str, shape)), prod(shape), n_bytes, prod(shape) * n_places)
        for name, shape, n_bytes, n_places in tensors
    ]
    rows.append(("all", "", *(sum(column) for column in list(zip(*rows, strict=True))[2:])))
    lines = [f"{name:<14} {shape:>10} {n:>9} {size:>9} {uses:>12}" for name, shape, n, size, uses in rows]
    head = f"{'parameter':<14} {'shape':>10} {'weights':>9} {'bytes':>9} {'uses':>12}"
    foot = "each weight is 1 bit; rows are padded to 64 bits"
    n_offsets = sum(p.values.size for p in parameters if isinstance(p, Offset))
    if n_offsets:
        foot += f"; the {n_offsets} offsets are integers of 32 bits"
    if real:
        n_real = sum(values.size for _, values, _ in real)
        foot += f"; the {n_real} real ones, listed last, are floats of 32 bits"
    costs = [] if layers is None else ["", summarize_energy(layers)]
    return "\n".join([head, *lines, foot, *costs])
