"""The vectors: for each function a file of inputs at the seams, with the answers of the oracle.

Everything here is deterministic and uses no backend.  Longer than other modules, because it is a table: one short
function for each function of the protocol, named alike.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

from bvar.testing.make.networks import networks
from bvar.testing.oracle.formats import hex32, hex64, places_of
from bvar.testing.subjects.oracle import Reference
from bvar.testing.subjects.protocol import FORMATS, FUNCTIONS, Function

__all__ = ["NOTES", "VERSION", "schema", "vector_file", "write"]

VERSION = 1
"""Of the vectors; it rises when a result changes."""

NOTES = {
    "AllOnes": "Rows of T only: counters that are too narrow overflow, and signs that are mixed up show.",
    "Beta": "The share of old evidence is that of the step before; using that of this step gives another model.",
    "Centered": "Two roundings with halves up, also below zero: truncation and halves to even differ.",
    "Clip": "A neuron whose votes are loud together gets a lower eta; in float64 first, then float32.",
    "EmptyBatch": "No sample: votes are zero, and nothing may move, not even beta.",
    "Equality": "Evidence of exactly 1 flips; comparing with > instead of >= does not.",
    "EtaShare": "Eta is divided by 127 times the number of samples.",
    "Float32": "Each operation is rounded to float32, none is fused; float64 on the way gives other bits.",
    "Gate": "All sixteen gates, among them or, whose variation has the sign of the input, not its opposite.",
    "HalfAway": "Halves round away from zero; halves to even, halves up and truncation differ.",
    "HalfUp": "Halves round up, also below zero.",
    "Image": "Patches in the order row, column, channel; votes go back to the pixel that the tap saw.",
    "LargeSum": "Sums beyond 2**24, which float32 cannot hold.",
    "MissingValue": "The 0 of M adds nothing to a sum and gives no vote; it is neither F nor T.",
    "NoRows": "A matrix without rows still has a width.",
    "Outside": "What lies outside an image is the 0 of M, or F if that is asked for; the two differ.",
    "PaddingDirty": "Bits beyond the row are no part of it: they are not read, and zero in what is written.",
    "Random": "No seam, only many values at once.",
    "RaggedTail": "The row ends inside a word: tails of 193 to 196 bits are where vector loops lose some.",
    "Reset": "A weight that flipped starts from 0 again; the others keep what they have.",
    "Saturation": "Beyond +-127 (+-32767 for gates) a signal stays there; the sum is complete before it is cut.",
    "TableEnd": "Beyond the last entry of a table the last entry counts.",
    "TieAtThreshold": "A sum that equals the threshold is T.",
    "TieInPool": "Of equal sums the first pixel of the square wins.",
    "Trajectory": "A whole training run: weights, beta, clip, rounding and the order of everything.",
    "WireOrder": "The first wire is the least significant bit of the address.",
    "ZeroWord": "Rows of F only.",
}


class Case(NamedTuple):
    """One test before it has an answer."""

    comment: str
    flags: list[str]
    inputs: dict[str, Any]


class Draw:
    """Bits and numbers from raw random bits, a stream that Python keeps between versions."""

    def __init__(self, seed: str) -> None:
        self.source = random.Random(seed)

    def below(self, n: int) -> int:
        """Give a number in [0, n)."""
        return self.source.getrandbits(48) % n

    def row(self, n: int, alphabet: str = "01") -> str:
        """Give a row."""
        return "".join(alphabet[self.below(len(alphabet))] for _ in range(n))

    def rows(self, r: int, n: int, alphabet: str = "01") -> list[str]:
        """Give rows."""
        return [self.row(n, alphabet) for _ in range(r)]

    def ints(self, n: int, low: int, high: int) -> list[int]:
        """Give integers of [low, high]."""
        return [low + self.below(high - low + 1) for _ in range(n)]

    def matrix(self, r: int, n: int, low: int, high: int) -> list[list[int]]:
        """Give rows of integers."""
        return [self.ints(n, low, high) for _ in range(r)]


SEAMS = [1, 7, 63, 64, 65, 128, 129, 193, 194, 195, 196, 257]
GATES = range(16)
OR, XNOR, AND, XOR = 7, 9, 1, 6
Cases = Iterator[Case]


def _width(n: int) -> list[str]:
    return ["RaggedTail"] if n % 64 else ["Random"]


# -------------------------------------------------------------------------------------------- levels 0 to 2


def connective(draw: Draw) -> Cases:
    """Give cases."""
    for gate in GATES:
        pairs = {"a": "000uuu111", "b": "0u10u10u1"}
        yield Case(f"gate {gate} on all pairs of values of M", ["Gate", "MissingValue"], {"gate": gate, **pairs})


def project(draw: Draw) -> Cases:
    """Give cases."""
    yield Case("signs", ["Random"], {"x": [-2, -1, 0, 1, 2, 2**31, -(2**31)]})
    yield Case("nothing", ["EmptyBatch"], {"x": []})


def mixed(draw: Draw) -> Cases:
    """Give cases."""
    for gate in GATES:
        inputs = {"gate": gate, "a": "000uuu111", "x": [-3, 0, 4] * 3}
        yield Case(f"gate {gate}: logic and numbers", ["Gate", "MissingValue"], inputs)


def delta(draw: Draw) -> Cases:
    """Give cases."""
    yield Case("all pairs of bits", ["Random"], {"a": "0011", "b": "0101"})


def variations(draw: Draw) -> Cases:
    """Give cases."""
    for table in range(16):
        text = "".join(str(table >> point & 1) for point in range(4))
        yield Case(f"function {table} of two bits", ["Gate"], {"table": text, "n_inputs": 2})
    for n in (1, 3, 4, 5):
        yield Case(f"a function of {n} bits", ["WireOrder"], {"table": draw.row(2**n), "n_inputs": n})


def gate_table(draw: Draw) -> Cases:
    """Give cases."""
    for gate in GATES:
        yield Case(f"gate {gate}", ["Gate"], {"gate": gate})


gate_variations = gate_table


def _gates(draw: Draw, n_samples: int, n_units: int, n_gates: int, fan_in: int) -> dict[str, Any]:
    return {
        "x": draw.rows(n_samples, n_units),
        "wires": draw.matrix(n_gates, fan_in, 0, n_units - 1),
        "tables": draw.rows(n_gates, 1 << fan_in),
    }


def table_values(draw: Draw) -> Cases:
    """Give cases."""
    table = {"x": ["00", "10", "01", "11"], "wires": [[0, 1], [1, 0]], "tables": ["0100", "0100"]}
    yield Case("a and not b, and its mirror image", ["WireOrder"], table)
    for fan_in in range(1, 7):
        flags = ["WireOrder"] if fan_in > 1 else ["Random"]
        yield Case(f"{fan_in} wires", flags, _gates(draw, 9, 7, 5, fan_in))
    for n in (63, 64, 65, 193):
        yield Case(f"{n} samples", _width(n), _gates(draw, n, 5, 3, 2))
    yield Case("no sample", ["EmptyBatch"], _gates(draw, 0, 5, 3, 2))


def pack(draw: Draw) -> Cases:
    """Give cases."""
    yield Case("bit 0 is the least significant", ["RaggedTail"], {"rows": ["1000", "0100", "1101"]})
    for n in SEAMS:
        yield Case(f"{n} bits", _width(n), {"rows": draw.rows(2, n)})
        yield Case(f"{n} bits, some missing", ["MissingValue", *_width(n)], {"rows": draw.rows(2, n, "01u")})
        yield Case(f"{n} bits, all T", ["AllOnes"], {"rows": ["1" * n]})
    yield Case("all F", ["ZeroWord"], {"rows": ["0" * 130]})
    yield Case("no row", ["EmptyBatch"], {"rows": []})
    yield Case("rows without bits", ["EmptyBatch"], {"rows": ["", ""]})


def _dirty(draw: Draw, n: int) -> list[list[str]]:
    return [[f"{draw.source.getrandbits(64):016x}" for _ in range(-(-n // 64))] for _ in range(2)]


def unpack(draw: Draw) -> Cases:
    """Give cases."""
    for n in SEAMS:
        flags = ["PaddingDirty", "RaggedTail"] if n % 64 else ["Random"]
        yield Case(f"{n} bits of full words", flags, {"words": _dirty(draw, n), "n_bits": n})
    yield Case("a bit beyond 2**53", ["AllOnes"], {"words": [["8000000000000001"]], "n_bits": 64})


def negate(draw: Draw) -> Cases:
    """Give cases."""
    for n in SEAMS:
        clean = Reference().pack(draw.rows(2, n))[0]
        yield Case(f"{n} bits", ["PaddingDirty"] if n % 64 else ["Random"], {"words": clean, "n_bits": n})
    yield Case("all F", ["PaddingDirty", "ZeroWord"], {"words": [["0" * 16] * 2], "n_bits": 100})


def transpose(draw: Draw) -> Cases:
    """Give cases."""
    for r, n in ((1, 1), (2, 3), (3, 65), (65, 3), (64, 64), (63, 129), (9, 0)):
        yield Case(f"{r} x {n}", _width(n), {"rows": draw.rows(r, n), "n_bits": n})
    yield Case("no row: five rows without bits", ["NoRows"], {"rows": [], "n_bits": 5})


def count_rows(draw: Draw) -> Cases:
    """Give cases."""
    for n in SEAMS:
        yield Case(f"{n} bits", _width(n), {"rows": [*draw.rows(2, n), "1" * n, "0" * n]})
    yield Case("missing values are not T", ["MissingValue"], {"rows": draw.rows(3, 70, "01u")})


# --------------------------------------------------------------------------------------------------- level 3


def gate_sum(draw: Draw) -> Cases:
    """Give cases."""
    for gate in GATES:
        inputs = {"gate": gate, "x": draw.rows(3, 67, "01u"), "w": draw.rows(2, 67)}
        yield Case(f"gate {gate}, some inputs missing", ["Gate", "MissingValue", "RaggedTail"], inputs)
    for n in SEAMS:
        yield Case(f"xnor, {n} bits", _width(n), {"gate": XNOR, "x": draw.rows(3, n), "w": draw.rows(3, n)})
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
        sums = Reference().gate_sum(gate, x, w)
        for off, flag in ((0, "TieAtThreshold"), (1, "Random"), (-1, "Random")):
            tau = [s + off for s in sums[0]]
            inputs = {"gate": gate, "x": x, "w": w, "tau": tau}
            yield Case(f"gate {gate}, thresholds {off:+d} from the first sums", [flag], inputs)
    for n in (64, 65, 130):
        inputs = {"gate": XNOR, "x": draw.rows(2, 5), "w": draw.rows(n, 5), "tau": [1] * n}
        yield Case(f"{n} neurons", _width(n), inputs)


def _window(shape: list[int], size: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1) -> dict[str, Any]:
    pairs = {"size": size, "stride": stride, "padding": padding, "dilation": dilation}
    both = {name: [pair, pair] if isinstance(pair, int) else pair for name, pair in pairs.items()}
    return {"image_shape": shape, **both}


WINDOWS = {
    "one pixel, with a border": _window([1, 1, 1], 3, padding=1),
    "no border": _window([4, 5, 2], [2, 3]),
    "a border": _window([4, 4, 3], 3, padding=1),
    "steps of two": _window([5, 6, 2], 3, stride=2, padding=1),
    "gaps between taps": _window([7, 6, 1], [3, 2], stride=[1, 2], padding=[2, 0], dilation=[2, 3]),
    "many channels": _window([3, 3, 22], 2),
}


def _images(draw: Draw, window: dict[str, Any], n: int, alphabet: str = "01") -> list[str]:
    height, width, channels = window["image_shape"]
    return draw.rows(n, height * width * channels, alphabet)


def _patch_size(window: dict[str, Any]) -> int:
    return int(window["size"][0] * window["size"][1] * window["image_shape"][2])


def _n_places(window: dict[str, Any]) -> int:
    rows, columns = places_of(window)
    return rows * columns


def _convolutions(draw: Draw) -> Iterator[tuple[str, list[str], dict[str, Any]]]:
    for name, window in WINDOWS.items():
        for gate, padding_value in ((XNOR, 0), (XNOR, -1), (XOR, 0), (OR, 0), (AND, -1)):
            flags = ["Image", "Outside"] if any(window["padding"]) else ["Image"]
            comment = f"{name}, gate {gate}, outside is {'F' if padding_value else 'nothing'}"
            yield comment, flags, {"gate": gate, "window": window, "padding_value": padding_value}


def conv_sum(draw: Draw) -> Cases:
    """Give cases."""
    for comment, flags, inputs in _convolutions(draw):
        window = inputs["window"]
        both = {"images": _images(draw, window, 2), "weights": draw.rows(2, _patch_size(window))}
        yield Case(comment, flags, inputs | both)
    window = WINDOWS["a border"]
    both = {"images": _images(draw, window, 2, "01u"), "weights": draw.rows(2, _patch_size(window))}
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
        yield Case(f"{n} bits in {groups} groups", _width(n), {"x": draw.rows(3, n), "n_groups": groups})
    yield Case("all T", ["AllOnes"], {"x": ["1" * 70], "n_groups": 2})


def rescale(draw: Draw) -> Cases:
    """Give cases."""
    halves = {"g": [[1, -1, 3, -3, 5, -5]], "s": [[0] * 6], "tau": [0] * 6, "table": [1], "shift": 1}
    yield Case("halves", ["HalfAway"], halves)
    ends = {"g": [[126, 127, 128, 129, -127, -128, -129, 2**31 - 1]], "s": [[5] * 8], "tau": [5] * 8}
    yield Case("at the ends", ["Saturation"], ends | {"table": [1], "shift": 0})
    past = {"g": [[100] * 6], "s": [[-9, -2, -1, 0, 1, 9]], "tau": [0] * 6, "table": [16, 8, 4], "shift": 4}
    yield Case("distances beyond the table", ["TableEnd"], past)
    table = Reference().threshold_table(70, 33, XNOR, XNOR)
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
    table = Reference().loss_table(100, hex64(1.0))
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


# --------------------------------------------------------------------------------------------------- level 4


def weight_votes(draw: Draw) -> Cases:
    """Give cases."""

    def inputs(gate: int, b: int, o: int, n: int, alphabet: str = "01") -> dict[str, Any]:
        z, x = draw.matrix(b, o, -128, 127), draw.rows(b, n, alphabet)
        return {"gate": gate, "z": z, "x": x, "n_outputs": o, "n_inputs": n}

    for gate in GATES:
        yield Case(f"gate {gate}, some inputs missing", ["Gate", "MissingValue"], inputs(gate, 5, 3, 66, "01u"))
    for n in (1, 63, 64, 65, 193, 196):
        yield Case(f"xnor, {n} inputs", _width(n), inputs(XNOR, 7, 2, n))
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
        yield Case(f"xnor, {n} inputs", _width(n), inputs)
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
    for comment, flags, inputs in _convolutions(draw):
        window, alphabet = inputs["window"], "01u" if inputs["gate"] == OR else "01"
        z = draw.matrix(2, 2 * _n_places(window), -128, 127)
        both = {"z": z, "images": _images(draw, window, 2, alphabet), "n_filters": 2}
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
            z = draw.matrix(2, 3 * _n_places(window), -128, 127)
            inputs = {"gate": gate, "z": z, "weights": draw.rows(3, _patch_size(window)), "window": window}
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
        drawn = _gates(draw, 12, 6, 4, fan_in)
        inputs = {"z": draw.matrix(12, 4, -127, 127), "x": drawn["x"], "wires": drawn["wires"]}
        yield Case(f"{fan_in} wires", ["WireOrder"], inputs)
    yield Case("no sample", ["EmptyBatch"], {"z": [], "x": [], "wires": [[0, 1]]})


def wire_votes(draw: Draw) -> Cases:
    """Give cases."""
    for fan_in in range(1, 7):
        yield Case(
            f"{fan_in} wires", ["WireOrder"], {"z": draw.matrix(9, 8, -127, 127), **_gates(draw, 9, 5, 8, fan_in)}
        )
    loud = {"z": [[32767, 32767, -32767, -2]], "x": ["1"], "wires": [[0]] * 4, "tables": ["01"] * 4}
    yield Case("cut after the sum is complete", ["Saturation"], loud)
    far = {"z": [[32767, 32767]], "x": ["1"], "wires": [[0]] * 2, "tables": ["01"] * 2}
    yield Case("beyond the end", ["Saturation"], far)


# ----------------------------------------------------------------------------------------------- levels 5, 6


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


def train(draw: Draw) -> Cases:
    """Give cases."""
    for name, (flags, inputs) in networks(draw).items():
        yield Case(name, ["Trajectory", *flags], inputs)


# ----------------------------------------------------------------------------------------------------- files


def vector_file(name: str) -> dict[str, Any]:
    """Make the file of one function."""
    function = FUNCTIONS[name]
    reference = getattr(Reference(), name)
    cases = list(globals()[name](Draw(name)))
    tests = [
        {
            "id": f"{name}-{number}",
            "comment": case.comment,
            "flags": case.flags,
            "inputs": {argument: case.inputs[argument] for argument in function.arguments},
            "result": reference(**case.inputs),
        }
        for number, case in enumerate(cases, start=1)
    ]
    flags = {flag for case in cases for flag in case.flags}
    return {
        "kernel": name,
        "level": function.level,
        "schema": "schema.json",
        "version": VERSION,
        "source": "bvar.testing.oracle.definitions",
        "notes": {flag: note for flag, note in NOTES.items() if flag in flags},
        "number_of_tests": len(tests),
        "tests": tests,
    }


def schema() -> dict[str, Any]:
    """Make the JSON Schema of all files: what a test holds depends on the function."""
    text = {"type": "string"}
    properties = {
        "kernel": {"enum": list(FUNCTIONS)},
        "level": {"type": "integer", "minimum": 0, "maximum": 6},
        "schema": {"const": "schema.json"},
        "version": {"const": VERSION},
        "source": text,
        "notes": {"type": "object", "propertyNames": {"enum": list(NOTES)}, "additionalProperties": text},
        "number_of_tests": {"type": "integer", "minimum": 1},
        "tests": {"type": "array", "minItems": 1},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Vectors of the conformance kit of bvar",
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
        "oneOf": [_file_schema(function) for function in FUNCTIONS.values()],
        "$defs": FORMATS,
    }


def _file_schema(function: Function) -> dict[str, Any]:
    def formatted(name: str) -> dict[str, str]:
        return {"$ref": f"#/$defs/{name}"}

    inputs = {name: formatted(kind) for name, kind in function.arguments.items()}
    test = {
        "id": {"type": "string", "pattern": f"^{function.name}-[0-9]+$"},
        "comment": {"type": "string", "minLength": 1},
        "flags": {"type": "array", "items": {"enum": list(NOTES)}, "minItems": 1},
        "inputs": {
            "type": "object",
            "properties": inputs,
            "required": list(inputs),
            "additionalProperties": False,
        },
        "result": formatted(function.result),
    }
    items = {"type": "object", "properties": test, "required": list(test), "additionalProperties": False}
    return {
        "properties": {
            "kernel": {"const": function.name},
            "level": {"const": function.level},
            "tests": {"items": items},
        }
    }


def text_of(file: dict[str, Any]) -> str:
    """Write a file with one test a line, so that people and diffs can read it."""
    head = {key: value for key, value in file.items() if key != "tests"}
    lines = ",\n".join("  " + json.dumps(test) for test in file["tests"])
    return json.dumps(head, indent=1)[:-2] + f',\n "tests": [\n{lines}\n ]\n}}\n'


def write(directory: Path) -> list[Path]:
    """Write the schema and a file for each function; return the paths."""
    paths = [directory / "schema.json"]
    paths[0].write_text(json.dumps(schema(), indent=1) + "\n", encoding="utf-8")
    for function in FUNCTIONS.values():
        paths.append(directory / f"{function.level}-{function.name}.json")
        paths[-1].write_text(text_of(vector_file(function.name)), encoding="utf-8")
    return paths


if __name__ == "__main__":
    write(Path(__file__).parents[1] / "vectors")
