/* isa.c - what this build holds, slowest first. */
#include "bvar_kernels.h"

extern const bvar_isa bvar_isa_scalar;
#if defined(__x86_64__) || defined(_M_X64)
extern const bvar_isa bvar_isa_avx2, bvar_isa_avx512;
#elif defined(__aarch64__) || defined(_M_ARM64)
extern const bvar_isa bvar_isa_neon;
#endif

const bvar_isa *bvar_isa_at(int i) {
    static const bvar_isa *const sets[] = {
        &bvar_isa_scalar,
#if defined(__x86_64__) || defined(_M_X64)
        &bvar_isa_avx2,
        &bvar_isa_avx512,
#elif defined(__aarch64__) || defined(_M_ARM64)
        &bvar_isa_neon,
#endif
    };
    return i >= 0 && i < (int)(sizeof sets / sizeof sets[0]) ? sets[i] : NULL;
}
