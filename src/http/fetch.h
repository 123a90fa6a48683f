/* fetch.h - requests to other servers, by libcurl: TLS, proxies and
 * compression are its job. Blocking; for threads that may wait.
 *
 * Threads: fetch_init() once before any thread; fetch_run() from any.
 */
#ifndef HTTP_FETCH_H
#define HTTP_FETCH_H

#include "base/buf.h"
#include "base/err.h"

MUST_CHECK enum errc fetch_init(struct err *err);

struct fetch {
    const char *url;
    const char *accept; /* NULL: anything */
    struct str body;    /* p set: sent with POST */
    const char *body_type;
    int64_t timeout_ms;     /* from start to end */
    char content_type[128]; /* of the answer; "" when it has none */
    int status;
};

/* Appends the answer's body, decompressed, to out, whose max is the limit.
 * Any status is a success; ERR_TIMEOUT, ERR_LIMIT, ERR_UNAVAIL, ERR_INVALID. */
MUST_CHECK enum errc fetch_run(struct fetch *f, struct buf *out,
                               struct err *err);

#endif
