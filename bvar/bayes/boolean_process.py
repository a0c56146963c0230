r"""Infinitely wide Boolean networks, conditioned on samples: Gaussian processes, so the posterior is exact.

With the kernel K of :mod:`bvar.bayes.network_kernel`, noise of variance :math:`\sigma^2` on scores and standard
targets y, scores at new samples are Gaussian with

.. math:: \mu = K_* (K + \sigma^2)^{-1} y , \qquad \Sigma = K_{**} - K_* (K + \sigma^2)^{-1} K_*^\top

(``docs/explanation/boolean-beliefs.md``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular
from sklearn.utils import check_random_state

from bvar._validation import check_integer, check_real
from bvar.bayes.encoded import EncodedEstimator
from bvar.bayes.factor import positive_definite
from bvar.bayes.network_kernel import NetworkKernel
from bvar.encoding import BitEncoder

__all__ = ["BooleanProcess"]


class BooleanProcess(EncodedEstimator):
    """What both estimators do: condition on samples, and answer with means and covariances of scores."""

    def __init__(
        self,
        depth: int = 1,
        *,
        dead_zone: float = 0.0,
        offset_spread: float = 0.5,
        exact: bool = False,
        noise: float = 0.01,
        encoder: BitEncoder | None = None,
    ) -> None:
        self.depth = depth
        self.dead_zone = dead_zone
        self.offset_spread = offset_spread
        self.exact = exact
        self.noise = noise
        self.encoder = encoder

    def _condition(self, X: Any, y: np.ndarray, targets: np.ndarray) -> None:
        """Condition on standard targets, one column for each score; `y` is what an encoder may look at."""
        self.noise_ = check_real(self.noise, "noise", low=0, strict=True)
        self.signs_ = self._learn_signs(X, y)
        self.kernel_ = NetworkKernel(self.depth, self.dead_zone, self.offset_spread, self.exact)
        covariance = self.kernel_(self.signs_)
        covariance[np.diag_indices_from(covariance)] += self.noise_
        with positive_definite("noise", self.noise_):
            self.cholesky_ = cholesky(covariance, lower=True, overwrite_a=True, check_finite=False)
        self.dual_coef_ = cho_solve((self.cholesky_, True), targets, check_finite=False)
        misfit = float((targets * self.dual_coef_).sum())
        volume = 2 * float(np.log(np.diag(self.cholesky_)).sum()) + len(targets) * np.log(2 * np.pi)
        self.log_marginal_likelihood_ = -(misfit + targets.shape[1] * float(volume)) / 2

    def _mean(self, signs: np.ndarray) -> np.ndarray:
        """Posterior mean of standard scores, one column for each."""
        return self.kernel_(signs, self.signs_) @ self.dual_coef_

    def _explained(self, signs: np.ndarray) -> np.ndarray:
        """Half of what the samples explain of the covariances: its square is subtracted from the prior's."""
        across = self.kernel_(self.signs_, signs)
        return solve_triangular(self.cholesky_, across, lower=True, overwrite_b=True, check_finite=False)

    def _std(self, signs: np.ndarray) -> np.ndarray:
        """Posterior standard deviation of standard scores, the same for all of a sample."""
        explained = np.square(self._explained(signs)).sum(axis=0)
        return np.sqrt(np.maximum(self.kernel_.variances(signs) - explained, 0))

    def _draw(self, signs: np.ndarray, n_samples: Any, random_state: Any) -> np.ndarray:
        """Draw standard scores, (n_rows, n_scores, n_samples), of networks from the posterior."""
        n_samples = check_integer(n_samples, "n_samples", low=1)
        explained = self._explained(signs)
        values, vectors = np.linalg.eigh(self.kernel_(signs) - explained.T @ explained)
        root = vectors * np.sqrt(np.maximum(values, 0))  # rounding may put a 0 below
        mean = self._mean(signs)
        normal = check_random_state(random_state).standard_normal((*mean.shape, n_samples))
        return mean[:, :, None] + np.tensordot(root, normal, axes=1)
