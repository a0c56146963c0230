"""Cases of levels 0 and 1: small enough to be exhausted, but for tables of gates."""

from __future__ import annotations

from bvar.testing.make.draw import BATCHES, GATES, Case, Cases, Draw, draw_gates, width_flags

__all__ = [
    "connective",
    "delta",
    "gate_table",
    "gate_variations",
    "mixed",
    "project",
    "table_values",
    "variations",
]


def connective(draw: Draw) -> Cases:
    """Give cases."""
    for gate in GATES:
        pairs = {"a": "000uuu111", "b": "0u10u10u1"}
        yield Case(f"gate {gate} on all pairs of values of M", ["Gate", "MissingValue"], {"gate": gate, **pairs})


def project(draw: Draw) -> Cases:
    """Give cases."""
    yield Case("signs", ["Random"], {"x": [-2, -1, 0, 1, 2, 2**31, -(2**31)]})
    yield Case("nothing", ["EmptyBatch"], {"x": []})


def mixed(draw: Draw) -> Cases:
    """Give cases."""
    for gate in GATES:
        inputs = {"gate": gate, "a": "000uuu111", "x": [-3, 0, 4] * 3}
        yield Case(f"gate {gate}: logic and numbers", ["Gate", "MissingValue"], inputs)


def delta(draw: Draw) -> Cases:
    """Give cases."""
    yield Case("all pairs of bits", ["Random"], {"a": "0011", "b": "0101"})


def variations(draw: Draw) -> Cases:
    """Give cases."""
    for table in range(16):
        text = "".join(str(table >> point & 1) for point in range(4))
        yield Case(f"function {table} of two bits", ["Gate"], {"table": text, "n_inputs": 2})
    for n in (1, 3, 4, 5):
        yield Case(f"a function of {n} bits", ["WireOrder"], {"table": draw.row(2**n), "n_inputs": n})


def gate_table(draw: Draw) -> Cases:
    """Give cases."""
    for gate in GATES:
        yield Case(f"gate {gate}", ["Gate"], {"gate": gate})


gate_variations = gate_table


def table_values(draw: Draw) -> Cases:
    """Give cases."""
    table = {"x": ["00", "10", "01", "11"], "wires": [[0, 1], [1, 0]], "tables": ["0100", "0100"]}
    yield Case("a and not b, and its mirror image", ["WireOrder"], table)
    for fan_in in range(1, 7):
        flags = ["WireOrder"] if fan_in > 1 else ["Random"]
        yield Case(f"{fan_in} wires", flags, draw_gates(draw, 9, 7, 5, fan_in))
    for n in (63, 64, 65, 193):
        yield Case(f"{n} samples", width_flags(n), draw_gates(draw, n, 5, 3, 2))
    yield Case("no sample", ["EmptyBatch"], draw_gates(draw, 0, 5, 3, 2))
    for n in BATCHES:
        yield Case(f"{n} samples, five wires", width_flags(n), draw_gates(draw, n, 9, 3, 5))
    for n in (65, 130, 260):
        yield Case(f"{n} units and {n} gates", ["ManyUnits"], draw_gates(draw, 2, n, n, 2))
    last = {"x": ["0" * 259 + "1"], "wires": [[259, 0]], "tables": ["0100"]}
    yield Case("the last of 260 units", ["ManyUnits"], last)
