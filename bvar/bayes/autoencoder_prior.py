"""Laws of random autoencoders, and plain ones to start from (``docs/explanation/bayesian-autoencoders.md``)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import expit

from bvar.bayes.distances import Distance
from bvar.bayes.functional import FunctionalNetwork, Trace
from bvar.bayes.likelihoods import Likelihood
from bvar.bayes.priors import GaussianPrior, Prior, WeightPrior
from bvar.bayes.processes import Draws
from bvar.bayes.tuning import tune
from bvar.real import Adam

__all__ = [
    "AutoencoderPrior",
    "LogisticPrior",
    "check_prior",
    "fan_in_prior",
    "pretrained_prior",
    "train_autoencoder",
    "tune_to_samples",
]

_FUNCTIONS, _BATCH = 8, 32  # drawn, and samples shown to each, in a step of tuning


class AutoencoderPrior(Prior):
    """A random encoder and a random decoder as one function from samples to samples.

    Parameters
    ----------
    encoder, decoder : WeightPrior
        Laws of the networks; the outputs of the first are the inputs of the second.

    See Also
    --------
    BayesianAutoencoder : Samples its posterior.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import AutoencoderPrior, FunctionalNetwork, GaussianPrior
    >>> prior = AutoencoderPrior(*(GaussianPrior(FunctionalNetwork(sizes)) for sizes in ([5, 9, 2], [2, 9, 5])))
    >>> state = prior.draw(3, np.random.default_rng(0))
    >>> prior.evaluate(state, np.zeros((7, 5)))[0].shape, prior.encode(state, np.zeros((7, 5))).shape
    ((3, 7, 5), (3, 7, 2))
    """

    def __init__(self, encoder: WeightPrior, decoder: WeightPrior) -> None:
        self.encoder, self.decoder = encoder, decoder
        self.theta = [*encoder.theta, *decoder.theta]
        self.n_base = encoder.n_base + decoder.n_base

    def encode(self, state: np.ndarray, X: np.ndarray) -> np.ndarray:
        """Compute codes.

        Parameters
        ----------
        state : ndarray of float64, shape (n_draws, n_base)
            States.
        X : ndarray of float, shape (n, n_features)
            Samples.

        Returns
        -------
        ndarray of float64, shape (n_draws, n, n_components)
            Codes.
        """
        return self.encoder.evaluate(state[:, : self.encoder.n_base], X)[0]

    def decode(self, state: np.ndarray, Z: np.ndarray) -> np.ndarray:
        """Compute samples of codes.

        Parameters
        ----------
        state : ndarray of float64, shape (n_draws, n_base)
            States.
        Z : ndarray of float, shape (n, n_components) or (n_draws, n, n_components)
            Codes.

        Returns
        -------
        ndarray of float64, shape (n_draws, n, n_features)
            Samples.
        """
        return self.decoder.evaluate(state[:, self.encoder.n_base :], Z)[0]

    def evaluate(self, state: np.ndarray, X: np.ndarray) -> tuple[np.ndarray, Trace]:
        """Encode and decode, by one draw both."""
        Z, first = self.encoder.evaluate(state[:, : self.encoder.n_base], X)
        F, second = self.decoder.evaluate(state[:, self.encoder.n_base :], Z)
        return F, (first, second)

    def pull_state(self, trace: Trace, dF: np.ndarray) -> np.ndarray:
        """Pull through the decoder, then through the encoder."""
        decoder, dZ = self.decoder.pull_state_and_inputs(trace[1], dF)
        return np.hstack([self.encoder.pull_state(trace[0], dZ), decoder])

    def pull_theta(self, trace: Trace, dF: np.ndarray) -> list[np.ndarray]:
        """Pull through the decoder, then through the encoder."""
        decoder, dZ = self.decoder.pull_theta_and_inputs(trace[1], dF)
        return [*self.encoder.pull_theta(trace[0], dZ), *decoder]


class LogisticPrior(Prior):
    """The logistic function of a random function: pixels instead of logits.

    Parameters
    ----------
    prior : Prior
        The law of logits, which is tuned as this one is.

    See Also
    --------
    BernoulliLikelihood : Takes logits.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import FunctionalNetwork, GaussianPrior, LogisticPrior
    >>> prior = LogisticPrior(GaussianPrior(FunctionalNetwork([5, 3])))
    >>> F, _ = prior.evaluate(prior.draw(2, np.random.default_rng(0)), np.zeros((4, 5)))
    >>> bool(F.min() > 0 and F.max() < 1)
    True
    """

    def __init__(self, prior: Prior) -> None:
        self.prior = prior
        self.theta, self.n_base = prior.theta, prior.n_base

    def evaluate(self, state: np.ndarray, X: np.ndarray) -> tuple[np.ndarray, Trace]:
        """Squash."""
        F, trace = self.prior.evaluate(state, X)
        P = expit(F)
        return P, (P, trace)

    def pull_state(self, trace: Trace, dF: np.ndarray) -> np.ndarray:
        """Multiply by the slope, and pull on."""
        return self.prior.pull_state(trace[1], dF * trace[0] * (1 - trace[0]))

    def pull_theta(self, trace: Trace, dF: np.ndarray) -> list[np.ndarray]:
        """Multiply by the slope, and pull on."""
        return self.prior.pull_theta(trace[1], dF * trace[0] * (1 - trace[0]))


def fan_in_prior(network: FunctionalNetwork) -> GaussianPrior:
    """Return normal parameters whose variance is one over the fan-in: sums keep the scale of what is summed."""
    factors = [m**-0.5 / scale for m, scale in zip(network.sizes, network.scales, strict=False)]
    return GaussianPrior(network, std=np.repeat(factors, 2))


def train_autoencoder(
    encoder: FunctionalNetwork,
    decoder: FunctionalNetwork,
    likelihood: Likelihood,
    X: np.ndarray,
    random: np.random.Generator,
    *,
    n_iter: int = 1500,
    batch_size: int = 64,
    rate: float = 0.01,
) -> tuple[np.ndarray, np.ndarray]:
    """Train a plain autoencoder: one state, no law.

    Parameters
    ----------
    encoder, decoder : FunctionalNetwork
        The networks.
    likelihood : Likelihood
        The loss, of samples given what is decoded.
    X : ndarray of float, shape (n, n_features)
        Samples.
    random : numpy.random.Generator
        Source of the start and of batches.
    n_iter : int, default=1500
        Steps of Adam.
    batch_size : int, default=64
        Samples of a step, at most all.
    rate : float, default=0.01
        The first learning rate; it falls to 0 along half a cosine wave.

    Returns
    -------
    encoder, decoder : ndarray of float64, shape (n_parameters,)
        Parameters.
    """
    law = AutoencoderPrior(fan_in_prior(encoder), fan_in_prior(decoder))
    state, adam = law.draw(1, random), Adam(rate, n_steps=n_iter)
    for _ in range(n_iter):
        batch = X[random.permutation(len(X))[:batch_size]]
        F, trace = law.evaluate(state, batch)
        adam.step([state], [law.pull_state(trace, likelihood.gradient(F, batch) / len(batch))])
    first, second = np.split(state, [law.encoder.n_base], axis=1)
    return law.encoder.parameters(first)[0][0], law.decoder.parameters(second)[0][0]


def pretrained_prior(
    encoder: FunctionalNetwork,
    decoder: FunctionalNetwork,
    likelihood: Likelihood,
    X: np.ndarray,
    random: np.random.Generator,
    *,
    std: float,
) -> AutoencoderPrior:
    """Return normal parameters around those of a plain autoencoder of samples, each with its own deviation."""
    means = train_autoencoder(encoder, decoder, likelihood, X, random)
    networks = zip((encoder, decoder), means, strict=True)
    return AutoencoderPrior(*(GaussianPrior(network, "parameter", mean=m, std=std) for network, m in networks))


def tune_to_samples(
    prior: Prior,
    X: np.ndarray,
    random: np.random.Generator,
    *,
    distance: str | Distance,
    n_iter: int,
    rate: float,
    on_iteration: Callable[[int, float], None] | None = None,
) -> list[float]:
    """Move hyper-parameters until random reconstructions of samples look like samples; return the distances."""
    return tune(
        prior,
        Draws(X),
        lambda random: X[random.permutation(len(X))[:_BATCH]],
        random,
        distance=distance,
        rows="values",
        n_iter=n_iter,
        n_draws=_FUNCTIONS,
        rate=rate,
        on_iteration=on_iteration,
    )


def check_prior(prior: AutoencoderPrior, n_features: int) -> AutoencoderPrior:
    """Return a law after checking that it leads from samples to codes and back."""
    first, last = prior.encoder.network.sizes, prior.decoder.network.sizes
    if (first[0], first[-1], last[-1]) != (n_features, last[0], n_features):
        raise ValueError(f"prior must lead from {n_features} features to codes and back, got {first} and {last}")
    return prior
