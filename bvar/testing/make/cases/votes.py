"""Cases of level 4: the way back, on weights, inputs, pixels, tables and wires."""

from __future__ import annotations

from typing import Any

from bvar.testing.make.cases.windows import (
    POOLS,
    TREES,
    WINDOWS,
    convolutions,
    draw_images,
    draw_trees,
    make_window,
    n_places,
    patch_size,
    wide_convolutions,
)
from bvar.testing.make.draw import (
    AND,
    BATCHES,
    GATES,
    OR,
    WIDE,
    XNOR,
    XOR,
    Case,
    Cases,
    Draw,
    draw_candidates,
    draw_gates,
    width_flags,
)

__all__ = [
    "candidate_votes",
    "center_votes",
    "conv_weight_votes",
    "input_votes",
    "or_pool_back",
    "pixel_votes",
    "pool_back",
    "scale_signals",
    "table_votes",
    "tree_pixel_votes",
    "tree_table_votes",
    "weight_votes",
    "wire_votes",
]


def weight_votes(draw: Draw) -> Cases:
    """Give cases."""

    def inputs(gate: int, b: int, o: int, n: int, alphabet: str = "01") -> dict[str, Any]:
        z, x = draw.matrix(b, o, -128, 127), draw.rows(b, n, alphabet)
        return {"gate": gate, "z": z, "x": x, "n_outputs": o, "n_inputs": n}

    for gate in GATES:
        yield Case(f"gate {gate}, some inputs missing", ["Gate", "MissingValue"], inputs(gate, 5, 3, 66, "01u"))
    for n in (1, 63, 64, 65, 193, 196):
        yield Case(f"xnor, {n} inputs", width_flags(n), inputs(XNOR, 7, 2, n))
    yield Case("no sample", ["EmptyBatch"], inputs(XNOR, 0, 3, 5))
    loud = {"gate": XNOR, "z": [[-128, 127]] * 300, "x": ["10"] * 300, "n_outputs": 2, "n_inputs": 2}
    yield Case("300 loud samples", ["Saturation"], loud)
    for n in WIDE:
        yield Case(f"or, {n} inputs", ["LongRow", "MissingValue"], inputs(OR, 2, 1, n, "01u"))
    for n in BATCHES:
        yield Case(f"{n} samples", ["ManyUnits", "MissingValue"], inputs(XNOR, n, 2, 5, "01u"))
    for n in (65, 129):
        yield Case(f"{n} neurons", ["ManyUnits"], inputs(AND, 3, n, 4))
    signs = {"gate": XOR, "z": [[-128]] * 600, "x": ["1u0"] * 600, "n_outputs": 1, "n_inputs": 3}
    yield Case("600 loud samples, some inputs missing", ["LargeSum", "MissingValue"], signs)


def input_votes(draw: Draw) -> Cases:
    """Give cases."""
    for gate in GATES:
        inputs = {"gate": gate, "z": draw.matrix(3, 4, -128, 127), "w": draw.rows(4, 66)}
        yield Case(f"gate {gate}", ["Gate"], inputs)
    for n in (1, 63, 64, 65, 193, 196):
        inputs = {"gate": XNOR, "z": draw.matrix(2, 7, -128, 127), "w": draw.rows(7, n)}
        yield Case(f"xnor, {n} inputs", width_flags(n), inputs)
    loud = {"gate": XNOR, "z": [[-128] * 300], "w": ["10"] * 300}
    yield Case("300 loud neurons", ["Saturation"], loud)
    for n in WIDE:
        inputs = {"gate": OR, "z": draw.matrix(1, 2, -128, 127), "w": draw.rows(2, n)}
        yield Case(f"or, {n} inputs", ["LongRow"], inputs)
    for n in BATCHES:
        inputs = {"gate": AND, "z": draw.matrix(n, 2, -128, 127), "w": draw.rows(2, 5)}
        yield Case(f"{n} samples", ["ManyUnits"], inputs)
    for n in (65, 129, 513):
        inputs = {"gate": XNOR, "z": draw.matrix(2, n, -128, 127), "w": draw.rows(n, 3)}
        yield Case(f"{n} neurons", ["ManyUnits"], inputs)
    one = {"gate": OR, "z": [[-128], [127]], "w": ["10"]}
    yield Case("one neuron", ["Gate"], one)


def center_votes(draw: Draw) -> Cases:
    """Give cases."""
    halves = {"q": [[0, 0, 0], [0, 0, 0]], "signal_sums": [1, -1], "input_sums": [1, -1, 0], "n_samples": 2}
    yield Case("halves below and above zero", ["HalfUp", "Centered"], halves)
    for r, n, k in ((2, 3, 7), (3, 65, 12), (4, 9, 300)):
        votes, signals = draw.matrix(r, n, -127 * k, 127 * k), draw.ints(r, -128 * k, 128 * k)
        inputs = {"q": votes, "signal_sums": signals, "input_sums": draw.ints(n, -k, k), "n_samples": k}
        yield Case(f"{k} samples", ["Centered"], inputs)
    large = {"q": [[2**24 + 1, -(2**24) - 1]], "signal_sums": [2**24 + 1], "input_sums": [0, 131073]}
    yield Case("beyond 2**24", ["LargeSum"], large | {"n_samples": 131073})
    for r, n in ((2, 513), (129, 3), (65, 65)):
        k = 600
        votes, signals = draw.matrix(r, n, -127 * k, 127 * k), draw.ints(r, -128 * k, 128 * k)
        inputs = {"q": votes, "signal_sums": signals, "input_sums": draw.ints(n, -k, k), "n_samples": k}
        yield Case(f"{r} neurons, {n} inputs", ["Centered", "ManyUnits"], inputs)


def conv_weight_votes(draw: Draw) -> Cases:
    """Give cases."""
    for comment, flags, inputs in convolutions(draw):
        window, alphabet = inputs["window"], "01u" if inputs["gate"] == OR else "01"
        z = draw.matrix(2, 2 * n_places(window), -128, 127)
        both = {"z": z, "images": draw_images(draw, window, 2, alphabet), "n_filters": 2}
        missing = ["MissingValue"] if alphabet == "01u" else []
        yield Case(comment, flags + missing, inputs | both)
    none = {
        "gate": XNOR,
        "window": WINDOWS["no border"],
        "padding_value": 0,
        "z": [],
        "images": [],
        "n_filters": 3,
    }
    yield Case("no image", ["EmptyBatch"], none)
    for comment, window, n_filters in wide_convolutions():
        z, images = draw.matrix(1, n_filters * n_places(window), -128, 127), draw_images(draw, window, 1)
        inputs = {
            "gate": OR,
            "window": window,
            "padding_value": -1,
            "z": z,
            "images": images,
            "n_filters": n_filters,
        }
        yield Case(comment, ["Image", "LongRow"], inputs)
    for n in (65, 129):
        window = WINDOWS["one pixel, with a border"]
        both = {"z": draw.matrix(n, 1, -128, 127), "images": draw_images(draw, window, n), "n_filters": 1}
        yield Case(f"{n} images", ["ManyUnits"], {"gate": XOR, "window": window, "padding_value": 0, **both})
    window = make_window([1, 300, 1], 1)
    loud = {"z": [[-128] * 300], "images": ["1" * 300], "n_filters": 1, "window": window, "padding_value": 0}
    yield Case("300 loud places", ["LargeSum"], {"gate": XNOR, **loud})


def pixel_votes(draw: Draw) -> Cases:
    """Give cases."""
    for name, window in WINDOWS.items():
        for gate in (AND, XOR, OR, XNOR):
            z = draw.matrix(2, 3 * n_places(window), -128, 127)
            inputs = {"gate": gate, "z": z, "weights": draw.rows(3, patch_size(window)), "window": window}
            yield Case(f"{name}, gate {gate}", ["Image"], inputs)
    for comment, window, n_filters in wide_convolutions():
        z, weights = (
            draw.matrix(1, n_filters * n_places(window), -128, 127),
            draw.rows(n_filters, patch_size(window)),
        )
        inputs = {"gate": OR, "z": z, "weights": weights, "window": window}
        yield Case(comment, ["Image", "LongRow"], inputs)
    for n in (65, 129):
        window = WINDOWS["one pixel, with a border"]
        inputs = {"gate": AND, "z": draw.matrix(n, 2, -128, 127), "weights": draw.rows(2, 9), "window": window}
        yield Case(f"{n} images", ["ManyUnits"], inputs)
    loud = {"gate": XNOR, "z": [[-128] * 300], "weights": ["1"] * 300, "window": make_window([1, 1, 1], 1)}
    yield Case("300 loud filters", ["LargeSum"], loud)


def pool_back(draw: Draw) -> Cases:
    """Give cases."""
    for shape, size in (([4, 4, 1], 2), ([5, 7, 3], 2), ([3, 3, 2], 3)):
        n = shape[0] // size * (shape[1] // size) * shape[2]
        inputs = {"z": draw.matrix(2, n, -127, 127), "winner": draw.matrix(2, n, 0, size**2 - 1)}
        yield Case(f"{shape}, side {size}", ["Image"], inputs | {"image_shape": shape, "size": size})
    for n in (65, 129):
        inputs = {"z": draw.matrix(n, 2, -128, 127), "winner": draw.matrix(n, 2, 0, 24)}
        yield Case(f"{n} images", ["ManyUnits"], inputs | {"image_shape": [5, 10, 1], "size": 5})


def table_votes(draw: Draw) -> Cases:
    """Give cases."""
    for fan_in in range(1, 7):
        drawn = draw_gates(draw, 12, 6, 4, fan_in)
        inputs = {"z": draw.matrix(12, 4, -127, 127), "x": drawn["x"], "wires": drawn["wires"]}
        yield Case(f"{fan_in} wires", ["WireOrder"], inputs)
    yield Case("no sample", ["EmptyBatch"], {"z": [], "x": [], "wires": [[0, 1]]})
    for n in BATCHES:
        drawn = draw_gates(draw, n, 6, 3, 2)
        inputs = {"z": draw.matrix(n, 3, -32767, 32767), "x": drawn["x"], "wires": drawn["wires"]}
        yield Case(f"{n} samples", ["ManyUnits", "LargeSum"], inputs)
    for n in (65, 130, 260):
        drawn = draw_gates(draw, 3, n, n, 1)
        inputs = {"z": draw.matrix(3, n, -127, 127), "x": drawn["x"], "wires": drawn["wires"]}
        yield Case(f"{n} units and {n} gates", ["ManyUnits"], inputs)


def wire_votes(draw: Draw) -> Cases:
    """Give cases."""
    for fan_in in range(1, 7):
        yield Case(
            f"{fan_in} wires",
            ["WireOrder"],
            {"z": draw.matrix(9, 8, -127, 127), **draw_gates(draw, 9, 5, 8, fan_in)},
        )
    loud = {"z": [[32767, 32767, -32767, -2]], "x": ["1"], "wires": [[0]] * 4, "tables": ["01"] * 4}
    yield Case("cut after the sum is complete", ["Saturation"], loud)
    far = {"z": [[32767, 32767]], "x": ["1"], "wires": [[0]] * 2, "tables": ["01"] * 2}
    yield Case("beyond the end", ["Saturation"], far)
    for n in BATCHES:
        yield Case(
            f"{n} samples", ["ManyUnits"], {"z": draw.matrix(n, 3, -127, 127), **draw_gates(draw, n, 6, 3, 2)}
        )
    for n in (65, 130, 260):
        inputs = {"z": draw.matrix(2, n, -9000, 9000), **draw_gates(draw, 2, n, n, 2)}
        yield Case(f"{n} units and {n} gates", ["ManyUnits"], inputs)
    below = {"z": [[-32767, -1], [-32767, -2]], "x": ["1", "0"], "wires": [[0]] * 2, "tables": ["01"] * 2}
    yield Case("just beyond the lower end", ["Saturation"], below)


def candidate_votes(draw: Draw) -> Cases:
    """Give cases."""

    def inputs(b: int, n_units: int, n_gates: int, fan_in: int, n_candidates: int, most: int) -> dict[str, Any]:
        given = draw_gates(draw, b, n_units, n_gates, fan_in)
        others = draw_candidates(draw, n_units, n_gates, fan_in, n_candidates)
        for wires, units in zip(given["wires"], others, strict=True):
            for i, unit in enumerate(wires):  # one candidate is what the wire reads
                units[i][draw.below(n_candidates)] = unit
        return {"z": draw.matrix(b, n_gates, -most, most), **given, "candidates": others}

    for fan_in in range(1, 7):
        yield Case(f"{fan_in} wires", ["WireOrder"], inputs(9, 5, 6, fan_in, 4, 127))
    for n in (1, 63, 64):
        yield Case(f"{n} candidates", ["ManyUnits"], inputs(5, 9, 2, 2, n, 127))
    for n in BATCHES:
        yield Case(f"{n} samples", ["ManyUnits", "LargeSum"], inputs(n, 6, 3, 2, 3, 32767))
    for n in (65, 130, 260):
        yield Case(f"{n} units and {n} gates", ["ManyUnits"], inputs(2, n, n, 2, 2, 9000))
    book = {"x": ["101"], "wires": [[0, 1]], "tables": ["0001"], "candidates": [[[0, 0], [1, 2]]]}
    yield Case("both, of which a wire could read a unit that is T", ["WireOrder"], {"z": [[-3]], **book})
    meet = {"x": ["01", "10"], "wires": [[0, 0]], "tables": ["0110"], "candidates": [[[0, 1], [1, 0]]]}
    yield Case("both wires read one unit, and one of them leaves it", ["WireOrder"], {"z": [[5], [7]], **meet})
    none = {"z": [], "x": [], "wires": [[0]], "tables": ["01"], "candidates": [[[0, 1, 1]]]}
    yield Case("no sample", ["EmptyBatch"], none)
    copies = {"wires": [[0]], "tables": ["01"], "candidates": [[[0, 1]]]}
    yield Case("300 loud samples", ["LargeSum"], {"z": [[-32767]] * 300, "x": ["01"] * 300, **copies})


def scale_signals(draw: Draw) -> Cases:
    """Give cases."""
    halves = {"g": [[1, -1, 2, -2, 3, -3, 5, -5, 0]], "fan_out": 8}
    yield Case("a half of each", ["HalfAway"], halves)
    for fan_out in (1, 2, 3, 4, 200, 512, 2**23 - 1):
        inputs = {"g": draw.matrix(2, 9, -40000, 40000), "fan_out": fan_out}
        yield Case(f"{fan_out} sums above", ["LargeProduct"], inputs)
        far = {"g": [[2**31 - 1, -(2**31), *draw.ints(9, -(2**31), 2**31 - 1)]], "fan_out": fan_out}
        yield Case(f"{fan_out} sums above, loud", ["LargeProduct", "Saturation"], far)
    ends = {"g": [[32766, 32767, 32768, -32767, -32768, 65533, -65535]], "fan_out": 2}
    yield Case("just beyond the ends", ["Saturation"], ends)
    for n in (65, 129):
        yield Case(f"{n} units", ["ManyUnits"], {"g": draw.matrix(2, n, -9000, 9000), "fan_out": n})


def _tree_signals(draw: Draw, trees: dict[str, Any], most: int) -> dict[str, Any]:
    """Give trees and images signals: one for each tree at each place."""
    n = n_places(trees["window"]) * len(trees["tables"][-1])
    return {"z": draw.matrix(len(trees["images"]), n, -most, most), **trees}


def tree_table_votes(draw: Draw) -> Cases:
    """Give cases."""
    for name, trees in TREES.items():
        flags = ["Image", "Outside", "WireOrder"] if any(trees[0]["padding"]) else ["Image", "WireOrder"]
        yield Case(name, flags, _tree_signals(draw, draw_trees(draw, *trees, 2), 127))
    yield Case("no image", ["EmptyBatch"], _tree_signals(draw, draw_trees(draw, *TREES["a border"], 0), 1))
    for n in (65, 129):
        small = make_window([1, 3, 1], [1, 2])
        loud = _tree_signals(draw, draw_trees(draw, small, 1, 2, 2, n), 32767)
        yield Case(f"{n} images", ["ManyUnits", "LargeSum"], loud)
        wide = _tree_signals(draw, draw_trees(draw, make_window([1, n, 1], 1), 2, 2, 1, 2), 127)
        yield Case(f"{n} places", ["ManyUnits"], wide)
        many = _tree_signals(draw, draw_trees(draw, small, n, 2, 1, 2), 127)
        yield Case(f"{n} trees", ["ManyUnits"], many)


def tree_pixel_votes(draw: Draw) -> Cases:
    """Give cases."""
    for name, trees in TREES.items():
        yield Case(name, ["Image", "WireOrder"], _tree_signals(draw, draw_trees(draw, *trees, 2), 127))
    copies = {"images": ["1"], "tables": [["01"] * 4], "wires": [[0]] * 4, "window": make_window([1, 1, 1], 1)}
    yield Case("cut after the sum", ["Saturation"], {"z": [[32767, 32767, -32767, -2]], **copies})
    ends = make_window([1, 3, 1], [1, 3], padding=[0, 2])  # the last tap of a window is the first of another
    three = {"images": ["010", "101"], "tables": [["01"] * 2], "wires": [[0], [2]], "window": ends}
    far = {"z": [[32767] * 10, [-32767] * 10], **three}
    yield Case("beyond the ends, from several windows", ["Saturation"], far)
    beside = make_window([1, 1, 1], [1, 2], padding=[0, 1])  # two windows see the pixel
    two = {"images": ["1"], "tables": [["01"] * 3], "wires": [[0], [0], [1]], "window": beside}
    loud = {"z": [[0, 0, -9, 32767, 32767, 0]], **two}
    yield Case("cut at a place before windows add up", ["Saturation"], loud)
    for n in (65, 129):
        small = make_window([1, 3, 1], [1, 2])
        yield Case(f"{n} images", ["ManyUnits"], _tree_signals(draw, draw_trees(draw, small, 1, 2, 2, n), 127))
        wide = _tree_signals(draw, draw_trees(draw, make_window([1, n, 1], 1), 2, 2, 1, 2), 127)
        yield Case(f"{n} places", ["ManyUnits"], wide)
        many = _tree_signals(draw, draw_trees(draw, small, n, 2, 1, 2), 127)
        yield Case(f"{n} trees", ["ManyUnits"], many)


def or_pool_back(draw: Draw) -> Cases:
    """Give cases."""
    for shape, size in POOLS:
        n, out = shape[0] * shape[1] * shape[2], shape[0] // size * (shape[1] // size) * shape[2]
        x = [*draw.rows(3, n, "0" * (size * size) + "1"), "0" * n, "1" * n]
        inputs = {"z": draw.matrix(5, out, -32767, 32767), "x": x, "image_shape": shape, "size": size}
        yield Case(f"{shape}, side {size}", ["Image"], inputs)
    for n in (65, 129):
        both = {"z": draw.matrix(n, 1, -127, 127), "x": draw.rows(n, 4, "0001")}
        yield Case(f"{n} images", ["ManyUnits"], {**both, "image_shape": [2, 2, 1], "size": 2})
    two = {"z": [[5], [6], [7]], "x": ["1100", "1000", "0111"], "image_shape": [2, 2, 1], "size": 2}
    yield Case("one, two and three pixels", ["Image"], two)
