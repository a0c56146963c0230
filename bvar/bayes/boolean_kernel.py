r"""What a random Boolean network believes, in exact fractions (``docs/explanation/boolean-beliefs.md``).

Let the weights of :math:`f(x) = m^{-1/2} \sum_j v_j \, h(\sum_i w_{ji} x_i)` be fair coins, and n the number of
bits.  Then f has mean 0, and its covariance at two inputs depends on the number d of bits in which they differ:

.. math:: k_n(d) = P(|A| - |D| > t) - P(|D| - |A| > t) ,

with A and D sums of n - d and of d random signs, and h the sign of a sum that is beyond t, else 0.  Everything
here is counted, so it is the same everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from math import comb
from typing import TypeVar

from bvar._validation import check_integer

__all__ = ["boolean_kernel", "boolean_kernels", "parity_variances"]

Number = TypeVar("Number", float, Fraction)


def boolean_kernel(n: int, d: int, dead_zone: int = 0) -> Fraction:
    r"""Covariance of a random Boolean network with one hidden layer, at inputs that differ in d of n bits.

    Parameters
    ----------
    n : int
        Number of bits, at least 1.
    d : int
        Hamming distance, 0 to `n`.
    dead_zone : int, default=0
        Sums of this size or less give the third value 0, at least 0. With 0 only a tie does, which an odd number
        of bits cannot have.

    Returns
    -------
    Fraction
        The covariance, whatever the width.

    Raises
    ------
    TypeError, ValueError
        If an argument is no integer or out of range.

    See Also
    --------
    NetworkKernel : The same between samples, and of deeper networks.

    Notes
    -----
    :class:`bvar.layers.Threshold` gives T at a tie: for even n its networks have the kernel of n + 1. A constant
    input counts as a bit in which no two inputs differ.

    Examples
    --------
    >>> from bvar.bayes import boolean_kernel
    >>> [str(boolean_kernel(5, d)) for d in range(6)]
    ['1', '1/4', '1/4', '-1/4', '-1/4', '-1']
    """
    n = check_integer(n, "n", low=1)
    d = check_integer(d, "d", low=0, high=n)
    dead_zone = check_integer(dead_zone, "dead_zone", low=0)
    same, other = _sizes(n - d), _sizes(d)
    return Fraction(_surplus(same, other, dead_zone) - _surplus(other, same, dead_zone), 2**n)


def boolean_kernels(n: int, dead_zone: int = 0) -> list[Fraction]:
    """List the covariances at all distances.

    Parameters
    ----------
    n : int
        Number of bits, at least 1.
    dead_zone : int, default=0
        See :func:`boolean_kernel`.

    Returns
    -------
    list of Fraction
        Those at the distances 0 to n.

    Raises
    ------
    TypeError, ValueError
        If an argument is no integer or out of range.

    Examples
    --------
    >>> from bvar.bayes import boolean_kernels
    >>> [str(k) for k in boolean_kernels(4)]
    ['5/8', '1/4', '0', '-1/4', '-5/8']
    """
    n = check_integer(n, "n", low=1)
    upper = [boolean_kernel(n, d, dead_zone) for d in range(n // 2 + 1)]
    return upper + [-k for k in upper[(n - 1) // 2 :: -1]]  # A and D change places


def parity_variances(kernel: Sequence[Number]) -> list[Number]:
    r"""Prior variance of a parity of each degree: the eigenvalues of a kernel of Hamming distances, over 2**n.

    .. math:: \lambda_s = 2^{-n} \sum_d k(d) \sum_i (-1)^i \binom{s}{i} \binom{n - s}{d - i}

    Parameters
    ----------
    kernel : sequence of Fraction or float
        Covariances at the distances 0 to n.

    Returns
    -------
    list of Fraction or float
        For each degree s from 0 to n the variance of the coefficient of one parity of s bits; there are
        :math:`\binom{n}{s}` of them.

    Examples
    --------
    Even parities are not believed in at all:

    >>> from bvar.bayes import boolean_kernels, parity_variances
    >>> [str(v) for v in parity_variances(boolean_kernels(5))]
    ['0', '9/64', '0', '1/64', '0', '9/64']
    """
    n = len(kernel) - 1
    return [sum(k * _parities(n, s, d) for d, k in enumerate(kernel)) / 2**n for s in range(n + 1)]


def _parities(n: int, s: int, d: int) -> int:
    """Sum a parity of s bits over all inputs with d bits T: a Krawtchouk polynomial."""
    return sum((-1) ** i * comb(s, i) * comb(n - s, d - i) for i in range(min(s, d) + 1))


def _sizes(n: int) -> list[int]:
    """Count for a = 0 .. n the sums of n signs whose absolute value is a."""
    return [(2 if a else 1) * comb(n, (n - a) // 2) if (n - a) % 2 == 0 else 0 for a in range(n + 1)]


def _surplus(large: list[int], small: list[int], dead_zone: int) -> int:
    """Count the pairs of which the first is larger by more than the dead zone."""
    below = list(accumulate(small))
    return sum(
        count * below[min(a - dead_zone, len(below)) - 1]
        for a, count in enumerate(large)
        if count and a > dead_zone
    )
