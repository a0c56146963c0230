r"""Batch normalisation of sums, for the threshold that follows (``docs/explanation/real-ends.md``).

Training takes mean and variance from the batch, inference from what ran along with training.  At inference, the
normalisation and the threshold together are one comparison of an integer sum with an integer, per unit or filter.

Float: reproducible by seed on one backend, outside the promise of equal bits; and a batch that is split has other
statistics in each part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from bvar import kernels
from bvar._validation import check_integer, check_real
from bvar.layers.base import Comparison, Layer, Value
from bvar.layers.signed_sum import to_int8
from bvar.real.blocks import blocks
from bvar.real.once import Once
from bvar.real.rounding import LEAST_EPSILON, ONE, fixed_point
from bvar.real.trainer import RealLayer, RealParameter

__all__ = ["BatchNorm", "normalize", "normalize_backward"]

_FAR = 2**30 + 1  # beyond every sum, and beyond the largest 64th


class BatchNorm(RealLayer):
    r"""Bring each unit to a learnt mean and spread, in whole 64ths for a threshold.

    .. math:: y_{bj} = \lfloor 64 (\gamma_j \hat s_{bj} + \beta_j) \rfloor, \qquad
              \hat s_{bj} = \frac{s_{bj} - \mu_j}{\sqrt{v_j + \epsilon n}}

    with mean and variance over the batch in training, and running ones at inference. The
    :class:`~bvar.layers.Threshold` above has the fan-in ``BatchNorm.FAN_IN``: sums of so many bits have the spread
    of 64ths of numbers of variance 1.

    Parameters
    ----------
    n_units : int
        Width of the layer, or the number of filters of a convolution, whose sums are then taken over all places.
    fan_in : int, default=1
        The number n of terms in each sum, or what else its variance is near: 1 behind a first
        :class:`RealLinear`.
    momentum : float, default=0.1
        Share of a new batch in the running statistics, above 0 and at most 1.
    epsilon : float, default=0.001
        What is added to the variance, as a share of `fan_in`: a unit that never changes stays calm.
    name : str, default='norm'
        What the layer is called in tables.

    Attributes
    ----------
    scale, shift : RealParameter
        Gamma, at first 1, and beta, at first 0: float32, shape (n_units,).
    mean, variance : ndarray of float64, shape (n_units,)
        Running statistics; at first 0 and `fan_in`, those of sums of random bits.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or is out of range.

    Notes
    -----
    What comes back is the exact gradient through the batch statistics, times the constant ``sqrt(fan_in)``, which
    undoes the usual spread of a sum; signals therefore keep their size. It is rounded to int8 for integer sums
    and stays float for real ones. Every row of a batch counts alike, whatever its weight in the loss.

    References
    ----------
    S. Ioffe and C. Szegedy, "Batch Normalization", ICML 2015; on centred integer sums as in V. M. Nguyen et al.,
    "BOLD: Boolean Logic Deep Learning", NeurIPS 2024, section 4.1.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.real import BatchNorm
    >>> layer = BatchNorm(1, fan_in=100)
    >>> y, _ = layer.forward(np.array([[10], [30]], np.int32))
    >>> y.ravel().tolist()
    [-64, 63]
    >>> layer.infer(np.array([[10], [30]], np.int32)).ravel().tolist()
    [63, 191]
    """

    FAN_IN = ONE**2

    def __init__(
        self,
        n_units: int,
        fan_in: int = 1,
        *,
        momentum: float = 0.1,
        epsilon: float = 1e-3,
        name: str = "norm",
    ) -> None:
        n_units = check_integer(n_units, "n_units", low=1, high=kernels.MAX_TERMS)
        self.fan_in = check_integer(fan_in, "fan_in", low=1, high=2**62)
        self.momentum = check_real(momentum, "momentum", low=0, strict=True)
        if self.momentum > 1:
            raise ValueError(f"momentum must be above 0 and at most 1, got {momentum!r}")
        self.epsilon = check_real(epsilon, "epsilon", low=LEAST_EPSILON)
        self.name = name
        self.scale = RealParameter(f"{name}.scale", np.ones(n_units, np.float32))
        self.shift = RealParameter(f"{name}.shift", np.zeros(n_units, np.float32))
        self.mean = np.zeros(n_units)
        self.variance = np.full(n_units, float(fan_in))
        self.real_parameters = (self.scale, self.shift)
        self.statistics = (self.mean, self.variance)

    @property
    def n_units(self) -> int:
        """Width of the layer, or number of filters."""
        return len(self.mean)

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, Normalized]:
        """Normalise sums by the statistics of the batch, over samples and places; give int32 64ths."""
        dtype = self.scale.values.dtype
        with np.errstate(over="ignore", invalid="ignore"):  # what is wrong is refused below
            context = normalize(self._rows(x).astype(dtype), self.epsilon * self.fan_in, x.dtype)
        if not (np.isfinite(context.inverse) & (context.inverse > 0)).all():  # one look at each unit
            raise ValueError(f"x must be finite for {self.name}, and small enough for its variance to be")
        y = np.empty(context.values.shape, np.int32)
        for rows in blocks(y):
            y[rows] = fixed_point(self.scale.values * context.values[rows] + self.shift.values)
        return y.reshape(x.shape), context

    def infer(self, x: np.ndarray) -> np.ndarray:
        """Normalise sums by the running statistics; give int32 64ths."""
        slope, offset = self._line()
        return fixed_point(slope * self._rows(x) + offset).reshape(x.shape)

    def absorb(self, above: Sequence[Layer]) -> tuple[Callable[[Any], Value], Sequence[Layer]]:
        """Compare integer sums, if a threshold follows: no float is left then."""
        found = self.comparison(above)
        if found is None:
            return super().absorb(above)
        taken = [self, *above[: len(above) - len(found.left)]]

        def infer(s: np.ndarray) -> Value:
            if s.dtype.kind == "i":
                reached = s >= found.tau
                return kernels.pack(reached if found.below is None else reached ^ found.below)
            value: Any = s  # real sums lie between the integers
            for layer in taken:
                value = layer.infer(value)
            return value

        return infer, found.left

    def comparison(self, above: Sequence[Layer]) -> Comparison | None:
        """Merge with a threshold above; two normalisations in a row merge as well."""
        found = above[0].comparison(above[1:]) if above else None
        if found is None or type(self) is not BatchNorm:  # a subclass may normalise otherwise
            return None
        t, below = self.thresholds(found.tau)
        return Comparison(t, below if found.below is None else below ^ found.below, found.left)

    def thresholds(self, tau: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        r"""Merge the inference with a threshold above: one integer for each unit, and the direction.

        .. math:: y_{bj} \ge \tau_j \iff s_{bj} \ge t_j \quad (\gamma_j > 0) \qquad \text{or} \qquad
                  s_{bj} < t_j \quad (\gamma_j < 0),

        where :math:`t_j` is :math:`\mu_j + (\tau_j / 64 - \beta_j) \sqrt{v_j + \epsilon n} / \gamma_j`, rounded up
        (for a negative gamma to the integer above it), up to what floats make of it: it is searched for, so that
        the answer is that of `infer` for every integer sum.

        Parameters
        ----------
        tau : ndarray of int32, shape (n_units,) or (n_places * n_units,)
            Thresholds on the output.

        Returns
        -------
        t : ndarray of int32, of the shape of `tau`
            Thresholds on the sums.
        below : ndarray of bool, of the shape of `tau`
            Where sums below the threshold give T, instead of sums from it on.
        """
        slope, offset = self._line()
        below = slope < 0
        places = self._rows(tau)
        if (places == places[0]).all():  # mostly, so search once for all places
            places = places[:1]

        def reached(s: np.ndarray) -> np.ndarray:
            """Whether integer sums are in the upper part: what `infer` and the threshold say, turned if needed."""
            return (fixed_point(slope * s + offset) >= places) ^ below

        with np.errstate(divide="ignore", invalid="ignore"):
            edge = np.ceil((places / ONE - offset) / slope)
        t = np.tile(_first(reached, edge), (tau.size // places.size, 1))
        return t.reshape(tau.shape), np.tile(below, tau.size // self.n_units)

    def backward(self, signal: np.ndarray, context: Normalized) -> np.ndarray:
        """Give the gradient in the sums, statistics included: int8 if these were integers, else float32."""
        gain = sqrt(self.fan_in) * self.scale.values
        rows, to_integers = self._rows(signal), context.dtype.kind == "i"
        below = normalize_backward(rows, context, gain, self._sums(signal, context), to_integers=to_integers)
        return below.reshape(signal.shape)

    def gradients(self, signal: np.ndarray, context: Normalized) -> tuple[np.ndarray, ...]:
        """Sum up the gradients in scale and shift."""
        return self._sums(signal, context)

    def _sums(self, signal: np.ndarray, context: Normalized) -> tuple[np.ndarray, np.ndarray]:
        return context.sums.make(signal, lambda z: _sums(self._rows(z), context.values))

    def moments(self, context: Normalized) -> tuple[np.ndarray, ...]:
        """Sum up the numbers of rows, the sums and their squares: one array of shape (3, n_units)."""
        n = len(context.values)
        mean, variance = context.mean.astype(np.float64), context.variance.astype(np.float64)
        return (np.stack([np.full(len(mean), float(n)), n * mean, n * (variance + mean**2)]),)

    def learn_moments(self, moments: np.ndarray) -> None:
        """Move the running statistics towards those of a batch."""
        (n, total, squares), rows = moments, moments[0, 0]
        if rows < 2:
            return  # one row has no variance
        mean = total / n
        variance = np.maximum(squares / n - mean**2, 0) * (rows / (rows - 1))  # of what the batch is a sample of
        self.mean += self.momentum * (mean - self.mean)
        self.variance += self.momentum * (variance - self.variance)

    def _line(self) -> tuple[np.ndarray, np.ndarray]:
        """Slope and offset of the inference."""
        # float64 from here on: float32 does not hold every int32 sum, and `thresholds` must agree with `infer`
        slope = self.scale.values / np.sqrt(self.variance + self.epsilon * self.fan_in)
        return slope, self.shift.values - slope * self.mean

    def _rows(self, x: np.ndarray) -> np.ndarray:
        if x.shape[-1] % self.n_units:
            raise ValueError(
                f"x has {x.shape[-1]} units, which is no multiple of the {self.n_units} of {self.name}"
            )
        return x.reshape(-1, self.n_units)


def _first(rises: Callable[[np.ndarray], np.ndarray], guess: np.ndarray) -> np.ndarray:
    """Find the first integers at which functions are true that once true stay so; int32, `_FAR` for none.

    All are true from the last on, and false before the first, that a sum can have.
    """
    low, high = np.full(guess.shape, -_FAR), np.full(guess.shape, _FAR)  # there false, here true
    guess = np.clip(np.nan_to_num(guess), 2 - _FAR, _FAR - 1).astype(np.int64)
    probe = guess - 1  # a guess that is right ends the search after two looks
    while (high - low > 1).any():
        true = rises(probe)
        high = np.where(true, np.minimum(high, probe), high)
        low = np.where(true, low, np.maximum(low, probe))
        probe = np.where((low < guess) & (guess < high), guess, (low + high + 1) // 2)
    return high.astype(np.int32)


class Normalized(NamedTuple):
    """Rows of mean 0 and variance 1, what was done to get there, and sums over the signals on them."""

    values: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    inverse: np.ndarray
    dtype: np.dtype
    sums: Once[tuple[np.ndarray, np.ndarray]]


def normalize(s: np.ndarray, epsilon: float, dtype: DTypeLike | None = None) -> Normalized:
    """Subtract the mean of the rows and divide by their spread.

    Parameters
    ----------
    s : ndarray of float, shape (n_rows, n_units)
        Sums.
    epsilon : float
        Added to the variance.
    dtype : dtype, optional
        What the sums were before they became floats; passed on.

    Returns
    -------
    Normalized
        The normalised rows, mean, variance, and the inverse of the spread.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.real.batch_norm import normalize
    >>> normalize(np.array([[1.0], [5.0]]), 0.0).values.ravel()
    array([-1.,  1.])
    """
    n = max(len(s), 1)
    mean = s.sum(axis=0) / n
    centered = s - mean
    variance = np.einsum("bj,bj->j", centered, centered) / n
    inverse = 1 / np.sqrt(variance + s.dtype.type(epsilon))
    centered *= inverse
    return Normalized(centered, mean, variance, inverse, np.dtype(dtype or s.dtype), Once())


def normalize_backward(
    z: np.ndarray,
    context: Normalized,
    gain: np.ndarray | float = 1.0,
    sums: tuple[np.ndarray, np.ndarray] | None = None,
    *,
    to_integers: bool = False,
) -> np.ndarray:
    r"""Give the gradient of ``sum(z * normalize(s).values)`` in s, statistics included.

    .. math:: \frac{1}{\sigma_j} \Bigl(z_{bj} - \tfrac1B \sum_c z_{cj}
              - \hat s_{bj}\, \tfrac1B \sum_c z_{cj} \hat s_{cj}\Bigr)

    Parameters
    ----------
    z : ndarray, shape (n_rows, n_units)
        Signals on the normalised rows; integers are taken as numbers.
    context : Normalized
        What `normalize` returned.
    gain : float or ndarray of float, shape (n_units,), default=1.0
        What the gradient is multiplied by.
    sums : (ndarray, ndarray), each of shape (n_units,), optional
        The sums over the rows of ``z * context.values`` and of z. Default: they are added up here.
    to_integers : bool, default=False
        Whether to round it to int8.

    Returns
    -------
    ndarray of float or of int8, shape (n_rows, n_units)
        The gradient.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.real.batch_norm import normalize, normalize_backward
    >>> context = normalize(np.array([[1.0], [2.0], [5.0]]), 0.0)
    >>> bool(abs(normalize_backward(np.ones((3, 1)), context)).max() < 1e-12)  # all rise together: nothing changes
    True
    """
    n, values = max(len(z), 1), context.values
    along, common = (total / n for total in (_sums(z, values) if sums is None else sums))
    factor = (gain * context.inverse).astype(values.dtype)
    below = np.empty(z.shape, np.int8 if to_integers else values.dtype)
    for rows in blocks(z):
        part = z[rows] - common
        part -= values[rows] * along
        part *= factor
        below[rows] = to_int8(part) if to_integers else part
    return below


def _sums(z: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum up, over the rows, signals times normalised sums, and signals."""
    along, common = (np.zeros(z.shape[1], values.dtype) for _ in range(2))
    for rows in blocks(z):
        part = z[rows].astype(values.dtype)
        common += part.sum(axis=0)
        along += np.einsum("bj,bj->j", part, values[rows])
    return along, common
