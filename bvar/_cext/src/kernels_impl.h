/* kernels_impl.h - the loops that all instruction sets share; included once by each ISA file.
 *
 * An ISA file supplies tiles (what is done in registers), this file walks over rows and panels, cuts tails and
 * keeps blocks in the cache.  Three designs stand behind it.
 *
 * 1. Forward: a lane per output.  Rows of x stay as they are; weights are laid out once in panels, so that one
 *    vector holds the same piece of many outputs.  A word of x is broadcast against it and every lane counts its
 *    own disagreements: no horizontal sum, ever.  Rows of x are the outer loop, panels the inner one, and the
 *    panels that are walked together fit into the L2 cache; the other order strides over the output and loses a
 *    factor of three.
 *
 * 2. Votes: lookups instead of multiplications ("four Russians").  Sums of z over all subsets of a few terms go
 *    into a small table, and the bits of these terms in one column, side by side, are the place to look.  One
 *    lookup and one addition do the work of 4, 6 or 8 multiply-adds.  Sums are int16 inside a block of terms
 *    that cannot overflow, int32 across blocks.
 *    Tables hold sums of 2z over the TRUE terms and a tile starts from -sum(z), since
 *    sum z * (bit ? 1 : -1) = sum 2z * bit - sum z.  All this is modulo 2^16, and the result is in range.
 *    (AVX2 doubles at the end, since its tables hold digits of z.)
 *
 * 3. Flip: one pass over memory, 64 weights at a time, flips gathered in a word that is xored once.
 *
 * Expected from the ISA file, all static:
 *   NAME, CPU, GATE_RATE, VOTE_RATE             for the bvar_isa
 *   pack_word, unpack_word, count_words         one word, one row
 *   PANEL_ROWS, TILE_ROWS, panels_bytes, lay_panel
 *   count_tile and gate_mask, or BVAR_OWN_TILES with tile_sums and tile_bits
 *   VOTE_COLS, VOTE_TERMS, VOTE_CHUNKS, CHUNK_BYTES, TABLE_BYTES
 *   lay_terms, vote_index, vote_tables, vote_tile
 * and, where it does better than the plain C below, BVAR_OWN_THRESHOLD with above_floats and above_doubles,
 * BVAR_OWN_TRANSPOSE with transpose, BVAR_OWN_GATHER with
 * gather_8_terms, BVAR_OWN_RESCALE with rescale_row, BVAR_OWN_NORM with norm_of, BVAR_OWN_FLIP with flip_word.
 * Layers of gates are in gates_impl.h, which says what it expects; images in windows_impl.h, which expects nothing.
 *
 * Longer than 400 lines because everything that the ISA files share is included at one place. */

BVAR_INLINE ptrdiff_t at_most(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }
BVAR_INLINE ptrdiff_t ceil_div(ptrdiff_t a, ptrdiff_t b) { return (a + b - 1) / b; }

/* ------------------------------------------------------------------------------------------------- layout */

static int64_t pack(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    const bvar_pack_job *a = job;
    const ptrdiff_t n_words = ceil_div(a->n_bits, 64);
    for (ptrdiff_t r = begin; r < end; ++r)
        for (ptrdiff_t k = 0; k < n_words; ++k)
            a->words[r * n_words + k] =
                pack_word(a->values + r * a->n_bits + 64 * k, (int)at_most(64, a->n_bits - 64 * k));
    return 0;
}

#ifndef BVAR_OWN_THRESHOLD
/* The answers of `n` <= 64 numbers, and which of them are none; a whole word in a loop that compilers vectorise. */
#define BVAR_ABOVE(name, number)                                                                               \
    BVAR_INLINE uint64_t name(const number *values, const number *thresholds, int n, uint64_t *known) {        \
        uint8_t above[64] = {0}, same[64] = {0};                                                               \
        if (n == 64)                                                                                           \
            for (int i = 0; i < 64; ++i)                                                                       \
                above[i] = values[i] >= thresholds[i], same[i] = values[i] == values[i];                       \
        else                                                                                                   \
            for (int i = 0; i < n; ++i)                                                                        \
                above[i] = values[i] >= thresholds[i], same[i] = values[i] == values[i];                       \
        *known = pack_word(same, 64); /* a NaN does not equal itself */                                        \
        return pack_word(above, 64);                                                                           \
    }
BVAR_ABOVE(above_floats, float)
BVAR_ABOVE(above_doubles, double)
#endif

/* A row of either width; returns how many are NaN. */
#define BVAR_THRESHOLD_ROW(name, number, above)                                                                \
    static ptrdiff_t name(const number *values, const number *thresholds, uint64_t *words, uint64_t *known,    \
                          ptrdiff_t n) {                                                                       \
        ptrdiff_t i = 0;                                                                                       \
        for (; i + 64 <= n; i += 64)                                                                           \
            words[i / 64] = above(values + i, thresholds + i, 64, known + i / 64);                             \
        if (i < n)                                                                                             \
            words[i / 64] = above(values + i, thresholds + i, (int)(n - i), known + i / 64);                   \
        return n - (ptrdiff_t)count_words(known, ceil_div(n, 64));                                             \
    }
BVAR_THRESHOLD_ROW(threshold_floats, float, above_floats)
BVAR_THRESHOLD_ROW(threshold_doubles, double, above_doubles)

static int64_t pack_threshold(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    const bvar_threshold_job *a = job;
    const ptrdiff_t n = a->n_bits, n_words = ceil_div(n, 64);
    int64_t missing = 0;
    for (ptrdiff_t r = begin; r < end; ++r)
        missing += a->width == 4 ? threshold_floats((const float *)a->values + r * n, a->thresholds,
                                                    a->words + r * n_words, a->known + r * n_words, n)
                                 : threshold_doubles((const double *)a->values + r * n, a->thresholds,
                                                     a->words + r * n_words, a->known + r * n_words, n);
    return missing;
}

static int64_t unpack(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    const bvar_unpack_job *a = job;
    const ptrdiff_t n_words = ceil_div(a->n_bits, 64);
    for (ptrdiff_t r = begin; r < end; ++r)
        for (ptrdiff_t k = 0; k < n_words; ++k)
            unpack_word(a->words[r * n_words + k], a->values + r * a->n_bits + 64 * k,
                        (int)at_most(64, a->n_bits - 64 * k));
    return 0;
}

static int64_t count_rows(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    const bvar_count_job *a = job;
    for (ptrdiff_t r = begin; r < end; ++r)
        a->out[r] = (int32_t)count_words(a->words + r * a->n_words, a->n_words);
    return 0;
}

#ifndef BVAR_OWN_TRANSPOSE
/* One block of 64 x 64 bits: word `k` of rows 64 b ... to word `b` of rows 64 k ... */
static void transpose_block(const bvar_transpose_job *a, ptrdiff_t k, ptrdiff_t b) {
    const ptrdiff_t in_words = ceil_div(a->n_bits, 64), out_words = ceil_div(a->n_rows, 64);
    const ptrdiff_t n_in = at_most(64, a->n_rows - 64 * b), n_out = at_most(64, a->n_bits - 64 * k);
    uint64_t block[64];
    for (ptrdiff_t i = 0; i < 64; ++i)
        block[i] = i < n_in ? a->words[(64 * b + i) * in_words + k] : 0;
    transpose_64x64_bits(block);
    for (ptrdiff_t i = 0; i < n_out; ++i)
        a->out[(64 * k + i) * out_words + b] = block[i];
}

/* Eight blocks of columns at a time, so that what shares a cache line is used together. */
static int64_t transpose(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    const bvar_transpose_job *a = job;
    const ptrdiff_t n_blocks = ceil_div(a->n_rows, 64);
    for (ptrdiff_t k = begin; k < end; k += 8)
        for (ptrdiff_t b = 0; b < n_blocks; ++b)
            for (ptrdiff_t i = k; i < at_most(k + 8, end); ++i)
                transpose_block(a, i, b);
    return 0;
}
#endif

/* ------------------------------------------------------------------------------------------------ forward */

#define L2_BYTES (384 * 1024) /* of panels walked together: most of an L2 of 512 KiB, the rest for x and sums */

static int64_t lay_panels(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    const bvar_panels_job *a = job;
    for (ptrdiff_t p = begin; p < end; ++p)
        lay_panel(a->w + p * PANEL_ROWS * a->n_words, at_most(PANEL_ROWS, a->n_rows - p * PANEL_ROWS),
                  a->n_words, (char *)a->panels + panels_bytes(p * PANEL_ROWS, a->n_words));
    return 0;
}

#ifndef BVAR_OWN_TILES
/* Tiles from count_tile, which leaves the disagreements of TILE_ROWS rows with one panel in `counts`. */
static void tile_sums(const bvar_gate_job *a, ptrdiff_t b, int rows, const void *panel, ptrdiff_t o, int n) {
    uint32_t counts[TILE_ROWS][PANEL_ROWS];
    const uint32_t scale = (uint32_t)a->scale;
    count_tile(a->x + b * a->n_words, a->n_words, rows, panel, n, counts);
    for (int i = 0; i < rows; ++i) {
        const uint32_t row = (uint32_t)a->row[b + i];
        int32_t *out = a->sums + (b + i) * a->n_out + o;
        for (int j = 0; j < n; ++j)
            out[j] = (int32_t)(row + (uint32_t)a->col[o + j] + scale * counts[i][j]);
    }
}

/* The bits of one panel fill whole words, or one aligned part of a word, whose lowest part comes first. */
static void tile_bits(const bvar_gate_job *a, ptrdiff_t b, int rows, const void *panel, ptrdiff_t o, int n) {
    const ptrdiff_t out_words = ceil_div(a->n_out, 64);
    uint32_t counts[TILE_ROWS][PANEL_ROWS];
    count_tile(a->x + b * a->n_words, a->n_words, rows, panel, n, counts);
    for (int i = 0; i < rows; ++i) {
        uint64_t *out = a->bits + (b + i) * out_words + o / 64;
        for (int j = 0; j < n; j += 64) {
            const uint64_t mask =
                gate_mask(counts[i] + j, a->row[b + i], a->col + o + j, a->scale, (int)at_most(64, n - j));
            out[j / 64] = o % 64 ? out[j / 64] | mask << o % 64 : mask;
        }
    }
}
#endif

typedef void (*tile_fn)(const bvar_gate_job *, ptrdiff_t, int, const void *, ptrdiff_t, int);

/* Panels that fit L2, then rows, then panels: see design 1. */
BVAR_INLINE int64_t gate(const bvar_gate_job *a, ptrdiff_t begin, ptrdiff_t end, tile_fn tile) {
    const ptrdiff_t panel_bytes = panels_bytes(PANEL_ROWS, a->n_words);
    const ptrdiff_t together = panel_bytes < L2_BYTES ? L2_BYTES / (panel_bytes + 1) + 1 : 1;
    for (ptrdiff_t o0 = 0; o0 < a->n_out; o0 += together * PANEL_ROWS)
        for (ptrdiff_t b = begin; b < end; b += TILE_ROWS)
            for (ptrdiff_t o = o0; o < at_most(o0 + together * PANEL_ROWS, a->n_out); o += PANEL_ROWS)
                tile(a, b, (int)at_most(TILE_ROWS, end - b),
                     (const char *)a->panels + panels_bytes(o, a->n_words), o,
                     (int)at_most(PANEL_ROWS, a->n_out - o));
    return 0;
}

static int64_t gate_sum(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    return gate(job, begin, end, tile_sums);
}

static int64_t gate_bits(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    return gate(job, begin, end, tile_bits);
}

/* -------------------------------------------------------------------------------------------------- votes */

/* The index of one panel of columns is a row of chunks; a chunk holds the bits of VOTE_TERMS terms. */
static ptrdiff_t index_bytes(ptrdiff_t n_terms, ptrdiff_t n_bits) {
    return ceil_div(n_bits, VOTE_COLS) * ceil_div(n_terms, VOTE_TERMS) * CHUNK_BYTES;
}

static int64_t lay_index(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    const bvar_index_job *a = job;
    const ptrdiff_t n_words = ceil_div(a->n_bits, 64), n_chunks = ceil_div(a->n_terms, VOTE_TERMS);
    for (ptrdiff_t c = 0; c < n_chunks; ++c)
        for (ptrdiff_t p = begin; p < end; ++p) {
            const ptrdiff_t word = p * VOTE_COLS / 64;
            vote_index(a->words + c * VOTE_TERMS * n_words + word, n_words,
                       (int)at_most(VOTE_TERMS, a->n_terms - c * VOTE_TERMS),
                       (int)at_most(VOTE_COLS / 64, n_words - word),
                       (uint8_t *)a->index + (p * n_chunks + c) * CHUNK_BYTES);
        }
    return 0;
}

enum {
    VOTE_ROWS = 4,                          /* rows of z in one tile: all sets have registers for the sums of four */
    STAGE_ROWS = 32,                        /* rows of z that are staged together: 25 KiB, half of L1 */
    STAGE_TERMS = VOTE_CHUNKS * VOTE_TERMS, /* at most 255, else int16 sums overflow: 255 * 128 < 2^15 */
    STAGE_STRIDE = 264,                     /* not a power of two: rows would share cache sets */
    BLOCK_COLS = 4096                       /* columns whose sums stay in L2 between blocks of terms */
};

/* Terms of z for some rows: as tables are made of them, zeros behind the last, and the start of their sums. */
typedef struct {
    int8_t bytes[STAGE_ROWS][STAGE_STRIDE]; /* rows of a transposed view, made contiguous */
    int16_t terms[STAGE_ROWS][STAGE_STRIDE];
    int16_t start[STAGE_ROWS]; /* minus the sum of z */
} stage;

#ifndef BVAR_OWN_GATHER
/* Eight terms of `rows` rows that are adjacent bytes, term k at z + k * z_term: write eight terms of each row,
 * rows `stride` apart. */
BVAR_INLINE void gather_8_terms(const int8_t *z, ptrdiff_t z_term, int rows, int8_t *out, ptrdiff_t stride) {
    int r = 0;
    for (; r + 8 <= rows; r += 8) {
        uint64_t block[8];
        BVAR_UNROLL
        for (int k = 0; k < 8; ++k)
            block[k] = load64(z + k * z_term + r);
        transpose_8x8_bytes(block);
        BVAR_UNROLL
        for (int i = 0; i < 8; ++i)
            store64(out + (r + i) * stride, block[i]);
    }
    for (; r < rows; ++r)
        for (int k = 0; k < 8; ++k)
            out[r * stride + k] = z[k * z_term + r];
}
#endif

/* Copy a strided view into rows; a transposed one, as weight votes use, eight terms at a time. */
static void gather_rows(const int8_t *z, ptrdiff_t z_row, ptrdiff_t z_term, int rows, int terms,
                        int8_t (*bytes)[STAGE_STRIDE]) {
    int k = 0;
    if (z_row == 1)
        for (; k + 8 <= terms; k += 8)
            gather_8_terms(z + k * z_term, z_term, rows, bytes[0] + k, STAGE_STRIDE);
    for (; k < terms; ++k)
        for (int r = 0; r < rows; ++r)
            bytes[r][k] = z[r * z_row + k * z_term];
}

/* Stage rows [0, rows) and terms [0, terms) of z; what is missing up to whole tiles and chunks becomes zero. */
static void stage_z(const int8_t *z, ptrdiff_t z_row, ptrdiff_t z_term, int rows, int terms, stage *out) {
    const int all_rows = (int)ceil_div(rows, VOTE_ROWS) * VOTE_ROWS;
    const int all_terms = (int)ceil_div(terms, VOTE_TERMS) * VOTE_TERMS;
    if (z_term != 1)
        gather_rows(z, z_row, z_term, rows, terms, out->bytes);
    for (int r = 0; r < all_rows; ++r) {
        const int8_t *row = z_term != 1 ? out->bytes[r] : z + r * z_row;
        const int n = r < rows ? terms : 0;
        out->start[r] = (int16_t)-lay_terms(row, n, out->terms[r]);
        memset(out->terms[r] + n, 0, (size_t)(all_terms - n) * sizeof out->terms[r][0]);
    }
}

/* Add to `rows` <= VOTE_ROWS rows of sums, from staged row r on, `n_chunks` chunks of terms, for columns [i0, i1).
 * Rows that are needed next, as many of as many columns, are fetched meanwhile. */
BVAR_INLINE void vote_rows(const bvar_votes_job *a, const stage *staged, int r, int rows, int32_t *out, ptrdiff_t c0,
                           int n_chunks, ptrdiff_t i0, ptrdiff_t i1, const int16_t *next) {
    const ptrdiff_t all_chunks = ceil_div(a->n_terms, VOTE_TERMS);
    BVAR_ALIGNED uint8_t tables[VOTE_CHUNKS * TABLE_BYTES];
    vote_tables(staged->terms[r], STAGE_STRIDE, n_chunks, tables);
    for (ptrdiff_t i = i0; i < i1; i += VOTE_COLS) {
        const int cols = (int)at_most(VOTE_COLS, i1 - i);
        for (int j = 0; next && j < rows; ++j)
            for (int k = 0; k < cols; k += 32) /* int16 to a line */
                BVAR_PREFETCH(next + j * a->n_bits + i + k);
        vote_tile(tables, (const uint8_t *)a->index + (i / VOTE_COLS * all_chunks + c0) * CHUNK_BYTES, n_chunks,
                  staged->start + r, out + i, a->n_bits, rows, cols, c0 == 0);
    }
}

/* Chunks of terms that are summed in int16 at a time.  Terms are cut evenly: a last block of a few terms would pay
 * for a whole pass over the sums. */
static ptrdiff_t chunks_together(ptrdiff_t n_terms) {
    const ptrdiff_t all_chunks = ceil_div(n_terms, VOTE_TERMS);
    return all_chunks ? ceil_div(all_chunks, ceil_div(all_chunks, VOTE_CHUNKS)) : 1;
}

/* Columns, rows, terms, all in blocks: the sums of a block of rows and columns stay in L2 while blocks of terms
 * are added to them, and the tables of one tile stay in L1. */
static int64_t signed_sum(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    const bvar_votes_job *a = job;
    const ptrdiff_t all_chunks = ceil_div(a->n_terms, VOTE_TERMS), step = chunks_together(a->n_terms);
    stage staged;
    if (!all_chunks && a->n_bits)
        memset(a->out + begin * a->n_bits, 0, (size_t)((end - begin) * a->n_bits) * sizeof(int32_t));
    for (ptrdiff_t i = 0; i < a->n_bits; i += BLOCK_COLS)
        for (ptrdiff_t r = begin; r < end; r += STAGE_ROWS)
            for (ptrdiff_t c = 0; c < all_chunks; c += step) {
                const int rows = (int)at_most(STAGE_ROWS, end - r);
                const ptrdiff_t k = c * VOTE_TERMS, n_chunks = at_most(step, all_chunks - c);
                stage_z(a->z + r * a->z_row + k * a->z_term, a->z_row, a->z_term, rows,
                        (int)at_most(n_chunks * VOTE_TERMS, a->n_terms - k), &staged);
                for (int j = 0; j < rows; j += VOTE_ROWS)
                    vote_rows(a, &staged, j, (int)at_most(VOTE_ROWS, rows - j), a->out + (r + j) * a->n_bits, c,
                              (int)n_chunks, i, at_most(i + BLOCK_COLS, a->n_bits), NULL);
            }
    return 0;
}

#include "update_impl.h"

#include "gates_impl.h"

#include "windows_impl.h"

#include "rows_impl.h"

/* ------------------------------------------------------------------------------------ the instruction set */

#define ISA                                                                                           \
    {                                                                                                 \
        NAME, CPU, PANEL_ROWS, VOTE_COLS, GATE_RATE, VOTE_RATE, panels_bytes, index_bytes, all_below, \
        pack, pack_threshold, unpack, transpose, count_rows, lay_panels, gate_sum, gate_bits,         \
        lay_index, signed_sum, rescale, scale_signals, center_votes, add_votes, vote_norms, flip,     \
        vote_and_flip, pack_levels, table_values, table_votes, wire_votes, candidate_votes,           \
        count_groups, gather_patches, signed_pixels, pool_max, ROW_OUTPUTS, rows_bytes, lay_rows,     \
        row_tables, row_sums, quantize_rows                                                           \
    }
