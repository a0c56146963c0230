"""Arguments of level 4."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from bvar.testing.make.strategies.images import convolutions, n_values, pools, windows
from bvar.testing.make.strategies.logic import draw_gates
from bvar.testing.make.strategies.values import GATES, INT8, SMALL, WIDTHS, Draw, M, Strategy, ints, matrix, rows

__all__ = ["VOTES_BACK"]


@st.composite
def _weight_votes(draw: Draw) -> dict[str, Any]:
    b, o, n = draw(st.integers(0, 5)), draw(SMALL), draw(WIDTHS)
    z, x = draw(matrix(b, o, INT8)), draw(rows(b, n, M))
    return {"gate": draw(GATES), "z": z, "x": x, "n_outputs": o, "n_inputs": n}


@st.composite
def _input_votes(draw: Draw) -> dict[str, Any]:
    o = draw(SMALL)
    return {"gate": draw(GATES), "z": draw(matrix(draw(SMALL), o, INT8)), "w": draw(rows(o, draw(WIDTHS)))}


@st.composite
def _center_votes(draw: Draw) -> dict[str, Any]:
    r, n, k = draw(SMALL), draw(SMALL), draw(st.sampled_from([1, 2, 3, 16, 300]))
    votes, signals = draw(matrix(r, n, st.integers(-128 * k, 128 * k))), st.integers(-128 * k, 128 * k)
    sums = draw(ints(n, st.integers(-k, k)))
    return {"q": votes, "signal_sums": draw(ints(r, signals)), "input_sums": sums, "n_samples": k}


@st.composite
def _conv_weight_votes(draw: Draw) -> dict[str, Any]:
    inputs = draw(convolutions())
    n_filters, _, n_places = len(inputs.pop("weights")), *n_values(inputs["window"])[1:]
    z = draw(matrix(len(inputs["images"]), n_filters * n_places, INT8))
    return {**inputs, "z": z, "n_filters": n_filters}


@st.composite
def _pixel_votes(draw: Draw) -> dict[str, Any]:
    window, n_filters = draw(windows()), draw(SMALL)
    _, n_patch, n_places = n_values(window)
    z, weights = draw(matrix(draw(SMALL), n_filters * n_places, INT8)), draw(rows(n_filters, n_patch))
    return {"gate": draw(GATES), "z": z, "weights": weights, "window": window}


@st.composite
def _table_votes(draw: Draw) -> dict[str, Any]:
    inputs = draw(draw_gates())
    del inputs["tables"]
    return {**inputs, "z": draw(matrix(len(inputs["x"]), len(inputs["wires"]), st.integers(-32767, 32767)))}


@st.composite
def _wire_votes(draw: Draw) -> dict[str, Any]:
    inputs = draw(draw_gates())
    return {**inputs, "z": draw(matrix(len(inputs["x"]), len(inputs["wires"]), st.integers(-32767, 32767)))}


@st.composite
def _pool_back(draw: Draw) -> dict[str, Any]:
    options = draw(pools())
    size, (height, width, channels) = options["size"], options["image_shape"]
    shape = draw(SMALL), height // size * (width // size) * channels
    winner = draw(matrix(*shape, st.integers(0, size**2 - 1)))
    return {"z": draw(matrix(*shape, st.integers(-127, 127))), "winner": winner, **options}


VOTES_BACK: dict[str, Strategy] = {
    "weight_votes": _weight_votes(),
    "input_votes": _input_votes(),
    "center_votes": _center_votes(),
    "conv_weight_votes": _conv_weight_votes(),
    "pixel_votes": _pixel_votes(),
    "pool_back": _pool_back(),
    "table_votes": _table_votes(),
    "wire_votes": _wire_votes(),
}
