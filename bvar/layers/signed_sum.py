"""Boolean weights on numbers: the mixed layer of logic and integers (``docs/explanation/real-ends.md``)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from bvar import kernels
from bvar._validation import check_finite, check_integer
from bvar.bits.random import RandomSource, RandomWords
from bvar.kernels.tables import check_n_samples
from bvar.layers.base import Layer, Product
from bvar.layers.parameter import Parameter

__all__ = ["SignedSum", "standard_int8", "to_int8"]


class SignedSum(Layer):
    r"""Add int8 inputs whose weight is T, and subtract those whose weight is F.

    .. math:: s_{bj} = \sum_i e(w_{ji}) \, x_{bi}

    All sums are of integers: the layer is the same, bit for bit, on every backend.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Width of the layer below and of this one, at least 1.
    rms : int, default=32
        Root of the mean square of the inputs, 1 to 127, as :func:`standard_int8` makes them. It is the unit of
        votes on weights, so that eta means what it does for bits.
    random_state : None, int, RandomState or RandomWords, default=None
        Where the initial weights, fair coins, come from.
    name : str, default='signed'
        What the layer is called in tables.

    Attributes
    ----------
    weight : Parameter
        Bits of shape (n_outputs, n_inputs).
    sum_variance : int
        ``n_inputs * rms**2``, the variance of a sum over random weights. A :class:`Threshold` that follows takes
        it as its `fan_in`: a sum of that many bits has the same spread.

    Raises
    ------
    TypeError, ValueError
        If a width is not a positive integer or `rms` is out of range.

    See Also
    --------
    BooleanLinear : The same for inputs that are bits.

    References
    ----------
    V. M. Nguyen et al., "BOLD: Boolean Logic Deep Learning", NeurIPS 2024, Definition 3.5 and Eq. 1.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.layers import SignedSum, Threshold
    >>> layer = SignedSum(3, 2, random_state=0)
    >>> s, _ = layer.forward(np.array([[100, 10, 1]], dtype=np.int8))
    >>> s.tolist()
    [[111, 89]]
    >>> above = Threshold(2, fan_in=layer.sum_variance, fan_out=10)
    """

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        *,
        rms: int = 32,
        random_state: RandomSource = None,
        name: str = "signed",
    ) -> None:
        n_inputs = check_integer(n_inputs, "n_inputs", low=1, high=kernels.MAX_TERMS)
        n_outputs = check_integer(n_outputs, "n_outputs", low=1, high=kernels.MAX_TERMS)
        rms = check_integer(rms, "rms", low=1, high=127)
        source = RandomWords.of(random_state)
        self.name = name
        self.weight = Parameter(f"{name}.weight", source.bits(n_outputs, n_inputs), rms=int(rms))
        self.parameters = (self.weight,)

    @property
    def n_inputs(self) -> int:
        """Width of the layer below."""
        return self.weight.bits.n_bits

    @property
    def n_outputs(self) -> int:
        """Width of this layer."""
        return self.weight.bits.n_rows

    @property
    def sum_variance(self) -> int:
        """Variance of a sum over random weights."""
        return self.n_inputs * self.weight.rms**2

    def products(self) -> tuple[Product, ...]:
        """Say that every output sees every input, a number of 8 bits."""
        return (Product.of_rows(self.name, self.n_inputs, self.n_outputs, input_bits=8),)

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compute the sums of int8 inputs, which are the context."""
        return kernels.signed_sum(x, self.weight.bits), x

    def check(self, context: np.ndarray) -> None:
        """Refuse more rows than votes can be counted of."""
        check_n_samples(len(context))

    def backward(self, signal: np.ndarray, context: np.ndarray) -> np.ndarray:
        """Say how the loss moves when an input grows by 1, int32."""
        return kernels.input_votes(signal, self.weight.bits)

    def votes(self, signal: np.ndarray, context: np.ndarray) -> tuple[np.ndarray, ...]:
        """Collect the votes on the weight, `rms` times as large as those on a layer of bits."""
        return (kernels.number_votes(signal, context),)


def standard_int8(X: ArrayLike, rms: int = 32) -> np.ndarray:
    """Round standardised numbers to int8.

    Parameters
    ----------
    X : array-like of float
        Numbers of mean square 1, such as those of a ``StandardScaler``; they must be finite.
    rms : int, default=32
        What 1 becomes, 1 to 127: larger ones round less, smaller ones clip less; 32 clips beyond four spreads.

    Returns
    -------
    ndarray of int8, of the shape of `X`
        ``rms * X``, rounded to the nearest integer in [-127, 127]. Elementwise, so the same on every machine.

    Raises
    ------
    TypeError, ValueError
        If `X` has no real numbers or is not finite, or `rms` is out of range.

    Examples
    --------
    >>> from bvar.layers import standard_int8
    >>> standard_int8([[0.0, 1.0, -0.5, 9.0]])
    array([[  0,  32, -16, 127]], dtype=int8)
    """
    rms = check_integer(rms, "rms", low=1, high=127)
    return to_int8(rms * check_finite(X, "X"))


def to_int8(x: np.ndarray) -> np.ndarray:
    """Round to the nearest integer in [-127, 127], halves to even."""
    return np.clip(np.rint(x), -127, 127).astype(np.int8)
