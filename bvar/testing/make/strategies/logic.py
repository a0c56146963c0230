"""Arguments of levels 0 and 1."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from bvar.testing.make.strategies.values import BATCHES, GATES, MANY, SMALL, Draw, M, Strategy, ints, matrix, rows

__all__ = ["LOGIC", "draw_gates"]


@st.composite
def _connective(draw: Draw) -> dict[str, Any]:
    n = draw(st.integers(0, 9))
    a, b = draw(rows(2, n, M))
    return {"gate": draw(GATES), "a": a, "b": b}


@st.composite
def _mixed(draw: Draw) -> dict[str, Any]:
    n = draw(st.integers(0, 9))
    return {"gate": draw(GATES), "a": draw(rows(1, n, M))[0], "x": draw(ints(n, st.integers(-(2**31), 2**31)))}


@st.composite
def _delta(draw: Draw) -> dict[str, Any]:
    a, b = draw(rows(2, draw(st.integers(0, 9))))
    return {"a": a, "b": b}


@st.composite
def _variations(draw: Draw) -> dict[str, Any]:
    n = draw(st.integers(1, 6))
    return {"table": draw(rows(1, 2**n))[0], "n_inputs": n}


@st.composite
def draw_gates(draw: Draw, least: int = 1) -> dict[str, Any]:
    """Give samples, wires and tables."""
    n_samples, n_units = draw(st.integers(least, 4) | BATCHES), draw(st.integers(1, 6) | MANY)
    n_gates = draw(SMALL | MANY if n_samples < 5 else SMALL)
    fan_in = draw(st.integers(1, 6 if n_samples + n_gates < 10 else 2))
    return {
        "x": draw(rows(n_samples, n_units)),
        "wires": draw(matrix(n_gates, fan_in, st.integers(0, n_units - 1))),
        "tables": draw(rows(n_gates, 1 << fan_in)),
    }


_ANY_GATE = st.fixed_dictionaries({"gate": GATES})


LOGIC: dict[str, Strategy] = {
    "connective": _connective(),
    "project": st.fixed_dictionaries({"x": st.lists(st.integers(-(2**31), 2**31), max_size=6)}),
    "mixed": _mixed(),
    "delta": _delta(),
    "variations": _variations(),
    "gate_table": _ANY_GATE,
    "gate_variations": _ANY_GATE,
    "table_values": draw_gates(least=0),
}
