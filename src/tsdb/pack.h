/* pack.h - many small integers with three widths that fit them. */
#ifndef TSDB_PACK_H
#define TSDB_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "tsdb/bits.h"

/* Bits that pack_encode() would need for them. */
size_t pack_cost(const int64_t *v, size_t n);

/* Appends three bytes of widths and the numbers, up to a whole byte. */
void pack_encode(const int64_t *v, size_t n, struct buf *out);

/* Reads them back and moves *bytes behind them. */
MUST_CHECK enum errc pack_decode(struct str *bytes, int64_t *v, size_t n);

#endif
