/* Values across the border: ours in, the runtime's out. */
#include <stdlib.h>
#include <string.h>

#include "model/ort_internal.h"

enum { MAX_NESTING = 3 };

static enum errc strings_in(const struct runtime *r, const struct tensor *t,
                            struct ort_value *v, struct err *err)
{
    const struct str *s = t->data;

    for (size_t i = 0; i < t->count; i++) {
        char *to;
        enum errc rc =
            ort_status(r, r->api.resized_string(v, i, s[i].n, &to), err);
        if (rc)
            return rc;
        if (s[i].n)
            memcpy(to, s[i].p, s[i].n);
    }
    return ERR_OK;
}

enum errc ort_value_in(const struct runtime *r, const struct tensor *t,
                       struct ort_value **out, struct err *err)
{
    static const uint64_t nowhere =
        0; /* the runtime refuses NULL for empty tensors */
    size_t rank = (size_t)t->shape.rank;

    if (t->type != DTYPE_STRING)
        return ort_status(
            r,
            r->api.create_tensor_on(
                r->memory, t->data ? t->data : (void *)(uintptr_t)&nowhere,
                tensor_bytes(t), t->shape.dim, rank, (int)t->type, out),
            err);
    enum errc rc = ort_status(r,
                              r->api.create_tensor(r->allocator, t->shape.dim,
                                                   rank, (int)t->type, out),
                              err);
    return rc ? rc : strings_in(r, t, *out, err);
}

static enum errc shape_out(const struct runtime *r, const struct ort_value *v,
                           struct tensor *t, struct err *err)
{
    struct ort_tensor_info *info;
    size_t rank = 0;
    int64_t count;
    int type = 0;
    enum errc rc = ort_status(r, r->api.tensor_info(v, &info), err);

    if (rc)
        return rc;
    rc = ort_status(r, r->api.element_type(info, &type), err);
    if (!rc)
        rc = ort_status(r, r->api.dimension_count(info, &rank), err);
    if (!rc && rank > SHAPE_MAX_RANK)
        rc = err_set(err, ERR_UNSUPPORTED,
                     "an output has %zu dimensions, more than %d", rank,
                     SHAPE_MAX_RANK);
    if (!rc)
        rc = ort_status(r, r->api.dimensions(info, t->shape.dim, rank), err);
    r->api.release_tensor_info(info);
    if (rc)
        return rc;
    t->shape.rank = (int)rank;
    t->type = dtype_known(type) ? (enum dtype)type : DTYPE_NONE;
    if (!shape_count(&t->shape, &count))
        return err_set(err, ERR_INTERNAL, "an output has a negative dimension");
    t->count = (size_t)count;
    return ERR_OK;
}

/* The runtime gives all strings in one block and where each begins. */
static enum errc strings_out(const struct runtime *r, const struct ort_value *v,
                             struct arena *arena, struct tensor *t,
                             struct err *err)
{
    size_t n = t->count, total = 0;
    enum errc rc = ort_status(r, r->api.strings_length(v, &total), err);

    if (rc)
        return rc;
    char *text = arena_bytes(arena, total + 1);
    size_t *offsets = arena_new(arena, size_t, n + 1);
    struct str *out = arena_new(arena, struct str, n + 1);
    if (!text || !offsets || !out)
        return err_set(err, ERR_NOMEM, "out of memory for %zu strings", n);
    if (n)
        rc = ort_status(r, r->api.strings_content(v, text, total, offsets, n),
                        err);
    if (rc)
        return rc;
    for (size_t i = 0; i < n; i++) {
        size_t to = i + 1 < n ? offsets[i + 1] : total;
        out[i] = (struct str){text + offsets[i], to - offsets[i]};
    }
    t->data = out;
    return ERR_OK;
}

static enum errc tensor_out(const struct runtime *r, struct ort_value *v,
                            struct arena *arena, struct tensor *t,
                            struct err *err)
{
    enum errc rc = shape_out(r, v, t, err);

    if (rc)
        return rc;
    if (t->type == DTYPE_STRING)
        return strings_out(r, v, arena, t, err);
    return ort_status(r, r->api.tensor_data(v, &t->data), err);
}

/* Members are copied by the runtime; a copy of our own lets its go at once. */
static enum errc own(struct arena *arena, struct value *v, struct err *err)
{
    size_t bytes = tensor_bytes(&v->tensor);

    if (v->kind != VALUE_TENSOR || v->tensor.type == DTYPE_STRING)
        return ERR_OK;
    void *copy = arena_bytes(arena, bytes + 1);
    if (!copy)
        return err_set(err, ERR_NOMEM, "out of memory for an output");
    if (bytes)
        memcpy(copy, v->tensor.data, bytes);
    v->tensor.data = copy;
    return ERR_OK;
}

static enum errc value_out(const struct runtime *r, struct ort_value *v,
                           struct arena *arena, struct value *out, int depth,
                           struct err *err);

static enum errc members(const struct runtime *r, struct ort_value *v,
                         struct arena *arena, struct value *out, int depth,
                         struct err *err)
{
    size_t n = 0;
    enum errc rc = ort_status(r, r->api.value_count(v, &n), err);

    if (rc)
        return rc;
    out->items = arena_new(arena, struct value, n + 1);
    if (!out->items)
        return err_set(err, ERR_NOMEM, "out of memory for %zu values", n);
    for (size_t i = 0; i < n && !rc; i++) {
        struct ort_value *item = NULL;
        rc = ort_status(r, r->api.get_value(v, (int)i, r->allocator, &item),
                        err);
        if (!rc)
            rc = value_out(r, item, arena, &out->items[i], depth + 1, err);
        if (!rc)
            rc = own(arena, &out->items[i], err);
        r->api.release_value(item);
    }
    out->n = n;
    return rc;
}

static enum errc value_out(const struct runtime *r, struct ort_value *v,
                           struct arena *arena, struct value *out, int depth,
                           struct err *err)
{
    int type = ORT_TYPE_UNKNOWN, has = 0;
    enum errc rc = ort_status(r, r->api.has_value(v, &has), err);

    if (!rc && !has) {
        out->kind = VALUE_NONE;
        return ERR_OK;
    }
    if (!rc)
        rc = ort_status(r, r->api.value_type(v, &type), err);
    if (rc)
        return rc;
    if (type == ORT_TYPE_TENSOR) {
        out->kind = VALUE_TENSOR;
        return tensor_out(r, v, arena, &out->tensor, err);
    }
    if ((type == ORT_TYPE_SEQUENCE || type == ORT_TYPE_MAP) &&
        depth < MAX_NESTING) {
        out->kind = type == ORT_TYPE_MAP ? VALUE_MAP : VALUE_SEQUENCE;
        return members(r, v, arena, out, depth, err);
    }
    out->kind = VALUE_OTHER;
    return ERR_OK;
}

enum errc ort_value_out(const struct runtime *r, struct ort_value *v,
                        struct arena *arena, struct value *out, struct err *err)
{
    return value_out(r, v, arena, out, 0, err);
}
