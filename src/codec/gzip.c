#include "codec/gzip.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

enum { STEP = 65536, LEVEL = 1, WINDOW = 15, GZIP_FLAG = 16, AUTO_FLAG = 32 };

static enum errc inflate_all(z_stream *z, struct buf *out, struct err *err)
{
    Bytef none;
    int rc = Z_OK;

    while (rc == Z_OK) {
        size_t room = out->max > out->n ? out->max - out->n : 0;
        size_t step = room < STEP ? room : (size_t)STEP;
        if (step == 0 || !buf_reserve(out, step)) {
            if (out->n < out->max)
                return err_set(err, ERR_NOMEM, "out of memory");
            /* Exactly at the limit: fine if the stream ends here. */
            z->next_out = &none;
            z->avail_out = 1;
            rc = inflate(z, Z_NO_FLUSH);
            z->next_out = NULL;
            if (rc == Z_STREAM_END && z->avail_out == 1)
                return ERR_OK;
            return err_set(err, ERR_LIMIT,
                           "the body is larger than %zu bytes when unpacked",
                           out->max);
        }
        z->next_out = (Bytef *)(out->p + out->n);
        z->avail_out = (uInt)step;
        rc = inflate(z, Z_NO_FLUSH);
        out->n += step - z->avail_out;
        if (rc == Z_BUF_ERROR ||
            (rc == Z_OK && z->avail_in == 0 && z->avail_out > 0))
            return err_set(err, ERR_INVALID, "the compressed body is cut off");
    }
    if (rc != Z_STREAM_END)
        return err_set(err, ERR_INVALID, "the compressed body is damaged: %s",
                       z->msg ? z->msg : "bad data");
    if (z->avail_in)
        return err_set(err, ERR_INVALID,
                       "bytes follow the end of the compressed body");
    return ERR_OK;
}

enum errc gzip_decode(enum gzip_coding coding, struct str bytes,
                      struct buf *out, struct err *err)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)bytes.p,
                  .avail_in = (uInt)bytes.n};
    /* "deflate" means zlib's format, but some clients send raw deflate; the
     * first byte tells (CM = 8 and a header that is a multiple of 31). */
    bool raw =
        coding == GZIP_DEFLATE && bytes.n >= 2 &&
        ((bytes.p[0] & 0x0f) != 8 ||
         ((unsigned char)bytes.p[0] * 256U + (unsigned char)bytes.p[1]) % 31 !=
             0);
    int window = coding == GZIP_GZIP ? WINDOW + GZIP_FLAG
                 : raw               ? -WINDOW
                                     : WINDOW;

    if (bytes.n > UINT_MAX)
        return err_set(err, ERR_LIMIT, "the compressed body is too large");
    if (inflateInit2(&z, window) != Z_OK)
        return err_set(err, ERR_NOMEM, "out of memory");
    enum errc rc = inflate_all(&z, out, err);
    inflateEnd(&z);
    return rc;
}

struct gzip_stream {
    z_stream z;
};

struct gzip_stream *gzip_open(enum gzip_coding coding)
{
    struct gzip_stream *s = calloc(1, sizeof(*s));
    int window = coding == GZIP_GZIP ? WINDOW + GZIP_FLAG : WINDOW;

    if (s && deflateInit2(&s->z, LEVEL, Z_DEFLATED, window, 8,
                          Z_DEFAULT_STRATEGY) != Z_OK) {
        free(s);
        return NULL;
    }
    return s;
}

void gzip_close(struct gzip_stream *s)
{
    if (s)
        deflateEnd(&s->z);
    free(s);
}

enum errc gzip_write(struct gzip_stream *s, struct str bytes, bool last,
                     struct buf *out, struct err *err)
{
    z_stream *z = &s->z;

    if (bytes.n > UINT_MAX)
        return err_set(err, ERR_LIMIT, "the body is too large to compress");
    z->next_in = (Bytef *)(uintptr_t)bytes.p;
    z->avail_in = (uInt)bytes.n;
    /* Enough, if nothing of earlier parts is to come with it. */
    size_t step = deflateBound(z, (uLong)bytes.n);
    for (;;) {
        if (!buf_reserve(out, step))
            return err_set(err, ERR_LIMIT, "the compressed body is too large");
        z->next_out = (Bytef *)(out->p + out->n);
        z->avail_out = (uInt)step;
        int rc = deflate(z, last ? Z_FINISH : Z_NO_FLUSH);
        out->n += step - z->avail_out;
        if (rc == Z_STREAM_END || (!last && z->avail_out))
            return ERR_OK;
        if (rc != Z_OK && rc != Z_BUF_ERROR)
            return err_set(err, ERR_INTERNAL, "compression failed");
        step = STEP;
    }
}
