#include "http/assets.h"

void http_reply_asset(struct http_request *r, const struct assets *set,
                      struct str name)
{
    for (size_t i = 0; i < set->n; i++) {
        const struct asset *a = &set->v[i];
        if (!str_eq(name, str_from_cstr(a->name)))
            continue;
        buf_put(http_out(r), (struct str){(const char *)a->bytes, a->size});
        http_header(r, "Content-Security-Policy",
                    "default-src 'none'; script-src 'self'; style-src 'self'; "
                    "connect-src 'self'; img-src data:");
        http_header(r, "X-Content-Type-Options", "nosniff");
        http_header(r, "Cache-Control", "no-cache");
        r->may_compress = true;
        http_reply(r, 200, a->type);
        return;
    }
    http_reply_error(r, 404, "there is no such page");
}
