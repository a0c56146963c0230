r"""Residual sums on a stream of real rows, made by Boolean maps (``docs/explanation/transformers.md``).

.. math:: x \leftarrow x + f(x)

The stream is real, and so are the first and the last layer of f; between them may be anything.  Float:
reproducible by seed on one backend, outside the promise of equal bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import lcm, sqrt
from typing import Any, NamedTuple

import numpy as np

from bvar._validation import check_integer, check_real, check_rows
from bvar.kernels import MAX_TERMS
from bvar.layers.ballots import Ballots
from bvar.layers.base import Layer, Marginals, Product, Received, Value, VoteBlock
from bvar.layers.branches import check_all, climb, descend, inference, stack_of
from bvar.layers.signed_sum import to_int8
from bvar.real.once import Once
from bvar.real.rounding import floats
from bvar.real.trainer import RealLayer, RealParameter

__all__ = ["RealScale", "Residual"]

_MOST = 1e30  # of a size, which must be a float32


class RealScale(RealLayer):
    r"""Give the integer sums of each unit a learnt size: the way from Boolean layers to a real stream.

    .. math:: y_{bj} = \gamma_j \frac{s_{bj}}{\sqrt n}, \qquad z_{bj} = \operatorname{int8}(\gamma_j g_{bj})

    Parameters
    ----------
    n_units : int
        Width of the layer.
    fan_in : int
        The number n of terms in each sum.
    start : float, default=1.0
        Gamma at first.
    name : str, default='scale'
        What the layer is called in tables.

    Attributes
    ----------
    scale : RealParameter
        Gamma: float32, shape (n_units,).

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or is out of range.

    Notes
    -----
    The signal that comes back lacks the factor ``1 / sqrt(fan_in)``, as that of :class:`BatchNorm` does: a sum of
    usual spread then has signals of the size of those on its output.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.real import RealScale
    >>> RealScale(2, fan_in=100).forward(np.array([[10, -30]], np.int32))[0]
    array([[ 1., -3.]], dtype=float32)
    """

    def __init__(self, n_units: int, fan_in: int, *, start: float = 1.0, name: str = "scale") -> None:
        n_units = check_integer(n_units, "n_units", low=1, high=MAX_TERMS)
        self.fan_in = check_integer(fan_in, "fan_in", low=1, high=2**62)
        values = np.full(n_units, check_real(start, "start", low=0, high=_MOST, strict=True), np.float32)
        self.name = name
        self.scale = RealParameter(f"{name}.scale", values)
        self.real_parameters = (self.scale,)

    @property
    def n_units(self) -> int:
        """Width of the layer."""
        return len(self.scale.values)

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scale int32 sums; the context is these in units of their spread."""
        check_rows(x, self.n_units, self.name)
        dtype = self.scale.values.dtype
        values = x.astype(dtype) * dtype.type(1 / sqrt(self.fan_in))
        return values * self.scale.values, values

    def backward(self, signal: np.ndarray, context: np.ndarray) -> np.ndarray:
        """Scale signals and round them to int8."""
        return to_int8(signal * self.scale.values)

    def gradients(self, signal: np.ndarray, context: np.ndarray) -> tuple[np.ndarray, ...]:
        """Sum up the gradient in the scale."""
        return ((signal * context).sum(axis=0),)


class Residual(RealLayer):
    r"""Add to a stream of real rows what layers make of it.

    .. math:: y = x + f(x), \qquad g_x = g + \tfrac1c f^*(c \, g)

    where :math:`f^*` passes a signal down through the layers, which round it to int8: c makes it loud enough.

    Parameters
    ----------
    layers : sequence of Layer
        A stack from real rows to real rows of the same width.
    n_positions : int, default=1
        Rows of one sample: each weight is used at all of them.
    loudness : float, default=1.0
        The factor c, above 0.

    Raises
    ------
    TypeError, ValueError
        If there is no layer, or a number is out of range.

    See Also
    --------
    bvar.layers.Add : Adds up integer sums of branches.

    Notes
    -----
    What layers receive on the way back is computed once for a signal and kept in the context: Boolean weights may
    have flipped when gradients in real ones are asked for.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar.layers import BooleanLinear, Threshold
    >>> from bvar.real import FixedPoint, LayerNorm, RealScale, Residual
    >>> bits = [LayerNorm(4), FixedPoint(), Threshold(4, FixedPoint.FAN_IN, fan_out=4)]
    >>> layer = Residual([*bits, BooleanLinear(4, 4, random_state=0), RealScale(4, fan_in=4)], loudness=10)
    >>> x = np.array([[1, -2, 3, 4]], np.float32)
    >>> layer.forward(x)[0] - x
    array([[ 0., -1.,  1.,  1.]], dtype=float32)
    """

    def __init__(self, layers: Sequence[Layer], *, n_positions: int = 1, loudness: float = 1.0) -> None:
        self.layers = stack_of(layers, "layers")
        if not self.layers:
            raise ValueError("layers must be one or more")
        self.n_positions = check_integer(n_positions, "n_positions", low=1)
        self.loudness = check_real(loudness, "loudness", low=0, strict=True)
        self.parameters = tuple(parameter for layer in self.layers for parameter in layer.parameters)
        self.real_parameters = tuple(
            parameter
            for layer in self.layers
            if isinstance(layer, RealLayer)
            for parameter in layer.real_parameters
        )
        if any(isinstance(layer, RealLayer) and layer.statistics for layer in self.layers):
            raise ValueError(
                "layers must have no running statistics: of those, a network asks its own layers alone"
            )
        for boolean in self.parameters:
            boolean.n_places = self.n_positions
        for real in self.real_parameters:
            real.n_places = self.n_positions

    def products(self) -> tuple[Product, ...]:
        """Say what the layers multiply, at each position."""
        return tuple(product.at_places(self.n_positions) for layer in self.layers for product in layer.products())

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, _Kept]:
        """Add to float32 rows; the context is what the layers returned."""
        more, contexts = climb(self.layers, x)
        if more.shape != x.shape:
            raise ValueError(
                f"layers must make rows as wide as the stream, {x.shape[1]} numbers, got {more.shape[1]}"
            )
        return x + more, _Kept(contexts, Once())

    def infer(self, x: np.ndarray) -> np.ndarray:
        """Add to float32 rows, each sum with its threshold at once."""
        return x + inference(self.layers)(x)

    def absorb(self, above: Sequence[Layer]) -> tuple[Callable[[Any], Value], Sequence[Layer]]:
        """Let inner layers be merged; what is above is left."""
        if type(self) is not Residual:  # a subclass may answer otherwise: it is not merged
            return super().absorb(above)
        inner = inference(self.layers)
        return lambda x: x + inner(x), above

    def check(self, context: _Kept) -> None:
        """Ask the inner layers."""
        check_all(self.layers, context.contexts)

    def rows_for(self, n_rows: int) -> int:
        """Keep the rows of a text together."""
        return lcm(n_rows, self.n_positions)

    def backward(self, signal: np.ndarray, context: _Kept) -> np.ndarray:
        """Add the gradient through the layers to that in the sum."""
        layer, z, kept = self._received(signal, context)[0]
        return floats(signal) + floats(layer.backward(z, kept)) / self.loudness

    def gradients(self, signal: np.ndarray, context: _Kept) -> tuple[np.ndarray, ...]:
        """Sum up the gradients in the real weights of all layers."""
        return tuple(
            gradient / self.loudness
            for layer, z, kept in self._received(signal, context)
            if isinstance(layer, RealLayer)
            for gradient in layer.gradients(z, kept)
        )

    def votes(self, signal: np.ndarray, context: _Kept) -> tuple[np.ndarray, ...]:
        """Collect the votes of all positions on the Boolean weights of all layers."""
        received = self._received(signal, context)
        return tuple(votes for layer, z, kept in received for votes in layer.votes(z, kept))

    def ballots(self, signal: np.ndarray, context: _Kept) -> tuple[np.ndarray | Ballots, ...]:
        """Collect the same votes, some of them not counted yet."""
        received = self._received(signal, context)
        return tuple(votes for layer, z, kept in received for votes in layer.ballots(z, kept))

    def marginals(self, signal: np.ndarray, context: _Kept) -> tuple[Marginals | None, ...]:
        """Sum up what the layers centre their votes by."""
        received = self._received(signal, context)
        return tuple(sums for layer, z, kept in received for sums in layer.marginals(z, kept))

    def vote_blocks(self, signal: np.ndarray, context: _Kept) -> Iterator[VoteBlock]:
        """Collect the votes piece by piece, all signals first."""
        first = 0
        for layer, z, kept in self._received(signal, context):
            for number, rows, votes in layer.vote_blocks(z, kept):
                yield first + number, rows, votes
            first += len(layer.parameters)

    def _received(self, signal: np.ndarray, context: _Kept) -> list[Received]:
        """Pass a signal down to the first layer, which comes first, but not through it."""

        def down(z: np.ndarray) -> list[Received]:
            return descend(self.layers, floats(z) * self.loudness, context.contexts)[::-1]

        return context.received.make(signal, down)


class _Kept(NamedTuple):
    """What layers kept on the way up, and what they received on the way back."""

    contexts: list[Any]
    received: Once[list[Received]]
