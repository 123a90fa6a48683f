/* Content-Encoding of replies, negotiated after RFC 9110, 12.5.3. */
#include <stdlib.h>

#include "codec/gzip.h"
#include "http/conn_internal.h"

enum { WORTH_IT = 1024 }; /* smaller bodies cost more than they save */

/* "gzip;q=0.5" -> 0.5; absent parameter: 1. Digits enough for a comparison. */
static int quality(struct str parameters)
{
    while (parameters.p) {
        struct str p = str_trim(str_cut(&parameters, ';'));
        struct str value = p;
        struct str name = str_trim(str_cut(&value, '='));
        if (!str_eq_nocase(name, STR("q")) || !value.p)
            continue;
        value = str_trim(value);
        if (value.n == 0)
            return 0;
        int q = value.p[0] == '1' ? 1000 : 0;
        int scale = 100;
        for (size_t i = 2; i < value.n && scale && q < 1000; i++, scale /= 10)
            q += (value.p[i] - '0') * scale;
        return q;
    }
    return 1000;
}

/* The better of the two codings we have; false: none is welcome. */
static bool choose(struct str accept, enum gzip_coding *out)
{
    int gzip = -1, deflate = -1, any = 0, identity = 1;

    while (accept.p) {
        struct str item = str_cut(&accept, ',');
        struct str coding = str_trim(str_cut(&item, ';'));
        int q = quality(item);
        if (str_eq_nocase(coding, STR("gzip")) ||
            str_eq_nocase(coding, STR("x-gzip")))
            gzip = q;
        else if (str_eq_nocase(coding, STR("deflate")))
            deflate = q;
        else if (str_eq(coding, STR("*")))
            any = q;
        else if (str_eq_nocase(coding, STR("identity")))
            identity = q;
    }
    gzip = gzip < 0 ? any : gzip;
    deflate = deflate < 0 ? any : deflate;
    *out = gzip >= deflate ? GZIP_GZIP : GZIP_DEFLATE;
    int best = gzip >= deflate ? gzip : deflate;
    return best > 0 && best >= identity;
}

bool reply_pack(struct http_request *r, bool last, struct buf *packed)
{
    struct str accept = r->head.known[HTTP_ACCEPT_ENCODING];
    struct str body = {r->out.p + HTTP_HEADROOM, http_out_size(r)};
    enum gzip_coding coding;
    bool first = !r->packer;

    buf_init(packed, r->out.max);
    if (first && !r->in_pieces && accept.p && choose(accept, &coding))
        r->packer = gzip_open(coding);
    if (!r->packer)
        return false;
    if (buf_reserve(packed, HTTP_HEADROOM))
        packed->n = HTTP_HEADROOM;
    if (gzip_write(r->packer, body, last, packed, NULL)) {
        buf_fini(packed);
        if (first) {
            gzip_close(r->packer);
            r->packer = NULL;
        }
        return false;
    }
    if (first) {
        http_header(r, "Content-Encoding", "%s",
                    coding == GZIP_GZIP ? "gzip" : "deflate");
        http_header(r, "Vary", "Accept-Encoding");
    }
    return true;
}

void reply_compress(struct http_request *r)
{
    size_t n = http_out_size(r);
    struct buf packed;

    if (!r->packer &&
        (r->status >= 400 || n == 0 || (n < WORTH_IT && !r->may_compress)))
        return;
    if (reply_pack(r, true, &packed)) {
        buf_fini(&r->out);
        r->out = packed;
    } else if (r->packer) {
        r->out.failed = true;
    } /* else the plain body is as good */
}
