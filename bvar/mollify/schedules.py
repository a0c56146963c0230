"""How much noise there is at each moment of training: the noise fraction gamma falls from 1 to 0.

With progress u in [0, 1] and gamma = gamma(u), mollified data are ``alpha * x + sigma * eps``, where
``alpha = sqrt(1 - gamma)``, ``sigma = sqrt(gamma)`` and eps is standard normal: standardised data keep variance 1.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from bvar._describe import Described
from bvar._validation import as_numbers, check_choice, check_integer, check_real

__all__ = [
    "CosineSchedule",
    "LinearSchedule",
    "Schedule",
    "SigmoidSchedule",
    "as_schedule",
    "progress",
]

_FLOOR = 1e-9  # least noise fraction: log-SNR stays finite, and sigma = 3e-5 is nothing on standardised data


def progress(step: int, n_steps: int) -> float:
    """Say how far a phase of `n_steps` steps has gone before step number `step`.

    Steps may be minibatches or epochs; the first is number 0, so it has all the noise.

    Parameters
    ----------
    step : int
        Number of steps done, at least 0.
    n_steps : int
        Length of the phase, at least 1.

    Returns
    -------
    float
        The progress u: ``step / n_steps``, and 1 after the phase.

    Examples
    --------
    >>> [progress(step, 4) for step in range(6)]
    [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]
    """
    return min(1.0, check_integer(step, "step", low=0) / check_integer(n_steps, "n_steps", low=1))


class Schedule(Described, ABC):
    """A noise fraction as a function of progress; subclasses say which.

    A schedule of your own is a subclass with a method ``_fraction(u)``, which gets an array of float64 in [0, 1]
    and returns one of the same shape. Values are clipped to [1e-9, 1].

    See Also
    --------
    SigmoidSchedule : Falls fast, then has a long tail of little noise.
    CosineSchedule : Slow at both ends.
    LinearSchedule : Falls evenly.
    """

    @abstractmethod
    def _fraction(self, u: np.ndarray) -> np.ndarray:
        """Return the noise fraction before it is clipped."""

    def gamma(self, u: ArrayLike) -> Any:
        """Give the noise fraction.

        Parameters
        ----------
        u : float or array-like of float
            Progress in [0, 1], of any shape.

        Returns
        -------
        float64 or ndarray of float64, of the shape of `u`
            The noise fraction in [1e-9, 1], where 1e-9 stands for none.

        Raises
        ------
        TypeError, ValueError
            If a value of `u` is not real or not in [0, 1].
        """
        return np.clip(self._fraction(_checked(u)), _FLOOR, 1.0)[()]

    def alpha(self, u: ArrayLike) -> Any:
        """Give the weight of the data, ``sqrt(1 - gamma)``.

        Parameters
        ----------
        u : float or array-like of float
            Progress in [0, 1], of any shape.

        Returns
        -------
        float64 or ndarray of float64, of the shape of `u`
            The weight in [0, 1].
        """
        return np.sqrt(1.0 - self.gamma(u))

    def sigma(self, u: ArrayLike) -> Any:
        """Give the weight of the noise, ``sqrt(gamma)``.

        Parameters
        ----------
        u : float or array-like of float
            Progress in [0, 1], of any shape.

        Returns
        -------
        float64 or ndarray of float64, of the shape of `u`
            The weight in [0, 1].
        """
        return np.sqrt(self.gamma(u))

    def log_snr(self, u: ArrayLike) -> Any:
        """Give the logarithm of the ratio of signal to noise, ``log(1 - gamma) - log(gamma)``.

        Parameters
        ----------
        u : float or array-like of float
            Progress in [0, 1], of any shape.

        Returns
        -------
        float64 or ndarray of float64, of the shape of `u`
            From -inf, where all is noise, to 20.7, where next to none is.
        """
        gamma = self.gamma(u)
        with np.errstate(divide="ignore"):  # all noise, no signal: minus infinity is the answer
            return np.log1p(-gamma) - np.log(gamma)

    def ends_clean(self) -> bool:
        """Say whether the noise is gone at the end.

        Returns
        -------
        bool
            Whether gamma(1) is 1e-9, the least there is.
        """
        return bool(self.gamma(1.0) <= _FLOOR)


@dataclass(frozen=True)
class SigmoidSchedule(Schedule):
    """Let the noise fraction fall along a piece of a logistic curve.

    With S the logistic function and ``v(u) = S((start + u (end - start)) / tau)``,
    ``gamma(u) = (v(1) - v(u)) / (v(1) - v(0))``. The default begins at the steepest point of the curve: most of
    the noise goes early, and a long tail of little noise follows. It is the default of Tran et al., "One-line data
    mollification", NeurIPS 2023 (form and values read in the authors' code).

    Parameters
    ----------
    start, end : float, default=0.0, 3.0
        The piece of the curve, ``start < end``.
    tau : float, default=0.7
        Temperature, positive: the smaller, the steeper.

    Raises
    ------
    TypeError, ValueError
        If a number is out of range, or the curve is flat for such a `tau`.

    Examples
    --------
    >>> SigmoidSchedule().gamma([0, 0.1, 0.5, 0.9]).round(4).tolist()
    [1.0, 0.783, 0.188, 0.0146]
    """

    start: float = 0.0
    end: float = 3.0
    tau: float = 0.7

    def __post_init__(self) -> None:
        _check_piece(self, low=-np.inf)
        if not expit(self.start / self.tau) < expit(self.end / self.tau):
            raise ValueError(f"tau is too small: the curve is flat from start to end, got {self!r}")

    def _fraction(self, u: np.ndarray) -> np.ndarray:
        first, here, last = (expit(z / self.tau) for z in _along(self, u))
        return (last - here) / (last - first)


@dataclass(frozen=True)
class CosineSchedule(Schedule):
    """Let the noise fraction fall along a piece of a power of a cosine.

    With ``o(z) = cos(pi z / 2) ** (2 tau)`` and ``z(u) = start + u (end - start)``,
    ``gamma(u) = (o(end) - o(z(u))) / (o(end) - o(start))``; by default ``cos(pi u / 2) ** 2``.

    Parameters
    ----------
    start, end : float, default=0.0, 1.0
        The piece of the curve, ``0 <= start < end <= 1``.
    tau : float, default=1.0
        Half of the power, positive.

    Raises
    ------
    TypeError, ValueError
        If a number is out of range, or the curve is flat for such a `tau`.

    See Also
    --------
    noise_at_time : The same curve run backwards, for classifiers.

    Examples
    --------
    >>> CosineSchedule().gamma([0, 0.5, 1]).round(4).tolist()
    [1.0, 0.5, 0.0]
    """

    start: float = 0.0
    end: float = 1.0
    tau: float = 1.0

    def __post_init__(self) -> None:
        _check_piece(self, low=0.0)
        if self.end > 1:
            raise ValueError(f"end must be at most 1, got {self.end!r}")
        if not self._curve(self.start) > self._curve(self.end):
            raise ValueError(f"tau is too small or too large: the curve is flat from start to end, got {self!r}")

    def _curve(self, z: float | np.ndarray) -> np.ndarray:
        # the cosine of pi/2 is 6e-17 and that of a little more is negative: no root of it
        return np.maximum(np.cos(np.pi / 2 * z), 0.0) ** (2 * self.tau)

    def _fraction(self, u: np.ndarray) -> np.ndarray:
        first, here, last = (self._curve(z) for z in _along(self, u))
        return (last - here) / (last - first)


@dataclass(frozen=True)
class LinearSchedule(Schedule):
    """Let the noise fraction fall evenly, ``gamma(u) = 1 - u``.

    Examples
    --------
    >>> LinearSchedule().gamma([0, 0.25, 1]).round(4).tolist()
    [1.0, 0.75, 0.0]
    """

    def _fraction(self, u: np.ndarray) -> np.ndarray:
        return 1.0 - u


_BY_NAME: dict[str, type[Schedule]] = {
    "sigmoid": SigmoidSchedule,
    "cosine": CosineSchedule,
    "linear": LinearSchedule,
}


def as_schedule(mollify: Any) -> Schedule | None:
    """Return the schedule that an argument `mollify` of a density estimator means.

    Parameters
    ----------
    mollify : None, 'sigmoid', 'cosine', 'linear' or Schedule
        A schedule, or the name of one with its default values; None means no noise.

    Returns
    -------
    Schedule or None
        The schedule.

    Raises
    ------
    ValueError
        If the name is unknown, or if noise is left at the end: a density would be that of noisy data.
    TypeError
        If it is something else.

    Examples
    --------
    >>> as_schedule("sigmoid")
    SigmoidSchedule(start=0.0, end=3.0, tau=0.7)
    """
    if mollify is None:
        return None
    if isinstance(mollify, str):
        return _BY_NAME[check_choice(mollify, "mollify", tuple(_BY_NAME))]()
    if not isinstance(mollify, Schedule):
        raise TypeError(f"mollify must be None, a name or a Schedule, got {mollify!r}")
    if not mollify.ends_clean():
        raise ValueError(
            f"mollify must be a schedule that ends at gamma(1) = 0, or the density is that of noisy data; "
            f"{mollify!r} ends at {mollify.gamma(1.0):g}"
        )
    return mollify


def _checked(u: Any) -> np.ndarray:
    array = as_numbers(u, "u")
    if not ((array >= 0) & (array <= 1)).all():
        raise ValueError(f"u must be in [0, 1], got {u!r}")
    return array


def _check_piece(schedule: SigmoidSchedule | CosineSchedule, *, low: float) -> None:
    start = check_real(schedule.start, "start", low=low)
    check_real(schedule.tau, "tau", low=0, strict=True)
    if check_real(schedule.end, "end", low=low) <= start:
        raise ValueError(f"end must be greater than start, got start={start!r} and end={schedule.end!r}")


def _along(schedule: SigmoidSchedule | CosineSchedule, u: np.ndarray) -> tuple[float, np.ndarray, float]:
    # (1 - u) start + u end is exactly `end` at u = 1, which start + u (end - start) need not be
    return schedule.start, (1 - u) * schedule.start + u * schedule.end, schedule.end
