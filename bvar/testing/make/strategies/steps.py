"""Arguments of level 5."""

from __future__ import annotations

from math import inf, sqrt
from typing import Any

from hypothesis import strategies as st

from bvar.testing.make.strategies.values import BATCHES, SMALL, VOTES, Draw, Strategy, ints, matrix, rows
from bvar.testing.oracle.definitions import float32
from bvar.testing.oracle.formats import hex32, hex64

__all__ = ["STEPS"]


@st.composite
def _vote_norms(draw: Draw) -> dict[str, Any]:
    return {"q": draw(matrix(draw(SMALL), draw(SMALL), VOTES))}


@st.composite
def _clipped_eta(draw: Draw) -> dict[str, Any]:
    eta = draw(st.floats(0, 1) | st.floats(0, 1e6))
    clip = draw(st.sampled_from([1.0, 0.25, inf]) | st.floats(0.01, 1000))
    return {"q": draw(matrix(draw(SMALL), draw(SMALL | BATCHES), VOTES)), "eta": hex64(eta), "clip": hex64(clip)}


ACCUMULATORS = st.sampled_from([0.0, 1.0, -1.0, 0.5, -0.5, 1 - 2.0**-24]) | st.floats(-2, 2, width=32)


@st.composite
def _flip(draw: Draw) -> dict[str, Any]:
    n = draw(st.integers(1, 5) | BATCHES)
    r = draw(SMALL) if n < 9 else 1
    rate = st.sampled_from([0.5, 0.25]) | st.floats(0, 1, width=32)
    return {
        "w": draw(rows(r, n)),
        "m": [[hex32(float32(m)) for m in row] for row in draw(matrix(r, n, ACCUMULATORS))],
        "q": draw(matrix(r, n, VOTES)),
        "beta": hex64(draw(st.sampled_from([0.0, 0.5, 1.0]) | st.floats(0, 1))),
        "eta": [hex32(eta) for eta in draw(ints(r, rate))],
    }


@st.composite
def _optimize(draw: Draw) -> dict[str, Any]:
    r, n, steps = draw(SMALL), draw(SMALL), draw(st.integers(1, 4))
    n_samples = draw(ints(steps, st.integers(0, 3) | st.integers(4, 99)))
    reach = st.integers(-400, 400)
    return {
        "w": draw(rows(r, n)),
        "votes": [draw(matrix(r, n, reach)) for _ in range(steps)],
        "n_samples": [max(1, n_samples[0]), *n_samples[1:]],
        "eta": [hex64(eta) for eta in draw(ints(steps, st.floats(0, 40)))],
        "clip": hex64(draw(st.sampled_from([1.0, inf]) | st.floats(0.01, 10))),
    }


@st.composite
def _move_offsets(draw: Draw) -> dict[str, Any]:
    n, n_terms = draw(SMALL), draw(st.sampled_from([1, 4, 100, 2**23 - 1]) | st.integers(1, 1000))
    rests = st.sampled_from([0.0, 0.5, -0.5, 1 - 2.0**-24]) | st.floats(
        -1, 1, width=32, exclude_min=True, exclude_max=True
    )
    eta = st.sampled_from([0.0, 0.25, 1.0, 1e300]) | st.floats(0, 1)
    return {
        "o": draw(ints(n, st.integers(-n_terms, n_terms))),
        "m": [hex32(rest + 0.0) for rest in draw(ints(n, rests))],  # there is no -0
        "q": draw(ints(n, VOTES)),
        "eta": hex64(draw(eta)),
        "step": hex32(float32(draw(st.sampled_from([1.0, 0.1]) | st.floats(0, 1)) * sqrt(n_terms))),
        "n_terms": n_terms,
    }


STEPS: dict[str, Strategy] = {
    "vote_norms": _vote_norms(),
    "clipped_eta": _clipped_eta(),
    "flip": _flip(),
    "optimize": _optimize(),
    "move_offsets": _move_offsets(),
}
