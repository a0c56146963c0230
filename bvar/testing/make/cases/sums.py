"""Cases of level 3: sums, what is made of them, and the tables of surrogate and loss."""

from __future__ import annotations

from bvar.testing.make.cases.windows import (
    POOLS,
    TREES,
    WINDOWS,
    convolutions,
    draw_images,
    draw_trees,
    make_window,
    patch_size,
    wide_convolutions,
)
from bvar.testing.make.draw import AND, BATCHES, GATES, OR, SEAMS, WIDE, XNOR, XOR, Case, Cases, Draw, width_flags
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
    "or_pool",
    "rescale",
    "squared_error",
    "threshold_table",
    "tree_values",
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
    for n in WIDE:
        inputs = {"gate": XNOR, "x": [draw.row(n), draw.row(n, "01u")], "w": draw.rows(2, n)}
        yield Case(f"xnor, {n} bits", ["LongRow"], inputs)
        last = {"gate": AND, "x": ["0" * (n - 1) + "1"], "w": ["1" * n, "0" * n]}
        yield Case(f"and, the last of {n} bits", ["LongRow"], last)
    for n in (8193, 33000):
        loud = {"gate": XNOR, "x": ["1" * n], "w": ["1" * n]}
        yield Case(f"xnor, {n} bits, all T", ["LargeSum", "LongRow"], loud)
    for b, o in ((65, 3), (3, 65), (129, 2), (2, 129)):
        inputs = {"gate": OR, "x": draw.rows(b, 9, "01u"), "w": draw.rows(o, 9)}
        yield Case(f"{b} samples, {o} neurons", ["ManyUnits"], inputs)


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
    for n in (513, 1025):
        x, w = draw.rows(2, n), draw.rows(2, n)
        tau = Oracle().gate_sum(XNOR, x, w)[0]
        yield Case(f"{n} bits", ["LongRow", "TieAtThreshold"], {"gate": XNOR, "x": x, "w": w, "tau": tau})
    tau = [200, 201, -200, -199]
    loud = {"gate": XNOR, "x": ["1" * 200], "w": ["1" * 200] * 2 + ["0" * 200] * 2, "tau": tau}
    yield Case("thresholds of 200", ["LargeSum", "TieAtThreshold"], loud)
    loud = {"gate": XNOR, "x": ["1" * 33000], "w": ["1" * 33000], "tau": [33000]}
    yield Case("a threshold of 33000", ["LargeSum", "TieAtThreshold"], loud)
    far = {"gate": XNOR, "x": ["11"], "w": ["11"] * 6}
    tau = [128, -129, 32770, -32770, 2**31 - 1, -(2**31)]
    yield Case("thresholds that no sum reaches, and that all do", ["LargeSum"], far | {"tau": tau})
    for n in BATCHES:
        inputs = {"gate": AND, "x": draw.rows(n, 7, "01u"), "w": draw.rows(3, 7), "tau": [-3, 0, 2]}
        yield Case(f"{n} samples", ["ManyUnits"], inputs)


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
    for comment, window, n_filters in wide_convolutions():
        images, weights = draw_images(draw, window, 1), draw.rows(n_filters, patch_size(window))
        inputs = {"gate": XNOR, "window": window, "padding_value": -1, "images": images, "weights": weights}
        yield Case(comment, ["Image", "LongRow"], inputs)


def max_pool(draw: Draw) -> Cases:
    """Give cases."""
    for shape, size in (([4, 4, 1], 2), ([5, 7, 3], 2), ([3, 3, 2], 3), ([2, 2, 5], 1)):
        n = shape[0] * shape[1] * shape[2]
        options = {"image_shape": shape, "size": size}
        yield Case(f"{shape}, side {size}", ["Image"], {"sums": draw.matrix(2, n, -50, 50), **options})
        yield Case(f"{shape}, side {size}, equals", ["TieInPool"], {"sums": draw.matrix(2, n, 0, 1), **options})
    for shape, size in (([5, 5, 2], 2), ([10, 5, 1], 5)):
        n, options = shape[0] * shape[1] * shape[2], {"image_shape": shape, "size": size}
        wide = draw.matrix(1, n, -(2**31), 2**31 - 1)
        yield Case(f"{shape}, side {size}, beyond 2**24", ["LargeSum"], {"sums": wide, **options})
        negative = draw.matrix(1, n, -70000, -40000)
        yield Case(f"{shape}, side {size}, below zero", ["Image"], {"sums": negative, **options})


def tree_values(draw: Draw) -> Cases:
    """Give cases."""
    for name, trees in TREES.items():
        flags = ["Image", "Outside", "WireOrder"] if any(trees[0]["padding"]) else ["Image", "WireOrder"]
        yield Case(name, flags, draw_trees(draw, *trees, 2))
    for n in BATCHES:
        yield Case(f"{n} images", ["ManyUnits"], draw_trees(draw, *TREES["one pixel, with a border"], n))
    for n in (65, 129):
        small = make_window([1, 3, 2], [1, 2], padding=[0, 1])
        yield Case(f"{n} trees", ["ManyUnits"], draw_trees(draw, small, n, 2, 1, 2))
        wide = make_window([1, n, 1], 1)
        yield Case(f"{n} places", ["ManyUnits"], draw_trees(draw, wide, 2, 2, 1, 2))
    yield Case("513 bits in a window", ["LongRow"], draw_trees(draw, make_window([1, 1, 513], 1), 2, 4, 2, 2))


def or_pool(draw: Draw) -> Cases:
    """Give cases."""
    for shape, size in POOLS:
        n = shape[0] * shape[1] * shape[2]
        inputs = {"x": [*draw.rows(3, n, "0001"), "0" * n], "image_shape": shape, "size": size}
        yield Case(f"{shape}, side {size}", ["Image"], inputs)
    for n in (65, 129):
        inputs = {"x": draw.rows(n, 9, "0001"), "image_shape": [3, 3, 1], "size": 3}
        yield Case(f"{n} images", ["ManyUnits"], inputs)
        inputs = {"x": draw.rows(2, 4 * n, "0001"), "image_shape": [2, 2, n], "size": 2}
        yield Case(f"{n} channels", ["ManyUnits"], inputs)
    for place in range(4):
        row = "".join("01"[i == place] for i in range(4))
        yield Case(f"only pixel {place}", ["Image"], {"x": [row], "image_shape": [2, 2, 1], "size": 2})


def group_sum(draw: Draw) -> Cases:
    """Give cases."""
    for n, groups in ((4, 2), (65, 5), (130, 1), (6, 6), (64, 4)):
        yield Case(f"{n} bits in {groups} groups", width_flags(n), {"x": draw.rows(3, n), "n_groups": groups})
    yield Case("all T", ["AllOnes"], {"x": ["1" * 70], "n_groups": 2})
    for n, groups in ((600, 2), (1026, 2), (4097, 1), (260, 130)):
        yield Case(f"{n} bits in {groups} groups", ["LongRow"], {"x": draw.rows(2, n), "n_groups": groups})
    yield Case("300 T in a group", ["LargeSum"], {"x": ["1" * 300 + "0" * 300], "n_groups": 2})
    yield Case("more than int16 holds", ["LargeSum"], {"x": ["0" * 33000], "n_groups": 1})


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
    for g in (31, 57, 93, 125):
        # g t is half of 2**20, one less or one more, after whole multiples of 2**20: float32 cannot tell
        table = [(2**19 + off) * pow(g, -1, 2**20) % 2**20 for off in (-1, 0, 1)]
        near = {"g": [[g] * 3, [-g] * 3], "s": [[0, 1, 2]] * 2, "tau": [0] * 3, "table": table, "shift": 20}
        yield Case(f"{g} t is next to a half", ["HalfAway", "LargeProduct"], near)
    for n in (65, 130):
        many = {"g": draw.matrix(2, n, -70000, 70000), "s": draw.matrix(2, n, -99, 99), "tau": draw.ints(n, -3, 3)}
        yield Case(
            f"{n} units, votes beyond int16",
            ["ManyUnits", "LargeProduct"],
            many | {"table": [900, 90, 9], "shift": 20},
        )
    loud = {
        "g": [[2**24 + 1, -(2**24) - 1]],
        "s": [[40000, -40000]],
        "tau": [40000, -40001],
        "table": [7, 3],
        "shift": 20,
    }
    far = {"g": [[1] * 4], "s": [[2**16, -(2**16), 2**31 - 1, -(2**31)]], "tau": [0, 1, -(2**31), 2**31 - 1]}
    yield Case("distances of 2**16 and 2**32", ["TableEnd"], far | {"table": [99, 88, 7], "shift": 0})
    yield Case("votes beyond 2**24, sums beyond int16", ["LargeProduct", "LargeSum"], loud)


def loss_table(draw: Draw) -> Cases:
    """Give cases."""
    for fan_in, temperature in ((1, 1.0), (33, 1.0), (100, 0.5), (7, 0.1), (16, 2.0)):
        inputs = {"fan_in": fan_in, "temperature": hex64(temperature)}
        yield Case(f"fan-in {fan_in}, temperature {temperature}", ["Random"], inputs)
    yield Case("more than 4096 entries", ["LongRow"], {"fan_in": 90000, "temperature": hex64(1.0)})


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
    wide = {"fan_in": 250000, "fan_out": 10, "gate": 9, "next_gate": 9}
    yield Case("more than 4096 entries", ["LongRow"], wide)
    for gate, above in ((2, 8), (14, 6), (11, 13)):
        inputs = {"fan_in": 9, "fan_out": 7, "gate": gate, "next_gate": above}
        yield Case(f"gate {gate} below gate {above}", ["Gate"], inputs)


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
    halves = {"scores": [[1, 0], [0, 1]], "y": [0, 0], "table": [249, 5]}
    yield Case("2.5 is 3 and 124.5 is 125", ["HalfUp"], halves)
    yield Case("254 equal scores: 0.5 is 1", ["HalfUp"], {"scores": [[0] * 254], "y": [9], "table": table})
    yield Case("2049 equal scores", ["LargeProduct"], {"scores": [[3] * 2049], "y": [2048], "table": table})
    many = {"scores": draw.matrix(1, 1025, -40, 40), "y": [1024], "table": table}
    yield Case("1025 classes", ["LargeProduct"], many)
    negative = {"scores": [[-1, -2, -3], [-900, -902, -901]], "y": [1, 0], "table": [2**20, 2**19, 3, 0]}
    yield Case("only negative scores", ["TableEnd"], negative)
    ends = {"scores": [[2**31 - 1, -(2**31)], [-(2**31), 2**30]], "y": [1, 1], "table": [2**20, 2**19, 2**18]}
    yield Case("the ends of int32", ["TableEnd", "LargeProduct"], ends)
    for n in BATCHES:
        inputs = {"scores": draw.matrix(n, 2, -20, 20), "y": draw.ints(n, 0, 1), "table": table}
        yield Case(f"{n} samples", ["ManyUnits"], inputs)


def squared_error(draw: Draw) -> Cases:
    """Give cases."""
    halves = {"scores": [[1, -1, 3, -3]], "y": [[0, 0, 0, 0]], "scale": 254}
    yield Case("halves", ["HalfAway"], halves)
    yield Case("at the ends", ["Saturation"], {"scores": [[10, -50, 0]], "y": [[0, 0, 90]], "scale": 20})
    many = {"scores": draw.matrix(4, 3, -90, 90), "y": draw.matrix(4, 3, -90, 90), "scale": 77}
    yield Case("many", ["Random"], many)
    for m in (1, 100003, 4000001):
        # 127 (2k + 1) m / (254 m) is a half; one more or less is beside it, and float32 cannot tell
        errors = [sign * ((2 * k + 1) * m + off) for k in (0, 1, 20) for off in (-1, 0, 1) for sign in (1, -1)]
        inputs = {"scores": [errors], "y": [[0] * len(errors)], "scale": 254 * m}
        yield Case(f"halves and beside, scale {254 * m}", ["HalfAway", "LargeProduct"], inputs)
    wide = {"scores": [[10**7, -(2**31), 2**31 - 1]], "y": [[-(10**7), 2**31 - 1, -(2**31)]], "scale": 2**30}
    yield Case("254 times an error needs 41 bits", ["LargeProduct"], wide)
    for n in (65, 129):
        many = {"scores": draw.matrix(n, 2, -90, 90), "y": draw.matrix(n, 2, -90, 90), "scale": 77}
        yield Case(f"{n} samples", ["ManyUnits"], many)
