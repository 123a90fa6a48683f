#include "model/golden.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "codec/json_tensor.h"

enum { MAX_TENSORS = 64 };

/* Tensors for the inputs or outputs of a model, by position. */
struct set {
    const struct io_spec *specs;
    size_t n;
    struct tensor tensors[MAX_TENSORS];
    bool given[MAX_TENSORS];
};

static bool read_one(struct json *j, struct set *s, size_t i)
{
    struct elements e = {.type = s->specs[i].type};
    struct tensor *t = &s->tensors[i];

    if (e.type == DTYPE_NONE || s->specs[i].kind != VALUE_TENSOR)
        return json_fail(j, j->p, "'%s' is no tensor", s->specs[i].name);
    if (!json_tensor_read(j, &e, &t->shape))
        return false;
    t->type = e.type;
    t->data = e.data;
    t->count = e.n;
    s->given[i] = true;
    return true;
}

static bool read_set(struct json *j, struct set *s)
{
    struct str key;

    if (json_peek(j) != '{')
        return s->n ? read_one(j, s, 0)
                    : json_fail(j, j->p, "the model has nothing here");
    if (!json_object(j))
        return false;
    while (json_key(j, &key)) {
        size_t i = 0;
        if (str_eq(key, STR("predict_result"))) {
            if (!read_set(j, s))
                return false;
            continue;
        }
        while (i < s->n && !str_eq(key, str_from_cstr(s->specs[i].name)))
            i++;
        if (i == s->n)
            return json_fail(j, j->p, "the model has no '" STR_FMT "' here",
                             (int)(key.n < 60 ? key.n : 60), key.p);
        if (!read_one(j, s, i))
            return false;
    }
    return !j->failed;
}

static enum errc parse(struct str text, const struct io_spec *specs, size_t n,
                       struct arena *arena, struct set *out, struct err *err)
{
    struct json j;

    *out = (struct set){.specs = specs, .n = n};
    if (n > MAX_TENSORS)
        return err_set(err, ERR_LIMIT, "the model has too many tensors");
    json_init(&j, text, arena, err);
    return read_set(&j, out) && json_end(&j) ? ERR_OK : ERR_INVALID;
}

static double element(const struct tensor *t, size_t i)
{
    switch ((int)t->type) {
    case DTYPE_F32:
        return (double)((const float *)t->data)[i];
    case DTYPE_F64:
        return ((const double *)t->data)[i];
    case DTYPE_F16:
        return (double)dtype_f16_to_f32(((const uint16_t *)t->data)[i]);
    case DTYPE_BF16:
        return (double)dtype_bf16_to_f32(((const uint16_t *)t->data)[i]);
    default:
        return 0;
    }
}

static double largest(const struct tensor *t)
{
    double most = 0;

    for (size_t i = 0; i < t->count; i++) {
        double v = fabs(element(t, i));
        most = isfinite(v) && v > most ? v : most;
    }
    return most;
}

static enum errc differs(struct err *err, const char *name, size_t at,
                         const struct tensor *got, const struct tensor *want)
{
    if (dtype_is_float(got->type))
        return err_set(err, ERR_CONFLICT,
                       "output '%s' is %.9g at element %zu, recorded was %.9g",
                       name, element(got, at), at, element(want, at));
    return err_set(err, ERR_CONFLICT,
                   "output '%s' differs from what was recorded at element %zu",
                   name, at);
}

static bool same_texts(const struct tensor *got, const struct tensor *want,
                       size_t *at)
{
    const struct str *a = got->data, *b = want->data;

    for (*at = 0; *at < got->count; (*at)++)
        if (!str_eq(a[*at], b[*at]))
            return false;
    return true;
}

/* Floats by tolerance, everything else by its bytes. */
static enum errc compare(const char *name, const struct tensor *got,
                         const struct tensor *want, double rtol, double atol,
                         struct golden_result *r, struct err *err)
{
    size_t size = dtype_size(got->type), at = 0;
    double scale;

    r->outputs++;
    r->elements += got->count;
    if (!shape_eq(&got->shape, &want->shape)) {
        struct buf b;
        buf_init(&b, 400);
        shape_format(&b, &got->shape, NULL);
        buf_puts(&b, ", recorded was ");
        shape_format(&b, &want->shape, NULL);
        (void)err_set(err, ERR_CONFLICT, "output '%s' has the shape %.*s", name,
                      (int)b.n, b.p);
        buf_fini(&b);
        return ERR_CONFLICT;
    }
    if (got->type == DTYPE_STRING)
        return same_texts(got, want, &at) ? ERR_OK
                                          : differs(err, name, at, got, want);
    if (!dtype_is_float(got->type)) {
        for (; at < got->count; at++)
            if (memcmp((const char *)got->data + at * size,
                       (const char *)want->data + at * size, size) != 0)
                return differs(err, name, at, got, want);
        return ERR_OK;
    }
    scale = atol * largest(want);
    for (; at < got->count; at++) {
        double a = element(got, at), b = element(want, at);
        double allowed = scale + rtol * fabs(b), off = fabs(a - b);
        if (a == b || (isnan(a) && isnan(b)))
            continue;
        double ratio = allowed > 0 ? off / allowed : (double)INFINITY;
        if (ratio > r->worst) {
            r->worst = ratio;
            r->worst_output = name;
        }
        if (!(off <= allowed))
            return differs(err, name, at, got, want);
    }
    return ERR_OK;
}

static enum errc run_and_compare(const struct runtime_ops *ops,
                                 struct session *s, const struct set *in,
                                 const struct set *want, const double tol[2],
                                 struct golden_result *r, struct err *err)
{
    struct run_input inputs[MAX_TENSORS];
    struct run_result result;
    size_t n = 0;

    for (size_t i = 0; i < in->n; i++)
        if (in->given[i])
            inputs[n++] =
                (struct run_input){in->specs[i].name, &in->tensors[i]};
    enum errc rc = ops->run(s, inputs, n, UINT64_MAX, &result, err);
    for (size_t i = 0; i < want->n && !rc; i++)
        if (want->given[i] && result.values[i].kind == VALUE_TENSOR)
            rc = compare(want->specs[i].name, &result.values[i].tensor,
                         &want->tensors[i], tol[0], tol[1], r, err);
    ops->release(s, &result);
    if (!rc && r->outputs == 0)
        rc = err_set(err, ERR_INVALID, "the recording names no output");
    return rc;
}

enum errc golden_compare(const struct runtime_ops *ops, struct session *s,
                         struct str input, struct str output, double rtol,
                         double atol, struct golden_result *out,
                         struct err *err)
{
    const struct model_spec *spec = ops->spec(s);
    const double tol[2] = {rtol, atol};
    struct set in, want;
    struct arena arena;

    *out = (struct golden_result){.outputs = 0};
    arena_init(&arena, (size_t)GOLDEN_MAX_BYTES * 4);
    enum errc rc = parse(input, spec->inputs, spec->n_inputs, &arena, &in, err);
    if (rc)
        rc = err_wrap(err, rc, "the recorded input");
    if (!rc) {
        rc = parse(output, spec->outputs, spec->n_outputs, &arena, &want, err);
        if (rc)
            rc = err_wrap(err, rc, "the recorded output");
    }
    if (!rc)
        rc = run_and_compare(ops, s, &in, &want, tol, out, err);
    arena_fini(&arena);
    return rc;
}

static enum errc one_recording(const struct runtime_ops *ops, struct session *s,
                               struct json *j, struct err *err)
{
    struct str key, input = {NULL, 0}, output = {NULL, 0};
    struct golden_result result;
    double rtol = 1e-3, atol = 1e-4;

    if (!json_object(j))
        return ERR_INVALID;
    while (json_key(j, &key)) {
        bool ok = str_eq(key, STR("input"))    ? json_span(j, &input)
                  : str_eq(key, STR("output")) ? json_span(j, &output)
                  : str_eq(key, STR("rtol"))   ? json_f64(j, &rtol)
                  : str_eq(key, STR("atol"))   ? json_f64(j, &atol)
                                               : json_skip(j);
        if (!ok)
            return ERR_INVALID;
    }
    if (j->failed)
        return ERR_INVALID;
    if (!input.p || !output.p)
        return err_set(err, ERR_INVALID,
                       "a recording needs \"input\" and \"output\"");
    return golden_compare(ops, s, input, output, rtol, atol, &result, err);
}

enum errc golden_check(const struct runtime_ops *ops, struct session *s,
                       struct str text, struct err *err)
{
    enum errc rc = ERR_OK;
    struct arena arena;
    struct json j;

    arena_init(&arena, GOLDEN_MAX_BYTES);
    json_init(&j, text, &arena, err);
    if (json_peek(&j) != '[')
        rc = one_recording(ops, s, &j, err);
    else if (json_array(&j))
        while (!rc && json_item(&j))
            rc = one_recording(ops, s, &j, err);
    if (!rc && !json_end(&j))
        rc = ERR_INVALID;
    arena_fini(&arena);
    return rc;
}

enum errc golden_beside(const struct runtime_ops *ops, struct session *s,
                        const char *model, struct err *err)
{
    const char *slash = strrchr(model, '/');
    char path[PATH_MAX];
    struct buf text;

    int n = snprintf(path, sizeof(path), "%.*sgolden.json",
                     slash ? (int)(slash - model + 1) : 0, model);
    if (n < 0 || (size_t)n >= sizeof(path) || access(path, F_OK) != 0)
        return ERR_OK;
    buf_init(&text, GOLDEN_MAX_BYTES);
    enum errc rc = json_read_file(path, &text, err);
    if (!rc)
        rc = golden_check(ops, s, buf_str(&text), err);
    buf_fini(&text);
    return rc ? err_wrap(err, rc, "'%.200s'", path) : ERR_OK;
}
