/* oip.c - Open Inference Protocol V2 over REST: the infer request and reply,
 * JSON and binary, as Triton and its clients speak it.
 *
 * Body: a JSON object, behind it the binary tensors in the order of the
 * inputs; Inference-Header-Content-Length says where the JSON ends (0: there
 * is none, the body is one tensor). Sources: Triton's docs/protocol, and what
 * its clients send (facts/serving.md, 2.1 and 2.2).
 */
#include <string.h>

#include "codec/json_tensor.h"
#include "serve/oip_internal.h"
#include "serve/protocols.h"
#include "serve/value_json.h"

/* One element of "inputs" while it is read: data may come before the names
 * and shapes that say how to read it. */
struct draft {
    struct str name, type;
    struct shape shape;
    bool has_name, has_shape, has_type;
    struct str data; /* set aside until the rest is known */
    bool has_data, has_binary, decoded;
    uint64_t binary_size;
    const char *at; /* of the object */
    const char *data_at;
    struct elements elements;
    struct shape nested; /* as the lists were nested */
};

struct body {
    struct str json;   /* the JSON part */
    struct str binary; /* what is not yet taken of the rest */
    struct err *err;
};

static bool read_shape(struct json *j, struct draft *d)
{
    d->shape.rank = 0;
    d->has_shape = true;
    if (!json_array(j))
        return false;
    while (json_item(j)) {
        int64_t v;
        const char *at = j->p;
        if (!json_i64(j, &v))
            return false;
        if (v < 0)
            return json_fail(j, at, "a dimension is negative");
        if (d->shape.rank == SHAPE_MAX_RANK)
            return json_fail(j, at, "more than %d dimensions", SHAPE_MAX_RANK);
        d->shape.dim[d->shape.rank++] = v;
    }
    return !j->failed;
}

/* Unknown parameters are ignored, as everywhere in the protocol. */
static bool read_input_parameters(struct json *j, struct draft *d)
{
    struct str key;

    if (!json_object(j))
        return false;
    while (json_key(j, &key)) {
        if (str_eq(key, STR("binary_data_size"))) {
            d->has_binary = true;
            if (!json_u64(j, &d->binary_size))
                return false;
        } else if (str_starts(key, STR("shared_memory_"))) {
            return json_fail(j, j->p,
                             "shared memory is not supported: send "
                             "the data in the request");
        } else if (!json_skip(j)) {
            return false;
        }
    }
    return !j->failed;
}

static bool decode_data(struct infer *r, struct json *j, struct draft *d)
{
    enum dtype type = dtype_from_oip(d->type);
    int64_t count;

    (void)json_peek(j);
    d->data_at = j->p;
    if (type == DTYPE_NONE)
        return json_fail(j, d->at, "unknown datatype '" STR_FMT "'",
                         STR_ARG(d->type));
    d->elements = (struct elements){.type = type};
    if (!shape_count(&d->shape, &count))
        return json_fail(j, d->at, "the shape is too large");
    /* Each element takes two bytes, so a shape that claims more is a lie. */
    if (count > 0 && (uint64_t)count <= (uint64_t)(j->end - j->p) &&
        !elements_reserve(&d->elements, &r->http->arena, (size_t)count))
        return json_fail(j, d->at, "the tensor is larger than the limit");
    d->decoded = true;
    return json_tensor_read(j, &d->elements, &d->nested);
}

static bool read_data(struct infer *r, struct json *j, struct draft *d)
{
    d->has_data = true;
    if (d->has_type && d->has_shape)
        return decode_data(r, j, d);
    return json_span(j, &d->data);
}

/* Text set aside earlier is read where it stands, so that errors name the
 * right place. */
static bool decode_deferred(struct infer *r, const struct body *b,
                            struct json *j, struct draft *d)
{
    struct json again;

    if (!d->has_data || d->decoded)
        return true;
    json_init(&again, b->json, &r->http->arena, b->err);
    again.p = d->data.p;
    if (decode_data(r, &again, d))
        return true;
    j->failed = true;
    return false;
}

static bool read_draft(struct infer *r, struct json *j, struct draft *d)
{
    struct str key;

    (void)json_peek(j);
    d->at = j->p;
    if (!json_object(j))
        return false;
    while (json_key(j, &key)) {
        bool fine;
        if (str_eq(key, STR("name")))
            fine = d->has_name = json_string(j, &d->name);
        else if (str_eq(key, STR("datatype")))
            fine = d->has_type = json_string(j, &d->type);
        else if (str_eq(key, STR("shape")))
            fine = read_shape(j, d);
        else if (str_eq(key, STR("parameters")))
            fine = read_input_parameters(j, d);
        else if (str_eq(key, STR("data")))
            fine = read_data(r, j, d);
        else
            fine = json_skip(j);
        if (!fine)
            return false;
    }
    return !j->failed;
}

/* The count must be right; nested lists must also be nested right. */
static bool check_data(struct json *j, const struct draft *d, int64_t count)
{
    struct buf got, want;

    if ((uint64_t)count == d->elements.n &&
        (d->nested.rank <= 1 || shape_eq(&d->nested, &d->shape)))
        return true;
    buf_init(&got, 512);
    buf_init(&want, 512);
    shape_format(&got, &d->nested, NULL);
    shape_format(&want, &d->shape, NULL);
    json_fail(j, d->data_at,
              "input '" STR_FMT "': expected %lld elements for shape %.*s, "
              "got %zu in %.*s",
              STR_ARG(d->name), (long long)count, (int)want.n, want.p,
              d->elements.n, (int)got.n, got.p);
    buf_fini(&got);
    buf_fini(&want);
    return false;
}

/* The next bytes of the binary part. On an odd address they are moved: the
 * runtime's kernels load whole elements. */
static bool take_binary(struct infer *r, struct json *j, struct body *b,
                        const struct draft *d, struct tensor *t)
{
    size_t size = dtype_size(t->type);

    if (d->binary_size > b->binary.n)
        return json_fail(j, d->at,
                         "input '" STR_FMT "': binary_data_size is %llu, but "
                         "only %zu bytes are left behind the JSON",
                         STR_ARG(d->name), (unsigned long long)d->binary_size,
                         b->binary.n);
    struct str bytes = str_slice(b->binary, 0, (size_t)d->binary_size);
    b->binary = str_slice(b->binary, bytes.n, b->binary.n);
    if (t->type == DTYPE_STRING) {
        if (infer_strings(r, bytes, t, b->err)) {
            j->failed = true;
            return false;
        }
        return true;
    }
    if (t->count > SIZE_MAX / size || t->count * size != bytes.n)
        return json_fail(j, d->at,
                         "input '" STR_FMT "': the shape and datatype need "
                         "%zu bytes, binary_data_size is %zu",
                         STR_ARG(d->name), t->count * size, bytes.n);
    t->data = (void *)(uintptr_t)bytes.p;
    if ((uintptr_t)bytes.p % (size > 8 ? 8 : size)) {
        t->data = arena_bytes(&r->http->arena, bytes.n);
        if (!t->data)
            return json_fail(j, d->at, "the tensor is larger than the limit");
        memcpy(t->data, bytes.p, bytes.n);
    }
    return true;
}

static bool finish_draft(struct infer *r, struct json *j, struct body *b,
                         struct draft *d)
{
    const char *missing = !d->has_name    ? "name"
                          : !d->has_shape ? "shape"
                          : !d->has_type  ? "datatype"
                                          : NULL;
    int64_t count;

    if (missing)
        return json_fail(j, d->at, "an input has no '%s'", missing);
    if (d->has_data + d->has_binary != 1)
        return json_fail(j, d->at,
                         "input '" STR_FMT "' must have either data or "
                         "binary_data_size",
                         STR_ARG(d->name));
    int i = infer_find_input(r, d->name);
    if (i < 0)
        return json_fail(
            j, d->at, "unexpected inference input '" STR_FMT "' for model '%s'",
            STR_ARG(d->name), r->model->name);
    struct infer_input *in = &r->inputs[i];
    if (in->given)
        return json_fail(j, d->at, "input '" STR_FMT "' is given twice",
                         STR_ARG(d->name));
    if (!shape_count(&d->shape, &count))
        return json_fail(j, d->at, "the shape is too large");
    in->given = true;
    in->at = d->has_data ? NULL : d->at;
    in->tensor.type = dtype_from_oip(d->type);
    in->tensor.shape = d->shape;
    in->tensor.count = (size_t)count;
    if (in->tensor.type == DTYPE_NONE)
        return json_fail(j, d->at, "unknown datatype '" STR_FMT "'",
                         STR_ARG(d->type));
    if (!d->has_data)
        return take_binary(r, j, b, d, &in->tensor);
    if (!decode_deferred(r, b, j, d) || !check_data(j, d, count))
        return false;
    in->at = d->data_at;
    in->tensor.data = d->elements.data;
    return true;
}

static bool read_inputs(struct infer *r, struct json *j, struct body *b)
{
    if (!json_array(j))
        return false;
    while (json_item(j)) {
        struct draft d = {0};
        if (!read_draft(r, j, &d) || !finish_draft(r, j, b, &d))
            return false;
    }
    return !j->failed;
}

static bool read_output_parameters(struct json *j, struct infer_output *out)
{
    struct str key;
    uint64_t n;

    if (!json_object(j))
        return false;
    while (json_key(j, &key)) {
        bool fine;
        if (str_eq(key, STR("binary_data"))) {
            fine = json_bool(j, &out->binary);
        } else if (str_eq(key, STR("classification"))) {
            fine = json_u64(j, &n);
            out->classes = n > 1 << 20 ? 1 << 20 : (unsigned)n;
        } else if (str_starts(key, STR("shared_memory_"))) {
            fine = json_fail(j, j->p, "shared memory is not supported");
        } else {
            fine = json_skip(j);
        }
        if (!fine)
            return false;
    }
    return !j->failed;
}

static bool read_output(struct infer *r, struct json *j)
{
    struct infer_output out = {.wanted = true, .binary = r->binary_default};
    struct str key, name = {NULL, 0};

    (void)json_peek(j);
    const char *at = j->p;
    if (!json_object(j))
        return false;
    while (json_key(j, &key)) {
        bool fine = str_eq(key, STR("name")) ? json_string(j, &name)
                    : str_eq(key, STR("parameters"))
                        ? read_output_parameters(j, &out)
                        : json_skip(j);
        if (!fine)
            return false;
    }
    if (j->failed)
        return false;
    int i = name.p ? infer_find_output(r, name) : -1;
    if (i < 0)
        return json_fail(
            j, at, "unexpected inference output '" STR_FMT "' for model '%s'",
            STR_ARG(name), r->model->name);
    if (r->outputs[i].wanted)
        return json_fail(j, at, "output '" STR_FMT "' is requested twice",
                         STR_ARG(name));
    r->outputs[i] = out;
    return true;
}

static bool read_outputs(struct infer *r, struct json *j)
{
    if (!json_array(j))
        return false;
    while (json_item(j))
        if (!read_output(r, j))
            return false;
    return !j->failed;
}

static bool read_parameters(struct infer *r, struct json *j)
{
    struct str key;

    if (!json_object(j))
        return false;
    while (json_key(j, &key)) {
        bool fine;
        if (str_eq(key, STR("binary_data_output")))
            fine = json_bool(j, &r->binary_default);
        else if (str_eq(key, STR("timeout")))
            fine = json_u64(j, &r->timeout_us);
        else if (str_eq(key, STR("priority")))
            fine = json_u64(j, &r->priority);
        else if (str_starts(key, STR("triton_")))
            fine = json_fail(j, j->p,
                             "parameter names that begin with triton_ are "
                             "reserved");
        else
            fine = json_skip(j);
        if (!fine)
            return false;
    }
    return !j->failed;
}

static enum errc split_body(struct infer *r, struct body *b)
{
    struct str header = r->http->head.known[HTTP_INFERENCE_LENGTH];
    struct str all = r->http->body;
    uint64_t n = all.n;

    if (header.p && (!str_to_u64(header, &n) || n > all.n))
        return err_set(b->err, ERR_INVALID,
                       "Inference-Header-Content-Length '" STR_FMT
                       "' is not a number up to the body's %zu bytes",
                       STR_ARG(header), all.n);
    b->json = str_slice(all, 0, (size_t)n);
    b->binary = str_slice(all, (size_t)n, all.n);
    return ERR_OK;
}

static void all_binary(struct infer *r)
{
    for (size_t i = 0; i < r->model->spec->n_outputs; i++)
        r->outputs[i].binary = true;
}

/* Outputs come behind the parameters that say what form they default to, or in
 * front of them; so they are read last. */
static bool read_request(struct infer *r, struct json *j, struct body *b)
{
    struct str key, outputs = {NULL, 0};
    bool has_inputs = false;

    if (!json_object(j))
        return false;
    while (json_key(j, &key)) {
        bool fine;
        if (str_eq(key, STR("id")))
            fine = json_string(j, &r->id);
        else if (str_eq(key, STR("inputs")))
            fine = has_inputs = read_inputs(r, j, b);
        else if (str_eq(key, STR("outputs")))
            fine = json_span(j, &outputs);
        else if (str_eq(key, STR("parameters")))
            fine = read_parameters(r, j);
        else
            fine = json_skip(j);
        if (!fine)
            return false;
    }
    if (!json_end(j))
        return false;
    if (!has_inputs && r->model->spec->n_inputs)
        return json_fail(j, j->start, "the request has no 'inputs'");
    if (r->binary_default)
        all_binary(r);
    if (!outputs.p)
        return true;
    struct json again;
    json_init(&again, b->json, &r->http->arena, b->err);
    again.p = outputs.p;
    return read_outputs(r, &again);
}

static enum errc decode(struct infer *r, struct err *err)
{
    struct body b = {.err = err};
    struct json j;
    enum errc rc = split_body(r, &b);

    if (rc)
        return rc;
    if (r->raw ||
        (b.json.n == 0 && r->http->head.known[HTTP_INFERENCE_LENGTH].p)) {
        r->raw = true;
        r->binary_default = true;
        all_binary(r);
        rc = infer_decode_raw(r, r->http->body, err);
        return rc ? rc : infer_check(r, (struct str){NULL, 0}, false, err);
    }
    json_init(&j, b.json, &r->http->arena, err);
    if (!read_request(r, &j, &b))
        return ERR_INVALID;
    if (b.binary.n)
        return err_set(err, ERR_INVALID,
                       "%zu bytes are left behind the last binary tensor",
                       b.binary.n);
    return infer_check(r, b.json, false, err);
}

const struct protocol protocol_oip = {
    .name = "oip",
    .decode = decode,
    .encode = oip_encode,
};
