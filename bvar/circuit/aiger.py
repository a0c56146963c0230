"""Circuits as AIGER, the format of model checkers: nothing but *and* of two signals, each of which may be negated.

A *literal* is twice the number of a variable, and one more if it is negated; variable 0 is F.  The text begins
with
``aag``.  The binary form, ``aig``, leaves out what can be told: inputs are numbered first, gates follow in order,
and of each gate the differences of its literals are written, seven bits a byte.
"""

from __future__ import annotations

from collections.abc import Iterator

from bvar.circuit.formula import Formula, formula
from bvar.circuit.netlist import MOST, Netlist, TableGate, check_netlist
from bvar.circuit.rules import Builder

__all__ = ["parse_aiger", "to_aiger"]

Parsed = tuple[int, list[TableGate], list[int]]


def to_aiger(circuit: Netlist, *, binary: bool = False) -> bytes:
    """Write a circuit as AIGER.

    Parameters
    ----------
    circuit : Circuit
        Any circuit; its outputs are written one by one, and are not counted. Of a :class:`Chip` take `netlist`.
    binary : bool, default=False
        Whether to write the binary form.

    Returns
    -------
    bytes
        A file of version 1.9 without latches.

    See Also
    --------
    from_aiger : The way back.

    Examples
    --------
    >>> from bvar.circuit import Circuit, to_aiger
    >>> print(to_aiger(Circuit(2, [(0b0001, (0, 1))], outputs=[2])).decode())
    aag 3 2 0 1 1
    2
    4
    6
    6 5 3
    <BLANKLINE>
    """
    check_netlist(circuit)
    writer = _Writer(circuit.n_inputs)
    literals = [2 * i + 2 for i in range(circuit.n_inputs)]
    for table, inputs in circuit.gates:
        literals.append(writer.literal(formula(table, len(inputs)), [literals[i] for i in inputs]))
    outputs = [literals[i] for i in circuit.outputs]
    n_ands = len(writer.ands)
    head = f"{circuit.n_inputs + n_ands} {circuit.n_inputs} 0 {len(outputs)} {n_ands}\n"
    lines = "".join(f"{literal}\n" for literal in outputs)
    if binary:
        pairs = ((target - a, a - b) for (a, b), target in writer.ands.items())
        deltas = b"".join(_varint(delta) for pair in pairs for delta in pair)
        return f"aig {head}{lines}".encode() + deltas
    inputs_text = "".join(f"{2 * i + 2}\n" for i in range(circuit.n_inputs))
    ands = "".join(f"{target} {a} {b}\n" for (a, b), target in writer.ands.items())
    return f"aag {head}{inputs_text}{lines}{ands}".encode()


class _Writer:
    """Ands that are there already, by their literals, the larger first."""

    def __init__(self, n_inputs: int) -> None:
        self.n_inputs = n_inputs
        self.ands: dict[tuple[int, int], int] = {}

    def literal(self, what: Formula, operands: list[int]) -> int:
        """Return the literal of a formula, given those of its inputs."""
        op, args = what
        if op == "input":
            return operands[args[0]]  # type: ignore[index]
        if op == "constant":
            return int(args[0])  # type: ignore[arg-type]
        first, *rest = [self.literal(arg, operands) for arg in args]  # type: ignore[arg-type]
        for other in rest:
            first = self._join(op, first, other)
        return first ^ (op == "not")

    def _join(self, op: str, a: int, b: int) -> int:
        if op == "and":
            return self._and(a, b)
        if op == "or":
            return self._and(a ^ 1, b ^ 1) ^ 1
        return self._and(self._and(a, b ^ 1) ^ 1, self._and(a ^ 1, b) ^ 1) ^ 1

    def _and(self, a: int, b: int) -> int:
        a, b = max(a, b), min(a, b)
        if b <= 1 or a == b or a == b ^ 1:
            return a if b == 1 or a == b else 0
        return self.ands.setdefault((a, b), 2 * (self.n_inputs + len(self.ands) + 1))


def _varint(number: int) -> bytes:
    """Write seven bits a byte, the low ones first; the eighth says that more follow."""
    parts = []
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


def parse_aiger(data: bytes | str) -> Parsed:
    """Return inputs, gates and outputs of a file, see :func:`bvar.circuit.from_aiger`."""
    if not isinstance(data, bytes | str):
        raise TypeError(f"data must be bytes or a str, got {type(data).__name__}")
    raw = data.encode() if isinstance(data, str) else data
    kind, n_inputs, n_outputs, n_ands, rest = _head(raw)
    lines, position = [], 0
    for _ in range(n_outputs if kind == "aig" else n_inputs + n_outputs + n_ands):
        end = rest.find(b"\n", position)
        if end < 0:
            raise ValueError("data is no circuit: it ends too early")
        lines.append(_numbers(rest[position:end]))
        position = end + 1
    if kind == "aig":
        inputs = [2 * i + 2 for i in range(n_inputs)]
        ands = list(_deltas(rest[position:], n_inputs, n_ands))
        outputs = lines
    else:
        inputs = [_only(line, 1)[0] for line in lines[:n_inputs]]
        outputs = lines[n_inputs : n_inputs + n_outputs]
        ands = [tuple(_only(line, 3)) for line in lines[n_inputs + n_outputs :]]
    return _build(inputs, [_only(line, 1)[0] for line in outputs], ands)


def _head(raw: bytes) -> tuple[str, int, int, int, bytes]:
    first, _, rest = raw.partition(b"\n")
    kind, *numbers = first.decode("ascii", "replace").split() or [""]
    if kind not in ("aag", "aig") or len(numbers) < 5 or not all(n.isdecimal() for n in numbers):
        raise ValueError("data is no circuit: it must begin with aag or aig and five numbers")
    _, n_inputs, n_latches, n_outputs, n_ands, *others = map(int, numbers)
    if n_latches or any(others):
        raise ValueError("data must be combinational: it has latches or properties")
    if max(n_inputs, n_outputs, n_ands) > MOST:
        raise ValueError("data is no circuit: it is too large")
    return kind, n_inputs, n_outputs, n_ands, rest


def _numbers(line: bytes) -> list[int]:
    parts = line.split()
    if not all(part.isdigit() for part in parts):
        raise ValueError(f"data is no circuit: {line[:80]!r} must be numbers")
    return [int(part) for part in parts]


def _only(line: list[int], n: int) -> list[int]:
    if len(line) != n:
        raise ValueError(f"data is no circuit: a line must have {n} numbers, got {len(line)}")
    return line


def _deltas(raw: bytes, n_inputs: int, n_ands: int) -> Iterator[tuple[int, ...]]:
    position = 0
    for g in range(n_ands):
        target = 2 * (n_inputs + g + 1)
        parts = []
        for _ in range(2):
            number = shift = 0
            while True:
                if position >= len(raw):
                    raise ValueError("data is no circuit: it ends too early")
                byte = raw[position]
                position += 1
                number |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    break
            parts.append(number)
        yield target, target - parts[0], target - parts[0] - parts[1]


def _build(inputs: list[int], outputs: list[int], ands: list[tuple[int, ...]]) -> Parsed:
    builder = Builder.simplifying(len(inputs))
    signals = {literal: i for i, literal in enumerate(inputs)}
    if len(signals) < len(inputs) or any(literal < 2 or literal & 1 for literal in inputs):
        raise ValueError("data is no circuit: inputs must be even literals that differ")
    signals[0] = -1
    for target, a, b in ands:
        if target in signals or target & 1:
            raise ValueError(f"data is no circuit: the literal {target} comes twice, or is odd")
        if (a & ~1) not in signals or (b & ~1) not in signals or a < 0 or b < 0:
            raise ValueError(f"data is no circuit: {target} must come after what it reads")
        table = 1 << ((a & 1 ^ 1) + 2 * (b & 1 ^ 1))  # T where both are, after their negations
        signals[target] = builder.add(
            table, [_signal(builder, signals, a & ~1), _signal(builder, signals, b & ~1)]
        )
    for literal in outputs:
        if (literal & ~1) not in signals:
            raise ValueError(f"data is no circuit: nothing gives the literal {literal} a value")
    made = [_signal(builder, signals, literal) for literal in outputs]
    return len(inputs), list(builder.gates.values()), made


def _signal(builder: Builder, signals: dict[int, int], literal: int) -> int:
    if literal < 2:
        return builder.constant(bool(literal))
    signal = signals[literal & ~1]
    return builder.invert(signal) if literal & 1 else signal
