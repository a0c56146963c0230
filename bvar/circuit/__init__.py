"""Trained networks as logic circuits: make them smaller, look at them, and turn them into C or hardware.

* :class:`Circuit` is a list of gates with truth tables, and computes the scores of the network;
* :func:`simplify` makes it smaller, and changes no score;
* :func:`expression`, :func:`draw` and :func:`to_dot` show it;
* :func:`to_c`, :func:`to_verilog`, :func:`to_blif`, :func:`to_aiger` and :func:`to_json` take it elsewhere, and
  :func:`check_c` sees that the C answers the same;
* :class:`Chip` is a circuit with all that hardware needs around it, from raw columns to a class;
* :func:`map_to_luts` counts the look-up tables that it takes on an FPGA.

The how-to pages are ``docs/howto/export-circuit.md`` and ``docs/howto/make-a-chip.md``.
"""

from bvar.circuit.aiger import to_aiger
from bvar.circuit.blif import to_blif
from bvar.circuit.checking import c_size, check_c
from bvar.circuit.chip import Chip, make_chip
from bvar.circuit.circuit import Circuit, from_json
from bvar.circuit.dot import to_dot
from bvar.circuit.drawing import draw
from bvar.circuit.export_c import to_c
from bvar.circuit.export_verilog import chip_to_verilog, to_verilog
from bvar.circuit.expressions import expression
from bvar.circuit.json_format import to_json
from bvar.circuit.lut_mapping import LutMapping, map_to_luts, to_luts
from bvar.circuit.netlist import TableGate
from bvar.circuit.readers import from_aiger, from_blif
from bvar.circuit.rewriting import rewrite_cones
from bvar.circuit.simplification import (
    absorb_inverters,
    bypass_wires,
    drop_inputs,
    fold_constants,
    remove_dead_gates,
    share_gates,
    simplify,
)
from bvar.circuit.testbench import write_testbench
from bvar.circuit.yosys import yosys_luts

__all__ = [
    "Chip",
    "LutMapping",
    "c_size",
    "check_c",
    "chip_to_verilog",
    "make_chip",
    "map_to_luts",
    "to_luts",
    "write_testbench",
    "yosys_luts",
    "Circuit",
    "TableGate",
    "absorb_inverters",
    "bypass_wires",
    "draw",
    "drop_inputs",
    "expression",
    "fold_constants",
    "from_aiger",
    "from_blif",
    "from_json",
    "remove_dead_gates",
    "rewrite_cones",
    "share_gates",
    "simplify",
    "to_aiger",
    "to_blif",
    "to_c",
    "to_dot",
    "to_json",
    "to_verilog",
]
