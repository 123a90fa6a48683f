/* number_internal.h - powers of ten, shared by the reader and the printer. */
#ifndef CODEC_NUMBER_INTERNAL_H
#define CODEC_NUMBER_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    POW10_MIN = -342,
    POW10_MAX = 308, /* beyond it there is no double */
    POW10_TABLE_MAX = 324,
};

/* The first 64 bits of 10^q, rounded down; exact for 0 <= q <= 27. The 64 bits
 * behind them: together exact for 0 <= q <= 55. */
uint64_t pow10_top(int q);
uint64_t pow10_low(int q);

/* floor(log2(10^q)); exact for |q| <= 350 (checked by the unit test). */
static inline int pow10_log2(int q)
{
    return (q * 217706) >> 16;
}

/* number_simd.c: reads "1.5, 2.5," for as long as the numbers are plain, and
 * leaves *p at the comma behind the last; 0 when it has nothing to offer, but
 * there may still be numbers. NUMBER_PAD bytes in front of *p must be
 * readable. */
bool number_simd_available(void);
size_t number_simd_f32_run(const char **p, const char *end, float *out,
                           size_t max);

#endif
