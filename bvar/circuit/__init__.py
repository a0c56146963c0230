"""Trained networks as logic circuits: make them smaller, look at them, and turn them into C or hardware.

* :class:`Circuit` is a list of gates with truth tables, and computes the scores of the network;
* :func:`simplify` makes it smaller, and changes no score;
* :func:`expression` and :func:`draw` show it;
* :func:`to_c`, :func:`to_verilog` and :func:`to_json` take it elsewhere.

The how-to page is ``docs/howto/export-circuit.md``.
"""

from bvar.circuit.chip import Chip, make_chip
from bvar.circuit.circuit import Circuit, from_json
from bvar.circuit.drawing import draw
from bvar.circuit.export_c import to_c
from bvar.circuit.export_verilog import chip_to_verilog, to_verilog
from bvar.circuit.expressions import expression
from bvar.circuit.json_format import to_json
from bvar.circuit.lut_mapping import LutMapping, map_to_luts, to_luts
from bvar.circuit.netlist import TableGate
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

__all__ = [
    "Chip",
    "LutMapping",
    "chip_to_verilog",
    "make_chip",
    "map_to_luts",
    "to_luts",
    "write_testbench",
    "Circuit",
    "TableGate",
    "absorb_inverters",
    "bypass_wires",
    "draw",
    "drop_inputs",
    "expression",
    "fold_constants",
    "from_json",
    "remove_dead_gates",
    "share_gates",
    "simplify",
    "to_c",
    "to_json",
    "to_verilog",
]
