"""The oracle: every operation one bit at a time, in plain Python, with no NumPy.

Matrices are lists of rows.  Bits are 0 and 1; values of M are -1, 0, +1.  Slow and obvious on purpose: when this
file and a backend disagree, read this file first.
"""

# Over 400 lines, because it is the whole method on one page, each operation a few lines.

from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from functools import cache
from math import floor, inf, isqrt, sqrt
from typing import Any

Row = list[int]
Matrix = list[list[int]]
Image = list[list[list[int]]]

__all__ = [
    "candidate_votes",
    "center_votes",
    "clipped_eta",
    "conv_sum",
    "conv_weight_votes",
    "cross_entropy_signals",
    "eta_units",
    "exp_table",
    "flip",
    "gate_bits",
    "gate_sum",
    "gate_value",
    "gate_variation_w",
    "gate_variation_x",
    "group_sum",
    "input_votes",
    "max_pool",
    "move_offsets",
    "move_wires",
    "pack",
    "pack_levels",
    "pixel_votes",
    "pool_back",
    "rescale",
    "scale_signals",
    "sech2_table",
    "squared_error_signals",
    "table_value",
    "table_values",
    "table_votes",
    "taps_at",
    "transpose",
    "unpack",
    "variations",
    "vote_norms",
    "weight_votes",
    "weighted_signals",
    "wire_votes",
]

# ------------------------------------------------------------------------------------------- logic and gates


@cache
def gate_value(gate_id: int, w: int, x: int) -> int:
    """e(L(w, x)) for values of M: the bits of the gate's number are L(F,F), L(F,T), L(T,F), L(T,T)."""
    if w == 0 or x == 0:
        return 0
    position = 2 * (w == 1) + (x == 1)
    return 1 if gate_id >> (3 - position) & 1 else -1


@cache
def gate_variation_w(gate_id: int, x: int) -> int:
    """e(dL/dw) at input x: half the change of e(L) when w goes from F to T."""
    return (gate_value(gate_id, 1, x) - gate_value(gate_id, -1, x)) // 2


@cache
def gate_variation_x(gate_id: int, w: int) -> int:
    """e(dL/dx) at weight w."""
    return (gate_value(gate_id, w, 1) - gate_value(gate_id, w, -1)) // 2


def variations(table: Row, n_inputs: int) -> Matrix:
    """f'_i(x) of a function of bits, in every input i and at every point x; bit i of the point's number is x_i."""
    return [
        [(table[point | 1 << i] - table[point & ~(1 << i)]) for point in range(len(table))]
        for i in range(n_inputs)
    ]


# ------------------------------------------------------------------------------------------------------ bits


def pack(rows: Matrix, n_bits: int) -> Matrix:
    """Rows of 0/1 to rows of 64-bit words, bit i of a row at position i % 64 of word i // 64."""
    words = [[0] * -(-n_bits // 64) for _ in rows]
    for r, row in enumerate(rows):
        for i, bit in enumerate(row):
            words[r][i // 64] |= int(bit) << (i % 64)
    return words


def unpack(words: Matrix, n_bits: int) -> Matrix:
    """Words to rows of 0/1; what lies beyond n_bits is ignored."""
    return [[row[i // 64] >> (i % 64) & 1 for i in range(n_bits)] for row in words]


def transpose(rows: Matrix) -> Matrix:
    """Rows to columns."""
    return [list(column) for column in zip(*rows, strict=True)]


# ------------------------------------------------------------------------------------------- sums and votes


def gate_sum(gate_id: int, x: Matrix, w: Matrix) -> Matrix:
    """s[b][j] = sum over inputs of e(L(w[j][i], x[b][i]))."""
    return [[sum(gate_value(gate_id, b, a) for a, b in zip(u, v, strict=True)) for v in w] for u in x]


def gate_bits(gate_id: int, x: Matrix, w: Matrix, tau: Row) -> Matrix:
    """T where the sum reaches the threshold; a tie is T."""
    return [[int(s >= t) for s, t in zip(row, tau, strict=True)] for row in gate_sum(gate_id, x, w)]


def weight_votes(gate_id: int, z: Matrix, x: Matrix) -> Matrix:
    """q[j][i] = sum over samples of z[b][j] * e(dL/dw at x[b][i])."""
    n_out, n_in = len(z[0]), len(x[0])
    return [
        [sum(z[b][j] * gate_variation_w(gate_id, x[b][i]) for b in range(len(x))) for i in range(n_in)]
        for j in range(n_out)
    ]


def input_votes(gate_id: int, z: Matrix, w: Matrix) -> Matrix:
    """g[b][i] = sum over outputs of z[b][j] * e(dL/dx at w[j][i])."""
    n_in = len(w[0])
    return [
        [sum(zb[j] * gate_variation_x(gate_id, w[j][i]) for j in range(len(w))) for i in range(n_in)] for zb in z
    ]


def rescale(g: Matrix, s: Matrix, tau: Row, table: Row, shift: int) -> Matrix:
    """round(g * table[|s - tau|] / 2**shift), halves away from zero, kept within +-127."""

    def one(gi: int, si: int, ti: int) -> int:
        exact = Fraction(gi * table[min(abs(si - ti), len(table) - 1)], 2**shift)
        size = int(abs(exact) + Fraction(1, 2))
        return min(size, 127) * (1 if exact >= 0 else -1)

    return [[one(a, b, t) for a, b, t in zip(gr, sr, tau, strict=True)] for gr, sr in zip(g, s, strict=True)]


def center_votes(q: Matrix, signal_sums: Row, input_sums: Row, n_samples: int) -> Matrix:
    """q[j][i] - round(Z[j] * mean[i]), the mean of the inputs in steps of 2**-15, halves up."""
    means = [floor(Fraction(2**15 * x, n_samples) + Fraction(1, 2)) for x in input_sums]
    return [
        [v - floor(Fraction(z * mean, 2**15) + Fraction(1, 2)) for v, mean in zip(row, means, strict=True)]
        for row, z in zip(q, signal_sums, strict=True)
    ]


# ------------------------------------------------------------------------------------------- the optimizer


def flip(w: Matrix, m: Matrix, q: Matrix, beta: int, eta: Row, dither: int = 0) -> tuple[Matrix, Matrix, int]:
    """One step of the optimizer on rows of bits, in integers; returns new bits, new accumulators and the flips.

    Of beta the units are 2^-15, of eta, one for each row, 2^-40 of the bar, and of m 2^-12.
    """
    new_w, new_m, flips, rest = [], [], 0, dither
    for bits, old, votes, size in zip(w, m, q, eta, strict=True):
        size = size if size < 2**25 else size - size % 2**13
        most = (2**43 - 1) // max(size, 1)
        row_w, row_m = [], []
        for bit, kept, vote in zip(bits, old, votes, strict=True):
            total = 2**13 * (beta * kept + rest) + size * max(-most, min(most, vote))
            moved = max(-32767, min(32767, total // 2**28))
            flipped = (moved if bit else -moved) >= 4096
            flips += flipped
            row_w.append(int(bit) ^ flipped)
            row_m.append(0 if flipped else moved)
            rest = (rest + 27893) % 2**15
        new_w.append(row_w)
        new_m.append(row_m)
    return new_w, new_m, flips


def move_wires(chosen: Row, m: Matrix, q: Matrix, beta: int, eta: int, dither: int = 0) -> tuple[Row, Matrix, int]:
    """One step of the optimizer on candidates of wires; returns new choices and accumulators, units as for flip.

    A candidate that is not read is F, and asks to be read by a flip; of several the loudest is heard, the first of
    equals, and the wire begins anew.  The third result is the number of wires that do.
    """
    asked, new_m, _ = flip([[0] * len(row) for row in m], m, q, beta, [eta] * len(m), dither)
    new = list(chosen)
    for wire, bits in enumerate(asked):
        if any(bits):
            new[wire] = min((vote, j) for j, (vote, bit) in enumerate(zip(q[wire], bits, strict=True)) if bit)[1]
            new_m[wire] = [0] * len(bits)
    return new, new_m, sum(map(any, asked))


def vote_norms(q: Matrix) -> Row:
    """How loud the votes on each neuron are together."""
    return [sum(map(abs, row)) for row in q]


def eta_units(eta: float) -> int:
    """Give a step size in units of 2^-40 of the bar, halves to even, up to eight bars."""
    return min(round(2**40 * min(eta, 8.0)), 2**43 - 1)


def clipped_eta(q: Matrix, eta: float, clip: float) -> Row:
    """Give eta of each neuron, lowered where sum |eta q| would exceed clip * sqrt(n); in units of 2^-40."""
    bounds = [2**62 if clip == inf else int(min(2**40 * (clip * sqrt(len(row))), 2**62)) for row in q]
    sizes = [bound // max(norm, 1) for bound, norm in zip(bounds, vote_norms(q), strict=True)]
    return [eta_units(eta) if clip == inf else min(eta_units(eta), size) for size in sizes]


def move_offsets(o: Row, m: Row, q: Row, eta: float, rate: float, n_terms: int) -> tuple[Row, Row, int]:
    """Move offsets by their votes; returns the new ones, new accumulators and how many are others than before.

    A vote counts up to 1, whole steps are taken, and what is left of a step waits in m, in units of 2^-24.
    """
    size, reach, new_o, new_m = min(eta_units(eta), 2**40), int(2**20 * (rate * sqrt(n_terms))), [], []
    for old, rest, vote in zip(o, m, q, strict=True):
        u = (max(-(2**40), min(2**40, size * vote)) + 2**15) // 2**16
        left = rest - (u * reach + 2**19) // 2**20
        whole = abs(left) // 2**24 * (1 if left > 0 else -1)
        new_o.append(max(-n_terms, min(n_terms, old + whole)))
        new_m.append(left - whole * 2**24)
    return new_o, new_m, sum(a != b for a, b in zip(o, new_o, strict=True))


# --------------------------------------------------------------------------- losses, truth tables and images


def cross_entropy_signals(scores: Matrix, y: Row, table: Row) -> Matrix:
    """127 * (softmax - one-hot) in integers, halves up."""
    out = []
    for row, label in zip(scores, y, strict=True):
        best = max(row)
        weights = [table[min(best - s, len(table) - 1)] for s in row]
        total = sum(weights)
        out.append([(2 * 127 * v + total) // (2 * total) - 127 * (j == label) for j, v in enumerate(weights)])
    return out


def weighted_signals(signals: Row, weight: int) -> Row:
    """Signals of a sample that counts as weight / 2**16 samples, halves away from zero."""
    return [(abs(z) * weight + 2**15) // 2**16 * (1 if z >= 0 else -1) for z in signals]


def pack_levels(values: Matrix, thresholds: Row) -> Matrix:
    """T where a value reaches the threshold of its column."""
    return [[int(v >= t) for v, t in zip(row, thresholds, strict=True)] for row in values]


def table_value(table: Row, bits: Row) -> int:
    """Give the entry at the address that the bits spell, the first being the least significant."""
    return table[sum(bit << i for i, bit in enumerate(bits))]


def table_values(x: Matrix, wires: Matrix, tables: Matrix) -> Matrix:
    """Values of gates at samples; x[b] are the inputs of sample b."""
    return [[table_value(t, [xb[u] for u in w]) for w, t in zip(wires, tables, strict=True)] for xb in x]


def table_votes(z: Matrix, x: Matrix, wires: Matrix, tables: Matrix) -> Matrix:
    """q[g][a] = sum of z[b][g] * half the change of sum e(value) when entry a of gate g goes from F to T."""
    votes = [[0] * len(t) for t in tables]
    for g, (w, t) in enumerate(zip(wires, tables, strict=True)):
        for a in range(len(t)):
            for zb, xb in zip(z, x, strict=True):
                high, low = (table_value([*t[:a], bit, *t[a + 1 :]], [xb[u] for u in w]) for bit in (1, 0))
                votes[g][a] += zb[g] * (high - low)
    return votes


def wire_votes(z: Matrix, x: Matrix, wires: Matrix, tables: Matrix) -> Matrix:
    """v[b][u] = sum over the wires that read u of z[b][g] * half the change when that wire goes from F to T."""
    votes = [[0] * len(xb) for xb in x]
    for b, (zb, xb) in enumerate(zip(z, x, strict=True)):
        for g, (w, t) in enumerate(zip(wires, tables, strict=True)):
            for i, unit in enumerate(w):
                bits = [xb[u] for u in w]
                high, low = (table_value(t, [*bits[:i], bit, *bits[i + 1 :]]) for bit in (1, 0))
                votes[b][unit] += zb[g] * (high - low)
    return [[max(-32767, min(32767, v)) for v in row] for row in votes]


def candidate_votes(z: Matrix, x: Matrix, wires: Matrix, tables: Matrix, candidates: list[Matrix]) -> Matrix:
    """q[g * k + i][j] = sum of z[b][g] * half the change when wire i of gate g alone reads its candidate j."""
    votes = []
    for g, (w, t) in enumerate(zip(wires, tables, strict=True)):
        now = [table_value(t, [xb[u] for u in w]) for xb in x]
        for i, others in enumerate(candidates[g]):
            row = []
            for other in others:
                then = [table_value(t, [xb[u] for u in [*w[:i], other, *w[i + 1 :]]]) for xb in x]
                row.append(sum(zb[g] * (b - a) for zb, a, b in zip(z, now, then, strict=True)))
            votes.append(row)
    return votes


def scale_signals(g: Matrix, fan_out: int) -> Matrix:
    """round(g * k / 2**20), halves away from zero, within +-32767; k is 2**20 sqrt(2 / fan_out), rounded."""
    k = (isqrt(2**43 // fan_out) + 1) // 2
    sizes = ((min(int(Fraction(abs(v) * k, 2**20) + Fraction(1, 2)), 32767) for v in row) for row in g)
    return [
        [s if v >= 0 else -s for v, s in zip(row, size, strict=True)] for row, size in zip(g, sizes, strict=True)
    ]


def group_sum(x: Matrix, n_groups: int) -> Matrix:
    """Add up e(bit) over each block of neighbours."""
    size = len(x[0]) // n_groups
    return [[sum(2 * bit - 1 for bit in xb[c * size : (c + 1) * size]) for c in range(n_groups)] for xb in x]


def taps_at(
    i: int, j: int, shape: Row, /, size: Row, stride: Row, padding: Row, dilation: Row
) -> list[tuple[int, int] | None]:
    """Find the pixels that the window sees at place (i, j), row by row; None where it stands out of the image."""
    found = []
    for a in range(size[0]):
        for b in range(size[1]):
            y = i * stride[0] - padding[0] + a * dilation[0]
            x = j * stride[1] - padding[1] + b * dilation[1]
            found.append((y, x) if 0 <= y < shape[0] and 0 <= x < shape[1] else None)
    return found


def conv_sum(
    gate_id: int, image: Image, weights: list[Matrix], places: Row, outside: Row, **window: Row
) -> list[Matrix]:
    """s[i][j][o] = sum over taps and channels of e(L(w, x)); image[y][x][c] and weights[o][tap][c] are of M."""
    shape = [len(image), len(image[0])]

    def one(w: Matrix, i: int, j: int) -> int:
        seen = [outside if p is None else image[p[0]][p[1]] for p in taps_at(i, j, shape, **window)]
        return sum(
            gate_value(gate_id, b, a) for wt, st in zip(w, seen, strict=True) for b, a in zip(wt, st, strict=True)
        )

    return [[[one(w, i, j) for w in weights] for j in range(places[1])] for i in range(places[0])]


def max_pool(image: Image, size: int) -> tuple[Row, Row]:
    """Find the largest of each square and the number of the first pixel that has it; image[y][x][c]."""
    best, winner = [], []
    for y in range(len(image) // size):
        for x in range(len(image[0]) // size):
            for c in range(len(image[0][0])):
                square = [image[y * size + a][x * size + b][c] for a in range(size) for b in range(size)]
                best.append(max(square))
                winner.append(square.index(max(square)))
    return best, winner


def pool_back(z: Row, winner: Row, image_shape: Row, size: int) -> Row:
    """Each signal goes to the pixel that won its square; z and winner in the order of `max_pool`, out by pixel."""
    height, width, channels = image_shape
    out = [0] * (height * width * channels)
    squares = ((y, x, c) for y in range(height // size) for x in range(width // size) for c in range(channels))
    for (y, x, c), signal, tap in zip(squares, z, winner, strict=True):
        row, column = y * size + tap // size, x * size + tap % size
        out[(row * width + column) * channels + c] = signal
    return out


def _seen(image_shape: Row, places: Row, window: dict[str, Row]) -> Iterator[tuple[int, int, Any]]:
    """Every place, every tap there, and the pixel that it is, or None."""
    shape = image_shape[:2]
    for place in range(places[0] * places[1]):
        for tap, pixel in enumerate(taps_at(*divmod(place, places[1]), shape, **window)):
            yield place, tap, pixel


def conv_weight_votes(
    gate_id: int, z: list[Matrix], images: list[Image], image_shape: Row, places: Row, outside: Row, **window: Row
) -> list[Matrix]:
    """q[o][tap][c] = sum over images and places of z[b][place][o] * e(dL/dw at what the tap sees)."""
    n_filters, n_taps, channels = len(z[0][0]), window["size"][0] * window["size"][1], image_shape[2]
    votes = [[[0] * channels for _ in range(n_taps)] for _ in range(n_filters)]
    for zb, image in zip(z, images, strict=True):
        for place, tap, pixel in _seen(image_shape, places, window):
            values = outside if pixel is None else image[pixel[0]][pixel[1]]
            for o, signal in enumerate(zb[place]):
                for c, value in enumerate(values):
                    votes[o][tap][c] += signal * gate_variation_w(gate_id, value)
    return votes


def pixel_votes(
    gate_id: int, z: list[Matrix], weights: list[Matrix], image_shape: Row, places: Row, **window: Row
) -> list[Image]:
    """g[b][y][x][c] = sum over the taps that see a pixel of z[b][place][o] * e(dL/dx at weights[o][tap][c])."""
    height, width, channels = image_shape
    votes = [[[[0] * channels for _ in range(width)] for _ in range(height)] for _ in z]
    for zb, image in zip(z, votes, strict=True):
        for place, tap, pixel in _seen(image_shape, places, window):
            if pixel is not None:
                sums = image[pixel[0]][pixel[1]]
                for w, signal in zip(weights, zb[place], strict=True):
                    for c in range(channels):
                        sums[c] += signal * gate_variation_x(gate_id, w[tap][c])
    return votes


def squared_error_signals(scores: Matrix, y: Matrix, scale: int) -> Matrix:
    """127 * (s - y) / scale, halves away from zero, kept within +-127."""

    def one(error: int) -> int:
        size = int(Fraction(127 * abs(error), scale) + Fraction(1, 2))
        return min(size, 127) * (1 if error >= 0 else -1)

    return [[one(s - t) for s, t in zip(row, ty, strict=True)] for row, ty in zip(scores, y, strict=True)]


# ----------------------------------------------------------------------------------------------------- tables

PI = Decimal("3.141592653589793238462643383279502884197")


def exp_table(fan_in: int, temperature: float) -> Row:
    """round(2**20 * exp(-d / (temperature * sqrt(fan_in)))) for d = 0, 1, ... up to the first 0, halves even."""
    with localcontext(prec=40, rounding=ROUND_HALF_EVEN):
        scale = _decimal(fan_in * Fraction(temperature) ** 2).sqrt()
        return _until_zero(lambda d: 2**20 * (-Decimal(d) / scale).exp())


def sech2_table(fan_in: int, fan_out: Fraction, gate_id: int, next_gate: int) -> Row:
    """round(2**20 * c * (1 - tanh(alpha d)**2)) for d = 0, 1, ... up to the first 0, halves to even.

    alpha = pi / (2 sqrt(3 v)), where v is the variance of a sum of fan_in gates over random bits.
    c = sqrt(2 / (fan_out * share)), where share says how often an input of the next gate has a say.
    """
    values = [gate_value(gate_id, w, x) for w in (-1, 1) for x in (-1, 1)]
    variance = fan_in * (1 - Fraction(sum(values), 4) ** 2)
    share = Fraction(sum(abs(gate_variation_x(next_gate, w)) for w in (-1, 1)), 2)
    with localcontext(prec=40, rounding=ROUND_HALF_EVEN):
        alpha = PI / (2 * _decimal(3 * variance).sqrt())
        gain = _decimal(Fraction(2) / (fan_out * share)).sqrt()

        def entry(d: int) -> Decimal:
            step = (-2 * alpha * d).exp()
            return 2**20 * gain * 4 * step / (1 + step) ** 2

        return _until_zero(entry)


def _until_zero(entry: Any) -> Row:
    table: Row = []
    while not table or table[-1]:
        table.append(int(entry(len(table)).to_integral_value()))
    return table


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)
