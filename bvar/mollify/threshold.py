r"""The threshold of a sum in noise: a smooth curve in place of a step.

With noise of scale `width` the output is T with probability :math:`P(s + \mathrm{noise} \ge \tau)`. Its derivative
is the density of the noise: for logistic noise, up to a factor, the weight of :class:`bvar.layers.Threshold`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, ndtr

from bvar._validation import as_numbers, check_choice, check_real

__all__ = ["mollified_threshold", "mollified_variation"]

_NOISE = ("logistic", "gaussian", "uniform")


def mollified_threshold(s: ArrayLike, tau: ArrayLike, width: float, noise: str = "logistic") -> Any:
    r"""Give the probability that a sum in noise reaches its threshold, :math:`P(s + \mathrm{noise} \ge \tau)`.

    As the width w goes to 0 it becomes the step, but at :math:`s = \tau`, where it is 1/2. At distance d from tau
    the error is at most :math:`e^{-d / w}` for logistic and :math:`e^{-d^2 / 2 w^2} / 2` for gaussian noise, and 0
    for uniform noise once :math:`w \le d` (derived here).

    Parameters
    ----------
    s, tau : float or array-like of float
        Sums and thresholds, of shapes that broadcast.
    width : float
        Scale w of the noise, positive: scale of the logistic, standard deviation of the gaussian, or half the
        length of the interval of the uniform distribution.
    noise : {'logistic', 'gaussian', 'uniform'}, default='logistic'
        Distribution of the noise, of mean 0.

    Returns
    -------
    float64 or ndarray of float64
        Probabilities, of the broadcast shape.

    Raises
    ------
    TypeError, ValueError
        If a sum or threshold is not real, the width is not positive or the noise is unknown.

    Examples
    --------
    >>> mollified_threshold([-1, 0, 1], 0, 0.5).round(3).tolist()
    [0.119, 0.5, 0.881]
    """
    z, _ = _scaled(s, tau, width)
    if check_choice(noise, "noise", _NOISE) == "uniform":
        return np.clip((z + 1) / 2, 0.0, 1.0)[()]
    return (expit if noise == "logistic" else ndtr)(z)[()]


def mollified_variation(
    s: ArrayLike, tau: ArrayLike, width: float, noise: str = "logistic", step: float | None = None
) -> Any:
    r"""Give how much the mollified threshold varies with the sum: its derivative, or its change over a step.

    The derivative is the density of the noise at :math:`s - \tau`. For logistic noise of scale
    :math:`1 / (2 \alpha)` (derived here)

    .. math:: 1 - \tanh^2(\alpha d) = \frac{2}{\alpha} \, \mathrm{density}(d) , \qquad
              \mathrm{variance} = \frac{\pi^2}{12 \alpha^2} ,

    so the weight of BOLD is that of a threshold in noise, and its :math:`\alpha = \pi / (2 \sqrt{3 v})` gives the
    noise the variance v of the sum.

    Parameters
    ----------
    s, tau : float or array-like of float
        Sums and thresholds, of shapes that broadcast.
    width : float
        Scale of the noise, as in :func:`mollified_threshold`.
    noise : {'logistic', 'gaussian', 'uniform'}, default='logistic'
        Distribution of the noise, of mean 0.
    step : float, optional
        If given, positive: the change of the probability from s to s + step; one flipped bit moves a sum by 2.

    Returns
    -------
    float64 or ndarray of float64
        Derivatives or changes, of the broadcast shape; not negative.

    Raises
    ------
    TypeError, ValueError
        If a sum or threshold is not real, the width or the step is not positive or the noise is unknown.

    Examples
    --------
    >>> mollified_variation([-1, 0, 1], 0, 0.5).round(3).tolist()
    [0.21, 0.5, 0.21]
    >>> mollified_variation(-1, 0, 0.5, step=2).round(3)
    np.float64(0.762)
    """
    if step is not None:
        step = check_real(step, "step", low=0, strict=True)
        after = mollified_threshold(as_numbers(s, "s") + step, tau, width, noise)
        return after - mollified_threshold(s, tau, width, noise)
    z, width = _scaled(s, tau, width)
    return (_density(z, check_choice(noise, "noise", _NOISE)) / width)[()]


def _scaled(s: Any, tau: Any, width: Any) -> tuple[np.ndarray, float]:
    width = check_real(width, "width", low=0, strict=True)
    return (as_numbers(s, "s") - as_numbers(tau, "tau")) / width, width


def _density(z: np.ndarray, noise: str) -> np.ndarray:
    """Return the density at width 1."""
    if noise == "logistic":
        return expit(z) * expit(-z)
    if noise == "gaussian":
        return np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    return np.where(abs(z) <= 1, 0.5, 0.0)
