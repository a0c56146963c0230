"""Fully connected networks: linear layers and thresholds in turn, the recipe that most tables need."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from bvar._validation import check_integer
from bvar.bits import RandomWords
from bvar.bits.random import RandomSource
from bvar.calculus.gates import Gate
from bvar.layers import BooleanLinear, Layer, Threshold
from bvar.networks.losses import CrossEntropy, Loss
from bvar.networks.network import Network
from bvar.networks.optimizer import BooleanOptimizer

__all__ = ["boolean_mlp", "counts_from_mean"]


def boolean_mlp(
    sizes: Sequence[int],
    *,
    gate: str | int | Gate = "xnor",
    bias: bool = False,
    centered: bool | None = None,
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
        them to find where their sums belong.
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
    if len(sizes) < 2:
        raise ValueError(f"sizes must name inputs and outputs, got {list(sizes)!r}")
    for size in sizes:
        check_integer(size, "each of sizes", low=1)
    if centered is None:
        centered = counts_from_mean(Gate.of(gate))
    source = RandomWords.of(random_state)
    layers: list[Layer] = []
    for depth, (n_inputs, n_outputs) in enumerate(pairwise(sizes), start=1):
        layers.append(
            BooleanLinear(
                n_inputs,
                n_outputs,
                gate,
                bias=bias,
                centered=centered and depth > 1,  # inputs, unlike activations, may be missing
                random_state=source,
                name=f"linear{depth}",
            )
        )
        if depth < len(sizes) - 1:
            layers.append(Threshold(n_outputs, n_inputs, sizes[depth + 1], gate, gate))
    optimizer = BooleanOptimizer(eta, clip=clip, n_steps=n_steps)
    return Network(layers, CrossEntropy(sizes[-2], temperature) if loss is None else loss, optimizer)


def counts_from_mean(gate: Gate) -> bool:
    """Say whether votes on weights of this gate count from the mean, if nothing else is asked for."""
    return sum(gate.variation_a) == 0
