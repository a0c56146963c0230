r"""Distances between laws of functions, seen through draws, with their gradients by hand.

F (S, n) are draws of a model and G (T, n) draws of its target, both at n points; each distance returns its value
and the gradient with respect to F.  All are derived in ``docs/explanation/functional-priors.md``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.spatial.distance import cdist

from bvar._describe import Described
from bvar._validation import check_integer
from bvar.bayes.processes import Marginal

__all__ = [
    "Distance",
    "Energy",
    "GaussianMoments",
    "SlicedWasserstein",
    "drawn",
    "energy",
    "gaussian_w2",
    "sliced_w2",
]


def energy(F: np.ndarray, G: np.ndarray) -> tuple[float, np.ndarray]:
    r"""Compute the energy distance, unbiased, and its gradient.

    .. math:: 2 E|F - G| - E|F - F'| - E|G - G'|

    with Euclidean norms, the means over pairs of different draws.  In expectation it is at least 0, and 0 for
    equal laws only; up to a constant it is linear in the law of G, so that draws of a part of a mixture do.

    Parameters
    ----------
    F, G : ndarray of float, shape (S, n) and (T, n)
        Draws, at least two of each.

    Returns
    -------
    value : float
        The distance.
    gradient : ndarray of float, shape (S, n)
        With respect to F.

    Raises
    ------
    ValueError
        If there is a single draw of one, which has no pairs, or F and G are at different numbers of points.

    See Also
    --------
    sliced_w2, gaussian_w2 : Others.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import energy
    >>> value, gradient = energy(np.array([[0.0], [2.0]]), np.array([[1.0], [1.0]]))
    >>> value, gradient.ravel().tolist()  # 2 * 1 - 2 - 0
    (0.0, [0.0, 0.0])
    """
    S, T = len(F), len(G)
    if min(S, T) < 2:
        raise ValueError(f"F and G must be at least two draws of each, got {S} and {T}")
    if F.shape[1:] != G.shape[1:]:
        raise ValueError(f"F and G must have as many columns as each other, got shapes {F.shape} and {G.shape}")
    across, within = cdist(F, G), cdist(F, F)
    value = 2 * across.mean() - within.sum() / (S * (S - 1)) - cdist(G, G).sum() / (T * (T - 1))
    gradient = 2 / (S * T) * _directions(F, G, across) - 2 / (S * (S - 1)) * _directions(F, F, within)
    return float(value), gradient


def _directions(F: np.ndarray, G: np.ndarray, norms: np.ndarray) -> np.ndarray:
    """Sum, for each row of F, the unit vectors that come from the rows of G."""
    inverse = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
    return F * inverse.sum(axis=1, keepdims=True) - inverse @ G


def sliced_w2(F: np.ndarray, G: np.ndarray, directions: np.ndarray) -> tuple[float, np.ndarray]:
    r"""Compute the squared 2-Wasserstein distance of projections, and its gradient.

    .. math:: \frac{1}{LS} \sum_{l=1}^{L} \sum_{i=1}^{S} (a_{(i)} - b_{(i)})^2,
              \qquad a = F u_l, \quad b = G u_l \quad \text{sorted}

    Biased: of equal laws it is about 1 / S times a constant.

    Parameters
    ----------
    F, G : ndarray of float, shape (S, n)
        As many draws of each.
    directions : ndarray of float, shape (L, n)
        Vectors of norm 1.

    Returns
    -------
    value : float
        The distance.
    gradient : ndarray of float, shape (S, n)
        With respect to F.

    Raises
    ------
    ValueError
        If F and G have different shapes, or directions another number of columns.

    See Also
    --------
    energy : Needs no directions and has no bias.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import sliced_w2
    >>> F = np.array([[0.0, 1.0], [2.0, 0.0]])
    >>> sliced_w2(F, 2 * F, np.eye(2))[0]  # the mean square of all projections
    1.25
    """
    if not F.shape[1:] == G.shape[1:] == directions.shape[1:]:
        shapes = f"{F.shape}, {G.shape} and {directions.shape}"
        raise ValueError(f"F, G and directions must have as many columns as each other, got shapes {shapes}")
    difference = matched_differences(F @ directions.T, G @ directions.T)
    return float((difference**2).mean()), 2 / difference.size * (difference @ directions)


def matched_differences(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return a minus the value of b that has its rank, column by column."""
    if a.shape != b.shape:
        raise ValueError(f"F and G must be as many draws of each, got {len(a)} and {len(b)}")
    order = np.argsort(a, axis=0)
    matched = np.empty_like(b)
    np.put_along_axis(matched, order, np.sort(b, axis=0), axis=0)
    return a - matched


def gaussian_w2(F: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> tuple[float, np.ndarray]:
    r"""Compute the squared 2-Wasserstein distance between normal laws of the moments of F and of the target.

    .. math:: |\mu - m|^2 + \mathrm{tr} K_F + \mathrm{tr} K - 2\, \mathrm{tr} (R K_F R)^{1/2}, \qquad R = K^{1/2}

    Blind to all that is not in the first two moments, whose target values are exact.

    Parameters
    ----------
    F : ndarray of float, shape (S, n)
        Draws; their covariance has S in the denominator.
    mean : ndarray of float, shape (n,)
        Mean of the target.
    covariance : ndarray of float, shape (n, n)
        Covariance of the target.

    Returns
    -------
    value : float
        The distance.
    gradient : ndarray of float, shape (S, n)
        With respect to F.

    Raises
    ------
    ValueError
        If the mean or the covariance has another shape.

    See Also
    --------
    energy : Sees more than moments.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import gaussian_w2
    >>> F = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1.0]])  # mean 0, covariance the identity
    >>> round(gaussian_w2(F, np.zeros(3), np.diag([1.0, 4, 9]))[0], 9)
    5.0
    """
    S, n = F.shape
    if mean.shape != (n,) or covariance.shape != (n, n):
        shapes = f"{mean.shape} and {covariance.shape}"
        raise ValueError(f"mean and covariance must have shapes {(n,)} and {(n, n)} for F, got {shapes}")
    mu = F.mean(axis=0)
    C = F - mu
    R = _power(covariance, 0.5)
    inner = R @ (C.T @ C / S) @ R
    values = np.linalg.eigvalsh(inner).clip(0)
    value = ((mu - mean) ** 2).sum() + (C**2).sum() / S + np.trace(covariance) - 2 * np.sqrt(values).sum()
    optimal_map = R @ _power(inner, -0.5) @ R
    return float(value), 2 / S * (C - C @ optimal_map + (mu - mean))


def _power(matrix: np.ndarray, exponent: float) -> np.ndarray:
    """Return a power of a symmetric matrix, of the pseudo-inverse if it is negative."""
    values, vectors = np.linalg.eigh(matrix)
    kept = values > values.max(initial=0) * len(values) * np.finfo(float).eps
    return (vectors[:, kept] * values[kept] ** exponent) @ vectors[:, kept].T


class Distance(Described):
    """What tuning minimises: a distance from draws of a model to a target.

    See Also
    --------
    Energy, SlicedWasserstein, GaussianMoments, DistributionalSliced, LipschitzPotential : The distances.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import Draws, Energy
    >>> random = np.random.default_rng(0)
    >>> target = Draws(random.standard_normal((500, 3))).at(None)
    >>> value, gradient = Energy()(random.standard_normal((200, 3)) + 2, target, random)
    >>> bool(value > 1), gradient.shape
    (True, (200, 3))
    """

    def prepare(self, draw: Callable[[], np.ndarray], target: Marginal, random: np.random.Generator) -> None:
        """Learn, before a value is asked for, what has to be learnt anew when the model has moved.

        Parameters
        ----------
        draw : callable
            Returns fresh draws of the model, (S, n).
        target : Marginal
            The target at the same points.
        random : numpy.random.Generator
            Source of draws.
        """

    def __call__(self, F: np.ndarray, target: Marginal, random: np.random.Generator) -> tuple[float, np.ndarray]:
        """Compute the distance and its gradient.

        Parameters
        ----------
        F : ndarray of float, shape (S, n)
            Draws of the model.
        target : Marginal
            The target at the same points.
        random : numpy.random.Generator
            Source of its draws.

        Returns
        -------
        value : float
            The distance.
        gradient : ndarray of float, shape (S, n)
            With respect to F.
        """
        raise NotImplementedError


class Energy(Distance):
    """The energy distance to as many draws of the target, the default.

    See Also
    --------
    energy : The distance itself, with an example.
    """

    def __call__(self, F: np.ndarray, target: Marginal, random: np.random.Generator) -> tuple[float, np.ndarray]:
        """Draw and compare."""
        return energy(F, drawn(target, F, random))


class SlicedWasserstein(Distance):
    """The sliced 2-Wasserstein distance, squared, along directions drawn anew each time.

    Parameters
    ----------
    n_directions : int, default=100
        Number of directions.

    See Also
    --------
    sliced_w2 : The distance itself, with an example.
    """

    def __init__(self, n_directions: int = 100) -> None:
        self.n_directions = check_integer(n_directions, "n_directions", low=1)

    def __call__(self, F: np.ndarray, target: Marginal, random: np.random.Generator) -> tuple[float, np.ndarray]:
        """Draw directions and the target, and compare."""
        directions = unit_vectors(self.n_directions, F.shape[1], random)
        return sliced_w2(F, drawn(target, F, random), directions)


class GaussianMoments(Distance):
    """The 2-Wasserstein distance between normal laws, squared; of a target whose moments are known.

    See Also
    --------
    gaussian_w2 : The distance itself, with an example.
    """

    def __call__(self, F: np.ndarray, target: Marginal, random: np.random.Generator) -> tuple[float, np.ndarray]:
        """Compare with the moments of the target; nothing is drawn."""
        return gaussian_w2(F, *target.moments())


def drawn(target: Marginal, F: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draw as often from a target as there are draws of a model, at as many points."""
    G = target.draw(len(F), random)
    if G.shape != F.shape:
        raise ValueError(f"target must have values at {F.shape[1]} point(s) as the model has, got {G.shape[1:]}")
    return G


def unit_vectors(n: int, size: int, random: np.random.Generator) -> np.ndarray:
    """Draw `n` directions uniformly, shape (n, size)."""
    vectors = random.standard_normal((n, size))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
