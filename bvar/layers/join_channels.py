"""Channels side by side: what several branches see in the same images (``docs/explanation/convolution.md``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from bvar import kernels
from bvar._validation import check_integer
from bvar.bits import BitMatrix
from bvar.layers.base import Layer, Value
from bvar.layers.branches import Branched, Climbed, climb, inference, stacks_of
from bvar.layers.signed_sum import to_int8

__all__ = ["JoinChannels"]


class JoinChannels(Branched):
    r"""Put the bits of branches side by side at every pixel, as Atrous Spatial Pyramid Pooling does.

    .. math:: x'_{n,p} = \bigl(f_1(x)_{n,p}, \dots, f_k(x)_{n,p}\bigr), \qquad g_x = \sum_k f_k^*(g'_k)

    where :math:`f_k^*` passes the votes on its channels down through branch k.

    Parameters
    ----------
    branches : sequence of sequence of Layer
        Each a stack that ends with bits, images of `n_places` pixels; all begin with bits, or all with sums.
    n_places : int
        Pixels of an image.

    Raises
    ------
    TypeError, ValueError
        If there is no branch, one is empty or has real parameters, or `n_places` is no positive integer.

    See Also
    --------
    Add : Adds up sums of branches.
    bvar.real.RealJoinChannels : With real parameters in branches.

    Notes
    -----
    Signals on sums are kept within +-127 when they have been added up, votes on bits are not bounded.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> from bvar.layers import BooleanConv2d, JoinChannels, Threshold
    >>> def branch(dilation):
    ...     conv = BooleanConv2d((4, 4, 1), 2, padding=dilation, dilation=dilation, random_state=0)
    ...     return [conv, Threshold(conv.n_outputs, 9, 4)]
    >>> join = JoinChannels([branch(1), branch(2)], n_places=16)
    >>> y, _ = join.forward(kernels.pack(np.ones((1, 16), bool)))
    >>> y.shape, join.n_outputs
    ((1, 64), 64)
    """

    def __init__(self, branches: Sequence[Sequence[Layer]], n_places: int) -> None:
        self.branches = stacks_of(branches)
        self.n_places = check_integer(n_places, "n_places", low=1)
        self._hold()
        if not all(hasattr(branch[-1], "n_units") or hasattr(branch[-1], "n_outputs") for branch in self.branches):
            raise ValueError("branches must each end with a layer of known width, such as a Threshold")
        if any(_width(branch[-1]) % self.n_places for branch in self.branches):
            widths = [_width(branch[-1]) for branch in self.branches]
            raise ValueError(f"n_places must divide what each branch makes, {widths}, got {n_places}")

    def _stacks(self) -> Sequence[Sequence[Layer]]:
        return self.branches

    @property
    def channels(self) -> list[int]:
        """Channels that each branch makes."""
        return [_width(branch[-1]) // self.n_places for branch in self.branches]

    @property
    def n_outputs(self) -> int:
        """Width of this layer."""
        return self.n_places * sum(self.channels)

    def forward(self, x: Value) -> tuple[BitMatrix, Climbed]:
        """Put bits side by side; the context is what the layers of each branch returned."""
        outputs, contexts = zip(*(climb(branch, x) for branch in self.branches), strict=True)
        return self._join(outputs), Climbed(contexts)

    def infer(self, x: Value) -> BitMatrix:
        """Do the same with layers as they are after training."""
        return self._join([inference(branch)(x) for branch in self.branches])

    def absorb(self, above: Sequence[Layer]) -> tuple[Callable[[Any], Value], Sequence[Layer]]:
        """Let layers of branches be merged; what is above is left."""
        if (type(self).forward, type(self).infer) != (JoinChannels.forward, JoinChannels.infer):
            return super().absorb(above)  # a subclass may answer otherwise: it is not merged
        inner = [inference(branch) for branch in self.branches]
        return lambda x: self._join([infer(x) for infer in inner]), above

    def _join(self, outputs: Sequence[Any]) -> BitMatrix:
        pixels = (kernels.unpack_ternary(bits) for bits in outputs)
        parts = [x.reshape(-1, self.n_places, x.shape[1] // self.n_places) for x in pixels]
        return kernels.pack(np.concatenate(parts, axis=2).reshape(-1, self.n_outputs))

    def backward(self, signal: np.ndarray, context: Climbed) -> np.ndarray:
        """Add up what the branches pass down: int32 votes on bits, or signals on sums, int8 if integers."""
        passed = [layer.backward(z, kept) for *_, (layer, z, kept) in self._received(signal, context)]
        are_real = any(part.dtype.kind == "f" for part in passed)
        total = np.zeros(passed[0].shape, np.float32 if are_real else np.int32)
        for part in passed:
            total += part
        return to_int8(total) if passed[0].dtype == np.int8 and not are_real else total

    def _parts(self, signal: np.ndarray) -> Sequence[np.ndarray]:
        pixels = signal.reshape(-1, self.n_places, sum(self.channels))
        parts = np.split(pixels, list(accumulate(self.channels))[:-1], axis=2)
        return [np.ascontiguousarray(part).reshape(-1, self.n_places * part.shape[2]) for part in parts]


def _width(layer: Any) -> int:
    return layer.n_units if hasattr(layer, "n_units") else layer.n_outputs
