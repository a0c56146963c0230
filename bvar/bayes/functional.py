r"""Networks as functions: a perceptron evaluated for many draws of its parameters at once.

With draws :math:`s = 1 \dots S` and layers :math:`l = 1 \dots L`

.. math:: A_l = H_{l-1} W_l / \sqrt{m_{l-1}} + b_l, \qquad H_l = \mathrm{act}(A_l), \qquad H_0 = X, \quad F = A_L,

all of it batched over s; the gradients are derived in ``docs/explanation/functional-priors.md``.  The division by
the root of the fan-in stands in the forward pass, so that standard normal parameters are a law of functions whose
scale does not depend on the widths.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from bvar._describe import Described
from bvar._validation import check_choice, check_sizes

__all__ = ["FunctionalNetwork", "Trace"]

Trace = Any  # what an evaluation remembers for the gradient: nobody's business but its maker's

_LEAK = 0.01  # slope of 'leaky_relu' below zero


def _relu(a: np.ndarray, low: float) -> np.ndarray:
    return np.maximum(a, low * a, out=a)


# each function of sums, which it may overwrite, and its slope in terms of its own value
ACTIVATIONS = {
    "tanh": (lambda a: np.tanh(a, out=a), lambda h: 1 - h * h),
    "relu": (lambda a: _relu(a, 0.0), lambda h: (h > 0).astype(float)),
    "leaky_relu": (lambda a: _relu(a, _LEAK), lambda h: np.where(h > 0, 1.0, _LEAK)),
}


class FunctionalNetwork(Described):
    r"""A multilayer perceptron whose parameters are an argument: one row of numbers for each function.

    Parameters
    ----------
    sizes : sequence of int
        Widths, from the inputs to the outputs: at least two.
    activation : {'tanh', 'relu', 'leaky_relu'}, default='tanh'
        What follows each layer but the last.
    scaled : bool, default=True
        Whether a layer divides its sums by the root of its fan-in.

    Attributes
    ----------
    shapes : list of tuple of int
        Shapes of :math:`W_1, b_1, W_2, b_2, \dots`, in which a row of parameters is laid out.
    n_parameters : int
        Numbers in a row.
    groups : ndarray of int64, shape (n_parameters,)
        Which of the `shapes` a number belongs to.
    scales : list of float
        What a layer multiplies its sums with.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    See Also
    --------
    GaussianPrior : Puts a law on the parameters.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.bayes import FunctionalNetwork
    >>> network = FunctionalNetwork([1, 50, 1])
    >>> parameters = np.random.default_rng(0).standard_normal((7, network.n_parameters))  # seven functions
    >>> F, trace = network.forward(parameters, np.linspace(-1, 1, 20)[:, None])
    >>> F.shape
    (7, 20, 1)
    """

    def __init__(self, sizes: Sequence[int], activation: str = "tanh", *, scaled: bool = True) -> None:
        self.sizes = check_sizes(sizes, "sizes", least=2)
        self.activation = check_choice(activation, "activation", tuple(ACTIVATIONS))
        self.scaled = bool(scaled)
        self.shapes = [shape for m, k in pairwise(self.sizes) for shape in ((m, k), (1, k))]
        lengths = [m * k for m, k in self.shapes]
        self.n_parameters = sum(lengths)
        self.groups = np.repeat(np.arange(len(lengths)), lengths)
        self._ends = np.cumsum([0, *lengths]).tolist()
        self.scales = [m**-0.5 if scaled else 1.0 for m in self.sizes[:-1]]

    def unpack(self, parameters: np.ndarray) -> list[np.ndarray]:
        r"""Return views of rows of parameters, one for each of the `shapes`.

        Parameters
        ----------
        parameters : ndarray of float, shape (n_draws, n_parameters)
            Rows.

        Returns
        -------
        list of ndarray
            :math:`W_1, b_1, W_2, \dots`, each of shape (n_draws, \*shape).
        """
        parts = zip(pairwise(self._ends), self.shapes, strict=True)
        return [parameters[:, a:b].reshape(-1, *shape) for (a, b), shape in parts]

    def forward(self, parameters: np.ndarray, X: np.ndarray) -> tuple[np.ndarray, Trace]:
        """Evaluate all functions.

        Parameters
        ----------
        parameters : ndarray of float, shape (n_draws, n_parameters)
            One row for each function.
        X : ndarray of float, shape (n, n_inputs) or (n_draws, n, n_inputs)
            Inputs, the same for all functions or for each its own.

        Returns
        -------
        F : ndarray of float, shape (n_draws, n, n_outputs)
            Values.
        trace : Trace
            For `vjp`.
        """
        act, _ = ACTIVATIONS[self.activation]
        arrays = self.unpack(parameters)
        values = [X]
        last = len(self.scales) - 1
        for layer, scale in enumerate(self.scales):
            A = np.matmul(values[-1], arrays[2 * layer])
            if scale != 1.0:
                A *= scale
            A += arrays[2 * layer + 1]
            values.append(act(A) if layer < last else A)
        return values.pop(), (arrays, values)

    def vjp(self, trace: Trace, dF: np.ndarray) -> np.ndarray:
        """Pull a gradient back from the values to the parameters.

        Parameters
        ----------
        trace : Trace
            What `forward` returned.
        dF : ndarray of float, shape (n_draws, n, n_outputs)
            Gradient of a number with respect to F.

        Returns
        -------
        ndarray of float, shape (n_draws, n_parameters)
            Its gradient with respect to the parameters.
        """
        return self._pull(trace, dF, inputs=False)[0]

    def vjp_with_inputs(self, trace: Trace, dF: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pull a gradient back to the parameters and to the inputs.

        Parameters
        ----------
        trace : Trace
            What `forward` returned.
        dF : ndarray of float, shape (n_draws, n, n_outputs)
            Gradient with respect to the values.

        Returns
        -------
        parameters : ndarray of float, shape (n_draws, n_parameters)
            Gradient with respect to the parameters.
        inputs : ndarray of float, shape (n_draws, n, n_inputs)
            Gradient with respect to the inputs of each function; inputs that all share get the sum over draws.
        """
        gradient, dX = self._pull(trace, dF, inputs=True)
        assert dX is not None  # noqa: S101 - it was asked for
        return gradient, dX

    def _pull(self, trace: Trace, dF: np.ndarray, *, inputs: bool) -> tuple[np.ndarray, np.ndarray | None]:
        arrays, values = trace
        _, slope = ACTIVATIONS[self.activation]
        gradient = np.empty((len(dF), self.n_parameters))
        parts = self.unpack(gradient)
        D = dF
        for layer in reversed(range(len(self.scales))):
            H, scale = values[layer], self.scales[layer]
            np.sum(D, axis=1, keepdims=True, out=parts[2 * layer + 1])
            if scale != 1.0:
                D = D * scale
            np.matmul(np.swapaxes(H, -1, -2), D, out=parts[2 * layer])
            if layer or inputs:
                D = np.matmul(D, np.swapaxes(arrays[2 * layer], -1, -2))
            if layer:
                D *= slope(H)
        return gradient, D if inputs else None
