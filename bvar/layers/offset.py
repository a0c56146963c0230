r"""Offsets: an integer for each neuron, added to its sum and learnt by votes of its own.

.. math:: s_{bj} = \sum_i e(L(w_{ji}, x_{bi})) + o_j

An offset is a threshold that is learnt: a neuron that compares s with tau compares the sum of its gates with
``tau - o``.  When o rises by 1 so does the sum of every sample; hence the vote is the sum of the signals, an exact
integer.  The page ``docs/explanation/thresholds.md`` derives the vote and the move.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import sqrt

import numpy as np

from bvar import kernels
from bvar._validation import check_array, check_integer, check_real
from bvar.bits.random import RandomWords
from bvar.layers.parameter import Trainable

__all__ = ["Offset", "random_offsets"]

_ONE = 2**24  # an accumulator counts in units of 2**-24 of a step of the sum
_BAR = 2**40  # what a vote counts comes in units of 2**-40 of the loudest


class Offset(Trainable):
    r"""Integers that move by their votes, a spread of the sum times `rate` at most in one step.

    .. math::

        u &= \operatorname{clip}_{\pm 1}(\eta \, q), \qquad m \leftarrow m - \rho \sqrt n \, u, \\
        o &\leftarrow \operatorname{clip}_{\pm n}(o + \operatorname{trunc} m), \qquad
        m \leftarrow m - \operatorname{trunc} m

    All in integers: m is an int32 in units of 2**-24.

    Parameters
    ----------
    name : str
        What the tensor is called in tables and files.
    values : ndarray of int32, shape (n_outputs,)
        The offsets, each in [-n_terms, n_terms]: beyond the range of the sum nothing would change.
    n_terms : int
        Number n of terms in each sum.
    rate : float, default=0.1
        Share rho in [0, 1]: how far the loudest vote moves an offset in one step, in spreads of the sum.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or is out of range.

    See Also
    --------
    Parameter : A tensor of bits.
    BooleanLinear : Which has offsets if it is given their spread.

    Notes
    -----
    This is :eq:`offset-move-integer` of ``docs/explanation/thresholds.md``. With eta in units of 2**-40 and at
    most 1, its product with a vote is kept within 1 and rounded to 24 bits behind the point; the product of that
    and ``floor(2**20 * rate * sqrt(n_terms))`` is rounded to 24 bits again, both times halves up. No rest walks
    here, as it does in :func:`bvar.kernels.flip`: a rounding loses half of 2**-24 of a step of the sum at most.

    Examples
    --------
    Two neurons whose sums were too high, one by much:

    >>> import numpy as np
    >>> from bvar.layers import Offset
    >>> from bvar.networks import BooleanOptimizer
    >>> offset = Offset("sum.offset", np.array([0, 7], dtype=np.int32), n_terms=400)
    >>> optimizer = BooleanOptimizer(eta=1.0)
    >>> optimizer.step([offset], [np.array([127, 25], dtype=np.int32)], n_samples=1)
    [1]
    >>> offset.values, (optimizer.m[0] / 2**offset.m_bits).round(2)
    (array([-2,  7], dtype=int32), array([ 0.  , -0.39]))
    """

    m_dtype = np.int32
    m_bits = 24

    def __init__(self, name: str, values: np.ndarray, n_terms: int, *, rate: float = 0.1) -> None:
        self.name = name
        self.n_terms = check_integer(n_terms, "n_terms", low=1, high=kernels.MAX_BITS)
        self.rate = check_real(rate, "rate", low=0)
        if self.rate > 1:
            raise ValueError(f"rate must be in [0, 1], got {rate!r}")
        self.values = check_array(values, "values", dtype=np.int32, ndim=1).copy()  # it is trained
        if np.abs(self.values.astype(np.int64)).max(initial=0) > n_terms:
            raise ValueError(f"values must lie in [-{n_terms}, {n_terms}], the range of a sum of {n_terms} terms")

    @property
    def shape(self) -> tuple[int]:
        """Number of offsets, in a tuple."""
        return (len(self.values),)

    @property
    def value_range(self) -> tuple[int, int]:
        """Range of the sum."""
        return -self.n_terms, self.n_terms

    @property
    def n_bytes(self) -> int:
        """Bytes in memory."""
        return self.values.nbytes

    def move(
        self,
        m: np.ndarray,
        votes: np.ndarray,
        *,
        beta: float,
        eta: float,
        clip: float,
        dither: int = 0,
        rows: slice = slice(None),
    ) -> int:
        """Move by the votes; what is left of a whole step waits in m. There is nothing for beta to discount."""
        size = min(kernels.eta_units(eta), _BAR)  # from 1 on every vote but 0 is clipped: the same step
        most = _BAR // max(size, 1) + 1
        u = np.minimum(np.maximum(votes.astype(np.int64), -most), most) * size  # below 2**42; np.clip is slower
        u = (np.minimum(np.maximum(u, -_BAR), _BAR) + 2**15) >> 16
        reach = int(2**20 * (self.rate * sqrt(self.n_terms)))
        left = m - ((u * reach + 2**19) >> 20)
        whole = np.sign(left) * (np.abs(left) // _ONE)
        m[...] = left - whole * _ONE
        before = self.values[rows]
        after = np.minimum(np.maximum(before + whole, -self.n_terms), self.n_terms)
        n_moved = np.count_nonzero(after != before)
        self.values[rows] = after
        return int(n_moved)

    def shift(self, steps: np.ndarray) -> None:
        """Add something to each value, as far as the range of the sum goes.

        Parameters
        ----------
        steps : ndarray of int32, shape (n_outputs,)
            What to add.
        """
        moved = self.values.astype(np.int64) + steps
        self.values[:] = np.clip(moved, -self.n_terms, self.n_terms)

    def arrays(self) -> Iterator[np.ndarray]:
        """Give the number of offsets, and their values."""
        yield np.array(self.shape, np.uint64)
        yield self.values


def random_offsets(n_outputs: int, n_terms: int, spread: float, source: RandomWords) -> np.ndarray:
    """Draw offsets that lie as sums of random bits do, only closer together.

    Parameters
    ----------
    n_outputs, n_terms : int
        Number of neurons, and of terms in each sum.
    spread : float
        Their standard deviation in spreads of the sum, in [0, 1]; 0 draws no word.
    source : RandomWords
        Where bits come from: ``bits(n_outputs, n_terms)``.

    Returns
    -------
    ndarray of int32, shape (n_outputs,)
        ``spread * (2 * k - n_terms)``, halves to even, where k is the number of T in the row of bits; exact.

    Raises
    ------
    TypeError, ValueError
        If `spread` is no number in [0, 1].

    Examples
    --------
    >>> from bvar.bits import RandomWords
    >>> from bvar.layers.offset import random_offsets
    >>> offsets = random_offsets(1000, 100, 0.5, RandomWords(0))
    >>> round(float(offsets.std()), 1)
    5.2
    """
    spread = check_real(spread, "offset_spread", low=0)
    if spread > 1:
        raise ValueError(f"offset_spread must be in [0, 1], got {spread!r}")
    if not spread:
        return np.zeros(n_outputs, np.int32)
    sums = 2 * kernels.count_rows(source.bits(n_outputs, n_terms)).astype(np.int64) - n_terms
    exact = Fraction(spread)
    return np.array([round(exact * s) for s in sums.tolist()], np.int32)
