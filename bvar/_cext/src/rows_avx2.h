/* rows_avx2.h - 32 outputs at a time; included by isa_avx2.c.
 *
 * vpshufb looks 32 bytes up in one table.  What the two halves of a byte find is interleaved and added to 16-bit
 * sums, at most 510 a byte, so that 128 of them fit; unpacking leaves outputs 0-7 and 16-23 in the first vector. */

#define BVAR_OWN_LOOK_UP
enum { BYTES_IN_16_BITS = 128 };

static void look_up_panel(const uint8_t *tables, const uint8_t *panel, ptrdiff_t n_steps, uint32_t found[32]) {
    const __m256i half = _mm256_set1_epi8(15), ones = _mm256_set1_epi8(1);
    memset(found, 0, 32 * sizeof *found);
    for (ptrdiff_t k = 0; k < 4 * n_steps;) {
        const ptrdiff_t end = 4 * n_steps - k < BYTES_IN_16_BITS ? 4 * n_steps : k + BYTES_IN_16_BITS;
        __m256i first = _mm256_setzero_si256(), second = first;
        for (; k < end; ++k, tables += 32, panel += 32) {
            const __m256i bits = load(panel);
            const __m256i a = _mm256_shuffle_epi8(load_twice(tables), _mm256_and_si256(bits, half));
            const __m256i b = _mm256_shuffle_epi8(load_twice(tables + 16),
                                                  _mm256_and_si256(_mm256_srli_epi16(bits, 4), half));
            first = _mm256_add_epi16(first, _mm256_maddubs_epi16(_mm256_unpacklo_epi8(a, b), ones));
            second = _mm256_add_epi16(second, _mm256_maddubs_epi16(_mm256_unpackhi_epi8(a, b), ones));
        }
        add_8(found, _mm256_castsi256_si128(first));
        add_8(found + 8, _mm256_castsi256_si128(second));
        add_8(found + 16, _mm256_extracti128_si256(first, 1));
        add_8(found + 24, _mm256_extracti128_si256(second, 1));
    }
}
