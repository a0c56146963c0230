r"""What votes are made of: signals and activations, which are far fewer where layers are wide.

.. math:: q_{ji} = \sum_b z_{bj} \, x'_{bi}

There are votes on n times n' weights, but n + n' signals and bits for each sample.  Whoever owns some rows of
weights can make the votes on them of the signals of all samples, with the kernels that a single process uses, and
so the same bits (:doc:`/explanation/exactness`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bvar import kernels
from bvar.bits import BitMatrix
from bvar.layers import BooleanLinear
from bvar.layers.base import VoteBlock
from bvar.networks.votes import Votes

if TYPE_CHECKING:
    from bvar.networks.network import Network

__all__ = ["Signals", "has_signals", "shares"]

_BLOCK = 128  # units voted on at a time, as in a step of the layer itself

Rows = Sequence[slice]
"""Units of each layer with parameters, from the first: a slice of them that has a start and a stop."""


@dataclass(frozen=True)
class Signals:
    """What a set of samples says, before it is counted for each weight; sets that share no sample add.

    Parameters
    ----------
    signals : tuple of ndarray of int8, each of shape (n_samples, n_units)
        What arrives at the sums of each layer that has parameters, from the first to the last; or at some units.
    inputs : tuple of BitMatrix, each of shape (n_samples, n_inputs)
        What went into these layers.
    seen : Votes
        What the samples were like, with no tensors.

    See Also
    --------
    Votes : The same, counted.

    Examples
    --------
    Three machines see a part of the batch each, and two own half of the weights each:

    >>> import copy
    >>> import numpy as np
    >>> from bvar.bits import RandomWords
    >>> from bvar.networks import boolean_mlp
    >>> from bvar.networks.signals import shares
    >>> x, y = RandomWords(0).bits(90, 70), np.arange(90) % 3
    >>> network = boolean_mlp([70, 33, 3], random_state=0)
    >>> owners = [copy.deepcopy(network) for _ in range(2)]
    >>> signals = sum(network.signals(x[rows], y[rows]) for rows in np.array_split(np.arange(90), 3))
    >>> flips = [o.apply_signals(signals, rows=rows) for o, rows in zip(owners, shares(network, 2))]
    >>> seen, together = network.step(x, y)
    >>> np.sum(flips, axis=0).tolist() == together
    True
    """

    signals: tuple[np.ndarray, ...]
    inputs: tuple[BitMatrix, ...]
    seen: Votes

    def __add__(self, other: Signals) -> Signals:
        """Put the signals of other samples below these."""
        if not isinstance(other, Signals):
            return NotImplemented
        if self._shapes() != other._shapes():
            raise ValueError("signals can be added only if they come from networks of the same shape")
        return Signals(
            tuple(np.concatenate(pair) for pair in zip(self.signals, other.signals, strict=True)),
            tuple(BitMatrix.concatenate(pair) for pair in zip(self.inputs, other.inputs, strict=True)),
            self.seen + other.seen,
        )

    def __radd__(self, other: object) -> Signals:
        """Let the built-in ``sum`` start from 0."""
        return self if isinstance(other, int) and other == 0 else NotImplemented

    def _shapes(self) -> list[tuple[int, int]]:
        return [(z.shape[1], x.n_bits) for z, x in zip(self.signals, self.inputs, strict=True)]

    @property
    def n_bytes(self) -> int:
        """Bytes that have to travel."""
        planes = [plane for x in self.inputs for plane in (x.words, x.known) if plane is not None]
        return sum(array.nbytes for array in (*self.signals, *planes))

    def of(self, rows: Rows) -> Signals:
        """Leave out what the owner of some units does not need.

        Parameters
        ----------
        rows : sequence of slice
            Units of each layer, as :func:`shares` gives them.

        Returns
        -------
        Signals
            With the signals on these units alone.
        """
        mine = tuple(np.ascontiguousarray(z[:, one]) for z, one in zip(self.signals, rows, strict=True))
        return Signals(mine, self.inputs, self.seen)


def has_signals(network: Network) -> bool:
    """Say whether a network can do without votes: where all that learns are linear layers of bits, with no bias.

    Parameters
    ----------
    network : Network
        The network.

    Returns
    -------
    bool
        Whether :meth:`bvar.networks.Network.signals` will do.
    """
    learn = [layer for layer in network.layers if layer.parameters]
    return network.real is None and all(type(layer) is BooleanLinear and layer.bias is None for layer in learn)


def shares(network: Network, n_owners: int) -> list[list[slice]]:
    """Deal the units of each layer to owners, evenly and in pieces.

    Parameters
    ----------
    network : Network
        The network.
    n_owners : int
        How many there are; some get none of a layer that has fewer units.

    Returns
    -------
    list of list of slice
        For each owner, its units of each layer that has parameters.

    Examples
    --------
    >>> from bvar.networks import boolean_mlp
    >>> from bvar.networks.signals import shares
    >>> shares(boolean_mlp([8, 5, 3], random_state=0), 2)
    [[slice(0, 2, None), slice(0, 1, None)], [slice(2, 5, None), slice(1, 3, None)]]
    """
    widths = [layer.n_outputs for layer in learning_layers(network)]
    return [[slice(w * i // n_owners, w * (i + 1) // n_owners) for w in widths] for i in range(n_owners)]


def learning_layers(network: Network) -> list[BooleanLinear]:
    """Return the layers that have parameters, or refuse a network that has others than linear ones."""
    if not has_signals(network):
        raise ValueError(
            "signals are for networks in which linear layers of bits without a bias learn, and nothing else"
        )
    return [layer for layer in network.layers if isinstance(layer, BooleanLinear)]


def vote_blocks(network: Network, signals: Signals, rows: Rows) -> Iterator[VoteBlock]:
    """Count the votes on some units, a few of them at a time, numbered as the parameters of the network."""
    first = 0
    for layer, z, x, mine in zip(learning_layers(network), signals.signals, signals.inputs, rows, strict=True):
        if z.shape[1] != mine.stop - mine.start:
            z = z[:, mine]
        for start in range(0, z.shape[1], _BLOCK):
            some = np.ascontiguousarray(z[:, start : start + _BLOCK])
            at = slice(mine.start + start, mine.start + start + some.shape[1])
            both = zip(layer.votes(some, x), layer.marginals(some, x), strict=True)
            for number, (votes, sums) in enumerate(both, start=first):
                yield number, at, votes if sums is None or not len(z) else kernels.center_votes(votes, *sums)
        first += len(layer.parameters)


def check_signals(network: Network, signals: Signals, rows: Rows) -> None:
    """Refuse signals that are not those of these units."""
    layers = learning_layers(network)
    wanted = [
        ((layer.n_outputs, one.stop - one.start), layer.n_inputs) for layer, one in zip(layers, rows, strict=True)
    ]
    fits = len(signals.signals) == len(wanted) and all(
        z.shape[1] in widths and x.n_bits == n_inputs
        for z, x, (widths, n_inputs) in zip(signals.signals, signals.inputs, wanted, strict=True)
    )
    if not fits:
        raise ValueError("signals must come from a network of the same shape")
