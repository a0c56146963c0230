"""Networks of logic gates: truth tables, wires, and a count at the end; see :class:`bvar.layers.GateLayer`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, zip_longest
from math import inf
from typing import Literal

import numpy as np

from bvar._validation import check_integer, check_real, check_sizes
from bvar.bits.random import RandomSource, RandomWords
from bvar.kernels import MAX_CANDIDATES
from bvar.layers import GateLayer, GroupSum, Layer, random_candidates
from bvar.networks.cross_entropy import CrossEntropy
from bvar.networks.losses import Loss
from bvar.networks.network import Network
from bvar.networks.optimizer import BooleanOptimizer

__all__ = ["gate_network"]


def gate_network(
    sizes: Sequence[int],
    n_outputs: int,
    *,
    fan_in: int = 2,
    wires: Sequence[np.ndarray | None] | None = None,
    wiring: Literal["random", "learnt"] = "random",
    candidates: int = 8,
    wire_rate: float = 1.0,
    pass_through: int = 16,
    eta: float = 10.0,
    n_steps: int | None = None,
    temperature: float = 0.5,
    loss: Loss | None = None,
    random_state: RandomSource = None,
) -> Network:
    """Build a network of gates, whose truth tables are learnt and whose wires are drawn, given, or learnt as well.

    Parameters
    ----------
    sizes : sequence of int
        Numbers of inputs and of gates of each layer; the last must be a multiple of `n_outputs`.
    n_outputs : int
        Number of classes, or of other scores: each adds up its share of the last layer.
    fan_in : int, default=2
        Wires of each gate, 1 to 6.
    wires : sequence of ndarray of int or None, optional
        Wires of the first layers, each of shape (n_gates, fan_in), such as those that
        :func:`bvar.layers.window_wires` draws for images; or of shape (n_gates, fan_in, n_candidates): then these
        wires are learnt. Default, and where None stands or nothing: drawn evenly from the layer below.
    wiring : {'random', 'learnt'}, default='random'
        Whether the wires that are drawn stay, or choose among candidates by votes, see
        :class:`bvar.layers.Choice`; the model file holds the candidates, a circuit only what was chosen.
    candidates : int, default=8
        Candidates of each wire that is drawn and learnt, 1 to 64.
    wire_rate : float, default=1.0
        Share of `eta` that votes on candidates count.
    pass_through : int, default=16
        See :class:`bvar.layers.GateLayer`.
    eta : float, default=10.0
        See :class:`bvar.networks.BooleanOptimizer`. Votes are not clipped: the entries of a table are looked at by
        different samples, so they do not flip together.
    n_steps : int, optional
        Likewise.
    temperature : float, default=0.5
        See :class:`bvar.networks.CrossEntropy`; the terms of a score are the members of its group.
    loss : Loss, optional
        Another loss. Default: ``CrossEntropy(sizes[-1] // n_outputs, temperature)``.
    random_state : None, int, RandomState or RandomWords, default=None
        Where wires and initial tables come from, layer by layer.

    Returns
    -------
    Network
        Layers of gates, then a sum for each output.

    Raises
    ------
    TypeError, ValueError
        If there are fewer than two sizes, one is not positive, or the last cannot be shared evenly.

    Examples
    --------
    >>> from bvar.networks import gate_network
    >>> print(gate_network([64, 200, 100], 10, random_state=0).summary())
    parameter           shape   weights     bytes         uses
    gate1.table       200 x 4       800      1600          800
    gate2.table       100 x 4       400       800          400
    all                            1200      2400         1200
    each weight is 1 bit; rows are padded to 64 bits
    70 of 300 gates lead to no score
    """
    sizes = check_sizes(sizes, "sizes")
    if len(sizes) < 2:
        raise ValueError(f"sizes must name inputs and gates, got {sizes!r}")
    if not isinstance(wires, Sequence | None):
        raise TypeError(f"wires must be None or a sequence of arrays, one for each layer, got {wires!r}")
    if wires is not None and len(wires) >= len(sizes):
        raise ValueError(f"wires must be given for at most {len(sizes) - 1} layers, got {len(wires)}")
    source = RandomWords.of(random_state)
    check_wiring(wiring, candidates)
    wire_rate = check_real(wire_rate, "wire_rate", low=0)
    n_candidates = candidates if wiring == "learnt" else None
    layers: list[Layer] = [
        GateLayer(
            n_inputs,
            n_gates,
            fan_in,
            wires=None if given is None or np.ndim(given) == 3 else given,
            candidates=_candidates(given, (n_inputs, n_gates, fan_in), n_candidates, source),
            wire_rate=wire_rate,
            pass_through=pass_through,
            random_state=source,
            name=f"gate{depth}",
        )
        for depth, ((n_inputs, n_gates), given) in enumerate(zip_longest(pairwise(sizes), wires or ()), start=1)
    ]
    head = GroupSum(sizes[-1], n_outputs)
    optimizer = BooleanOptimizer(eta, clip=inf, n_steps=n_steps)
    return Network(
        [*layers, head], CrossEntropy(head.group_size, temperature) if loss is None else loss, optimizer
    )


def check_wiring(wiring: str, candidates: int, prefix: str = "") -> None:
    """Refuse a way of wiring that there is not, or a number of candidates out of range."""
    if wiring not in ("random", "learnt"):
        raise ValueError(f"{prefix}wiring must be 'random' or 'learnt', got {wiring!r}")
    check_integer(candidates, f"{prefix}candidates", low=1, high=MAX_CANDIDATES)


def _candidates(
    given: np.ndarray | None, sizes: tuple[int, int, int], n_candidates: int | None, source: RandomWords
) -> np.ndarray | None:
    """Return what the wires of a layer may read; None if they stay."""
    if given is not None:
        return given if np.ndim(given) == 3 else None
    return None if n_candidates is None else random_candidates(*sizes, n_candidates, source)
