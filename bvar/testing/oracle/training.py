"""The oracle trains: whole networks in plain Python, one bit at a time, for vectors of level 6.

A network is a list of layers as ``docs/reference/conformance.md`` describes them.  One step sends the samples
forward, the signals of the loss back, collects votes on every weight, and only then flips.
"""

# Over 400 lines, because every kind of layer stands beside the step that all of them share.

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from math import inf, sqrt
from typing import Any, NamedTuple

from bvar.testing.oracle import definitions as oracle
from bvar.testing.oracle import trees
from bvar.testing.oracle.formats import (
    bits_of,
    cut,
    float64_of,
    image_of,
    logic_of,
    places_of,
    window_of,
)

__all__ = ["Optimizer", "fingerprint", "train"]

Layer = dict[str, Any]

FULL_WEIGHT = 2**16
"""The `sample_weight` of a sample that counts as one."""


class Optimizer:
    """Accumulators, plasticity and age in steps of one tensor of weights."""

    def __init__(self, n_rows: int, n_columns: int, clip: float, unit: float = 1.0) -> None:
        self.m = [[0] * n_columns for _ in range(n_rows)]
        self.beta, self.age, self.clip, self.unit = 2**15, 0, clip, unit

    def step(self, w: oracle.Matrix, q: oracle.Matrix, eta: float, n_samples: float) -> tuple[oracle.Matrix, int]:
        """Give the new weights and the number of flips; nothing moves if nobody voted."""
        if n_samples == 0:
            return w, 0
        share = eta / (127 * n_samples) / self.unit
        rows = oracle.clipped_eta(q, share, self.clip)
        w, self.m, flips = oracle.flip(w, self.m, q, self.beta, rows, 20251 * self.age % 2**15)
        n_weights = sum(map(len, w))
        self.beta = (2**15 * (n_weights - flips) + n_weights // 2) // n_weights
        self.age += 1
        return w, flips


class _Mover:
    """Accumulators of the offsets of a layer; there is no plasticity, and no clip but that of each vote."""

    def __init__(self, n_offsets: int, rate: float, n_terms: int) -> None:
        self.m, self.rate, self.n_terms = [0] * n_offsets, rate, n_terms

    def step(self, o: oracle.Row, q: oracle.Row, eta: float, n_samples: float) -> tuple[oracle.Row, int]:
        """Give the new offsets, and how many moved."""
        o, self.m, moved = oracle.move_offsets(o, self.m, q, eta / (127 * n_samples), self.rate, self.n_terms)
        return o, moved


class _Chosen(NamedTuple):
    """Numbers of the candidates that wires read, and how many each wire has."""

    numbers: oracle.Row
    n_candidates: int


class _Chooser:
    """Accumulators of the candidates of wires, and plasticity, of which each candidate is an element."""

    def __init__(self, chosen: _Chosen, rate: float) -> None:
        self.m = [[0] * chosen.n_candidates for _ in chosen.numbers]
        self.beta, self.age, self.rate = 2**15, 0, rate

    def step(self, chosen: _Chosen, q: oracle.Matrix, eta: float, n_samples: float) -> tuple[_Chosen, int]:
        """Give what wires read now, and how many moved."""
        units = oracle.eta_units(eta / (127 * n_samples) * self.rate)
        numbers, self.m, moved = oracle.move_wires(
            chosen.numbers, self.m, q, self.beta, units, 20251 * self.age % 2**15
        )
        n = len(numbers) * chosen.n_candidates
        self.beta = (2**15 * (n - moved) + n // 2) // n
        self.age += 1
        return chosen._replace(numbers=numbers), moved


def fingerprint(tensors: list[Any]) -> str:
    """SHA-256 over all tensors, all numbers little-endian.

    Of bits: shape as two 64-bit numbers, then the packed words. Of offsets: their number as a 64-bit number, then
    each as a 32-bit integer. Of wires: their number and that of candidates, then a byte for each.
    """
    digest = hashlib.sha256()
    for tensor in tensors:
        if isinstance(tensor, _Chosen):
            digest.update(struct.pack("<2Q", len(tensor.numbers), tensor.n_candidates) + bytes(tensor.numbers))
            continue
        if isinstance(tensor[0], int):
            digest.update(struct.pack(f"<Q{len(tensor)}i", len(tensor), *tensor))
            continue
        digest.update(struct.pack("<2Q", len(tensor), len(tensor[0])))
        for row in oracle.pack(tensor, len(tensor[0])):
            digest.update(struct.pack(f"<{len(row)}Q", *row))
    return digest.hexdigest()


# --------------------------------------------------------------------------- layers: forward, backward, votes
# Between layers stand rows of values of M (-1, 0, +1), or of sums where a threshold or the loss follows.


def _signs(bits: oracle.Matrix) -> oracle.Matrix:
    return [[2 * b - 1 for b in row] for row in bits]


def _bias(tensors: list[oracle.Matrix]) -> list[int]:
    """Give what the bias adds to each sum: its weights are the second tensor, if there is one."""
    return _signs(tensors[1])[0] if len(tensors) == 2 else [0] * len(tensors[0])


def _optimizers(layer: Any, clip: float) -> list[Any]:
    """Make an optimizer for each tensor of bits."""
    return [Optimizer(len(bits), len(bits[0]), clip, sqrt(layer.n_places)) for bits in layer.tensors]


class _Linear:
    """Sums; the tensors are the weight, perhaps a bias, and perhaps offsets, which are a row of integers."""

    def __init__(self, layer: Layer) -> None:
        self.gate, self.centered = layer["gate"], layer["centered"]
        self.tensors: list[Any] = [bits_of(layer["weight"])]
        if layer["bias"] is not None:
            self.tensors.append(bits_of([layer["bias"]]))
        self.n_bits = len(self.tensors)
        if layer.get("offset") is not None:
            self.tensors.append(layer["offset"])
            self.offset_rate = float64_of(layer["offset_rate"])
        self.n_places = 1

    def optimizers(self, clip: float) -> list[Any]:
        rows = self.tensors[0]
        bits = [Optimizer(len(t), len(t[0]), clip) for t in self.tensors[: self.n_bits]]
        return bits + [_Mover(len(o), self.offset_rate, len(rows[0])) for o in self.tensors[self.n_bits :]]

    def forward(self, x: oracle.Matrix) -> oracle.Matrix:
        self.x = x
        sums = oracle.gate_sum(self.gate, x, _signs(self.tensors[0]))
        for shift in (_bias(self.tensors[: self.n_bits]), *self.tensors[self.n_bits :]):
            sums = [[s + b for s, b in zip(row, shift, strict=True)] for row in sums]
        return sums

    def backward(self, z: oracle.Matrix) -> oracle.Matrix:
        return oracle.input_votes(self.gate, z, _signs(self.tensors[0]))

    def votes(self, z: oracle.Matrix) -> list[Any]:
        q, totals = oracle.weight_votes(self.gate, z, self.x), [sum(column) for column in zip(*z, strict=True)]
        if self.centered:
            changes = [[oracle.gate_variation_w(self.gate, v) for v in row] for row in self.x]
            q = oracle.center_votes(q, totals, [sum(column) for column in zip(*changes, strict=True)], len(z))
        of_offsets = [totals] * (len(self.tensors) - self.n_bits)
        return [q, [totals]][: self.n_bits] + of_offsets


class _Conv:
    def __init__(self, layer: Layer) -> None:
        self.gate, self.outside = layer["gate"], layer["padding_value"]
        self.shape, self.window = layer["window"]["image_shape"], window_of(layer["window"])
        self.places = places_of(layer["window"])
        self.n_places = self.places[0] * self.places[1]
        self.tensors = [bits_of(layer["weight"])]
        if layer["bias"] is not None:
            self.tensors.append(bits_of([layer["bias"]]))

    def optimizers(self, clip: float) -> list[Any]:
        return _optimizers(self, clip)

    def _weights(self) -> list[oracle.Matrix]:
        return [cut(row, self.shape[2]) for row in _signs(self.tensors[0])]

    def _by_place(self, z: oracle.Matrix) -> list[oracle.Matrix]:
        return [cut(row, len(self.tensors[0])) for row in z]

    def forward(self, x: oracle.Matrix) -> oracle.Matrix:
        self.images, weights = [image_of(row, self.shape) for row in x], self._weights()
        bias = _bias(self.tensors)
        outside = [self.outside] * self.shape[2]
        made = [
            oracle.conv_sum(self.gate, image, weights, self.places, outside, **self.window)
            for image in self.images
        ]
        return [[s + b for row in m for at in row for s, b in zip(at, bias, strict=True)] for m in made]

    def backward(self, z: oracle.Matrix) -> oracle.Matrix:
        votes = oracle.pixel_votes(
            self.gate, self._by_place(z), self._weights(), self.shape, self.places, **self.window
        )
        return [[v for row in image for pixel in row for v in pixel] for image in votes]

    def votes(self, z: oracle.Matrix) -> list[oracle.Matrix]:
        by_place, outside = self._by_place(z), [self.outside] * self.shape[2]
        q = oracle.conv_weight_votes(
            self.gate, by_place, self.images, self.shape, self.places, outside, **self.window
        )
        totals = [sum(at[o] for zb in by_place for at in zb) for o in range(len(q))]
        return [[[v for tap in filter_ for v in tap] for filter_ in q], [totals]][: len(self.tensors)]


class _MaxPool:
    tensors: tuple[()] = ()

    def __init__(self, layer: Layer) -> None:
        self.shape, self.size = layer["image_shape"], layer["size"]

    def forward(self, x: oracle.Matrix) -> oracle.Matrix:
        found = [oracle.max_pool(image_of(row, self.shape), self.size) for row in x]
        self.winners = [winner for _, winner in found]
        return [best for best, _ in found]

    def backward(self, z: oracle.Matrix) -> oracle.Matrix:
        pairs = zip(z, self.winners, strict=True)
        return [oracle.pool_back(row, winner, self.shape, self.size) for row, winner in pairs]

    def votes(self, z: oracle.Matrix) -> list[oracle.Matrix]:
        return []


class _Threshold:
    tensors: tuple[()] = ()

    def __init__(self, layer: Layer) -> None:
        self.tau, self.table, self.shift = layer["tau"], layer["table"], layer["shift"]

    def forward(self, x: oracle.Matrix) -> oracle.Matrix:
        self.s = x
        return [[1 if s >= t else -1 for s, t in zip(row, self.tau, strict=True)] for row in x]

    def backward(self, z: oracle.Matrix) -> oracle.Matrix:
        return oracle.rescale(z, self.s, self.tau, self.table, self.shift)

    def votes(self, z: oracle.Matrix) -> list[oracle.Matrix]:
        return []


class _Gates:
    """Gates; the tensors are the tables, and what wires read of their candidates, where they have some."""

    def __init__(self, layer: Layer) -> None:
        self.given = layer["wires"]
        self.tensors: list[Any] = [bits_of(layer["tables"])]
        self.is_clipped = layer.get("is_clipped", True)
        self.candidates = layer.get("candidates")
        if self.candidates is not None:  # the first is read in the beginning
            self.tensors.append(_Chosen([0] * sum(map(len, self.given)), len(self.candidates[0][0])))
            self.wire_rate = float64_of(layer["wire_rate"])

    @property
    def wires(self) -> oracle.Matrix:
        if self.candidates is None:
            return self.given
        numbers = iter(self.tensors[1].numbers)
        return [[units[next(numbers)] for units in gate] for gate in self.candidates]

    def optimizers(self, clip: float) -> list[Any]:
        tables, *chosen = self.tensors
        of_tables = Optimizer(len(tables), len(tables[0]), clip if self.is_clipped else inf)
        return [of_tables, *(_Chooser(numbers, self.wire_rate) for numbers in chosen)]

    def forward(self, x: oracle.Matrix) -> oracle.Matrix:
        self.x = [[(v + 1) // 2 for v in row] for row in x]
        return _signs(oracle.table_values(self.x, self.wires, self.tensors[0]))

    def backward(self, z: oracle.Matrix) -> oracle.Matrix:
        return oracle.wire_votes(z, self.x, self.wires, self.tensors[0])

    def votes(self, z: oracle.Matrix) -> list[oracle.Matrix]:
        q = [oracle.table_votes(z, self.x, self.wires, self.tensors[0])]
        if self.candidates is not None:
            q.append(oracle.candidate_votes(z, self.x, self.wires, self.tensors[0], self.candidates))
        return q


class _GateConv:
    """Trees over images; the tensors are the tables of each level, from the leaves to the root."""

    def __init__(self, layer: Layer) -> None:
        self.shape, self.wires, self.damping = layer["window"]["image_shape"], layer["wires"], layer["damping"]
        self.window = {"places": places_of(layer["window"]), **window_of(layer["window"])}
        self.tensors = [bits_of(rows) for rows in layer["tables"]]

    def optimizers(self, clip: float) -> list[Any]:
        return [Optimizer(len(t), len(t[0]), inf, 64 * self.damping) for t in self.tensors]

    def forward(self, x: oracle.Matrix) -> oracle.Matrix:
        self.images = [image_of([(v + 1) // 2 for v in row], self.shape) for row in x]
        return _signs([trees.tree_values(image, self.wires, self.tensors, **self.window) for image in self.images])

    def backward(self, z: oracle.Matrix) -> oracle.Matrix:
        pairs = zip(z, self.images, strict=True)
        return [trees.pixel_votes(row, image, self.wires, self.tensors, **self.window) for row, image in pairs]

    def votes(self, z: oracle.Matrix) -> list[oracle.Matrix]:
        pairs = zip(z, self.images, strict=True)
        votes = [trees.table_votes(row, image, self.wires, self.tensors, **self.window) for row, image in pairs]
        return [_total(list(level)) for level in zip(*votes, strict=True)]


class _OrPool:
    tensors: tuple[()] = ()

    def __init__(self, layer: Layer) -> None:
        self.shape, self.size = layer["image_shape"], layer["size"]

    def forward(self, x: oracle.Matrix) -> oracle.Matrix:
        self.images = [image_of([(v + 1) // 2 for v in row], self.shape) for row in x]
        return _signs([trees.or_pool(image, self.size) for image in self.images])

    def backward(self, z: oracle.Matrix) -> oracle.Matrix:
        return [trees.or_back(row, image, self.size) for row, image in zip(z, self.images, strict=True)]

    def votes(self, z: oracle.Matrix) -> list[oracle.Matrix]:
        return []


class _GroupSum:
    tensors: tuple[()] = ()

    def __init__(self, layer: Layer) -> None:
        self.n_groups = layer["n_groups"]

    def forward(self, x: oracle.Matrix) -> oracle.Matrix:
        self.size = len(x[0]) // self.n_groups
        return oracle.group_sum([[(v + 1) // 2 for v in row] for row in x], self.n_groups)

    def backward(self, z: oracle.Matrix) -> oracle.Matrix:
        return [[signal for signal in row for _ in range(self.size)] for row in z]

    def votes(self, z: oracle.Matrix) -> list[oracle.Matrix]:
        return []


class _Add:
    """Branches that see the same bits: their sums add up, and a signal on the total is a signal on each."""

    def __init__(self, layer: Layer) -> None:
        self.branches = [_made(branch) for branch in layer["branches"]]

    def forward(self, x: oracle.Matrix) -> oracle.Matrix:
        return _total([_climb(branch, x) for branch in self.branches])

    def backward(self, z: oracle.Matrix) -> oracle.Matrix:
        return _total([branch[0].backward(_descend(branch, z)[0]) for branch in self.branches])

    def votes(self, z: oracle.Matrix) -> list[oracle.Matrix]:
        return [q for branch in self.branches for q in _descend(branch, z)[1]]


class _Concatenate:
    """What inner layers make stands behind what they see; they see F where an input is missing."""

    def __init__(self, layer: Layer) -> None:
        self.branches = [_made(layer["layers"])]

    def forward(self, x: oracle.Matrix) -> oracle.Matrix:
        self.n_inputs = len(x[0])
        made = _climb(self.branches[0], [[-1 if v == 0 else v for v in row] for row in x])
        return [row + more for row, more in zip(x, made, strict=True)]

    def backward(self, z: oracle.Matrix) -> oracle.Matrix:
        signal = _descend(self.branches[0], [row[self.n_inputs :] for row in z])[0]
        return _total([[row[: self.n_inputs] for row in z], self.branches[0][0].backward(signal)])

    def votes(self, z: oracle.Matrix) -> list[oracle.Matrix]:
        return _descend(self.branches[0], [row[self.n_inputs :] for row in z])[1]


class _SignalScale:
    tensors: tuple[()] = ()

    def __init__(self, layer: Layer) -> None:
        self.fan_out = layer["fan_out"]

    def forward(self, x: oracle.Matrix) -> oracle.Matrix:
        return x

    def backward(self, z: oracle.Matrix) -> oracle.Matrix:
        return oracle.scale_signals(z, self.fan_out)

    def votes(self, z: oracle.Matrix) -> list[oracle.Matrix]:
        return []


_KINDS: dict[str, Any] = {
    "add": _Add,
    "concatenate": _Concatenate,
    "signal_scale": _SignalScale,
    "linear": _Linear,
    "conv": _Conv,
    "max_pool": _MaxPool,
    "threshold": _Threshold,
    "gate": _Gates,
    "gate_conv": _GateConv,
    "or_pool": _OrPool,
    "group_sum": _GroupSum,
}


def _made(layers: list[Layer]) -> list[Any]:
    return [_KINDS[layer["type"]](layer) for layer in layers]


def _total(matrices: list[oracle.Matrix]) -> oracle.Matrix:
    return [[sum(column) for column in zip(*rows, strict=True)] for rows in zip(*matrices, strict=True)]


def _climb(layers: list[Any], value: oracle.Matrix) -> oracle.Matrix:
    for layer in layers:
        value = layer.forward(value)
    return value


def _descend(layers: list[Any], signal: oracle.Matrix) -> tuple[oracle.Matrix, list[oracle.Matrix]]:
    """Give the signal that the first layer receives, and the votes on all tensors in their order."""
    votes: list[oracle.Matrix] = []
    for depth in reversed(range(len(layers))):
        votes = layers[depth].votes(signal) + votes
        if depth:
            signal = layers[depth].backward(signal)
    return signal, votes


def _leaves(layers: list[Any]) -> Iterator[Any]:
    """Give the layers that have tensors of their own, in the order of these."""
    for layer in layers:
        if isinstance(layer, _Add | _Concatenate):
            for branch in layer.branches:
                yield from _leaves(branch)
        elif layer.tensors:
            yield layer


class _Trained:
    """A network in training: its layers, its data, and an optimizer for each tensor."""

    def __init__(self, network: dict[str, Any]) -> None:
        self.layers = _made(network["layers"])
        self.x, self.y, self.loss_table = (
            [logic_of(row) for row in network["x"]],
            network["y"],
            network["loss_table"],
        )
        self.sample_weight = network.get("sample_weight", [FULL_WEIGHT] * len(self.x))
        clip = float64_of(network["clip"])
        self.places = [(layer, k) for layer in _leaves(self.layers) for k in range(len(layer.tensors))]
        self.optimizers = [state for layer in _leaves(self.layers) for state in layer.optimizers(clip)]

    def signals(self, batch: list[int]) -> oracle.Matrix:
        """Send the samples up; give the signals of the loss, each with the weight of its sample."""
        scores = _climb(self.layers, [self.x[i] for i in batch])
        z = oracle.cross_entropy_signals(scores, [self.y[i] for i in batch], self.loss_table)
        return [oracle.weighted_signals(row, self.sample_weight[i]) for row, i in zip(z, batch, strict=True)]

    def step(self, batch: list[int], eta: float) -> int:
        """Take a step, and count the flips; a batch without samples, or without weight, changes nothing."""
        n_samples = sum(self.sample_weight[i] for i in batch) / FULL_WEIGHT
        if not n_samples:
            return 0
        votes, flips = _descend(self.layers, self.signals(batch))[1], 0
        for (layer, k), state, q in zip(self.places, self.optimizers, votes, strict=True):
            layer.tensors[k], flipped = state.step(layer.tensors[k], q, eta, n_samples)
            flips += flipped
        return flips

    def fingerprint(self) -> str:
        """Hash all tensors."""
        return fingerprint([layer.tensors[k] for layer, k in self.places])


def train(
    network: dict[str, Any], batches: oracle.Matrix, eta: list[str], checkpoints: list[int]
) -> dict[str, Any]:
    """Train, and tell the flips of every step and the fingerprints after the steps that `checkpoints` names."""
    trained, flips, prints = _Trained(network), [], []
    for step, (batch, rate) in enumerate(zip(batches, eta, strict=True), start=1):
        flips.append(trained.step(batch, float64_of(rate)))
        if step in checkpoints:
            prints.append(trained.fingerprint())
    return {"flips": flips, "fingerprints": prints}
