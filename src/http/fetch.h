/* fetch.h - requests to other servers, and mail, by libcurl: TLS, proxies and
 * compression are its job. Blocking; for threads that may wait.
 *
 * Threads: fetch_init() once before any thread; fetch_run() from any.
 */
#ifndef HTTP_FETCH_H
#define HTTP_FETCH_H

#include "base/buf.h"
#include "base/err.h"

MUST_CHECK enum errc fetch_init(struct err *err);

/* How a server knows us, and we it; NULL: nothing special. */
struct fetch_auth {
    const char *username, *password;            /* basic */
    const char *authorization;                  /* the whole header's value */
    const char *ca_file, *cert_file, *key_file; /* TLS, PEM */
    const char *proxy;
    bool insecure; /* any certificate will do */
};

struct fetch {
    const char *url;
    const struct fetch_auth *auth; /* may be NULL */
    const char *accept;            /* NULL: anything */
    const char *const *headers;    /* "Name: value", then NULL; may be NULL */
    struct str body;               /* p set: sent with POST */
    const char *body_type;
    int64_t timeout_ms;     /* from start to end */
    char content_type[128]; /* of the answer; "" when it has none */
    int status;
};

/* Appends the answer's body, decompressed, to out, whose max is the limit.
 * Any status is a success; ERR_TIMEOUT, ERR_LIMIT, ERR_UNAVAIL, ERR_INVALID. */
MUST_CHECK enum errc fetch_run(struct fetch *f, struct buf *out,
                               struct err *err);

/* ---- mail --------------------------------------------------------------- */

struct mail {
    const char *url; /* smtp://host:port/hello, smtps://... */
    const char *from, *const *to;
    size_t n_to;
    const char *const *headers; /* "Subject: ...", UTF-8 already encoded */
    size_t n_headers;
    struct str text, html; /* one of them may be empty */
    const struct fetch_auth *auth;
    const char *identity; /* to act as, if not the one who logs in; or NULL */
    bool cram_md5;        /* the password is never sent, and nothing else will
                             do */
    bool require_tls;
    int64_t timeout_ms;
    int status; /* the server's last word: 250, 554 */
};

/* RFC 5321. ERR_UNAVAIL: not delivered; status says if it is worth another
 * try (4xx, 0). */
MUST_CHECK enum errc mail_send(struct mail *m, struct err *err);

#endif
