#include "import/torch/ten.h"

#include <string.h>

struct trace *trace_of(struct py *py)
{
    return py->host_data;
}

struct val *ten_value(struct trace *t, struct ten *x)
{
    struct val *v = t->py.failed ? NULL : py_new(&t->py, VAL_HOST);

    if (v)
        v->as.host = x;
    return v;
}

struct ten *ten_of(const struct val *v)
{
    return v && v->kind == VAL_HOST ? v->as.host : NULL;
}

struct ten *ten_new(struct trace *t, enum dtype type, const struct shape *shape)
{
    static _Thread_local struct ten none;
    struct ten *x = arena_new(t->arena, struct ten, 1);

    if (t->g->n_nodes > TEN_MAX_NODES)
        (void)py_fail(&t->py, ERR_LIMIT, "the model has more than %d nodes",
                      TEN_MAX_NODES);
    if (!x) {
        (void)py_fail(&t->py, ERR_NOMEM, "out of memory");
        none = (struct ten){.type = DTYPE_F32, .name = ""};
        return &none;
    }
    x->type = type;
    x->shape = *shape;
    int64_t n;
    if (!shape_count(shape, &n) || n > INT64_C(1) << 40)
        (void)py_fail(&t->py, ERR_LIMIT, "a tensor is too large");
    return x;
}

struct ten *ten_node(struct trace *t, const char *name, enum dtype type,
                     const struct shape *shape)
{
    struct ten *x = ten_new(t, type, shape);

    x->name = name;
    return x;
}

struct ten *ten_constant(struct trace *t, const struct tensor *c)
{
    struct ten *x = ten_new(t, c->type, &c->shape);

    x->data = c->data;
    return x;
}

enum { ELEMENTS_PER_STEP = 8 };

struct ten *ten_room(struct trace *t, enum dtype type,
                     const struct shape *shape, void **out)
{
    struct tensor c;
    struct ten *x;

    x = ten_new(t, type, shape);
    *out = py_work(&t->py, (uint64_t)ten_count(x) / ELEMENTS_PER_STEP)
               ? graph_room(t->g, type, shape, &c)
               : NULL;
    x->data = *out;
    if (!*out)
        (void)py_fail(&t->py, ERR_LIMIT, "a constant is too large");
    return x;
}

void ten_put(void *data, enum dtype type, size_t i, double v)
{
    if (dtype_is_float(type)) {
        if (type == DTYPE_F32)
            ((float *)data)[i] = (float)v;
        else if (type == DTYPE_F64)
            ((double *)data)[i] = v;
        else if (type == DTYPE_F16)
            ((uint16_t *)data)[i] = dtype_f16_from_f32((float)v);
        else
            ((uint16_t *)data)[i] = dtype_bf16_from_f32((float)v);
    } else if (type == DTYPE_BOOL) {
        ((uint8_t *)data)[i] = v != 0;
    } else {
        ten_put_i64(data, type, i,
                    v > 9.2e18    ? INT64_MAX
                    : v < -9.2e18 ? INT64_MIN
                    : v != v      ? 0
                                  : (int64_t)v);
    }
}

void ten_put_i64(void *data, enum dtype type, size_t i, int64_t v)
{
    if (type == DTYPE_I64 || type == DTYPE_U64)
        ((int64_t *)data)[i] = v;
    else if (type == DTYPE_I32 || type == DTYPE_U32)
        ((int32_t *)data)[i] = (int32_t)v;
    else if (type == DTYPE_I16 || type == DTYPE_U16)
        ((int16_t *)data)[i] = (int16_t)v;
    else if (type == DTYPE_I8 || type == DTYPE_U8)
        ((int8_t *)data)[i] = (int8_t)v;
    else if (type == DTYPE_BOOL)
        ((uint8_t *)data)[i] = v != 0;
    else
        ten_put(data, type, i, (double)v);
}

double ten_f64(const struct ten *x, size_t i)
{
    if (x->type == DTYPE_F32)
        return (double)((const float *)x->data)[i];
    if (x->type == DTYPE_F64)
        return ((const double *)x->data)[i];
    if (x->type == DTYPE_F16)
        return (double)dtype_f16_to_f32(((const uint16_t *)x->data)[i]);
    if (x->type == DTYPE_BF16)
        return (double)dtype_bf16_to_f32(((const uint16_t *)x->data)[i]);
    return (double)ten_i64(x, i);
}

int64_t ten_i64(const struct ten *x, size_t i)
{
    if (x->type == DTYPE_I64 || x->type == DTYPE_U64)
        return ((const int64_t *)x->data)[i];
    if (x->type == DTYPE_I32)
        return ((const int32_t *)x->data)[i];
    if (x->type == DTYPE_U32)
        return ((const uint32_t *)x->data)[i];
    if (x->type == DTYPE_I16)
        return ((const int16_t *)x->data)[i];
    if (x->type == DTYPE_U16)
        return ((const uint16_t *)x->data)[i];
    if (x->type == DTYPE_I8)
        return ((const int8_t *)x->data)[i];
    if (x->type == DTYPE_U8 || x->type == DTYPE_BOOL)
        return ((const uint8_t *)x->data)[i];
    double v = ten_f64(x, i);
    return v > -9.2e18 && v < 9.2e18 ? (int64_t)v : 0;
}

struct ten *ten_scalar(struct trace *t, enum dtype type, double v)
{
    void *data;
    struct ten *x = ten_room(t, type, &(struct shape){0}, &data);

    if (data)
        ten_put(data, type, 0, v);
    return x;
}

struct ten *ten_ints(struct trace *t, const int64_t *v, size_t n)
{
    void *data;
    struct shape s = {1, {(int64_t)n}};
    struct ten *x = ten_room(t, DTYPE_I64, &s, &data);

    if (data)
        memcpy(data, v, n * sizeof(*v));
    return x;
}

int64_t ten_count(const struct ten *x)
{
    int64_t n = 0;

    return shape_count(&x->shape, &n) ? n : 0;
}

bool ten_is_constant(const struct ten *x)
{
    return x->data != NULL;
}

bool ten_foldable(const struct ten *x)
{
    return x->data && ten_count(x) <= TEN_FOLD_MAX;
}

const char *ten_name(struct trace *t, struct ten *x)
{
    ten_sync(t, x);
    if (x->meta && t->py.constructing) {
        struct graph_node *node = graph_node(t->g, "RandomNormal", NULL, 0, 1);
        attr_ints(t->g, node, "shape", x->shape.dim, (size_t)x->shape.rank);
        return node->out[0];
    }
    if (x->meta)
        (void)py_fail(&t->py, ERR_INVALID,
                      "a parameter is used before it has its weights");
    if (!x->name && x->data) {
        struct tensor c = {x->type, x->shape, (size_t)ten_count(x),
                           (void *)(uintptr_t)x->data};
        x->name = graph_weight(t->g, "w", &c);
    }
    return x->name ? x->name : "";
}

bool shape_broadcast(const struct shape *a, const struct shape *b,
                     struct shape *out)
{
    struct shape s = {a->rank > b->rank ? a->rank : b->rank, {0}};

    for (int i = 0; i < s.rank; i++) {
        int ia = a->rank - 1 - i, ib = b->rank - 1 - i;
        int64_t x = ia >= 0 ? a->dim[ia] : 1, y = ib >= 0 ? b->dim[ib] : 1;
        if (x != y && x != 1 && y != 1)
            return false;
        s.dim[s.rank - 1 - i] = x == 1 ? y : x;
    }
    *out = s;
    return true;
}

struct ten *ten_copy(struct trace *t, struct ten *x)
{
    ten_sync(t, x);
    struct ten *y = ten_new(t, x->type, &x->shape);
    y->name = x->name;
    y->data = x->data;
    y->meta = x->meta;
    return y;
}

static void copy_cast(const struct ten *x, void *data, enum dtype type)
{
    size_t n = (size_t)ten_count(x);
    bool whole = !dtype_is_float(x->type) && !dtype_is_float(type);

    for (size_t i = 0; i < n; i++) {
        if (whole)
            ten_put_i64(data, type, i, ten_i64(x, i));
        else
            ten_put(data, type, i, ten_f64(x, i));
    }
}

struct ten *ten_cast(struct trace *t, struct ten *x, enum dtype type)
{
    struct ten *y;
    void *data;

    ten_sync(t, x);
    if (x->type == type)
        return x;
    if (ten_foldable(x)) {
        y = ten_room(t, type, &x->shape, &data);
        if (data)
            copy_cast(x, data, type);
        return y;
    }
    if (x->meta) {
        y = ten_copy(t, x);
        y->type = type;
        return y;
    }
    return ten_node(t, graph_cast(t->g, ten_name(t, x), type), type, &x->shape);
}
