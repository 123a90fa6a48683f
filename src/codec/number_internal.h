/* number_internal.h - powers of ten, shared by the reader and the printer. */
#ifndef CODEC_NUMBER_INTERNAL_H
#define CODEC_NUMBER_INTERNAL_H

#include <stdint.h>

enum { POW10_MIN = -342, POW10_MAX = 308 };

/* The first 64 bits of 10^q, rounded down; exact for 0 <= q <= 27. */
uint64_t pow10_top(int q);

/* floor(log2(10^q)); exact for |q| <= 350 (checked by the unit test). */
static inline int pow10_log2(int q)
{
    return (q * 217706) >> 16;
}

#endif
