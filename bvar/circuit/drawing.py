"""Pictures of small circuits.  Matplotlib is imported when `draw` is called, not before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from bvar._extras import missing
from bvar.circuit.formula import PYTHON, Formula, formula, write
from bvar.circuit.names import input_names
from bvar.circuit.netlist import Netlist, TableGate, check_netlist

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw"]

_MOST = 120  # gates and inputs; more cannot be read

# Light fills under dark text are read on any background, and the functions differ in shade as well as in colour
# (Okabe and Ito's palette, lightened). Wires are a grey of middle shade for the same reason.
_FILLS = {"input": "#FFFFFF", "and": "#BFE3F7", "or": "#F9DDA4", "xor": "#EBC3DA", "other": "#DDDDDD"}
_OUTPUT, _TEXT, _LINE, _WIRE = "#A8DCC8", "#1A1A1A", "#5A5A5A", "#8A8A8A"

_STEP, _ROW, _LANE = 2.7, 1.0, 0.5  # distances of columns, of rows, and of wires that pass through a column
_HALF_HEIGHT, _HALF_WIDTH, _BUBBLE = 0.36, 0.75, 0.08

Item: TypeAlias = tuple[int, int]
"""A signal and a column: its box where it is computed, and its wire in the columns that it passes through."""


def draw(circuit: Netlist, ax: Axes | None = None, names: Sequence[str] | None = None) -> Axes:
    """Draw a small circuit, from the inputs on the left to the outputs on the right.

    Parameters
    ----------
    circuit : Circuit
        Simplify it first. At most 120 gates and inputs that are read.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: new axes, large enough.
    names : sequence of str, optional
        Names of the inputs. Default: x0, x1, ...

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Raises
    ------
    ValueError
        If the circuit is too large, or the number of names is wrong.
    ImportError
        If matplotlib is missing; the message says how to install it.

    See Also
    --------
    expression : The same as text.

    Notes
    -----
    A small circle negates what passes through it, so that a box that says *and* with a circle behind it is a nand.
    A gate that is no plain *and*, *or* or *xor* says what it computes of its inputs, which are a, b, c and so on
    from top to bottom.  Inputs that nothing reads are left out.

    For those who do not see the picture, `expression` says the same in words: use it as the alternative text.

    Examples
    --------
    >>> from bvar.circuit import Circuit, draw
    >>> ax = draw(Circuit(2, [(0b0110, (0, 1)), (0b1000, (0, 1))], outputs=[2, 3], n_groups=2), names=["a", "b"])
    >>> [text.get_text() for text in ax.texts]
    ['a', 'b', 'xor', 'and', 'score 0', 'score 1']
    """
    check_netlist(circuit)
    if ax is not None and not hasattr(ax, "set_axis_off"):
        raise TypeError(f"ax must be matplotlib axes, or None, got {type(ax).__name__}")
    labels = input_names(circuit, names)
    read = sorted({i for gate in circuit.gates for i in gate.inputs} | set(circuit.outputs))
    shown = [i for i in read if i < circuit.n_inputs] + [circuit.n_inputs + g for g in range(circuit.n_gates)]
    if len(shown) + circuit.n_outputs > 2 * _MOST or len(shown) > _MOST:
        raise ValueError(
            f"circuit must have at most {_MOST} gates and inputs that are read, and {2 * _MOST} with the outputs, "
            f"to be drawn, got {len(shown)} and {circuit.n_outputs} outputs: simplify it first, "
            "or see summary() and expression()"
        )
    columns, sources = _columns(circuit, shown)
    places = _arrange(columns, sources)
    ax = _axes(ax, places)
    for item, read_items in sources.items():
        _draw_wires(ax, item, read_items, places)
    first_gate, first_output = circuit.n_inputs, circuit.n_inputs + circuit.n_gates
    for item, read_items in sources.items():
        signal, (x, y) = item[0], places[item]
        if read_items and read_items[0][0] == signal:
            continue  # a wire that passes
        if signal < first_gate:
            _box(ax, x, y, _wrap(labels[signal]), _FILLS["input"])
        elif signal < first_output:
            _draw_gate(ax, x, y, circuit.gates[signal - first_gate])
        else:
            _box(ax, x, y, _output_label(circuit, signal - first_output), _OUTPUT)
    return ax


def _columns(circuit: Netlist, shown: list[int]) -> tuple[list[list[Item]], dict[Item, list[Item]]]:
    """Sort what is drawn into columns, and list what each item is connected with in the column before.

    Outputs are numbered after the signals.
    """
    first = circuit.n_inputs + circuit.n_gates
    column = {s: 0 if s < circuit.n_inputs else circuit.levels[s - circuit.n_inputs] for s in shown}
    last = max(column.values()) + 1
    column |= dict.fromkeys(range(first, first + circuit.n_outputs), last)
    reads = {circuit.n_inputs + g: gate.inputs for g, gate in enumerate(circuit.gates)}
    reads |= {first + output: (signal,) for output, signal in enumerate(circuit.outputs)}
    sources: dict[Item, list[Item]] = {}
    for signal, at in column.items():
        sources[signal, at] = [(i, at - 1) for i in reads.get(signal, ())]
        for i in reads.get(signal, ()):
            sources |= {(i, between): [(i, between - 1)] for between in range(column[i] + 1, at)}
    columns: list[list[Item]] = [[] for _ in range(last + 1)]
    for item in sources:
        columns[item[1]].append(item)
    return columns, sources


def _arrange(columns: list[list[Item]], sources: dict[Item, list[Item]]) -> dict[Item, tuple[float, float]]:
    """Give every item a place: at the mean height of what it is connected with, as far as there is room."""
    heights: dict[Item, float] = {}
    for number, column in enumerate(columns):
        wanted = {item: _mean([heights[i] for i in sources[item]]) for item in column}
        if number < len(columns) - 1:  # outputs stay in order
            column.sort(key=lambda item, wanted=wanted: -wanted[item])  # type: ignore[misc]
        for previous, item in zip([None, *column], column, strict=False):
            height = wanted[item]
            if previous is not None:
                passing = [bool(sources[i]) and sources[i][0][0] == i[0] for i in (previous, item)]
                height = min(height, heights[previous] - (_ROW, 0.75 * _ROW, _LANE)[sum(passing)])
            heights[item] = height
        shift = _mean([wanted[item] - heights[item] for item in column])
        heights |= {item: heights[item] + shift for item in column}
    return {item: (item[1] * _STEP, height) for item, height in heights.items()}


def _mean(values: list[float]) -> float:
    return sum(values) / max(1, len(values))


def _draw_gate(ax: Any, x: float, y: float, gate: TableGate) -> None:
    op, label, negated, is_negated = _look(gate)
    _box(ax, x, y, label, _FILLS[op])
    for port, negate in enumerate(negated):
        if negate:
            _bubble(ax, x - _HALF_WIDTH - _BUBBLE, _port(y, port, len(gate.inputs)))
    if is_negated:
        _bubble(ax, x + _HALF_WIDTH + _BUBBLE, y)


def _look(gate: TableGate) -> tuple[str, str, list[bool], bool]:
    """Tell the function and the label of a gate, which inputs have circles, and whether the output has one."""
    k = len(gate.inputs)
    what = formula(gate.table, k)
    is_negated = what.op == "not"
    core: Any = what.args[0] if is_negated else what
    literals = {_literal(arg) for arg in core.args} if core.op in ("and", "or", "xor") else set()
    if len(literals) == k > 1 and None not in literals:
        return core.op, core.op, [(i, True) in literals for i in range(k)], is_negated
    label = write(what, [("atom", letter) for letter in "abcdef"], PYTHON)[1].replace("^", "xor")
    return "other", _wrap(label), [False] * k, False


def _literal(arg: Formula) -> tuple[int, bool] | None:
    """Return an input and whether it is negated, or None for anything else."""
    inner: Any = arg.args[0] if arg.op == "not" else arg
    return (inner.args[0], arg.op == "not") if inner.op == "input" else None


def _wrap(label: str) -> str:
    lines = [""]
    for word in label.split():
        if len(lines[-1]) + len(word) > 16:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return "\n".join(lines if len(lines) < 4 else [*lines[:3], "..."])


def _output_label(circuit: Netlist, output: int) -> str:
    if circuit.group_size == 1:
        return f"score {output}"
    group, number = divmod(output, circuit.group_size)
    return f"score {group}\nvote {number}"


def _draw_wires(ax: Any, item: Item, read: list[Item], places: dict[Item, tuple[float, float]]) -> None:
    """Draw the wires that end at an item, or one that passes, which goes on to the far side of the column."""
    x, y = places[item]
    passes = bool(read) and read[0][0] == item[0]
    for port, source in enumerate(read):
        start = (places[source][0] + _HALF_WIDTH, places[source][1])
        _curve(ax, start, (x - _HALF_WIDTH, _port(y, port, len(read))), 2 * _HALF_WIDTH * passes)


def _port(y: float, port: int, n_ports: int) -> float:
    """Return the height at which a wire arrives: the first one at the top."""
    return y + _HALF_HEIGHT * (1 - (2 * port + 1) / n_ports)


def _curve(ax: Any, start: tuple[float, float], end: tuple[float, float], further: float) -> None:
    """Draw an S from left to right, and a straight line after it."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    middle = (start[0] + end[0]) / 2
    points = [start, (middle, start[1]), (middle, end[1]), end, (end[0] + further, end[1])]
    path = Path(points, [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4, Path.LINETO])
    ax.add_patch(PathPatch(path, fill=False, edgecolor=_WIRE, linewidth=1.3, zorder=1))


def _box(ax: Any, x: float, y: float, label: str, fill: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    corner, width, height = (x - _HALF_WIDTH, y - _HALF_HEIGHT), 2 * _HALF_WIDTH, 2 * _HALF_HEIGHT
    style = "round,pad=0,rounding_size=0.1"
    ax.add_patch(FancyBboxPatch(corner, width, height, boxstyle=style, facecolor=fill, edgecolor=_LINE, zorder=2))
    longest = max(map(len, label.split("\n")))
    size = min(11.0, 120 / max(longest, 1), 28 / (label.count("\n") + 1))
    ax.text(x, y, label, ha="center", va="center", color=_TEXT, fontsize=size, zorder=4)


def _bubble(ax: Any, x: float, y: float) -> None:
    from matplotlib.patches import Circle

    ax.add_patch(Circle((x, y), _BUBBLE, facecolor="#FFFFFF", edgecolor=_LINE, zorder=3))


def _axes(ax: Any, places: dict[Item, tuple[float, float]]) -> Any:
    """Return axes with room for all places, and with equal units so that circles are round."""
    xs, ys = zip(*places.values(), strict=True)
    left, right, bottom, top = min(xs) - 1, max(xs) + 1, min(ys) - 0.7, max(ys) + 0.7
    if ax is None:
        try:
            from matplotlib.figure import Figure  # a figure of its own: no global state, no window
        except ImportError as error:
            raise missing("plot", "plots") from error
        ax = Figure(figsize=(0.75 * (right - left), 0.75 * (top - bottom)), layout="constrained").add_subplot()
    ax.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
    ax.set_axis_off()
    return ax
