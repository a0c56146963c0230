/* cpu.c - what the processor has AND the operating system saves.
 *
 * CPUID says what the processor can do; XGETBV says which registers survive a task switch.  Both must agree, or a
 * kernel would work until the first interrupt.  Written by hand because __builtin_cpu_supports neither links
 * everywhere nor knows every flag, and MSVC has none. */
#include "bvar_kernels.h"

#if defined(__x86_64__) || defined(_M_X64)
#if defined(_MSC_VER)
#include <intrin.h>
static void cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4]) { __cpuidex((int *)r, (int)leaf, (int)sub); }
static uint64_t xgetbv0(void) { return _xgetbv(0); }
#else
#include <cpuid.h>
static void cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4]) { __cpuid_count(leaf, sub, r[0], r[1], r[2], r[3]); }
static uint64_t xgetbv0(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}
#endif

static int has(uint32_t value, uint32_t all) { return (value & all) == all; }
#define BIT(n) (UINT32_C(1) << (n))

int32_t bvar_cpu_features(void) {
    enum { EAX, EBX, ECX, EDX };
    const uint32_t xsave_avx = BIT(27) | BIT(28);                            /* leaf 1 ECX: OSXSAVE, AVX */
    const uint32_t ymm = BIT(1) | BIT(2);                                    /* XCR0: SSE, AVX state */
    const uint32_t zmm = ymm | BIT(5) | BIT(6) | BIT(7);                     /* XCR0: and masks, both halves */
    const uint32_t avx2 = BIT(5);                                            /* leaf 7 EBX */
    const uint32_t avx512 = BIT(16) | BIT(17) | BIT(30) | BIT(31);           /* leaf 7 EBX: F, DQ, BW, VL */
    const uint32_t avx512_more = BIT(1) | BIT(8) | BIT(11) | BIT(14);        /* leaf 7 ECX: VBMI, GFNI, VNNI, VPOPCNTDQ */
    uint32_t r[4], saved;
    int32_t features = 0;
    cpuid(0, 0, r);
    if (r[EAX] < 7)
        return 0;
    cpuid(1, 0, r);
    if (!has(r[ECX], xsave_avx))
        return 0;
    saved = (uint32_t)xgetbv0();
    cpuid(7, 0, r);
    if (has(saved, ymm) && has(r[EBX], avx2))
        features |= BVAR_CPU_AVX2;
    if (has(saved, zmm) && has(r[EBX], avx2 | avx512) && has(r[ECX], avx512_more))
        features |= BVAR_CPU_AVX512;
    return features;
}
#elif defined(__aarch64__) || defined(_M_ARM64)
int32_t bvar_cpu_features(void) { return BVAR_CPU_NEON; }
#else
int32_t bvar_cpu_features(void) { return 0; }
#endif
