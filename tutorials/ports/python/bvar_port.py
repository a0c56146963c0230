"""A port of Boolean variation in plain Python, without NumPy: a template, in the order of the levels.

Rows of bits are integers here, bit i being value i, so that Python's own big integers do the bit-parallel work.  A row
that may have missing values is a pair of integers: the bits, and which of them are known.
"""

import hashlib
import json
import struct
import sys
from decimal import Decimal, getcontext
from math import isqrt, sqrt

getcontext().prec = 40
PI = Decimal("3.141592653589793238462643383279502884197")
SIGNAL_MAX, GATE_SIGNAL_MAX, FULL_WEIGHT = 127, 32767, 65536


# ------------------------------------------------------------------------------------ what stands on the wire


def read_row(text):
    """Bits and known bits of a row."""
    bits = known = 0
    for i, c in enumerate(text):
        bits |= (c == "1") << i
        known |= (c != "u") << i
    return bits, known


def read_bits(rows):
    return [read_row(row)[0] for row in rows]


def write_bits(bits, n):
    return "".join("01"[bits >> i & 1] for i in range(n))


def write_logic(values):
    return "".join("0u1"[v + 1] for v in values)


def sign_of(c):
    """The embedding of one value."""
    return {"0": -1, "u": 0, "1": 1}[c]


def read_float(text):
    return struct.unpack(">d", bytes.fromhex(text))[0]


# -------------------------------------------------------------------------------- level 0: logic and variation


def gate_value(gate, a, b):
    """e(L(a, b)) on M."""
    if a == 0 or b == 0:
        return 0
    return 1 if gate >> (3 - 2 * (a > 0) - (b > 0)) & 1 else -1


def connective(gate, a, b):
    return write_logic([gate_value(gate, sign_of(v), sign_of(w)) for v, w in zip(a, b)])


def project(x):
    return write_logic([(v > 0) - (v < 0) for v in x])


def mixed(gate, a, x):
    return [gate_value(gate, sign_of(c), (v > 0) - (v < 0)) * abs(v) for c, v in zip(a, x)]


def delta(a, b):
    return write_logic([int(after) - int(before) for before, after in zip(a, b)])


def variations(table, n_inputs):
    def change(point, i):
        return int(table[point | 1 << i]) - int(table[point & ~(1 << i)])

    return [write_logic([change(point, i) for point in range(len(table))]) for i in range(n_inputs)]


# --------------------------------------------------------------------------------------------- level 1: gates


def gate_table(gate):
    return f"{gate:04b}"


def variation_in_weight(gate):
    """e(dL/dw) for e(x): -1, 0 where x is missing, and 1."""
    return {x: (gate_value(gate, 1, x) - gate_value(gate, -1, x)) // 2 for x in (-1, 0, 1)}


def variation_in_input(gate):
    """e(dL/dx) for e(w); weights are never missing."""
    return {w: (gate_value(gate, w, 1) - gate_value(gate, w, -1)) // 2 for w in (-1, 1)}


def gate_variations(gate):
    in_weight, in_input = variation_in_weight(gate), variation_in_input(gate)
    return [write_logic([in_weight[-1], in_weight[1]]), write_logic([in_input[-1], in_input[1]])]


def address(x, wires):
    """The entry that a gate looks at: the first wire is the least significant bit."""
    return sum((x >> unit & 1) << i for i, unit in enumerate(wires))


def look_up(x, wires, tables):
    """Values of all gates at one sample, as bits."""
    return sum((table >> address(x, w) & 1) << g for g, (w, table) in enumerate(zip(wires, tables)))


def table_values(x, wires, tables):
    tables = read_bits(tables)
    return [write_bits(look_up(row, wires, tables), len(wires)) for row in read_bits(x)]


# ---------------------------------------------------------------------------------------------- level 2: bits


def to_words(bits, n):
    return [bits >> start & 2**64 - 1 for start in range(0, n, 64)]


def from_words(words, n):
    bits = sum(int(word, 16) << 64 * i for i, word in enumerate(words))
    return bits & (1 << n) - 1  # what lies beyond the row is no part of it


def hex_words(bits, n):
    return [f"{word:016x}" for word in to_words(bits, n)]


def pack(rows):
    pairs = [(*read_row(row), len(row)) for row in rows]
    return [[hex_words(bits, n) for bits, _, n in pairs], [hex_words(known, n) for _, known, n in pairs]]


def unpack(words, n_bits):
    return [write_bits(from_words(row, n_bits), n_bits) for row in words]


def negate(words, n_bits):
    full = (1 << n_bits) - 1
    return [hex_words(from_words(row, n_bits) ^ full, n_bits) for row in words]


def transpose(rows, n_bits):
    return ["".join(row[i] for row in rows) for i in range(n_bits)]


def count_rows(rows):
    return [bits.bit_count() for bits in read_bits(rows)]


# ----------------------------------------------------------------------------------- level 3: sums and tables


def apply_gate(gate, w, x):
    """L(w, x) on whole rows; what is set beyond their ends is masked by who asks."""
    out = 0
    if gate & 8:
        out |= ~w & ~x
    if gate & 4:
        out |= ~w & x
    if gate & 2:
        out |= w & ~x
    if gate & 1:
        out |= w & x
    return out


def row_sum(gate, w, x, known):
    """T counts +1 and F counts -1: twice the T among the known, less their number."""
    return 2 * (apply_gate(gate, w, x) & known).bit_count() - known.bit_count()


def sums_of(gate, x, w):
    return [[row_sum(gate, weights, bits, known) for weights in w] for bits, known in x]


def gate_sum(gate, x, w):
    return sums_of(gate, [read_row(row) for row in x], read_bits(w))


def threshold(s, tau):
    """Bits of a row of sums; a tie is T."""
    return sum((v >= t) << j for j, (v, t) in enumerate(zip(s, tau)))


def gate_bits(gate, x, w, tau):
    return [write_bits(threshold(s, tau), len(tau)) for s in gate_sum(gate, x, w)]


class Window:
    """Where a window stands, and what it sees: for each place, the pixel of each tap, or None outside."""

    def __init__(self, window):
        self.height, self.width, self.channels = window["image_shape"]
        (taps_y, taps_x), (step_y, step_x) = window["size"], window["stride"]
        (pad_y, pad_x), (gap_y, gap_x) = window["padding"], window["dilation"]
        n_y = (self.height + 2 * pad_y - (taps_y - 1) * gap_y - 1) // step_y + 1
        n_x = (self.width + 2 * pad_x - (taps_x - 1) * gap_x - 1) // step_x + 1
        self.n_taps = taps_y * taps_x
        self.n_values = self.height * self.width * self.channels
        self.places = [
            [
                self._pixel(i * step_y - pad_y + a * gap_y, j * step_x - pad_x + b * gap_x)
                for a in range(taps_y)
                for b in range(taps_x)
            ]
            for i in range(n_y)
            for j in range(n_x)
        ]

    def _pixel(self, y, x):
        inside = 0 <= y < self.height and 0 <= x < self.width
        return (y * self.width + x) * self.channels if inside else None

    def patches(self, image, padding_value):
        """What each place sees, as a row: missing outside, or F if that is the padding."""
        (bits, known), pixel = image, (1 << self.channels) - 1
        for place in self.places:
            seen = seen_known = 0
            for tap, start in enumerate(place):
                if start is not None:
                    seen |= (bits >> start & pixel) << tap * self.channels
                    seen_known |= (known >> start & pixel) << tap * self.channels
                elif padding_value == -1:
                    seen_known |= pixel << tap * self.channels
            yield seen, seen_known


def conv_sum(gate, images, weights, window, padding_value):
    window, weights = Window(window), read_bits(weights)
    rows = (window.patches(read_row(image), padding_value) for image in images)
    return [[s for at in sums_of(gate, patches, weights) for s in at] for patches in rows]


def squares(image_shape, size):
    """For each square and channel the places of its values, row by row."""
    height, width, channels = image_shape
    for y in range(0, height - size + 1, size):
        for x in range(0, width - size + 1, size):
            for c in range(channels):
                yield [((y + a) * width + x + b) * channels + c for a in range(size) for b in range(size)]


def pool_one(sums, image_shape, size):
    best, winner = [], []
    for square in squares(image_shape, size):
        values = [sums[i] for i in square]
        best.append(max(values))
        winner.append(values.index(max(values)))  # the first of equals
    return best, winner


def max_pool(sums, image_shape, size):
    pairs = [pool_one(row, image_shape, size) for row in sums]
    return {"best": [best for best, _ in pairs], "winner": [winner for _, winner in pairs]}


def in_turn(n_gates, fan_in):
    """Wires of gates that read those below in turn."""
    return [range(g * fan_in, (g + 1) * fan_in) for g in range(n_gates)]


def read_trees(wires, tables):
    """Wires and tables of each level, from the leaves to the root."""
    above = [in_turn(len(rows), len(wires[0])) for rows in tables[1:]]
    return list(zip([wires, *above], tables))


def climb_trees(trees, images, window):
    """What each level reads, at each place of each image, and at last what the roots answer; outside is F."""
    rows = [[bits for image in images for bits, _ in window.patches(image, -1)]]
    for wires, tables in trees:
        rows.append([look_up(bits, wires, tables) for bits in rows[-1]])
    return rows


def side_by_side(answers, n_filters, n_places):
    """The answers of all places of an image as one row."""
    images = by_place(answers, n_places)
    return [sum(bits << place * n_filters for place, bits in enumerate(image)) for image in images]


def tree_values(images, wires, tables, window):
    window, trees = Window(window), read_trees(wires, [read_bits(rows) for rows in tables])
    n_filters, n_places = len(tables[-1]), len(window.places)
    answers = climb_trees(trees, [read_row(image) for image in images], window)[-1]
    return [write_bits(row, n_filters * n_places) for row in side_by_side(answers, n_filters, n_places)]


def any_of(bits, image_shape, size):
    """The "or" of each square."""
    return sum(any(bits >> i & 1 for i in square) << at for at, square in enumerate(squares(image_shape, size)))


def or_pool(x, image_shape, size):
    n = len(list(squares(image_shape, size)))
    return [write_bits(any_of(bits, image_shape, size), n) for bits in read_bits(x)]


def group_scores(bits, n_bits, n_groups):
    size = n_bits // n_groups
    mask = (1 << size) - 1
    return [2 * (bits >> c * size & mask).bit_count() - size for c in range(n_groups)]


def group_sum(x, n_groups):
    return [group_scores(read_row(row)[0], len(row), n_groups) for row in x]


def round_away(numerator, denominator):
    """Halves away from zero, kept within +-127."""
    size = min((2 * abs(numerator) + denominator) // (2 * denominator), SIGNAL_MAX)
    return size if numerator >= 0 else -size


def rescale(g, s, tau, table, shift):
    def weight(v, t):
        return table[min(abs(v - t), len(table) - 1)]

    return [[round_away(a * weight(v, t), 1 << shift) for a, v, t in zip(gr, sr, tau)] for gr, sr in zip(g, s)]


def until_zero(entry):
    table = []
    while not table or table[-1]:
        table.append(int((2**20 * entry(len(table))).to_integral_value()))
    return table


def loss_table(fan_in, temperature):
    scale = Decimal(read_float(temperature)) * Decimal(fan_in).sqrt()
    return until_zero(lambda d: (-d / scale).exp())


def threshold_table(fan_in, fan_out, gate, next_gate):
    mean = Decimal(2 * gate.bit_count() - 4) / 4
    share = Decimal(sum(map(abs, variation_in_input(next_gate).values()))) / 2
    alpha = PI / (2 * (3 * fan_in * (1 - mean**2)).sqrt())
    scale = (2 / (fan_out * share)).sqrt()

    def entry(d):
        step = (-2 * alpha * d).exp()
        return scale * 4 * step / (1 + step) ** 2

    return until_zero(entry)


def cross_entropy(scores, y, table):
    signals = []
    for row, label in zip(scores, y):
        weights = [table[min(max(row) - s, len(table) - 1)] for s in row]
        total = sum(weights)
        shares = [(2 * SIGNAL_MAX * v + total) // (2 * total) for v in weights]
        shares[label] -= SIGNAL_MAX
        signals.append(shares)
    return signals


def squared_error(scores, y, scale):
    return [[round_away(SIGNAL_MAX * (s - t), scale) for s, t in zip(*rows)] for rows in zip(scores, y)]


# --------------------------------------------------------------------------------------------- level 4: votes


def factors(change, bits, known, n):
    """e of the variation at each value of a row, 0 where it is missing."""
    return [change[2 * (bits >> i & 1) - 1] if known >> i & 1 else 0 for i in range(n)]


def votes_on_weights(gate, z, x, n_outputs, n_inputs):
    change = variation_in_weight(gate)
    q = [[0] * n_inputs for _ in range(n_outputs)]
    for signals, (bits, known) in zip(z, x):
        changes = factors(change, bits, known, n_inputs)
        for row, signal in zip(q, signals):
            for i, d in enumerate(changes):
                row[i] += signal * d
    return q


def weight_votes(gate, z, x, n_outputs, n_inputs):
    return votes_on_weights(gate, z, [read_row(row) for row in x], n_outputs, n_inputs)


def votes_on_inputs(gate, z, w, n_inputs):
    change, full = variation_in_input(gate), (1 << n_inputs) - 1
    rows = [factors(change, weights, full, n_inputs) for weights in w]
    return [[sum(s * row[i] for s, row in zip(signals, rows)) for i in range(n_inputs)] for signals in z]


def input_votes(gate, z, w):
    return votes_on_inputs(gate, z, read_bits(w), len(w[0]))


def center_votes(q, signal_sums, input_sums, n_samples):
    means = [((x << 16) + n_samples) // (2 * n_samples) for x in input_sums]
    return [[v - (total * m + 2**14 >> 15) for v, m in zip(row, means)] for row, total in zip(q, signal_sums)]


def by_place(row, n_filters):
    return [row[i : i + n_filters] for i in range(0, len(row), n_filters)]


def conv_weight_votes(gate, z, images, n_filters, window, padding_value):
    window = Window(window)
    signals = [at for row in z for at in by_place(row, n_filters)]
    patches = [patch for image in images for patch in window.patches(read_row(image), padding_value)]
    return votes_on_weights(gate, signals, patches, n_filters, window.n_taps * window.channels)


def add_to_pixels(patches, window):
    """Votes on what each place sees go to the pixels that it is."""
    image = [0] * window.n_values
    for place, patch in zip(window.places, patches):
        for tap, start in enumerate(place):
            for c in range(window.channels if start is not None else 0):
                image[start + c] += patch[tap * window.channels + c]
    return image


def votes_on_pixels(gate, z, w, window):
    n_patch = window.n_taps * window.channels
    patches = (votes_on_inputs(gate, by_place(row, len(w)), w, n_patch) for row in z)
    return [add_to_pixels(patch, window) for patch in patches]


def pixel_votes(gate, z, weights, window):
    return votes_on_pixels(gate, z, read_bits(weights), Window(window))


def unpool(z, winner, image_shape, size):
    height, width, channels = image_shape
    out = [0] * (height * width * channels)
    for square, signal, tap in zip(squares(image_shape, size), z, winner):
        out[square[tap]] = signal
    return out


def pool_back(z, winner, image_shape, size):
    return [unpool(*rows, image_shape, size) for rows in zip(z, winner)]


def votes_on_tables(z, x, wires):
    votes = [[0] * (1 << len(w)) for w in wires]
    for signals, bits in zip(z, x):
        for row, signal, w in zip(votes, signals, wires):
            row[address(bits, w)] += signal
    return votes


def table_votes(z, x, wires):
    return votes_on_tables(z, read_bits(x), wires)


def cut(votes):
    return [max(-GATE_SIGNAL_MAX, min(GATE_SIGNAL_MAX, v)) for v in votes]


def votes_on_units(z, x, wires, tables, n_units):
    votes = []
    for signals, bits in zip(z, x):
        row = [0] * n_units
        for signal, w, table in zip(signals, wires, tables):
            at = address(bits, w)
            for i, unit in enumerate(w):
                high, low = table >> (at | 1 << i) & 1, table >> (at & ~(1 << i)) & 1
                row[unit] += signal * (high - low)
        votes.append(cut(row))
    return votes


def wire_votes(z, x, wires, tables):
    return votes_on_units(z, read_bits(x), wires, read_bits(tables), len(x[0]))


def votes_on_candidates(z, x, wires, tables, candidates):
    """A row for each wire: what the answers would change by if it alone read another unit."""
    votes = []
    for g, (w, table) in enumerate(zip(wires, tables)):
        for i, units in enumerate(candidates[g]):
            row = [0] * len(units)
            for signals, bits in zip(z, x):
                at = address(bits, w)
                for j, unit in enumerate(units):
                    other = at & ~(1 << i) | (bits >> unit & 1) << i
                    row[j] += signals[g] * ((table >> other & 1) - (table >> at & 1))
            votes.append(row)
    return votes


def candidate_votes(z, x, wires, tables, candidates):
    return votes_on_candidates(z, read_bits(x), wires, read_bits(tables), candidates)


def votes_by_looks(z, x, wires, n_places):
    """What each sample would gain by an entry, over the square of its looks, in units of 1/64, halves up."""
    votes = [[0] * (1 << len(w)) for w in wires]
    for signals, places in zip(by_place(z, n_places), by_place(x, n_places)):
        gains = votes_on_tables(signals, places, wires)
        looks = votes_on_tables([[1] * len(wires)] * n_places, places, wires)
        for row, gain, look in zip(votes, gains, looks):
            for a, n in enumerate(look):
                row[a] += (128 * gain[a] + n * n) // (2 * n * n) if n else 0
    return votes


def descend_trees(z, trees, rows, window):
    """Votes on the tables of each level, and on what each place sees, cut; each gate of a tree is read once."""
    widths = [window.n_taps * window.channels, *(len(wires) for wires, _ in trees)]
    z, votes, n_places = [at for row in z for at in by_place(row, widths[-1])], [], len(window.places)
    for (wires, tables), x, n_units in reversed(list(zip(trees, rows, widths))):
        votes.insert(0, votes_by_looks(z, x, wires, n_places))
        z = votes_on_units(z, x, wires, tables, n_units)
    return votes, z


def votes_of_trees(z, images, wires, tables, window):
    trees = read_trees(wires, [read_bits(level) for level in tables])
    rows = climb_trees(trees, [read_row(image) for image in images], window)
    return descend_trees(z, trees, rows, window)


def tree_table_votes(z, images, wires, tables, window):
    return votes_of_trees(z, images, wires, tables, Window(window))[0]


def from_windows(patches, window):
    """Sums over the windows that see a pixel, cut as well."""
    return [cut(add_to_pixels(image, window)) for image in by_place(patches, len(window.places))]


def tree_pixel_votes(z, images, wires, tables, window):
    window = Window(window)
    return from_windows(votes_of_trees(z, images, wires, tables, window)[1], window)


def to_the_only(z, bits, image_shape, size):
    """A signal goes to the pixels of its square all of whose others are F."""
    height, width, channels = image_shape
    out = [0] * (height * width * channels)
    for square, signal in zip(squares(image_shape, size), z):
        n_true = sum(bits >> i & 1 for i in square)
        for i in square:
            out[i] = signal if n_true == bits >> i & 1 else 0
    return out


def or_pool_back(z, x, image_shape, size):
    return [to_the_only(row, bits, image_shape, size) for row, bits in zip(z, read_bits(x))]


def scale_signals(g, fan_out):
    k = (isqrt(2**43 // fan_out) + 1) // 2  # round(2**20 * sqrt(2 / fan_out))
    sizes = [[min(abs(v) * k + 2**19 >> 20, GATE_SIGNAL_MAX) for v in row] for row in g]
    return [[size if v >= 0 else -size for v, size in zip(*rows)] for rows in zip(g, sizes)]


# ------------------------------------------------------------------------------------- level 5: the optimizer

BAR = 4096  # evidence that flips a weight, in the units of accumulators


def vote_norms(q):
    return [sum(map(abs, row)) for row in q]


def units_of(eta):
    """Units of 2**-40 of the bar, halves to even, up to eight bars."""
    return min(round(min(eta, 8.0) * 2**40), 2**43 - 1)


def rates(q, eta, clip):
    eta = units_of(eta)
    if clip == float("inf"):
        return [eta] * len(q)
    bounds = [int(min(2**40 * (clip * sqrt(len(row))), 2**62)) for row in q]
    return [min(eta, bound // max(norm, 1)) for bound, norm in zip(bounds, vote_norms(q))]


def clipped_eta(q, eta, clip):
    return rates(q, read_float(eta), read_float(clip))


def flip_row(bits, m, q, beta, eta, rest):
    """New bits of one row, whose accumulators change, the number of flips, and the rest of the next row."""
    flips, eta = 0, eta if eta < 2**25 else eta & -(2**13)
    most = (2**43 - 1) // max(eta, 1)
    for i, vote in enumerate(q):
        total = 2**13 * (beta * m[i] + rest) + eta * max(-most, min(most, vote))
        m[i] = max(-32767, min(32767, total >> 28))
        rest = (rest + 27893) % 2**15
        if (m[i] if bits >> i & 1 else -m[i]) >= BAR:
            bits, flips, m[i] = bits ^ 1 << i, flips + 1, 0
    return bits, flips, rest


def flip(w, m, q, beta, eta, dither):
    m, flips, rows = [list(row) for row in m], 0, []
    for text, row, votes, rate in zip(w, m, q, eta):
        bits, flipped, dither = flip_row(read_row(text)[0], row, votes, beta, rate, dither)
        rows.append(write_bits(bits, len(text)))
        flips += flipped
    return {"w": rows, "m": m, "flips": flips}


class Parameter:
    """Bits of weights, and what the optimizer remembers of them."""

    def __init__(self, rows, n_places=1, is_clipped=True):
        self.n_bits, self.unit, self.is_clipped = len(rows[0]), sqrt(n_places), is_clipped
        self.rows = read_bits(rows)
        self.m = [[0] * self.n_bits for _ in rows]
        self.beta, self.age = 2**15, 0

    def step(self, q, eta, clip, n_samples):
        eta = eta / (SIGNAL_MAX * n_samples) / self.unit
        clip = clip if self.is_clipped else float("inf")
        flips, rest = 0, 20251 * self.age % 2**15
        for j, (votes, rate) in enumerate(zip(q, rates(q, eta, clip))):
            self.rows[j], flipped, rest = flip_row(self.rows[j], self.m[j], votes, self.beta, rate, rest)
            flips += flipped
        n_weights = len(self.rows) * self.n_bits
        self.beta = (2**15 * (n_weights - flips) + n_weights // 2) // n_weights
        self.age += 1
        return flips

    def packed(self):
        rows = [to_words(row, self.n_bits) for row in self.rows]
        shape = struct.pack("<2Q", len(self.rows), self.n_bits)
        return shape + b"".join(struct.pack(f"<{len(words)}Q", *words) for words in rows)


def optimize(w, votes, n_samples, eta, clip):
    parameter, flips, beta = Parameter(w), [], []
    for q, n, rate in zip(votes, n_samples, eta):
        flips.append(parameter.step(q, read_float(rate), read_float(clip), n) if n else 0)
        beta.append(parameter.beta)
    rows = [write_bits(row, parameter.n_bits) for row in parameter.rows]
    return {"w": rows, "m": parameter.m, "flips": flips, "beta": beta}


class Offset:
    """Integers that are added to sums, and the parts of a step that wait."""

    def __init__(self, values, rate, n_terms):
        self.values, self.n_terms = list(values), n_terms
        self.reach = int(2**20 * (read_float(rate) * sqrt(n_terms)))
        self.m = [0] * len(values)

    def move(self, q, eta):
        """Whole steps are taken at once, and the rest waits, in units of 2**-24."""
        eta, moved = units_of(eta), 0
        for i, vote in enumerate(q):
            u = max(-(2**40), min(2**40, eta * vote)) + 2**15 >> 16
            left = self.m[i] - (u * self.reach + 2**19 >> 20)
            whole = abs(left) // 2**24 * (1 if left > 0 else -1)
            self.m[i] = left - whole * 2**24
            before, after = self.values[i], max(-self.n_terms, min(self.n_terms, self.values[i] + whole))
            self.values[i] = after
            moved += before != after
        return moved

    def step(self, q, eta, clip, n_samples):
        return self.move(q, eta / (SIGNAL_MAX * n_samples))

    def packed(self):
        return struct.pack(f"<Q{len(self.values)}i", len(self.values), *self.values)


def move_offsets(o, m, q, eta, rate, n_terms):
    offset = Offset(o, rate, n_terms)
    offset.m = list(m)
    moved = offset.move(q, read_float(eta))
    return {"o": offset.values, "m": offset.m, "moved": moved}


class Choice:
    """Which candidate each wire reads, and what the optimizer remembers of all."""

    def __init__(self, chosen, n_candidates, rate):
        self.chosen, self.n_candidates, self.rate = list(chosen), n_candidates, rate
        self.m = [[0] * n_candidates for _ in chosen]
        self.beta, self.age = 2**15, 0

    def move(self, q, eta, rest):
        """Candidates are F, and ask by a flip; the wire begins anew with the loudest, of equals the first."""
        moved = 0
        for wire, votes in enumerate(q):
            asking, _, rest = flip_row(0, self.m[wire], votes, self.beta, eta, rest)
            if asking:
                self.chosen[wire] = min((v, j) for j, v in enumerate(votes) if asking >> j & 1)[1]
                self.m[wire] = [0] * len(votes)
                moved += 1
        return moved

    def step(self, q, eta, clip, n_samples):
        moved = self.move(q, units_of(eta / (SIGNAL_MAX * n_samples) * self.rate), 20251 * self.age % 2**15)
        n = len(self.chosen) * self.n_candidates
        self.beta = (2**15 * (n - moved) + n // 2) // n
        self.age += 1
        return moved

    def packed(self):
        return struct.pack("<2Q", len(self.chosen), self.n_candidates) + bytes(self.chosen)


def move_wires(chosen, m, q, beta, eta, dither):
    choice = Choice(chosen, len(m[0]), 1.0)
    choice.m, choice.beta = [list(row) for row in m], beta
    moved = choice.move(q, eta, dither)
    return {"chosen": choice.chosen, "m": choice.m, "moved": moved}


# ------------------------------------------------------------------------------------------ level 6: training
# A layer remembers its input between forward and backward.  Bits of a sample are a pair (bits, known) on the way.


class Sums:
    """What linear layers and convolutions share: weights, and perhaps a bias."""

    def __init__(self, layer, n_places):
        self.gate = layer["gate"]
        self.weight = Parameter(layer["weight"], n_places)
        self.bias = None if layer["bias"] is None else Parameter([layer["bias"]], n_places)
        self.parameters = [self.weight, self.bias] if self.bias else [self.weight]

    def sums(self, x):
        n = len(self.weight.rows)
        bias = [2 * (self.bias.rows[0] >> j & 1) - 1 for j in range(n)] if self.bias else [0] * n
        return [[s + b for s, b in zip(row, bias)] for row in sums_of(self.gate, x, self.weight.rows)]

    def votes_at(self, z, x):
        q = votes_on_weights(self.gate, z, x, len(self.weight.rows), self.weight.n_bits)
        return [q, [[sum(column) for column in zip(*z)]]][: 2 if self.bias else 1]


class Linear(Sums):
    def __init__(self, layer):
        super().__init__(layer, 1)
        self.centered, self.offset = layer["centered"], None
        if layer.get("offset") is not None:
            self.offset = Offset(layer["offset"], layer["offset_rate"], self.weight.n_bits)
            self.parameters = [*self.parameters, self.offset]

    def forward(self, x):
        self.x = x
        sums = self.sums(x)
        return [[s + o for s, o in zip(row, self.offset.values)] for row in sums] if self.offset else sums

    def backward(self, z):
        return votes_on_inputs(self.gate, z, self.weight.rows, self.weight.n_bits)

    def votes(self, z):
        votes = self.votes_at(z, self.x)
        if self.centered:
            change, n = variation_in_weight(self.gate), self.weight.n_bits
            totals = [sum(column) for column in zip(*(factors(change, *row, n) for row in self.x))]
            votes[0] = center_votes(votes[0], [sum(column) for column in zip(*z)], totals, len(z))
        return [*votes, [sum(signals) for signals in zip(*z)]] if self.offset else votes


class Conv(Sums):
    def __init__(self, layer):
        self.window, self.padding_value = Window(layer["window"]), layer["padding_value"]
        super().__init__(layer, len(self.window.places))

    def forward(self, x):
        self.patches = [list(self.window.patches(image, self.padding_value)) for image in x]
        return [[s for at in self.sums(patches) for s in at] for patches in self.patches]

    def backward(self, z):
        return votes_on_pixels(self.gate, z, self.weight.rows, self.window)

    def votes(self, z):
        signals = [at for row in z for at in by_place(row, len(self.weight.rows))]
        return self.votes_at(signals, [patch for patches in self.patches for patch in patches])


class MaxPool:
    parameters = ()

    def __init__(self, layer):
        self.image_shape, self.size = layer["image_shape"], layer["size"]

    def forward(self, x):
        pairs = [pool_one(row, self.image_shape, self.size) for row in x]
        self.winner = [winner for _, winner in pairs]
        return [best for best, _ in pairs]

    def backward(self, z):
        return pool_back(z, self.winner, self.image_shape, self.size)


class Threshold:
    parameters = ()

    def __init__(self, layer):
        self.tau, self.table, self.shift = layer["tau"], layer["table"], layer["shift"]
        self.n_outputs = len(self.tau)

    def forward(self, x):
        self.s = x
        return [(threshold(row, self.tau), (1 << len(row)) - 1) for row in x]

    def backward(self, z):
        return rescale(z, self.s, self.tau, self.table, self.shift)


class Gates:
    def __init__(self, layer):
        self.wires, self.table = layer["wires"], Parameter(layer["tables"])
        self.table.is_clipped = layer.get("is_clipped", True)
        self.n_outputs = len(self.wires)
        self.parameters = [self.table]
        self.candidates = layer.get("candidates")
        if self.candidates:  # the first of each wire is read in the beginning
            n_wires, n_candidates = len(self.wires) * len(self.wires[0]), len(self.candidates[0][0])
            self.choice = Choice([0] * n_wires, n_candidates, read_float(layer["wire_rate"]))
            self.parameters.append(self.choice)

    def forward(self, x):
        if self.candidates:
            chosen = iter(self.choice.chosen)
            self.wires = [[units[next(chosen)] for units in gate] for gate in self.candidates]
        self.x = [bits for bits, _ in x]
        self.n_units = x[0][1].bit_length()
        full = (1 << len(self.wires)) - 1
        return [(look_up(bits, self.wires, self.table.rows), full) for bits in self.x]

    def backward(self, z):
        return votes_on_units(z, self.x, self.wires, self.table.rows, self.n_units)

    def votes(self, z):
        on_tables = votes_on_tables(z, self.x, self.wires)
        if not self.candidates:
            return [on_tables]
        return [on_tables, votes_on_candidates(z, self.x, self.wires, self.table.rows, self.candidates)]


class GateConv:
    def __init__(self, layer):
        self.wires, self.window = layer["wires"], Window(layer["window"])
        self.parameters = [Parameter(rows, is_clipped=False) for rows in layer["tables"]]
        for table in self.parameters:
            table.unit = 64 * layer["damping"]  # votes come in units of their own, divided by looks
        self.n_filters = len(layer["tables"][-1])
        self.n_outputs = len(self.window.places) * self.n_filters

    def forward(self, x):
        self.trees = read_trees(self.wires, [table.rows for table in self.parameters])
        self.rows = climb_trees(self.trees, x, self.window)
        full = (1 << self.n_outputs) - 1
        return [(bits, full) for bits in side_by_side(self.rows[-1], self.n_filters, len(self.window.places))]

    def backward(self, z):
        return from_windows(descend_trees(z, self.trees, self.rows, self.window)[1], self.window)

    def votes(self, z):
        return descend_trees(z, self.trees, self.rows, self.window)[0]


class OrPool:
    parameters = ()

    def __init__(self, layer):
        self.image_shape, self.size = layer["image_shape"], layer["size"]
        self.n_outputs = len(list(squares(self.image_shape, self.size)))

    def forward(self, x):
        self.x, full = [bits for bits, _ in x], (1 << self.n_outputs) - 1
        return [(any_of(bits, self.image_shape, self.size), full) for bits in self.x]

    def backward(self, z):
        return [to_the_only(row, bits, self.image_shape, self.size) for row, bits in zip(z, self.x)]


class GroupSum:
    parameters = ()

    def __init__(self, layer):
        self.n_groups = layer["n_groups"]

    def forward(self, x):
        self.n_bits = x[0][1].bit_length()
        return [group_scores(bits, self.n_bits, self.n_groups) for bits, _ in x]

    def backward(self, z):
        return [[signal for signal in row for _ in range(self.n_bits // self.n_groups)] for row in z]


class Add:
    """Branches that see the same bits: their sums add up, and a signal on the total is a signal on each."""

    def __init__(self, layer):
        self.branches = [read_layers(branch, layer["n_inputs"]) for branch in layer["branches"]]
        self.parameters = [p for branch in self.branches for below in branch for p in below.parameters]

    def forward(self, x):
        return add_up([climb(branch, x) for branch in self.branches])

    def backward(self, z):
        return add_up([branch[0].backward(descend(branch, z)[0]) for branch in self.branches])

    def votes(self, z):
        return [q for branch in self.branches for q in descend(branch, z)[1]]


class Concatenate:
    """What inner layers make stands behind what they see; they see F where an input is missing."""

    def __init__(self, layer):
        self.n_inputs, self.layers = layer["n_inputs"], read_layers(layer["layers"], layer["n_inputs"])
        self.n_outputs = self.n_inputs + self.layers[-1].n_outputs
        self.parameters = [p for below in self.layers for p in below.parameters]

    def forward(self, x):
        n = self.n_inputs
        made = climb(self.layers, [(bits, (1 << n) - 1) for bits, _ in x])
        return [(bits | more << n, known | all_ << n) for (bits, known), (more, all_) in zip(x, made)]

    def below(self, z):
        return descend(self.layers, [row[self.n_inputs :] for row in z])

    def backward(self, z):
        return add_up([[row[: self.n_inputs] for row in z], self.layers[0].backward(self.below(z)[0])])

    def votes(self, z):
        return self.below(z)[1]


class SignalScale:
    parameters = ()

    def __init__(self, layer):
        self.fan_out, self.n_outputs = layer["fan_out"], layer["n_inputs"]

    def forward(self, x):
        return x

    def backward(self, z):
        return scale_signals(z, self.fan_out)


def add_up(matrices):
    return [[sum(column) for column in zip(*rows)] for rows in zip(*matrices)]


LAYERS = {
    "add": Add,
    "concatenate": Concatenate,
    "signal_scale": SignalScale,
    "linear": Linear,
    "conv": Conv,
    "max_pool": MaxPool,
    "threshold": Threshold,
    "gate": Gates,
    "gate_conv": GateConv,
    "or_pool": OrPool,
    "group_sum": GroupSum,
}


def read_layers(layers, n_inputs):
    """Layers, each told how many bits it sees; what makes sums has no `n_outputs`, for a threshold tells it."""
    made = []
    for layer in layers:
        made.append(LAYERS[layer["type"]]({**layer, "n_inputs": n_inputs}))
        n_inputs = getattr(made[-1], "n_outputs", n_inputs)
    return made


def climb(layers, value):
    for layer in layers:
        value = layer.forward(value)
    return value


def descend(layers, signal):
    """The signal that reaches the first layer, and the votes on all parameters in their order."""
    votes = []
    for layer in reversed(layers):
        if layer.parameters:
            votes = layer.votes(signal) + votes
        if layer is not layers[0]:
            signal = layer.backward(signal)
    return signal, votes


def weighted(signals, weight):
    """Signals of a sample that counts for less than one, halves away from zero."""
    return [round_away(z * weight, FULL_WEIGHT) for z in signals]


def train_step(layers, batch, x, network, eta):
    """Forward, back, and only then the flips: all votes are those of the weights before the step."""
    weights = [network.get("sample_weight", [FULL_WEIGHT] * len(x))[i] for i in batch]
    if not sum(weights):
        return 0
    scores = climb(layers, [x[i] for i in batch])
    signal = cross_entropy(scores, [network["y"][i] for i in batch], network["loss_table"])
    votes = descend(layers, [weighted(row, weight) for row, weight in zip(signal, weights)])[1]
    parameters = [parameter for layer in layers for parameter in layer.parameters]
    n_samples, clip = sum(weights) / FULL_WEIGHT, read_float(network["clip"])
    return sum(parameter.step(q, eta, clip, n_samples) for parameter, q in zip(parameters, votes))


def fingerprint(parameters):
    digest = hashlib.sha256()
    for parameter in parameters:
        digest.update(parameter.packed())
    return digest.hexdigest()


def train(network, batches, eta, checkpoints):
    layers = read_layers(network["layers"], len(network["x"][0]))
    x = [read_row(row) for row in network["x"]]
    flips, prints = [], []
    for step, (batch, rate) in enumerate(zip(batches, eta), start=1):
        flips.append(train_step(layers, batch, x, network, read_float(rate)))
        if step in checkpoints:
            prints.append(fingerprint([p for layer in layers for p in layer.parameters]))
    return {"flips": flips, "fingerprints": prints}


# ------------------------------------------------------------------------------------------------ the protocol

FUNCTIONS = [
    connective, project, mixed, delta, variations,
    gate_table, gate_variations, table_values,
    pack, unpack, negate, transpose, count_rows,
    gate_sum, gate_bits, conv_sum, max_pool, tree_values, or_pool, group_sum, rescale,
    loss_table, threshold_table, cross_entropy, squared_error,
    weight_votes, input_votes, center_votes, conv_weight_votes, pixel_votes, pool_back, table_votes, wire_votes,
    candidate_votes, tree_table_votes, tree_pixel_votes, or_pool_back, scale_signals,
    vote_norms, clipped_eta, flip, optimize, move_offsets, move_wires,
    train,
]  # fmt: skip


def main():
    """Answer one line for each line, until the input ends."""
    by_name = {function.__name__: function for function in FUNCTIONS}
    for line in sys.stdin:
        request = json.loads(line)
        answer = {"id": request["id"]}
        if request["function"] in by_name:
            answer["result"] = by_name[request["function"]](**request["arguments"])
        else:
            answer["error"] = "unsupported"
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
