"""Cases of level 5: what the optimizer remembers, to the last bit."""

from __future__ import annotations

from math import inf
from typing import Any

from bvar.testing.make.draw import Case, Cases, Draw
from bvar.testing.oracle.formats import hex32, hex64

__all__ = ["clipped_eta", "flip", "optimize", "vote_norms"]


def vote_norms(draw: Draw) -> Cases:
    """Give cases."""
    yield Case("signs do not matter", ["Random"], {"q": [[1, -2, 3], [0, 0, 0], [-5, 5, -5]]})
    yield Case("beyond 2**24 and 2**31", ["LargeSum"], {"q": [[2**24 + 1, 1], [2**31 - 1, -(2**31)]]})


def clipped_eta(draw: Draw) -> Cases:
    """Give cases."""
    for clip in (1.0, 0.3, inf):
        inputs = {"q": draw.matrix(5, 7, -900, 900), "eta": hex64(10 / (127 * 12)), "clip": hex64(clip)}
        yield Case(f"clip {clip}", ["Clip"], inputs)
    silent = {"q": [[0, 0], [1, 0]], "eta": hex64(0.1), "clip": hex64(1.0)}
    yield Case("a neuron without votes", ["Clip", "ZeroWord"], silent)
    loud = {"q": [[2**24 + 1, 2**20], [1, 2]], "eta": hex64(1.0), "clip": hex64(1.0)}
    yield Case("norms beyond 2**24", ["Clip", "LargeSum"], loud)


def flip(draw: Draw) -> Cases:
    """Give cases."""

    def inputs(w: list[str], m: list[list[float]], q: Any, beta: float, eta: float) -> dict[str, Any]:
        rows = [[hex32(v) for v in row] for row in m]
        return {"w": w, "m": rows, "q": q, "beta": hex64(beta), "eta": [hex32(eta)] * len(w)}

    yield Case(
        "exactly 1, and one step below",
        ["Equality", "Reset"],
        inputs(["1010"], [[0] * 4], [[2, -2, -2, 2]], 1, 0.5),
    )
    below = 1 - 2.0**-24
    yield Case("just below 1", ["Equality"], inputs(["10"], [[below, -below]], [[0, 0]], 1, 0.5))
    yield Case("evidence for the weight", ["Reset"], inputs(["1010"], [[-5, 5, -5, 5]], [[0] * 4], 0.5, 1))
    weak = inputs(["0011"], [[0.25, -0.25, 0.25, -0.25]], [[-1, 1, 1, -1]], 0.5, 0.25)
    yield Case("weak evidence", ["Reset"], weak)
    for n, k in ((5, 3), (65, 2), (193, 1)):
        m = [[v / 997 for v in row] for row in draw.matrix(k, n, -1200, 1200)]
        args = inputs(draw.rows(k, n), m, draw.matrix(k, n, -900, 900), 0.97, 0.0013)
        yield Case(f"{k} rows of {n}", ["Float32", "Reset"], args)
    large = inputs(["0110"], [[0.1, 0.2, 0.3, 0.7]], [[2**24 + 1, 2**24 + 3, -(2**31), 16777217]], 0.1, 1e-8)
    yield Case("votes beyond 2**24 are rounded first", ["Float32", "LargeSum"], large)
    tiny = inputs(["01"], [[1e-45, -1e-40]], [[1, -1]], 0.5, 1e-45)
    yield Case("subnormal numbers", ["Float32"], tiny)


def optimize(draw: Draw) -> Cases:
    """Give cases."""
    votes = [[[1, 1, -1, -3]], [[2, -2, 1, 1]], [[-1, -1, 4, 1]]]
    book = {"w": ["1010"], "votes": votes, "n_samples": [1] * 3, "eta": [hex64(63.5)] * 3, "clip": hex64(inf)}
    yield Case("worked by hand: eta is half a vote", ["Beta", "Equality", "EtaShare", "Reset"], book)
    for clip in (1.0, inf):
        many = [draw.matrix(4, 9, -300, 300) for _ in range(12)]
        rates = [hex64(40 * (1 - t / 12)) for t in range(12)]
        inputs = {"w": draw.rows(4, 9), "votes": many, "n_samples": [5] * 12, "eta": rates, "clip": hex64(clip)}
        yield Case(f"twelve steps, clip {clip}", ["Beta", "Clip", "EtaShare"], inputs)
    pauses = {"w": ["0110"], "votes": [[[9, -9, 9, -9]], [[0] * 4], [[9, 9, -9, -9]]], "n_samples": [2, 0, 3]}
    yield Case(
        "a step without samples", ["EmptyBatch", "Beta"], pauses | {"eta": [hex64(40.0)] * 3, "clip": hex64(inf)}
    )
