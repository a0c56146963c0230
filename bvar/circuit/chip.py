"""A circuit with all that a chip needs: comparators before it, counters and a decision behind it, and registers.

Comparators, counters and the choice of a class are gates like any others, so one netlist holds the whole chip, and
whatever counts gates, levels or look-up tables, counts all of it.  Registers cut its levels into stages: a signal
that is read in a later stage than its own waits in one register for each stage between.  The page
``docs/explanation/hardware.md`` shows what each part costs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bvar import kernels
from bvar._validation import check_integer
from bvar.circuit.comparing import at_least, equals, first_largest
from bvar.circuit.counting import count
from bvar.circuit.evaluation import evaluate_rows
from bvar.circuit.lut_mapping import map_to_luts, to_luts
from bvar.circuit.netlist import Netlist
from bvar.circuit.rules import Builder
from bvar.circuit.simplification import remove_dead_gates
from bvar.encoding import BitEncoder
from bvar.export.questions import IntegerQuestion, on_integers, questions

__all__ = ["Chip", "make_chip"]

ANSWERS = ("scores", "class")


@dataclass(frozen=True, repr=False)
class Chip:
    """A complete circuit: what :func:`make_chip` returns.

    Parameters
    ----------
    core : Circuit
        From answers of questions, or input bits, to the bits of the outputs.
    n_groups : int
        Number of scores.
    group_size : int
        Most that a score can be.
    answer : {'scores', 'class'}
        What the outputs are.
    n_columns : int
        Number of raw columns; 0 if the inputs are bits.
    width : int
        Bits of a raw column.
    signed : bool
        Whether columns are in two's complement.
    asked : tuple of IntegerQuestion
        What is asked of the columns.
    every : int or None
        Levels between registers; None if there are none.

    See Also
    --------
    make_chip : Make one.

    Examples
    --------
    >>> from bvar.circuit import Circuit, make_chip
    >>> chip = make_chip(Circuit(3, [(0b1000, (0, 1))], outputs=[3, 2], n_groups=2), answer="class")
    >>> chip
    Chip(3 inputs, 3 gates, answers with the class)
    """

    core: Netlist
    n_groups: int
    group_size: int
    answer: str
    n_columns: int = 0
    width: int = 1
    signed: bool = False
    asked: tuple[IntegerQuestion, ...] = ()
    every: int | None = None

    # --------------------------------------------------------------------------------------- sizes

    @cached_property
    def netlist(self) -> Netlist:
        """All gates, from the bits of raw columns, low bit first, to the bits of the outputs, low bit first."""
        if not self.n_columns:
            return self.core
        builder = Builder.simplifying(self.n_columns * self.width)
        answers = _ask(builder, self)
        signals = builder.copy(self.core.gates, answers)
        return _netlist(type(self.core), builder, [signals[i] for i in self.core.outputs])

    @property
    def n_gates(self) -> int:
        """Number of gates: comparators, the circuit, counters and the choice of a class."""
        return self.netlist.n_gates

    @property
    def depth(self) -> int:
        """Number of gates on the longest way through all of it."""
        return self.netlist.depth

    @cached_property
    def n_luts(self) -> int:
        """Look-up tables of six inputs that it takes, as :func:`map_to_luts` estimates."""
        return map_to_luts(self.netlist).n_luts

    @cached_property
    def stages(self) -> tuple[int, ...]:
        """Stage of each signal of the core, inputs first."""
        if self.every is None:
            return (0,) * (self.core.n_inputs + self.core.n_gates)
        first = bool(self.n_columns)  # the questions are a level of their own
        levels = [first] * self.core.n_inputs + [level + first for level in self.core.levels]
        return tuple(max(0, level - 1) // self.every for level in levels)

    @property
    def latency(self) -> int:
        """Cycles of the clock from an input to its answer; 0 if there is no clock."""
        return 0 if self.every is None else 1 + max(self.stages)

    @cached_property
    def waits(self) -> tuple[int, ...]:
        """For each signal of the core, for how many cycles somebody still needs it."""
        waits = [0] * len(self.stages)
        constants = {self.core.n_inputs + g for g, (_, inputs) in enumerate(self.core.gates) if not inputs}
        for g, (_, inputs) in enumerate(self.core.gates):
            for i in inputs:
                waits[i] = max(waits[i], self.stages[self.core.n_inputs + g] - self.stages[i])
        for i in self.core.outputs:
            waits[i] = max(waits[i], self.latency - self.stages[i])
        return tuple(0 if i in constants else wait for i, wait in enumerate(waits))

    @property
    def n_registers(self) -> int:
        """Number of bits that registers hold, those that say whether an answer is valid included."""
        return sum(self.waits) + self.latency

    @property
    def score_width(self) -> int:
        """Bits of a score."""
        return self.group_size.bit_length()

    @property
    def class_width(self) -> int:
        """Bits of the number of a class, at least 1."""
        return max(1, (self.n_groups - 1).bit_length())

    def summary(self) -> str:
        """Describe the chip.

        Returns
        -------
        str
            Gates, levels, tables and registers of all that is exported, and the gates by function.

        Examples
        --------
        >>> from bvar.circuit import Circuit, make_chip
        >>> circuit = Circuit(3, [(0b1000, (0, 1))], outputs=[3, 2, 0, 1], n_groups=2)
        >>> print(make_chip(circuit, answer="class", pipeline=2).summary())
        3 inputs, 7 gates, answers with the class: depth 5, 1 table of six inputs, 9 registers, latency 3
        and                  2
        xor                  2
        b_implies_a          1
        3 inputs             1
        not_a                1
        """
        n_luts = f"{self.n_luts} table{'' if self.n_luts == 1 else 's'} of six inputs"
        clock = "no registers" if self.every is None else f"{self.n_registers} registers, latency {self.latency}"
        lines = self.netlist.summary().split("\n")[1:]
        return "\n".join([f"{self._sizes()}: depth {self.depth}, {n_luts}, {clock}", *lines])

    def _sizes(self) -> str:
        inputs = f"{self.n_columns} columns of {self.width} bits" if self.n_columns else ""
        parts = self.netlist.sizes().split(", ")
        return f"{inputs or parts[0]}, {parts[1]}, answers with the {self.answer}"

    def __repr__(self) -> str:
        """Say the sizes, not the gates."""
        return f"{type(self).__name__}({self._sizes()})"

    # ------------------------------------------------------------------------------------- answers

    def evaluate(self, X: np.ndarray) -> np.ndarray:
        """Compute what the chip answers, gate by gate.

        Parameters
        ----------
        X : ndarray of integers, shape (n_samples, n_columns), or of bool, shape (n_samples, n_inputs)
            Raw columns, or input bits of a chip without an encoder.

        Returns
        -------
        ndarray of int64, shape (n_samples, n_groups) or (n_samples,)
            The counts of T of each group, or the number of the class.

        Raises
        ------
        ValueError
            If `X` has another shape, or a number does not fit `width`.
        """
        bits = kernels.unpack(kernels.transpose(evaluate_rows(self.netlist, kernels.pack(self.input_bits(X)))))
        if self.answer == "class":
            return _numbers(bits)
        return np.stack([_numbers(block) for block in np.split(bits, self.n_groups, axis=1)], axis=1)

    def input_bits(self, X: np.ndarray) -> np.ndarray:
        """Turn samples into the bits of the inputs.

        Parameters
        ----------
        X : ndarray of integers, shape (n_samples, n_columns), or of bool, shape (n_samples, n_inputs)
            As for `evaluate`.

        Returns
        -------
        ndarray of bool, shape (n_samples, n_bits)
            Columns one after the other, low bit first.

        Raises
        ------
        ValueError
            If `X` has another shape, or a number does not fit `width`.
        """
        X = np.asarray(X)
        n = self.n_columns or self.core.n_inputs
        if X.ndim != 2 or X.shape[1] != n:
            raise ValueError(f"X must have the shape (n_samples, {n}), got {X.shape}")
        if not self.n_columns:
            if X.dtype != np.bool_ and not np.isin(X, (0, 1)).all():
                raise ValueError("X must hold bits, 0 and 1; values of M are bits as X > 0")
            return X.astype(bool)
        low, high = _range(self.width, self.signed)
        whole = X.astype(np.int64)
        if not (whole == X).all() or (whole.size and not low <= whole.min() <= whole.max() <= high):
            raise ValueError(f"X must hold integers in [{low}, {high}], which width={self.width} bits are")
        return (whole[:, :, None] >> np.arange(self.width) & 1).astype(bool).reshape(len(X), n * self.width)


def make_chip(
    circuit: Netlist,
    encoder: BitEncoder | None = None,
    *,
    width: int = 8,
    signed: bool = False,
    answer: str = "class",
    pipeline: int | None = None,
    lut_inputs: int | None = None,
) -> Chip:
    """Complete a circuit: comparators on raw columns, counters, the choice of a class, and registers.

    Parameters
    ----------
    circuit : Circuit
        Simplify it first.
    encoder : ThermometerEncoder, OneHotBits, TableEncoder or ImageEncoder, optional
        The fitted encoder, whose questions become comparators. Default: none, and the inputs are bits.
    width : int, default=8
        Bits of each raw column, 1 to 32. Only with an encoder.
    signed : bool, default=False
        Whether columns are in two's complement; else they are unsigned.
    answer : {'class', 'scores'}, default='class'
        Whether to answer with the number of the first group that has the largest count, or with all counts.
    pipeline : int, optional
        Number of levels after which registers come; comparators are one level. Default: no registers.
    lut_inputs : int, optional
        Fuse the gates behind the comparators into tables of so many inputs, which FPGAs consist of. Default: leave
        gates as they are.

    Returns
    -------
    Chip
        What can be counted, evaluated and exported as a whole.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, or the encoder has not `n_inputs` bits.

    See Also
    --------
    chip_to_verilog : Write it as Verilog.

    Notes
    -----
    A column of a chip is an integer, and never missing. Round columns before `fit`, so that the thresholds that
    are learnt are those of the numbers that the chip will see.

    Examples
    --------
    >>> from bvar.circuit import Circuit, make_chip
    >>> from bvar.encoding import ThermometerEncoder
    >>> encoder = ThermometerEncoder(n_bits=1).fit([[0, 90], [9, 10]])
    >>> chip = make_chip(Circuit(2, [], outputs=[0, 1], n_groups=2), encoder, pipeline=1)
    >>> chip.evaluate([[9, 10], [0, 90], [0, 0]]).tolist(), chip.latency
    ([0, 1, 0], 3)
    """
    width = check_integer(width, "width", low=1, high=32)
    if answer not in ANSWERS:
        raise ValueError(f"answer must be one of {', '.join(map(repr, ANSWERS))}, got {answer!r}")
    if pipeline is not None:
        pipeline = check_integer(pipeline, "pipeline", low=1)
    core = _core(circuit, answer)
    if lut_inputs is not None:
        core = to_luts(core, lut_inputs)
    if encoder is None:
        return Chip(core, circuit.n_groups, circuit.group_size, answer, every=pipeline)
    asked = questions(encoder)
    if encoder.n_bits_out_ != circuit.n_inputs:
        raise ValueError(f"encoder must give n_inputs={circuit.n_inputs} bits, it gives {encoder.n_bits_out_}")
    return Chip(
        core, circuit.n_groups, circuit.group_size, answer, encoder.n_features_in_, width, bool(signed),
        tuple(on_integers(asked, *_range(width, signed))), pipeline,
    )  # fmt: skip


def _core(circuit: Netlist, answer: str) -> Netlist:
    """Put counters, and if asked the choice of a class, behind a circuit."""
    builder = Builder.simplifying(circuit.n_inputs)
    signals = builder.copy(circuit.gates, range(circuit.n_inputs))
    outputs = [signals[i] for i in circuit.outputs]
    readers = Counter(outputs)
    for gate in builder.gates.values():
        readers.update(gate.inputs)
    size = circuit.group_size
    scores = [count(builder, outputs[g * size : (g + 1) * size], readers) for g in range(circuit.n_groups)]
    if answer == "class":
        bits = first_largest(builder, scores) or [builder.constant(False)]
    else:
        bits = [bit for score in scores for bit in score]
    return _netlist(type(circuit), builder, bits)


def _netlist(kind: type[Netlist], builder: Builder, outputs: Sequence[int]) -> Netlist:
    """Make a circuit of which each output is a group by itself."""
    return remove_dead_gates(kind.trusted(builder.n_inputs, builder.gates.values(), outputs, len(outputs)))


def _ask(builder: Builder, chip: Chip) -> list[int]:
    """Add the comparators; a bit is T if one of its questions is answered with yes."""
    answers = [builder.constant(False)] * chip.core.n_inputs
    for column, bit, equal, value, less in chip.asked:
        bits = list(range(column * chip.width, (column + 1) * chip.width))
        if chip.signed:  # two's complement with its first bit negated counts up from the smallest number
            bits[-1] = builder.invert(bits[-1])
            value += 1 << (chip.width - 1)
        answer = (equals if equal else at_least)(builder, bits, value)
        answer = builder.invert(answer) if less else answer
        answers[bit] = builder.add(0b1110, (answers[bit], answer))
    return answers


def _range(width: int, signed: bool) -> tuple[int, int]:
    half = 1 << (width - 1)
    return (-half, half - 1) if signed else (0, 2 * half - 1)


def _numbers(bits: np.ndarray) -> np.ndarray:
    return bits @ (1 << np.arange(bits.shape[1], dtype=np.int64))
