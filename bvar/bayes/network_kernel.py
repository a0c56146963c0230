r"""Covariances of infinitely wide Boolean networks, deep, with a dead zone and with offsets, in floats.

One layer makes of the correlation :math:`\rho` of its inputs, with a dead zone of :math:`\tau` spreads of the sum,

.. math:: k(\rho) = 2 \, [\Phi_2(-\tau, -\tau; \rho) - \Phi_2(-\tau, -\tau; -\rho)] , \qquad
          C(\rho) = k(\rho) / k(1) ,

which for :math:`\tau = 0` is :math:`\tfrac{2}{\pi} \arcsin \rho`; the next layer sees :math:`C(\rho)`.  The page
``docs/explanation/boolean-beliefs.md`` derives it, and what depth forgets.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import exp, pi, sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, owens_t

from bvar._validation import check_array, check_finite, check_integer, check_real
from bvar.bayes.boolean_kernel import boolean_kernels

__all__ = ["BEST_DEAD_ZONE", "NetworkKernel", "correlation", "memory", "ternary_kernel"]

BEST_DEAD_ZONE = 0.6120031809624807
"""The dead zone that forgets least, in spreads of the sum: where it is half of phi(t) / Phi(-t)."""

_SMALLEST = np.finfo(np.float64).tiny  # quotients of smaller numbers have fewer digits, or are none


def ternary_kernel(rho: ArrayLike, dead_zone: float = 0.0) -> np.ndarray:
    r"""Covariance of two activations in {-1, 0, 1} whose sums are Gaussian with a correlation.

    Parameters
    ----------
    rho : array-like of float
        Correlation of the sums; what rounding puts beyond -1 and 1 is cut off.
    dead_zone : float, default=0.0
        Sums up to this many spreads give 0, at least 0. With 0 this is the arc-sine kernel.

    Returns
    -------
    ndarray of float64, of the shape of `rho`
        The covariances; at 1 it is the share of activations that are not 0.

    Raises
    ------
    TypeError, ValueError
        If `rho` is not of finite real numbers, or `dead_zone` is no number or negative.

    Notes
    -----
    With Owen's function T it is :math:`4 \, [T(\tau, 1/a) - T(\tau, a)]`, :math:`a^2 = (1 - \rho)/(1 + \rho)`.

    Examples
    --------
    >>> from bvar.bayes import ternary_kernel
    >>> ternary_kernel([0.5, 1.0]).round(4), ternary_kernel([0.5, 1.0], 0.612).round(4)
    (array([0.3333, 1.    ]), array([0.2225, 0.5405]))
    """
    tau = check_real(dead_zone, "dead_zone", low=0)
    r = np.clip(check_finite(rho, "rho"), -1, 1)
    if tau == 0:
        return 2 / pi * np.arcsin(r)  # the same, faster
    with np.errstate(divide="ignore"):
        slope = np.sqrt((1 - r) / (1 + r))
        return 4 * (owens_t(tau, 1 / slope) - owens_t(tau, slope))


def correlation(
    rho: ArrayLike, depth: int = 1, *, dead_zone: float = 0.0, offset_spread: float = 0.0
) -> np.ndarray:
    """Correlation of the scores of an infinitely wide Boolean network at two inputs.

    Parameters
    ----------
    rho : array-like of float
        Correlation of the inputs, ``1 - 2 * d / n`` for n bits of which d differ.
    depth : int, default=1
        Number of hidden layers; with 0 scores are sums of inputs.
    dead_zone : float, default=0.0
        See :func:`ternary_kernel`.
    offset_spread : float, default=0.0
        Spread of the offsets of hidden sums, in spreads of the sum without them, see
        :class:`bvar.layers.BooleanLinear`.

    Returns
    -------
    ndarray of float64, of the shape of `rho`
        The correlations.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not as described, or `dead_zone` is so large that nearly all activations are 0.

    Examples
    --------
    >>> from bvar.bayes import correlation
    >>> [float(correlation(0.5, depth).round(4)) for depth in (1, 2, 3, 4)]
    [0.3333, 0.2163, 0.1388, 0.0887]
    """
    depth = check_integer(depth, "depth", low=0)
    shared = check_real(offset_spread, "offset_spread", low=0, high=1) ** 2
    dead_zone = check_real(dead_zone, "dead_zone", low=0)
    scale = _share_that_speaks(dead_zone) if depth else 1.0
    deep = check_finite(rho, "rho")
    for _ in range(depth):
        deep = ternary_kernel((deep + shared) / (1 + shared), dead_zone) / scale
    return deep


def memory(dead_zone: float = 0.0) -> float:
    r"""Slope of a layer's correlation at 0: what it leaves of a small correlation.

    Parameters
    ----------
    dead_zone : float, default=0.0
        See :func:`ternary_kernel`.

    Returns
    -------
    float
        :math:`2 \varphi(\tau)^2 / \Phi(-\tau)`: for bits :math:`2/\pi`, and 0.80983 at the most, for
        `BEST_DEAD_ZONE`. It is also the share of prior variance that lies on functions of degree 1.

    Raises
    ------
    TypeError, ValueError
        If `dead_zone` is no number or negative, or so large that nearly all activations are 0.

    Examples
    --------
    >>> from bvar.bayes import BEST_DEAD_ZONE, memory
    >>> round(memory(), 4), round(memory(BEST_DEAD_ZONE), 5)
    (0.6366, 0.80983)
    """
    tau = check_real(dead_zone, "dead_zone", low=0)
    _share_that_speaks(tau)
    return exp(-(tau**2)) / pi / float(ndtr(-tau))


def _share_that_speaks(dead_zone: float) -> float:
    """Return the share of activations that are not 0 after checking that one can divide by it."""
    share = float(ternary_kernel(1.0, dead_zone))
    if share < _SMALLEST:
        raise ValueError(f"dead_zone must leave sums something to say, at most about 37.5, got {dead_zone!r}")
    return share


@dataclass(frozen=True)
class NetworkKernel:
    r"""Covariance of the scores of a random Boolean network between samples of bits, some of them missing.

    Parameters
    ----------
    depth : int, default=1
        Number of hidden layers, infinitely wide but for one alone, whose width does not matter.
    dead_zone : float, default=0.0
        See :func:`ternary_kernel`.
    offset_spread : float, default=0.0
        See :func:`correlation`.
    exact : bool, default=False
        Whether sums of the first layer have as many terms as there are bits: their covariance is then the
        fraction of :func:`boolean_kernel`, rounded once. Nothing may then be missing. False stands for sums of
        infinitely many terms, of the same correlation; they err by about :math:`0.32 / \sqrt n` where one bit
        differs, and less elsewhere.

    Raises
    ------
    TypeError, ValueError
        When called, if a parameter is not as described, or `dead_zone` is so large that nearly all activations
        are 0.

    See Also
    --------
    bvar.networks.boolean_mlp : Makes the networks.

    Notes
    -----
    Scores have variance 1. A missing bit adds nothing to a sum; of two samples the correlation is then
    :math:`x \cdot x' / \sqrt{|x|_0 |x'|_0}`, and the variance stays. If all is missing and there are no offsets,
    scores are 0.

    In the exact form offsets of spread :math:`\sigma` are :math:`\sigma^2 n` constant inputs, rounded, which have
    that variance; without a dead zone an even number of terms counts as one more, since
    :class:`bvar.layers.Threshold` says T at a tie.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import NetworkKernel
    >>> X = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 1, -1], [1, 1, 1, 0, 0]], dtype=np.int8)
    >>> NetworkKernel()(X).round(3)
    array([[1.   , 0.41 , 0.564],
           [0.41 , 1.   , 0.564],
           [0.564, 0.564, 1.   ]])
    >>> NetworkKernel(exact=True)(X[:2])
    array([[1.  , 0.25],
           [0.25, 1.  ]])
    """

    depth: int = 1
    dead_zone: float = 0.0
    offset_spread: float = 0.0
    exact: bool = False

    def __call__(self, X: np.ndarray, Z: np.ndarray | None = None) -> np.ndarray:
        """Compute covariances.

        Parameters
        ----------
        X : ndarray of int8, shape (n_samples, n_bits)
            Values of M, as encoders give them: +1, -1, and 0 where a bit is missing.
        Z : ndarray of int8, shape (n_others, n_bits), optional
            Other samples. Default: `X`.

        Returns
        -------
        ndarray of float64, shape (n_samples, n_others)
            The covariances.

        Raises
        ------
        TypeError, ValueError
            If samples or parameters are not as described.
        """
        X = check_array(X, "X", dtype=np.int8, ndim=2)
        Z = X if Z is None else check_array(Z, "Z", dtype=np.int8, ndim=2)
        if X.shape[1] != Z.shape[1]:
            raise ValueError(f"X and Z must have as many bits as each other, got {X.shape[1]} and {Z.shape[1]}")
        depth = check_integer(self.depth, "depth", low=0)
        # integers below 2**24, so that products of float32 are exact
        agreement = (X.astype(np.float32) @ Z.T.astype(np.float32)).astype(np.float64)
        if depth == 0:
            return agreement / np.maximum(np.sqrt(np.outer(_n_known(X), _n_known(Z))), 1)
        first = self._counted(X, Z, agreement) if self.exact else self._limit(X, Z, agreement)
        return correlation(first, depth - 1, dead_zone=self.dead_zone, offset_spread=self.offset_spread)

    def variances(self, X: np.ndarray) -> np.ndarray:
        """Compute the diagonal of the covariances alone.

        Parameters
        ----------
        X : ndarray of int8, shape (n_samples, n_bits)
            Samples.

        Returns
        -------
        ndarray of float64, shape (n_samples,)
            1, but for samples of which nothing is known.
        """
        heard = (_n_known(X) > 0) | (self.depth > 0 and self.offset_spread > 0)
        return heard.astype(np.float64)

    def _limit(self, X: np.ndarray, Z: np.ndarray, agreement: np.ndarray) -> np.ndarray:
        """Compute the correlations behind a first layer of infinitely many terms; offsets are terms that agree."""
        shared = check_real(self.offset_spread, "offset_spread", low=0, high=1) ** 2 * X.shape[1]
        size = np.sqrt(np.outer(_n_known(X) + shared, _n_known(Z) + shared))
        rho = (agreement + shared) / np.where(size, size, 1)
        return ternary_kernel(rho, self.dead_zone) / _share_that_speaks(self.dead_zone)

    def _counted(self, X: np.ndarray, Z: np.ndarray, agreement: np.ndarray) -> np.ndarray:
        """Look the correlations behind a first layer of finitely many terms up, by distance."""
        if not (X.all() and Z.all()):
            raise ValueError("exact must be False where bits are missing")
        spread = check_real(self.offset_spread, "offset_spread", low=0, high=1)
        tau = check_real(self.dead_zone, "dead_zone", low=0)
        n_bits = X.shape[1]
        n_terms = n_bits + round(spread**2 * n_bits)
        zone = int(tau * sqrt(n_terms))
        if zone >= n_terms:
            raise ValueError(f"dead_zone must leave sums of {n_terms} terms something to say, got {tau!r}")
        by_distance = _correlations(n_terms if zone else n_terms | 1, zone)
        return by_distance[((n_bits - agreement) / 2).astype(np.intp)]


@lru_cache(maxsize=8)  # a second for a thousand terms, and asked for at each prediction
def _correlations(n_terms: int, dead_zone: int) -> np.ndarray:
    """Round the correlations behind a layer of so many terms to floats, by distance."""
    fractions = boolean_kernels(n_terms, dead_zone)
    return np.array([float(k / fractions[0]) for k in fractions])


def _n_known(X: np.ndarray) -> np.ndarray:
    return np.count_nonzero(X, axis=1)
