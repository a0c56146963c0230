"""Gates given by truth tables, in an order that evaluates them, and outputs that are counted.

The modules beside this one work on a netlist; `Circuit` is one that has their functions as its methods.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

from bvar._validation import check_integer
from bvar.calculus.gates import GATES, Gate
from bvar.circuit.truth import MAX_FAN_IN, full

__all__ = ["MOST", "Netlist", "TableGate", "check_netlist", "cone", "function"]

MOST = 2**31 - 1  # signals are int32 in every export


class TableGate(NamedTuple):
    """A gate of a circuit.

    Parameters
    ----------
    table : int
        The truth table: bit ``a`` is the output at address ``a``, the sum of ``x[inputs[i]] << i``.
    inputs : tuple of int
        The signals that it reads, 0 to 6 of them; one may come twice. A gate of none is a constant.

    See Also
    --------
    Circuit : What gates make.

    Examples
    --------
    >>> from bvar.circuit import TableGate
    >>> TableGate(0b1000, (0, 1))  # and: T at address 3 only
    TableGate(table=8, inputs=(0, 1))
    """

    table: int
    inputs: tuple[int, ...]


@dataclass(frozen=True, repr=False)
class Netlist:
    """Gates and outputs, checked: what all that works on circuits takes, see :class:`bvar.circuit.Circuit`."""

    n_inputs: int
    gates: Sequence[TableGate]
    outputs: Sequence[int]
    n_groups: int = 1

    def __post_init__(self) -> None:
        """Check every claim that the passes and exports rely on."""
        n_inputs = check_integer(self.n_inputs, "n_inputs", low=1, high=MOST)
        gates = tuple(
            _check_gate(gate, f"gates[{g}]", n_inputs + g) for g, gate in enumerate(_listed(self.gates, "gates"))
        )
        last = check_integer(n_inputs + len(gates), "the number of inputs and gates", low=1, high=MOST) - 1
        outputs = _check_signals(self.outputs, "outputs", last, f"an existing signal, at most {last}")
        n_groups = check_integer(self.n_groups, "n_groups", low=1)
        if not outputs or len(outputs) % n_groups:
            raise ValueError(
                f"outputs must make n_groups={n_groups} equal blocks of at least 1, got {len(outputs)} outputs"
            )
        for name, value in (
            ("n_inputs", n_inputs),
            ("gates", gates),
            ("outputs", outputs),
            ("n_groups", n_groups),
        ):
            object.__setattr__(self, name, value)

    @classmethod
    def trusted(cls, n_inputs: int, gates: Iterable[TableGate], outputs: Iterable[int], n_groups: int) -> Self:
        """Wrap what a pass has just made, without checking it again.

        Parameters
        ----------
        n_inputs : int
            As for the class; the caller vouches for every rule stated there.
        gates : iterable of TableGate
            Likewise.
        outputs : iterable of int
            Likewise.
        n_groups : int
            Likewise.

        Returns
        -------
        Self
            The circuit.
        """
        self = object.__new__(cls)
        for name, value in (
            ("n_inputs", n_inputs),
            ("gates", tuple(gates)),
            ("outputs", tuple(outputs)),
            ("n_groups", n_groups),
        ):
            object.__setattr__(self, name, value)
        return self

    # --------------------------------------------------------------------------------------- sizes

    @property
    def n_gates(self) -> int:
        """Number of gates, constants included."""
        return len(self.gates)

    @property
    def n_outputs(self) -> int:
        """Number of outputs."""
        return len(self.outputs)

    @property
    def group_size(self) -> int:
        """Number of outputs that make one score."""
        return len(self.outputs) // self.n_groups

    @cached_property
    def levels(self) -> tuple[int, ...]:
        """Level of each gate: one more than the highest it reads, where inputs and constants are at 0."""
        levels = [0] * self.n_inputs
        for _, inputs in self.gates:
            levels.append(1 + max([levels[i] for i in inputs]) if inputs else 0)
        return tuple(levels[self.n_inputs :])

    @property
    def depth(self) -> int:
        """Number of gates on the longest way through the circuit."""
        return max(self.levels, default=0)

    def histogram(self) -> dict[str, int]:
        """Count the gates by function.

        Returns
        -------
        dict of str to int
            How many gates there are of each function, the most frequent first.  Gates of up to two inputs have the
            names of :mod:`bvar.calculus.gates`, where `a` is the first input and `b` the second; others are
            called after their number of inputs, such as ``'3 inputs'``.

        Examples
        --------
        >>> from bvar.circuit import Circuit
        >>> Circuit(2, [(0b0111, (0, 1)), (0b01, (2,)), (0b0111, (0, 3))], outputs=[4]).histogram()
        {'nand': 2, 'not_a': 1}
        """
        return dict(Counter(function(gate) for gate in self.gates).most_common())

    def functions(self) -> list[str]:
        """Write the histogram, a line for each function."""
        return [f"{name:<14} {count:>7}" for name, count in self.histogram().items()]

    def sizes(self) -> str:
        """Say how many inputs, gates, outputs and groups there are."""
        sizes = [
            (self.n_inputs, "input"),
            (self.n_gates, "gate"),
            (self.n_outputs, "output"),
            (self.n_groups, "group"),
        ]
        words = [f"{n} {what}{'' if n == 1 else 's'}" for n, what in sizes]
        return f"{', '.join(words[:3])} in {words[3]}"

    def __repr__(self) -> str:
        """Say the sizes, not the gates."""
        return f"{type(self).__name__}({self.sizes()})"


def check_netlist(circuit: Any) -> None:
    """Refuse what is no circuit, before anything is looked up in it."""
    if not isinstance(circuit, Netlist):
        raise TypeError(f"circuit must be a Circuit, got {type(circuit).__name__}")


def function(gate: TableGate) -> str:
    """Name a gate after `bvar.calculus.gates`, or after its number of inputs."""
    k = len(gate.inputs)
    if k > 2:
        return f"{k} inputs"
    table = gate.table
    for i in range(k, 2):  # an input that does nothing more
        table |= table << (1 << i)
    return _TWO_INPUT_NAMES[table]


def cone(circuit: Netlist, signals: Iterable[int]) -> list[bool]:
    """Tell for each gate whether some of the signals depend on it."""
    alive = [False] * (circuit.n_inputs + circuit.n_gates)
    for signal in signals:
        alive[signal] = True
    for gate in reversed(range(circuit.n_gates)):
        if alive[circuit.n_inputs + gate]:
            for i in circuit.gates[gate].inputs:
                alive[i] = True
    return alive[circuit.n_inputs :]


def _table(gate: Gate) -> int:
    """Turn a gate of two operands into a table in which the first operand is the low bit of the address."""
    return sum(1 << (a + 2 * b) for a in (0, 1) for b in (0, 1) if gate.table[a, b] > 0)


_TWO_INPUT_NAMES = {_table(gate): gate.name for gate in GATES}


def _check_gate(gate: Any, name: str, signal: int) -> TableGate:
    if not isinstance(gate, Sequence) or isinstance(gate, str) or len(gate) != 2:
        raise TypeError(f"{name} must be a pair (table, inputs), got {gate!r}")
    inputs = _check_signals(gate[1], f"{name}.inputs", signal - 1, f"a signal before that of the gate, {signal}")
    if len(inputs) > MAX_FAN_IN:
        raise ValueError(f"{name} must have at most {MAX_FAN_IN} inputs, got {len(inputs)}")
    return TableGate(check_integer(gate[0], f"{name}.table", low=0, high=full(len(inputs))), inputs)


def _check_signals(signals: Any, name: str, last: int, what: str) -> tuple[int, ...]:
    checked = tuple(
        [check_integer(signal, f"{name}[{i}]", low=0) for i, signal in enumerate(_listed(signals, name))]
    )
    if checked and max(checked) > last:
        raise ValueError(f"{name} must each be {what}, got {max(checked)}")
    return checked


def _listed(values: Any, name: str) -> Iterable[Any]:
    if not isinstance(values, Iterable) or isinstance(values, str | bytes):
        raise TypeError(f"{name} must be a sequence, got {values!r}")
    return values
