r"""Losses of real scores, those of a last layer of real weights (``docs/explanation/real-ends.md``).

Float: reproducible by seed on one backend, outside the promise of equal bits.
"""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax

from bvar._validation import check_array, check_finite, check_real
from bvar.networks.cross_entropy import class_shares, count_best
from bvar.networks.losses import FULL_WEIGHT, LOSS_ONE, SIGNAL_MAX, Loss, ProbabilisticLoss, check_sample_weight

__all__ = ["RealHuber", "RealCrossEntropy"]


class RealCrossEntropy(ProbabilisticLoss):
    r"""Cross-entropy between softmax of real scores and one class.

    .. math:: z_j = 127 \, (p_j - [j = y]), \qquad p_j = \frac{e^{s_j}}{\sum_k e^{s_k}}

    There is no temperature, since real weights find their own, and signals are not rounded: those of samples that
    are almost right still teach the real weights. They are in 127ths all the same, as those of
    :class:`bvar.networks.CrossEntropy` are, so that the votes below are of the usual size.

    Notes
    -----
    Targets are class indices, shape (n_samples,), or soft: whole 127ths, shape (n_samples, n_classes), each row of
    which adds up to 127 (:func:`bvar.networks.integer_targets`).

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.real import RealCrossEntropy
    >>> RealCrossEntropy().signals(np.array([[2.0, 2.0, -9.0]], np.float32), np.array([1])).round(2)
    array([[ 63.5, -63.5,   0. ]], dtype=float32)
    """

    def _weighed(self, z: np.ndarray, sample_weight: np.ndarray | None) -> np.ndarray:
        """Multiply signals by the weights of samples; float32 in [-127, 127]."""
        return weigh_floats(z, sample_weight)

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Turn scores into probabilities, float64."""
        return np.exp(log_softmax(self.check_scores(scores), axis=1))

    def n_correct(self, scores: np.ndarray, y: np.ndarray) -> int:
        """Count the samples whose best score is that of their class, or of the largest share."""
        return count_best(scores, y)

    def check_scores(self, scores: np.ndarray) -> np.ndarray:
        """Check float32 scores, and make them float64."""
        return check_array(scores, "scores", dtype=np.float32, ndim=2).astype(np.float64)

    def check_targets(self, scores: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Turn classes into shares."""
        return class_shares(scores, y)

    def full_signals(self, scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Compute the signals of samples that count in full, in floats."""
        return SIGNAL_MAX * np.exp(log_softmax(scores, axis=1)) - targets

    def fixed_values(self, scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Round losses to units of 2**-32; those beyond 2**20, and NaN, count 2**20."""
        return np.rint(LOSS_ONE * np.fmin(nats(scores, targets), 2.0**20)).astype(np.int64)


def weigh_floats(z: np.ndarray, sample_weight: np.ndarray | None) -> np.ndarray:
    """Multiply signals by the weights of samples; float32."""
    if sample_weight is not None:
        z = z * (check_sample_weight(sample_weight, len(z)) / FULL_WEIGHT)[:, None]
    return z.astype(np.float32)


def nats(scores: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return the cross-entropy of each sample, before it is rounded to units."""
    return -(shares * log_softmax(scores, axis=1)).sum(axis=1) / SIGNAL_MAX


class RealHuber(Loss):
    r"""The Huber loss of real scores: nearly the L1 of the paper's super-resolution.

    .. math:: z_j = 127 \operatorname{clip}_{\pm 1} \frac{s_j - y_j}{c}

    Parameters
    ----------
    scale : float, default=1.0
        The distance c from which on signals are full: below it the error is squared, so that pixels that are
        almost right say little. Small ones make it L1.

    Raises
    ------
    TypeError, ValueError
        If `scale` is not a positive number.

    See Also
    --------
    bvar.networks.SquaredError : The same signals of integer scores.

    Notes
    -----
    Targets are finite numbers of the shape of the scores.  Values are means over the outputs, in units of
    the scale.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.real import RealHuber
    >>> loss = RealHuber(scale=0.5)
    >>> loss.signals(np.array([[0.0, 0.25, 9.0]], np.float32), np.zeros((1, 3), np.float32))
    array([[  0. ,  63.5, 127. ]], dtype=float32)
    """

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = check_real(scale, "scale", low=0, strict=True)

    def _weighed(self, z: np.ndarray, sample_weight: np.ndarray | None) -> np.ndarray:
        """Multiply signals by the weights of samples; float32 in [-127, 127]."""
        return weigh_floats(z, sample_weight)

    def check_scores(self, scores: np.ndarray) -> np.ndarray:
        """Check float32 scores, and make them float64."""
        return check_array(scores, "scores", dtype=np.float32, ndim=2).astype(np.float64)

    def check_targets(self, scores: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Check numbers."""
        numbers = check_finite(y, "y")
        if numbers.shape != scores.shape:
            raise ValueError(f"y must have a number for each score, shape {scores.shape}, got {numbers.shape}")
        return numbers

    def full_signals(self, scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Divide errors by the scale, and clip."""
        return SIGNAL_MAX * np.clip((scores - targets) / self.scale, -1, 1)

    def fixed_values(self, scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Give the mean over the outputs in units of 2**-32; those beyond 2**20, and NaN, count 2**20."""
        error = np.abs(scores - targets) / self.scale
        values = np.where(error < 1, error**2 / 2, error - 0.5).mean(axis=1)
        return np.rint(LOSS_ONE * np.fmin(values, 2.0**20)).astype(np.int64)
