/* send.c - what kinds of receivers share: HTTP, and fitting texts. */
#include "notify/send.h"

#include <stdio.h>
#include <string.h>

enum { REPLY_SHOWN = 200, URL_MAX = 4000 };

/* ---- HTTP --------------------------------------------------------------- */

enum errc send_post(struct notification *n, const char *more, struct str body,
                    struct buf *reply, struct told *told, struct err *err)
{
    struct arena *arena = &n->arena;
    struct fetch_auth auth;
    struct err why = {0};
    struct buf url;
    struct fetch f = {.timeout_ms = n->timeout_ms,
                      .auth = &auth,
                      .body = body,
                      .body_type = "application/json"};

    if (n->how->timeout && n->how->timeout < f.timeout_ms)
        f.timeout_ms = n->how->timeout;
    buf_init(&url, URL_MAX);
    enum errc rc = secret_get(&n->how->url, &url, err);
    buf_puts(&url, more);
    buf_putc(&url, '\0');
    if (!rc && url.failed)
        rc = err_set(err, ERR_LIMIT, "the URL is too long");
    if (!rc)
        rc = fetch_auth_make(&n->how->http, arena, &auth, err);
    if (!rc) {
        f.url = url.p;
        rc = fetch_run(&f, reply, &why);
        told->again = rc == ERR_TIMEOUT || rc == ERR_UNAVAIL;
        /* Not its message: that names the URL, which is a secret. */
        if (rc)
            rc = err_set(err, rc, "%s",
                         rc == ERR_TIMEOUT       ? "no answer in time"
                         : strstr(why.msg, ": ") ? strstr(why.msg, ": ") + 2
                                                 : why.msg);
    }
    if (!rc && f.status / 100 != 2) {
        told->again = f.status / 100 == 5 || f.status == 429;
        rc = err_set(err, ERR_UNAVAIL, "HTTP status %d: %.*s", f.status,
                     reply->n > REPLY_SHOWN ? REPLY_SHOWN : (int)reply->n,
                     reply->n ? reply->p : "");
    }
    buf_fini(&url);
    return rc;
}

void send_shorten(struct buf *text, size_t max)
{
    if (text->n <= max)
        return;
    size_t n = max - 3;
    while (n && ((unsigned char)text->p[n] & 0xc0) == 0x80)
        n--;
    text->n = n;
    buf_puts(text, "...");
}
