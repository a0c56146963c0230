"""Laws of codes: mixtures of normal laws, by scikit-learn (``docs/explanation/bayesian-autoencoders.md``)."""

from __future__ import annotations

import numpy as np
from sklearn.mixture import BayesianGaussianMixture

__all__ = ["code_mixture", "draw_codes"]


def code_mixture(codes: np.ndarray, n: int, seed: int) -> BayesianGaussianMixture:
    """Fit a mixture that leaves components empty if it can, as the paper does."""
    mixture = BayesianGaussianMixture(
        n_components=max(n, 1), weight_concentration_prior=1 / max(n, 1), max_iter=2000, random_state=seed
    )
    return mixture.fit(codes)


def draw_codes(mixture: BayesianGaussianMixture, n: int, random: np.random.Generator) -> np.ndarray:
    """Draw from a mixture with a generator of our own: its method would draw the same each time."""
    chosen = random.choice(len(mixture.weights_), size=n, p=mixture.weights_)
    noise = random.standard_normal((n, mixture.means_.shape[1]))
    roots = np.linalg.cholesky(mixture.covariances_)
    return mixture.means_[chosen] + np.einsum("nij,nj->ni", roots[chosen], noise)
