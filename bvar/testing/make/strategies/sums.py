"""Arguments of level 3."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from bvar.testing.make.strategies.images import convolutions, pools
from bvar.testing.make.strategies.values import (
    GATES,
    LEARNING_GATES,
    SMALL,
    WIDTHS,
    Draw,
    M,
    Strategy,
    ints,
    matrix,
    rows,
)
from bvar.testing.oracle.formats import hex64
from bvar.testing.subjects.oracle import Oracle

__all__ = ["SUMS"]


@st.composite
def _gate_sum(draw: Draw) -> dict[str, Any]:
    n = draw(WIDTHS)
    return {"gate": draw(GATES), "x": draw(rows(draw(st.integers(0, 3)), n, M)), "w": draw(rows(draw(SMALL), n))}


@st.composite
def _gate_bits(draw: Draw) -> dict[str, Any]:
    inputs = draw(_gate_sum())
    sums = Oracle().gate_sum(**inputs)
    n = len(inputs["w"])
    near = [s + draw(st.integers(-1, 1)) for s in sums[0]] if sums else [0] * n
    return {**inputs, "tau": near}


@st.composite
def _max_pool(draw: Draw) -> dict[str, Any]:
    options = draw(pools())
    height, width, channels = options["image_shape"]
    values = st.integers(-2, 2) | st.integers(-(2**31), 2**31 - 1)
    return {"sums": draw(matrix(draw(SMALL), height * width * channels, values)), **options}


@st.composite
def _group_sum(draw: Draw) -> dict[str, Any]:
    n_groups, size = draw(SMALL), draw(WIDTHS)
    return {"x": draw(rows(draw(SMALL), n_groups * size)), "n_groups": n_groups}


@st.composite
def _rescale(draw: Draw) -> dict[str, Any]:
    r, n, shift = draw(SMALL), draw(SMALL), draw(st.sampled_from([0, 1, 20, 30]))
    near = st.integers(-3, 3) | st.integers(-400, 400)
    far = near | st.integers(-(2**31) + 1, 2**31 - 1)
    table = draw(st.lists(st.integers(0, 3) | st.integers(0, 2**30), min_size=1, max_size=6))
    g, s = draw(matrix(r, n, far)), draw(matrix(r, n, far))
    return {"g": g, "s": s, "tau": draw(ints(n, near)), "table": table, "shift": shift}


@st.composite
def _loss_table(draw: Draw) -> dict[str, Any]:
    return {"fan_in": draw(st.integers(1, 300)), "temperature": hex64(draw(st.integers(1, 40)) / 16)}


@st.composite
def _threshold_table(draw: Draw) -> dict[str, Any]:
    gates = LEARNING_GATES
    widths = st.integers(1, 300)
    return {"fan_in": draw(widths), "fan_out": draw(widths), "gate": draw(gates), "next_gate": draw(gates)}


@st.composite
def _cross_entropy(draw: Draw) -> dict[str, Any]:
    b, n = draw(st.integers(0, 4)), draw(st.integers(1, 6))
    scores = draw(matrix(b, n, st.integers(-60, 60) | st.integers(-(10**6), 10**6)))
    table = draw(st.sampled_from([[2**20, 2**19, 3, 0], Oracle().loss_table(30, hex64(1.0))]))
    return {"scores": scores, "y": draw(ints(b, st.integers(0, n - 1))), "table": table}


@st.composite
def _squared_error(draw: Draw) -> dict[str, Any]:
    shape, near = (draw(SMALL), draw(SMALL)), st.integers(-400, 400)
    scale = draw(st.sampled_from([1, 2, 127, 254]) | st.integers(1, 1000))
    return {"scores": draw(matrix(*shape, near)), "y": draw(matrix(*shape, near)), "scale": scale}


SUMS: dict[str, Strategy] = {
    "gate_sum": _gate_sum(),
    "gate_bits": _gate_bits(),
    "conv_sum": convolutions(),
    "max_pool": _max_pool(),
    "group_sum": _group_sum(),
    "rescale": _rescale(),
    "loss_table": _loss_table(),
    "threshold_table": _threshold_table(),
    "cross_entropy": _cross_entropy(),
    "squared_error": _squared_error(),
}
