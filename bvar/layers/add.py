"""Residual sums: branches that see the same bits and whose sums add up (``docs/explanation/convolution.md``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from bvar.bits import BitMatrix
from bvar.layers.base import Layer, Marginals, Received, VoteBlock

__all__ = ["Add"]


class Add(Layer):
    r"""Add the integer sums of branches; a signal on the total is a signal on each.

    .. math:: s = \sum_k f_k(x), \qquad g_x = \sum_k f_k^*(z)

    where :math:`f_k^*` passes the signal z down through branch k.  Bits are no sums, so the input itself cannot be
    a branch; the paper puts a convolution into the shortcut (its Block I).

    Parameters
    ----------
    branches : sequence of sequence of Layer
        Each a stack from bits to int32 sums, all of the same number.

    Raises
    ------
    ValueError
        If there is no branch, one is empty, or one has real parameters.

    References
    ----------
    V. M. Nguyen et al., "BOLD: Boolean Logic Deep Learning", NeurIPS 2024, App. D.1.3.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> from bvar.layers import Add, BooleanLinear
    >>> one, other = BooleanLinear(8, 2, random_state=0), BooleanLinear(8, 2, random_state=1)
    >>> x = kernels.pack(np.ones((1, 8), dtype=bool))
    >>> total, _ = Add([[one], [other]]).forward(x)
    >>> bool((total == one.forward(x)[0] + other.forward(x)[0]).all())
    True
    """

    def __init__(self, branches: Sequence[Sequence[Layer]]) -> None:
        self.branches = tuple(map(tuple, branches))
        if not self.branches or not all(self.branches):
            raise ValueError("branches must be one or more, each with at least one layer")
        layers = [layer for branch in self.branches for layer in branch]
        self.parameters = tuple(parameter for layer in layers for parameter in layer.parameters)
        if any(layer.companion is not None for layer in layers):
            raise ValueError("branches must not have real parameters: those belong to the ends of a network")
        self.rows_together = min((n for layer in layers if (n := layer.rows_together)), default=None)

    @property
    def n_inputs(self) -> int:
        """Width of the layer below."""
        return self.branches[0][0].n_inputs  # type: ignore[attr-defined]

    @property
    def n_outputs(self) -> int:
        """Width of this layer."""
        return self.branches[0][-1].n_outputs  # type: ignore[attr-defined]

    def forward(self, x: BitMatrix) -> tuple[np.ndarray, list[list[Any]]]:
        """Add up the sums of the branches, int32; the context is what the layers of each returned."""
        outputs, contexts = zip(*(_climb(branch, x) for branch in self.branches), strict=True)
        total = outputs[0].copy()
        for output in outputs[1:]:
            total += output
        return total, list(contexts)

    def backward(self, signal: np.ndarray, context: list[list[Any]]) -> np.ndarray:
        """Add up the votes of the branches on their common input."""
        (layer, z, kept), *others = (received[-1] for received in self._received(signal, context))
        total = layer.backward(z, kept).copy()
        for layer, z, kept in others:
            total += layer.backward(z, kept)
        return total

    def votes(self, signal: np.ndarray, context: list[list[Any]]) -> tuple[np.ndarray, ...]:
        """Collect the votes of a batch on the parameters of all branches."""
        return tuple(
            votes
            for received in self._received(signal, context)
            for layer, z, kept in reversed(received)
            for votes in layer.votes(z, kept)
        )

    def marginals(self, signal: np.ndarray, context: list[list[Any]]) -> tuple[Marginals | None, ...]:
        """Sum up what the layers of all branches centre their votes by."""
        return tuple(
            sums
            for received in self._received(signal, context)
            for layer, z, kept in reversed(received)
            for sums in layer.marginals(z, kept)
        )

    def vote_blocks(self, signal: np.ndarray, context: list[list[Any]]) -> Iterator[VoteBlock]:
        """Collect the votes piece by piece, all signals first: a block may flip what others pass through."""
        first = 0
        for received in self._received(signal, context):  # all signals, before the first weight may flip
            for layer, z, kept in reversed(received):
                for number, rows, votes in layer.vote_blocks(z, kept):
                    yield first + number, rows, votes
                first += len(layer.parameters)

    def _received(self, signal: np.ndarray, contexts: list[list[Any]]) -> list[list[Received]]:
        """Pass the signal down every branch, to its first layer but not through it."""
        return [_descend(branch, signal, kept) for branch, kept in zip(self.branches, contexts, strict=True)]


def _climb(branch: Sequence[Layer], value: Any) -> tuple[Any, list[Any]]:
    contexts = []
    for layer in branch:
        value, context = layer.forward(value)
        contexts.append(context)
    return value, contexts


def _descend(branch: Sequence[Layer], signal: np.ndarray, contexts: list[Any]) -> list[Received]:
    received: list[Received] = []
    for layer, context in zip(reversed(branch), reversed(contexts), strict=True):
        if received:
            above, z, kept = received[-1]
            signal = above.backward(z, kept)
        received.append(Received(layer, signal, context))
    return received
