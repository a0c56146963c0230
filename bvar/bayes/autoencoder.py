"""Autoencoders as random functions: encoder and decoder sampled together, behind a prior that has seen images.

The prior, its tuning and the departures from the paper are in ``docs/explanation/bayesian-autoencoders.md``.
"""

# Over 400 lines, because half of them describe parameters and attributes of the one estimator that is here.

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from bvar._validation import check_choice, check_integer, check_real, check_sizes
from bvar.bayes.autoencoder_prior import (
    AutoencoderPrior,
    LogisticPrior,
    check_prior,
    fan_in_prior,
    pretrained_prior,
    tune_to_samples,
)
from bvar.bayes.code_mixture import code_mixture, draw_codes
from bvar.bayes.distances import Distance
from bvar.bayes.distributional import DistributionalSliced
from bvar.bayes.functional import FunctionalNetwork
from bvar.bayes.functional_prior import generator, tell
from bvar.bayes.likelihoods import BernoulliLikelihood, GaussianLikelihood
from bvar.bayes.posterior import Posterior
from bvar.bayes.sampled import has_batches, report_chains
from bvar.bayes.scales import check_magnitude, deviations
from bvar.bayes.sghmc import SGHMC
from bvar.encoding.samples import all_or_nothing

__all__ = ["BayesianAutoencoder"]

_WATCHED = 100  # training samples at which chains are compared
_LEAST = 1e-6  # probability of a pixel in a score


class BayesianAutoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Codes of samples, and new samples, by draws from the posterior of an autoencoder.

    Float and random: one seed is one model on one machine.

    Parameters
    ----------
    n_components : int, default=10
        Length of a code.
    hidden_layer_sizes : int or sequence of int, default=64
        Widths of the hidden layers of the encoder; those of the decoder, reversed.
    prior : {'tuned', 'pretrained', 'normal'} or AutoencoderPrior, default='tuned'
        Normal parameters: with means of an autoencoder that is trained on `tuning_samples`, then tuned so that
        random reconstructions of these samples look like samples; the same, not tuned; with means 0 and variances
        of one over the fan-in; or a law of yours.
    tuning_samples : array-like of shape (n, n_features), optional
        What the prior has seen. Default: the training samples, which are then counted twice.
    prior_std : float, default=0.1
        Deviation of parameters around those of the trained autoencoder, before tuning.
    likelihood : {'gaussian', 'bernoulli'}, default='gaussian'
        Normal noise on standardised samples, or cross-entropy of pixels in [0, 1].
    noise : float, default=0.1
        Variance of normal noise, in units of the variance of samples around their mean.
    activation : {'tanh', 'relu', 'leaky_relu'}, default='leaky_relu'
        What follows hidden layers.
    distance : str or Distance, optional
        What tuning minimises, see :func:`tune`. Default: :class:`DistributionalSliced` with 100 directions.
    max_iter : int, default=200
        Steps of tuning.
    learning_rate : float, default=0.001
        Their first rate.
    n_mixture : int, default=20
        Components, at most, of the mixture of normal laws from which `sample` draws codes.
    n_chains : int, default=2
        Chains, which run side by side.
    n_burn_in : int, default=2000
        Steps of each chain before any draw.
    n_draws : int, default=20
        Draws kept of each chain, at least 4.
    keep_every : int, default=50
        Steps from one draw to the next.
    step_size : float, default=0.02
        Step size of the sampler, :class:`SGHMC`.
    friction : float, default=0.05
        Its friction, in (0, 1].
    batch_size : int, optional
        Samples of a step. Default: all of them.
    random_state : None, int or RandomState, default=None
        Where draws come from.
    verbose : bool or int, default=0
        Whether to print lines as it goes.

    Attributes
    ----------
    prior_ : AutoencoderPrior
        The law before data.
    history_ : list of float
        The distance at each step of tuning; empty if there was none.
    n_iter_ : int
        Number of these steps.
    states_ : ndarray of float64, shape (n_draws, n_chains, n_base)
        The draws, as states of the prior.
    mixtures_ : list of BayesianGaussianMixture
        Of the codes by the last draw of each chain.
    report_ : ChainReport
        What the chains are worth, by reconstructions.
    mean_ : ndarray of float64, shape (n_features,)
        Means of samples; 0 for pixels.
    std_ : float
        Their deviation around these; 1 for pixels.
    n_features_in_, feature_names_in_
        As of all estimators.

    Raises
    ------
    TypeError, ValueError
        By `fit`, if a parameter or the data is not as described.

    See Also
    --------
    SparseGPAutoencoder : Where something is known of each sample.

    References
    ----------
    B.-H. Tran, S. Rossi, D. Milios, P. Michiardi, E. V. Bonilla and M. Filippone, "Model Selection for Bayesian
    Autoencoders", NeurIPS 2021.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from bvar.bayes import BayesianAutoencoder
    >>> X = load_digits().data[:100] / 16
    >>> model = BayesianAutoencoder(5, likelihood="bernoulli", max_iter=5, n_burn_in=200, n_draws=4)
    >>> codes = model.set_params(random_state=0).fit(X[:80]).transform(X[80:])
    >>> codes.shape, model.inverse_transform(codes).shape, model.sample(3).shape
    ((20, 5), (20, 64), (3, 64))
    >>> mean, std = model.reconstruct(X[80:], return_std=True)
    """

    def __init__(
        self,
        n_components: int = 10,
        *,
        hidden_layer_sizes: int | Sequence[int] = 64,
        prior: str | AutoencoderPrior = "tuned",
        tuning_samples: ArrayLike | None = None,
        prior_std: float = 0.1,
        likelihood: str = "gaussian",
        noise: float = 0.1,
        activation: str = "leaky_relu",
        distance: str | Distance | None = None,
        max_iter: int = 200,
        learning_rate: float = 0.001,
        n_mixture: int = 20,
        n_chains: int = 2,
        n_burn_in: int = 2000,
        n_draws: int = 20,
        keep_every: int = 50,
        step_size: float = 0.02,
        friction: float = 0.05,
        batch_size: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: bool | int = 0,
    ) -> None:
        self.n_components = n_components
        self.hidden_layer_sizes = hidden_layer_sizes
        self.prior = prior
        self.tuning_samples = tuning_samples
        self.prior_std = prior_std
        self.likelihood = likelihood
        self.noise = noise
        self.activation = activation
        self.distance = distance
        self.max_iter = max_iter
        self.learning_rate = learning_rate
        self.n_mixture = n_mixture
        self.n_chains = n_chains
        self.n_burn_in = n_burn_in
        self.n_draws = n_draws
        self.keep_every = keep_every
        self.step_size = step_size
        self.friction = friction
        self.batch_size = batch_size
        self.random_state = random_state
        self.verbose = verbose

    @all_or_nothing
    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Make the prior and sample the posterior; what was learnt before is forgotten.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.
        y : None
            Not used.

        Returns
        -------
        Self
            Itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the samples are not as described.
        """
        n_chains = check_integer(self.n_chains, "n_chains", low=1)
        n_draws = check_integer(self.n_draws, "n_draws", low=4)
        n_mixture = check_integer(self.n_mixture, "n_mixture", low=1)
        samples = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        self._pixels = check_choice(self.likelihood, "likelihood", ("gaussian", "bernoulli")) == "bernoulli"
        self._likelihood = BernoulliLikelihood() if self._pixels else GaussianLikelihood(self.noise)
        self.mean_, self.std_ = np.zeros(samples.shape[1]), 1.0
        if not self._pixels:
            check_magnitude(samples, "X")
            self.mean_ = samples.mean(axis=0)
            self.std_ = float(deviations((samples - self.mean_).std(), np.ptp(samples, axis=0).any(), "X"))
        random = generator(self.random_state)
        Z = self._standardize(samples, "X")
        self.prior_ = self._make_prior(Z, random)
        batches = has_batches(self.batch_size, len(Z))
        sampler = SGHMC(self.step_size, self.friction, noise_correction=batches)
        posterior = Posterior(self.prior_, self._likelihood, Z, Z, batch_size=self.batch_size)
        self.states_ = sampler.sample(
            self.prior_.draw(n_chains, random),
            posterior.gradient(random),
            random,
            n_burn_in=self.n_burn_in,
            n_draws=n_draws,
            keep_every=self.keep_every,
            on_draw=tell(self.verbose, n_draws, "draw", ""),
        )
        values = self._evaluated(Z[random.permutation(len(Z))[:_WATCHED]])
        self.report_ = report_chains(values.reshape(n_draws, n_chains, *values.shape[1:]), sampler)
        codes = self.prior_.encode(self.states_[-1], Z)
        self.mixtures_ = [code_mixture(c, min(n_mixture, len(Z) // 2), int(random.integers(2**31))) for c in codes]
        self._n_features_out = codes.shape[-1]
        return self

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Encode by one draw, the last of the first chain: codes of different draws do not compare.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Samples.

        Returns
        -------
        ndarray of float64, shape (n, n_components)
            Codes.
        """
        Z = self._samples(X)
        return self.prior_.encode(self.states_[-1, :1], Z)[0]

    def inverse_transform(self, Z: ArrayLike) -> np.ndarray:
        """Decode by the draw that `transform` encodes with.

        Parameters
        ----------
        Z : array-like of shape (n, n_components)
            Codes.

        Returns
        -------
        ndarray of float64, shape (n, n_features)
            Samples without noise.
        """
        check_is_fitted(self, "states_")
        codes = check_array(Z, dtype=np.float64, input_name="Z")
        if codes.shape[1] != self._n_features_out:
            raise ValueError(f"Z must have {self._n_features_out} columns, got {codes.shape[1]}")
        return self._restore(self.prior_.decode(self.states_[-1, :1], codes))[0]

    def reconstruct(
        self, X: ArrayLike, return_std: bool = False, *, with_noise: bool = True
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Encode and decode by all draws, each by itself.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Samples.
        return_std : bool, default=False
            Whether to return deviations too.
        with_noise : bool, default=True
            Whether deviations are those of new samples, of pixels as of coins, or those between draws.

        Returns
        -------
        mean : ndarray of float64, shape (n, n_features)
            Means over draws.
        std : ndarray of float64, shape (n, n_features)
            Deviations; only with `return_std`.
        """
        check_is_fitted(self, "states_")
        F = self._evaluated(self._samples(X))
        values = self._restore(F)
        mean, variances = values.mean(axis=0), values.var(axis=0)
        if with_noise:
            variances = variances + self._likelihood.variances(F).mean(axis=0) * self.std_**2
        return (mean, np.sqrt(variances)) if return_std else mean

    def sample(self, n_samples: int = 1, random_state: int | np.random.RandomState | None = 0) -> np.ndarray:
        """Draw codes of the mixtures of all chains in turn, and decode them by the draws that they are of.

        Parameters
        ----------
        n_samples : int, default=1
            How many.
        random_state : None, int or RandomState, default=0
            Where they come from.

        Returns
        -------
        ndarray of float64, shape (n_samples, n_features)
            New samples, without noise.
        """
        check_is_fitted(self, "states_")
        n, random = check_integer(n_samples, "n_samples", low=1), generator(random_state)
        samples = np.empty((n, len(self.mean_)))
        for chain, mixture in enumerate(self.mixtures_):
            rows = slice(chain, n, len(self.mixtures_))
            codes = draw_codes(mixture, len(samples[rows]), random)
            samples[rows] = self._restore(self.prior_.decode(self.states_[-1, [chain]], codes))[0]
        return samples

    def score(self, X: ArrayLike, y: Any = None) -> float:
        """Return the mean log likelihood of samples given their mean reconstructions.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Samples.
        y : None
            Not used.

        Returns
        -------
        float
            In nats a sample.
        """
        Z = self._samples(X)
        mean = self._restore(self._evaluated(Z)).mean(axis=0)
        F = logit(np.clip(mean, _LEAST, 1 - _LEAST)) if self._pixels else (mean - self.mean_) / self.std_
        return -float(self._likelihood.loss(F, Z).mean() + Z.shape[1] * np.log(self.std_))

    def _make_prior(self, Z: np.ndarray, random: np.random.Generator) -> AutoencoderPrior:
        """Return the law before data: as given, or around a trained autoencoder, and tuned if it is to be."""
        self.history_: list[float] = []
        self.n_iter_ = 0
        hidden = check_sizes(self.hidden_layer_sizes, "hidden_layer_sizes", least=1)
        n_components = check_integer(self.n_components, "n_components", low=1)
        if isinstance(self.prior, AutoencoderPrior):
            return check_prior(self.prior, Z.shape[1])
        if not isinstance(self.prior, str) or self.prior not in ("tuned", "pretrained", "normal"):
            text = "prior must be 'tuned', 'pretrained', 'normal' or an AutoencoderPrior"
            raise ValueError(f"{text}, got {self.prior!r}")
        sizes = [Z.shape[1], *hidden, n_components]
        encoder, decoder = (FunctionalNetwork(s, self.activation, scaled=False) for s in (sizes, sizes[::-1]))
        if self.prior == "normal":
            return AutoencoderPrior(fan_in_prior(encoder), fan_in_prior(decoder))
        shown = Z if self.tuning_samples is None else self._check_shown(self.tuning_samples)
        std = check_real(self.prior_std, "prior_std", low=0, strict=True)
        prior = pretrained_prior(encoder, decoder, self._likelihood, shown, random, std=std)
        if self.prior == "tuned":
            self.history_ = self._tune(prior, shown, random)
            self.n_iter_ = len(self.history_)
        return prior

    def _tune(self, prior: AutoencoderPrior, shown: np.ndarray, random: np.random.Generator) -> list[float]:
        max_iter = check_integer(self.max_iter, "max_iter", low=1)
        return tune_to_samples(
            LogisticPrior(prior) if self._pixels else prior,
            shown,
            random,
            distance=DistributionalSliced(100, n_inner=5) if self.distance is None else self.distance,
            n_iter=max_iter,
            rate=check_real(self.learning_rate, "learning_rate", low=0),
            on_iteration=tell(self.verbose, max_iter, "iteration", "distance {:.4f}"),
        )

    def _check_shown(self, samples: ArrayLike) -> np.ndarray:
        shown = check_array(samples, dtype=np.float64, ensure_min_samples=2, input_name="tuning_samples")
        if shown.shape[1] != len(self.mean_):
            raise ValueError(f"tuning_samples must have {len(self.mean_)} features, got {shown.shape[1]}")
        return self._standardize(shown, "tuning_samples")

    def _samples(self, X: ArrayLike) -> np.ndarray:
        check_is_fitted(self, "states_")
        return self._standardize(validate_data(self, X, dtype=np.float64, reset=False), "X")

    def _standardize(self, X: np.ndarray, name: str) -> np.ndarray:
        if self._pixels and not (X.min() >= 0 and X.max() <= 1):
            raise ValueError(
                f"{name} must be in [0, 1] with likelihood='bernoulli', got values from {X.min():g} to {X.max():g}"
            )
        return (X - self.mean_) / self.std_

    def _evaluated(self, Z: np.ndarray) -> np.ndarray:
        """Return reconstructions by all draws, (n_draws, n, n_features): logits, or standardised samples."""
        return self.prior_.evaluate(self.states_.reshape(-1, self.prior_.n_base), Z)[0]

    def _restore(self, F: np.ndarray) -> np.ndarray:
        return expit(F) if self._pixels else F * self.std_ + self.mean_
