/* docs.c - GET /docs: a page that shows every model, its inputs and outputs, a
 * request that can be sent from the page, and the curl line. Everything is in
 * the binary; the page asks only this server. */
#include <string.h>

#include "http/assets.h"
#include "serve/docs.h"
#include "serve/example.h"
#include "serve/protocols.h"

static void put_io(struct buf *b, const struct io_spec *io, size_t n)
{
    buf_putc(b, '[');
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_putc(b, ',');
        buf_puts(b, "{\"name\":");
        buf_put_quoted(b, str_from_cstr(io[i].name));
        buf_printf(b, ",\"type\":\"%s\",\"optional\":%s,\"shape\":",
                   io[i].kind == VALUE_TENSOR     ? dtype_oip(io[i].type)
                   : io[i].kind == VALUE_SEQUENCE ? "list of objects"
                                                  : "object",
                   io[i].optional ? "true" : "false");
        struct buf shape;
        buf_init(&shape, 4096);
        shape_format(&shape, &io[i].shape, io[i].dim_names);
        buf_put_quoted(b, buf_str(&shape));
        buf_fini(&shape);
        buf_putc(b, '}');
    }
    buf_putc(b, ']');
}

static void put_entry(struct buf *b, const struct registry_entry *e, bool only)
{
    const struct served *m = e->served;
    struct buf example;

    buf_puts(b, "{\"name\":");
    buf_put_quoted(b, str_from_cstr(e->name));
    buf_puts(b, ",\"version\":");
    buf_put_quoted(b, str_from_cstr(e->version));
    buf_printf(b, ",\"state\":\"%s\",\"reason\":", model_state_name(e->state));
    buf_put_quoted(b, str_from_cstr(e->reason));
    if (m) {
        buf_printf(b, ",\"path\":\"%s%s%s\",\"batchable\":%s,\"device\":\"%s\"",
                   only ? "/predict" : "/models/", only ? "" : m->name,
                   only ? "" : "/predict", m->batchable ? "true" : "false",
                   m->device);
        buf_puts(b, ",\"inputs\":");
        put_io(b, m->spec->inputs, m->spec->n_inputs);
        buf_puts(b, ",\"outputs\":");
        put_io(b, m->spec->outputs, m->spec->n_outputs);
        buf_init(&example, 1 << 20);
        if (example_predict(&example, m) && !example.failed) {
            buf_puts(b, ",\"example\":");
            buf_put_quoted(b, buf_str(&example));
        }
        buf_fini(&example);
    }
    buf_putc(b, '}');
}

static void models_json(struct http_request *r)
{
    const struct snapshot *snap = service_snapshot(r->loop);
    struct buf *b = http_out(r);
    bool only = snap->n == 0 || strcmp(snap->entries[0].name,
                                       snap->entries[snap->n - 1].name) == 0;

    buf_puts(b, "{\"version\":\"" STOKER_VERSION "\",\"models\":[");
    for (size_t i = 0; i < snap->n; i++) {
        if (i)
            buf_putc(b, ',');
        put_entry(b, &snap->entries[i], only);
    }
    buf_puts(b, "]}");
    http_reply(r, 200, "application/json");
}

void docs_get(struct http_request *r)
{
    http_reply_asset(r, &docs_assets, STR("index.html"));
}

void docs_asset(struct http_request *r)
{
    if (str_eq(r->match.params[0], STR("models.json")))
        models_json(r);
    else
        http_reply_asset(r, &docs_assets, r->match.params[0]);
}

void index_get(struct http_request *r)
{
    http_header(r, "Location", "/docs");
    buf_puts(http_out(r), "{\"docs\":\"/docs\",\"openapi\":\"/openapi.json\","
                          "\"metrics\":\"/metrics\",\"ready\":\"/readyz\"}");
    http_reply(r, 301, "application/json");
}
