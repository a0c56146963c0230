"""Cases of level 4: the way back, on weights, inputs, pixels, tables and wires."""

from __future__ import annotations

from typing import Any

from bvar.testing.make.cases.windows import WINDOWS, convolutions, draw_images, n_places, patch_size
from bvar.testing.make.draw import AND, GATES, OR, XNOR, XOR, Case, Cases, Draw, draw_gates, width_flags

__all__ = [
    "center_votes",
    "conv_weight_votes",
    "input_votes",
    "pixel_votes",
    "pool_back",
    "table_votes",
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


def pixel_votes(draw: Draw) -> Cases:
    """Give cases."""
    for name, window in WINDOWS.items():
        for gate in (AND, XOR, OR, XNOR):
            z = draw.matrix(2, 3 * n_places(window), -128, 127)
            inputs = {"gate": gate, "z": z, "weights": draw.rows(3, patch_size(window)), "window": window}
            yield Case(f"{name}, gate {gate}", ["Image"], inputs)


def pool_back(draw: Draw) -> Cases:
    """Give cases."""
    for shape, size in (([4, 4, 1], 2), ([5, 7, 3], 2), ([3, 3, 2], 3)):
        n = shape[0] // size * (shape[1] // size) * shape[2]
        inputs = {"z": draw.matrix(2, n, -127, 127), "winner": draw.matrix(2, n, 0, size**2 - 1)}
        yield Case(f"{shape}, side {size}", ["Image"], inputs | {"image_shape": shape, "size": size})


def table_votes(draw: Draw) -> Cases:
    """Give cases."""
    for fan_in in range(1, 7):
        drawn = draw_gates(draw, 12, 6, 4, fan_in)
        inputs = {"z": draw.matrix(12, 4, -127, 127), "x": drawn["x"], "wires": drawn["wires"]}
        yield Case(f"{fan_in} wires", ["WireOrder"], inputs)
    yield Case("no sample", ["EmptyBatch"], {"z": [], "x": [], "wires": [[0, 1]]})


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
