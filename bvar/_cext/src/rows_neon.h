/* rows_neon.h - 32 outputs at a time; included by isa_neon.c.
 *
 * vqtbl1q looks 16 bytes up in one table.  What the two halves of a byte find is added to 16-bit sums, at most 510
 * a byte, so that 128 of them fit. */

#define BVAR_OWN_LOOK_UP
enum { BYTES_IN_16_BITS = 128 };

BVAR_INLINE void add_4(uint32_t *found, uint16x4_t v) { vst1q_u32(found, vaddw_u16(vld1q_u32(found), v)); }

static void look_up_panel(const uint8_t *tables, const uint8_t *panel, ptrdiff_t n_steps, uint32_t found[32]) {
    memset(found, 0, 32 * sizeof *found);
    for (ptrdiff_t k = 0; k < 4 * n_steps;) {
        const ptrdiff_t end = 4 * n_steps - k < BYTES_IN_16_BITS ? 4 * n_steps : k + BYTES_IN_16_BITS;
        uint16x8_t sums[4];
        BVAR_UNROLL
        for (int i = 0; i < 4; ++i)
            sums[i] = vdupq_n_u16(0);
        for (; k < end; ++k, tables += 32, panel += 32) {
            const uint8x16_t low = vld1q_u8(tables), high = vld1q_u8(tables + 16);
            BVAR_UNROLL
            for (int i = 0; i < 2; ++i) {
                const uint8x16_t bits = vld1q_u8(panel + 16 * i);
                const uint8x16_t a = vqtbl1q_u8(low, vandq_u8(bits, vdupq_n_u8(15)));
                const uint8x16_t b = vqtbl1q_u8(high, vshrq_n_u8(bits, 4));
                sums[2 * i] = vaddq_u16(sums[2 * i], vaddl_u8(vget_low_u8(a), vget_low_u8(b)));
                sums[2 * i + 1] = vaddq_u16(sums[2 * i + 1], vaddl_high_u8(a, b));
            }
        }
        BVAR_UNROLL
        for (int i = 0; i < 4; ++i) {
            add_4(found + 8 * i, vget_low_u16(sums[i]));
            add_4(found + 8 * i + 4, vget_high_u16(sums[i]));
        }
    }
}
