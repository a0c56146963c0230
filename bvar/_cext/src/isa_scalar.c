/* isa_scalar.c - plain C11: no intrinsics, no popcount instruction, whatever the compiler's baseline is.
 *
 * Both hot loops are lookups, and SWAR makes each lookup serve several rows at once:
 *
 *   forward  a table of 256 words per byte position: for each value of a byte of w, eight 8-bit lanes hold the
 *            disagreements of that byte with eight rows of x.  64 bit pairs per lookup and addition.
 *   votes    a table of 256 words per chunk of eight terms: for each pattern of eight bits, four 16-bit lanes hold
 *            the sums of four rows of z.  32 multiply-adds per lookup and addition.
 *
 * Lanes are added as one integer, sum of lane_i * 2^(width * i), modulo 2^64.  The integer is right whatever
 * borrows happen inside it, as long as each final lane fits its width; a signed lane is read after what the lanes
 * below borrowed has been given back (see vote_tile). */
#include <float.h>

#include "bvar_kernels.h"
#include "target.h"

#include "swar.h"

#define NAME "scalar"
#define CPU 0
#define GATE_RATE 150.0
#define VOTE_RATE 80.0

BVAR_INLINE uint64_t pack_word(const uint8_t *values, int n) {
    uint64_t word = 0;
    int i = 0;
    for (; i + 8 <= n; i += 8)
        word |= bytes_to_bits(load64(values + i)) << i;
    for (; i < n; ++i)
        word |= (uint64_t)(values[i] != 0) << i;
    return word;
}

BVAR_INLINE void unpack_word(uint64_t word, uint8_t *values, int n) {
    int i = 0;
    for (; i + 8 <= n; i += 8)
        store64(values + i, bits_to_bytes(word >> i));
    for (; i < n; ++i)
        values[i] = (uint8_t)(word >> i & 1);
}

BVAR_INLINE uint64_t count_words(const uint64_t *row, ptrdiff_t n_words) {
    uint64_t count = 0;
    for (ptrdiff_t k = 0; k < n_words; ++k)
        count += popcount64(row[k]);
    return count;
}

/* ------------------------------------------------------------------------------------------------ forward */

/* Making the lookups of a word takes 2048 additions, and using them 8 for each output: so a thousand outputs share
 * them, and no more, since two sums for each have to stay in L1 beside the 32 KiB of lookups. */
enum {
    PANEL_ROWS = 1024,                /* outputs that share the lookups of one tile */
    TILE_ROWS = 8,                    /* rows of x: the 8-bit lanes of a table entry */
    TABLE_WORDS = 2,                  /* words of a row whose tables are made together: 32 KiB */
    LANE16_WORDS = 65535 / 64 / 2 * 2 /* words whose counts fit 16-bit lanes: 65472 bits */
};

static ptrdiff_t panels_bytes(ptrdiff_t n_rows, ptrdiff_t n_words) { return n_rows * n_words * 8; }

/* Word k of all rows of a panel, then word k + 1: neighbours in time are neighbours in memory. */
static void lay_panel(const uint64_t *w, ptrdiff_t n_rows, ptrdiff_t n_words, void *panel) {
    for (ptrdiff_t o = 0; o < n_rows; ++o)
        for (ptrdiff_t k = 0; k < n_words; ++k)
            ((uint64_t *)panel)[k * n_rows + o] = w[o * n_words + k];
}

/* table[v]: lane r is popcount(v xor the byte of row r).  One more bit of v adds or removes one disagreement. */
static void byte_table(const uint8_t bytes[TILE_ROWS], uint64_t table[256]) {
    table[0] = 0;
    for (int r = 0; r < TILE_ROWS; ++r)
        table[0] += popcount64(bytes[r]) << 8 * r;
    for (int bit = 0; bit < 8; ++bit) {
        uint64_t change = 0; /* modulo 2^64 */
        for (int r = 0; r < TILE_ROWS; ++r)
            change += (bytes[r] >> bit & 1 ? ~UINT64_C(0) : UINT64_C(1)) << 8 * r;
        for (int v = 0; v < 1 << bit; ++v)
            table[v + (1 << bit)] = table[v] + change;
    }
}

/* Add eight 8-bit lanes to two words of four 16-bit lanes: even rows, odd rows. */
BVAR_INLINE void widen(uint64_t lanes, uint64_t sum[2]) {
    const uint64_t even = UINT64_C(0x00ff00ff00ff00ff);
    sum[0] += lanes & even;
    sum[1] += lanes >> 8 & even;
}

BVAR_INLINE uint64_t look_up_word(uint64_t (*tables)[256], uint64_t word) {
    uint64_t lanes = 0; /* eight bytes: at most 64 in a lane */
    BVAR_UNROLL
    for (int i = 0; i < 8; ++i)
        lanes += tables[i][word >> 8 * i & 255];
    return lanes;
}

/* Tables of words [k, k + n) of up to eight rows; rows that are not there count as zeros and are not read out. */
static void tile_tables(const uint64_t *x, ptrdiff_t n_words, int rows, ptrdiff_t k, int n,
                        uint64_t (*tables)[256]) {
    for (int i = 0; i < 8 * n; ++i) {
        uint8_t bytes[TILE_ROWS] = {0};
        for (int r = 0; r < rows; ++r)
            bytes[r] = (uint8_t)(x[r * n_words + k + i / 8] >> 8 * (i % 8));
        byte_table(bytes, tables[i]);
    }
}

static void count_tile(const uint64_t *x, ptrdiff_t n_words, int rows, const uint64_t *panel, int n,
                       uint32_t (*counts)[PANEL_ROWS]) {
    uint64_t tables[8 * TABLE_WORDS][256], sums[PANEL_ROWS][2];
    for (int r = 0; r < rows; ++r)
        memset(counts[r], 0, (size_t)n * sizeof counts[r][0]);
    for (ptrdiff_t from = 0; from < n_words; from += LANE16_WORDS) {
        const ptrdiff_t to = from + LANE16_WORDS < n_words ? from + LANE16_WORDS : n_words;
        memset(sums, 0, (size_t)n * sizeof sums[0]);
        for (ptrdiff_t k = from; k < to; k += TABLE_WORDS) {
            const uint64_t *w = panel + k * n;
            const int words = to - k < TABLE_WORDS ? (int)(to - k) : TABLE_WORDS;
            tile_tables(x, n_words, rows, k, words, tables);
            if (words == TABLE_WORDS)
                for (int o = 0; o < n; ++o)
                    widen(look_up_word(tables, w[o]) + look_up_word(tables + 8, w[o + n]), sums[o]);
            else
                for (int o = 0; o < n; ++o)
                    widen(look_up_word(tables, w[o]), sums[o]);
        }
        for (int r = 0; r < rows; ++r)
            for (int o = 0; o < n; ++o)
                counts[r][o] += (uint32_t)(sums[o][r % 2] >> 16 * (r / 2) & 0xffff);
    }
}

BVAR_INLINE uint64_t gate_mask(const uint32_t *counts, int32_t row, const int32_t *col, int32_t scale, int n) {
    uint64_t mask = 0;
    for (int j = 0; j < n; ++j) {
        const uint32_t sum = (uint32_t)row + (uint32_t)col[j] + (uint32_t)scale * counts[j];
        mask |= (uint64_t)(~sum >> 31) << j;
    }
    return mask;
}

/* -------------------------------------------------------------------------------------------------- votes */

#include "byte_index.h"

enum { VOTE_CHUNKS = 16, TABLE_BYTES = 256 * 8 }; /* 128 terms, 32 KiB of tables */

/* Write 2 z for n terms and return the sum of z. */
BVAR_INLINE int32_t lay_terms(const int8_t *z, int n, int16_t *terms) {
    int32_t total = 0;
    for (int k = 0; k < n; ++k) {
        terms[k] = (int16_t)(2 * z[k]);
        total += z[k];
    }
    return total;
}

BVAR_INLINE uint64_t lanes16(const int16_t *terms, ptrdiff_t stride) {
    uint64_t sum = 0;
    for (int r = 0; r < 4; ++r)
        sum += (uint64_t)(int64_t)terms[r * stride] << 16 * r;
    return sum;
}

/* Subset sums by doubling: with one more term, the second half is the first half plus that term. */
static void vote_tables(const int16_t *terms, ptrdiff_t stride, int n_chunks, void *out) {
    for (int c = 0; c < n_chunks; ++c) {
        uint64_t *table = (uint64_t *)out + 256 * c;
        table[0] = 0;
        for (int bit = 0; bit < 8; ++bit) {
            const uint64_t term = lanes16(terms + 8 * c + bit, stride);
            for (int v = 0; v < 1 << bit; ++v)
                table[v + (1 << bit)] = table[v] + term;
        }
    }
}

static void vote_tile(const void *tables, const uint8_t *index, int n_chunks, const int16_t start[4],
                      int32_t *out, ptrdiff_t stride, int rows, int cols, int first) {
    const uint64_t from = lanes16(start, 1);
    for (int i = 0; i < cols; ++i) {
        uint64_t sum = from;
        BVAR_UNROLL
        for (int c = 0; c < n_chunks; ++c)
            sum += ((const uint64_t *)tables)[256 * c + index[CHUNK_BYTES * c + i]];
        for (int r = 0; r < rows; ++r) {
            const int16_t lane = (int16_t)(sum & 0xffff);
            out[r * stride + i] = lane + (first ? 0 : out[r * stride + i]);
            sum = (sum - (uint64_t)(int64_t)lane) >> 16; /* gives back what a negative lane borrowed */
        }
    }
}

/* -------------------------------------------------------------------------------------------------- gates */

#include "gates_wire.h"

typedef uint64_t plane;
enum { PLANE_WORDS = 1 };

BVAR_INLINE plane plane_load(const uint64_t *p, int n) { return n ? *p : 0; }
BVAR_INLINE void plane_store(uint64_t *p, int n, plane v) { *p = n ? v : *p; }
BVAR_INLINE plane plane_all(uint64_t word) { return word; }
BVAR_INLINE plane plane_leaf(plane c, plane d, plane x) { return c ^ (d & x); }
BVAR_INLINE plane plane_choose(plane x, plane a, plane b) { return b ^ ((a ^ b) & x); }
BVAR_INLINE plane plane_sum(plane a, plane b, plane c) { return a ^ b ^ c; }
BVAR_INLINE plane plane_carry(plane a, plane b, plane c) { return (a & b) | ((a ^ b) & c); }
BVAR_INLINE plane plane_and(plane a, plane b) { return a & b; }
BVAR_INLINE plane plane_xor(plane a, plane b) { return a ^ b; }

BVAR_INLINE uint64_t level_word(const uint8_t *values, const uint8_t *thresholds, int n) {
    uint64_t word = 0;
    for (int i = 0; i < n; ++i)
        word |= (uint64_t)(values[i] >= thresholds[i]) << i;
    return word;
}

#include "kernels_impl.h"

const bvar_isa bvar_isa_scalar = ISA;
