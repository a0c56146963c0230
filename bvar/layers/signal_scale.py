r"""The scale of signals that sums pass down to gates: a constant of the architecture, in integers.

.. math:: z = \operatorname{clip}_{\pm 32767} \operatorname{round}(2^{-20} k \, g), \qquad
          k = \operatorname{round}\bigl(2^{20} \sqrt{2 / \text{fan\_out}}\bigr)

Bits go up as they are.  The page ``docs/explanation/thresholds.md`` derives the root.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from bvar import kernels
from bvar._fixed_point import rounded_root
from bvar._validation import check_array, check_integer
from bvar.kernels import MAX_TERMS
from bvar.layers.base import Layer, Value

__all__ = ["SignalScale"]


class SignalScale(Layer):
    """Hand bits up, and make what sums pass down as loud as a signal again.

    It stands between a layer of gates, which passes signals on as they are, and a layer of sums, where each unit
    hears from all `fan_out` of them.

    Parameters
    ----------
    fan_out : int
        Number of sums above that read each unit.

    Attributes
    ----------
    factor : int
        k, the scale with `SHIFT` fractional bits.

    Raises
    ------
    TypeError, ValueError
        If `fan_out` is not an integer in [1, MAX_TERMS].

    See Also
    --------
    Threshold : Which scales by itself.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.layers import SignalScale
    >>> scale = SignalScale(fan_out=200)
    >>> scale.factor / 2**20
    0.10000038146972656
    >>> scale.backward(np.array([[1000, -1004, 5, -5]], dtype=np.int32), None)
    array([[ 100, -100,    1,   -1]], dtype=int16)
    """

    SHIFT = 20

    def __init__(self, fan_out: int) -> None:
        self.fan_out = check_integer(fan_out, "fan_out", low=1, high=MAX_TERMS)
        self.factor = rounded_root(Fraction(2 << 2 * self.SHIFT, self.fan_out))

    def forward(self, x: Value) -> tuple[Value, None]:
        """Hand bits up as they are."""
        return x, None

    def backward(self, signal: np.ndarray, context: Any) -> np.ndarray:
        """Scale votes, int16: halves away from zero, and kept within +-32767, each by itself."""
        signal = check_array(signal, "signal", dtype=(np.int8, np.int16, np.int32), ndim=2)
        return kernels.scale_signals(signal.astype(np.int32, copy=False), self.factor, self.SHIFT)
