"""How an estimator judges its network on samples that are not trained on, after each epoch."""

from __future__ import annotations

from collections.abc import Callable
from math import fsum
from typing import Any

import numpy as np

from bvar.estimators.targets import Targets
from bvar.networks.losses import LOSS_ONE, Loss
from bvar.networks.network import Network
from bvar.training.early_stopping import Judged

__all__ = ["Judge"]


class Judge:
    """Scores and losses of a network on samples with targets.

    Parameters
    ----------
    targets : callable
        Returns what the network is to give, the scale of which is known only when the network is.
    scores : callable
        Computes the scores of samples: ``scores(network, X)``.
    X : array-like
        Samples that have been checked.
    y : ndarray
        Their targets.
    weights : ndarray of int64, shape (n_samples,), or None
        Weights of the samples.
    """

    def __init__(
        self,
        targets: Callable[[], Targets],
        scores: Callable[[Network, Any], np.ndarray],
        X: Any,
        y: np.ndarray,
        weights: np.ndarray | None,
    ) -> None:
        self.targets, self.scores, self.X, self.y, self.weights = targets, scores, X, y, weights

    def __call__(self, network: Network) -> Judged:
        """Judge a network as it is now."""
        scores, targets = self.scores(network, self.X), self.targets()
        score = targets.validation_score(scores, self.y, self.weights)
        return Judged(score, self._loss(network.loss, scores, targets.encode(self.y)))

    def _loss(self, loss: Loss, scores: np.ndarray, targets: np.ndarray) -> float:
        if self.weights is None:
            return loss.total(scores, targets) / (len(targets) * LOSS_ONE)
        return fsum(self.weights * loss.values(scores, targets)) / int(self.weights.sum())
