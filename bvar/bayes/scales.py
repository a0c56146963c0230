"""Standard deviations to divide by: 1 where nothing varies.

The deviation of equal numbers may be rounded to something that is not 0; dividing by that makes noise of nothing.
Squares of numbers that are very large or very small are no floats; what has such a deviation is refused.
"""

from __future__ import annotations

import numpy as np

__all__ = ["check_magnitude", "deviations", "spreads"]

_LARGEST = 1e150  # the square of a larger number overflows


def spreads(values: np.ndarray, name: str) -> np.ndarray:
    """Return the standard deviation of each column, 1 for a column of equal numbers; NaN is left out."""
    check_magnitude(values, name)
    varies = np.nanmax(values, axis=0) > np.nanmin(values, axis=0)
    return deviations(np.nanstd(values, axis=0), varies, name)


def check_magnitude(values: np.ndarray, name: str) -> None:
    """Refuse numbers whose squares overflow; NaN is left out."""
    if np.abs(values).max(initial=0, where=~np.isnan(values)) > _LARGEST:
        raise ValueError(f"{name} must be within {_LARGEST:g} of 0, or its variance overflows: scale it down")


def deviations(found: np.ndarray, varies: np.ndarray, name: str) -> np.ndarray:
    """Return deviations, 1 for what does not vary, after checking that what varies can be divided by them."""
    if (varies & ~(found > 0)).any():
        raise ValueError(f"{name} must not vary so little that its variance rounds to 0: scale it up")
    return np.where(varies, found, 1.0)
