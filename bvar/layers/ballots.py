"""Votes that nobody has counted yet: who counts a few neurons at a time can use their votes in the cache.

``docs/explanation/kernels.md`` says what that saves, ``docs/explanation/backpropagation.md`` what a vote is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bvar import kernels
from bvar.bits import BitMatrix
from bvar.calculus.gates import Gate

__all__ = ["Ballots"]


@dataclass(frozen=True)
class Ballots:
    """What the votes of a batch on the Boolean weights of a layer will be counted from.

    Parameters
    ----------
    z : ndarray of int8, shape (n_samples, n_outputs)
        Signals on the sums.
    x : BitMatrix of shape (n_samples, n_inputs)
        Inputs, none missing.
    gate : Gate
        The connective L(w, x) of the layer.
    centered : bool
        Whether votes count from the mean of the inputs.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> from bvar.calculus.gates import Gate
    >>> from bvar.layers import Ballots
    >>> x = kernels.pack(np.array([[True, False], [True, True]]))
    >>> Ballots(np.array([[5], [3]], dtype=np.int8), x, Gate.of("xnor"), centered=True).count()
    array([[ 0, -2]], dtype=int32)
    """

    z: np.ndarray
    x: BitMatrix
    gate: Gate
    centered: bool

    @property
    def dtype(self) -> np.dtype[np.int32]:
        """Type of the votes."""
        return np.dtype(np.int32)

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the votes."""
        return self.z.shape[1], self.x.n_bits

    def __len__(self) -> int:
        """Return the number of neurons that are voted on."""
        return self.shape[0]

    def count_uncentered(self) -> np.ndarray:
        """Count the votes of all neurons as they add, for which it does not matter whether they will be centred.

        Returns
        -------
        ndarray of int32, shape (n_outputs, n_inputs)
            The votes.
        """
        return kernels.weight_votes(self.z, self.x, self.gate)

    def count(self) -> np.ndarray:
        """Count the votes of all neurons.

        Returns
        -------
        ndarray of int32, shape (n_outputs, n_inputs)
            The votes, centred if they are to be.
        """
        votes = self.count_uncentered()
        if not (self.centered and len(self.z)):
            return votes
        sums = self.z.sum(axis=0, dtype=np.int64), kernels.input_sums(self.x, self.gate), len(self.z)
        return kernels.center_votes(votes, *sums, out=votes)

    def flip(self, w: BitMatrix, m: np.ndarray, *, beta: float, eta: float, clip: float, dither: int) -> int:
        """Flip weights by the votes, a few neurons at a time; see :func:`bvar.kernels.vote_and_flip`.

        Parameters
        ----------
        w : BitMatrix of shape (n_outputs, n_inputs)
            The weights, changed in place.
        m : ndarray of int16, shape (n_outputs, n_inputs)
            Their accumulators, changed in place.
        beta, eta, clip : float
            The share of the old accumulator that is kept, what one vote adds, and the bound of each neuron.
        dither : int
            How the first accumulator is rounded, see :func:`bvar.kernels.dither`.

        Returns
        -------
        int
            Number of weights that flipped.
        """
        by = self.z, self.x, self.gate
        return kernels.vote_and_flip(
            w, m, *by, beta=beta, eta=eta, clip=clip, centered=self.centered, dither=dither
        )
