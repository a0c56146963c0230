/* bvar_kernels.h - the whole C interface of bvar's kernels, and its normative description.
 *
 * What it is.  A struct of kernels for each instruction set, a bvar_isa.  All give the same results, bit for bit;
 * `bvar/backends/definition.py` defines them.  A port may use this file alone: nothing here knows about Python.
 *   Longer than 400 lines because a port takes one file.
 *
 * Bits.  A row of `n_bits` bits is ceil(n_bits / 64) uint64 words; logical bit i is (row[i / 64] >> (i % 64)) & 1.
 *   Bits at and above n_bits are ZERO, on input and on output ("canonical padding").  Matrices are row-major and
 *   contiguous, unless a job names strides.  The host is little-endian.
 * Ownership.  The caller owns every buffer.  A kernel never allocates, locks, prints, starts a thread, or keeps
 *   a pointer after it returns; it uses less than 100 KiB of stack.  What is marked IN is never written.  No OUT
 *   may overlap an IN, but in center_votes and add_votes, where it may be q or a.
 * Alignment.  None is required.
 * Sizes.  Zero is legal everywhere, and a pointer to nothing may be NULL.
 * Ranges.  A kernel does the items [begin, end) of its job and writes nothing that belongs to other items, so
 *   disjoint ranges of one job may run at the same time, in any order, with the same result.
 * Results.  Integers are exact; the limits that make them so stand with each job.  What quantize_rows computes is
 *   IEEE-754, round to nearest even, every operation rounded by itself: compile with -ffp-contract=off.
 */
#ifndef BVAR_KERNELS_H
#define BVAR_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------ jobs: the arguments of each kernel */

/* pack: bit i of a row is [values[i] != 0].  Items: rows. */
typedef struct {
    const uint8_t *values; /* IN  (n_rows, n_bits), one byte each */
    uint64_t *words;       /* OUT (n_rows, ceil(n_bits / 64)) */
    ptrdiff_t n_bits;
} bvar_pack_job;

/* pack_threshold: bit i of a row is [values[i] >= thresholds[i]], bit i of its known plane [values[i] is not NaN].
 * Returns how many are NaN.  Items: rows. */
typedef struct {
    const void *values;     /* IN  (n_rows, n_bits), float or double */
    const void *thresholds; /* IN  (n_bits,), the same; none is NaN */
    uint64_t *words;        /* OUT (n_rows, ceil(n_bits / 64)) */
    uint64_t *known;        /* OUT the same */
    ptrdiff_t n_bits;
    int32_t width; /* bytes of a value: 4 for float, 8 for double */
} bvar_threshold_job;

/* unpack: values[i] is 0 or 1.  Items: rows. */
typedef struct {
    const uint64_t *words; /* IN  (n_rows, ceil(n_bits / 64)) */
    uint8_t *values;       /* OUT (n_rows, n_bits) */
    ptrdiff_t n_bits;
} bvar_unpack_job;

/* transpose: bit r of row c of `out` is bit c of row r of `words`.
 * Items: words of a row, that is blocks of 64 columns, ceil(n_bits / 64) of them. */
typedef struct {
    const uint64_t *words; /* IN  (n_rows, ceil(n_bits / 64)) */
    uint64_t *out;         /* OUT (n_bits, ceil(n_rows / 64)) */
    ptrdiff_t n_rows, n_bits;
} bvar_transpose_job;

/* count_rows: number of ones in each row, which must be below 2^31.  Items: rows. */
typedef struct {
    const uint64_t *words; /* IN  (n_rows, n_words) */
    int32_t *out;          /* OUT (n_rows,) */
    ptrdiff_t n_words;
} bvar_count_job;

/* lay_panels: copy weights into the layout that gate_sum and gate_bits of the SAME set read.
 * `panels` has panels_bytes(n_rows, n_words) bytes.  Its content is private to the instruction set.
 * Items: panels of panel_rows rows, ceil(n_rows / panel_rows) of them. */
typedef struct {
    const uint64_t *w; /* IN  (n_rows, n_words) */
    void *panels;      /* OUT */
    ptrdiff_t n_rows, n_words;
} bvar_panels_job;

/* gate_sum:   sums[b, o] = row[b] + col[o] + scale * popcount(x[b] xor w[o])
 * gate_bits:  bit o of bits[b] = [the same >= 0]; the sums are never stored.
 * Limits: n_words < 2^25, scale in -2..2, and every partial sum of the formula must fit int32.
 * Items: rows of x. */
typedef struct {
    const uint64_t *x;  /* IN  (n_rows, n_words) */
    const void *panels; /* IN  as written by lay_panels of this set */
    const int32_t *row; /* IN  (n_rows,) */
    const int32_t *col; /* IN  (n_out,) */
    int32_t *sums;      /* OUT of gate_sum  (n_rows, n_out) */
    uint64_t *bits;     /* OUT of gate_bits (n_rows, ceil(n_out / 64)) */
    ptrdiff_t n_words, n_out;
    int32_t scale;
} bvar_gate_job;

/* lay_index: regroup a bit matrix so that the bits of several rows in one column sit side by side, which is what
 * signed_sum of the SAME set looks up.  `index` has index_bytes(n_terms, n_bits) bytes.
 * Items: panels of index_columns columns, ceil(n_bits / index_columns) of them. */
typedef struct {
    const uint64_t *words; /* IN  (n_terms, ceil(n_bits / 64)) */
    void *index;           /* OUT */
    ptrdiff_t n_terms, n_bits;
} bvar_index_job;

/* signed_sum: out[r, i] = sum over k of z[r, k] * (bit i of row k ? +1 : -1).
 * Limits: n_terms < 2^24, so that 128 * n_terms fits int32.  Items: rows of z. */
typedef struct {
    const int8_t *z;            /* IN  element (r, k) is z[r * z_row + k * z_term] */
    const void *index;          /* IN  as written by lay_index of this set */
    int32_t *out;               /* OUT (n_rows, n_bits) */
    ptrdiff_t z_row, z_term;    /* strides, in elements; any sign */
    ptrdiff_t n_terms, n_bits;
} bvar_votes_job;

/* rescale: out = sign(p) * min(127, (|p| + half) >> shift), p = g * curve[min(|s - tau|, n_curve - 1)] in int64,
 * half = 2^(shift-1), or 0 if shift is 0.
 * Limits: 0 <= curve[i] <= 2^30, 1 <= n_curve <= 2^31, 0 <= shift <= 30.  Items: rows. */
typedef struct {
    const int32_t *g;     /* IN  (n_rows, n_cols) */
    const int32_t *s;     /* IN  (n_rows, n_cols) */
    const int32_t *tau;   /* IN  (n_cols,) */
    const int32_t *curve; /* IN  (n_curve,) */
    int8_t *out;          /* OUT (n_rows, n_cols) */
    ptrdiff_t n_cols, n_curve;
    int32_t shift;
} bvar_rescale_job;

/* scale_signals: out[u, s] = round(2^-shift * factor * g[s, u]), halves away from zero, kept within +-32767.
 * Limits: 0 <= factor <= 2^21, 0 <= shift <= 20.  Items: units, columns of g. */
typedef struct {
    const int32_t *g;        /* IN  element (s, u) is g[s * g_row + u] */
    int16_t *out;            /* OUT (n_units, n_samples) */
    ptrdiff_t g_row, n_samples;
    int32_t factor, shift;
} bvar_scale_job;

/* center_votes: out = q - ((row[r] * col[i] + half) >> shift) in int64, the shift rounding down, half = 2^(shift-1),
 * or 0 if shift is 0; the low 32 bits are stored.  Limits: 0 <= shift <= 30.  Items: rows. */
typedef struct {
    const int32_t *q;   /* IN  (n_rows, n_cols) */
    const int32_t *row; /* IN  (n_rows,) */
    const int32_t *col; /* IN  (n_cols,) */
    int32_t *out;       /* OUT (n_rows, n_cols); may be q */
    ptrdiff_t n_cols;
    int32_t shift;
} bvar_center_job;

/* vote_norms: out[r] = sum of |q[r, i]|.  Items: rows. */
typedef struct {
    const int32_t *q; /* IN  (n_rows, n_cols); the smallest int32 counts 2^31 */
    int64_t *out;     /* OUT (n_rows,) */
    ptrdiff_t n_cols;
} bvar_norms_job;

/* add_votes: out = a + b, its low 32 bits.  Returns 0 if and only if all sums fit int32.  Items: votes. */
typedef struct {
    const int32_t *a, *b; /* IN  (n_votes,) */
    int32_t *out;         /* OUT (n_votes,); may be a */
} bvar_add_job;

/* flip: with e = eta[r], its last 13 bits cleared where it is at least 2^25, most = (2^43 - 1) / max(e, 1), and
 * rest = (dither + 27893 * i) mod 2^15, where i counts the elements of m from the first row on,
 *   m = (2^13 * (beta * m + rest) + e * clip(q, -most, most)) >> 28, an arithmetic shift, kept within +-32767;
 * where m * (bit ? +1 : -1) >= 2^12 the bit is inverted and m becomes 0.  Padding is never touched.
 * Returns the number of flips.  Limits: beta in [0, 2^15], eta in [0, 2^43), dither in [0, 2^15).  Items: rows. */
typedef struct {
    uint64_t *words;    /* IN and OUT (n_rows, ceil(n_bits / 64)) */
    int16_t *m;         /* IN and OUT (n_rows, n_bits) */
    const int32_t *q;   /* IN  (n_rows, n_bits) */
    const int64_t *eta; /* IN  (n_rows,) */
    ptrdiff_t n_bits;
    int32_t beta, dither;
} bvar_flip_job;

/* vote_and_flip: signed_sum, mixing, center_votes, vote_norms and flip of some rows at a time.  Of each row of z, the
 * signals to one neuron: Z is their sum, s[i] its signed_sum with the bits of column i; then
 *   q[i] = ((at_false + at_true) * Z + (at_true - at_false) * s[i]) / 2,
 *   q    = center_votes(q, Z, col), if there is a col,
 *   flip with eta = min(eta, bound / max(vote_norms(q), 1)), the quotient of integers, if there is a bound.
 * `votes` has `together` rows for each range of `grain` items, and ranges begin at multiples of it.
 * Returns the number of flips.  Limits: n_terms < 2^23, at_false and at_true -1, 0 or 1, those of center_votes and
 * flip.  Items: rows of z. */
typedef struct {
    const int8_t *z;    /* IN  element (r, k) is z[r * z_row + k * z_term] */
    const void *index;  /* IN  as written by lay_index of this set, n_terms rows of n_bits bits */
    const int32_t *col; /* IN  (n_bits,); NULL: votes are not centred */
    int32_t *votes;     /* OUT, of no meaning afterwards */
    uint64_t *words;    /* IN and OUT (n_rows, ceil(n_bits / 64)) */
    int16_t *m;         /* IN and OUT (n_rows, n_bits) */
    ptrdiff_t z_row, z_term, n_terms, n_bits, together, grain;
    int64_t eta, bound; /* a negative bound is none */
    int32_t beta, dither, at_false, at_true, shift;
} bvar_update_job;

/* ------------------------------------------------------------------------------------------ layers of gates
 *
 * A gate of fan-in k, 1 to 6, has a table of 2^k bits, the low bits of one word, and reads k of n_units units.  Its
 * value at a sample is bit `a` of the table, where bit i of `a` is the value of unit wires[g, i].
 * Bits lie unit by unit: row u of `x` holds the values of unit u at samples 0, 1, ... */

/* pack_levels: bit i of a row is [values[i] >= thresholds[i]].  Items: rows. */
typedef struct {
    const uint8_t *values;     /* IN  (n_rows, n_bits), one byte each */
    const uint8_t *thresholds; /* IN  (n_bits,) */
    uint64_t *words;           /* OUT (n_rows, ceil(n_bits / 64)) */
    ptrdiff_t n_bits;
} bvar_levels_job;

/* table_values: the values of gates.  Items: gates. */
typedef struct {
    const uint64_t *x;      /* IN  (n_units, ceil(n_samples / 64)) */
    const int32_t *wires;   /* IN  (n_gates, fan_in), each below n_units */
    const uint64_t *tables; /* IN  (n_gates,) */
    uint64_t *out;          /* OUT (n_gates, ceil(n_samples / 64)) */
    ptrdiff_t n_samples;
    int32_t fan_in;
} bvar_table_values_job;

/* table_votes: out[g, a] = sum of z[g, s] over the samples s at which gate g looks at entry a.
 * Limits: n_samples <= 2^16, so that 2^15 * n_samples fits int32.  Items: gates. */
typedef struct {
    const int16_t *z;     /* IN  (n_gates, n_samples) */
    const uint64_t *x;    /* IN  (n_units, ceil(n_samples / 64)) */
    const int32_t *wires; /* IN  (n_gates, fan_in) */
    int32_t *out;         /* OUT (n_gates, 2^fan_in) */
    ptrdiff_t n_samples;
    int32_t fan_in;
} bvar_table_votes_job;

/* wire_votes: out[u, s] = the sum, kept within +-32767, over the wires that read unit u, of z[g, s] times half the
 * change of the gate, as +1 or -1, when this wire alone goes from F to T: -1, 0 or 1.
 * `readers` lists all wires, wire i of gate g as g * fan_in + i, those of unit u from starts[u] to starts[u + 1].
 * Limits: fewer than 2^16 wires on a unit, z > -2^15.  Items: units. */
typedef struct {
    const int16_t *z;       /* IN  (n_gates, n_samples) */
    const uint64_t *x;      /* IN  (n_units, ceil(n_samples / 64)) */
    const int32_t *wires;   /* IN  (n_gates, fan_in) */
    const uint64_t *tables; /* IN  (n_gates,), zero above the low 2^fan_in bits */
    const int32_t *starts;  /* IN  (n_units + 1,) */
    const int32_t *readers; /* IN  (n_gates * fan_in,) */
    int16_t *out;           /* OUT (n_units, n_samples) */
    ptrdiff_t n_samples;
    int32_t fan_in;
} bvar_wire_votes_job;

/* candidate_votes: out[g * fan_in + i, j] = sum over samples of z[g, s] times half the change of the gate, -1, 0 or 1,
 * when its wire i alone is moved to unit candidates[g * fan_in + i, j].
 * Limits: n_samples <= 2^16, z > -2^15.  Items: wires, n_gates * fan_in of them. */
typedef struct {
    const int16_t *z;          /* IN  (n_gates, n_samples) */
    const uint64_t *x;         /* IN  (n_units, ceil(n_samples / 64)) */
    const int32_t *wires;      /* IN  (n_gates, fan_in) */
    const uint64_t *tables;    /* IN  (n_gates,), zero above the low 2^fan_in bits */
    const int32_t *candidates; /* IN  (n_gates * fan_in, n_candidates), each below n_units */
    int32_t *out;              /* OUT (n_gates * fan_in, n_candidates) */
    ptrdiff_t n_samples, n_candidates;
    int32_t fan_in;
} bvar_candidate_votes_job;

/* count_groups: out[c, s] = number of ones at sample s in rows c * n_rows ... (c + 1) * n_rows - 1.
 * Limits: n_rows < 2^31.  Items: words of samples, ceil(n_samples / 64) of them. */
typedef struct {
    const uint64_t *x; /* IN  (n_groups * n_rows, ceil(n_samples / 64)) */
    int32_t *out;      /* OUT (n_groups, n_samples) */
    ptrdiff_t n_rows, n_groups, n_samples;
} bvar_groups_job;

/* -------------------------------------------------------------------------------------------------- windows
 *
 * Images are (height, width, channels), row-major; bits lie pixel by pixel, so that bit (y * width + x) * channels + c
 * of a row is channel c of pixel (y, x).  A window has kernel_height * kernel_width taps; at place (oy, ox) its tap
 * (ky, kx) is pixel (oy * stride_y - padding_y + ky * dilation_y, and likewise x), which may lie outside.
 * A patch is what one window sees: (kernel_height, kernel_width, channels), zero where a tap is outside.
 * Limits: all at least 1, paddings at least 0, and no product of sizes above 2^31. */
typedef struct {
    ptrdiff_t height, width, channels, kernel_height, kernel_width, stride_y, stride_x, dilation_y, dilation_x;
    ptrdiff_t padding_y, padding_x, out_height, out_width;
} bvar_window;

/* gather_patches: a patch for each place.  Items: rows of places, n_images * out_height of them. */
typedef struct {
    const uint64_t *images; /* IN  (n_images, ceil(height * width * channels / 64)) */
    uint64_t *patches;      /* OUT (n_images * out_height * out_width, ceil(bits of a patch / 64)) */
    bvar_window window;
} bvar_gather_job;

/* signed_pixels: signed_sum of the signals at each place, which makes a patch of sums, and each pixel's sum over all
 * the patches that it is in.  `scratch` has scratch_rows patches for each range of `grain` items, and ranges begin
 * at multiples of it.  Limits: n_terms < 2^24 / (taps of a window).  Items: images. */
typedef struct {
    const int8_t *z;   /* IN  (n_images * out_height * out_width, n_terms) */
    const void *index; /* IN  as written by lay_index of this set, n_terms rows of the bits of a patch */
    int32_t *scratch;  /* OUT, of no meaning afterwards */
    int32_t *out;      /* OUT (n_images, height * width * channels) */
    ptrdiff_t n_terms, scratch_rows, grain;
    bvar_window window;
} bvar_pixels_job;

/* pool_max: the largest sum in each square of size * size pixels, channel by channel, and where it was: tap
 * ky * size + kx, the first of equals.  Pixels beyond the last whole square do not count.  Limits: 1 <= size <= 16.
 * Items: images. */
typedef struct {
    const int32_t *sums; /* IN  (n_images, height, width, channels) */
    int32_t *best;       /* OUT (n_images, height / size, width / size, channels) */
    uint8_t *winner;     /* OUT the same */
    ptrdiff_t height, width, channels;
    int32_t size;
} bvar_pool_job;

/* --------------------------------------------------------------------------------------------- single rows
 *
 * The sum over i of x[i] * (bit i of row j ? +1 : -1), for one row of numbers at a time and many rows j of bits: a
 * model that answers to one sample.  Three kernels, in this order: lay_rows once for a matrix of bits, row_tables for
 * a row of numbers, row_sums.  Where the magnitudes of four numbers, x[4 g] to x[4 g + 3], add up to more than 255,
 * row_tables says so; then it is called for digits 0, 1 and 2 of the numbers instead, until it says that nothing is
 * left, and row_sums after each, with the factors 1, 64 and 4096, the first time with `first`.
 * Limits: n_terms < 2^16, so that all sums fit int32. */

/* lay_rows: copy weights into the layout that row_sums of the SAME set reads, rows_bytes(n_rows, n_words) bytes.
 * Items: panels of row_outputs rows, ceil(n_rows / row_outputs) of them. */
typedef struct {
    const uint64_t *w; /* IN  (n_rows, n_words) */
    void *layout;      /* OUT */
    ptrdiff_t n_rows, n_words;
} bvar_rows_job;

/* row_tables: for each four numbers the sums over their 16 subsets less the smallest of them, one byte each, in the
 * order that row_sums of the SAME set reads.  Numbers beyond the last are 0.  Digit d of x is a number of -32 .. 31,
 * with x = digit 0 + 64 * digit 1 + 4096 * digit 2; a negative `digit` means x itself.
 * Returns base + 2^32 * (number of groups that do not fit, or have digits above); base, an int32, is for row_sums.
 * Items: groups, 8 * ceil(n_terms / 32) of them. */
typedef struct {
    const int16_t *x; /* IN  (n_terms,) */
    uint8_t *tables;  /* OUT (16 * groups,) */
    ptrdiff_t n_terms;
    int32_t digit;
} bvar_row_tables_job;

/* row_sums: out[j] = factor * (2 * (sum of what the bits of row j look up) + base), added to what was there unless
 * `first`; the low 32 bits.  Items: panels, as of lay_rows. */
typedef struct {
    const uint8_t *tables; /* IN  by row_tables of this set */
    const void *layout;    /* IN  by lay_rows of this set */
    int32_t *out;          /* OUT (n_out,), and IN unless `first` */
    ptrdiff_t n_terms, n_out;
    int32_t base, factor, first;
} bvar_row_sums_job;

/* quantize_rows: out[r, i] = nearest integer, halves to even, of v[r, i] * (253 / s), with v[r, i] = x[r, i] *
 * scales[i] and s the largest sum of four magnitudes |v[r, 4 g]| + ... in row r, added from the left; so that no four
 * results exceed 255.  steps[r] = s / 253, but 0 where s < 2^-100, and NaN where a sum is not finite; out is 0 then.
 * IEEE-754 binary32, every operation rounded by itself.  Items: rows. */
typedef struct {
    const float *x;      /* IN  (n_rows, n_terms) */
    const float *scales; /* IN  (n_terms,) */
    int16_t *out;        /* OUT (n_rows, n_terms) */
    float *steps;        /* OUT (n_rows,) */
    ptrdiff_t n_terms;
} bvar_quantize_job;

/* ----------------------------------------------------------------------------- kernels of an instruction set */

/* Every kernel has this shape: `job` points to the struct of its kind.  Only pack_threshold, add_votes, flip,
 * vote_and_flip and row_tables return something but 0. */
typedef int64_t (*bvar_kernel)(const void *job, ptrdiff_t begin, ptrdiff_t end);

/* Instruction set extensions, each meaning "the CPU has it AND the system saves its registers". */
enum {
    BVAR_CPU_AVX2 = 1 << 0,   /* AVX2 */
    BVAR_CPU_AVX512 = 1 << 1, /* AVX-512 F, BW, VL, DQ, VBMI, VNNI, VPOPCNTDQ, and GFNI */
    BVAR_CPU_NEON = 1 << 2    /* Advanced SIMD, in every 64-bit Arm */
};

typedef struct {
    const char *name;        /* "scalar", "avx2", "avx512", "neon" */
    int32_t cpu;             /* BVAR_CPU_* bits that must be there to run it */
    ptrdiff_t panel_rows;    /* rows in one item of lay_panels */
    ptrdiff_t index_columns; /* columns in one item of lay_index */
    double gate_rate;        /* rough bit operations per nanosecond, to decide about threads only */
    double vote_rate;        /* rough terms per nanosecond, likewise */
    ptrdiff_t (*panels_bytes)(ptrdiff_t n_rows, ptrdiff_t n_words);
    ptrdiff_t (*index_bytes)(ptrdiff_t n_terms, ptrdiff_t n_bits);
    /* Whether all numbers are in [0, limit), 0 < limit: for who did not choose the wires that kernels follow. */
    int (*all_below)(const int32_t *numbers, ptrdiff_t n, int32_t limit);
    bvar_kernel pack, pack_threshold, unpack, transpose, count_rows;
    bvar_kernel lay_panels, gate_sum, gate_bits;
    bvar_kernel lay_index, signed_sum;
    bvar_kernel rescale, scale_signals, center_votes, add_votes, vote_norms, flip, vote_and_flip;
    bvar_kernel pack_levels, table_values, table_votes, wire_votes, candidate_votes, count_groups;
    bvar_kernel gather_patches, signed_pixels, pool_max;
    ptrdiff_t row_outputs; /* rows of weights in one item of lay_rows and row_sums */
    ptrdiff_t (*rows_bytes)(ptrdiff_t n_rows, ptrdiff_t n_words);
    bvar_kernel lay_rows, row_tables, row_sums, quantize_rows;
} bvar_isa;

/* The instruction sets that this build holds, slowest first; NULL beyond the last.  All may be looked at; only those
 * whose `cpu` bits are in bvar_cpu_features() may be run. */
const bvar_isa *bvar_isa_at(int i);

/* What this CPU and system can run, BVAR_CPU_* bits; the answer never changes. */
int32_t bvar_cpu_features(void);

/* ------------------------------------------------------------------------------------------------ threads */

enum { BVAR_MAX_THREADS = 256 }; /* more are not started, however many are asked for */

/* Run `kernel` on items [0, n_items), in the calling thread and up to n_threads - 1 others, no more than there are
 * processors, and return the sum of what it returned.  Ranges begin at multiples of `grain`, and go one by one to
 * whoever is idle.  `nanoseconds` is a guess of the whole work: below about 0.1 ms no other thread is woken.  For
 * tests, a negative n_threads means -n_threads threads whatever the size and the processors, and ranges of one grain.
 * Safe after fork(): a child starts with a pool of its own.  If the pool is taken by another caller, if help has cost
 * more than it gave, or if there are no POSIX threads, everything runs in the calling thread.  This function, unlike
 * kernels, locks. */
int64_t bvar_run(bvar_kernel kernel, const void *job, ptrdiff_t n_items, ptrdiff_t grain,
                 double nanoseconds, int n_threads);

#ifdef __cplusplus
}
#endif
#endif
