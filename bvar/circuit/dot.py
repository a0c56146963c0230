"""Circuits as text for Graphviz, which draws what is too large for :func:`bvar.circuit.draw`."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bvar.circuit.names import input_names
from bvar.circuit.netlist import Netlist, check_netlist, function

__all__ = ["to_dot"]


def to_dot(circuit: Netlist, names: Sequence[str] | None = None) -> str:
    """Write a circuit in the language of Graphviz.

    Parameters
    ----------
    circuit : Circuit
        Any circuit.
    names : sequence of str, optional
        Names of the inputs. Default: x0, x1, ...

    Returns
    -------
    str
        A directed graph: inputs that are read, gates with the names of :func:`Circuit.histogram`, outputs. The
        arrows into a gate are numbered where it has several inputs.

    Raises
    ------
    ValueError
        If the number of names is wrong.

    See Also
    --------
    draw : A picture by matplotlib.

    Examples
    --------
    >>> from bvar.circuit import Circuit, to_dot
    >>> print(to_dot(Circuit(2, [(0b0110, (0, 1))], outputs=[2]), names=["a", "b"]))
    digraph circuit {
      rankdir=LR;
      node [shape=box, style=rounded];
      s0 [label="a", shape=plaintext];
      s1 [label="b", shape=plaintext];
      s2 [label="xor"];
      s0 -> s2 [label="0"];
      s1 -> s2 [label="1"];
      y0 [label="score 0", shape=plaintext];
      s2 -> y0;
    }
    <BLANKLINE>
    """
    check_netlist(circuit)
    labels = input_names(circuit, names)
    read = {i for _, inputs in circuit.gates for i in inputs} | set(circuit.outputs)
    lines = [
        f"s{i} [label={json.dumps(labels[i])}, shape=plaintext];" for i in sorted(read) if i < circuit.n_inputs
    ]
    for g, gate in enumerate(circuit.gates):
        target = f"s{circuit.n_inputs + g}"
        lines.append(f'{target} [label="{function(gate)}"];')
        several = len(gate.inputs) > 1
        lines += [
            f"s{s} -> {target}{f' [label={chr(34)}{i}{chr(34)}]' * several};" for i, s in enumerate(gate.inputs)
        ]
    for i, signal in enumerate(circuit.outputs):
        lines += [f'y{i} [label="score {i // circuit.group_size}", shape=plaintext];', f"s{signal} -> y{i};"]
    body = "".join(f"  {line}\n" for line in ["rankdir=LR;", "node [shape=box, style=rounded];", *lines])
    return f"digraph circuit {{\n{body}}}\n"
