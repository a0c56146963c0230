"""Rewrite small cones: what takes more than one gate to see, such as the absorption law ``a or (a and b) = a``.

A cone of a gate, between it and at most four signals that decide it, is a function of four inputs, of which
:mod:`bvar.circuit.small_functions` knows the smallest tree.  If the gates of that tree that are not there already
are fewer than those that nobody would read any more, the cone is rewritten.  That covers all rules of two and
three
gates, such as absorption and distribution, constants that take several gates to see, and equal functions of the
same signals that are written differently.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from bvar.circuit.netlist import Netlist, TableGate, check_netlist
from bvar.circuit.rules import INVERTER, Builder
from bvar.circuit.small_functions import N_LEAVES, smallest_trees
from bvar.circuit.truth import compose, full, projection

__all__ = ["rewrite_cones"]

_CUTS = 8  # kept of each gate

Rewritten = TypeVar("Rewritten", bound=Netlist)
Cut = tuple[int, ...]


def rewrite_cones(circuit: Rewritten) -> Rewritten:
    """Replace cones of gates of two inputs by smaller ones that compute the same.

    Parameters
    ----------
    circuit : Circuit
        Left as it is; gates of three inputs and more are neither looked into nor rewritten.

    Returns
    -------
    Circuit
        With the same outputs; what is left to do for the passes of level 1 is not done.

    See Also
    --------
    simplify : Does this at level 2, among the other passes.

    Examples
    --------
    >>> from bvar.circuit import Circuit, rewrite_cones
    >>> absorption = Circuit(2, [(0b1000, (0, 1)), (0b1110, (0, 2))], outputs=[3])
    >>> rewrite_cones(absorption).outputs
    (0,)
    """
    check_netlist(circuit)
    return _Rewriter(circuit).run(type(circuit))


class _Rewriter:
    """Gates by signal, new ones among them, their readers, and where each signal is after rewriting."""

    def __init__(self, circuit: Netlist) -> None:
        self.circuit, self.first = circuit, circuit.n_inputs
        self.gates = dict(enumerate(circuit.gates, start=self.first))
        self.next = self.first + circuit.n_gates
        self.known = {gate: signal for signal, gate in self.gates.items()}
        self.moved: dict[int, int] = {}
        self.cuts: dict[int, list[Cut]] = {}
        self.readers = [0] * self.next
        for i in (*circuit.outputs, *(i for gate in circuit.gates for i in gate.inputs)):
            self.readers[i] += 1

    def run(self, kind: type[Rewritten]) -> Rewritten:
        for signal in range(self.first, self.next):
            table, inputs = self.gates[signal]
            if any(i in self.moved for i in inputs):
                self.gates[signal] = TableGate(table, tuple([self._now(i) for i in inputs]))
            if len(self.gates[signal].inputs) == 2 and self.readers[signal]:
                self._rewrite(signal)
        return self._rebuilt(kind)

    def _now(self, signal: int) -> int:
        while signal in self.moved:
            signal = self.moved[signal]
        return signal

    def _rewrite(self, signal: int) -> None:
        """Try all cones of a gate, and take the one that saves most, if any does."""
        sizes, _ = smallest_trees()
        self.cuts[signal] = cuts = list(self._cuts_of(signal))
        best, saving = None, 0
        for cut in cuts:
            table = self._table(signal, cut)
            if sizes[_positive(table)] > N_LEAVES + 2:
                continue
            freed = self._freed(signal, cut)
            if len(freed) <= saving:
                continue
            gain = len(freed) - self._price(_positive(table), cut, freed)
            if gain > saving:
                best, saving = (cut, table), gain
        if best is not None:
            self._replace(signal, *best)

    def _cuts_of(self, signal: int) -> Iterator[Cut]:
        a, b = ([(i,), *self.cuts.get(i, [])] for i in self.gates[signal].inputs)
        found = {tuple(sorted({*left, *right})) for left in a for right in b}
        yield from sorted((cut for cut in found if len(cut) <= N_LEAVES), key=lambda cut: (len(cut), cut))[:_CUTS]

    def _table(self, signal: int, cut: Cut) -> int:
        tables = {leaf: projection(i, N_LEAVES) for i, leaf in enumerate(cut)}

        def table_of(s: int) -> int:
            if s not in tables:
                table, inputs = self.gates[s]
                tables[s] = compose(table, tuple([table_of(i) for i in inputs]), full(N_LEAVES))
            return tables[s]

        return table_of(signal)

    def _freed(self, signal: int, cut: Cut) -> set[int]:
        """Find the gates between a gate and a cut that nobody else reads, itself included."""
        freed, stack, lost = {signal}, [signal], dict[int, int]()
        while stack:
            for i in self.gates[stack.pop()].inputs:
                if i in self.gates and i not in cut and i not in freed:
                    lost[i] = lost.get(i, 0) + 1
                    if lost[i] == self.readers[i]:
                        freed.add(i)
                        stack.append(i)
        return freed

    def _price(self, function: int, cut: Cut, freed: set[int]) -> int:
        """Count the gates of a tree that are not there, or would be freed."""
        price = 0

        def place(table: int) -> int | None:
            nonlocal price
            if table == 0:
                return None
            for i, leaf in enumerate(cut):
                if table == projection(i, N_LEAVES):
                    return leaf
            operation, *parts = smallest_trees()[1][table]
            signals = [place(part) for part in parts]
            there = None if None in signals else self._find(operation, signals)  # type: ignore[arg-type]
            price += there is None or there in freed
            return there

        place(function)
        return price

    def _find(self, table: int, inputs: list[int]) -> int | None:
        """Find a gate, or its negation, that nobody has rewritten."""
        gate = _in_order(table, inputs)
        for candidate in (gate, TableGate(gate.table ^ full(2), gate.inputs)):
            signal = self.known.get(candidate)
            if signal is not None and signal not in self.moved and self.gates[signal] == candidate:
                return signal if candidate == gate else None
        return None

    def _replace(self, signal: int, cut: Cut, table: int) -> None:
        """Put in a tree, and let everybody read its root."""
        for i in self.gates[signal].inputs:
            self._release(i)
        root = self._place(_positive(table), cut)
        if table & 1:
            root = self._add(TableGate(INVERTER, (root,)))
        if root != signal:
            self.moved[signal] = root
            self.readers[root] += self.readers[signal]
            self.readers[signal] = 0

    def _place(self, function: int, cut: Cut) -> int:
        if function == 0:
            return self._add(TableGate(0, ()))
        for i, leaf in enumerate(cut):
            if function == projection(i, N_LEAVES):
                return leaf
        operation, *parts = smallest_trees()[1][function]
        inputs = [self._place(part, cut) for part in parts]
        return self._add(_in_order(operation, inputs))

    def _add(self, gate: TableGate) -> int:
        there = self.known.get(gate)
        if there is not None and there not in self.moved and self.gates[there] == gate:
            if not self.readers[there]:
                for i in gate.inputs:
                    self.readers[i] += 1
            return there
        signal, self.next = self.next, self.next + 1
        self.gates[signal] = gate
        self.known[gate] = signal
        self.readers.append(0)
        for i in gate.inputs:
            self.readers[i] += 1
        return signal

    def _release(self, signal: int) -> None:
        """Take away a reader, and with the last one those of what it reads."""
        stack = [signal]
        while stack:
            s = stack.pop()
            self.readers[s] -= 1
            if not self.readers[s] and s in self.gates:
                stack += self.gates[s].inputs

    def _rebuilt(self, kind: type[Rewritten]) -> Rewritten:
        """Put the gates in order again, those that are read."""
        builder = Builder.simplifying(self.first)
        placed = {i: i for i in range(self.first)}
        for output in self.circuit.outputs:
            stack = [self._now(output)]
            while stack:
                signal = stack[-1]
                table, inputs = self.gates.get(signal, TableGate(0, ()))
                missing = [] if signal in placed else [i for i in map(self._now, inputs) if i not in placed]
                if missing:
                    stack += missing
                    continue
                if signal not in placed:
                    placed[signal] = builder.add(table, [placed[self._now(i)] for i in inputs])
                stack.pop()
        outputs = [placed[self._now(output)] for output in self.circuit.outputs]
        return kind.trusted(self.first, builder.gates.values(), outputs, self.circuit.n_groups)


def _positive(table: int) -> int:
    """Return the function or its negation, whichever is F at address 0."""
    return table ^ full(N_LEAVES) if table & 1 else table


def _in_order(table: int, inputs: Iterable[int]) -> TableGate:
    a, b = inputs
    if a <= b:
        return TableGate(table, (a, b))
    return TableGate(table & 0b1001 | (table & 2) << 1 | (table & 4) >> 1, (b, a))
