r"""Real weights at the ends of a Boolean network (``docs/explanation/real-ends.md``).

Everything here is float: reproducible by seed on one backend, outside the promise of equal bits.  The functions
take matrices, whose rows are samples, or positions of a convolution; they keep the dtype of what they get.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bvar import kernels
from bvar._validation import check_array, check_integer
from bvar.bits import BitMatrix
from bvar.bits.random import RandomSource, RandomWords
from bvar.layers.base import Layer, Product
from bvar.real.rounding import ONE, fixed_point, to_votes
from bvar.real.trainer import RealLayer, RealParameter

__all__ = ["FixedPoint", "RealLinear", "affine", "affine_gradients", "real_votes"]


class RealLinear(RealLayer):
    r"""Multiply bits or numbers with real weights: a first or a last layer.

    .. math:: s_{bj} = b_j + \sum_i W_{ji} \, x_{bi},
              \qquad g_{bi} = \operatorname{round}\Bigl(\frac{1}{\operatorname{rms} W} \sum_j z_{bj} W_{ji}\Bigr)

    Bits count as +1 and -1, missing ones as 0. Float: reproducible by seed on one backend, outside the promise of
    equal bits.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Width of the layer below and of this one, at least 1.
    bias : bool, default=True
        Whether each output has a bias, at first 0.
    n_positions : int, default=1
        Rows of one sample, such as the positions of a text.
    random_state : None, int, RandomState or RandomWords, default=None
        Where the initial weights come from: uniform between plus and minus ``sqrt(3 / n_inputs)``, so that sums of
        inputs of mean square 1 have variance 1.
    name : str, default='real'
        What the layer is called in tables.

    Attributes
    ----------
    weight : RealParameter
        Float32, shape (n_outputs, n_inputs).
    bias : RealParameter or None
        Float32, shape (n_outputs,).

    Raises
    ------
    TypeError, ValueError
        If a width is not a positive integer.

    See Also
    --------
    FixedPoint, BatchNorm : What stands between a first layer of this kind and its :class:`~bvar.layers.Threshold`.
    RealCrossEntropy : The loss for scores of a last one.
    Adam : What trains the weights.

    Notes
    -----
    Votes on bits are divided by the root mean square of W: those of a layer of weights +1 and -1 are of that size,
    and the scale of :class:`~bvar.layers.Threshold` is made for it. Only the proportion of votes matters to what
    lies below, and the size of W, which belongs to the loss, does not leak into it.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> from bvar.real import RealLinear
    >>> layer = RealLinear(3, 2, random_state=0)
    >>> s, context = layer.forward(kernels.pack(np.array([[True, False, True]])))
    >>> s.shape, s.dtype
    ((1, 2), dtype('float32'))
    >>> layer.backward(np.array([[100, -100]], np.float32), context).dtype
    dtype('int32')
    """

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        *,
        bias: bool = True,
        n_positions: int = 1,
        random_state: RandomSource = None,
        name: str = "real",
    ) -> None:
        n_inputs = check_integer(n_inputs, "n_inputs", low=1, high=kernels.MAX_BITS)
        n_positions = check_integer(n_positions, "n_positions", low=1)
        n_outputs = check_integer(n_outputs, "n_outputs", low=1, high=kernels.MAX_TERMS)
        if not isinstance(bias, bool):
            raise TypeError(f"bias must be True or False, got {bias!r}")
        source = RandomWords.of(random_state)
        weight = np.sqrt(3 / n_inputs) * source.uniform(n_outputs, n_inputs)
        self.name = name
        self.weight = RealParameter(f"{name}.weight", weight.astype(np.float32))
        self.bias = RealParameter(f"{name}.bias", np.zeros(n_outputs, np.float32)) if bias else None
        self.real_parameters = (self.weight,) if self.bias is None else (self.weight, self.bias)
        for parameter in self.real_parameters:
            parameter.n_places = n_positions

    @property
    def n_inputs(self) -> int:
        """Width of the layer below."""
        return self.weight.values.shape[1]

    @property
    def n_outputs(self) -> int:
        """Width of this layer."""
        return self.weight.values.shape[0]

    def products(self) -> tuple[Product, ...]:
        """Say that every output sees every input, in floats."""
        row = Product.of_rows(self.name, self.n_inputs, self.n_outputs, input_bits=32, is_real=True)
        return (row.at_places(self.weight.n_places),)

    def forward(self, x: BitMatrix | np.ndarray) -> tuple[np.ndarray, _Inputs]:
        """Compute the sums of bits, some of which may be missing, or of finite float32 numbers."""
        are_bits = isinstance(x, BitMatrix)
        if isinstance(x, BitMatrix):
            values = kernels.unpack_ternary(x).astype(np.float32)
        else:
            values = check_array(x, "x", dtype=np.float32, ndim=2)
            if not np.isfinite(values).all():
                raise ValueError("x must be finite: a missing number has no sum")
        if values.shape[1] != self.n_inputs:
            raise ValueError(
                f"x has {values.shape[1]} inputs but {self.name} has {self.n_inputs}: they must agree"
            )
        bias = None if self.bias is None else self.bias.values
        return affine(values, self.weight.values, bias), _Inputs(values, are_bits)

    def backward(self, signal: np.ndarray, context: _Inputs) -> np.ndarray:
        """Pass the signals down through the weights: int32 votes on bits, or the gradient in numbers."""
        if context.are_bits:
            return real_votes(signal, self.weight.values)
        return signal.astype(self.weight.values.dtype) @ self.weight.values

    def gradients(self, signal: np.ndarray, context: _Inputs) -> tuple[np.ndarray, ...]:
        """Sum up the gradients in weights and biases."""
        return affine_gradients(signal, context.values)[: len(self.real_parameters)]


class _Inputs(NamedTuple):
    values: np.ndarray
    are_bits: bool


class FixedPoint(Layer):
    r"""Round real sums down to whole 64ths, which is what a threshold takes; signals pass as they are.

    .. math:: y_{bj} = \lfloor 64 \, s_{bj} \rfloor

    For sums of variance 1, such as those of a first :class:`RealLinear`, the :class:`~bvar.layers.Threshold` above
    has the fan-in ``FixedPoint.FAN_IN``: sums of so many bits have the same spread as 64ths of these.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.real import FixedPoint
    >>> FixedPoint().forward(np.array([[1.0, -0.001]], np.float32))[0]
    array([[64, -1]], dtype=int32)
    """

    FAN_IN = ONE**2

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, None]:
        """Round float32 sums down to int32 64ths."""
        return fixed_point(x), None

    def backward(self, signal: np.ndarray, context: None) -> np.ndarray:
        """Pass the signals on as they are."""
        return signal


def affine(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None) -> np.ndarray:
    """Compute ``x @ weight.T + bias``.

    Parameters
    ----------
    x : ndarray of float, shape (n_rows, n_inputs)
        Inputs.
    weight : ndarray of float, shape (n_outputs, n_inputs)
        Weights.
    bias : ndarray of float, shape (n_outputs,), optional
        Biases.

    Returns
    -------
    ndarray of float, shape (n_rows, n_outputs)
        The sums.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.real.layers import affine
    >>> affine(np.array([[1.0, -1.0]]), np.array([[2.0, 0.5]]), np.array([1.0]))
    array([[2.5]])
    """
    return x @ weight.T if bias is None else x @ weight.T + bias


def affine_gradients(z: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute the gradients of ``sum(z * affine(x, weight, bias))`` in weight and bias.

    Parameters
    ----------
    z : ndarray of shape (n_rows, n_outputs)
        Signals on the sums; integers are taken as numbers.
    x : ndarray of float, shape (n_rows, n_inputs)
        Inputs.

    Returns
    -------
    weight : ndarray of float, shape (n_outputs, n_inputs)
        Gradient in the weights.
    bias : ndarray of float, shape (n_outputs,)
        Gradient in the biases.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.real.layers import affine_gradients
    >>> affine_gradients(np.array([[2.0]]), np.array([[1.0, -1.0]]))
    (array([[ 2., -2.]]), array([2.]))
    """
    z = z.astype(x.dtype, copy=False)
    return z.T @ x, z.sum(axis=0)


def real_votes(z: np.ndarray, weight: np.ndarray) -> np.ndarray:
    r"""Turn signals on real sums of bits into votes on the bits.

    .. math:: g_{bi} = \operatorname{round}\Bigl(\frac{1}{\operatorname{rms} W} \sum_j z_{bj} W_{ji}\Bigr)

    Parameters
    ----------
    z : ndarray of shape (n_rows, n_outputs)
        Signals on the sums, in 127ths.
    weight : ndarray of float, shape (n_outputs, n_inputs)
        Weights.

    Returns
    -------
    ndarray of int32, shape (n_rows, n_inputs)
        Votes, of the size of those of weights +1 and -1; all 0 if all weights are.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.real.layers import real_votes
    >>> real_votes(np.array([[100.0]]), np.array([[0.1, -0.1]]))
    array([[ 100, -100]], dtype=int32)
    """
    return to_votes(z.astype(weight.dtype, copy=False) @ (weight / rms_of(weight)))


def rms_of(weight: np.ndarray) -> np.floating:
    """Return the root mean square of weights, by which votes are divided; 1 if all are 0."""
    return np.sqrt(np.mean(np.square(weight))) or weight.dtype.type(1)
