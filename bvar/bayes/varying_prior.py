r"""Normal parameters of which each has a mean and a deviation for each place (``docs/explanation/spatial.md``).

With features :math:`\phi(x)`, the inputs of the network, parameter i has at x

.. math:: \mu_i(x) = \mu_i^0 + \phi(x) \cdot \alpha_i, \qquad
          \sigma_i(x) = \mathrm{softplus}(\rho_i^0 + \phi(x) \cdot \rho_i), \qquad
          w_i(x) = \mu_i(x) + \sigma_i(x) \varepsilon_i .

No product of matrices does that for all draws at once: they are taken one after the other, each with a network
for each place.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit

from bvar.bayes.functional import FunctionalNetwork, Trace
from bvar.bayes.priors import GaussianPrior, Prior, softplus

__all__ = ["VaryingPrior"]


class VaryingPrior(Prior):
    """A law for each place and each parameter: it starts as a law that is the same everywhere.

    Parameters
    ----------
    start : GaussianPrior
        That law; its network takes features.

    Attributes
    ----------
    network : FunctionalNetwork
        The network that, at one place, has parameters of its own: `scaled` as that of `start` is.
    mean, rho : ndarray of float64, shape (n_parameters,)
        What is the same everywhere.
    slope_mean, slope_rho : ndarray of float64, shape (n_features, n_parameters)
        Coefficients of features, which start at 0.

    See Also
    --------
    SpatialPrior : One mean and one deviation for each layer and place, and much less work.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import FunctionalNetwork, GaussianPrior, VaryingPrior
    >>> start = GaussianPrior(FunctionalNetwork([9, 5, 1]))
    >>> prior = VaryingPrior(start)
    >>> state, X = prior.draw(3, np.random.default_rng(0)), np.eye(9)
    >>> bool(np.allclose(prior.evaluate(state, X)[0], start.evaluate(state, X)[0]))
    True
    """

    def __init__(self, start: GaussianPrior) -> None:
        law = start.per_parameter()
        self.network: FunctionalNetwork = law.network
        self.n_base = law.n_base
        self.rho, self.mean = law.theta
        shape = (self.network.sizes[0], self.n_base)
        self.slope_mean, self.slope_rho = np.zeros(shape), np.zeros(shape)
        self.theta = [self.rho, self.mean, self.slope_rho, self.slope_mean]

    def evaluate(self, state: np.ndarray, X: np.ndarray) -> tuple[np.ndarray, Trace]:
        """Evaluate, for each draw, the network that each place has; X is the same for all draws."""
        raw = self.rho + X @ self.slope_rho
        std, mean = softplus(raw), self.mean + X @ self.slope_mean
        inputs = X[:, None, :]  # a batch of one at each place: places are what draws are to the network
        values = [self.network.forward(mean + std * noise, inputs)[0][:, 0] for noise in state]
        return np.array(values), (X, state, mean, std, raw)

    def pull_state(self, trace: Trace, dF: np.ndarray) -> np.ndarray:
        """Pull through the network of each place to the noise that they share."""
        _, _, _, std, _ = trace
        return np.array([(std * gradient).sum(axis=0) for gradient in self._pull(trace, dF)])

    def pull_theta(self, trace: Trace, dF: np.ndarray) -> list[np.ndarray]:
        """Pull to means and deviations at each place, then to the coefficients."""
        X, state, mean, _, raw = trace
        d_mean, d_raw = np.zeros_like(mean), np.zeros_like(raw)
        for noise, gradient in zip(state, self._pull(trace, dF), strict=True):
            d_mean += gradient
            d_raw += noise * gradient
        d_raw *= expit(raw)
        return [d_raw.sum(axis=0), d_mean.sum(axis=0), X.T @ d_raw, X.T @ d_mean]

    def _pull(self, trace: Any, dF: np.ndarray) -> Any:
        """Yield for each draw the gradient with respect to the parameters at each place."""
        X, state, mean, std, _ = trace
        inputs = X[:, None, :]
        for noise, d in zip(state, dF, strict=True):
            _, memory = self.network.forward(mean + std * noise, inputs)  # again: kept, it would take all memory
            yield self.network.vjp(memory, d[:, None, :])
