r"""Wires that choose: what a gate would lose or gain if one of its wires read another unit.

A wire has a few candidates, units that it may read, and reads one of them.  With :math:`y'_{gs}` the answer of the
gate if wire i read candidate c,

.. math:: q_{g i c} = \sum_s z_{gs} \, \tfrac{1}{2} \bigl(e(y'_{gs}) - e(y_{gs})\bigr) ,

and 0 for the candidate that it reads already.  The page is ``docs/explanation/learnt-wires.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bvar._validation import check_integer
from bvar.backends import protocol
from bvar.bits import BitMatrix
from bvar.kernels.tables import (
    MAX_FAN_IN,
    Wiring,
    check_n_samples,
    check_signals,
    check_tables,
    check_units,
    fixed,
)

__all__ = ["MAX_CANDIDATES", "Candidates", "candidate_votes"]

MAX_CANDIDATES = 64
"""Most candidates of a wire: what they ask for is then one word."""


@dataclass(frozen=True, eq=False, repr=False)
class Candidates:
    """The units that each wire of each gate may read.

    Parameters
    ----------
    units : ndarray of int, shape (n_gates, fan_in, n_candidates)
        Numbers of units, from 0 to ``n_units - 1``; 1 to `MAX_CANDIDATES` for each wire.
    n_units : int
        Number of units to read.

    Attributes
    ----------
    units : ndarray of int32, shape (n_gates, fan_in, n_candidates)
        A copy that cannot be written to.

    Raises
    ------
    TypeError, ValueError
        If they are not integers, are out of range, have the wrong shape, or name one unit too often.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> candidates = kernels.Candidates(np.array([[[0, 1], [2, 0]]]), n_units=3)
    >>> candidates.wiring(np.array([1, 0])).wires
    array([[1, 2]], dtype=int32)
    """

    units: np.ndarray
    n_units: int

    def __post_init__(self) -> None:
        """Check that whatever is chosen is a wiring."""
        units = np.asarray(self.units)
        if units.ndim != 3 or not 1 <= units.shape[1] <= MAX_FAN_IN or not 1 <= units.shape[2] <= MAX_CANDIDATES:
            raise ValueError(
                f"candidates must have shape (n_gates, 1 to {MAX_FAN_IN}, 1 to {MAX_CANDIDATES}), "
                f"got {units.shape}"
            )
        if units.dtype.kind not in "iu":
            raise TypeError(f"candidates must be integers, got {units.dtype}")
        n_units = check_integer(self.n_units, "n_units", low=1, high=2**31 - 2)
        if units.size >= 2**31:
            raise ValueError(f"candidates must be fewer than 2**31, got {units.size}")
        if units.size and not 0 <= units.min() <= units.max() < n_units:
            raise ValueError(f"candidates must be in [0, {n_units - 1}], got [{units.min()}, {units.max()}]")
        most = np.unique(units, return_counts=True)[1].max(initial=0)
        if most >= 2**16:
            raise ValueError(f"candidates must name no unit more than {2**16 - 1} times, got {most}")
        self.__setstate__({"units": units, "n_units": n_units})

    def wiring(self, choice: np.ndarray) -> Wiring:
        """Take one candidate for each wire.

        Parameters
        ----------
        choice : ndarray of int, shape (n_gates * fan_in,)
            Numbers of candidates.

        Returns
        -------
        Wiring
            Of the units chosen.
        """
        by_wire = self.by_wire
        wires = np.take_along_axis(by_wire, choice[:, None].astype(np.intp), axis=1)
        return Wiring.trusted(wires.reshape(self.units.shape[:2]), self.n_units)

    @property
    def by_wire(self) -> np.ndarray:
        """The units, int32 of shape (n_gates * fan_in, n_candidates)."""
        return self.units.reshape(-1, self.units.shape[2])

    def __setstate__(self, state: dict[str, np.ndarray | int]) -> None:
        """Forbid writing, also in a copy by pickle, which would forget that."""
        self.__dict__.update({k: fixed(v) if isinstance(v, np.ndarray) else v for k, v in state.items()})


def candidate_votes(
    z: np.ndarray, x: BitMatrix, wiring: Wiring, tables: BitMatrix, candidates: Candidates
) -> np.ndarray:
    """Sum the votes of samples on the candidates of wires.

    Parameters
    ----------
    z : ndarray of int16, shape (n_gates, n_samples)
        Signals on the values of the gates, within +-`MAX_SIGNAL`.
    x : BitMatrix of shape (n_units, n_samples)
        Bits, unit by unit, without missing values.
    wiring : Wiring
        What each gate reads now.
    tables : BitMatrix of shape (n_gates, 2**fan_in)
        The truth tables.
    candidates : Candidates
        What each wire may read.

    Returns
    -------
    ndarray of int32, shape (n_gates * fan_in, n_candidates)
        Votes; positive means that the loss would rise if this wire alone read this candidate, 0 stands where it
        does already.

    Raises
    ------
    TypeError, ValueError
        If dtypes or shapes are wrong, or there are more than `MAX_SAMPLES` samples.

    Examples
    --------
    A gate that copies unit 0, and would copy unit 1:

    >>> import numpy as np
    >>> from bvar import kernels
    >>> x = kernels.pack(np.array([[False, True, False, True], [False, False, True, True]]))
    >>> z, table = np.array([[1, -2, 4, 8]], dtype=np.int16), kernels.pack(np.array([[False, True]]))
    >>> candidates = kernels.Candidates(np.array([[[0, 1]]]), n_units=2)
    >>> kernels.candidate_votes(z, x, candidates.wiring(np.array([0])), table, candidates)
    array([[0, 6]], dtype=int32)
    """
    x, z, words = check_units(x, wiring), check_signals(z, x, wiring), check_tables(tables, wiring)
    if not isinstance(candidates, Candidates):
        raise TypeError(f"candidates must be Candidates, got {type(candidates).__name__}")
    if candidates.units.shape[:2] != wiring.wires.shape or candidates.n_units != wiring.n_units:
        raise ValueError(
            f"candidates must be for {wiring.wires.shape} wires and {wiring.n_units} units, "
            f"got {candidates.units.shape[:2]} and {candidates.n_units}"
        )
    check_n_samples(x.n_bits)
    by_wire = candidates.by_wire
    out = np.empty(by_wire.shape, np.int32)
    protocol.current().candidate_votes(z, x.words, wiring.wires, words, by_wire, out)
    return out
