"""An estimator of priors: a network whose functions, before any data, look like those of a process.

It draws points, tunes a family of laws there, and keeps the law (``docs/explanation/functional-priors.md``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from bvar._validation import check_choice, check_integer, check_real, check_sizes
from bvar.bayes.distances import Distance
from bvar.bayes.functional import FunctionalNetwork
from bvar.bayes.hierarchical import HierarchicalPrior
from bvar.bayes.planar_flow import PlanarFlowPrior
from bvar.bayes.priors import GaussianPrior, Prior
from bvar.bayes.processes import HierarchicalProcess, Process
from bvar.bayes.tuning import Repeated, tune
from bvar.encoding.samples import all_or_nothing

__all__ = ["FunctionalPrior", "generator", "tell"]

FAMILIES: dict[str, Callable[[FunctionalNetwork], Prior]] = {
    "gaussian": GaussianPrior,
    "hierarchical": HierarchicalPrior,
    "flow": PlanarFlowPrior,
}


class FunctionalPrior(BaseEstimator):
    """Tune the law of a network's parameters so that its functions look like those of a process.

    Parameters
    ----------
    target : Process, optional
        What functions shall look like. Default: :class:`HierarchicalProcess`, smooth functions of unknown
        smoothness, for standardised inputs.
    hidden_layer_sizes : int or sequence of int, default=(50, 50)
        Widths of the hidden layers.
    activation : {'tanh', 'relu', 'leaky_relu'}, default='tanh'
        What follows hidden layers.
    n_outputs : int, default=1
        Number of outputs; the target holds for each.
    family : {'gaussian', 'hierarchical', 'flow'}, default='gaussian'
        Normal parameters with a deviation for each layer, with random deviations, or planar flows.
    distance : str or Distance, default='energy'
        What is minimised, see :func:`tune`. The papers minimise 'wasserstein'.
    n_points : int or None, default=100
        Points at which functions are compared: seven in ten are samples, the others uniform in the box around
        them, all drawn anew in each step. None takes the samples as they are, all of them, each time.
    margin : float, default=0.2
        How far beyond the samples that box goes on each side, in units of their range.
    max_iter : int, default=250
        Number of steps.
    n_draws : int, default=100
        Functions drawn in a step.
    learning_rate : float, default=0.1
        The first one of Adam, positive; it falls to 0 along half a cosine wave.
    random_state : None, int or RandomState, default=None
        Where draws come from.
    verbose : bool or int, default=0
        Whether to print ten lines as it goes.

    Attributes
    ----------
    prior_ : Prior
        The tuned law.
    history_ : list of float
        The distance at each step.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str
        Their names, if they had any.

    Raises
    ------
    TypeError, ValueError
        By `fit`, if a parameter or the samples are not as described.

    See Also
    --------
    BayesianRegressor, BayesianClassifier : Take it as their prior.

    References
    ----------
    B.-H. Tran, S. Rossi, D. Milios and M. Filippone, "All You Need is a Good Functional Prior for Bayesian Deep
    Learning", JMLR 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.gaussian_process.kernels import RBF
    >>> from bvar.bayes import FunctionalPrior, GaussianProcess
    >>> X = np.linspace(-3, 3, 30)[:, None]
    >>> prior = FunctionalPrior(GaussianProcess(RBF(0.6)), max_iter=60, n_points=None, random_state=0).fit(X)
    >>> prior.sample_y(X, 5).shape
    (30, 5)
    >>> bool(prior.history_[-1] < prior.history_[0] / 2)
    True
    """

    def __init__(
        self,
        target: Process | None = None,
        *,
        hidden_layer_sizes: int | Sequence[int] = (50, 50),
        activation: str = "tanh",
        n_outputs: int = 1,
        family: str = "gaussian",
        distance: str | Distance = "energy",
        n_points: int | None = 100,
        margin: float = 0.2,
        max_iter: int = 250,
        n_draws: int = 100,
        learning_rate: float = 0.1,
        random_state: int | np.random.RandomState | None = None,
        verbose: bool | int = 0,
    ) -> None:
        self.target = target
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.n_outputs = n_outputs
        self.family = family
        self.distance = distance
        self.n_points = n_points
        self.margin = margin
        self.max_iter = max_iter
        self.n_draws = n_draws
        self.learning_rate = learning_rate
        self.random_state = random_state
        self.verbose = verbose

    @all_or_nothing
    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Tune the prior at samples and between them; what was learnt before is forgotten.

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
        samples = validate_data(self, X, dtype=np.float64)
        n_outputs = check_integer(self.n_outputs, "n_outputs", low=1)
        sizes = [samples.shape[1], *check_sizes(self.hidden_layer_sizes, "hidden_layer_sizes", least=1), n_outputs]
        family = FAMILIES[check_choice(self.family, "family", tuple(FAMILIES))]
        max_iter = check_integer(self.max_iter, "max_iter", low=1)
        target = HierarchicalProcess(samples.shape[1]) if self.target is None else self.target
        prior = family(FunctionalNetwork(sizes, self.activation))
        self.history_ = tune(
            prior,
            Repeated(target, n_outputs) if n_outputs > 1 else target,
            self._points(samples),
            generator(self.random_state),
            distance=self.distance,
            n_iter=max_iter,
            n_draws=self.n_draws,
            rate=check_real(self.learning_rate, "learning_rate", low=0, strict=True),
            on_iteration=tell(self.verbose, max_iter, "iteration", "distance {:.4f}"),
        )
        self.prior_ = prior
        return self

    def sample_y(
        self, X: ArrayLike, n_samples: int = 1, random_state: int | np.random.RandomState | None = 0
    ) -> np.ndarray:
        """Draw functions and evaluate them, as :class:`sklearn.gaussian_process.GaussianProcessRegressor` does.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Where.
        n_samples : int, default=1
            Number of functions.
        random_state : None, int or RandomState, default=0
            Where draws come from.

        Returns
        -------
        ndarray of float64, shape (n, n_samples), or (n, n_outputs, n_samples)
            Values, with an axis of outputs if there are several.
        """
        check_is_fitted(self, "prior_")
        samples = validate_data(self, X, dtype=np.float64, reset=False)
        n_samples = check_integer(n_samples, "n_samples", low=1)
        F, _ = self.prior_.evaluate(self.prior_.draw(n_samples, generator(random_state)), samples)
        values = np.moveaxis(F, 0, -1)
        return values[:, 0] if values.shape[1] == 1 else values

    def _points(self, X: np.ndarray) -> np.ndarray | Callable[[np.random.Generator], np.ndarray]:
        margin = check_real(self.margin, "margin", low=0)
        if self.n_points is None:
            return X
        n = check_integer(self.n_points, "n_points", low=1)
        n_rows = min(len(X), -(-7 * n // 10))
        low, high = X.min(axis=0), X.max(axis=0)
        low, high = low - margin * (high - low), high + margin * (high - low)

        def points(random: np.random.Generator) -> np.ndarray:
            rows = random.permutation(len(X))[:n_rows]
            return np.vstack([X[rows], random.uniform(low, high, (n - n_rows, len(low)))])

        return points


def generator(random_state: Any) -> np.random.Generator:
    """Return a generator seeded as scikit-learn's parameter says; Generator draws normal numbers faster."""
    return np.random.default_rng(check_random_state(random_state).randint(2**32, size=4, dtype=np.uint32))


def tell(verbose: Any, n: int, noun: str, text: str) -> Callable[..., None] | None:
    """Return a function that prints one line in ten of `n`; None if nothing is to be printed."""
    if not verbose:
        return None

    def tell_one(i: int, *values: float) -> None:
        if i % max(1, n // 10) == 0:
            print(f"{noun} {i:{len(str(n))}d}/{n}  {text.format(*values)}".rstrip(), flush=True)  # noqa: T201

    return tell_one
