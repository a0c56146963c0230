"""Where floats become the integers that Boolean layers take, and back (``docs/explanation/real-ends.md``).

Elementwise roundings by fixed rules, one home for each.
"""

from __future__ import annotations

import numpy as np

__all__ = ["LEAST_EPSILON", "ONE", "fixed_point", "floats", "to_votes"]

ONE = 64
"""The integer that stands for 1 before a threshold: a sum is known to a 64th of its spread."""

LEAST_EPSILON = float(np.finfo(np.float32).tiny)
"""What may be added to a variance, to keep it from 0: float32 holds nothing smaller in full."""

_LIMIT = 2**30  # of int32 with room for a difference of two


def fixed_point(u: np.ndarray) -> np.ndarray:
    """Give real numbers as multiples of 1 / ONE, int32.

    Rounded down, so that u >= t / ONE exactly where the result is at least t, for every integer t.
    """
    y = np.asarray(ONE * u)
    np.floor(y, out=y)  # in place: for sums of images, fresh memory costs more than arithmetic
    return np.clip(y, -_LIMIT, _LIMIT, out=y).astype(np.int32)


def to_votes(g: np.ndarray) -> np.ndarray:
    """Round to the nearest integer, int32, halves to even."""
    return np.clip(np.rint(g), -_LIMIT, _LIMIT).astype(np.int32)


def floats(z: np.ndarray) -> np.ndarray:
    """Give signals as floats: int8 ones, which a threshold passes down, would wrap in sums and products."""
    return z if z.dtype.kind == "f" else z.astype(np.float32)
