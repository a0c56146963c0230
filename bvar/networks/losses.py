r"""Losses that turn integer scores into integer signals (``docs/explanation/exactness.md``).

Every loss gives the signal of a score as a rounded multiple of its derivative, in [-127, 127].  Scores are
integers, tables of exponentials are integers, and each signal is one rounded division of integers, the same
everywhere.  A sample may have a weight, an integer fraction of `FULL_WEIGHT`, by which its signals are multiplied
and rounded.  The value of a loss, which people look at and training never reads, is an integer too, in units of
2**-32: it adds like votes do, and is the same everywhere.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from bvar._describe import Described
from bvar._fixed_point import LOG_BITS
from bvar._validation import as_array, check_array, check_integer

__all__ = [
    "FULL_WEIGHT",
    "LOSS_ONE",
    "SIGNAL_MAX",
    "Loss",
    "ProbabilisticLoss",
    "SquaredError",
]

SIGNAL_MAX = 127
"""Largest signal: int8 without its lonely -128, so that signals come in pairs of opposite sign."""

FULL_WEIGHT = 2**16
"""The weight of a sample whose signals are taken as they are."""

LOSS_ONE = 2**LOG_BITS
"""A loss of 1, in the units in which losses are added up."""


class Loss(Described, ABC):
    """What a network needs of a loss; how to write one is shown in ``docs/develop/add-a-loss.md``.

    A loss of one's own defines `check_targets`, `full_signals` and `fixed_values`, and `n_correct` where there is
    right and wrong.

    See Also
    --------
    ProbabilisticLoss : For a loss whose scores mean probabilities.
    """

    def signals(self, scores: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> np.ndarray:
        """Compute the signal of each score.

        Parameters
        ----------
        scores : ndarray of int32, shape (n_samples, n_outputs)
            Outputs of the last layer.
        y : ndarray of int
            Targets, see the class.
        sample_weight : ndarray of int, shape (n_samples,), optional
            Weights of samples in [0, FULL_WEIGHT]; default: all FULL_WEIGHT.

        Returns
        -------
        ndarray of int8, shape (n_samples, n_outputs)
            Signals in [-127, 127]; positive means that the loss rises with the score.

        Raises
        ------
        TypeError, ValueError
            If targets or weights are not as described.
        """
        scores = self.check_scores(scores)
        return self._weighed(self.full_signals(scores, self.check_targets(scores, y)), sample_weight)

    def judge(
        self, scores: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None
    ) -> tuple[np.ndarray, int, int]:
        """Compute what a step needs at once: the arguments are checked once.

        Parameters
        ----------
        scores : ndarray of int32, shape (n_samples, n_outputs)
            Integer scores.
        y : ndarray
            Targets, as for :meth:`signals`.
        sample_weight : ndarray of int, shape (n_samples,), optional
            Weights of samples, as for :meth:`signals`.

        Returns
        -------
        signals : ndarray of int8, shape (n_samples, n_outputs)
            See :meth:`signals`.
        n_correct : int
            See :meth:`n_correct`.
        total : int
            See :meth:`total`.

        Raises
        ------
        TypeError, ValueError
            If targets or weights are not as described.
        """
        wide = self.check_scores(scores)
        targets = self.check_targets(wide, y)
        signals = self._weighed(self.full_signals(wide, targets), sample_weight)
        return signals, self.n_correct(scores, y), int(self.fixed_values(wide, targets).sum())

    def _weighed(self, z: np.ndarray, sample_weight: np.ndarray | None) -> np.ndarray:
        """Multiply signals by the weights of samples, and round."""
        if sample_weight is not None:
            shares = check_sample_weight(sample_weight, len(z))[:, None]
            z = np.sign(z) * ((np.abs(z) * shares + FULL_WEIGHT // 2) // FULL_WEIGHT)
        return z.astype(np.int8)

    def values(self, scores: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Compute the loss of each sample, for people to look at; it does not enter the training.

        Parameters
        ----------
        scores : ndarray of int32, shape (n_samples, n_outputs)
            Outputs of the last layer.
        y : ndarray of int
            Targets, see the class.

        Returns
        -------
        ndarray of float64, shape (n_samples,)
            Losses, each the nearest float to a whole number of units.
        """
        return np.asarray(self._fixed_values(scores, y) / LOSS_ONE, np.float64)

    def total(self, scores: np.ndarray, y: np.ndarray) -> int:
        """Add up the losses of samples; totals of disjoint samples add, whatever the order.

        Parameters
        ----------
        scores : ndarray of int32, shape (n_samples, n_outputs)
            Outputs of the last layer.
        y : ndarray of int
            Targets, see the class.

        Returns
        -------
        int
            The sum in units of 2**-32, so that :data:`bvar.networks.LOSS_ONE` is a loss of 1.
        """
        return int(self._fixed_values(scores, y).sum())

    def _fixed_values(self, scores: np.ndarray, y: np.ndarray) -> np.ndarray:
        scores = self.check_scores(scores)
        return self.fixed_values(scores, self.check_targets(scores, y))

    def n_correct(self, scores: np.ndarray, y: np.ndarray) -> int:
        """Count the samples whose scores give their target.

        Parameters
        ----------
        scores : ndarray of int32, shape (n_samples, n_outputs)
            Outputs of the last layer.
        y : ndarray of int
            Targets, see the class.

        Returns
        -------
        int
            Their number; 0 for a loss that knows no right and wrong.
        """
        return 0

    def check_scores(self, scores: np.ndarray) -> np.ndarray:
        """Check scores, and make them wide enough to compute with.

        Parameters
        ----------
        scores : ndarray of int32, shape (n_samples, n_outputs)
            Outputs of the last layer.

        Returns
        -------
        ndarray of int64, of the shape of `scores`
            The same numbers.

        Raises
        ------
        TypeError, ValueError
            If they are not as described.
        """
        return check_array(scores, "scores", dtype=np.int32, ndim=2).astype(np.int64)

    @abstractmethod
    def check_targets(self, scores: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Check targets, and make of them what the other two methods want.

        Parameters
        ----------
        scores : ndarray of int64, shape (n_samples, n_outputs)
            Outputs of the last layer.
        y : ndarray
            Targets as they were given. Estimators give indices of classes, shape (n_samples,), or shares in 127ths
            where a mollifier softens them, shape (n_samples, n_outputs); labels 0 and 1, or numbers on the scale
            of scores, shape (n_samples, n_outputs).

        Returns
        -------
        ndarray of int64
            What :meth:`full_signals` and :meth:`fixed_values` are given.

        Raises
        ------
        TypeError, ValueError
            If the targets do not fit; nothing has been changed then.
        """

    @abstractmethod
    def full_signals(self, scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Compute the signals of samples that count in full, from integers alone.

        Parameters
        ----------
        scores : ndarray of int64, shape (n_samples, n_outputs)
            Outputs of the last layer.
        targets : ndarray of int64
            What :meth:`check_targets` returned.

        Returns
        -------
        ndarray of int64, shape (n_samples, n_outputs)
            Signals in [-127, 127], in proportion to the derivative of the loss.
        """

    @abstractmethod
    def fixed_values(self, scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Compute the loss of each sample in units of 2**-32, from integers alone.

        Parameters
        ----------
        scores : ndarray of int64, shape (n_samples, n_outputs)
            Outputs of the last layer.
        targets : ndarray of int64
            What :meth:`check_targets` returned.

        Returns
        -------
        ndarray of int64 or of int, shape (n_samples,)
            Losses.
        """


class ProbabilisticLoss(Loss):
    """A loss whose scores mean probabilities."""

    @abstractmethod
    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Turn scores into probabilities.

        Parameters
        ----------
        scores : ndarray of int32, shape (n_samples, n_outputs)
            Outputs of the last layer.

        Returns
        -------
        ndarray of float64, shape (n_samples, n_outputs)
            Probabilities, each one division of two integers.
        """


class SquaredError(Loss):
    r"""Squared distance of scores from integer targets.

    .. math:: z_j = \operatorname{clip}_{\pm 127} \operatorname{round}(127 \, (s_j - y_j) / c)

    Parameters
    ----------
    scale : int
        The distance c at which a signal is full.

    Raises
    ------
    TypeError, ValueError
        If `scale` is not a positive integer.

    Notes
    -----
    Targets are integers in units of scores, within 2**31 of 0, shape (n_samples, n_outputs).  Halves round away
    from zero.  Values are squared distances in units of the scale, added over the outputs.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.networks import SquaredError
    >>> SquaredError(20).signals(np.array([[10, 0, -50]], dtype=np.int32), np.array([[0, 10, 0]]))
    array([[  64,  -64, -127]], dtype=int8)
    """

    def __init__(self, scale: int) -> None:
        self.scale = check_integer(scale, "scale", low=1, high=2**30)

    def check_targets(self, scores: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Check numbers."""
        y = as_array(y, "y")
        if y.shape != scores.shape:
            raise ValueError(f"y must have the shape of scores {scores.shape}, got {y.shape}")
        if y.dtype.kind not in "iu":
            raise TypeError(f"y must be an array of integers, got {y.dtype}")
        if y.size and not -(2**31) <= int(y.min()) <= int(y.max()) <= 2**31:
            raise ValueError(f"y must be within 2**31 of 0, got [{y.min()}, {y.max()}]")
        return y.astype(np.int64)

    def full_signals(self, scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Round and clip the error."""
        error = scores - targets
        size = (2 * SIGNAL_MAX * np.abs(error) + self.scale) // (2 * self.scale)
        return np.sign(error) * np.minimum(size, SIGNAL_MAX)

    def fixed_values(self, scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Square the error in units of the scale."""
        error = np.abs(scores - targets)
        # the usual error of some hundred fits; what does not is rare, and is left to the integers of Python
        largest = int(error.max(initial=0)) ** 2 * error.shape[1]
        fits = 2 * LOSS_ONE * largest + self.scale**2 < 2**63
        squares = (error.astype(np.int64 if fits else object) ** 2).sum(axis=1)
        return (2 * LOSS_ONE * squares + self.scale**2) // (2 * self.scale**2)


def check_sample_weight(sample_weight: np.ndarray, n_samples: int) -> np.ndarray:
    """Return weights of samples as int64, after checking them."""
    shares = as_array(sample_weight, "sample_weight")
    if shares.shape != (n_samples,) or shares.dtype.kind not in "iu":
        raise TypeError(f"sample_weight must be {n_samples} integers, got {shares.dtype} of shape {shares.shape}")
    if n_samples and (shares.min() < 0 or shares.max() > FULL_WEIGHT):
        raise ValueError(f"sample_weight must be in [0, {FULL_WEIGHT}], got [{shares.min()}, {shares.max()}]")
    return shares.astype(np.int64)
