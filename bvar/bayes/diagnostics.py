r"""What chains are worth: split R-hat, effective sample size, and the exact variance of the discrete sampler.

The formula of the last is derived in ``docs/explanation/functional-priors.md``: on :math:`U = h w^2 / 2` the
sampler is an autoregression of order two.
Sources: A. Gelman et al., "Bayesian Data Analysis", 3rd edition (split R-hat and effective sample size; recalled).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from bvar._validation import as_numbers

__all__ = ["effective_sample_size", "split_rhat", "stationary_variance"]


def split_rhat(draws: np.ndarray) -> np.ndarray:
    """Compare the halves of chains: near 1 if all have the same law.

    Parameters
    ----------
    draws : ndarray of float, shape (n_draws, n_chains, ...)
        At least four draws. Of networks, take values of the functions: parameters may be permuted, and their
        chains then never agree.

    Returns
    -------
    ndarray of float64, shape (...)
        The root of the ratio of the variance of all to that within halves; 1 where nothing varies.

    Raises
    ------
    ValueError
        If there are fewer than four draws.

    See Also
    --------
    effective_sample_size : Independent draws that would do.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import split_rhat
    >>> draws = np.random.default_rng(0).standard_normal((500, 4))
    >>> bool(abs(split_rhat(draws) - 1) < 0.01), bool(split_rhat(draws + [0, 0, 0, 5]) > 2)
    (True, True)
    """
    halves = _halves(draws)
    n = len(halves)
    within = halves.var(axis=0, ddof=1).mean(axis=0)
    between = halves.mean(axis=0).var(axis=0, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.sqrt((n - 1) / n + between / within)
    return np.where(between == 0, 1.0, ratio)


def effective_sample_size(draws: np.ndarray) -> np.ndarray:
    """Estimate how many independent draws would know the mean as well.

    Autocorrelations are summed in pairs until a pair is negative, each pair at most the one before.

    Parameters
    ----------
    draws : ndarray of float, shape (n_draws, n_chains, ...)
        At least four draws.

    Returns
    -------
    ndarray of float64, shape (...)
        Up to the number of draws of all chains, times its logarithm if they alternate.

    Raises
    ------
    ValueError
        If there are fewer than four draws.

    See Also
    --------
    split_rhat : Whether chains agree at all.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import effective_sample_size
    >>> draws = np.random.default_rng(0).standard_normal((500, 4))
    >>> bool(1500 < effective_sample_size(draws) < 2500), bool(effective_sample_size(draws.cumsum(axis=0)) < 50)
    (True, True)
    """
    halves = _halves(draws)
    n, m = halves.shape[:2]
    centred = halves - halves.mean(axis=0)
    spectrum = np.fft.rfft(centred, 2 * n, axis=0)
    covariance = np.fft.irfft(abs(spectrum) ** 2, axis=0)[:n].mean(axis=1) / n
    within = covariance[0] * n / (n - 1)
    total = within * (n - 1) / n + halves.mean(axis=0).var(axis=0, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        rho = 1 - (within - covariance) / total
    rho[0] = 1.0
    pairs = rho[: n // 2 * 2].reshape(n // 2, 2, *rho.shape[1:]).sum(axis=1)
    pairs[np.minimum.accumulate(pairs, axis=0) <= 0] = 0.0
    length = 2 * np.minimum.accumulate(pairs, axis=0).sum(axis=0) - 1
    size = n * m / np.maximum(length, 1 / np.log10(n * m))
    return np.where(total == 0, float(n * m), size)


def stationary_variance(
    curvature: ArrayLike,
    step_size: float,
    friction: float,
    *,
    scale: ArrayLike = 1.0,
    temperature: float = 1.0,
    noise_correction: bool = False,
) -> np.ndarray:
    r"""Compute the variance that :class:`SGHMC` samples on a parabola, with its step size, exactly.

    .. math:: \mathrm{Var}\, w = \frac{q (2 - \alpha)}{\alpha \eta (4 - 2 \alpha - \eta)},
              \qquad \eta = \epsilon^2 h / s

    with q the variance of the noise injected, :math:`\alpha` the friction and s the `scale`.

    Parameters
    ----------
    curvature : array-like of float
        Curvatures h, positive.
    step_size, friction : float
        Those of the sampler.
    scale : array-like of float, default=1.0
        Its frozen scale.
    temperature : float, default=1.0
        Its temperature.
    noise_correction : bool, default=False
        Whether it subtracts the fourth power of the step size.

    Returns
    -------
    ndarray of float64
        Variances; infinite where the sampler is not stable.

    See Also
    --------
    SGHMC : The sampler.

    Examples
    --------
    >>> from bvar.bayes import stationary_variance
    >>> [round(float(h * stationary_variance(h, 0.1, a)), 5) for h, a in [(1, 0.05), (25, 0.05), (100, 0.5)]]
    [1.00257, 1.06849, 1.5]
    """
    h, s = as_numbers(curvature, "curvature"), as_numbers(scale, "scale")
    q = 2 * step_size**2 * friction * temperature / s - (step_size**4 if noise_correction else 0.0)
    eta = step_size**2 * h / s
    room = 4 - 2 * friction - eta
    with np.errstate(divide="ignore"):
        variance = np.maximum(q, 0.0) * (2 - friction) / (friction * eta * np.maximum(room, 0.0))
    return variance


def _halves(draws: np.ndarray) -> np.ndarray:
    """Return the first and the second halves of chains as chains."""
    half = len(draws) // 2
    if half < 2:
        raise ValueError(f"draws must be at least four, got {len(draws)}")
    return np.concatenate([draws[:half], draws[-half:]], axis=1)
