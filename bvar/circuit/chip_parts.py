"""What stands around a circuit on a chip, as gates like any others: comparators, counters, the choice of a class.

The page ``docs/explanation/hardware.md`` shows what each of them costs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bvar.circuit.comparing import at_least, equals, first_largest
from bvar.circuit.counting import count
from bvar.circuit.lut_mapping import to_luts
from bvar.circuit.netlist import Netlist
from bvar.circuit.rules import Builder
from bvar.circuit.simplification import remove_dead_gates
from bvar.export.questions import IntegerQuestion

__all__ = ["fused", "number_range", "with_choice", "with_comparators", "with_counters"]

OR = 0b1110


def with_counters(circuit: Netlist) -> Netlist:
    """Count the T of each group; of the outputs, each group has as many bits, the low one first."""
    builder, signals = _begun(circuit)
    outputs = [signals[i] for i in circuit.outputs]
    readers = Counter(outputs)
    for gate in builder.gates.values():
        readers.update(gate.inputs)
    size = circuit.group_size
    groups = [outputs[g * size : (g + 1) * size] for g in range(circuit.n_groups)]
    return _ended(circuit, builder, [bit for group in groups for bit in count(builder, group, readers)])


def with_choice(counted: Netlist, n_groups: int) -> Netlist:
    """Choose the first of the largest numbers, whose bits are the outputs, as many of each."""
    builder, signals = _begun(counted)
    width = counted.n_outputs // n_groups
    bits = [signals[i] for i in counted.outputs]
    numbers = [bits[g * width : (g + 1) * width] for g in range(n_groups)]
    return _ended(counted, builder, first_largest(builder, numbers) or [builder.constant(False)])


def with_comparators(
    core: Netlist, asked: Sequence[IntegerQuestion], n_columns: int, width: int, signed: bool
) -> Netlist:
    """Ask the questions of columns; an input of `core` is T if one of its questions is answered with yes."""
    builder = Builder.simplifying(n_columns * width)
    answers = [builder.constant(False)] * core.n_inputs
    for column, bit, equal, value, less in asked:
        bits = list(range(column * width, (column + 1) * width))
        if signed:  # two's complement with its first bit negated counts up from the smallest number
            bits[-1] = builder.invert(bits[-1])
            value += 1 << (width - 1)
        answer = (equals if equal else at_least)(builder, bits, value)
        answer = builder.invert(answer) if less else answer
        answers[bit] = builder.add(OR, (answers[bit], answer))
    signals = builder.copy(core.gates, answers)
    return _ended(core, builder, [signals[i] for i in core.outputs])


def fused(circuit: Netlist, lut_inputs: int | None) -> Netlist:
    """Fuse gates into tables of so many inputs, or leave them."""
    return circuit if lut_inputs is None else to_luts(circuit, lut_inputs)


def number_range(width: int, signed: bool) -> tuple[int, int]:
    """Give the smallest and the largest number of a column."""
    half = 1 << (width - 1)
    return (-half, half - 1) if signed else (0, 2 * half - 1)


def _begun(circuit: Netlist) -> tuple[Builder, list[int]]:
    builder = Builder.simplifying(circuit.n_inputs)
    return builder, builder.copy(circuit.gates, range(circuit.n_inputs))


def _ended(circuit: Netlist, builder: Builder, outputs: Sequence[int]) -> Netlist:
    """Make a circuit of which each output is a group by itself."""
    made = type(circuit).trusted(builder.n_inputs, builder.gates.values(), outputs, len(outputs))
    return remove_dead_gates(made)
