r"""Intervals that hold a new target as often as they say: errors on samples that were not trained on, in order.

With errors :math:`r_1 \dots r_n` of calibration samples, each divided by a spread that is guessed for its row, the
interval of a row is :math:`\hat y \pm \sigma r_{(k)}`, where :math:`k = \lceil (n + 1) c \rceil`.  If samples are
exchangeable, it holds the target with probability at least c, whatever the model is; proved on the page about
:doc:`/explanation/prediction-intervals`.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np

from bvar._validation import check_real

__all__ = ["errors_in_order", "guessed_spread", "half_widths", "rank"]

_LEAST = 1 / 64  # of the spread of all targets: what is guessed may be zero or negative


def rank(n: int, coverage: float) -> int:
    """Return which of n errors in order, counted from 1, has a new one below it or equal often enough."""
    coverage = check_real(coverage, "coverage", low=0, high=1)
    if not 0 < coverage < 1:
        raise ValueError(f"coverage must be between 0 and 1, got {coverage!r}")
    share = Fraction(repr(coverage))  # the decimal that was written: 0.9 of 10 are 9, and not a little more
    k = ceil((n + 1) * share)
    if k > n:
        raise ValueError(
            f"coverage must be at most {n}/{n + 1} with {n} calibration samples, got {coverage!r}, which needs "
            f"{ceil(share / (1 - share))}"
        )
    return k


def errors_in_order(y: np.ndarray, predictions: np.ndarray, spread: np.ndarray | float) -> np.ndarray:
    """Return absolute errors in units of the spread, (n_samples, n_targets), each column from the least on."""
    with np.errstate(over="ignore"):
        errors = np.abs(y - predictions) / spread
    if not np.isfinite(errors).all():
        raise ValueError("y must be nearer to predictions: an error in units of the spread is infinite")
    return np.sort(errors.reshape(len(y), -1), axis=0)


def half_widths(errors: np.ndarray, coverage: float) -> np.ndarray:
    """Return for each target half the width of an interval, in units of the spread."""
    return errors[rank(len(errors), coverage) - 1]


def guessed_spread(spread: Any, X: Any, predictions: np.ndarray, std: np.ndarray) -> np.ndarray | float:
    """Return how far targets of rows may be from predictions, as a model guesses, and never nothing; or 1."""
    if spread is None:
        return 1.0
    guess = np.asarray(spread.predict(X), np.float64)
    if guess.shape != predictions.shape or not np.isfinite(guess).all():
        wanted = f"finite numbers of shape {predictions.shape}"
        raise ValueError(f"spread must predict {wanted}, as the model does, got shape {guess.shape}")
    least = np.where(std > 0, std, 1.0) * _LEAST
    return np.maximum(guess, least if guess.ndim == 2 else least[0])
