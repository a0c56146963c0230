/* isa_avx512.c - AVX-512 with VPOPCNTDQ, VBMI, VNNI and GFNI (Ice Lake, Zen 4 and later).
 *
 *   forward  64-bit lanes: xor, vpopcntq, add.  512 bit pairs per three instructions, and nothing else in the
 *            loop: four rows by 32 outputs need 16 accumulators, 4 vectors of weights and one temporary.
 *   votes    vpermi2w is a lookup in 64 entries of int16: six terms, 192 multiply-adds per lookup and addition.
 *   masks    are bits already: a word of weights is a mask of 16 accumulators four times over.
 *   GFNI     transposes 8 x 8 bits in each 64-bit lane.
 *
 * Tails use masked loads and stores; no byte outside a buffer is touched.
 *
 * Longer than 400 lines because an instruction set is one file, and this one has a loop of its own for each kernel. */
#if defined(__x86_64__) || defined(_M_X64)
#include <float.h>
#include <immintrin.h>

#include "bvar_kernels.h"
#include "target.h"

BVAR_TARGET_BEGIN("avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi,avx512vnni,avx512vpopcntdq,gfni")

#include "swar.h"

#define NAME "avx512"
#define CPU BVAR_CPU_AVX512
#define GATE_RATE 2400.0
#define VOTE_RATE 700.0

BVAR_INLINE __mmask64 first_64(int n) { return n >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << n) - 1; }
BVAR_INLINE __mmask16 first_16(int n) {
    return (__mmask16)(n >= 16 ? 0xffff : n <= 0 ? 0 : (1 << n) - 1);
}
BVAR_INLINE __mmask8 first_8(ptrdiff_t n) { return (__mmask8)(n >= 8 ? 0xff : n <= 0 ? 0 : (1 << n) - 1); }

/* ------------------------------------------------------------------------------------------------- layout */

BVAR_INLINE uint64_t pack_word(const uint8_t *values, int n) {
    const __m512i v = _mm512_maskz_loadu_epi8(first_64(n), values);
    return _mm512_test_epi8_mask(v, v);
}

#define BVAR_OWN_THRESHOLD

BVAR_INLINE uint64_t above_floats(const float *values, const float *thresholds, int n, uint64_t *known) {
    uint64_t above = 0, numbers = 0;
    BVAR_UNROLL
    for (int i = 0; i < 64; i += 16) {
        const __mmask16 mask = first_16(n - i);
        const __m512 v = _mm512_maskz_loadu_ps(mask, values + i), t = _mm512_maskz_loadu_ps(mask, thresholds + i);
        above |= (uint64_t)_mm512_mask_cmp_ps_mask(mask, v, t, _CMP_GE_OQ) << i;
        numbers |= (uint64_t)_mm512_mask_cmp_ps_mask(mask, v, v, _CMP_ORD_Q) << i;
    }
    *known = numbers;
    return above;
}

BVAR_INLINE uint64_t above_doubles(const double *values, const double *thresholds, int n, uint64_t *known) {
    uint64_t above = 0, numbers = 0;
    BVAR_UNROLL
    for (int i = 0; i < 64; i += 8) {
        const __mmask8 mask = first_8(n - i);
        const __m512d v = _mm512_maskz_loadu_pd(mask, values + i), t = _mm512_maskz_loadu_pd(mask, thresholds + i);
        above |= (uint64_t)_mm512_mask_cmp_pd_mask(mask, v, t, _CMP_GE_OQ) << i;
        numbers |= (uint64_t)_mm512_mask_cmp_pd_mask(mask, v, v, _CMP_ORD_Q) << i;
    }
    *known = numbers;
    return above;
}

BVAR_INLINE void unpack_word(uint64_t word, uint8_t *values, int n) {
    _mm512_mask_storeu_epi8(values, first_64(n), _mm512_maskz_set1_epi8(word, 1));
}

BVAR_INLINE uint64_t count_words(const uint64_t *row, ptrdiff_t n_words) {
    __m512i sum = _mm512_setzero_si512();
    for (ptrdiff_t k = 0; k < n_words; k += 8) {
        const __m512i v = _mm512_maskz_loadu_epi64(first_8(n_words - k), row + k);
        sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(v));
    }
    return (uint64_t)_mm512_reduce_add_epi64(sum);
}

/* Transpose eight rows of eight 64-bit lanes: pairs of lanes, pairs of pairs, halves. */
BVAR_INLINE void transpose_8x8_words(__m512i a[8]) {
    __m512i b[8];
    BVAR_UNROLL
    for (int i = 0; i < 8; i += 2) {
        b[i] = _mm512_unpacklo_epi64(a[i], a[i + 1]);
        b[i + 1] = _mm512_unpackhi_epi64(a[i], a[i + 1]);
    }
    BVAR_UNROLL
    for (int i = 0; i < 2; ++i) { /* b[i], b[i + 2]: lanes of column parity i, in 128-bit parts 0 to 3 */
        const __m512i low = _mm512_shuffle_i64x2(b[i], b[i + 2], 0x88);
        const __m512i low_high = _mm512_shuffle_i64x2(b[i], b[i + 2], 0xdd);
        const __m512i high = _mm512_shuffle_i64x2(b[i + 4], b[i + 6], 0x88);
        const __m512i high_high = _mm512_shuffle_i64x2(b[i + 4], b[i + 6], 0xdd);
        a[i] = _mm512_shuffle_i64x2(low, high, 0x88);
        a[i + 4] = _mm512_shuffle_i64x2(low, high, 0xdd);
        a[i + 2] = _mm512_shuffle_i64x2(low_high, high_high, 0x88);
        a[i + 6] = _mm512_shuffle_i64x2(low_high, high_high, 0xdd);
    }
}

#define BVAR_OWN_TRANSPOSE

/* Eight rows of up to eight words: column[k] gets, for each of the 64 columns of word k, a byte whose bit r is
 * the bit of row r.  The permutation brings the bytes of one column block together, last row first, which is the
 * order in which the matrix of vgf2p8affineqb wants them; multiplying that matrix by unit vectors transposes. */
BVAR_INLINE void transpose_8_rows(const uint64_t *words, ptrdiff_t n_words, ptrdiff_t rows, ptrdiff_t n,
                                  __m512i column[8]) {
    const __m512i unit = _mm512_set1_epi64((int64_t)UINT64_C(0x8040201008040201));
    const __m512i meet = _mm512_set_epi8(
        7, 15, 23, 31, 39, 47, 55, 63, 6, 14, 22, 30, 38, 46, 54, 62, 5, 13, 21, 29, 37, 45, 53, 61, 4, 12, 20,
        28, 36, 44, 52, 60, 3, 11, 19, 27, 35, 43, 51, 59, 2, 10, 18, 26, 34, 42, 50, 58, 1, 9, 17, 25, 33, 41,
        49, 57, 0, 8, 16, 24, 32, 40, 48, 56);
    BVAR_UNROLL
    for (int r = 0; r < 8; ++r)
        column[r] = r < rows ? _mm512_maskz_loadu_epi64(first_8(n), words + r * n_words)
                             : _mm512_setzero_si512();
    transpose_8x8_words(column);
    BVAR_UNROLL
    for (int k = 0; k < 8; ++k)
        column[k] = _mm512_gf2p8affine_epi64_epi8(unit, _mm512_permutexvar_epi8(meet, column[k]), 0);
}

/* Store lanes as words `stride` bytes apart: rows first, first + 1 in each 128-bit part, parts 16 rows apart. */
BVAR_INLINE void store_words(char *out, ptrdiff_t stride, int first, ptrdiff_t n, __m512i v) {
    uint64_t lane[8];
    _mm512_storeu_si512(lane, v);
    BVAR_UNROLL
    for (int i = 0; i < 8; ++i) {
        const int row = first + 16 * (i / 2) + i % 2;
        if (row < n)
            store64(out + row * stride, lane[i]);
    }
}

/* Transpose 8 x 64 bytes: part[q] holds byte q of 64 words; interleave them and store the first n. */
BVAR_INLINE void store_columns(const __m512i part[8], void *out, ptrdiff_t stride, ptrdiff_t n) {
    __m512i pair[8], four[8];
    BVAR_UNROLL
    for (int i = 0; i < 4; ++i) {
        pair[i] = _mm512_unpacklo_epi8(part[2 * i], part[2 * i + 1]);
        pair[4 + i] = _mm512_unpackhi_epi8(part[2 * i], part[2 * i + 1]);
    }
    BVAR_UNROLL
    for (int h = 0; h < 8; h += 4) {
        BVAR_UNROLL
        for (int i = 0; i < 2; ++i) {
            four[h + i] = _mm512_unpacklo_epi16(pair[h + 2 * i], pair[h + 2 * i + 1]);
            four[h + 2 + i] = _mm512_unpackhi_epi16(pair[h + 2 * i], pair[h + 2 * i + 1]);
        }
    }
    BVAR_UNROLL
    for (int i = 0; i < 4; ++i) {
        store_words(out, stride, 4 * i, n, _mm512_unpacklo_epi32(four[2 * i], four[2 * i + 1]));
        store_words(out, stride, 4 * i + 2, n, _mm512_unpackhi_epi32(four[2 * i], four[2 * i + 1]));
    }
}

static int64_t transpose(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    const bvar_transpose_job *a = job;
    const ptrdiff_t in_words = (a->n_bits + 63) / 64, out_words = (a->n_rows + 63) / 64;
    for (ptrdiff_t k = begin; k < end; k += 8)
        for (ptrdiff_t b = 0; b < out_words; ++b) {
            const ptrdiff_t n = end - k < 8 ? end - k : 8;
            __m512i part[8][8]; /* column block, group of eight rows */
            for (int q = 0; q < 8; ++q) {
                const ptrdiff_t row = 64 * b + 8 * q;
                __m512i column[8];
                transpose_8_rows(a->words + (row < a->n_rows ? row : 0) * in_words + k, in_words, a->n_rows - row,
                                 n, column);
                BVAR_UNROLL
                for (int i = 0; i < 8; ++i)
                    part[i][q] = column[i];
            }
            for (ptrdiff_t i = 0; i < n; ++i)
                store_columns(part[i], a->out + 64 * (k + i) * out_words + b, 8 * out_words,
                              a->n_bits - 64 * (k + i));
        }
    return 0;
}

/* ------------------------------------------------------------------------------------------------ forward */

/* Four rows by four vectors of outputs: 16 independent sums hide the latency of vpopcntq and leave half of the
 * registers free.  Eight rows would need 32 sums and spill; wider panels would waste more lanes of small layers. */
enum { PANEL_ROWS = 32, TILE_ROWS = 4 };

static ptrdiff_t panels_bytes(ptrdiff_t n_rows, ptrdiff_t n_words) { return (n_rows + 31) / 32 * n_words * 256; }

/* For each word position four vectors; lane l of vector j is output 4 l + j, an order that the epilogue of a tile
 * undoes for nothing. */
static void lay_panel(const uint64_t *w, ptrdiff_t n_rows, ptrdiff_t n_words, void *panel) {
    for (ptrdiff_t k = 0; k < n_words; k += 8)
        for (int j = 0; j < 4; ++j) {
            __m512i v[8];
            BVAR_UNROLL
            for (int l = 0; l < 8; ++l)
                v[l] = 4 * l + j < n_rows
                           ? _mm512_maskz_loadu_epi64(first_8(n_words - k), w + (4 * l + j) * n_words + k)
                           : _mm512_setzero_si512();
            transpose_8x8_words(v);
            BVAR_UNROLL
            for (int i = 0; i < 8; ++i)
                if (k + i < n_words)
                    _mm512_storeu_si512((uint64_t *)panel + 32 * (k + i) + 8 * j, v[i]);
        }
}

/* disagreements[i][j] = popcount(x[i][k] ^ panel[k][j]), 64-bit lanes; `rows` is a constant. */
BVAR_INLINE void count_word(const uint64_t *x, ptrdiff_t n_words, const int rows, const uint64_t *panel,
                            ptrdiff_t k, __m512i acc[4][4], const int first) {
    __m512i w[4];
    BVAR_UNROLL
    for (int j = 0; j < 4; ++j)
        w[j] = _mm512_loadu_si512(panel + 32 * k + 8 * j);
    BVAR_UNROLL
    for (int i = 0; i < rows; ++i) {
        const __m512i v = _mm512_set1_epi64((int64_t)x[i * n_words + k]);
        BVAR_UNROLL
        for (int j = 0; j < 4; ++j) {
            const __m512i count = _mm512_popcnt_epi64(_mm512_xor_si512(v, w[j]));
            acc[i][j] = first ? count : _mm512_add_epi64(acc[i][j], count);
        }
    }
}

/* The inner loop of the forward pass. */
BVAR_INLINE void count_panel(const uint64_t *x, ptrdiff_t n_words, const int rows, const uint64_t *panel,
                             __m512i acc[4][4]) {
    if (n_words)
        count_word(x, n_words, rows, panel, 0, acc, 1); /* spares zeroing and one addition */
    else
        memset(acc, 0, 4 * sizeof acc[0]);
    for (ptrdiff_t k = 1; k < n_words; ++k)
        count_word(x, n_words, rows, panel, k, acc, 0);
}

/* Counts of 32 outputs in their natural order: two vectors of 16 int32. */
BVAR_INLINE void natural_order(const __m512i acc[4], __m512i out[2]) {
    const __m512i low = _mm512_set_epi64(11, 3, 10, 2, 9, 1, 8, 0);
    const __m512i high = _mm512_set_epi64(15, 7, 14, 6, 13, 5, 12, 4);
    const __m512i a = _mm512_or_si512(acc[0], _mm512_slli_epi64(acc[1], 32)); /* outputs 4 l, 4 l + 1 */
    const __m512i b = _mm512_or_si512(acc[2], _mm512_slli_epi64(acc[3], 32)); /* outputs 4 l + 2, 4 l + 3 */
    out[0] = _mm512_permutex2var_epi64(a, low, b);
    out[1] = _mm512_permutex2var_epi64(a, high, b);
}

#define BVAR_OWN_TILES

/* row + col + scale * count for the outputs of half a panel; lanes outside the mask are not read. */
BVAR_INLINE __m512i gate_values(const int32_t *col, int32_t row, const int32_t scale, __mmask16 mask, __m512i count) {
    const __m512i base = _mm512_add_epi32(_mm512_maskz_loadu_epi32(mask, col), _mm512_set1_epi32(row));
    if (scale == -2) /* xnor */
        return _mm512_sub_epi32(base, _mm512_slli_epi32(count, 1));
    return _mm512_add_epi32(base, _mm512_mullo_epi32(count, _mm512_set1_epi32(scale)));
}

BVAR_INLINE void sums_of(const bvar_gate_job *a, ptrdiff_t b, const int rows, const void *panel, ptrdiff_t o,
                         const int n, const int32_t scale) {
    const int32_t *row = a->row + b, *col = a->col + o;
    const ptrdiff_t stride = a->n_out;
    int32_t *out = a->sums + b * stride + o;
    __m512i acc[4][4];
    count_panel(a->x + b * a->n_words, a->n_words, rows, panel, acc);
    BVAR_UNROLL
    for (int i = 0; i < rows; ++i) {
        __m512i count[2];
        natural_order(acc[i], count);
        BVAR_UNROLL
        for (int h = 0; h < 2; ++h) {
            const __mmask16 mask = first_16(n - 16 * h);
            const __m512i v = gate_values(col + 16 * h, row[i], scale, mask, count[h]);
            _mm512_mask_storeu_epi32(out + i * stride + 16 * h, mask, v);
        }
    }
}

static void tile_sums(const bvar_gate_job *a, ptrdiff_t b, int rows, const void *panel, ptrdiff_t o, int n) {
    if (rows == 4 && n == PANEL_ROWS && a->scale == -2) /* constants: masks vanish, sums stay in registers */
        sums_of(a, b, 4, panel, o, PANEL_ROWS, -2);
    else if (rows == 4)
        sums_of(a, b, 4, panel, o, n, a->scale);
    else
        for (int i = 0; i < rows; ++i)
            sums_of(a, b + i, 1, panel, o, n, a->scale);
}

/* The largest counts for which row + col + scale * count >= 0, where scale < 0; the smallest that fail, less one,
 * where scale > 0.  Saturation to int16 keeps "never" (negative) and "always" (32767). */
BVAR_INLINE __m512i limits(const int32_t *col, int32_t row, int32_t scale, __mmask32 mask) {
    const __m128i halve = _mm_cvtsi32_si128(scale == 2 || scale == -2);
    const __m512i invert = _mm512_set1_epi32(scale > 0 ? -1 : 0);
    __m256i half[2];
    BVAR_UNROLL
    for (int h = 0; h < 2; ++h) {
        const __m512i base = _mm512_add_epi32(_mm512_maskz_loadu_epi32((__mmask16)(mask >> 16 * h), col + 16 * h),
                                              _mm512_set1_epi32(row));
        half[h] = _mm512_cvtsepi32_epi16(_mm512_xor_si512(_mm512_sra_epi32(base, halve), invert));
    }
    return _mm512_inserti64x4(_mm512_castsi256_si512(half[0]), half[1], 1);
}

/* Counts below 2^15: 32 of them share a vector in natural order, and one comparison gives the bits. */
BVAR_INLINE void few_bits_of(const bvar_gate_job *a, ptrdiff_t b, const int rows, const void *panel, ptrdiff_t o,
                             const int n) {
    const int32_t *row = a->row + b, *col = a->col + o, scale = a->scale;
    const ptrdiff_t stride = (a->n_out + 63) / 64;
    const __mmask32 mask = (__mmask32)first_64(n), invert = scale > 0 ? ~(__mmask32)0 : 0;
    uint64_t *out = a->bits + b * stride + o / 64;
    __m512i acc[4][4], limit = limits(col, row[0], scale, mask);
    count_panel(a->x + b * a->n_words, a->n_words, rows, panel, acc);
    BVAR_UNROLL
    for (int i = 0; i < rows; ++i) {
        const __m512i count =
            _mm512_or_si512(_mm512_or_si512(acc[i][0], _mm512_slli_epi64(acc[i][1], 16)),
                            _mm512_or_si512(_mm512_slli_epi64(acc[i][2], 32), _mm512_slli_epi64(acc[i][3], 48)));
        if (i > 0 && row[i] != row[i - 1]) /* for xnor of known bits all rows are equal */
            limit = limits(col, row[i], scale, mask);
        const uint64_t bits = (_mm512_cmple_epi16_mask(count, limit) ^ invert) & mask;
        out[i * stride] = o % 64 ? out[i * stride] | bits << 32 : bits;
    }
}

/* Any counts: compare in int32. */
BVAR_INLINE void bits_of(const bvar_gate_job *a, ptrdiff_t b, const int rows, const void *panel, ptrdiff_t o,
                         const int n) {
    const ptrdiff_t stride = (a->n_out + 63) / 64;
    uint64_t *out = a->bits + b * stride + o / 64;
    __m512i acc[4][4];
    count_panel(a->x + b * a->n_words, a->n_words, rows, panel, acc);
    BVAR_UNROLL
    for (int i = 0; i < rows; ++i) {
        uint64_t bits = 0;
        __m512i count[2];
        natural_order(acc[i], count);
        BVAR_UNROLL
        for (int h = 0; h < 2; ++h) {
            const __mmask16 mask = first_16(n - 16 * h);
            const __m512i v = gate_values(a->col + o + 16 * h, a->row[b + i], a->scale, mask, count[h]);
            bits |= (uint64_t)_mm512_mask_cmpge_epi32_mask(mask, v, _mm512_setzero_si512()) << 16 * h;
        }
        out[i * stride] = o % 64 ? out[i * stride] | bits << 32 : bits;
    }
}

static void tile_bits(const bvar_gate_job *a, ptrdiff_t b, int rows, const void *panel, ptrdiff_t o, int n) {
    const int few = a->n_words < 512 && a->scale != 0; /* 511 * 64 < 2^15; limits divide by the scale */
    if (few && rows == 4)
        few_bits_of(a, b, 4, panel, o, n);
    else if (rows == 4)
        bits_of(a, b, 4, panel, o, n);
    else if (few)
        for (int i = 0; i < rows; ++i)
            few_bits_of(a, b + i, 1, panel, o, n);
    else
        for (int i = 0; i < rows; ++i)
            bits_of(a, b + i, 1, panel, o, n);
}

/* -------------------------------------------------------------------------------------------------- votes */

#define BVAR_OWN_GATHER

/* Eight terms of up to 64 rows that are adjacent bytes; see kernels_impl.h. */
BVAR_INLINE void gather_8_terms(const int8_t *z, ptrdiff_t z_term, int rows, int8_t *out, ptrdiff_t stride) {
    __m512i part[8];
    BVAR_UNROLL
    for (int k = 0; k < 8; ++k)
        part[k] = _mm512_maskz_loadu_epi8(first_64(rows), z + k * z_term);
    store_columns(part, out, stride, rows);
}

/* Sixteen sums again: a lookup of two registers is loaded once for four vectors of columns. */
enum {
    VOTE_COLS = 128,                /* four vectors of 32 columns */
    VOTE_TERMS = 12,                /* two groups of six bits in a 16-bit lane */
    VOTE_CHUNKS = 21,               /* 252 terms */
    CHUNK_BYTES = 256,
    TABLE_BYTES = 2 * 4 * 128       /* two groups, four rows, 64 entries of int16 */
};

/* Write 2 z for n terms and return the sum of z. */
BVAR_INLINE int32_t lay_terms(const int8_t *z, int n, int16_t *terms) {
    const __m512i ones = _mm512_set1_epi16(1);
    __m512i sum = _mm512_setzero_si512();
    for (int k = 0; k < n; k += 32) {
        const __mmask32 mask = (__mmask32)first_64(n - k);
        const __m512i v = _mm512_cvtepi8_epi16(_mm256_maskz_loadu_epi8(mask, z + k));
        sum = _mm512_add_epi32(sum, _mm512_madd_epi16(v, ones));
        _mm512_mask_storeu_epi16(terms + k, mask, _mm512_slli_epi16(v, 1));
    }
    return _mm512_reduce_add_epi32(sum);
}

/* Rows of bits are masks of lanes: term k adds bit k to the lanes in which its row has a one. */
BVAR_INLINE void vote_index(const uint64_t *words, ptrdiff_t n_words, int terms, int n, uint8_t *out) {
    for (int i = 0; i < 2; ++i) {
        __m512i low = _mm512_setzero_si512(), high = low;
        if (i < n)
            for (int k = 0; k < terms; ++k) {
                const uint64_t word = words[k * n_words + i];
                const __m512i bit = _mm512_set1_epi16((int16_t)(1 << k));
                low = _mm512_mask_add_epi16(low, (__mmask32)word, low, bit);
                high = _mm512_mask_add_epi16(high, (__mmask32)(word >> 32), high, bit);
            }
        _mm512_storeu_si512(out + 128 * i, low);
        _mm512_storeu_si512(out + 128 * i + 64, high);
    }
}

/* Sums over all subsets of six terms; entry e holds those whose bits are set in e. */
static void vote_tables(const int16_t *terms, ptrdiff_t stride, int n_chunks, void *out) {
    __m512i *table = out;
    for (int group = 0; group < 2 * n_chunks; ++group)
        for (int r = 0; r < 4; ++r, table += 2) {
            const int16_t *z = terms + r * stride + 6 * group;
            __m512i v = _mm512_maskz_set1_epi16(0xaaaaaaaa, z[0]);
            v = _mm512_mask_add_epi16(v, 0xcccccccc, v, _mm512_set1_epi16(z[1]));
            v = _mm512_mask_add_epi16(v, 0xf0f0f0f0, v, _mm512_set1_epi16(z[2]));
            v = _mm512_mask_add_epi16(v, 0xff00ff00, v, _mm512_set1_epi16(z[3]));
            v = _mm512_mask_add_epi16(v, 0xffff0000, v, _mm512_set1_epi16(z[4]));
            _mm512_storeu_si512(table, v);
            _mm512_storeu_si512(table + 1, _mm512_add_epi16(v, _mm512_set1_epi16(z[5])));
        }
}

/* Add the lookups of one group of six terms for four rows and 128 columns. */
BVAR_INLINE void look_up(const __m512i *table, const __m512i index[4], __m512i acc[4][4]) {
    BVAR_UNROLL
    for (int r = 0; r < 4; ++r) {
        const __m512i low = _mm512_loadu_si512(table + 2 * r), high = _mm512_loadu_si512(table + 2 * r + 1);
        BVAR_UNROLL
        for (int j = 0; j < 4; ++j) {
            acc[r][j] = _mm512_add_epi16(acc[r][j], _mm512_permutex2var_epi16(low, index[j], high));
            BVAR_PIN(acc[r][j]);
        }
    }
}

/* Write or add up to 32 sums of int16 to int32. */
BVAR_INLINE void store_votes(int32_t *out, const int n, __m512i v, const int first) {
    const __m512i half[2] = {_mm512_cvtepi16_epi32(_mm512_castsi512_si256(v)),
                             _mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64(v, 1))};
    BVAR_UNROLL
    for (int h = 0; h < 2; ++h) {
        const __mmask16 mask = first_16(n - 16 * h);
        const __m512i old = first ? _mm512_setzero_si512() : _mm512_maskz_loadu_epi32(mask, out + 16 * h);
        _mm512_mask_storeu_epi32(out + 16 * h, mask, _mm512_add_epi32(old, half[h]));
    }
}

BVAR_INLINE void store_tile(int32_t *out, ptrdiff_t stride, const int rows, const int cols, __m512i acc[4][4],
                            const int first) {
    BVAR_UNROLL
    for (int r = 0; r < 4; ++r) {
        if (r < rows) {
            BVAR_UNROLL
            for (int j = 0; j < 4; ++j)
                store_votes(out + r * stride + 32 * j, cols - 32 * j, acc[r][j], first);
        }
    }
}

static void vote_tile(const void *tables, const uint8_t *index, int n_chunks, const int16_t start[4],
                      int32_t *out, ptrdiff_t stride, int rows, int cols, int first) {
    const __m512i *table = tables;
    __m512i acc[4][4];
    BVAR_UNROLL
    for (int r = 0; r < 4; ++r) {
        BVAR_UNROLL
        for (int j = 0; j < 4; ++j)
            acc[r][j] = _mm512_set1_epi16(start[r]);
    }
    BVAR_NO_UNROLL
    for (int c = 0; c < n_chunks; ++c, table += 16) {
        __m512i bits[4];
        BVAR_UNROLL
        for (int j = 0; j < 4; ++j)
            bits[j] = _mm512_loadu_si512(index + CHUNK_BYTES * c + 64 * j);
        look_up(table, bits, acc); /* vpermi2w looks at the lowest six bits only */
        BVAR_UNROLL
        for (int j = 0; j < 4; ++j)
            bits[j] = _mm512_srli_epi16(bits[j], 6);
        look_up(table + 8, bits, acc);
    }
    if (rows == 4 && cols == VOTE_COLS && first) /* constants: masks and tests vanish */
        store_tile(out, stride, 4, VOTE_COLS, acc, 1);
    else if (rows == 4 && cols == VOTE_COLS)
        store_tile(out, stride, 4, VOTE_COLS, acc, 0);
    else
        store_tile(out, stride, rows, cols, acc, first);
}

/* ------------------------------------------------------------------------------------------------- update */

#define BVAR_OWN_RESCALE

/* |g| * factor in 64 bits, rounded and clipped, for the even lanes. */
BVAR_INLINE __m512i rescaled(__m512i g, __m512i factor, __m512i half, __m128i shift) {
    const __m512i p = _mm512_add_epi64(_mm512_mul_epu32(g, factor), half);
    return _mm512_min_epu64(_mm512_srl_epi64(p, shift), _mm512_set1_epi64(127));
}

/* The beginning of a curve stays in registers, three spreads of a sum of 4096 terms: a lookup in each pair of them is
 * faster than sixteen loads.  What lies beyond the end of the curve is never looked up. */
enum { CURVE_PAIRS = 6, CURVE_HEAD = 32 * CURVE_PAIRS };

BVAR_INLINE void load_head(const int32_t *curve, ptrdiff_t n, __m512i head[2 * CURVE_PAIRS]) {
    BVAR_UNROLL
    for (int i = 0; i < 2 * CURVE_PAIRS; ++i) {
        const ptrdiff_t left = n - 16 * i;
        head[i] = _mm512_maskz_loadu_epi32(first_16(left < 16 ? (int)left : 16), left > 0 ? curve + 16 * i : curve);
    }
}

/* Sixteen entries of a curve. */
BVAR_INLINE __m512i look_up_curve(const int32_t *curve, const __m512i head[2 * CURVE_PAIRS], __m512i index) {
    __m512i v = _mm512_permutex2var_epi32(head[0], index, head[1]);
    if (_mm512_cmpge_epu32_mask(index, _mm512_set1_epi32(CURVE_HEAD)))
        return _mm512_i32gather_epi32(index, curve, 4);
    BVAR_UNROLL
    for (int p = 1; p < CURVE_PAIRS; ++p)
        v = _mm512_mask_mov_epi32(v, _mm512_cmpge_epu32_mask(index, _mm512_set1_epi32(32 * p)),
                                  _mm512_permutex2var_epi32(head[2 * p], index, head[2 * p + 1]));
    return v;
}

/* Sixteen outputs at a time.  |s - tau| is taken as unsigned, so it cannot overflow; nor can |g|. */
BVAR_INLINE void rescale_row(const bvar_rescale_job *a, ptrdiff_t r) {
    const __m512i half = _mm512_set1_epi64((INT64_C(1) << a->shift) >> 1);
    const __m512i last = _mm512_set1_epi32((int32_t)(a->n_curve - 1));
    const __m128i shift = _mm_cvtsi32_si128(a->shift);
    __m512i head[2 * CURVE_PAIRS];
    load_head(a->curve, a->n_curve, head);
    for (ptrdiff_t j = 0; j < a->n_cols; j += 16) {
        const __mmask16 mask = a->n_cols - j < 16 ? first_16((int)(a->n_cols - j)) : 0xffff;
        const ptrdiff_t at = r * a->n_cols + j;
        const __m512i s = _mm512_maskz_loadu_epi32(mask, a->s + at);
        const __m512i tau = _mm512_maskz_loadu_epi32(mask, a->tau + j);
        const __m512i g = _mm512_maskz_loadu_epi32(mask, a->g + at), size = _mm512_abs_epi32(g);
        const __m512i distance = _mm512_sub_epi32(_mm512_max_epi32(s, tau), _mm512_min_epi32(s, tau));
        const __m512i factor = look_up_curve(a->curve, head, _mm512_min_epu32(distance, last));
        const __m512i even = rescaled(size, factor, half, shift);
        const __m512i odd = rescaled(_mm512_srli_epi64(size, 32), _mm512_srli_epi64(factor, 32), half, shift);
        const __m512i all = _mm512_or_si512(even, _mm512_slli_epi64(odd, 32));
        const __m512i out = _mm512_mask_sub_epi32(all, _mm512_movepi32_mask(g), _mm512_setzero_si512(), all);
        _mm512_mask_cvtepi32_storeu_epi8(a->out + at, mask, out);
    }
}

#define BVAR_OWN_NORM

/* Add |q| of 16 votes: as unsigned 32 bits, even and odd lanes apart, in 64-bit sums. */
BVAR_INLINE void add_norms(__m512i q, __m512i sum[2]) {
    const __m512i v = _mm512_abs_epi32(q);
    sum[0] = _mm512_add_epi64(sum[0], _mm512_and_si512(v, _mm512_set1_epi64(0xffffffff)));
    sum[1] = _mm512_add_epi64(sum[1], _mm512_srli_epi64(v, 32));
}

BVAR_INLINE int64_t norm_of(const int32_t *q, ptrdiff_t n) {
    __m512i sum[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
    ptrdiff_t i = 0;
    for (; i + 16 <= n; i += 16)
        add_norms(_mm512_loadu_si512(q + i), sum);
    add_norms(_mm512_maskz_loadu_epi32(first_16((int)(n - i)), q + i), sum);
    return _mm512_reduce_add_epi64(_mm512_add_epi64(sum[0], sum[1]));
}

#define BVAR_OWN_FLIP

#include "step.h"

/* 2^13 * kept + eta * q, shifted by 28, in 64 bits: of even lanes and of odd ones, whose results fit 32 bits. */
BVAR_INLINE __m512i wide_16(__m512i kept, __m512i eta, __m512i q) {
    const __m512i scale = _mm512_set1_epi64(1 << 13);
    const __m512i even = _mm512_add_epi64(_mm512_mul_epi32(kept, scale), _mm512_mul_epi32(q, eta));
    const __m512i odd = _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(kept, 32), scale),
                                         _mm512_mul_epi32(_mm512_srli_epi64(q, 32), eta));
    return _mm512_mask_mov_epi32(_mm512_srli_epi64(even, 28), 0xaaaa, _mm512_slli_epi64(odd, 4));
}

/* The flips of 16 weights: where minus m * e(w) is at most minus the bar, so that a bit is a mask as it is.  The rest
 * stands in the upper half of each lane of `dither`, beside m, which `minus` multiplies by -beta and the rest by -1. */
BVAR_INLINE __mmask16 flip_16(__mmask16 bits, int16_t *m, const int32_t *q, __mmask16 mask, __m512i dither, __m512i minus,
                              bvar_step step, int is_wide) {
    const __m512i eta = _mm512_set1_epi32(step.eta), most = _mm512_set1_epi32(step.most), zero = _mm512_setzero_si512();
    const __m512i old = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, m));
    const __m512i pairs = _mm512_ternarylogic_epi32(old, dither, _mm512_set1_epi32(0x7fff0000), 0xf8); /* a | b & c */
    const __m512i lost = _mm512_madd_epi16(pairs, minus);
    const __m512i louder = _mm512_min_epi32(_mm512_maskz_loadu_epi32(mask, q), most);
    const __m512i votes = _mm512_max_epi32(louder, _mm512_sub_epi32(zero, most));
    const __m512i sum = is_wide ? wide_16(_mm512_sub_epi32(zero, lost), eta, votes)
                                : _mm512_srai_epi32(_mm512_sub_epi32(_mm512_mullo_epi32(eta, votes), lost), 15);
    const __m512i v = _mm512_max_epi32(sum, _mm512_set1_epi32(-32767));
    const __m512i against = _mm512_mask_sub_epi32(v, bits, zero, v);
    const __mmask16 flips = _mm512_mask_cmple_epi32_mask(mask, against, _mm512_set1_epi32(-4096));
    _mm256_mask_storeu_epi16(m, mask, _mm512_maskz_cvtsepi32_epi16(_knot_mask16(flips), v));
    return flips;
}

BVAR_INLINE uint64_t flip_word(uint64_t bits, int16_t *m, const int32_t *q, int n, uint32_t dither, bvar_step step,
                               int is_wide) {
#define REST(i) (int32_t)((uint32_t)(i) * DITHER << 16)
    const __m512i walk = _mm512_setr_epi32(REST(0), REST(1), REST(2), REST(3), REST(4), REST(5), REST(6), REST(7), REST(8),
                                           REST(9), REST(10), REST(11), REST(12), REST(13), REST(14), REST(15));
    const __m512i minus = _mm512_set1_epi32((int32_t)(0xffff0000u | (uint16_t)step.minus_beta));
    const __m512i stride = _mm512_set1_epi32(REST(16));
    __m512i rest = _mm512_add_epi32(walk, _mm512_set1_epi32((int32_t)(dither << 16)));
    uint64_t flips = 0;
#undef REST
    if (n == 64) { /* masks are cut and joined where they are: general registers would take a third of the time */
        const __mmask64 all = bits;
        const __m512i rest_b = _mm512_add_epi32(rest, stride), rest_c = _mm512_add_epi32(rest_b, stride);
        const __m512i rest_d = _mm512_add_epi32(rest_c, stride);
        const __mmask16 at_b = (__mmask16)_kshiftri_mask64(all, 16), at_c = (__mmask16)_kshiftri_mask64(all, 32);
        const __mmask16 at_d = (__mmask16)_kshiftri_mask64(all, 48);
        const __mmask16 a = flip_16((__mmask16)all, m, q, 0xffff, rest, minus, step, is_wide);
        const __mmask16 b = flip_16(at_b, m + 16, q + 16, 0xffff, rest_b, minus, step, is_wide);
        const __mmask16 c = flip_16(at_c, m + 32, q + 32, 0xffff, rest_c, minus, step, is_wide);
        const __mmask16 d = flip_16(at_d, m + 48, q + 48, 0xffff, rest_d, minus, step, is_wide);
        return _mm512_kunpackd(_mm512_kunpackw(d, c), _mm512_kunpackw(b, a));
    }
    for (int i = 0; i < n; i += 16) {
        flips |= (uint64_t)flip_16((__mmask16)(bits >> i), m + i, q + i, first_16(n - i), rest, minus, step, is_wide) << i;
        rest = _mm512_add_epi32(rest, stride);
    }
    return flips;
}

/* -------------------------------------------------------------------------------------------------- gates */

#include "gates_wire.h"

typedef __m512i plane;
enum { PLANE_WORDS = 8 };

BVAR_INLINE plane plane_load(const uint64_t *p, int n) {
    return n == PLANE_WORDS ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi64(first_8(n), p);
}
BVAR_INLINE void plane_store(uint64_t *p, int n, plane v) {
    if (n == PLANE_WORDS)
        _mm512_storeu_si512(p, v);
    else
        _mm512_mask_storeu_epi64(p, first_8(n), v);
}
BVAR_INLINE plane plane_all(uint64_t word) { return _mm512_set1_epi64((int64_t)word); }
BVAR_INLINE plane plane_and(plane a, plane b) { return _mm512_and_si512(a, b); }
BVAR_INLINE plane plane_xor(plane a, plane b) { return _mm512_xor_si512(a, b); }
BVAR_INLINE plane plane_leaf(plane c, plane d, plane x) { return _mm512_ternarylogic_epi64(c, d, x, 0x78); }
BVAR_INLINE plane plane_choose(plane x, plane a, plane b) { return _mm512_ternarylogic_epi64(x, a, b, 0xca); }
BVAR_INLINE plane plane_sum(plane a, plane b, plane c) { return _mm512_ternarylogic_epi64(a, b, c, 0x96); }
BVAR_INLINE plane plane_carry(plane a, plane b, plane c) { return _mm512_ternarylogic_epi64(a, b, c, 0xe8); }

BVAR_INLINE uint64_t level_word(const uint8_t *values, const uint8_t *thresholds, int n) {
    const __mmask64 mask = first_64(n);
    return _mm512_mask_cmpge_epu8_mask(mask, _mm512_maskz_loadu_epi8(mask, values),
                                       _mm512_maskz_loadu_epi8(mask, thresholds));
}

#define BVAR_OWN_COUNTERS

BVAR_INLINE void read_counters(const uint64_t *bits, ptrdiff_t stride, int shift, int n_planes, int32_t *count) {
    __m512i low = _mm512_setzero_si512(), high = low, weight = _mm512_set1_epi32(1);
    for (int p = 0; p < n_planes; ++p, weight = _mm512_add_epi32(weight, weight)) {
        const uint32_t half = (uint32_t)(bits[p * stride] >> shift);
        low = _mm512_mask_or_epi32(low, (__mmask16)half, low, weight);
        high = _mm512_mask_or_epi32(high, (__mmask16)(half >> 16), high, weight);
    }
    _mm512_storeu_si512(count, low);
    _mm512_storeu_si512(count + 16, high);
}

#define BVAR_OWN_SIGNED

/* 16 samples: z where a bit of plus, -z where a bit of minus. */
BVAR_INLINE void add_signed_16(int32_t *sum, const int16_t *z, __mmask16 plus, __mmask16 minus) {
    const __m512i v = _mm512_cvtepi16_epi32(_mm256_loadu_si256((const __m256i *)z));
    const __m512i raised = _mm512_mask_add_epi32(_mm512_loadu_si512(sum), plus, _mm512_loadu_si512(sum), v);
    _mm512_storeu_si512(sum, _mm512_mask_sub_epi32(raised, minus, raised, v));
}

BVAR_INLINE void add_signed(int32_t *sum, const int16_t *z, uint64_t plus, uint64_t minus) {
    BVAR_UNROLL
    for (int s = 0; s < 64; s += 16)
        add_signed_16(sum + s, z + s, (__mmask16)(plus >> s), (__mmask16)(minus >> s));
}

#define BVAR_OWN_FEW

/* 32 samples of one wire, in saturating int16: two terms, so each of the two sums is clipped at most once. */
BVAR_INLINE __m512i add_wire_32(__m512i sum, const wire *it, ptrdiff_t s, __mmask32 legal) {
    const __m512i v = _mm512_maskz_loadu_epi16(legal, it->z + s);
    const __mmask32 up = (__mmask32)(it->up[s / 64] >> s % 64), down = (__mmask32)(it->down[s / 64] >> s % 64);
    sum = _mm512_mask_adds_epi16(sum, up, sum, v);
    return _mm512_mask_subs_epi16(sum, down, sum, v);
}

BVAR_INLINE void add_few(const wire *wires, int n_wires, ptrdiff_t n, int16_t *out) {
    for (ptrdiff_t s = 0; s < n; s += 32) {
        const __mmask32 legal = (__mmask32)first_64((int)(n - s));
        __m512i sum = _mm512_setzero_si512();
        for (int i = 0; i < n_wires; ++i)
            sum = add_wire_32(sum, wires + i, s, legal);
        _mm512_mask_storeu_epi16(out + s, legal, _mm512_max_epi16(sum, _mm512_set1_epi16(-32767)));
    }
}

#define BVAR_OWN_TOTAL

BVAR_INLINE int32_t total_where(const int16_t *terms, const uint64_t *a, const uint64_t *b, int words) {
    const __m512i one = _mm512_set1_epi16(1);
    __m512i sum = _mm512_setzero_si512();
    for (int w = 0; w < words; ++w) {
        const uint64_t differ = a[w] ^ b[w];
        const __m512i low = _mm512_maskz_loadu_epi16((__mmask32)differ, terms + 64 * w);
        const __m512i high = _mm512_maskz_loadu_epi16((__mmask32)(differ >> 32), terms + 64 * w + 32);
        sum = _mm512_add_epi32(sum, _mm512_add_epi32(_mm512_madd_epi16(low, one), _mm512_madd_epi16(high, one)));
    }
    return _mm512_reduce_add_epi32(sum);
}

#define BVAR_OWN_GATE_VOTES

/* Split the samples of a word by the entries that they address. */
BVAR_INLINE void split_by_entry(const uint64_t *x, uint64_t legal, int fan_in, uint64_t *who) {
    who[0] = legal;
    for (int i = 0; i < fan_in; ++i)
        for (int j = 0; j < 1 << i; ++j) {
            who[j + (1 << i)] = who[j] & x[i];
            who[j] &= ~x[i];
        }
}

/* Pairs of signals are added in 32 bits as they are multiplied by ones. */
BVAR_INLINE void votes_by_entry(const bvar_table_votes_job *a, ptrdiff_t g, int fan_in) {
    const ptrdiff_t n_words = (a->n_samples + 63) / 64;
    const int32_t *wires = a->wires + g * fan_in;
    const __m512i one = _mm512_set1_epi16(1);
    __m512i sum[64];
    for (int j = 0; j < 1 << fan_in; ++j)
        sum[j] = _mm512_setzero_si512();
    for (ptrdiff_t k = 0; k < n_words; ++k) {
        const int16_t *z = a->z + g * a->n_samples + 64 * k;
        const uint64_t legal = legal_bits(a->n_samples, 64 * k);
        const __m512i low = _mm512_maskz_loadu_epi16((__mmask32)legal, z);
        const __m512i high = _mm512_maskz_loadu_epi16((__mmask32)(legal >> 32), z + 32);
        uint64_t x[6], who[64];
        for (int i = 0; i < fan_in; ++i)
            x[i] = a->x[wires[i] * n_words + k];
        split_by_entry(x, legal, fan_in, who);
        for (int j = 0; j < 1 << fan_in; ++j) {
            const __m512i first = _mm512_maskz_mov_epi16((__mmask32)who[j], low);
            const __m512i second = _mm512_maskz_mov_epi16((__mmask32)(who[j] >> 32), high);
            sum[j] = _mm512_add_epi32(sum[j], _mm512_madd_epi16(first, one));
            sum[j] = _mm512_add_epi32(sum[j], _mm512_madd_epi16(second, one));
        }
    }
    for (int j = 0; j < 1 << fan_in; ++j)
        a->out[(g << fan_in) + j] = _mm512_reduce_add_epi32(sum[j]);
}

static void votes_of_gate(const bvar_table_votes_job *a, ptrdiff_t g) {
    if (a->fan_in == 2) /* a constant, so that sums stay in registers */
        votes_by_entry(a, g, 2);
    else
        votes_by_entry(a, g, a->fan_in);
}

#include "rows_avx512.h"

#include "kernels_impl.h"

BVAR_TARGET_END

const bvar_isa bvar_isa_avx512 = ISA;
#else
typedef int bvar_no_avx512; /* an empty file is not C */
#endif
