r"""The Boolean optimizer: weights that collect evidence and flip when it suffices.

The page is ``docs/explanation/optimizer.md``.  For every tensor of weights w, with votes q,

.. math:: m \leftarrow \beta m + \eta q, \qquad m \, e(w) \ge 1 \Rightarrow \text{flip } w,\ m \leftarrow 0, \qquad
          \beta \leftarrow 1 - \frac{\#\text{flipped}}{\#\text{weights}} .

This is Algorithm 8 of BOLD (NeurIPS 2024), in integers.  Votes are divided by 127 times the number of samples, so
that eta does not depend on the batch size, and 1 is the largest vote that a weight can get.

One thing is added.  The votes on the weights of one neuron often agree (a class is too high for every sample, a
pixel is always dark), so its weights reach the bar together, the sum leaps past its threshold by many times
its own spread, and no signal comes back: training collapses.  Therefore eta is lowered for a neuron with n
weights whose votes are too loud together, so that ``sum |eta q| <= clip * sqrt(n)``.  A flip uses up at least 1
of what was accumulated since the last; hence the flips of a neuron over any number of steps are at most the sum
of these bounds, and on average its sum moves by no more than ``2 * clip`` times its spread in a step.  The norm
is of the merged votes, an integer: it cannot depend on how a batch was split.

A weight of a convolution gets votes from every place of an image.  Votes of independent places grow like the
square root of their number, so eta is divided by that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf, prod

import numpy as np

from bvar import kernels
from bvar._describe import Described
from bvar._fixed_point import half_cosine
from bvar._validation import check_integer, check_real
from bvar.layers import Ballots, Trainable
from bvar.networks.losses import SIGNAL_MAX

__all__ = ["BooleanOptimizer"]


class BooleanOptimizer(Described):
    """Accumulate votes in fixed point and flip weights that reach the bar.

    Parameters
    ----------
    eta : float, default=10.0
        Accumulation factor: how much one step of unanimous, full votes adds to an accumulator.
    clip : float, default=1.0
        Bound on the accumulation of one neuron in one step, in units of the spread of its sum. ``inf`` is the
        rule of the paper.
    n_steps : int, optional
        Length of training in steps: eta falls to 0 over it, along half a cosine wave. Default: eta stays.

    Attributes
    ----------
    step_count : int
        Steps taken in this schedule.
    age : int
        Steps taken in all schedules: accumulators are rounded another way in each.
    m : list of ndarray of int
        Accumulators of each parameter, of weights int16 in units of 2**-12 of the bar, see
        :class:`bvar.layers.Trainable`; empty before the first step.
    beta : list of float
        One plasticity for each parameter: the share of its weights that did not flip in the last step, rounded to
        a multiple of 2**-15.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> from bvar.layers import Parameter
    >>> from bvar.networks import BooleanOptimizer
    >>> weight = Parameter("w", kernels.pack(np.array([[True, False, True, False]])))
    >>> optimizer = BooleanOptimizer(eta=0.5 * 127, clip=float("inf"))
    >>> optimizer.step([weight], [np.array([[1, 1, -1, -3]], dtype=np.int32)], n_samples=1)
    [1]
    >>> optimizer.beta
    [0.75]
    """

    def __init__(
        self,
        eta: float = 10.0,
        *,
        clip: float = 1.0,
        n_steps: int | None = None,
    ) -> None:
        self.clip = clip if clip == inf else check_real(clip, "clip", low=0, strict=True)
        self.start_schedule(eta, n_steps)
        self.age = 0
        self.m: list[np.ndarray] = []
        self.beta: list[float] = []

    def start_schedule(self, eta: float, n_steps: int | None) -> None:
        """Begin a schedule; accumulators stay.

        Parameters
        ----------
        eta : float
            Accumulation factor to start from, at least 0.
        n_steps : int or None
            Length of the schedule in steps; None keeps eta as it is.
        """
        eta = check_real(eta, "eta", low=0)
        self.n_steps = None if n_steps is None else check_integer(n_steps, "n_steps", low=1)
        self.eta, self.step_count = eta, 0

    def current_eta(self) -> float:
        """Return eta at this point of the schedule.

        Returns
        -------
        float
            ``eta * (1 + cos(pi * t / n_steps)) / 2`` at step t, 0 after the last.
        """
        return self.eta * half_cosine(self.step_count, self.n_steps)

    def step(self, parameters: Sequence[Trainable], votes: Sequence[np.ndarray], n_samples: float) -> list[int]:
        """Take one step.

        Parameters
        ----------
        parameters : sequence of Trainable
            The tensors to train, always the same in the same order.
        votes : sequence of ndarray of int32
            One array for each parameter, of its shape.
        n_samples : float
            Number of samples that voted, each counted with its weight; if it is 0, nothing moves.

        Returns
        -------
        list of int
            Number of elements of each parameter that moved.

        Raises
        ------
        ValueError
            If the votes do not match the parameters; nothing is changed then.
        """
        self.check(parameters, votes)
        blocks = ((number, slice(0, len(q)), q) for number, q in enumerate(votes))
        return self.step_in_blocks(parameters, blocks, n_samples)

    def check(self, parameters: Sequence[Trainable], votes: Sequence[np.ndarray | Ballots]) -> None:
        """Refuse votes that a step could not be taken on.

        Parameters
        ----------
        parameters : sequence of Trainable
            The tensors to train.
        votes : sequence of ndarray of int32, or Ballots
            One for each.

        Raises
        ------
        TypeError, ValueError
            If the votes do not match the parameters, or these are not those of the first step.
        """
        _check_votes(parameters, votes)
        if self.m and [m.shape for m in self.m] != [p.shape for p in parameters]:
            raise ValueError("parameters must be those of the first step: the accumulators have other shapes")

    def step_in_blocks(
        self,
        parameters: Sequence[Trainable],
        blocks: Iterable[tuple[int, slice, np.ndarray | Ballots]],
        n_samples: float,
    ) -> list[int]:
        """Take one step on votes that arrive in pieces; the same bits as :meth:`step`.

        Parameters
        ----------
        parameters : sequence of Trainable
            The tensors to train, always the same in the same order.
        blocks : iterable of (int, slice, ndarray of int32 or Ballots)
            Number of a parameter, rows of it, and the votes on these rows, or what they will be counted from;
            every row exactly once.
        n_samples : float
            Number of samples that voted, each counted with its weight; if it is 0, nothing moves.

        Returns
        -------
        list of int
            Number of elements of each parameter that moved.
        """
        n_samples = check_real(n_samples, "n_samples", low=0)
        if n_samples == 0:
            return [0] * len(parameters)
        if not self.m:
            self.m = [np.zeros(p.shape, p.m_dtype) for p in parameters]
            self.beta = [1.0] * len(parameters)
        eta = self.current_eta() / (SIGNAL_MAX * n_samples)
        flips = [0] * len(parameters)
        for number, rows, q in blocks:
            m, beta = self.m[number], self.beta[number]
            rest = kernels.dither(self.age, rows.start * prod(m.shape[1:]))
            flips[number] += parameters[number].move(
                m[rows], q, beta=beta, eta=eta, clip=self.clip, dither=rest, rows=rows
            )
        self._agree(flips)
        self.step_count += 1
        self.age += 1
        return flips

    def agree(self, flips: Sequence[int]) -> None:
        """End a step: plasticity is a matter of all that moved, wherever it did.

        Parameters
        ----------
        flips : sequence of int
            Number of elements of each parameter that moved.

        Raises
        ------
        ValueError
            If there is not one for each parameter, or one is out of range; nothing is changed then.
        """
        if not self.m:  # the step had no weight
            return
        sizes = [m.size for m in self.m]
        if len(flips) != len(sizes) or not all(0 <= n <= size for n, size in zip(flips, sizes, strict=True)):
            raise ValueError(f"flips must be a number for each parameter, of at most {sizes}, got {list(flips)}")
        self._agree(flips)

    def _agree(self, flips: Sequence[int]) -> None:
        """Set plasticities by how much moved."""
        counts = ((m.size, m.size - n) for m, n in zip(self.m, flips, strict=True))
        self.beta = [((kept << 15) + size // 2) // size / 2**15 for size, kept in counts]


def _check_votes(parameters: Sequence[Trainable], votes: Sequence[np.ndarray | Ballots]) -> None:
    if len(votes) != len(parameters):
        raise ValueError(f"votes must have one array per parameter ({len(parameters)}), got {len(votes)}")
    for parameter, q in zip(parameters, votes, strict=True):
        if q.shape != parameter.shape:
            raise ValueError(f"votes on {parameter.name} must have shape {parameter.shape}, got {q.shape}")
        if q.dtype != np.int32:
            raise TypeError(f"votes on {parameter.name} must be int32, got {q.dtype}")
