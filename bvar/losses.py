r"""Losses that turn integer scores into integer signals (``docs/explanation/exactness.md``).

For scores s and the class y of a sample, cross-entropy at temperature T has the signal

.. math:: z_j = \operatorname{round}(127 \, p_j) - 127 \, [j = y], \qquad
          p_j = \frac{t(s_{\max} - s_j)}{\sum_k t(s_{\max} - s_k)}, \qquad t(d) \approx 2^{20} e^{-d / T} ,

where t is a table of integers: differences of scores are integers too, so nothing is ever rounded but once, and
the same way everywhere.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from bvar._fixed_point import exp_table, sqrt
from bvar._validation import check_array, check_integer, check_real

__all__ = ["CrossEntropy"]

SIGNAL_MAX = 127
"""Largest signal: int8 without its lonely -128, so that signals come in pairs of opposite sign."""


class CrossEntropy:
    """Cross-entropy of integer scores, all in integers.

    Parameters
    ----------
    fan_in : int
        Number of terms in a score; random scores have a spread of its square root.
    temperature : float, default=1.0
        The temperature T in units of that spread.

    Raises
    ------
    TypeError, ValueError
        If `fan_in` is not a positive integer or `temperature` not a positive number.

    Attributes
    ----------
    table : ndarray of int64
        ``table[d]`` is ``round(2**20 * exp(-d / T))``; the last entry is 0.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.losses import CrossEntropy
    >>> loss = CrossEntropy(fan_in=100)
    >>> scores = np.array([[20, 20, -80]], dtype=np.int32)
    >>> loss.signals(scores, np.array([1]))
    array([[ 63, -64,   0]], dtype=int8)
    """

    BITS = 20

    def __init__(self, fan_in: int, temperature: float = 1.0) -> None:
        check_integer(fan_in, "fan_in", low=1)
        check_real(temperature, "temperature", low=0, strict=True)
        # the float is read as the exact fraction that it is: no rounding enters here
        scale = sqrt(fan_in * Fraction(temperature) ** 2)
        self.table = exp_table(scale, self.BITS)

    def signals(self, scores: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Compute the signal of each score.

        Parameters
        ----------
        scores : ndarray of int32, shape (n_samples, n_classes)
            Outputs of the last layer.
        y : ndarray of int, shape (n_samples,)
            Classes, as indices of columns of `scores`.

        Returns
        -------
        ndarray of int8, shape (n_samples, n_classes)
            Signals in [-127, 127]; positive means that the loss rises with the score.

        Raises
        ------
        TypeError, ValueError
            If a class is not the index of a column, or shapes disagree.
        """
        y = _check_classes(scores, y)
        weights, total = self._weights(scores)
        z = (2 * SIGNAL_MAX * weights + total) // (2 * total)
        z[np.arange(len(y)), y] -= SIGNAL_MAX
        return z.astype(np.int8)

    def values(self, scores: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Compute the loss of each sample, for people to look at.

        Parameters
        ----------
        scores : ndarray of int32, shape (n_samples, n_classes)
            Outputs of the last layer.
        y : ndarray of int, shape (n_samples,)
            Classes.

        Returns
        -------
        ndarray of float64, shape (n_samples,)
            Losses in nats, at most ``20 * log(2)``, where the table ends.
        """
        y = _check_classes(scores, y)
        weights, total = self._weights(scores)
        chosen = np.maximum(weights[np.arange(len(y)), y], 1)
        return np.log(total[:, 0]) - np.log(chosen)

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Turn scores into probabilities.

        Parameters
        ----------
        scores : ndarray of int32, shape (n_samples, n_classes)
            Outputs of the last layer.

        Returns
        -------
        ndarray of float64, shape (n_samples, n_classes)
            Rows that sum to one, each entry one division of two integers.
        """
        weights, total = self._weights(scores)
        return weights / total

    def _weights(self, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        scores = check_array(scores, "scores", dtype=np.int32, ndim=2).astype(np.int64)
        distance = scores.max(axis=1, keepdims=True) - scores
        weights = self.table[np.minimum(distance, len(self.table) - 1)]
        return weights, weights.sum(axis=1, keepdims=True)


def _check_classes(scores: np.ndarray, y: np.ndarray) -> np.ndarray:
    y = np.asarray(y)
    if y.ndim != 1 or y.dtype.kind not in "iu":
        raise TypeError(f"y must be a 1-D array of class indices, got {y.dtype} of shape {y.shape}")
    if len(y) != len(scores):
        raise ValueError(f"y has {len(y)} entries but scores has {len(scores)} rows: they must agree")
    if len(y) and (y.min() < 0 or y.max() >= scores.shape[1]):
        raise ValueError(f"y must be in [0, {scores.shape[1] - 1}], got [{y.min()}, {y.max()}]")
    return y
