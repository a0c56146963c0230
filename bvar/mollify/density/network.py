"""Small networks of numbers: layers, their gradients by hand, and Adam.

A ``backward`` gets the gradient of the loss with respect to what ``forward`` returned and what it remembered; it
writes the gradients of the parameters and returns that with respect to the input.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

__all__ = ["MLP", "Adam", "Linear", "Parameter", "orthogonal"]


class Parameter:
    """An array to be learnt, and the gradient of the loss with respect to it.

    Parameters
    ----------
    value : ndarray of float64
        The value at the start.
    """

    def __init__(self, value: np.ndarray) -> None:
        self.value = value
        self.gradient = np.zeros_like(value)


def orthogonal(n_inputs: int, n_outputs: int, random: np.random.RandomState) -> np.ndarray:
    """Return a random matrix whose shorter side is orthonormal, shape (n_inputs, n_outputs).

    Also for last layers: one near zero would make a coupling near the identity, which is where a mollified flow
    gets stuck (docs/explanation/mollification.md).
    """
    tall = random.standard_normal((max(n_inputs, n_outputs), min(n_inputs, n_outputs)))
    q, r = np.linalg.qr(tall)
    q *= np.sign(np.diag(r))  # without it the matrix would not be uniform
    return q if n_inputs >= n_outputs else q.T.copy()


class Linear:
    """The layer ``y = x W + b``, with a mask of weights that stay zero.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Widths.
    random : RandomState
        Source of the orthogonal weights; the bias is 0.
    mask : ndarray of bool, shape (n_inputs, n_outputs), optional
        Which weights there are.
    """

    def __init__(
        self, n_inputs: int, n_outputs: int, random: np.random.RandomState, mask: np.ndarray | None = None
    ) -> None:
        weight = orthogonal(n_inputs, n_outputs, random)
        self.mask = mask
        self.weight = Parameter(weight if mask is None else weight * mask)
        self.bias = Parameter(np.zeros(n_outputs))

    @property
    def parameters(self) -> list[Parameter]:
        """Weight and bias."""
        return [self.weight, self.bias]

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return ``x W + b``."""
        return x @ self.weight.value + self.bias.value

    def backward(self, d: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Set ``dW = x^T d`` (where there are weights) and ``db = sum d``; return ``d W^T``."""
        np.matmul(x.T, d, out=self.weight.gradient)
        if self.mask is not None:
            self.weight.gradient *= self.mask
        d.sum(axis=0, out=self.bias.gradient)
        return d @ self.weight.value.T


class MLP:
    """Linear layers with an activation between them.

    Parameters
    ----------
    sizes : sequence of int
        Widths, from the input to the output.
    activation : {'tanh', 'relu'}
        What follows each layer but the last.
    random : RandomState
        Source of the weights.
    masks : sequence of ndarray of bool, optional
        One for each layer.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: str,
        random: np.random.RandomState,
        masks: Sequence[np.ndarray] | None = None,
    ) -> None:
        shapes = enumerate(pairwise(sizes))
        self.layers = [Linear(n, m, random, masks[i] if masks else None) for i, (n, m) in shapes]
        self.activation = activation

    @property
    def parameters(self) -> list[Parameter]:
        """Those of all layers."""
        return [p for layer in self.layers for p in layer.parameters]

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        """Return the output and the input of each layer."""
        inputs = [x]
        for layer in self.layers[:-1]:
            h = layer.forward(inputs[-1])
            inputs.append(np.tanh(h, out=h) if self.activation == "tanh" else np.maximum(h, 0.0, out=h))
        return self.layers[-1].forward(inputs[-1]), inputs

    def backward(self, d: np.ndarray, inputs: list[np.ndarray]) -> np.ndarray:
        """Go back through all layers; slopes are read off the activated values."""
        d = self.layers[-1].backward(d, inputs[-1])
        for layer, x, h in zip(self.layers[-2::-1], inputs[-2::-1], inputs[:0:-1], strict=True):
            d = layer.backward(d * (1.0 - h * h if self.activation == "tanh" else h > 0), x)
        return d


class Adam:
    """The optimizer of Kingma and Ba (2015), with its usual constants, on all parameters at once.

    Parameters
    ----------
    parameters : list of Parameter
        What is learnt. Their arrays become views of one long vector: sixty small updates cost more than a large
        one.
    learning_rate : float
        Size of a step.
    """

    DECAY, DECAY_SQUARES, EPSILON = 0.9, 0.999, 1e-8

    def __init__(self, parameters: list[Parameter], learning_rate: float) -> None:
        self.learning_rate = learning_rate
        self.value = np.concatenate([p.value.ravel() for p in parameters])
        self.gradient = np.zeros_like(self.value)
        self.mean = np.zeros_like(self.value)
        self.square = np.zeros_like(self.value)
        self.n_steps = 0
        start = 0
        for p in parameters:
            piece = slice(start, start := start + p.value.size)
            p.value = self.value[piece].reshape(p.value.shape)
            p.gradient = self.gradient[piece].reshape(p.value.shape)

    def step(self) -> None:
        """Move all parameters against their gradients, by the bias-corrected mean over its size."""
        self.n_steps += 1
        self.mean += (1 - self.DECAY) * (self.gradient - self.mean)
        self.square += (1 - self.DECAY_SQUARES) * (self.gradient**2 - self.square)
        size = np.sqrt(self.square / (1 - self.DECAY_SQUARES**self.n_steps))
        size += self.EPSILON
        self.value -= self.learning_rate / (1 - self.DECAY**self.n_steps) * self.mean / size
