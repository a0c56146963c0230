r"""The mean of each channel over an image, in integers (``docs/explanation/convolution.md``).

.. math:: y_{n,c} = \operatorname{clip}_{\pm 127} \operatorname{round}\Bigl(2^{-20} k \sum_p s_{n,p,c}\Bigr),
          \qquad k = \operatorname{round}\Bigl(2^{20} \frac{32}{P \sqrt v}\Bigr)

over P places whose sums have variance v: 32 is a mean as far from 0 as one sum usually is.
"""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import Any

import numpy as np

from bvar import kernels
from bvar._fixed_point import rounded_root
from bvar._validation import check_array, check_image_shape, check_integer, check_rows
from bvar.layers.base import Layer

__all__ = ["GlobalMean"]


class GlobalMean(Layer):
    r"""Average integer sums over all places of an image, and round to int8: the global average pool.

    Parameters
    ----------
    image_shape : tuple of int
        (height, width, channels) of the layer below.
    variance : int
        Of a sum over random weights and inputs: its number of terms, for xnor.
    fan_out : int
        Number of sums above that see each mean.

    Attributes
    ----------
    factor : int
        k, with `SHIFT` fractional bits.
    back_factor : int
        The same for signals: :math:`1 / \sqrt{\text{fan\_out} \cdot P}`.

    Raises
    ------
    TypeError, ValueError
        If a size is not a positive integer, or the means would need more than 20 fractional bits.

    See Also
    --------
    SignedSum : Takes the means, whose size is its default.
    SumPool2d : Of squares.

    Notes
    -----
    Every place gets the same signal, ``round(k' * g)``: each has 1/P of a part in the mean. The constant is chosen
    as that of :class:`Threshold` is: signals keep their size if those of P places are taken together.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.layers import GlobalMean
    >>> pool = GlobalMean((1, 2, 1), variance=100, fan_out=2)
    >>> y, context = pool.forward(np.array([[10, 30]], dtype=np.int32))
    >>> y
    array([[64]], dtype=int8)
    >>> pool.backward(np.array([[100]], dtype=np.int32), context)
    array([[50, 50]], dtype=int8)
    """

    SHIFT = 20
    ONE = 32

    def __init__(self, image_shape: tuple[int, ...], variance: int, fan_out: int) -> None:
        self.image_shape = check_image_shape(image_shape)
        self.variance = check_integer(variance, "variance", low=1)
        self.fan_out = check_integer(fan_out, "fan_out", low=1, high=kernels.MAX_TERMS)
        places = prod(self.image_shape[:2])
        one = self.ONE << self.SHIFT
        self.factor = rounded_root(Fraction(one**2, places**2 * self.variance))
        self.back_factor = rounded_root(Fraction(1 << 2 * self.SHIFT, self.fan_out * places))
        if not self.factor:
            raise ValueError(f"variance must be smaller for images of {places} places, got {variance}")

    @property
    def n_inputs(self) -> int:
        """Values in an image of the layer below."""
        return prod(self.image_shape)

    @property
    def n_outputs(self) -> int:
        """Channels."""
        return self.image_shape[2]

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, None]:
        """Average int32 sums, int8; the way back needs no context."""
        check_rows(check_array(x, "x", dtype=np.int32, ndim=2), self.n_inputs, "the mean")
        totals = x.reshape(-1, prod(self.image_shape[:2]), self.n_outputs).sum(axis=1, dtype=np.int64)
        return _scaled(totals, self.factor, self.SHIFT), None

    def backward(self, signal: np.ndarray, context: Any) -> np.ndarray:
        """Send the signal on each mean to all places, int8."""
        scaled = _scaled(signal.astype(np.int64), self.back_factor, self.SHIFT)
        return np.tile(scaled, (1, self.n_inputs // self.n_outputs))


def _scaled(values: np.ndarray, factor: int, shift: int) -> np.ndarray:
    """Multiply by a factor with `shift` fractional bits, halves away from zero, and keep within int8."""
    size = (np.abs(values) * factor + (1 << (shift - 1))) >> shift
    return (np.sign(values) * np.minimum(size, 127)).astype(np.int8)
