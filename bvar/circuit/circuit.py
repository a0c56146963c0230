"""Circuits: a netlist that evaluates, simplifies, shows and exports itself.

Each verb is a method here and a function in the module that does the work.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from bvar import kernels
from bvar.bits import BitMatrix
from bvar.circuit.aiger import to_aiger
from bvar.circuit.blif import to_blif
from bvar.circuit.chip_parts import with_counters
from bvar.circuit.dot import to_dot
from bvar.circuit.drawing import draw
from bvar.circuit.evaluation import Step, evaluate_rows, plan
from bvar.circuit.export_c import to_c
from bvar.circuit.export_verilog import to_verilog
from bvar.circuit.expressions import expression
from bvar.circuit.extraction import GateNetwork, gates_of
from bvar.circuit.json_format import parse, to_json
from bvar.circuit.netlist import Netlist
from bvar.circuit.simplification import simplify
from bvar.encoding import BitEncoder

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Circuit", "from_json"]


class Circuit(Netlist):
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

    @classmethod
    def from_network(cls, network: GateNetwork, *, n_inputs: int | None = None) -> Self:
        """Take over the gates of a trained network.

        Parameters
        ----------
        network : bvar.networks.Network
            Layers of gates, convolutions of gates and or-pools, and a group sum as the last one.
        n_inputs : int, optional
            Number of input bits. Default: what the first layer says.

        Returns
        -------
        Self
            With one gate for each of the network, in order, even if nothing reads it; of convolutions, one at each
            place.

        Raises
        ------
        TypeError
            If a layer is not one of gates, or the last one is no group sum.
        ValueError
            If two layers do not fit each other.
        """
        return cls(*gates_of(network, n_inputs))

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
        return evaluate_rows(self, x, self._steps)

    @cached_property
    def _steps(self) -> list[Step]:
        return plan(self)

    def summary(self) -> str:
        """Describe the circuit.

        Returns
        -------
        str
            A line of sizes; a line of what `to_verilog` writes, which counts the outputs of each group; and a line
            for each function of the gates.

        See Also
        --------
        make_chip : With comparators and the choice of a class, whose summary counts these too.

        Examples
        --------
        >>> from bvar.circuit import Circuit
        >>> print(Circuit(3, [(0b0111, (0, 1)), (0b0110, (1, 2))], outputs=[3, 4]).summary())
        3 inputs, 2 gates, 2 outputs in 1 group, depth 1
        with counters, as to_verilog writes it: 4 gates, depth 2
        nand                 1
        xor                  1
        """
        counted = with_counters(self)
        gates = f"{counted.n_gates} gate{'' if counted.n_gates == 1 else 's'}"
        exported = f"with counters, as to_verilog writes it: {gates}, depth {counted.depth}"
        return "\n".join([f"{self.sizes()}, depth {self.depth}", exported, *self.functions()])

    # ---------------------------------------------------------------------------------------- verbs

    def simplify(self, level: int = 1) -> Self:
        """Make the circuit smaller, see :func:`bvar.circuit.simplify`.

        Parameters
        ----------
        level : int, default=1
            1 for rules of single gates, 2 for cones of several as well.

        Returns
        -------
        Self
            With the same scores for all inputs.
        """
        return simplify(self, level)

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
        return expression(self, output, names)

    def draw(self, ax: Axes | None = None, names: Sequence[str] | None = None) -> Axes:
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
        return draw(self, ax, names)

    def to_c(self, name: str = "circuit", encoder: BitEncoder | None = None) -> str:
        """Write the circuit as C, see :func:`bvar.circuit.to_c`.

        Parameters
        ----------
        name : str, default='circuit'
            With what all names begin.
        encoder : ThermometerEncoder, OneHotBits, TableEncoder or ImageEncoder, optional
            What turns features into input bits.

        Returns
        -------
        str
            A header.
        """
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
        return to_verilog(self, name)

    def to_blif(self, name: str = "circuit") -> str:
        """Write the circuit as BLIF, see :func:`bvar.circuit.to_blif`.

        Parameters
        ----------
        name : str, default='circuit'
            Name of the model.

        Returns
        -------
        str
            What :func:`bvar.circuit.from_blif` reads.
        """
        return to_blif(self, name)

    def to_aiger(self, *, binary: bool = False) -> bytes:
        """Write the circuit as AIGER, see :func:`bvar.circuit.to_aiger`.

        Parameters
        ----------
        binary : bool, default=False
            Whether to write the binary form.

        Returns
        -------
        bytes
            What :func:`bvar.circuit.from_aiger` reads.
        """
        return to_aiger(self, binary=binary)

    def to_dot(self, names: Sequence[str] | None = None) -> str:
        """Write the circuit for Graphviz, see :func:`bvar.circuit.to_dot`.

        Parameters
        ----------
        names : sequence of str, optional
            Names of the inputs. Default: x0, x1, ...

        Returns
        -------
        str
            A directed graph.
        """
        return to_dot(self, names)

    def to_json(self) -> str:
        """Write the circuit as JSON, see :func:`bvar.circuit.to_json`.

        Returns
        -------
        str
            What :func:`bvar.circuit.from_json` reads.
        """
        return to_json(self)


def from_json(text: str) -> Circuit:
    """Read a circuit from JSON, whoever wrote it.

    Parameters
    ----------
    text : str
        What `to_json` writes; white space and the order of keys do not matter.

    Returns
    -------
    Circuit
        Equal to the one that was written.

    Raises
    ------
    TypeError
        If `text` is no str.
    ValueError
        If it is no circuit; the message says where.

    See Also
    --------
    to_json : Write it.

    Examples
    --------
    >>> from bvar.circuit import Circuit, from_json, to_json
    >>> circuit = Circuit(2, [(0b0110, (0, 1))], outputs=[2])
    >>> from_json(to_json(circuit)) == circuit
    True
    """
    arguments = parse(text)
    try:
        return Circuit(*arguments)
    except TypeError as error:  # of a number that is none: here that is a matter of the text
        raise ValueError(str(error)) from None
