"""The package itself as a subject: kernels and networks of `bvar` behind the functions of the protocol."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from bvar import kernels
from bvar.bits import BitMatrix
from bvar.calculus import gates, logic, variation
from bvar.layers import Choice, GroupSum, OrPool2d, Parameter, SignalScale, Threshold
from bvar.networks.cross_entropy import CrossEntropy
from bvar.networks.losses import FULL_WEIGHT, SquaredError
from bvar.networks.network import Network
from bvar.networks.optimizer import BooleanOptimizer
from bvar.testing.oracle.formats import float64_of
from bvar.testing.subjects.layers import (
    make_conv,
    make_gate_conv,
    make_layers,
    make_loss,
    make_offset,
    read_bits,
    read_values,
    read_window,
)

__all__ = ["Builtin"]

_NAMES = np.array(["0", "u", "1"])
_FULL_BETA = 2**15  # the protocol has beta in these units

Rows = list[str]
Matrix = list[list[int]]


def _text(bits: BitMatrix) -> Rows:
    return ["".join("01"[v] for v in row) for row in kernels.unpack(bits).astype(int)]


def _logic_text(values: Any) -> str:
    return "".join(_NAMES[np.asarray(values, np.int8) + 1])


def _matrix(rows: Matrix, dtype: type, n_columns: int = 0) -> np.ndarray:
    return np.array(rows, dtype).reshape(len(rows), len(rows[0]) if rows else n_columns)


def _hex_words(words: np.ndarray) -> list[list[str]]:
    return [[f"{word:016x}" for word in row] for row in words.tolist()]


def _words(rows: list[list[str]]) -> np.ndarray:
    return np.array([[int(word, 16) for word in row] for row in rows], np.uint64)


def _unit_by_unit(z: Matrix, n_gates: int) -> np.ndarray:
    return np.ascontiguousarray(_matrix(z, np.int16, n_gates).T)


class Builtin:
    """The backend in force; each method is a thin way to the public functions of the same meaning."""

    def connective(self, gate: int, a: str, b: str) -> str:
        """See `Subject`."""
        return _logic_text(gates.Gate.of(gate)(read_values([a])[0], read_values([b])[0]))

    def project(self, x: list[int]) -> str:
        """See `Subject`."""
        return _logic_text(logic.project(np.array(x, np.int64)))

    def mixed(self, gate: int, a: str, x: list[int]) -> list[int]:
        """See `Subject`."""
        return gates.Gate.of(gate)(read_values([a])[0], np.array(x, np.int64)).tolist()

    def delta(self, a: str, b: str) -> str:
        """See `Subject`."""
        return _logic_text(variation.delta(read_values([a])[0], read_values([b])[0]))

    def variations(self, table: str, n_inputs: int) -> Rows:
        """See `Subject`."""
        values = read_values([table])[0]
        found = variation.variation_table(lambda x: values[int(sum((x > 0) << np.arange(n_inputs)))], n_inputs)
        # the rows of variation_table are points whose first input is the most significant
        order = [int(f"{point:0{n_inputs}b}"[::-1], 2) for point in range(len(values))]
        return [_logic_text(column[order]) for column in found.T]

    def gate_table(self, gate: int) -> str:
        """See `Subject`."""
        return _logic_text(gates.Gate.of(gate).table.ravel())

    def gate_variations(self, gate: int) -> Rows:
        """See `Subject`."""
        found = gates.Gate.of(gate)
        return [_logic_text(found.variation_a), _logic_text(found.variation_b)]

    def table_values(self, x: Rows, wires: Matrix, tables: Rows) -> Rows:
        """See `Subject`."""
        if not x:
            return []
        wiring = kernels.Wiring(np.array(wires), len(x[0]))
        values = kernels.table_values(kernels.transpose(read_bits(x)), wiring, read_bits(tables))
        return _text(kernels.transpose(values))

    def pack(self, rows: Rows) -> list[list[list[str]]]:
        """See `Subject`."""
        packed = read_bits(rows)
        known = kernels.pack(read_values(rows) != 0).words if packed.known is None else packed.known
        return [_hex_words(packed.words), _hex_words(known)]

    def unpack(self, words: list[list[str]], n_bits: int) -> Rows:
        """See `Subject`."""
        return _text(BitMatrix.trusted(_words(words), n_bits))

    def negate(self, words: list[list[str]], n_bits: int) -> list[list[str]]:
        """See `Subject`."""
        bits = BitMatrix(_words(words), n_bits)  # refuses padding that is not zero
        wiring = kernels.Wiring(np.arange(len(bits))[:, None], len(bits))
        return _hex_words(kernels.table_values(bits, wiring, read_bits(["10"] * len(bits))).words)

    def transpose(self, rows: Rows, n_bits: int) -> Rows:
        """See `Subject`."""
        return _text(kernels.transpose(read_bits(rows, n_bits)))

    def count_rows(self, rows: Rows) -> list[int]:
        """See `Subject`."""
        return kernels.count_rows(read_bits(rows)).tolist()

    def gate_sum(self, gate: int, x: Rows, w: Rows) -> Matrix:
        """See `Subject`."""
        weights = read_bits(w)
        return kernels.gate_sum(read_bits(x, weights.n_bits), weights, gate).tolist()

    def gate_bits(self, gate: int, x: Rows, w: Rows, tau: list[int]) -> Rows:
        """See `Subject`."""
        weights = read_bits(w)
        return _text(kernels.gate_bits(read_bits(x, weights.n_bits), weights, np.array(tau, np.int32), gate))

    def conv_sum(self, gate: int, images: Rows, weights: Rows, window: Any, padding_value: int) -> Matrix:
        """See `Subject`."""
        layer = make_conv(window, gate, weights, padding_value)
        return layer.forward(read_bits(images, layer.n_inputs))[0].tolist()

    def max_pool(self, sums: Matrix, image_shape: list[int], size: int) -> dict[str, Matrix]:
        """See `Subject`."""
        best, winner = kernels.pool_max(_matrix(sums, np.int32), tuple(image_shape), size)
        return {"best": best.tolist(), "winner": winner.tolist()}

    def tree_values(self, images: Rows, wires: Matrix, tables: list[Rows], window: Any) -> Rows:
        """See `Subject`."""
        layer = make_gate_conv(wires, tables, window)
        return _text(layer.forward(read_bits(images, layer.n_inputs))[0])

    def or_pool(self, x: Rows, image_shape: list[int], size: int) -> Rows:
        """See `Subject`."""
        pool = OrPool2d(tuple(image_shape), size)
        return _text(pool.forward(read_bits(x, pool.n_inputs))[0])

    def group_sum(self, x: Rows, n_groups: int) -> Matrix:
        """See `Subject`."""
        bits = read_bits(x)
        return GroupSum(bits.n_bits, n_groups).forward(bits)[0].tolist() if x else []

    def rescale(self, g: Matrix, s: Matrix, tau: list[int], table: list[int], shift: int) -> Matrix:
        """See `Subject`."""
        votes, sums, thresholds, weights = (np.array(v, np.int32) for v in (g, s, tau, table))
        return kernels.rescale(votes, sums, thresholds, weights, shift).tolist()

    def loss_table(self, fan_in: int, temperature: str) -> list[int]:
        """See `Subject`."""
        return CrossEntropy(fan_in, float64_of(temperature)).table.tolist()

    def threshold_table(self, fan_in: int, fan_out: int, gate: int, next_gate: int) -> list[int]:
        """See `Subject`."""
        return Threshold(1, fan_in, fan_out, gate, next_gate).curve.tolist()

    def cross_entropy(self, scores: Matrix, y: list[int], table: list[int]) -> Matrix:
        """See `Subject`."""
        if not scores:
            return []
        return make_loss(table).signals(np.array(scores, np.int32), np.array(y)).tolist()

    def squared_error(self, scores: Matrix, y: Matrix, scale: int) -> Matrix:
        """See `Subject`."""
        return SquaredError(scale).signals(np.array(scores, np.int32), np.array(y)).tolist()

    def weight_votes(self, gate: int, z: Matrix, x: Rows, n_outputs: int, n_inputs: int) -> Matrix:
        """See `Subject`."""
        return kernels.weight_votes(_matrix(z, np.int8, n_outputs), read_bits(x, n_inputs), gate).tolist()

    def input_votes(self, gate: int, z: Matrix, w: Rows) -> Matrix:
        """See `Subject`."""
        return kernels.input_votes(_matrix(z, np.int8), read_bits(w), gate).tolist()

    def center_votes(self, q: Matrix, signal_sums: list[int], input_sums: list[int], n_samples: int) -> Matrix:
        """See `Subject`."""
        signals, inputs = (np.array(v, np.int64) for v in (signal_sums, input_sums))
        return kernels.center_votes(np.array(q, np.int32), signals, inputs, n_samples).tolist()

    def conv_weight_votes(
        self, gate: int, z: Matrix, images: Rows, n_filters: int, window: Any, padding_value: int
    ) -> Matrix:
        """See `Subject`."""
        any_weights = ["0" * read_window(window).patch_size] * n_filters  # votes on weights do not depend on them
        layer = make_conv(window, gate, any_weights, padding_value)
        context = layer.forward(read_bits(images, layer.n_inputs))[1]
        return layer.votes(_matrix(z, np.int8, layer.n_outputs), context)[0].tolist()

    def pixel_votes(self, gate: int, z: Matrix, weights: Rows, window: Any) -> Matrix:
        """See `Subject`."""
        by_place = np.array(z, np.int8).reshape(-1, len(weights))
        return kernels.pixel_votes(by_place, read_bits(weights), read_window(window), gate).tolist()

    def pool_back(self, z: Matrix, winner: Matrix, image_shape: list[int], size: int) -> Matrix:
        """See `Subject`."""
        both = np.array(z, np.int8), np.array(winner, np.uint8)
        return kernels.pool_back(*both, tuple(image_shape), size).tolist()

    def table_votes(self, z: Matrix, x: Rows, wires: Matrix) -> Matrix:
        """See `Subject`."""
        n_units = len(x[0]) if x else 1 + max(max(wire) for wire in wires)
        units, wiring = kernels.transpose(read_bits(x, n_units)), kernels.Wiring(np.array(wires), n_units)
        return kernels.table_votes(_unit_by_unit(z, len(wires)), units, wiring).tolist()

    def wire_votes(self, z: Matrix, x: Rows, wires: Matrix, tables: Rows) -> Matrix:
        """See `Subject`."""
        wiring = kernels.Wiring(np.array(wires), len(x[0]))
        signals, units = _unit_by_unit(z, len(wires)), kernels.transpose(read_bits(x))
        return kernels.wire_votes(signals, units, wiring, read_bits(tables)).T.tolist()

    def candidate_votes(self, z: Matrix, x: Rows, wires: Matrix, tables: Rows, candidates: list[Matrix]) -> Matrix:
        """See `Subject`."""
        n_units = len(x[0]) if x else 1 + max(unit for gate in candidates for wire in gate for unit in wire)
        units, wiring = kernels.transpose(read_bits(x, n_units)), kernels.Wiring(np.array(wires), n_units)
        others = kernels.Candidates(np.array(candidates), n_units)
        signals = _unit_by_unit(z, len(wires))
        return kernels.candidate_votes(signals, units, wiring, read_bits(tables), others).tolist()

    def tree_table_votes(
        self, z: Matrix, images: Rows, wires: Matrix, tables: list[Rows], window: Any
    ) -> list[Matrix]:
        """See `Subject`."""
        layer = make_gate_conv(wires, tables, window)
        context = layer.forward(read_bits(images, layer.n_inputs))[1]
        return [votes.tolist() for votes in layer.votes(_matrix(z, np.int16, layer.n_outputs), context)]

    def tree_pixel_votes(self, z: Matrix, images: Rows, wires: Matrix, tables: list[Rows], window: Any) -> Matrix:
        """See `Subject`."""
        layer = make_gate_conv(wires, tables, window)
        context = layer.forward(read_bits(images, layer.n_inputs))[1]
        return layer.backward(_matrix(z, np.int16, layer.n_outputs), context).tolist()

    def or_pool_back(self, z: Matrix, x: Rows, image_shape: list[int], size: int) -> Matrix:
        """See `Subject`."""
        pool = OrPool2d(tuple(image_shape), size)
        context = pool.forward(read_bits(x, pool.n_inputs))[1]
        return pool.backward(_matrix(z, np.int16, pool.n_outputs), context).tolist()

    def scale_signals(self, g: Matrix, fan_out: int) -> Matrix:
        """See `Subject`."""
        return SignalScale(fan_out).backward(_matrix(g, np.int32), None).tolist()

    def vote_norms(self, q: Matrix) -> list[int]:
        """See `Subject`."""
        return kernels.vote_norms(np.array(q, np.int32)).tolist()

    def clipped_eta(self, q: Matrix, eta: str, clip: str) -> list[int]:
        """See `Subject`."""
        return kernels.clipped_eta(np.array(q, np.int32), float64_of(eta), float64_of(clip)).tolist()

    def flip(self, w: Rows, m: Matrix, q: Matrix, beta: int, eta: list[int], dither: int) -> dict[str, Any]:
        """See `Subject`."""
        bits, accumulators, rows = read_bits(w), np.array(m, np.int16), np.array(eta, np.int64)
        votes, share = np.array(q, np.int32), beta / _FULL_BETA
        flips = kernels.flip(bits, accumulators, votes, beta=share, eta=rows, dither=dither)
        return {"w": _text(bits), "m": accumulators.tolist(), "flips": flips}

    def optimize(self, w: Rows, votes: list[Matrix], n_samples: list[int], eta: Rows, clip: str) -> dict[str, Any]:
        """See `Subject`."""
        parameter, optimizer = Parameter("w", read_bits(w)), BooleanOptimizer(clip=float64_of(clip))
        flips, beta = [], []
        for q, n, rate in zip(votes, n_samples, eta, strict=True):
            optimizer.start_schedule(float64_of(rate), None)
            flips += optimizer.step([parameter], [np.array(q, np.int32)], n)
            beta.append(round(optimizer.beta[0] * _FULL_BETA))
        return {"w": _text(parameter.bits), "m": optimizer.m[0].tolist(), "flips": flips, "beta": beta}

    def move_offsets(
        self, o: list[int], m: list[int], q: list[int], eta: str, rate: str, n_terms: int
    ) -> dict[str, Any]:
        """See `Subject`."""
        offset, accumulators = make_offset(o, n_terms, rate), np.array(m, np.int32)
        moved = offset.move(accumulators, np.array(q, np.int32), beta=1.0, eta=float64_of(eta), clip=inf)
        return {"o": offset.values.tolist(), "m": accumulators.tolist(), "moved": moved}

    def move_wires(
        self, chosen: list[int], m: Matrix, q: Matrix, beta: int, eta: int, dither: int
    ) -> dict[str, Any]:
        """See `Subject`."""
        any_units = kernels.Candidates(np.zeros((len(m), 1, len(m[0])), int), 1)  # which they are does not matter
        choice, accumulators = Choice("wires", any_units, np.array(chosen, np.uint8)), np.array(m, np.int16)
        votes, share = np.array(q, np.int32), beta / _FULL_BETA
        moved = choice.move(accumulators, votes, beta=share, eta=eta / 2**40, clip=inf, dither=dither)
        return {"chosen": choice.values.tolist(), "m": accumulators.tolist(), "moved": moved}

    def train(self, network: Any, batches: Matrix, eta: Rows, checkpoints: list[int]) -> dict[str, Any]:
        """See `Subject`."""
        optimizer = BooleanOptimizer(clip=float64_of(network["clip"]))
        trained = Network(
            make_layers(network["layers"], len(network["x"][0])), make_loss(network["loss_table"]), optimizer
        )
        x, y, full = read_bits(network["x"]), np.array(network["y"]), [FULL_WEIGHT] * len(network["x"])
        weights = np.array(network.get("sample_weight", full))
        flips, prints = [], []
        for step, (batch, rate) in enumerate(zip(batches, eta, strict=True), start=1):
            optimizer.start_schedule(float64_of(rate), None)
            which = np.array(batch, np.int64)
            flips.append(sum(trained.step(x[which], y[which], weights[which])[1]) if batch else 0)
            if step in checkpoints:
                prints.append(trained.fingerprint())
        return {"flips": flips, "fingerprints": prints}
