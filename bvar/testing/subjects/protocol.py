"""What a port is asked to do: one function for each idea, on plain values that JSON can carry.

A function that a port lacks fails its own tests only.  Values have few formats, see `FORMATS`: rows are strings
of "0" (F), "1" (T) and, where a value may be missing, "u" (the 0 of M); words and floats are hexadecimal strings,
and no integer outgrows a double.  The page ``docs/reference/conformance.md`` lists all of it.
"""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple, Protocol, TypeAlias

__all__ = ["FORMATS", "FUNCTIONS", "LEVELS", "Function", "Subject", "Unsupported"]

# the names of formats, see FORMATS
Bits: TypeAlias = str
Row: TypeAlias = str
Float64: TypeAlias = str
BitRows: TypeAlias = list[str]
Rows: TypeAlias = list[str]
Floats64: TypeAlias = list[str]
Ints: TypeAlias = list[int]
Matrix: TypeAlias = list[list[int]]
Wires: TypeAlias = list[list[int]]
Tables: TypeAlias = list[list[str]]
Words: TypeAlias = list[list[str]]
Planes: TypeAlias = list[list[list[str]]]
Matrices: TypeAlias = list[list[list[int]]]
Window: TypeAlias = dict[str, Any]
Pooled: TypeAlias = dict[str, Any]
Flipped: TypeAlias = dict[str, Any]
Moved: TypeAlias = dict[str, Any]
Rewired: TypeAlias = dict[str, Any]
Steps: TypeAlias = dict[str, Any]
Network: TypeAlias = dict[str, Any]
Trajectory: TypeAlias = dict[str, Any]

LEVELS = (
    "logic and variation",
    "gates",
    "bits",
    "sums and tables",
    "votes",
    "the optimizer",
    "training",
)
"""What the levels are about, from 0 to 6; each uses what those below it define."""


class Unsupported(Exception):
    """The subject does not have the function that it was asked for."""


class Subject(Protocol):
    """What can be proved: every method is optional, and takes its arguments by name."""

    # level 0

    def connective(self, gate: int, a: Row, b: Row) -> Row:
        """Apply a gate to values of M, place by place: 0 if one of them is 0."""

    def project(self, x: Ints) -> Row:
        """Give the logic of numbers: T above 0, F below, 0 at 0."""

    def mixed(self, gate: int, a: Row, x: Ints) -> Ints:
        """Apply a gate to logic and numbers: magnitude ``|a| |x|``, sign ``L(a, p(x))``."""

    def delta(self, a: Bits, b: Bits) -> Row:
        """Give the variation from a to b, place by place: T where it rises, F where it falls, 0 where it stays."""

    def variations(self, table: Bits, n_inputs: int) -> Rows:
        """Give f' in each input (rows) at each point (columns); bit i of the number of a point is input i."""

    # level 1

    def gate_table(self, gate: int) -> Bits:
        """Spell out L(F, F), L(F, T), L(T, F), L(T, T)."""

    def gate_variations(self, gate: int) -> Rows:
        """Give dL/dw at x = F and x = T, then dL/dx at w = F and w = T, of L(w, x)."""

    def table_values(self, x: BitRows, wires: Wires, tables: BitRows) -> BitRows:
        """Look gates up at samples: bit i of the address is the input that wire i reads."""

    # level 2

    def pack(self, rows: Rows) -> Planes:
        """Pack rows into 64-bit words: the plane of bits, then the plane that says which values are known."""

    def unpack(self, words: Words, n_bits: int) -> BitRows:
        """Unpack; what lies beyond the row is ignored."""

    def negate(self, words: Words, n_bits: int) -> Words:
        """Negate every bit of every row, and nothing beyond."""

    def transpose(self, rows: BitRows, n_bits: int) -> BitRows:
        """Turn rows into columns; `n_bits` is the length of a row, for matrices without rows."""

    def count_rows(self, rows: Rows) -> Ints:
        """Count the T of each row."""

    # level 3

    def gate_sum(self, gate: int, x: Rows, w: BitRows) -> Matrix:
        """Sum e(L(w, x)) over the inputs, for each sample and each neuron."""

    def gate_bits(self, gate: int, x: Rows, w: BitRows, tau: Ints) -> BitRows:
        """Say where these sums reach the threshold of the neuron."""

    def conv_sum(self, gate: int, images: Rows, weights: BitRows, window: Window, padding_value: int) -> Matrix:
        """Sum a gate over what a window sees at each place; outside is the value 0 of M, or -1 for F."""

    def max_pool(self, sums: Matrix, image_shape: Ints, size: int) -> Pooled:
        """Find the largest of each square, and the number of the first pixel of the square that has it."""

    def tree_values(self, images: BitRows, wires: Wires, tables: Tables, window: Window) -> BitRows:
        """Climb trees of gates over what a window sees at each place, level by level; outside is F."""

    def or_pool(self, x: BitRows, image_shape: Ints, size: int) -> BitRows:
        """Say whether any pixel of a square is T, channel by channel."""

    def group_sum(self, x: BitRows, n_groups: int) -> Matrix:
        """Add up e(bit) over blocks of neighbours."""

    def rescale(self, g: Matrix, s: Matrix, tau: Ints, table: Ints, shift: int) -> Matrix:
        """Give ``round(g * table[|s - tau|] / 2**shift)``, halves away from zero, kept within +-127."""

    def loss_table(self, fan_in: int, temperature: Float64) -> Ints:
        """Tabulate round(2**20 exp(-d / (temperature * sqrt(fan_in)))) up to the first 0."""

    def threshold_table(self, fan_in: int, fan_out: int, gate: int, next_gate: int) -> Ints:
        """Tabulate round(2**20 c (1 - tanh(alpha d)**2)) up to the first 0."""

    def cross_entropy(self, scores: Matrix, y: Ints, table: Ints) -> Matrix:
        """Give 127 * (softmax - one-hot) by the table, the softmax part rounded with halves up."""

    def squared_error(self, scores: Matrix, y: Matrix, scale: int) -> Matrix:
        """Give round(127 * (s - y) / scale), halves away from zero, kept within +-127."""

    # level 4

    def weight_votes(self, gate: int, z: Matrix, x: Rows, n_outputs: int, n_inputs: int) -> Matrix:
        """Sum z * e(dL/dw) over the samples, for each neuron and input; the batch may be empty."""

    def input_votes(self, gate: int, z: Matrix, w: BitRows) -> Matrix:
        """Sum z * e(dL/dx) over the neurons, for each sample and input."""

    def center_votes(self, q: Matrix, signal_sums: Ints, input_sums: Ints, n_samples: int) -> Matrix:
        """Take the mean input out of votes: both roundings with halves up, the mean in steps of 2**-15."""

    def conv_weight_votes(
        self, gate: int, z: Matrix, images: Rows, n_filters: int, window: Window, padding_value: int
    ) -> Matrix:
        """Sum z * e(dL/dw) over samples and places, for each filter and each value of a patch."""

    def pixel_votes(self, gate: int, z: Matrix, weights: BitRows, window: Window) -> Matrix:
        """Sum z * e(dL/dx) over the filters and the taps that see a pixel."""

    def pool_back(self, z: Matrix, winner: Matrix, image_shape: Ints, size: int) -> Matrix:
        """Send each signal to the pixel that won its square."""

    def table_votes(self, z: Matrix, x: BitRows, wires: Wires) -> Matrix:
        """Let each sample vote on the entry of the table that it looked at."""

    def wire_votes(self, z: Matrix, x: BitRows, wires: Wires, tables: BitRows) -> Matrix:
        """Sum over the wires that read a unit: z where the gate would rise with it, -z where it would fall."""

    def candidate_votes(
        self, z: Matrix, x: BitRows, wires: Wires, tables: BitRows, candidates: Matrices
    ) -> Matrix:
        """Sum z times half the change of the gate if this wire alone read this unit: a row for each wire."""

    def tree_table_votes(
        self, z: Matrix, images: BitRows, wires: Wires, tables: Tables, window: Window
    ) -> Matrices:
        """Divide what a sample would gain by an entry by the square of its looks, and sum: for each level."""

    def tree_pixel_votes(self, z: Matrix, images: BitRows, wires: Wires, tables: Tables, window: Window) -> Matrix:
        """Sum what trees vote on the bits of a window, cut, and over the windows that see a pixel, cut again."""

    def or_pool_back(self, z: Matrix, x: BitRows, image_shape: Ints, size: int) -> Matrix:
        """Pass each signal on to the pixels of its square all of whose others are F."""

    def scale_signals(self, g: Matrix, fan_out: int) -> Matrix:
        """Give ``round(g * k / 2**20)``, k = round(2**20 sqrt(2 / fan_out)), halves away from 0, to +-32767."""

    # level 5

    def vote_norms(self, q: Matrix) -> Ints:
        """Sum ``|q|`` over each row."""

    def clipped_eta(self, q: Matrix, eta: Float64, clip: Float64) -> Ints:
        """Give min(E, C // max(norm, 1)) for each row: eta and clip * sqrt(n) in units of 2**-40 of the bar."""

    def flip(self, w: BitRows, m: Matrix, q: Matrix, beta: int, eta: Ints, dither: int) -> Flipped:
        """Accumulate m = beta * m + eta * q in integers; flip where m e(w) >= 4096, and set m = 0 there."""

    def optimize(self, w: BitRows, votes: Matrices, n_samples: Ints, eta: Floats64, clip: Float64) -> Steps:
        """Take one step for each matrix of votes: eta / (127 n_samples), clipped, and beta of the step before."""

    def move_offsets(self, o: Ints, m: Ints, q: Ints, eta: Float64, rate: Float64, n_terms: int) -> Moved:
        """Move by votes: m = m - rate * sqrt(n_terms) * clip(eta * q); whole steps go to o, m is what is left."""

    def move_wires(self, chosen: Ints, m: Matrix, q: Matrix, beta: int, eta: int, dither: int) -> Rewired:
        """Accumulate as for `flip`; a wire reads the loudest candidate with m <= -4096, and m = 0 for all then."""

    # level 6

    def train(self, network: Network, batches: Matrix, eta: Floats64, checkpoints: Ints) -> Trajectory:
        """Train a network, one step for each batch of sample numbers; give flips, and fingerprints on the way."""


_FIRST_OF_LEVEL = ("connective", "gate_table", "pack", "gate_sum", "weight_votes", "vote_norms", "train")


class Function(NamedTuple):
    """One function of the protocol: its name, its level, and the formats of arguments and result by name."""

    name: str
    level: int
    arguments: dict[str, str]
    result: str
    summary: str


def _functions() -> dict[str, Function]:
    level, found = -1, {}
    for name, method in vars(Subject).items():
        if name.startswith("_"):
            continue
        level += name in _FIRST_OF_LEVEL
        signature = inspect.signature(method)
        arguments = {p.name: p.annotation for p in list(signature.parameters.values())[1:]}
        found[name] = Function(name, level, arguments, signature.return_annotation, inspect.getdoc(method) or "")
    return found


FUNCTIONS = _functions()
"""All functions of the protocol by name, in the order of their levels."""


def _list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


def _text(pattern: str) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^{pattern}$"}


def _record(optional: tuple[str, ...] = (), /, **properties: dict[str, Any]) -> dict[str, Any]:
    names = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": names, "additionalProperties": False}


_INTEGER = {"type": "integer"}
_PAIR = {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 2, "maxItems": 2}
_SHAPE = {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 3, "maxItems": 3}
_INTS, _BITS, _ROW = _list(_INTEGER), _text("[01]*"), _text("[01u]*")
_FLOAT64 = _text("[0-9a-f]{16}")
_WORDS = _list(_list(_text("[0-9a-f]{16}")))
_MATRIX = _list(_INTS)
_WINDOW = _record(image_shape=_SHAPE, size=_PAIR, stride=_PAIR, padding=_PAIR, dilation=_PAIR)
_GATE = {"type": "integer", "minimum": 0, "maximum": 15}
_BIAS = {"anyOf": [_BITS, {"type": "null"}]}


def _layer(kind: str, optional: tuple[str, ...] = (), /, **properties: dict[str, Any]) -> dict[str, Any]:
    return _record(optional, type={"const": kind}, **properties)


_LINEAR: dict[str, Any] = {
    "gate": _GATE,
    "weight": _list(_BITS),
    "bias": _BIAS,
    "centered": {"type": "boolean"},
    "offset": {"anyOf": [_INTS, {"type": "null"}]},
    "offset_rate": _FLOAT64,
}
_STACK = _list({"$ref": "#/$defs/Layer"})
_LAYERS = [
    _layer("linear", ("offset", "offset_rate"), **_LINEAR),
    _layer("conv", gate=_GATE, weight=_list(_BITS), bias=_BIAS, window=_WINDOW, padding_value=_INTEGER),
    _layer("max_pool", image_shape=_SHAPE, size=_INTEGER),
    _layer("threshold", tau=_INTS, table=_INTS, shift=_INTEGER),
    _layer(
        "gate",
        ("is_clipped", "candidates", "wire_rate"),
        wires=_MATRIX,
        tables=_list(_BITS),
        is_clipped={"type": "boolean"},
        candidates=_list(_MATRIX),
        wire_rate=_FLOAT64,
    ),
    _layer(
        "gate_conv",
        wires=_MATRIX,
        tables=_list(_list(_BITS)),
        window=_WINDOW,
        damping={"type": "integer", "minimum": 1},
    ),
    _layer("or_pool", image_shape=_SHAPE, size=_INTEGER),
    _layer("group_sum", n_groups=_INTEGER),
    _layer("add", branches=_list(_STACK)),
    _layer("concatenate", layers=_STACK),
    _layer("signal_scale", fan_out={"type": "integer", "minimum": 1}),
]
_NETWORK: dict[str, Any] = {
    "layers": _STACK,
    "loss_table": _INTS,
    "clip": _FLOAT64,
    "x": _list(_ROW),
    "y": _INTS,
    "sample_weight": _list({"type": "integer", "minimum": 0, "maximum": 2**16}),
}

FORMATS: dict[str, dict[str, Any]] = {
    "int": _INTEGER,
    "Bits": _BITS,
    "BitRows": _list(_BITS),
    "Row": _ROW,
    "Rows": _list(_ROW),
    "Ints": _INTS,
    "Matrix": _MATRIX,
    "Matrices": _list(_MATRIX),
    "Wires": _list({"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1, "maxItems": 6}),
    "Tables": _list(_list(_BITS)),
    "Words": _WORDS,
    "Planes": {"type": "array", "items": _WORDS, "minItems": 2, "maxItems": 2},
    "Float64": _FLOAT64,
    "Floats64": _list(_FLOAT64),
    "Window": _WINDOW,
    "Pooled": _record(best=_MATRIX, winner=_MATRIX),
    "Flipped": _record(w=_list(_BITS), m=_MATRIX, flips=_INTEGER),
    "Moved": _record(o=_INTS, m=_INTS, moved=_INTEGER),
    "Rewired": _record(chosen=_INTS, m=_MATRIX, moved=_INTEGER),
    "Steps": _record(w=_list(_BITS), m=_MATRIX, flips=_INTS, beta=_INTS),
    "Layer": {"oneOf": _LAYERS},
    "Network": _record(("sample_weight",), **_NETWORK),
    "Trajectory": _record(flips=_INTS, fingerprints=_list(_text("[0-9a-f]{64}"))),
}
"""JSON Schema of each format that the annotations of `Subject` name."""
