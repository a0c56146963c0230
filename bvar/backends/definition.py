"""The NumPy backend: the definition of every hot operation, complete on its own; porters begin here.

`bvar.kernels` checks arguments and gives memory; what an operation means is said here, in NumPy, and every other
backend and port gives the same integers.  `bvar.backends.protocol` has the formula and the shapes of each.

Reading order: `unpack_signs`, then `xor_count`, on which the forward pass stands, then `signed_sum`, on which both
votes stand, then `flip`; `vote_and_flip` is the step of a layer from its signals on.  Two facts make it fast *and*
exact (``docs/explanation/exactness.md``):

* with operands +1 and -1, ``popcount(x xor w) = (n - x . w) / 2``, so a matrix product counts disagreements;
* float32 holds every integer up to 2**24, so a float32 product of signs and int8 signals equals the integer
  sum, bit for bit and in any order of summation, while (terms) * (largest product) <= 2**24.  Longer sums
  are cut into blocks and added as integers.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bvar.backends.protocol import BAR, MAX_ETA, MAX_M, Backend
from bvar.bits import WORD, tail_mask
from bvar.bits.windows import SlidingWindow

EXACT = 2**24  # float32 represents every integer of magnitude up to this one
INT8_MAGNITUDE = 128  # of the lowest int8; the losses stop at 127, a caller of the kernels need not
_BLOCK = 2**22  # elements of an unpacked block: 16 MiB of float32


class NumpyBackend(Backend):
    """Readable, vectorised, complete; see `bvar.kernels` for the validated entry points."""

    name = "numpy"

    def with_threads(self, n_threads: int) -> NumpyBackend:
        """Return self: NumPy's own linear algebra decides about threads."""
        return self

    def pack(self, values: np.ndarray, out: np.ndarray) -> None:
        """Pack Booleans, least significant bit first."""
        as_bytes = np.zeros((len(out), out.shape[1] * 8), np.uint8)
        packed = np.packbits(values, axis=1, bitorder="little")
        as_bytes[:, : packed.shape[1]] = packed
        out[...] = as_bytes.view("<u8")

    def pack_threshold(
        self, values: np.ndarray, thresholds: np.ndarray, known: np.ndarray, out: np.ndarray
    ) -> int:
        """Compare numbers and pack the answers; NaN is none."""
        missing = np.isnan(values)
        self.pack(values >= thresholds, out)
        self.pack(~missing, known)
        return int(np.count_nonzero(missing))

    def unpack(self, words: np.ndarray, out: np.ndarray) -> None:
        """Unpack to Booleans."""
        out[...] = _unpack(words, out.shape[1])

    def transpose(self, words: np.ndarray, out: np.ndarray) -> None:
        """Transpose a matrix of bits."""
        self.pack(np.ascontiguousarray(_unpack(words, len(out)).T), out)

    def count_rows(self, words: np.ndarray, out: np.ndarray) -> None:
        """Count the T of each row."""
        out[...] = np.bitwise_count(words).sum(axis=1, dtype=np.int32)

    def prepare(self, w: np.ndarray) -> np.ndarray:
        """Keep the rows as they are: blocks of them are unpacked when they are needed."""
        return w

    def gate_sum(
        self, x: np.ndarray, w: np.ndarray, row: np.ndarray, col: np.ndarray, scale: int, out: np.ndarray
    ) -> None:
        """Row + col + scale * popcount(x xor w)."""
        np.multiply(xor_count(x, w), np.int32(scale), out=out)
        out += row[:, None]
        out += col

    def gate_bits(
        self, x: np.ndarray, w: np.ndarray, row: np.ndarray, col: np.ndarray, scale: int, out: np.ndarray
    ) -> None:
        """Threshold the gate sums at zero."""
        s = np.empty((len(x), len(w)), np.int32)
        self.gate_sum(x, w, row, col, scale, s)
        self.pack(s >= 0, out)

    def prepare_rows(self, w: np.ndarray) -> np.ndarray:
        """Keep the rows as they are."""
        return w

    def row_sums(self, x: np.ndarray, rows: np.ndarray, out: np.ndarray) -> None:
        """Sum the numbers of each row with the signs of the bits; float64 holds these sums exactly."""
        step = max(1, _BLOCK // max(1, x.shape[1]))
        for start in range(0, len(rows), step):
            signs = unpack_signs(rows[start : start + step], x.shape[1])
            out[:, start : start + step] = x.astype(np.float64) @ signs.T.astype(np.float64)

    def quantize_rows(self, x: np.ndarray, scales: np.ndarray, out: np.ndarray, steps: np.ndarray) -> None:
        """Round to integers of which no four neighbours exceed 255: to 253, and rounding adds at most 2."""
        with np.errstate(all="ignore"):  # what is not finite is looked for in the sums
            v = x * scales
            sizes = np.zeros((len(x), -(-x.shape[1] // 4) * 4), np.float32)
            sizes[:, : x.shape[1]] = np.abs(v)
            a, b, c, d = (sizes[:, i::4] for i in range(4))
            sums = a + b + c + d
            largest = sums.max(axis=1, initial=0)
            finite, usable = np.isfinite(sums).all(axis=1), largest >= np.float32(2.0**-100)
            steps[:] = np.where(finite, np.where(usable, largest / np.float32(253), 0), np.nan)
            factor = np.where(finite & usable, np.float32(253) / largest, np.float32(0))
            out[...] = np.rint(np.where(finite[:, None], v, 0) * factor[:, None])

    def signed_sum(self, z: np.ndarray, words: np.ndarray, out: np.ndarray) -> None:
        """Sum the signals z with the signs of the bits."""
        out[...] = 0
        step = max(1, min(EXACT // INT8_MAGNITUDE, _BLOCK // max(1, out.shape[1])))
        for k in range(0, len(words), step):
            signs = unpack_signs(words[k : k + step], out.shape[1])
            out += (z[:, k : k + step].astype(np.float32) @ signs).astype(np.int32)

    def rescale(
        self, g: np.ndarray, s: np.ndarray, tau: np.ndarray, curve: np.ndarray, shift: int, out: np.ndarray
    ) -> None:
        """Multiply g by the surrogate at the distance from the threshold, and round to int8."""
        distance = np.minimum(np.abs(s.astype(np.int64) - tau), len(curve) - 1)
        product = g.astype(np.int64) * curve[distance]
        rounded = (np.abs(product) + (1 << shift >> 1)) >> shift
        np.multiply(np.minimum(rounded, 127), np.sign(product), out=out, casting="unsafe")

    def scale_signals(self, g: np.ndarray, factor: int, shift: int, out: np.ndarray) -> None:
        """Scale, round, turn: a product of 32 and 21 bits, and half a unit of its point, are exact in float64."""
        scaled = g.T * (factor / 2**shift)
        scaled += np.copysign(0.5, scaled)
        out[...] = np.clip(scaled, -32767, 32767, out=scaled)  # which cuts fractions off

    def center_votes(self, q: np.ndarray, row: np.ndarray, col: np.ndarray, shift: int, out: np.ndarray) -> None:
        """Subtract the rounded product of a column and a row."""
        product = np.multiply.outer(row.astype(np.int64), col.astype(np.int64))
        np.subtract(q, (product + (1 << shift >> 1)) >> shift, out=out, casting="unsafe")

    def add_votes(self, a: np.ndarray, b: np.ndarray, out: np.ndarray) -> bool:
        """Add; a sum does not fit where both terms have a sign that it has not."""
        total = a + b
        wrapped = bool(((total ^ a) & (total ^ b) < 0).any())
        out[...] = total
        return wrapped

    def vote_norms(self, q: np.ndarray, out: np.ndarray) -> None:
        """Sum of magnitudes of each row."""
        out[...] = np.abs(q.astype(np.int64)).sum(axis=1)

    def flip(
        self, words: np.ndarray, m: np.ndarray, q: np.ndarray, beta: int, eta: np.ndarray, dither: int
    ) -> int:
        """Accumulate, and where the evidence reaches the bar flip and begin again."""
        accumulate(m, q, beta, eta, dither)
        flipped = np.where(_unpack(words, m.shape[1]), m, -m) >= BAR
        m[flipped] = 0
        mask = np.empty_like(words)
        self.pack(flipped, mask)
        words ^= mask
        return int(np.count_nonzero(flipped))

    def vote_and_flip(
        self,
        z: np.ndarray,
        x: np.ndarray,
        words: np.ndarray,
        m: np.ndarray,
        change: tuple[int, int],
        col: np.ndarray | None,
        shift: int,
        beta: int,
        eta: int,
        bound: int | None,
        dither: int,
    ) -> int:
        """Count votes, centre them, lower eta where they are too loud together, and flip."""
        at_false, at_true = change
        signs, norms = np.empty(m.shape, np.int32), np.empty(len(m), np.int64)
        self.signed_sum(z, x, signs)
        total = z.sum(axis=1, dtype=np.int32)
        mixed = (at_false + at_true) * total[:, None].astype(np.int64) + (at_true - at_false) * signs.astype(
            np.int64
        )
        q = (mixed // 2).astype(np.int32)
        if col is not None:
            self.center_votes(q, total, col, shift, q)
        self.vote_norms(q, norms)
        sizes = np.full(len(m), eta, np.int64) if bound is None else np.minimum(eta, bound // np.maximum(norms, 1))
        return self.flip(words, m, q, beta, sizes, dither)

    def pack_levels(self, values: np.ndarray, thresholds: np.ndarray, out: np.ndarray) -> None:
        """Compare bytes and pack the answers."""
        self.pack(values >= thresholds, out)

    def table_values(
        self, x: np.ndarray, wires: np.ndarray, tables: np.ndarray, n_samples: int, out: np.ndarray
    ) -> None:
        """Choose among the entries of each table, one wire after the other."""
        for gates in _gate_blocks(wires, x.shape[1]):
            out[gates] = _choose(x, wires[gates], tables[gates])
        if n_samples % WORD:
            out[:, -1] &= tail_mask(n_samples)

    def table_votes(self, z: np.ndarray, x: np.ndarray, wires: np.ndarray, out: np.ndarray) -> None:
        """Add each signal to the entry that its sample looked at; float64 holds these sums exactly."""
        n_entries = out.shape[1]
        for gates in _gate_blocks(wires, z.shape[1]):
            entry = np.zeros((len(z[gates]), z.shape[1]), np.int64)
            for i, wire in enumerate(wires[gates].T):
                entry |= _unpack(x[wire], z.shape[1]).astype(np.int64) << i
            entry += n_entries * np.arange(len(entry))[:, None]
            sums = np.bincount(entry.ravel(), z[gates].ravel(), n_entries * len(entry))
            out[gates] = sums.reshape(len(entry), n_entries)

    def wire_votes(
        self,
        z: np.ndarray,
        x: np.ndarray,
        wires: np.ndarray,
        tables: np.ndarray,
        starts: np.ndarray,
        readers: np.ndarray,
        out: np.ndarray,
    ) -> None:
        """Where a gate rises with a wire its signal counts, where it falls it counts against."""
        sums = np.zeros(out.shape, np.int32)
        for gates in _gate_blocks(wires, z.shape[1]):
            for slot, wire in enumerate(wires[gates].T):
                np.add.at(sums, wire, _signed(z[gates], x, wires[gates], tables[gates], slot))
        np.clip(sums, -32767, 32767, out=out, casting="unsafe")

    def candidate_votes(
        self,
        z: np.ndarray,
        x: np.ndarray,
        wires: np.ndarray,
        tables: np.ndarray,
        candidates: np.ndarray,
        out: np.ndarray,
    ) -> None:
        """Where a candidate is T and the wire is F its vote counts, where it is the other way round, against."""
        n_samples = z.shape[1]
        of_gates = candidates.reshape(*wires.shape, candidates.shape[1])
        sums = out.reshape(of_gates.shape)
        for gates in _gate_blocks(wires, n_samples):
            for slot, wire in enumerate(wires[gates].T):
                votes = _signed(z[gates], x, wires[gates], tables[gates], slot)
                now = _unpack(x[wire], n_samples).astype(np.int32)
                for j, other in enumerate(of_gates[gates, slot].T):
                    sums[gates, slot, j] = (votes * (_unpack(x[other], n_samples) - now)).sum(axis=1)

    def count_groups(self, x: np.ndarray, out: np.ndarray) -> None:
        """Count the T of each group of rows, sample by sample."""
        n_rows = len(x) // len(out)
        for group in range(len(out)):
            rows = x[group * n_rows : (group + 1) * n_rows]
            out[group] = _unpack(rows, out.shape[1]).sum(axis=0, dtype=np.int32)

    def gather_patches(self, images: np.ndarray, window: SlidingWindow, out: np.ndarray) -> None:
        """Copy tap by tap; what no tap writes is F."""
        step = max(1, _BLOCK // (window.n_places * window.patch_size))
        for start in range(0, len(images), step):
            pixels = _unpack(images[start : start + step], window.n_inputs).reshape(-1, *window.image_shape)
            patches = np.zeros((len(pixels), *window.places, window.n_taps, window.channels), np.bool_)
            for tap, (i, j, y, x) in enumerate(window.taps()):
                patches[:, i, j, tap] = pixels[:, y, x]
            n = len(pixels) * window.n_places
            self.pack(patches.reshape(n, -1), out[start * window.n_places :][:n])

    def signed_pixels(self, z: np.ndarray, words: np.ndarray, window: SlidingWindow, out: np.ndarray) -> None:
        """Sum the signals at each place, then add up tap by tap."""
        images = out.reshape(-1, *window.image_shape)
        step = max(1, _BLOCK // (window.n_places * window.patch_size))
        for start in range(0, len(images), step):
            some = images[start : start + step]
            rows = slice(start * window.n_places, (start + len(some)) * window.n_places)
            patches = np.empty((len(some) * window.n_places, window.patch_size), np.int32)
            self.signed_sum(z[rows], words, patches)
            patches = patches.reshape(len(some), *window.places, window.n_taps, window.channels)
            some[...] = 0
            for tap, (i, j, y, x) in enumerate(window.taps()):
                some[:, y, x] += patches[:, i, j, tap]

    def pool_max(
        self, sums: np.ndarray, image_shape: tuple[int, int, int], size: int, winner: np.ndarray, out: np.ndarray
    ) -> None:
        """Bring the taps of each square side by side and choose."""
        squares = _squares(sums.reshape(-1, *image_shape), size)
        squares = squares.transpose(0, 1, 3, 5, 2, 4).reshape(*out.shape, size * size)
        np.argmax(squares, axis=-1, out=(best := np.empty(out.shape, np.intp)))
        winner[...] = best
        out[...] = np.take_along_axis(squares, best[..., None], axis=-1)[..., 0]


def accumulate(m: np.ndarray, q: np.ndarray, beta: int, eta: np.ndarray, dither: int) -> None:
    """Keep a part of m and add what votes count, in integers, rounded down once; a rest is added before."""
    size = np.where(eta < 2**25, eta, eta & -(2**13))[:, None]
    most = MAX_ETA // np.maximum(size, 1)
    rest = (dither + 27893 * np.arange(m.size, dtype=np.int64).reshape(m.shape)) % 2**15
    total = (beta * m.astype(np.int64) + rest) * 2**13 + size * np.clip(q.astype(np.int64), -most, most)
    m[...] = np.clip(total >> 28, -MAX_M, MAX_M)


def _squares(images: np.ndarray, size: int) -> np.ndarray:
    """View the whole squares of images: (images, rows, size, columns, size, channels)."""
    n, height, width, channels = images.shape
    rows, columns = height // size, width // size
    strides = images.strides
    return np.lib.stride_tricks.as_strided(
        images,
        (n, rows, size, columns, size, channels),
        (strides[0], strides[1] * size, strides[1], strides[2] * size, strides[2], strides[3]),
    )


_WITHOUT_WIRE = np.array(
    [sum(1 << entry for entry in range(64) if not entry >> slot & 1) for slot in range(6)], np.uint64
)
"""For each wire, the entries of a table that are looked at while it is F."""


def _choose(x: np.ndarray, wires: np.ndarray, tables: np.ndarray, held: int = -1) -> np.ndarray:
    """Values of gates, 64 samples a word; wire number `held` is taken to be F.

    A table of the first i + 1 wires is two tables of the first i, and wire i chooses between them.
    """
    n_entries = np.uint64(1 << wires.shape[1])
    entries = tables[:, None] >> np.arange(n_entries, dtype=np.uint64) & np.uint64(1)
    value = (np.uint64(0) - entries)[:, :, None]  # all ones or all zeros
    for slot, wire in enumerate(wires.T):
        low, high = value[:, 0::2], value[:, 1::2]
        bits = np.zeros_like(x[wire]) if slot == held else x[wire]
        value = low ^ ((low ^ high) & bits[:, None])
    return value[:, 0]


def _signed(z: np.ndarray, x: np.ndarray, wires: np.ndarray, tables: np.ndarray, slot: int) -> np.ndarray:
    """Signals of gates that rise with a wire, and their negatives where they fall with it."""
    low = tables & _WITHOUT_WIRE[slot]
    high = (tables >> np.uint64(1 << slot)) & _WITHOUT_WIRE[slot]
    rises = _unpack(_choose(x, wires, high & ~low, held=slot), z.shape[1])
    falls = _unpack(_choose(x, wires, low & ~high, held=slot), z.shape[1])
    return z * (rises.astype(np.int32) - falls)


def _gate_blocks(wires: np.ndarray, width: int) -> Iterator[slice]:
    """Cut gates so that what is computed for a block stays small."""
    step = max(1, (_BLOCK >> wires.shape[1]) // max(1, width))
    for start in range(0, len(wires), step):
        yield slice(start, start + step)


def _unpack(words: np.ndarray, n_bits: int) -> np.ndarray:
    """Bits as bool, shape (rows, n_bits); needs no padding rule because `n_bits` cuts the tail."""
    as_bytes = words.astype("<u8", copy=False).view(np.uint8).reshape(len(words), 8 * words.shape[1])
    return np.unpackbits(as_bytes, axis=1, count=n_bits, bitorder="little").view(np.bool_)


def unpack_signs(words: np.ndarray, n_bits: int) -> np.ndarray:
    """Embed: T to +1, F to -1, as float32 of shape (rows, n_bits)."""
    signs = _unpack(words, n_bits).astype(np.float32)
    signs *= 2
    signs -= 1
    return signs


def xor_count(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Disagreements of every row of x with every row of w, int32 of shape (rows of x, rows of w)."""
    count = np.zeros((len(x), len(w)), np.int32)
    for words in _word_blocks(x.shape[1], max(1, len(w))):
        n = WORD * (words.stop - words.start)
        signs = unpack_signs(w[:, words], n).T
        for rows in _row_blocks(len(x), n):
            agreement = unpack_signs(x[rows, words], n) @ signs
            count[rows] += ((n - agreement) / 2).astype(np.int32)
    return count


def _word_blocks(n_words: int, n_rows: int) -> Iterator[slice]:
    """Cut rows of words so that sums stay exact and an unpacked block stays small."""
    step = min(EXACT, max(_BLOCK // n_rows, 2**12)) // WORD
    for start in range(0, n_words, step):
        yield slice(start, min(start + step, n_words))


def _row_blocks(n_rows: int, n_bits: int) -> Iterator[slice]:
    step = max(1, _BLOCK // max(1, n_bits))
    for start in range(0, n_rows, step):
        yield slice(start, start + step)
