r"""Images that grow: channels become pixels, or pixels are repeated (``docs/explanation/convolution.md``).

Both lay numbers out anew and compute nothing, so they are the same on every backend.  A convolution with a pixel
shuffle behind it is a transposed convolution: each pixel of a square has filters of its own.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from bvar import kernels
from bvar._validation import check_image_shape, check_integer, check_rows
from bvar.bits import BitMatrix
from bvar.layers.base import Layer, Value

__all__ = ["PixelShuffle", "Upsample2d"]

_MOST = 2**31 - 1  # votes on a bit


class PixelShuffle(Layer):
    r"""Turn channels into pixels: every pixel becomes a square of `factor` by `factor`.

    .. math:: s'_{n,\, ri + a,\, rj + b,\, c} = s_{n,\, i,\, j,\, (ra + b) C + c}, \qquad r = \text{factor}

    Parameters
    ----------
    image_shape : tuple of int
        (height, width, channels) of the layer below; the channels are a multiple of ``factor**2``.
    factor : int, default=2
        Side of a square.

    Attributes
    ----------
    out_shape : tuple of int
        (height * factor, width * factor, channels / factor**2).

    Raises
    ------
    TypeError, ValueError
        If a size is not a positive integer, or the channels are no such multiple.

    See Also
    --------
    Upsample2d : Repeats pixels.

    Notes
    -----
    It takes sums, integer or real. Signals go back to where the sums came from, so nothing is added up.

    References
    ----------
    W. Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional
    Neural Network", CVPR 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.layers import PixelShuffle
    >>> shuffle = PixelShuffle((1, 2, 4))
    >>> s, _ = shuffle.forward(np.array([[1, 2, 3, 4, 5, 6, 7, 8]], dtype=np.int32))
    >>> s.reshape(shuffle.out_shape[:2])
    array([[1, 2, 5, 6],
           [3, 4, 7, 8]], dtype=int32)
    """

    def __init__(self, image_shape: tuple[int, ...], factor: int = 2) -> None:
        self.image_shape = check_image_shape(image_shape)
        self.factor = check_integer(factor, "factor", low=1)
        if self.image_shape[2] % self.factor**2:
            raise ValueError(
                f"image_shape must have a multiple of {self.factor**2} channels for a factor of {self.factor}, "
                f"got {self.image_shape[2]}"
            )

    @property
    def n_inputs(self) -> int:
        """Values in an image of the layer below."""
        return prod(self.image_shape)

    @property
    def n_outputs(self) -> int:
        """Values in an image of this layer: the same."""
        return self.n_inputs

    @property
    def out_shape(self) -> tuple[int, int, int]:
        """Shape of the images that it makes."""
        height, width, channels = self.image_shape
        return height * self.factor, width * self.factor, channels // self.factor**2

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, None]:
        """Lay sums out as pixels; the way back needs no context."""
        check_rows(x, self.n_inputs, "the pixel shuffle")
        height, width, _ = self.image_shape
        r, (_, _, channels) = self.factor, self.out_shape
        pixels = x.reshape(-1, height, width, r, r, channels).transpose(0, 1, 3, 2, 4, 5)
        return pixels.reshape(len(x), self.n_outputs), None

    def backward(self, signal: np.ndarray, context: Any) -> np.ndarray:
        """Lay signals out as channels."""
        height, width, _ = self.image_shape
        r, (_, _, channels) = self.factor, self.out_shape
        pixels = signal.reshape(-1, height, r, width, r, channels).transpose(0, 1, 3, 2, 4, 5)
        return pixels.reshape(len(signal), self.n_inputs)


class Upsample2d(Layer):
    r"""Repeat every pixel, down and across: the nearest neighbour.

    .. math:: x'_{n,p,c} = x_{n,\, \lfloor p / \text{factor} \rfloor,\, c}, \qquad
              g_{n,i,c} = \sum_{p \in \text{square } i} g'_{n,p,c}

    Parameters
    ----------
    image_shape : tuple of int
        (height, width, channels) of the layer below.
    factor : int or (int, int), default=2
        How often each pixel is repeated, vertically and horizontally. An image of one pixel is spread over any
        size so.

    Attributes
    ----------
    out_shape : tuple of int
        (height * factor, width * factor, channels).

    Raises
    ------
    TypeError, ValueError
        If a size is not a positive integer.

    See Also
    --------
    PixelShuffle : Computes each pixel for itself.

    Notes
    -----
    It takes bits, some of which may be missing. What comes down to a pixel is the sum of the votes on its copies,
    so the threshold below hears from ``factor**2`` times as many outputs.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> from bvar.layers import Upsample2d
    >>> upsample = Upsample2d((1, 2, 1))
    >>> y, _ = upsample.forward(kernels.pack(np.array([[True, False]])))
    >>> kernels.unpack(y).reshape(2, 4).astype(int)
    array([[1, 1, 0, 0],
           [1, 1, 0, 0]])
    >>> upsample.backward(np.arange(8, dtype=np.int32)[None], None)
    array([[10, 18]], dtype=int32)
    """

    def __init__(self, image_shape: tuple[int, ...], factor: int | tuple[int, int] = 2) -> None:
        self.image_shape = check_image_shape(image_shape)
        down, across = factor if isinstance(factor, tuple) and len(factor) == 2 else (factor, factor)
        self.factor = check_integer(down, "factor", low=1), check_integer(across, "factor", low=1)

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
        return height * self.factor[0], width * self.factor[1], channels

    def forward(self, x: BitMatrix) -> tuple[Value, None]:
        """Repeat bits; the way back needs no context."""
        check_rows(x, self.n_inputs, "the images to be enlarged")
        pixels = kernels.unpack_ternary(x).reshape(-1, *self.image_shape)
        repeated = pixels.repeat(self.factor[0], axis=1).repeat(self.factor[1], axis=2)
        return kernels.pack(repeated.reshape(x.n_rows, self.n_outputs)), None

    def backward(self, signal: np.ndarray, context: Any) -> np.ndarray:
        """Add up the votes on all copies of a bit; int32, a sum that is kept within it when it is complete."""
        (height, width, channels), (down, across) = self.image_shape, self.factor
        copies = signal.reshape(-1, height, down, width, across, channels)
        votes = copies.sum(axis=(2, 4), dtype=np.int64).reshape(len(signal), self.n_inputs)
        return np.clip(votes, -_MOST, _MOST).astype(np.int32)
