"""The C of layers: one function for each thing that layers do, whatever their sizes."""

from __future__ import annotations

from string import Template

__all__ = ["PARTS"]

# The comments of these pieces are those of the generated file.
PARTS = {
    "ones": Template(
        """\
/* Counts ones. */
static inline int32_t ${name}_ones(uint64_t x) {
#if defined(__GNUC__) && (defined(__POPCNT__) || defined(__aarch64__))
    return __builtin_popcountll(x);
#else
    x -= x >> 1 & UINT64_C(0x5555555555555555);
    x = (x & UINT64_C(0x3333333333333333)) + (x >> 2 & UINT64_C(0x3333333333333333));
    x = (x + (x >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (int32_t)(x * UINT64_C(0x0101010101010101) >> 56);
#endif
}
"""
    ),
    "copy": Template(
        """\
/* Puts n bits of one row, from bit `at` on, to where another row has zeros, from bit `place` on. */
static inline void ${name}_copy(const uint64_t *from, size_t at, uint64_t *to, size_t place, size_t n) {
    while (n > 0) {
        size_t a = at % 64, b = place % 64, room = 64 - (a > b ? a : b), m = n < room ? n : room;
        uint64_t word = from[at / 64] >> a;
        if (m < 64) word &= (UINT64_C(1) << m) - 1;
        to[place / 64] |= word << b;
        at += m;
        place += m;
        n -= m;
    }
}
"""
    ),
    "fill": Template(
        """\
/* Sets n bits of a row, from bit `place` on. */
static inline void ${name}_fill(uint64_t *to, size_t place, size_t n) {
    const uint64_t ones = ~UINT64_C(0);
    while (n > 0) {
        size_t m = n < 64 ? n : 64;
        ${name}_copy(&ones, 0, to, place, m);
        place += m;
        n -= m;
    }
}
"""
    ),
    "clear": Template(
        """\
static inline void ${name}_clear(uint64_t *words, size_t n_bits) {
    size_t i;
    for (i = 0; i < (n_bits + 63) / 64; i++) words[i] = 0;
}
"""
    ),
    "sum": Template(
        """\
/* Sums a gate over the inputs that are known (null: all), for each row of weights. What a weight w and an input x
 * give is a + b w + c x + d (w xor x), of w and x as 0 or 1; what is missing is 0 in x and gives nothing. */
static inline void ${name}_sum(const uint64_t *x, const uint64_t *known, size_t n_bits, const uint64_t *w,
                               size_t n_units, int32_t a, int32_t b, int32_t c, int32_t d, const int32_t *shift,
                               int32_t *sums) {
    size_t n_words = (n_bits + 63) / 64, unit, i;
    int32_t common = known ? 0 : a * (int32_t)n_bits;
    for (i = 0; i < n_words; i++) {
        if (known) common += a * ${name}_ones(known[i]);
        if (c) common += c * ${name}_ones(x[i]);
    }
    for (unit = 0; unit < n_units; unit++, w += n_words) {
        int32_t differ = 0, sum = common + (shift ? shift[unit] : 0);
        if (known) {
            for (i = 0; i < n_words; i++) differ += ${name}_ones((w[i] ^ x[i]) & known[i]);
        } else {
            for (i = 0; i < n_words; i++) differ += ${name}_ones(w[i] ^ x[i]);
        }
        for (i = 0; b && i < n_words; i++) sum += b * ${name}_ones(known ? w[i] & known[i] : w[i]);
        sums[unit] = sum + d * differ;
    }
}
"""
    ),
    "reach": Template(
        """\
/* Answers whether sums reach their thresholds; null stands for a threshold that all have in common. */
static inline void ${name}_reach(const int32_t *sums, size_t n, const int32_t *tau, int32_t common,
                                 uint64_t *bits) {
    size_t i;
    ${name}_clear(bits, n);
    for (i = 0; i < n; i++) bits[i / 64] |= (uint64_t)(sums[i] >= (tau ? tau[i] : common)) << i % 64;
}
"""
    ),
    "gates": Template(
        """\
/* Looks gates up in their tables: wire i of a gate has weight 2^i in the address. */
static inline void ${name}_gates(const uint64_t *x, const $wire *wires, const $table *tables, size_t n_gates,
                                 size_t fan_in, uint64_t *bits) {
    size_t gate, i;
    ${name}_clear(bits, n_gates);
    for (gate = 0; gate < n_gates; gate++) {
        size_t address = 0;
        for (i = 0; i < fan_in; i++, wires++) address |= (size_t)(x[*wires / 64] >> *wires % 64 & 1) << i;
        bits[gate / 64] |= ((uint64_t)tables[gate] >> address & 1) << gate % 64;
    }
}
"""
    ),
    "groups": Template(
        """\
/* Counts, for each group of neighbours, T less F. */
static inline void ${name}_groups(const uint64_t *x, size_t n_groups, size_t size, int32_t *sums) {
    size_t group, i, bit = 0;
    for (group = 0; group < n_groups; group++) {
        int32_t ones = 0;
        for (i = 0; i < size; i++, bit++) ones += (int32_t)(x[bit / 64] >> bit % 64 & 1);
        sums[group] = 2 * ones - (int32_t)size;
    }
}
"""
    ),
    "conv": Template(
        """\
typedef struct {
    size_t height, width, channels, down, across, stride_y, stride_x, dilation_y, dilation_x, padding_y, padding_x;
    size_t rows, columns;
} ${name}_window;

/* Sums a gate over what a window sees at each of its places. Outside of the image is F, or nothing. */
static inline void ${name}_conv(const uint64_t *x, const uint64_t *known, const ${name}_window *at,
                                const uint64_t *w, size_t n_filters, int32_t a, int32_t b, int32_t c, int32_t d,
                                const int32_t *shift, int outside_is_false, uint64_t *patch, uint64_t *seen,
                                int32_t *sums) {
    size_t n_bits = at->down * at->across * at->channels, row, column, i, j;
    for (row = 0; row < at->rows; row++) {
        for (column = 0; column < at->columns; column++, sums += n_filters) {
            size_t place = 0;
            ${name}_clear(patch, n_bits);
            ${name}_clear(seen, n_bits);
            for (i = 0; i < at->down; i++) {
                for (j = 0; j < at->across; j++, place += at->channels) {
                    /* above and left of the image these wrap around, and are too large like those beyond it */
                    size_t y = row * at->stride_y + i * at->dilation_y - at->padding_y;
                    size_t z = column * at->stride_x + j * at->dilation_x - at->padding_x;
                    int inside = y < at->height && z < at->width;
                    size_t pixel = (y * at->width + z) * at->channels;
                    if (inside) ${name}_copy(x, pixel, patch, place, at->channels);
                    if (inside && known) {
                        ${name}_copy(known, pixel, seen, place, at->channels);
                    } else if (inside || outside_is_false) {
                        ${name}_fill(seen, place, at->channels);
                    }
                }
            }
            ${name}_sum(patch, seen, n_bits, w, n_filters, a, b, c, d, shift, sums);
        }
    }
}
"""
    ),
    "pool": Template(
        """\
/* Takes the largest sum of each square of size * size pixels, or their total, channel by channel. */
static inline void ${name}_pool(const int32_t *x, size_t width, size_t channels, size_t size, size_t rows,
                                size_t columns, int largest, int32_t *sums) {
    size_t row, column, channel, i, j;
    for (row = 0; row < rows; row++) {
        for (column = 0; column < columns; column++) {
            for (channel = 0; channel < channels; channel++) {
                const int32_t *corner = x + (row * size * width + column * size) * channels + channel;
                int32_t most = *corner, total = 0;
                for (i = 0; i < size; i++) {
                    for (j = 0; j < size; j++) {
                        int32_t one = corner[(i * width + j) * channels];
                        most = one > most ? one : most;
                        total += one;
                    }
                }
                *sums++ = largest ? most : total;
            }
        }
    }
}
"""
    ),
    "add": Template(
        """\
static inline void ${name}_add(const int32_t *x, size_t n, int32_t *sums) {
    size_t i;
    for (i = 0; i < n; i++) sums[i] += x[i];
}
"""
    ),
}
"""Functions by their names, each after those that it calls; all take arrays of the caller's."""
