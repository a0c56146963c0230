"""Concatenation: what inner layers make of the bits stands beside them (``docs/explanation/thresholds.md``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bvar import kernels
from bvar.bits import BitMatrix
from bvar.layers.base import Layer, Value
from bvar.layers.branches import Branched, Climbed, climb, stack_of, width_below
from bvar.layers.gate import GateLayer
from bvar.layers.signal_scale import SignalScale

__all__ = ["Concatenate"]


class Concatenate(Branched):
    """Put the bits that inner layers make behind those that they are made of: a skip connection beside them.

    Parameters
    ----------
    layers : sequence of Layer
        A stack from bits to bits, such as gates.

    Raises
    ------
    ValueError
        If there is no layer, or one has real parameters.

    See Also
    --------
    Add : Adds up the sums of branches.
    bvar.networks.front_network : Has gates in front of sums, and the inputs beside the gates.

    Notes
    -----
    What is missing in the input stays missing there.  The inner layers see F in its place, since a truth table has
    no entry for it.  What comes down to an input is the sum of the votes on it from above and from the inner
    layers.

    Examples
    --------
    >>> import numpy as np
    >>> from bvar import kernels
    >>> from bvar.layers import Concatenate, GateLayer
    >>> both = Concatenate([GateLayer(3, 2, pass_through=64, wires=np.array([[0, 1], [2, 1]]), random_state=0)])
    >>> y, _ = both.forward(kernels.pack(np.array([[1, 0, -1]], dtype=np.int8)))
    >>> kernels.unpack_ternary(y)
    array([[ 1,  0, -1,  1, -1]], dtype=int8)
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = stack_of(layers, "layers")
        if not self.layers:
            raise ValueError("layers must be one or more")
        self._hold()

    def _stacks(self) -> Sequence[Sequence[Layer]]:
        return (self.layers,)

    @property
    def n_inputs(self) -> int:
        """Width of the layer below."""
        return width_below(self.layers)

    @property
    def n_outputs(self) -> int:
        """Width of this layer: of the input and of what the inner layers make."""
        made = next(layer for layer in reversed(self.layers) if hasattr(layer, "n_outputs"))
        return self.n_inputs + made.n_outputs

    def forward(self, x: BitMatrix) -> tuple[BitMatrix, Climbed]:
        """Put both side by side; the context is that of the inner layers."""
        made, contexts = climb(self.layers, x if x.known is None else BitMatrix.trusted(x.words, x.n_bits))
        return x.beside(made), Climbed([contexts])

    def absorb(self, above: Sequence[Layer]) -> tuple[Callable[[BitMatrix], Value], Sequence[Layer]]:
        """Turn gates and what they read as one, if nothing but gates is in here and no input is missing."""
        first, *rest = self.layers
        # a subclass may answer otherwise: it is not merged
        if (
            type(self) is not Concatenate
            or type(first) is not GateLayer
            or any(type(layer) is not SignalScale for layer in rest)
        ):
            return super().absorb(above)
        wiring, tables = first.wiring, first.table.bits
        return lambda x: kernels.values_beside(x, wiring, tables) if x.known is None else self.infer(x), above

    def backward(self, signal: np.ndarray, context: Climbed) -> np.ndarray:
        """Add up the votes on the input, from above and from the inner layers, int32."""
        ((*_, (first, z, kept)),) = self._received(signal, context)
        return signal[:, : self.n_inputs].astype(np.int32) + first.backward(z, kept)

    def _parts(self, signal: np.ndarray) -> Sequence[np.ndarray]:
        return (signal[:, self.n_inputs :],)
