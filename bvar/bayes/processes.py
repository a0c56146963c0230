r"""Random functions that are known: what a prior may be tuned to, and exact posteriors.

A *process* gives, at any points, the law of the values there, its *marginal*: something to draw from, and its
first two moments where they are known.  Kernels are those of scikit-learn (``RBF``, ``Matern``,
``ExpSineSquared``, their sums and products), and any function ``k(A, B)`` that returns a matrix.  Derived in
``docs/explanation/functional-priors.md``.
"""
# Longer than other modules: each process is short, and a reader compares them with one another.

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import cho_factor, cho_solve

from bvar._describe import Described
from bvar._validation import check_finite, check_integer, check_real
from bvar.bayes.factor import positive_definite

__all__ = [
    "Draws",
    "GaussianProcess",
    "HierarchicalProcess",
    "LogNormalProcess",
    "Marginal",
    "Process",
    "check_kernel",
    "check_process",
]

KernelFunction = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Marginal(Protocol):
    """The law of the values of a process at some points."""

    def draw(self, n_draws: int, random: np.random.Generator) -> np.ndarray:
        """Draw values, shape (n_draws, n)."""

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and covariance, of shapes (n,) and (n, n); raises TypeError if they are not known."""


class Process(Protocol):
    """A law of functions that is known at any points."""

    def at(self, X: np.ndarray) -> Marginal:
        """Return the law of the values at points X of shape (n, n_inputs)."""


def check_process(value: Any, name: str) -> Any:
    """Return a process after checking that it is one, by what it can do."""
    if isinstance(value, type) or not callable(getattr(value, "at", None)):
        wanted = "a process of bvar.bayes, such as GaussianProcess(kernel), or another object with a method `at`"
        raise TypeError(f"{name} must be {wanted}, got {value!r}")
    return value


def check_kernel(kernel: Any) -> KernelFunction:
    """Return a kernel after checking that it can be called."""
    if not callable(kernel):
        raise TypeError(f"kernel must be callable, as kernels of scikit-learn are, got {kernel!r}")
    return kernel


class _Normal:
    """A normal law, by a root of its covariance."""

    def __init__(self, mean: np.ndarray, covariance: np.ndarray, jitter: float) -> None:
        self.mean, self.covariance = mean, covariance
        top = max(float(np.diag(covariance).max(initial=0.0)), np.finfo(float).tiny)
        with positive_definite("jitter", jitter):
            self.root = np.linalg.cholesky(covariance + jitter * top * np.eye(len(covariance)))

    def draw(self, n_draws: int, random: np.random.Generator) -> np.ndarray:
        """Transform standard normal numbers."""
        return self.mean + random.standard_normal((n_draws, len(self.mean))) @ self.root.T

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Return what was given."""
        return self.mean, self.covariance


class GaussianProcess(Described):
    """The Gaussian process of a kernel, with mean 0.

    Parameters
    ----------
    kernel : callable
        ``kernel(A, B)`` returns the matrix of shape (len(A), len(B)), as kernels of scikit-learn do.
    jitter : float, default=1e-8
        Added to the diagonal before it is factored, in units of the largest prior variance.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; by methods, if points are so alike that `jitter` must be larger.

    See Also
    --------
    sklearn.gaussian_process.GaussianProcessRegressor : Tunes the kernel too.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.gaussian_process.kernels import RBF
    >>> from bvar.bayes import GaussianProcess
    >>> process = GaussianProcess(RBF(0.5))
    >>> X = np.linspace(-1, 1, 9)[:, None]
    >>> process.at(X).draw(3, np.random.default_rng(0)).shape
    (3, 9)
    >>> mean, covariance = process.posterior(X[:1], np.ones(1), X, noise=1e-6)
    >>> bool(mean[0] > 0.999 and covariance[0, 0] < 1e-5 and covariance[-1, -1] > 0.99)
    True
    """

    def __init__(self, kernel: KernelFunction, *, jitter: float = 1e-8) -> None:
        self.kernel = check_kernel(kernel)
        self.jitter = check_real(jitter, "jitter", low=0)

    def at(self, X: np.ndarray) -> Marginal:
        """Return the law of the values at points.

        Parameters
        ----------
        X : ndarray of float, shape (n, n_inputs)
            Points.

        Returns
        -------
        Marginal
            A normal law.
        """
        return _Normal(np.zeros(len(X)), self.kernel(X, X), self.jitter)

    def posterior(
        self, X: np.ndarray, y: np.ndarray, points: np.ndarray, *, noise: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Compute the law of the values at points given noisy values elsewhere, exactly.

        Parameters
        ----------
        X : ndarray of float, shape (n, n_inputs)
            Where values are known.
        y : ndarray of float, shape (n,) or (n, n_outputs)
            The values.
        points : ndarray of float, shape (m, n_inputs)
            Where they are asked for.
        noise : float
            Variance of the noise on `y`.

        Returns
        -------
        mean : ndarray of float64, shape (m,) or (m, n_outputs)
            Means.
        covariance : ndarray of float64, shape (m, m)
            Covariance, of each output the same, without the noise.

        Raises
        ------
        TypeError, ValueError
            If `noise` is negative or must be larger, or there is not a finite value for each point of `X`.
        """
        noise, y = check_real(noise, "noise", low=0), check_finite(y, "y")
        if y.ndim not in (1, 2) or len(y) != len(X):
            raise ValueError(f"y must have a row for each of the {len(X)} rows of X, got shape {y.shape}")
        prior = self.kernel(X, X)
        with positive_definite("noise", noise):
            factor = cho_factor(
                prior + (noise + self.jitter * prior.diagonal().max()) * np.eye(len(X)), lower=True
            )
        across = self.kernel(points, X)
        return across @ cho_solve(factor, y), self.kernel(points, points) - across @ cho_solve(factor, across.T)


class HierarchicalProcess(Described):
    r"""Gaussian processes of random smoothness: RBF kernels with a length for each input.

    Logarithms of the lengths are :math:`N(\log \ell, 1)`, that of the variance is :math:`N(0.1, 1)`.

    Parameters
    ----------
    n_inputs : int
        Number of inputs.
    length : float, optional
        The median length :math:`\ell`. Default: ``sqrt(2 * n_inputs)``, as in the paper.
    shared : bool, default=True
        Whether all draws of one call share lengths and variance. For the energy distance such draws are as good
        as any, see :func:`energy`, and take one factorisation; other distances want False.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; by :meth:`at`, if points have another number of inputs.

    See Also
    --------
    GaussianProcess : Known smoothness.

    References
    ----------
    B.-H. Tran et al., "All You Need is a Good Functional Prior for Bayesian Deep Learning", JMLR 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import HierarchicalProcess
    >>> HierarchicalProcess(2).at(np.zeros((4, 2))).draw(10, np.random.default_rng(0)).shape
    (10, 4)
    """

    def __init__(self, n_inputs: int, *, length: float | None = None, shared: bool = True) -> None:
        self.n_inputs = check_integer(n_inputs, "n_inputs", low=1)
        median = np.sqrt(2 * self.n_inputs) if length is None else length
        self.length = check_real(median, "length", low=0, strict=True)
        self.shared = bool(shared)

    def at(self, X: np.ndarray) -> Marginal:
        """Return the law of the values at points; its moments are not known.

        Parameters
        ----------
        X : ndarray of float, shape (n, n_inputs)
            Points.

        Returns
        -------
        Marginal
            A mixture of normal laws.

        Raises
        ------
        TypeError, ValueError
            If points are not finite or have another number of inputs.
        """
        X = check_finite(X, "X")
        if X.ndim != 2 or X.shape[1] != self.n_inputs:
            raise ValueError(f"X must have {self.n_inputs} column(s), one for each input, got shape {X.shape}")
        return _Mixture(self, X)

    def _component(self, X: np.ndarray, random: np.random.Generator) -> _Normal:
        lengths = self.length * np.exp(random.standard_normal(self.n_inputs))
        variance = np.exp(0.1 + random.standard_normal())
        Z = X / lengths
        squares = ((Z[:, None] - Z) ** 2).sum(axis=-1)
        return _Normal(np.zeros(len(X)), variance * np.exp(-squares / 2), jitter=1e-6)


class _Mixture:
    def __init__(self, process: HierarchicalProcess, X: np.ndarray) -> None:
        self.process, self.X = process, X

    def draw(self, n_draws: int, random: np.random.Generator) -> np.ndarray:
        """Draw hyper-parameters, once or for each draw, then values."""
        if self.process.shared:
            return self.process._component(self.X, random).draw(n_draws, random)
        return np.vstack([self.process._component(self.X, random).draw(1, random) for _ in range(n_draws)])

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Raise: the covariance is an integral."""
        raise TypeError("the moments of a HierarchicalProcess are not known: choose another distance")


class LogNormalProcess(Described):
    r"""The exponential of a Gaussian process, less its mean.

    .. math:: E = 0, \qquad \mathrm{cov}(x, x') = e^{(k(x,x) + k(x',x')) / 2} (e^{k(x, x')} - 1)

    Parameters
    ----------
    process : GaussianProcess
        The process whose exponential is taken.

    Raises
    ------
    TypeError
        If it is no process.

    See Also
    --------
    GaussianProcess : The process itself.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.gaussian_process.kernels import ConstantKernel, Matern
    >>> from bvar.bayes import GaussianProcess, LogNormalProcess
    >>> process = LogNormalProcess(GaussianProcess(ConstantKernel(0.2) * Matern(1.5, nu=1.5)))
    >>> values = process.at(np.zeros((1, 2))).draw(100_000, np.random.default_rng(0))
    >>> bool(abs(values.var() - np.exp(0.2) * (np.exp(0.2) - 1)) < 0.01)
    True
    """

    def __init__(self, process: GaussianProcess) -> None:
        self.process = check_process(process, "process")

    def at(self, X: np.ndarray) -> Marginal:
        """Return the law of the values at points.

        Parameters
        ----------
        X : ndarray of float, shape (n, n_inputs)
            Points.

        Returns
        -------
        Marginal
            A law that is not normal, with its moments.
        """
        return _LogNormal(self.process.at(X))


class _LogNormal:
    def __init__(self, logarithm: Marginal) -> None:
        self.logarithm = logarithm
        _, self.covariance = logarithm.moments()
        self.mean = np.exp(np.diag(self.covariance) / 2)

    def draw(self, n_draws: int, random: np.random.Generator) -> np.ndarray:
        """Exponentiate draws, and subtract the mean."""
        return np.exp(self.logarithm.draw(n_draws, random)) - self.mean

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Return zeros and the covariance."""
        return np.zeros(len(self.mean)), np.outer(self.mean, self.mean) * np.expm1(self.covariance)


class Draws(Described):
    """A bag of realisations as a target: functions that were seen, images, simulations.

    Parameters
    ----------
    realizations : array-like of shape (n_realizations, n)
        Values, all at the same points.

    Raises
    ------
    TypeError, ValueError
        If they are no two-dimensional array of finite numbers.

    See Also
    --------
    GaussianProcess : A target with a formula.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import Draws
    >>> bag = Draws(np.eye(3))
    >>> bag.at(None).draw(2, np.random.default_rng(0)).sum(axis=1)
    array([1., 1.])
    """

    def __init__(self, realizations: ArrayLike) -> None:
        self.realizations = check_finite(realizations, "realizations")
        if self.realizations.ndim != 2 or not len(self.realizations):
            got = self.realizations.shape
            raise ValueError(f"realizations must be a finite array of shape (n_realizations, n), got shape {got}")

    def at(self, X: Any) -> Marginal:
        """Return the bag itself, whose points are what they are.

        Parameters
        ----------
        X : object
            Not used.

        Returns
        -------
        Marginal
            The bag.
        """
        return self

    def draw(self, n_draws: int, random: np.random.Generator) -> np.ndarray:
        """Draw realisations with replacement.

        Parameters
        ----------
        n_draws : int
            How many.
        random : numpy.random.Generator
            Source of the choice.

        Returns
        -------
        ndarray of float64, shape (n_draws, n)
            Realisations.
        """
        return self.realizations[random.integers(len(self.realizations), size=n_draws)]

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and covariance of the bag.

        Returns
        -------
        mean : ndarray of float64, shape (n,)
            Mean.
        covariance : ndarray of float64, shape (n, n)
            Covariance, with the number of realisations in the denominator.
        """
        return self.realizations.mean(axis=0), np.cov(self.realizations.T, bias=True).reshape(
            self.realizations.shape[1], -1
        )
