"""Pools: the largest sum, or the total, of each square of an image (``docs/explanation/convolution.md``)."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import numpy as np

from bvar import kernels
from bvar.layers.base import Layer
from bvar.windows import check_image_shape

__all__ = ["MaxPool2d"]


class Winners(NamedTuple):
    """What a pool keeps for its backward pass: where each largest sum was."""

    winner: np.ndarray


class MaxPool2d(Layer):
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

    def __init__(self, image_shape: tuple[int, ...], size: int = 2) -> None:
        self.image_shape, self.size = check_image_shape(image_shape), size
        kernels.pool_max(np.zeros((0, prod(self.image_shape)), np.int32), self.image_shape, size)  # checks

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

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, Winners]:
        """Find the largest sums.

        Parameters
        ----------
        x : ndarray of int32, shape (n_samples, height * width * channels)
            Sums.

        Returns
        -------
        s : ndarray of int32, shape (n_samples, values of `out_shape`)
            The largest of each square.
        context : Winners
            Where they were.
        """
        best, winner = kernels.pool_max(x, self.image_shape, self.size)
        return best, Winners(winner)

    def backward(self, signal: np.ndarray, context: Winners) -> np.ndarray:
        """Send each signal to the sum that won.

        Parameters
        ----------
        signal : ndarray of int8, shape (n_samples, values of `out_shape`)
            Signals on the largest sums.
        context : Winners
            What `forward` returned.

        Returns
        -------
        ndarray of int8, shape (n_samples, height * width * channels)
            Signals on the sums.
        """
        return kernels.pool_back(signal, context.winner, self.image_shape, self.size)
