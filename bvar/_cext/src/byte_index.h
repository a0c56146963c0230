/* byte_index.h - the index of signed_sum for instruction sets that look up bytes (all but AVX-512).
 *
 * A chunk is eight terms by 64 columns: 64 bytes, byte i holding bit i of each of the eight rows.  Sets with
 * 16-entry tables use the two halves of a byte, four terms each. */
enum { VOTE_COLS = 64, VOTE_TERMS = 8, CHUNK_BYTES = 64 };

/* Eight words to 64 bytes: transpose bytes, so that eight rows of the same eight columns meet; then their bits. */
BVAR_INLINE void vote_index(const uint64_t *words, ptrdiff_t n_words, int terms, int n, uint8_t *out) {
    uint64_t rows[8];
    (void)n; /* always one word */
    BVAR_UNROLL
    for (int k = 0; k < 8; ++k)
        rows[k] = k < terms ? words[k * n_words] : 0;
    transpose_8x8_bytes(rows);
    for (int i = 0; i < 8; ++i)
        rows[i] = transpose_8x8_bits(rows[i]);
    memcpy(out, rows, sizeof rows);
}
