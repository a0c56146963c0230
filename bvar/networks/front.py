"""Gates in front of sums: conjunctions of a few inputs are learnt first, then added up against learnt thresholds.

A gate says at once what sums can only approach, such as whether two bits differ; sums weigh what gates say.  The
page ``docs/explanation/thresholds.md`` derives the parts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bvar._validation import check_integer, check_sizes
from bvar.bits import RandomWords
from bvar.bits.random import RandomSource
from bvar.layers import Concatenate, GateLayer, Layer, SignalScale
from bvar.networks.cross_entropy import CrossEntropy
from bvar.networks.losses import Loss
from bvar.networks.mlp import sums_in_turn
from bvar.networks.network import Network
from bvar.networks.optimizer import BooleanOptimizer

__all__ = ["front_network"]


def front_network(
    sizes: Sequence[int],
    *,
    gates: int = 1000,
    fan_in: int = 2,
    wires: np.ndarray | None = None,
    skip: bool = True,
    pass_through: int = 16,
    offset_spread: float = 0.5,
    offset_rate: float = 0.1,
    centered: bool = False,
    eta: float = 10.0,
    clip: float = 1.0,
    n_steps: int | None = None,
    temperature: float = 1.0,
    loss: Loss | None = None,
    random_state: RandomSource = None,
) -> Network:
    """Build a front of gates whose tables are learnt, and sums with learnt thresholds behind it.

    Parameters
    ----------
    sizes : sequence of int
        Numbers of inputs, of units of each hidden layer of sums, and of classes or other scores.
    gates : int, default=1000
        Number of gates in the front.
    fan_in : int, default=2
        Wires of each gate, 1 to 6.
    wires : ndarray of int, shape (gates, fan_in), optional
        Inputs that each gate reads, such as those that :func:`bvar.layers.column_wires` draws for tables. Default:
        drawn evenly from all inputs.
    skip : bool, default=True
        Whether the sums see the inputs beside the gates. If not, no input may be missing.
    pass_through : int, default=16
        See :class:`bvar.layers.GateLayer`.
    offset_spread : float, default=0.5
        Spread of the first offsets of hidden sums, see :func:`bvar.networks.boolean_mlp`.
    offset_rate : float, default=0.1
        See :class:`bvar.layers.Offset`.
    centered : bool, default=False
        Whether votes on weights behind a hidden layer count from the mean of its activations.
    eta : float, default=10.0
        See :class:`bvar.networks.BooleanOptimizer`.
    clip : float, default=1.0
        Likewise, for the weights of sums; votes on tables are not clipped.
    n_steps : int, optional
        Likewise.
    temperature : float, default=1.0
        See :class:`bvar.networks.CrossEntropy`.
    loss : Loss, optional
        Another loss. Default: `CrossEntropy` of the number of terms in a score, and the temperature.
    random_state : None, int, RandomState or RandomWords, default=None
        Where wires, tables, weights and offsets come from, layer by layer.

    Returns
    -------
    Network
        Gates, beside them the inputs, then linear layers and thresholds in turn; the last gives the scores.

    Raises
    ------
    TypeError, ValueError
        If there are fewer than two sizes, or a number is out of range.

    Examples
    --------
    >>> from bvar.networks import front_network
    >>> print(front_network([64, 100, 10], gates=200, random_state=0).summary())
    parameter           shape   weights     bytes         uses
    gate1.table       200 x 4       800      1600          800
    linear1.weight  100 x 264     26400      4000        26400
    linear1.offset        100       100       400          100
    linear2.weight   10 x 100      1000       160         1000
    linear2.offset         10        10        40           10
    all                           28310      6200        28310
    each weight is 1 bit; rows are padded to 64 bits; the 110 offsets are integers of 32 bits
    """
    n_inputs, *widths = sizes = check_sizes(sizes, "sizes", least=1)
    if not widths:
        raise ValueError(f"sizes must name inputs and outputs, got {sizes!r}")
    gates = check_integer(gates, "gates", low=1)
    source = RandomWords.of(random_state)
    front: list[Layer] = [
        GateLayer(
            *(n_inputs, gates, fan_in),
            wires=wires,
            pass_through=pass_through,
            is_clipped=False,
            random_state=source,
            name="gate1",
        ),
        SignalScale(widths[0]),
    ]
    widths = [gates + n_inputs if skip else gates, *widths]
    sums = sums_in_turn(widths, source, centered=centered, offset_spread=offset_spread, offset_rate=offset_rate)
    return Network(
        [*([Concatenate(front)] if skip else front), *sums],
        CrossEntropy(widths[-2], temperature) if loss is None else loss,
        BooleanOptimizer(eta, clip=clip, n_steps=n_steps),
    )
