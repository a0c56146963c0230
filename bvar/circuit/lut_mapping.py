"""How many look-up tables a circuit takes on an FPGA: a mapper by k-feasible cuts.

A *cut* of a gate is a set of signals that decide its value; with at most k of them, one table of k inputs computes
the gate from them, whatever lies between.  Each gate keeps its most promising cuts, which are unions of cuts of
what it reads.  The first round chooses the earliest cut of every gate, and so finds the least depth; those that
follow choose the cheapest one that is still in time, by *area flow*, the tables of a whole cone shared out among
its readers; the last ones by *exact area*, the tables that would go if the gate were given up.  The page
``docs/explanation/hardware.md`` describes the method, and compares it with a synthesiser.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple, TypeVar

from bvar._validation import check_integer
from bvar.circuit.netlist import Netlist, TableGate, check_netlist
from bvar.circuit.simplification import fold_constants, remove_dead_gates
from bvar.circuit.truth import MAX_FAN_IN, compose, full, projection

__all__ = ["LutMapping", "map_to_luts", "to_luts"]

_CUTS = 8  # kept of each gate
_FLOW_ROUNDS, _EXACT_ROUNDS = 2, 2

Cut = frozenset[int]
Mapped = TypeVar("Mapped", bound=Netlist)


class LutMapping(NamedTuple):
    """Tables that cover a circuit.

    Parameters
    ----------
    luts : dict of int to frozenset of int
        For each signal that is the output of a table, the signals that the table reads.
    depth : int
        Number of tables on the longest way through.

    See Also
    --------
    map_to_luts : Find them.

    Examples
    --------
    >>> from bvar.circuit import Circuit, map_to_luts
    >>> circuit = Circuit(4, [(6, (0, 1)), (6, (2, 3)), (6, (4, 5))], [6])
    >>> mapping = map_to_luts(circuit)
    >>> mapping.n_luts, mapping.depth
    (1, 1)
    """

    luts: dict[int, frozenset[int]]
    depth: int

    @property
    def n_luts(self) -> int:
        """Number of tables."""
        return len(self.luts)


def map_to_luts(circuit: Netlist, k: int = 6) -> LutMapping:
    """Cover a circuit with look-up tables: no deeper than it must be, and then as few as are found.

    Parameters
    ----------
    circuit : Circuit
        Its outputs as such: counters that are not in it are not counted, see :func:`bvar.circuit.make_chip`.
    k : int, default=6
        Inputs of a table, 2 to 6, and not fewer than any gate has.

    Returns
    -------
    LutMapping
        The tables. Constants and inputs take none.

    Raises
    ------
    TypeError, ValueError
        If `k` is not as described.

    See Also
    --------
    bvar.circuit.yosys_luts : What a synthesiser finds, where it is installed.

    Examples
    --------
    >>> from bvar.circuit import Circuit, map_to_luts
    >>> parity = Circuit(9, [(6, (0, 1)), *((6, (i, i + 7)) for i in range(2, 9))], outputs=[16])
    >>> map_to_luts(parity).n_luts
    2
    """
    check_netlist(circuit)
    widest = max((len(gate.inputs) for gate in circuit.gates), default=0)
    k = check_integer(k, "k", low=max(2, widest), high=MAX_FAN_IN)
    return _Mapper(circuit, k).run()


def to_luts(circuit: Mapped, k: int = 6) -> Mapped:
    """Fuse the gates of a circuit into tables, as :func:`map_to_luts` finds them.

    Parameters
    ----------
    circuit : Circuit
        Left as it is.
    k : int, default=6
        Inputs of a table.

    Returns
    -------
    Circuit
        With the same outputs, and a gate for each table.

    Raises
    ------
    TypeError, ValueError
        If `k` is not as described for :func:`map_to_luts`.

    See Also
    --------
    map_to_luts : Count the tables.

    Examples
    --------
    >>> from bvar.circuit import Circuit, to_luts
    >>> to_luts(Circuit(3, [(6, (0, 1)), (6, (2, 3))], [4])).gates
    (TableGate(table=150, inputs=(0, 1, 2)),)
    """
    check_netlist(circuit)
    circuit = fold_constants(circuit)  # after which a table without leaves is a constant gate
    luts, n = map_to_luts(circuit, k).luts, circuit.n_inputs
    signals, gates = list(range(n)) + [0] * circuit.n_gates, []
    for g, gate in enumerate(circuit.gates):
        if n + g in luts or not gate.inputs:
            leaves = sorted(luts.get(n + g, ()))
            gates.append(TableGate(cone_table(circuit, n + g, leaves), tuple([signals[i] for i in leaves])))
            signals[n + g] = n + len(gates) - 1
    outputs = [signals[i] for i in circuit.outputs]
    return remove_dead_gates(type(circuit).trusted(n, gates, outputs, circuit.n_groups))


def cone_table(circuit: Netlist, signal: int, leaves: Sequence[int]) -> int:
    """Return the table of a signal as a function of some signals that decide it."""
    k = len(leaves)
    tables = {leaf: projection(i, k) for i, leaf in enumerate(leaves)}

    def table_of(s: int) -> int:
        if s not in tables:
            table, inputs = circuit.gates[s - circuit.n_inputs]
            tables[s] = compose(table, tuple([table_of(i) for i in inputs]), full(k))
        return tables[s]

    return table_of(signal)


class _Mapper:
    """The state of a mapping: of each signal its cuts, the one chosen, its arrival and its readers."""

    def __init__(self, circuit: Netlist, k: int) -> None:
        self.circuit, self.k = circuit, k
        n = circuit.n_inputs + circuit.n_gates
        self.first = circuit.n_inputs
        self.arrival = [0] * n
        self.flow = [0.0] * n
        self.required = [n] * n
        self.chosen: list[Cut] = [frozenset()] * n
        self.cuts: list[list[Cut]] = [[] for _ in range(n)]
        self.refs = [0] * n
        for gate in circuit.gates:
            for i in gate.inputs:
                self.refs[i] += 1

    def run(self) -> LutMapping:
        self._round(lambda s, cut: (self._time(cut), self._flow(s, cut), len(cut)))
        deepest = max((self.arrival[s] for s in self.circuit.outputs), default=0)
        self._cover(deepest)
        for _ in range(_FLOW_ROUNDS):
            self._round(lambda s, cut: (self._time(cut) > self.required[s], self._flow(s, cut), self._time(cut)))
            self._cover(deepest)
        for _ in range(_EXACT_ROUNDS):
            self._exact_round()
            self._cover(deepest)
        luts = {s: self.chosen[s] for s in range(self.first, len(self.refs)) if self.refs[s] and self.chosen[s]}
        return LutMapping(luts, deepest)

    def _time(self, cut: Cut) -> int:
        return 1 + max([self.arrival[leaf] for leaf in cut]) if cut else 0

    def _flow(self, signal: int, cut: Cut) -> float:
        return (bool(cut) + sum([self.flow[leaf] for leaf in cut])) / max(1, self.refs[signal])

    def _round(self, cost: Callable[[int, Cut], Any]) -> None:
        """Give every gate its cuts anew, the cheapest first, and choose that one."""
        for g, (_, inputs) in enumerate(self.circuit.gates):
            s = self.first + g
            found = dict.fromkeys(self._merge(inputs))
            ranked = sorted(found, key=lambda cut: cost(s, cut))
            if self.chosen[s]:  # so that what was in time before can be chosen again
                ranked.append(self.chosen[s])
            self._choose(s, min(ranked, key=lambda cut: cost(s, cut)))
            self.cuts[s] = _undominated(ranked, _CUTS)

    def _merge(self, inputs: Iterable[int]) -> Iterator[Cut]:
        """Join cuts of what a gate reads, each of which may also be its own cut."""
        for parts in product(*[self._leaves(i) for i in inputs]):
            cut = frozenset().union(*parts)
            if len(cut) <= self.k:
                yield cut

    def _leaves(self, signal: int) -> list[Cut]:
        """List the cuts that a reader may take over: a constant needs no leaf."""
        if signal >= self.first and not self.circuit.gates[signal - self.first].inputs:
            return [frozenset()]
        return [frozenset([signal]), *self.cuts[signal]]

    def _choose(self, signal: int, cut: Cut) -> None:
        self.chosen[signal] = cut
        self.arrival[signal] = self._time(cut)
        self.flow[signal] = self._flow(signal, cut)

    def _cover(self, deepest: int) -> None:
        """Count the readers of each table that is needed, from the outputs back, and when it is wanted."""
        n = len(self.refs)
        self.refs, self.required = [0] * n, [n] * n
        for s in self.circuit.outputs:
            self.refs[s] += 1
            self.required[s] = deepest
        for s in reversed(range(self.first, n)):
            if self.refs[s]:
                for leaf in self.chosen[s]:
                    self.refs[leaf] += 1
                    self.required[leaf] = min(self.required[leaf], self.required[s] - 1)

    def _exact_round(self) -> None:
        """Choose for each table the cut that adds the fewest tables to all others, if it is in time."""
        for s in range(self.first, len(self.refs)):
            if self.refs[s]:
                self._release(s)
                in_time = [c for c in (self.chosen[s], *self.cuts[s]) if self._time(c) <= self.required[s]]
                best = min(in_time, key=self._price)
                self._choose(s, best)
                self._take(s)
            elif self.chosen[s]:
                self._choose(s, self.chosen[s])

    def _take(self, signal: int) -> int:
        """Add the readers of what a table reads; return how many tables that brings, this one included."""
        tables, stack = 0, [signal]
        while stack:
            cut = self.chosen[stack.pop()]
            tables += bool(cut)
            for leaf in cut:
                self.refs[leaf] += 1
                if self.refs[leaf] == 1 and leaf >= self.first:
                    stack.append(leaf)
        return tables

    def _release(self, signal: int) -> None:
        stack = [signal]
        while stack:
            for leaf in self.chosen[stack.pop()]:
                self.refs[leaf] -= 1
                if self.refs[leaf] == 0 and leaf >= self.first:
                    stack.append(leaf)

    def _price(self, cut: Cut) -> tuple[int, int]:
        """Count the tables that a cut would bring, by taking and releasing them."""
        brought = 0
        for leaf in cut:
            self.refs[leaf] += 1
            if self.refs[leaf] == 1 and leaf >= self.first:
                brought += self._take(leaf)
        for leaf in cut:
            self.refs[leaf] -= 1
            if self.refs[leaf] == 0 and leaf >= self.first:
                self._release(leaf)
        return brought, self._time(cut)


def _undominated(ranked: Iterable[Cut], most: int) -> list[Cut]:
    """Keep the first cuts of which no other one is a part."""
    kept: list[Cut] = []
    for cut in ranked:
        if not any(other <= cut for other in kept):
            kept.append(cut)
            if len(kept) == most:
                break
    return kept
