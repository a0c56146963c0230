"""Labels that soften as data degrade: the less a sample tells, the less sure its label is.

A label smoothing gamma in [0, 1] mixes a class with the uniform distribution: ``(1 - gamma) onehot + gamma / K``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.isotonic import isotonic_regression

from bvar._validation import as_array, as_numbers, check_integer, check_real

__all__ = ["blur_smoothing", "confidence_matched_schedule", "noise_smoothing", "soft_targets", "unit_interval"]


def noise_smoothing(t: ArrayLike, exponent: float = 1.0) -> Any:
    """Give the label smoothing of noisy samples: ``sin(pi t / 2) ** (2 exponent)``.

    For an exponent of 1 it is the noise fraction of :func:`noise_at_time`. Source: Heinonen et al., AISTATS 2025
    (read in the authors' code).

    Parameters
    ----------
    t : float or array-like of float
        Time in [0, 1], of any shape.
    exponent : float, default=1.0
        Positive. 1 is the paper's. The accuracy that can be had falls later than that: 2 to 4 were better
        calibrated on small images, see :func:`confidence_matched_schedule`.

    Returns
    -------
    float64 or ndarray of float64, of the shape of `t`
        The smoothing gamma, from exactly 0 at time 0 to 1 at time 1.

    Raises
    ------
    TypeError, ValueError
        If a time is not in [0, 1] or the exponent is not positive.

    Examples
    --------
    >>> noise_smoothing([0, 0.5, 1]).round(3).tolist()
    [0.0, 0.5, 1.0]
    >>> noise_smoothing([0, 0.5, 1], exponent=4).round(3).tolist()
    [0.0, 0.062, 1.0]
    """
    exponent = check_real(exponent, "exponent", low=0, strict=True)
    return (np.sin(np.pi / 2 * unit_interval(t, "t")) ** (2 * exponent))[()]


def blur_smoothing(t: ArrayLike, exponent: float = 1.0) -> Any:
    """Give the label smoothing of blurred samples: ``t ** exponent``.

    Source: Heinonen et al., AISTATS 2025 (read in the authors' code).

    Parameters
    ----------
    t : float or array-like of float
        Time in [0, 1], of any shape.
    exponent : float, default=1.0
        Positive. 1 is the paper's; 2 to 4 were better calibrated on small images.

    Returns
    -------
    float64 or ndarray of float64, of the shape of `t`
        The smoothing gamma, from exactly 0 at time 0 to 1 at time 1.

    Raises
    ------
    TypeError, ValueError
        If a time is not in [0, 1] or the exponent is not positive.

    Examples
    --------
    >>> blur_smoothing([0, 0.5, 1], exponent=2).tolist()
    [0.0, 0.25, 1.0]
    """
    exponent = check_real(exponent, "exponent", low=0, strict=True)
    return (unit_interval(t, "t") ** exponent)[()]


def soft_targets(codes: ArrayLike, gamma: ArrayLike, n_classes: int) -> np.ndarray:
    r"""Mix classes with the uniform distribution.

    .. math:: y = (1 - \gamma) \, \mathrm{onehot}(c) + \gamma / K

    Parameters
    ----------
    codes : array-like of int, shape (n_samples,)
        Classes, numbered from 0.
    gamma : float or array-like of shape (n_samples,)
        Label smoothing in [0, 1], one for all or one for each sample.
    n_classes : int
        Number of classes K.

    Returns
    -------
    ndarray of float64, shape (n_samples, n_classes)
        Probabilities; where gamma is 0, exactly 0 and 1.

    Raises
    ------
    TypeError, ValueError
        If a code is no class, or gamma is not in [0, 1] or has another shape.

    Notes
    -----
    The cross-entropy with these targets tempers the likelihood (derived here):

    .. math:: -\sum_j y_j \log f_j = -\log \bigl( f_c^{1 - \gamma} \, g^{\gamma} \bigr),
              \qquad g = \Bigl( \prod_j f_j \Bigr)^{1 / K}

    A sample keeps the share :math:`1 - \gamma` of its say about its class, and lends the rest to the geometric
    mean g, which knows no class and is largest where all f are equal.

    Examples
    --------
    >>> soft_targets([0, 1], [0.0, 0.5], n_classes=2).tolist()
    [[1.0, 0.0], [0.25, 0.75]]
    """
    n_classes = check_integer(n_classes, "n_classes", low=1)
    codes = as_array(codes, "codes")
    if codes.ndim != 1 or codes.dtype.kind not in "iu":
        raise TypeError(f"codes must be integers of shape (n_samples,), got {codes.dtype} of shape {codes.shape}")
    if codes.size and not 0 <= codes.min() <= codes.max() < n_classes:
        raise ValueError(f"codes must be in [0, {n_classes - 1}], got some in [{codes.min()}, {codes.max()}]")
    gamma = unit_interval(gamma, "gamma")
    if gamma.shape not in ((), codes.shape):
        raise ValueError(f"gamma must be a number or have shape {codes.shape}, got shape {gamma.shape}")
    targets = np.empty((len(codes), n_classes))
    targets[:] = (gamma / n_classes).reshape(-1, 1)
    targets[np.arange(len(codes)), codes] += 1 - gamma
    return targets


def confidence_matched_schedule(t: ArrayLike, accuracies: ArrayLike, n_classes: int) -> np.ndarray:
    r"""Give the label smoothing whose confidence is the accuracy that can be had.

    The largest entry of a soft target is :math:`1 - \gamma (K - 1) / K`. Equal to the accuracy acc(t) it says

    .. math:: \gamma^*(t) = \frac{K}{K - 1} \bigl( 1 - \mathrm{acc}(t) \bigr),

    clipped to [0, 1] (derived here; compare with it before trusting an exponent). Sampling errors let it dip, so
    the nondecreasing curve nearest in least squares is returned.

    Parameters
    ----------
    t : array-like of float, shape (n_times,)
        Times in [0, 1], increasing.
    accuracies : array-like of float, shape (n_times,)
        Shares in [0, 1] of samples of each time that are classified rightly, measured on held-out samples.
    n_classes : int
        Number of classes K, at least 2.

    Returns
    -------
    ndarray of float64, shape (n_times,)
        The smoothing at each time, nondecreasing; ``np.interp`` gives it in between.

    Raises
    ------
    TypeError, ValueError
        If times do not increase, numbers are not in [0, 1] or shapes differ.

    Examples
    --------
    >>> confidence_matched_schedule([0, 0.5, 0.75, 1], [1.0, 0.7, 0.75, 0.4], n_classes=2).round(2).tolist()
    [0.0, 0.55, 0.55, 1.0]
    """
    n_classes = check_integer(n_classes, "n_classes", low=2)
    times, accuracies = unit_interval(t, "t"), unit_interval(accuracies, "accuracies")
    if times.ndim != 1 or times.shape != accuracies.shape:
        raise ValueError(
            f"t and accuracies must have one shape (n_times,), got shapes {times.shape} and {accuracies.shape}"
        )
    if not (np.diff(times) > 0).all():
        raise ValueError(f"t must increase, got {t!r}")
    return isotonic_regression(np.clip(n_classes / (n_classes - 1) * (1 - accuracies), 0.0, 1.0))


def unit_interval(value: Any, name: str) -> np.ndarray:
    """Return numbers as an array after checking that all are in [0, 1].

    Parameters
    ----------
    value : float or array-like of float
        The numbers, of any shape.
    name : str
        What they are called in an error.

    Returns
    -------
    ndarray of float64
        The numbers.

    Raises
    ------
    TypeError, ValueError
        If a number is not real or not in [0, 1]; NaN is not.
    """
    array = as_numbers(value, name)
    if not ((array >= 0) & (array <= 1)).all():
        raise ValueError(f"{name} must be in [0, 1], got {value!r}")
    return array
