r"""Normal parameters whose variances are themselves random (``docs/explanation/functional-priors.md``).

.. math:: \sigma_l^2 \sim \mathrm{InvGamma}(a_l, b_l), \qquad w \mid \sigma_l \sim N(0, \sigma_l^2)

for the matrix and for the biases of each layer, one :math:`\sigma` for each function.  A precision is
:math:`z / b` with z of the gamma law, and z is the quantile of a standard normal number, so that the state is
standard normal as in every family.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit, gammainc, gammaincc, gammainccinv, gammaincinv, gammaln, ndtr, ndtri

from bvar.bayes.functional import FunctionalNetwork
from bvar.bayes.priors import WeightPrior, inverse_softplus, softplus

__all__ = ["HierarchicalPrior"]

_STEP = 1e-4  # in the shape a, for the central difference of a quantile
_EDGE = 8.0  # beyond eight deviations a state is as good as at eight: quantiles stay positive and finite


class HierarchicalPrior(WeightPrior):
    r"""Normal parameters with an inverse-gamma variance for the matrix and the biases of each layer.

    Shapes are :math:`a = 1 + \mathrm{softplus}(\cdot)`, so that variances have the mean :math:`b / (a - 1)`; the
    published code allows :math:`a \le 1`, where they have none, and tuning then runs away.

    Parameters
    ----------
    network : FunctionalNetwork
        The network.
    shape : float, default=4.0
        Where the shapes a start, more than 1.
    scale : float, default=3.0
        Where the scales b start, positive.

    Raises
    ------
    ValueError
        If `shape` or `scale` is out of range.

    See Also
    --------
    GaussianPrior : Variances that are hyper-parameters.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import FunctionalNetwork, HierarchicalPrior
    >>> prior = HierarchicalPrior(FunctionalNetwork([1, 20, 1]), shape=6.0, scale=5.0)
    >>> sigma = prior.sigma(prior.draw(20_000, np.random.default_rng(0)))
    >>> bool(abs((sigma**2).mean() - 5 / (6 - 1)) < 0.01)
    True
    """

    def __init__(self, network: FunctionalNetwork, *, shape: float = 4.0, scale: float = 3.0) -> None:
        super().__init__(network)
        if not shape > 1 or not scale > 0 or not np.isfinite([shape, scale]).all():
            raise ValueError(f"shape must be more than 1 and scale more than 0, got {shape!r} and {scale!r}")
        n = len(network.shapes)
        self.n_base = network.n_parameters + n
        self.theta = [inverse_softplus(np.full(n, shape - 1.0)), inverse_softplus(np.full(n, float(scale)))]
        self._first = np.flatnonzero(np.diff(network.groups, prepend=-1))
        self._lengths = np.bincount(network.groups)

    @property
    def shape(self) -> np.ndarray:
        """The shapes a, of shape (2 * layers,)."""
        return 1 + softplus(self.theta[0])

    @property
    def scale(self) -> np.ndarray:
        """The scales b, of shape (2 * layers,)."""
        return softplus(self.theta[1])

    def sigma(self, state: np.ndarray) -> np.ndarray:
        """Return the deviations that states have.

        Parameters
        ----------
        state : ndarray of float64, shape (n_draws, n_base)
            States.

        Returns
        -------
        ndarray of float64, shape (n_draws, 2 * layers)
            The deviation of each matrix and of each row of biases.
        """
        return np.sqrt(self.scale / _gamma_quantile(self.shape, state[:, self.network.n_parameters :]))

    def parameters(self, state: np.ndarray) -> tuple[np.ndarray, Any]:
        """Scale by the deviations of each draw."""
        sigma = self.sigma(state)
        return state[:, : self.network.n_parameters] * sigma[:, self.network.groups], (state, sigma)

    def state_gradient(self, memory: Any, gradient: np.ndarray) -> np.ndarray:
        r"""Scale; and :math:`d\sigma / dc = -\sigma / (2z) \cdot dz/dc`."""
        state, sigma = memory
        c = state[:, self.network.n_parameters :]
        z = self.scale / sigma**2
        d_scale = -0.5 * self._sigma_gradient(memory, gradient) * sigma / z * _quantile_slope(self.shape, z, c)
        return np.hstack([gradient * sigma[:, self.network.groups], d_scale])

    def theta_gradient(self, memory: Any, gradient: np.ndarray) -> list[np.ndarray]:
        r"""Through :math:`\sigma = \sqrt{b / z(a)}`, the slope of z in a by a central difference."""
        state, sigma = memory
        c, a, b = state[:, self.network.n_parameters :], self.shape, self.scale
        d_sigma = self._sigma_gradient(memory, gradient)
        slope = (_gamma_quantile(a + _STEP, c) - _gamma_quantile(a - _STEP, c)) / (2 * _STEP)
        d_shape = (-0.5 * d_sigma * sigma**3 / b * slope).sum(axis=0)
        d_scale = (0.5 * d_sigma * sigma / b).sum(axis=0)
        return [d_shape * expit(self.theta[0]), d_scale * expit(self.theta[1])]

    def refresh(self, state: np.ndarray, random: np.random.Generator) -> None:
        r"""Draw variances anew from :math:`\mathrm{InvGamma}(a + n/2, b + |w|^2/2)`, and keep the parameters w."""
        w, _ = self.parameters(state)
        squares = np.add.reduceat(w * w, self._first, axis=1)
        precision = random.gamma(self.shape + self._lengths / 2, size=squares.shape) / (self.scale + squares / 2)
        state[:, self.network.n_parameters :] = _normal_score(self.shape, self.scale * precision)
        # by the deviations that the state now has, which differ where the quantile was cut
        state[:, : self.network.n_parameters] = w / self.sigma(state)[:, self.network.groups]

    def _sigma_gradient(self, memory: Any, gradient: np.ndarray) -> np.ndarray:
        return np.add.reduceat(gradient * memory[0][:, : self.network.n_parameters], self._first, axis=1)


def _gamma_quantile(a: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Return what a Gamma(a, 1) number is less than as often as a normal one than c; exact in both tails."""
    c = np.clip(c, -_EDGE, _EDGE)
    return np.where(c < 0, gammaincinv(a, ndtr(c)), gammainccinv(a, ndtr(-c)))


def _normal_score(a: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return the inverse of `_gamma_quantile`."""
    low, high = gammainc(a, z), gammaincc(a, z)
    with np.errstate(divide="ignore"):
        return np.clip(np.where(low < high, ndtri(low), -ndtri(high)), -_EDGE, _EDGE)


def _quantile_slope(a: np.ndarray, z: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Return dz/dc: the normal density over the gamma density."""
    log_slope = -c * c / 2 - 0.5 * np.log(2 * np.pi) - ((a - 1) * np.log(z) - z - gammaln(a))
    return np.where(abs(c) < _EDGE, np.exp(log_slope), 0.0)
