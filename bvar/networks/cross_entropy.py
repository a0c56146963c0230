r"""Cross-entropies: losses whose scores mean probabilities, by tables of exponentials that are integers.

A table holds :math:`2^{20} e^{-d / (T \sqrt n)}` for each difference d of scores; a probability is a quotient of
two of its entries, or of their sums, and so is each signal (``docs/explanation/exactness.md``).
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from bvar._fixed_point import exp_table, log, sqrt
from bvar._validation import LARGEST, as_array, check_array, check_integer, check_real
from bvar.networks.losses import SIGNAL_MAX, ProbabilisticLoss

__all__ = ["BinaryCrossEntropy", "CrossEntropy", "class_shares", "count_best", "integer_targets"]


class _OfTable(ProbabilisticLoss):
    """A loss whose probabilities are quotients of entries of a table."""

    BITS = 20
    _log_table: np.ndarray

    def __init__(self, fan_in: int, temperature: float = 1.0) -> None:
        self.table = _exp_table(fan_in, temperature, self.BITS)

    def _logarithms(self) -> np.ndarray:
        """Return logarithms of the table, for 0 that of 1; made once, and again where a loss was loaded."""
        if not hasattr(self, "_log_table"):
            self._log_table = log(np.maximum(self.table, 1))
        return self._log_table


class CrossEntropy(_OfTable):
    r"""Cross-entropy between softmax of the scores and one class.

    .. math:: z_j = \operatorname{round}(127 \, p_j) - 127 \, [j = y], \qquad
              p_j = \frac{t(s_{\max} - s_j)}{\sum_k t(s_{\max} - s_k)}, \qquad
              t(d) \approx 2^{20} e^{-d / (T \sqrt n)} ,

    with n the terms of a score and T the temperature.

    Parameters
    ----------
    fan_in : int
        Number of terms in a score; random scores have a spread of its square root.
    temperature : float, default=1.0
        The temperature T in units of that spread.

    Attributes
    ----------
    table : ndarray of int64
        ``table[d]`` is ``round(2**20 * exp(-d / (T * sqrt(n))))``; the last entry is 0.

    Raises
    ------
    TypeError, ValueError
        If `fan_in` is not a positive integer or `temperature` not a positive number.

    Notes
    -----
    The formula is :eq:`integer-loss` of ``docs/explanation/exactness.md``.

    Targets are class indices, shape (n_samples,), or soft: whole 127ths, shape (n_samples, n_classes), each row of
    which adds up to 127 (:func:`integer_targets`); the label in the formula is then their share.  Values are in
    nats, at most ``20 * log(2)`` above those of the best score, where the table ends.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.networks import CrossEntropy
    >>> loss = CrossEntropy(fan_in=100, temperature=1.0)
    >>> scores = np.array([[20, 20, -80]], dtype=np.int32)
    >>> loss.signals(scores, np.array([1]))
    array([[ 63, -64,   0]], dtype=int8)
    """

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
        parts, total = self._parts(self.check_scores(scores))
        return parts / total

    def n_correct(self, scores: np.ndarray, y: np.ndarray) -> int:
        """Count the samples whose best score is that of their class.

        Parameters
        ----------
        scores : ndarray of int32, shape (n_samples, n_classes)
            Outputs of the last layer.
        y : ndarray of int, shape (n_samples,) or (n_samples, n_classes)
            Classes, or soft targets, whose class is that of the largest share.

        Returns
        -------
        int
            Their number; of several best scores, or largest shares, the first counts.
        """
        return count_best(scores, y)

    def check_targets(self, scores: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Turn classes into shares, and check shares."""
        return class_shares(scores, y)

    def full_signals(self, scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Subtract the shares from the rounded softmax."""
        parts, total = self._parts(scores)
        return (2 * SIGNAL_MAX * parts + total) // (2 * total) - targets

    def fixed_values(self, scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Add up the logarithms of the probabilities by their shares."""
        distance = scores.max(axis=1, keepdims=True) - scores
        expected = (targets * _look_up(self._logarithms(), distance)).sum(axis=1)
        total = _look_up(self.table, distance).sum(axis=1)
        return log(total) - (2 * expected + SIGNAL_MAX) // (2 * SIGNAL_MAX)

    def _parts(self, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the softmax of scores as numerators and a denominator."""
        parts = _look_up(self.table, scores.max(axis=1, keepdims=True) - scores)
        return parts, parts.sum(axis=1, keepdims=True)


def integer_targets(y: np.ndarray, smoothing: np.ndarray, n_classes: int) -> np.ndarray:
    r"""Soften classes for :class:`CrossEntropy`: a part of the certainty goes to all classes alike.

    .. math:: t_j = \min\bigl(\operatorname{round}(127\, \gamma / K), \lfloor 127 / (K - 1) \rfloor\bigr) \quad
              (j \ne y), \qquad t_y = 127 - \sum_{j \ne y} t_j

    Parameters
    ----------
    y : ndarray of int, shape (n_samples,)
        Classes.
    smoothing : ndarray of float, shape (n_samples,)
        The part gamma of each sample, in [0, 1]; where it is 0, signals are those of the class, bit for bit.
    n_classes : int
        Number of classes K.

    Returns
    -------
    ndarray of int64, shape (n_samples, n_classes)
        Shares in 127ths.

    Raises
    ------
    TypeError, ValueError
        If the shapes disagree or a number is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.networks import integer_targets
    >>> integer_targets(np.array([0, 2]), np.array([0.0, 0.3]), 3)
    array([[127,   0,   0],
           [ 13,  13, 101]])
    """
    n_classes = check_integer(n_classes, "n_classes", low=1)
    smoothing = check_array(smoothing, "smoothing", dtype=(np.float64, np.float32), ndim=1)
    y = as_array(y, "y")
    if y.dtype.kind not in "iu":
        raise TypeError(f"y must be an array of classes, integers, got {y.dtype}")
    if y.size and not 0 <= y.min() <= y.max() < n_classes:
        raise ValueError(f"y must be in [0, {n_classes - 1}], got [{y.min()}, {y.max()}]")
    if smoothing.shape != y.shape:
        raise ValueError(f"smoothing must have the shape of y {y.shape}, got {smoothing.shape}")
    if not ((smoothing >= 0) & (smoothing <= 1)).all():
        raise ValueError("smoothing must be in [0, 1]")
    most = SIGNAL_MAX // max(
        1, n_classes - 1
    )  # rounded up for each of many classes, shares would exceed 127 in all
    others = np.minimum(np.rint(SIGNAL_MAX * smoothing / n_classes).astype(np.int64), most)
    shares = np.repeat(others[:, None], n_classes, axis=1)
    shares[np.arange(len(y)), y] = SIGNAL_MAX - (n_classes - 1) * others
    return shares


class BinaryCrossEntropy(_OfTable):
    r"""Cross-entropy of each score on its own against a label that is 0 or 1, for any number of labels at once.

    .. math:: z_j = (1 - 2 y_j) \operatorname{round}\bigl(127 \, \sigma((1 - 2 y_j) \, s_j / (T \sqrt n))\bigr) ,

    with n the terms of a score, T the temperature, and the logistic function from the table of
    :class:`CrossEntropy`.

    Parameters
    ----------
    fan_in : int
        Number of terms in a score.
    temperature : float, default=1.0
        The temperature T in units of the spread of random scores, the square root of n.

    Attributes
    ----------
    table : ndarray of int64
        As in :class:`CrossEntropy`.

    Raises
    ------
    TypeError, ValueError
        If `fan_in` is not a positive integer or `temperature` not a positive number.

    Notes
    -----
    Targets are 0 or 1, shape (n_samples, n_outputs).

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.networks import BinaryCrossEntropy
    >>> loss = BinaryCrossEntropy(fan_in=100, temperature=1.0)
    >>> loss.signals(np.array([[10, 10, -80]], dtype=np.int32), np.array([[0, 1, 0]]))
    array([[ 93, -34,   0]], dtype=int8)
    """

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Turn scores into probabilities of the label 1.

        Parameters
        ----------
        scores : ndarray of int32, shape (n_samples, n_outputs)
            Outputs of the last layer.

        Returns
        -------
        ndarray of float64, shape (n_samples, n_outputs)
            Probabilities, each one division of two integers.
        """
        part, total = self._logistic(self.check_scores(scores))
        return part / total

    def n_correct(self, scores: np.ndarray, y: np.ndarray) -> int:
        """Count the samples of which every label is right.

        Parameters
        ----------
        scores : ndarray of int32, shape (n_samples, n_outputs)
            Outputs of the last layer.
        y : ndarray of int, shape (n_samples, n_outputs)
            Labels.

        Returns
        -------
        int
            Their number; a score of 0 gives the label 0.
        """
        return int(np.count_nonzero(((scores > 0) == y).all(axis=1)))

    def check_targets(self, scores: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Check labels."""
        y = as_array(y, "y")
        if y.shape != scores.shape:
            raise ValueError(f"y must have the shape of scores {scores.shape}, got {y.shape}")
        if y.dtype.kind not in "biu" or not np.isin(y, (0, 1)).all():
            raise TypeError("y must be an array of labels 0 and 1")
        return y.astype(np.int64)

    def full_signals(self, scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Round the logistic function of each score that is on the wrong side."""
        wrong, total = self._logistic((1 - 2 * targets) * scores)
        return (1 - 2 * targets) * ((2 * SIGNAL_MAX * wrong + total) // (2 * total))

    def fixed_values(self, scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Add the losses of the labels."""
        small = _look_up(self.table, np.abs(scores))
        right = np.where(
            (2 * targets - 1) * scores > 0, log(self.table[:1]), _look_up(self._logarithms(), np.abs(scores))
        )
        return (log(self.table[0] + small) - right).sum(axis=1)

    def _logistic(self, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the logistic function of scores as a numerator and a denominator."""
        small = _look_up(self.table, np.abs(scores))
        return np.where(scores > 0, self.table[0], small), self.table[0] + small


def _exp_table(fan_in: int, temperature: float, bits: int) -> np.ndarray:
    fan_in = check_integer(fan_in, "fan_in", low=1, high=LARGEST)
    temperature = check_real(temperature, "temperature", low=0, strict=True)
    if not 1e-3 <= temperature <= 1e3:
        raise ValueError(f"temperature must be in [0.001, 1000], got {temperature!r}")
    # the float is read as the exact fraction that it is: no rounding enters here
    return exp_table(sqrt(fan_in * Fraction(temperature) ** 2), bits)


def _look_up(table: np.ndarray, distance: np.ndarray) -> np.ndarray:
    return table[np.minimum(distance, len(table) - 1)]


def class_shares(scores: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the shares of the classes in 127ths, after checking the targets."""
    y = as_array(y, "y")
    if y.ndim == 2 and y.dtype.kind in "iu":
        return _check_shares(y, scores)
    if y.ndim != 1 or y.dtype.kind not in "iu":
        raise TypeError(f"y must be a 1-D array of class indices, got {y.dtype} of shape {y.shape}")
    if len(y) != len(scores):
        raise ValueError(f"y has {len(y)} entries but scores has {len(scores)} rows: they must agree")
    if len(y) and (y.min() < 0 or y.max() >= scores.shape[1]):
        raise ValueError(f"y must be in [0, {scores.shape[1] - 1}], got [{y.min()}, {y.max()}]")
    shares = np.zeros(scores.shape, np.int64)
    shares[np.arange(len(y)), y] = SIGNAL_MAX
    return shares


def count_best(scores: np.ndarray, y: np.ndarray) -> int:
    """Count the samples whose best score is that of their class, or of their largest share."""
    classes = np.asarray(y) if np.ndim(y) == 1 else np.argmax(y, axis=1)
    return int(np.count_nonzero(scores.argmax(axis=1) == classes))


def _check_shares(y: np.ndarray, scores: np.ndarray) -> np.ndarray:
    if y.shape != scores.shape:
        raise ValueError(
            f"y must be {len(scores)} classes in one row, or shares of the shape of scores {scores.shape}, "
            f"got shape {y.shape}"
        )
    if len(y) and (y.min() < 0 or (y.sum(axis=1) != SIGNAL_MAX).any()):
        raise ValueError(f"y must be shares that are not negative and add up to {SIGNAL_MAX} in each row")
    return y.astype(np.int64)
