/* driver.c - the kernels of every instruction set against a naive reference, over random odd shapes, without Python.
 *
 * Buffers have exactly the size that bvar_kernels.h asks for and come from malloc, so that AddressSanitizer sees
 * one byte too many; it runs under sanitizers, and under emulators of other processors.
 *
 *     driver [rounds [seed]]
 *
 * prints the instruction sets it could run, and fails at the first difference. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bvar_kernels.h"

static uint64_t state;

static uint64_t draw(void) { /* splitmix64 */
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static ptrdiff_t up_to(ptrdiff_t n) { return (ptrdiff_t)(draw() % (uint64_t)(n + 1)); }

/* Sizes near the seams of words, vectors and tiles. */
static ptrdiff_t size_up_to(ptrdiff_t high) {
    static const ptrdiff_t seams[] = {1, 4, 8, 12, 31, 32, 64, 128, 248, 252, 256, 512, 1024};
    const ptrdiff_t n = draw() % 2 ? up_to(high) : seams[draw() % 13] + up_to(2) - 1;
    return n > high ? high : n;
}

static ptrdiff_t words_for(ptrdiff_t n) { return (n + 63) / 64; }

static void *memory(ptrdiff_t n, size_t size) {
    void *p = malloc((size_t)n * size + !n);
    if (!p)
        abort();
    memset(p, 0x5a, (size_t)n * size);
    return p;
}

static int bit(const uint64_t *row, ptrdiff_t i) { return (int)(row[i / 64] >> i % 64 & 1); }

static uint64_t *random_words(ptrdiff_t r, ptrdiff_t n) {
    const ptrdiff_t k = words_for(n);
    const uint64_t mode = draw() % 4;
    uint64_t *w = memory(r * k, 8);
    for (ptrdiff_t i = 0; i < r * k; ++i) {
        w[i] = mode == 0 ? 0 : mode == 1 ? ~UINT64_C(0) : draw();
        if (i % k == k - 1 && n % 64)
            w[i] &= (UINT64_C(1) << n % 64) - 1;
    }
    return w;
}

static int32_t *random_ints(ptrdiff_t n, int64_t reach) {
    int32_t *v = memory(n, 4);
    for (ptrdiff_t i = 0; i < n; ++i)
        v[i] = (int32_t)((int64_t)(draw() % (uint64_t)(2 * reach + 1)) - reach);
    return v;
}

static void must(int right, const bvar_isa *isa, const char *kernel, ptrdiff_t a, ptrdiff_t b, ptrdiff_t c) {
    if (right)
        return;
    fprintf(stderr, "%s.%s differs at (%td, %td, %td)\n", isa->name, kernel, a, b, c);
    exit(1);
}

/* Two ranges, the later first, or the pool with ranges of one item. */
static int64_t in_parts(bvar_kernel kernel, const void *job, ptrdiff_t n) {
    const ptrdiff_t cut = up_to(n);
    if (draw() % 4 == 0)
        return bvar_run(kernel, job, n, 1, 0, -3);
    const int64_t late = kernel(job, cut, n);
    return late + kernel(job, 0, cut);
}

static void layout(const bvar_isa *isa) {
    const ptrdiff_t r = size_up_to(70), n = size_up_to(600), k = words_for(n), kt = words_for(r);
    uint64_t *words = random_words(r, n), *packed = memory(r * k, 8), *turned = memory(n * kt, 8);
    uint8_t *values = memory(r * n, 1);
    int32_t *counts = memory(r, 4);
    in_parts(isa->unpack, &(bvar_unpack_job){words, values, n}, r);
    in_parts(isa->count_rows, &(bvar_count_job){words, counts, k}, r);
    in_parts(isa->transpose, &(bvar_transpose_job){words, turned, r, n}, k);
    for (ptrdiff_t i = 0; i < r; ++i) {
        int32_t count = 0;
        for (ptrdiff_t j = 0; j < n; ++j) {
            const int b = bit(words + i * k, j);
            count += b;
            must(values[i * n + j] == b, isa, "unpack", r, n, j);
            must(bit(turned + j * kt, i) == b, isa, "transpose", r, n, j);
            values[i * n + j] = b ? (uint8_t)(1 + up_to(254)) : 0;
        }
        must(counts[i] == count, isa, "count_rows", r, n, i);
    }
    for (ptrdiff_t j = 0; j < n && r % 64; ++j)
        must(turned[j * kt + kt - 1] >> r % 64 == 0, isa, "transpose padding", r, n, j);
    in_parts(isa->pack, &(bvar_pack_job){values, packed, n}, r);
    must(memcmp(words, packed, (size_t)(r * k) * 8) == 0, isa, "pack", r, n, 0);
    free(words), free(packed), free(turned), free(values), free(counts);
}

static void gates(const bvar_isa *isa) {
    const ptrdiff_t b = size_up_to(20), o = size_up_to(140), n = size_up_to(900), k = words_for(n);
    const ptrdiff_t ko = words_for(o);
    const int32_t scale = (int32_t)up_to(4) - 2;
    uint64_t *x = random_words(b, n), *w = random_words(o, n), *bits = memory(b * ko, 8);
    int32_t *row = random_ints(b, n), *col = random_ints(o, n), *sums = memory(b * o, 4);
    void *panels = memory(isa->panels_bytes(o, k), 1);
    const bvar_panels_job lay = {w, panels, o, k};
    const bvar_gate_job job = {x, panels, row, col, sums, bits, k, o, scale};
    for (ptrdiff_t i = 0; i < b && n % 2; ++i)
        row[i] = (int32_t)n;
    in_parts(isa->lay_panels, &lay, (o + isa->panel_rows - 1) / isa->panel_rows);
    in_parts(isa->gate_sum, &job, b);
    in_parts(isa->gate_bits, &job, b);
    for (ptrdiff_t i = 0; i < b; ++i) {
        for (ptrdiff_t j = 0; j < o; ++j) {
            int32_t want = row[i] + col[j];
            for (ptrdiff_t e = 0; e < n; ++e)
                want += scale * (bit(x + i * k, e) ^ bit(w + j * k, e));
            must(sums[i * o + j] == want, isa, "gate_sum", b, o, n);
            must(bit(bits + i * ko, j) == (want >= 0), isa, "gate_bits", b, o, n);
        }
        must(!(o % 64) || bits[i * ko + ko - 1] >> o % 64 == 0, isa, "gate_bits padding", b, o, n);
    }
    free(x), free(w), free(bits), free(row), free(col), free(sums), free(panels);
}

static void votes(const bvar_isa *isa) {
    const ptrdiff_t r = size_up_to(40), k = size_up_to(520), n = size_up_to(200), kn = words_for(n);
    const int by_columns = draw() % 2, extreme = draw() % 3 == 0;
    uint64_t *words = random_words(k, n);
    int8_t *z = memory(r * k, 1);
    int32_t *out = memory(r * n, 4);
    void *index = memory(isa->index_bytes(k, n), 1);
    const bvar_index_job lay = {words, index, k, n};
    const bvar_votes_job job = {z, index, out, by_columns ? 1 : k, by_columns ? r : 1, k, n};
    for (ptrdiff_t i = 0; i < r * k; ++i)
        z[i] = extreme ? -128 : (int8_t)((int)up_to(255) - 128);
    in_parts(isa->lay_index, &lay, (n + isa->index_columns - 1) / isa->index_columns);
    in_parts(isa->signed_sum, &job, r);
    for (ptrdiff_t i = 0; i < r; ++i)
        for (ptrdiff_t j = 0; j < n; ++j) {
            int32_t want = 0;
            for (ptrdiff_t e = 0; e < k; ++e) {
                const int32_t term = z[i * job.z_row + e * job.z_term];
                want += bit(words + e * kn, j) ? term : -term;
            }
            must(out[i * n + j] == want, isa, "signed_sum", r, k, n);
        }
    free(words), free(z), free(out), free(index);
}

/* An accumulator after a vote, before it is compared with the bar. */
static int64_t moved(int64_t m, int64_t q, int64_t eta, int64_t beta, int64_t rest) {
    eta -= eta < INT64_C(1) << 25 ? 0 : eta % 8192;
    const int64_t most = ((INT64_C(1) << 43) - 1) / (eta > 1 ? eta : 1);
    q = q > most ? most : q < -most ? -most : q;
    const int64_t total = 8192 * (beta * m + rest % 32768) + eta * q, one = INT64_C(1) << 28;
    m = total / one - (total % one < 0);
    return m > 32767 ? 32767 : m < -32767 ? -32767 : m;
}

static int64_t random_eta(void) { return draw() % 8 ? (int64_t)(draw() >> (21 + draw() % 43)) : (INT64_C(1) << 25) - (int64_t)(draw() % 2); }

static int16_t random_m(void) { return draw() % 4 ? (int16_t)((int64_t)(draw() % 16001) - 8000) : (int16_t)draw(); }

static void elementwise(const bvar_isa *isa) {
    const ptrdiff_t r = size_up_to(9), n = size_up_to(300), k = words_for(n), entries = 1 + up_to(draw() % 2 ? 40 : 400);
    const int32_t shift = (int32_t)up_to(30);
    int32_t *g = random_ints(r * n, INT32_MAX), *s = random_ints(r * n, draw() % 2 ? 250 : INT32_MAX);
    int32_t *tau = random_ints(n, draw() % 2 ? 50 : INT32_MAX), *curve = random_ints(entries, 1 << 30);
    int8_t *z = memory(r * n, 1);
    int64_t *norms = memory(r, 8);
    int32_t *rows = random_ints(r, INT32_MAX), *centred = memory(r * n, 4);
    int16_t *m = memory(r * n, 2), *old = memory(r * n, 2);
    int64_t *eta = memory(r, 8);
    const int32_t beta = (int32_t)up_to(1 << 15), dither = (int32_t)up_to((1 << 15) - 1);
    uint64_t *words = random_words(r, n), *was = memory(r * k, 8);
    int64_t flips = 0, got;
    for (ptrdiff_t i = 0; i < entries; ++i)
        curve[i] = curve[i] < 0 ? -curve[i] : curve[i];
    for (ptrdiff_t i = 0; i < r * n; ++i)
        old[i] = m[i] = random_m();
    for (ptrdiff_t i = 0; i < r; ++i)
        eta[i] = random_eta();
    memcpy(was, words, (size_t)(r * k) * 8);
    in_parts(isa->rescale, &(bvar_rescale_job){g, s, tau, curve, z, n, entries, shift}, r);
    in_parts(isa->center_votes, &(bvar_center_job){g, rows, tau, centred, n, shift}, r);
    in_parts(isa->vote_norms, &(bvar_norms_job){g, norms, n}, r);
    got = in_parts(isa->flip, &(bvar_flip_job){words, m, g, eta, n, beta, dither}, r);
    for (ptrdiff_t i = 0; i < r; ++i) {
        int64_t norm = 0;
        for (ptrdiff_t j = 0; j < n; ++j) {
            const ptrdiff_t at = i * n + j;
            int64_t d = llabs((int64_t)s[at] - tau[j]);
            const int64_t p = (int64_t)g[at] * curve[d < entries ? d : entries - 1];
            int64_t want = (llabs(p) + ((INT64_C(1) << shift) >> 1)) >> shift;
            want = want > 127 ? 127 : want;
            must(z[at] == (p < 0 ? -want : want), isa, "rescale", r, n, j);
            const int64_t shared = ((int64_t)rows[i] * tau[j] + ((INT64_C(1) << shift) >> 1)) >> shift;
            must(centred[at] == (int32_t)(uint32_t)(uint64_t)(g[at] - shared), isa, "center_votes", r, n, j);
            norm += llabs((int64_t)g[at]);

            const int64_t sum = moved(old[at], g[at], eta[i], beta, dither + INT64_C(27893) * at);
            const int before = bit(was + i * k, j), flip = (before ? sum : -sum) >= 4096;
            flips += flip;
            must(bit(words + i * k, j) == (before ^ flip), isa, "flip bits", r, n, j);
            must(m[at] == (flip ? 0 : sum), isa, "flip accumulator", r, n, j);
        }
        must(norms[i] == norm, isa, "vote_norms", r, n, i);
        must(!(n % 64) || words[i * k + k - 1] >> n % 64 == 0, isa, "flip padding", r, n, i);
    }
    must(flips == got, isa, "flip count", r, n, got);
    free(g), free(s), free(tau), free(curve), free(z), free(norms), free(m), free(old), free(eta);
    free(words), free(was), free(rows), free(centred);
}

static void thresholds(const bvar_isa *isa) {
    const ptrdiff_t r = size_up_to(9), n = size_up_to(300), k = words_for(n);
    const int32_t width = draw() % 2 ? 4 : 8;
    float *floats = memory(r * n, 4), *their = memory(n, 4);
    double *doubles = memory(r * n, 8), *double_their = memory(n, 8);
    uint64_t *out = memory(r * k, 8), *known = memory(r * k, 8);
    int64_t missing = 0;
    for (ptrdiff_t i = 0; i < r * n; ++i)
        doubles[i] = floats[i] = draw() % 8 ? (float)up_to(4) - 2 : NAN;
    for (ptrdiff_t i = 0; i < n; ++i)
        double_their[i] = their[i] = (float)up_to(4) - 2;
    const bvar_threshold_job job = {width == 4 ? (void *)floats : (void *)doubles,
                                    width == 4 ? (void *)their : (void *)double_their, out, known, n, width};
    const int64_t got = in_parts(isa->pack_threshold, &job, r);
    for (ptrdiff_t i = 0; i < r; ++i) {
        for (ptrdiff_t j = 0; j < n; ++j) {
            const float v = floats[i * n + j];
            missing += v != v;
            must(bit(out + i * k, j) == (v >= their[j]), isa, "pack_threshold", r, n, j);
            must(bit(known + i * k, j) == (v == v), isa, "pack_threshold known", r, n, j);
        }
        must(!(n % 64) || (out[i * k + k - 1] | known[i * k + k - 1]) >> n % 64 == 0, isa, "pack_threshold padding", r, n,
             i);
    }
    must(got == missing, isa, "pack_threshold count", r, n, got);
    free(floats), free(their), free(doubles), free(double_their), free(out), free(known);
}

static void scales(const bvar_isa *isa) {
    const ptrdiff_t r = size_up_to(40), n = size_up_to(70), gap = up_to(2);
    const int32_t factor = draw() % 2 ? 1 << 21 : (int32_t)up_to(1 << 20), shift = (int32_t)up_to(20);
    int32_t *g = random_ints(r * (n + gap), draw() % 2 ? INT32_MAX : 1 << 15);
    int16_t *out = memory(n * r, 2);
    in_parts(isa->scale_signals, &(bvar_scale_job){g, out, n + gap, r, factor, shift}, n);
    for (ptrdiff_t i = 0; i < r; ++i)
        for (ptrdiff_t j = 0; j < n; ++j) {
            const int64_t p = (int64_t)g[i * (n + gap) + j] * factor;
            int64_t want = (llabs(p) + ((INT64_C(1) << shift) >> 1)) >> shift;
            want = want > 32767 ? 32767 : want;
            must(out[j * r + i] == (p < 0 ? -want : want), isa, "scale_signals", i, j, shift);
        }
    free(g), free(out);
}

static void sums(const bvar_isa *isa) {
    const ptrdiff_t n = size_up_to(1100);
    const int64_t reach = draw() % 2 ? INT32_MAX : 1 << 30;
    int32_t *a = random_ints(n, reach), *b = random_ints(n, reach), *out = memory(n, 4);
    int wraps = 0;
    const int wrapped = in_parts(isa->add_votes, &(bvar_add_job){a, b, out}, n) != 0;
    for (ptrdiff_t i = 0; i < n; ++i) {
        const int64_t sum = (int64_t)a[i] + b[i];
        wraps |= sum != (int32_t)sum;
        must(out[i] == (int32_t)(uint32_t)(uint64_t)sum, isa, "add_votes", n, i, 0);
    }
    must(wrapped == wraps, isa, "add_votes refusal", n, wraps, 0);
    free(a), free(b), free(out);
}

/* Row `r` of vote_and_flip, from its votes before they are centred; returns the number of flips. */
static int64_t use_row(const bvar_update_job *a, ptrdiff_t r, int64_t *q, int64_t total, uint64_t *words, int16_t *m) {
    int64_t norm = 0, flips = 0, eta = a->eta;
    for (ptrdiff_t i = 0; i < a->n_bits; ++i) {
        if (a->col)
            q[i] -= (total * a->col[i] + ((INT64_C(1) << a->shift) >> 1)) >> a->shift;
        norm += llabs(q[i]);
    }
    if (a->bound >= 0 && a->bound / (norm ? norm : 1) < eta)
        eta = a->bound / (norm ? norm : 1);
    for (ptrdiff_t i = 0; i < a->n_bits; ++i) {
        const int64_t sum = moved(m[i], q[i], eta, a->beta, a->dither + INT64_C(27893) * (r * a->n_bits + i));
        const int flip = (bit(words, i) ? sum : -sum) >= 4096;
        words[i / 64] ^= (uint64_t)flip << i % 64;
        m[i] = flip ? 0 : (int16_t)sum;
        flips += flip;
    }
    return flips;
}

static void updates(const bvar_isa *isa) {
    const ptrdiff_t r = size_up_to(70), k = size_up_to(300), n = size_up_to(r * k > 2000 ? 140 : 400), kn = words_for(n);
    const ptrdiff_t grain = 1 + up_to(r), together = 1 + up_to(40), step = isa->index_columns;
    const int by_columns = draw() % 2;
    const int32_t at_false = (int32_t)up_to(2) - 1, at_true = (int32_t)up_to(2) - 1;
    uint64_t *x = random_words(k, n), *words = random_words(r, n), *want = memory(r * kn, 8);
    int16_t *m = memory(r * n, 2), *want_m = memory(r * n, 2);
    int32_t *col = random_ints(n, 1 << 15), *scratch = memory((r + grain) / grain * together * n, 4);
    int8_t *z = memory(r * k, 1);
    int64_t *q = memory(n, 8), got = 0, flips = 0;
    void *index = memory(isa->index_bytes(k, n), 1);
    for (ptrdiff_t i = 0; i < r * k; ++i)
        z[i] = (int8_t)draw();
    for (ptrdiff_t i = 0; i < r * n; ++i)
        want_m[i] = m[i] = random_m();
    memcpy(want, words, (size_t)(r * kn) * 8);
    isa->lay_index(&(bvar_index_job){x, index, k, n}, 0, (n + step - 1) / step);
    const bvar_update_job job = {.z = z, .index = index, .col = draw() % 2 ? col : NULL, .votes = scratch, .words = words,
                                 .m = m, .z_row = by_columns ? 1 : k, .z_term = by_columns ? r : 1, .n_terms = k,
                                 .n_bits = n, .together = together, .grain = grain, .eta = random_eta(),
                                 .bound = draw() % 2 ? (int64_t)(draw() >> (2 + draw() % 40)) : -1,
                                 .beta = (int32_t)up_to(1 << 15), .dither = (int32_t)up_to((1 << 15) - 1),
                                 .at_false = at_false, .at_true = at_true, .shift = 15};
    for (ptrdiff_t i = 0; i < r; i += grain) /* ranges begin at multiples of the grain */
        got += isa->vote_and_flip(&job, i, i + grain < r ? i + grain : r);
    for (ptrdiff_t i = 0; i < r; ++i) {
        int64_t total = 0;
        memset(q, 0, (size_t)n * sizeof *q);
        for (ptrdiff_t e = 0; e < k; ++e) {
            const int64_t term = z[i * job.z_row + e * job.z_term];
            total += term;
            for (ptrdiff_t j = 0; j < n; ++j)
                q[j] += term * (bit(x + e * kn, j) ? at_true : at_false);
        }
        flips += use_row(&job, i, q, total, want + i * kn, want_m + i * n);
    }
    must(memcmp(words, want, (size_t)(r * kn) * 8) == 0, isa, "vote_and_flip bits", r, k, n);
    must(memcmp(m, want_m, (size_t)(r * n) * 2) == 0, isa, "vote_and_flip accumulators", r, k, n);
    must(got == flips, isa, "vote_and_flip count", r, k, n);
    free(x), free(words), free(want), free(m), free(want_m), free(col), free(scratch), free(z), free(q), free(index);
}

/* The entry that a gate looks at for one sample, with wire `held` at `as` unless held is negative. */
static int entry_of(const uint64_t *x, ptrdiff_t kn, const int32_t *wires, int fan_in, ptrdiff_t s, int held, int as) {
    int a = 0;
    for (int i = 0; i < fan_in; ++i)
        a |= (i == held ? as : bit(x + wires[i] * kn, s)) << i;
    return a;
}

static void tables(const bvar_isa *isa) {
    const int32_t fan_in = 1 + (int32_t)up_to(5);
    const ptrdiff_t u = 1 + up_to(20), n = size_up_to(600), g = size_up_to(n > 100 ? 9 : 40), kn = words_for(n);
    const int32_t reach = draw() % 2 ? 32767 : 127;
    uint64_t *x = random_words(u, n), *rows = random_words(g, 1 << fan_in), *out = memory(g * kn, 8);
    int32_t *wires = memory(g * fan_in, 4), *starts = memory(u + 1, 4), *readers = memory(g * fan_in, 4);
    const ptrdiff_t c = 1 + up_to(9), n_wires = g * fan_in;
    int32_t *candidates = memory(n_wires * c, 4), *p = memory(n_wires * c, 4);
    int32_t *q = memory(g << fan_in, 4), *want = memory(g << fan_in, 4);
    int16_t *z = memory(g * n, 2), *v = memory(u * n, 2);
    ptrdiff_t n_readers = 0;
    for (ptrdiff_t i = 0; i < g * fan_in; ++i)
        wires[i] = (int32_t)up_to(u - 1);
    for (ptrdiff_t i = 0; i < g * n; ++i)
        z[i] = (int16_t)((int32_t)up_to(2 * reach) - reach);
    for (ptrdiff_t i = 0; i <= u; ++i) {
        starts[i] = (int32_t)n_readers;
        for (ptrdiff_t j = 0; i < u && j < g * fan_in; ++j)
            if (wires[j] == i)
                readers[n_readers++] = (int32_t)j;
    }
    for (ptrdiff_t i = 0; i < n_wires * c; ++i)
        candidates[i] = (int32_t)up_to(u - 1);
    in_parts(isa->candidate_votes, &(bvar_candidate_votes_job){z, x, wires, rows, candidates, p, n, c, fan_in}, n_wires);
    in_parts(isa->table_values, &(bvar_table_values_job){x, wires, rows, out, n, fan_in}, g);
    in_parts(isa->table_votes, &(bvar_table_votes_job){z, x, wires, q, n, fan_in}, g);
    in_parts(isa->wire_votes, &(bvar_wire_votes_job){z, x, wires, rows, starts, readers, v, n, fan_in}, u);
    memset(want, 0, (size_t)(g << fan_in) * 4);
    for (ptrdiff_t i = 0; i < g; ++i) {
        for (ptrdiff_t s = 0; s < n; ++s) {
            const int a = entry_of(x, kn, wires + i * fan_in, fan_in, s, -1, 0);
            must(bit(out + i * kn, s) == bit(rows + i, a), isa, "table_values", i, s, fan_in);
            want[(i << fan_in) + a] += z[i * n + s];
        }
        must(!(n % 64) || out[i * kn + kn - 1] >> n % 64 == 0, isa, "table_values padding", i, n, fan_in);
    }
    must(memcmp(q, want, (size_t)(g << fan_in) * 4) == 0, isa, "table_votes", g, n, fan_in);
    for (ptrdiff_t i = 0; i < u; ++i)
        for (ptrdiff_t s = 0; s < n; ++s) {
            int64_t sum = 0;
            for (ptrdiff_t r = starts[i]; r < starts[i + 1]; ++r) {
                const ptrdiff_t k = readers[r] / fan_in;
                const int slot = readers[r] % fan_in;
                const int high = entry_of(x, kn, wires + k * fan_in, fan_in, s, slot, 1);
                const int low = entry_of(x, kn, wires + k * fan_in, fan_in, s, slot, 0);
                sum += (int64_t)z[k * n + s] * (bit(rows + k, high) - bit(rows + k, low));
            }
            sum = sum > 32767 ? 32767 : sum < -32767 ? -32767 : sum;
            must(v[i * n + s] == sum, isa, "wire_votes", i, s, fan_in);
        }
    for (ptrdiff_t i = 0; i < n_wires * c; ++i) {
        const ptrdiff_t k = i / c / fan_in;
        int64_t sum = 0;
        for (ptrdiff_t s = 0; s < n; ++s) {
            const int then = bit(x + candidates[i] * kn, s);
            const int a = entry_of(x, kn, wires + k * fan_in, fan_in, s, (int)(i / c % fan_in), then);
            sum += (int64_t)z[k * n + s] * (bit(rows + k, a) - bit(out + k * kn, s));
        }
        must(p[i] == sum, isa, "candidate_votes", i, n, fan_in);
    }
    free(candidates), free(p);
    free(x), free(rows), free(out), free(wires), free(starts), free(readers), free(q), free(want), free(z), free(v);
}

static void groups(const bvar_isa *isa) {
    const ptrdiff_t c = 1 + up_to(4), m = size_up_to(70), n = size_up_to(600), kn = words_for(n), r = size_up_to(9);
    uint64_t *x = random_words(c * m, n), *words = memory(r * kn, 8);
    int32_t *counts = memory(c * n, 4);
    uint8_t *values = memory(r * n, 1), *thresholds = memory(n, 1);
    for (ptrdiff_t i = 0; i < r * n; ++i)
        values[i] = (uint8_t)draw();
    for (ptrdiff_t i = 0; i < n; ++i)
        thresholds[i] = (uint8_t)(draw() % 4 ? draw() : 255 * (draw() % 2));
    in_parts(isa->count_groups, &(bvar_groups_job){x, counts, m, c, n}, kn);
    in_parts(isa->pack_levels, &(bvar_levels_job){values, thresholds, words, n}, r);
    for (ptrdiff_t s = 0; s < n; ++s) {
        for (ptrdiff_t i = 0; i < c; ++i) {
            int32_t want = 0;
            for (ptrdiff_t j = 0; j < m; ++j)
                want += bit(x + (i * m + j) * kn, s);
            must(counts[i * n + s] == want, isa, "count_groups", i, s, m);
        }
        for (ptrdiff_t i = 0; i < r; ++i)
            must(bit(words + i * kn, s) == (values[i * n + s] >= thresholds[s]), isa, "pack_levels", i, s, n);
    }
    for (ptrdiff_t i = 0; i < r && n % 64; ++i)
        must(words[i * kn + kn - 1] >> n % 64 == 0, isa, "pack_levels padding", i, n, 0);
    free(x), free(words), free(counts), free(values), free(thresholds);
}

/* The pixel that tap (a, b) of place (i, j) is, or -1 outside of the image. */
static ptrdiff_t pixel_of(const bvar_window *w, ptrdiff_t i, ptrdiff_t j, ptrdiff_t a, ptrdiff_t b) {
    const ptrdiff_t y = i * w->stride_y - w->padding_y + a * w->dilation_y;
    const ptrdiff_t x = j * w->stride_x - w->padding_x + b * w->dilation_x;
    return 0 <= y && y < w->height && 0 <= x && x < w->width ? y * w->width + x : -1;
}

static bvar_window random_window(void) {
    static const ptrdiff_t channels[] = {1, 3, 8, 24, 32, 63, 64, 65, 128};
    bvar_window w = {0, 0, channels[draw() % 9], 1 + up_to(3), 1 + up_to(3), 1 + up_to(2), 1 + up_to(2),
                     1 + up_to(2), 1 + up_to(2), 0, 0, 0, 0};
    const ptrdiff_t high = (w.kernel_height - 1) * w.dilation_y + 1, wide = (w.kernel_width - 1) * w.dilation_x + 1;
    w.padding_y = up_to(high - 1), w.padding_x = up_to(wide - 1);
    w.height = (high > 2 * w.padding_y ? high - 2 * w.padding_y : 1) + up_to(5);
    w.width = (wide > 2 * w.padding_x ? wide - 2 * w.padding_x : 1) + up_to(5);
    w.out_height = (w.height + 2 * w.padding_y - high) / w.stride_y + 1;
    w.out_width = (w.width + 2 * w.padding_x - wide) / w.stride_x + 1;
    return w;
}

static void images(const bvar_isa *isa) {
    const bvar_window w = random_window();
    const ptrdiff_t n = size_up_to(4), k = size_up_to(20), c = w.channels, in = w.height * w.width * c;
    const ptrdiff_t places = w.out_height * w.out_width, taps = w.kernel_height * w.kernel_width;
    const ptrdiff_t kin = words_for(in), kp = words_for(taps * c), rows = 1 + up_to(places), grain = 1 + up_to(n);
    uint64_t *x = random_words(n, in), *weights = random_words(k, taps * c), *patches = memory(n * places * kp, 8);
    int8_t *z = memory(n * places * k, 1);
    int32_t *out = memory(n * in, 4), *want = memory(n * in, 4);
    int32_t *scratch = memory((n + grain) / grain * rows * taps * c, 4);
    void *index = memory(isa->index_bytes(k, taps * c), 1);
    for (ptrdiff_t i = 0; i < n * places * k; ++i)
        z[i] = (int8_t)draw();
    memset(want, 0, (size_t)(n * in) * 4);
    isa->lay_index(&(bvar_index_job){weights, index, k, taps * c}, 0,
                 (taps * c + isa->index_columns - 1) / isa->index_columns);
    in_parts(isa->gather_patches, &(bvar_gather_job){x, patches, w}, n * w.out_height);
    const bvar_pixels_job job = {z, index, scratch, out, k, rows, grain, w};
    for (ptrdiff_t i = 0; i < n; i += grain) /* ranges begin at multiples of the grain */
        isa->signed_pixels(&job, i, i + grain < n ? i + grain : n);
    for (ptrdiff_t p = 0; p < n * places; ++p)
        for (ptrdiff_t i = 0; i < taps * c; ++i) {
            const ptrdiff_t tap = i / c, pixel = pixel_of(&w, p % places / w.out_width, p % w.out_width,
                                                          tap / w.kernel_width, tap % w.kernel_width);
            const ptrdiff_t at = pixel * c + i % c;
            must(bit(patches + p * kp, i) == (pixel < 0 ? 0 : bit(x + p / places * kin, at)), isa, "gather_patches", p,
                 i, c);
            for (ptrdiff_t o = 0; o < k && pixel >= 0; ++o)
                want[p / places * in + at] += bit(weights + o * kp, i) ? z[p * k + o] : -z[p * k + o];
        }
    for (ptrdiff_t p = 0; p < n * places && taps * c % 64; ++p)
        must(patches[p * kp + kp - 1] >> taps * c % 64 == 0, isa, "gather_patches padding", p, 0, c);
    must(memcmp(out, want, (size_t)(n * in) * 4) == 0, isa, "signed_pixels", n, k, c);
    free(x), free(weights), free(patches), free(z), free(out), free(want), free(scratch), free(index);
}

static void pools(const bvar_isa *isa) {
    const int32_t size = 1 + (int32_t)up_to(3);
    const ptrdiff_t n = size_up_to(4), h = size + up_to(5), v = size + up_to(5), c = 1 + up_to(40);
    const ptrdiff_t oh = h / size, ov = v / size;
    int32_t *s = random_ints(n * h * v * c, draw() % 2 ? 2 : INT32_MAX), *best = memory(n * oh * ov * c, 4);
    uint8_t *winner = memory(n * oh * ov * c, 1);
    in_parts(isa->pool_max, &(bvar_pool_job){s, best, winner, h, v, c, size}, n);
    for (ptrdiff_t i = 0; i < n * oh * ov * c; ++i) {
        const ptrdiff_t at = i / c, y = at / ov % oh * size, x = at % ov * size, image = at / (oh * ov);
        int who = 0;
        int32_t top = INT32_MIN;
        for (int tap = size * size - 1; tap >= 0; --tap) { /* backwards, so that the first of equals is the last */
            const int32_t value = s[((image * h + y + tap / size) * v + x + tap % size) * c + i % c];
            who = value >= top ? tap : who, top = value >= top ? value : top;
        }
        must(best[i] == top && winner[i] == who, isa, "pool_max", i, size, c);
    }
    free(s), free(best), free(winner);
}

static void rows(const bvar_isa *isa) {
    const ptrdiff_t m = size_up_to(140), n = size_up_to(600), k = words_for(n), groups = 8 * ((n + 31) / 32);
    const ptrdiff_t panels = (m + isa->row_outputs - 1) / isa->row_outputs;
    static const int32_t reaches[] = {1, 63, 64, 2079, 2080, 32767};
    const int32_t reach = reaches[draw() % 6];
    uint64_t *w = random_words(m, n);
    int32_t *numbers = random_ints(n, reach), *out = memory(m, 4);
    int16_t *x = memory(n, 2);
    uint8_t *tables = memory(16 * groups, 1);
    void *layout = memory(isa->rows_bytes(m, k), 1);
    int32_t digit = -1;
    for (ptrdiff_t i = 0; i < n; ++i)
        x[i] = (int16_t)(draw() % 8 ? numbers[i] : -reach - (reach == 32767));
    in_parts(isa->lay_rows, &(bvar_rows_job){w, layout, m, k}, panels);
    for (int64_t found = 1, base = 0; found != base; ++digit) {
        found = in_parts(isa->row_tables, &(bvar_row_tables_job){x, tables, n, digit}, groups);
        base = (int32_t)found;
        if (digit < 0 && found != base)
            continue;
        must(digit < 3, isa, "row_tables", m, n, digit);
        in_parts(isa->row_sums, &(bvar_row_sums_job){tables, layout, out, n, m, (int32_t)base,
                                                     digit < 0 ? 1 : 1 << 6 * digit, digit <= 0}, panels);
    }
    for (ptrdiff_t j = 0; j < m; ++j) {
        int32_t want = 0;
        for (ptrdiff_t i = 0; i < n; ++i)
            want += bit(w + j * k, i) ? x[i] : -x[i];
        must(out[j] == want, isa, "row_sums", m, n, digit);
    }
    free(w), free(numbers), free(out), free(x), free(tables), free(layout);
}

static void quantize(const bvar_isa *isa) {
    const ptrdiff_t r = size_up_to(4), n = size_up_to(300);
    float *x = memory(r * n, 4), *scales = memory(n, 4), *steps = memory(r, 4);
    int16_t *out = memory(r * n, 2);
    for (ptrdiff_t i = 0; i < r * n; ++i)
        x[i] = (float)((int64_t)(draw() % 4001) - 2000) / 1000;
    for (ptrdiff_t i = 0; i < n; ++i)
        scales[i] = (float)(draw() % 9) / 4;
    in_parts(isa->quantize_rows, &(bvar_quantize_job){x, scales, out, steps, n}, r);
    for (ptrdiff_t i = 0; i < r * n; i += n)
        for (ptrdiff_t j = 0; j < n; ++j) {
            int32_t size = 0;
            for (ptrdiff_t e = j & ~(ptrdiff_t)3; e < n && e < (j & ~(ptrdiff_t)3) + 4; ++e)
                size += abs(out[i + e]);
            must(size <= 255, isa, "quantize_rows groups", r, n, j);
            const float off = x[i + j] * scales[j] - (float)out[i + j] * steps[i / n];
            must((off < 0 ? -off : off) <= 0.5001f * steps[i / n], isa, "quantize_rows", r, n, j);
        }
    free(x), free(scales), free(steps), free(out);
}

int main(int argc, char **argv) {
    const int rounds = argc > 1 ? atoi(argv[1]) : 200;
    const bvar_isa *isa;
    printf("instruction sets:");
    for (int i = 0; (isa = bvar_isa_at(i)); ++i) {
        if ((isa->cpu & bvar_cpu_features()) != isa->cpu)
            continue;
        printf(" %s", isa->name);
        fflush(stdout);
        state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
        for (int round = 0; round < rounds; ++round)
            layout(isa), gates(isa), votes(isa), elementwise(isa), thresholds(isa), scales(isa), sums(isa), updates(isa), tables(isa), groups(isa), images(isa), pools(isa),
                rows(isa), quantize(isa);
    }
    printf(": equal to the reference, %d rounds\n", rounds);
    return 0;
}
