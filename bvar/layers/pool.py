"""Pools: the largest sum, or the total, of each square of an image (``docs/explanation/convolution.md``)."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import numpy as np

from bvar import kernels
from bvar._validation import check_image_shape, check_integer
from bvar.layers.base import Layer

__all__ = ["MaxPool2d", "SumPool2d"]


class Winners(NamedTuple):
    """What a pool keeps for its backward pass: where each largest sum was."""

    winner: np.ndarray


class _Pool2d(Layer):
    """Squares of pixels, channel by channel."""

    def __init__(self, image_shape: tuple[int, ...], size: int = 2) -> None:
        self.image_shape = check_image_shape(image_shape)
        self.size = check_integer(size, "size", low=1, high=min(kernels.MAX_POOL, *self.image_shape[:2]))

    @property
    def n_inputs(self) -> int:
        """Values in an image of the layer below."""
        return prod(self.image_shape)

    @property
    def n_outputs(self) -> int:
        """Values in an image of this layer."""
        return prod(self.out_shape)

    @property
    def out_shape(self) -> tuple[int, int, int]:
        """Shape of the images that it makes."""
        height, width, channels = self.image_shape
        return height // self.size, width // self.size, channels


class MaxPool2d(_Pool2d):
    r"""Keep the largest sum of each square of pixels, channel by channel.

    .. math:: s'_{n,p,c} = \max_{i \in \text{square } p} s_{n,i,c} , \qquad
              z_{n,i,c} = z'_{n,p,c} \, [i \text{ is the first that has the maximum}]

    It stands between a convolution and its threshold, so it pools integers; with the threshold behind it, it is
    the *or* of what the pixels would have answered.

    Parameters
    ----------
    image_shape : tuple of int
        (height, width, channels) of the layer below.
    size : int, default=2
        Side of a square, 1 to 16. Rows and columns beyond the last whole square do not count.

    Attributes
    ----------
    out_shape : tuple of int
        (height // size, width // size, channels).

    Raises
    ------
    TypeError, ValueError
        If no square fits into the image.

    References
    ----------
    V. M. Nguyen et al., "BOLD: Boolean Logic Deep Learning", NeurIPS 2024, App. C.2.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.layers import MaxPool2d
    >>> pool = MaxPool2d((2, 4, 1))
    >>> s, context = pool.forward(np.array([[1, 5, 0, 0, 3, -2, 0, 9]], dtype=np.int32))
    >>> s
    array([[5, 9]], dtype=int32)
    >>> pool.backward(np.array([[10, -3]], dtype=np.int8), context)
    array([[ 0, 10,  0,  0,  0,  0,  0, -3]], dtype=int8)
    """

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, Winners]:
        """Find the largest sums; the context is where they were."""
        best, winner = kernels.pool_max(x, self.image_shape, self.size)
        return best, Winners(winner)

    def backward(self, signal: np.ndarray, context: Winners) -> np.ndarray:
        """Send each signal to the sum that won."""
        return kernels.pool_back(signal, context.winner, self.image_shape, self.size)


class SumPool2d(_Pool2d):
    r"""Add up the sums of each square of pixels, channel by channel: the average pool without its division.

    .. math:: s'_{n,p,c} = \sum_{i \in \text{square } p} s_{n,i,c} , \qquad z_{n,i,c} = z'_{n,p,c}

    An average would be a fraction; what divides all sums alike moves no threshold, so it is left out. The
    threshold above takes ``size**2`` times as many terms.

    Parameters
    ----------
    image_shape : tuple of int
        (height, width, channels) of the layer below.
    size : int, default=2
        Side of a square, 1 to 16. Rows and columns beyond the last whole square do not count.

    Attributes
    ----------
    out_shape : tuple of int
        (height // size, width // size, channels).

    Raises
    ------
    TypeError, ValueError
        If no square fits into the image.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.layers import SumPool2d
    >>> pool = SumPool2d((2, 4, 1))
    >>> s, context = pool.forward(np.array([[1, 5, 0, 0, 3, -2, 0, 9]], dtype=np.int32))
    >>> s
    array([[7, 9]], dtype=int32)
    >>> pool.backward(np.array([[10, -3]], dtype=np.int8), context)
    array([[10, 10, -3, -3, 10, 10, -3, -3]], dtype=int8)
    """

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, None]:
        """Add up; the way back needs no context."""
        totals = np.zeros((len(x), *self.out_shape), np.int32)
        for rows, columns in self._corners():
            totals += x.reshape(-1, *self.image_shape)[:, rows, columns]
        return totals.reshape(len(x), prod(self.out_shape)), None

    def backward(self, signal: np.ndarray, context: None) -> np.ndarray:
        """Send each signal to all sums of its square."""
        out = np.zeros((len(signal), *self.image_shape), signal.dtype)
        for rows, columns in self._corners():
            out[:, rows, columns] = signal.reshape(-1, *self.out_shape)
        return out.reshape(len(signal), prod(self.image_shape))

    def _corners(self) -> list[tuple[slice, slice]]:
        """Give the pixels of all squares that have the same place in their square."""
        ends = [n * self.size for n in self.out_shape[:2]]
        rows, columns = ([slice(i, end, self.size) for i in range(self.size)] for end in ends)
        return [(y, x) for y in rows for x in columns]
