"""What Bayesian networks have in common: a prior of functions, and draws from the posterior by several chains.

Inputs are standardised; the chains walk over states of the prior (``docs/explanation/functional-priors.md``).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator

from bvar._validation import check_integer, check_sizes
from bvar.bayes.diagnostics import effective_sample_size, split_rhat
from bvar.bayes.functional import FunctionalNetwork
from bvar.bayes.functional_prior import FunctionalPrior, generator, tell
from bvar.bayes.likelihoods import Likelihood
from bvar.bayes.posterior import Posterior
from bvar.bayes.priors import GaussianPrior, Prior
from bvar.bayes.scales import spreads
from bvar.bayes.sghmc import SGHMC

__all__ = ["ChainReport", "SampledNetwork", "has_batches", "report_chains"]

_WATCHED = 100  # training samples at which chains are compared
_ROWS = 1000  # samples evaluated at once: values of all draws take memory


@dataclass(frozen=True)
class ChainReport:
    r"""What the chains of a fitted model are worth.

    Parameters
    ----------
    n_draws : int
        Draws kept of all chains.
    rhat : ndarray of float64, shape (n_watched,)
        Split R-hat of the values of functions, at up to 100 training samples; the largest over outputs.
    effective_sample_size : ndarray of float64, shape (n_watched,)
        Draws that would be as good if they were independent; the smallest over outputs.
    clamped : float
        Share of coordinates whose noise was cut at 0 by the correction for noise of batches.
    scale : float
        The median root mean square of gradients.
    relaxation_steps : float
        Steps in which a direction relaxes that only the prior knows,
        :math:`\alpha \sqrt V / \epsilon^2`: chains shorter than a few of them have not forgotten where they began.

    See Also
    --------
    split_rhat, effective_sample_size : The measures.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import BayesianRegressor
    >>> X = np.linspace(-1, 1, 20)[:, None]
    >>> model = BayesianRegressor(prior="normal", n_burn_in=200, n_draws=10, keep_every=20, random_state=0)
    >>> report = model.fit(X, X[:, 0]).report_
    >>> report.n_draws, report.rhat.shape
    (40, (20,))
    """

    n_draws: int
    rhat: np.ndarray
    effective_sample_size: np.ndarray
    clamped: float
    scale: float
    relaxation_steps: float


class SampledNetwork(BaseEstimator):
    """The base of estimators that sample a network; subclasses choose likelihood and targets."""

    prior_: Prior

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (50, 50),
        *,
        prior: str | Prior | FunctionalPrior = "functional",
        activation: str = "tanh",
        n_chains: int = 4,
        n_burn_in: int = 2000,
        n_draws: int = 50,
        keep_every: int = 50,
        step_size: float = 0.02,
        friction: float = 0.05,
        batch_size: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: bool | int = 0,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.prior = prior
        self.activation = activation
        self.n_chains = n_chains
        self.n_burn_in = n_burn_in
        self.n_draws = n_draws
        self.keep_every = keep_every
        self.step_size = step_size
        self.friction = friction
        self.batch_size = batch_size
        self.random_state = random_state
        self.verbose = verbose

    @property
    def rhat_(self) -> float:
        """The largest split R-hat of values of functions at training samples."""
        return float(self.report_.rhat.max())

    def _sample(self, X: np.ndarray, y: np.ndarray, likelihood: Likelihood, n_outputs: int) -> None:
        """Learn how to standardise, make the prior, and draw from the posterior."""
        n_chains = check_integer(self.n_chains, "n_chains", low=1)
        n_draws = check_integer(self.n_draws, "n_draws", low=4)
        batches = has_batches(self.batch_size, len(X))
        self.__dict__.pop("functional_prior_", None)
        sampler = SGHMC(self.step_size, self.friction, noise_correction=batches)
        random = generator(self.random_state)
        self.std_ = spreads(X, "X")  # which checks them
        self.mean_ = X.mean(axis=0)
        Z = self._features(X)
        self.prior_ = self._make_prior(Z, n_outputs, random)
        posterior = Posterior(self.prior_, likelihood, Z, y, batch_size=self.batch_size)
        self.states_ = sampler.sample(
            self.prior_.draw(n_chains, random),
            posterior.gradient(random),
            random,
            n_burn_in=self.n_burn_in,
            n_draws=n_draws,
            keep_every=self.keep_every,
            refresh=lambda state: self.prior_.refresh(state, random),
            on_draw=tell(self.verbose, n_draws, "draw", ""),
        )
        self.report_ = self._report(sampler, Z[random.permutation(len(Z))[:_WATCHED]])

    def _features(self, X: np.ndarray) -> np.ndarray:
        """Return what the network gets: standardised samples, or features of them."""
        return (X - self.mean_) / self.std_

    def _make_prior(self, Z: np.ndarray, n_outputs: int, random: np.random.Generator) -> Prior:
        """Return the law of functions before data, tuned on what the network gets if it is to be tuned."""
        prior = self.prior
        if isinstance(prior, Prior):
            return copy.deepcopy(_fitting(prior, Z.shape[1], n_outputs))
        sizes = [Z.shape[1], *check_sizes(self.hidden_layer_sizes, "hidden_layer_sizes", least=1), n_outputs]
        if isinstance(prior, str) and prior == "normal":
            return GaussianPrior(FunctionalNetwork(sizes, self.activation), std=1.0)
        self.functional_prior_ = self._tuner(n_outputs, random).fit(Z, None)  # a frozen one wants both
        return _fitting(self.functional_prior_.prior_, Z.shape[1], n_outputs)

    def _tuner(self, n_outputs: int, random: np.random.Generator) -> Any:
        """Return the estimator that will tune the prior: a copy of the one that was given, or a frozen one."""
        if isinstance(self.prior, str) and self.prior == "functional":
            tuner: Any = FunctionalPrior(
                hidden_layer_sizes=self.hidden_layer_sizes, activation=self.activation, verbose=self.verbose
            )
        elif isinstance(self.prior, FunctionalPrior | FrozenEstimator):
            tuner = clone(self.prior)
        else:
            text = "prior must be 'functional', 'normal', a FunctionalPrior or a Prior"
            raise ValueError(f"{text}, got {self.prior!r}")
        if isinstance(tuner, FunctionalPrior):
            tuner.set_params(n_outputs=n_outputs)
            if tuner.random_state is None:
                tuner.set_params(random_state=int(random.integers(2**31)))
        return tuner

    def _values(self, X: np.ndarray) -> np.ndarray:
        """Return the values of all functions drawn, (n_draws, n, n_outputs), in the units of the network."""
        states = self.states_.reshape(-1, self.states_.shape[-1])
        Z = self._features(X)
        parts = [self.prior_.evaluate(states, Z[i : i + _ROWS])[0] for i in range(0, len(Z), _ROWS)]
        return np.concatenate(parts, axis=1)

    def _chosen(self, n_samples: Any, random_state: Any) -> np.ndarray:
        """Return which draws to show: each once before any twice."""
        n = check_integer(n_samples, "n_samples", low=1)
        random, total = generator(random_state), self.report_.n_draws
        return np.concatenate([random.permutation(total) for _ in range(-(-n // total))])[:n]

    def _report(self, sampler: SGHMC, Z: np.ndarray) -> ChainReport:
        n_draws, n_chains, n_base = self.states_.shape
        F, _ = self.prior_.evaluate(self.states_.reshape(-1, n_base), Z)
        return report_chains(F.reshape(n_draws, n_chains, *F.shape[1:]), sampler)


def report_chains(values: np.ndarray, sampler: SGHMC) -> ChainReport:
    """Judge chains by values of functions, (n_draws, n_chains, n, n_outputs), and by what moved them."""
    scale = float(np.median(sampler.scale))
    return ChainReport(
        n_draws=values.shape[0] * values.shape[1],
        rhat=split_rhat(values).max(axis=-1),
        effective_sample_size=effective_sample_size(values).min(axis=-1),
        clamped=sampler.clamped,
        scale=scale,
        relaxation_steps=sampler.friction * scale / sampler.step_size**2,
    )


def has_batches(batch_size: int | None, n_samples: int) -> bool:
    """Check a batch size, and say whether steps see only a part of the samples."""
    return batch_size is not None and check_integer(batch_size, "batch_size", low=1) < n_samples


def _fitting(prior: Prior, n_inputs: int, n_outputs: int) -> Prior:
    """Return a prior after checking that its functions take and give what they should."""
    wanted = f"{n_inputs} input(s) and {n_outputs} output(s)"
    if hasattr(prior, "network"):
        sizes = prior.network.sizes
        if (sizes[0], sizes[-1]) != (n_inputs, n_outputs):
            raise ValueError(f"prior must be of a network with {wanted}, got the sizes {sizes}")
        return prior
    try:  # of one without a network nothing is known but what it does
        found = prior.evaluate(prior.draw(1, np.random.default_rng(0)), np.zeros((1, n_inputs)))[0].shape
    except (TypeError, ValueError, IndexError) as error:
        raise ValueError(f"prior must be of functions with {wanted}: {error}") from error
    if found != (1, 1, n_outputs):
        raise ValueError(f"prior must be of functions with {wanted}, got values of shape {found[2:]}")
    return prior
