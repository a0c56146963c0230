"""Arguments of level 3."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from bvar.testing.make.strategies.images import convolutions, or_pools, pools, trees
from bvar.testing.make.strategies.values import (
    BATCHES,
    GATES,
    LEARNING_GATES,
    MANY,
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
    b = draw(st.integers(0, 3) | BATCHES)
    o = draw(SMALL | MANY if b < 4 else SMALL)
    n = draw(WIDTHS if b + o < 9 else st.integers(1, 12))
    return {"gate": draw(GATES), "x": draw(rows(b, n, M)), "w": draw(rows(o, n))}


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
def _any_rescale(draw: Draw) -> dict[str, Any]:
    r, n, shift = draw(SMALL), draw(SMALL | MANY), draw(st.sampled_from([0, 1, 20, 30]))
    near = st.integers(-3, 3) | st.integers(-400, 400)
    far = near | st.integers(-(2**31) + 1, 2**31 - 1)
    table = draw(st.lists(st.integers(0, 3) | st.integers(0, 2**30), min_size=1, max_size=6))
    g, s = draw(matrix(r, n, far)), draw(matrix(r, n, far))
    return {"g": g, "s": s, "tau": draw(ints(n, near)), "table": table, "shift": shift}


@st.composite
def _near_halves(draw: Draw) -> dict[str, Any]:
    """Products that are half of a power of two, or beside it: float32 cannot tell."""
    g, shift, offsets = draw(st.integers(0, 63)) * 2 + 1, draw(st.sampled_from([20, 30])), (-1, 0, 1)
    table = [(2 ** (shift - 1) + off) * pow(g, -1, 2**shift) % 2**shift for off in offsets]
    return {"g": [[g] * 3, [-g] * 3], "s": [[0, 1, 2]] * 2, "tau": [0] * 3, "table": table, "shift": shift}


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
    b, n = draw(st.integers(0, 4) | BATCHES), draw(st.integers(1, 6))
    reach = st.integers(-60, 60) | st.integers(-(10**6), 10**6) | st.integers(-(2**31), 2**31 - 1)
    made = st.tuples(st.integers(1, 300), st.integers(0, 300), st.integers(0, 3)).map(list)
    table = draw(st.sampled_from([[2**20, 2**19, 3, 0], Oracle().loss_table(30, hex64(1.0))]) | made)
    classes = draw(st.sampled_from([1, 1, 1, 85])) if b < 5 else 1  # 3 or 6 of them are then 255 or 510
    scores = [(row * classes) for row in draw(matrix(b, n, reach))]
    return {"scores": scores, "y": draw(ints(b, st.integers(0, n * classes - 1))), "table": table}


@st.composite
def _squared_error(draw: Draw) -> dict[str, Any]:
    shape, near = (draw(SMALL), draw(SMALL)), st.integers(-400, 400) | st.integers(-(2**31), 2**31 - 1)
    scale = draw(st.sampled_from([1, 2, 127, 254]) | st.integers(1, 1000) | st.integers(1, 2**30))
    return {"scores": draw(matrix(*shape, near)), "y": draw(matrix(*shape, near)), "scale": scale}


SUMS: dict[str, Strategy] = {
    "gate_sum": _gate_sum(),
    "gate_bits": _gate_bits(),
    "conv_sum": convolutions(),
    "max_pool": _max_pool(),
    "tree_values": trees(),
    "or_pool": or_pools(),
    "group_sum": _group_sum(),
    "rescale": _any_rescale() | _near_halves(),
    "loss_table": _loss_table(),
    "threshold_table": _threshold_table(),
    "cross_entropy": _cross_entropy(),
    "squared_error": _squared_error(),
}
