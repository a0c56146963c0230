"""Convolutions of real weights, outside the promise of equal bits (``docs/explanation/real-ends.md``)."""

from __future__ import annotations

import numpy as np

from bvar import kernels
from bvar._validation import check_integer
from bvar.bits import BitMatrix
from bvar.bits.random import RandomSource
from bvar.bits.windows import SlidingWindow
from bvar.layers.number_conv import NumberConv2d, Seen
from bvar.real.layers import RealLinear, rms_of
from bvar.real.rounding import to_votes
from bvar.real.trainer import RealLayer

__all__ = ["RealConv2d"]


class RealConv2d(NumberConv2d[RealLinear], RealLayer):
    """Real weights on images of numbers or bits: the paper's first layer, and the last of its dense networks.

    Bits count as +1 and -1, missing ones as 0, and get votes as from :class:`RealLinear`. Float: reproducible by
    seed on one backend, outside the promise of equal bits.

    Parameters
    ----------
    image_shape : tuple of int
        (height, width, channels) of the images.
    n_filters : int
        Outputs at each place.
    kernel_size : int or (int, int), default=3
        Taps of the window, vertically and horizontally.
    stride : int or (int, int), default=1
        Pixels between places.
    padding : int or (int, int), default=0
        How far the window may stand out of the image on every side; the numbers there are 0.
    dilation : int or (int, int), default=1
        Pixels between taps.
    bias : bool, default=True
        Whether each filter has a bias, at first 0.
    random_state : None, int, RandomState or RandomWords, default=None
        Where the initial weights come from, see :class:`RealLinear`.
    name : str, default='real'
        What the layer is called in tables.

    Attributes
    ----------
    linear : RealLinear
        The layer on patches; `linear.weight` has shape (n_filters, patch size).
    window : bvar.bits.SlidingWindow
        The window and its places.

    Raises
    ------
    TypeError, ValueError
        If sizes do not fit each other.

    See Also
    --------
    bvar.layers.SignedConv2d : With Boolean weights.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.real import RealConv2d
    >>> layer = RealConv2d((4, 4, 1), 2, padding=1, random_state=0)
    >>> s, _ = layer.forward(np.ones((1, 16), np.float32))
    >>> s.shape, s.dtype
    ((1, 32), dtype('float32'))
    """

    def __init__(
        self,
        image_shape: tuple[int, ...],
        n_filters: int,
        kernel_size: int | tuple[int, int] = 3,
        *,
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1,
        bias: bool = True,
        random_state: RandomSource = None,
        name: str = "real",
    ) -> None:
        n_filters = check_integer(n_filters, "n_filters", low=1, high=kernels.MAX_TERMS)
        window = SlidingWindow(image_shape, kernel_size, stride, padding, dilation)
        linear = RealLinear(window.patch_size, n_filters, bias=bias, random_state=random_state, name=name)
        self._place(window, linear)

    def _place(self, window: SlidingWindow, linear: RealLinear) -> None:
        super()._place(window, linear)
        self.real_parameters = linear.real_parameters
        for parameter in linear.real_parameters:
            parameter.n_places = window.n_places

    def forward(self, x: np.ndarray | BitMatrix) -> tuple[np.ndarray, Seen]:
        """Compute the sums of images of float32 numbers, or of bits."""
        if not isinstance(x, BitMatrix):
            return super().forward(x)
        sums, seen = super().forward(kernels.unpack_ternary(x).astype(np.float32))
        return sums, seen._replace(context=seen.context._replace(are_bits=True))

    def backward(self, signal: np.ndarray, context: Seen) -> np.ndarray:
        """Pass signals down to all places that see a value: the gradient in numbers, or int32 votes on bits."""
        numbers = context._replace(context=context.context._replace(are_bits=False))  # votes are rounded once
        below = super().backward(signal, numbers)
        return to_votes(below / rms_of(self.linear.weight.values)) if context.context.are_bits else below

    def gradients(self, signal: np.ndarray, context: Seen) -> tuple[np.ndarray, ...]:
        """Sum up the gradients of all samples and places."""
        return self.linear.gradients(self._by_place(signal), context.context)
