r"""Radial features of places (``docs/explanation/functional-priors.md``).

.. math:: \phi_k(x) = e^{-|x - c_k|^2 / \ell^2}

with the centres on a regular grid in a box.  Networks of such features are local, as those of coordinates are not.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import cdist

from bvar._describe import Described
from bvar._validation import as_numbers, check_integer, check_real

__all__ = ["RBFEmbedding"]

MOST_CENTERS = 10_000  # each is a feature of every sample


class RBFEmbedding(Described):
    """Features that say how near a place is to each of some centres.

    Parameters
    ----------
    low, high : array-like of float, shape (n_inputs,)
        Corners of the box.
    n_per_axis : int, default=15
        Centres along each axis, from corner to corner.
    length : float, default=1.0
        The length, positive, in units of the inputs.

    Attributes
    ----------
    centers : ndarray of float64, shape (n_per_axis ** n_inputs, n_inputs)
        The centres.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    See Also
    --------
    SpatialPrior : Takes features as inputs.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import RBFEmbedding
    >>> features = RBFEmbedding([-4, -4], [4, 4], n_per_axis=5, length=1.0)
    >>> features(np.zeros((3, 2))).shape, features(np.zeros((1, 2))).max()
    ((3, 25), np.float64(1.0))
    """

    def __init__(self, low: ArrayLike, high: ArrayLike, *, n_per_axis: int = 15, length: float = 1.0) -> None:
        a, b = as_numbers(low, "low"), as_numbers(high, "high")
        if a.ndim != 1 or a.shape != b.shape or not np.isfinite([a, b]).all() or not (a <= b).all():
            raise ValueError(f"low and high must be corners of a box, got {low!r} and {high!r}")
        n = check_integer(n_per_axis, "n_per_axis", low=1)
        if n ** len(a) > MOST_CENTERS:
            raise ValueError(
                f"n_per_axis must make at most {MOST_CENTERS} centres, got {n} along each of {len(a)} axes"
            )
        self.length = check_real(length, "length", low=0, strict=True)
        axes = [np.linspace(*ends, n) if n > 1 else [sum(ends) / 2] for ends in zip(a, b, strict=True)]
        self.centers = np.array(list(product(*axes)))

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Compute features.

        Parameters
        ----------
        X : ndarray of float, shape (n, n_inputs)
            Places.

        Returns
        -------
        ndarray of float64, shape (n, n_centers)
            In (0, 1].
        """
        return np.exp(-cdist(X, self.centers, "sqeuclidean") / self.length**2)
