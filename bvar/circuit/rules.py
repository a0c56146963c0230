"""What makes one gate simpler, given the gates before it: the rules of which passes and builders are made.

A `Builder` is a netlist that grows.  Each gate goes through its rules, and what comes out is kept, unless an
earlier signal says the same: so a chain of gates, each of which can be simplified only after the one before, takes
one pass.  Whatever makes gates here, simplification, counters, readers of files, makes them with a builder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from bvar.circuit.netlist import TableGate
from bvar.circuit.truth import compose, full, projection, rewire, support

__all__ = [
    "INVERTER",
    "WIRE",
    "Builder",
    "Rule",
    "absorb",
    "bypass",
    "drop",
    "every_rule",
    "fold",
    "sharing",
]

WIRE, INVERTER = 0b10, 0b01  # tables of one input

Rule: TypeAlias = Callable[[Mapping[int, TableGate], TableGate], TableGate | int]
"""From the gates before, by signal, and a gate: what to put there, or which earlier signal replaces it."""


class Builder:
    """A netlist that grows gate by gate; each gate is put through the rules, in their order."""

    def __init__(self, n_inputs: int, rules: Sequence[Rule]) -> None:
        self.n_inputs = n_inputs
        self.gates: dict[int, TableGate] = {}
        self.rules = rules

    @classmethod
    def simplifying(cls, n_inputs: int) -> Builder:
        """Make one with every rule that looks at one gate and what it reads."""
        return cls(n_inputs, every_rule(n_inputs))

    def add(self, table: int, inputs: Sequence[int]) -> int:
        """Return the signal that has the value of a gate: a new one, or an earlier one that has it already."""
        new: TableGate | int = TableGate(table, tuple(inputs))
        for rule in self.rules:
            if isinstance(new, TableGate):
                new = rule(self.gates, new)
        if not isinstance(new, TableGate):
            return new
        signal = self.n_inputs + len(self.gates)
        self.gates[signal] = new
        return signal

    def constant(self, value: bool) -> int:
        """Return a signal that is always the same."""
        return self.add(int(value), ())

    def invert(self, signal: int) -> int:
        """Return the negation of a signal."""
        return self.add(INVERTER, (signal,))

    def copy(self, gates: Sequence[TableGate], inputs: Sequence[int]) -> list[int]:
        """Put in the gates of a netlist that reads `inputs`; return where its signals are, inputs first."""
        signals = list(inputs)
        for table, reads in gates:
            signals.append(self.add(table, [signals[i] for i in reads]))
        return signals


def every_rule(n_inputs: int) -> list[Rule]:
    """List the rules in the order in which one helps the next."""
    return [absorb, fold, drop, bypass, sharing(n_inputs)]


def fold(gates: Mapping[int, TableGate], gate: TableGate) -> TableGate:
    """Put constants into the table; a table that is constant reads nothing."""
    table, inputs = gate
    constants = {i: bool(gates[i].table) for i in inputs if i in gates and not gates[i].inputs}
    if constants:
        kept = tuple(dict.fromkeys([i for i in inputs if i not in constants]))
        table, inputs = gate = TableGate(rewire(table, inputs, kept, constants), kept)
    return TableGate(table & 1, ()) if table in (0, full(len(inputs))) else gate


def drop(gates: Mapping[int, TableGate], gate: TableGate) -> TableGate:
    """Forget inputs that do not matter, and those that come twice."""
    table, inputs = gate
    distinct = tuple(dict.fromkeys(inputs))
    if len(distinct) < len(inputs):
        gate = TableGate(rewire(table, inputs, distinct), distinct)
    used = support(gate.table, len(distinct))
    if len(used) == len(distinct):
        return gate
    kept = tuple([distinct[i] for i in used])
    return TableGate(rewire(gate.table, distinct, kept), kept)


def bypass(gates: Mapping[int, TableGate], gate: TableGate) -> TableGate | int:
    """Replace a wire by what it reads."""
    return gate.inputs[0] if _is(gate, WIRE) else gate


def absorb(gates: Mapping[int, TableGate], gate: TableGate) -> TableGate:
    """Read what inverters read, negated in the table."""
    table, inputs = gate
    sources = {i: gates[i].inputs[0] for i in inputs if i in gates and _is(gates[i], INVERTER)}
    if not sources:
        return gate
    k = len(inputs)
    columns = [projection(i, k) ^ full(k) * (signal in sources) for i, signal in enumerate(inputs)]
    return TableGate(compose(table, tuple(columns), full(k)), tuple([sources.get(i, i) for i in inputs]))


def sharing(n_inputs: int) -> Rule:
    """Make a rule that remembers the gates it has seen; it must be the last one."""
    seen: dict[TableGate, int] = {}

    def rule(gates: Mapping[int, TableGate], gate: TableGate) -> TableGate | int:
        gate = _in_order(gate)
        table, inputs = gate
        opposite = seen.get(TableGate(table ^ full(len(inputs)), inputs)) if len(inputs) > 1 else None
        if opposite is not None:
            gate = TableGate(INVERTER, (opposite,))
        signal = n_inputs + len(gates)  # what the gate becomes, if it is new
        first = seen.setdefault(gate, signal)
        return gate if first == signal else first

    return rule


def _is(gate: TableGate, table: int) -> bool:
    return len(gate.inputs) == 1 and gate.table == table


def _in_order(gate: TableGate) -> TableGate:
    inputs = tuple(sorted(gate.inputs))
    if inputs == gate.inputs:
        return gate
    return TableGate(rewire(gate.table, gate.inputs, inputs), inputs)
