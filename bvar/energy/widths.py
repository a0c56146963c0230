"""How many bits a number has, by what it is for: a Boolean network, a float one, and what lies between."""

from __future__ import annotations

from dataclasses import dataclass, fields

from bvar._validation import check_integer

__all__ = ["BINARY_WEIGHTS", "BINARY_WEIGHTS_AND_INPUTS", "BOLD", "BOOLEAN", "FLOAT", "Widths"]


@dataclass(frozen=True)
class Widths:
    """Bits of the numbers of a network.

    Parameters
    ----------
    weights, inputs : int
        Of the factors forward.
    sums : int
        Of partial sums forward.
    outputs : int
        Of what leaves a layer: 1 where a threshold stands behind it, before anything is stored.
    signals : int
        Of what comes back.
    votes : int
        Of sums on the way back: votes, or gradients.
    state : int
        Of everything that is kept for a weight from step to step, the weight included; it is read and written in
        each.

    Raises
    ------
    TypeError, ValueError
        If one is no positive integer.

    Examples
    --------
    >>> from bvar.energy import FLOAT
    >>> FLOAT.weights, FLOAT.state
    (32, 96)
    """

    weights: int
    inputs: int
    sums: int
    outputs: int
    signals: int
    votes: int
    state: int

    def __post_init__(self) -> None:
        for field in fields(self):
            check_integer(getattr(self, field.name), field.name, low=1)


BOOLEAN = Widths(weights=1, inputs=1, sums=32, outputs=1, signals=8, votes=32, state=17)
"""The networks of this package, with the types that they compute in."""

BOLD = Widths(weights=1, inputs=1, sums=16, outputs=1, signals=16, votes=16, state=17)
"""What the paper gives for its networks: 16 bits for signals."""

BINARY_WEIGHTS = Widths(weights=1, inputs=32, sums=32, outputs=32, signals=32, votes=32, state=96)
"""BinaryConnect: signs of weights in products, floats elsewhere."""

BINARY_WEIGHTS_AND_INPUTS = Widths(weights=1, inputs=1, sums=32, outputs=1, signals=32, votes=32, state=96)
"""BinaryNet and XNOR-Net: bits forward, floats backward, and a float behind each weight."""

FLOAT = Widths(weights=32, inputs=32, sums=32, outputs=32, signals=32, votes=32, state=96)
"""The network of the same shape in floats, trained by Adam: a weight and two moments."""
