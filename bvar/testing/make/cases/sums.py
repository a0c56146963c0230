"""Cases of level 3: sums, what is made of them, and the tables of surrogate and loss."""

from __future__ import annotations

from bvar.testing.make.cases.windows import WINDOWS, convolutions, draw_images, patch_size
from bvar.testing.make.draw import AND, GATES, OR, SEAMS, XNOR, XOR, Case, Cases, Draw, width_flags
from bvar.testing.oracle.formats import hex64
from bvar.testing.subjects.oracle import Oracle

__all__ = [
    "conv_sum",
    "cross_entropy",
    "gate_bits",
    "gate_sum",
    "group_sum",
    "loss_table",
    "max_pool",
    "rescale",
    "squared_error",
    "threshold_table",
]


def gate_sum(draw: Draw) -> Cases:
    """Give cases."""
    for gate in GATES:
        inputs = {"gate": gate, "x": draw.rows(3, 67, "01u"), "w": draw.rows(2, 67)}
        yield Case(f"gate {gate}, some inputs missing", ["Gate", "MissingValue", "RaggedTail"], inputs)
    for n in SEAMS:
        yield Case(f"xnor, {n} bits", width_flags(n), {"gate": XNOR, "x": draw.rows(3, n), "w": draw.rows(3, n)})
        ones = {"gate": XNOR, "x": ["1" * n], "w": ["1" * n, "0" * n]}
        yield Case(f"xnor, {n} bits, all T", ["AllOnes"], ones)
    yield Case("all F", ["ZeroWord"], {"gate": XNOR, "x": ["0" * 70], "w": ["0" * 70]})
    yield Case("all missing", ["MissingValue"], {"gate": OR, "x": ["u" * 70], "w": draw.rows(2, 70)})
    yield Case("no sample", ["EmptyBatch"], {"gate": XNOR, "x": [], "w": draw.rows(2, 70)})
    yield Case("no input", ["ZeroWord"], {"gate": XNOR, "x": ["", ""], "w": ["", "", ""]})


def gate_bits(draw: Draw) -> Cases:
    """Give cases."""
    for gate in (AND, XOR, OR, XNOR, 14):
        x, w = draw.rows(4, 70, "01u"), draw.rows(3, 70)
        sums = Oracle().gate_sum(gate, x, w)
        for off, flag in ((0, "TieAtThreshold"), (1, "Random"), (-1, "Random")):
            tau = [s + off for s in sums[0]]
            inputs = {"gate": gate, "x": x, "w": w, "tau": tau}
            yield Case(f"gate {gate}, thresholds {off:+d} from the first sums", [flag], inputs)
    for n in (64, 65, 130):
        inputs = {"gate": XNOR, "x": draw.rows(2, 5), "w": draw.rows(n, 5), "tau": [1] * n}
        yield Case(f"{n} neurons", width_flags(n), inputs)


def conv_sum(draw: Draw) -> Cases:
    """Give cases."""
    for comment, flags, inputs in convolutions(draw):
        window = inputs["window"]
        both = {"images": draw_images(draw, window, 2), "weights": draw.rows(2, patch_size(window))}
        yield Case(comment, flags, inputs | both)
    window = WINDOWS["a border"]
    both = {"images": draw_images(draw, window, 2, "01u"), "weights": draw.rows(2, patch_size(window))}
    missing = {"gate": OR, "window": window, "padding_value": 0, **both}
    yield Case("pixels are missing", ["MissingValue", "Image"], missing)


def max_pool(draw: Draw) -> Cases:
    """Give cases."""
    for shape, size in (([4, 4, 1], 2), ([5, 7, 3], 2), ([3, 3, 2], 3), ([2, 2, 5], 1)):
        n = shape[0] * shape[1] * shape[2]
        options = {"image_shape": shape, "size": size}
        yield Case(f"{shape}, side {size}", ["Image"], {"sums": draw.matrix(2, n, -50, 50), **options})
        yield Case(f"{shape}, side {size}, equals", ["TieInPool"], {"sums": draw.matrix(2, n, 0, 1), **options})


def group_sum(draw: Draw) -> Cases:
    """Give cases."""
    for n, groups in ((4, 2), (65, 5), (130, 1), (6, 6), (64, 4)):
        yield Case(f"{n} bits in {groups} groups", width_flags(n), {"x": draw.rows(3, n), "n_groups": groups})
    yield Case("all T", ["AllOnes"], {"x": ["1" * 70], "n_groups": 2})


def rescale(draw: Draw) -> Cases:
    """Give cases."""
    halves = {"g": [[1, -1, 3, -3, 5, -5]], "s": [[0] * 6], "tau": [0] * 6, "table": [1], "shift": 1}
    yield Case("halves", ["HalfAway"], halves)
    ends = {"g": [[126, 127, 128, 129, -127, -128, -129, 2**31 - 1]], "s": [[5] * 8], "tau": [5] * 8}
    yield Case("at the ends", ["Saturation"], ends | {"table": [1], "shift": 0})
    past = {"g": [[100] * 6], "s": [[-9, -2, -1, 0, 1, 9]], "tau": [0] * 6, "table": [16, 8, 4], "shift": 4}
    yield Case("distances beyond the table", ["TableEnd"], past)
    table = Oracle().threshold_table(70, 33, XNOR, XNOR)
    for n in (3, 17):
        many = {"g": draw.matrix(3, n, -400, 400), "s": draw.matrix(3, n, -70, 70), "tau": draw.ints(n, -3, 3)}
        yield Case(f"the table of fan-in 70, {n} columns", ["Random"], many | {"table": table, "shift": 20})
    big = {"g": [[2**31 - 1, -(2**31)]], "s": [[2**31 - 1, -(2**31)]], "tau": [-(2**31), 2**31 - 1]}
    yield Case("64 bits are needed", ["Saturation", "TableEnd"], big | {"table": [2**30, 2**30], "shift": 30})


def loss_table(draw: Draw) -> Cases:
    """Give cases."""
    for fan_in, temperature in ((1, 1.0), (33, 1.0), (100, 0.5), (7, 0.1), (16, 2.0)):
        inputs = {"fan_in": fan_in, "temperature": hex64(temperature)}
        yield Case(f"fan-in {fan_in}, temperature {temperature}", ["Random"], inputs)


def threshold_table(draw: Draw) -> Cases:
    """Give cases."""
    for fan_in, fan_out, gate, above in (
        (12, 2, 9, 9),
        (70, 33, 9, 9),
        (5, 1, 6, 9),
        (30, 8, 1, 7),
        (16, 4, 7, 14),
    ):
        inputs = {"fan_in": fan_in, "fan_out": fan_out, "gate": gate, "next_gate": above}
        yield Case(f"fan-in {fan_in}, fan-out {fan_out}", ["Gate"], inputs)


def cross_entropy(draw: Draw) -> Cases:
    """Give cases."""
    table = Oracle().loss_table(100, hex64(1.0))
    page = {"scores": [[20, 20, -80]], "y": [1], "table": table}
    yield Case("the example of the page on exactness", ["Random"], page)
    yield Case("equal scores: 63.5 is 64", ["HalfUp"], {"scores": [[5, 5], [0, 0]], "y": [0, 1], "table": table})
    far = {"scores": [[0, 10**6, -(10**6)]], "y": [0], "table": table}
    yield Case("far apart", ["TableEnd", "Saturation"], far)
    for n in (2, 3, 10):
        inputs = {"scores": draw.matrix(6, n, -40, 40), "y": draw.ints(6, 0, n - 1), "table": table}
        yield Case(f"{n} classes", ["Random"], inputs)
    yield Case("no sample", ["EmptyBatch"], {"scores": [], "y": [], "table": table})


def squared_error(draw: Draw) -> Cases:
    """Give cases."""
    halves = {"scores": [[1, -1, 3, -3]], "y": [[0, 0, 0, 0]], "scale": 254}
    yield Case("halves", ["HalfAway"], halves)
    yield Case("at the ends", ["Saturation"], {"scores": [[10, -50, 0]], "y": [[0, 0, 90]], "scale": 20})
    many = {"scores": draw.matrix(4, 3, -90, 90), "y": draw.matrix(4, 3, -90, 90), "scale": 77}
    yield Case("many", ["Random"], many)
