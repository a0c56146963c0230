"""Layers that hold stacks of other layers: what residual sums and concatenation have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from math import lcm
from typing import Any

import numpy as np

from bvar.layers.base import Layer, Marginals, Product, Received, Value, VoteBlock

__all__ = [
    "Branched",
    "Climbed",
    "check_all",
    "climb",
    "descend",
    "inference",
    "rows_for_all",
    "stack_of",
    "stacks_of",
    "width_below",
]


class Climbed:
    """What the layers of each branch returned, and what they received on the last way back."""

    def __init__(self, contexts: Sequence[list[Any]]) -> None:
        self.contexts = contexts
        self.signal: np.ndarray | None = None
        self.received: list[list[Received]] = []


class Branched(Layer):
    """A layer whose parameters are those of the layers in it; its contexts are `Climbed`."""

    def inner_layers(self) -> Sequence[Layer]:
        """Give the layers of all branches."""
        return [layer for branch in self._stacks() for layer in branch]

    def _hold(self) -> None:
        """Take the parameters of inner layers over, in their order."""
        layers = self.inner_layers()
        if any(layer.companion is not None for layer in layers):
            raise ValueError("branches must not have real parameters: those belong to the ends of a network")
        self._take_over(layers)

    def _take_over(self, layers: Sequence[Layer]) -> None:
        self.parameters = tuple(parameter for layer in layers for parameter in layer.parameters)
        self.rows_together = min((n for layer in layers if (n := layer.rows_together)), default=None)

    def products(self) -> tuple[Product, ...]:
        """Say what the layers of all branches multiply."""
        return tuple(product for layer in self.inner_layers() for product in layer.products())

    def check(self, context: Any) -> None:
        """Ask the layers of all branches."""
        check_all(self.inner_layers(), [kept for contexts in context.contexts for kept in contexts])

    def rows_for(self, n_rows: int) -> int:
        """Keep together what any branch does."""
        return lcm(*(rows_for_all(branch, n_rows) for branch in self._stacks()))

    @abstractmethod
    def _parts(self, signal: np.ndarray) -> Sequence[np.ndarray]:
        """Give the signal on what each branch made."""

    @abstractmethod
    def _stacks(self) -> Sequence[Sequence[Layer]]:
        """Give the branches."""

    def _received(self, signal: np.ndarray, context: Climbed) -> list[list[Received]]:
        """Pass the signal down every branch, to its first layer but not through it; once for all verbs."""
        if context.signal is not signal:
            context.received = [
                descend(*branch)
                for branch in zip(self._stacks(), self._parts(signal), context.contexts, strict=True)
            ]
            context.signal = signal
        return context.received

    def votes(self, signal: np.ndarray, context: Any) -> tuple[np.ndarray, ...]:
        """Collect the votes of a batch on the parameters of all branches."""
        return tuple(
            votes
            for received in self._received(signal, context)
            for layer, z, kept in reversed(received)
            for votes in layer.votes(z, kept)
        )

    def marginals(self, signal: np.ndarray, context: Any) -> tuple[Marginals | None, ...]:
        """Sum up what the layers of all branches centre their votes by."""
        return tuple(
            sums
            for received in self._received(signal, context)
            for layer, z, kept in reversed(received)
            for sums in layer.marginals(z, kept)
        )

    def vote_blocks(self, signal: np.ndarray, context: Any) -> Iterator[VoteBlock]:
        """Collect the votes piece by piece, all signals first: a block may flip what others pass through."""
        first = 0
        for received in self._received(signal, context):  # all signals, before the first weight may flip
            for layer, z, kept in reversed(received):
                for number, rows, votes in layer.vote_blocks(z, kept):
                    yield first + number, rows, votes
                first += len(layer.parameters)


def stack_of(layers: Any, name: str) -> tuple[Layer, ...]:
    """Return layers as a tuple, or say what is none."""
    if not isinstance(layers, Sequence) or not all(isinstance(layer, Layer) for layer in layers):
        raise TypeError(f"{name} must be a sequence of layers, got {layers!r}")
    return tuple(layers)


def stacks_of(branches: Any) -> tuple[tuple[Layer, ...], ...]:
    """Return branches as tuples: one or more, none of them empty."""
    if not isinstance(branches, Sequence):
        raise TypeError(f"branches must be a sequence of sequences of layers, got {branches!r}")
    stacks = tuple(stack_of(branch, "each of branches") for branch in branches)
    if not stacks or not all(stacks):
        raise ValueError("branches must be one or more, each with at least one layer")
    return stacks


def width_below(stack: Sequence[Layer]) -> int:
    """Say how many values a stack takes; layers at its beginning may take any number, and hand on as many."""
    for layer in stack:
        if hasattr(layer, "n_inputs"):
            return layer.n_inputs
    raise AttributeError("a stack of layers that take any number of values has no width of its own")


def climb(branch: Sequence[Layer], value: Any) -> tuple[Any, list[Any]]:
    """Go up a branch; give its output, and the context of each layer."""
    contexts = []
    for layer in branch:
        value, context = layer.forward(value)
        contexts.append(context)
    return value, contexts


def check_all(layers: Sequence[Layer], contexts: Sequence[Any]) -> None:
    """Ask each layer of a stack whether it could vote."""
    for layer, context in zip(layers, contexts, strict=True):
        layer.check(context)


def rows_for_all(layers: Sequence[Layer], n_rows: int) -> int:
    """Say how many rows below a stack belong to so many rows above it."""
    for layer in reversed(layers):
        n_rows = layer.rows_for(n_rows)
    return n_rows


def inference(layers: Sequence[Layer]) -> Callable[[Any], Value]:
    """Make the function that a stack is at inference, as its layers and the backend in force are now."""
    steps: list[Callable[[Any], Value]] = []
    while layers:
        # a linear layer with the threshold above it: the sums are compared where they arise and never stored
        step, layers = layers[0].absorb(layers[1:])
        steps.append(step)

    def infer(value: Any) -> Value:
        for step in steps:
            value = step(value)
        return value

    return infer


def descend(branch: Sequence[Layer], signal: np.ndarray, contexts: list[Any]) -> list[Received]:
    """Go down a branch, to its first layer but not through it; the last comes first."""
    received: list[Received] = []
    for layer, context in zip(reversed(branch), reversed(contexts), strict=True):
        if received:
            above, z, kept = received[-1]
            signal = above.backward(z, kept)
        received.append(Received(layer, signal, context))
    return received
