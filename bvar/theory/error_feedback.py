r"""The rule of the optimizer in the form of its proof of convergence: send what is large, remember the rest.

.. math:: m_t = \beta e_t + \eta g_t, \qquad \Delta_t = Q_1(m_t, w_t), \qquad w_{t+1} = Q_0(w_t - \Delta_t), \qquad
          e_{t+1} = m_t - \Delta_t

with weights of +1 and -1.  With rounding to the nearest sign it is the rule of ``bvar.networks.BooleanOptimizer``,
weight for weight; with random rounding it is what the theorem speaks of (``docs/explanation/convergence.md``).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from bvar._describe import Described
from bvar._validation import check_finite, check_real

__all__ = ["ErrorFeedback", "Sent", "check_gradient", "sent"]


class Sent(NamedTuple):
    """What one step did.

    Parameters
    ----------
    flipped : ndarray of bool
        Weights that are another sign now.
    rounding : ndarray of float
        What rounding to signs added to each weight.
    memory : ndarray of float
        What had been remembered before the step.
    """

    flipped: np.ndarray
    rounding: np.ndarray
    memory: np.ndarray


def sent(m: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Say what is sent: all that has been accumulated against a weight, once it reaches the bar.

    Parameters
    ----------
    m : ndarray of float
        Accumulated evidence.
    w : ndarray of float
        Weights, +1 and -1.

    Returns
    -------
    ndarray of float
        All of m where ``m * w >= 1``, 0 elsewhere. At the bar itself the quantiser of the paper sends half a
        weight, and its Algorithm 8 flips; so does this.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.theory import sent
    >>> sent(np.array([0.4, 1.7, -1.7, 1.0]), np.array([1.0, 1.0, 1.0, 1.0]))
    array([0. , 1.7, 0. , 1. ])
    """
    return np.where(m * w >= 1, m, 0.0)


class ErrorFeedback(Described):
    """Weights of +1 and -1 that learn from gradients by error feedback.

    Parameters
    ----------
    w : array-like of float
        Initial weights, +1 and -1.
    eta : float
        Step size, more than 0.
    random : RandomState, optional
        Where rounding gets its coins from: a number in [-1, 1] becomes +1 or -1 so that its mean stays. Default:
        no coins, the sign.
    adapts : bool, default=False
        Whether what is remembered is multiplied by the share of weights that stayed in the last step, as the
        optimizer does; the theorem has none of that.

    Attributes
    ----------
    w : ndarray of float
        The weights.
    e : ndarray of float
        What is remembered.
    beta : float
        Share of it that is kept.

    Raises
    ------
    TypeError, ValueError
        If weights are not +1 and -1 or eta is not positive.

    Examples
    --------
    The example of the page on the optimizer:

    >>> from bvar.theory import ErrorFeedback
    >>> rule = ErrorFeedback([1, -1, 1, -1], eta=0.5, adapts=True)
    >>> rule.step([1, 1, -1, -3]).flipped
    array([False, False, False,  True])
    >>> rule.step([2, -2, 1, 1]).flipped
    array([ True, False, False, False])
    >>> rule.e
    array([ 0.   , -0.625,  0.125,  0.5  ])
    """

    def __init__(
        self,
        w: np.ndarray,
        eta: float,
        *,
        random: np.random.RandomState | None = None,
        adapts: bool = False,
    ) -> None:
        self.w = check_finite(w, "w")
        if not self.w.size or not (np.abs(self.w) == 1).all():
            raise ValueError("w must hold +1 and -1 only, at least one of them")
        self.eta = check_real(eta, "eta", low=0, strict=True)
        self.random = random
        self.adapts = adapts
        self.e = np.zeros_like(self.w)
        self.beta = 1.0

    def step(self, gradient: np.ndarray) -> Sent:
        """Take a step.

        Parameters
        ----------
        gradient : array-like of float
            Of the loss in the weights, or what stands for it, such as votes.

        Returns
        -------
        Sent
            What it did.

        Raises
        ------
        TypeError, ValueError
            If the gradient is not real and finite, or of another shape than `w`; nothing has changed then.
        """
        memory = self.e
        m = self.beta * self.e + self.eta * check_gradient(gradient, "gradient", self.w)
        delta = sent(m, self.w)
        target = self.w - delta
        rounded = self._rounded(target)
        flipped = rounded != self.w
        self.w, self.e = rounded, m - delta
        if self.adapts:
            self.beta = (flipped.size - int(np.count_nonzero(flipped))) / flipped.size
        return Sent(flipped, rounded - target, memory)

    def _rounded(self, target: np.ndarray) -> np.ndarray:
        """Round to signs; at 0 a weight has just reached the bar, and flips."""
        if self.random is None:
            return np.where(target == 0, -self.w, np.where(target > 0, 1.0, -1.0))
        return np.where(self.random.random_sample(target.shape) < (1 + target) / 2, 1.0, -1.0)


def check_gradient(gradient: Any, name: str, w: np.ndarray) -> np.ndarray:
    """Return a gradient as float64 after checking that it has one finite number for each weight.

    Parameters
    ----------
    gradient : array-like of float
        The gradient.
    name : str
        What it is called in an error.
    w : ndarray of float
        The weights.

    Returns
    -------
    ndarray of float64, of the shape of `w`
        The gradient.

    Raises
    ------
    TypeError, ValueError
        If it is something else.
    """
    array = check_finite(gradient, name)
    if array.shape != w.shape:
        raise ValueError(f"{name} must have the shape {w.shape} of w, got shape {array.shape}")
    return array
