"""Circuits as text that people read, and Python evaluates."""

from __future__ import annotations

from collections.abc import Sequence

from bvar._validation import check_integer
from bvar.circuit.formula import PYTHON, Text, formula, write
from bvar.circuit.names import input_names
from bvar.circuit.netlist import Netlist, check_netlist, cone

__all__ = ["expression"]


def expression(
    circuit: Netlist, output: int = 0, names: Sequence[str] | None = None, *, max_length: int = 10_000
) -> str:
    """Write one output of a small circuit as text.

    Parameters
    ----------
    circuit : Circuit
        Simplify it first: the text says everything that the gates do.
    output : int, default=0
        Number of the output.
    names : sequence of str, optional
        Names of the inputs, such as the questions that an encoder asks. One that is no plain name is put in
        parentheses. Default: x0, x1, ...
    max_length : int, default=10000
        Most characters. A gate that is read twice is written twice, so a text can be much longer than its circuit.

    Returns
    -------
    str
        An expression of ``and``, ``or``, ``not`` and ``^`` (exclusive or), which Python evaluates if the names are
        variables that hold Booleans.

    Raises
    ------
    TypeError, ValueError
        If there is no such output, the number of names is wrong, or the text is too long.

    See Also
    --------
    draw : The same as a picture.

    Examples
    --------
    >>> from bvar.circuit import Circuit, expression
    >>> circuit = Circuit(3, [(0b0110, (0, 1)), (0b0111, (2, 3))], outputs=[4])
    >>> expression(circuit)
    'not (x2 and (x0 ^ x1))'
    >>> expression(circuit, names=["a", "b", "age >= 40"])
    'not ((age >= 40) and (a ^ b))'
    """
    check_netlist(circuit)
    output = check_integer(output, "output", low=0, high=circuit.n_outputs - 1)
    max_length = check_integer(max_length, "max_length", low=1)
    signal = circuit.outputs[output]
    needed = cone(circuit, [signal])
    texts: list[Text] = [
        ("atom", name if name.isidentifier() else f"({name})") for name in input_names(circuit, names)
    ]
    for (table, inputs), is_needed in zip(circuit.gates, needed, strict=True):
        text = ("atom", "")
        if is_needed:
            text = write(formula(table, len(inputs)), [texts[i] for i in inputs], PYTHON)
        if len(text[1]) > max_length:
            raise ValueError(
                f"output {output} takes {sum(needed)} gates and more than max_length={max_length} characters: "
                "simplify the circuit first, raise the limit, or draw it"
            )
        texts.append(text)
    return texts[signal][1]
