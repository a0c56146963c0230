"""The arc-sine kernel, the prior covariance of infinitely many one-bit units, as a kernel of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.gaussian_process.kernels import Kernel

__all__ = ["ArcSine"]


class ArcSine(Kernel):
    r"""The kernel of infinitely many one-bit units with normal or random signs for their inputs.

    .. math:: k(x, x') = \frac{2}{\pi} \arcsin \frac{x \cdot x'}{|x| |x'|}

    It depends on directions only; a constant column, appended as a bias, makes it depend on places.

    Parameters
    ----------
    depth : int, default=1
        How often the map is applied: :math:`k_{l+1} = \frac{2}{\pi} \arcsin k_l`.

    See Also
    --------
    GaussianProcess : Takes it.

    References
    ----------
    C. K. I. Williams, "Computing with infinite networks", NIPS 1996 (for sigmoid and Gaussian units).

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import ArcSine
    >>> ArcSine()(np.array([[1.0, 1.0]]), np.array([[1.0, 0.0], [1.0, 1.0]])).round(6)
    array([[0.5, 1. ]])
    """

    def __init__(self, depth: int = 1) -> None:
        self.depth = depth

    def __call__(self, X: ArrayLike, Y: ArrayLike | None = None, eval_gradient: bool = False) -> Any:
        """Return the matrix of the kernel.

        Parameters
        ----------
        X : array-like of shape (n, n_inputs)
            Points, none of them 0.
        Y : array-like of shape (m, n_inputs), optional
            Others. Default: `X`.
        eval_gradient : bool, default=False
            Whether to return the gradient with respect to hyper-parameters too, of which there are none.

        Returns
        -------
        K : ndarray of float64, shape (n, m)
            The matrix.
        gradient : ndarray of float64, shape (n, n, 0)
            Only with `eval_gradient`.
        """
        A, B = (np.asarray(V, dtype=float) for V in (X, X if Y is None else Y))
        A, B = (V / np.linalg.norm(V, axis=1, keepdims=True) for V in (A, B))
        K = (A @ B.T).clip(-1, 1)
        for _ in range(self.depth):
            K = 2 / np.pi * np.arcsin(K)
        return (K, np.empty((*K.shape, 0))) if eval_gradient else K

    def diag(self, X: ArrayLike) -> np.ndarray:
        """Return the prior variances at points, all 1.

        Parameters
        ----------
        X : array-like of shape (n, n_inputs)
            Points.

        Returns
        -------
        ndarray of float64, shape (n,)
            Ones.
        """
        return np.ones(len(np.asarray(X)))

    def is_stationary(self) -> bool:
        """Return whether the kernel depends on differences of points only.

        Returns
        -------
        bool
            False.
        """
        return False
