/* rows_impl.h - one row of numbers times a matrix of bits, by look-ups; included by kernels_impl.h.
 *
 * The sums over all subsets of four numbers, less the smallest of them, are 16 numbers from 0 to |x_1| + .. + |x_4|:
 * 16 bytes if that is at most 255.  Four weights are a place in such a table, and so
 *
 *     sum over i of e(w_ji) x_i = 2 (look-ups of output j) + base,   base = -(sum of magnitudes),
 *
 * since twice the sum of those below zero, less the sum of all, is that.  Numbers that are too large are written in
 * digits of 64, from -32 to 31, whose groups always fit.
 *
 * An ISA file may bring a layout of its own (BVAR_OWN_ROWS); here is the one with a byte of each output side by side,
 * for tables of 16 bytes: the low half of byte k of a row is group 2 k, the high half group 2 k + 1. */

#include <float.h>
#include <math.h>

enum { LARGEST_GROUP = 255, TABLE_ENTRIES = 16 };

#ifndef BVAR_OWN_ROWS
enum { ROW_OUTPUTS = 32 };
#define ROW_PLACE(group) (group)
#endif

BVAR_INLINE int32_t magnitude(int32_t v) { return v < 0 ? -v : v; }

/* Digit 0, 1 or 2 of a number in base 64; `rest` is what the digits above stand for. */
BVAR_INLINE int32_t digit_of(int32_t x, int32_t digit, int32_t *rest) {
    int32_t low = 0;
    for (; digit >= 0; --digit, x = (x - low) / 64)
        low = ((x + 32) & 63) - 32;
    *rest = x;
    return low;
}

/* 16 sums over subsets, as bytes.  Each is from 0 to 255, so that two words hold these bytes in the end, whatever was
 * carried or borrowed between them on the way. */
BVAR_INLINE void write_table(uint8_t *table, const int32_t x[4], int32_t lowest) {
    const uint64_t each = UINT64_C(0x0101010101010101);
    const uint64_t half = (uint64_t)(int64_t)-lowest * each +
                          (uint64_t)(int64_t)x[0] * UINT64_C(0x0100010001000100) +
                          (uint64_t)(int64_t)x[1] * UINT64_C(0x0101000001010000) +
                          (uint64_t)(int64_t)x[2] * UINT64_C(0x0101010100000000);
    store64(table, half);
    store64(table + 8, half + (uint64_t)(int64_t)x[3] * each);
}

static int64_t row_tables(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    const bvar_row_tables_job *a = job;
    int64_t result = 0;
    for (ptrdiff_t g = begin; g < end; ++g) {
        int32_t x[4], rest, left = 0, size = 0, total = 0;
        BVAR_UNROLL
        for (int i = 0; i < 4; ++i) {
            x[i] = 4 * g + i < a->n_terms ? a->x[4 * g + i] : 0;
            if (a->digit >= 0)
                x[i] = digit_of(x[i], a->digit, &rest), left |= rest;
            size += magnitude(x[i]);
            total += x[i];
        }
        /* (total - size) / 2 is the sum of those below zero; 2 lowest - total is -size */
        if (left || size > LARGEST_GROUP)
            result += INT64_C(1) << 32;
        if (size <= LARGEST_GROUP)
            result -= size;
        write_table(a->tables + TABLE_ENTRIES * ROW_PLACE(g), x, (total - size) / 2);
    }
    return result;
}

#ifndef BVAR_OWN_ROWS
static ptrdiff_t rows_bytes(ptrdiff_t n_rows, ptrdiff_t n_words) {
    return ceil_div(n_rows, ROW_OUTPUTS) * ROW_OUTPUTS * 8 * n_words;
}

static int64_t lay_rows(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    const bvar_rows_job *a = job;
    for (ptrdiff_t p = begin; p < end; ++p)
        for (ptrdiff_t r = 0; r < ROW_OUTPUTS; r += 8) {
            uint8_t *out = (uint8_t *)a->layout + p * ROW_OUTPUTS * 8 * a->n_words + r;
            for (ptrdiff_t k = 0; k < a->n_words; ++k) {
                uint64_t rows[8];
                BVAR_UNROLL
                for (int i = 0; i < 8; ++i) {
                    const ptrdiff_t row = p * ROW_OUTPUTS + r + i;
                    rows[i] = row < a->n_rows ? a->w[row * a->n_words + k] : 0;
                }
                transpose_8x8_bytes(rows);
                BVAR_UNROLL
                for (int i = 0; i < 8; ++i)
                    store64(out + ROW_OUTPUTS * (8 * k + i), rows[i]);
            }
        }
    return 0;
}
#endif

#ifndef BVAR_OWN_LOOK_UP
/* Sum the look-ups of a panel: `n_steps` times 32 numbers. */
static void look_up_panel(const uint8_t *tables, const uint8_t *panel, ptrdiff_t n_steps,
                          uint32_t found[ROW_OUTPUTS]) {
    for (int r = 0; r < ROW_OUTPUTS; r += 8) { /* eight sums stay in registers */
        uint32_t sums[8] = {0};
        for (ptrdiff_t k = 0; k < 4 * n_steps; ++k) {
            const uint8_t *low = tables + 2 * TABLE_ENTRIES * k, *high = low + TABLE_ENTRIES;
            const uint64_t bits = load64(panel + ROW_OUTPUTS * k + r);
            BVAR_UNROLL
            for (int i = 0; i < 8; ++i)
                sums[i] += (uint32_t)low[bits >> 8 * i & 15] + high[bits >> (8 * i + 4) & 15];
        }
        memcpy(found + r, sums, sizeof sums);
    }
}
#endif

static int64_t row_sums(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    const bvar_row_sums_job *a = job;
    const ptrdiff_t n_words = ceil_div(a->n_terms, 64), size = rows_bytes(ROW_OUTPUTS, n_words);
    for (ptrdiff_t p = begin; p < end; ++p) {
        uint32_t found[ROW_OUTPUTS];
        int32_t *out = a->out + p * ROW_OUTPUTS;
        const int n = (int)at_most(ROW_OUTPUTS, a->n_out - p * ROW_OUTPUTS);
        look_up_panel(a->tables, (const uint8_t *)a->layout + p * size, ceil_div(a->n_terms, 32), found);
        for (int i = 0; i < n; ++i) {
            const uint32_t sum = (uint32_t)a->factor * (2 * found[i] + (uint32_t)a->base);
            out[i] = (int32_t)(a->first ? sum : sum + (uint32_t)out[i]);
        }
    }
    return 0;
}

/* Nearest integer, halves to even, for magnitudes below 2^22: the sum has no bits for fractions left. */
BVAR_INLINE float nearest(float v) {
    const float shift = 12582912.0f; /* 1.5 * 2^23 */
    const float moved = v + shift;
    return moved - shift;
}

static int64_t quantize_rows(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    const bvar_quantize_job *a = job;
    const ptrdiff_t n = a->n_terms;
    for (ptrdiff_t r = begin; r < end; ++r) {
        const float *x = a->x + r * n;
        int16_t *out = a->out + r * n;
        float largest = 0, factor;
        int finite = 1;
        for (ptrdiff_t i = 0; i < n; i += 4) {
            float size = 0;
            for (ptrdiff_t k = i; k < i + 4 && k < n; ++k) {
                const float v = x[k] * a->scales[k];
                size += v < 0 ? -v : v;
            }
            finite &= size <= FLT_MAX; /* neither infinite nor NaN */
            largest = size > largest ? size : largest;
        }
        if (!finite || largest < 0x1p-100f) { /* below, the factor might overflow */
            a->steps[r] = finite ? 0 : NAN;
            for (ptrdiff_t i = 0; i < n; ++i) /* not memset, which may not be given NULL */
                out[i] = 0;
            continue;
        }
        a->steps[r] = largest / 253.0f;
        factor = 253.0f / largest;
        for (ptrdiff_t i = 0; i < n; ++i)
            out[i] = (int16_t)nearest(x[i] * a->scales[i] * factor);
    }
    return 0;
}
