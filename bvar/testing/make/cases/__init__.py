"""Inputs at the seams, one function for each function of the protocol, named alike; a module for each level."""

from collections.abc import Callable

from bvar.testing.make.cases import bits, logic, steps, sums, training, votes
from bvar.testing.make.draw import Cases, Draw

__all__ = ["CASES"]

CASES: dict[str, Callable[[Draw], Cases]] = {
    name: getattr(module, name)
    for module in (logic, bits, sums, votes, steps, training)
    for name in module.__all__
}
"""What gives the cases of each function."""
