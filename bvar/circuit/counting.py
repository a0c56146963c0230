"""Counters: the number of T among some signals, in binary, out of adders that fit tables of six inputs.

An adder of three bits turns them into a sum and a carry.  Which bits meet in which adder changes nothing in the
count and much in its price.  Three gates of two inputs that nothing else reads meet first: they and their sum are
functions of six signals, and tables of six inputs, of which FPGAs are made, then need no room for the gates
themselves.  After that bits of one weight meet six at a time: two adders, and two more for what comes out.  What
is known beforehand, constants, signals that come twice, a signal and its negation, is added up without a gate.
The page ``docs/explanation/hardware.md`` counts what this saves.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence

from bvar.circuit.rules import INVERTER, Builder
from bvar.circuit.truth import full

__all__ = ["count"]

XOR, AND, XOR3, MAJORITY = 0b0110, 0b1000, 0b10010110, 0b11101000
LEAVES = 6  # inputs of a table of an FPGA

Columns = defaultdict[int, deque[int]]
"""Signals by weight: those of column c count 2**c each."""


def count(builder: Builder, signals: Sequence[int], readers: Counter[int]) -> list[int]:
    """Add gates that count the T among some signals.

    `readers` says how often each signal is read, these included; the result has the low bit first and is just wide
    enough for the number of signals.
    """
    weights, constant = _weigh(builder, signals)
    columns: Columns = defaultdict(deque)
    ones = [signal for signal, weight in weights.items() if weight == 1]
    for cluster in _clusters(builder, ones, readers):
        _add_up(builder, cluster, columns)
    for signal, weight in weights.items():
        if weight > 1:
            _place(columns, weight, signal)
    if constant:
        _place(columns, constant, builder.constant(True))
    width = len(signals).bit_length()
    return [_settle(builder, columns, c) for c in range(width)]


def _weigh(builder: Builder, signals: Iterable[int]) -> tuple[dict[int, int], int]:
    """Write the count as a sum of positive weights times signals, each once, and a constant."""
    weights: Counter[int] = Counter()
    constant = 0
    for signal, times in Counter(signals).items():
        table, inputs = builder.gates.get(signal, (0, (0, 0)))
        if not inputs:
            constant += times * table
        elif len(inputs) == 1 and table == INVERTER:
            constant += times
            weights[inputs[0]] -= times
        else:
            weights[signal] += times
    positive: dict[int, int] = {}
    for signal, weight in weights.items():
        if weight > 0:
            positive[signal] = weight
        elif weight < 0:
            constant += weight
            positive[builder.invert(signal)] = -weight
    return positive, constant


def _place(columns: Columns, weight: int, signal: int) -> None:
    for c in range(weight.bit_length()):
        if weight >> c & 1:
            columns[c].append(signal)


def _clusters(builder: Builder, signals: Sequence[int], readers: Counter[int]) -> list[list[int]]:
    """Sort signals into lists that are worth an adder of their own, and single ones.

    A gate that only the counter reads is as good as its inputs.  Three of two inputs are two tables, a list of
    five to seven that read six signals between them is three; a list of four is no better than one of three.
    """
    reads = {s: _reads(builder, s, readers) for s in signals}
    by_leaf: defaultdict[int, list[int]] = defaultdict(list)
    for signal, leaves in reads.items():
        for leaf in leaves:
            by_leaf[leaf].append(signal)
    free = dict.fromkeys(s for s in signals if reads[s])
    clusters = [[s] for s in signals if not reads[s]]
    while free:
        cluster = _grow(next(iter(free)), free, reads, by_leaf)
        for signal in cluster:
            del free[signal]
        clusters.append(cluster)
    return sorted(clusters, key=len, reverse=True)


def _reads(builder: Builder, signal: int, readers: Counter[int]) -> frozenset[int]:
    """Return what a gate reads if it may disappear in its reader, and nothing otherwise."""
    gate = builder.gates.get(signal)
    if gate is not None and len(gate.inputs) == 1:
        signal = gate.inputs[0]  # an inverter costs nothing
        gate = builder.gates.get(signal)
    if gate is None or readers[signal] > 1 or 2 * len(gate.inputs) > LEAVES:
        return frozenset()
    return frozenset(gate.inputs)


def _grow(
    seed: int, free: Iterable[int], reads: dict[int, frozenset[int]], by_leaf: dict[int, list[int]]
) -> list[int]:
    """Take a gate, then those that read the most of what is read already, while it is six signals or fewer."""
    cluster, leaves = [seed], set(reads[seed])
    left = dict.fromkeys(s for s in free if s != seed)
    while len(cluster) < full(3) - 1:
        near = [s for leaf in leaves for s in by_leaf[leaf] if s in left]
        fitting = [s for s in near if len(leaves | reads[s]) <= LEAVES]
        if not fitting and len(leaves) <= LEAVES - 2:
            fitting = list(left)[:1]
        if not fitting:
            break
        best = min(fitting, key=lambda s: (len(leaves | reads[s]), s))
        if len(leaves | reads[best]) > LEAVES:
            break
        cluster.append(best)
        leaves |= reads[best]
        del left[best]
    return cluster[:3] if len(cluster) == 4 else cluster


def _add_up(builder: Builder, signals: Sequence[int], columns: Columns) -> None:
    """Put the binary number of T among at most seven signals into the columns."""
    own: Columns = defaultdict(deque, {0: deque(signals)})
    for c in range(len(signals).bit_length()):
        columns[c].append(_chain(builder, own, c))


def _chain(builder: Builder, columns: Columns, c: int) -> int:
    """Add up all bits of a column, and leave carries in the next."""
    column = columns[c]
    while len(column) > 1:
        taken = [column.popleft() for _ in range(min(3, len(column)))]
        total, carry = _adder(builder, taken)
        column.append(total)
        columns[c + 1].append(carry)
    return column.popleft() if column else builder.constant(False)


def _adder(builder: Builder, bits: Sequence[int]) -> tuple[int, int]:
    sum_table, carry_table = (XOR3, MAJORITY) if len(bits) == 3 else (XOR, AND)
    return builder.add(sum_table, bits), builder.add(carry_table, bits)


def _settle(builder: Builder, columns: Columns, c: int) -> int:
    """Reduce a column to one bit, six at a time."""
    column = columns[c]
    while len(column) > 1:
        part: Columns = defaultdict(deque)
        _add_up(builder, [column.popleft() for _ in range(min(LEAVES, len(column)))], part)
        for above, bits in part.items():
            columns[c + above].extend(bits)
    return column.popleft() if column else builder.constant(False)
