"""The oracle: every hot operation one bit at a time, in plain Python, with no NumPy arithmetic.

Matrices are lists of rows.  Bits are 0 and 1; values of M are -1, 0, +1.  Slow and obvious on purpose: when this
file and a backend disagree, read this file first.
"""

from fractions import Fraction
from math import floor

import numpy as np  # only for float32 rounding in `flip`: the number format itself is the definition there


def gate_value(gate_id, w, x):
    """e(L(w, x)) for values of M: the bits of the gate's number are L(F,F), L(F,T), L(T,F), L(T,T)."""
    if w == 0 or x == 0:
        return 0
    position = 2 * (w == 1) + (x == 1)
    return 1 if gate_id >> (3 - position) & 1 else -1


def gate_variation_w(gate_id, x):
    """e(dL/dw) at input x: half the change of e(L) when w goes from F to T."""
    return (gate_value(gate_id, 1, x) - gate_value(gate_id, -1, x)) // 2


def gate_variation_x(gate_id, w):
    """e(dL/dx) at weight w."""
    return (gate_value(gate_id, w, 1) - gate_value(gate_id, w, -1)) // 2


def pack(rows, n_bits):
    """Rows of 0/1 to rows of 64-bit words, bit i of a row at position i % 64 of word i // 64."""
    words = [[0] * -(-n_bits // 64) for _ in rows]
    for r, row in enumerate(rows):
        for i, bit in enumerate(row):
            words[r][i // 64] |= int(bit) << (i % 64)
    return words


def unpack(words, n_bits):
    return [[row[i // 64] >> (i % 64) & 1 for i in range(n_bits)] for row in words]


def transpose(rows):
    return [list(column) for column in zip(*rows, strict=True)]


def gate_sum(gate_id, x, w):
    return [[sum(gate_value(gate_id, b, a) for a, b in zip(u, v, strict=True)) for v in w] for u in x]


def gate_bits(gate_id, x, w, tau):
    return [[int(s >= t) for s, t in zip(row, tau, strict=True)] for row in gate_sum(gate_id, x, w)]


def weight_votes(gate_id, z, x):
    """q[j][i] = sum over samples of z[b][j] * e(dL/dw at x[b][i])."""
    n_out, n_in = len(z[0]), len(x[0])
    return [
        [sum(z[b][j] * gate_variation_w(gate_id, x[b][i]) for b in range(len(x))) for i in range(n_in)]
        for j in range(n_out)
    ]


def input_votes(gate_id, z, w):
    """g[b][i] = sum over outputs of z[b][j] * e(dL/dx at w[j][i])."""
    n_in = len(w[0])
    return [
        [sum(zb[j] * gate_variation_x(gate_id, w[j][i]) for j in range(len(w))) for i in range(n_in)] for zb in z
    ]


def rescale(g, s, tau, table, shift):
    """round(g * table[|s - tau|] / 2**shift), halves away from zero, kept within +-127."""

    def one(gi, si, ti):
        exact = Fraction(gi * table[min(abs(si - ti), len(table) - 1)], 2**shift)
        size = int(abs(exact) + Fraction(1, 2))
        return min(size, 127) * (1 if exact >= 0 else -1)

    return [[one(a, b, t) for a, b, t in zip(gr, sr, tau, strict=True)] for gr, sr in zip(g, s, strict=True)]


def center_votes(q, signal_sums, input_sums, n_samples):
    """q[j][i] - round(Z[j] * mean[i]), the mean of the inputs in steps of 2**-15, halves up."""
    means = [floor(Fraction(2**15 * x, n_samples) + Fraction(1, 2)) for x in input_sums]
    return [
        [v - floor(Fraction(z * mean, 2**15) + Fraction(1, 2)) for v, mean in zip(row, means, strict=True)]
        for row, z in zip(q, signal_sums, strict=True)
    ]


def flip(w, m, q, beta, eta):
    """One step of the optimizer on rows of bits; returns new bits, new accumulators and the number of flips."""
    f32 = np.float32
    new_w, new_m, flips = [], [], 0
    for wr, mr, qr, er in zip(w, m, q, eta, strict=True):
        nw, nm = [], []
        for bit, old, vote in zip(wr, mr, qr, strict=True):
            acc = f32(f32(f32(beta) * f32(old)) + f32(f32(er) * f32(vote)))
            flipped = (acc if bit else -acc) >= 1
            flips += flipped
            nw.append(bit ^ flipped)
            nm.append(f32(0) if flipped else acc)
        new_w.append(nw)
        new_m.append(nm)
    return new_w, new_m, flips


def cross_entropy_signals(scores, y, table):
    """127 * (softmax - one-hot) in integers, halves up."""
    out = []
    for row, label in zip(scores, y, strict=True):
        weights = [table[min(max(row) - s, len(table) - 1)] for s in row]
        total = sum(weights)
        out.append([(2 * 127 * v + total) // (2 * total) - 127 * (j == label) for j, v in enumerate(weights)])
    return out


def pack_levels(values, thresholds):
    return [[int(v >= t) for v, t in zip(row, thresholds, strict=True)] for row in values]


def table_value(table, bits):
    """The entry at the address that the bits spell, the first being the least significant."""
    return table[sum(bit << i for i, bit in enumerate(bits))]


def table_values(x, wires, tables):
    """Values of gates at samples; x[b] are the inputs of sample b."""
    return [[table_value(t, [xb[u] for u in w]) for w, t in zip(wires, tables, strict=True)] for xb in x]


def table_votes(z, x, wires, tables):
    """q[g][a] = sum of z[b][g] * half the change of sum e(value) when entry a of gate g goes from F to T."""
    votes = [[0] * len(t) for t in tables]
    for g, (w, t) in enumerate(zip(wires, tables, strict=True)):
        for a in range(len(t)):
            for zb, xb in zip(z, x, strict=True):
                high, low = (table_value([*t[:a], bit, *t[a + 1 :]], [xb[u] for u in w]) for bit in (1, 0))
                votes[g][a] += zb[g] * (high - low)
    return votes


def wire_votes(z, x, wires, tables):
    """v[b][u] = sum over the wires that read u of z[b][g] * half the change when that wire goes from F to T."""
    votes = [[0] * len(xb) for xb in x]
    for b, (zb, xb) in enumerate(zip(z, x, strict=True)):
        for g, (w, t) in enumerate(zip(wires, tables, strict=True)):
            for i, unit in enumerate(w):
                bits = [xb[u] for u in w]
                high, low = (table_value(t, [*bits[:i], bit, *bits[i + 1 :]]) for bit in (1, 0))
                votes[b][unit] += zb[g] * (high - low)
    return [[max(-32767, min(32767, v)) for v in row] for row in votes]


def group_sum(x, n_groups):
    size = len(x[0]) // n_groups
    return [[sum(2 * bit - 1 for bit in xb[c * size : (c + 1) * size]) for c in range(n_groups)] for xb in x]


def taps_at(i, j, shape, size, stride, padding, dilation):
    """The pixels that the window sees at place (i, j), row by row; None where it stands out of the image."""
    found = []
    for a in range(size[0]):
        for b in range(size[1]):
            y = i * stride[0] - padding[0] + a * dilation[0]
            x = j * stride[1] - padding[1] + b * dilation[1]
            found.append((y, x) if 0 <= y < shape[0] and 0 <= x < shape[1] else None)
    return found


def conv_sum(gate_id, image, weights, places, outside, **window):
    """s[i][j][o] = sum over taps and channels of e(L(w, x)); image[y][x][c] and weights[o][tap][c] are of M."""
    shape = (len(image), len(image[0]))

    def one(w, i, j):
        seen = [outside if p is None else image[p[0]][p[1]] for p in taps_at(i, j, shape, **window)]
        return sum(
            gate_value(gate_id, b, a) for wt, st in zip(w, seen, strict=True) for b, a in zip(wt, st, strict=True)
        )

    return [[[one(w, i, j) for w in weights] for j in range(places[1])] for i in range(places[0])]


def max_pool(image, size):
    """The largest of each square and the number of the first pixel that has it; image[y][x][c]."""
    best, winner = [], []
    for y in range(len(image) // size):
        for x in range(len(image[0]) // size):
            for c in range(len(image[0][0])):
                square = [image[y * size + a][x * size + b][c] for a in range(size) for b in range(size)]
                best.append(max(square))
                winner.append(square.index(max(square)))
    return best, winner
