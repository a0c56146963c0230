"""A small network of real numbers, in a dozen lines: layers of sums with ReLU between, and their exact gradients.

It is what real-valued classifiers of this package are made of (``docs/explanation/mollification.md``,
``docs/explanation/augmentation.md``).  Float: outside the promise of equal bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

__all__ = ["Parameters", "activations", "gradients", "initial_parameters", "minibatches"]

Parameters = list[np.ndarray]
"""All weights, each of shape (fan_in, fan_out), then all biases."""


def initial_parameters(sizes: list[int], dtype: Any, random: np.random.RandomState) -> Parameters:
    """Draw weights of variance 2 / fan_in (He et al. 2015, recalled); biases are 0."""
    pairs = list(pairwise(sizes))
    weights = [(random.standard_normal((i, o)) * np.sqrt(2 / i)).astype(dtype) for i, o in pairs]
    return weights + [np.zeros(o, dtype) for _, o in pairs]


def activations(parameters: Parameters, X: np.ndarray) -> Parameters:
    """Return the input of every layer, and the logits."""
    half = len(parameters) // 2
    values = [X]
    for layer, (weight, bias) in enumerate(zip(parameters[:half], parameters[half:], strict=True)):
        sums = values[-1] @ weight + bias
        values.append(np.maximum(sums, 0) if layer < half - 1 else sums)
    return values


def gradients(parameters: Parameters, inputs: Parameters, signal: np.ndarray) -> tuple[Parameters, np.ndarray]:
    """Return the gradients in the parameters, and the signal on the sums of the first layer.

    `inputs` are those of all layers; `signal` is the gradient in the logits, one row for each sample. What the
    signal on the samples themselves is, ``first @ parameters[0].T``, is computed by whoever wants it.
    """
    half = len(parameters) // 2
    weights: Parameters = []
    biases: Parameters = []
    for layer in reversed(range(half)):
        weights.insert(0, inputs[layer].T @ signal)
        biases.insert(0, signal.sum(axis=0))
        if layer:
            signal = (signal @ parameters[layer].T) * (inputs[layer] > 0)
    return weights + biases, signal


def minibatches(order: np.ndarray, size: int) -> Iterator[np.ndarray]:
    """Cut an order into batches; the last may be smaller."""
    for start in range(0, len(order), size):
        yield order[start : start + size]
