"""Tensors that votes train: what an optimizer asks of them, and those of bits (``docs/explanation/optimizer.md``).

The optimizer knows no kinds: it hands every tensor its votes and lets it move.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from math import inf, prod, sqrt
from typing import Any

import numpy as np

from bvar import backends, kernels
from bvar.bits import BitMatrix
from bvar.layers.ballots import Ballots

__all__ = ["Parameter", "Trainable"]


class Trainable(ABC):
    """A tensor that votes train.

    See Also
    --------
    Parameter : One of bits, which flip.
    bvar.layers.Offset : One of integers, which move.

    Notes
    -----
    Whatever `move` does must be integer, or at least elementwise, or the network would leave the promise of equal
    bits.
    """

    name: str
    """What the tensor is called in tables and files."""
    n_places: int = 1
    """At how many places of one sample each element is used, and voted on."""
    m_dtype: type[np.signedinteger[Any]] = np.int16
    """Dtype of its accumulators."""
    m_bits: int = 12
    """Bits behind their point: accumulators are integers in units of ``2**-m_bits``."""

    def __repr__(self) -> str:
        """Tell which one it is, and how large."""
        return f"<parameter {self.name!r} of shape {self.shape}>"

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Shape of the tensor, of its votes and of its accumulators."""

    @property
    def value_range(self) -> tuple[int, int]:
        """Least and largest value of an element, if these are numbers; bits are 0 and 1."""
        return 0, 1

    @property
    def n_weights(self) -> int:
        """Number of values that are learnt; one for each element, but for wires, of which each counts once."""
        return prod(self.shape)

    @property
    @abstractmethod
    def n_bytes(self) -> int:
        """Bytes in memory, without what can be made again."""

    @abstractmethod
    def move(
        self,
        m: np.ndarray,
        votes: Any,
        *,
        beta: float,
        eta: float,
        clip: float,
        dither: int = 0,
        rows: slice = slice(None),
    ) -> int:
        """Take one step on votes, as the optimizer asks every tensor that it trains to.

        Parameters
        ----------
        m : ndarray of `m_dtype`
            Accumulators of the rows, changed in place.
        votes : ndarray of int32, or Ballots
            Votes on the rows; not counted yet, if a layer yields them so.
        beta : float
            Share of the old accumulator that is kept, where it holds evidence about a network that has changed.
        eta : float
            What one vote counts.
        clip : float
            Bound on what the votes on one row add together, see :func:`bvar.kernels.clipped_eta`; for rows that
            share a sum. inf: none.
        dither : int, default=0
            How the first element of the rows is rounded, see :func:`bvar.kernels.dither`.
        rows : slice, optional
            Rows concerned, in one piece. Default: all.

        Returns
        -------
        int
            Number of elements that moved.
        """

    @abstractmethod
    def arrays(self) -> Iterator[np.ndarray]:
        """Give everything that inference depends on.

        Yields
        ------
        ndarray
            What the fingerprint hashes, in this order, as little-endian numbers of their width.
        """

    def refresh(self) -> None:  # noqa: B027 - most keep nothing that could be stale
        """Forget what was made of the values, after somebody has changed them in place."""


class Parameter(Trainable):
    """A tensor of Boolean weights, with the layout that kernels like best kept beside it until a flip.

    Parameters
    ----------
    name : str
        What the tensor is called in tables and files.
    bits : BitMatrix of shape (n_outputs, n_inputs)
        The weights.
    rms : int, default=1
        Root of the mean square of an input, 1 for bits: votes count in multiples of it, so that eta means the same
        whatever the inputs are.
    n_places : int, default=1
        At how many places of one sample each weight is used, and voted on.
    is_clipped : bool, default=True
        Whether the clip of the optimizer holds for it: not where the weights of a row share no sum.
    """

    def __init__(
        self, name: str, bits: BitMatrix, *, rms: int = 1, n_places: int = 1, is_clipped: bool = True
    ) -> None:
        self.name = name
        self.bits = bits
        self.rms = rms
        self.n_places = n_places
        self.is_clipped = is_clipped
        self._prepared: kernels.PreparedWeights | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of bits in each."""
        return self.bits.shape

    @property
    def n_bytes(self) -> int:
        """Bytes in memory, rows padded to 64 bits."""
        return self.bits.words.nbytes

    @property
    def vote_unit(self) -> float:
        """What eta is divided by: the size of an input times the root of the number of places."""
        return self.rms * sqrt(self.n_places)

    def prepared(self) -> kernels.PreparedWeights:
        """Return the weights laid out for the backend in force.

        Returns
        -------
        PreparedWeights
            Kept until the weights change or another backend is in force.
        """
        if self._prepared is None or self._prepared.backend != backends.current():
            self._prepared = kernels.PreparedWeights(self.bits)
        return self._prepared

    def flip(
        self,
        m: np.ndarray,
        votes: np.ndarray,
        *,
        beta: float,
        eta: float | np.ndarray,
        dither: int = 0,
        rows: slice = slice(None),
    ) -> int:
        """Accumulate votes and flip; see :func:`bvar.kernels.flip`.

        Parameters
        ----------
        m : ndarray of int16
            Accumulators of the rows, changed in place.
        votes : ndarray of int32
            Votes on the rows.
        beta : float
            Share of the old accumulator that is kept.
        eta : float or ndarray of int64, shape (n_rows,)
            Step size: what one vote adds, in bars, or of each row in units of 2**-40 of the bar.
        dither : int, default=0
            How the first element of the rows is rounded, see :func:`bvar.kernels.dither`.
        rows : slice, optional
            Rows concerned, in one piece. Default: all.

        Returns
        -------
        int
            Number of weights that flipped.
        """
        w = self.bits[rows]  # a slice is a view
        return self._flipped(kernels.flip(w, m, votes, beta=beta, eta=eta, dither=dither))

    def refresh(self) -> None:
        """Forget the layout that was made of the bits."""
        self._prepared = None

    def move(
        self,
        m: np.ndarray,
        votes: np.ndarray | Ballots,
        *,
        beta: float,
        eta: float,
        clip: float,
        dither: int = 0,
        rows: slice = slice(None),
    ) -> int:
        """Flip; eta is divided by `vote_unit`, and then clipped."""
        eta /= self.vote_unit
        clip = clip if self.is_clipped else inf
        if not isinstance(votes, Ballots):
            sizes = kernels.clipped_eta(votes, eta, clip)
            return self.flip(m, votes, beta=beta, eta=sizes, dither=dither, rows=rows)
        return self._flipped(votes.flip(self.bits[rows], m, beta=beta, eta=eta, clip=clip, dither=dither))

    def _flipped(self, n: int) -> int:
        """Forget what was made of the weights if some have flipped."""
        if n:
            self.refresh()
        return n

    def arrays(self) -> Iterator[np.ndarray]:
        """Give the number of rows and of bits in each, and the words."""
        yield np.array(self.shape, np.uint64)
        yield self.bits.words

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what can be made again."""
        return {**self.__dict__, "_prepared": None}
