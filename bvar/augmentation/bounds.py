r"""Bounds on the likelihood of a sample whose transformation nobody knows (``docs/explanation/augmentation.md``).

With :math:`\ell_k = \log p(y \mid T_{\gamma_k} x)` for K draws of the amount, the K-sample bound
:math:`\log \frac{1}{K} \sum_k e^{\ell_k}` is on average no more than :math:`\log E\, e^{\ell}`, and no less than
that of fewer draws; one draw gives :math:`E\,\ell`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp, softmax

from bvar._validation import as_numbers, check_finite, check_real

__all__ = ["draw_bound", "draw_shares", "jensen_gap", "jensen_gap_limit", "normal_divergence"]


def draw_bound(log_likelihoods: ArrayLike) -> np.ndarray:
    r"""Compute the K-sample bound of each sample, :math:`\log \frac{1}{K} \sum_k e^{\ell_k}`.

    Parameters
    ----------
    log_likelihoods : array-like of float, shape (n_draws, n_samples)
        Of each sample as each draw has transformed it.

    Returns
    -------
    ndarray of float64, shape (n_samples,)
        Bounds.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.augmentation import draw_bound
    >>> np.exp(draw_bound(np.log([[0.5], [0.1]]))).round(3)
    array([0.3])
    """
    values = _draws(log_likelihoods)
    return logsumexp(values, axis=0) - np.log(len(values))


def draw_shares(log_likelihoods: ArrayLike) -> np.ndarray:
    """Compute the slope of the K-sample bound in each draw: its share of the likelihood.

    Parameters
    ----------
    log_likelihoods : array-like of float, shape (n_draws, n_samples)
        Of each sample as each draw has transformed it.

    Returns
    -------
    ndarray of float64, shape (n_draws, n_samples)
        Shares, which add up to one for each sample.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.augmentation import draw_shares
    >>> draw_shares(np.log([[0.6], [0.2]])).ravel().round(3)
    array([0.75, 0.25])
    """
    return softmax(_draws(log_likelihoods), axis=0)


def jensen_gap(log_likelihoods: ArrayLike) -> np.ndarray:
    r"""Compute what one draw loses on average, :math:`\log E\, e^\ell - E\, \ell`, over the given draws.

    Its mean over samples is by how much a PAC-Bayes bound with the marginalised likelihood is tighter than one
    with copies.

    Parameters
    ----------
    log_likelihoods : array-like of float, shape (n_draws, n_samples)
        Of each sample as each draw has transformed it.

    Returns
    -------
    ndarray of float64, shape (n_samples,)
        Gaps, none negative; 0 where the likelihood does not depend on the draw.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.augmentation import jensen_gap
    >>> jensen_gap(np.log([[0.5, 0.3], [0.1, 0.3]])).round(3)
    array([0.294, 0.   ])
    """
    values = _draws(log_likelihoods)
    return np.maximum(draw_bound(values) - values.mean(axis=0), 0)  # what rounding may leave of no gap


def jensen_gap_limit(slope: float, spread: float) -> float:
    r"""Compute the most that the gap can be for a normal amount, :math:`L^2 s^2 / 2`.

    Parameters
    ----------
    slope : float
        Largest slope L of the log-likelihood in the amount, at least 0.
    spread : float
        Standard deviation s of the amount, at least 0.

    Returns
    -------
    float
        The limit, in nats.

    Raises
    ------
    TypeError, ValueError
        If an argument is no number, negative or above 1e75, whose powers are no floats.

    Examples
    --------
    >>> from bvar.augmentation import jensen_gap_limit
    >>> jensen_gap_limit(slope=2.0, spread=0.5)
    0.5
    """
    slope, spread = (check_real(x, name, low=0, high=1e75) for x, name in ((slope, "slope"), (spread, "spread")))
    return (slope * spread) ** 2 / 2


def normal_divergence(mean: ArrayLike, deviation: ArrayLike, prior_mean: ArrayLike, prior: ArrayLike) -> float:
    r"""Compute the Kullback-Leibler divergence of independent normal numbers from normal ones.

    .. math:: \sum_j \log \frac{\tau_j}{v_j} + \frac{v_j^2 + (m_j - m_{0j})^2}{2 \tau_j^2} - \frac{1}{2}

    Parameters
    ----------
    mean : array-like of float
        Means m of the numbers.
    deviation : array-like of float
        Their standard deviations v, positive.
    prior_mean : float or array-like of float
        Means :math:`m_0` of what they diverge from.
    prior : float or array-like of float
        Standard deviations :math:`\tau` of that, positive.

    Returns
    -------
    float
        In nats.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of finite numbers, a deviation is not positive, or shapes are not one.

    Examples
    --------
    >>> from bvar.augmentation import normal_divergence
    >>> normal_divergence([1.0], [1.0], [0.0], [1.0])
    0.5
    """
    named = {"mean": mean, "deviation": deviation, "prior_mean": prior_mean, "prior": prior}
    m, v, m0, tau = (check_finite(value, name) for name, value in named.items())
    if m.shape != v.shape or any(x.shape not in ((), m.shape) for x in (m0, tau)):
        shapes = ", ".join(str(x.shape) for x in (m, v, m0, tau))
        raise ValueError(f"{', '.join(named)} must be of one shape, the last two perhaps numbers, got {shapes}")
    if not (v > 0).all() or not (tau > 0).all():
        raise ValueError("deviation and prior must be positive")
    return float((np.log(tau / v) + (v**2 + (m - m0) ** 2) / (2 * tau**2) - 0.5).sum())


def _draws(log_likelihoods: ArrayLike) -> np.ndarray:
    values = as_numbers(log_likelihoods, "log_likelihoods")
    if values.ndim != 2 or not len(values):
        raise ValueError(
            f"log_likelihoods must have shape (n_draws, n_samples) and a draw, got shape {values.shape}"
        )
    return values
