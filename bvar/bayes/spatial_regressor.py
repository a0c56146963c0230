"""Regression at places: a network of radial features whose prior is calibrated to a random field.

The four schemes of "Spatial Bayesian neural networks" are derived in ``docs/explanation/spatial.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from sklearn.gaussian_process.kernels import Matern

from bvar._validation import check_choice, check_integer, check_real, check_sizes
from bvar.bayes.embedded import EmbeddedPrior
from bvar.bayes.embedding import RBFEmbedding
from bvar.bayes.functional import FunctionalNetwork
from bvar.bayes.functional_prior import tell
from bvar.bayes.priors import GaussianPrior, Prior
from bvar.bayes.processes import GaussianProcess, Process
from bvar.bayes.regressor import BayesianRegressor
from bvar.bayes.spatial_prior import SpatialPrior
from bvar.bayes.tuning import tune
from bvar.bayes.varying_prior import VaryingPrior

__all__ = ["SpatialRegressor", "calibrate"]

SCHEMES = ("IL", "IP", "VL", "VP")
_COARSE, _FINE = 0.05, 0.02  # rates for a few hyper-parameters of each layer, and for those of each parameter

Points = np.ndarray | Callable[[np.random.Generator], np.ndarray]


def calibrate(
    scheme: str,
    network: FunctionalNetwork,
    features: Callable[[np.ndarray], np.ndarray],
    target: Process,
    points: Points,
    random: np.random.Generator,
    *,
    n_iter: int = 250,
    on_iteration: Callable[[int, float], None] | None = None,
) -> tuple[EmbeddedPrior, list[float]]:
    """Tune the prior of a scheme: that of each parameter begins where that of each layer ended.

    Parameters
    ----------
    scheme : {'IL', 'IP', 'VL', 'VP'}
        Invariant or varying hyper-parameters, for each layer or for each parameter.
    network : FunctionalNetwork
        A network of features.
    features : callable
        Makes features of places.
    target : Process
        The random field.
    points : ndarray of float, shape (n, n_inputs), or callable
        Places at which fields are compared, as :func:`tune` takes them.
    random : numpy.random.Generator
        Source of all draws.
    n_iter : int, default=250
        Steps; 'IP' and 'VP' take as many again.
    on_iteration : callable, optional
        Is told the number of steps and the distance.

    Returns
    -------
    prior : EmbeddedPrior
        The tuned law of functions of places.
    history : list of float
        The energy distance at each step.
    """
    law: Prior = SpatialPrior(network, random=random) if scheme == "VL" else GaussianPrior(network, mean=0.0)
    history: list[float] = []

    def tuned(law: Prior, rate: float) -> EmbeddedPrior:
        prior = EmbeddedPrior(law, features)
        history.extend(tune(prior, target, points, random, n_iter=n_iter, rate=rate, on_iteration=on_iteration))
        return prior

    prior = tuned(law, _COARSE)
    if isinstance(law, GaussianPrior) and scheme != "IL":
        prior = tuned(law.per_parameter() if scheme == "IP" else VaryingPrior(law), _FINE)
    return prior, history


class SpatialRegressor(BayesianRegressor):
    """Regression at places, by draws from the posterior of a network that looks like a random field.

    Targets are standardised, places are not: the field is told in their units. Float and random: one seed is one
    model on one machine.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(40, 40, 40)
        Widths of the hidden layers.
    target : Process, optional
        The random field that functions look like before any data, in the units of places and of standardised
        targets. Default: a Gaussian process with a Matern kernel, nu 3/2, of a length of a quarter of the
        longest side of the box around the training places.
    scheme : {'IL', 'IP', 'VL', 'VP'}, default='IL'
        Hyper-parameters: invariant or varying with the place, for each layer or for each parameter. What is for
        each parameter begins at the tuned 'IL'.
    n_per_axis : int or None, default=7
        Centres of radial features along each axis of the box; None: no features, places are standardised.
    length : float, optional
        The length of these features. Default: from one centre to the next along the longest side.
    prior : {'functional', 'normal'} or Prior, default='functional'
        Whether the prior is calibrated to `target`, standard normal in all parameters, or a law of yours, which
        takes places, such as :class:`EmbeddedPrior`.
    max_iter : int, default=250
        Steps of calibration; 'IP' and 'VP' take as many again.
    n_points : int, default=100
        Places, uniform in the box and drawn anew in each step, at which fields are compared.
    activation : {'tanh', 'relu', 'leaky_relu'}, default='tanh'
        What follows hidden layers.
    noise : float, default=0.01
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
        Samples of a step. Default: all of them.
    random_state : None, int or RandomState, default=None
        Where draws come from.
    verbose : bool or int, default=0
        Whether to print lines as it goes.

    Attributes
    ----------
    prior_ : Prior
        The law of functions of places before data.
    history_ : list of float
        The energy distance at each step of calibration; empty if there was none.
    n_iter_ : int
        Number of these steps.
    states_, report_, y_mean_, y_std_, noise_, n_features_in_, feature_names_in_
        As of :class:`BayesianRegressor`.

    Raises
    ------
    TypeError, ValueError
        By `fit`, if a parameter or the data is not as described.

    See Also
    --------
    BayesianRegressor : Inputs that are no places.
    GaussianProcess : The exact posterior, where there are few places.

    References
    ----------
    A. Zammit-Mangion et al., "Spatial Bayesian neural networks", Spatial Statistics 60, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import SpatialRegressor
    >>> X = np.random.default_rng(0).uniform(-4, 4, (60, 2))
    >>> model = SpatialRegressor((20,), n_per_axis=5, max_iter=30, n_burn_in=500, n_draws=10, random_state=0)
    >>> mean, std = model.fit(X, np.sin(X[:, 0])).predict([[1.5, 0.0], [9.0, 9.0]], return_std=True)
    >>> bool(abs(mean[0] - np.sin(1.5)) < 0.5), model.report_.n_draws
    (True, 40)
    """

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (40, 40, 40),
        *,
        target: Process | None = None,
        scheme: str = "IL",
        n_per_axis: int | None = 7,
        length: float | None = None,
        prior: str | Prior = "functional",
        max_iter: int = 250,
        n_points: int = 100,
        activation: str = "tanh",
        noise: float = 0.01,
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
            noise=noise,
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
        self.target = target
        self.scheme = scheme
        self.n_per_axis = n_per_axis
        self.length = length
        self.max_iter = max_iter
        self.n_points = n_points

    def _features(self, X: np.ndarray) -> np.ndarray:
        """Return places as they are: the prior knows what to make of them."""
        return X

    def _make_prior(self, Z: np.ndarray, n_outputs: int, random: np.random.Generator) -> Prior:
        """Return the law of functions of places, calibrated in the box around them if it is to be."""
        self.history_: list[float] = []
        self.n_iter_ = 0
        if isinstance(self.prior, Prior):
            return super()._make_prior(Z, n_outputs, random)
        if not isinstance(self.prior, str) or self.prior not in ("functional", "normal"):
            raise ValueError(f"prior must be 'functional', 'normal' or a Prior, got {self.prior!r}")
        scheme = check_choice(self.scheme, "scheme", SCHEMES)
        max_iter = check_integer(self.max_iter, "max_iter", low=1)
        n_points = check_integer(self.n_points, "n_points", low=1)
        low, high = Z.min(axis=0), Z.max(axis=0)
        side = float((high - low).max()) or 1.0
        features = self._embedding(low, high, side)
        hidden = check_sizes(self.hidden_layer_sizes, "hidden_layer_sizes", least=1)
        network = FunctionalNetwork([features(Z[:1]).shape[1], *hidden, n_outputs], self.activation)
        if self.prior == "normal":
            return EmbeddedPrior(GaussianPrior(network, std=1.0), features)
        prior, self.history_ = calibrate(
            scheme,
            network,
            features,
            GaussianProcess(Matern(side / 4, nu=1.5)) if self.target is None else self.target,
            lambda random: random.uniform(low, high, (n_points, len(low))),
            random,
            n_iter=max_iter,
            on_iteration=tell(self.verbose, max_iter, "iteration", "distance {:.4f}"),
        )
        self.n_iter_ = len(self.history_)
        return prior

    def _embedding(self, low: np.ndarray, high: np.ndarray, side: float) -> Callable[[np.ndarray], np.ndarray]:
        if self.n_per_axis is None:
            return partial(_standardized, mean=self.mean_, std=self.std_)
        n = check_integer(self.n_per_axis, "n_per_axis", low=1)
        length = side / max(1, n - 1) if self.length is None else self.length
        return RBFEmbedding(low, high, n_per_axis=n, length=check_real(length, "length", low=0, strict=True))


def _standardized(X: np.ndarray, *, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    return (X - mean) / std
