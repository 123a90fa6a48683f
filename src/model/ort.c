/* ort.c - the border to ONNX Runtime: environment, sessions, runs. */
#include <stdlib.h>
#include <string.h>

#include "model/ort_internal.h"

enum { SPEC_LIMIT = 16 << 20, RESULT_LIMIT = 1 << 30 };

enum errc ort_status(const struct runtime *r, struct ort_status *s,
                     struct err *err)
{
    if (!s)
        return ERR_OK;
    int code = r->api.error_code(s);
    enum errc rc = code == ORT_NOT_IMPLEMENTED ? ERR_UNSUPPORTED
                   : code == ORT_FAIL || code == ORT_INVALID_ARGUMENT ||
                           code == ORT_INVALID_PROTOBUF ||
                           code == ORT_INVALID_GRAPH || code == ORT_NO_SUCHFILE
                       ? ERR_INVALID
                       : ERR_INTERNAL;
    err_record(err, rc, "%s", r->api.error_message(s));
    r->api.release_status(s);
    return rc;
}

static void ort_close(struct runtime *r)
{
    if (!r)
        return;
    if (r->options)
        r->api.release_session_options(r->options);
    if (r->memory)
        r->api.release_memory_info(r->memory);
    if (r->env)
        r->api.release_env(r->env);
    /* The library stays mapped: its threads and atexit handlers may run. */
    free(r->path);
    free(r->version);
    free(r);
}

static enum errc session_options(struct runtime *r, int threads,
                                 struct err *err)
{
    const struct ort_api *a = &r->api;
    enum errc rc = ort_status(r, a->create_session_options(&r->options), err);

    if (!rc)
        rc = ort_status(r, a->set_intra_threads(r->options, threads), err);
    if (!rc)
        rc = ort_status(r, a->set_inter_threads(r->options, 1), err);
    if (!rc)
        rc = ort_status(r, a->set_log_severity(r->options, ORT_LOG_FATAL), err);
    /* Spinning burns the cores that the event loops need. */
    if (!rc)
        rc = ort_status(
            r,
            a->add_config(r->options, "session.intra_op.allow_spinning", "0"),
            err);
    return rc;
}

static enum errc ort_open(const struct runtime_options *options,
                          struct runtime **out, struct err *err)
{
    struct runtime *r = calloc(1, sizeof(*r));
    enum errc rc;

    if (!r)
        return err_set(err, ERR_NOMEM, "out of memory");
    rc = ort_open_library(r, options->library, err);
    if (!rc)
        rc = ort_status(r, r->api.create_env(ORT_LOG_FATAL, "stoker", &r->env),
                        err);
    if (!rc)
        rc =
            ort_status(r, r->api.create_cpu_memory_info(1, 0, &r->memory), err);
    if (!rc)
        rc = ort_status(r, r->api.default_allocator(&r->allocator), err);
    if (!rc)
        rc = session_options(r, options->threads, err);
    if (!rc)
        rc = ort_select_device(r, options->device, err);
    if (rc) {
        ort_close(r);
        return rc;
    }
    *out = r;
    return ERR_OK;
}

static const char *ort_version(const struct runtime *r)
{
    return r->version;
}

static const char *ort_library(const struct runtime *r)
{
    return r->path;
}

static const char *ort_device(const struct runtime *r)
{
    return r->device;
}

static void ort_unload(struct session *s)
{
    if (!s)
        return;
    if (s->ort)
        s->runtime->api.release_session(s->ort);
    arena_fini(&s->arena);
    free(s);
}

/* Hands the weights over where they are: the runtime keeps no copy. */
static enum errc add_weights(struct runtime *r,
                             const struct model_source *source,
                             struct ort_session_options *options,
                             struct err *err)
{
    size_t n = source->n_weights;
    const char **names = calloc(n + 1, sizeof(*names));
    struct ort_value **values = calloc(n + 1, sizeof(struct ort_value *));
    enum errc rc = ERR_OK;

    if (!names || !values)
        rc = err_set(err, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < n && !rc; i++) {
        names[i] = source->weights[i].name;
        rc = ort_value_in(r, &source->weights[i].tensor, &values[i], err);
    }
    if (!rc)
        rc = ort_status(
            r,
            r->api.add_external_initializers(
                options, names, (const struct ort_value *const *)values, n),
            err);
    for (size_t i = 0; values && i < n; i++)
        r->api.release_value(values[i]);
    free(names);
    free(values);
    return rc;
}

static enum errc create_session(struct runtime *r,
                                const struct model_source *source,
                                struct ort_session **out, struct err *err)
{
    struct ort_session_options *options = r->options;
    enum errc rc = ERR_OK;

    if (source->n_weights) {
        rc = ort_status(r, r->api.clone_session_options(r->options, &options),
                        err);
        if (rc)
            return rc;
        rc = add_weights(r, source, options, err);
    }
    if (!rc)
        rc = ort_status(r,
                        r->api.create_session(r->env, source->bytes.p,
                                              source->bytes.n, options, out),
                        err);
    if (options != r->options)
        r->api.release_session_options(options);
    return rc;
}

static enum errc ort_load(struct runtime *r, const struct model_source *source,
                          struct session **out, struct err *err)
{
    struct session *s = calloc(1, sizeof(*s));
    enum errc rc = ERR_OK;

    if (!s)
        return err_set(err, ERR_NOMEM, "out of memory");
    s->runtime = r;
    arena_init(&s->arena, SPEC_LIMIT);
    if (source->folder)
        rc = ort_status(
            r,
            r->api.add_config(r->options,
                              "session.model_external_initializers_file_"
                              "folder_path",
                              source->folder),
            err);
    if (!rc)
        rc = create_session(r, source, &s->ort, err);
    if (!rc)
        rc = ort_describe(s, err);
    if (rc) {
        ort_unload(s);
        return rc;
    }
    *out = s;
    return ERR_OK;
}

static const struct model_spec *ort_spec(const struct session *s)
{
    return &s->spec;
}

enum { RUN_MAX_INPUTS = 64 };

static enum errc call(struct session *s, const char *const *in_names,
                      const struct ort_value *const *in, size_t n,
                      struct run_result *result, struct err *err)
{
    const struct runtime *r = s->runtime;
    const char *names[RUN_MAX_OUTPUTS];
    struct ort_value *values[RUN_MAX_OUTPUTS] = {NULL};
    size_t k = 0;

    for (size_t i = 0; i < result->n; i++)
        if (result->values[i].kind != VALUE_NONE)
            names[k++] = s->out_names[i];
    enum errc rc = ort_status(
        r, r->api.run(s->ort, NULL, in_names, in, n, names, k, values), err);
    k = 0;
    for (size_t i = 0; i < result->n; i++) {
        if (result->values[i].kind == VALUE_NONE)
            continue;
        result->handles[i] = values[k++];
        if (!rc)
            rc = ort_value_out(r, result->handles[i], &result->arena,
                               &result->values[i], err);
    }
    return rc;
}

static enum errc ort_run(struct session *s, const struct run_input *inputs,
                         size_t n, uint64_t wanted, struct run_result *result,
                         struct err *err)
{
    const struct runtime *r = s->runtime;
    const char *names[RUN_MAX_INPUTS];
    struct ort_value *values[RUN_MAX_INPUTS] = {NULL};
    enum errc rc = ERR_OK;

    arena_init(&result->arena, RESULT_LIMIT);
    result->n = s->spec.n_outputs;
    for (size_t i = 0; i < result->n; i++) {
        result->handles[i] = NULL;
        result->values[i].kind = wanted >> i & 1 ? VALUE_TENSOR : VALUE_NONE;
    }
    if (n > RUN_MAX_INPUTS)
        return err_set(err, ERR_LIMIT, "more than %d inputs", RUN_MAX_INPUTS);
    for (size_t i = 0; i < n && !rc; i++) {
        names[i] = inputs[i].name;
        rc = ort_value_in(r, inputs[i].tensor, &values[i], err);
    }
    if (!rc)
        rc = call(s, names, (const struct ort_value *const *)values, n, result,
                  err);
    for (size_t i = 0; i < n; i++)
        r->api.release_value(values[i]);
    return rc;
}

static void ort_release(struct session *s, struct run_result *result)
{
    for (size_t i = 0; i < result->n; i++) {
        s->runtime->api.release_value(result->handles[i]);
        result->handles[i] = NULL;
    }
    arena_fini(&result->arena);
    result->n = 0;
}

const struct runtime_ops runtime_ort = {
    .name = "onnxruntime",
    .open = ort_open,
    .close = ort_close,
    .version = ort_version,
    .library = ort_library,
    .device = ort_device,
    .load = ort_load,
    .unload = ort_unload,
    .spec = ort_spec,
    .run = ort_run,
    .release = ort_release,
};
