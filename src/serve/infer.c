/* What every protocol's decoder ends with: names, types, shapes. */
#include "serve/infer.h"

#include <stdio.h>
#include <string.h>

#include "codec/json.h"

struct infer *infer_new(struct http_request *http, struct served *model,
                        const struct protocol *protocol)
{
    struct infer *r = arena_new(&http->arena, struct infer, 1);

    if (!r)
        return NULL;
    r->http = http;
    r->model = model;
    r->protocol = protocol;
    r->inputs =
        arena_new(&http->arena, struct infer_input, model->spec->n_inputs + 1);
    r->outputs = arena_new(&http->arena, struct infer_output,
                           model->spec->n_outputs + 1);
    return r->inputs && r->outputs ? r : NULL;
}

int infer_find_input(const struct infer *r, struct str name)
{
    const struct model_spec *spec = r->model->spec;

    for (size_t i = 0; i < spec->n_inputs; i++)
        if (str_eq(name, str_from_cstr(spec->inputs[i].name)))
            return (int)i;
    return -1;
}

int infer_find_output(const struct infer *r, struct str name)
{
    const struct model_spec *spec = r->model->spec;

    for (size_t i = 0; i < spec->n_outputs; i++)
        if (str_eq(name, str_from_cstr(spec->outputs[i].name)))
            return (int)i;
    return -1;
}

int infer_only_input(const struct infer *r)
{
    const struct model_spec *spec = r->model->spec;
    int only = -1;

    for (size_t i = 0; i < spec->n_inputs; i++) {
        if (spec->inputs[i].optional)
            continue;
        if (only >= 0)
            return -1;
        only = (int)i;
    }
    return only;
}

static void put_place(struct buf *b, struct str text, const char *at)
{
    char path[JSON_PATH_MAX];

    if (!at || at < text.p || at > text.p + text.n) {
        buf_puts(b, " in the binary data");
        return;
    }
    json_path(text, at, path);
    buf_printf(b, " at %s", path);
}

/* "input 'x': expected FP32 [batch,3], got [1,4] at $.inputs[0].data" */
static enum errc mismatch(const struct io_spec *io,
                          const struct infer_input *in, struct str text,
                          bool type, struct err *err)
{
    struct buf b;

    buf_init(&b, 4096);
    buf_printf(&b, "input '%s': expected %s ", io->name, dtype_oip(io->type));
    shape_format(&b, &io->shape, io->dim_names);
    buf_puts(&b, ", got ");
    if (type)
        buf_printf(&b, "%s ", dtype_oip(in->tensor.type));
    shape_format(&b, &in->tensor.shape, NULL);
    put_place(&b, text, in->at);
    err_record(err, ERR_INVALID, "%.*s", (int)b.n, b.p ? b.p : "");
    buf_fini(&b);
    return ERR_INVALID;
}

static void lift_rank(struct tensor *t)
{
    memmove(t->shape.dim + 1, t->shape.dim,
            (size_t)t->shape.rank * sizeof(t->shape.dim[0]));
    t->shape.dim[0] = 1;
    t->shape.rank++;
}

static enum errc check_input(const struct io_spec *io, struct infer_input *in,
                             struct str text, bool lift, struct err *err)
{
    if (io->kind != VALUE_TENSOR || io->type == DTYPE_NONE)
        return err_set(err, ERR_UNSUPPORTED,
                       "input '%s' is not a tensor of a type that can be sent "
                       "in a request",
                       io->name);
    if (!in->given) {
        if (io->optional)
            return ERR_OK;
        struct buf b;
        buf_init(&b, 4096);
        shape_format(&b, &io->shape, io->dim_names);
        err_record(err, ERR_INVALID, "input '%s' is missing: expected %s %.*s",
                   io->name, dtype_oip(io->type), (int)b.n, b.p ? b.p : "");
        buf_fini(&b);
        return ERR_INVALID;
    }
    if (in->tensor.type != io->type)
        return mismatch(io, in, text, true, err);
    if (!io->has_shape)
        return ERR_OK;
    if (lift && in->tensor.shape.rank == io->shape.rank - 1 &&
        (io->shape.dim[0] < 0 || io->shape.dim[0] == 1))
        lift_rank(&in->tensor);
    if (!shape_fits(&io->shape, &in->tensor.shape))
        return mismatch(io, in, text, false, err);
    return ERR_OK;
}

/* All inputs of a batchable model have the same number of rows. */
static enum errc count_rows(struct infer *r, struct err *err)
{
    const struct model_spec *spec = r->model->spec;
    int first = -1;

    r->rows = 1;
    for (size_t i = 0; i < spec->n_inputs; i++) {
        const struct shape *s = &r->inputs[i].tensor.shape;
        if (!r->inputs[i].given || s->rank == 0 || spec->inputs[i].optional)
            continue;
        if (first >= 0 && (size_t)s->dim[0] != r->rows)
            return err_set(err, ERR_INVALID,
                           "inputs '%s' and '%s' have %zu and %lld rows; they "
                           "must have the same number",
                           spec->inputs[first].name, spec->inputs[i].name,
                           r->rows, (long long)s->dim[0]);
        r->rows = (size_t)s->dim[0];
        first = (int)i;
    }
    int64_t limit = r->model->config.max_batch;
    if (limit > 0 && r->rows > (size_t)limit)
        return err_set(err, ERR_INVALID,
                       "the request has %zu rows, the model's max_batch_size "
                       "is %lld",
                       r->rows, (long long)limit);
    return ERR_OK;
}

enum errc infer_check(struct infer *r, struct str text, bool lift,
                      struct err *err)
{
    const struct model_spec *spec = r->model->spec;
    enum errc rc = ERR_OK;

    for (size_t i = 0; i < spec->n_inputs && !rc; i++)
        rc = check_input(&spec->inputs[i], &r->inputs[i], text, lift, err);
    if (rc)
        return rc;
    r->wanted = 0;
    for (size_t i = 0; i < spec->n_outputs; i++)
        if (r->outputs[i].wanted)
            r->wanted |= UINT64_C(1) << i;
    if (r->wanted == 0) {
        for (size_t i = 0; i < spec->n_outputs; i++) {
            r->outputs[i].wanted = true;
            r->wanted |= UINT64_C(1) << i;
        }
    }
    r->rows = 1;
    return r->model->batchable ? count_rows(r, err) : ERR_OK;
}

enum errc infer_strings(struct infer *r, struct str bytes, struct tensor *t,
                        struct err *err)
{
    struct str *out = NULL, rest = bytes;

    /* Each takes at least its length: a count that cannot be is refused
     * before room is made for it. */
    if (t->count > bytes.n / 4)
        return err_set(err, ERR_INVALID,
                       "%zu BYTES elements do not fit in %zu bytes", t->count,
                       bytes.n);
    out = arena_new(&r->http->arena, struct str, t->count + 1);
    if (!out)
        return err_set(err, ERR_LIMIT, "the tensor is larger than the limit");
    for (size_t i = 0; i < t->count; i++) {
        uint32_t n;
        if (rest.n < sizeof(n))
            return err_set(err, ERR_INVALID, "BYTES element %zu is cut off", i);
        memcpy(&n, rest.p, sizeof(n));
        rest = str_slice(rest, sizeof(n), rest.n);
        if (n > rest.n)
            return err_set(err, ERR_INVALID,
                           "BYTES element %zu has %u bytes, %zu are left", i, n,
                           rest.n);
        out[i] = str_slice(rest, 0, n);
        rest = str_slice(rest, n, rest.n);
    }
    if (rest.n)
        return err_set(err, ERR_INVALID,
                       "%zu bytes are left behind the last BYTES element",
                       rest.n);
    t->data = out;
    return ERR_OK;
}

/* The shape that so many elements have: one free dimension takes what the
 * others leave, a free first one of two is a batch of one. */
static bool shape_from_count(const struct io_spec *io, size_t count,
                             struct shape *out)
{
    int64_t known = 1;
    int unknown = -1;

    *out = io->shape;
    if (!io->has_shape) {
        out->rank = 1;
        out->dim[0] = (int64_t)count;
        return true;
    }
    for (int i = out->rank - 1; i >= 0; i--) {
        if (out->dim[i] < 0 && unknown >= 0 && i > 0)
            return false;
        if (out->dim[i] < 0 && unknown >= 0)
            out->dim[i] = 1;
        else if (out->dim[i] < 0)
            unknown = i;
        else if (__builtin_mul_overflow(known, out->dim[i], &known))
            return false;
    }
    if (unknown < 0)
        return known == (int64_t)count;
    if (known == 0 || count % (size_t)known)
        return false;
    out->dim[unknown] = (int64_t)count / known;
    return true;
}

enum errc infer_decode_raw(struct infer *r, struct str bytes, struct err *err)
{
    const struct model_spec *spec = r->model->spec;
    int only = infer_only_input(r);

    if (only < 0)
        return err_set(err, ERR_INVALID,
                       "a raw binary request is for models with one input; "
                       "'%s' does not have one",
                       r->model->name);
    const struct io_spec *io = &spec->inputs[only];
    struct infer_input *in = &r->inputs[only];
    size_t size = dtype_size(io->type);

    in->given = true;
    in->tensor.type = io->type;
    if (io->type == DTYPE_STRING) {
        /* The body is the one element, without a length in front. */
        struct str *s = arena_new(&r->http->arena, struct str, 1);
        if (!s)
            return err_set(err, ERR_NOMEM, "out of memory");
        *s = bytes;
        in->tensor.data = s;
        size = bytes.n ? bytes.n : 1;
        if (bytes.n == 0)
            bytes.n = 1;
    } else {
        in->tensor.data = (void *)(uintptr_t)bytes.p;
    }
    if (size == 0 || bytes.n % size ||
        !shape_from_count(io, bytes.n / size, &in->tensor.shape)) {
        in->tensor.shape = (struct shape){1, {(int64_t)bytes.n}};
        return err_set(err, ERR_INVALID,
                       "input '%s': %zu bytes do not make a %s tensor of the "
                       "model's shape",
                       io->name, bytes.n, dtype_oip(io->type));
    }
    in->tensor.count = bytes.n / size;
    return ERR_OK;
}
