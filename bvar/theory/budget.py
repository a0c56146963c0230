"""The flip budget of a neuron, counted beside its flips while a network trains.

The theorem of ``docs/explanation/optimizer.md``: a neuron flips no more weights than its clipped votes add up to.
It needs the rule, votes and flips, and of accumulators only how finely they are rounded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf, sqrt
from typing import Any

import numpy as np

from bvar.bits import BitMatrix
from bvar.kernels import BAR, unpack
from bvar.layers import Parameter
from bvar.networks import Network
from bvar.networks.losses import FULL_WEIGHT, SIGNAL_MAX

__all__ = ["Budget", "flip_budget"]


@dataclass(frozen=True)
class Budget:
    """Flips of the rows of a tensor of bits, and what the theorem allows.

    Parameters
    ----------
    name : str
        Name of the tensor.
    flips : ndarray of int, shape (n_rows,)
        Flips of each row, over all steps.
    allowed : ndarray of float, shape (n_rows,)
        Sum over the steps of what the clipped votes on a row add up to.
    """

    name: str
    flips: np.ndarray
    allowed: np.ndarray

    @property
    def spent(self) -> float:
        """Largest share of its budget that a row has spent; 0 where no row had one."""
        return float(np.max(self.flips / np.where(self.allowed > 0, self.allowed, inf)))


def flip_budget(network: Network, batches: Iterable[tuple[Any, np.ndarray]]) -> list[Budget]:
    """Train a network on batches, and count flips beside what they may be.

    Parameters
    ----------
    network : Network
        It takes a step on each batch; it must not have been trained before, or its accumulators hold more.
    batches : iterable of (BitMatrix or ndarray, ndarray)
        Samples and targets.

    Returns
    -------
    list of Budget
        One for each tensor of bits.

    Raises
    ------
    ValueError
        If the network has been trained, so that evidence from before would count.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> from bvar.networks import boolean_mlp
    >>> from bvar.theory import flip_budget
    >>> X = np.random.RandomState(0).rand(100, 16) < 0.5
    >>> network = boolean_mlp([16, 32, 2], random_state=0)
    >>> budgets = flip_budget(network, [(kernels.pack(X), X[:, 0].astype(int))] * 20)
    >>> [budget.name for budget in budgets if budget.spent > 1]
    []
    """
    if network.optimizer.m:
        raise ValueError("network must not have been trained: its accumulators hold evidence from before")
    found = [(number, p) for number, p in enumerate(network.parameters) if isinstance(p, Parameter)]
    numbers, tensors = [number for number, _ in found], [p for _, p in found]
    flips = [np.zeros(p.shape[0], np.int64) for p in tensors]
    allowed = [np.zeros(p.shape[0]) for p in tensors]
    for x, y in batches:
        votes = network.votes(x, y)
        eta = network.optimizer.current_eta() / (SIGNAL_MAX * votes.sample_weight / FULL_WEIGHT)
        counted = votes.centered()
        before = [p.bits.words.copy() for p in tensors]
        network.apply(votes)
        for at, (number, p) in enumerate(zip(numbers, tensors, strict=True)):
            allowed[at] += _allowance(p, counted[number], eta, network.optimizer.clip)
            flips[at] += unpack(BitMatrix.trusted(before[at] ^ p.bits.words, p.bits.n_bits)).sum(axis=1)
    return [Budget(p.name, f, a) for p, f, a in zip(tensors, flips, allowed, strict=True)]


def _allowance(parameter: Parameter, votes: np.ndarray, eta: float, clip: float) -> np.ndarray:
    """Give what one step adds to the budgets of rows: votes in units of the bar, or the clip if that is less.

    And what rounding may add, a unit of each accumulator.
    """
    norms = np.abs(votes.astype(np.int64)).sum(axis=1)
    loud = eta / parameter.vote_unit * norms
    counted = np.minimum(loud, clip * sqrt(votes.shape[1])) if parameter.is_clipped else loud
    return counted + votes.shape[1] / BAR
