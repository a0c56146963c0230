"""Mollifier: degrade some samples by noise or blur, and say how much to soften their labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from bvar._validation import check_image_shape, check_real
from bvar.mollify.blurring import blur
from bvar.mollify.labels import blur_smoothing, noise_smoothing
from bvar.mollify.noising import as_float, noise_at_time, per_sample
from bvar.mollify.schedules import Schedule

__all__ = ["Mollifier", "degrade_by_role", "standard_moments", "standardize"]

_SMOOTHING: dict[str, Callable[..., Any]] = {"n": noise_smoothing, "b": blur_smoothing}
_LARGEST = 1e150  # the square of a larger number overflows
_GONE = 1e-9  # the least noise fraction that a schedule gives: it stands for none


class Mollifier(BaseEstimator):
    r"""Degrade standardised samples for training, each in its own way and by its own amount.

    Every sample draws a role from the letters of `roles`, and a time t from Beta(1, `beta`), whose density is
    :math:`\beta (1 - t)^{\beta - 1}`: little degradation is more frequent than much.

    ====  =======  ================================  ================================
    role  name     data                              label smoothing gamma
    ====  =======  ================================  ================================
    x     clean    as they are                       0
    n     noise    :func:`noise_at_time`             :math:`\sin(\pi t / 2)^{2 k}`
    b     blur     :func:`blur` of the image         :math:`t^k`
    ====  =======  ================================  ================================

    with k the `label_exponent`. Targets follow by :func:`soft_targets`. Source: Heinonen et al., AISTATS 2025
    (roles, times and both formulas read in the authors' code; the schedule is an addition of this package).

    Parameters
    ----------
    roles : str, default='xnb'
        Letters x, n and b; a letter that occurs twice is drawn twice as often. Without n and b all stays clean.
    beta : float, default=2.0
        Positive; the mean time is ``1 / (1 + beta)``.
    label_exponent : float or None, default=4.0
        The exponent k, positive: the greater, the later labels soften. 1 is the paper's, 2 to 4 are recommended
        for small images. None keeps labels hard: gamma is 0.
    image_shape : tuple of int, optional
        (height, width) or (height, width, channels) of samples that are flattened images; role b needs it.
    schedule : Schedule, optional
        Multiplies times by ``schedule.gamma(progress)``, so that degradation fades in the course of training. A
        mild blur is not weaker than :func:`blur` at times next to 0, and ends with the last of the schedule.

    Raises
    ------
    TypeError, ValueError
        By :meth:`degrade`, if a parameter is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.mollify import Mollifier, soft_targets
    >>> X = np.random.RandomState(0).standard_normal((4, 9))
    >>> noisy, gamma = Mollifier("xn", label_exponent=1).degrade(X, random_state=1)
    >>> gamma.round(2).tolist()
    [0.0, 0.07, 0.0, 0.0]
    >>> (noisy == X).all(axis=1).tolist()
    [False, False, True, True]
    >>> soft_targets([0, 1, 1, 0], gamma, n_classes=2).round(2).tolist()
    [[1.0, 0.0], [0.03, 0.97], [0.0, 1.0], [1.0, 0.0]]
    """

    def __init__(
        self,
        roles: str = "xnb",
        beta: float = 2.0,
        label_exponent: float | None = 4.0,
        image_shape: tuple[int, ...] | None = None,
        schedule: Schedule | None = None,
    ) -> None:
        self.roles = roles
        self.beta = beta
        self.label_exponent = label_exponent
        self.image_shape = image_shape
        self.schedule = schedule

    def degrade(
        self, X: ArrayLike, random_state: int | np.random.RandomState | None = None, progress: float | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Degrade samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Standardised samples, see :func:`standardize`; float32 stays float32, all else becomes float64.
        random_state : None, int or RandomState, default=None
            Where roles, times and noise come from.
        progress : float, optional
            How far training is, in [0, 1]; needed if there is a schedule, else of no effect.

        Returns
        -------
        X_degraded : ndarray of the shape of `X`
            New data; clean samples are equal to those of `X` bit for bit.
        gamma : ndarray of float64, shape (n_samples,)
            The label smoothing of each sample, 0 for clean ones.

        Raises
        ------
        TypeError, ValueError
            If a parameter of the object or an argument is not as described.
        """
        X = as_float(X)
        if X.ndim != 2:
            raise ValueError(f"X must have shape (n_samples, n_features), got shape {X.shape}")
        beta = self._checked(X.shape[1])
        random = check_random_state(random_state)
        degraded, gamma = X.copy(), np.zeros(len(X))
        if not self.roles.strip("x"):
            return degraded, gamma
        letters = np.array(list(self.roles))[random.randint(len(self.roles), size=len(X))]
        t = beta_times(random, beta, len(X)) * self._strength(progress)
        for role, smoothing in _SMOOTHING.items():
            rows = np.flatnonzero((letters == role) & (t > 0))
            if len(rows):
                degraded[rows] = degrade_by_role(X[rows], role, t[rows], self.image_shape, random)
                if self.label_exponent is not None:
                    gamma[rows] = smoothing(t[rows], self.label_exponent)
        return degraded, gamma

    def _checked(self, n_features: int) -> float:
        """Check the parameters for samples of so many features; return beta."""
        if not isinstance(self.roles, str) or set(self.roles) - set("xnb"):
            raise ValueError(f"roles must be a string of the letters 'x', 'n' and 'b', got {self.roles!r}")
        if self.label_exponent is not None:
            check_real(self.label_exponent, "label_exponent", low=0, strict=True)
        if self.schedule is not None and not isinstance(self.schedule, Schedule):
            raise TypeError(f"schedule must be None or a Schedule, got {self.schedule!r}")
        if self.image_shape is not None:
            check_image_shape(self.image_shape, n_features)
        elif "b" in self.roles:
            raise ValueError(
                f"roles {self.roles!r} contain 'b', and blur needs to know which features are neighbours: give "
                "image_shape, or roles of 'x' and 'n' alone"
            )
        return check_real(self.beta, "beta", low=0, strict=True)

    def _strength(self, progress: float | None) -> float:
        if self.schedule is None:
            return 1.0
        if progress is None:
            raise ValueError("progress must be given, a number in [0, 1], if there is a schedule")
        strength = float(self.schedule.gamma(progress))
        return strength if strength > _GONE else 0.0


def degrade_by_role(
    X: np.ndarray,
    role: str,
    t: ArrayLike,
    image_shape: tuple[int, ...] | None,
    random_state: int | np.random.RandomState | None = None,
) -> np.ndarray:
    """Degrade all samples in one way.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Standardised samples.
    role : {'n', 'b'}
        Noise or blur.
    t : float or array-like of shape (n_samples,)
        Time in [0, 1].
    image_shape : tuple of int or None
        Shape of a sample, for blur.
    random_state : None, int or RandomState, default=None
        Where noise comes from.

    Returns
    -------
    ndarray of the shape of `X`
        New data.
    """
    if role == "n":
        return noise_at_time(X, t, random_state)
    if image_shape is None:
        raise ValueError("image_shape must be given for blur: it says which features are neighbours")
    times = per_sample(t, "t", X).ravel()
    return blur(X.reshape(len(X), *image_shape), times if len(times) > 1 else times[0]).reshape(X.shape)


def beta_times(random: np.random.RandomState, beta: float, size: int) -> np.ndarray:
    """Draw from Beta(1, beta) by inversion of ``1 - (1 - t) ** beta``.

    Parameters
    ----------
    random : RandomState
        Where they come from: one uniform number each.
    beta : float
        Positive.
    size : int
        How many.

    Returns
    -------
    ndarray of float64, shape (size,)
        Times in [0, 1].
    """
    return -np.expm1(np.log1p(-random.random_sample(size)) / beta)


def standard_moments(X: ArrayLike, image_shape: tuple[int, ...] | None = None) -> tuple[Any, Any]:
    """Compute mean and standard deviation to standardise with.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Training samples.
    image_shape : tuple of int, optional
        If given, samples are images: one mean and one deviation for all pixels, because blur must not see
        pixels on scales of their own.

    Returns
    -------
    mean, std : ndarray of shape (n_features,), or two floats for images
        Of what is not NaN. Constant features have deviation 1, so that dividing changes nothing.

    Raises
    ------
    ValueError
        If a number is so large that its square overflows.

    Examples
    --------
    >>> standard_moments([[0.0, 5.0], [2.0, 5.0]])
    (array([1., 5.]), array([1., 1.]))
    >>> standard_moments([[0.0, 5.0], [2.0, 5.0]], image_shape=(1, 2))[0]
    np.float64(3.0)
    """
    X = as_float(X)
    images = image_shape is not None and check_image_shape(image_shape, X.shape[-1])
    axis = None if images else 0
    missing = np.isnan(X)
    largest = float(np.abs(X).max(initial=0, where=~missing))
    if largest > _LARGEST:
        raise ValueError(f"X must be within {_LARGEST:g} of 0, or its variance overflows: scale it down")
    known = np.ma.array(X, mask=missing) if missing.any() else X
    moments = known.mean(axis, dtype=np.float64), known.std(axis, dtype=np.float64)
    mean, std = (np.ma.filled(one, 0.0)[()] for one in moments)  # of nothing that is known: those of a constant
    rounding = 10 * np.finfo(X.dtype).eps * abs(mean)  # of a constant, whose computed deviation may not be 0
    return mean, np.where(std > rounding, std, 1.0)[()]


def standardize(X: ArrayLike, mean: ArrayLike, std: ArrayLike) -> np.ndarray:
    """Return ``(X - mean) / std``.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Samples; float32 stays float32, all else becomes float64.
    mean, std : float or ndarray of shape (n_features,)
        From :func:`standard_moments` of the training samples.

    Returns
    -------
    ndarray of the shape of `X`
        New data.

    Examples
    --------
    >>> standardize([[0.0, 5.0], [2.0, 5.0]], [1.0, 5.0], [1.0, 1.0]).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    X = as_float(X)
    return ((X - np.asarray(mean)) / np.asarray(std)).astype(X.dtype, copy=False)
