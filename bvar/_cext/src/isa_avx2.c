/* isa_avx2.c - AVX2 (Haswell, Zen 1 and later).  There is no vector popcount; vpshufb looks up in 16 bytes.
 *
 *   forward  the table of a nibble a of x is popcount(a xor i), i = 0..15, and the nibbles of 32 outputs are the
 *            places to look: 128 bit pairs per lookup and addition.  Weights are split into nibbles beforehand.
 *            8-bit sums hold 31 bytes (31 * 8 = 248), then they are widened.
 *   votes    sums of four terms need two bytes, hence two lookups, of digits to the base 16: four of each still fit a
 *            byte, and are joined to int16 after 16 terms.
 *
 * Longer than 400 lines because an instruction set is one file. */
#if defined(__x86_64__) || defined(_M_X64)
#include <float.h>
#include <immintrin.h>

#include "bvar_kernels.h"
#include "target.h"

BVAR_TARGET_BEGIN("avx2")

#include "swar.h"

#define NAME "avx2"
#define CPU BVAR_CPU_AVX2
#define GATE_RATE 650.0
#define VOTE_RATE 180.0

BVAR_INLINE __m256i load(const void *p) { return _mm256_loadu_si256((const __m256i *)p); }
BVAR_INLINE void store(void *p, __m256i v) { _mm256_storeu_si256((__m256i *)p, v); }
BVAR_INLINE __m256i load_twice(const void *p) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)p));
}

/* ------------------------------------------------------------------------------------------------- layout */

BVAR_INLINE uint64_t nonzero_32(const uint8_t *values) {
    return ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(load(values), _mm256_setzero_si256()));
}

BVAR_INLINE uint64_t pack_word(const uint8_t *values, int n) {
    uint8_t some[64] = {0};
    if (n < 64)
        values = memcpy(some, values, (size_t)n);
    return (uint32_t)nonzero_32(values) | nonzero_32(values + 32) << 32;
}

#define BVAR_OWN_THRESHOLD

/* Eight floats, or four doubles, a comparison; the signs of the answers are the bits. */
#define BVAR_ABOVE_AVX2(name, number, vector, kind, lanes)                                                  \
    BVAR_INLINE uint64_t name(const number *values, const number *thresholds, int n, uint64_t *known) {     \
        number some[64] = {0}, their[64] = {0};                                                             \
        uint64_t above = 0, numbers = 0;                                                                    \
        if (n < 64) {                                                                                       \
            values = memcpy(some, values, (size_t)n * sizeof *values);                                      \
            thresholds = memcpy(their, thresholds, (size_t)n * sizeof *thresholds);                         \
        }                                                                                                   \
        for (int i = 0; i < 64; i += lanes) {                                                               \
            const vector v = _mm256_loadu_##kind(values + i), t = _mm256_loadu_##kind(thresholds + i);      \
            const vector known_v = _mm256_cmp_##kind(v, v, _CMP_ORD_Q);                                     \
            above |= (uint64_t)_mm256_movemask_##kind(_mm256_cmp_##kind(v, t, _CMP_GE_OQ)) << i;            \
            numbers |= (uint64_t)_mm256_movemask_##kind(known_v) << i;                                      \
        }                                                                                                   \
        *known = numbers & legal_bits(n, 0);                                                                \
        return above & legal_bits(n, 0);                                                                    \
    }
BVAR_ABOVE_AVX2(above_floats, float, __m256, ps, 8)
BVAR_ABOVE_AVX2(above_doubles, double, __m256d, pd, 4)

/* Repeat each of four bytes eight times, keep bit i in byte i, compare. */
BVAR_INLINE __m256i spread_32(uint32_t bits) {
    const __m256i repeat = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2,
                                            3, 3, 3, 3, 3, 3, 3, 3);
    const __m256i place = _mm256_set1_epi64x((int64_t)UINT64_C(0x8040201008040201));
    const __m256i v = _mm256_and_si256(_mm256_shuffle_epi8(_mm256_set1_epi32((int32_t)bits), repeat), place);
    return _mm256_and_si256(_mm256_cmpeq_epi8(v, place), _mm256_set1_epi8(1));
}

BVAR_INLINE void unpack_word(uint64_t word, uint8_t *values, int n) {
    uint8_t some[64];
    uint8_t *to = n < 64 ? some : values;
    store(to, spread_32((uint32_t)word));
    store(to + 32, spread_32((uint32_t)(word >> 32)));
    if (n < 64)
        memcpy(values, some, (size_t)n);
}

/* popcount(a xor i) for all nibbles a and i. */
#define P(a, i) (uint8_t)(((a ^ i) & 1) + ((a ^ i) >> 1 & 1) + ((a ^ i) >> 2 & 1) + ((a ^ i) >> 3 & 1))
#define ROW(a)                                                                                                   \
    {P(a, 0), P(a, 1), P(a, 2),  P(a, 3),  P(a, 4),  P(a, 5),  P(a, 6),  P(a, 7),                                 \
     P(a, 8), P(a, 9), P(a, 10), P(a, 11), P(a, 12), P(a, 13), P(a, 14), P(a, 15)}
BVAR_ALIGNED static const uint8_t disagreement[16][16] = {
    ROW(0), ROW(1), ROW(2),  ROW(3),  ROW(4),  ROW(5),  ROW(6),  ROW(7),
    ROW(8), ROW(9), ROW(10), ROW(11), ROW(12), ROW(13), ROW(14), ROW(15)};

BVAR_INLINE uint64_t count_words(const uint64_t *row, ptrdiff_t n_words) {
    const __m256i ones = load_twice(disagreement[0]), low = _mm256_set1_epi8(15);
    __m256i sum = _mm256_setzero_si256();
    uint64_t lanes[4];
    ptrdiff_t k = 0;
    for (; k + 4 <= n_words; k += 4) {
        const __m256i v = load(row + k);
        const __m256i bytes =
            _mm256_add_epi8(_mm256_shuffle_epi8(ones, _mm256_and_si256(v, low)),
                            _mm256_shuffle_epi8(ones, _mm256_and_si256(_mm256_srli_epi16(v, 4), low)));
        sum = _mm256_add_epi64(sum, _mm256_sad_epu8(bytes, _mm256_setzero_si256()));
    }
    store(lanes, sum);
    for (; k < n_words; ++k)
        lanes[0] += popcount64(row[k]);
    return lanes[0] + lanes[1] + lanes[2] + lanes[3];
}

/* ------------------------------------------------------------------------------------------------ forward */

/* Four rows by 64 outputs: 8 sums of bytes, 4 vectors of nibbles of w, which the rows share, and two lookups make 14
 * of 16 registers.  A fifth row would take them all, and fewer rows load w more often. */
enum {
    PANEL_ROWS = 64,
    TILE_ROWS = 4,
    MAX_BYTES = 31,                /* of a row, whose disagreements fit 8 bits */
    MAX_BYTES_16 = 264 * MAX_BYTES /* whose disagreements fit 16 bits: 264 * 248 = 65472 */
};

static ptrdiff_t panels_bytes(ptrdiff_t n_rows, ptrdiff_t n_words) { return (n_rows + 63) / 64 * n_words * 1024; }

/* Transpose 16 rows of 16 bytes in each half.  Interleaving the first half of the rows with the second rotates
 * the eight bits of a byte's address (row, column) by one; four times swap row and column. */
BVAR_INLINE void transpose_16x16_bytes(__m256i a[16]) {
    for (int pass = 0; pass < 4; ++pass) {
        __m256i b[16];
        BVAR_UNROLL
        for (int i = 0; i < 8; ++i) {
            b[2 * i] = _mm256_unpacklo_epi8(a[i], a[i + 8]);
            b[2 * i + 1] = _mm256_unpackhi_epi8(a[i], a[i + 8]);
        }
        memcpy(a, b, sizeof b);
    }
}

/* Two words of a row, or the last one. */
BVAR_INLINE __m128i load_words(const uint64_t *row, int two) {
    return two ? _mm_loadu_si128((const __m128i *)row) : _mm_loadl_epi64((const __m128i *)row);
}

/* For each byte position: the low nibbles of 64 outputs, then their high nibbles. */
static void lay_panel(const uint64_t *w, ptrdiff_t n_rows, ptrdiff_t n_words, void *panel) {
    const __m256i low = _mm256_set1_epi8(15);
    for (ptrdiff_t k = 0; k < n_words; k += 2)
        for (ptrdiff_t o = 0; o < 64; o += 32) {
            const int two = k + 1 < n_words;
            uint8_t *out = (uint8_t *)panel + 1024 * k + o;
            __m256i v[16];
            for (ptrdiff_t i = 0; i < 16; ++i) {
                const ptrdiff_t a = o + i, b = o + i + 16;
                const __m128i zero = _mm_setzero_si128();
                v[i] = _mm256_set_m128i(b < n_rows ? load_words(w + b * n_words + k, two) : zero,
                                        a < n_rows ? load_words(w + a * n_words + k, two) : zero);
            }
            transpose_16x16_bytes(v);
            for (int i = 0; i < (two ? 16 : 8); ++i) {
                store(out + 128 * i, _mm256_and_si256(v[i], low));
                store(out + 128 * i + 64, _mm256_and_si256(_mm256_srli_epi16(v[i], 4), low));
            }
        }
}

/* At most MAX_BYTES bytes of each row against a panel.  The 8-bit sums of 64 outputs are added to 16-bit sums, in
 * the order in which unpacking leaves them. */
BVAR_INLINE void count_bytes(const uint8_t *x, ptrdiff_t stride, const int rows, const uint8_t *panel, int n_bytes,
                             __m256i (*sums)[4]) {
    const __m256i zero = _mm256_setzero_si256();
    __m256i acc[4][2];
    BVAR_UNROLL
    for (int i = 0; i < rows; ++i)
        acc[i][0] = acc[i][1] = zero;
    BVAR_NO_UNROLL
    for (int k = 0; k < n_bytes; ++k, panel += 128) {
        const __m256i low0 = load(panel), low1 = load(panel + 32);
        const __m256i high0 = load(panel + 64), high1 = load(panel + 96);
        BVAR_UNROLL
        for (int i = 0; i < rows; ++i) {
            const uint32_t byte = x[i * stride + k];
            const __m256i low = load_twice(disagreement[byte & 15]), high = load_twice(disagreement[byte >> 4]);
            acc[i][0] = _mm256_add_epi8(acc[i][0], _mm256_shuffle_epi8(low, low0));
            acc[i][1] = _mm256_add_epi8(acc[i][1], _mm256_shuffle_epi8(low, low1));
            acc[i][0] = _mm256_add_epi8(acc[i][0], _mm256_shuffle_epi8(high, high0));
            acc[i][1] = _mm256_add_epi8(acc[i][1], _mm256_shuffle_epi8(high, high1));
            BVAR_PIN(acc[i][0]);
            BVAR_PIN(acc[i][1]);
        }
    }
    BVAR_UNROLL
    for (int i = 0; i < rows; ++i) {
        BVAR_UNROLL
        for (int h = 0; h < 2; ++h) {
            sums[i][2 * h] = _mm256_add_epi16(sums[i][2 * h], _mm256_unpacklo_epi8(acc[i][h], zero));
            sums[i][2 * h + 1] = _mm256_add_epi16(sums[i][2 * h + 1], _mm256_unpackhi_epi8(acc[i][h], zero));
        }
    }
}

/* Add 8 sums of 16 bits to counts. */
BVAR_INLINE void add_8(uint32_t *counts, __m128i v) {
    store(counts, _mm256_add_epi32(load(counts), _mm256_cvtepu16_epi32(v)));
}

/* Add the sums of one row to its counts, in natural order. */
BVAR_INLINE void add_sums(uint32_t *counts, const __m256i sums[4]) {
    for (int h = 0; h < 2; ++h) {
        add_8(counts + 32 * h, _mm256_castsi256_si128(sums[2 * h]));
        add_8(counts + 32 * h + 8, _mm256_castsi256_si128(sums[2 * h + 1]));
        add_8(counts + 32 * h + 16, _mm256_extracti128_si256(sums[2 * h], 1));
        add_8(counts + 32 * h + 24, _mm256_extracti128_si256(sums[2 * h + 1], 1));
    }
}

/* Bytes [from, to) of each row, at most MAX_BYTES_16 of them. */
static void count_long(const uint8_t *x, ptrdiff_t stride, int rows, const uint8_t *w, ptrdiff_t from, ptrdiff_t to,
                       uint32_t (*counts)[PANEL_ROWS]) {
    __m256i sums[TILE_ROWS][4];
    memset(sums, 0, sizeof sums);
    for (ptrdiff_t k = from; k < to; k += MAX_BYTES) {
        const int some = to - k < MAX_BYTES ? (int)(to - k) : MAX_BYTES;
        if (rows == TILE_ROWS)
            count_bytes(x + k, stride, TILE_ROWS, w + 128 * k, some, sums);
        else
            for (int i = 0; i < rows; ++i)
                count_bytes(x + k + i * stride, stride, 1, w + 128 * k, some, sums + i);
    }
    for (int i = 0; i < rows; ++i)
        add_sums(counts[i], sums[i]);
}

static void count_tile(const uint64_t *x, ptrdiff_t n_words, int rows, const void *panel, int n,
                       uint32_t (*counts)[PANEL_ROWS]) {
    const ptrdiff_t n_bytes = 8 * n_words;
    (void)n; /* all lanes are counted */
    memset(counts, 0, (size_t)rows * sizeof counts[0]);
    for (ptrdiff_t k = 0; k < n_bytes; k += MAX_BYTES_16)
        count_long((const uint8_t *)x, n_bytes, rows, panel, k,
                   n_bytes - k < MAX_BYTES_16 ? n_bytes : k + MAX_BYTES_16, counts);
}

BVAR_INLINE uint64_t gate_mask(const uint32_t *counts, int32_t row, const int32_t *col, int32_t scale, int n) {
    uint64_t mask = 0;
    int j = 0;
    for (; j + 8 <= n; j += 8) {
        const __m256i base = _mm256_add_epi32(_mm256_set1_epi32(row), load(col + j));
        const __m256i v =
            _mm256_add_epi32(base, _mm256_mullo_epi32(load(counts + j), _mm256_set1_epi32(scale)));
        mask |= (uint64_t)(~_mm256_movemask_ps(_mm256_castsi256_ps(v)) & 255) << j;
    }
    for (; j < n; ++j) {
        const uint32_t sum = (uint32_t)row + (uint32_t)col[j] + (uint32_t)scale * counts[j];
        mask |= (uint64_t)(~sum >> 31) << j;
    }
    return mask;
}

/* -------------------------------------------------------------------------------------------------- votes */

#include "byte_index.h"

enum { VOTE_CHUNKS = 31, TABLE_BYTES = 2 * 4 * 32 }; /* 248 terms; two nibbles, four rows, 16 entries of two digits */

/* z = l + 16 h with l from 0 to 15 and h from -8 to 7: h in the high byte, l in the low one. */
BVAR_INLINE int16_t digits(int8_t z) { return (int16_t)((z - (z & 15)) * 16 + (z & 15)); }

/* Write the digits of n terms and return the sum of z. */
BVAR_INLINE int32_t lay_terms(const int8_t *z, int n, int16_t *terms) {
    __m256i sum = _mm256_setzero_si256();
    int32_t lanes[8], total = 0;
    int k = 0;
    for (; k + 16 <= n; k += 16) {
        const __m256i v = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(z + k)));
        const __m256i high = _mm256_slli_epi16(_mm256_srai_epi16(v, 4), 8);
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(v, _mm256_set1_epi16(1)));
        store(terms + k, _mm256_or_si256(high, _mm256_and_si256(v, _mm256_set1_epi16(15))));
    }
    for (; k < n; ++k) {
        terms[k] = digits(z[k]);
        total += z[k];
    }
    store(lanes, sum);
    for (k = 0; k < 8; ++k)
        total += lanes[k];
    return total;
}

/* Sums over all subsets of four terms: 16 of the low digits, then 16 of the high ones, to each of which 32 is added, so
 * that both are from 0 to 60. */
BVAR_INLINE __m256i subset_sums(const int16_t terms[4]) {
    const __m256i place = _mm256_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m256i v = _mm256_set1_epi16(32 * 256);
    BVAR_UNROLL
    for (int k = 0; k < 4; ++k) {
        const __m256i bit = _mm256_set1_epi16((int16_t)(1 << k));
        const __m256i in_subset = _mm256_cmpeq_epi16(_mm256_and_si256(place, bit), bit);
        v = _mm256_add_epi16(v, _mm256_and_si256(in_subset, _mm256_set1_epi16(terms[k])));
    }
    const __m256i low = _mm256_and_si256(v, _mm256_set1_epi16(255)), high = _mm256_srli_epi16(v, 8);
    return _mm256_permute4x64_epi64(_mm256_packus_epi16(low, high), 0xd8);
}

static void vote_tables(const int16_t *terms, ptrdiff_t stride, int n_chunks, void *out) {
    __m256i *table = out;
    for (int group = 0; group < 2 * n_chunks; ++group)
        for (int r = 0; r < 4; ++r)
            store(table++, subset_sums(terms + r * stride + 4 * group));
}

/* Four rows, 32 columns, four terms for each of `n` <= 4 nibbles.  Sums of a digit are at most 4 * 60, a byte; l + 16 h
 * joins both.  Unpacking leaves columns 0-7 and 16-23 in the first sum, the others in the second. */
BVAR_INLINE void look_up(const uint8_t *table, const __m256i *nibbles, const int n, __m256i acc[4][2]) {
    const __m256i join = _mm256_set1_epi16(16 * 256 + 1);
    BVAR_UNROLL
    for (int r = 0; r < 4; ++r, table += 32) {
        __m256i low = _mm256_shuffle_epi8(load_twice(table), nibbles[0]);
        __m256i high = _mm256_shuffle_epi8(load_twice(table + 16), nibbles[0]);
        BVAR_UNROLL
        for (int k = 1; k < n; ++k) {
            low = _mm256_add_epi8(low, _mm256_shuffle_epi8(load_twice(table + 128 * k), nibbles[k]));
            high = _mm256_add_epi8(high, _mm256_shuffle_epi8(load_twice(table + 128 * k + 16), nibbles[k]));
        }
        acc[r][0] = _mm256_add_epi16(acc[r][0], _mm256_maddubs_epi16(_mm256_unpacklo_epi8(low, high), join));
        acc[r][1] = _mm256_add_epi16(acc[r][1], _mm256_maddubs_epi16(_mm256_unpackhi_epi8(low, high), join));
        BVAR_PIN(acc[r][0]);
        BVAR_PIN(acc[r][1]);
    }
}

/* The nibbles of 32 columns in a chunk of eight terms. */
BVAR_INLINE void nibbles_of(const uint8_t *chunk, __m256i nibbles[2]) {
    const __m256i bits = load(chunk), low = _mm256_set1_epi8(15);
    nibbles[0] = _mm256_and_si256(bits, low);
    nibbles[1] = _mm256_and_si256(_mm256_srli_epi16(bits, 4), low);
}

BVAR_INLINE void store_8(int32_t *out, __m128i v, int first) {
    const __m256i wide = _mm256_cvtepi16_epi32(v);
    store(out, first ? wide : _mm256_add_epi32(wide, load(out)));
}

/* Write or add up to 32 sums. */
BVAR_INLINE void store_votes(int32_t *out, int n, const __m256i acc[2], int first) {
    int32_t some[32];
    int32_t *to = n < 32 ? some : out;
    if (n < 32 && !first)
        memcpy(some, out, (size_t)n * sizeof some[0]);
    store_8(to, _mm256_castsi256_si128(acc[0]), first);
    store_8(to + 8, _mm256_castsi256_si128(acc[1]), first);
    store_8(to + 16, _mm256_extracti128_si256(acc[0], 1), first);
    store_8(to + 24, _mm256_extracti128_si256(acc[1], 1), first);
    if (n < 32)
        memcpy(out, some, (size_t)n * sizeof some[0]);
}

static void vote_tile(const void *tables, const uint8_t *index, int n_chunks, const int16_t start[4],
                      int32_t *out, ptrdiff_t stride, int rows, int cols, int first) {
    const int16_t raised = (int16_t)(2 * 2 * 16 * 32 * n_chunks); /* doubled, by both nibbles of all chunks */
    for (int i = 0; i < cols; i += 32) {
        const uint8_t *table = tables, *chunk = index + i;
        __m256i acc[4][2], nibbles[4];
        int c = 0;
        BVAR_UNROLL
        for (int r = 0; r < 4; ++r)
            acc[r][0] = acc[r][1] = _mm256_setzero_si256();
        BVAR_NO_UNROLL
        for (; c + 2 <= n_chunks; c += 2, table += 2 * TABLE_BYTES, chunk += 2 * CHUNK_BYTES) {
            nibbles_of(chunk, nibbles);
            nibbles_of(chunk + CHUNK_BYTES, nibbles + 2);
            look_up(table, nibbles, 4, acc);
        }
        if (c < n_chunks) {
            nibbles_of(chunk, nibbles);
            look_up(table, nibbles, 2, acc);
        }
        BVAR_UNROLL
        for (int r = 0; r < 4; ++r) {
            const __m256i from = _mm256_set1_epi16((int16_t)(start[r] - raised));
            BVAR_UNROLL
            for (int h = 0; h < 2; ++h)
                acc[r][h] = _mm256_add_epi16(from, _mm256_add_epi16(acc[r][h], acc[r][h]));
            if (r < rows)
                store_votes(out + r * stride + i, cols - i, acc[r], first);
        }
    }
}

/* -------------------------------------------------------------------------------------------------- gates */

#include "gates_wire.h"

typedef __m256i plane;
enum { PLANE_WORDS = 4 };

/* Lanes below n. */
BVAR_INLINE __m256i first_words(int n) {
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
}

BVAR_INLINE plane plane_load(const uint64_t *p, int n) {
    return n == PLANE_WORDS ? load(p) : _mm256_maskload_epi64((const long long *)p, first_words(n));
}
BVAR_INLINE void plane_store(uint64_t *p, int n, plane v) {
    if (n == PLANE_WORDS)
        store(p, v);
    else
        _mm256_maskstore_epi64((long long *)p, first_words(n), v);
}
BVAR_INLINE plane plane_all(uint64_t word) { return _mm256_set1_epi64x((int64_t)word); }
BVAR_INLINE plane plane_and(plane a, plane b) { return _mm256_and_si256(a, b); }
BVAR_INLINE plane plane_xor(plane a, plane b) { return _mm256_xor_si256(a, b); }
BVAR_INLINE plane plane_leaf(plane c, plane d, plane x) { return plane_xor(c, plane_and(d, x)); }
BVAR_INLINE plane plane_choose(plane x, plane a, plane b) { return plane_leaf(b, plane_xor(a, b), x); }
BVAR_INLINE plane plane_sum(plane a, plane b, plane c) { return plane_xor(plane_xor(a, b), c); }
BVAR_INLINE plane plane_carry(plane a, plane b, plane c) {
    return _mm256_or_si256(plane_and(a, b), plane_and(plane_xor(a, b), c));
}

BVAR_INLINE uint64_t levels_32(const uint8_t *values, const uint8_t *thresholds) {
    const __m256i v = load(values);
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_max_epu8(v, load(thresholds)), v));
}

BVAR_INLINE uint64_t level_word(const uint8_t *values, const uint8_t *thresholds, int n) {
    uint8_t some[64] = {0}, their[64];
    if (n < 64) {
        memset(their, 255, sizeof their);
        values = memcpy(some, values, (size_t)n);
        thresholds = memcpy(their, thresholds, (size_t)n);
    }
    return levels_32(values, thresholds) | levels_32(values + 32, thresholds + 32) << 32;
}

#define BVAR_OWN_SIGNED

/* Bits to lanes of int16, all ones or zero. */
BVAR_INLINE __m256i spread_16(uint64_t bits) {
    const __m256i place = _mm256_setr_epi16(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384,
                                            -32768);
    return _mm256_cmpeq_epi16(_mm256_and_si256(_mm256_set1_epi16((int16_t)bits), place), place);
}

BVAR_INLINE void add_signed(int32_t *sum, const int16_t *z, uint64_t plus, uint64_t minus) {
    for (int s = 0; s < 64; s += 16) {
        const __m256i v = load(z + s);
        const __m256i term = _mm256_sub_epi16(_mm256_and_si256(v, spread_16(plus >> s)),
                                              _mm256_and_si256(v, spread_16(minus >> s)));
        const __m256i low = _mm256_cvtepi16_epi32(_mm256_castsi256_si128(term));
        const __m256i high = _mm256_cvtepi16_epi32(_mm256_extracti128_si256(term, 1));
        store(sum + s, _mm256_add_epi32(load(sum + s), low));
        store(sum + s + 8, _mm256_add_epi32(load(sum + s + 8), high));
    }
}

#define BVAR_OWN_RESCALE

/* |g| * factor in 64 bits, rounded and clipped, for the even lanes. */
BVAR_INLINE __m256i rescaled(__m256i g, __m256i factor, __m256i half, __m128i shift) {
    const __m256i most = _mm256_set1_epi64x(127);
    const __m256i v = _mm256_srl_epi64(_mm256_add_epi64(_mm256_mul_epu32(g, factor), half), shift);
    return _mm256_blendv_epi8(v, most, _mm256_cmpgt_epi64(v, most));
}

/* Eight outputs.  |s - tau| is taken as unsigned, so it cannot overflow; nor can |g|.  Loads of the curve one by one:
 * a gather was no faster where this was measured (Zen 3). */
BVAR_INLINE uint64_t rescale_8(const bvar_rescale_job *a, const int32_t *g, const int32_t *s, const int32_t *tau) {
    const __m256i half = _mm256_set1_epi64x((INT64_C(1) << a->shift) >> 1), signs = load(g), sums = load(s), t = load(tau);
    const __m256i distance = _mm256_sub_epi32(_mm256_max_epi32(sums, t), _mm256_min_epi32(sums, t));
    const __m256i size = _mm256_abs_epi32(signs), last = _mm256_set1_epi32((int32_t)(a->n_curve - 1));
    const __m128i shift = _mm_cvtsi32_si128(a->shift);
    uint32_t i[8];
    store(i, _mm256_min_epu32(distance, last));
    const int32_t *c = a->curve;
    const __m256i factor =
        _mm256_setr_epi32(c[i[0]], c[i[1]], c[i[2]], c[i[3]], c[i[4]], c[i[5]], c[i[6]], c[i[7]]);
    const __m256i even = rescaled(size, factor, half, shift);
    const __m256i odd = rescaled(_mm256_srli_epi64(size, 32), _mm256_srli_epi64(factor, 32), half, shift);
    const __m256i all = _mm256_sign_epi32(_mm256_or_si256(even, _mm256_slli_epi64(odd, 32)), signs);
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
    return (uint64_t)_mm_cvtsi128_si64(_mm_packs_epi16(words, words));
}

static void rescale_row(const bvar_rescale_job *a, ptrdiff_t r) {
    const ptrdiff_t n = a->n_cols, at = r * n;
    ptrdiff_t j = 0;
    for (; j + 8 <= n; j += 8)
        store64(a->out + at + j, rescale_8(a, a->g + at + j, a->s + at + j, a->tau + j));
    if (j < n) {
        const size_t some = (size_t)(n - j), bytes = some * sizeof(int32_t);
        int32_t g[8] = {0}, s[8] = {0}, tau[8] = {0};
        memcpy(g, a->g + at + j, bytes);
        memcpy(s, a->s + at + j, bytes);
        memcpy(tau, a->tau + j, bytes);
        const uint64_t last = rescale_8(a, g, s, tau);
        memcpy(a->out + at + j, &last, some);
    }
}

#define BVAR_OWN_NORM

/* Add |q| of 8 votes: as unsigned 32 bits, even and odd lanes apart, in 64-bit sums. */
BVAR_INLINE __m256i add_norms(__m256i q, __m256i sum) {
    const __m256i v = _mm256_abs_epi32(q);
    const __m256i even = _mm256_and_si256(v, _mm256_set1_epi64x(0xffffffff));
    return _mm256_add_epi64(sum, _mm256_add_epi64(even, _mm256_srli_epi64(v, 32)));
}

BVAR_INLINE int64_t norm_of(const int32_t *q, ptrdiff_t n) {
    __m256i sum = _mm256_setzero_si256();
    int32_t some[8] = {0};
    int64_t lanes[4];
    ptrdiff_t i = 0;
    for (; i + 8 <= n; i += 8)
        sum = add_norms(load(q + i), sum);
    if (i < n) /* no pointer to nothing may be copied from */
        memcpy(some, q + i, (size_t)(n - i) * sizeof *q);
    store(lanes, add_norms(load(some), sum));
    return lanes[0] + lanes[1] + lanes[2] + lanes[3];
}

#define BVAR_OWN_FLIP

#include "step.h"

/* 2^13 * kept + eta * q, shifted by 28, in 64 bits: of even lanes and of odd ones, whose results fit 32 bits. */
BVAR_INLINE __m256i wide_8(__m256i kept, __m256i eta, __m256i q) {
    const __m256i scale = _mm256_set1_epi64x(1 << 13);
    const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(kept, scale), _mm256_mul_epi32(q, eta));
    const __m256i odd = _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(kept, 32), scale),
                                         _mm256_mul_epi32(_mm256_srli_epi64(q, 32), eta));
    return _mm256_blend_epi32(_mm256_srli_epi64(even, 28), _mm256_slli_epi64(odd, 4), 0xaa);
}

/* Accumulators of 8 weights after a vote; zeros, and ones in `flipped`, where the weight flips.  The rest stands in the
 * upper half of each lane of `dither`, beside m, which `minus` multiplies by -beta and the rest by -1. */
BVAR_INLINE __m256i flip_8(uint32_t bits, const int16_t *m, const int32_t *q, __m256i dither, __m256i minus, bvar_step step,
                           int is_wide, __m256i *flipped) {
    const __m256i eta = _mm256_set1_epi32(step.eta), most = _mm256_set1_epi32(step.most), zero = _mm256_setzero_si256();
    const __m256i place = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    const __m256i bit = _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32((int32_t)bits), place), place);
    const __m256i old = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)m));
    const __m256i rest = _mm256_and_si256(dither, _mm256_set1_epi32(0x7fff0000));
    const __m256i lost = _mm256_madd_epi16(_mm256_or_si256(old, rest), minus);
    const __m256i votes = _mm256_max_epi32(_mm256_min_epi32(load(q), most), _mm256_sub_epi32(zero, most));
    const __m256i sum = is_wide ? wide_8(_mm256_sub_epi32(zero, lost), eta, votes)
                                : _mm256_srai_epi32(_mm256_sub_epi32(_mm256_mullo_epi32(eta, votes), lost), 15);
    const __m256i v = _mm256_max_epi32(sum, _mm256_set1_epi32(-32767));
    const __m256i against = _mm256_sub_epi32(_mm256_xor_si256(v, bit), bit); /* -v where the bit is set */
    *flipped = _mm256_cmpgt_epi32(_mm256_set1_epi32(-4095), against);
    return _mm256_andnot_si256(*flipped, v);
}

/* The flips of 16 weights. */
BVAR_INLINE uint32_t flip_16(uint32_t bits, int16_t *m, const int32_t *q, __m256i dither, __m256i minus, bvar_step step,
                             int is_wide) {
    const __m256i half = _mm256_set1_epi32((int32_t)((uint32_t)8 * DITHER << 16));
    __m256i low, high;
    const __m256i a = flip_8(bits, m, q, dither, minus, step, is_wide, &low);
    const __m256i b = flip_8(bits >> 8, m + 8, q + 8, _mm256_add_epi32(dither, half), minus, step, is_wide, &high);
    store(m, _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), 0xd8)); /* which keeps what is above int16 at its end */
    return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(low)) |
           (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(high)) << 8;
}

BVAR_INLINE uint64_t flip_word(uint64_t bits, int16_t *m, const int32_t *q, int n, uint32_t dither, bvar_step step,
                               int is_wide) {
#define REST(i) (int32_t)((uint32_t)(i) * DITHER << 16)
    const __m256i walk = _mm256_setr_epi32(REST(0), REST(1), REST(2), REST(3), REST(4), REST(5), REST(6), REST(7));
    const __m256i minus = _mm256_set1_epi32((int32_t)(0xffff0000u | (uint16_t)step.minus_beta));
    const __m256i stride = _mm256_set1_epi32(REST(16));
    __m256i rest = _mm256_add_epi32(walk, _mm256_set1_epi32((int32_t)(dither << 16)));
    uint64_t flips = 0;
    int i = 0;
#undef REST
    for (; i + 16 <= n; i += 16, rest = _mm256_add_epi32(rest, stride))
        flips |= (uint64_t)flip_16((uint32_t)(bits >> i), m + i, q + i, rest, minus, step, is_wide) << i;
    if (i < n) { /* the tail goes through a copy, filled with what never flips */
        int16_t some_m[16] = {0};
        int32_t some_q[16] = {0};
        memcpy(some_m, m + i, (size_t)(n - i) * sizeof *m);
        memcpy(some_q, q + i, (size_t)(n - i) * sizeof *q);
        flips |= (uint64_t)flip_16((uint32_t)(bits >> i), some_m, some_q, rest, minus, step, is_wide) << i;
        memcpy(m + i, some_m, (size_t)(n - i) * sizeof *m);
    }
    return flips;
}

#include "rows_avx2.h"

#include "kernels_impl.h"

BVAR_TARGET_END

const bvar_isa bvar_isa_avx2 = ISA;
#else
typedef int bvar_no_avx2; /* an empty file is not C */
#endif
