/* What a session says of its inputs and outputs. */
#include <string.h>

#include "model/ort_internal.h"

static enum errc take_text(struct session *s, struct ort_status *status,
                           char *text, const char **out, struct err *err)
{
    const struct runtime *r = s->runtime;
    enum errc rc = ort_status(r, status, err);

    if (rc)
        return rc;
    *out = arena_cstr(&s->arena, str_from_cstr(text));
    rc = ort_status(r, r->api.allocator_free(r->allocator, text), err);
    if (!rc && !*out)
        rc = err_set(err, ERR_LIMIT, "the names of the model are too long");
    return rc;
}

static enum errc describe_tensor(struct session *s,
                                 const struct ort_type_info *info,
                                 struct io_spec *out, struct err *err)
{
    const struct runtime *r = s->runtime;
    const struct ort_tensor_info *t = NULL;
    const char *names[SHAPE_MAX_RANK] = {NULL};
    size_t rank = 0;
    int type = 0;
    enum errc rc = ort_status(r, r->api.cast_tensor_info(info, &t), err);

    if (!rc)
        rc = ort_status(r, r->api.element_type(t, &type), err);
    if (!rc)
        rc = ort_status(r, r->api.dimension_count(t, &rank), err);
    if (!rc && rank > SHAPE_MAX_RANK)
        rc = err_set(err, ERR_UNSUPPORTED,
                     "'%s' has %zu dimensions, the limit "
                     "is %d",
                     out->name, rank, SHAPE_MAX_RANK);
    if (!rc)
        rc = ort_status(r, r->api.dimensions(t, out->shape.dim, rank), err);
    if (!rc)
        rc = ort_status(r, r->api.symbolic_dimensions(t, names, rank), err);
    if (rc)
        return rc;
    out->type = dtype_known(type) ? (enum dtype)type : DTYPE_NONE;
    out->shape.rank = (int)rank;
    /* Rank 0 is a scalar or an unknown rank: the old API cannot tell, and
     * taking either is right for both. */
    out->has_shape = rank > 0;
    for (size_t i = 0; i < rank; i++) {
        out->dim_names[i] =
            arena_cstr(&s->arena, str_from_cstr(names[i] ? names[i] : ""));
        if (out->shape.dim[i] < 0)
            out->shape.dim[i] = -1;
    }
    return ERR_OK;
}

static enum errc describe_type(struct session *s,
                               const struct ort_type_info *info,
                               struct io_spec *out, struct err *err)
{
    const struct runtime *r = s->runtime;
    int type = ORT_TYPE_UNKNOWN;
    enum errc rc = ort_status(r, r->api.type_of_info(info, &type), err);

    if (rc)
        return rc;
    switch (type) {
    case ORT_TYPE_TENSOR:
        out->kind = VALUE_TENSOR;
        return describe_tensor(s, info, out, err);
    case ORT_TYPE_SEQUENCE:
        out->kind = VALUE_SEQUENCE;
        return ERR_OK;
    case ORT_TYPE_MAP:
        out->kind = VALUE_MAP;
        return ERR_OK;
    case ORT_TYPE_OPTIONAL: {
        const struct ort_optional_info *o = NULL;
        struct ort_type_info *inner = NULL;
        int inner_type = ORT_TYPE_UNKNOWN;

        rc = ort_status(r, r->api.cast_optional_info(info, &o), err);
        if (!rc)
            rc = ort_status(r, r->api.optional_contained(o, &inner), err);
        if (!rc)
            rc = ort_status(r, r->api.type_of_info(inner, &inner_type), err);
        out->kind = inner_type == ORT_TYPE_TENSOR ? VALUE_TENSOR : VALUE_OTHER;
        if (!rc && inner_type == ORT_TYPE_TENSOR)
            rc = describe_tensor(s, inner, out, err);
        r->api.release_type_info(inner);
        return rc;
    }
    default:
        out->kind = VALUE_OTHER;
        return ERR_OK;
    }
}

/* The three lists of a session have the same shape of API. */
struct list {
    struct ort_status *(*name)(const struct ort_session *, size_t,
                               struct ort_allocator *, char **);
    struct ort_status *(*type)(const struct ort_session *, size_t,
                               struct ort_type_info **);
};

static enum errc describe_one(struct session *s, struct list list, size_t i,
                              struct io_spec *out, struct err *err)
{
    const struct runtime *r = s->runtime;
    struct ort_type_info *info = NULL;
    char *name = NULL;
    struct ort_status *status = list.name(s->ort, i, r->allocator, &name);
    enum errc rc = take_text(s, status, name, &out->name, err);

    if (!rc)
        rc = ort_status(r, list.type(s->ort, i, &info), err);
    if (!rc)
        rc = describe_type(s, info, out, err);
    r->api.release_type_info(info);
    return rc;
}

static enum errc describe_io(struct session *s, size_t n_in, size_t n_over,
                             size_t n_out, struct err *err)
{
    const struct ort_api *a = &s->runtime->api;
    struct list in = {a->input_name, a->input_type};
    struct list over = {a->overridable_name, a->overridable_type};
    struct list outputs = {a->output_name, a->output_type};
    enum errc rc = ERR_OK;

    s->spec.inputs = arena_new(&s->arena, struct io_spec, n_in + n_over + 1);
    s->spec.outputs = arena_new(&s->arena, struct io_spec, n_out + 1);
    if (!s->spec.inputs || !s->spec.outputs)
        return err_set(err, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < n_in && !rc; i++)
        rc = describe_one(s, in, i, &s->spec.inputs[i], err);
    for (size_t i = 0; i < n_over && !rc; i++) {
        rc = describe_one(s, over, i, &s->spec.inputs[n_in + i], err);
        s->spec.inputs[n_in + i].optional = true;
    }
    for (size_t i = 0; i < n_out && !rc; i++) {
        rc = describe_one(s, outputs, i, &s->spec.outputs[i], err);
        s->out_names[i] = s->spec.outputs[i].name;
    }
    s->spec.n_inputs = n_in + n_over;
    s->spec.n_outputs = n_out;
    return rc;
}

static enum errc describe_metadata(struct session *s, struct err *err)
{
    const struct runtime *r = s->runtime;
    struct ort_metadata *m = NULL;
    char *text = NULL;
    enum errc rc = ort_status(r, r->api.metadata(s->ort, &m), err);

    if (rc)
        return rc;
    struct ort_status *st = r->api.producer(m, r->allocator, &text);
    rc = take_text(s, st, text, &s->spec.producer, err);
    if (!rc) {
        st = r->api.graph_name(m, r->allocator, &text);
        rc = take_text(s, st, text, &s->spec.graph, err);
    }
    if (!rc) {
        st = r->api.description(m, r->allocator, &text);
        rc = take_text(s, st, text, &s->spec.description, err);
    }
    r->api.release_metadata(m);
    return rc;
}

enum errc ort_describe(struct session *s, struct err *err)
{
    const struct runtime *r = s->runtime;
    size_t n_in = 0, n_over = 0, n_out = 0;
    enum errc rc = ort_status(r, r->api.input_count(s->ort, &n_in), err);

    if (!rc)
        rc = ort_status(r, r->api.overridable_count(s->ort, &n_over), err);
    if (!rc)
        rc = ort_status(r, r->api.output_count(s->ort, &n_out), err);
    if (!rc && n_out > RUN_MAX_OUTPUTS)
        rc = err_set(err, ERR_UNSUPPORTED,
                     "the model has %zu outputs, the limit is %d", n_out,
                     RUN_MAX_OUTPUTS);
    /* Old files list every weight as an input that may be replaced. */
    if (n_in + n_over > 64)
        n_over = n_in < 64 ? 64 - n_in : 0;
    if (!rc)
        rc = describe_io(s, n_in, n_over, n_out, err);
    return rc ? rc : describe_metadata(s, err);
}
