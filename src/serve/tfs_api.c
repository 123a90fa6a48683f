/* tfs_api.c - the paths below /v1/models: NAME[/versions/N|/labels/L][:verb],
 * status and metadata. */
#include <string.h>

#include "codec/percent.h"
#include "serve/protocols.h"

struct target {
    struct str name, version, label, verb;
    bool metadata;
};

/* False: the path is none of ours. */
static bool parse(struct http_request *r, struct target *t)
{
    struct str rest = r->match.params[0];

    *t = (struct target){.version = STR("")};
    const char *colon = rest.n ? memrchr(rest.p, ':', rest.n) : NULL;
    if (colon) {
        size_t at = (size_t)(colon - rest.p);
        t->verb = str_slice(rest, at + 1, rest.n);
        rest = str_slice(rest, 0, at);
        if (t->verb.n && t->verb.p[t->verb.n - 1] == '/')
            t->verb.n--;
    }
    if (!percent_decode(str_cut(&rest, '/'), &r->arena, &t->name) ||
        t->name.n == 0)
        return false;
    while (rest.p && rest.n) {
        struct str word = str_cut(&rest, '/');
        if (str_eq(word, STR("metadata")) && (!rest.p || !rest.n)) {
            t->metadata = true;
        } else if (str_eq(word, STR("versions")) && rest.p) {
            t->version = str_cut(&rest, '/');
            uint64_t n;
            if (!str_to_u64(t->version, &n))
                return false;
        } else if (str_eq(word, STR("labels")) && rest.p) {
            if (!percent_decode(str_cut(&rest, '/'), &r->arena, &t->label))
                return false;
        } else {
            return false;
        }
    }
    return true;
}

static void malformed(struct http_request *r)
{
    http_reply_error(r, 404, "Malformed request: " STR_FMT " " STR_FMT,
                     STR_ARG(r->head.method), STR_ARG(r->path));
}

/* The labels we know: both are the version that is served. */
static bool known_label(struct http_request *r, const struct target *t)
{
    if (!t->label.p || str_eq(t->label, STR("latest")) ||
        str_eq(t->label, STR("stable")))
        return true;
    http_reply_error(r, 400, "Unrecognized servable version label: " STR_FMT,
                     STR_ARG(t->label));
    return false;
}

void tfs_post(struct http_request *r)
{
    static const struct {
        struct str verb;
        const struct protocol *protocol;
    } verbs[] = {
        {STR_INIT("predict"), &protocol_tfs_predict},
        {STR_INIT("classify"), &protocol_tfs_classify},
        {STR_INIT("regress"), &protocol_tfs_regress},
    };
    struct target t;

    if (!parse(r, &t) || t.metadata) {
        malformed(r);
        return;
    }
    for (size_t i = 0; i < COUNT(verbs); i++) {
        if (!str_eq_nocase(t.verb, verbs[i].verb))
            continue;
        const struct snapshot *snap = service_snapshot(r->loop);
        if (!known_label(r, &t))
            return;
        if (!snapshot_find(snap, t.name, t.version) &&
            atomic_load(&service_of(r)->loaded)) {
            if (t.version.n)
                http_reply_error(r, 404,
                                 "Servable not found for request: "
                                 "Specific(" STR_FMT ", " STR_FMT ")",
                                 STR_ARG(t.name), STR_ARG(t.version));
            else
                http_reply_error(r, 404,
                                 "Servable not found for request: "
                                 "Latest(" STR_FMT ")",
                                 STR_ARG(t.name));
            return;
        }
        serve_infer(r, verbs[i].protocol, t.name, t.version);
        return;
    }
    malformed(r);
}

void tfs_models(struct http_request *r)
{
    http_reply_error(r, 400, "Missing model name in request.");
}

static void put_status(struct http_request *r, const struct snapshot *snap,
                       const struct target *t)
{
    static const char *const states[] = {
        [MODEL_LOADING] = "LOADING",
        [MODEL_READY] = "AVAILABLE",
        [MODEL_UNLOADING] = "UNLOADING",
        [MODEL_UNAVAILABLE] = "END",
    };
    struct buf *b = http_out(r);
    bool first = true;

    buf_puts(b, "{\"model_version_status\":[");
    for (size_t i = 0; i < snap->n; i++) {
        const struct registry_entry *e = &snap->entries[i];
        if (!str_eq(t->name, str_from_cstr(e->name)) ||
            (t->version.n && !str_eq(t->version, str_from_cstr(e->version))))
            continue;
        if (!first)
            buf_putc(b, ',');
        first = false;
        buf_puts(b, "{\"version\":");
        buf_put_quoted(b, str_from_cstr(e->version));
        buf_printf(b,
                   ",\"state\":\"%s\",\"status\":{\"error_code\":\"%s\","
                   "\"error_message\":",
                   states[e->state],
                   e->state == MODEL_READY || !*e->reason ? "OK" : "UNKNOWN");
        buf_put_quoted(b, str_from_cstr(e->reason));
        buf_puts(b, "}}");
    }
    if (first) {
        http_reply_error(r, 404,
                         "Could not find any versions of model " STR_FMT,
                         STR_ARG(t->name));
        return;
    }
    buf_puts(b, "]}");
    http_reply(r, 200, "application/json");
}

static void put_tensor_info(struct buf *b, const struct io_spec *io, size_t n)
{
    buf_putc(b, '{');
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_putc(b, ',');
        buf_put_quoted(b, str_from_cstr(io[i].name));
        buf_printf(b, ":{\"dtype\":\"%s\",\"tensor_shape\":{\"dim\":[",
                   dtype_tf(io[i].type));
        for (int k = 0; k < io[i].shape.rank; k++)
            buf_printf(b, "%s{\"size\":\"%lld\",\"name\":\"\"}", k ? "," : "",
                       (long long)io[i].shape.dim[k]);
        buf_printf(b, "],\"unknown_rank\":%s},\"name\":",
                   io[i].kind == VALUE_TENSOR ? "false" : "true");
        buf_put_quoted(b, str_from_cstr(io[i].name));
        buf_putc(b, '}');
    }
    buf_putc(b, '}');
}

static void put_metadata(struct http_request *r, const struct served *m)
{
    struct buf *b = http_out(r);

    buf_puts(b, "{\"model_spec\":{\"name\":");
    buf_put_quoted(b, str_from_cstr(m->name));
    buf_puts(b, ",\"signature_name\":\"\",\"version\":");
    buf_put_quoted(b, str_from_cstr(m->version));
    buf_puts(b, "},\"metadata\":{\"signature_def\":{\"signature_def\":{"
                "\"serving_default\":{\"inputs\":");
    put_tensor_info(b, m->spec->inputs, m->spec->n_inputs);
    buf_puts(b, ",\"outputs\":");
    put_tensor_info(b, m->spec->outputs, m->spec->n_outputs);
    buf_puts(b, ",\"method_name\":\"tensorflow/serving/predict\","
                "\"defaults\":{}}}}}}");
    http_reply(r, 200, "application/json");
}

void tfs_get(struct http_request *r)
{
    const struct snapshot *snap = service_snapshot(r->loop);
    struct target t;

    if (!parse(r, &t) || t.verb.n) {
        malformed(r);
        return;
    }
    if (!known_label(r, &t))
        return;
    if (!t.metadata) {
        put_status(r, snap, &t);
        return;
    }
    const struct registry_entry *e = snapshot_find(snap, t.name, t.version);
    if (e && e->served)
        put_metadata(r, e->served);
    else
        http_reply_error(r, 404,
                         "Servable not found for request: Latest(" STR_FMT ")",
                         STR_ARG(t.name));
}
