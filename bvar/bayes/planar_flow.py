r"""Parameters that are not normal: planar flows of normal noise (``docs/explanation/functional-priors.md``).

The parameters of one layer together start as :math:`x_0 = e^{\lambda} \varepsilon` and go through

.. math:: x_{k+1} = x_k + u_k \tanh(w_k \cdot x_k + c_k).

Source: D. Rezende and S. Mohamed, "Variational Inference with Normalizing Flows", ICML 2015 (the flow; recalled).
Whoever samples over the noise needs neither the inverse of a flow nor its determinant, so u is not constrained.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bvar._validation import check_integer, check_real
from bvar.bayes.functional import FunctionalNetwork
from bvar.bayes.priors import WeightPrior

__all__ = ["PlanarFlowPrior"]


class PlanarFlowPrior(WeightPrior):
    r"""The parameters of each layer by planar flows of normal noise; it starts as a normal law.

    Parameters
    ----------
    network : FunctionalNetwork
        The network.
    n_flows : int, default=4
        Number of flows of a layer.
    std : float, default=1.0
        Standard deviation of the normal law at the start, positive.
    random : numpy.random.Generator, optional
        Source of the directions w at the start; u starts at 0. Default: one of seed 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    See Also
    --------
    GaussianPrior : The same without flows.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import FunctionalNetwork, PlanarFlowPrior
    >>> prior = PlanarFlowPrior(FunctionalNetwork([1, 20, 1]), n_flows=2)
    >>> len(prior.theta)  # of two layers, each: deviations, directions u and w, and c
    8
    """

    def __init__(
        self,
        network: FunctionalNetwork,
        *,
        n_flows: int = 4,
        std: float = 1.0,
        random: np.random.Generator | None = None,
    ) -> None:
        super().__init__(network)
        K = check_integer(n_flows, "n_flows", low=1)
        log_std = np.log(check_real(std, "std", low=0, strict=True))
        random = np.random.default_rng(0) if random is None else random
        ends = np.cumsum(np.bincount(network.groups // 2)).tolist()
        self._slices = [slice(a, b) for a, b in zip([0, *ends[:-1]], ends, strict=True)]
        self.theta = []
        for part in self._slices:
            n = part.stop - part.start
            u, w = np.zeros((K, n)), random.standard_normal((K, n)) / np.sqrt(n)
            self.theta += [np.full(n, log_std), u, w, np.zeros(K)]

    def parameters(self, state: np.ndarray) -> tuple[np.ndarray, Any]:
        """Scale, then flow, layer by layer."""
        parameters, memory = np.empty_like(state), []
        for part, (log_std, U, W, c) in zip(self._slices, self._layers(), strict=True):
            x = state[:, part] * np.exp(log_std)
            steps = [x]
            heights = []
            for u, w, shift in zip(U, W, c, strict=True):
                heights.append(np.tanh(x @ w + shift))
                x = x + heights[-1][:, None] * u
                steps.append(x)
            parameters[:, part] = x
            memory.append((steps, heights))
        return parameters, memory

    def state_gradient(self, memory: Any, gradient: np.ndarray) -> np.ndarray:
        """Pull through the flows, then scale."""
        out = np.empty_like(gradient)
        for part, theta, flow in zip(self._slices, self._layers(), memory, strict=True):
            out[:, part] = self._pull(theta, flow, gradient[:, part])[0] * np.exp(theta[0])
        return out

    def theta_gradient(self, memory: Any, gradient: np.ndarray) -> list[np.ndarray]:
        """Pull through the flows, and collect what each is due."""
        out = []
        for part, theta, flow in zip(self._slices, self._layers(), memory, strict=True):
            d, *rest = self._pull(theta, flow, gradient[:, part])
            out += [np.einsum("sp,sp->p", d, flow[0][0]), *rest]
        return out

    def _layers(self) -> list[list[np.ndarray]]:
        return [self.theta[i : i + 4] for i in range(0, len(self.theta), 4)]

    @staticmethod
    def _pull(theta: list[np.ndarray], flow: Any, d: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return the gradients with respect to what enters the flows, to U, to W and to c."""
        _, U, W, c = theta
        steps, heights = flow
        dU, dW, dc = np.empty_like(U), np.empty_like(W), np.empty_like(c)
        for k in reversed(range(len(c))):
            h = heights[k]
            dU[k] = h @ d
            slope = (d @ U[k]) * (1 - h * h)
            dW[k] = slope @ steps[k]
            dc[k] = slope.sum()
            d = d + slope[:, None] * W[k]
        return d, dU, dW, dc
