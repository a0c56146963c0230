"""Standard deviations to divide by: 1 where nothing varies.

The deviation of equal numbers may be rounded to something that is not 0; dividing by that makes noise of nothing.
"""

from __future__ import annotations

import numpy as np

__all__ = ["spreads"]


def spreads(values: np.ndarray) -> np.ndarray:
    """Return the standard deviation of each column, 1 for a column of equal numbers; NaN is left out."""
    varies = np.nanmax(values, axis=0) > np.nanmin(values, axis=0)
    return np.where(varies, np.nanstd(values, axis=0), 1.0)
