r"""The distributional sliced Wasserstein distance (``docs/explanation/functional-priors.md``).

Directions are not uniform but :math:`\theta = (A u + c) / |A u + c|`, u uniform, where A and c climb on

.. math:: \left(\frac{1}{L} \sum_l \sum_i (a_{(i)} - b_{(i)})^2\right)^{1/2}
          - \lambda\, \frac{1}{L^2} \sum_{l,k} |\theta_l \cdot \theta_k| ,

towards where the laws differ, but not all to the same place.  Source: K. Nguyen et al., "Distributional
Sliced-Wasserstein and Applications to Generative Modeling", ICLR 2021 (recalled); constants from the code of
"Model Selection for Bayesian Autoencoders", NeurIPS 2021.
"""

from __future__ import annotations

import numpy as np

from bvar._validation import check_integer, check_real
from bvar.bayes.distances import Distance, drawn, matched_differences, unit_vectors
from bvar.bayes.processes import Marginal
from bvar.real import Adam

__all__ = ["DistributionalSliced"]


class DistributionalSliced(Distance):
    r"""The sliced 2-Wasserstein distance, as a root of a sum over draws, along directions that learn.

    Parameters
    ----------
    n_directions : int, default=1000
        Number of directions.
    n_inner : int, default=30
        Steps that the directions take before each value.
    penalty : float, default=100.0
        The factor :math:`\lambda` of the mean absolute cosine between directions.
    rate : float, default=0.0005
        Learning rate of Adam for the directions.

    Attributes
    ----------
    map_, shift_ : ndarray of float64, shape (n, n) and (n,)
        A and c; there after the first value, and kept from one to the next.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    See Also
    --------
    SlicedWasserstein : Uniform directions.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import DistributionalSliced, Draws
    >>> random = np.random.default_rng(0)
    >>> target = Draws(random.standard_normal((200, 3))).at(None)
    >>> distance = DistributionalSliced(50, n_inner=20, penalty=0.0, rate=0.05)
    >>> F = random.standard_normal((100, 3)) * [1, 1, 5]  # differs along the last axis only
    >>> value, gradient = distance(F, target, random)
    >>> bool(np.linalg.norm(distance.map_[2]) > np.linalg.norm(distance.map_[0]))
    True
    """

    def __init__(
        self, n_directions: int = 1000, *, n_inner: int = 30, penalty: float = 100.0, rate: float = 5e-4
    ) -> None:
        self.n_directions = check_integer(n_directions, "n_directions", low=1)
        self.n_inner = check_integer(n_inner, "n_inner", low=0)
        self.penalty = check_real(penalty, "penalty", low=0)
        self._adam = Adam(rate)
        self.map_ = np.empty((0, 0))

    def __call__(self, F: np.ndarray, target: Marginal, random: np.random.Generator) -> tuple[float, np.ndarray]:
        """Draw, let the directions learn, and compare."""
        n = F.shape[1]
        if not self.map_.size:
            self.map_, self.shift_ = np.eye(n), np.zeros(n)
        G = drawn(target, F, random)
        for _ in range(self.n_inner):
            U = unit_vectors(self.n_directions, n, random)
            _, gradients = self.ascent(F, G, U)
            self._adam.step([self.map_, self.shift_], [-g for g in gradients])
        directions, _ = self._directions(unit_vectors(self.n_directions, n, random))
        value, difference = _root_of_sums(F, G, directions)
        return value, difference @ directions / (self.n_directions * value) if value else np.zeros_like(F)

    def ascent(self, F: np.ndarray, G: np.ndarray, U: np.ndarray) -> tuple[float, list[np.ndarray]]:
        """Compute what the directions climb on, and its gradients.

        Parameters
        ----------
        F, G : ndarray of float64, shape (S, n)
            Draws of model and target.
        U : ndarray of float64, shape (n_directions, n)
            Vectors of norm 1 to be mapped.

        Returns
        -------
        value : float
            The distance less the penalty.
        gradients : list of ndarray
            With respect to `map_` and `shift_`.
        """
        directions, norms = self._directions(U)
        L = len(U)
        value, difference = _root_of_sums(F, G, directions)
        cosines = directions @ directions.T
        d = -self.penalty * 2 / L**2 * np.sign(cosines) @ directions
        if value:
            # the value that has the rank of a row of F stands in another row of G
            d += (difference.T @ F + matched_differences(G @ directions.T, F @ directions.T).T @ G) / (L * value)
        d -= (d * directions).sum(axis=1, keepdims=True) * directions
        d /= norms
        return value - self.penalty * float(abs(cosines).mean()), [d.T @ U, d.sum(axis=0)]

    def _directions(self, U: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mapped = U @ self.map_.T + self.shift_
        norms = np.linalg.norm(mapped, axis=1, keepdims=True)
        return mapped / norms, norms


def _root_of_sums(F: np.ndarray, G: np.ndarray, directions: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the distance, a sum over draws, and the differences of matched projections."""
    difference = matched_differences(F @ directions.T, G @ directions.T)
    return float(np.sqrt((difference**2).sum() / len(directions))), difference
