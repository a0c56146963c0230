"""What a network costs to compute and to move: the energy model of BOLD, as code.

``platform`` has prices and memories, ``widths`` how many bits a number has, ``loops`` the three passes through a
layer, ``traffic`` counts what they move, ``tiling`` finds the cheapest tiles, and ``cost`` adds up; ``table`` is
the foot of a summary, ``measured`` is what this machine has to say.  ``docs/explanation/energy.md`` derives the
model and states its limits.
"""

from bvar.energy.cost import LOGIC, WAYS, Cost, Row, cost
from bvar.energy.loops import Axis, Loops, loops_of
from bvar.energy.measured import Measured, joules, measure
from bvar.energy.platform import ASCEND, EYERISS, PLATFORMS, V100, Memory, Platform, logic_operations
from bvar.energy.table import summarize_energy
from bvar.energy.tiling import Operands, best_tiles
from bvar.energy.traffic import Moves, moves
from bvar.energy.widths import BINARY_WEIGHTS, BINARY_WEIGHTS_AND_INPUTS, BOLD, BOOLEAN, FLOAT, Widths

__all__ = [
    "ASCEND",
    "BINARY_WEIGHTS",
    "BINARY_WEIGHTS_AND_INPUTS",
    "BOLD",
    "BOOLEAN",
    "EYERISS",
    "FLOAT",
    "LOGIC",
    "PLATFORMS",
    "V100",
    "WAYS",
    "Axis",
    "Cost",
    "Loops",
    "Measured",
    "Memory",
    "Moves",
    "Operands",
    "Platform",
    "Row",
    "Widths",
    "best_tiles",
    "cost",
    "joules",
    "logic_operations",
    "loops_of",
    "measure",
    "moves",
    "summarize_energy",
]
