r"""The bound on convergence, evaluated along a training: what the theorem allows beside what happened.

.. math:: \frac1T \sum_{t<T} \lVert \nabla f(w_t) \rVert^2 \;\lesssim\; \frac{2 (f(w_0) - f_*)}{T \eta}
          + c L \sigma^2 \eta + L^2 \overline{\lVert e \rVert^2} + c L \overline{\lVert h \rVert^2} / \eta

in expectation, with c = 1 where rounding is unbiased and independent, and c = 2 from the lemmas of the paper
alone; the printed theorem has half of the last term at c = 1.  ``docs/explanation/convergence.md`` proves it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bvar._validation import check_integer
from bvar.theory.error_feedback import ErrorFeedback, check_gradient
from bvar.theory.problems import Problem

__all__ = ["Bound", "Trace", "follow", "watch"]


class Bound(NamedTuple):
    """The four terms of the bound.

    Parameters
    ----------
    start, noise, memory, rounding : float or ndarray
        Of where training began, of the size of gradients, of what is remembered, of rounding to signs.
    """

    start: np.ndarray
    noise: np.ndarray
    memory: np.ndarray
    rounding: np.ndarray

    @property
    def total(self) -> np.ndarray:
        """Their sum."""
        return self.start + self.noise + self.memory + self.rounding


@dataclass(frozen=True)
class Trace:
    """What was measured along a training, step by step.

    Parameters
    ----------
    problem : Problem
        The loss.
    eta : float
        Step size.
    first_value : float
        Loss of the initial weights.
    gradient, estimate, memory, lag, rounding : ndarray of float, shape (n_steps,)
        Squared norms: of the true gradient, of what the rule was given, of what it remembered before the step, of
        how much the gradient would differ had all of that been sent, of what rounding added.
    flips : ndarray of int, shape (n_steps,)
        Weights that flipped.
    kept : ndarray of float, shape (n_steps,)
        Share of the squared norm of the accumulators that was not sent: the gamma of assumption A4 must exceed it.
    """

    problem: Problem
    eta: float
    first_value: float
    gradient: np.ndarray
    estimate: np.ndarray
    memory: np.ndarray
    lag: np.ndarray
    rounding: np.ndarray
    flips: np.ndarray
    kept: np.ndarray

    @property
    def left(self) -> np.ndarray:
        """Mean squared gradient up to each step: what the theorem bounds."""
        return _means(self.gradient)

    def bound(self, constant: float = 1.0, *, sharp: bool = False) -> Bound:
        """Evaluate the bound after each step, from means of what was measured.

        Parameters
        ----------
        constant : float, default=1.0
            The c of the terms of noise and rounding: 1 where rounding is unbiased and independent of the gradient,
            2 without that.
        sharp : bool, default=False
            Whether the term of memory is the measured lag of the gradient, where the theorem has the Lipschitz
            constant times what is remembered.

        Returns
        -------
        Bound
            Four terms, each of shape (n_steps,).
        """
        steps, lipschitz = np.arange(1, len(self.gradient) + 1), self.problem.lipschitz
        return Bound(
            2 * (self.first_value - self.problem.least) / (steps * self.eta),
            constant * lipschitz * self.eta * _means(self.estimate),
            _means(self.lag) if sharp else lipschitz**2 * _means(self.memory),
            constant * lipschitz * _means(self.rounding) / self.eta,
        )

    def printed_floor(self) -> np.ndarray:
        """Evaluate the last term as the printed theorem has it: half of that of :meth:`bound`.

        Returns
        -------
        ndarray of float, shape (n_steps,)
            The term after each step.
        """
        return self.bound().rounding / 2


def follow(
    problem: Problem,
    *,
    eta: float,
    n_steps: int,
    batch_size: int | None = None,
    rounds_at_random: bool = True,
    adapts: bool = False,
    random_state: int = 0,
) -> Trace:
    """Train weights of +1 and -1, and measure what the bound is made of.

    Parameters
    ----------
    problem : Problem
        The loss.
    eta : float
        Step size, more than 0.
    n_steps : int
        Number of steps.
    batch_size : int, optional
        Samples of each gradient, drawn with replacement. Default: all, so gradients are exact.
    rounds_at_random : bool, default=True
        Whether rounding is random and unbiased, as the theorem assumes; the optimizer rounds to the nearest sign.
    adapts : bool, default=False
        Whether beta follows the share of weights that stay, as in the optimizer; the theorem has beta = 1.
    random_state : int, default=0
        Where initial weights, samples and coins come from.

    Returns
    -------
    Trace
        What was measured.

    Raises
    ------
    TypeError, ValueError
        If a number is out of range.

    See Also
    --------
    watch : The same with another rule, or other estimates.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.theory import Quadratic, follow
    >>> trace = follow(Quadratic(np.ones(200), np.zeros((1, 200))), eta=0.01, n_steps=4000)
    >>> bool(trace.left[-1] <= trace.bound().total[-1])
    True
    """
    if batch_size is not None:
        batch_size = check_integer(batch_size, "batch_size", low=1)
    random = np.random.RandomState(random_state)
    w = np.where(random.random_sample(problem.shape) < 0.5, 1.0, -1.0)
    rule = ErrorFeedback(w, eta, random=random if rounds_at_random else None, adapts=adapts)

    def estimate(w: np.ndarray) -> np.ndarray:
        samples = None if batch_size is None else random.randint(problem.n_samples, size=batch_size)
        return problem.gradient(w, samples)

    return watch(problem, rule, estimate, n_steps)


def watch(
    problem: Problem, rule: ErrorFeedback, estimate: Callable[[np.ndarray], np.ndarray], n_steps: int
) -> Trace:
    """Let a rule learn from estimates of a gradient, and measure what the bound is made of.

    Parameters
    ----------
    problem : Problem
        The loss.
    rule : ErrorFeedback
        Changed in place.
    estimate : callable
        Takes the weights, and gives what stands for the gradient there, such as votes.
    n_steps : int
        Number of steps.

    Returns
    -------
    Trace
        What was measured.

    Raises
    ------
    TypeError, ValueError
        If `n_steps` is no positive integer, or the shapes of the weights of `problem` and `rule` or of what
        `estimate` gives differ, or an estimate is not finite.

    Examples
    --------
    >>> from bvar.theory import ErrorFeedback, Quadratic, watch
    >>> problem = Quadratic([1.0], [[0.0]])
    >>> watch(problem, ErrorFeedback([1.0], eta=0.5), problem.gradient, 4).flips.tolist()
    [0, 1, 0, 1]
    """
    n_steps = check_integer(n_steps, "n_steps", low=1)
    if rule.w.shape != problem.shape:
        raise ValueError(f"rule must have weights of the shape {problem.shape} of problem, got {rule.w.shape}")
    first_value, rows = problem.value(rule.w), []
    for _ in range(n_steps):
        w, given = rule.w, check_gradient(estimate(rule.w), "what estimate returns", rule.w)
        gradient, behind = problem.gradient(w), problem.gradient(w - rule.e)
        m = rule.beta * rule.e + rule.eta * given
        done = rule.step(given)
        kept = _square(rule.e) / _square(m) if m.any() else 0.0
        squares = map(_square, (gradient, given, done.memory, gradient - behind, done.rounding))
        rows.append((*squares, np.count_nonzero(done.flipped), kept))
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    return Trace(problem, rule.eta, first_value, *columns)


def _square(x: np.ndarray) -> float:
    return float(np.sum(x * x))


def _means(x: np.ndarray) -> np.ndarray:
    return np.cumsum(x) / np.arange(1, len(x) + 1)
