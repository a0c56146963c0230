/* swar.h - SIMD within a register: what plain uint64 arithmetic can do for bits.
 *
 * Included by every ISA file inside its target region, so each instruction set has its own copy and the compiler
 * may vectorise it as far as that set allows.  All functions treat bit 0 and byte 0 as the first. */
#ifndef BVAR_SWAR_H
#define BVAR_SWAR_H

#include <stdint.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "bvar's kernels read words as bytes and need a little-endian machine; NumPy works everywhere"
#endif

BVAR_INLINE uint64_t load64(const void *p) {
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

BVAR_INLINE void store64(void *p, uint64_t v) { memcpy(p, &v, sizeof v); }

/* Ones at the legal bits of the word that starts at bit `first` of a row of `n_bits` bits, first < n_bits. */
BVAR_INLINE uint64_t legal_bits(ptrdiff_t n_bits, ptrdiff_t first) {
    ptrdiff_t n = n_bits - first;
    return n >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << n) - 1;
}

/* Number of ones: sums of 2, 4, 8 bits side by side, then one multiplication adds the bytes. */
BVAR_INLINE uint64_t popcount64(uint64_t v) {
    v -= (v >> 1) & UINT64_C(0x5555555555555555);
    v = (v & UINT64_C(0x3333333333333333)) + ((v >> 2) & UINT64_C(0x3333333333333333));
    v = (v + (v >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (v * UINT64_C(0x0101010101010101)) >> 56;
}

/* Eight bytes to eight bits: bit i is [byte i != 0]. */
BVAR_INLINE uint64_t bytes_to_bits(uint64_t v) {
    const uint64_t low7 = UINT64_C(0x7f7f7f7f7f7f7f7f);
    v = ((((v & low7) + low7) | v) & ~low7) >> 7; /* each byte 0 or 1, without carries between bytes */
    return (v * UINT64_C(0x0102040810204080)) >> 56;
}

/* Eight bits to eight bytes: byte i is bit i, 0 or 1. */
BVAR_INLINE uint64_t bits_to_bytes(uint64_t bits) {
    uint64_t v = ((bits & 255) * UINT64_C(0x0101010101010101)) & UINT64_C(0x8040201008040201);
    return ((v + UINT64_C(0x7f7f7f7f7f7f7f7f)) >> 7) & UINT64_C(0x0101010101010101);
}

/* Swap the upper half of each pair of fields in `a` with the lower half in `b`: one step of a transposition. */
#define BVAR_SWAP(a, b, shift, mask)                     \
    do {                                                 \
        uint64_t t_ = (((a) >> (shift)) ^ (b)) & (mask); \
        (a) ^= t_ << (shift);                            \
        (b) ^= t_;                                       \
    } while (0)

/* Transpose 8 rows of 8 bytes.  Unrolled, or the rows would live in memory. */
BVAR_INLINE void transpose_8x8_bytes(uint64_t a[8]) {
    BVAR_UNROLL
    for (int i = 0; i < 4; ++i)
        BVAR_SWAP(a[i], a[i + 4], 32, UINT64_C(0x00000000ffffffff));
    BVAR_UNROLL
    for (int i = 0; i < 8; i += 4) {
        BVAR_SWAP(a[i], a[i + 2], 16, UINT64_C(0x0000ffff0000ffff));
        BVAR_SWAP(a[i + 1], a[i + 3], 16, UINT64_C(0x0000ffff0000ffff));
    }
    BVAR_UNROLL
    for (int i = 0; i < 8; i += 2)
        BVAR_SWAP(a[i], a[i + 1], 8, UINT64_C(0x00ff00ff00ff00ff));
}

/* Transpose 8 rows of 8 bits, one row a byte. */
BVAR_INLINE uint64_t transpose_8x8_bits(uint64_t a) {
    uint64_t t;
    t = (a ^ (a >> 7)) & UINT64_C(0x00aa00aa00aa00aa);
    a ^= t ^ (t << 7);
    t = (a ^ (a >> 14)) & UINT64_C(0x0000cccc0000cccc);
    a ^= t ^ (t << 14);
    t = (a ^ (a >> 28)) & UINT64_C(0x00000000f0f0f0f0);
    return a ^ t ^ (t << 28);
}

/* Transpose 64 rows of 64 bits, halving the blocks that are swapped: 32 x 32, 16 x 16, ... 1 x 1. */
BVAR_INLINE void transpose_64x64_bits(uint64_t a[64]) {
    uint64_t mask = UINT64_C(0x00000000ffffffff);
    for (int half = 32; half; half >>= 1, mask ^= mask << half)
        for (int block = 0; block < 64; block += 2 * half)
            for (int k = block; k < block + half; ++k)
                BVAR_SWAP(a[k], a[k + half], half, mask);
}

#endif
