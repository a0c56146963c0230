"""Arguments of level 6: networks of every kind of layer, for a few steps."""

from __future__ import annotations

from math import inf
from typing import Any, NamedTuple

from hypothesis import strategies as st

from bvar.testing.make.cases.layers import concatenate, or_pool, signal_scale, threshold, with_offsets
from bvar.testing.make.strategies.images import n_values, tree_tables, windows
from bvar.testing.make.strategies.values import LEARNING_GATES, MANY, SMALL, Draw, M, Strategy, ints, matrix, rows
from bvar.testing.make.strategies.votes import candidates_of
from bvar.testing.oracle.formats import hex64, places_of

__all__ = ["TRAINING"]

CURVE = [2**20, 2**20, 2**19, 2**19, 2**18, 2**18, 2**16, 2**16, 0]
LOSS_TABLES = st.sampled_from([[2**20, 2**19, 2**18, 2**10, 0], [2**20, 2**20 - 2**17, 2**19, 2**18]])
WEIGHTS = st.sampled_from([0, 1, 2**15, 2**16]) | st.integers(0, 2**16)


class _Body(NamedTuple):
    """Layers from the inputs to the scores."""

    n_inputs: int
    n_outputs: int
    alphabet: str
    layers: list[Any]


@st.composite
def _train(draw: Draw) -> dict[str, Any]:
    kinds = [_units, _units, _images, _images, _images, _gates, _trees]
    body = draw(st.sampled_from(kinds).flatmap(lambda kind: kind()))
    n_samples, steps = draw(st.integers(1, 4)), draw(st.integers(2, 5))
    network = {
        "layers": body.layers,
        "loss_table": draw(LOSS_TABLES),
        "clip": hex64(draw(st.sampled_from([inf, inf, 3.0, 1.0]))),
        "x": draw(rows(n_samples, body.n_inputs, body.alphabet)),
        "y": draw(ints(n_samples, st.integers(0, body.n_outputs - 1))),
    }
    if draw(st.integers(0, 3)) == 0:
        network["sample_weight"] = draw(ints(n_samples, WEIGHTS))
    batches = [draw(st.lists(st.integers(0, n_samples - 1), min_size=1, max_size=4)) for _ in range(steps)]
    if draw(st.integers(0, 7)) == 7:
        batches[-1] = []
    if draw(st.integers(0, 7)) == 0:
        batches[0] = (batches[0] * 65)[:65]
    eta = hex64(draw(st.sampled_from([400.0, 40.0, 4.0])))
    return {"network": network, "batches": batches, "eta": [eta] * steps, "checkpoints": [1, steps]}


def _bias(draw: Draw, n: int) -> str | None:
    return draw(st.none() | rows(1, n).map(lambda one: one[0]))


def _linear(draw: Draw, n_in: int, n_out: int, may_center: bool = True) -> dict[str, Any]:
    layer = {
        "type": "linear",
        "gate": draw(LEARNING_GATES),
        "weight": draw(rows(n_out, n_in)),
        "bias": _bias(draw, n_out),
        "centered": may_center and draw(st.booleans()),
    }
    if draw(st.booleans()):
        return layer
    few = draw(ints(min(n_out, 5), st.integers(-min(n_in, 3), min(n_in, 3))))
    return with_offsets(layer, [few[i % len(few)] for i in range(n_out)], draw(st.sampled_from([0.1, 1.0])))


def _threshold(draw: Draw, n: int) -> dict[str, Any]:
    few = draw(ints(min(n, 5), st.integers(-2, 2)))
    return threshold(n, 0, CURVE) | {"tau": [few[i % len(few)] for i in range(n)]}


def _sums(draw: Draw, n_in: int, n_out: int, may_center: bool = True) -> dict[str, Any]:
    """Give a linear layer, or two branches: a linear layer, and one behind a hidden layer or not."""
    shape = draw(st.sampled_from(["plain", "plain", "branches", "deep"]))
    if shape == "plain":
        return _linear(draw, n_in, n_out, may_center)
    branches = [[_linear(draw, n_in, n_out, may_center)] for _ in range(2)]
    if shape == "deep":
        branches[1] = [_linear(draw, n_in, 3, may_center), _threshold(draw, 3), _linear(draw, 3, n_out)]
    return {"type": "add", "branches": branches}


def _gate_layer(draw: Draw, n_units: int, n_gates: int, fan_in: int) -> dict[str, Any]:
    wires = draw(matrix(n_gates, fan_in, st.integers(0, n_units - 1)))
    layer = {"type": "gate", "wires": wires, "tables": draw(rows(n_gates, 1 << fan_in))}
    if draw(st.booleans()):
        rate = hex64(draw(st.sampled_from([1.0, 0.3])))
        layer |= {"candidates": draw(candidates_of(n_units, wires)), "wire_rate": rate}
    return layer | draw(st.sampled_from([{}, {"is_clipped": False}]))


def _front(draw: Draw, n_in: int) -> dict[str, Any]:
    """Give gates, or gates behind gates, with what they see beside them."""
    inner, below = [], n_in
    for n_gates in draw(st.lists(SMALL, min_size=1, max_size=2)):
        inner.append(_gate_layer(draw, below, n_gates, draw(st.integers(1, 3))))
        below = n_gates
    return concatenate(*inner, signal_scale(draw(SMALL)))


@st.composite
def _units(draw: Draw) -> _Body:
    """Draw a perceptron; its first layer is centred only if no input is missing."""
    alphabet, n_in = draw(st.sampled_from(["01", "01", M])), draw(SMALL | st.just(65))
    n_out = draw(st.integers(2, 3))
    layers: list[Any] = []
    below, may_center = n_in, alphabet != M
    if draw(st.integers(0, 2)) == 0:
        front = _front(draw, n_in)
        layers.append(front)
        below += len(front["layers"][-2]["wires"])
    for width in draw(st.lists(SMALL | MANY, max_size=2)):
        layers += [_sums(draw, below, width, may_center), _threshold(draw, width)]
        below, may_center = width, True
    layers.append(_sums(draw, below, n_out, may_center))
    return _Body(n_in, n_out, alphabet, layers)


def _conv(draw: Draw, window: dict[str, Any]) -> dict[str, Any]:
    n_filters = draw(st.integers(1, 3))
    return {
        "type": "conv",
        "gate": draw(LEARNING_GATES),
        "weight": draw(rows(n_filters, n_values(window)[1])),
        "bias": _bias(draw, n_filters),
        "window": window,
        "padding_value": draw(st.sampled_from([0, -1])),
    }


def _pooled(draw: Draw, shape: list[int]) -> tuple[list[Any], list[int]]:
    """Give a pool, or none, and the shape behind it."""
    if min(shape[:2]) < 2 or draw(st.integers(0, 3)) == 0:
        return [], shape
    return [{"type": "max_pool", "image_shape": shape, "size": 2}], [shape[0] // 2, shape[1] // 2, shape[2]]


def _second_window(draw: Draw, shape: list[int]) -> dict[str, Any]:
    size = [draw(st.integers(1, min(side, 2))) for side in shape[:2]]
    padding = [draw(st.integers(0, taps - 1)) for taps in size]
    return {"image_shape": shape, "size": size, "stride": [1, 1], "padding": padding, "dilation": [1, 1]}


@st.composite
def _images(draw: Draw) -> _Body:
    """Draw one convolution or two, each with a pool or not, and a linear layer on top."""
    window, n_out = draw(windows(spare=4)), draw(st.integers(2, 3))
    n_in, layers = n_values(window)[0], []
    for _ in range(draw(st.integers(1, 2))):
        conv = _conv(draw, window)
        pool, shape = _pooled(draw, [*places_of(window), len(conv["weight"])])
        width = shape[0] * shape[1] * shape[2]
        layers += [conv, *pool, _threshold(draw, width)]
        window = _second_window(draw, shape)
    return _Body(n_in, n_out, draw(st.sampled_from(["01", M])), [*layers, _sums(draw, width, n_out)])


@st.composite
def _gates(draw: Draw) -> _Body:
    """Draw one layer of gates or two, and groups."""
    n_in, n_out = draw(SMALL | st.just(65)), draw(st.integers(2, 3))
    below, layers = n_in, []
    for n_gates in [*draw(st.lists(SMALL | MANY, max_size=1)), n_out * draw(st.integers(1, 3))]:
        fan_in = draw(st.integers(1, 6)) if n_gates < 9 else 1
        layers.append(_gate_layer(draw, below, n_gates, fan_in))
        below = n_gates
    return _Body(n_in, n_out, "01", [*layers, {"type": "group_sum", "n_groups": n_out}])


@st.composite
def _trees(draw: Draw) -> _Body:
    """Draw trees of gates over images, once or twice, each with an or-pool or not, and groups or sums on top."""
    window, n_out = draw(windows(spare=4, most_gap=1)), draw(st.integers(2, 3))
    n_in, layers = n_values(window)[0], []
    for _ in range(draw(st.integers(1, 2))):
        made = draw(tree_tables(window))
        layers.append({"type": "gate_conv", "window": window, "damping": draw(st.sampled_from([1, 1, 3])), **made})
        shape = [*places_of(window), len(made["tables"][-1])]
        if min(shape[:2]) > 1 and draw(st.booleans()):
            layers.append(or_pool(*shape))
            shape = [shape[0] // 2, shape[1] // 2, shape[2]]
        window = _second_window(draw, shape)
    width = shape[0] * shape[1] * shape[2]
    if draw(st.booleans()):
        return _Body(n_in, n_out, "01", [*layers, _sums(draw, width, n_out)])
    n_gates = n_out * draw(st.integers(1, 3))
    top = [_gate_layer(draw, width, n_gates, 2), {"type": "group_sum", "n_groups": n_out}]
    return _Body(n_in, n_out, "01", [*layers, *top])


TRAINING: dict[str, Strategy] = {"train": _train()}
