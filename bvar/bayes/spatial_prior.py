r"""Normal parameters whose means and deviations vary with the place (``docs/explanation/functional-priors.md``).

With features :math:`\phi(x)`, which are the inputs of the network, the matrix and the biases of each layer have

.. math:: \mu(x) = \phi(x) \cdot \alpha, \qquad \sigma(x) = \mathrm{softplus}(\phi(x) \cdot \rho), \qquad
          W(x) = \mu(x) + \sigma(x) \varepsilon,

the noise shared by all places.  A layer then needs no matrix for each place:

.. math:: A(x) = \sigma_W(x) \frac{H \varepsilon}{\sqrt m} + \mu_W(x) \frac{H 1}{\sqrt m}
          + \sigma_b(x) \varepsilon_b + \mu_b(x),

that is, matrix products with the noise, and rows scaled.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit

from bvar._validation import check_real
from bvar.bayes.functional import ACTIVATIONS, FunctionalNetwork, Trace
from bvar.bayes.priors import Prior, softplus

__all__ = ["SpatialPrior"]


class SpatialPrior(Prior):
    """A law for each place: means and deviations of a layer are linear in the features of the input.

    Parameters
    ----------
    network : FunctionalNetwork
        The network; its inputs are the features.
    rho : float, default=1.0
        Where the coefficients of deviations start; with features that sum to one, deviations start at
        ``softplus(rho)``.
    random : numpy.random.Generator, optional
        If there is one, it draws those coefficients, standard normal, and `rho` is not used.

    Attributes
    ----------
    alpha, rho : ndarray of float64, shape (2 * layers, n_inputs)
        Coefficients of means, which start at 0, and of deviations.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    See Also
    --------
    GaussianPrior : The same everywhere.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import FunctionalNetwork, SpatialPrior
    >>> prior = SpatialPrior(FunctionalNetwork([9, 20, 1]))
    >>> features = np.random.default_rng(0).dirichlet(np.ones(9), size=50)
    >>> F, trace = prior.evaluate(prior.draw(3, np.random.default_rng(1)), features)
    >>> F.shape, [d.shape for d in prior.pull_theta(trace, F)]
    ((3, 50, 1), [(4, 9), (4, 9)])
    """

    def __init__(
        self, network: FunctionalNetwork, *, rho: float = 1.0, random: np.random.Generator | None = None
    ) -> None:
        self.network = network
        self.n_base = network.n_parameters
        shape = (len(network.shapes), network.sizes[0])
        start = check_real(rho, "rho", low=-np.inf)
        self.rho = np.full(shape, start) if random is None else random.standard_normal(shape)
        self.alpha = np.zeros(shape)
        self.theta = [self.alpha, self.rho]

    def evaluate(self, state: np.ndarray, X: np.ndarray) -> tuple[np.ndarray, Trace]:
        """Evaluate the network, its layers scaled and shifted place by place."""
        act, _ = ACTIVATIONS[self.network.activation]
        mean, raw = X @ self.alpha.T, X @ self.rho.T
        std = softplus(raw)
        noise = self.network.unpack(state)
        H, layers, last = X, [], len(self.network.sizes) - 2
        for layer, scale in enumerate(self.network.scales):
            w, b = 2 * layer, 2 * layer + 1
            product, total = np.matmul(H, noise[w]) * scale, H.sum(axis=-1, keepdims=True) * scale
            A = _column(std, w) * product + _column(mean, w) * total
            A += _column(std, b) * noise[b] + _column(mean, b)
            layers.append((H, product, total))
            H = act(A) if layer < last else A
        return H, (X, mean, std, raw, noise, layers)

    def pull_state(self, trace: Trace, dF: np.ndarray) -> np.ndarray:
        """Pull through the layers to the noise."""
        return self._pull(trace, dF)[0]

    def pull_theta(self, trace: Trace, dF: np.ndarray) -> list[np.ndarray]:
        """Pull through the layers to means and deviations of each place, then to the coefficients."""
        X, _, _, raw, _, _ = trace
        _, d_mean, d_std = self._pull(trace, dF)
        rows = X.reshape(-1, X.shape[-1])
        return [d.reshape(len(rows), -1).T @ rows for d in (d_mean, d_std * expit(raw))]

    def _pull(self, trace: Any, dF: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        _, mean, std, _, noise, layers = trace
        _, slope = ACTIVATIONS[self.network.activation]
        d_state = np.empty((len(dF), self.n_base))
        parts = self.network.unpack(d_state)
        d_mean, d_std = np.empty_like(mean), np.empty_like(std)
        shared = mean.ndim == 2  # places that all draws share get the sum over draws

        def per_place(values: np.ndarray) -> np.ndarray:
            return values.sum(axis=0) if shared else values

        D = dF
        for layer in reversed(range(len(layers))):
            (H, product, total), scale = layers[layer], self.network.scales[layer]
            w, b = 2 * layer, 2 * layer + 1
            sums = D.sum(axis=-1)
            d_std[..., w] = per_place(np.einsum("snk,snk->sn", D, product))
            d_mean[..., w] = per_place(sums * total[..., 0])
            d_std[..., b] = per_place(np.einsum("snk,sk->sn", D, noise[b][:, 0]))
            d_mean[..., b] = per_place(sums)
            scaled = _column(std, w) * D
            np.matmul(np.swapaxes(H, -1, -2), scaled * scale, out=parts[w])
            np.sum(_column(std, b) * D, axis=1, keepdims=True, out=parts[b])
            if layer:
                dH = np.matmul(scaled, np.swapaxes(noise[w], -1, -2))
                dH += _column(mean, w) * sums[..., None]
                D = dH * scale * slope(H)
        return d_state, d_mean, d_std


def _column(values: np.ndarray, index: int) -> np.ndarray:
    """Return what a matrix or a row of biases has at each place, to be multiplied with (draws, places, units)."""
    return values[..., index, None]
