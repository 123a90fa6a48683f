/* send.c - what kinds of receivers share: HTTP, and fitting texts. */
#include "notify/send.h"

#include <stdio.h>
#include <string.h>

enum { REPLY_SHOWN = 200, URL_MAX = 4000 };

/* ---- who we are to the other side --------------------------------------- */

static enum errc text_of(struct str s, struct arena *a, const char **out,
                         struct err *err)
{
    *out = s.n ? arena_cstr(a, s) : NULL;
    return s.n && !*out ? err_set(err, ERR_NOMEM, "out of memory") : ERR_OK;
}

static enum errc secret_text(const struct secret *s, struct arena *a,
                             const char *before, const char **out,
                             struct err *err)
{
    struct buf b;

    *out = NULL;
    if (!secret_is_set(s))
        return ERR_OK;
    buf_init(&b, URL_MAX);
    buf_puts(&b, before);
    enum errc rc = secret_get(s, &b, err);
    if (!rc)
        rc = text_of(buf_str(&b), a, out, err);
    buf_fini(&b);
    return rc;
}

enum errc send_auth(const struct http_auth *from, struct arena *arena,
                    struct fetch_auth *out, struct err *err)
{
    char kind[64];
    const struct {
        struct str from;
        const char **to;
    } texts[] = {{from->username, &out->username},
                 {from->ca_file, &out->ca_file},
                 {from->cert_file, &out->cert_file},
                 {from->key_file, &out->key_file},
                 {from->proxy, &out->proxy}};
    enum errc rc = ERR_OK;

    *out = (struct fetch_auth){.insecure = from->insecure};
    for (size_t i = 0; i < COUNT(texts) && !rc; i++)
        rc = text_of(texts[i].from, arena, texts[i].to, err);
    if (!rc)
        rc = secret_text(&from->password, arena, "", &out->password, err);
    (void)snprintf(kind, sizeof(kind), "%.*s ",
                   from->bearer_type.n ? (int)from->bearer_type.n : 6,
                   from->bearer_type.n ? from->bearer_type.p : "Bearer");
    if (!rc)
        rc = secret_text(&from->bearer, arena, kind, &out->authorization, err);
    return rc;
}

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

    buf_init(&url, URL_MAX);
    enum errc rc = secret_get(&n->how->url, &url, err);
    buf_puts(&url, more);
    buf_putc(&url, '\0');
    if (!rc && url.failed)
        rc = err_set(err, ERR_LIMIT, "the URL is too long");
    if (!rc)
        rc = send_auth(&n->how->http, arena, &auth, err);
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
