/* gzip.h - Content-Encoding gzip and deflate (RFC 9110, 8.4.1), with the limit
 * that turns a bomb into an error. */
#ifndef CODEC_GZIP_H
#define CODEC_GZIP_H

#include "base/buf.h"
#include "base/err.h"

enum gzip_coding {
    GZIP_GZIP,
    GZIP_DEFLATE, /* zlib's wrapper; raw deflate is understood when reading */
};

/* Appends the plain bytes to out; ERR_LIMIT beyond out->max. */
MUST_CHECK enum errc gzip_decode(enum gzip_coding coding, struct str bytes,
                                 struct buf *out, struct err *err);

/* Writing, in parts: each call appends what is ready of the compressed bytes,
 * the last one all. A stream belongs to one thread at a time. */
struct gzip_stream;
struct gzip_stream *gzip_open(enum gzip_coding coding); /* NULL: no memory */
MUST_CHECK enum errc gzip_write(struct gzip_stream *s, struct str bytes,
                                bool last, struct buf *out, struct err *err);
void gzip_close(struct gzip_stream *s); /* NULL does nothing */

#endif
