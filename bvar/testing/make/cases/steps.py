"""Cases of level 5: what the optimizer remembers, to the last bit."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, sqrt
from typing import Any

from bvar.testing.make.draw import Case, Cases, Draw, last_bit
from bvar.testing.oracle.formats import hex64

__all__ = ["clipped_eta", "flip", "move_offsets", "move_wires", "optimize", "vote_norms"]


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
        clip = last_bit(draw, norm / sqrt(n) / 2**40, *_orders_of_clip(n, norm), at=0.0)
        inputs = {"q": [[norm, *[0] * (n - 1)]], "eta": hex64(1e300), "clip": hex64(clip)}
        yield Case(f"{n} votes: clip times the root, then divided", ["Clip", "LastBit"], inputs)
    for clip in (1e300, 2.0**22, 2.0**-40):
        inputs = {"q": [[1, 0, 0], [2**31 - 1, -5, 9]], "eta": hex64(9.0), "clip": hex64(clip)}
        yield Case(f"clip {clip}", ["Clip", "Saturation"], inputs)
    for eta in (0.0, 2.0**-41, 3 * 2.0**-41, 7.9999, 8.0, 1e300):
        inputs = {"q": [[1, -1]], "eta": hex64(eta), "clip": hex64(inf)}
        yield Case(f"eta {eta}, halves to even, up to eight bars", ["HalfEven", "Saturation"], inputs)


def flip(draw: Draw) -> Cases:
    """Give cases."""

    def inputs(
        w: list[str], m: list[list[int]], q: Any, beta: float, eta: float, dither: int = 0
    ) -> dict[str, Any]:
        rates = [round(2**40 * eta)] * len(w)
        return {"w": w, "m": m, "q": q, "beta": round(2**15 * beta), "eta": rates, "dither": dither}

    def many(k: int, n: int, eta: float) -> dict[str, Any]:
        m, q = draw.matrix(k, n, -4900, 4900), draw.matrix(k, n, -900, 900)
        return inputs(draw.rows(k, n), m, q, 0.97, eta, draw.below(2**15))

    yield Case(
        "exactly the bar, and a unit below",
        ["Equality", "Reset"],
        inputs(["1010"], [[0, 0, 1, -1]], [[2, -2, -2, 2]], 1, 0.5),
    )
    yield Case("just below the bar", ["Equality"], inputs(["10"], [[4095, -4095]], [[0, 0]], 1, 0.5))
    yield Case("evidence for the weight", ["Reset"], inputs(["1010"], [[-9999, 9999] * 2], [[0] * 4], 0.5, 1))
    weak = inputs(["0011"], [[1024, -1024, 1024, -1024]], [[-1, 1, 1, -1]], 0.5, 0.25)
    yield Case("weak evidence", ["Reset"], weak)
    for n, k in ((5, 3), (65, 2), (193, 1)):
        yield Case(f"{k} rows of {n}", ["Rounding", "Reset"], many(k, n, 0.0013))
    for rest in (0, 1, 2**14, 2**15 - 1):
        args = inputs(["01" * 4], [[-3, 3, -1, 1, 0, 0, 77, -77]], [[1, -1] * 4], 0.5, 1 / 8192, rest)
        yield Case(f"what is below the last bit, and a rest of {rest}", ["Rounding"], args)
    for eta in (2.0**-40, 3 * 2.0**-38, 2.0**-16, 2.0**-15 - 2.0**-40, 2.0**-15, 2.0**-15 + 2.0**-40, 2.0**-14.5):
        args = inputs(["0110"], [[1, -1, 0, 32767]], [[70001, -70001, 8191, -9]], 1, eta, 12345)
        yield Case(f"eta {eta}: from 2**-15 on its last bits do not count", ["Rounding"], args)
    loud = [[2**24 + 1, 2**31 - 1, -(2**31), -(2**30)]]
    for eta in (2.0**-28, 1e-8, 0.01, 7.9):
        args = inputs(["0110"], [[400, 800, -1200, 2800]], loud, 0.1, eta)
        yield Case(f"loud votes, eta {eta}: eight bars a step at most", ["LargeSum", "Saturation"], args)
    ends = inputs(["10"] * 2, [[-32767, 32767]] * 2, [[-5, 5], [5, -5]], 1, 7.9, 2**15 - 1)
    yield Case("accumulators stay within eight bars", ["Saturation"], ends)
    for n, k in ((127, 2), (128, 1), (129, 1), (513, 1), (3, 65)):
        yield Case(f"{k} rows of {n}", ["Rounding", "LongRow"], many(k, n, 0.0013))
        yield Case(f"{k} rows of {n}, votes of little weight", ["Rounding", "LongRow"], many(k, n, 1.7e-5))
    apart = inputs(["01", "01", "01"], [[0] * 2] * 3, [[1, -1]] * 3, 1, 0.5)
    yield Case("each row has an eta of its own", ["EtaShare"], apart | {"eta": [2**39, 2**40, 2**41]})


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
        eta = last_bit(draw, 127 * n / 2**40, *_orders_of_eta(n), most=30000)
        exact = {"w": ["01"], "votes": [[[2**28, -(2**28) - 1]]], "n_samples": [n], "eta": [hex64(eta)]}
        yield Case(
            f"{n} samples: eta is divided, not multiplied", ["EtaShare", "LastBit"], exact | {"clip": hex64(inf)}
        )
    faint = {"w": ["0110" * 2], "votes": [[[1, -1, 1, -1] * 2]] * 40, "n_samples": [1] * 40}
    faint |= {"eta": [hex64(0.01)] * 40, "clip": hex64(inf)}
    yield Case("faint votes count on average", ["Rounding", "Age"], faint)
    for r, n in ((65, 2), (1, 127), (2, 129)):
        inputs = {"w": draw.rows(r, n), "votes": [draw.matrix(r, n, -300, 300) for _ in range(2)]}
        yield Case(
            f"{r} x {n}",
            ["Beta", "ManyUnits"],
            inputs | {"n_samples": [3, 4], "eta": [hex64(2.5)] * 2, "clip": hex64(1.0)},
        )


def move_offsets(draw: Draw) -> Cases:
    """Give cases."""

    def inputs(o: list[int], m: list[int], q: list[int], eta: float, step: float, n: int) -> dict[str, Any]:
        rate = step / sqrt(n)
        return {"o": o, "m": m, "q": q, "eta": hex64(eta), "rate": hex64(rate), "n_terms": n}

    book = inputs([0, 7, -3], [0] * 3, [127, 25, -127], 1 / 127, 2.0, 400)
    yield Case("a full vote, a part of one, and against it", ["Offset"], book)
    half, below = 2**23, 2**24 - 1
    whole = [half, -half, below, -below, half + half // 2, -half - half // 2]
    yield Case(
        "exactly a step, and just below",
        ["Equality", "Offset"],
        inputs([0] * 6, whole, [-1, 1, 0, 0, -2, 2], 0.25, 2.0, 9),
    )
    ends = inputs([9, -9, 8, -8, 9, -9], [0] * 6, [-9, 9, -9, 9, 9, -9], 1.0, 2.25, 9)
    yield Case("an offset stays in the range of the sum", ["Offset", "Saturation"], ends)
    loud = [2**31 - 1, -(2**31), 2**24 + 1, -(2**24) - 1, 2**24 + 3, 0]
    for eta in (0.0, 2.0**-40, 2.0**-31, 2.0**-25, 1e-8, 1.0, 1e300):
        args = inputs([0] * 6, [2**22] * 6, loud, eta, 1.5, 9)
        yield Case(f"loud votes, eta {eta}", ["Rounding", "LargeSum"], args)
    for n in (5, 64, 65, 129):
        o, m = draw.ints(n, -40, 40), draw.ints(n, -below, below)
        args = inputs(o, m, draw.ints(n, -3000, 3000), 0.00071, 0.1 * sqrt(1000 * n), 1000 * n)
        yield Case(f"{n} offsets", ["Rounding", "Offset"], args)
    large = inputs([2**23 - 9, 9 - 2**23, 0], [0] * 3, [-1, 1, 1], 1.0, sqrt(2**23 - 1), 2**23 - 1)
    yield Case("the longest sum", ["LargeSum", "Offset"], large)


def move_wires(draw: Draw) -> Cases:
    """Give cases."""
    one = {"beta": 2**15, "eta": 2**39, "dither": 0}

    def many(n_wires: int, n: int, eta: int) -> dict[str, Any]:
        m, q = draw.matrix(n_wires, n, -4200, 600), draw.matrix(n_wires, n, -900, 900)
        chosen = draw.ints(n_wires, 0, n - 1)
        return {"chosen": chosen, "m": m, "q": q, "beta": 31800, "eta": eta, "dither": draw.below(2**15)}

    several = {"chosen": [0], "m": [[0, -4000, -4000, -4000]], "q": [[0, -1, -3, -3]]}
    yield Case("the loudest is read, of equals the first", ["TieInWire"], several | one)
    bar = {"chosen": [1, 1], "m": [[-4096, 0, 5], [-4095, 0, 5]], "q": [[0, 0, 0], [0, 0, 0]]}
    yield Case("exactly the bar, and just below", ["Equality", "Reset"], bar | one)
    against = {"chosen": [0, 1], "m": [[0, 4096, 9000], [5000, 0, 9]], "q": [[0, 7, 1], [1, 0, 2]]}
    yield Case("evidence for what is read waits", ["Equality"], against | one)
    size = {"chosen": [0], "m": [[0, -9000, -5000]], "q": [[0, 5, -1]]}
    yield Case("loud is what speaks for a move", ["TieInWire"], size | one | {"eta": 2**30})
    loud = {"chosen": [0, 2], "m": [[0, 9, 9], [7, 7, 0]], "q": [[0, -(2**31), 2**31 - 1], [-(2**24), -9, 0]]}
    yield Case("loud votes", ["LargeSum", "Saturation"], loud | one)
    far = {"chosen": [0], "m": [[32767, -32767, 0]], "q": [[9, -1, -(2**20)]], "beta": 0, "dither": 2**15 - 1}
    yield Case("old evidence is forgotten", ["Beta", "Rounding"], far | {"eta": 2**38})
    for n_wires, n in ((1, 1), (5, 2), (3, 63), (2, 64), (130, 3)):
        yield Case(f"{n_wires} wires, {n} candidates", ["Rounding", "ManyUnits"], many(n_wires, n, 2**29 + 4097))
    for eta in (0, 2**25 - 1, 2**25 + 2**13 - 1, 2**43 - 1):
        yield Case(f"eta {eta}", ["Rounding"], many(4, 5, eta))


def _orders_of_clip(n: int, norm: int) -> list[Callable[[float], int]]:
    """Give the right order of operations, and two that differ in the last bit of float64."""
    return [
        lambda clip: int(2**40 * (clip * sqrt(n))) // norm,
        lambda clip: int(2**40 * (clip * (sqrt(n) / norm))),
        lambda clip: int(2**40 * (clip / norm * sqrt(n))),
    ]


def _orders_of_eta(n: int) -> list[Callable[[float], int]]:
    """Give the right order of operations, and one that differs in the last bit of float64."""
    return [lambda eta: round(2**40 * (eta / (127 * n))), lambda eta: round(2**40 * (eta * (1 / (127 * n))))]
