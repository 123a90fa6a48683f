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

struct ten *ten_room(struct trace *t, enum dtype type,
                     const struct shape *shape, void **out)
{
    struct tensor c;
    struct ten *x;

    *out = graph_room(t->g, type, shape, &c);
    x = ten_new(t, type, shape);
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
    if (x->meta && t->constructing) {
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

static void strides_of(const struct shape *s, int64_t *stride)
{
    int64_t n = 1;

    for (int i = s->rank; i-- > 0; n *= s->dim[i])
        stride[i] = n;
}

/* Elements of out, whose element at (i, j ...) is that of x at
 * offset + i * stride[0] + j * stride[1] ... */
static void gather(const struct ten *x, int64_t offset, const int64_t *stride,
                   const struct shape *s, char *out)
{
    size_t size = dtype_size(x->type);
    int64_t at[SHAPE_MAX_RANK] = {0}, n = 0;

    (void)shape_count(s, &n);
    for (int64_t i = 0; i < n; i++) {
        memcpy(out + (size_t)i * size,
               (const char *)x->data + (size_t)offset * size, size);
        for (int d = s->rank; d-- > 0;) {
            offset += stride[d];
            if (++at[d] < s->dim[d])
                break;
            offset -= stride[d] * s->dim[d];
            at[d] = 0;
        }
    }
}

/* The constant that a view of a constant is. */
static struct ten *folded_view(struct trace *t, struct ten *x,
                               const struct ten *view)
{
    int64_t stride[SHAPE_MAX_RANK] = {0}, own[SHAPE_MAX_RANK] = {0}, offset = 0;
    struct ten *y;
    void *data;

    strides_of(&x->shape, stride);
    for (int i = 0; i < view->shape.rank; i++) {
        int from = i - (view->shape.rank - x->shape.rank);
        if (view->view == VIEW_TRANSPOSE)
            own[i] = stride[view->v[i]];
        else if (view->view == VIEW_EXPAND)
            own[i] = from < 0 || x->shape.dim[from] == 1 ? 0 : stride[from];
        else
            own[i] = stride[i];
    }
    if (view->view == VIEW_SLICE) {
        offset = view->v[1] * stride[view->v[0]];
        own[view->v[0]] *= view->v[3];
    }
    y = ten_room(t, x->type, &view->shape, &data);
    if (data)
        gather(x, offset, own, &view->shape, data);
    return y;
}

static const char *slice_node(struct trace *t, const char *x, const int64_t *v)
{
    const char *in[] = {x, graph_i64s(t->g, &v[1], 1),
                        graph_i64s(t->g, &v[2], 1), graph_i64s(t->g, &v[0], 1),
                        graph_i64s(t->g, &v[3], 1)};

    return graph_op(t->g, "Slice", in, v[3] == 1 ? 4 : 5);
}

/* Cuts the view out of its base as that is now. */
static void cut(struct trace *t, struct ten *y)
{
    struct ten *x = y->base;

    ten_sync(t, x);
    y->data = NULL;
    y->name = NULL;
    y->seen = x->version;
    y->meta = x->meta;
    if (x->meta)
        return;
    if (y->view == VIEW_RESHAPE && x->data) {
        y->data = x->data;
        return;
    }
    if (ten_foldable(x) && ten_count(y) <= TEN_FOLD_MAX) {
        y->data = folded_view(t, x, y)->data;
        return;
    }
    const char *name = ten_name(t, x);
    size_t rank = (size_t)y->shape.rank;
    if (y->view == VIEW_RESHAPE)
        y->name = graph_reshape(t->g, name, y->shape.dim, rank);
    else if (y->view == VIEW_TRANSPOSE)
        y->name = graph_transpose(t->g, name, y->v, rank);
    else if (y->view == VIEW_SLICE)
        y->name = slice_node(t, name, y->v);
    else
        y->name = graph_op2(t->g, "Expand", name,
                            graph_i64s(t->g, y->shape.dim, rank));
}

void ten_sync(struct trace *t, struct ten *x)
{
    if (!x->base)
        return;
    ten_sync(t, x->base);
    if (x->seen != x->base->version)
        cut(t, x);
}

static struct ten *view_of(struct trace *t, struct ten *x, enum view_kind kind,
                           const struct shape *s, const int64_t *v)
{
    struct ten *y;

    ten_sync(t, x);
    y = ten_new(t, x->type, s);
    y->base = x;
    y->view = kind;
    for (int i = 0; v && i < SHAPE_MAX_RANK; i++)
        y->v[i] = v[i];
    cut(t, y);
    return y;
}

struct ten *ten_reshape(struct trace *t, struct ten *x, const struct shape *s)
{
    if (ten_count(x) != ten_count(&(struct ten){.shape = *s}))
        (void)py_fail(&t->py, ERR_INVALID,
                      "a tensor of %lld elements cannot be viewed as %lld",
                      (long long)ten_count(x),
                      (long long)ten_count(&(struct ten){.shape = *s}));
    if (t->py.failed || shape_eq(s, &x->shape))
        return x;
    return view_of(t, x, VIEW_RESHAPE, s, NULL);
}

struct ten *ten_transpose(struct trace *t, struct ten *x, const int64_t *perm)
{
    struct shape s = x->shape;
    int64_t v[SHAPE_MAX_RANK] = {0};
    bool same = true;

    for (int i = 0; i < s.rank; i++) {
        v[i] = perm[i];
        s.dim[i] = x->shape.dim[perm[i]];
        same = same && perm[i] == i;
    }
    return same ? x : view_of(t, x, VIEW_TRANSPOSE, &s, v);
}

struct ten *ten_slice(struct trace *t, struct ten *x, int dim, int64_t start,
                      int64_t stop, int64_t step)
{
    struct shape s = x->shape;
    int64_t v[SHAPE_MAX_RANK] = {dim, start, stop, step};

    s.dim[dim] = stop > start ? (stop - start + step - 1) / step : 0;
    if (start == 0 && step == 1 && stop == x->shape.dim[dim])
        return x;
    return view_of(t, x, VIEW_SLICE, &s, v);
}

struct ten *ten_expand(struct trace *t, struct ten *x, const struct shape *s)
{
    return shape_eq(s, &x->shape) ? x : view_of(t, x, VIEW_EXPAND, s, NULL);
}

struct ten *ten_concat(struct trace *t, struct ten *const *list, size_t n,
                       int dim)
{
    struct shape s = list[0]->shape;
    const char **names = arena_new(t->arena, const char *, n + 1);
    bool constant = true;
    void *data;

    s.dim[dim] = 0;
    for (size_t i = 0; i < n; i++) {
        ten_sync(t, list[i]);
        s.dim[dim] += list[i]->shape.dim[dim];
        constant = constant && ten_foldable(list[i]);
    }
    struct ten out = {.shape = s};
    if (constant && ten_count(&out) <= TEN_FOLD_MAX) {
        struct ten *y = ten_room(t, list[0]->type, &s, &data);
        size_t size = dtype_size(y->type), inner = size, outer = 1, at = 0;
        for (int i = 0; i < s.rank; i++)
            *(i < dim ? &outer : &inner) *= (size_t)(i == dim ? 1 : s.dim[i]);
        for (size_t o = 0; data && o < outer; o++)
            for (size_t i = 0; i < n; i++) {
                size_t bytes = inner * (size_t)list[i]->shape.dim[dim];
                memcpy((char *)data + at,
                       (const char *)list[i]->data + o * bytes, bytes);
                at += bytes;
            }
        return y;
    }
    if (!names) {
        (void)py_fail(&t->py, ERR_NOMEM, "out of memory");
        return list[0];
    }
    for (size_t i = 0; i < n; i++)
        names[i] = ten_name(t, list[i]);
    struct graph_node *node = graph_node(t->g, "Concat", names, n, 1);
    attr_int(t->g, node, "axis", dim);
    return ten_node(t, node->out[0], list[0]->type, &s);
}

/* The base with y's new value put where y was cut out. */
static struct ten *put_back(struct trace *t, struct ten *y, struct ten *value)
{
    struct ten *x = y->base;
    int64_t inverse[SHAPE_MAX_RANK] = {0};

    if (y->view == VIEW_RESHAPE) {
        struct ten *z = ten_reshape(t, value, &x->shape);
        return ten_copy(t, z);
    }
    if (y->view == VIEW_TRANSPOSE) {
        for (int i = 0; i < y->shape.rank; i++)
            inverse[y->v[i]] = i;
        return ten_copy(t, ten_transpose(t, value, inverse));
    }
    if (y->view == VIEW_EXPAND) {
        (void)py_fail(&t->py, ERR_UNSUPPORTED,
                      "writing to an expanded tensor is not known");
        return x;
    }
    int dim = (int)y->v[0];
    struct ten *parts[3];
    size_t n = 0;
    if (y->v[3] == 1) {
        if (y->v[1] > 0)
            parts[n++] = ten_slice(t, x, dim, 0, y->v[1], 1);
        parts[n++] = value;
        if (y->v[2] < x->shape.dim[dim])
            parts[n++] = ten_slice(t, x, dim, y->v[2], x->shape.dim[dim], 1);
        return ten_concat(t, parts, n, dim);
    }
    /* Every step-th: through an index of the whole, one slab at a time. */
    int64_t count = x->shape.dim[dim];
    struct ten **slabs = arena_new(t->arena, struct ten *, (size_t)count + 1);
    if (!slabs || count > 4096) {
        (void)py_fail(&t->py, ERR_LIMIT, "a strided write is too long");
        return x;
    }
    for (int64_t i = 0; i < count; i++) {
        int64_t k = i - y->v[1];
        bool ours = k >= 0 && i < y->v[2] && k % y->v[3] == 0;
        slabs[i] =
            ours ? ten_slice(t, value, dim, k / y->v[3], k / y->v[3] + 1, 1)
                 : ten_slice(t, x, dim, i, i + 1, 1);
    }
    return ten_concat(t, slabs, (size_t)count, dim);
}

void ten_set(struct trace *t, struct ten *x, struct ten *y)
{
    struct ten *root = x;

    ten_sync(t, x);
    ten_sync(t, y);
    while (root->base)
        root = root->base;
    if (x == y || t->py.failed || (x->base && root->meta))
        return; /* parts of a parameter without weights: initialisation */
    struct ten value = *y;
    if (x->base) {
        struct ten *whole = put_back(t, x, ten_copy(t, y));
        ten_set(t, x->base, whole);
        x->seen = x->base->version;
    } else {
        x->shape = value.shape;
        x->type = value.type;
    }
    x->name = value.name;
    x->data = value.data;
    x->meta = value.meta;
    x->version++;
}
