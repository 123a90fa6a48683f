/* client.h - a small blocking HTTP/1.1 client for the command line: one
 * connection, one request at a time, plain http only. */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "base/buf.h"
#include "base/err.h"

enum { CLIENT_HOST_MAX = 256 };

struct client_url {
    char host[CLIENT_HOST_MAX];
    uint16_t port;
    const char *path; /* with the query; "" when the URL ends before it */
};

/* "http://host:port/path"; the path points into text. */
MUST_CHECK enum errc client_url_parse(const char *text, struct client_url *out,
                                      struct err *err);

/* One request on a new connection; body NULL: GET. The reply's body is put
 * into out, whose max is the limit. */
MUST_CHECK enum errc client_request(const struct client_url *url,
                                    const char *path, const char *type,
                                    const struct str *body, int timeout_ms,
                                    int *status, struct buf *out,
                                    struct err *err);

/* The head of a response at the start of text: its size, or 0 if it is not
 * complete; -1 if it is not HTTP. Sets status, and length (-1: unknown). */
long client_head(struct str text, int *status, int64_t *length, bool *chunked);

#endif
