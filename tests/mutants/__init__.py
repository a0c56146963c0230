"""Mutants of the port in plain Python: each has one mistake that a port once made, or could make."""

from mutants.fast import FAST
from mutants.first import FIRST
from mutants.offsets import OFFSETS
from mutants.trees import TREES
from mutants.wires import WIRES

MUTANTS = FIRST | FAST | OFFSETS | TREES | WIRES
