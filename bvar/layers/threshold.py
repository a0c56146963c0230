r"""The threshold, and the curve that a signal meets on its way back through it.

Forward: T where the sum reaches the threshold.  Backward: the exact variation of a step is zero but at the step
itself, so no signal would pass (``docs/explanation/chain-rules.md``); the signal is scaled by a surrogate instead,

.. math:: \tanh'(\alpha \Delta) = 1 - \tanh^2(\alpha \Delta), \qquad \Delta = |s - \tau| ,

as in BOLD, App. C.3.  The page ``docs/explanation/backpropagation.md`` derives alpha and the scale.  It is the
variation of a threshold in logistic noise; without noise only sums that meet the threshold are heard.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from math import ceil

import numpy as np

from bvar import kernels
from bvar._fixed_point import PI, median_of_largest, sech2_table, sqrt
from bvar._validation import LARGEST, as_array, check_array, check_integer, check_real, check_rows
from bvar.bits import BitMatrix
from bvar.calculus.gates import Gate
from bvar.layers.base import Comparison, Layer

__all__ = ["Threshold"]

_WIDEST = 100  # noise of ten thousand times the variance; a curve grows with the width


class Threshold(Layer):
    r"""Compare sums with a threshold.

    .. math:: y_{bj} = T \iff s_{bj} \ge \tau, \qquad
              z_{bj} = \operatorname{round}\bigl(c \, g_{bj} \, (1 - \tanh^2 (\alpha |s_{bj} - \tau|))\bigr)

    Parameters
    ----------
    n_units : int
        Width of the layer.
    fan_in : int
        Number of terms in each sum.
    fan_out : int or Fraction
        Number of outputs of the layer above, whose votes come back; on average, where it depends on the unit.
    gate, next_gate : str, int or Gate, default='xnor'
        Connectives of the layer below and of the layer above.
    n_terms : ndarray of int, shape (n_units,), optional
        Number of terms in each sum, where it differs: at the border of an image. Default: all `fan_in`.
    pool : int, default=1
        Number of sums of which each is the largest.
    width : float, default=1.0
        Width of the noise that the curve stands for, see :meth:`set_width`.

    Attributes
    ----------
    tau : ndarray of int32, shape (n_units,)
        The median of the sum over random bits: 0 for xnor, ``-fan_in / 2`` for and; above it for a pool.
    curve : ndarray of int32
        The surrogate as fixed-point numbers with `SHIFT` fractional bits, indexed by the distance.

    Raises
    ------
    TypeError, ValueError
        If a count is not a positive integer, a gate is unknown or the width is not in [0, 100].

    See Also
    --------
    bvar.mollify.mollified_threshold : The threshold in noise.
    bvar.mollify.ThresholdAnnealing : Narrows the noise in the course of training.

    Notes
    -----
    Over random bits the sum has variance ``v = fan_in * (1 - mean**2)`` for a gate of mean `mean`; alpha is
    :math:`\pi / (2 \sqrt{3 v})`, so that the logistic density proportional to the curve has that variance
    (BOLD, Eq. 47, for xnor in +1/-1 units; for the other gates derived here).  The scale
    :math:`c = \sqrt{2 / (\text{fan\_out} \cdot p)}`, where p is the share of non-zero variations of the gate
    above, keeps the variance of signals from layer to layer (BOLD, App. C.1).  Both are constants of the
    architecture: no statistic of a batch enters, so a batch may be split in any way.

    A threshold behind a pool of n sums lies :math:`\Phi^{-1}(2^{-1/n}) \sqrt v` higher, 0.998 spreads for a square
    of two by two (derived here): that is the median of the largest of n independent sums.  With the threshold of
    a single sum, 15 of 16 activations would be T and say little.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.layers import Threshold
    >>> layer = Threshold(2, fan_in=12, fan_out=2)
    >>> y, s = layer.forward(np.array([[0, -1]], dtype=np.int32))
    >>> y.words
    array([[1]], dtype=uint64)
    >>> layer.backward(np.array([[100, 100]], dtype=np.int32), s)
    array([[100,  93]], dtype=int8)
    """

    # the curve is then at most 2**22, so its product with int32 votes is exact in int64, and in float64 too
    SHIFT = 20
    _formula: tuple[Decimal, Decimal] | None = None  # alpha and c

    def __init__(
        self,
        n_units: int,
        fan_in: int,
        fan_out: int | Fraction,
        gate: str | int | Gate = "xnor",
        next_gate: str | int | Gate = "xnor",
        *,
        n_terms: np.ndarray | None = None,
        pool: int = 1,
        width: float = 1.0,
    ) -> None:
        n_units = check_integer(n_units, "n_units", low=1, high=LARGEST)
        fan_in = check_integer(fan_in, "fan_in", low=1, high=2**62)
        pool = check_integer(pool, "pool", low=1)
        if not isinstance(fan_out, Fraction):
            fan_out = check_integer(fan_out, "fan_out", low=1)
        elif fan_out <= 0:
            raise ValueError(f"fan_out must be above 0, got {fan_out}")
        below, above = Gate.of(gate), Gate.of(next_gate)
        n_terms = np.full(n_units, fan_in) if n_terms is None else as_array(n_terms, "n_terms")
        if n_terms.shape != (n_units,) or n_terms.dtype.kind not in "iu":
            got = f"{n_terms.dtype} {n_terms.shape}"
            raise ValueError(f"n_terms must be integers of shape ({n_units},), got {got}")
        if n_terms.min(initial=0) < 0:
            raise ValueError(f"n_terms must be at least 0, got {n_terms.min()}")
        numbers, which = np.unique(n_terms, return_inverse=True)
        medians = [_median(int(n), fan_in, below, pool) for n in numbers]
        if max(map(abs, medians)) >= 2**31:
            raise ValueError(f"fan_in must be smaller: the median of such sums, {medians[-1]}, is no int32")
        self.tau = np.array(medians, np.int32)[which]
        self._formula = surrogate_width(fan_in, below), signal_scale(fan_out, above)
        self.set_width(width)

    @property
    def n_units(self) -> int:
        """Number of thresholds: sums in, bits out."""
        return len(self.tau)

    def set_width(self, width: float) -> None:
        r"""Make the curve anew, for noise of another width.

        .. math:: t_d = \operatorname{round}\bigl(2^{20} c \, (1 - \tanh^2 (\alpha d / w))\bigr)

        At a distance :math:`d > 0` the curve is at most :math:`4 c \, e^{-2 \alpha d / w}` (derived here), and
        for :math:`w = 0` only sums that meet the threshold are heard; an odd number of terms never meets 0.
        The scale c stays as it is, so narrower noise lets less of the signal through.

        Parameters
        ----------
        width : float
            The factor w in [0, 100]: 1 gives the noise the variance of the sum, less is narrower.

        Raises
        ------
        TypeError, ValueError
            If it is no such number, or the layer comes from a file: a file keeps the curve, not its formula.

        Examples
        --------
        >>> from bvar.layers import Threshold
        >>> layer = Threshold(1, fan_in=12, fan_out=2)
        >>> for width in (1, 0.5, 0):
        ...     layer.set_width(width)
        ...     print((layer.curve[:4] / 2**20).round(2).tolist())
        [1.0, 0.93, 0.77, 0.57]
        [1.0, 0.77, 0.39, 0.16]
        [1.0, 0.0]
        """
        width = check_real(width, "width", low=0)
        if width > _WIDEST:
            raise ValueError(f"width must be in [0, {_WIDEST}], got {width!r}")
        if self._formula is None:
            raise ValueError("width of a layer that comes from a file cannot be set: the file has its curve alone")
        self.curve = sech2_table(*self._formula, self.SHIFT, width).astype(np.int32)

    def forward(self, x: np.ndarray) -> tuple[BitMatrix, np.ndarray]:
        """Compare int32 sums with the threshold; they are the context."""
        check_rows(check_array(x, "x", dtype=np.int32, ndim=2), self.n_units, "the threshold")
        return kernels.pack(x >= self.tau), x

    def comparison(self, above: Sequence[Layer]) -> Comparison | None:
        """Compare with tau: what a layer below may do where its sums arise."""
        # a subclass may answer otherwise: it is not merged
        return Comparison(self.tau, None, above) if type(self) is Threshold else None

    def backward(self, signal: np.ndarray, context: np.ndarray) -> np.ndarray:
        """Scale votes by the curve at their distance from the threshold; int16 ones come from gates."""
        if signal.dtype == np.int16:
            signal = np.ascontiguousarray(signal, dtype=np.int32)
        return kernels.rescale(signal, context, self.tau, self.curve, self.SHIFT)


def _median(n_terms: int, fan_in: int, gate: Gate, pool: int) -> int:
    """Tau: the median of a sum over random bits, or of the largest of `pool` sums, rounded up."""
    center = n_terms * gate.mean
    if pool == 1:
        return ceil(center)
    above = median_of_largest(pool) * sqrt(fan_in * (1 - gate.mean**2))
    return ceil(Decimal(center.numerator) / center.denominator + above)


def surrogate_width(fan_in: int, gate: Gate) -> Decimal:
    """Alpha: matches the variance of a sum of `fan_in` gates over random bits."""
    return PI / (2 * sqrt(3 * fan_in * (1 - gate.mean**2)))


def signal_scale(fan_out: int | Fraction, gate: Gate) -> Decimal:
    """c: keeps the variance of signals across `fan_out` outputs and a mean squared surrogate of one half."""
    share = Fraction(sum(map(abs, gate.variation_b)), 2)
    return sqrt(2 / (fan_out * share))
