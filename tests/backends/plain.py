"""A complete backend written outside of the package: every operation on unpacked bits, in int64, as its formula.

Slow and short.  It knows the layout of bits and the docstrings of `bvar.backends.Backend`, and imports nothing.
"""

import numpy as np


def bits(words, n_bits):
    """Words (r, w) to bool (r, n_bits)."""
    return np.unpackbits(words.view(np.uint8), axis=1, bitorder="little")[:, :n_bits].astype(bool)


def signs(words, n_bits):
    return np.where(bits(words, n_bits), 1, -1)


def put_bits(values, out):
    """Bool (r, n) into words, padding zero."""
    row = np.zeros((len(out), 64 * out.shape[1]), bool)
    row[:, : values.shape[1]] = values
    out[...] = np.packbits(row, axis=1, bitorder="little").view(np.uint64)


def entries(x, wires, n_samples, held=None, as_=0):
    """The entry that each gate looks at for each sample, with one wire held."""
    values = bits(x, n_samples).astype(np.int64)
    address = np.zeros((len(wires), n_samples), np.int64)
    for i, wire in enumerate(wires.T):
        address += (as_ if i == held else values[wire]) << i
    return address


def values_at(tables, address):
    return (tables[:, None] >> address.astype(np.uint64) & np.uint64(1)).astype(np.int64)


class Plain:
    """Nothing clever."""

    name = "plain"

    def with_threads(self, n_threads):
        return self

    def pack(self, values, out):
        put_bits(values, out)

    def pack_threshold(self, values, thresholds, known, out):
        put_bits(values >= thresholds, out)
        put_bits(~np.isnan(values), known)
        return int(np.isnan(values).sum())

    def unpack(self, words, out):
        out[...] = bits(words, out.shape[1])

    def transpose(self, words, out):
        put_bits(bits(words, len(out)).T, out)

    def count_rows(self, words, out):
        out[...] = bits(words, 64 * words.shape[1]).sum(axis=1)

    def prepare(self, w):
        return signs(w, 64 * w.shape[1])  # an operand of its own: unpacked once

    def gate_sum(self, x, w, row, col, scale, out):
        n = w.shape[1]
        disagreements = (n - signs(x, n) @ w.T) // 2
        out[...] = row[:, None] + col + scale * disagreements

    def gate_bits(self, x, w, row, col, scale, out):
        sums = np.empty((len(x), len(w)), np.int64)
        self.gate_sum(x, w, row, col, scale, sums)
        put_bits(sums >= 0, out)

    def signed_sum(self, z, words, out):
        out[...] = z.astype(np.int64) @ signs(words, out.shape[1])

    def rescale(self, g, s, tau, curve, shift, out):
        p = g.astype(np.int64) * curve[np.minimum(abs(s.astype(np.int64) - tau), len(curve) - 1)]
        out[...] = np.sign(p) * np.minimum(127, (abs(p) + (1 << shift >> 1)) >> shift)

    def scale_signals(self, g, factor, shift, out):
        p = g.T.astype(np.int64) * factor
        out[...] = np.sign(p) * np.minimum(32767, (abs(p) + (1 << shift >> 1)) >> shift)

    def center_votes(self, q, row, col, shift, out):
        shared = (np.outer(row.astype(np.int64), col.astype(np.int64)) + (1 << shift >> 1)) >> shift
        out[...] = (q - shared).astype(np.int32)

    def add_votes(self, a, b, out):
        total = a.astype(np.int64) + b
        out[...] = total.astype(np.int32)
        return bool((out != total).any())

    def vote_norms(self, q, out):
        out[...] = abs(q.astype(np.int64)).sum(axis=1)

    def flip(self, words, m, q, beta, eta, dither):
        eta = np.where(eta >= 2**25, eta >> 13 << 13, eta)
        most = (2**43 - 1) // eta.clip(1)
        votes = q.astype(np.int64).clip(-most[:, None], most[:, None])
        rest = (dither + 27893 * np.arange(m.size)).reshape(m.shape) & 0x7FFF
        m[...] = ((((m.astype(np.int64) * beta + rest) << 13) + eta[:, None] * votes) >> 28).clip(-32767, 32767)
        flips = signs(words, m.shape[1]) * m >= 4096
        put_bits(bits(words, m.shape[1]) ^ flips, words)
        m[flips] = 0
        return int(flips.sum())

    def vote_and_flip(self, z, x, words, m, change, col, shift, beta, eta, bound, dither):
        variation = np.where(bits(x, m.shape[1]), change[1], change[0])
        q = z.astype(np.int64) @ variation
        if col is not None:
            self.center_votes(q, z.sum(axis=1, dtype=np.int64), col, shift, q)
        sizes = np.full(len(q), eta)
        if bound is not None:
            sizes = sizes.clip(None, bound // abs(q).sum(axis=1).clip(1))
        return self.flip(words, m, q, beta, sizes, dither)

    def pack_levels(self, values, thresholds, out):
        put_bits(values >= thresholds, out)

    def table_values(self, x, wires, tables, n_samples, out):
        put_bits(values_at(tables, entries(x, wires, n_samples)) == 1, out)

    def table_votes(self, z, x, wires, out):
        address = entries(x, wires, z.shape[1])
        for entry in range(out.shape[1]):
            out[:, entry] = (z * (address == entry)).sum(axis=1)

    def wire_votes(self, z, x, wires, tables, starts, readers, out):
        votes = np.zeros(out.shape, np.int64)
        for i in range(wires.shape[1]):
            high, low = (values_at(tables, entries(x, wires, z.shape[1], i, as_)) for as_ in (1, 0))
            np.add.at(votes, wires[:, i], z * (high - low))
        out[...] = votes.clip(-32767, 32767)

    def candidate_votes(self, z, x, wires, tables, candidates, out):
        now = values_at(tables, entries(x, wires, z.shape[1]))
        for number, row in enumerate(candidates):
            g, i = divmod(number, wires.shape[1])
            for j, unit in enumerate(row):
                moved = wires[[g]].copy()
                moved[0, i] = unit
                then = values_at(tables[[g]], entries(x, moved, z.shape[1]))
                out[number, j] = (z[g] * (then - now[[g]])).sum()

    def count_groups(self, x, out):
        out[...] = bits(x, out.shape[1]).reshape(len(out), -1, out.shape[1]).sum(axis=1)

    def gather_patches(self, images, window, out):
        pixels = bits(images, window.n_inputs).reshape(-1, *window.image_shape)
        patches = np.zeros((len(pixels), *window.places, window.n_taps, window.channels), bool)
        for tap, (i, j, y, x) in enumerate(window.taps()):
            patches[:, i, j, tap] = pixels[:, y, x]
        put_bits(patches.reshape(len(out), window.patch_size), out)

    def signed_pixels(self, z, words, window, out):
        patches = z.astype(np.int64) @ signs(words, window.patch_size)
        patches = patches.reshape(len(out), *window.places, window.n_taps, window.channels)
        pixels = np.zeros((len(out), *window.image_shape), np.int64)
        for tap, (i, j, y, x) in enumerate(window.taps()):
            pixels[:, y, x] += patches[:, i, j, tap]
        out[...] = pixels.reshape(out.shape)

    def pool_max(self, sums, image_shape, size, winner, out):
        height, width, channels = image_shape
        rows, columns = height // size, width // size
        whole = sums.reshape(-1, *image_shape)[:, : rows * size, : columns * size]
        squares = whole.reshape(-1, rows, size, columns, size, channels).transpose(0, 1, 3, 5, 2, 4)
        squares = squares.reshape(*out.shape, size * size)
        winner[...] = squares.argmax(axis=-1)
        out[...] = squares.max(axis=-1)

    def prepare_rows(self, w):
        return w

    def row_sums(self, x, rows, out):
        out[...] = x.astype(np.int64) @ signs(rows, x.shape[1]).T

    def quantize_rows(self, x, scales, out, steps):
        for r in range(len(x)):
            with np.errstate(all="ignore"):
                v = x[r] * scales
                sums = [np.float32(0)]
                for start in range(0, len(v), 4):
                    total = np.float32(0)
                    for size in np.abs(v[start : start + 4]):
                        total = total + size
                    sums.append(total)
            out[r], steps[r], largest = 0, 0, np.max(sums)
            if not np.isfinite(largest):
                steps[r] = np.nan
            elif largest >= 2.0**-100:
                steps[r] = largest / np.float32(253)
                out[r] = np.rint(v * (np.float32(253) / largest))
