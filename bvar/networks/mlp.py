"""Fully connected networks: linear layers and thresholds in turn, the recipe that most tables need."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from bvar._validation import check_sizes
from bvar.bits import RandomWords
from bvar.bits.random import RandomSource
from bvar.calculus.gates import Gate
from bvar.layers import BooleanLinear, Layer, Threshold
from bvar.networks.cross_entropy import CrossEntropy
from bvar.networks.losses import Loss
from bvar.networks.network import Network
from bvar.networks.optimizer import BooleanOptimizer

__all__ = ["boolean_mlp", "counts_from_mean", "sums_in_turn"]


def boolean_mlp(
    sizes: Sequence[int],
    *,
    gate: str | int | Gate = "xnor",
    bias: bool = False,
    centered: bool | None = None,
    offset_spread: float | None = None,
    offset_rate: float = 0.1,
    eta: float = 10.0,
    clip: float = 1.0,
    n_steps: int | None = None,
    temperature: float = 1.0,
    loss: Loss | None = None,
    random_state: RandomSource = None,
) -> Network:
    """Build a fully connected network of Boolean weights and activations.

    Parameters
    ----------
    sizes : sequence of int
        Numbers of inputs, of units of each hidden layer, and of classes.
    gate : str, int or Gate, default='xnor'
        Connective of every layer.
    bias : bool, default=False
        Whether units have a Boolean bias.
    centered : bool, optional
        Whether votes on weights behind a hidden layer count from the mean of its activations, see
        :class:`bvar.layers.BooleanLinear`; False is the rule of the paper. Default: True where the
        variation of the gate has mean 0, for xnor and xor, whose common votes only shift a sum; other gates need
        them to find where their sums belong; False with offsets, which shift sums by themselves.
    offset_spread : float, optional
        Let units and scores learn thresholds: integer offsets of their sums, those of hidden units drawn with this
        spread, in spreads of the sum, those of scores from 0 on. 0.5 is a good start. Default: no offsets; such a
        network cannot learn even functions, see ``docs/explanation/thresholds.md``.
    offset_rate : float, default=0.1
        See :class:`bvar.layers.Offset`.
    eta : float, default=10.0
        See :class:`bvar.networks.BooleanOptimizer`.
    clip : float, default=1.0
        Likewise.
    n_steps : int, optional
        Likewise.
    temperature : float, default=1.0
        See :class:`bvar.networks.CrossEntropy`.
    loss : Loss, optional
        Another loss. Default: ``CrossEntropy(sizes[-2], temperature)``.
    random_state : None, int, RandomState or RandomWords, default=None
        Where the initial weights come from, layer by layer.

    Returns
    -------
    Network
        With linear layers and thresholds in turn; the last linear layer gives the scores.

    Raises
    ------
    ValueError
        If there are fewer than two sizes, or one is not positive.

    Examples
    --------
    >>> from bvar.networks import boolean_mlp
    >>> [p.bits.shape for p in boolean_mlp([64, 100, 10], random_state=0).parameters]
    [(100, 64), (10, 100)]
    """
    sizes = check_sizes(sizes, "sizes")
    if len(sizes) < 2:
        raise ValueError(f"sizes must name inputs and outputs, got {sizes!r}")
    if centered is None:
        centered = counts_from_mean(Gate.of(gate)) and offset_spread is None
    layers = sums_in_turn(
        sizes,
        RandomWords.of(random_state),
        gate=gate,
        bias=bias,
        centered=centered,
        offset_spread=offset_spread,
        offset_rate=offset_rate,
    )
    optimizer = BooleanOptimizer(eta, clip=clip, n_steps=n_steps)
    return Network(layers, CrossEntropy(sizes[-2], temperature) if loss is None else loss, optimizer)


def sums_in_turn(
    sizes: Sequence[int],
    source: RandomWords,
    *,
    gate: str | int | Gate = "xnor",
    bias: bool = False,
    centered: bool = False,
    offset_spread: float | None = None,
    offset_rate: float = 0.1,
) -> list[Layer]:
    """Make linear layers with thresholds between them, as `boolean_mlp` does; the last has no threshold."""
    layers: list[Layer] = []
    for depth, (n_inputs, n_outputs) in enumerate(pairwise(sizes), start=1):
        is_last = depth == len(sizes) - 1
        layers.append(
            BooleanLinear(
                n_inputs,
                n_outputs,
                gate,
                bias=bias,
                centered=centered and depth > 1,  # inputs, unlike activations, may be missing
                offset_spread=0.0 if is_last and offset_spread is not None else offset_spread,
                offset_rate=offset_rate,
                random_state=source,
                name=f"linear{depth}",
            )
        )
        if not is_last:
            layers.append(Threshold(n_outputs, n_inputs, sizes[depth + 1], gate, gate))
    return layers


def counts_from_mean(gate: Gate) -> bool:
    """Say whether votes on weights of this gate count from the mean, if nothing else is asked for."""
    return sum(gate.variation_a) == 0
