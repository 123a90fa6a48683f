/* chunk.h - samples of one series as few bytes.
 *
 *     varint   number of samples, at most CHUNK_MAX
 *     byte     form of the times (low four bits) and of the values
 *     times    first as zigzag varint; then a varint step, or the differences
 *              of the differences, packed
 *     values   CONSTANT  eight bytes
 *              DELTA     decimal exponent e, unit u, first m, then the
 *              DELTA2    differences (of the differences) of m/u, packed;
 *                        a value is m / 10^e, exactly
 *              XOR       eight bytes, then Gorilla's differences
 *     marks    values that are no decimal number (NaN, Inf, -0, the stale
 *              marker): varint count, then place and eight bytes each
 *
 * Packed numbers are zigzag integers behind a prefix: 0, 10 or 11 for one of
 * three widths that are chosen to fit the chunk. Decimal scaling as in
 * https://www.vldb.org/pvldb/vol8/p1816-teller.pdf (XOR) and VictoriaMetrics'
 * description of its encoding; every value comes back bit by bit, or another
 * form is used.
 *
 * Readers trust nothing: any bytes are either a chunk or ERR_INVALID.
 */
#ifndef TSDB_CHUNK_H
#define TSDB_CHUNK_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { CHUNK_MAX = 1024 };

/* Appends the chunk of n samples (1 to CHUNK_MAX), times rising. */
void chunk_encode(const int64_t *t, const double *v, size_t n, struct buf *out);

/* Reads one chunk from the start of the bytes into t and v, which have room for
 * CHUNK_MAX; *n is how many there were. */
MUST_CHECK enum errc chunk_decode(struct str bytes, int64_t *t, double *v,
                                  size_t *n);

#endif
