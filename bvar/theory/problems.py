"""Smooth losses on which the bound can be evaluated, since all that it asks for is known.

A quadratic, logistic regression, and a layer of units behind the smooth curve that stands for a threshold: each
with a lower bound of its values and a Lipschitz constant of its gradient (``docs/explanation/convergence.md``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import inf, pi, sqrt
from typing import Any

import numpy as np

from bvar._describe import Described
from bvar._validation import check_finite, check_real

__all__ = ["Logistic", "Problem", "Quadratic", "SmoothLayer"]

_LARGEST_BEND = 4 / (3 * sqrt(3))  # of tanh: the largest absolute value of its second derivative


class Problem(Described, ABC):
    """A smooth loss of weights, bounded from below.

    Attributes
    ----------
    shape : tuple of int
        Shape of the weights.
    lipschitz : float
        A Lipschitz constant of the gradient.
    least : float
        A lower bound of the loss, over all real weights.
    """

    shape: tuple[int, ...]
    lipschitz: float
    least: float = 0.0

    @abstractmethod
    def value(self, w: np.ndarray) -> float:
        """Compute the loss.

        Parameters
        ----------
        w : ndarray of float
            Weights, any real numbers.

        Returns
        -------
        float
            The loss.
        """

    @abstractmethod
    def gradient(self, w: np.ndarray, samples: np.ndarray | None = None) -> np.ndarray:
        """Compute the gradient, or an unbiased estimate of it.

        Parameters
        ----------
        w : ndarray of float
            Weights, any real numbers.
        samples : ndarray of int, optional
            Numbers of samples, drawn evenly, whose mean gradient is the estimate. Default: all.

        Returns
        -------
        ndarray of float
            Of the shape of `w`.
        """

    n_samples: int = 1


class Quadratic(Problem):
    r"""A quadratic, the mean over targets of :math:`\tfrac12 \sum_i a_i (w_i - c_{ki})^2`.

    Parameters
    ----------
    curvature : array-like of float, shape (n_weights,)
        The a, at least 0.
    targets : array-like of float, shape (n_samples, n_weights)
        The c.

    Raises
    ------
    TypeError, ValueError
        If a number is not finite, a curvature is negative, or shapes do not fit.

    Examples
    --------
    >>> from bvar.theory import Quadratic
    >>> problem = Quadratic([2.0, 1.0], [[0.5, 0.0]])
    >>> problem.gradient([1.0, -1.0])
    array([ 1., -1.])
    """

    def __init__(self, curvature: np.ndarray, targets: np.ndarray) -> None:
        self.targets = _matrix(targets, "targets")
        self.curvature = _vector(curvature, "curvature", self.targets.shape[1])
        if (self.curvature < 0).any():
            raise ValueError(f"curvature must be at least 0, got {self.curvature.min():g}")
        self.shape, self.n_samples = self.curvature.shape, len(self.targets)
        self.lipschitz = float(self.curvature.max())
        self.least = self.value(self.targets.mean(axis=0))

    def value(self, w: np.ndarray) -> float:
        """Compute the loss."""
        return float(self.curvature @ ((w - self.targets) ** 2).mean(axis=0)) / 2

    def gradient(self, w: np.ndarray, samples: np.ndarray | None = None) -> np.ndarray:
        """Compute the gradient."""
        targets = self.targets if samples is None else self.targets[samples]
        return self.curvature * (w - targets.mean(axis=0))


class Logistic(Problem):
    r"""Logistic regression: :math:`f(w) = \operatorname{mean}_k \log(1 + e^{-c\, y_k w \cdot x_k})`.

    Parameters
    ----------
    X : array-like of float, shape (n_samples, n_weights)
        Inputs.
    y : array-like of float, shape (n_samples,)
        Targets, +1 and -1.
    scale : float, default=1.0
        The c.

    Raises
    ------
    TypeError, ValueError
        If a number is not finite, a target is not +1 or -1, or shapes do not fit.

    Examples
    --------
    >>> from bvar.theory import Logistic
    >>> Logistic([[1.0, -1.0]], [1.0]).gradient([1.0, 1.0])
    array([-0.5,  0.5])
    """

    def __init__(self, X: np.ndarray, y: np.ndarray, scale: float = 1.0) -> None:
        self.X = _matrix(X, "X")
        self.y, self.scale = _signs(y, len(self.X)), check_real(scale, "scale", low=-inf)
        self.n_samples, *shape = self.X.shape
        self.shape = tuple(shape)
        self.lipschitz = self.scale**2 * _largest_eigenvalue(self.X) / 4

    def value(self, w: np.ndarray) -> float:
        """Compute the loss."""
        return float(_softplus(-self.scale * self.y * (self.X @ w)).mean())

    def gradient(self, w: np.ndarray, samples: np.ndarray | None = None) -> np.ndarray:
        """Compute the gradient."""
        X, y = _some(self.X, self.y, samples)
        return self.scale * _slope(self.scale * y * (X @ w), y) @ X / len(X)


class SmoothLayer(Problem):
    r"""A layer of signs behind the curve that stands for a threshold, with votes that are fixed.

    .. math:: f(W) = \operatorname{mean}_k \log(1 + e^{-y_k p_k}), \qquad
              p_k = \sum_j v_j \tanh(\alpha W_j \cdot x_k), \qquad \alpha = \frac{\pi}{2 \sqrt{3 n}}

    Parameters
    ----------
    X : array-like of float, shape (n_samples, n_inputs)
        Inputs, +1 and -1.
    y : array-like of float, shape (n_samples,)
        Targets, +1 and -1.
    v : array-like of float, shape (n_units,)
        Weight of each unit in the score.

    Raises
    ------
    TypeError, ValueError
        If a number is not finite, a target is not +1 or -1, or shapes do not fit.

    Notes
    -----
    Its gradient is what the votes on a Boolean layer stand for: those take signs instead of tanh on the way up,
    and the derivative of tanh on the way down.

    Examples
    --------
    >>> from bvar.theory import SmoothLayer
    >>> problem = SmoothLayer([[1.0, -1.0]], [1.0], [0.5, 0.5])
    >>> problem.value([[1.0, -1.0], [1.0, -1.0]]) < problem.value([[1.0, 1.0], [1.0, 1.0]])
    True
    """

    def __init__(self, X: np.ndarray, y: np.ndarray, v: np.ndarray) -> None:
        self.X = _matrix(X, "X")
        self.y, self.v = _signs(y, len(self.X)), _vector(v, "v")
        self.n_samples, n_inputs = self.X.shape
        self.shape = (len(self.v), n_inputs)
        self.alpha = pi / (2 * sqrt(3 * n_inputs))
        # the square of the slope of p, and the bend of p, each times that of the logistic loss
        bends = self.v @ self.v / 4 + _LARGEST_BEND * np.abs(self.v).max()
        self.lipschitz = float(self.alpha**2 * _largest_eigenvalue(self.X) * bends)

    def value(self, w: np.ndarray) -> float:
        """Compute the loss."""
        p = np.tanh(self.alpha * self.X @ np.transpose(w)) @ self.v
        return float(_softplus(-self.y * p).mean())

    def gradient(self, w: np.ndarray, samples: np.ndarray | None = None) -> np.ndarray:
        """Compute the gradient."""
        X, y = _some(self.X, self.y, samples)
        t = np.tanh(self.alpha * X @ np.transpose(w))
        z = _slope(y * (t @ self.v), y)[:, None] * self.v * (1 - t**2)
        return self.alpha * z.T @ X / len(X)


def _matrix(value: Any, name: str) -> np.ndarray:
    array = check_finite(value, name)
    if array.ndim != 2 or not array.size:
        raise ValueError(f"{name} must be a matrix with rows and columns, got shape {array.shape}")
    return array


def _vector(value: Any, name: str, length: int | None = None) -> np.ndarray:
    array = check_finite(value, name)
    if array.ndim != 1 or not array.size or (length is not None and len(array) != length):
        wanted = "at least one number" if length is None else f"{length} number(s)"
        raise ValueError(f"{name} must be a vector of {wanted}, got shape {array.shape}")
    return array


def _signs(y: Any, length: int) -> np.ndarray:
    array = _vector(y, "y", length)
    if not (np.abs(array) == 1).all():
        raise ValueError("y must hold +1 and -1 only")
    return array


def _some(X: np.ndarray, y: np.ndarray, samples: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    return (X, y) if samples is None else (X[samples], y[samples])


def _softplus(x: np.ndarray) -> np.ndarray:
    return np.logaddexp(0.0, x)


def _slope(margin: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Slope of the logistic loss in the score, for a margin ``y * score``."""
    return -y / (1 + np.exp(margin))


def _largest_eigenvalue(X: np.ndarray) -> float:
    """Largest eigenvalue of the mean of ``x x^T``."""
    return float(np.linalg.norm(X, 2) ** 2 / len(X))
