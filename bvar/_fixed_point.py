r"""Smooth functions as integers, the same on every machine.

The C library's ``exp`` and ``cos`` may differ in the last bit between platforms, and one such bit would be a
different model.  These tables are computed with the correctly rounded arithmetic of :mod:`decimal` instead, with
forty digits, and then rounded once, halves to even; a cosine is computed in integers of as many.  A port may also
copy the tables, or compute them with any arithmetic that is good to about twenty digits.

Losses need a logarithm of many integers, and get one of integer operations alone, see :func:`log`.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from fractions import Fraction
from functools import cache
from math import isqrt

import numpy as np

__all__ = [
    "LOG_BITS",
    "PI",
    "cosine",
    "exp_table",
    "half_cosine",
    "log",
    "median_of_largest",
    "rounded_root",
    "sech2_table",
    "sqrt",
]

LOG_BITS = 32
"""Bits behind the point of a logarithm, and of a loss."""

_CONTEXT = Context(prec=40, rounding=ROUND_HALF_EVEN)
PI = Decimal("3.141592653589793238462643383279502884197")
_STEEP = Decimal(200)
_COSINE_BITS = 128
_TWO_PI = int(Fraction(PI) * 2 ** (_COSINE_BITS + 1))


def sqrt(value: Fraction | int) -> Decimal:
    """Square root, to forty digits."""
    with localcontext(_CONTEXT):
        return _decimal(value).sqrt()


def rounded_root(value: Fraction | int) -> int:
    """Square root as the nearest integer, halves up."""
    return (isqrt(int(4 * value)) + 1) // 2  # of twice the root, the whole part


def exp_table(scale: Decimal, bits: int) -> np.ndarray:
    """Tabulate ``round(2**bits * exp(-d / scale))`` for d = 0, 1, ... up to the first 0; int64."""
    with localcontext(_CONTEXT):
        step = (-1 / scale).exp()
        return _tabulate(lambda d: step**d, Decimal(2**bits))


def sech2_table(alpha: Decimal, gain: Decimal, bits: int, width: float = 1.0) -> np.ndarray:
    """Tabulate ``round(2**bits * gain * (1 - tanh(alpha d / width)**2))`` for d = 0, 1, ... up to the first 0.

    A width of 0 stands for its limit, 1 in place of the bracket at d = 0 and 0 elsewhere; int64.
    """
    with localcontext(_CONTEXT):
        # at _STEEP all but the first entry are below 4 exp(-200): steeper curves have the same table
        step = (-min(2 * alpha / Decimal(width), _STEEP) if width else -_STEEP).exp()
        # 1 - tanh(u)^2 = 4 e / (1 + e)^2 with e = exp(-2u)
        return _tabulate(lambda d: 4 * step**d / (1 + step**d) ** 2, gain * 2**bits)


def log(n: np.ndarray) -> np.ndarray:
    r"""Natural logarithm of integers from 1 to 2**52, in units of 2**-32, off by less than 0.53; int64.

    Write :math:`n = 2^e m` with m in [1, 2), and let r be a number of 22 bits near 1/m, one for each value of the
    first ten bits of m. Then :math:`\ln n = e \ln 2 - \ln r + \ln(1 + x)` with :math:`x = m r - 1`, of a size
    below 2**-10, and three terms of the series are good to 2**-42. All is done with 40 bits behind the point,
    where the first two terms are tables, and rounded to 32 at the end. The 0.03 beyond a half are seven roundings
    before the last one, of at most 1, 1, 1, 1/2, 1, 1/2 and 1/2 units of 2**-40, and the rest of the series.
    """
    reciprocals, logs, powers = _log_tables()
    fractions, exponents = np.frexp(n)  # exact: all these integers are floats, and the fractions n / 2**(e + 1)
    m = (fractions * 2**41).astype(np.int64)
    which = (m >> 30) - 2**10
    x = (m * reciprocals[which] - 2**62) >> 22
    square = x * x >> 40
    series = x - (square >> 1) + square * x // (3 * 2**40)
    return (powers[exponents - 1] + logs[which] + series + 2**7) >> 8


@cache
def _log_tables() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Reciprocals of the middles of 1024 parts of [1, 2) in 22 bits, minus their logarithms, and ``e ln 2``."""
    with localcontext(_CONTEXT):
        r = [round(Fraction(2**33, 2**11 + 2 * i + 1)) for i in range(2**10)]
        logs = [-(Decimal(one) / 2**22).ln() for one in r]
        powers = [e * Decimal(2).ln() for e in range(53)]
        rounded = [[int((2**40 * one).to_integral_value()) for one in ones] for ones in (logs, powers)]
    return np.array(r), np.array(rounded[0]), np.array(rounded[1])


def median_of_largest(n: int) -> Decimal:
    """Median of the largest of n independent standard normal numbers: Phi(t)**n = 1/2; to thirty digits."""
    with localcontext(_CONTEXT):
        share = (Decimal(1) / 2) ** (Decimal(1) / n)  # of numbers below t
        low, high = Decimal(0), Decimal(8)
        for _ in range(110):  # 8 / 2**110 is below 1e-32
            middle = (low + high) / 2
            low, high = (middle, high) if _normal(middle) < share else (low, middle)
        return low


def _normal(t: Decimal) -> Decimal:
    """Share of a standard normal distribution below t >= 0: 1/2 + density * (t + t**3/3 + t**5/(3 * 5) + ...)."""
    term = total = t
    k = 1
    while term > Decimal("1e-38"):
        k += 2
        term *= t * t / k
        total += term
    return Decimal("0.5") + total * (-t * t / 2).exp() / (2 * PI).sqrt()


def cosine(turns: Fraction) -> float:
    """Cosine of a fraction of a full turn, as the nearest float.

    A Taylor series in integers with 128 bits behind the point, off by less than 2**-120; a schedule asks for one
    in every step.
    """
    part = abs(turns - round(turns))  # of a turn, at most a half
    angle = _TWO_PI * part.numerator // part.denominator
    square = angle * angle >> _COSINE_BITS
    term = total = 1 << _COSINE_BITS
    k = 0
    while term:
        k += 2
        term = term * square // (k * (k - 1)) >> _COSINE_BITS
        total += -term if k % 4 else term
    return total / (1 << _COSINE_BITS)  # a quotient of integers is the nearest float


def half_cosine(step: int, n_steps: int | None) -> float:
    """Fall from 1 to 0 over `n_steps` along half a cosine wave, and stay there; without an end stay at 1."""
    if n_steps is None:
        return 1.0
    return (1 + cosine(Fraction(min(step, n_steps), 2 * n_steps))) / 2


def _tabulate(function: Callable[[int], Decimal], factor: Decimal) -> np.ndarray:
    entries: list[int] = []
    while not entries or entries[-1]:
        entries.append(int((factor * function(len(entries))).to_integral_value()))
    return np.array(entries, dtype=np.int64)


def _decimal(value: Fraction | int) -> Decimal:
    fraction = Fraction(value)
    return Decimal(fraction.numerator) / Decimal(fraction.denominator)
