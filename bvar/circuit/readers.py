"""Circuits that others wrote, in the formats of synthesisers and model checkers."""

from __future__ import annotations

from bvar.circuit.aiger import parse_aiger
from bvar.circuit.blif import parse_blif
from bvar.circuit.circuit import Circuit

__all__ = ["from_aiger", "from_blif"]


def from_blif(text: str, n_groups: int = 1) -> Circuit:
    """Read a circuit from BLIF, whoever wrote it.

    Parameters
    ----------
    text : str
        One combinational model; tables have at most six inputs.
    n_groups : int, default=1
        Number of scores that the outputs make, which BLIF does not know of.

    Returns
    -------
    Circuit
        Inputs and outputs in the order of the file.

    Raises
    ------
    TypeError, ValueError
        If `text` is no such circuit; the message says where.

    See Also
    --------
    to_blif : Write it.

    Examples
    --------
    >>> from bvar.circuit import Circuit, from_blif, to_blif
    >>> from_blif(to_blif(Circuit(2, [(0b0110, (0, 1))], outputs=[2]))).simplify().gates
    (TableGate(table=6, inputs=(0, 1)),)
    """
    return Circuit(*parse_blif(text), n_groups)


def from_aiger(data: bytes | str, n_groups: int = 1) -> Circuit:
    """Read a circuit from AIGER, text or binary, whoever wrote it.

    Parameters
    ----------
    data : bytes or str
        A file without latches, whose gates come after what they read.
    n_groups : int, default=1
        Number of scores that the outputs make, which AIGER does not know of.

    Returns
    -------
    Circuit
        Inputs and outputs in the order of the file.

    Raises
    ------
    TypeError, ValueError
        If `data` is no such circuit; the message says where.

    See Also
    --------
    to_aiger : Write it.

    Examples
    --------
    >>> from bvar.circuit import Circuit, from_aiger, to_aiger
    >>> from_aiger(to_aiger(Circuit(2, [(0b0001, (0, 1))], outputs=[2]), binary=True)).gates
    (TableGate(table=1, inputs=(0, 1)),)
    """
    return Circuit(*parse_aiger(data), n_groups)
