r"""Sampling by stochastic-gradient Hamiltonian dynamics, scaled to each coordinate.

.. math:: v \leftarrow (1 - \alpha) v - \epsilon^2 M g + \xi, \qquad \mathrm{Var}\, \xi = 2 \epsilon^2 \alpha M T,
          \qquad w \leftarrow w + v

with g a gradient of U, minus the log density, with friction :math:`\alpha`, and with :math:`M = 1 / \sqrt V`, V
the running mean square of gradients, which is frozen when the burn-in ends.  What it samples exactly, step size
and all, is derived in ``docs/explanation/functional-priors.md``.
Source: J. T. Springenberg et al., "Bayesian Optimization with Robust Bayesian Neural Networks", NIPS 2016 (the
scaling; recalled), with constants as in the code of "All You Need is a Good Functional Prior", JMLR 2022.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bvar._describe import Described
from bvar._validation import check_integer, check_real

__all__ = ["SGHMC"]

_EPSILON = 1e-16  # added to roots of V, and the least variance of noise that is injected


class SGHMC(Described):
    r"""A sampler of several chains at once, each a row.

    Parameters
    ----------
    step_size : float, default=0.01
        The step size :math:`\epsilon`, positive.
    friction : float, default=0.05
        The share :math:`\alpha` of the velocity lost in a step, in (0, 1].
    adaptive : bool, default=True
        Whether steps are scaled by gradients; else M is 1.
    noise_correction : bool, default=False
        Whether :math:`\epsilon^4` is subtracted from the variance of the noise, as the published code does: right
        if the noise of minibatches is all there is to gradients. With gradients of all samples it makes the
        spread too small, and where it would leave nothing the sampler becomes an optimizer.
    temperature : float, default=1.0
        T, at least 0: samples of :math:`e^{-U / T}`.

    Attributes
    ----------
    scale : ndarray of float64, shape (n_chains, n)
        The roots of V; ones unless `adaptive`.
    clamped : float
        Share of coordinates at the last step whose noise the correction would have made negative.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    See Also
    --------
    stationary_variance : What it samples on a parabola.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import SGHMC
    >>> sampler = SGHMC(0.1, 0.1, adaptive=False)
    >>> random = np.random.default_rng(0)
    >>> start = np.zeros((1000, 1))
    >>> draws = sampler.sample(start, lambda w: 4 * w, random, n_burn_in=200, n_draws=10, keep_every=20)
    >>> draws.shape, bool(abs(4 * draws.var() - 1) < 0.1)  # a normal law of variance 1/4
    ((10, 1000, 1), True)
    """

    def __init__(
        self,
        step_size: float = 0.01,
        friction: float = 0.05,
        *,
        adaptive: bool = True,
        noise_correction: bool = False,
        temperature: float = 1.0,
    ) -> None:
        self.step_size = check_real(step_size, "step_size", low=0, strict=True)
        self.friction = check_real(friction, "friction", low=0, high=1, strict=True)
        self.adaptive = bool(adaptive)
        self.noise_correction = bool(noise_correction)
        self.temperature = check_real(temperature, "temperature", low=0)

    def start(self, state: np.ndarray) -> None:
        """Forget what has been learnt, and begin with velocity 0.

        Parameters
        ----------
        state : ndarray of float64, shape (n_chains, n)
            What will be moved.
        """
        self.velocity = np.zeros_like(state)
        self._tau, self._mean, self._square = (np.ones_like(state) for _ in range(3))
        self._set_scale(np.ones_like(state))

    def step(self, state: np.ndarray, gradient: np.ndarray, random: np.random.Generator, *, adapt: bool) -> None:
        """Move states in place.

        Parameters
        ----------
        state, gradient : ndarray of float64, shape (n_chains, n)
            States, and the gradient of U there.
        random : numpy.random.Generator
            Source of the noise.
        adapt : bool
            Whether the scale learns from the gradient: during the burn-in.
        """
        if adapt and self.adaptive:
            self._adapt(gradient)
        self.velocity *= 1 - self.friction
        self.velocity -= self._gain * gradient
        self.velocity += self._noise * random.standard_normal(state.shape)
        state += self.velocity

    def sample(
        self,
        state: np.ndarray,
        gradient: Callable[[np.ndarray], np.ndarray],
        random: np.random.Generator,
        *,
        n_burn_in: int,
        n_draws: int,
        keep_every: int,
        refresh: Callable[[np.ndarray], None] | None = None,
        refresh_every: int = 20,
        on_draw: Callable[[int], None] | None = None,
    ) -> np.ndarray:
        """Run the chains: a burn-in, then draws.

        Parameters
        ----------
        state : ndarray of float64, shape (n_chains, n)
            Where the chains begin; changed in place to where they end.
        gradient : callable
            Takes states and returns the gradient of U there, of the same shape.
        random : numpy.random.Generator
            Source of the noise.
        n_burn_in : int
            Steps in which the scale is learnt and nothing is kept.
        n_draws : int
            States to be kept of each chain.
        keep_every : int
            Steps from one to the next.
        refresh : callable, optional
            A move in place of the states that leaves their law as it is, such as :meth:`Prior.refresh`.
        refresh_every : int, default=20
            Steps from one such move to the next.
        on_draw : callable, optional
            Is told the number of draws kept so far, 0 at the end of the burn-in.

        Returns
        -------
        ndarray of float64, shape (n_draws, n_chains, n)
            States.

        Raises
        ------
        FloatingPointError
            If a state becomes infinite or NaN: the step size is too large.
        """
        counts = {
            "n_burn_in": n_burn_in,
            "n_draws": n_draws,
            "keep_every": keep_every,
            "refresh_every": refresh_every,
        }
        for name, count in counts.items():
            check_integer(count, name, low=0 if name == "n_burn_in" else 1)
        self.start(state)
        draws = np.empty((n_draws, *state.shape))
        for t in range(1, n_burn_in + n_draws * keep_every + 1):
            self.step(state, gradient(state), random, adapt=t <= n_burn_in)
            if refresh is not None and t % refresh_every == 0:
                refresh(state)
            kept, rest = divmod(t - n_burn_in, keep_every)
            if kept >= 0 and rest == 0:
                self._check(state)
                if kept:
                    draws[kept - 1] = state
                if on_draw is not None:
                    on_draw(kept)
        return draws

    def _adapt(self, gradient: np.ndarray) -> None:
        """Move the running means, whose memory is the longer, the noisier gradients are."""
        share = 1 / (self._tau + 1)
        self._tau += 1 - self._tau * self._mean**2 / (self._square + _EPSILON)
        self._mean += share * (gradient - self._mean)
        self._square += share * (gradient**2 - self._square)
        self._set_scale(np.sqrt(self._square))

    def _set_scale(self, scale: np.ndarray) -> None:
        self.scale = scale
        self._gain = self.step_size**2 / (scale + _EPSILON)
        variance = 2 * self.friction * self.temperature * self._gain
        if self.noise_correction:
            variance -= self.step_size**4
        self.clamped = float((variance < _EPSILON).mean()) if self.noise_correction else 0.0
        self._noise = np.sqrt(np.maximum(variance, 0.0 if not self.noise_correction else _EPSILON))

    def _check(self, state: np.ndarray) -> None:
        if not np.isfinite(state).all():
            raise FloatingPointError(f"a chain left the numbers: step_size must be less than {self.step_size!r}")
