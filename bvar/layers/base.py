"""What layers are made of: the interface they share, and parameters, Boolean and real."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np

from bvar import backends, kernels
from bvar.bits import BitMatrix

__all__ = ["Layer", "Parameter", "RealParameter"]


class Parameter:
    """A tensor of Boolean weights, with the layout that kernels like best kept beside it until a flip.

    Parameters
    ----------
    name : str
        What the tensor is called in tables and files.
    bits : BitMatrix of shape (n_outputs, n_inputs)
        The weights.
    unit : int, default=1
        Size of an input: votes count in multiples of it, so that eta means the same whatever the inputs are.
    n_places : int, default=1
        At how many places of one sample each weight is used, and voted on.
    """

    def __init__(self, name: str, bits: BitMatrix, *, unit: int = 1, n_places: int = 1) -> None:
        self.name = name
        self.bits = bits
        self.unit = unit
        self.n_places = n_places
        self._prepared: kernels.PreparedWeights | None = None

    def prepared(self) -> kernels.PreparedWeights:
        """Return the weights laid out for the backend in force.

        Returns
        -------
        PreparedWeights
            Kept until the weights change or another backend is in force.
        """
        if self._prepared is None or self._prepared.backend != backends.current():
            self._prepared = kernels.prepare(self.bits)
        return self._prepared

    def flip(
        self, m: np.ndarray, votes: np.ndarray, *, beta: float, eta: float | np.ndarray, rows: slice = slice(None)
    ) -> int:
        """Accumulate votes and flip; see :func:`bvar.kernels.flip`.

        Parameters
        ----------
        m : ndarray of float32
            Accumulators of the rows, changed in place.
        votes : ndarray of int32
            Votes on the rows.
        beta : float
            Share of the old accumulator that is kept.
        eta : float or ndarray of float32, shape (n_rows,)
            Weight of a vote.
        rows : slice, optional
            Rows concerned, in one piece. Default: all.

        Returns
        -------
        int
            Number of weights that flipped.
        """
        flips = kernels.flip(self.bits[rows], m, votes, beta=beta, eta=eta)  # a slice of rows is a view
        if flips:
            self._prepared = None
        return flips

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what can be made again."""
        return {**self.__dict__, "_prepared": None}


class RealParameter:
    """A tensor of real weights, which a gradient trains: float, and so outside the promise of equal bits.

    Parameters
    ----------
    name : str
        What the tensor is called in tables and files.
    values : ndarray of float32
        The weights, changed in place.
    n_places : int, default=1
        At how many places of one sample each weight is used.
    """

    def __init__(self, name: str, values: np.ndarray, *, n_places: int = 1) -> None:
        self.name = name
        self.values = values
        self.n_places = n_places


VoteBlock = tuple[int, slice, np.ndarray]

Marginals = tuple[np.ndarray, np.ndarray, int]
"""Sums whose product, over the number of their terms, votes are centred by: of signals (n_outputs,) and of what
these are multiplied with (n_inputs,), both int64, and that number: of samples, or of samples times places."""


class Layer(ABC):
    """One step of a network: forward over bits or sums, backward over signals or votes.

    A layer keeps no memory of a batch: `forward` returns what `backward` needs as a second value, so one
    network may serve several batches, or parts of a batch, at a time.
    """

    parameters: tuple[Parameter, ...] = ()
    real_parameters: tuple[RealParameter, ...] = ()
    """What gradients train, beside what votes do."""
    statistics: tuple[np.ndarray, ...] = ()
    """Running statistics of the training samples, changed in place, which inference uses."""
    rows_together: int | None = None
    """Most samples to score at a time, where more would not be faster; None: any number."""

    @abstractmethod
    def forward(self, x: Any) -> tuple[Any, Any]:
        """Compute the output and the context that `backward` needs.

        Parameters
        ----------
        x : BitMatrix or ndarray of int32
            Output of the layer below.

        Returns
        -------
        output : BitMatrix or ndarray of int32
            Input of the layer above.
        context : object
            For `backward`.
        """

    def infer(self, x: Any) -> Any:
        """Compute the output for a sample on its own, as a trained network does.

        Parameters
        ----------
        x : BitMatrix or ndarray
            Output of the layer below.

        Returns
        -------
        BitMatrix or ndarray
            Input of the layer above; it does not depend on what other samples are there.
        """
        return self.forward(x)[0]

    @abstractmethod
    def backward(self, signal: np.ndarray, context: Any) -> np.ndarray:
        """Pass a signal down.

        Parameters
        ----------
        signal : ndarray
            What the layer above passed down: int8 signals on sums, or int32 votes on bits.
        context : object
            What `forward` returned.

        Returns
        -------
        ndarray
            For the layer below: int32 votes on bits, or int8 signals on sums.
        """

    def votes(self, signal: np.ndarray, context: Any) -> tuple[np.ndarray, ...]:
        """Collect the votes of a batch on the parameters.

        Parameters
        ----------
        signal : ndarray
            What the layer above passed down.
        context : object
            What `forward` returned.

        Returns
        -------
        tuple of ndarray of int32
            One array for each parameter, of its shape.
        """
        return ()

    def marginals(self, signal: np.ndarray, context: Any) -> tuple[Marginals | None, ...]:
        """Sum up what is needed to centre the votes once those of all samples have been added.

        Parameters
        ----------
        signal : ndarray
            What the layer above passed down.
        context : object
            What `forward` returned.

        Returns
        -------
        tuple of Marginals or None
            One entry for each parameter; None if its votes are not centred.
        """
        return (None,) * len(self.parameters)

    def vote_blocks(self, signal: np.ndarray, context: Any) -> Iterator[VoteBlock]:
        """Collect the votes piece by piece, so that each can be used while it is in the cache.

        The batch is taken to be whole: votes that are to be centred have been.

        Parameters
        ----------
        signal : ndarray
            What the layer above passed down.
        context : object
            What `forward` returned.

        Yields
        ------
        VoteBlock
            Number of the parameter, rows of it, and the votes on these rows.
        """
        for number, tensor in enumerate(self.votes(signal, context)):
            yield number, slice(0, len(tensor)), tensor

    def gradients(self, signal: np.ndarray, context: Any) -> tuple[np.ndarray, ...]:
        """Sum up the gradients of a batch in the real parameters.

        Parameters
        ----------
        signal : ndarray
            What the layer above passed down.
        context : object
            What `forward` returned.

        Returns
        -------
        tuple of ndarray of float32
            One array for each real parameter, of its shape, in 127ths of the unit of the loss.
        """
        return ()

    def moments(self, context: Any) -> tuple[np.ndarray, ...]:
        """Sum up what the running statistics are made of.

        Parameters
        ----------
        context : object
            What `forward` returned.

        Returns
        -------
        tuple of ndarray of float64
            Sums over samples, which add; none if the layer has no running statistics.
        """
        return ()

    def learn_moments(self, *moments: np.ndarray) -> None:
        """Move the running statistics towards those of a batch.

        Parameters
        ----------
        *moments : ndarray of float64
            What `moments` returned, added over all parts of the batch.
        """
        return  # most layers have none
