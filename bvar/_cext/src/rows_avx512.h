/* rows_avx512.h - 64 outputs by 32 inputs in four vectors; included by isa_avx512.c.
 *
 * A word of 32 bits holds 32 weights of one output: byte g has groups 2 g and 2 g + 1.  vpermb looks 64 bytes up in
 * four tables at once, those of the low halves or those of the high ones; ternary logic makes the address, half and
 * number of the table, in one instruction; vpdpbusd adds the four bytes of each output to its sum. */

#define BVAR_OWN_ROWS
#define BVAR_OWN_LOOK_UP
#define ROW_PLACE(group) (((group) & ~(ptrdiff_t)7) | ((group) & 1) << 2 | ((group) >> 1 & 3))
enum { ROW_OUTPUTS = 64, AHEAD = 16384 }; /* bytes to ask for early: a matrix beyond the caches is read page by page */

static ptrdiff_t rows_bytes(ptrdiff_t n_rows, ptrdiff_t n_words) { return (n_rows + 63) / 64 * 512 * n_words; }

static int64_t lay_rows(const void *job, ptrdiff_t begin, ptrdiff_t end) {
    const bvar_rows_job *a = job;
    for (ptrdiff_t p = begin; p < end; ++p) {
        uint8_t *out = (uint8_t *)a->layout + p * 512 * a->n_words;
        for (ptrdiff_t r = 0; r < 64; ++r) {
            const uint8_t *row = (const uint8_t *)(a->w + (64 * p + r) * a->n_words);
            if (64 * p + r < a->n_rows)
                for (ptrdiff_t t = 0; t < 2 * a->n_words; ++t)
                    memcpy(out + 256 * t + 4 * r, row + 4 * t, 4);
            else
                for (ptrdiff_t t = 0; t < 2 * a->n_words; ++t)
                    memset(out + 256 * t + 4 * r, 0, 4);
        }
    }
    return 0;
}

static void look_up_panel(const uint8_t *tables, const uint8_t *panel, ptrdiff_t n_steps, uint32_t found[64]) {
    const __m512i half = _mm512_set1_epi8(15), ones = _mm512_set1_epi8(1), table = _mm512_set1_epi32(0x30201000);
    __m512i sums[4];
    BVAR_UNROLL
    for (int i = 0; i < 4; ++i)
        sums[i] = _mm512_setzero_si512();
    BVAR_NO_UNROLL
    for (ptrdiff_t t = 0; t < n_steps; ++t, tables += 128, panel += 256) {
        const __m512i low = _mm512_loadu_si512(tables), high = _mm512_loadu_si512(tables + 64);
        BVAR_UNROLL
        for (int i = 0; i < 4; ++i) {
            _mm_prefetch((const char *)((uintptr_t)panel + AHEAD + 64 * (unsigned)i), _MM_HINT_T0);
            const __m512i bits = _mm512_loadu_si512(panel + 64 * i), shifted = _mm512_srli_epi16(bits, 4);
            const __m512i a = _mm512_ternarylogic_epi32(bits, half, table, 0xea); /* (bits & 15) | table */
            const __m512i b = _mm512_ternarylogic_epi32(shifted, half, table, 0xea);
            sums[i] = _mm512_dpbusd_epi32(sums[i], _mm512_permutexvar_epi8(a, low), ones);
            sums[i] = _mm512_dpbusd_epi32(sums[i], _mm512_permutexvar_epi8(b, high), ones);
        }
    }
    BVAR_UNROLL
    for (int i = 0; i < 4; ++i)
        _mm512_storeu_si512(found + 16 * i, sums[i]);
}
