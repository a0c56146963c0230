"""A circuit with all that a chip needs: comparators before it, counters and a decision behind it, and registers.

Comparators, counters and the choice of a class are gates like any others, so one netlist holds the whole chip, and
whatever counts gates, levels or look-up tables, counts all of it.  Registers cut its levels into stages: a signal
that is read in a later stage than its own waits in one register for each stage between.  The page
``docs/explanation/hardware.md`` shows what each part costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from bvar import kernels
from bvar._validation import as_array, check_integer
from bvar.circuit.chip_parts import fused, number_range, with_choice, with_comparators, with_counters
from bvar.circuit.evaluation import evaluate_rows
from bvar.circuit.lut_mapping import map_to_luts
from bvar.circuit.netlist import Netlist, check_netlist
from bvar.circuit.truth import MAX_FAN_IN
from bvar.encoding import BitEncoder
from bvar.export.questions import IntegerQuestion, on_integers, questions

__all__ = ["Chip", "check_chip", "make_chip"]

ANSWERS = ("scores", "class")


@dataclass(frozen=True, repr=False)
class Chip:
    """A complete circuit: what :func:`make_chip` returns.

    Parameters
    ----------
    circuit : Circuit
        What was completed: it says how many scores there are, and the most that one can be.
    core : Circuit
        From answers of questions, or input bits, to the bits of the outputs.
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
    lut_inputs : int or None
        Inputs of the tables that gates were fused into; None if they are as they were.

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

    circuit: Netlist
    core: Netlist
    answer: str
    n_columns: int = 0
    width: int = 1
    signed: bool = False
    asked: tuple[IntegerQuestion, ...] = ()
    every: int | None = None
    lut_inputs: int | None = None

    @property
    def n_groups(self) -> int:
        """Number of scores."""
        return self.circuit.n_groups

    @property
    def group_size(self) -> int:
        """Most that a score can be."""
        return self.circuit.group_size

    # --------------------------------------------------------------------------------------- sizes

    @cached_property
    def netlist(self) -> Netlist:
        """All gates, from the bits of raw columns, low bit first, to the bits of the outputs, low bit first."""
        if not self.n_columns:
            return self.core
        return with_comparators(self.core, self.asked, self.n_columns, self.width, self.signed)

    @property
    def n_gates(self) -> int:
        """Number of gates: comparators, the circuit, counters and the choice of a class."""
        return self.netlist.n_gates

    @cached_property
    def parts(self) -> dict[str, int]:
        """Number of gates that each part adds to those before it: together `n_gates`.

        The parts are 'circuit', 'counters', 'class' and 'comparators'. Where gates are fused into tables, a
        counter takes some of the gates of the circuit in, so its number may be small, or even below 0.
        """
        alone, counted = (fused(part, self.lut_inputs) for part in (self.circuit, with_counters(self.circuit)))
        sizes = [alone.n_gates, counted.n_gates, self.core.n_gates, self.n_gates]
        steps = [after - before for before, after in zip([0, *sizes], sizes, strict=False)]
        return dict(zip(("circuit", "counters", "class", "comparators"), steps, strict=True))

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

    def summary(self, *, yosys: bool = False) -> str:
        """Describe the chip.

        Parameters
        ----------
        yosys : bool, default=False
            Whether to ask Yosys for the number of tables as well, which may take minutes.

        Returns
        -------
        str
            Gates, levels, tables and registers of all that is exported, the gates part by part, see `parts`, and
            the gates by function.

        Examples
        --------
        >>> from bvar.circuit import Circuit, make_chip
        >>> circuit = Circuit(3, [(0b1000, (0, 1))], outputs=[3, 2, 0, 1], n_groups=2)
        >>> print(make_chip(circuit, answer="class", pipeline=2).summary())
        3 inputs, 7 gates, answers with the class: depth 5, 1 table of six inputs, 9 registers, latency 3
        gates added by: circuit 1, counters 3, class 3, comparators 0
        and                  2
        xor                  2
        b_implies_a          1
        3 inputs             1
        not_a                1
        """
        n_luts = f"{self.n_luts} table{'' if self.n_luts == 1 else 's'} of six inputs"
        clock = "no registers" if self.every is None else f"{self.n_registers} registers, latency {self.latency}"
        parts = ", ".join(f"{name} {n}" for name, n in self.parts.items())
        lines = [f"{self._sizes()}: depth {self.depth}, {n_luts}, {clock}", f"gates added by: {parts}"]
        if yosys:
            lines.append(f"tables by Yosys: {self._yosys_luts()}")
        return "\n".join([*lines, *self.netlist.functions()])

    def _yosys_luts(self) -> str:
        from bvar.circuit.yosys import yosys_luts  # which writes chips

        found = yosys_luts(self)
        return "it is not installed" if found is None else str(found)

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
        TypeError, ValueError
            If `X` is no array of numbers, has another shape, or a number does not fit `width`.
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
        TypeError, ValueError
            If `X` is no array of numbers, has another shape, or a number does not fit `width`.
        """
        X = as_array(X, "X")
        if X.dtype.kind not in "biuf":
            raise TypeError(f"X must be an array of integers or of bool, got dtype {X.dtype}")
        n = self.n_columns or self.core.n_inputs
        if X.ndim != 2 or X.shape[1] != n:
            raise ValueError(f"X must have the shape (n_samples, {n}), got {X.shape}")
        if not self.n_columns:
            if X.dtype != np.bool_ and not np.isin(X, (0, 1)).all():
                raise ValueError("X must hold bits, 0 and 1; values of M are bits as X > 0")
            return X.astype(bool)
        low, high = number_range(self.width, self.signed)
        with np.errstate(invalid="ignore"):  # what NaN and infinity become is not equal to them
            whole = X.astype(np.int64)
        if not (whole == X).all() or (whole.size and not low <= whole.min() <= whole.max() <= high):
            raise ValueError(f"X must hold integers in [{low}, {high}], which width={self.width} bits are")
        return (whole[:, :, None] >> np.arange(self.width) & 1).astype(bool).reshape(len(X), n * self.width)


def check_chip(chip: Any) -> None:
    """Refuse what is no chip, before anything is looked up in it."""
    if not isinstance(chip, Chip):
        raise TypeError(f"chip must be a Chip, which make_chip returns, got {type(chip).__name__}")


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
        Fuse the gates behind the comparators into tables of so many inputs, which FPGAs consist of: 2 to 6, and
        not fewer than any gate has, those of counters and of the decision too. Default: leave gates as they are.

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
    check_netlist(circuit)
    width = check_integer(width, "width", low=1, high=32)
    if answer not in ANSWERS:
        raise ValueError(f"answer must be one of {', '.join(map(repr, ANSWERS))}, got {answer!r}")
    if pipeline is not None:
        pipeline = check_integer(pipeline, "pipeline", low=1)
    asked = () if encoder is None else questions(encoder)
    if encoder is not None and encoder.n_bits_out_ != circuit.n_inputs:
        raise ValueError(f"encoder must give n_inputs={circuit.n_inputs} bits, it gives {encoder.n_bits_out_}")
    core = with_counters(circuit)
    if answer == "class":
        core = with_choice(core, circuit.n_groups)
    if lut_inputs is not None:
        widest = max((len(gate.inputs) for gate in (*circuit.gates, *core.gates)), default=0)
        lut_inputs = check_integer(lut_inputs, "lut_inputs", low=max(2, widest), high=MAX_FAN_IN)
    core = fused(core, lut_inputs)
    if encoder is None:
        return Chip(circuit, core, answer, every=pipeline, lut_inputs=lut_inputs)
    return Chip(
        circuit, core, answer, encoder.n_features_in_, width, bool(signed),
        tuple(on_integers(asked, *number_range(width, signed))), pipeline, lut_inputs,
    )  # fmt: skip


def _numbers(bits: np.ndarray) -> np.ndarray:
    return bits @ (1 << np.arange(bits.shape[1], dtype=np.int64))
