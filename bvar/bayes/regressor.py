"""Regression by a network that is not one but a law of networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from bvar.bayes.functional_prior import FunctionalPrior
from bvar.bayes.likelihoods import GaussianLikelihood
from bvar.bayes.priors import Prior
from bvar.bayes.sampled import SampledNetwork
from bvar.bayes.scales import spreads
from bvar.encoding.samples import all_or_nothing

__all__ = ["BayesianRegressor"]


class BayesianRegressor(RegressorMixin, SampledNetwork):
    """Regression by draws from the posterior of a network, with how sure it is.

    Inputs and targets are standardised. Float and random: one seed is one model on one machine.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(50, 50)
        Widths of the hidden layers.
    prior : {'functional', 'normal'}, FunctionalPrior or Prior, default='functional'
        What functions are likely before any data: a :class:`FunctionalPrior` with its defaults, which is tuned by
        `fit`; standard normal parameters, whose functions are too smooth; a `FunctionalPrior` of your own, which
        is cloned and tuned on standardised inputs, or, inside a :class:`sklearn.frozen.FrozenEstimator`, taken as
        it was tuned; or a law. The last three bring their own network.
    activation : {'tanh', 'relu', 'leaky_relu'}, default='tanh'
        What follows hidden layers.
    noise : float, default=0.1
        Variance of the noise on standardised targets, positive.
    n_chains : int, default=4
        Chains, which run side by side.
    n_burn_in : int, default=2000
        Steps of each chain before any draw.
    n_draws : int, default=50
        Draws kept of each chain, at least 4.
    keep_every : int, default=50
        Steps from one draw to the next.
    step_size : float, default=0.02
        Step size of the sampler, :class:`SGHMC`.
    friction : float, default=0.05
        Its friction, in (0, 1].
    batch_size : int, optional
        Samples of a step. Default: all of them; with batches the spread of the draws is only approximately right.
    random_state : None, int or RandomState, default=None
        Where draws come from.
    verbose : bool or int, default=0
        Whether to print lines as it goes.

    Attributes
    ----------
    prior_ : Prior
        The law of functions before data.
    functional_prior_ : FunctionalPrior
        What tuned it, if it was tuned.
    states_ : ndarray of float64, shape (n_draws, n_chains, n_base)
        The draws, as states of the prior.
    report_ : ChainReport
        What the chains are worth.
    mean_, std_ : ndarray of float64, shape (n_features,)
        What inputs are standardised with.
    y_mean_, y_std_ : float
        What targets are standardised with.
    noise_ : float
        The variance of the noise.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str
        Their names, if they had any.

    Raises
    ------
    TypeError, ValueError
        By `fit`, if a parameter or the data is not as described.

    See Also
    --------
    BayesianClassifier : Classes.
    GaussianProcess : The exact posterior of what the prior is tuned to.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import BayesianRegressor
    >>> X = np.linspace(-1, 1, 40)[:, None]
    >>> model = BayesianRegressor((30,), prior="normal", n_burn_in=500, n_draws=10, random_state=0)
    >>> mean, std = model.fit(X, np.sin(3 * X[:, 0])).predict([[0.5], [4.0]], return_std=True)
    >>> bool(abs(mean[0] - np.sin(1.5)) < 0.3), bool(std[1] > 1.5 * std[0])  # less sure where there are no data
    (True, True)
    """

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (50, 50),
        *,
        prior: str | Prior | FunctionalPrior = "functional",
        activation: str = "tanh",
        noise: float = 0.1,
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
        super().__init__(
            hidden_layer_sizes,
            prior=prior,
            activation=activation,
            n_chains=n_chains,
            n_burn_in=n_burn_in,
            n_draws=n_draws,
            keep_every=keep_every,
            step_size=step_size,
            friction=friction,
            batch_size=batch_size,
            random_state=random_state,
            verbose=verbose,
        )
        self.noise = noise

    @all_or_nothing
    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Tune the prior and sample the posterior; what was learnt before is forgotten.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training samples.
        y : array-like of shape (n_samples,)
            Targets.

        Returns
        -------
        Self
            Itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter or the data is not as described.
        """
        likelihood = GaussianLikelihood(self.noise)
        samples, targets = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        targets = np.asarray(targets, dtype=float)
        self.y_std_ = float(spreads(targets, "y"))  # which checks them
        self.y_mean_ = float(targets.mean())
        self.noise_ = likelihood.noise
        self._sample(samples, ((targets - self.y_mean_) / self.y_std_)[:, None], likelihood, 1)
        return self

    def predict(
        self, X: ArrayLike, return_std: bool = False, *, with_noise: bool = True
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Predict the mean of a new target, and its standard deviation.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Samples.
        return_std : bool, default=False
            Whether to return deviations too.
        with_noise : bool, default=True
            Whether deviations are those of new targets, or of the function behind them.

        Returns
        -------
        mean : ndarray of float64, shape (n,)
            Means.
        std : ndarray of float64, shape (n,)
            Deviations; only with `return_std`.
        """
        F = self._functions(X)
        mean = F.mean(axis=0) * self.y_std_ + self.y_mean_
        if not return_std:
            return mean
        return mean, np.sqrt(F.var(axis=0) + with_noise * self.noise_) * self.y_std_

    def sample_y(
        self, X: ArrayLike, n_samples: int = 1, random_state: int | np.random.RandomState | None = 0
    ) -> np.ndarray:
        """Draw functions from the posterior and evaluate them, without noise.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Samples.
        n_samples : int, default=1
            Number of functions; more than were kept are repeated.
        random_state : None, int or RandomState, default=0
            Where the choice among those kept comes from.

        Returns
        -------
        ndarray of float64, shape (n, n_samples)
            Values.
        """
        F = self._functions(X)
        return F[self._chosen(n_samples, random_state)].T * self.y_std_ + self.y_mean_

    def _functions(self, X: ArrayLike) -> np.ndarray:
        check_is_fitted(self, "states_")
        return self._values(validate_data(self, X, dtype=np.float64, reset=False))[..., 0]
