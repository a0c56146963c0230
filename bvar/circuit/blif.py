"""Circuits as BLIF, which synthesisers such as ABC and Yosys read: a table for each gate, row by row."""

from __future__ import annotations

from collections.abc import Iterator

from bvar.circuit.netlist import Netlist, TableGate, check_netlist
from bvar.circuit.truth import MAX_FAN_IN, full
from bvar.export.names import check_prefix

__all__ = ["parse_blif", "to_blif"]

Parsed = tuple[int, list[TableGate], list[int]]


def to_blif(circuit: Netlist, name: str = "circuit") -> str:
    """Write a circuit as BLIF.

    Parameters
    ----------
    circuit : Circuit
        Any circuit; its outputs are written one by one, and are not counted. Of a :class:`Chip` take `netlist`.
    name : str, default='circuit'
        Name of the model: letters, digits and underscores, beginning with a letter.

    Returns
    -------
    str
        A model with inputs x0, x1 and so on, outputs y0, y1 and so on, and a table for each gate.

    Raises
    ------
    TypeError, ValueError
        If `name` cannot be a name.

    See Also
    --------
    from_blif : The way back.
    to_aiger : The other format that such tools share.

    Examples
    --------
    >>> from bvar.circuit import Circuit, to_blif
    >>> print(to_blif(Circuit(2, [(0b0110, (0, 1))], outputs=[2]), "parity"))
    .model parity
    .inputs x0 x1
    .outputs y0
    .names x0 x1 g0
    10 1
    01 1
    .names g0 y0
    1 1
    .end
    <BLANKLINE>
    """
    check_netlist(circuit)
    check_prefix(name, "name")
    signals = [f"x{i}" for i in range(circuit.n_inputs)] + [f"g{g}" for g in range(circuit.n_gates)]
    lines = [
        f".model {name}",
        " ".join([".inputs", *signals[: circuit.n_inputs]]),
        " ".join([".outputs", *(f"y{i}" for i in range(circuit.n_outputs))]),
    ]
    for (table, inputs), target in zip(circuit.gates, signals[circuit.n_inputs :], strict=True):
        rows = list(_rows(table, len(inputs)))
        reads = [signals[i] for i in inputs] if rows else []  # ABC refuses inputs without a row
        lines += [" ".join([".names", *reads, target]), *rows]
    for i, signal in enumerate(circuit.outputs):
        lines += [f".names {signals[signal]} y{i}", "1 1"]
    return "\n".join([*lines, ".end\n"])


def _rows(table: int, k: int) -> Iterator[str]:
    for address in range(1 << k):
        if table >> address & 1:
            yield "".join("01"[address >> i & 1] for i in range(k)) + (" 1" if k else "1")


def parse_blif(text: str) -> Parsed:
    """Return inputs, gates and outputs of the one model that a text holds, see :func:`bvar.circuit.from_blif`."""
    if not isinstance(text, str):
        raise TypeError(f"text must be a str, got {type(text).__name__}")
    inputs: list[str] = []
    outputs: list[str] = []
    tables: dict[str, tuple[list[str], list[str]]] = {}
    rows: list[str] | None = None
    named = False
    for line in _logical_lines(text):
        word, *rest = line.split()
        if word == ".inputs":
            inputs += rest
        elif word == ".outputs":
            outputs += rest
        elif word == ".names":
            if not rest or rest[-1] in tables:
                raise ValueError(f"text is no circuit: .names must have an output of its own, got {line!r}")
            rows = []
            tables[rest[-1]] = (rest[:-1], rows)
        elif word == ".end":
            break
        elif word == ".model":
            if named:
                raise ValueError(f"text must be BLIF of one model, got a second one, {line!r}")
            named = True
        elif word.startswith("."):
            raise ValueError(f"text must be combinational BLIF of one model with .names alone, got {word!r}")
        elif rows is None:
            raise ValueError(f"text is no circuit: a row of a table without a table, {line!r}")
        else:
            rows.append(line)
    return _in_order(inputs, outputs, tables)


def _logical_lines(text: str) -> Iterator[str]:
    """Join lines that a backslash continues, and leave out comments and empty lines."""
    joined = ""
    for line in text.splitlines():
        joined += line.partition("#")[0].rstrip()
        if joined.endswith("\\"):
            joined = joined[:-1] + " "
            continue
        if joined.strip():
            yield joined
        joined = ""


def _in_order(inputs: list[str], outputs: list[str], tables: dict[str, tuple[list[str], list[str]]]) -> Parsed:
    """Give numbers to signals so that each gate comes after what it reads."""
    signals = {name: i for i, name in enumerate(inputs)}
    if len(signals) < len(inputs) or not signals.keys().isdisjoint(tables):
        raise ValueError("text is no circuit: an input comes twice, or is also the output of a table")
    gates: list[TableGate] = []
    for output in outputs:
        stack, open_ones = [output], set[str]()
        while stack:
            name = stack[-1]
            if name in signals:
                stack.pop()
                continue
            if name not in tables:
                raise ValueError(f"text is no circuit: nothing gives {name!r} a value")
            reads, rows = tables[name]
            missing = [i for i in reads if i not in signals]
            if not missing:
                signals[name] = len(inputs) + len(gates)
                gates.append(TableGate(_table(name, rows, len(reads)), tuple([signals[i] for i in reads])))
            elif name in open_ones:
                raise ValueError(f"text is no circuit: {name!r} depends on itself")
            else:
                open_ones.add(name)
                stack += missing
    return len(inputs), gates, [signals[name] for name in outputs]


def _table(name: str, rows: list[str], k: int) -> int:
    """Return the table of a cover: rows of 0, 1 and -, for both, and the value where one fits."""
    if k > MAX_FAN_IN:
        raise ValueError(f"the table of {name!r} must have at most {MAX_FAN_IN} inputs, got {k}")
    table, values = 0, set[str]()
    for row in rows:
        *pattern, value = row.split()
        cube = "".join(pattern)
        if len(cube) != k or not set(cube) <= set("01-") or value not in ("0", "1"):
            raise ValueError(f"the table of {name!r} has the row {row!r}, which does not fit {k} inputs")
        values.add(value)
        table |= sum(
            1 << a for a in range(1 << k) if all(c in ("-", "01"[a >> i & 1]) for i, c in enumerate(cube))
        )
    if len(values) > 1:
        raise ValueError(f"the table of {name!r} has rows for 0 and for 1, of which one is enough")
    return table ^ full(k) if values == {"0"} else table
