/* health.c - liveness, readiness, metrics; and what all inference handlers
 * begin with. */
#include <string.h>

#include "serve/protocols.h"

void health_live(struct http_request *r)
{
    buf_puts(http_out(r), "{\"status\":\"ok\"}");
    http_reply(r, 200, "application/json");
}

void health_ready(struct http_request *r)
{
    struct service *s = service_of(r);
    struct buf *b = http_out(r);

    if (service_ready(r)) {
        buf_puts(b, "{\"status\":\"ready\"}");
        http_reply(r, 200, "application/json");
        return;
    }
    const struct snapshot *snap = service_snapshot(r->loop);
    buf_printf(b, "{\"status\":\"%s\",\"models\":{",
               atomic_load(&s->stopping)  ? "stopping"
               : !atomic_load(&s->loaded) ? "loading"
                                          : "not ready");
    bool first = true;
    for (size_t i = 0; i < snap->n; i++) {
        const struct registry_entry *e = &snap->entries[i];
        if (e->state == MODEL_READY)
            continue;
        if (!first)
            buf_putc(b, ',');
        first = false;
        buf_put_quoted(b, str_from_cstr(e->name));
        buf_putc(b, ':');
        buf_put_quoted(b, str_from_cstr(e->reason));
    }
    buf_puts(b, "}}");
    http_reply(r, 503, "application/json");
}

void metrics_get(struct http_request *r)
{
    bool openmetrics = http_accepts(r, "application/openmetrics-text");

    metrics_expose(service_of(r)->metrics, openmetrics, http_out(r));
    r->stream = true;
    http_reply(r, 200, metrics_content_type(openmetrics));
}

bool serve_is_binary(const struct http_request *r)
{
    struct str type = r->head.known[HTTP_CONTENT_TYPE];

    return str_eq_nocase(str_trim(str_cut(&type, ';')),
                         STR("application/octet-stream"));
}

bool serve_check_type(struct http_request *r)
{
    static const struct str understood[] = {
        STR_INIT("application/json"),
        STR_INIT("application/octet-stream"),
        STR_INIT("application/x-www-form-urlencoded"), /* curl -d */
        STR_INIT("text/json"),
        STR_INIT("text/plain"), /* fetch() with a string */
        STR_INIT("application/vnd.sagemaker-triton.binary+json"),
    };
    struct str whole = r->head.known[HTTP_CONTENT_TYPE];
    struct str rest = whole;
    struct str type = str_trim(str_cut(&rest, ';'));

    if (!whole.p || type.n == 0)
        return true;
    for (size_t i = 0; i < COUNT(understood); i++)
        if (str_eq_nocase(type, understood[i]))
            return true;
    if (type.n > 5 &&
        str_eq_nocase(str_slice(type, type.n - 5, type.n), STR("+json")))
        return true;
    http_header(r, "Accept", "application/json, application/octet-stream");
    http_reply_error(r, 415,
                     "Content-Type '" STR_FMT
                     "' is not understood; send application/json",
                     STR_ARG(type));
    return false;
}

static void not_callable(struct http_request *r, const struct registry_entry *e,
                         struct str name, struct str version)
{
    struct service *s = service_of(r);

    if (!e && !atomic_load(&s->loaded)) {
        http_header(r, "Retry-After", "1");
        http_reply_error(r, 503, "models are being loaded; try again soon");
    } else if (!e) {
        http_reply_error(r, 404,
                         "Request for unknown model: '" STR_FMT "'%s" STR_FMT
                         " is not found; GET /docs lists the models",
                         STR_ARG(name), version.n ? " version " : "",
                         STR_ARG(version));
    } else {
        http_reply_error(r, 503, "model '%s' version %s is not ready: %s",
                         e->name, e->version, e->reason);
    }
}

void serve_infer(struct http_request *r, const struct protocol *p,
                 struct str name, struct str version)
{
    const struct snapshot *snap = service_snapshot(r->loop);
    const struct registry_entry *e = snapshot_find(snap, name, version);

    if (!e || e->state != MODEL_READY) {
        not_callable(r, e, name, version);
        return;
    }
    if (!serve_check_type(r))
        return;
    struct infer *x = infer_new(r, e->served, p);
    if (!x) {
        http_reply_error(r, 503, "out of memory");
        return;
    }
    served_ref(e->served);
    x->raw = serve_is_binary(r) && !r->head.known[HTTP_INFERENCE_LENGTH].p;
    executor_submit(service_of(r)->executor, x);
}
