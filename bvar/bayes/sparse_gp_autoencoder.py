"""An autoencoder whose codes are Gaussian processes of what is known of each sample: time, angle, place.

The model, its sampler and the departures from the paper are in ``docs/explanation/sparse-gp.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.gaussian_process.kernels import RBF
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import check_is_fitted, validate_data

from bvar._validation import check_integer, check_real, check_sizes
from bvar.bayes.amortized import AmortizedSampler
from bvar.bayes.functional import FunctionalNetwork
from bvar.bayes.functional_prior import generator, tell
from bvar.bayes.likelihoods import GaussianLikelihood, data_of
from bvar.bayes.posterior import Posterior
from bvar.bayes.priors import GaussianPrior
from bvar.bayes.processes import KernelFunction, check_kernel
from bvar.bayes.sampled import report_chains
from bvar.bayes.scales import check_magnitude, deviations
from bvar.bayes.sghmc import SGHMC
from bvar.bayes.sparse_process import LatentProcessPrior, SparseProcess, inducing_rows
from bvar.encoding.samples import all_or_nothing

__all__ = ["PartlyObserved", "SparseGPAutoencoder"]

_WATCHED = 100  # training samples at which chains are compared


class PartlyObserved(GaussianLikelihood):
    """Values and normal noise, where data that are NaN were not observed."""

    def loss(self, F: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return minus the log densities of what was observed."""
        y = data_of(y, F.shape)
        losses = ((F - y) ** 2 / self.noise + np.log(2 * np.pi * self.noise)) / 2
        return np.where(np.isnan(y), 0.0, losses).sum(axis=-1)

    def gradient(self, F: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return the gradient, 0 where nothing was observed."""
        y = data_of(y, F.shape)
        return np.where(np.isnan(y), 0.0, (F - y) / self.noise)


class SparseGPAutoencoder(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Generate samples at auxiliary inputs: a random decoder of latent Gaussian processes over these inputs.

    Samples are the targets `y`, and may have missing values; what is known of each is `X`. The decoder, the
    processes and the codes are sampled together. Float and random: one seed is one model on one machine.

    Parameters
    ----------
    n_components : int, default=8
        Number of latent processes.
    kernel : callable, optional
        Kernel of the processes, of scikit-learn or any ``k(A, B)``. Default: ``RBF()``.
    n_inducing : int, default=100
        Inducing inputs, at most; chosen among the training inputs by pivoted Cholesky.
    hidden_layer_sizes : int or sequence of int, default=64
        Widths of the hidden layers of the decoder, and of the encoder if there is one.
    noise : float, default=0.1
        Variance of the noise on targets, in units of their variance around their means, positive.
    latent_noise : float, default=0.01
        Variance of each code of its own, beyond the processes, positive.
    amortize : bool, default=False
        Whether codes are not sampled themselves but started by a stochastic encoder in batches: for many samples.
    batch_size : int, default=128
        Samples of a batch, with `amortize`.
    n_chains : int, default=2
        Chains, which run side by side.
    n_burn_in : int, default=3000
        Steps of each chain before any draw.
    n_draws : int, default=50
        Draws kept of each chain, at least 4.
    keep_every : int, default=50
        Steps from one draw to the next.
    step_size : float, default=0.02
        Step size of the sampler, :class:`SGHMC`.
    friction : float, default=0.05
        Its friction, in (0, 1].
    random_state : None, int or RandomState, default=None
        Where draws come from.
    verbose : bool or int, default=0
        Whether to print lines as it goes.

    Attributes
    ----------
    prior_ : LatentProcessPrior
        The law of generated samples before data.
    process_ : SparseProcess
        The processes.
    inducing_ : ndarray of float64, shape (n, n_features)
        The inducing inputs.
    states_ : ndarray of float64, shape (n_draws, n_chains, n_base)
        The draws, as states of the prior; with `amortize` without codes.
    encoders_ : ndarray of float64, shape (n_draws, n_chains, n_parameters)
        The encoders of the same times; only with `amortize`.
    report_ : ChainReport
        What the chains are worth, by generated training samples.
    y_mean_ : ndarray of float64, shape (n_outputs,)
        Means of targets.
    y_std_ : float
        Deviation of targets around their means.
    n_features_in_, feature_names_in_
        As of all estimators.

    Raises
    ------
    TypeError, ValueError
        By `fit`, if a parameter or the data is not as described.

    See Also
    --------
    GaussianProcess : The exact posterior with a process for each output, which is better where it is affordable.
    BayesianAutoencoder : Without auxiliary inputs.

    References
    ----------
    B.-H. Tran, B. Shahbaba, S. Mandt and M. Filippone, "Fully Bayesian Autoencoders with Latent Sparse Gaussian
    Processes", ICML 2023.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import SparseGPAutoencoder
    >>> t = np.linspace(0, 6, 60)[:, None]
    >>> Y = np.sin(t + np.arange(5))
    >>> Y[3, 2] = np.nan  # not observed
    >>> model = SparseGPAutoencoder(2, n_inducing=20, hidden_layer_sizes=20, noise=0.01, random_state=0)
    >>> mean, std = model.fit(t, Y).predict([[3.05]], return_std=True)
    >>> bool(abs(mean[0] - np.sin(3.05 + np.arange(5))).max() < 0.3), model.reconstruct().shape
    (True, (60, 5))
    """

    def __init__(
        self,
        n_components: int = 8,
        *,
        kernel: KernelFunction | None = None,
        n_inducing: int = 100,
        hidden_layer_sizes: int | Sequence[int] = 64,
        noise: float = 0.1,
        latent_noise: float = 0.01,
        amortize: bool = False,
        batch_size: int = 128,
        n_chains: int = 2,
        n_burn_in: int = 3000,
        n_draws: int = 50,
        keep_every: int = 50,
        step_size: float = 0.02,
        friction: float = 0.05,
        random_state: int | np.random.RandomState | None = None,
        verbose: bool | int = 0,
    ) -> None:
        self.n_components = n_components
        self.kernel = kernel
        self.n_inducing = n_inducing
        self.hidden_layer_sizes = hidden_layer_sizes
        self.noise = noise
        self.latent_noise = latent_noise
        self.amortize = amortize
        self.batch_size = batch_size
        self.n_chains = n_chains
        self.n_burn_in = n_burn_in
        self.n_draws = n_draws
        self.keep_every = keep_every
        self.step_size = step_size
        self.friction = friction
        self.random_state = random_state
        self.verbose = verbose

    @all_or_nothing
    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Sample decoder, processes and codes; what was learnt before is forgotten.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Auxiliary inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Samples; NaN is a value that was not observed.

        Returns
        -------
        Self
            Itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the data is not as described.
        """
        likelihood = PartlyObserved(self.noise)
        n_chains = check_integer(self.n_chains, "n_chains", low=1)
        n_draws = check_integer(self.n_draws, "n_draws", low=4)
        inputs, targets = self._check(X, y)
        random = generator(self.random_state)
        P = self._make_prior(inputs, targets.shape[1])
        sampler = SGHMC(self.step_size, self.friction)
        lengths: dict[str, Any] = {"n_burn_in": self.n_burn_in, "n_draws": n_draws, "keep_every": self.keep_every}
        told = tell(self.verbose, n_draws, "draw", "")
        self._noise = likelihood.noise
        for left_over in ("encoders_", "_encoder"):
            self.__dict__.pop(left_over, None)
        if self.amortize:
            hidden = check_sizes(self.hidden_layer_sizes, "hidden_layer_sizes", least=1)
            batch_size = min(check_integer(self.batch_size, "batch_size", low=1), len(P))
            amortized = AmortizedSampler(self.prior_, likelihood, P, targets, hidden, batch_size, n_chains, random)
            self.states_, self.encoders_ = amortized.sample(sampler, random, **lengths, on_draw=told)
            self._encoder = amortized.encoder
        else:
            posterior = Posterior(self.prior_, likelihood, P, targets)
            state = self.prior_.draw(n_chains, random)
            self.states_ = sampler.sample(state, posterior.gradient(random), random, **lengths, on_draw=told)
        self._ahead = random.standard_normal((n_draws * n_chains, 1, self.prior_.n_latent))
        values = self._decode(P[random.permutation(len(P))[:_WATCHED]])
        self.report_ = report_chains(values.reshape(n_draws, n_chains, *values.shape[1:]), sampler)
        self._projections, self._targets = P, targets
        return self

    def predict(
        self, X: ArrayLike, return_std: bool = False, *, with_noise: bool = True
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Generate the mean of samples at auxiliary inputs, and their standard deviations.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Auxiliary inputs.
        return_std : bool, default=False
            Whether to return deviations too.
        with_noise : bool, default=True
            Whether deviations are those of new samples, or of what is behind them.

        Returns
        -------
        mean : ndarray of float64, shape (n,) or (n, n_outputs)
            Means over draws of decoder, processes and codes.
        std : ndarray of float64, of the same shape
            Deviations; only with `return_std`.
        """
        return self._finish(self._decode(self._project(X)), return_std=return_std, with_noise=with_noise)

    def sample_y(
        self, X: ArrayLike, n_samples: int = 1, random_state: int | np.random.RandomState | None = 0
    ) -> np.ndarray:
        """Generate samples at auxiliary inputs, without noise, each by one draw.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Auxiliary inputs.
        n_samples : int, default=1
            How many at each.
        random_state : None, int or RandomState, default=0
            Where the choice of draws and the codes come from.

        Returns
        -------
        ndarray of float64, shape (n, n_samples) or (n, n_outputs, n_samples)
            Samples.
        """
        P = self._project(X)
        n_samples, random = check_integer(n_samples, "n_samples", low=1), generator(random_state)
        state = self._globals()
        state = state[random.integers(len(state), size=n_samples)]
        codes = random.standard_normal((n_samples, len(P) * self.prior_.n_latent))
        F, _ = self.prior_.evaluate(np.hstack([state, codes]), P)
        values = np.moveaxis(F * self.y_std_ + self.y_mean_, 0, -1)
        return values[:, 0] if self._one else values

    def reconstruct(
        self, return_std: bool = False, *, with_noise: bool = True
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Return the training samples as the model sees them: without noise, nothing missing.

        Parameters
        ----------
        return_std : bool, default=False
            Whether to return deviations too.
        with_noise : bool, default=True
            Whether deviations are those of new samples, or of what is behind them.

        Returns
        -------
        mean : ndarray of float64, shape (n_samples,) or (n_samples, n_outputs)
            Means over draws.
        std : ndarray of float64, of the same shape
            Deviations; only with `return_std`.
        """
        check_is_fitted(self, "states_")
        return self._finish(self._decode_codes(self._codes()), return_std=return_std, with_noise=with_noise)

    def _check(self, X: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Return inputs and standardised targets, with NaN where they were missing."""
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        inputs = validate_data(self, X, dtype=np.float64)
        targets = check_array(
            y, dtype=np.float64, ensure_2d=False, ensure_all_finite="allow-nan", input_name="y", estimator=self
        )
        check_consistent_length(inputs, targets)
        self._one = targets.ndim == 1
        targets = targets.reshape(len(targets), -1)
        if np.isnan(targets).all(axis=0).any():
            raise ValueError("y must have at least one observed value in each column, got a column of NaN")
        check_magnitude(targets, "y")
        self.y_mean_ = np.nanmean(targets, axis=0)
        varies = (np.nanmax(targets, axis=0) > np.nanmin(targets, axis=0)).any()
        self.y_std_ = float(deviations(np.sqrt(np.nanmean((targets - self.y_mean_) ** 2)), varies, "y"))
        return inputs, (targets - self.y_mean_) / self.y_std_

    def _make_prior(self, X: np.ndarray, n_outputs: int) -> np.ndarray:
        """Make processes and decoder; return the projections of inputs."""
        n_latent = check_integer(self.n_components, "n_components", low=1)
        n_inducing = check_integer(self.n_inducing, "n_inducing", low=1)
        latent_noise = check_real(self.latent_noise, "latent_noise", low=0, strict=True)
        hidden = check_sizes(self.hidden_layer_sizes, "hidden_layer_sizes", least=1)
        kernel = check_kernel(RBF() if self.kernel is None else self.kernel)
        self.inducing_ = X[inducing_rows(kernel, X, n_inducing)]
        self.process_ = SparseProcess(kernel, self.inducing_, noise=latent_noise)
        decoder = GaussianPrior(FunctionalNetwork([n_latent, *hidden, n_outputs]), std=1.0)
        self.prior_ = LatentProcessPrior(decoder, len(self.inducing_), len(X))
        return self.process_.project(X)

    def _project(self, X: ArrayLike) -> np.ndarray:
        check_is_fitted(self, "states_")
        return self.process_.project(validate_data(self, X, dtype=np.float64, reset=False))

    def _globals(self) -> np.ndarray:
        """Return of each draw what it says of decoder and processes."""
        return self.states_.reshape(-1, self.states_.shape[-1])[:, : self.prior_.n_global]

    def _decode(self, P: np.ndarray) -> np.ndarray:
        """Generate with all draws; one draw has one noise for all inputs, so that no row depends on others."""
        codes = np.broadcast_to(self._ahead, (len(self._ahead), len(P), self.prior_.n_latent))
        state = np.hstack([self._globals(), codes.reshape(len(codes), -1)])
        return self.prior_.evaluate(state, P)[0]

    def _codes(self) -> np.ndarray:
        """Return the codes of training samples, of each draw: (n_draws, n_samples, n_components)."""
        if not hasattr(self, "_encoder"):
            return self.prior_.latent(self.states_.reshape(-1, self.states_.shape[-1]), self._projections)
        inputs = self._encoder.inputs(self._targets, np.random.default_rng(0))
        return self._encoder.codes(inputs, self.encoders_.reshape(-1, self.encoders_.shape[-1]))

    def _decode_codes(self, Z: np.ndarray) -> np.ndarray:
        decoder = self.prior_.decoder
        return decoder.evaluate(self._globals()[:, : decoder.n_base], Z)[0]

    def _finish(
        self, F: np.ndarray, *, return_std: bool, with_noise: bool
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Return the mean of draws, and deviations, in the units of targets."""
        mean = F.mean(axis=0) * self.y_std_ + self.y_mean_
        std = np.sqrt(F.var(axis=0) + with_noise * self._noise) * self.y_std_
        if self._one:
            mean, std = mean[:, 0], std[:, 0]
        return (mean, std) if return_std else mean
