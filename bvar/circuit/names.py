"""Names that users give: of inputs, and of what is exported."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bvar.circuit.netlist import Netlist

__all__ = ["check_prefix", "input_names"]


def input_names(circuit: Netlist, names: Sequence[str] | None) -> list[str]:
    """Return the names of the inputs after checking them, or their numbers."""
    if names is None:
        return [f"x{i}" for i in range(circuit.n_inputs)]
    listed = [str(name) for name in names]
    if len(listed) != circuit.n_inputs:
        raise ValueError(f"names must have one entry per input ({circuit.n_inputs}), got {len(listed)}")
    return listed


def check_prefix(name: str, what: str) -> str:
    """Return `name` if names in C and Verilog may begin with it."""
    if not isinstance(name, str):
        raise TypeError(f"{what} must be a str, got {type(name).__name__}")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name, re.ASCII):
        raise ValueError(f"{what} must be letters, digits and underscores, beginning with a letter, got {name!r}")
    return name
