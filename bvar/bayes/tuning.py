"""Tuning a prior: hyper-parameters move until functions drawn look like those of a process.

Draw functions and the target at some points, pull the gradient of their distance back to the hyper-parameters,
step, and again (``docs/explanation/functional-priors.md``).
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any

import numpy as np

from bvar._validation import check_choice, check_integer
from bvar.bayes.distances import Distance, Energy, GaussianMoments, SlicedWasserstein
from bvar.bayes.distributional import DistributionalSliced
from bvar.bayes.potential import LipschitzPotential
from bvar.bayes.priors import Prior
from bvar.bayes.processes import Marginal, Process, check_process
from bvar.real import Adam

__all__ = ["as_distance", "tune"]

DISTANCES: dict[str, type[Distance]] = {
    "energy": Energy,
    "sliced": SlicedWasserstein,
    "distributional": DistributionalSliced,
    "moments": GaussianMoments,
    "wasserstein": LipschitzPotential,
}


def as_distance(distance: Any) -> Distance:
    """Return the distance of a name, or a copy of the one that was given: some learn as they go."""
    if isinstance(distance, Distance):
        return deepcopy(distance)
    return DISTANCES[check_choice(distance, "distance", tuple(DISTANCES))]()


def tune(
    prior: Prior,
    target: Process,
    points: np.ndarray | Callable[[np.random.Generator], np.ndarray],
    random: np.random.Generator,
    *,
    distance: str | Distance = "energy",
    rows: str = "functions",
    n_iter: int = 200,
    n_draws: int = 100,
    rate: float = 0.05,
    on_iteration: Callable[[int, float], None] | None = None,
) -> list[float]:
    """Tune the hyper-parameters of a prior in place.

    Parameters
    ----------
    prior : Prior
        What is tuned.
    target : Process
        What its functions shall look like.
    points : ndarray of float, shape (n, n_inputs), or callable
        Where functions are compared; a callable takes the generator and returns points, anew each time.
    random : numpy.random.Generator
        Source of all draws.
    distance : str or Distance, default='energy'
        What is minimised: 'energy', 'sliced', 'distributional', 'moments', 'wasserstein', or an object, which is
        copied.
    rows : {'functions', 'values'}, default='functions'
        What a draw is: a function with all its values, n * n_outputs numbers; or, where laws of single values are
        compared, each value of n_outputs numbers.
    n_iter : int, default=200
        Number of steps.
    n_draws : int, default=100
        Functions drawn in a step.
    rate : float, default=0.05
        The first learning rate of Adam; it falls to 0 along half a cosine wave.
    on_iteration : callable, optional
        Is told the number of steps done and the distance, of draws before the step.

    Returns
    -------
    list of float
        The distance at each step. Distances of different names do not compare.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.
    FloatingPointError
        If a gradient is infinite or NaN.

    See Also
    --------
    FunctionalPrior : The same as an estimator.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.gaussian_process.kernels import RBF
    >>> from bvar.bayes import FunctionalNetwork, GaussianPrior, GaussianProcess, tune
    >>> prior = GaussianPrior(FunctionalNetwork([1, 30, 30, 1]))
    >>> points = np.linspace(-3, 3, 20)[:, None]
    >>> history = tune(prior, GaussianProcess(RBF(0.6)), points, np.random.default_rng(0), n_iter=60)
    >>> bool(np.mean(history[-5:]) < np.mean(history[:5]) / 2)
    True
    """
    check_process(target, "target")
    distance = as_distance(distance)
    check_choice(rows, "rows", ("functions", "values"))
    n_iter, n_draws = check_integer(n_iter, "n_iter", low=1), check_integer(n_draws, "n_draws", low=2)
    adam = Adam(rate, n_steps=n_iter)
    history: list[float] = []

    def evaluate(X: np.ndarray) -> tuple[np.ndarray, Any, tuple[int, ...]]:
        F, trace = prior.evaluate(prior.draw(n_draws, random), X)
        return F.reshape(n_draws, -1) if rows == "functions" else F.reshape(-1, F.shape[-1]), trace, F.shape

    def first(X: np.ndarray) -> np.ndarray:
        return evaluate(X)[0]

    for t in range(1, n_iter + 1):
        X = points(random) if callable(points) else points
        marginal = target.at(X)
        distance.prepare(partial(first, X), marginal, random)
        F, trace, shape = evaluate(X)
        value, dF = distance(F, marginal, random)
        gradients = prior.pull_theta(trace, dF.reshape(shape))
        if not all(np.isfinite(g).all() for g in gradients):
            raise FloatingPointError(f"a gradient is not finite at iteration {t}: rate must be less than {rate!r}")
        adam.step(prior.theta, gradients)
        history.append(value)
        if on_iteration is not None:
            on_iteration(t, value)
    return history


class Repeated:
    """The law of several outputs, independent and alike, from that of one: (n, n_outputs) numbers, flattened.

    Parameters
    ----------
    process : Process
        The law of one output.
    n_outputs : int
        Number of outputs.
    """

    def __init__(self, process: Process, n_outputs: int) -> None:
        self.process, self.n_outputs = check_process(process, "target"), n_outputs

    def at(self, X: np.ndarray) -> Marginal:
        """Return the law of the values at points."""
        return _RepeatedMarginal(self.process.at(X), self.n_outputs)


class _RepeatedMarginal:
    def __init__(self, marginal: Marginal, n_outputs: int) -> None:
        self.marginal, self.n_outputs = marginal, n_outputs

    def draw(self, n_draws: int, random: np.random.Generator) -> np.ndarray:
        values = self.marginal.draw(n_draws * self.n_outputs, random)
        return values.reshape(n_draws, self.n_outputs, -1).swapaxes(1, 2).reshape(n_draws, -1)

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        mean, covariance = self.marginal.moments()
        return np.repeat(mean, self.n_outputs), np.kron(covariance, np.eye(self.n_outputs))
