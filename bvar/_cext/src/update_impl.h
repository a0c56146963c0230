/* update_impl.h - from votes to flips; included by kernels_impl.h, once for each ISA file.
 *
 * Each kernel does one thing to a matrix of votes.  vote_and_flip, at the end, does all of them to a few rows at a
 * time, from the signals on: their votes are counted, used and forgotten in the cache. */

#ifndef BVAR_OWN_RESCALE
static void rescale_row(const bvar_rescale_job *a, ptrdiff_t r) {
    const int64_t half = (INT64_C(1) << a->shift) >> 1, last = a->n_curve - 1;
    for (ptrdiff_t j = 0; j < a->n_cols; ++j) {
        const ptrdiff_t at = r * a->n_cols + j;
        int64_t distance = (int64_t)a->s[at] - a->tau[j];
        distance = distance < 0 ? -distance : distance;
        const int64_t p = (int64_t)a->g[at] * a->curve[distance < last ? distance : last];
        const int64_t rounded = ((p < 0 ? -p : p) + half) >> a->shift;
        const int64_t clipped = rounded < 127 ? rounded : 127;
        a->out[at] = (int8_t)(p < 0 ? -clipped : clipped);
    }
}
#endif

static int64_t rescale(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    for (ptrdiff_t r = begin; r < end; ++r)
        rescale_row(job, r);
    return 0;
}

/* A product of 32 and 21 bits, scaled by a power of two, and half a unit of its point: all exact in double. */
BVAR_INLINE int16_t scaled_signal(int32_t g, double scale) {
    double p = (double)g * scale;
    p += p < 0 ? -0.5 : 0.5;
    p = p < 32767 ? p : 32767;
    return (int16_t)(p > -32767 ? p : -32767);
}

enum { SCALE_UNITS = 16 }; /* units whose signals are turned together: as many cache lines are written in turn */

static int64_t scale_signals(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    const bvar_scale_job *a = job;
    const double scale = (double)a->factor / (double)(1 << a->shift);
    for (ptrdiff_t u = begin; u < end; u += SCALE_UNITS) {
        const ptrdiff_t some = at_most(SCALE_UNITS, end - u);
        for (ptrdiff_t s = 0; s < a->n_samples; ++s) {
            const int32_t *g = a->g + s * a->g_row + u;
            int16_t z[SCALE_UNITS];
            if (some == SCALE_UNITS) /* of a fixed length, which compilers vectorise */
                for (int k = 0; k < SCALE_UNITS; ++k)
                    z[k] = scaled_signal(g[k], scale);
            else
                for (ptrdiff_t k = 0; k < some; ++k)
                    z[k] = scaled_signal(g[k], scale);
            for (ptrdiff_t k = 0; k < some; ++k)
                a->out[(u + k) * a->n_samples + s] = z[k];
        }
    }
    return 0;
}

/* Through an array of fixed length, which compilers vectorise although `out` may be q. */
#define CENTER_BLOCK 32

static void center_narrow(const int32_t *q, const int32_t *col, int32_t *out, ptrdiff_t n, int32_t row, int shift) {
    const int32_t half = (INT32_C(1) << shift) >> 1;
    const ptrdiff_t whole = n / CENTER_BLOCK * CENTER_BLOCK;
    for (ptrdiff_t i = 0; i < whole; i += CENTER_BLOCK) {
        int32_t found[CENTER_BLOCK];
        for (int k = 0; k < CENTER_BLOCK; ++k)
            found[k] = (int32_t)((uint32_t)q[i + k] - (uint32_t)((row * col[i + k] + half) >> shift));
        memcpy(out + i, found, sizeof found);
    }
    for (ptrdiff_t i = whole; i < n; ++i)
        out[i] = (int32_t)((uint32_t)q[i] - (uint32_t)((row * col[i] + half) >> shift));
}
static void center_wide(const int32_t *q, const int32_t *col, int32_t *out, ptrdiff_t n, int64_t row, int shift) {
    const int64_t half = (INT64_C(1) << shift) >> 1;
    for (ptrdiff_t i = 0; i < n; ++i)
        out[i] = (int32_t)(uint32_t)(uint64_t)(q[i] - ((row * col[i] + half) >> shift));
}

/* The largest magnitude in a row of means. */
static int64_t reach_of(const int32_t *col, ptrdiff_t n) {
    int64_t reach = 0;
    for (ptrdiff_t i = 0; i < n; ++i) {
        const int64_t size = col[i] < 0 ? -(int64_t)col[i] : col[i];
        reach = size > reach ? size : reach;
    }
    return reach;
}

/* Batches of up to 255 samples stay below 2^31, and take half the work. */
static void center_row(const int32_t *q, const int32_t *col, int32_t *out, ptrdiff_t n, int64_t row, int shift,
                       int64_t reach) {
    const int64_t most = (row < 0 ? -row : row) * reach;
    if (most <= INT32_MAX - ((INT64_C(1) << shift) >> 1))
        center_narrow(q, col, out, n, (int32_t)row, shift);
    else
        center_wide(q, col, out, n, row, shift);
}

static int64_t center_votes(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    const bvar_center_job *a = job;
    const int64_t reach = reach_of(a->col, a->n_cols);
    for (ptrdiff_t r = begin; r < end; ++r)
        center_row(a->q + r * a->n_cols, a->col, a->out + r * a->n_cols, a->n_cols, a->row[r], a->shift, reach);
    return 0;
}

/* A sum does not fit where both terms have a sign that it has not. */
static int64_t add_votes(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    const bvar_add_job *a = job;
    const ptrdiff_t whole = begin + (end - begin) / CENTER_BLOCK * CENTER_BLOCK;
    uint32_t wrapped[CENTER_BLOCK] = {0}, any = 0;
    for (ptrdiff_t i = begin; i < whole; i += CENTER_BLOCK) {
        uint32_t sum[CENTER_BLOCK];
        for (int k = 0; k < CENTER_BLOCK; ++k) {
            const uint32_t x = (uint32_t)a->a[i + k], y = (uint32_t)a->b[i + k];
            sum[k] = x + y;
            wrapped[k] |= (sum[k] ^ x) & (sum[k] ^ y);
        }
        memcpy(a->out + i, sum, sizeof sum);
    }
    for (ptrdiff_t i = whole; i < end; ++i) {
        const uint32_t x = (uint32_t)a->a[i], y = (uint32_t)a->b[i], sum = x + y;
        any |= (sum ^ x) & (sum ^ y);
        a->out[i] = (int32_t)sum;
    }
    for (int k = 0; k < CENTER_BLOCK; ++k)
        any |= wrapped[k];
    return any >> 31;
}

#ifndef BVAR_OWN_NORM
BVAR_INLINE int64_t norm_of(const int32_t *q, ptrdiff_t n) {
    uint64_t sum = 0;
    for (ptrdiff_t i = 0; i < n; ++i)
        sum += q[i] < 0 ? UINT64_C(0) - (uint64_t)(int64_t)q[i] : (uint64_t)q[i];
    return (int64_t)sum;
}
#endif

static int64_t vote_norms(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    const bvar_norms_job *a = job;
    for (ptrdiff_t r = begin; r < end; ++r)
        a->out[r] = norm_of(a->q + r * a->n_cols, a->n_cols);
    return 0;
}

#include "step.h"

#ifndef BVAR_OWN_FLIP
/* An accumulator after a vote, before it is compared with the bar. */
BVAR_INLINE int32_t moved(int16_t m, int32_t q, int32_t rest, bvar_step step, int is_wide) {
    const int32_t kept = rest - (int32_t)step.minus_beta * m;
    int32_t v;
    q = q < step.most ? q : step.most;
    q = q > -step.most ? q : -step.most;
    v = is_wide ? (int32_t)((INT64_C(8192) * kept + (int64_t)step.eta * q) >> 28) : (kept + step.eta * q) >> 15;
    v = v < 32767 ? v : 32767;
    return v > -32767 ? v : -32767;
}

/* 32 weights without a branch, in a form that compilers vectorise: the bit of weight i is met with mask 1 << i,
 * flips come back as the same masks, and `or` gathers them. */
BVAR_INLINE uint32_t flip_32(uint32_t bits, int16_t *m, const int32_t *q, uint32_t dither, bvar_step step, int is_wide) {
    static const uint32_t place[32] = {
        1u << 0,  1u << 1,  1u << 2,  1u << 3,  1u << 4,  1u << 5,  1u << 6,  1u << 7,
        1u << 8,  1u << 9,  1u << 10, 1u << 11, 1u << 12, 1u << 13, 1u << 14, 1u << 15,
        1u << 16, 1u << 17, 1u << 18, 1u << 19, 1u << 20, 1u << 21, 1u << 22, 1u << 23,
        1u << 24, 1u << 25, 1u << 26, 1u << 27, 1u << 28, 1u << 29, 1u << 30, 1u << 31};
    uint32_t flips = 0;
    int32_t v[32];
    for (uint32_t i = 0; i < 32; ++i)
        v[i] = moved(m[i], q[i], (int32_t)((dither + DITHER * i) & 0x7fff), step, is_wide);
    for (int i = 0; i < 32; ++i) {
        const int32_t against = (bits & place[i]) == place[i] ? v[i] : -v[i];
        const uint32_t flipped = against >= 4096 ? ~0u : 0u;
        v[i] &= (int32_t)~flipped;
        flips |= flipped & place[i];
    }
    for (int i = 0; i < 32; ++i)
        m[i] = (int16_t)v[i];
    return flips;
}

/* The flips of the `n` <= 64 weights in one word. */
BVAR_INLINE uint64_t flip_word(uint64_t bits, int16_t *m, const int32_t *q, int n, uint32_t dither, bvar_step step,
                               int is_wide) {
    uint64_t flips = 0;
    if (n == 64)
        return flip_32((uint32_t)bits, m, q, dither, step, is_wide) |
               (uint64_t)flip_32((uint32_t)(bits >> 32), m + 32, q + 32, dither + 32 * DITHER, step, is_wide) << 32;
    for (int i = 0; i < n; i += 32) { /* the tail goes through a copy, filled with what never flips */
        int16_t some_m[32] = {0};
        int32_t some_q[32] = {0};
        const size_t some = (size_t)at_most(32, n - i);
        memcpy(some_m, m + i, some * sizeof *m);
        memcpy(some_q, q + i, some * sizeof *q);
        flips |= (uint64_t)flip_32((uint32_t)(bits >> i), some_m, some_q, dither + (uint32_t)i * DITHER, step, is_wide) << i;
        memcpy(m + i, some_m, some * sizeof *m);
    }
    return flips;
}
#endif

BVAR_INLINE int64_t flip_words(uint64_t *words, int16_t *m, const int32_t *q, ptrdiff_t n_bits, uint32_t dither,
                               bvar_step step, int is_wide) {
    int64_t count = 0;
    for (ptrdiff_t i = 0; i < n_bits; i += 64) {
        const uint64_t flips = flip_word(words[i / 64], m + i, q + i, (int)at_most(64, n_bits - i), dither, step, is_wide);
        words[i / 64] ^= flips;
        count += (int64_t)popcount64(flips);
        dither += 64 * DITHER;
    }
    return count;
}

/* Flip in the row that begins with element `first`; `dither` is the rest of element 0. */
static int64_t flip_row(uint64_t *words, int16_t *m, const int32_t *q, ptrdiff_t n_bits, ptrdiff_t first, int32_t dither,
                        bvar_step step) {
    const uint32_t rest = (uint32_t)dither + (uint32_t)first * DITHER; /* modulo 2^32, of which 2^15 is a part */
    return step.is_wide ? flip_words(words, m, q, n_bits, rest, step, 1) : flip_words(words, m, q, n_bits, rest, step, 0);
}

static int64_t flip(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    const bvar_flip_job *a = job;
    const ptrdiff_t n = a->n_bits, n_words = ceil_div(n, 64);
    int64_t count = 0;
    for (ptrdiff_t r = begin; r < end; ++r)
        count += flip_row(a->words + r * n_words, a->m + r * n, a->q + r * n, n, r * n, a->dither,
                          step_of(a->eta[r], a->beta));
    return count;
}

/* -------------------------------------------------------------------------------------------- vote_and_flip */

/* Signed sums to votes: ((d(F) + d(T)) * total + (d(T) - d(F)) * q) / 2, always whole, halved first where it can be. */
static void mix_row(int32_t *q, ptrdiff_t n, int32_t at_false, int32_t at_true, int32_t total) {
    const int32_t plus = at_false + at_true, minus = at_true - at_false;
    if (plus % 2)
        for (ptrdiff_t i = 0; i < n; ++i)
            q[i] = (plus * total + minus * q[i]) / 2;
    else
        for (ptrdiff_t i = 0; i < n; ++i)
            q[i] = plus / 2 * total + minus / 2 * q[i];
}

/* The norm of votes of magnitude up to `most`: in int32 where that holds, which takes half the work. */
static int64_t norm_up_to(const int32_t *q, ptrdiff_t n, int64_t most) {
    const ptrdiff_t whole = n / CENTER_BLOCK * CENTER_BLOCK;
    uint32_t sum[CENTER_BLOCK] = {0};
    int64_t norm = 0;
    if (most > INT32_MAX / (n / CENTER_BLOCK + 1))
        return norm_of(q, n);
    for (ptrdiff_t i = 0; i < whole; i += CENTER_BLOCK)
        for (int k = 0; k < CENTER_BLOCK; ++k)
            sum[k] += (uint32_t)(q[i + k] < 0 ? -q[i + k] : q[i + k]);
    for (int k = 0; k < CENTER_BLOCK; ++k)
        norm += sum[k];
    return norm + norm_of(q + whole, n - whole);
}

/* Use the signed sums of row r, which are lost, and whose signals add up to `total`. */
static int64_t use_row(const bvar_update_job *a, ptrdiff_t r, int32_t *q, int32_t total, int64_t reach) {
    int64_t eta = a->eta;
    if (a->at_false != -1 || a->at_true != 1)
        mix_row(q, a->n_bits, a->at_false, a->at_true, total);
    if (a->col)
        center_row(q, a->col, q, a->n_bits, total, a->shift, reach);
    if (a->bound >= 0) {
        const int64_t shared = a->col ? ((total < 0 ? -(int64_t)total : total) * reach >> a->shift) + 1 : 0;
        const int64_t norm = norm_up_to(q, a->n_bits, 128 * a->n_terms + shared);
        const int64_t most = a->bound / (norm > 1 ? norm : 1);
        eta = most < eta ? most : eta;
    }
    return flip_row(a->words + r * ceil_div(a->n_bits, 64), a->m + r * a->n_bits, q, a->n_bits, r * a->n_bits, a->dither,
                    step_of(eta, a->beta));
}

/* Blocks of terms that are staged together, so that a batch of usual size is whole: two take 50 KiB. */
enum { STAGED_BLOCKS = 2 };

/* Stage block `c` of the terms of `rows` rows from r on, and add the signals to their totals. */
static int stage_block(const bvar_update_job *a, ptrdiff_t r, int rows, ptrdiff_t c, ptrdiff_t step, stage *out,
                       int32_t *total) {
    const ptrdiff_t k = c * step * VOTE_TERMS, all_chunks = ceil_div(a->n_terms, VOTE_TERMS);
    const ptrdiff_t n_chunks = at_most(step, all_chunks - c * step);
    stage_z(a->z + r * a->z_row + k * a->z_term, a->z_row, a->z_term, rows,
            (int)at_most(n_chunks * VOTE_TERMS, a->n_terms - k), out);
    for (int j = 0; j < rows; ++j)
        total[j] -= out->start[j];
    return (int)n_chunks;
}

/* Count the votes of `rows` <= STAGE_ROWS rows from r on, and use them.  Where all terms are staged, a tile of rows
 * is used before the next is counted, so its votes hardly leave L1; accumulators come from memory meanwhile. */
static int64_t update_rows(const bvar_update_job *a, const bvar_votes_job *votes, ptrdiff_t r, int rows, int64_t reach) {
    const ptrdiff_t step = chunks_together(a->n_terms), n = a->n_bits;
    const ptrdiff_t n_blocks = ceil_div(ceil_div(a->n_terms, VOTE_TERMS), step);
    const int in_turn = 0 < n_blocks && n_blocks <= STAGED_BLOCKS;
    int32_t total[STAGE_ROWS] = {0};
    int64_t count = 0;
    stage staged[STAGED_BLOCKS];
    if (!n_blocks)
        memset(votes->out, 0, (size_t)(rows * n) * sizeof(int32_t));
    for (ptrdiff_t c = 0; c < n_blocks; c += STAGED_BLOCKS) {
        const int blocks = (int)at_most(STAGED_BLOCKS, n_blocks - c);
        int n_chunks[STAGED_BLOCKS];
        for (int b = 0; b < blocks; ++b)
            n_chunks[b] = stage_block(a, r, rows, c + b, step, &staged[b], total);
        for (int i = 0; i < rows; i += VOTE_ROWS) {
            const int some = (int)at_most(VOTE_ROWS, rows - i);
            int32_t *q = votes->out + (in_turn ? 0 : i * n);
            for (int b = 0; b < blocks; ++b)
                vote_rows(votes, &staged[b], i, some, q, (c + b) * step, n_chunks[b], 0, n,
                          c + b == 0 ? a->m + (r + i) * n : NULL);
            for (int j = 0; in_turn && j < some; ++j)
                count += use_row(a, r + i + j, q + j * n, total[i + j], reach);
        }
    }
    for (int j = 0; !in_turn && j < rows; ++j)
        count += use_row(a, r + j, votes->out + j * n, total[j], reach);
    return count;
}

static int64_t vote_and_flip(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    const bvar_update_job *a = job;
    const ptrdiff_t step = at_most(a->together, STAGE_ROWS);
    const bvar_votes_job votes = {.index = a->index,
                                  .out = a->votes + begin / a->grain * a->together * a->n_bits,
                                  .n_terms = a->n_terms,
                                  .n_bits = a->n_bits};
    const int64_t reach = a->col ? reach_of(a->col, a->n_bits) : 0;
    int64_t count = 0;
    for (ptrdiff_t r = begin; r < end; r += step)
        count += update_rows(a, &votes, r, (int)at_most(step, end - r), reach);
    return count;
}
