"""Gaussian noise that keeps the variance of standardised data: x becomes ``alpha * x + sigma * eps``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from bvar._validation import as_array, as_numbers
from bvar.encoding.samples import as_table

__all__ = ["noise", "noise_at_time", "per_sample"]


def noise(X: ArrayLike, gamma: ArrayLike, random_state: int | np.random.RandomState | None = None) -> np.ndarray:
    """Replace a share of the variance of standardised data by noise: ``sqrt(1 - gamma) X + sqrt(gamma) eps``.

    Parameters
    ----------
    X : array-like of shape (n_samples, ...)
        Data with mean 0 and variance 1; float32 stays float32, all else becomes float64.
    gamma : float or array-like of shape (n_samples,)
        Noise fraction in [0, 1], one for all or one for each sample. Where it is 0, nothing changes.
    random_state : None, int or RandomState, default=None
        Where the noise comes from.

    Returns
    -------
    ndarray of the shape of `X`
        New data.

    Raises
    ------
    TypeError, ValueError
        If `X` or `gamma` is not of real numbers, or `gamma` is not in [0, 1] or has another shape.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.RandomState(0).randn(10000, 2)
    >>> noise(x, 0.3, random_state=1).std(axis=0).round(1).tolist()
    [1.0, 1.0]
    """
    X = as_float(X)
    fraction = per_sample(gamma, "gamma", X)
    return _mix(X, np.sqrt(1 - fraction), np.sqrt(fraction), random_state)


def noise_at_time(
    X: ArrayLike, t: ArrayLike, random_state: int | np.random.RandomState | None = None
) -> np.ndarray:
    """Add noise as mollified classifiers do: ``cos(pi t / 2) X + sin(pi t / 2) eps``.

    This is :func:`noise` with the noise fraction ``sin(pi t / 2) ** 2``. Time runs from clean to noise: it is
    the curve of :class:`CosineSchedule` backwards. Source: Heinonen et al., AISTATS 2025 (read in their code).

    Parameters
    ----------
    X : array-like of shape (n_samples, ...)
        Data with mean 0 and variance 1; float32 stays float32, all else becomes float64.
    t : float or array-like of shape (n_samples,)
        Time in [0, 1], one for all or one for each sample. Where it is 0, nothing changes.
    random_state : None, int or RandomState, default=None
        Where the noise comes from.

    Returns
    -------
    ndarray of the shape of `X`
        New data.

    Raises
    ------
    TypeError, ValueError
        If `X` or `t` is not of real numbers, or `t` is not in [0, 1] or has another shape.

    Examples
    --------
    >>> import numpy as np
    >>> noise_at_time(np.ones((2, 3)), [0, 1], random_state=0).round(1).tolist()
    [[1.0, 1.0, 1.0], [2.2, 1.9, -1.0]]
    """
    X = as_float(X)
    angle = np.pi / 2 * per_sample(t, "t", X)
    return _mix(X, np.cos(angle), np.sin(angle), random_state)


def per_sample(value: Any, name: str, X: np.ndarray) -> np.ndarray:
    """Return numbers in [0, 1] in a shape that multiplies samples; one number stands for all.

    Parameters
    ----------
    value : float or array-like of shape (n_samples,)
        The numbers.
    name : str
        What they are called in an error.
    X : ndarray of shape (n_samples, ...)
        The samples.

    Returns
    -------
    ndarray of float64, shape (n_samples or 1, 1, ...)
        With as many dimensions as `X`.

    Raises
    ------
    TypeError, ValueError
        If a number is not real or not in [0, 1], or the shape is another.
    """
    numbers = as_numbers(value, name)
    if numbers.shape not in ((), (len(X),)):
        raise ValueError(f"{name} must be a number or have shape ({len(X)},), got shape {numbers.shape}")
    if not ((numbers >= 0) & (numbers <= 1)).all():
        raise ValueError(f"{name} must be in [0, 1], got {value!r}")
    return numbers.reshape(-1, *(1,) * (X.ndim - 1))


def as_float(X: ArrayLike) -> np.ndarray:
    """Return samples as floats, without a copy if they are; a sample has at least one number.

    Parameters
    ----------
    X : array-like of shape (n_samples, ...)
        The samples.

    Returns
    -------
    ndarray of float32 or float64
        The same numbers.

    Raises
    ------
    TypeError, ValueError
        If there is a single number only, or something that is not real.
    """
    array = as_array(as_table(X), "X")
    if array.ndim == 0:
        raise ValueError("X must be an array of samples, got a single number")
    if array.dtype in (np.float32, np.float64):
        return array
    try:  # numbers of a frame may be objects
        return as_numbers(array.astype(np.float64) if array.dtype.kind == "O" else array, "X")
    except (TypeError, ValueError):
        raise TypeError(f"X must be an array of real numbers, got dtype {array.dtype}") from None


def _mix(X: np.ndarray, alpha: np.ndarray, sigma: np.ndarray, random_state: Any) -> np.ndarray:
    eps = check_random_state(random_state).standard_normal(X.shape)
    return (alpha * X + sigma * eps).astype(X.dtype, copy=False)
