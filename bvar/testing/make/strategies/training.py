"""Arguments of level 6."""

from __future__ import annotations

from math import inf
from typing import Any

from hypothesis import strategies as st

from bvar.testing.make.strategies.values import LEARNING_GATES, SMALL, Draw, M, Strategy, ints, matrix, rows
from bvar.testing.oracle.formats import hex64

__all__ = ["TRAINING"]


@st.composite
def _train(draw: Draw) -> dict[str, Any]:
    """Draw a perceptron of any gate, or a layer of gates, for a few steps."""
    n_in, n_out, n_samples = (
        draw(st.integers(1, 5) | st.just(65)),
        draw(st.integers(2, 3)),
        draw(st.integers(1, 4)),
    )
    gates = draw(st.booleans())
    build = _gate_layers if gates else _linear_layers
    steps = draw(st.integers(1, 4))
    network = {
        "layers": draw(build(n_in, n_out)),
        "loss_table": [2**20, 2**19, 2**18, 2**10, 0],
        "clip": hex64(draw(st.sampled_from([1.0, inf]))),
        "x": draw(rows(n_samples, n_in, "01" if gates else M)),
        "y": draw(ints(n_samples, st.integers(0, n_out - 1))),
    }
    batches = [draw(st.lists(st.integers(0, n_samples - 1), max_size=4)) for _ in range(steps)]
    return {"network": network, "batches": batches, "eta": [hex64(40.0)] * steps, "checkpoints": [1, steps]}


@st.composite
def _linear_layers(draw: Draw, n_in: int, n_out: int) -> list[Any]:
    gate, n_hidden = draw(LEARNING_GATES), draw(SMALL)
    table = [2**20, 2**19, 2**17, 0]

    def linear(below: int, above: int, centered: bool) -> dict[str, Any]:
        bias = draw(st.none() | rows(1, above).map(lambda one: one[0]))
        weight = draw(rows(above, below))
        return {"type": "linear", "gate": gate, "weight": weight, "bias": bias, "centered": centered}

    tau = draw(ints(n_hidden, st.integers(-2, 2)))
    threshold = {"type": "threshold", "tau": tau, "table": table, "shift": 20}
    return [linear(n_in, n_hidden, False), threshold, linear(n_hidden, n_out, draw(st.booleans()))]


@st.composite
def _gate_layers(draw: Draw, n_in: int, n_out: int) -> list[Any]:
    n_gates, fan_in = n_out * draw(st.integers(1, 3)), draw(st.integers(1, 3))
    wires = draw(matrix(n_gates, fan_in, st.integers(0, n_in - 1)))
    tables = draw(rows(n_gates, 1 << fan_in))
    return [{"type": "gate", "wires": wires, "tables": tables}, {"type": "group_sum", "n_groups": n_out}]


TRAINING: dict[str, Strategy] = {
    "train": _train(),
}
