"""Cases of level 6: small networks of each kind, with data, initial bits and orders of samples spelled out."""

from __future__ import annotations

from math import inf
from typing import Any

from bvar.testing.make.cases.layers import linear, threshold
from bvar.testing.make.cases.short_runs import short_runs
from bvar.testing.make.draw import OR, XNOR, XOR, Case, Cases, Draw
from bvar.testing.oracle.formats import hex64
from bvar.testing.subjects.oracle import Oracle

__all__ = ["train"]

CHECKPOINTS = [1, 10, 100, 300]


def train(draw: Draw) -> Cases:
    """Give cases."""
    for runs in (_long_runs, short_runs):
        for name, (flags, inputs) in runs(draw).items():
            yield Case(name, ["Trajectory", *flags], inputs)


def _long_runs(draw: Draw) -> dict[str, tuple[list[str], dict[str, Any]]]:
    """Give flags and arguments of `train` for each network by name."""
    return {
        "multilayer perceptron, with bias, 70-33-3": ([], _perceptron(draw, XNOR, [70, 33, 3], bias=True)),
        "missing values and a batch of nobody, xor, 40-20-3": (
            ["MissingValue", "EmptyBatch"],
            _with_nobody(_perceptron(draw, XOR, [40, 20, 3], alphabet="0101u")),
        ),
        "gates of three wires and of two, 24-40-32-4": (["WireOrder"], _gates(draw)),
        "convolution with a border, pool, linear": (["Image", "Outside"], _convolution(draw)),
        "or, 30-16-2, nothing centred": (["Gate"], _perceptron(draw, OR, [30, 16, 2], centered=False)),
    }


def _run(
    draw: Draw, layers: list[Any], table: list[int], x: list[str], n_classes: int, clip: float
) -> dict[str, Any]:
    """Spell out a run: 300 batches of twelve samples, and an eta that falls to 0."""
    y = [sum(c == "1" for c in row[:9]) % n_classes for row in x]  # a rule that takes a while to learn
    steps = CHECKPOINTS[-1]
    network = {"layers": layers, "loss_table": table, "clip": hex64(clip), "x": x, "y": y}
    return {
        "network": network,
        "batches": [draw.ints(12, 0, len(x) - 1) for _ in range(steps)],
        "eta": [hex64(10 * (1 - t / steps)) for t in range(steps)],
        "checkpoints": CHECKPOINTS,
    }


def _surrogate(n_units: int, tau: int, fan_in: int, fan_out: int, gate: int) -> dict[str, Any]:
    return threshold(n_units, tau, Oracle().threshold_table(fan_in, fan_out, gate, gate))


def _perceptron(
    draw: Draw, gate: int, sizes: list[int], *, bias: bool = False, centered: bool = True, alphabet: str = "01"
) -> dict[str, Any]:
    n_in, n_hidden, n_out = sizes
    tau = n_in // 2 if gate == OR else 0
    layers = [
        linear(draw, gate, n_in, n_hidden, bias, False),
        _surrogate(n_hidden, tau, n_in, n_out, gate),
        linear(draw, gate, n_hidden, n_out, bias, centered),
    ]
    return _run(draw, layers, Oracle().loss_table(n_hidden, hex64(1.0)), draw.rows(48, n_in, alphabet), n_out, 1.0)


def _with_nobody(run: dict[str, Any]) -> dict[str, Any]:
    run["batches"][4] = []
    return run


def _gates(draw: Draw) -> dict[str, Any]:
    layers: list[Any] = [
        {
            "type": "gate",
            "wires": draw.matrix(n_gates, fan_in, 0, n_units - 1),
            "tables": draw.rows(n_gates, 1 << fan_in),
        }
        for n_units, n_gates, fan_in in ((24, 40, 3), (40, 32, 2))
    ]
    layers.append({"type": "group_sum", "n_groups": 4})
    return _run(draw, layers, Oracle().loss_table(8, hex64(0.5)), draw.rows(48, 24), 4, inf)


def _convolution(draw: Draw) -> dict[str, Any]:
    shape, n_filters = [6, 6, 2], 4
    window = {"image_shape": shape, "size": [3, 3], "stride": [1, 1], "padding": [1, 1], "dilation": [1, 1]}
    conv = {"type": "conv", "gate": XNOR, "weight": draw.rows(n_filters, 18), "bias": draw.row(n_filters)}
    layers = [
        {**conv, "window": window, "padding_value": 0},
        {"type": "max_pool", "image_shape": [6, 6, n_filters], "size": 2},
        _surrogate(9 * n_filters, 4, 18, 3, XNOR),
        linear(draw, XNOR, 9 * n_filters, 3, False, True),
    ]
    return _run(draw, layers, Oracle().loss_table(36, hex64(2.0)), draw.rows(36, 72), 3, 1.0)
