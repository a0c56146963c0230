"""Make a circuit smaller without changing a single score.

A pass goes through the gates once, in order, and applies one rule to each.  A rule sees what has become of the
gates before, so what it finds in one gate counts for the next.  `simplify` applies all rules to a gate before it
goes on: a chain of gates, each of which can be simplified only after the one before, still takes one pass.
"""

from __future__ import annotations

from typing import TypeVar

from bvar._validation import check_integer
from bvar.circuit.netlist import Netlist, check_netlist, cone
from bvar.circuit.rewriting import rewrite_cones
from bvar.circuit.rules import Builder, Rule, absorb, bypass, drop, every_rule, fold, sharing

__all__ = [
    "absorb_inverters",
    "bypass_wires",
    "drop_inputs",
    "fold_constants",
    "remove_dead_gates",
    "share_gates",
    "simplify",
]

Simplified = TypeVar("Simplified", bound=Netlist)


def simplify(circuit: Simplified, level: int = 1) -> Simplified:
    """Make a circuit smaller until no pass finds anything to do.

    Parameters
    ----------
    circuit : Circuit
        Left as it is.
    level : int, default=1
        1 for the rules that look at one gate and what it reads; 2 for cones of several gates as well, which takes
        some times longer.

    Returns
    -------
    Circuit
        With the same inputs, and the same outputs for all of them.

    Raises
    ------
    TypeError, ValueError
        If `level` is neither 1 nor 2.

    See Also
    --------
    rewrite_cones : What level 2 adds.
    fold_constants : Put constants into the tables of their readers.
    drop_inputs : Forget inputs that do not matter.
    bypass_wires : Read what a wire reads.
    absorb_inverters : Negate in the reader.
    share_gates : Compute the same only once.
    remove_dead_gates : Forget what nobody reads.

    Notes
    -----
    A constant that is an output stays, as a gate without inputs, and so does an inverter.  What takes more than
    one gate to see, such as the absorption law ``a or (a and b) = a``, is looked for at level 2, among gates of
    two inputs.

    Examples
    --------
    Two inverters, an and of them, and a gate that ignores its second input:

    >>> from bvar.circuit import Circuit, simplify
    >>> circuit = Circuit(2, [(0b01, (0,)), (0b01, (1,)), (0b1000, (2, 3)), (0b1010, (4, 0))], outputs=[5])
    >>> simplify(circuit).gates
    (TableGate(table=1, inputs=(0, 1)),)
    """
    check_netlist(circuit)
    if check_integer(level, "level", low=1, high=2) == 2:
        return _simplify_cones(circuit)
    while True:
        smaller = remove_dead_gates(_sweep(circuit, *every_rule(circuit.n_inputs)))
        if smaller == circuit:
            return circuit
        circuit = smaller


def _simplify_cones(circuit: Simplified) -> Simplified:
    best = simplify(circuit)
    while True:
        smaller = simplify(rewrite_cones(best))
        if smaller.n_gates >= best.n_gates:
            return best
        best = smaller


def fold_constants(circuit: Simplified) -> Simplified:
    """Put constants into the tables of the gates that read them.

    Parameters
    ----------
    circuit : Circuit
        Left as it is.

    Returns
    -------
    Circuit
        In which no gate reads a constant, and one that is always T or always F has no inputs.

    Examples
    --------
    >>> from bvar.circuit import Circuit, fold_constants
    >>> fold_constants(Circuit(1, [(1, ()), (0b0110, (0, 1))], outputs=[2])).gates
    (TableGate(table=1, inputs=()), TableGate(table=1, inputs=(0,)))
    """
    return _sweep(circuit, fold)


def drop_inputs(circuit: Simplified) -> Simplified:
    """Forget the inputs on which a gate does not depend, and those that it has twice.

    Parameters
    ----------
    circuit : Circuit
        Left as it is.

    Returns
    -------
    Circuit
        In which every gate depends on all its inputs, and these are distinct.

    Examples
    --------
    >>> from bvar.circuit import Circuit, drop_inputs
    >>> drop_inputs(Circuit(2, [(0b1010, (0, 1)), (0b1000, (1, 1))], outputs=[2, 3])).gates
    (TableGate(table=2, inputs=(0,)), TableGate(table=2, inputs=(1,)))
    """
    return _sweep(circuit, drop)


def bypass_wires(circuit: Simplified) -> Simplified:
    """Let the readers of a gate that only repeats its input read the input, and remove the gate.

    Parameters
    ----------
    circuit : Circuit
        Left as it is.

    Returns
    -------
    Circuit
        Without gates whose one input is their output.

    Examples
    --------
    >>> from bvar.circuit import Circuit, bypass_wires
    >>> bypass_wires(Circuit(1, [(0b10, (0,)), (0b10, (1,))], outputs=[2])).outputs
    (0,)
    """
    return _sweep(circuit, bypass)


def absorb_inverters(circuit: Simplified) -> Simplified:
    """Let the readers of an inverter read its input, and negate it in their tables.

    Parameters
    ----------
    circuit : Circuit
        Left as it is.

    Returns
    -------
    Circuit
        In which no gate reads an inverter; those that are outputs stay.

    Examples
    --------
    >>> from bvar.circuit import Circuit, absorb_inverters
    >>> absorb_inverters(Circuit(2, [(0b01, (0,)), (0b1000, (2, 1))], outputs=[3])).gates[1]
    TableGate(table=4, inputs=(0, 1))
    """
    return _sweep(circuit, absorb)


def share_gates(circuit: Simplified) -> Simplified:
    """Put the inputs of every gate in order, and keep one of the gates that do the same.

    Parameters
    ----------
    circuit : Circuit
        Left as it is.

    Returns
    -------
    Circuit
        In which no two gates have the same table and inputs.  A gate of at least two inputs that is the negation
        of an earlier one is an inverter of it.

    Examples
    --------
    An and, and a nand of the same inputs in another order:

    >>> from bvar.circuit import Circuit, share_gates
    >>> share_gates(Circuit(2, [(0b1000, (0, 1)), (0b0111, (1, 0))], outputs=[2, 3])).gates
    (TableGate(table=8, inputs=(0, 1)), TableGate(table=1, inputs=(2,)))
    """
    check_netlist(circuit)
    return _sweep(circuit, sharing(circuit.n_inputs))


def remove_dead_gates(circuit: Simplified) -> Simplified:
    """Remove the gates that no output depends on.

    Parameters
    ----------
    circuit : Circuit
        Left as it is.

    Returns
    -------
    Circuit
        In which every gate is an output or read by another; inputs stay, whether they are read or not.

    Examples
    --------
    >>> from bvar.circuit import Circuit, remove_dead_gates
    >>> remove_dead_gates(Circuit(2, [(0b1000, (0, 1)), (0b01, (0,))], outputs=[3]))
    Circuit(2 inputs, 1 gate, 1 output in 1 group)
    """
    check_netlist(circuit)
    alive = cone(circuit, circuit.outputs)
    if all(alive):
        return circuit
    following = iter(alive)
    return _sweep(circuit, lambda gates, gate: gate if next(following) else 0)  # nobody asks what replaces it


def _sweep(circuit: Simplified, *rules: Rule) -> Simplified:
    """Rebuild a circuit gate by gate; rules see the inputs of a gate as they are numbered in the new one."""
    check_netlist(circuit)
    builder = Builder(circuit.n_inputs, rules)
    signals = builder.copy(circuit.gates, range(circuit.n_inputs))
    return type(circuit).trusted(
        circuit.n_inputs, builder.gates.values(), [signals[i] for i in circuit.outputs], circuit.n_groups
    )
