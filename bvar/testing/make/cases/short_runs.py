"""Runs of few steps, each for what the long ones leave out."""

from __future__ import annotations

from itertools import count
from math import inf, sqrt
from typing import Any

from bvar.testing.make.cases.layers import (
    concatenate,
    conv,
    gate_conv,
    gates,
    learnt,
    linear,
    max_pool,
    or_pool,
    signal_scale,
    threshold,
    with_offsets,
)
from bvar.testing.make.cases.windows import make_window
from bvar.testing.make.draw import AND, NAND, OR, XNOR, XOR, Draw, around
from bvar.testing.oracle.formats import hex64
from bvar.testing.subjects.oracle import Oracle

__all__ = ["short_runs"]

LOSS = Oracle().loss_table(16, hex64(1.0))
CURVE = Oracle().threshold_table(20, 2, XNOR, XNOR)
_USUAL = {"steps": 24, "batch": 6, "eta": 40.0, "clip": 1.0}


def short_runs(draw: Draw) -> dict[str, tuple[list[str], dict[str, Any]]]:
    """Give flags and arguments of `train` for each run by name."""
    return {
        "convolution behind convolution, outside is F, uneven steps": (
            ["Image", "Outside"],
            _deep_convolution(draw),
        ),
        "nand of images with missing pixels, gaps, two pools": (["Image", "MissingValue"], _missing_pixels(draw)),
        "first layer centred, 70 hidden units": (["Centered", "ManyUnits"], _centered_first(draw)),
        "gates 2 and 11, three layers of 130, 63 and 127 units": (["Gate", "ManyUnits"], _other_gates(draw)),
        "gates of six wires, then of five; 65 samples": (["ManyUnits", "WireOrder"], _six_wires(draw)),
        "tables of which seven entries of eight flip": (["Beta"], _restless(draw)),
        "branches of a convolution and of two layers, weighed": (["Branches", "SampleWeight"], _branches(draw)),
        "samples without weight, checkpoints out of order and twice": (
            ["EmptyBatch", "SampleWeight"],
            _weightless(draw),
        ),
        "800 samples of one class": (["LargeSum"], _loud_bias(draw)),
        "300 neurons that all say the same": (["LargeSum", "ManyUnits"], _loud_threshold(draw)),
        "six places: eta is divided twice": (["EtaShare", "LastBit"], _six_places(draw)),
        "2049 classes": (["LargeProduct", "ManyUnits"], _many_classes(draw)),
        "offsets beside a bias, or alone": (["Offset"], _offsets(draw)),
        "offsets in branches, weighed": (["Branches", "Offset", "SampleWeight"], _offsets_in_branches(draw)),
        "gates in front of sums, inputs beside them": (["Clip", "Concatenation", "Offset"], _front(draw)),
        "missing inputs beside sums and gates": (["Concatenation", "MissingValue"], _missing_beside(draw)),
        "offsets at the ends of their range": (["Offset", "Saturation"], _offsets_at_the_ends(draw)),
        "gates beside sums of gates beside inputs": (["Concatenation"], _beside_twice(draw)),
        "trees of gates behind trees, two pools": (["Image", "Outside", "WireOrder"], _trees_behind_trees(draw)),
        "damped trees of three wires, then sums": (["Clip", "EtaShare", "Image"], _damped_trees(draw)),
        "learnt wires behind learnt wires": (["Beta", "WireOrder"], _learnt_wires(draw)),
        "learnt wires of another rate beside inputs": (["Concatenation", "EtaShare"], _learnt_beside(draw)),
    }


def _brief(draw: Draw, layers: list[Any], x: list[str], n_classes: int, **options: Any) -> dict[str, Any]:
    """Spell out a short run; options are `steps`, `batch`, `eta`, `clip` and what else a network may have."""
    steps, size, eta, clip = (options.pop(name, usual) for name, usual in _USUAL.items())
    network = {"layers": layers, "loss_table": LOSS, "clip": hex64(clip), "x": x}
    return {
        "network": {**network, "y": draw.ints(len(x), 0, n_classes - 1), **options},
        "batches": [draw.ints(size, 0, len(x) - 1) for _ in range(steps)],
        "eta": [hex64(eta)] * steps,
        "checkpoints": [1, (steps + 1) // 2, steps],
    }


def _bits_of(n_units: int, tau: int = 0) -> dict[str, Any]:
    return threshold(n_units, tau, CURVE)


def _deep_convolution(draw: Draw) -> dict[str, Any]:
    first = make_window([7, 9, 1], 3, stride=[2, 1], padding=[1, 2])  # 4 x 11 places
    second = make_window([4, 11, 3], [2, 2])  # 3 x 10 places
    layers = [
        conv(draw, XOR, 3, first, -1, True),
        _bits_of(132),
        conv(draw, NAND, 3, second, 0, True),
        max_pool(3, 10, 3),
        _bits_of(15, -6),
        linear(draw, XNOR, 15, 3, True, True),
    ]
    return _brief(draw, layers, draw.rows(16, 63), 3, eta=200.0, clip=inf)


def _missing_pixels(draw: Draw) -> dict[str, Any]:
    first = make_window([9, 7, 2], 2, padding=[1, 0], dilation=[1, 2])  # 10 x 5 places
    second = make_window([3, 1, 2], [3, 1], padding=[1, 0])  # 3 x 1 places
    layers = [
        conv(draw, NAND, 2, first, -1, False),
        max_pool(10, 5, 2, 3),
        _bits_of(6, 3),
        conv(draw, OR, 3, second, -1, True),
        _bits_of(9, 2),
        linear(draw, XOR, 9, 2, True, False),
    ]
    return _brief(draw, layers, draw.rows(12, 126, "01u"), 2)


def _centered_first(draw: Draw) -> dict[str, Any]:
    layers = [
        linear(draw, XNOR, 20, 70, True, True),
        _bits_of(70),
        linear(draw, XOR, 70, 3, False, True),
    ]
    return _brief(draw, layers, draw.rows(20, 20), 3)


def _other_gates(draw: Draw) -> dict[str, Any]:
    layers = [
        linear(draw, 2, 127, 130, False, False),
        _bits_of(130, -60),
        linear(draw, 11, 130, 63, True, True),
        _bits_of(63, 60),
        linear(draw, AND, 63, 127, False, False),
        _bits_of(127, -30),
        linear(draw, NAND, 127, 2, True, True),
    ]
    return _brief(draw, layers, draw.rows(8, 127, "0101u"), 2, steps=6, eta=400.0, clip=3.0)


def _six_wires(draw: Draw) -> dict[str, Any]:
    layers = [
        gates(draw, 24, 135, 2),
        gates(draw, 135, 8, 6),
        gates(draw, 8, 6, 5),
        {"type": "group_sum", "n_groups": 2},
    ]
    return _brief(draw, layers, draw.rows(65, 24), 2, steps=4, batch=65, clip=inf)


def _restless(draw: Draw) -> dict[str, Any]:
    """Seven of eight entries flip; the eighth then has eight bars against it, and beta decides."""
    tables = ["00", "01", "11", "11"]
    layers = [{"type": "gate", "wires": [[0]] * 4, "tables": tables}, {"type": "group_sum", "n_groups": 4}]
    run = _brief(
        draw, layers, ["0", "1", "0"], 4, steps=2, clip=inf, y=[0, 0, 1], loss_table=[2**20, 2**19, 2**18]
    )
    return run | {"batches": [[0, 1], [2]], "eta": [hex64(254.0), hex64(3.0)]}


def _branches(draw: Draw) -> dict[str, Any]:
    window = make_window([3, 4, 1], [3, 4], padding=[0, 1])  # 1 x 3 places
    deep = [linear(draw, OR, 12, 5, True, False), _bits_of(5, 6), linear(draw, XNOR, 5, 3, True, True)]
    layers = [
        {
            "type": "add",
            "branches": [[linear(draw, XOR, 9, 12, True, True)], [linear(draw, OR, 9, 12, False, False)]],
        },
        _bits_of(12),
        {"type": "add", "branches": [[conv(draw, XNOR, 1, window, 0, True)], deep]},
    ]
    return _brief(draw, layers, draw.rows(16, 9), 3, sample_weight=draw.ints(16, 0, 2**16))


def _weightless(draw: Draw) -> dict[str, Any]:
    layers = [linear(draw, XNOR, 9, 4, True, False), _bits_of(4), linear(draw, OR, 4, 2, True, True)]
    run = _brief(draw, layers, draw.rows(6, 9), 2, sample_weight=[0, 2**16, 2**15, 0, 1, 2**15 + 1])
    run["batches"][5], run["batches"][6], run["checkpoints"] = [0, 3, 3], [], [24, 1, 8, 1]
    return run


def _loud_bias(draw: Draw) -> dict[str, Any]:
    window = make_window([1, 2, 2], 1)
    layers = [
        conv(draw, XNOR, 3, window, 0, True),
        _bits_of(6),
        linear(draw, XNOR, 6, 2, True, True),
    ]
    return _brief(draw, layers, draw.rows(12, 4), 2, steps=8, batch=800, y=[0] * 12)


def _loud_threshold(draw: Draw) -> dict[str, Any]:
    layers = [
        linear(draw, XNOR, 9, 2, False, False),
        {**_bits_of(2), "table": [2**12, 2**11, 2**10]},
        {**linear(draw, XNOR, 2, 300, False, False), "weight": ["11"] * 300},
        _bits_of(300),
        {**linear(draw, XNOR, 300, 2, False, False), "weight": ["1" * 300, "0" * 300]},
    ]
    return _brief(draw, layers, draw.rows(6, 9), 2, steps=6)


def _six_places(draw: Draw) -> dict[str, Any]:
    """One weight, T, on which each sample casts 254 votes: to divide by 127 n sqrt(6) at once does not flip it."""
    window = make_window([2, 3, 1], 1)
    n, eta = next(found for n in count(1) if (found := _eta_at_the_bar(n)))
    layers = [{**conv(draw, XNOR, 1, window, 0, False), "weight": ["1"]}]
    run = _brief(draw, layers, ["100000"], 6, steps=1, batch=n, eta=eta, clip=inf)
    run["network"] |= {"y": [1], "loss_table": [2**20, 0]}
    return run


def _eta_at_the_bar(n: int) -> tuple[int, float] | None:
    """Find an eta that lets 254 n votes on six places reach 1, but not if the divisions are put together."""
    least = -(-(2**40) // (254 * n))  # units of eta that reach the bar
    if least >= 2**25:  # of larger ones the last bits do not count
        return None
    for eta in around((least - 0.5) / 2**40 * 127 * n * sqrt(6)):
        right, wrong = (round(2**40 * share) for share in (eta / (127 * n) / sqrt(6), eta / (127 * n * sqrt(6))))
        if right >= least > wrong:
            return n, eta
    return None


def _many_classes(draw: Draw) -> dict[str, Any]:
    layers = [linear(draw, XNOR, 1, 2049, True, False)]
    return _brief(draw, layers, ["1", "0"], 2049, steps=2, eta=400.0, clip=9.0)


def _offsets(draw: Draw) -> dict[str, Any]:
    layers = [
        with_offsets(linear(draw, XNOR, 20, 70, True, False), draw.ints(70, -5, 5), 0.5),
        _bits_of(70),
        with_offsets(linear(draw, XOR, 70, 9, False, True), draw.ints(9, -9, 9), 0.1),
        _bits_of(9),
        with_offsets(linear(draw, OR, 9, 3, True, True), [0] * 3, 1.0),
    ]
    run = _brief(draw, layers, draw.rows(20, 20), 3)
    run["batches"][5] = []
    return run


def _offsets_in_branches(draw: Draw) -> dict[str, Any]:
    deep = [
        with_offsets(linear(draw, AND, 9, 5, False, False), draw.ints(5, -3, 3), 0.3),
        _bits_of(5, -2),
        with_offsets(linear(draw, XNOR, 5, 3, True, True), draw.ints(3, -2, 2), 0.2),
    ]
    plain = {**linear(draw, XOR, 9, 3, True, True), "offset": None}
    layers = [{"type": "add", "branches": [deep, [plain]]}]
    return _brief(draw, layers, draw.rows(16, 9), 3, sample_weight=draw.ints(16, 0, 2**16))


def _front(draw: Draw) -> dict[str, Any]:
    """Votes on tables are loud: the clip would halt them, and is not for them."""
    front = concatenate({**gates(draw, 14, 70, 2), "is_clipped": False}, signal_scale(40))
    layers = [
        front,
        with_offsets(linear(draw, XNOR, 84, 40, False, False), draw.ints(40, -9, 9), 0.1),
        _bits_of(40),
        concatenate({**gates(draw, 40, 9, 3), "is_clipped": True}, gates(draw, 9, 5, 1), signal_scale(3)),
        with_offsets(linear(draw, XNOR, 45, 3, False, False), [0] * 3, 0.1),
    ]
    return _brief(draw, layers, draw.rows(24, 14), 3, eta=900.0)


def _missing_beside(draw: Draw) -> dict[str, Any]:
    inner = [
        linear(draw, NAND, 11, 6, True, False),
        _bits_of(6, 2),
        concatenate(gates(draw, 6, 4, 2), signal_scale(8)),
        {**gates(draw, 10, 7, 2), "is_clipped": False},
        signal_scale(5),
    ]
    layers = [
        concatenate(*inner),
        linear(draw, XNOR, 18, 5, True, False),
        _bits_of(5),
        gates(draw, 5, 6, 2),
        signal_scale(9),
        concatenate(gates(draw, 6, 3, 2), signal_scale(2)),
        linear(draw, XOR, 9, 2, False, True),
    ]
    return _brief(draw, layers, draw.rows(16, 11, "01u"), 2, eta=300.0)


def _offsets_at_the_ends(draw: Draw) -> dict[str, Any]:
    layers = [
        with_offsets(linear(draw, XNOR, 2, 4, False, False), [2, -2, 1, 0], 1.0),
        _bits_of(4),
        with_offsets(linear(draw, AND, 4, 2, False, False), [4, -4], 1.0),
    ]
    return _brief(draw, layers, draw.rows(6, 2), 2, eta=4000.0, y=[0] * 6)


def _beside_twice(draw: Draw) -> dict[str, Any]:
    layers = [
        concatenate(gates(draw, 9, 7, 2), signal_scale(5), linear(draw, OR, 7, 5, True, False), _bits_of(5)),
        concatenate(gates(draw, 14, 4, 3), signal_scale(6)),
        linear(draw, XNOR, 18, 6, False, False),
        _bits_of(6),
        linear(draw, XNOR, 6, 2, False, True),
    ]
    return _brief(draw, layers, draw.rows(16, 9), 2, eta=300.0)


def _trees_behind_trees(draw: Draw) -> dict[str, Any]:
    first = make_window([6, 7, 1], 3, stride=[1, 2], padding=[1, 0])  # 6 x 3 places
    second = make_window([3, 1, 4], [2, 1], padding=[1, 0])  # 4 x 1 places
    layers = [
        gate_conv(draw, first, 4, 2, 2, 1),
        or_pool(6, 3, 4),
        gate_conv(draw, second, 3, 3, 1, 1),
        or_pool(4, 1, 3, 1),
        gates(draw, 12, 8, 2),
        {"type": "group_sum", "n_groups": 2},
    ]
    return _brief(draw, layers, draw.rows(16, 42), 2, steps=12, eta=900.0, clip=inf)


def _damped_trees(draw: Draw) -> dict[str, Any]:
    """Votes on tables are loud: the clip would halt them, and is not for them."""
    window = make_window([5, 5, 1], 2)  # 4 x 4 places
    layers = [
        gate_conv(draw, window, 3, 3, 2, 3),
        or_pool(4, 4, 3),
        linear(draw, XNOR, 12, 2, False, True),
    ]
    return _brief(draw, layers, draw.rows(16, 25), 2, eta=2000.0)


def _learnt_wires(draw: Draw) -> dict[str, Any]:
    first = learnt(draw, gates(draw, 9, 12, 2), 9, 5)
    second = learnt(draw, gates(draw, 12, 6, 3), 12, 3)
    layers = [first, second, {"type": "group_sum", "n_groups": 2}]
    return _brief(draw, layers, draw.rows(16, 9), 2, eta=900.0)


def _learnt_beside(draw: Draw) -> dict[str, Any]:
    """Give wires whose step size is multiplied by their rate after it is shared, and that no clip holds for."""
    front = learnt(draw, gates(draw, 7, 6, 2), 7, 64, 0.3)
    layers = [concatenate(front, signal_scale(2)), linear(draw, XNOR, 13, 2, False, True)]
    return _brief(draw, layers, draw.rows(16, 7), 2, eta=2000.0)
