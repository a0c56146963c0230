"""Invertible layers: each returns its output and the logarithm of the volume it stretches.

``forward(x)`` gives y, log|det dy/dx| for each sample, and what ``backward`` needs. ``backward(d, e, memory)``
gets the gradients of the loss with respect to both, of shapes (n, D) and (n,).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from bvar.mollify.density.network import MLP, Parameter

__all__ = ["AffineCoupling", "FlowBatchNorm", "FlowLayer", "MaskedAutoregression", "Reverse", "made_masks"]


class FlowLayer(Protocol):
    """What a layer of a flow can do."""

    @property
    def parameters(self) -> list[Parameter]:
        """What is learnt."""
        ...

    def forward(self, x: np.ndarray, training: bool) -> tuple[np.ndarray, np.ndarray, Any]:
        """Return y, the log-determinants and a memory."""
        ...

    def backward(self, d: np.ndarray, e: np.ndarray, memory: Any) -> np.ndarray:
        """Set the gradients of the parameters, return that of x."""
        ...

    def inverse(self, y: np.ndarray) -> np.ndarray:
        """Return x."""
        ...


class Reverse:
    """Features in reverse order, so that the last becomes the first."""

    parameters: list[Parameter] = []  # noqa: RUF012 - nothing to learn, and nobody adds to it

    def forward(self, x: np.ndarray, training: bool) -> tuple[np.ndarray, np.ndarray, None]:
        """Reverse; no volume changes."""
        return x[:, ::-1], np.zeros(len(x)), None

    def backward(self, d: np.ndarray, e: np.ndarray, memory: None) -> np.ndarray:
        """Reverse the gradient."""
        return d[:, ::-1]

    def inverse(self, y: np.ndarray) -> np.ndarray:
        """Reverse again."""
        return y[:, ::-1]


class FlowBatchNorm:
    """The layer ``y = exp(g) (x - mean) / sqrt(v) + b`` with ``v = variance + 1e-5``.

    The log-det is ``sum(g - log(v) / 2)``. In training, mean and variance are those of the minibatch; else those
    of :meth:`calibrate`, to be called with clean data before anything is evaluated.

    Parameters
    ----------
    n_features : int
        Number of features D.
    """

    EPSILON = 1e-5

    def __init__(self, n_features: int) -> None:
        self.log_gain = Parameter(np.zeros(n_features))
        self.bias = Parameter(np.zeros(n_features))
        self.mean = np.zeros(n_features)
        self.v = np.ones(n_features)

    @property
    def parameters(self) -> list[Parameter]:
        """Logarithm of the gain, and bias."""
        return [self.log_gain, self.bias]

    def calibrate(self, x: np.ndarray) -> None:
        """Keep mean and variance of these data."""
        self.mean, self.v = x.mean(axis=0), x.var(axis=0) + self.EPSILON

    def forward(self, x: np.ndarray, training: bool) -> tuple[np.ndarray, np.ndarray, Any]:
        """Normalise."""
        mean, v = (x.mean(axis=0), x.var(axis=0) + self.EPSILON) if training else (self.mean, self.v)
        normal = (x - mean) / np.sqrt(v)
        y = np.exp(self.log_gain.value) * normal + self.bias.value
        log_det = (self.log_gain.value - 0.5 * np.log(v)).sum()
        return y, np.full(len(x), log_det), (normal, v)

    def backward(self, d: np.ndarray, e: np.ndarray, memory: Any) -> np.ndarray:
        """Go back through mean and variance too, and through the variance in the volume.

        With h the normalised input and ``f = d exp(g)``: ``dg = sum(d h) exp(g) + sum(e)``, ``db = sum d``,
        ``dx = (f - mean(f) - h mean(f h) - h sum(e) / n) / sqrt(v)``.
        """
        h, v = memory
        gain, volume = np.exp(self.log_gain.value), e.sum()
        self.log_gain.gradient[:] = (d * h).sum(axis=0) * gain + volume
        d.sum(axis=0, out=self.bias.gradient)
        f = d * gain
        return (f - f.mean(axis=0) - h * ((f * h).mean(axis=0) + volume / len(h))) / np.sqrt(v)

    def inverse(self, y: np.ndarray) -> np.ndarray:
        """Undo it with the kept statistics."""
        return (y - self.bias.value) * np.exp(-self.log_gain.value) * np.sqrt(self.v) + self.mean


class AffineCoupling:
    """Half of the features stay, and tell how the others are scaled and shifted: ``y = x exp(s) + t``.

    s comes from a network with tanh, whose output is bounded, t from one with relu. The log-det is ``sum s``.

    Parameters
    ----------
    n_features : int
        Number of features D.
    parity : int
        0 or 1: features whose number has this parity stay.
    hidden : list of int
        Widths of the hidden layers of either network.
    random : RandomState
        Source of the weights.
    """

    def __init__(self, n_features: int, parity: int, hidden: list[int], random: np.random.RandomState) -> None:
        features = np.arange(n_features)
        self.stay, self.move = features[features % 2 == parity], features[features % 2 != parity]
        sizes = [len(self.stay), *hidden, len(self.move)]
        self.scale, self.shift = MLP(sizes, "tanh", random), MLP(sizes, "relu", random)

    @property
    def parameters(self) -> list[Parameter]:
        """Those of both networks."""
        return self.scale.parameters + self.shift.parameters

    def forward(self, x: np.ndarray, training: bool) -> tuple[np.ndarray, np.ndarray, Any]:
        """Scale and shift."""
        known = x[:, self.stay]
        s, scale_inputs = self.scale.forward(known)
        t, shift_inputs = self.shift.forward(known)
        stretched = x[:, self.move] * np.exp(s)
        y = x.copy()
        y[:, self.move] = stretched + t
        return y, s.sum(axis=1), (s, stretched, scale_inputs, shift_inputs)

    def backward(self, d: np.ndarray, e: np.ndarray, memory: Any) -> np.ndarray:
        """``ds = dy x exp(s) + e``, ``dt = dy``; what stays gets the gradients of both networks too."""
        s, stretched, scale_inputs, shift_inputs = memory
        moved = d[:, self.move]
        dx = d.copy()
        dx[:, self.move] = moved * np.exp(s)
        dx[:, self.stay] += self.scale.backward(moved * stretched + e[:, None], scale_inputs)
        dx[:, self.stay] += self.shift.backward(moved, shift_inputs)
        return dx

    def inverse(self, y: np.ndarray) -> np.ndarray:
        """``x = (y - t) exp(-s)``."""
        known = y[:, self.stay]
        x = y.copy()
        x[:, self.move] = (y[:, self.move] - self.shift.forward(known)[0]) * np.exp(-self.scale.forward(known)[0])
        return x


def made_masks(n_features: int, hidden: list[int]) -> list[np.ndarray]:
    """Return masks by which output i, and output D + i, see the features before i only.

    Units have degrees: feature i has i, hidden unit h has h mod (D - 1), both outputs of feature i have i - 1. A
    unit is connected to those of at most its degree.
    """
    inner = [np.arange(width) % max(1, n_features - 1) for width in hidden]
    last = np.tile(np.arange(n_features) - 1, 2)
    degrees = [np.arange(n_features), *inner, last]
    return [before[:, None] <= after[None, :] for before, after in pairwise(degrees)]


class MaskedAutoregression:
    """Each feature is normalised given those before it: ``y_i = (x_i - m_i) exp(-a_i)``; log-det ``-sum a``.

    One masked network computes all m and a at once (a MADE); its inverse goes feature by feature.

    Parameters
    ----------
    n_features : int
        Number of features D.
    hidden : list of int
        Widths of the hidden layers.
    activation : {'tanh', 'relu'}
        What follows them.
    random : RandomState
        Source of the weights.
    """

    def __init__(self, n_features: int, hidden: list[int], activation: str, random: np.random.RandomState) -> None:
        masks = made_masks(n_features, hidden)
        self.network = MLP([n_features, *hidden, 2 * n_features], activation, random, masks)

    @property
    def parameters(self) -> list[Parameter]:
        """Those of the network."""
        return self.network.parameters

    def forward(self, x: np.ndarray, training: bool) -> tuple[np.ndarray, np.ndarray, Any]:
        """Normalise all features at once."""
        out, inputs = self.network.forward(x)
        m, a = np.hsplit(out, 2)
        shrink = np.exp(-a)
        y = (x - m) * shrink
        return y, -a.sum(axis=1), (y, shrink, inputs)

    def backward(self, d: np.ndarray, e: np.ndarray, memory: Any) -> np.ndarray:
        """``dm = -dy exp(-a)``, ``da = -dy y - e``; x gets ``dy exp(-a)`` and the gradient of the network."""
        y, shrink, inputs = memory
        direct = d * shrink
        return direct + self.network.backward(np.hstack([-direct, -d * y - e[:, None]]), inputs)

    def inverse(self, y: np.ndarray) -> np.ndarray:
        """Fill in feature after feature: each needs those before it."""
        x = np.zeros_like(y)
        for i in range(y.shape[1]):
            m, a = np.hsplit(self.network.forward(x)[0], 2)
            x[:, i] = y[:, i] * np.exp(a[:, i]) + m[:, i]
        return x
