r"""Layer normalisation: each row by its own mean and spread (``docs/explanation/transformers.md``).

Float: reproducible by seed on one backend, outside the promise of equal bits.  A row needs no other: training and
inference are the same, and a batch may be split.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bvar._validation import check_integer, check_real, check_rows
from bvar.kernels import MAX_TERMS
from bvar.real.rounding import LEAST_EPSILON
from bvar.real.trainer import RealLayer, RealParameter
from bvar.real.transformer_parts import normalize, normalize_back

__all__ = ["LayerNorm"]


class LayerNorm(RealLayer):
    r"""Bring each row to mean 0 and mean square 1, then each unit to a learnt spread and mean.

    .. math:: y_{bj} = \gamma_j \frac{x_{bj} - \mu_b}{\sqrt{v_b + \epsilon}} + \beta_j

    with mean and variance over the units of a row.

    Parameters
    ----------
    n_units : int
        Width of the layer.
    epsilon : float, default=1e-5
        What is added to the variance.
    name : str, default='norm'
        What the layer is called in tables.

    Attributes
    ----------
    scale, shift : RealParameter
        Gamma, at first 1, and beta, at first 0: float32, shape (n_units,).

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or is out of range.

    See Also
    --------
    BatchNorm : Takes mean and spread of a unit, over the batch.
    FixedPoint : What stands between this layer and a threshold.

    References
    ----------
    J. L. Ba, J. R. Kiros and G. E. Hinton, "Layer Normalization", arXiv:1607.06450, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.real import LayerNorm
    >>> LayerNorm(2).forward(np.array([[10.0, 30.0]], np.float32))[0].round(3)
    array([[-1.,  1.]], dtype=float32)
    """

    def __init__(self, n_units: int, *, epsilon: float = 1e-5, name: str = "norm") -> None:
        n_units = check_integer(n_units, "n_units", low=1, high=MAX_TERMS)
        self.epsilon = check_real(epsilon, "epsilon", low=LEAST_EPSILON)
        self.name = name
        self.scale = RealParameter(f"{name}.scale", np.ones(n_units, np.float32))
        self.shift = RealParameter(f"{name}.shift", np.zeros(n_units, np.float32))
        self.real_parameters = (self.scale, self.shift)

    @property
    def n_units(self) -> int:
        """Width of the layer."""
        return len(self.scale.values)

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, _Centred]:
        """Normalise rows of numbers."""
        check_rows(x, self.n_units, self.name)
        with np.errstate(over="ignore", invalid="ignore"):  # what is wrong is refused below
            out, centred, factor = normalize(x, self.scale.values, self.epsilon, self.shift.values)
        if not (np.isfinite(factor) & (factor > 0)).all():  # one look at each row, not at each number
            raise ValueError(f"x must be finite for {self.name}, and small enough for its variance to be")
        return out, _Centred(centred, factor)

    def backward(self, signal: np.ndarray, context: _Centred) -> np.ndarray:
        """Give the gradient in the rows; signals may be integers."""
        z = signal.astype(context.x.dtype, copy=False)
        return normalize_back(z, *context, self.scale.values, is_centred=True)[0]

    def gradients(self, signal: np.ndarray, context: _Centred) -> tuple[np.ndarray, ...]:
        """Sum up the gradients in scale and shift."""
        z = signal.astype(context.x.dtype, copy=False)
        return (z * (context.x * context.factor)).sum(axis=0), z.sum(axis=0)


class _Centred(NamedTuple):
    """Rows less their mean, and what makes their spread 1."""

    x: np.ndarray
    factor: np.ndarray
