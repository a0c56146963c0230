r"""Priors behind fixed features: :math:`f(x) = g_\psi(\varepsilon, \phi(x))` (``docs/explanation/spatial.md``)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bvar.bayes.functional import Trace
from bvar.bayes.priors import Prior

__all__ = ["EmbeddedPrior"]


class EmbeddedPrior(Prior):
    """A prior of functions of places, made of one of functions of features.

    Parameters
    ----------
    prior : Prior
        The law of functions of features, which is tuned as this one is.
    features : callable
        Takes places, (n, n_inputs), and returns features, (n, n_features), such as :class:`RBFEmbedding`.

    See Also
    --------
    SpatialRegressor : Makes one.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import EmbeddedPrior, FunctionalNetwork, GaussianPrior, RBFEmbedding
    >>> features = RBFEmbedding([-4, -4], [4, 4], n_per_axis=5)
    >>> prior = EmbeddedPrior(GaussianPrior(FunctionalNetwork([25, 20, 1])), features)
    >>> F, _ = prior.evaluate(prior.draw(3, np.random.default_rng(0)), np.zeros((7, 2)))
    >>> F.shape
    (3, 7, 1)
    """

    def __init__(self, prior: Prior, features: Callable[[np.ndarray], np.ndarray]) -> None:
        self.prior, self.features = prior, features
        self.theta, self.n_base = prior.theta, prior.n_base

    def evaluate(self, state: np.ndarray, X: np.ndarray) -> tuple[np.ndarray, Trace]:
        """Evaluate at the features of places."""
        return self.prior.evaluate(state, self.features(X))

    def pull_state(self, trace: Trace, dF: np.ndarray) -> np.ndarray:
        """Pull as the law of functions of features does."""
        return self.prior.pull_state(trace, dF)

    def pull_theta(self, trace: Trace, dF: np.ndarray) -> list[np.ndarray]:
        """Pull as the law of functions of features does."""
        return self.prior.pull_theta(trace, dF)

    def refresh(self, state: np.ndarray, random: np.random.Generator) -> None:
        """Move as the law of functions of features does."""
        self.prior.refresh(state, random)
