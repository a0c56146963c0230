r"""Adam, which trains real parameters beside Boolean ones (``docs/explanation/real-ends.md``).

.. math:: m \leftarrow \beta_1 m + (1 - \beta_1) g, \qquad v \leftarrow \beta_2 v + (1 - \beta_2) g^2, \qquad
          p \leftarrow p - \rho \, \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + 10^{-8}}

with 0.9 and 0.999 for the two betas.  Float: reproducible by seed on one backend, outside the promise of equal
bits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bvar._describe import Described
from bvar._fixed_point import half_cosine
from bvar._validation import check_integer, check_real
from bvar.real.blocks import blocks

__all__ = ["Adam"]

_MEAN, _SQUARE, _EPSILON = 0.1, 0.001, 1e-8  # shares of a new gradient in the means, 1 - beta


class Adam(Described):
    """Step along gradients over the root of their mean square.

    Parameters
    ----------
    rate : float, default=0.001
        Learning rate: about the size of a step.
    n_steps : int, optional
        Length of training in steps: the rate falls to 0 over it, along half a cosine wave. Default: it stays.

    Attributes
    ----------
    step_count : int
        Steps taken in this schedule.
    age : int
        Steps taken since the means began.
    mean, square : list of ndarray of float
        Running means of gradients and of their squares, one for each parameter; empty before the first step.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or is out of range.

    See Also
    --------
    bvar.networks.BooleanOptimizer : What trains the bits.

    References
    ----------
    D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.real import Adam
    >>> p = np.array([1.0, -1.0])
    >>> Adam(0.1).step([p], [np.array([3.0, -0.001])])  # at first a step has the size of the rate
    >>> p.round(3)
    array([ 0.9, -0.9])
    """

    def __init__(self, rate: float = 1e-3, *, n_steps: int | None = None) -> None:
        self.start_schedule(rate, n_steps)
        self.age = 0
        self.mean: list[np.ndarray] = []
        self.square: list[np.ndarray] = []

    def start_schedule(self, rate: float, n_steps: int | None) -> None:
        """Begin a schedule; the means stay.

        Parameters
        ----------
        rate : float
            Learning rate to start from, at least 0.
        n_steps : int or None
            Length of the schedule in steps; None keeps the rate as it is.
        """
        rate = check_real(rate, "rate", low=0)
        self.n_steps = None if n_steps is None else check_integer(n_steps, "n_steps", low=1)
        self.rate, self.step_count = rate, 0

    def current_rate(self) -> float:
        """Return the learning rate at this point of the schedule.

        Returns
        -------
        float
            ``rate * (1 + cos(pi * t / n_steps)) / 2`` at step t, 0 after the last.
        """
        return self.rate * half_cosine(self.step_count, self.n_steps)

    def step(self, parameters: Sequence[np.ndarray], gradients: Sequence[np.ndarray]) -> None:
        """Take one step.

        Parameters
        ----------
        parameters : sequence of ndarray of float
            What to train, changed in place; always the same in the same order.
        gradients : sequence of ndarray of float
            One array for each parameter, of its shape.

        Raises
        ------
        TypeError, ValueError
            If something is no array of floats, a parameter cannot be written to, or shapes disagree; nothing is
            changed then.
        """
        self._check(parameters, gradients)
        if not self.mean:
            self.mean = [np.zeros_like(p) for p in parameters]
            self.square = [np.zeros_like(p) for p in parameters]
        rate = self.current_rate()
        self.step_count += 1
        self.age += 1
        # both means start from 0; dividing by 1 - beta ** age makes up for it
        rate /= 1 - (1 - _MEAN) ** self.age
        correction = 1 / (1 - (1 - _SQUARE) ** self.age)
        for p, g, m, v in zip(parameters, gradients, self.mean, self.square, strict=True):
            for rows in blocks(p):
                _move(p[rows], g[rows], m[rows], v[rows], rate, correction)

    def _check(self, parameters: Sequence[np.ndarray], gradients: Sequence[np.ndarray]) -> None:
        for name, arrays in (("parameters", parameters), ("gradients", gradients)):
            for a in arrays:
                if not isinstance(a, np.ndarray) or a.dtype.kind != "f" or not a.ndim:
                    raise TypeError(f"{name} must be arrays of floats of at least one dimension, got {a!r}")
        if not all(p.flags.writeable for p in parameters):
            raise ValueError("parameters must be arrays that can be written to, got one that is read-only")
        shapes = [p.shape for p in parameters]
        if [g.shape for g in gradients] != shapes:
            raise ValueError(f"gradients must have the shapes {shapes}, got {[g.shape for g in gradients]}")
        if self.mean and [m.shape for m in self.mean] != shapes:
            raise ValueError("parameters must be those of the first step: the means have other shapes")


def _move(p: np.ndarray, g: np.ndarray, m: np.ndarray, v: np.ndarray, rate: float, correction: float) -> None:
    m += _MEAN * (g - m)
    v += _SQUARE * (g * g - v)
    p -= rate * m / (np.sqrt(correction * v) + _EPSILON)
