/* isa_neon.c - Advanced SIMD, which every 64-bit Arm has: no detection, no target pragma.
 *
 *   forward  xor, vcnt (ones per byte), add: 128 bit pairs per three instructions.  8-bit sums hold 31 words
 *            (31 * 8 = 248 in each byte), then they are widened.  Four rows by eight outputs use 16 accumulators.
 *   votes    sums of four terms need two bytes: vqtbl1q looks up in 16 bytes, twice, and vzip joins them to int16. */
#if defined(__aarch64__) || defined(_M_ARM64)
#include <arm_neon.h>
#include <float.h>

#include "bvar_kernels.h"
#include "target.h"

#include "swar.h"

#define NAME "neon"
#define CPU BVAR_CPU_NEON
#define GATE_RATE 300.0
#define VOTE_RATE 100.0

/* ------------------------------------------------------------------------------------------------- layout */

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
        count += vaddv_u8(vcnt_u8(vcreate_u8(row[k])));
    return count;
}

/* ------------------------------------------------------------------------------------------------ forward */

/* Four rows by eight outputs: 16 sums, a word of x and one of w, of 32 registers.  Twice as many outputs would take all
 * of them for sums. */
enum { PANEL_ROWS = 8, TILE_ROWS = 4, MAX_WORDS = 31 };

static ptrdiff_t panels_bytes(ptrdiff_t n_rows, ptrdiff_t n_words) { return (n_rows + 7) / 8 * n_words * 64; }

/* For each word position the words of eight outputs: lane l of vector j is output 2 j + l. */
static void lay_panel(const uint64_t *w, ptrdiff_t n_rows, ptrdiff_t n_words, void *panel) {
    for (ptrdiff_t k = 0; k < n_words; ++k)
        for (ptrdiff_t o = 0; o < 8; ++o)
            ((uint64_t *)panel)[8 * k + o] = o < n_rows ? w[o * n_words + k] : 0;
}

/* At most MAX_WORDS words of each row against a panel. */
BVAR_INLINE void count_words_of(const uint64_t *x, ptrdiff_t stride, const int rows, const uint64_t *panel,
                                int n_words, uint32_t (*counts)[PANEL_ROWS]) {
    uint8x16_t acc[4][4];
    BVAR_UNROLL
    for (int i = 0; i < rows; ++i) {
        BVAR_UNROLL
        for (int j = 0; j < 4; ++j)
            acc[i][j] = vdupq_n_u8(0);
    }
    for (int k = 0; k < n_words; ++k, panel += 8) {
        BVAR_UNROLL
        for (int i = 0; i < rows; ++i) {
            const uint64x2_t v = vdupq_n_u64(x[i * stride + k]);
            BVAR_UNROLL
            for (int j = 0; j < 4; ++j) {
                const uint64x2_t differ = veorq_u64(v, vld1q_u64(panel + 2 * j));
                acc[i][j] = vaddq_u8(acc[i][j], vcntq_u8(vreinterpretq_u8_u64(differ)));
            }
        }
    }
    BVAR_UNROLL
    for (int i = 0; i < rows; ++i) {
        BVAR_UNROLL
        for (int j = 0; j < 4; ++j) {
            const uint64x2_t sum = vpaddlq_u32(vpaddlq_u16(vpaddlq_u8(acc[i][j])));
            counts[i][2 * j] += (uint32_t)vgetq_lane_u64(sum, 0);
            counts[i][2 * j + 1] += (uint32_t)vgetq_lane_u64(sum, 1);
        }
    }
}

static void count_tile(const uint64_t *x, ptrdiff_t n_words, int rows, const void *panel, int n,
                       uint32_t (*counts)[PANEL_ROWS]) {
    const uint64_t *w = panel;
    (void)n;
    memset(counts, 0, (size_t)rows * sizeof counts[0]);
    for (ptrdiff_t k = 0; k < n_words; k += MAX_WORDS) {
        const int some = n_words - k < MAX_WORDS ? (int)(n_words - k) : MAX_WORDS;
        if (rows == TILE_ROWS)
            count_words_of(x + k, n_words, TILE_ROWS, w + 8 * k, some, counts);
        else
            for (int i = 0; i < rows; ++i)
                count_words_of(x + k + i * n_words, n_words, 1, w + 8 * k, some, counts + i);
    }
}

BVAR_INLINE uint64_t gate_mask(const uint32_t *counts, int32_t row, const int32_t *col, int32_t scale, int n) {
    static const uint32_t places[4] = {1, 2, 4, 8};
    uint64_t mask = 0;
    int j = 0;
    for (; j + 4 <= n; j += 4) {
        const int32x4_t base = vaddq_s32(vdupq_n_s32(row), vld1q_s32(col + j));
        const int32x4_t v = vmlaq_n_s32(base, vreinterpretq_s32_u32(vld1q_u32(counts + j)), scale);
        mask |= (uint64_t)vaddvq_u32(vandq_u32(vcgezq_s32(v), vld1q_u32(places))) << j;
    }
    for (; j < n; ++j) {
        const uint32_t sum = (uint32_t)row + (uint32_t)col[j] + (uint32_t)scale * counts[j];
        mask |= (uint64_t)(~sum >> 31) << j;
    }
    return mask;
}

/* -------------------------------------------------------------------------------------------------- votes */

#include "byte_index.h"

enum { VOTE_CHUNKS = 31, TABLE_BYTES = 2 * 4 * 32 }; /* 248 terms; two nibbles, four rows, 16 entries of int16 */

/* Write 2 z for n terms and return the sum of z. */
BVAR_INLINE int32_t lay_terms(const int8_t *z, int n, int16_t *terms) {
    int32_t total = 0;
    int k = 0;
    for (; k + 8 <= n; k += 8) {
        const int8x8_t v = vld1_s8(z + k);
        total += vaddlv_s8(v);
        vst1q_s16(terms + k, vshll_n_s8(v, 1));
    }
    for (; k < n; ++k) {
        terms[k] = (int16_t)(2 * z[k]);
        total += z[k];
    }
    return total;
}

/* Sums over all subsets of four terms: 16 low bytes, then 16 high bytes. */
static void vote_tables(const int16_t *terms, ptrdiff_t stride, int n_chunks, void *out) {
    uint8_t *table = out;
    for (int group = 0; group < 2 * n_chunks; ++group)
        for (int r = 0; r < 4; ++r, table += 32) {
            const int16_t *z = terms + r * stride + 4 * group;
            uint16_t sums[16] = {0};
            for (int bit = 0; bit < 4; ++bit)
                for (int v = 0; v < 1 << bit; ++v)
                    sums[v + (1 << bit)] = (uint16_t)(sums[v] + (uint16_t)z[bit]);
            const uint8x16x2_t bytes = vld2q_u8((const uint8_t *)sums); /* de-interleaves */
            vst1q_u8(table, bytes.val[0]);
            vst1q_u8(table + 16, bytes.val[1]);
        }
}

/* Four rows, 16 columns, four terms. */
BVAR_INLINE void look_up(const uint8_t *table, uint8x16_t nibbles, int16x8_t acc[4][2]) {
    BVAR_UNROLL
    for (int r = 0; r < 4; ++r) {
        const uint8x16_t low = vqtbl1q_u8(vld1q_u8(table + 32 * r), nibbles);
        const uint8x16_t high = vqtbl1q_u8(vld1q_u8(table + 32 * r + 16), nibbles);
        acc[r][0] = vaddq_s16(acc[r][0], vreinterpretq_s16_u8(vzip1q_u8(low, high)));
        acc[r][1] = vaddq_s16(acc[r][1], vreinterpretq_s16_u8(vzip2q_u8(low, high)));
    }
}

BVAR_INLINE void store_4(int32_t *out, int16x4_t v, int first) {
    const int32x4_t wide = vmovl_s16(v);
    vst1q_s32(out, first ? wide : vaddq_s32(wide, vld1q_s32(out)));
}

/* Write or add up to 16 sums. */
BVAR_INLINE void store_votes(int32_t *out, int n, const int16x8_t acc[2], int first) {
    int32_t some[16];
    int32_t *to = n < 16 ? some : out;
    if (n < 16 && !first)
        memcpy(some, out, (size_t)n * sizeof some[0]);
    for (int h = 0; h < 2; ++h) {
        store_4(to + 8 * h, vget_low_s16(acc[h]), first);
        store_4(to + 8 * h + 4, vget_high_s16(acc[h]), first);
    }
    if (n < 16)
        memcpy(out, some, (size_t)n * sizeof some[0]);
}

static void vote_tile(const void *tables, const uint8_t *index, int n_chunks, const int16_t start[4],
                      int32_t *out, ptrdiff_t stride, int rows, int cols, int first) {
    for (int i = 0; i < cols; i += 16) {
        const uint8_t *table = tables;
        int16x8_t acc[4][2];
        for (int r = 0; r < 4; ++r)
            acc[r][0] = acc[r][1] = vdupq_n_s16(start[r]);
        for (int c = 0; c < n_chunks; ++c, table += TABLE_BYTES) {
            const uint8x16_t bits = vld1q_u8(index + CHUNK_BYTES * c + i);
            look_up(table, vandq_u8(bits, vdupq_n_u8(15)), acc);
            look_up(table + 128, vshrq_n_u8(bits, 4), acc);
        }
        for (int r = 0; r < rows; ++r)
            store_votes(out + r * stride + i, cols - i, acc[r], first);
    }
}

/* -------------------------------------------------------------------------------------------------- gates */

#include "gates_wire.h"

typedef uint64x2_t plane;
enum { PLANE_WORDS = 2 };

BVAR_INLINE plane plane_load(const uint64_t *p, int n) {
    return n == PLANE_WORDS ? vld1q_u64(p) : vcombine_u64(vld1_u64(p), vdup_n_u64(0));
}
BVAR_INLINE void plane_store(uint64_t *p, int n, plane v) {
    if (n == PLANE_WORDS)
        vst1q_u64(p, v);
    else
        vst1_u64(p, vget_low_u64(v));
}
BVAR_INLINE plane plane_all(uint64_t word) { return vdupq_n_u64(word); }
BVAR_INLINE plane plane_and(plane a, plane b) { return vandq_u64(a, b); }
BVAR_INLINE plane plane_xor(plane a, plane b) { return veorq_u64(a, b); }
BVAR_INLINE plane plane_leaf(plane c, plane d, plane x) { return veorq_u64(c, vandq_u64(d, x)); }
BVAR_INLINE plane plane_choose(plane x, plane a, plane b) { return vbslq_u64(x, a, b); }
BVAR_INLINE plane plane_sum(plane a, plane b, plane c) { return veorq_u64(veorq_u64(a, b), c); }
BVAR_INLINE plane plane_carry(plane a, plane b, plane c) { return vbslq_u64(veorq_u64(a, b), c, a); }

BVAR_INLINE uint64_t level_word(const uint8_t *values, const uint8_t *thresholds, int n) {
    uint8_t at_least[64] = {0};
    int i = 0;
    for (; i + 16 <= n; i += 16)
        vst1q_u8(at_least + i, vcgeq_u8(vld1q_u8(values + i), vld1q_u8(thresholds + i)));
    for (; i < n; ++i)
        at_least[i] = values[i] >= thresholds[i];
    return pack_word(at_least, 64);
}

#include "rows_neon.h"

#include "kernels_impl.h"

const bvar_isa bvar_isa_neon = ISA;
#else
typedef int bvar_no_neon; /* an empty file is not C */
#endif
