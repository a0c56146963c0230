"""Circuits: gates given by truth tables, in an order that evaluates them, and outputs that are counted.

Longer than other modules, because the verbs of a circuit are methods, each with its documentation; what they do is
written in the modules beside this one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from bvar import kernels
from bvar._validation import check_integer
from bvar.bits import BitMatrix, n_words, tail_mask
from bvar.calculus.gates import GATES, Gate
from bvar.circuit.evaluation import Step, evaluate_planes, plan
from bvar.circuit.truth import MAX_FAN_IN, full

__all__ = ["Circuit", "TableGate", "cone", "kind"]

_MOST = 2**31 - 1  # signals are int32 in every export


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
class Circuit:
    """A network of logic gates, without any loop or memory, whose outputs are counted in groups.

    Parameters
    ----------
    n_inputs : int
        Number of input bits. They are the signals 0 to ``n_inputs - 1``.
    gates : sequence of TableGate or of pairs (table, inputs)
        Gate g is the signal ``n_inputs + g``, and reads only signals before it.
    outputs : sequence of int
        The signals that are counted; one may come more than once.
    n_groups : int, default=1
        Number of scores. The outputs are cut into so many blocks of equal size, in order.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; the message names the gate or output.

    See Also
    --------
    simplify : Make it smaller.
    to_c : Turn it into C.
    to_verilog : Turn it into hardware.

    Notes
    -----
    The score of a group is the number of T among its outputs less the number of F.  Two circuits are equal if they
    have the same gates in the same order; equal functions are not looked for.

    Examples
    --------
    A half adder:

    >>> import numpy as np
    >>> from bvar import kernels
    >>> from bvar.circuit import Circuit
    >>> adder = Circuit(2, [(0b0110, (0, 1)), (0b1000, (0, 1))], outputs=[2, 3], n_groups=2)
    >>> adder
    Circuit(2 inputs, 2 gates, 2 outputs in 2 groups)
    >>> x = kernels.pack(np.array([[False, True], [True, True]]))
    >>> adder.evaluate(x)
    array([[ 1, -1],
           [-1,  1]], dtype=int32)
    """

    n_inputs: int
    gates: Sequence[TableGate]
    outputs: Sequence[int]
    n_groups: int = 1

    def __post_init__(self) -> None:
        """Check every claim that the passes and exports rely on."""
        n_inputs = check_integer(self.n_inputs, "n_inputs", low=1, high=_MOST)
        gates = tuple(
            _check_gate(gate, f"gates[{g}]", n_inputs + g) for g, gate in enumerate(_listed(self.gates, "gates"))
        )
        last = check_integer(n_inputs + len(gates), "the number of inputs and gates", low=1, high=_MOST) - 1
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
    def trusted(cls, n_inputs: int, gates: Iterable[TableGate], outputs: Iterable[int], n_groups: int) -> Circuit:
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
        Circuit
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

    @classmethod
    def from_network(cls, network: Any, *, n_inputs: int | None = None) -> Circuit:
        """Take over the gates of a trained network.

        Parameters
        ----------
        network : bvar.networks.Network
            Layers of gates, and a group sum as the last one.
        n_inputs : int, optional
            Number of input bits. Default: what the first layer says.

        Returns
        -------
        Circuit
            With one gate for each of the network, in order, even if nothing reads it.

        Raises
        ------
        TypeError
            If a layer is not one of gates, or the last one is no group sum.
        ValueError
            If two layers do not fit each other.
        """
        *layers, last = network.layers
        n_groups = _check_group_sum(last)
        gates: list[TableGate] = []
        first = 0  # the signal of the first output of the layer below
        width = n_inputs if n_inputs is not None else getattr((layers or [last])[0], "n_inputs", None)
        n_inputs = width = check_integer(width, "n_inputs", low=1, high=_MOST)
        for depth, layer in enumerate(layers):
            tables, wires = _check_layer(layer, f"layer {depth} of network", width)
            gates += map(TableGate, tables.tolist(), map(tuple, (wires + first).tolist()))
            first, width = n_inputs + len(gates) - len(wires), len(wires)
        if last.n_inputs != width:
            raise ValueError(f"the group sum of network has {last.n_inputs} inputs, but {width} come from below")
        return cls(n_inputs, gates, range(first, first + width), n_groups)

    # -------------------------------------------------------------------------------------- values

    def evaluate(self, x: BitMatrix) -> np.ndarray:
        """Compute the scores.

        Parameters
        ----------
        x : BitMatrix of shape (n_samples, n_inputs)
            Inputs; a missing value is taken for F.

        Returns
        -------
        ndarray of int32, shape (n_samples, n_groups)
            For each group the number of T less the number of F.

        Raises
        ------
        TypeError, ValueError
            If `x` is no BitMatrix, or its rows have another length.
        """
        planes = self._output_planes(x)
        scores = np.empty((x.n_rows, self.n_groups), np.int32)
        for group in range(self.n_groups):
            block = planes.words[group * self.group_size : (group + 1) * self.group_size]
            counts = kernels.count_rows(kernels.transpose(BitMatrix.trusted(block, x.n_rows)))
            scores[:, group] = 2 * counts - np.int32(self.group_size)
        return scores

    def evaluate_bits(self, x: BitMatrix) -> BitMatrix:
        """Compute the outputs.

        Parameters
        ----------
        x : BitMatrix of shape (n_samples, n_inputs)
            Inputs; a missing value is taken for F.

        Returns
        -------
        BitMatrix of shape (n_samples, n_outputs)
            The outputs, all known.

        Raises
        ------
        TypeError, ValueError
            If `x` is no BitMatrix, or its rows have another length.
        """
        return kernels.transpose(self._output_planes(x))

    def _output_planes(self, x: BitMatrix) -> BitMatrix:
        if not isinstance(x, BitMatrix):
            raise TypeError(f"x must be a BitMatrix (see bvar.kernels.pack), got {type(x).__name__}")
        if x.n_bits != self.n_inputs:
            raise ValueError(f"x must have rows of n_inputs={self.n_inputs} bits, got {x.n_bits}")
        planes = kernels.transpose(BitMatrix.trusted(x.words, x.n_bits)).words  # missing bits are 0 there: F
        planes = evaluate_planes(self, self._steps, planes.reshape(self.n_inputs, n_words(x.n_rows)))
        if x.n_rows:
            planes[:, -1] &= tail_mask(x.n_rows)
        return BitMatrix.trusted(planes, x.n_rows)

    @cached_property
    def _steps(self) -> list[Step]:
        return plan(self)

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
        """Count the gates by kind.

        Returns
        -------
        dict of str to int
            How many gates there are of each kind, the most frequent first.  Gates of up to two inputs have the
            names of :mod:`bvar.calculus.gates`, where `a` is the first input and `b` the second; others are
            called after their number of inputs, such as ``'3 inputs'``.

        Examples
        --------
        >>> from bvar.circuit import Circuit
        >>> Circuit(2, [(0b0111, (0, 1)), (0b01, (2,)), (0b0111, (0, 3))], outputs=[4]).histogram()
        {'nand': 2, 'not_a': 1}
        """
        return dict(Counter(kind(gate) for gate in self.gates).most_common())

    def summary(self) -> str:
        """Describe the circuit.

        Returns
        -------
        str
            A line of sizes, and a line for each kind of gate.

        Examples
        --------
        >>> from bvar.circuit import Circuit
        >>> print(Circuit(2, [(0b0111, (0, 1)), (0b01, (2,))], outputs=[3]).summary())
        2 inputs, 2 gates, 1 output in 1 group, depth 2
        nand                 1
        not_a                1
        """
        lines = [f"{name:<14} {count:>7}" for name, count in self.histogram().items()]
        return "\n".join([f"{self._sizes()}, depth {self.depth}", *lines])

    def _sizes(self) -> str:
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
        return f"Circuit({self._sizes()})"

    # ------------------------------------------------- verbs; their modules import this one

    def simplify(self) -> Circuit:
        """Make the circuit smaller, see :func:`bvar.circuit.simplify`.

        Returns
        -------
        Circuit
            With the same scores for all inputs.
        """
        from bvar.circuit.simplification import simplify

        return simplify(self)

    def expression(self, output: int = 0, names: Sequence[str] | None = None) -> str:
        """Write one output as text, see :func:`bvar.circuit.expression`.

        Parameters
        ----------
        output : int, default=0
            Number of the output.
        names : sequence of str, optional
            Names of the inputs. Default: x0, x1, ...

        Returns
        -------
        str
            An expression of ``and``, ``or``, ``not`` and ``^`` (exclusive or).
        """
        from bvar.circuit.expressions import expression

        return expression(self, output, names)

    def draw(self, ax: Any = None, names: Sequence[str] | None = None) -> Any:
        """Draw the circuit, see :func:`bvar.circuit.draw`.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw. Default: new axes.
        names : sequence of str, optional
            Names of the inputs. Default: x0, x1, ...

        Returns
        -------
        matplotlib.axes.Axes
            The axes drawn on.
        """
        from bvar.circuit.drawing import draw

        return draw(self, ax, names)

    def to_c(self, name: str = "circuit", encoder: Any = None) -> str:
        """Write the circuit as C, see :func:`bvar.circuit.to_c`.

        Parameters
        ----------
        name : str, default='circuit'
            With what all names begin.
        encoder : ThermometerEncoder, OneHotBits or TableEncoder, optional
            What turns features into input bits.

        Returns
        -------
        str
            A header.
        """
        from bvar.circuit.export_c import to_c

        return to_c(self, name, encoder)

    def to_verilog(self, name: str = "circuit") -> str:
        """Write the circuit as Verilog, see :func:`bvar.circuit.to_verilog`.

        Parameters
        ----------
        name : str, default='circuit'
            Name of the module.

        Returns
        -------
        str
            A module.
        """
        from bvar.circuit.export_verilog import to_verilog

        return to_verilog(self, name)

    def to_json(self) -> str:
        """Write the circuit as JSON, see :func:`bvar.circuit.to_json`.

        Returns
        -------
        str
            What :func:`bvar.circuit.from_json` reads.
        """
        from bvar.circuit.json_format import to_json

        return to_json(self)


def kind(gate: TableGate) -> str:
    """Name a gate after `bvar.calculus.gates`, or after its number of inputs."""
    k = len(gate.inputs)
    if k > 2:
        return f"{k} inputs"
    table = gate.table
    for i in range(k, 2):  # an input that does nothing more
        table |= table << (1 << i)
    return _TWO_INPUT_NAMES[table]


def cone(circuit: Circuit, signals: Iterable[int]) -> list[bool]:
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


def _check_group_sum(layer: Any) -> int:
    """Return the number of groups of the last layer, which says so or says how large a group is."""
    if hasattr(layer, "n_inputs") and not hasattr(layer, "wires"):
        if hasattr(layer, "n_groups"):
            return layer.n_groups
        if hasattr(layer, "group_size"):
            return layer.n_inputs // layer.group_size
    raise TypeError(f"the last layer of network must be a group sum, got {type(layer).__name__}")


def _check_layer(layer: Any, name: str, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the tables and the wires of a layer of gates."""
    if not (hasattr(layer, "wires") and hasattr(layer, "table")):
        raise TypeError(f"{name} must have gates with wires and a table, got {type(layer).__name__}")
    wires, bits = np.asarray(layer.wires), layer.table.bits
    if wires.dtype.kind not in "iu":
        raise TypeError(f"{name}: wires must be integers, got dtype {wires.dtype}")
    if wires.ndim != 2 or not 1 <= wires.shape[1] <= MAX_FAN_IN:
        raise ValueError(f"{name}: wires must have the shape (n_gates, 1 to {MAX_FAN_IN}), got {wires.shape}")
    if bits.shape != (len(wires), 2 ** wires.shape[1]):
        raise ValueError(
            f"{name}: the table must have the shape ({len(wires)}, {2 ** wires.shape[1]}), got {bits.shape}"
        )
    if wires.size and not (wires.min() >= 0 and wires.max() < width):
        raise ValueError(f"{name}: wires must be in [0, {width - 1}], got {wires.min()} to {wires.max()}")
    return bits.words[:, 0], wires.astype(np.int64)
