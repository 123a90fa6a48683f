/* Views: cutting them out of their base, and writing back. */
#include <string.h>

#include "import/torch/ten.h"

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
