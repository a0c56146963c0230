/* target.h - the dance of compilers, in one place.
 *
 * An ISA file wraps its functions in BVAR_TARGET_BEGIN("...") / BVAR_TARGET_END.  Nothing else in the extension
 * is compiled for more than the baseline, so no wide instruction can leak into code that runs everywhere. */
#ifndef BVAR_TARGET_H
#define BVAR_TARGET_H

#define BVAR_PRAGMA(text) _Pragma(#text)

#if defined(__clang__)
#define BVAR_TARGET_BEGIN(isa) \
    BVAR_PRAGMA(clang attribute push(__attribute__((target(isa))), apply_to = function))
#define BVAR_TARGET_END BVAR_PRAGMA(clang attribute pop)
#define BVAR_UNROLL BVAR_PRAGMA(unroll)
#define BVAR_NO_UNROLL BVAR_PRAGMA(nounroll)
#elif defined(__GNUC__)
#define BVAR_TARGET_BEGIN(isa) BVAR_PRAGMA(GCC push_options) BVAR_PRAGMA(GCC target(isa))
#define BVAR_TARGET_END BVAR_PRAGMA(GCC pop_options)
#define BVAR_UNROLL BVAR_PRAGMA(GCC unroll 8)
#define BVAR_NO_UNROLL BVAR_PRAGMA(GCC unroll 1)
#else /* MSVC: intrinsics need no flag */
#define BVAR_TARGET_BEGIN(isa)
#define BVAR_TARGET_END
#define BVAR_UNROLL
#define BVAR_NO_UNROLL
#endif

/* Small functions must vanish into their callers: vectors are passed in registers only then. */
#if defined(__GNUC__)
#define BVAR_INLINE static inline __attribute__((always_inline, unused))
/* Pin a vector to a register here and now.  Without it gcc computes all lookups of a tile before it adds the
 * first, needs more registers than there are, and spills the accumulators. */
#define BVAR_PIN(v) __asm__ volatile("" : "+v"(v))
#define BVAR_ALIGNED __attribute__((aligned(64)))
#define BVAR_PREFETCH(p) __builtin_prefetch((p), 1, 2) /* to be written, into L2 */
#else
#define BVAR_INLINE static __forceinline
#define BVAR_PIN(v) ((void)0)
#define BVAR_ALIGNED __declspec(align(64))
#define BVAR_PREFETCH(p) ((void)(p))
#endif

#endif
