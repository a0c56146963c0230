/* windows_impl.h - images under sliding windows; included by kernels_impl.h, once for each ISA file.
 *
 * A convolution is a linear layer on patches.  Patches of bits are small, so they are written out and the kernels
 * of linear layers do the rest; votes on patches are int32 and 32 times as large, so they are added up to votes on
 * pixels while they are in the cache.
 *
 * Loops of fixed length go through arrays of fixed length, which compilers vectorise. */

enum { LANES = 16 };

/* Where the window at position (.., o) of one axis leaves the image: taps [from, to) are inside. */
typedef struct {
    ptrdiff_t start, from, to;
} span;

BVAR_INLINE span span_of(ptrdiff_t o, ptrdiff_t size, ptrdiff_t taps, ptrdiff_t stride, ptrdiff_t dilation,
                         ptrdiff_t padding) {
    const ptrdiff_t start = o * stride - padding, room = size - start;
    const ptrdiff_t from = start < 0 ? at_most(taps, ceil_div(-start, dilation)) : 0;
    const ptrdiff_t to = room <= 0 ? 0 : at_most(taps, ceil_div(room, dilation));
    return (span){start, from, to > from ? to : from};
}

/* --------------------------------------------------------------------------------------------- gather_patches */

/* Up to 64 bits of a row, from bit `at` on; the word after them is read only if they reach into it. */
BVAR_INLINE uint64_t bits_at(const uint64_t *row, ptrdiff_t at, int n) {
    const int shift = (int)(at % 64);
    uint64_t word = row[at / 64] >> shift;
    if (shift + n > 64)
        word |= row[at / 64 + 1] << (64 - shift);
    return n < 64 ? word & ((UINT64_C(1) << n) - 1) : word;
}

BVAR_INLINE void put_bits(uint64_t *row, ptrdiff_t at, int n, uint64_t bits) {
    const int shift = (int)(at % 64);
    row[at / 64] |= bits << shift;
    if (shift + n > 64)
        row[at / 64 + 1] |= bits >> (64 - shift);
}

static void copy_bits(uint64_t *to, ptrdiff_t to_bit, const uint64_t *from, ptrdiff_t from_bit, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i += 64) {
        const int some = (int)at_most(64, n - i);
        put_bits(to, to_bit + i, some, bits_at(from, from_bit + i, some));
    }
}

/* A few bytes at a time; the last few overlap those before them. */
BVAR_INLINE void copy_bytes(uint8_t *to, const uint8_t *from, ptrdiff_t n) {
    if (n >= 16) {
        for (ptrdiff_t i = 0; i < n - 16; i += 16)
            memcpy(to + i, from + i, 16);
        memcpy(to + n - 16, from + n - 16, 16);
    } else if (n >= 8) {
        memcpy(to, from, 8);
        memcpy(to + n - 8, from + n - 8, 8);
    } else {
        for (ptrdiff_t i = 0; i < n; ++i)
            to[i] = from[i];
    }
}

/* Taps [from, to) of one row, `together` at a time.  Pixels of whole bytes need no shifting. */
BVAR_INLINE void copy_taps(const bvar_window *w, const uint64_t *image, ptrdiff_t y, ptrdiff_t ky, span x,
                           ptrdiff_t together, uint64_t *patch) {
    const ptrdiff_t c = w->channels, n = together * c;
    for (ptrdiff_t kx = x.from; kx < x.to; kx += together) {
        const ptrdiff_t from = (y * w->width + x.start + kx * w->dilation_x) * c;
        const ptrdiff_t to = (ky * w->kernel_width + kx) * c;
        if (c % 8)
            copy_bits(patch, to, image, from, n);
        else
            copy_bytes((uint8_t *)patch + to / 8, (const uint8_t *)image + from / 8, n / 8);
    }
}

/* Places at which the whole window is inside, with `n` bytes in each row of taps; a constant n makes it twice as fast. */
BVAR_INLINE void copy_whole(const bvar_window *w, const uint8_t *pixels, ptrdiff_t places, ptrdiff_t n,
                            uint64_t *patch) {
    const ptrdiff_t n_words = ceil_div(w->kernel_height * n, 8), c = w->channels / 8;
    for (ptrdiff_t i = 0; i < places; ++i, patch += n_words, pixels += w->stride_x * c) {
        patch[n_words - 1] = 0; /* what no tap writes */
        for (ptrdiff_t ky = 0; ky < w->kernel_height; ++ky)
            copy_bytes((uint8_t *)patch + ky * n, pixels + ky * w->dilation_y * w->width * c, n);
    }
}

static void copy_inside(const bvar_window *w, const uint8_t *pixels, ptrdiff_t places, uint64_t *patch) {
    const ptrdiff_t n = w->kernel_width * w->channels / 8;
    switch (n) {
    case 12: copy_whole(w, pixels, places, 12, patch); break; /* three pixels of 32, 64, 128 channels */
    case 24: copy_whole(w, pixels, places, 24, patch); break;
    case 48: copy_whole(w, pixels, places, 48, patch); break;
    default: copy_whole(w, pixels, places, n, patch);
    }
}

/* Place `ox` of a row, any window. */
static void copy_patch(const bvar_window *w, const uint64_t *image, span y, ptrdiff_t ox, uint64_t *patch) {
    const ptrdiff_t n_words = ceil_div(w->kernel_height * w->kernel_width * w->channels, 64);
    const span x = span_of(ox, w->width, w->kernel_width, w->stride_x, w->dilation_x, w->padding_x);
    const ptrdiff_t together = w->dilation_x == 1 ? x.to - x.from : 1;
    memset(patch, 0, (size_t)n_words * sizeof *patch);
    for (ptrdiff_t ky = y.from; ky < y.to; ++ky)
        copy_taps(w, image, y.start + ky * w->dilation_y, ky, x, together, patch);
}

static void gather_row(const bvar_window *w, const uint64_t *image, span y, uint64_t *patch) {
    const ptrdiff_t n_words = ceil_div(w->kernel_height * w->kernel_width * w->channels, 64);
    const ptrdiff_t room = w->width + w->padding_x - ((w->kernel_width - 1) * w->dilation_x + 1);
    ptrdiff_t first = ceil_div(w->padding_x, w->stride_x), end = room < 0 ? 0 : room / w->stride_x + 1;
    if (w->channels % 8 || w->dilation_x > 1 || y.from > 0 || y.to < w->kernel_height || end <= first)
        first = end = 0; /* nowhere is the whole window inside, or its pixels are not whole bytes side by side */
    else
        copy_inside(w,
                    (const uint8_t *)image + (y.start * w->width + first * w->stride_x - w->padding_x) *
                                                 (w->channels / 8),
                    end - first, patch + first * n_words);
    for (ptrdiff_t ox = 0; ox < w->out_width; ++ox)
        if (ox < first || ox >= end)
            copy_patch(w, image, y, ox, patch + ox * n_words);
}

static int64_t gather_patches(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    const bvar_gather_job *a = job;
    const bvar_window *w = &a->window;
    const ptrdiff_t image_words = ceil_div(w->height * w->width * w->channels, 64);
    const ptrdiff_t patch_words = ceil_div(w->kernel_height * w->kernel_width * w->channels, 64);
    for (ptrdiff_t item = begin; item < end; ++item)
        gather_row(w, a->images + item / w->out_height * image_words,
                   span_of(item % w->out_height, w->height, w->kernel_height, w->stride_y, w->dilation_y,
                           w->padding_y),
                   a->patches + item * w->out_width * patch_words);
    return 0;
}

/* ---------------------------------------------------------------------------------------------- signed_pixels */

BVAR_INLINE void add_all(int32_t *out, const int32_t *more, ptrdiff_t n) {
    const ptrdiff_t whole = n / LANES * LANES;
    for (ptrdiff_t i = 0; i < whole; i += LANES) {
        int32_t sums[LANES];
        for (int k = 0; k < LANES; ++k)
            sums[k] = (int32_t)((uint32_t)out[i + k] + (uint32_t)more[i + k]);
        memcpy(out + i, sums, sizeof sums);
    }
    for (ptrdiff_t i = whole; i < n; ++i)
        out[i] = (int32_t)((uint32_t)out[i] + (uint32_t)more[i]);
}

/* The patch at position `p` of one image, back to its pixels. */
static void scatter_patch(const bvar_window *w, ptrdiff_t p, const int32_t *patch, int32_t *image) {
    const ptrdiff_t c = w->channels;
    const span y =
        span_of(p / w->out_width, w->height, w->kernel_height, w->stride_y, w->dilation_y, w->padding_y);
    const span x = span_of(p % w->out_width, w->width, w->kernel_width, w->stride_x, w->dilation_x, w->padding_x);
    const ptrdiff_t together = w->dilation_x == 1 ? x.to - x.from : 1;
    for (ptrdiff_t ky = y.from; ky < y.to; ++ky)
        for (ptrdiff_t kx = x.from; kx < x.to; kx += together)
            add_all(image + ((y.start + ky * w->dilation_y) * w->width + x.start + kx * w->dilation_x) * c,
                    patch + (ky * w->kernel_width + kx) * c, together * c);
}

static int64_t signed_pixels(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    const bvar_pixels_job *a = job;
    const bvar_window *w = &a->window;
    const ptrdiff_t n_places = w->out_height * w->out_width, n_pixels = w->height * w->width * w->channels;
    const ptrdiff_t n_bits = w->kernel_height * w->kernel_width * w->channels;
    int32_t *patches = a->scratch + begin / a->grain * a->scratch_rows * n_bits;
    bvar_votes_job votes = {NULL, a->index, patches, a->n_terms, 1, a->n_terms, n_bits};
    for (ptrdiff_t s = begin; s < end; ++s) {
        int32_t *image = a->out + s * n_pixels;
        memset(image, 0, (size_t)n_pixels * sizeof *image);
        for (ptrdiff_t p = 0; p < n_places; p += a->scratch_rows) {
            const ptrdiff_t rows = at_most(a->scratch_rows, n_places - p);
            votes.z = a->z + (s * n_places + p) * a->n_terms;
            signed_sum(&votes, 0, rows);
            for (ptrdiff_t i = 0; i < rows; ++i)
                scatter_patch(w, p + i, patches + i * n_bits, image);
        }
    }
    return 0;
}

/* ---------------------------------------------------------------------------------------------------- pool_max */

/* The largest of the taps of one window, channels [0, n); the first of equals wins. */
BVAR_INLINE void best_of(const bvar_pool_job *a, const int32_t *corner, int n, int32_t *best, uint8_t *who) {
    int32_t top[LANES] = {0}, tap[LANES] = {0}, value[LANES] = {0};
    memcpy(top, corner, (size_t)n * sizeof *top);
    for (int t = 1; t < a->size * a->size; ++t) {
        memcpy(value, corner + (t / a->size * a->width + t % a->size) * a->channels, (size_t)n * sizeof *value);
        for (int k = 0; k < LANES; ++k) {
            const int32_t wins = -(value[k] > top[k]);
            top[k] = (value[k] & wins) | (top[k] & ~wins);
            tap[k] = (t & wins) | (tap[k] & ~wins);
        }
    }
    memcpy(best, top, (size_t)n * sizeof *top);
    for (int k = 0; k < n; ++k)
        who[k] = (uint8_t)tap[k];
}

static int64_t pool_max(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    const bvar_pool_job *a = job;
    const ptrdiff_t c = a->channels, out_height = a->height / a->size, out_width = a->width / a->size;
    for (ptrdiff_t s = begin; s < end; ++s)
        for (ptrdiff_t p = 0; p < out_height * out_width; ++p) {
            const ptrdiff_t y = p / out_width * a->size, x = p % out_width * a->size;
            const int32_t *corner = a->sums + ((s * a->height + y) * a->width + x) * c;
            const ptrdiff_t at = (s * out_height * out_width + p) * c;
            for (ptrdiff_t i = 0; i < c; i += LANES)
                if (c - i >= LANES) /* a constant length where there can be one */
                    best_of(a, corner + i, LANES, a->best + at + i, a->winner + at + i);
                else
                    best_of(a, corner + i, (int)(c - i), a->best + at + i, a->winner + at + i);
        }
    return 0;
}
