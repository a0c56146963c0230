"""Arguments of level 5."""

from __future__ import annotations

from math import inf
from typing import Any

from hypothesis import strategies as st

from bvar.testing.make.strategies.values import BATCHES, SMALL, VOTES, Draw, Strategy, ints, matrix, rows
from bvar.testing.oracle.formats import hex64

__all__ = ["STEPS"]


@st.composite
def _vote_norms(draw: Draw) -> dict[str, Any]:
    return {"q": draw(matrix(draw(SMALL), draw(SMALL), VOTES))}


@st.composite
def _clipped_eta(draw: Draw) -> dict[str, Any]:
    eta = draw(st.floats(0, 1) | st.floats(0, 1e6))
    clip = draw(st.sampled_from([1.0, 0.25, inf]) | st.floats(0.01, 1000))
    return {"q": draw(matrix(draw(SMALL), draw(SMALL | BATCHES), VOTES)), "eta": hex64(eta), "clip": hex64(clip)}


ACCUMULATORS = st.sampled_from([0, 4096, -4096, 4095, 2048, 32767, -32767]) | st.integers(-8200, 8200)
RATES = st.sampled_from([0, 1, 2**25 - 1, 2**25, 2**38, 2**39, 2**43 - 1]) | st.integers(0, 2**40)


@st.composite
def _flip(draw: Draw) -> dict[str, Any]:
    n = draw(st.integers(1, 5) | BATCHES)
    r = draw(SMALL) if n < 9 else 1
    return {
        "w": draw(rows(r, n)),
        "m": draw(matrix(r, n, ACCUMULATORS)),
        "q": draw(matrix(r, n, VOTES)),
        "beta": draw(st.sampled_from([0, 2**14, 2**15]) | st.integers(0, 2**15)),
        "eta": draw(ints(r, RATES | st.integers(0, 2**26))),
        "dither": draw(st.integers(0, 2**15 - 1)),
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
    below = 2**24 - 1
    rests = st.sampled_from([0, 2**23, -(2**23), below]) | st.integers(-below, below)
    eta = st.sampled_from([0.0, 0.25, 1.0, 1e300]) | st.floats(0, 1)
    return {
        "o": draw(ints(n, st.integers(-n_terms, n_terms))),
        "m": draw(ints(n, rests)),
        "q": draw(ints(n, VOTES)),
        "eta": hex64(draw(eta)),
        "rate": hex64(draw(st.sampled_from([1.0, 0.1]) | st.floats(0, 1))),
        "n_terms": n_terms,
    }


@st.composite
def _move_wires(draw: Draw) -> dict[str, Any]:
    n_wires, n = draw(SMALL), draw(SMALL | st.sampled_from([63, 64]))
    return {
        "chosen": draw(ints(n_wires, st.integers(0, n - 1))),
        "m": draw(matrix(n_wires, n, ACCUMULATORS)),
        "q": draw(matrix(n_wires, n, VOTES)),
        "beta": draw(st.sampled_from([0, 2**14, 2**15]) | st.integers(0, 2**15)),
        "eta": draw(RATES | st.integers(0, 2**26)),
        "dither": draw(st.integers(0, 2**15 - 1)),
    }


STEPS: dict[str, Strategy] = {
    "vote_norms": _vote_norms(),
    "clipped_eta": _clipped_eta(),
    "flip": _flip(),
    "optimize": _optimize(),
    "move_offsets": _move_offsets(),
    "move_wires": _move_wires(),
}
