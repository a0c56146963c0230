"""What the estimators train: a normalising flow and a variational autoencoder, on standardised data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from scipy.special import logsumexp

from bvar.mollify.density.flow_layers import FlowBatchNorm, FlowLayer
from bvar.mollify.density.network import MLP, Parameter

__all__ = ["Flow", "Model", "VariationalAutoencoder", "in_chunks"]

LOG_2PI = float(np.log(2 * np.pi))
_START = -2.0  # log-variance of the decoder: at 0 it explains all by itself, and z is never used
_CHUNK = 4096  # samples evaluated at a time


class Model(Protocol):
    """What a density estimator asks of the model that it trains."""

    @property
    def parameters(self) -> list[Parameter]:
        """What is learnt."""
        ...

    def loss(self, x: np.ndarray, random: np.random.RandomState) -> float:
        """Return the mean loss of a minibatch in nats, and set all gradients."""
        ...

    def calibrate(self, x: np.ndarray) -> None:
        """Take from clean data what evaluation needs."""
        ...

    def log_density(self, x: np.ndarray) -> np.ndarray:
        """Return the log density of each sample, or a bound on it, shape (n,)."""
        ...

    def sample(self, n_samples: int, random: np.random.RandomState) -> np.ndarray:
        """Return samples of the model, shape (n_samples, D)."""
        ...


def in_chunks(function: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> np.ndarray:
    """Apply a function to some rows at a time, to bound the memory it takes."""
    return np.concatenate([function(x[i : i + _CHUNK]) for i in range(0, len(x), _CHUNK)])


class Flow:
    """Invertible layers that turn data into standard normal noise z: ``log p(x) = log N(z; 0, I) + log-det``.

    Parameters
    ----------
    layers : sequence of FlowLayer
        From the data to the noise.
    n_features : int
        Number of features D.
    """

    def __init__(self, layers: Sequence[FlowLayer], n_features: int) -> None:
        self.layers = list(layers)
        self.n_features = n_features

    @property
    def parameters(self) -> list[Parameter]:
        """Those of all layers."""
        return [p for layer in self.layers for p in layer.parameters]

    def loss(self, x: np.ndarray, random: np.random.RandomState) -> float:
        """Return ``mean(|z|^2 / 2 - log-det) + D log(2 pi) / 2``; nothing is drawn."""
        n, memories, log_det = len(x), [], np.zeros(len(x))
        for layer in self.layers:
            x, part, memory = layer.forward(x, True)
            log_det += part
            memories.append(memory)
        d, e = x / n, np.full(n, -1 / n)
        for layer, memory in zip(reversed(self.layers), reversed(memories), strict=True):
            d = layer.backward(d, e, memory)
        return float(np.mean(0.5 * (x * x).sum(axis=1) - log_det) + 0.5 * self.n_features * LOG_2PI)

    def calibrate(self, x: np.ndarray) -> None:
        """Give each batch norm the statistics of what reaches it from these data.

        The average of those of noisy minibatches would be that of other data, and the likelihood wrong.
        """
        for layer in self.layers:
            if isinstance(layer, FlowBatchNorm):
                layer.calibrate(x)
            x = in_chunks(lambda part, layer=layer: layer.forward(part, False)[0], x)  # type: ignore[misc]

    def log_density(self, x: np.ndarray) -> np.ndarray:
        """Return the exact log density; -inf where a sample is so far off that numbers overflow."""
        return in_chunks(self._log_density, x)

    def _log_density(self, x: np.ndarray) -> np.ndarray:
        log_det = np.zeros(len(x))
        with np.errstate(over="ignore", invalid="ignore"):
            for layer in self.layers:
                x, part, _ = layer.forward(x, False)
                log_det += part
            answer = log_det - 0.5 * (x * x).sum(axis=1) - 0.5 * self.n_features * LOG_2PI
        return np.where(np.isnan(answer), -np.inf, answer)

    def sample(self, n_samples: int, random: np.random.RandomState) -> np.ndarray:
        """Send noise back through all layers."""
        x = random.standard_normal((n_samples, self.n_features))
        for layer in reversed(self.layers):
            x = layer.inverse(x)
        return x


class VariationalAutoencoder:
    """A latent normal z, a decoder ``x = f(z) + exp(l / 2) noise`` with l learnt for each feature, an encoder.

    Parameters
    ----------
    n_features : int
        Number of features D.
    n_components : int
        Number of latent variables.
    hidden : list of int
        Widths of the hidden layers of the encoder; those of the decoder are the same from last to first.
    activation : {'tanh', 'relu'}
        What follows them.
    n_draws : int
        Number of z that a log density is estimated with.
    random : RandomState
        Source of the weights and of those draws.
    """

    def __init__(
        self,
        n_features: int,
        n_components: int,
        hidden: list[int],
        activation: str,
        n_draws: int,
        random: np.random.RandomState,
    ) -> None:
        self.encoder = MLP([n_features, *hidden, 2 * n_components], activation, random)
        self.decoder = MLP([n_components, *hidden[::-1], n_features], activation, random)
        self.log_variance = Parameter(np.full(n_features, _START))
        self.n_features, self.n_components = n_features, n_components
        # the same draws for every sample: its density then does not depend on what it is scored with
        self.draws = random.standard_normal((n_draws, n_components))

    @property
    def parameters(self) -> list[Parameter]:
        """Those of encoder and decoder, and l."""
        return [*self.encoder.parameters, *self.decoder.parameters, self.log_variance]

    def loss(self, x: np.ndarray, random: np.random.RandomState) -> float:
        """Return minus the ELBO, estimated with one z for each sample.

        That is the mean of ``sum(exp(-l) (x - f(z))^2 + l + log(2 pi)) / 2 + KL``, with
        ``KL = sum(mu^2 + exp(v) - 1 - v) / 2`` for ``q(z | x) = N(mu, exp(v))``.
        """
        n = len(x)
        code, encoder_inputs = self.encoder.forward(x)
        mu, v = np.hsplit(code, 2)
        noise = random.standard_normal(mu.shape) * np.exp(0.5 * v)
        decoded, decoder_inputs = self.decoder.forward(mu + noise)
        rest, precision = decoded - x, np.exp(-self.log_variance.value)
        squares = precision * rest * rest
        self.log_variance.gradient[:] = 0.5 * (1 - squares.mean(axis=0))
        dz = self.decoder.backward(precision / n * rest, decoder_inputs)
        dv = 0.5 * (np.exp(v) - 1) / n + 0.5 * dz * noise
        self.encoder.backward(np.hstack([mu / n + dz, dv]), encoder_inputs)
        divergence = 0.5 * (mu * mu + np.exp(v) - 1 - v).sum(axis=1)
        constant = 0.5 * (self.log_variance.value + LOG_2PI).sum()
        return float(np.mean(0.5 * squares.sum(axis=1) + divergence) + constant)

    def calibrate(self, x: np.ndarray) -> None:
        """Do nothing: there are no statistics."""

    def log_density(self, x: np.ndarray) -> np.ndarray:
        """Return the importance-weighted bound ``log mean(p(x | z) p(z) / q(z | x))``; with one draw, an ELBO."""
        return in_chunks(self._log_density, x)

    def _log_density(self, x: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore", invalid="ignore"):
            mu, v = np.hsplit(self.encoder.forward(x)[0], 2)
            answer = logsumexp([self._log_weight(x, mu, v, eps) for eps in self.draws], axis=0)
        return np.where(np.isnan(answer), -np.inf, answer) - np.log(len(self.draws))

    def _log_weight(self, x: np.ndarray, mu: np.ndarray, v: np.ndarray, eps: np.ndarray) -> np.ndarray:
        """Return ``log p(x | z) + log p(z) - log q(z | x)`` at ``z = mu + exp(v / 2) eps``."""
        z = mu + np.exp(0.5 * v) * eps
        rest, log_variance = self.decoder.forward(z)[0] - x, self.log_variance.value
        log_likelihood = -0.5 * (np.exp(-log_variance) * rest * rest + log_variance + LOG_2PI).sum(axis=1)
        return log_likelihood - 0.5 * (z * z - eps * eps - v).sum(axis=1)

    def sample(self, n_samples: int, random: np.random.RandomState) -> np.ndarray:
        """Decode latent noise, and add that of the decoder."""
        z = random.standard_normal((n_samples, self.n_components))
        eps = random.standard_normal((n_samples, self.n_features))
        return self.decoder.forward(z)[0] + np.exp(0.5 * self.log_variance.value) * eps
