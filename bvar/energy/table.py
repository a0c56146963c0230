"""The table at the foot of a summary: what each layer costs, in bits and in floats."""

from __future__ import annotations

from collections.abc import Sequence

from bvar.energy.cost import check_layers, cost, products_of
from bvar.energy.platform import ASCEND, Platform
from bvar.energy.widths import FLOAT
from bvar.layers import Layer

__all__ = ["summarize_energy"]

_BATCH = 100


def summarize_energy(layers: Sequence[Layer], platform: Platform = ASCEND, batch: int = _BATCH) -> str:
    """Describe what layers cost a sample, beside the float network of the same shape.

    Parameters
    ----------
    layers : sequence of Layer
        From the input to the scores.
    platform : Platform, default=ASCEND
        Prices and memories.
    batch : int, default=100
        Samples that are computed together.

    Returns
    -------
    str
        A line for each layer that multiplies: energy of inference and of a step of training for one sample, and
        what part of that of floats each is.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, or a memory cannot hold a number of each kind.

    Examples
    --------
    >>> from bvar.energy import summarize_energy
    >>> from bvar.networks import gate_network
    >>> summarize_energy(gate_network([64, 40], 10, random_state=0).layers)
    'no layer multiplies: the energy model counts sums of products only'
    """
    if not products_of(check_layers(getattr(layers, "layers", layers), "layers")):
        return "no layer multiplies: the energy model counts sums of products only"
    bits, floats = (cost(layers, batch, platform, **numbers) for numbers in ({}, {"widths": FLOAT}))
    lines = []
    for name in bits.by("layer"):
        lines.append(_line(name, bits.by("layer", "way"), floats.by("layer", "way"), name, batch))
    lines.append(_line("all", bits.by("layer", "way"), floats.by("layer", "way"), None, batch))
    unit = platform.unit
    head = f"{'energy':<14} {'inference':>12} {'of float':>10} {'training':>12} {'of float':>10}"
    foot = f"{unit} a sample, {platform.name}, {batch} at a time; a model, not a measurement"
    return "\n".join([head, *lines, foot])


def _line(
    title: str, bits: dict[tuple[str, str], float], floats: dict[tuple[str, str], float], layer: str | None, n: int
) -> str:
    inference, training = ([_total(sums, layer, forward) for sums in (bits, floats)] for forward in (True, False))
    cells = [f"{mine / n:>12.4g} {_share(mine, other):>10}" for mine, other in (inference, training)]
    return f"{title:<14} {' '.join(cells)}"


def _total(sums: dict[tuple[str, str], float], layer: str | None, forward: bool) -> float:
    return sum(
        energy
        for (name, way), energy in sums.items()
        if layer in (None, name) and (way == "forward" or not forward)
    )


def _share(mine: float, other: float) -> str:
    return f"{100 * mine / other:.1f} %"
