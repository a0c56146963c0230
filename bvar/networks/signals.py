r"""What votes are made of: signals and activations, which are far fewer where layers are wide.

.. math:: q_{ji} = \sum_b z_{bj} \, x'_{bi}

There are votes on n times n' weights, but n + n' signals and bits for each sample.  Whoever owns some rows of
weights can make the votes on them of the signals of all samples, with the kernels that a single process uses, and
so the same bits (:doc:`/explanation/exactness`).  Gates and convolutions have few weights: the votes on these are
counted where the samples are, and go along.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np

from bvar.bits import BitMatrix
from bvar.layers import BooleanLinear, Layer, Trainable
from bvar.layers.base import Marginals, Received, VoteBlock
from bvar.networks.votes import Votes

if TYPE_CHECKING:
    from bvar.networks.network import Network

__all__ = ["Signals", "has_signals", "shares"]

Rows = Sequence[slice]
"""Units of each linear layer, from the first, then rows of each parameter of other layers, from the first: slices
that have a start and a stop."""


@dataclass(frozen=True)
class Signals:
    """What a set of samples says, before it is counted for each weight; sets that share no sample add.

    Parameters
    ----------
    signals : tuple of ndarray of int8, each of shape (n_samples, n_units)
        What arrives at the sums of each linear layer without a bias, from the first to the last; or at some units.
    inputs : tuple of BitMatrix, each of shape (n_samples, n_inputs)
        What went into these layers.
    votes : Votes
        What the samples were like, and their votes on the parameters of all other layers; or on some rows.

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
    votes: Votes

    @property
    def seen(self) -> Votes:
        """What the samples were like, with no tensors."""
        return replace(self.votes, tensors=(), marginals=())

    def __add__(self, other: Signals) -> Signals:
        """Put the signals of other samples below these."""
        if not isinstance(other, Signals):
            return NotImplemented
        if self._shapes() != other._shapes():
            raise ValueError("signals can be added only if they come from networks of the same shape")
        return Signals(
            tuple(np.concatenate(pair) for pair in zip(self.signals, other.signals, strict=True)),
            tuple(BitMatrix.concatenate(pair) for pair in zip(self.inputs, other.inputs, strict=True)),
            self.votes + other.votes,
        )

    def __radd__(self, other: object) -> Signals:
        """Let the built-in ``sum`` start from 0."""
        return self if isinstance(other, int) and other == 0 else NotImplemented

    def _shapes(self) -> list[tuple[int, ...]]:
        widths = [(z.shape[1], x.n_bits) for z, x in zip(self.signals, self.inputs, strict=True)]
        return [*widths, *(q.shape for q in self.votes.tensors)]

    @property
    def n_bytes(self) -> int:
        """Bytes that have to travel."""
        planes = [plane for x in self.inputs for plane in (x.words, x.known) if plane is not None]
        return sum(array.nbytes for array in (*self.signals, *planes, *self.votes.tensors))

    def of(self, rows: Rows) -> Signals:
        """Leave out what the owner of some units does not need.

        Parameters
        ----------
        rows : sequence of slice
            Units of each layer, and rows of other parameters, as :func:`shares` gives them.

        Returns
        -------
        Signals
            With the signals on these units alone, and the votes on these rows.
        """
        n = len(self.signals)
        mine = tuple(np.ascontiguousarray(z[:, one]) for z, one in zip(self.signals, rows[:n], strict=True))
        return Signals(mine, self.inputs, _on_rows(self.votes, rows[n:]))


def _on_rows(votes: Votes, rows: Rows) -> Votes:
    """Leave out the votes on other rows of each tensor."""
    return replace(
        votes,
        tensors=tuple(np.ascontiguousarray(q[one]) for q, one in zip(votes.tensors, rows, strict=True)),
        marginals=tuple(
            None if sums is None else (sums[0][one], *sums[1:])
            for sums, one in zip(votes.marginals, rows, strict=True)
        ),
    )


def has_signals(network: Network) -> bool:
    """Say whether a network of bits can do without votes on some weights: those of linear layers with no bias.

    Parameters
    ----------
    network : Network
        The network.

    Returns
    -------
    bool
        Whether :meth:`bvar.networks.Network.signals` will do.
    """
    return network.real is None and any(map(_sends, network.layers))


def _sends(layer: Layer) -> bool:
    """Say whether a layer sends signals; the bits of a bias are one row, which no two owners could share."""
    return type(layer) is BooleanLinear and layer.bias is None


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
        For each owner, its units of each linear layer, then its rows of each parameter of other layers.

    Examples
    --------
    >>> from bvar.networks import boolean_mlp
    >>> from bvar.networks.signals import shares
    >>> shares(boolean_mlp([8, 5, 3], random_state=0), 2)
    [[slice(0, 2, None), slice(0, 1, None)], [slice(2, 5, None), slice(1, 3, None)]]
    """
    widths = [layer.n_outputs for layer in linear_layers(network)]
    widths += [parameter.shape[0] for _, parameter in other_parameters(network)]
    return [[slice(w * i // n_owners, w * (i + 1) // n_owners) for w in widths] for i in range(n_owners)]


def linear_layers(network: Network) -> list[BooleanLinear]:
    """Return the layers that send signals, or refuse a network that has none."""
    if not has_signals(network):
        raise ValueError("signals are for networks of bits in which linear layers without a bias learn")
    return [layer for layer in network.layers if isinstance(layer, BooleanLinear) and _sends(layer)]


def other_parameters(network: Network) -> list[tuple[int, Trainable]]:
    """Return the parameters on which votes are sent, and their numbers."""
    owners = [layer for layer in network.layers for _ in layer.parameters]
    both = enumerate(zip(owners, network.parameters, strict=True))
    return [(number, parameter) for number, (layer, parameter) in both if not _sends(layer)]


def collected(seen: Votes, walk: Iterable[Received]) -> Signals:
    """Keep what layers receive on the way back, from the last to the first, or their votes."""
    signals: list[np.ndarray] = []
    inputs: list[BitMatrix] = []
    tensors: list[np.ndarray] = []
    marginals: list[Marginals | None] = []
    for layer, signal, context in walk:
        if _sends(layer):
            signals[:0] = [signal]
            inputs[:0] = [BitMatrix.trusted(context.words, context.n_bits, context.known)]  # by sample
        else:
            tensors[:0] = layer.votes(signal, context)
            marginals[:0] = layer.marginals(signal, context)
    votes = replace(seen, tensors=tuple(tensors), marginals=tuple(marginals))
    return Signals(tuple(signals), tuple(inputs), votes)


def vote_blocks(network: Network, signals: Signals, rows: Rows) -> Iterator[VoteBlock]:
    """Give the votes on some units, or what they are counted from, numbered as the parameters of the network."""
    n = len(signals.signals)
    yield from _of_other_layers(network, signals.votes, rows[n:])
    numbers = {id(parameter): number for number, parameter in enumerate(network.parameters)}
    for layer, z, x, mine in zip(linear_layers(network), signals.signals, signals.inputs, rows[:n], strict=True):
        if z.shape[1] != mine.stop - mine.start:
            z = np.ascontiguousarray(z[:, mine])
        if not z.shape[1]:
            continue
        for number, at, votes in layer.vote_blocks(z, x):
            there = slice(mine.start + at.start, mine.start + at.stop)
            yield numbers[id(layer.parameters[number])], there, votes


def _of_other_layers(network: Network, votes: Votes, rows: Rows) -> Iterator[VoteBlock]:
    """Give the votes that have been counted already, on some rows, as they count."""
    lengths = [one.stop - one.start for one in rows]
    if [len(q) for q in votes.tensors] != lengths:
        votes = _on_rows(votes, rows)
    for (number, _), q, mine, n in zip(other_parameters(network), votes.centered(), rows, lengths, strict=True):
        if n:
            yield number, mine, q


def check_signals(network: Network, signals: Signals, rows: Rows) -> None:
    """Refuse signals that are not those of these units."""
    layers = linear_layers(network)
    shapes: list[tuple[int, ...]] = [(layer.n_outputs, layer.n_inputs) for layer in layers]
    shapes += [parameter.shape for _, parameter in other_parameters(network)]
    mine = [(one.stop - one.start, *rest) for one, (_, *rest) in zip(rows, shapes, strict=True)]
    found = signals._shapes()
    if len(signals.signals) != len(layers) or not all(
        shape in wanted for shape, wanted in zip_longest(found, zip(shapes, mine, strict=True), fillvalue=())
    ):
        raise ValueError("signals must come from a network of the same shape")
