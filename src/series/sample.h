/* sample.h - one value at one time, and the value that says "no more".
 *
 * Times are milliseconds since 1970. A series that has ended carries the stale
 * marker: a NaN with bits of its own (Prometheus' value). It is told from an
 * ordinary NaN by its bits, so values that may hold one are compared as bits
 * and never computed with.
 */
#ifndef SERIES_SAMPLE_H
#define SERIES_SAMPLE_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct sample {
    int64_t t;
    double v;
};

static inline uint64_t sample_bits(double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof(bits));
    return bits;
}

static inline double sample_from_bits(uint64_t bits)
{
    double v;

    memcpy(&v, &bits, sizeof(v));
    return v;
}

#define STALE_BITS 0x7ff0000000000002u
#define NAN_BITS   0x7ff8000000000001u /* the NaN that is a value */

static inline bool sample_is_stale(double v)
{
    return sample_bits(v) == STALE_BITS;
}

static inline double sample_stale(void)
{
    return sample_from_bits(STALE_BITS);
}

static inline double sample_nan(void)
{
    return sample_from_bits(NAN_BITS);
}

/* Any NaN that comes from outside becomes the ordinary one. */
static inline double sample_plain(double v)
{
    return isnan(v) ? sample_nan() : v;
}

#endif
