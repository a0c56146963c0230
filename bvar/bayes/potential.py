r"""The 1-Wasserstein distance of the papers: a supremum over Lipschitz functions, by a small network.

.. math:: W_1 = \sup_{|\varphi|_L \le 1} E\, \varphi(F) - E\, \varphi(G)

The network :math:`\varphi` climbs on this with the penalty
:math:`\lambda\, E (|\nabla \varphi(x)| - 1)^2` on the way between F and G.  The gradient of the penalty is the
reverse pass of a derivative along a direction held fixed, derived in ``docs/explanation/functional-priors.md``.
Source: B.-H. Tran et al., "All You Need is a Good Functional Prior for Bayesian Deep Learning", JMLR 2022.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import expit

from bvar._validation import check_integer, check_real
from bvar.bayes.distances import Distance, drawn
from bvar.bayes.priors import softplus
from bvar.bayes.processes import Marginal

__all__ = ["LipschitzPotential"]


class LipschitzPotential(Distance):
    """An estimate of the 1-Wasserstein distance, by a potential that is trained before each value.

    With few inner steps the value is small because the potential is bad; and as the penalty is soft, it is no
    bound with many.  Values compare within one run at best.

    Parameters
    ----------
    n_hidden : int, default=200
        Width of the two hidden layers.
    n_inner : int, default=50
        Steps of the potential before each value.
    n_first : int, default=1000
        Steps before the first value.
    rate : float, default=0.02
        Learning rate of Adagrad for the potential.
    penalty : float, default=10.0
        Factor of the penalty.
    reset : bool, default=False
        Whether the potential is drawn anew before each value, as in the first paper, or goes on, as in the
        one on spatial networks.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    See Also
    --------
    Energy : Needs no potential: the default.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import Draws, LipschitzPotential
    >>> random = np.random.default_rng(0)
    >>> target = Draws(random.standard_normal((1000, 2))).at(None)
    >>> distance = LipschitzPotential(32, n_first=300)
    >>> shift = np.array([2.0, 0.0])
    >>> distance.prepare(lambda: random.standard_normal((200, 2)) + shift, target, random)
    >>> value, gradient = distance(random.standard_normal((200, 2)) + shift, target, random)
    >>> bool(1.5 < value < 2.5), bool((gradient.sum(axis=0) @ shift) > 1)  # the distance is 2
    (True, True)
    """

    def __init__(
        self,
        n_hidden: int = 200,
        *,
        n_inner: int = 50,
        n_first: int = 1000,
        rate: float = 0.02,
        penalty: float = 10.0,
        reset: bool = False,
    ) -> None:
        self.n_hidden = check_integer(n_hidden, "n_hidden", low=1)
        self.n_inner = check_integer(n_inner, "n_inner", low=1)
        self.n_first = check_integer(n_first, "n_first", low=1)
        self.rate = check_real(rate, "rate", low=0, strict=True)
        self.penalty = check_real(penalty, "penalty", low=0)
        self.reset = bool(reset)
        self._arrays: list[np.ndarray] = []
        self._squares: list[np.ndarray] = []

    def prepare(self, draw: Callable[[], np.ndarray], target: Marginal, random: np.random.Generator) -> None:
        """Train the potential on fresh draws, the same for all steps."""
        F = draw()
        G = drawn(target, F, random)
        n_steps = self.n_inner if self._arrays else self.n_first
        if self.reset or not self._arrays:
            self.initialize(F.shape[1], random)
        for _ in range(n_steps):
            share = random.random((len(F), 1))
            _, gradients = self.loss(F, G, share * F + (1 - share) * G)
            for array, square, g in zip(self._arrays, self._squares, gradients, strict=True):
                square += g * g
                array -= self.rate * g / (np.sqrt(square) + 1e-10)

    def __call__(self, F: np.ndarray, target: Marginal, random: np.random.Generator) -> tuple[float, np.ndarray]:
        """Evaluate the potential on F and on as many draws of the target."""
        if not self._arrays:
            self.initialize(F.shape[1], random)
        values, gradients, _ = self._forward(F)
        other, _, _ = self._forward(drawn(target, F, random))
        return float(values.mean() - other.mean()), gradients / len(F)

    def initialize(self, n: int, random: np.random.Generator) -> None:
        """Draw the potential; what the optimizer has summed stays.

        Parameters
        ----------
        n : int
            Number of points.
        random : numpy.random.Generator
            Source of the parameters.
        """
        h = self.n_hidden
        sizes = [(n, h), (h,), (h, h), (h,), (h,)]
        scales = [np.sqrt(2 / (n + h)), 0.0, np.sqrt(1 / h), 0.0, np.sqrt(2 / (h + 1))]
        self._arrays = [s * random.standard_normal(size) for size, s in zip(sizes, scales, strict=True)]
        if not self._squares:
            self._squares = [np.zeros_like(array) for array in self._arrays]

    def loss(self, F: np.ndarray, G: np.ndarray, between: np.ndarray) -> tuple[float, list[np.ndarray]]:
        """Compute what the potential minimises, and its gradients.

        Parameters
        ----------
        F, G : ndarray of float64, shape (S, n)
            Draws of model and target.
        between : ndarray of float64, shape (S, n)
            Where the slope is penalised.

        Returns
        -------
        value : float
            Minus the difference of means, plus the penalty.
        gradients : list of ndarray
            With respect to the parameters of the potential.
        """
        values_f, _, trace_f = self._forward(F)
        values_g, _, trace_g = self._forward(G)
        _, slopes, trace = self._forward(between)
        norms = np.linalg.norm(slopes, axis=1, keepdims=True)
        excess = norms - 1
        value = values_g.mean() - values_f.mean() + self.penalty * (excess**2).mean()
        frozen = 2 * self.penalty / len(between) * excess * slopes / (norms + 1e-300)
        parts = [
            self._means(trace_f, np.full(len(F), -1 / len(F))),
            self._means(trace_g, np.full(len(G), 1 / len(G))),
            self._along(trace, frozen),
        ]
        return float(value), [a + b + c for a, b, c in zip(*parts, strict=True)]

    def _forward(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, ...]]:
        """Return values, slopes with respect to x, and what the gradients need."""
        W1, b1, W2, b2, w3 = self._arrays
        a1 = x @ W1 + b1
        a2 = softplus(a1) @ W2 + b2
        s1, s2 = expit(a1), expit(a2)
        slopes = ((s2 * w3) @ W2.T * s1) @ W1.T
        return softplus(a2) @ w3, slopes, (x, a1, a2, s1, s2)

    def _means(self, trace: tuple[np.ndarray, ...], d: np.ndarray) -> list[np.ndarray]:
        """Pull a gradient back from the values."""
        _, _, W2, _, w3 = self._arrays
        x, a1, a2, s1, s2 = trace
        da2 = d[:, None] * w3 * s2
        da1 = da2 @ W2.T * s1
        return [x.T @ da1, da1.sum(axis=0), softplus(a1).T @ da2, da2.sum(axis=0), d @ softplus(a2)]

    def _along(self, trace: tuple[np.ndarray, ...], v: np.ndarray) -> list[np.ndarray]:
        """Return the gradients of the sum of v times the slopes, v held fixed: forward along v, then back."""
        W1, _, W2, _, w3 = self._arrays
        x, a1, _, s1, s2 = trace
        t1 = v @ W1
        u1 = s1 * t1
        t2 = u1 @ W2
        dt2, da2 = w3 * s2, w3 * t2 * s2 * (1 - s2)
        dt1 = dt2 @ W2.T * s1
        da1 = dt2 @ W2.T * t1 * s1 * (1 - s1) + da2 @ W2.T * s1
        dW2 = u1.T @ dt2 + softplus(a1).T @ da2
        return [v.T @ dt1 + x.T @ da1, da1.sum(axis=0), dW2, da2.sum(axis=0), (s2 * t2).sum(axis=0)]
