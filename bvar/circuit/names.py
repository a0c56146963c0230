"""Names that users give to inputs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bvar.circuit.netlist import Netlist

__all__ = ["input_names"]


def input_names(circuit: Netlist, names: Sequence[str] | None) -> list[str]:
    """Return the names of the inputs after checking them, or their numbers."""
    if names is None:
        return [f"x{i}" for i in range(circuit.n_inputs)]
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise TypeError(f"names must be a sequence of str, or None, got {names!r}")
    listed = [str(name) for name in names]
    if len(listed) != circuit.n_inputs:
        raise ValueError(f"names must have one entry per input ({circuit.n_inputs}), got {len(listed)}")
    return listed
