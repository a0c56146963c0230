"""Cases of level 5: what the optimizer remembers, to the last bit."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, sqrt
from typing import Any

from bvar.testing.make.draw import Case, Cases, Draw, last_bit
from bvar.testing.oracle.definitions import float32
from bvar.testing.oracle.formats import hex32, hex64

__all__ = ["clipped_eta", "flip", "move_offsets", "optimize", "vote_norms"]


def vote_norms(draw: Draw) -> Cases:
    """Give cases."""
    yield Case("signs do not matter", ["Random"], {"q": [[1, -2, 3], [0, 0, 0], [-5, 5, -5]]})
    yield Case("beyond 2**24 and 2**31", ["LargeSum"], {"q": [[2**24 + 1, 1], [2**31 - 1, -(2**31)]]})
    for n in (65, 513, 1025):
        yield Case(f"{n} votes", ["LongRow"], {"q": draw.matrix(2, n, -70000, 70000)})
    yield Case("2**31 twice and more", ["LargeSum"], {"q": [[-(2**31)] * 3]})


def clipped_eta(draw: Draw) -> Cases:
    """Give cases."""
    for clip in (1.0, 0.3, inf):
        inputs = {"q": draw.matrix(5, 7, -900, 900), "eta": hex64(10 / (127 * 12)), "clip": hex64(clip)}
        yield Case(f"clip {clip}", ["Clip"], inputs)
    silent = {"q": [[0, 0], [1, 0]], "eta": hex64(0.1), "clip": hex64(1.0)}
    yield Case("a neuron without votes", ["Clip", "ZeroWord"], silent)
    loud = {"q": [[2**24 + 1, 2**20], [1, 2]], "eta": hex64(1.0), "clip": hex64(1.0)}
    yield Case("norms beyond 2**24", ["Clip", "LargeSum"], loud)
    loud = {"q": [[0, 0, 0], [1, 0, 0], [0, 0, -2]], "eta": hex64(9.0), "clip": hex64(1.0)}
    yield Case("a loud eta and a neuron without votes", ["Clip", "ZeroWord"], loud)
    for n, norm in ((2, 412), (7, 1001), (513, 70001)):
        clip = last_bit(draw, norm / sqrt(n), *_orders_of_clip(n, norm))
        inputs = {"q": [[norm, *[0] * (n - 1)]], "eta": hex64(1e300), "clip": hex64(clip)}
        yield Case(f"{n} votes: clip times the root, then divided", ["Clip", "LastBit"], inputs)


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
    for n, k in ((127, 2), (128, 1), (129, 1), (513, 1), (3, 65)):
        m = [[v / 997 for v in row] for row in draw.matrix(k, n, -1200, 1200)]
        args = inputs(draw.rows(k, n), m, draw.matrix(k, n, -900, 900), 0.97, 0.0013)
        yield Case(f"{k} rows of {n}", ["Float32", "LongRow"], args)
    apart = inputs(["01", "01", "01"], [[0.0] * 2] * 3, [[1, -1]] * 3, 1, 0.5)
    yield Case("each row has an eta of its own", ["Float32"], apart | {"eta": [hex32(e) for e in (0.5, 1.0, 2.0)]})


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
    rates = [hex64(eta) for eta in (900.0, 90.0, 9.0, 0.9)]
    still = {"w": ["0110"], "votes": [[[9, -9, 9, -9]], [[0] * 4], [[7, 7, -7, -7]], [[5] * 4]]}
    pauses = still | {"n_samples": [2, 0, 3, 1], "eta": rates, "clip": hex64(inf)}
    yield Case("a step without samples uses up its eta", ["EmptyBatch", "EtaShare"], pauses)
    for n in (7, 27, 31):
        eta = last_bit(draw, 127 * n, *_orders_of_eta(n))
        exact = {"w": ["01"], "votes": [[[1, -3]]], "n_samples": [n], "eta": [hex64(eta)], "clip": hex64(inf)}
        yield Case(f"{n} samples: eta is divided, not multiplied", ["EtaShare", "LastBit"], exact)
    for r, n in ((65, 2), (1, 127), (2, 129)):
        inputs = {"w": draw.rows(r, n), "votes": [draw.matrix(r, n, -300, 300) for _ in range(2)]}
        yield Case(
            f"{r} x {n}",
            ["Beta", "ManyUnits"],
            inputs | {"n_samples": [3, 4], "eta": [hex64(2.5)] * 2, "clip": hex64(1.0)},
        )


def move_offsets(draw: Draw) -> Cases:
    """Give cases."""

    def inputs(o: list[int], m: list[float], q: list[int], eta: float, step: float, n: int) -> dict[str, Any]:
        numbers = [hex32(v) for v in m]
        return {"o": o, "m": numbers, "q": q, "eta": hex64(eta), "step": hex32(step), "n_terms": n}

    book = inputs([0, 7, -3], [0.0] * 3, [127, 25, -127], 1 / 127, 2.0, 400)
    yield Case("a full vote, a part of one, and against it", ["Offset"], book)
    below = 1 - 2.0**-24
    whole = inputs([0] * 6, [0.5, -0.5, below, -below, 0.75, -0.75], [-1, 1, 0, 0, -2, 2], 0.25, 2.0, 9)
    yield Case("exactly a step, and just below", ["Equality", "Offset"], whole)
    ends = inputs([9, -9, 8, -8, 9, -9], [0.0] * 6, [-9, 9, -9, 9, 9, -9], 1.0, 2.25, 9)
    yield Case("an offset stays in the range of the sum", ["Offset", "Saturation"], ends)
    loud = [2**31 - 1, -(2**31), 2**24 + 1, -(2**24) - 1, 2**24 + 3, 0]
    for eta in (0.0, 2.0**-31, 2.0**-25, 1e-8, 1.0, 1e300):
        yield Case(
            f"loud votes, eta {eta}", ["Float32", "LargeSum"], inputs([0] * 6, [0.25] * 6, loud, eta, 1.5, 9)
        )
    for n in (5, 64, 65, 129):
        o, m = draw.ints(n, -40, 40), [float32(v / 997) for v in draw.ints(n, -996, 996)]
        args = inputs(o, m, draw.ints(n, -3000, 3000), 0.00071, float32(0.1 * sqrt(1000 * n)), 1000 * n)
        yield Case(f"{n} offsets", ["Float32", "Offset"], args)
    large = inputs([2**23 - 9, 9 - 2**23, 0], [0.0] * 3, [-1, 1, 1], 1.0, sqrt(2**23 - 1), 2**23 - 1)
    yield Case("the longest sum", ["LargeSum", "Offset"], large)


def _orders_of_clip(n: int, norm: int) -> list[Callable[[float], float]]:
    """Give the right order of operations, and two that differ in the last bit of float64."""
    return [
        lambda clip: clip * sqrt(n) / norm,
        lambda clip: clip * (sqrt(n) / norm),
        lambda clip: clip / norm * sqrt(n),
    ]


def _orders_of_eta(n: int) -> list[Callable[[float], float]]:
    """Give the right order of operations, and one that differs in the last bit of float64."""
    return [lambda eta: eta / (127 * n), lambda eta: eta * (1 / (127 * n))]
