/* step.h - how the votes on one row of weights count; see bvar_flip_job.
 *
 * Steps of 2^25 and more are multiples of 2^13: divided by that, accumulators, votes and what is added to them fit
 * int32 (docs/explanation/optimizer.md).  Smaller steps are those of large batches, and take int64. */
#ifndef BVAR_STEP_H
#define BVAR_STEP_H

typedef struct {
    int16_t minus_beta; /* beta may be 2^15, which int16 does not hold */
    int32_t eta, most;
    int is_wide;
} bvar_step;

BVAR_INLINE bvar_step step_of(int64_t eta, int32_t beta) {
    const int is_wide = eta < INT64_C(1) << 25;
    const int32_t size = (int32_t)(is_wide ? eta : eta >> 13);
    const int64_t most = ((INT64_C(1) << (is_wide ? 43 : 30)) - 1) / (size > 1 ? size : 1);
    const bvar_step step = {(int16_t)-beta, size, (int32_t)(most < INT32_MAX ? most : INT32_MAX), is_wide};
    return step;
}

enum { DITHER = 27893 }; /* from one weight to the next; odd, so that it meets every rest */

#endif
