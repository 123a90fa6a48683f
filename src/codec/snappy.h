/* snappy.h - Snappy's block format, which remote write uses.
 *
 * https://github.com/google/snappy/blob/main/format_description.txt
 */
#ifndef CODEC_SNAPPY_H
#define CODEC_SNAPPY_H

#include "base/buf.h"
#include "base/err.h"

/* Appends what the block holds; out->max is the limit. ERR_INVALID: it is no
 * such block; ERR_LIMIT. */
MUST_CHECK enum errc snappy_decode(struct str block, struct buf *out,
                                   struct err *err);

/* Appends a block with these bytes, of at most 4 GiB. */
void snappy_encode(struct str bytes, struct buf *out);

#endif
