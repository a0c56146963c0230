"""Hypothesis strategies for the arguments of every function, aimed at seams: ends of words, ties, extremes.

Needs Hypothesis, so nothing imports it before a search begins.
"""

from __future__ import annotations

from math import inf
from typing import Any

from hypothesis import strategies as st

from bvar.testing.oracle.definitions import float32
from bvar.testing.oracle.formats import hex32, hex64, places_of
from bvar.testing.subjects.oracle import Reference
from bvar.testing.subjects.protocol import FUNCTIONS

__all__ = ["STRATEGIES"]

Draw = Any
Strategy = st.SearchStrategy[Any]

GATES = st.integers(0, 15)
WIDTHS = st.integers(1, 12) | st.sampled_from([63, 64, 65, 127, 128, 129, 191, 193, 194, 195, 196, 257])
SMALL = st.integers(1, 5)
INT8 = st.integers(-128, 127)
VOTES = st.integers(-3, 3) | st.integers(-(2**31) + 1, 2**31 - 1)


def rows(r: int, n: int, alphabet: str = "01") -> Strategy:
    """Rows of one length; a row is one or two large numbers, which draw and shrink faster than letters."""
    planes = [st.integers(0, 2**n - 1) for _ in alphabet[1:]]

    def spell(numbers: tuple[int, ...]) -> str:
        return "".join(alphabet[sum(k >> i & 1 for k in numbers)] for i in range(n))

    constant = st.sampled_from([c * n for c in alphabet])
    return st.lists(st.tuples(*planes).map(spell) | constant, min_size=r, max_size=r)


def matrix(r: int, n: int, of: Strategy) -> Strategy:
    """Rows of integers."""
    return st.lists(st.lists(of, min_size=n, max_size=n), min_size=r, max_size=r)


def ints(n: int, of: Strategy) -> Strategy:
    """As many integers as are wanted."""
    return st.lists(of, min_size=n, max_size=n)


M = "01u"


@st.composite
def _connective(draw: Draw) -> dict[str, Any]:
    n = draw(st.integers(0, 9))
    a, b = draw(rows(2, n, M))
    return {"gate": draw(GATES), "a": a, "b": b}


@st.composite
def _mixed(draw: Draw) -> dict[str, Any]:
    n = draw(st.integers(0, 9))
    return {"gate": draw(GATES), "a": draw(rows(1, n, M))[0], "x": draw(ints(n, st.integers(-(2**31), 2**31)))}


@st.composite
def _delta(draw: Draw) -> dict[str, Any]:
    a, b = draw(rows(2, draw(st.integers(0, 9))))
    return {"a": a, "b": b}


@st.composite
def _variations(draw: Draw) -> dict[str, Any]:
    n = draw(st.integers(1, 6))
    return {"table": draw(rows(1, 2**n))[0], "n_inputs": n}


@st.composite
def _gates(draw: Draw, least: int = 1) -> dict[str, Any]:
    n_samples, n_units = draw(st.integers(least, 4) | st.sampled_from([63, 64, 65])), draw(st.integers(1, 6))
    n_gates, fan_in = draw(SMALL), draw(st.integers(1, 6))
    return {
        "x": draw(rows(n_samples, n_units)),
        "wires": draw(matrix(n_gates, fan_in, st.integers(0, n_units - 1))),
        "tables": draw(rows(n_gates, 1 << fan_in)),
    }


@st.composite
def _rows(draw: Draw) -> dict[str, Any]:
    return {"rows": draw(rows(draw(st.integers(0, 3)), draw(WIDTHS), M))}


@st.composite
def _words(draw: Draw, dirty: bool) -> dict[str, Any]:
    n = draw(WIDTHS)
    numbers = st.integers(0, 2**64 - 1) | st.just(2**64 - 1)
    words = [[draw(numbers) for _ in range(-(-n // 64))] for _ in range(draw(SMALL))]
    if not dirty:
        for row in words:
            row[-1] &= 2 ** ((n - 1) % 64 + 1) - 1
    return {"words": [[f"{word:016x}" for word in row] for row in words], "n_bits": n}


@st.composite
def _transpose(draw: Draw) -> dict[str, Any]:
    n = draw(WIDTHS)
    return {"rows": draw(rows(draw(st.integers(0, 3) | st.sampled_from([63, 64, 65])), n)), "n_bits": n}


@st.composite
def _gate_sum(draw: Draw) -> dict[str, Any]:
    n = draw(WIDTHS)
    return {"gate": draw(GATES), "x": draw(rows(draw(st.integers(0, 3)), n, M)), "w": draw(rows(draw(SMALL), n))}


@st.composite
def _gate_bits(draw: Draw) -> dict[str, Any]:
    inputs = draw(_gate_sum())
    sums = Reference().gate_sum(**inputs)
    n = len(inputs["w"])
    near = [s + draw(st.integers(-1, 1)) for s in sums[0]] if sums else [0] * n
    return {**inputs, "tau": near}


@st.composite
def _window(draw: Draw) -> dict[str, Any]:
    size, stride, gap = ([draw(st.integers(1, high)) for _ in "yx"] for high in (3, 2, 2))
    reach = [(taps - 1) * step + 1 for taps, step in zip(size, gap, strict=True)]
    padding = [draw(st.integers(0, covered - 1)) for covered in reach]
    sides = [max(1, r - 2 * p) + draw(st.integers(0, 2)) for r, p in zip(reach, padding, strict=True)]
    shape = [*sides, draw(st.sampled_from([1, 2, 3]))]
    return {"image_shape": shape, "size": size, "stride": stride, "padding": padding, "dilation": gap}


def _n_values(window: dict[str, Any]) -> tuple[int, int, int]:
    """Values of an image and of a patch, and number of places."""
    height, width, channels = window["image_shape"]
    down, across = places_of(window)
    return height * width * channels, window["size"][0] * window["size"][1] * channels, down * across


@st.composite
def _conv_sum(draw: Draw) -> dict[str, Any]:
    window = draw(_window())
    n_values, n_patch, _ = _n_values(window)
    images, weights = draw(rows(draw(SMALL), n_values, M)), draw(rows(draw(SMALL), n_patch))
    padding_value = draw(st.sampled_from([0, -1]))
    return {
        "gate": draw(GATES.filter(_learns)),
        "images": images,
        "weights": weights,
        "window": window,
        "padding_value": padding_value,
    }


def _learns(gate: int) -> bool:
    return all(set(row) != {"u"} for row in Reference().gate_variations(gate))


@st.composite
def _pool(draw: Draw) -> dict[str, Any]:
    size = draw(st.integers(1, 3))
    return {
        "image_shape": [draw(st.integers(size, 2 * size + 1)), draw(st.integers(size, 5)), draw(SMALL)],
        "size": size,
    }


@st.composite
def _max_pool(draw: Draw) -> dict[str, Any]:
    options = draw(_pool())
    height, width, channels = options["image_shape"]
    values = st.integers(-2, 2) | st.integers(-(2**31), 2**31 - 1)
    return {"sums": draw(matrix(draw(SMALL), height * width * channels, values)), **options}


@st.composite
def _pool_back(draw: Draw) -> dict[str, Any]:
    options = draw(_pool())
    size, (height, width, channels) = options["size"], options["image_shape"]
    shape = draw(SMALL), height // size * (width // size) * channels
    winner = draw(matrix(*shape, st.integers(0, size**2 - 1)))
    return {"z": draw(matrix(*shape, st.integers(-127, 127))), "winner": winner, **options}


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
    gates = GATES.filter(_learns)
    widths = st.integers(1, 300)
    return {"fan_in": draw(widths), "fan_out": draw(widths), "gate": draw(gates), "next_gate": draw(gates)}


@st.composite
def _cross_entropy(draw: Draw) -> dict[str, Any]:
    b, n = draw(st.integers(0, 4)), draw(st.integers(1, 6))
    scores = draw(matrix(b, n, st.integers(-60, 60) | st.integers(-(10**6), 10**6)))
    table = draw(st.sampled_from([[2**20, 2**19, 3, 0], Reference().loss_table(30, hex64(1.0))]))
    return {"scores": scores, "y": draw(ints(b, st.integers(0, n - 1))), "table": table}


@st.composite
def _squared_error(draw: Draw) -> dict[str, Any]:
    shape, near = (draw(SMALL), draw(SMALL)), st.integers(-400, 400)
    scale = draw(st.sampled_from([1, 2, 127, 254]) | st.integers(1, 1000))
    return {"scores": draw(matrix(*shape, near)), "y": draw(matrix(*shape, near)), "scale": scale}


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
    inputs = draw(_conv_sum())
    n_filters, _, n_places = len(inputs.pop("weights")), *_n_values(inputs["window"])[1:]
    z = draw(matrix(len(inputs["images"]), n_filters * n_places, INT8))
    return {**inputs, "z": z, "n_filters": n_filters}


@st.composite
def _pixel_votes(draw: Draw) -> dict[str, Any]:
    window, n_filters = draw(_window()), draw(SMALL)
    _, n_patch, n_places = _n_values(window)
    z, weights = draw(matrix(draw(SMALL), n_filters * n_places, INT8)), draw(rows(n_filters, n_patch))
    return {"gate": draw(GATES), "z": z, "weights": weights, "window": window}


@st.composite
def _table_votes(draw: Draw) -> dict[str, Any]:
    inputs = draw(_gates())
    del inputs["tables"]
    return {**inputs, "z": draw(matrix(len(inputs["x"]), len(inputs["wires"]), st.integers(-32767, 32767)))}


@st.composite
def _wire_votes(draw: Draw) -> dict[str, Any]:
    inputs = draw(_gates())
    return {**inputs, "z": draw(matrix(len(inputs["x"]), len(inputs["wires"]), st.integers(-32767, 32767)))}


@st.composite
def _vote_norms(draw: Draw) -> dict[str, Any]:
    return {"q": draw(matrix(draw(SMALL), draw(SMALL), VOTES))}


@st.composite
def _clipped_eta(draw: Draw) -> dict[str, Any]:
    eta, clip = draw(st.floats(0, 1)), draw(st.sampled_from([1.0, 0.25, inf]))
    return {"q": draw(matrix(draw(SMALL), draw(SMALL), VOTES)), "eta": hex64(eta), "clip": hex64(clip)}


ACCUMULATORS = st.sampled_from([0.0, 1.0, -1.0, 0.5, -0.5, 1 - 2.0**-24]) | st.floats(-2, 2, width=32)


@st.composite
def _flip(draw: Draw) -> dict[str, Any]:
    r, n = draw(SMALL), draw(st.integers(1, 5) | st.sampled_from([63, 64, 65]))
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
    n_samples = draw(ints(steps, st.integers(0, 3)))
    reach = st.integers(-400, 400)
    return {
        "w": draw(rows(r, n)),
        "votes": [draw(matrix(r, n, reach)) for _ in range(steps)],
        "n_samples": [max(1, n_samples[0]), *n_samples[1:]],
        "eta": [hex64(eta) for eta in draw(ints(steps, st.floats(0, 40)))],
        "clip": hex64(draw(st.sampled_from([1.0, inf]))),
    }


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
    gate, n_hidden = draw(GATES.filter(_learns)), draw(SMALL)
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


_ANY_GATE = st.fixed_dictionaries({"gate": GATES})
_PROJECT = st.fixed_dictionaries({"x": st.lists(st.integers(-(2**31), 2**31), max_size=6)})

STRATEGIES: dict[str, Strategy] = {
    "project": _PROJECT,
    "gate_table": _ANY_GATE,
    "gate_variations": _ANY_GATE,
    "table_values": _gates(least=0),
    "pack": _rows(),
    "count_rows": _rows(),
    "unpack": _words(dirty=True),
    "negate": _words(dirty=False),
}
STRATEGIES |= {name: globals()[f"_{name}"]() for name in FUNCTIONS if name not in STRATEGIES}
"""Arguments of every function of the protocol."""
