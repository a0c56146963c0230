"""Residual sums: branches that see the same bits and whose sums add up (``docs/explanation/convolution.md``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bvar.bits import BitMatrix
from bvar.layers.base import Layer, Value
from bvar.layers.branches import Branched, Climbed, climb, inference, stacks_of, width_below

__all__ = ["Add"]


class Add(Branched):
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
        self.branches = stacks_of(branches)
        self._hold()

    def _stacks(self) -> Sequence[Sequence[Layer]]:
        return self.branches

    @property
    def n_inputs(self) -> int:
        """Width of the layer below."""
        return width_below(self.branches[0])

    @property
    def n_outputs(self) -> int:
        """Width of this layer."""
        return self.branches[0][-1].n_outputs  # type: ignore[attr-defined]

    def forward(self, x: BitMatrix) -> tuple[np.ndarray, Climbed]:
        """Add up the sums of the branches, int32; the context is what the layers of each returned."""
        outputs, contexts = zip(*(climb(branch, x) for branch in self.branches), strict=True)
        return _total(outputs), Climbed(contexts)

    def absorb(self, above: Sequence[Layer]) -> tuple[Callable[[Any], Value], Sequence[Layer]]:
        """Let layers of branches be merged; what is above is left."""
        if type(self) is not Add:  # a subclass may add up otherwise: it is not merged
            return super().absorb(above)
        inner = [inference(branch) for branch in self.branches]
        return lambda x: _total([infer(x) for infer in inner]), above

    def backward(self, signal: np.ndarray, context: Climbed) -> np.ndarray:
        """Add up the votes of the branches on their common input."""
        lowest = [received[-1] for received in self._received(signal, context)]
        return _total([layer.backward(z, kept) for layer, z, kept in lowest])

    def _parts(self, signal: np.ndarray) -> Sequence[np.ndarray]:
        return (signal,) * len(self.branches)


def _total(parts: Sequence[Any]) -> np.ndarray:
    total = parts[0].astype(np.int32)  # votes of gates are int16, their sums are not
    for part in parts[1:]:
        if part.shape != total.shape:
            raise ValueError(f"branches must make sums of one number, got {total.shape[1]} and {part.shape[1]}")
        total += part
    return total
