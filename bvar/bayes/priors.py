r"""Laws of random functions, all as maps from standard normal noise (``docs/explanation/functional-priors.md``).

A prior draws a *state*, :math:`\varepsilon \sim N(0, I)`, and evaluates the function that the state and the
hyper-parameters :math:`\psi` make: :math:`f(x) = g_\psi(\varepsilon, x)`.  So whatever the family, minus the log
density of a state is :math:`|\varepsilon|^2 / 2` up to a constant, and a posterior is sampled over states.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from scipy.special import expit

from bvar._describe import Described
from bvar._validation import as_numbers, check_choice
from bvar.bayes.functional import FunctionalNetwork, Trace

__all__ = ["GaussianPrior", "Prior", "WeightPrior", "inverse_softplus", "softplus"]


_STD = float(np.log1p(np.e))  # softplus(1), where the papers start


def softplus(x: np.ndarray) -> np.ndarray:
    r"""Return :math:`\log(1 + e^x)`, which makes a positive number of any."""
    return np.logaddexp(0.0, x)


def inverse_softplus(y: np.ndarray) -> np.ndarray:
    """Return what `softplus` maps to positive numbers."""
    return y + np.log(-np.expm1(-y))


class Prior(Described, ABC):
    """A law of functions with hyper-parameters; what tuning and sampling know of it.

    Attributes
    ----------
    theta : list of ndarray of float64
        Hyper-parameters, to be changed in place.
    n_base : int
        Numbers in a state.

    See Also
    --------
    GaussianPrior, HierarchicalPrior, PlanarFlowPrior, SpatialPrior : The families.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import FunctionalNetwork, GaussianPrior
    >>> prior = GaussianPrior(FunctionalNetwork([1, 20, 1]), std=1.0)
    >>> state = prior.draw(100, np.random.default_rng(0))
    >>> F, trace = prior.evaluate(state, np.linspace(-1, 1, 5)[:, None])
    >>> F.shape, [d.shape for d in prior.pull_theta(trace, np.ones_like(F))]
    ((100, 5, 1), [(4,)])
    """

    theta: list[np.ndarray]
    n_base: int

    def draw(self, n_draws: int, random: np.random.Generator) -> np.ndarray:
        """Draw states.

        Parameters
        ----------
        n_draws : int
            How many.
        random : numpy.random.Generator
            Where they come from.

        Returns
        -------
        ndarray of float64, shape (n_draws, n_base)
            Standard normal numbers.
        """
        return random.standard_normal((n_draws, self.n_base))

    @abstractmethod
    def evaluate(self, state: np.ndarray, X: np.ndarray) -> tuple[np.ndarray, Trace]:
        """Evaluate the functions that states make.

        Parameters
        ----------
        state : ndarray of float64, shape (n_draws, n_base)
            States.
        X : ndarray of float, shape (n, n_inputs) or (n_draws, n, n_inputs)
            Inputs.

        Returns
        -------
        F : ndarray of float64, shape (n_draws, n, n_outputs)
            Values.
        trace : Trace
            For the methods that pull gradients back.
        """

    @abstractmethod
    def pull_state(self, trace: Trace, dF: np.ndarray) -> np.ndarray:
        """Pull a gradient back to the states.

        Parameters
        ----------
        trace : Trace
            What `evaluate` returned.
        dF : ndarray of float, shape (n_draws, n, n_outputs)
            Gradient with respect to the values.

        Returns
        -------
        ndarray of float64, shape (n_draws, n_base)
            Gradient with respect to the states.
        """

    @abstractmethod
    def pull_theta(self, trace: Trace, dF: np.ndarray) -> list[np.ndarray]:
        """Pull a gradient back to the hyper-parameters.

        Parameters
        ----------
        trace : Trace
            What `evaluate` returned.
        dF : ndarray of float, shape (n_draws, n, n_outputs)
            Gradient with respect to the values.

        Returns
        -------
        list of ndarray
            One array for each of `theta`, of its shape.
        """

    def refresh(self, state: np.ndarray, random: np.random.Generator) -> None:  # most have no move
        """Change states in place by a move that leaves the law of states given their function as it is.

        Parameters
        ----------
        state : ndarray of float64, shape (n_draws, n_base)
            States. The functions that they make stay, and so may all but the state in a sampler.
        random : numpy.random.Generator
            Source of the move.
        """


class WeightPrior(Prior):
    """A law of the parameters of a network: subclasses say how states become parameters.

    Parameters
    ----------
    network : FunctionalNetwork
        The network.
    """

    def __init__(self, network: FunctionalNetwork) -> None:
        self.network = network
        self.n_base = network.n_parameters

    @abstractmethod
    def parameters(self, state: np.ndarray) -> tuple[np.ndarray, Any]:
        """Return parameters.

        Parameters
        ----------
        state : ndarray of float64, shape (n_draws, n_base)
            States.

        Returns
        -------
        parameters : ndarray of float64, shape (n_draws, network.n_parameters)
            Parameters.
        memory : object
            For the two methods below.
        """

    @abstractmethod
    def state_gradient(self, memory: Any, gradient: np.ndarray) -> np.ndarray:
        """Pull a gradient back from parameters to states.

        Parameters
        ----------
        memory : object
            What `parameters` returned.
        gradient : ndarray of float64, shape (n_draws, network.n_parameters)
            Gradient with respect to the parameters.

        Returns
        -------
        ndarray of float64, shape (n_draws, n_base)
            Gradient with respect to the states.
        """

    @abstractmethod
    def theta_gradient(self, memory: Any, gradient: np.ndarray) -> list[np.ndarray]:
        """Pull a gradient back from parameters to hyper-parameters.

        Parameters
        ----------
        memory : object
            What `parameters` returned.
        gradient : ndarray of float64, shape (n_draws, network.n_parameters)
            Gradient with respect to the parameters.

        Returns
        -------
        list of ndarray
            One array for each of `theta`.
        """

    def evaluate(self, state: np.ndarray, X: np.ndarray) -> tuple[np.ndarray, Trace]:
        """Evaluate the network with the parameters that states make."""
        parameters, memory = self.parameters(state)
        F, trace = self.network.forward(parameters, X)
        return F, (memory, trace)

    def pull_state(self, trace: Trace, dF: np.ndarray) -> np.ndarray:
        """Pull through the network, then through the law."""
        return self.state_gradient(trace[0], self.network.vjp(trace[1], dF))

    def pull_theta(self, trace: Trace, dF: np.ndarray) -> list[np.ndarray]:
        """Pull through the network, then through the law."""
        return self.theta_gradient(trace[0], self.network.vjp(trace[1], dF))

    def pull_state_and_inputs(self, trace: Trace, dF: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pull a gradient back to the states and to the inputs, for networks that follow others.

        Parameters
        ----------
        trace : Trace
            What `evaluate` returned.
        dF : ndarray of float, shape (n_draws, n, n_outputs)
            Gradient with respect to the values.

        Returns
        -------
        states : ndarray of float64, shape (n_draws, n_base)
            Gradient with respect to the states.
        inputs : ndarray of float64, shape (n_draws, n, n_inputs)
            Gradient with respect to the inputs.
        """
        gradient, dX = self.network.vjp_with_inputs(trace[1], dF)
        return self.state_gradient(trace[0], gradient), dX

    def pull_theta_and_inputs(self, trace: Trace, dF: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        """Pull a gradient back to the hyper-parameters and to the inputs.

        Parameters
        ----------
        trace : Trace
            What `evaluate` returned.
        dF : ndarray of float, shape (n_draws, n, n_outputs)
            Gradient with respect to the values.

        Returns
        -------
        theta : list of ndarray
            One array for each of `theta`.
        inputs : ndarray of float64, shape (n_draws, n, n_inputs)
            Gradient with respect to the inputs.
        """
        gradient, dX = self.network.vjp_with_inputs(trace[1], dF)
        return self.theta_gradient(trace[0], gradient), dX


class GaussianPrior(WeightPrior):
    r"""Independent normal parameters: :math:`w = \mu + \mathrm{softplus}(\rho)\, \varepsilon`.

    Parameters
    ----------
    network : FunctionalNetwork
        The network.
    per : {'layer', 'parameter'}, default='layer'
        Whether the matrix and the biases of a layer have one mean and deviation each, or each number its own.
    mean : None, float or array-like, default=None
        Where the means start, a number or one for each; None means that they are 0 and no hyper-parameters.
    std : float or array-like, default=softplus(1)
        Where the standard deviations start, a positive number or one for each.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    See Also
    --------
    HierarchicalPrior : Random deviations.
    SpatialPrior : Deviations that vary with the input.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import FunctionalNetwork, GaussianPrior
    >>> prior = GaussianPrior(FunctionalNetwork([2, 30, 1]), std=1.0)
    >>> prior.std
    array([1., 1., 1., 1.])
    >>> prior.per_parameter().n_base == prior.std[prior.network.groups].size == 121
    True
    """

    def __init__(
        self, network: FunctionalNetwork, per: str = "layer", *, mean: Any = None, std: Any = _STD
    ) -> None:
        super().__init__(network)
        per_layer = check_choice(per, "per", ("layer", "parameter")) == "layer"
        self.groups = network.groups if per_layer else np.arange(network.n_parameters)
        n = len(network.shapes) if per_layer else network.n_parameters
        stds = _starts(std, "std", n)
        if not (stds > 0).all():
            raise ValueError(f"std must be positive, got {std!r}")
        self.rho = inverse_softplus(stds)
        self.mean = None if mean is None else _starts(mean, "mean", n)
        self.theta = [self.rho] if self.mean is None else [self.rho, self.mean]
        self._first = np.flatnonzero(np.diff(self.groups, prepend=-1))

    @property
    def std(self) -> np.ndarray:
        """The standard deviations, of shape (2 * layers,) or (n_parameters,)."""
        return softplus(self.rho)

    def per_parameter(self) -> GaussianPrior:
        """Return the same law with means and deviations for each parameter, to be tuned further.

        Returns
        -------
        GaussianPrior
            A new one.
        """
        mean = 0.0 if self.mean is None else self.mean[self.groups]
        return GaussianPrior(self.network, "parameter", mean=mean, std=self.std[self.groups])

    def parameters(self, state: np.ndarray) -> tuple[np.ndarray, Any]:
        """Scale and shift."""
        parameters = state * self.std[self.groups]
        if self.mean is not None:
            parameters += self.mean[self.groups]
        return parameters, state

    def state_gradient(self, memory: Any, gradient: np.ndarray) -> np.ndarray:
        """Scale."""
        return gradient * self.std[self.groups]

    def theta_gradient(self, memory: Any, gradient: np.ndarray) -> list[np.ndarray]:
        """Sum over draws, and over the numbers that share a deviation."""
        scales = self._sum(np.einsum("sp,sp->p", gradient, memory)) * expit(self.rho)
        return [scales] if self.mean is None else [scales, self._sum(gradient.sum(axis=0))]

    def _sum(self, values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(values, self._first)


def _starts(value: Any, name: str, n: int) -> np.ndarray:
    values = as_numbers(value, name)
    if values.shape not in ((), (n,)) or not np.isfinite(values).all():
        raise ValueError(f"{name} must be a finite number or {n} of them, got {value!r}")
    return np.full(n, values)
