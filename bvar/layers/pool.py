"""Pools: the largest sum, the total, or the "or" of bits, of each square of an image.

``docs/explanation/convolution.md`` has those of sums, ``docs/explanation/logic-gates.md`` that of bits.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import numpy as np

from bvar import kernels
from bvar._validation import check_array, check_image_shape, check_integer, check_rows
from bvar.bits import BitMatrix
from bvar.kernels import MAX_FAN_IN
from bvar.kernels.memory import lines
from bvar.layers.base import Layer
from bvar.layers.gate import GateLayer, UnitMajor, by_unit, of_tables, units_of

__all__ = ["MaxPool2d", "OrPool2d", "SumPool2d"]


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

    def _corners(self) -> list[tuple[slice, slice]]:
        """Give the pixels of all squares that have the same place in their square."""
        ends = [n * self.size for n in self.out_shape[:2]]
        rows, columns = ([slice(i, end, self.size) for i in range(self.size)] for end in ends)
        return [(y, x) for y in rows for x in columns]


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
        """Add up int32 sums; the way back needs no context."""
        check_rows(check_array(x, "x", dtype=np.int32, ndim=2), self.n_inputs, "the pool")
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


class Marks(NamedTuple):
    """What an or-pool keeps for its backward pass: its input, and where one pixel, and where two, are T."""

    units: BitMatrix
    one: np.ndarray
    two: np.ndarray


class OrPool2d(_Pool2d):
    r"""Say whether any pixel of a square is T, channel by channel.

    .. math:: x'_{b,p,c} = \bigvee_{i \in \text{square } p} x_{b,i,c} , \qquad
              z_{b,i,c} = z'_{b,p,c} \, [x_{b,j,c} = F \text{ for all } j \ne i \text{ in square } p]

    The variation of "or" with respect to a pixel is T where all others are F, and 0 elsewhere: exact, with no
    winner to choose.  It stands behind a layer of gates, as the maximum of bits.

    Parameters
    ----------
    image_shape : tuple of int
        (height, width, channels) of the layer below.
    size : int, default=2
        Side of a square, 1 to 6. Rows and columns beyond the last whole square do not count.

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
    >>> from bvar import kernels
    >>> from bvar.layers import OrPool2d
    >>> pool = OrPool2d((2, 4, 1))
    >>> y, context = pool.forward(kernels.pack(np.array([[0, 1, 0, 1, 0, 0, 0, 1]], dtype=bool)))
    >>> kernels.unpack(y)
    array([[ True,  True]])
    >>> pool.backward(np.array([[10, -3]], dtype=np.int8), context)
    array([[ 0, 10,  0,  0,  0,  0,  0,  0]], dtype=int16)
    """

    def __init__(self, image_shape: tuple[int, ...], size: int = 2) -> None:
        size = check_integer(size, "size", low=1, high=MAX_FAN_IN)
        super().__init__(image_shape, size)

    def forward(self, x: BitMatrix) -> tuple[UnitMajor, Marks]:
        """Find the T; no bit may be missing."""
        units = units_of(x)
        if units.n_rows != self.n_inputs:
            raise ValueError(f"x must have {self.n_inputs} bits a sample, got {units.n_rows}")
        pixels = units.words.reshape(*self.image_shape, -1)
        one, two = (np.zeros((*self.out_shape, pixels.shape[3]), np.uint64) for _ in range(2))
        for rows, columns in self._corners():
            two |= one & pixels[rows, columns]
            one |= pixels[rows, columns]
        out = BitMatrix.trusted(one.reshape(self.n_outputs, -1), units.n_bits)
        return UnitMajor(out), Marks(units, one, two)

    def backward(self, signal: np.ndarray, context: Marks) -> np.ndarray:
        """Pass each signal on to the pixels all of whose others are F, int16."""
        units, one, two = context
        pixels = units.words.reshape(*self.image_shape, -1)
        z = by_unit(signal).reshape(*self.out_shape, units.n_bits)
        votes = lines((self.n_inputs, units.n_bits), np.int16)
        images = votes.reshape(*self.image_shape, -1)
        images[...] = 0  # also where no square is
        for rows, columns in self._corners():
            others = (two | (one & ~pixels[rows, columns])).reshape(self.n_outputs, -1)
            is_loud = kernels.unpack(BitMatrix.trusted(others, units.n_bits)).reshape(z.shape)
            np.multiply(z, ~is_loud, out=images[rows, columns])
        return votes.T

    def unrolled(self) -> list[GateLayer]:
        """Make layers of gates that do the same: the "or" of each row of a square, then that of its rows.

        Returns
        -------
        list of GateLayer
            Two, of fan-in `size`.
        """
        numbers = np.arange(self.n_inputs).reshape(self.image_shape)
        seen = np.stack([numbers[rows, columns].ravel() for rows, columns in self._corners()], axis=1)
        wires = seen.reshape(-1, self.size), np.arange(seen.size // self.size).reshape(-1, self.size)
        anything = np.uint64(2**2**self.size - 2)
        widths = self.n_inputs, len(wires[0])
        return [of_tables(n, wire, np.full(len(wire), anything)) for n, wire in zip(widths, wires, strict=True)]
