/* table.c - what this build holds, slowest first. */
#include "bvar_kernels.h"

extern const bvar_table bvar_table_scalar;
#if defined(__x86_64__) || defined(_M_X64)
extern const bvar_table bvar_table_avx2, bvar_table_avx512;
#elif defined(__aarch64__) || defined(_M_ARM64)
extern const bvar_table bvar_table_neon;
#endif

const bvar_table *bvar_table_at(int i) {
    static const bvar_table *const tables[] = {
        &bvar_table_scalar,
#if defined(__x86_64__) || defined(_M_X64)
        &bvar_table_avx2,
        &bvar_table_avx512,
#elif defined(__aarch64__) || defined(_M_ARM64)
        &bvar_table_neon,
#endif
    };
    return i >= 0 && i < (int)(sizeof tables / sizeof tables[0]) ? tables[i] : NULL;
}
