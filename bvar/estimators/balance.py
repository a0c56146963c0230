"""Offsets of scores from samples held out, where samples weigh differently; see ``docs/reference/learning.md``.

A network that knows its training samples by heart has nothing left there for weights to act on; samples held out
have.  The vote on an offset is the sum of the signals of its score (``docs/explanation/thresholds.md``): where the
weighted votes of samples held out vanish, the weighted loss is least.  Votes are integers, so that the offsets are
the same on every backend.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bvar.estimators.architecture import Trial, fit_temperature
from bvar.networks.losses import Loss

__all__ = ["balance", "fit_offsets"]

_ROUNDS = 8


def balance(trial: Trial, make_loss: Callable[[float], Loss], n_fixed: int) -> tuple[np.ndarray, float]:
    """Find offsets and temperature in turn, until neither moves, at most eight times.

    Parameters
    ----------
    trial : Trial
        Scores of samples that the network has not learnt, and their weights.
    make_loss : callable
        From a temperature to the loss.
    n_fixed : int
        Number of scores, the first ones, that stay: 1 for classes, of which differences alone matter.

    Returns
    -------
    offsets : ndarray of int32, shape (n_scores,)
        What to add to each score.
    temperature : float
        That of the scores with their offsets.
    """
    heat = fit_temperature(trial, make_loss)
    for _ in range(_ROUNDS):
        before, offsets = heat, fit_offsets(trial, make_loss(heat), n_fixed)
        heat = fit_temperature(replace(trial, scores=trial.scores + offsets), make_loss)
        if heat == before:
            break
    return offsets, heat


def fit_offsets(trial: Trial, loss: Loss, n_fixed: int) -> np.ndarray:
    """Find what to add to each score, so that the weighted votes on its offset vanish.

    Parameters
    ----------
    trial : Trial
        Scores of samples that the network has not learnt, and their weights.
    loss : Loss
        Whose signals rise with the score.
    n_fixed : int
        Number of scores, the first ones, that stay: 1 for classes, of which differences alone matter.

    Returns
    -------
    ndarray of int32, shape (n_scores,)
        For each score in turn the smallest number, at least minus the number of terms, at which its votes are not
        negative, again until none moves, at most eight times.
    """
    scores, weights = trial.scores.astype(np.int32), trial.weights
    offsets = np.zeros(scores.shape[1], np.int32)

    def too_low(number: int, offset: int) -> bool:
        shifted = scores + offsets
        shifted[:, number] = scores[:, number] + offset
        return int((weights * loss.signals(shifted, trial.y)[:, number]).sum()) < 0

    for _ in range(_ROUNDS):
        before = offsets.copy()
        for number in range(n_fixed, len(offsets)):
            low, high = -trial.n_terms, trial.n_terms
            while low < high:
                middle = (low + high) // 2
                low, high = (middle + 1, high) if too_low(number, middle) else (low, middle)
            offsets[number] = low
        if (offsets == before).all():
            break
    return offsets
