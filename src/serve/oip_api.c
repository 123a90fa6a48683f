/* oip_api.c - the Open Inference Protocol's paths beside infer: health,
 * metadata, configuration, repository. */
#include <string.h>

#include "codec/json.h"
#include "serve/loader.h"
#include "serve/protocols.h"

static void reply_json(struct http_request *r)
{
    http_reply(r, 200, "application/json");
}

/* The entry that the path names, or NULL and r is answered. */
static const struct registry_entry *find(struct http_request *r)
{
    const struct snapshot *snap = service_snapshot(r->loop);
    const struct registry_entry *e =
        snapshot_find(snap, r->match.params[0], r->match.params[1]);

    if (e)
        return e;
    if (!atomic_load(&service_of(r)->loaded))
        http_reply_error(r, 503, "models are being loaded; try again soon");
    else
        http_reply_error(
            r, 404, "Request for unknown model: '" STR_FMT "' is not found",
            STR_ARG(r->match.params[0]));
    return NULL;
}

static const struct served *find_ready(struct http_request *r)
{
    const struct registry_entry *e = find(r);

    if (e && e->state != MODEL_READY) {
        http_reply_error(r, 503, "model '%s' version %s is not ready: %s",
                         e->name, e->version, e->reason);
        return NULL;
    }
    return e ? e->served : NULL;
}

void oip_live(struct http_request *r)
{
    buf_puts(http_out(r), "{\"live\":true}");
    reply_json(r);
}

void oip_ready(struct http_request *r)
{
    bool ready = service_ready(r);

    buf_printf(http_out(r), "{\"ready\":%s}", ready ? "true" : "false");
    http_reply(r, ready ? 200 : 503, "application/json");
}

void oip_server(struct http_request *r)
{
    buf_puts(http_out(r),
             "{\"name\":\"stoker\",\"version\":\"" STOKER_VERSION
             "\",\"extensions\":[\"classification\",\"model_repository\","
             "\"model_configuration\",\"binary_tensor_data\",\"parameters\","
             "\"statistics\",\"schedule_policy\"]}");
    reply_json(r);
}

static void put_io(struct buf *b, const struct io_spec *io, size_t n)
{
    buf_putc(b, '[');
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_putc(b, ',');
        buf_puts(b, "{\"name\":");
        buf_put_quoted(b, str_from_cstr(io[i].name));
        /* What is no tensor is sent as BYTES of JSON; see oip_encode.c. */
        enum dtype type =
            io[i].kind == VALUE_TENSOR ? io[i].type : DTYPE_STRING;
        buf_printf(b, ",\"datatype\":\"%s\",\"shape\":", dtype_oip(type));
        if (io[i].kind == VALUE_TENSOR)
            shape_format(b, &io[i].shape, NULL);
        else
            buf_puts(b, "[-1]");
        buf_putc(b, '}');
    }
    buf_putc(b, ']');
}

void oip_model(struct http_request *r)
{
    const struct served *m = find_ready(r);
    const struct snapshot *snap = service_snapshot(r->loop);
    struct buf *b = http_out(r);
    bool first = true;

    if (!m)
        return;
    buf_puts(b, "{\"name\":");
    buf_put_quoted(b, str_from_cstr(m->name));
    buf_puts(b, ",\"versions\":[");
    for (size_t i = 0; i < snap->n; i++) {
        if (strcmp(snap->entries[i].name, m->name) != 0 ||
            snap->entries[i].state != MODEL_READY)
            continue;
        if (!first)
            buf_putc(b, ',');
        first = false;
        buf_put_quoted(b, str_from_cstr(snap->entries[i].version));
    }
    buf_printf(b, "],\"platform\":\"%s\",\"inputs\":", m->platform);
    put_io(b, m->spec->inputs, m->spec->n_inputs);
    buf_puts(b, ",\"outputs\":");
    put_io(b, m->spec->outputs, m->spec->n_outputs);
    buf_putc(b, '}');
    reply_json(r);
}

void oip_model_ready(struct http_request *r)
{
    const struct registry_entry *e = find(r);

    if (!e)
        return;
    bool ready =
        e->state == MODEL_READY && !atomic_load(&service_of(r)->stopping);
    struct buf *b = http_out(r);
    buf_puts(b, "{\"name\":");
    buf_put_quoted(b, str_from_cstr(e->name));
    buf_printf(b, ",\"ready\":%s", ready ? "true" : "false");
    if (!ready) {
        buf_puts(b, ",\"error\":");
        buf_put_quoted(b, str_from_cstr(*e->reason ? e->reason
                                                   : "the server is stopping"));
    }
    buf_putc(b, '}');
    http_reply(r, ready ? 200 : 503, "application/json");
}

/* TYPE_FP32; BYTES is TYPE_STRING there. */
static void put_config_io(struct buf *b, const struct served *m,
                          const struct io_spec *io, size_t n, bool batched)
{
    (void)m;
    buf_putc(b, '[');
    for (size_t i = 0; i < n; i++) {
        struct shape dims = io[i].shape;
        const char *type =
            io[i].type == DTYPE_STRING || io[i].kind != VALUE_TENSOR
                ? "STRING"
                : dtype_oip(io[i].type);
        if (batched && dims.rank > 0) {
            dims.rank--;
            memmove(dims.dim, dims.dim + 1,
                    (size_t)dims.rank * sizeof(dims.dim[0]));
        }
        if (i)
            buf_putc(b, ',');
        buf_puts(b, "{\"name\":");
        buf_put_quoted(b, str_from_cstr(io[i].name));
        buf_printf(b, ",\"data_type\":\"TYPE_%s\",\"dims\":", type);
        shape_format(b, &dims, NULL);
        buf_printf(b, "%s}", io[i].optional ? ",\"optional\":true" : "");
    }
    buf_putc(b, ']');
}

void oip_config(struct http_request *r)
{
    const struct served *m = find_ready(r);
    struct buf *b = http_out(r);

    if (!m)
        return;
    buf_puts(b, "{\"name\":");
    buf_put_quoted(b, str_from_cstr(m->name));
    buf_printf(b,
               ",\"platform\":\"%s\",\"backend\":\"onnxruntime\","
               "\"version_policy\":{\"latest\":{\"num_versions\":1}},"
               "\"max_batch_size\":%zu,\"input\":",
               m->platform, m->batchable ? m->max_rows : 0);
    put_config_io(b, m, m->spec->inputs, m->spec->n_inputs, m->batchable);
    buf_puts(b, ",\"output\":");
    put_config_io(b, m, m->spec->outputs, m->spec->n_outputs, m->batchable);
    if (m->batchable) {
        buf_puts(b, ",\"dynamic_batching\":{\"preferred_batch_size\":[");
        for (size_t i = 0; i < m->batcher.n_preferred; i++)
            buf_printf(b, "%s%zu", i ? "," : "", m->batcher.preferred[i]);
        buf_printf(b, "],\"max_queue_delay_microseconds\":%lld}",
                   (long long)(m->batcher.max_delay_ns / 1000));
    }
    buf_printf(b,
               ",\"instance_group\":[{\"name\":\"0\",\"kind\":\"KIND_%s\","
               "\"count\":%u}],\"default_model_filename\":\"model.onnx\","
               "\"parameters\":{},\"model_transaction_policy\":"
               "{\"decoupled\":false}}",
               strcmp(m->device, "cpu") == 0 ? "CPU" : "GPU",
               service_of(r)->options.threads);
    reply_json(r);
}

void oip_infer(struct http_request *r)
{
    serve_infer(r, &protocol_oip, r->match.params[0], r->match.params[1]);
}

/* {"ready": bool}, or nothing at all: some clients send no body. */
static bool only_ready(struct http_request *r, bool *out, struct err *err)
{
    struct json j;
    struct str key;

    *out = false;
    if (str_trim(r->body).n == 0)
        return true;
    json_init(&j, r->body, &r->arena, err);
    if (!json_object(&j))
        return false;
    while (json_key(&j, &key))
        if (!(str_eq(key, STR("ready")) ? json_bool(&j, out) : json_skip(&j)))
            return false;
    return json_end(&j);
}

void oip_index(struct http_request *r)
{
    const struct snapshot *snap = service_snapshot(r->loop);
    struct buf *b = http_out(r);
    struct err err = {0};
    bool ready, first = true;

    if (!only_ready(r, &ready, &err)) {
        http_reply_error(r, 400, "%s", err.msg);
        return;
    }
    buf_putc(b, '[');
    for (size_t i = 0; i < snap->n; i++) {
        const struct registry_entry *e = &snap->entries[i];
        if (ready && e->state != MODEL_READY)
            continue;
        if (!first)
            buf_putc(b, ',');
        first = false;
        buf_puts(b, "{\"name\":");
        buf_put_quoted(b, str_from_cstr(e->name));
        buf_puts(b, ",\"version\":");
        buf_put_quoted(b, str_from_cstr(e->version));
        buf_printf(b,
                   ",\"state\":\"%s\",\"reason\":", model_state_name(e->state));
        buf_put_quoted(b, str_from_cstr(e->reason));
        buf_putc(b, '}');
    }
    buf_putc(b, ']');
    reply_json(r);
}

/* Nothing in a request names a file: what would be loaded from the body is
 * refused, whatever else it says is ignored. */
static bool check_load_body(struct http_request *r, struct err *err)
{
    struct json j;
    struct str key;

    if (str_trim(r->body).n == 0)
        return true;
    json_init(&j, r->body, &r->arena, err);
    if (!json_object(&j))
        return false;
    while (json_key(&j, &key)) {
        if (!str_eq(key, STR("parameters"))) {
            if (!json_skip(&j))
                return false;
            continue;
        }
        if (!json_object(&j))
            return false;
        while (json_key(&j, &key)) {
            if (str_starts(key, STR("file:")) || str_eq(key, STR("config")))
                return json_fail(&j, j.p,
                                 "models are loaded from the repository on the "
                                 "server's disk; files and configurations in "
                                 "the request are not accepted");
            if (!json_skip(&j))
                return false;
        }
        if (j.failed)
            return false;
    }
    return json_end(&j);
}

static void change(struct http_request *r, bool load)
{
    struct err err = {0};
    char *name = arena_cstr(&r->arena, r->match.params[0]);

    if (!name || !repo_name_valid(r->match.params[0])) {
        http_reply_error(r, 400, "'" STR_FMT "' is not a model name",
                         STR_ARG(r->match.params[0]));
        return;
    }
    if (!check_load_body(r, &err)) {
        http_reply_error(r, 400, "%s", err.msg);
        return;
    }
    loader_submit(service_of(r)->loader, r, name, load);
}

void oip_load(struct http_request *r)
{
    change(r, true);
}

void oip_unload(struct http_request *r)
{
    change(r, false);
}
