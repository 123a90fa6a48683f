/* decimal.h - floats that are short decimal numbers, as integers. */
#ifndef TSDB_DECIMAL_H
#define TSDB_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DECIMAL_EXPONENT_MAX = 15 };

/* Finds the least e with v[i] == m[i] / 10^e for all i, each m below 2^53 and
 * each quotient the same bits again. Values that are not finite, and -0, are
 * left out: their m is that of the value before (0 at the start) and
 * special[i] is set. False when there is no such e. */
bool decimal_find(const double *v, size_t n, int64_t *m, bool *special,
                  unsigned *e);

/* m / 10^e; e at most DECIMAL_EXPONENT_MAX. */
double decimal_value(int64_t m, unsigned e);

#endif
