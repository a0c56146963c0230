"""Arguments of level 4."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from bvar.testing.make.strategies.images import convolutions, n_values, or_pools, pools, trees, windows
from bvar.testing.make.strategies.logic import draw_gates
from bvar.testing.make.strategies.values import (
    BATCHES,
    GATES,
    INT8,
    MANY,
    REPEATS,
    SMALL,
    WIDTHS,
    Draw,
    M,
    Strategy,
    ints,
    matrix,
    rows,
)

__all__ = ["VOTES_BACK", "candidates_of"]


@st.composite
def _weight_votes(draw: Draw) -> dict[str, Any]:
    b, o, n = draw(st.integers(0, 3)), draw(SMALL | MANY), draw(WIDTHS)
    repeats = draw(REPEATS) if n < 20 and o < 9 else 1
    z, x = draw(matrix(b, o, INT8)), draw(rows(b, n, M))
    return {"gate": draw(GATES), "z": z * repeats, "x": x * repeats, "n_outputs": o, "n_inputs": n}


@st.composite
def _input_votes(draw: Draw) -> dict[str, Any]:
    b, o, n = draw(SMALL | BATCHES), draw(SMALL), draw(WIDTHS)
    repeats = draw(REPEATS) if n < 20 and b < 9 else 1
    z = [row * repeats for row in draw(matrix(b, o, INT8))]
    return {"gate": draw(GATES), "z": z, "w": draw(rows(o, n)) * repeats}


@st.composite
def _center_votes(draw: Draw) -> dict[str, Any]:
    r, n, k = draw(SMALL), draw(SMALL), draw(st.sampled_from([1, 2, 3, 16, 300, 600]))
    votes, signals = draw(matrix(r, n, st.integers(-128 * k, 128 * k))), st.integers(-128 * k, 128 * k)
    sums = draw(ints(n, st.integers(-k, k)))
    return {"q": votes, "signal_sums": draw(ints(r, signals)), "input_sums": sums, "n_samples": k}


@st.composite
def _conv_weight_votes(draw: Draw) -> dict[str, Any]:
    inputs = draw(convolutions())
    n_filters, _, n_places = len(inputs.pop("weights")), *n_values(inputs["window"])[1:]
    z, repeats = (
        draw(matrix(len(inputs["images"]), n_filters * n_places, INT8)),
        draw(st.sampled_from([1, 1, 1, 33])),
    )
    inputs["images"] *= repeats
    return {**inputs, "z": z * repeats, "n_filters": n_filters}


@st.composite
def _pixel_votes(draw: Draw) -> dict[str, Any]:
    window, n_filters = draw(windows()), draw(SMALL)
    _, n_patch, n_places = n_values(window)
    z, weights = draw(matrix(draw(SMALL), n_filters * n_places, INT8)), draw(rows(n_filters, n_patch))
    if n_places == 1:  # the filters again and again
        repeats = draw(REPEATS)
        z, weights = [row * repeats for row in z[:1]], weights * repeats
    return {"gate": draw(GATES), "z": z, "weights": weights, "window": window}


@st.composite
def gate_signals(draw: Draw, inputs: dict[str, Any]) -> list[list[int]]:
    """Give a signal for each sample and gate; of many, the first few say what the others say."""
    b, g = len(inputs["x"]), len(inputs["wires"])
    few = draw(matrix(min(b, 5), min(g, 5), st.integers(-32767, 32767)))
    return [[few[i % len(few)][j % len(few[0])] for j in range(g)] for i in range(b)]


@st.composite
def _table_votes(draw: Draw) -> dict[str, Any]:
    inputs = draw(draw_gates())
    del inputs["tables"]
    return {**inputs, "z": draw(gate_signals(inputs))}


@st.composite
def _wire_votes(draw: Draw) -> dict[str, Any]:
    inputs = draw(draw_gates())
    return {**inputs, "z": draw(gate_signals(inputs))}


@st.composite
def candidates_of(draw: Draw, n_units: int, wires: list[list[int]]) -> list[list[list[int]]]:
    """Give what each wire may read, at first what it reads; of many gates, the first few say it for all."""
    others = draw(st.integers(0, 3) | st.sampled_from([62, 63]))
    few = draw(matrix(min(len(wires) * len(wires[0]), 5), others, st.integers(0, n_units - 1)))
    rows = [[unit, *few[(i + k) % len(few)]] for k, wire in enumerate(wires) for i, unit in enumerate(wire)]
    return [rows[i : i + len(wires[0])] for i in range(0, len(rows), len(wires[0]))]


@st.composite
def _candidate_votes(draw: Draw) -> dict[str, Any]:
    inputs = draw(draw_gates())
    units = draw(candidates_of(len(inputs["x"][0]), inputs["wires"]))
    return {**inputs, "z": draw(gate_signals(inputs)), "candidates": units}


@st.composite
def _pool_back(draw: Draw) -> dict[str, Any]:
    options = draw(pools())
    size, (height, width, channels) = options["size"], options["image_shape"]
    shape = draw(SMALL), height // size * (width // size) * channels
    winner = draw(matrix(*shape, st.integers(0, size**2 - 1)))
    return {"z": draw(matrix(*shape, st.integers(-127, 127))), "winner": winner, **options}


@st.composite
def _scale_signals(draw: Draw) -> dict[str, Any]:
    fan_out = draw(st.sampled_from([1, 2, 8, 32, 2**23 - 1]) | st.integers(1, 2**23 - 1))
    votes = st.integers(-9, 9) | st.integers(-70000, 70000) | st.integers(-(2**31), 2**31 - 1)
    return {"g": draw(matrix(draw(SMALL), draw(SMALL), votes)), "fan_out": fan_out}


@st.composite
def _tree_votes(draw: Draw) -> dict[str, Any]:
    inputs = draw(trees())
    n, n_images = n_values(inputs["window"])[2] * len(inputs["tables"][-1]), len(inputs["images"])
    few = draw(matrix(min(n_images, 3), n, st.integers(-9, 9) | st.integers(-32767, 32767)))
    return {**inputs, "z": [few[i % len(few)] for i in range(n_images)]}


@st.composite
def _or_pool_back(draw: Draw) -> dict[str, Any]:
    inputs = draw(or_pools())
    size, (height, width, channels), n = inputs["size"], inputs["image_shape"], len(inputs["x"])
    few = draw(matrix(min(n, 3), height // size * (width // size) * channels, st.integers(-32767, 32767)))
    return {**inputs, "z": [few[i % len(few)] for i in range(n)]}


VOTES_BACK: dict[str, Strategy] = {
    "weight_votes": _weight_votes(),
    "input_votes": _input_votes(),
    "center_votes": _center_votes(),
    "conv_weight_votes": _conv_weight_votes(),
    "pixel_votes": _pixel_votes(),
    "pool_back": _pool_back(),
    "table_votes": _table_votes(),
    "wire_votes": _wire_votes(),
    "candidate_votes": _candidate_votes(),
    "tree_table_votes": _tree_votes(),
    "tree_pixel_votes": _tree_votes(),
    "or_pool_back": _or_pool_back(),
    "scale_signals": _scale_signals(),
}
