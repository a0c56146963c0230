r"""The flip rule on real votes, and the unit in which they count (``docs/explanation/multi-kernel.md``).

.. math:: q_{ji} = Q_{ji} \Big/ \sqrt{\frac{R_j C_i}{\overline{R}}}, \qquad m \leftarrow \beta m + \eta q, \qquad
          m \, e(w) \ge 1 \;\Rightarrow\; w \leftarrow \lnot w,\ m \leftarrow 0

R and C are running means of the squares of votes in each row and each column.  A vote of the size that is usual
where it stands counts 1, whatever the loss, the batch and the layer; hence a step size that is right once is right
again.
"""

from __future__ import annotations

import math

import numpy as np

from bvar._describe import Described
from bvar._validation import check_array, check_integer, check_real
from bvar.bits import BitMatrix
from bvar.kernels import pack, unpack

__all__ = ["LARGEST_ETA", "RealVotes", "automatic_eta"]

LARGEST_ETA = 65504.0
"""The largest step size: the largest number of 16 bits, which evidence cannot exceed."""

_NEW = 0.1  # share of a step in the running means
_SPREADS = 2.7  # from 0 to the bar of 1, in spreads of the noise at the end: passed by 0.7 % of what is only noise


class RealVotes(Described):
    """Flip bits by real votes: one accumulator a bit, in 16 bits, and a mean square for each row and column.

    Parameters
    ----------
    shape : tuple of int, (n_rows, n_bits)
        Of the bits.

    Attributes
    ----------
    accumulator : ndarray of float16, shape (n_rows, n_bits)
        Evidence for a flip, from -1 to 1 between steps where bits follow it.
    row_squares, column_squares : ndarray of float64
        Running mean squares of votes; empty before the first step.
    beta : float
        Share of the evidence that is kept: that of bits that did not flip in the last step.

    See Also
    --------
    bvar.kernels.flip : The rule for integer votes.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels, multikernel
    >>> bits = kernels.pack(np.array([[True, False]]))
    >>> rule = multikernel.RealVotes(bits.shape)
    >>> rule.flip(bits, np.array([[3e-5, 3e-5]], np.float32), eta=1.0)  # of equal size: each counts 1
    1
    >>> kernels.unpack(bits)
    array([[False, False]])
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.accumulator = np.zeros(shape, np.float16)
        self.row_squares = np.empty(0)
        self.column_squares = np.empty(0)
        self.beta = 1.0

    @property
    def n_bytes(self) -> int:
        """Memory that the rule keeps between steps."""
        return self.accumulator.nbytes + self.row_squares.nbytes + self.column_squares.nbytes

    def unit(self, votes: np.ndarray) -> np.ndarray:
        """Take votes into the running means, and say what counts 1 at each place.

        Parameters
        ----------
        votes : ndarray of float32, shape (n_rows, n_bits)
            Votes of a step.

        Returns
        -------
        ndarray of float32, shape (n_rows, n_bits)
            Not negative; 0 where all votes of a row or a column have been 0.
        """
        squares = np.square(votes, dtype=np.float64)
        rows, columns = squares.mean(axis=1), squares.mean(axis=0)
        if not len(self.row_squares):
            self.row_squares, self.column_squares = rows, columns
        else:
            self.row_squares += _NEW * (rows - self.row_squares)
            self.column_squares += _NEW * (columns - self.column_squares)
        mean = self.row_squares.mean()
        scale = np.sqrt(self.row_squares / mean) if mean else self.row_squares
        return np.multiply.outer(scale, np.sqrt(self.column_squares)).astype(np.float32)

    def flip(self, bits: BitMatrix, votes: np.ndarray, eta: float) -> int:
        """Accumulate votes, and flip bits where the evidence reaches the bar of 1; in place.

        Parameters
        ----------
        bits : BitMatrix of shape (n_rows, n_bits)
            Changed in place.
        votes : ndarray of float32, shape (n_rows, n_bits)
            Positive where the loss rises with the bit; finite, of any unit.
        eta : float
            Step size: what a usual vote counts, at most 65504.

        Returns
        -------
        int
            Number of flips.

        Raises
        ------
        TypeError, ValueError
            If types or shapes are wrong, a vote is not finite, or bits cannot be changed; nothing is changed then.
        """
        if not isinstance(bits, BitMatrix):
            raise TypeError(f"bits must be a BitMatrix, got {type(bits).__name__}")
        votes = check_array(votes, "votes", dtype=np.float32, ndim=2)
        if not votes.shape == bits.shape == self.accumulator.shape:
            raise ValueError(
                f"votes and bits must have shape {self.accumulator.shape}, got {votes.shape}, {bits.shape}"
            )
        if not np.isfinite(votes).all():
            raise ValueError("votes must be finite, got NaN or infinity")
        if not bits.words.flags.writeable:
            raise ValueError("bits must be writeable: they are changed in place")
        eta = check_real(eta, "eta", low=0, high=LARGEST_ETA)
        unit = self.unit(votes)
        m = self.accumulator.astype(np.float32)
        m *= np.float32(self.beta)
        m += np.float32(eta) * np.divide(votes, unit, out=np.zeros_like(unit), where=unit > 0)
        flipped = np.where(unpack(bits), m, -m) >= 1
        m[flipped] = 0
        self.accumulator[...] = np.clip(m, -LARGEST_ETA, LARGEST_ETA)  # infinity would stay for ever
        np.bitwise_xor(bits.words, pack(flipped).words, out=bits.words)
        count = int(np.count_nonzero(flipped))
        self.beta = 1 - count / flipped.size
        return count


def automatic_eta(n_steps: int) -> float:
    r"""Choose the step size from the length of training, so that noise alone flips next to nothing.

    Parameters
    ----------
    n_steps : int
        Number of steps, at least 1, over which the step size falls to 0 along half a cosine wave.

    Returns
    -------
    float
        :math:`1 / (2.7 \sqrt{3 n / 8})`: where votes are independent noise of spread 1, the evidence ends with
        spread 1 / 2.7, and reaches the bar on the way with probability 0.007.

    Examples
    --------
    >>> from bvar import multikernel
    >>> round(multikernel.automatic_eta(600), 4)
    0.0247
    """
    return 1 / (_SPREADS * math.sqrt(3 * check_integer(n_steps, "n_steps", low=1) / 8))
