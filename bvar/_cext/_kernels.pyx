"""Binds the C kernels; no algorithm here.

An `Isa` is one instruction set with a number of threads, and the backend itself wherever an operation only passes
its arguments on; what needs memory gets it from `bvar.backends.compiled`.  Each method checks that sizes fit, fills
the job that ``include/bvar_kernels.h`` describes, releases the GIL and runs it.  Nothing is allocated, converted or
copied.  Arguments are marked IN or OUT.

Whatever Python can pass is refused or safe: `bvar.kernels` has explained mistakes to the user, but a method can be
called without it.  Contents that change a result and nothing else, such as padding that is set, are not looked at.

Longer than other modules, because it has a struct and a method for each kernel of the header, which is one file too.
"""

from cpython.pyport cimport PY_SSIZE_T_MAX
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t

from numpy import uint8

cdef extern from "bvar_kernels.h" nogil:
    ctypedef int64_t (*bvar_kernel)(const void *job, ptrdiff_t begin, ptrdiff_t end) noexcept
    ctypedef struct bvar_pack_job:
        const uint8_t *values
        uint64_t *words
        ptrdiff_t n_bits
    ctypedef struct bvar_threshold_job:
        const void *values
        const void *thresholds
        uint64_t *words
        uint64_t *known
        ptrdiff_t n_bits
        int32_t width
    ctypedef struct bvar_unpack_job:
        const uint64_t *words
        uint8_t *values
        ptrdiff_t n_bits
    ctypedef struct bvar_transpose_job:
        const uint64_t *words
        uint64_t *out
        ptrdiff_t n_rows
        ptrdiff_t n_bits
    ctypedef struct bvar_count_job:
        const uint64_t *words
        int32_t *out
        ptrdiff_t n_words
    ctypedef struct bvar_panels_job:
        const uint64_t *w
        void *panels
        ptrdiff_t n_rows
        ptrdiff_t n_words
    ctypedef struct bvar_gate_job:
        const uint64_t *x
        const void *panels
        const int32_t *row
        const int32_t *col
        int32_t *sums
        uint64_t *bits
        ptrdiff_t n_words
        ptrdiff_t n_out
        int32_t scale
    ctypedef struct bvar_index_job:
        const uint64_t *words
        void *index
        ptrdiff_t n_terms
        ptrdiff_t n_bits
    ctypedef struct bvar_votes_job:
        const int8_t *z
        const void *index
        int32_t *out
        ptrdiff_t z_row
        ptrdiff_t z_term
        ptrdiff_t n_terms
        ptrdiff_t n_bits
    ctypedef struct bvar_rescale_job:
        const int32_t *g
        const int32_t *s
        const int32_t *tau
        const int32_t *curve
        int8_t *out
        ptrdiff_t n_cols
        ptrdiff_t n_curve
        int32_t shift
    ctypedef struct bvar_scale_job:
        const int32_t *g
        int16_t *out
        ptrdiff_t g_row
        ptrdiff_t n_samples
        int32_t factor
        int32_t shift
    ctypedef struct bvar_center_job:
        const int32_t *q
        const int32_t *row
        const int32_t *col
        int32_t *out
        ptrdiff_t n_cols
        int32_t shift
    ctypedef struct bvar_add_job:
        const int32_t *a
        const int32_t *b
        int32_t *out
    ctypedef struct bvar_norms_job:
        const int32_t *q
        int64_t *out
        ptrdiff_t n_cols
    ctypedef struct bvar_flip_job:
        uint64_t *words
        int16_t *m
        const int32_t *q
        const int64_t *eta
        ptrdiff_t n_bits
        int32_t beta
        int32_t dither
    ctypedef struct bvar_update_job:
        const int8_t *z
        const void *index
        const int32_t *col
        int32_t *votes
        uint64_t *words
        int16_t *m
        ptrdiff_t z_row
        ptrdiff_t z_term
        ptrdiff_t n_terms
        ptrdiff_t n_bits
        ptrdiff_t together
        ptrdiff_t grain
        int64_t eta
        int64_t bound
        int32_t beta
        int32_t dither
        int32_t at_false
        int32_t at_true
        int32_t shift
    ctypedef struct bvar_levels_job:
        const uint8_t *values
        const uint8_t *thresholds
        uint64_t *words
        ptrdiff_t n_bits
    ctypedef struct bvar_table_values_job:
        const uint64_t *x
        const int32_t *wires
        const uint64_t *tables
        uint64_t *out
        ptrdiff_t n_samples
        int32_t fan_in
    ctypedef struct bvar_table_votes_job:
        const int16_t *z
        const uint64_t *x
        const int32_t *wires
        int32_t *out
        ptrdiff_t n_samples
        int32_t fan_in
    ctypedef struct bvar_wire_votes_job:
        const int16_t *z
        const uint64_t *x
        const int32_t *wires
        const uint64_t *tables
        const int32_t *starts
        const int32_t *readers
        int16_t *out
        ptrdiff_t n_samples
        int32_t fan_in
    ctypedef struct bvar_candidate_votes_job:
        const int16_t *z
        const uint64_t *x
        const int32_t *wires
        const uint64_t *tables
        const int32_t *candidates
        int32_t *out
        ptrdiff_t n_samples
        ptrdiff_t n_candidates
        int32_t fan_in
    ctypedef struct bvar_groups_job:
        const uint64_t *x
        int32_t *out
        ptrdiff_t n_rows
        ptrdiff_t n_groups
        ptrdiff_t n_samples
    ctypedef struct bvar_window:
        ptrdiff_t height
        ptrdiff_t width
        ptrdiff_t channels
        ptrdiff_t kernel_height
        ptrdiff_t kernel_width
        ptrdiff_t stride_y
        ptrdiff_t stride_x
        ptrdiff_t dilation_y
        ptrdiff_t dilation_x
        ptrdiff_t padding_y
        ptrdiff_t padding_x
        ptrdiff_t out_height
        ptrdiff_t out_width
    ctypedef struct bvar_gather_job:
        const uint64_t *images
        uint64_t *patches
        bvar_window window
    ctypedef struct bvar_pixels_job:
        const int8_t *z
        const void *index
        int32_t *scratch
        int32_t *out
        ptrdiff_t n_terms
        ptrdiff_t scratch_rows
        ptrdiff_t grain
        bvar_window window
    ctypedef struct bvar_pool_job:
        const int32_t *sums
        int32_t *best
        uint8_t *winner
        ptrdiff_t height
        ptrdiff_t width
        ptrdiff_t channels
        int32_t size
    ctypedef struct bvar_rows_job:
        const uint64_t *w
        void *layout
        ptrdiff_t n_rows
        ptrdiff_t n_words
    ctypedef struct bvar_row_tables_job:
        const int16_t *x
        uint8_t *tables
        ptrdiff_t n_terms
        int32_t digit
    ctypedef struct bvar_row_sums_job:
        const uint8_t *tables
        const void *layout
        int32_t *out
        ptrdiff_t n_terms
        ptrdiff_t n_out
        int32_t base
        int32_t factor
        int32_t first
    ctypedef struct bvar_quantize_job:
        const float *x
        const float *scales
        int16_t *out
        float *steps
        ptrdiff_t n_terms
    ctypedef struct bvar_isa:
        const char *name
        int32_t cpu
        ptrdiff_t panel_rows
        ptrdiff_t index_columns
        double gate_rate
        double vote_rate
        ptrdiff_t (*panels_bytes)(ptrdiff_t n_rows, ptrdiff_t n_words)
        ptrdiff_t (*index_bytes)(ptrdiff_t n_terms, ptrdiff_t n_bits)
        bint (*all_below)(const int32_t *numbers, ptrdiff_t n, int32_t limit)
        bvar_kernel pack
        bvar_kernel pack_threshold
        bvar_kernel unpack
        bvar_kernel transpose
        bvar_kernel count_rows
        bvar_kernel lay_panels
        bvar_kernel gate_sum
        bvar_kernel gate_bits
        bvar_kernel lay_index
        bvar_kernel signed_sum
        bvar_kernel rescale
        bvar_kernel scale_signals
        bvar_kernel center_votes
        bvar_kernel add_votes
        bvar_kernel vote_norms
        bvar_kernel flip
        bvar_kernel vote_and_flip
        bvar_kernel pack_levels
        bvar_kernel table_values
        bvar_kernel table_votes
        bvar_kernel wire_votes
        bvar_kernel candidate_votes
        bvar_kernel count_groups
        bvar_kernel gather_patches
        bvar_kernel signed_pixels
        bvar_kernel pool_max
        ptrdiff_t row_outputs
        ptrdiff_t (*rows_bytes)(ptrdiff_t n_rows, ptrdiff_t n_words)
        bvar_kernel lay_rows
        bvar_kernel row_tables
        bvar_kernel row_sums
        bvar_kernel quantize_rows
    const bvar_isa *bvar_isa_at(int i)
    int32_t bvar_cpu_features()
    int64_t bvar_run(bvar_kernel kernel, const void *job, ptrdiff_t n_items, ptrdiff_t grain,
                     double nanoseconds, int n_threads)
    int BVAR_CPU_AVX2, BVAR_CPU_AVX512, BVAR_CPU_NEON, BVAR_MAX_THREADS


cdef enum:
    LARGEST = 2147483647  # of a size that is a number and not the length of an array

cdef int64_t MAX_ETA = (<int64_t>1 << 43) - 1


cdef inline Py_ssize_t words_for(Py_ssize_t n_bits) noexcept nogil:
    return n_bits // 64 + (n_bits % 64 != 0)


cdef inline int must(bint fits) except -1:
    """Refuse sizes that would make a kernel leave its buffers; `bvar.kernels` has explained them to the user."""
    if not fits:
        raise ValueError("shapes do not fit each other")
    return 0


cdef inline Py_ssize_t product(Py_ssize_t a, Py_ssize_t b, Py_ssize_t largest=LARGEST) except -1:
    """Multiply sizes, and refuse what is negative or too large."""
    must(0 <= a <= largest and 0 <= b <= largest and (b == 0 or a <= largest // b))
    return a * b


cdef bint are_steps(const int64_t[::1] eta) noexcept nogil:
    """Whether all step sizes are in range."""
    cdef Py_ssize_t i
    for i in range(eta.shape[0]):
        if not 0 <= eta[i] <= MAX_ETA:
            return False
    return True


cdef bint ascending(const int32_t *starts, Py_ssize_t n, Py_ssize_t last) noexcept nogil:
    """Whether n parts cut [0, last) from end to end, each shorter than 2^16, so that its sums fit int32."""
    cdef Py_ssize_t i
    for i in range(n):
        if not 0 <= <int64_t>starts[i + 1] - starts[i] < 1 << 16:
            return False
    return starts[0] == 0 and starts[n] == last


cdef Py_ssize_t places_along(Py_ssize_t pixels, Py_ssize_t taps, Py_ssize_t stride, Py_ssize_t dilation,
                             Py_ssize_t padding) except -1:
    """Count the places of a window along one axis; all numbers are at most LARGEST."""
    cdef Py_ssize_t reach = (taps - 1) * dilation + 1
    must(padding < reach <= pixels + 2 * padding)
    return (pixels + 2 * padding - reach) // stride + 1


cdef bvar_window window_of(object window) except *:
    """Read the numbers of a `bvar.bits.SlidingWindow`, and refuse those that would lead outside of an image."""
    cdef bvar_window w
    cdef tuple sizes = window.numbers()
    must(len(sizes) == 13 and 1 <= min(sizes[:9]) and 0 <= min(sizes[9:]) and max(sizes) <= LARGEST)
    (w.height, w.width, w.channels, w.kernel_height, w.kernel_width, w.stride_y, w.stride_x, w.dilation_y,
     w.dilation_x, w.padding_y, w.padding_x, w.out_height, w.out_width) = sizes
    must(w.out_height == places_along(w.height, w.kernel_height, w.stride_y, w.dilation_y, w.padding_y))
    must(w.out_width == places_along(w.width, w.kernel_width, w.stride_x, w.dilation_x, w.padding_x))
    product(product(w.height, w.width), w.channels)
    product(product(w.out_height, w.out_width), patch_size(&w))
    return w


cdef inline Py_ssize_t patch_size(const bvar_window *w) except -1:
    return product(product(w.kernel_height, w.kernel_width), w.channels)


cdef Py_ssize_t panels_bytes(const bvar_isa *isa, Py_ssize_t n_rows, Py_ssize_t n_words) except -1:
    must(n_words < 1 << 25)  # a limit of gate_sum
    product(n_rows, n_words, 1 << 50)  # a word takes less than 2^12 bytes, so nothing overflows
    return isa.panels_bytes(n_rows, n_words)


cdef Py_ssize_t index_bytes(const bvar_isa *isa, Py_ssize_t n_terms, Py_ssize_t n_bits) except -1:
    must(n_terms < 1 << 24)  # a limit of signed_sum
    product(n_terms, n_bits, 1 << 50)
    return isa.index_bytes(n_terms, n_bits)


cdef Py_ssize_t rows_bytes(const bvar_isa *isa, Py_ssize_t n_rows, Py_ssize_t n_words) except -1:
    must(n_words <= 1 << 10)  # a limit of row_sums
    product(n_rows, n_words, 1 << 50)
    return isa.rows_bytes(n_rows, n_words)


cdef inline int must_be_units(const bvar_isa *isa, const int32_t[:, ::1] wires, Py_ssize_t n_units) except -1:
    """Refuse wires that lead to no unit; there is at least one."""
    return must(0 < n_units <= LARGEST and isa.all_below(&wires[0, 0], wires.shape[0] * wires.shape[1], n_units))


ctypedef fused float_or_double:
    float
    double


cdef int64_t pack_threshold(Isa self, const float_or_double[:, ::1] values, const float_or_double[::1] thresholds,
                            uint64_t[:, ::1] known, uint64_t[:, ::1] out) except -1:
    cdef bvar_threshold_job job
    cdef Py_ssize_t r = values.shape[0], n = values.shape[1]
    cdef int64_t count
    must(thresholds.shape[0] == n and out.shape[0] == r and out.shape[1] == words_for(n))
    must(known.shape[0] == r and known.shape[1] == words_for(n))
    if r == 0 or n == 0:
        return 0
    job.values, job.thresholds, job.words, job.known = &values[0, 0], &thresholds[0], &out[0, 0], &known[0, 0]
    job.n_bits, job.width = n, sizeof(float_or_double)
    with nogil:
        count = bvar_run(self.isa.pack_threshold, &job, r, 1, r * n / 5., self.n_threads)
    return count


cdef class Isa:
    """The kernels of one instruction set, run by up to `n_threads` threads; immutable.

    `instruction_set` is one that `instruction_sets` says runs here.  No more threads are counted than the pool has;
    a negative number means that many whatever the size of the work, for tests.
    """

    cdef const bvar_isa *isa
    cdef readonly str instruction_set
    cdef readonly str name
    cdef readonly int n_threads

    def __cinit__(self, str instruction_set not None, n_threads=1):
        cdef int i = 0
        # here and not in __init__, so that no object exists whose pointer is NULL
        if not instruction_sets().get(instruction_set):
            raise ValueError(f"no instruction set {instruction_set!r} runs here")
        if n_threads == 0:
            raise ValueError("n_threads must not be 0")
        while bvar_isa_at(i).name.decode() != instruction_set:
            i += 1
        self.isa = bvar_isa_at(i)
        self.instruction_set = instruction_set
        self.name = f"c-{instruction_set}"
        self.n_threads = max(-BVAR_MAX_THREADS, min(n_threads, BVAR_MAX_THREADS))

    def with_threads(self, n_threads):
        """Return the same kernels, to be run by up to `n_threads` threads."""
        if n_threads == self.n_threads:
            return self
        return type(self)(self.instruction_set, n_threads)

    def pack(self, values,                                                # IN, bool
             uint64_t[:, ::1] out):                                       # OUT
        cdef const uint8_t[:, ::1] as_bytes = values.view(uint8)
        cdef bvar_pack_job job
        cdef Py_ssize_t r = as_bytes.shape[0], n = as_bytes.shape[1]
        must(out.shape[0] == r and out.shape[1] == words_for(n))
        if r == 0 or n == 0:
            return
        job.values, job.words, job.n_bits = &as_bytes[0, 0], &out[0, 0], n
        with nogil:
            bvar_run(self.isa.pack, &job, r, 1, r * n / 10., self.n_threads)

    def pack_threshold(self, values, thresholds,                          # IN, float32 or float64
                       uint64_t[:, ::1] known, uint64_t[:, ::1] out):      # OUT
        if values.itemsize == 4:
            return pack_threshold[float](self, values, thresholds, known, out)
        return pack_threshold[double](self, values, thresholds, known, out)

    def unpack(self, const uint64_t[:, ::1] words,                        # IN
               out):                                                      # OUT, bool
        cdef uint8_t[:, ::1] as_bytes = out.view(uint8)
        cdef bvar_unpack_job job
        cdef Py_ssize_t r = as_bytes.shape[0], n = as_bytes.shape[1]
        must(words.shape[0] == r and words.shape[1] == words_for(n))
        if r == 0 or n == 0:
            return
        job.words, job.values, job.n_bits = &words[0, 0], &as_bytes[0, 0], n
        with nogil:
            bvar_run(self.isa.unpack, &job, r, 1, r * n / 10., self.n_threads)

    def transpose(self, const uint64_t[:, ::1] words,                     # IN
                  uint64_t[:, ::1] out):                                   # OUT
        cdef bvar_transpose_job job
        cdef Py_ssize_t r = words.shape[0], n = out.shape[0]
        must(words.shape[1] == words_for(n) and out.shape[1] == words_for(r))
        if r == 0 or n == 0:
            return
        job.words, job.out, job.n_rows, job.n_bits = &words[0, 0], &out[0, 0], r, n
        with nogil:
            bvar_run(self.isa.transpose, &job, words_for(n), 8, r * n / 50., self.n_threads)

    def count_rows(self, const uint64_t[:, ::1] words,                    # IN
                   int32_t[::1] out):                                      # OUT
        cdef bvar_count_job job
        cdef Py_ssize_t r = words.shape[0], k = words.shape[1]
        must(out.shape[0] == r)
        if r == 0:
            return
        job.words, job.out, job.n_words = &words[0, 0] if k else NULL, &out[0], k
        with nogil:
            bvar_run(self.isa.count_rows, &job, r, 1, r * k, self.n_threads)

    def panels_bytes(self, Py_ssize_t n_rows, Py_ssize_t n_words):
        return panels_bytes(self.isa, n_rows, n_words)

    def lay_panels(self, const uint64_t[:, ::1] w,                        # IN
                   uint8_t[::1] panels):                                   # OUT
        cdef bvar_panels_job job
        cdef Py_ssize_t o = w.shape[0], k = w.shape[1], step = self.isa.panel_rows
        must(panels.shape[0] >= panels_bytes(self.isa, o, k))
        if o == 0 or k == 0:
            return
        job.w, job.panels, job.n_rows, job.n_words = &w[0, 0], &panels[0], o, k
        with nogil:
            bvar_run(self.isa.lay_panels, &job, (o + step - 1) // step, 1, o * k, self.n_threads)

    cdef int gate(self, bvar_kernel kernel, bvar_gate_job *job, const uint64_t[:, ::1] x,
                  const uint8_t[::1] panels, const int32_t[::1] row, const int32_t[::1] col, int scale) except -1:
        cdef Py_ssize_t b = x.shape[0], k = x.shape[1], o = col.shape[0]
        must(row.shape[0] == b and panels.shape[0] >= panels_bytes(self.isa, o, k) and -2 <= scale <= 2)
        if b == 0 or o == 0:
            return 0
        job.x = &x[0, 0] if k else NULL
        job.panels = &panels[0] if k else NULL
        job.row, job.col, job.n_words, job.n_out, job.scale = &row[0], &col[0], k, o, scale
        with nogil:
            bvar_run(kernel, job, b, 8, 64. * b * k * o / self.isa.gate_rate, self.n_threads)
        return 0

    def gate_sum(self, const uint64_t[:, ::1] x,                          # IN
                 const uint8_t[::1] panels,                               # IN, by lay_panels
                 const int32_t[::1] row, const int32_t[::1] col,          # IN
                 int scale,
                 int32_t[:, ::1] out):                                     # OUT
        cdef bvar_gate_job job
        must(out.shape[0] == x.shape[0] and out.shape[1] == col.shape[0])
        job.sums = &out[0, 0] if out.shape[0] and out.shape[1] else NULL
        job.bits = NULL
        self.gate(self.isa.gate_sum, &job, x, panels, row, col, scale)

    def gate_bits(self, const uint64_t[:, ::1] x,                         # IN
                  const uint8_t[::1] panels,                              # IN, by lay_panels
                  const int32_t[::1] row, const int32_t[::1] col,         # IN
                  int scale,
                  uint64_t[:, ::1] out):                                   # OUT
        cdef bvar_gate_job job
        must(out.shape[0] == x.shape[0] and out.shape[1] == words_for(col.shape[0]))
        job.bits = &out[0, 0] if out.shape[0] and out.shape[1] else NULL
        job.sums = NULL
        self.gate(self.isa.gate_bits, &job, x, panels, row, col, scale)

    def index_bytes(self, Py_ssize_t n_terms, Py_ssize_t n_bits):
        return index_bytes(self.isa, n_terms, n_bits)

    def signed_sum_in(self, const int8_t[:, :] z,                            # IN
                   const uint64_t[:, ::1] words,                          # IN
                   uint8_t[::1] index,                                    # scratch of index_bytes
                   int32_t[:, ::1] out):                                   # OUT
        cdef bvar_index_job lay
        cdef bvar_votes_job job
        cdef Py_ssize_t r = z.shape[0], k = z.shape[1], n = out.shape[1], step = self.isa.index_columns
        must(words.shape[0] == k and words.shape[1] == words_for(n) and out.shape[0] == r)
        must(index.shape[0] >= index_bytes(self.isa, k, n))
        if r == 0 or n == 0:
            return
        job.z = &z[0, 0] if k else NULL
        job.index = &index[0] if k else NULL
        job.out, job.z_row, job.z_term, job.n_terms, job.n_bits = &out[0, 0], z.strides[0], z.strides[1], k, n
        if k:
            lay.words, lay.index, lay.n_terms, lay.n_bits = &words[0, 0], &index[0], k, n
        with nogil:
            if k:
                bvar_run(self.isa.lay_index, &lay, (n + step - 1) // step, 1, k * n / 100., self.n_threads)
            bvar_run(self.isa.signed_sum, &job, r, 16, <double>r * k * n / self.isa.vote_rate, self.n_threads)

    def rescale(self, const int32_t[:, ::1] g, const int32_t[:, ::1] s,   # IN
                const int32_t[::1] tau, const int32_t[::1] curve,         # IN
                int shift,
                int8_t[:, ::1] out):                                       # OUT
        cdef bvar_rescale_job job
        cdef Py_ssize_t r = g.shape[0], n = g.shape[1]
        must(s.shape[0] == r and s.shape[1] == n and tau.shape[0] == n and 0 < curve.shape[0] <= 1 << 31)
        must(out.shape[0] == r and out.shape[1] == n and 0 <= shift <= 30)
        if r == 0 or n == 0:
            return
        job.g, job.s, job.tau, job.curve, job.out = &g[0, 0], &s[0, 0], &tau[0], &curve[0], &out[0, 0]
        job.n_cols, job.n_curve, job.shift = n, curve.shape[0], shift
        with nogil:
            bvar_run(self.isa.rescale, &job, r, 1, r * n, self.n_threads)

    def scale_signals(self, const int32_t[:, :] g, int factor, int shift,  # IN
                      int16_t[:, ::1] out):                                # OUT
        cdef bvar_scale_job job
        cdef Py_ssize_t r = g.shape[0], n = g.shape[1]
        must(out.shape[0] == n and out.shape[1] == r and 0 <= factor <= 1 << 21 and 0 <= shift <= 20)
        if r == 0 or n == 0:
            return
        must(g.strides[1] == sizeof(int32_t) or n == 1)
        job.g, job.out, job.g_row, job.n_samples = &g[0, 0], &out[0, 0], g.strides[0] // <Py_ssize_t>sizeof(int32_t), r
        job.factor, job.shift = factor, shift
        with nogil:
            bvar_run(self.isa.scale_signals, &job, n, 16, r * n / 2., self.n_threads)

    def center_votes(self, const int32_t[:, ::1] q, const int32_t[::1] row, const int32_t[::1] col, int shift,  # IN
                     int32_t[:, ::1] out):                                 # OUT
        cdef bvar_center_job job
        cdef Py_ssize_t r = q.shape[0], n = q.shape[1]
        must(row.shape[0] == r and col.shape[0] == n and out.shape[0] == r and out.shape[1] == n)
        must(0 <= shift <= 30)
        if r == 0 or n == 0:
            return
        job.q, job.row, job.col, job.out = &q[0, 0], &row[0], &col[0], &out[0, 0]
        job.n_cols, job.shift = n, shift
        with nogil:
            bvar_run(self.isa.center_votes, &job, r, 1, r * n / 2., self.n_threads)

    def add_votes(self, const int32_t[::1] a, const int32_t[::1] b,       # IN
                  int32_t[::1] out):                                       # OUT
        cdef bvar_add_job job
        cdef Py_ssize_t n = a.shape[0]
        cdef int64_t wrapped
        must(b.shape[0] == n and out.shape[0] == n)
        if n == 0:
            return False
        job.a, job.b, job.out = &a[0], &b[0], &out[0]
        with nogil:
            wrapped = bvar_run(self.isa.add_votes, &job, n, 1024, n / 4., self.n_threads)
        return wrapped != 0

    def vote_norms(self, const int32_t[:, ::1] q,                         # IN
                   int64_t[::1] out):                                      # OUT
        cdef bvar_norms_job job
        cdef Py_ssize_t r = q.shape[0], n = q.shape[1]
        must(out.shape[0] == r)
        if r == 0:
            return
        job.q, job.out, job.n_cols = &q[0, 0] if n else NULL, &out[0], n
        with nogil:
            bvar_run(self.isa.vote_norms, &job, r, 1, r * n / 10., self.n_threads)

    def flip(self, uint64_t[:, ::1] words, int16_t[:, ::1] m,             # IN and OUT
             const int32_t[:, ::1] q, int beta, const int64_t[::1] eta, int dither):  # IN
        cdef bvar_flip_job job
        cdef Py_ssize_t r = m.shape[0], n = m.shape[1]
        cdef int64_t count
        must(words.shape[0] == r and words.shape[1] == words_for(n) and eta.shape[0] == r)
        must(q.shape[0] == r and q.shape[1] == n and 0 <= beta <= 1 << 15 and 0 <= dither < 1 << 15)
        must(are_steps(eta))
        if r == 0 or n == 0:
            return 0
        job.words, job.m, job.q = &words[0, 0], &m[0, 0], &q[0, 0]
        job.eta, job.n_bits, job.beta, job.dither = &eta[0], n, beta, dither
        with nogil:
            count = bvar_run(self.isa.flip, &job, r, 1, r * n / 5., self.n_threads)
        return count

    def vote_and_flip_in(self, const int8_t[:, :] z, const uint64_t[:, ::1] x,  # IN
                         uint64_t[:, ::1] words, int16_t[:, ::1] m,       # IN and OUT
                         tuple change, const int32_t[::1] col, int shift, int beta, int64_t eta,  # IN
                         bound, int dither,                               # IN; a bound of None is none
                         uint8_t[::1] index,                              # scratch of index_bytes
                         int32_t[:, :, ::1] votes):                       # scratch, a part for each range: rows, bits
        cdef bvar_index_job lay
        cdef bvar_update_job job
        cdef Py_ssize_t r = z.shape[0], k = z.shape[1], n = m.shape[1], step = self.isa.index_columns
        cdef int64_t count
        job.at_false, job.at_true = change
        must(x.shape[0] == k and x.shape[1] == words_for(n) and m.shape[0] == r)
        must(words.shape[0] == r and words.shape[1] == words_for(n) and index.shape[0] >= index_bytes(self.isa, k, n))
        must(k < 1 << 23 and -1 <= job.at_false <= 1 and -1 <= job.at_true <= 1 and 0 <= shift <= 30)
        must(col is None or col.shape[0] == n)
        must(0 <= eta <= MAX_ETA and 0 <= beta <= 1 << 15 and 0 <= dither < 1 << 15)
        job.bound = -1
        if bound is not None:
            job.bound = bound
            must(job.bound >= 0)
        must(votes.shape[0] >= 1 and votes.shape[1] >= 1 and votes.shape[2] == n)
        if r == 0 or n == 0:
            return 0
        job.z = &z[0, 0] if k else NULL
        job.index = &index[0] if k else NULL
        job.col = NULL
        if col is not None:
            job.col = &col[0]
        job.votes, job.words, job.m = &votes[0, 0, 0], &words[0, 0], &m[0, 0]
        job.z_row, job.z_term, job.n_terms, job.n_bits = z.strides[0], z.strides[1], k, n
        job.together, job.grain = votes.shape[1], (r + votes.shape[0] - 1) // votes.shape[0]
        job.eta, job.beta, job.dither, job.shift = eta, beta, dither, shift
        if k:
            lay.words, lay.index, lay.n_terms, lay.n_bits = &x[0, 0], &index[0], k, n
        with nogil:
            if k:
                bvar_run(self.isa.lay_index, &lay, (n + step - 1) // step, 1, k * n / 100., self.n_threads)
            count = bvar_run(self.isa.vote_and_flip, &job, r, job.grain,
                             <double>r * n * (k / self.isa.vote_rate + 1 / 4.), self.n_threads)
        return count

    def pack_levels(self, const uint8_t[:, ::1] values,                   # IN
                    const uint8_t[::1] thresholds,                        # IN
                    uint64_t[:, ::1] out):                                 # OUT
        cdef bvar_levels_job job
        cdef Py_ssize_t r = values.shape[0], n = values.shape[1]
        must(thresholds.shape[0] == n and out.shape[0] == r and out.shape[1] == words_for(n))
        if r == 0 or n == 0:
            return
        job.values, job.thresholds, job.words, job.n_bits = &values[0, 0], &thresholds[0], &out[0, 0], n
        with nogil:
            bvar_run(self.isa.pack_levels, &job, r, 1, r * n / 30., self.n_threads)

    def table_values(self, const uint64_t[:, ::1] x,                           # IN
                const int32_t[:, ::1] wires,                              # IN
                const uint64_t[::1] tables,                               # IN
                Py_ssize_t n_samples,
                uint64_t[:, ::1] out):                                     # OUT
        cdef bvar_table_values_job job
        cdef Py_ssize_t g = wires.shape[0], k = wires.shape[1], w = x.shape[1]
        must(n_samples >= 0 and w == words_for(n_samples) and 1 <= k <= 6 and tables.shape[0] == g)
        must(out.shape[0] == g and out.shape[1] == w)
        if g == 0 or w == 0:
            return
        must_be_units(self.isa, wires, x.shape[0])
        job.x, job.wires, job.tables, job.out = &x[0, 0], &wires[0, 0], &tables[0], &out[0, 0]
        job.n_samples, job.fan_in = n_samples, k
        with nogil:
            bvar_run(self.isa.table_values, &job, g, 1, g * w * (1 << k) / 20., self.n_threads)

    def table_votes(self, const int16_t[:, ::1] z, const uint64_t[:, ::1] x,  # IN
                    const int32_t[:, ::1] wires,                          # IN
                    int32_t[:, ::1] out):                                  # OUT
        cdef bvar_table_votes_job job
        cdef Py_ssize_t g = z.shape[0], n = z.shape[1], k = wires.shape[1]
        must(x.shape[1] == words_for(n) and wires.shape[0] == g and 1 <= k <= 6 and n <= 1 << 16)
        must(out.shape[0] == g and out.shape[1] == 1 << k)
        if g == 0:
            return
        must_be_units(self.isa, wires, x.shape[0])
        job.z, job.x = &z[0, 0] if n else NULL, &x[0, 0] if n else NULL
        job.wires, job.out, job.n_samples, job.fan_in = &wires[0, 0], &out[0, 0], n, k
        with nogil:
            bvar_run(self.isa.table_votes, &job, g, 1, g * n * (1 << k) / 40., self.n_threads)

    def wire_votes(self, const int16_t[:, ::1] z, const uint64_t[:, ::1] x,   # IN
                   const int32_t[:, ::1] wires,                           # IN
                   const uint64_t[::1] tables,                            # IN
                   const int32_t[::1] starts, const int32_t[::1] readers,  # IN, the inverse of wires
                   int16_t[:, ::1] out):                                   # OUT
        cdef bvar_wire_votes_job job
        cdef Py_ssize_t g = z.shape[0], n = z.shape[1], k = wires.shape[1], u = x.shape[0]
        must(x.shape[1] == words_for(n) and wires.shape[0] == g and 1 <= k <= 6 and tables.shape[0] == g)
        must(starts.shape[0] == u + 1 and readers.shape[0] == g * k and out.shape[0] == u and out.shape[1] == n)
        if u == 0 or n == 0:
            return
        must(ascending(&starts[0], u, g * k))
        if g:
            must_be_units(self.isa, wires, u)
            must(self.isa.all_below(&readers[0], g * k, g * k))
        job.z, job.x, job.starts, job.out = &z[0, 0] if g else NULL, &x[0, 0], &starts[0], &out[0, 0]
        job.wires, job.tables = &wires[0, 0] if g else NULL, &tables[0] if g else NULL
        job.readers, job.n_samples, job.fan_in = &readers[0] if g else NULL, n, k
        with nogil:
            bvar_run(self.isa.wire_votes, &job, u, 1, g * k * n / 20., self.n_threads)

    def candidate_votes(self, const int16_t[:, ::1] z, const uint64_t[:, ::1] x,  # IN
                        const int32_t[:, ::1] wires,                      # IN
                        const uint64_t[::1] tables,                       # IN
                        const int32_t[:, ::1] candidates,                 # IN
                        int32_t[:, ::1] out):                              # OUT
        cdef bvar_candidate_votes_job job
        cdef Py_ssize_t g = z.shape[0], n = z.shape[1], k = wires.shape[1], c = candidates.shape[1]
        must(x.shape[1] == words_for(n) and wires.shape[0] == g and 1 <= k <= 6 and tables.shape[0] == g)
        must(candidates.shape[0] == g * k and out.shape[0] == g * k and out.shape[1] == c and n <= 1 << 16)
        if g == 0 or c == 0:
            return
        must_be_units(self.isa, wires, x.shape[0])
        must_be_units(self.isa, candidates, x.shape[0])
        job.z, job.x = &z[0, 0] if n else NULL, &x[0, 0] if n else NULL
        job.wires, job.tables, job.candidates, job.out = &wires[0, 0], &tables[0], &candidates[0, 0], &out[0, 0]
        job.n_samples, job.n_candidates, job.fan_in = n, c, k
        with nogil:
            bvar_run(self.isa.candidate_votes, &job, g * k, 1, n * (c / 20. + k), self.n_threads)

    def count_groups(self, const uint64_t[:, ::1] x,                      # IN
                     int32_t[:, ::1] out):                                 # OUT
        cdef bvar_groups_job job
        cdef Py_ssize_t u = x.shape[0], c = out.shape[0], n = out.shape[1]
        must(x.shape[1] == words_for(n) and c > 0 and u % c == 0 and u // c < 1 << 31)
        if n == 0:
            return
        job.x, job.out = &x[0, 0] if u else NULL, &out[0, 0]
        job.n_rows, job.n_groups, job.n_samples = u // c, c, n
        with nogil:
            bvar_run(self.isa.count_groups, &job, words_for(n), 8, u * n / 300., self.n_threads)

    def gather_patches(self, const uint64_t[:, ::1] images,               # IN
                       window,                                            # IN
                       uint64_t[:, ::1] out):                             # OUT
        cdef bvar_gather_job job
        cdef bvar_window w = window_of(window)
        cdef Py_ssize_t n = images.shape[0]
        must(images.shape[1] == words_for(w.height * w.width * w.channels))
        must(out.shape[0] == product(n, w.out_height * w.out_width, PY_SSIZE_T_MAX))
        must(out.shape[1] == words_for(patch_size(&w)))
        if out.shape[0] == 0:
            return
        job.images, job.patches, job.window = &images[0, 0], &out[0, 0], w
        with nogil:
            bvar_run(self.isa.gather_patches, &job, n * w.out_height, 1, <double>out.shape[0] * out.shape[1],
                     self.n_threads)

    def signed_pixels_in(self, const int8_t[:, ::1] z,                    # IN
                         const uint64_t[:, ::1] words,                    # IN
                         window,                                          # IN
                         uint8_t[::1] index,                              # scratch of index_bytes
                         int32_t[:, :, ::1] scratch,                      # a part for each range: patches, bits
                         int32_t[:, ::1] out):                            # OUT
        cdef bvar_index_job lay
        cdef bvar_pixels_job job
        cdef bvar_window w = window_of(window)
        cdef Py_ssize_t n = out.shape[0], k = z.shape[1], n_bits = patch_size(&w)
        cdef Py_ssize_t step = self.isa.index_columns
        must(z.shape[0] == product(n, w.out_height * w.out_width, PY_SSIZE_T_MAX))
        must(out.shape[1] == w.height * w.width * w.channels and k < (1 << 24) // (w.kernel_height * w.kernel_width))
        must(words.shape[0] == k and words.shape[1] == words_for(n_bits) and scratch.shape[2] == n_bits)
        must(index.shape[0] >= index_bytes(self.isa, k, n_bits) and scratch.shape[0] >= 1 and scratch.shape[1] >= 1)
        if n == 0:
            return
        job.z = &z[0, 0] if z.shape[0] and k else NULL
        job.index = &index[0] if k else NULL
        job.scratch, job.out, job.window = &scratch[0, 0, 0], &out[0, 0], w
        job.n_terms, job.scratch_rows, job.grain = k, scratch.shape[1], (n + scratch.shape[0] - 1) // scratch.shape[0]
        if k:
            lay.words, lay.index, lay.n_terms, lay.n_bits = &words[0, 0], &index[0], k, n_bits
        with nogil:
            if k:
                bvar_run(self.isa.lay_index, &lay, (n_bits + step - 1) // step, 1, k * n_bits / 100., self.n_threads)
            bvar_run(self.isa.signed_pixels, &job, n, job.grain,
                     <double>z.shape[0] * k * n_bits / self.isa.vote_rate, self.n_threads)

    def pool_max(self, const int32_t[:, ::1] sums, tuple image_shape, int size,  # IN
                 uint8_t[:, ::1] winner, int32_t[:, ::1] out):            # OUT
        cdef bvar_pool_job job
        cdef Py_ssize_t n = sums.shape[0]
        job.height, job.width, job.channels = image_shape
        job.size = size
        must(1 <= size <= 16 and job.height > 0 and job.width > 0 and job.channels > 0)
        must(sums.shape[1] == product(product(job.height, job.width), job.channels))
        must(out.shape[0] == n and out.shape[1] == job.height // size * (job.width // size) * job.channels)
        must(winner.shape[0] == n and winner.shape[1] == out.shape[1])
        if n == 0 or out.shape[1] == 0:
            return
        job.sums, job.best, job.winner = &sums[0, 0], &out[0, 0], &winner[0, 0]
        with nogil:
            bvar_run(self.isa.pool_max, &job, n, 1, n * sums.shape[1] / 4., self.n_threads)

    def rows_bytes(self, Py_ssize_t n_rows, Py_ssize_t n_words):
        return rows_bytes(self.isa, n_rows, n_words)

    def lay_rows(self, const uint64_t[:, ::1] w,                          # IN
                 uint8_t[::1] layout):                                     # OUT
        cdef bvar_rows_job job
        cdef Py_ssize_t o = w.shape[0], k = w.shape[1], step = self.isa.row_outputs
        must(layout.shape[0] >= rows_bytes(self.isa, o, k))
        if o == 0 or k == 0:
            return
        job.w, job.layout, job.n_rows, job.n_words = &w[0, 0], &layout[0], o, k
        with nogil:
            bvar_run(self.isa.lay_rows, &job, (o + step - 1) // step, 1, 8. * o * k, self.n_threads)

    def row_sums_in(self, const int16_t[:, ::1] x,                        # IN
                    const uint8_t[::1] layout,                            # IN, by lay_rows
                    uint8_t[::1] tables,                                  # scratch, 16 bytes a group
                    int32_t[:, ::1] out):                                  # OUT
        cdef bvar_row_tables_job cut
        cdef bvar_row_sums_job job
        cdef Py_ssize_t r = x.shape[0], n = x.shape[1], o = out.shape[1], groups = 8 * ((n + 31) // 32), i
        must(out.shape[0] == r and n < 1 << 16 and tables.shape[0] >= 16 * groups)
        must(layout.shape[0] >= rows_bytes(self.isa, o, words_for(n)))
        if r == 0 or o == 0:
            return
        cut.tables = &tables[0] if n else NULL
        cut.n_terms = n
        job.tables, job.layout, job.n_terms, job.n_out = cut.tables, &layout[0] if n else NULL, n, o
        with nogil:
            for i in range(r):
                cut.x = &x[i, 0] if n else NULL
                job.out = &out[i, 0]
                self.row(&cut, &job, groups)

    cdef void row(self, bvar_row_tables_job *cut, bvar_row_sums_job *job, Py_ssize_t groups) noexcept nogil:
        """One row of sums: at once if all groups fit, else digit by digit."""
        cdef Py_ssize_t step = self.isa.row_outputs, panels = (job.n_out + step - 1) // step
        cdef int64_t found
        cdef int32_t digit
        for digit in range(-1, 3):
            cut.digit = digit
            found = self.isa.row_tables(cut, 0, groups)
            job.base = <int32_t>found
            if digit < 0 and found != job.base:
                continue
            job.factor = 1 << 6 * (digit if digit > 0 else 0)
            job.first = digit <= 0
            bvar_run(self.isa.row_sums, job, panels, 1, <double>job.n_out * job.n_terms / 100., self.n_threads)
            if found == job.base:
                return

    def quantize_rows(self, const float[:, ::1] x, const float[::1] scales,  # IN
                      int16_t[:, ::1] out, float[::1] steps):              # OUT
        cdef bvar_quantize_job job
        cdef Py_ssize_t r = x.shape[0], n = x.shape[1]
        must(scales.shape[0] == n and out.shape[0] == r and out.shape[1] == n and steps.shape[0] == r)
        if r == 0:
            return
        job.x = &x[0, 0] if n else NULL
        job.scales = &scales[0] if n else NULL
        job.out = &out[0, 0] if n else NULL
        job.steps, job.n_terms = &steps[0], n
        with nogil:
            bvar_run(self.isa.quantize_rows, &job, r, 1, 3. * r * n, self.n_threads)


def instruction_sets():
    """Name the instruction sets that this build holds, slowest first, and say which run here."""
    cdef const bvar_isa *isa
    found = {}
    while (isa := bvar_isa_at(len(found))) is not NULL:
        found[isa.name.decode()] = (isa.cpu & bvar_cpu_features()) == isa.cpu
    return found


def cpu_features():
    """Name the instruction set extensions that the CPU has and the system supports, of those that matter here."""
    cdef int has = bvar_cpu_features()
    names = {
        BVAR_CPU_AVX2: "AVX2", BVAR_CPU_AVX512: "AVX-512 with VPOPCNTDQ, VBMI, VNNI and GFNI", BVAR_CPU_NEON: "NEON",
    }
    return [name for bit, name in names.items() if has & bit]
