"""The oracle as a subject: what every answer is compared with."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from bvar.testing.oracle import definitions as oracle
from bvar.testing.oracle import training, trees
from bvar.testing.oracle.formats import (
    bits_of,
    cut,
    float64_of,
    image_of,
    logic_of,
    places_of,
    text_of_bits,
    text_of_logic,
    window_of,
)

__all__ = ["Oracle"]

Rows = list[str]
Matrix = list[list[int]]
Image = list[list[list[int]]]


def _logic(rows: Rows) -> Matrix:
    return [logic_of(row) for row in rows]


def _taps(weights: Rows, channels: int) -> list[Matrix]:
    return [cut(row, channels) for row in _logic(weights)]


def _by_place(z: Matrix, n_filters: int) -> list[Matrix]:
    return [cut(row, n_filters) for row in z]


def _images(rows: Rows, shape: list[int]) -> list[Image]:
    """Read images of bits."""
    return [image_of(row, shape) for row in bits_of(rows)]


def _trees(wires: Matrix, tables: list[Rows], window: Any) -> dict[str, Any]:
    """Give the arguments that all functions of trees share."""
    levels = [bits_of(rows) for rows in tables]
    return {"wires": wires, "tables": levels, "places": places_of(window), **window_of(window)}


def _words(rows: Matrix) -> list[list[str]]:
    return [[f"{word:016x}" for word in row] for row in rows]


def _zeros(n_rows: int, n_columns: int) -> Matrix:
    return [[0] * n_columns for _ in range(n_rows)]


def _sign(x: int) -> int:
    return (x > 0) - (x < 0)


class Oracle:
    """Every function of `bvar.testing.Subject`, by the oracle; see there."""

    def connective(self, gate: int, a: str, b: str) -> str:
        """See `Subject`."""
        pairs = zip(logic_of(a), logic_of(b), strict=True)
        return text_of_logic([oracle.gate_value(gate, v, w) for v, w in pairs])

    def project(self, x: list[int]) -> str:
        """See `Subject`."""
        return text_of_logic([_sign(v) for v in x])

    def mixed(self, gate: int, a: str, x: list[int]) -> list[int]:
        """See `Subject`."""
        pairs = zip(logic_of(a), x, strict=True)
        return [oracle.gate_value(gate, v, _sign(n)) * abs(v) * abs(n) for v, n in pairs]

    def delta(self, a: str, b: str) -> str:
        """See `Subject`."""
        return text_of_logic([int(after) - int(before) for before, after in zip(a, b, strict=True)])

    def variations(self, table: str, n_inputs: int) -> Rows:
        """See `Subject`."""
        return [text_of_logic(row) for row in oracle.variations(bits_of([table])[0], n_inputs)]

    def gate_table(self, gate: int) -> str:
        """See `Subject`."""
        return text_of_logic([oracle.gate_value(gate, w, x) for w in (-1, 1) for x in (-1, 1)])

    def gate_variations(self, gate: int) -> Rows:
        """See `Subject`."""
        both = (oracle.gate_variation_w, oracle.gate_variation_x)
        return [text_of_logic([variation(gate, other) for other in (-1, 1)]) for variation in both]

    def table_values(self, x: Rows, wires: Matrix, tables: Rows) -> Rows:
        """See `Subject`."""
        return text_of_bits(oracle.table_values(bits_of(x), wires, bits_of(tables)))

    def pack(self, rows: Rows) -> list[list[list[str]]]:
        """See `Subject`."""
        planes = ([[int(c in chosen) for c in row] for row in rows] for chosen in ("1", "01"))
        return [[_words(oracle.pack([row], len(row)))[0] for row in plane] for plane in planes]

    def unpack(self, words: list[list[str]], n_bits: int) -> Rows:
        """See `Subject`."""
        return text_of_bits(oracle.unpack([[int(word, 16) for word in row] for row in words], n_bits))

    def negate(self, words: list[list[str]], n_bits: int) -> list[list[str]]:
        """See `Subject`."""
        return _words(oracle.pack([[1 - int(c) for c in row] for row in self.unpack(words, n_bits)], n_bits))

    def transpose(self, rows: Rows, n_bits: int) -> Rows:
        """See `Subject`."""
        return ["".join(row[i] for row in rows) for i in range(n_bits)]

    def count_rows(self, rows: Rows) -> list[int]:
        """See `Subject`."""
        return [row.count("1") for row in rows]

    def gate_sum(self, gate: int, x: Rows, w: Rows) -> Matrix:
        """See `Subject`."""
        return oracle.gate_sum(gate, _logic(x), _logic(w))

    def gate_bits(self, gate: int, x: Rows, w: Rows, tau: list[int]) -> Rows:
        """See `Subject`."""
        return text_of_bits(oracle.gate_bits(gate, _logic(x), _logic(w), tau))

    def conv_sum(self, gate: int, images: Rows, weights: Rows, window: Any, padding_value: int) -> Matrix:
        """See `Subject`."""
        shape, places = window["image_shape"], places_of(window)
        taps, outside = _taps(weights, shape[2]), [padding_value] * shape[2]
        made = (
            oracle.conv_sum(gate, image_of(row, shape), taps, places, outside, **window_of(window))
            for row in _logic(images)
        )
        return [[s for row in sums for at in row for s in at] for sums in made]

    def max_pool(self, sums: Matrix, image_shape: list[int], size: int) -> dict[str, Matrix]:
        """See `Subject`."""
        found = [oracle.max_pool(image_of(row, image_shape), size) for row in sums]
        return {"best": [best for best, _ in found], "winner": [winner for _, winner in found]}

    def tree_values(self, images: Rows, wires: Matrix, tables: list[Rows], window: Any) -> Rows:
        """See `Subject`."""
        given, seen = _trees(wires, tables, window), _images(images, window["image_shape"])
        return text_of_bits([trees.tree_values(image, **given) for image in seen])

    def or_pool(self, x: Rows, image_shape: list[int], size: int) -> Rows:
        """See `Subject`."""
        return text_of_bits([trees.or_pool(image, size) for image in _images(x, image_shape)])

    def group_sum(self, x: Rows, n_groups: int) -> Matrix:
        """See `Subject`."""
        return oracle.group_sum(bits_of(x), n_groups) if x else []

    def rescale(self, g: Matrix, s: Matrix, tau: list[int], table: list[int], shift: int) -> Matrix:
        """See `Subject`."""
        return oracle.rescale(g, s, tau, table, shift)

    def loss_table(self, fan_in: int, temperature: str) -> list[int]:
        """See `Subject`."""
        return oracle.exp_table(fan_in, float64_of(temperature))

    def threshold_table(self, fan_in: int, fan_out: int, gate: int, next_gate: int) -> list[int]:
        """See `Subject`."""
        return oracle.sech2_table(fan_in, Fraction(fan_out), gate, next_gate)

    def cross_entropy(self, scores: Matrix, y: list[int], table: list[int]) -> Matrix:
        """See `Subject`."""
        return oracle.cross_entropy_signals(scores, y, table)

    def squared_error(self, scores: Matrix, y: Matrix, scale: int) -> Matrix:
        """See `Subject`."""
        return oracle.squared_error_signals(scores, y, scale)

    def weight_votes(self, gate: int, z: Matrix, x: Rows, n_outputs: int, n_inputs: int) -> Matrix:
        """See `Subject`."""
        return oracle.weight_votes(gate, z, _logic(x)) if z else _zeros(n_outputs, n_inputs)

    def input_votes(self, gate: int, z: Matrix, w: Rows) -> Matrix:
        """See `Subject`."""
        return oracle.input_votes(gate, z, _logic(w))

    def center_votes(self, q: Matrix, signal_sums: list[int], input_sums: list[int], n_samples: int) -> Matrix:
        """See `Subject`."""
        return oracle.center_votes(q, signal_sums, input_sums, n_samples)

    def conv_weight_votes(
        self, gate: int, z: Matrix, images: Rows, n_filters: int, window: Any, padding_value: int
    ) -> Matrix:
        """See `Subject`."""
        shape, outside = window["image_shape"], [padding_value] * window["image_shape"][2]
        if not z:
            return _zeros(n_filters, window["size"][0] * window["size"][1] * shape[2])
        votes = oracle.conv_weight_votes(
            gate,
            _by_place(z, n_filters),
            [image_of(row, shape) for row in _logic(images)],
            shape,
            places_of(window),
            outside,
            **window_of(window),
        )
        return [[v for tap in taps for v in tap] for taps in votes]

    def pixel_votes(self, gate: int, z: Matrix, weights: Rows, window: Any) -> Matrix:
        """See `Subject`."""
        shape = window["image_shape"]
        votes = oracle.pixel_votes(
            gate,
            _by_place(z, len(weights)),
            _taps(weights, shape[2]),
            shape,
            places_of(window),
            **window_of(window),
        )
        return [[v for row in image for pixel in row for v in pixel] for image in votes]

    def pool_back(self, z: Matrix, winner: Matrix, image_shape: list[int], size: int) -> Matrix:
        """See `Subject`."""
        return [oracle.pool_back(row, taps, image_shape, size) for row, taps in zip(z, winner, strict=True)]

    def table_votes(self, z: Matrix, x: Rows, wires: Matrix) -> Matrix:
        """See `Subject`."""
        any_tables = [[0] * (1 << len(wire)) for wire in wires]  # a vote on an entry does not depend on entries
        return oracle.table_votes(z, bits_of(x), wires, any_tables)

    def wire_votes(self, z: Matrix, x: Rows, wires: Matrix, tables: Rows) -> Matrix:
        """See `Subject`."""
        return oracle.wire_votes(z, bits_of(x), wires, bits_of(tables))

    def candidate_votes(self, z: Matrix, x: Rows, wires: Matrix, tables: Rows, candidates: list[Matrix]) -> Matrix:
        """See `Subject`."""
        return oracle.candidate_votes(z, bits_of(x), wires, bits_of(tables), candidates)

    def tree_table_votes(
        self, z: Matrix, images: Rows, wires: Matrix, tables: list[Rows], window: Any
    ) -> list[Matrix]:
        """See `Subject`."""
        given, seen = _trees(wires, tables, window), _images(images, window["image_shape"])
        total: list[Matrix] = [[[0] * len(table) for table in rows] for rows in tables]
        for signals, image in zip(z, seen, strict=True):
            votes = trees.table_votes(signals, image, **given)
            total = [
                [[a + b for a, b in zip(*both, strict=True)] for both in zip(*rows, strict=True)]
                for rows in zip(total, votes, strict=True)
            ]
        return total

    def tree_pixel_votes(self, z: Matrix, images: Rows, wires: Matrix, tables: list[Rows], window: Any) -> Matrix:
        """See `Subject`."""
        given, seen = _trees(wires, tables, window), _images(images, window["image_shape"])
        return [trees.pixel_votes(*both, **given) for both in zip(z, seen, strict=True)]

    def or_pool_back(self, z: Matrix, x: Rows, image_shape: list[int], size: int) -> Matrix:
        """See `Subject`."""
        pairs = zip(z, _images(x, image_shape), strict=True)
        return [trees.or_back(signals, image, size) for signals, image in pairs]

    def scale_signals(self, g: Matrix, fan_out: int) -> Matrix:
        """See `Subject`."""
        return oracle.scale_signals(g, fan_out)

    def vote_norms(self, q: Matrix) -> list[int]:
        """See `Subject`."""
        return oracle.vote_norms(q)

    def clipped_eta(self, q: Matrix, eta: str, clip: str) -> list[int]:
        """See `Subject`."""
        return oracle.clipped_eta(q, float64_of(eta), float64_of(clip))

    def flip(self, w: Rows, m: Matrix, q: Matrix, beta: int, eta: list[int], dither: int) -> dict[str, Any]:
        """See `Subject`."""
        new_w, new_m, flips = oracle.flip(bits_of(w), m, q, beta, eta, dither)
        return {"w": text_of_bits(new_w), "m": new_m, "flips": flips}

    def optimize(self, w: Rows, votes: list[Matrix], n_samples: list[int], eta: Rows, clip: str) -> dict[str, Any]:
        """See `Subject`."""
        bits, flips, beta = bits_of(w), [], []
        state = training.Optimizer(len(bits), len(bits[0]), float64_of(clip))
        for q, n, rate in zip(votes, n_samples, eta, strict=True):
            bits, flipped = state.step(bits, q, float64_of(rate), n)
            flips.append(flipped)
            beta.append(state.beta)
        return {"w": text_of_bits(bits), "m": state.m, "flips": flips, "beta": beta}

    def move_offsets(
        self, o: list[int], m: list[int], q: list[int], eta: str, rate: str, n_terms: int
    ) -> dict[str, Any]:
        """See `Subject`."""
        new_o, new_m, moved = oracle.move_offsets(o, m, q, float64_of(eta), float64_of(rate), n_terms)
        return {"o": new_o, "m": new_m, "moved": moved}

    def move_wires(
        self, chosen: list[int], m: Matrix, q: Matrix, beta: int, eta: int, dither: int
    ) -> dict[str, Any]:
        """See `Subject`."""
        new, new_m, moved = oracle.move_wires(chosen, m, q, beta, eta, dither)
        return {"chosen": new, "m": new_m, "moved": moved}

    def train(self, network: Any, batches: Matrix, eta: Rows, checkpoints: list[int]) -> dict[str, Any]:
        """See `Subject`."""
        return training.train(network, batches, eta, checkpoints)
