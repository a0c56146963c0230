"""How data follow from values of functions: minus log densities, and their gradients with respect to the values.

Values F have the shape (n_draws, n, n_outputs); data have the shape (n, ...), the same for all draws, or
(n_draws, n, ...).  Constants are left in, so that losses compare.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from scipy.special import expit, log_softmax, softmax

from bvar._describe import Described
from bvar._validation import as_array, check_real

__all__ = ["BernoulliLikelihood", "CategoricalLikelihood", "GaussianLikelihood", "Likelihood", "data_of"]


class Likelihood(Protocol):
    """A law of data given values of functions."""

    def loss(self, F: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return minus the log densities of samples, shape (n_draws, n)."""

    def gradient(self, F: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return the gradient of the sum of losses with respect to F, of its shape."""


def data_of(y: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return data after checking their shape, that of all draws or of each: no number stands for several."""
    array = as_array(y, "y")
    if array.shape not in (shape, shape[1:]):
        raise ValueError(f"y must have shape {shape[1:]} or {shape} as the values, got {array.shape}")
    return array


class GaussianLikelihood(Described):
    """Values and normal noise; y of shape (n, n_outputs).

    Parameters
    ----------
    noise : float
        Variance of the noise, positive.

    See Also
    --------
    CategoricalLikelihood, BernoulliLikelihood : Classes and pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import GaussianLikelihood
    >>> GaussianLikelihood(0.5).gradient(np.ones((1, 2, 1)), np.zeros((2, 1))).ravel()
    array([2., 2.])
    """

    def __init__(self, noise: float) -> None:
        self.noise = check_real(noise, "noise", low=0, strict=True)

    def loss(self, F: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return minus the log densities.

        Parameters
        ----------
        F : ndarray of float, shape (n_draws, n, n_outputs)
            Values.
        y : ndarray of float, shape (n, n_outputs) or (n_draws, n, n_outputs)
            Data.

        Returns
        -------
        ndarray of float64, shape (n_draws, n)
            In nats.

        Raises
        ------
        ValueError
            If `y` has another shape.
        """
        y = data_of(y, F.shape)
        return ((F - y) ** 2 / self.noise + np.log(2 * np.pi * self.noise)).sum(axis=-1) / 2

    def gradient(self, F: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return the gradient of the sum of losses.

        Parameters
        ----------
        F : ndarray of float, shape (n_draws, n, n_outputs)
            Values.
        y : ndarray of float, shape (n, n_outputs) or (n_draws, n, n_outputs)
            Data.

        Returns
        -------
        ndarray of float64, shape (n_draws, n, n_outputs)
            With respect to F.

        Raises
        ------
        ValueError
            If `y` has another shape.
        """
        return (F - data_of(y, F.shape)) / self.noise

    def variances(self, F: np.ndarray) -> np.ndarray:
        """Return the variances of data around their means.

        Parameters
        ----------
        F : ndarray of float, shape (n_draws, n, n_outputs)
            Values.

        Returns
        -------
        ndarray of float64, shape (n_draws, n, n_outputs)
            The noise.
        """
        return np.full(F.shape, self.noise)


class CategoricalLikelihood(Described):
    """Classes by the softmax of values; y holds class numbers, of shape (n,).

    See Also
    --------
    GaussianLikelihood, BernoulliLikelihood : Numbers and pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import CategoricalLikelihood
    >>> CategoricalLikelihood().loss(np.zeros((1, 1, 4)), np.array([2])).round(6)
    array([[1.386294]])
    """

    def loss(self, F: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return minus the log probabilities.

        Parameters
        ----------
        F : ndarray of float, shape (n_draws, n, n_classes)
            Values.
        y : ndarray of int, shape (n,) or (n_draws, n)
            Classes.

        Returns
        -------
        ndarray of float64, shape (n_draws, n)
            In nats.

        Raises
        ------
        TypeError, ValueError
            If `y` has another shape, or is not of integers from 0 to n_classes - 1.
        """
        indices = np.broadcast_to(_classes(y, F.shape), F.shape[:2])[..., None]
        return -np.take_along_axis(log_softmax(F, axis=-1), indices, axis=-1)[..., 0]

    def gradient(self, F: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return the gradient of the sum of losses.

        Parameters
        ----------
        F : ndarray of float, shape (n_draws, n, n_classes)
            Values.
        y : ndarray of int, shape (n,) or (n_draws, n)
            Classes.

        Returns
        -------
        ndarray of float64, shape (n_draws, n, n_classes)
            With respect to F.

        Raises
        ------
        TypeError, ValueError
            If `y` has another shape, or is not of integers from 0 to n_classes - 1.
        """
        return softmax(F, axis=-1) - (_classes(y, F.shape)[..., None] == np.arange(F.shape[-1]))


def _classes(y: Any, shape: tuple[int, ...]) -> np.ndarray:
    codes = data_of(y, shape[:2])
    if codes.dtype.kind not in "iu":
        raise TypeError(f"y must be integers, the numbers of classes, got dtype {codes.dtype}")
    if codes.size and not 0 <= codes.min() <= codes.max() < shape[2]:
        raise ValueError(f"y must be in [0, {shape[2] - 1}], got some in [{codes.min()}, {codes.max()}]")
    return codes


class BernoulliLikelihood(Described):
    """Pixels between 0 and 1 by the logistic function of values: cross-entropy, without a constant for grey.

    See Also
    --------
    GaussianLikelihood, CategoricalLikelihood : Numbers and classes.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import BernoulliLikelihood
    >>> BernoulliLikelihood().loss(np.zeros((1, 1, 2)), np.array([[0.0, 1.0]])).round(6)
    array([[1.386294]])
    """

    def loss(self, F: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return cross-entropies.

        Parameters
        ----------
        F : ndarray of float, shape (n_draws, n, n_outputs)
            Values.
        y : ndarray of float, shape (n, n_outputs) or (n_draws, n, n_outputs)
            Data, in [0, 1].

        Returns
        -------
        ndarray of float64, shape (n_draws, n)
            In nats.

        Raises
        ------
        ValueError
            If `y` has another shape.
        """
        return (np.logaddexp(0, F) - data_of(y, F.shape) * F).sum(axis=-1)

    def gradient(self, F: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return the gradient of the sum of losses.

        Parameters
        ----------
        F : ndarray of float, shape (n_draws, n, n_outputs)
            Values.
        y : ndarray of float, shape (n, n_outputs) or (n_draws, n, n_outputs)
            Data, in [0, 1].

        Returns
        -------
        ndarray of float64, shape (n_draws, n, n_outputs)
            With respect to F.

        Raises
        ------
        ValueError
            If `y` has another shape.
        """
        return expit(F) - data_of(y, F.shape)

    def variances(self, F: np.ndarray) -> np.ndarray:
        """Return the variances of pixels as of coins.

        Parameters
        ----------
        F : ndarray of float, shape (n_draws, n, n_outputs)
            Values.

        Returns
        -------
        ndarray of float64, shape (n_draws, n, n_outputs)
            At most a quarter.
        """
        return expit(F) * expit(-F)
