/* Indexing: x[...] with numbers, slices, None and tensors, reading and
 * writing; gather, scatter, index_select. */
#include <string.h>

#include "import/torch/aten.h"

struct picks {
    struct ten *x;                  /* after numbers, slices and None */
    struct ten *at[SHAPE_MAX_RANK]; /* index of dimension i, or NULL */
    int n;                          /* how many indices */
};

static int spans(const struct val *v)
{
    const struct ten *x = ten_of(v);

    if (v->kind == VAL_NONE || v->kind == VAL_ELLIPSIS || v->kind == VAL_BOOL)
        return 0;
    return x && x->type == DTYPE_BOOL ? x->shape.rank : 1;
}

/* A mask that is known becomes places. */
static struct ten *places(struct aten_call *c, struct ten *mask)
{
    int64_t n = ten_count(mask), *at;
    size_t found = 0;

    if (mask->shape.rank != 1 || !ten_foldable(mask)) {
        (void)aten_fail(c, "what a mask selects depends on the data");
        return mask;
    }
    at = arena_new(c->t->arena, int64_t, (size_t)n + 1);
    for (int64_t i = 0; at && i < n; i++)
        if (ten_i64(mask, (size_t)i))
            at[found++] = i;
    return ten_ints(c->t, at ? at : &n, at ? found : 0);
}

/* The ends of a slice may be tensors that are known. */
static bool slice_range(struct aten_call *c, const struct val *v, int64_t n,
                        int64_t r[3])
{
    struct val *plain = py_list(c->py, VAL_SLICE, 3);

    for (int i = 0; plain && i < 3; i++) {
        struct val *end = v->as.items.v[i];
        struct ten *x = ten_of(end);
        if (x) {
            ten_sync(c->t, x);
            if (!x->data || ten_count(x) != 1) {
                (void)aten_fail(c, "the ends of a slice depend on the data");
                return false;
            }
            end = py_int(c->py, ten_i64(x, 0));
        }
        if (!py_append(c->py, plain, end))
            return false;
    }
    return plain && py_slice_range(c->py, plain, n, r);
}

/* One subscript at dimension *dim; moves *dim behind it. */
static bool subscript(struct aten_call *c, struct picks *p, struct val *v,
                      int *dim)
{
    int64_t r[3], i;
    struct ten *x = ten_of(v);
    int rank = p->x->shape.rank;

    if (v->kind == VAL_NONE) {
        for (int k = rank; k > *dim; k--)
            p->at[k] = p->at[k - 1];
        p->at[*dim] = NULL;
        p->x = op_unsqueeze(c, p->x, *dim);
        (*dim)++;
        return true;
    }
    if (*dim >= rank) {
        (void)aten_fail(c, "there are more subscripts than dimensions");
        return false;
    }
    if (v->kind == VAL_SLICE) {
        if (!slice_range(c, v, p->x->shape.dim[*dim], r))
            return false;
        if (r[2] < 0) {
            (void)aten_fail(c, "a step must be positive");
            return false;
        }
        p->x =
            ten_slice(c->t, p->x, *dim, r[0], r[1] < r[0] ? r[0] : r[1], r[2]);
        (*dim)++;
        return true;
    }
    if (v->kind == VAL_LIST || v->kind == VAL_TUPLE) {
        struct val *list = aten_invoke(c->py, "tensor", 1, &v);
        x = ten_of(list);
        if (!x)
            return false;
    }
    if (x && x->shape.rank == 0 && ten_foldable(x) && x->type != DTYPE_BOOL) {
        i = ten_i64(x, 0);
        p->x = op_select(c, p->x, *dim, i);
        return true;
    }
    if (x) {
        p->at[*dim] = x->type == DTYPE_BOOL ? places(c, x) : x;
        p->n++;
        (*dim)++;
        return true;
    }
    if (!py_to_int(v, &i)) {
        (void)aten_fail(c, "a %s is no subscript", py_kind_name(v));
        return false;
    }
    p->x = op_select(c, p->x, *dim, i);
    return true;
}

static bool subscripts(struct aten_call *c, struct ten *x, struct val *at,
                       struct picks *p)
{
    struct val *const *list = at->kind == VAL_TUPLE ? at->as.items.v : &at;
    size_t n = at->kind == VAL_TUPLE ? at->as.items.n : 1;
    int dim = 0, taken = 0;
    bool mask = false;

    *p = (struct picks){.x = x};
    for (size_t i = 0; i < n; i++) {
        taken += spans(list[i]);
        mask = mask || (ten_of(list[i]) && ten_of(list[i])->shape.rank > 1 &&
                        ten_of(list[i])->type == DTYPE_BOOL);
    }
    if (mask) {
        (void)aten_fail(c, "what a mask selects depends on the data");
        return false;
    }
    for (size_t i = 0; i < n && !c->py->failed; i++) {
        if (list[i]->kind == VAL_ELLIPSIS) {
            dim += x->shape.rank - taken > 0 ? x->shape.rank - taken : 0;
            taken = x->shape.rank;
            continue;
        }
        if (!subscript(c, p, list[i], &dim))
            return false;
    }
    return !c->py->failed;
}

/* Negative places count from the end; the runtime's Gather knows them. */
static struct ten *one_index(struct aten_call *c, struct picks *p)
{
    for (int d = 0; d < p->x->shape.rank; d++)
        if (p->at[d])
            return op_gather(c, p->x, ten_cast(c->t, p->at[d], DTYPE_I64), d);
    return p->x;
}

/* Several indices: they are broadcast; GatherND over their dimensions, moved
 * to the front. The result stands where they stood if they were neighbours. */
static struct ten *several_indices(struct aten_call *c, struct picks *p)
{
    struct shape s = {0}, full;
    int64_t perm[SHAPE_MAX_RANK], back[SHAPE_MAX_RANK];
    struct ten *list[SHAPE_MAX_RANK];
    int n = 0, rank = p->x->shape.rank, first = -1, last = 0;

    for (int d = 0; d < rank; d++)
        if (p->at[d]) {
            first = first < 0 ? d : first;
            last = d;
            if (!shape_broadcast(&s, &p->at[d]->shape, &s)) {
                (void)aten_fail(c, "the indices do not fit together");
                return p->x;
            }
            perm[n] = d;
            list[n++] = ten_cast(c->t, p->at[d], DTYPE_I64);
        }
    bool together = last - first + 1 == n;
    int at = n;
    for (int d = 0; d < rank; d++)
        if (!p->at[d])
            perm[at++] = d;
    for (int i = 0; i < n; i++)
        list[i] = op_unsqueeze(c, ten_expand(c->t, list[i], &s), s.rank);
    struct ten *index = ten_concat(c->t, list, (size_t)n, s.rank);
    struct ten *x = ten_transpose(c->t, p->x, perm);
    full = s;
    for (int d = n; d < rank && full.rank < SHAPE_MAX_RANK; d++)
        full.dim[full.rank++] = x->shape.dim[d];
    struct ten *y = ten_node(
        c->t,
        graph_op2(c->g, "GatherND", ten_name(c->t, x), ten_name(c->t, index)),
        x->type, &full);
    if (!together || first == 0)
        return y;
    /* [indices..., before..., behind...] -> before, indices, behind */
    for (int d = 0; d < full.rank; d++)
        back[d] = d < first ? s.rank + d : d < first + s.rank ? d - first : d;
    return ten_transpose(c->t, y, back);
}

static struct ten *read_at(struct aten_call *c, struct ten *x, struct val *at)
{
    struct picks p;

    if (at->kind == VAL_LIST) { /* x[[a, b]] is x[tensor] */
        struct val *list = aten_invoke(c->py, "tensor", 1, &at);
        at = list ? list : at;
    }
    if (!subscripts(c, x, at, &p))
        return x;
    if (p.n == 0)
        return p.x;
    return p.n == 1 ? one_index(c, &p) : several_indices(c, &p);
}

/* [a, None, b] of aten::index as the subscripts a, :, b */
static struct val *index_tuple(struct aten_call *c, struct val *indices)
{
    struct val *tuple = py_list(c->py, VAL_TUPLE, 4);
    struct val *list = py_members(c->py, indices);
    struct val *whole = py_list(c->py, VAL_SLICE, 3);

    for (int i = 0; i < 3; i++)
        (void)py_append(c->py, whole, &c->py->none);
    for (size_t i = 0; list && i < list->as.items.n; i++) {
        struct val *v = list->as.items.v[i];
        (void)py_append(c->py, tuple, v->kind == VAL_NONE ? whole : v);
    }
    return list && !c->py->failed ? tuple : NULL;
}

static struct val *index_list(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    struct val *tuple = index_tuple(c, c->a[1]);

    return tuple ? give(c, read_at(c, x, tuple)) : NULL;
}

/* The indexed dimensions to the front, ScatterND there; the view writes
 * back. */
static struct val *write_indices(struct aten_call *c, struct picks *p,
                                 struct ten *value, bool add)
{
    struct shape s = {0}, full = {0};
    int64_t perm[SHAPE_MAX_RANK], turn[SHAPE_MAX_RANK];
    struct ten *list[SHAPE_MAX_RANK];
    int n = 0, rank = p->x->shape.rank, first = -1, last = 0, at;

    for (int d = 0; d < rank; d++) {
        if (!p->at[d])
            continue;
        first = first < 0 ? d : first;
        last = d;
        perm[n] = d;
        list[n] = ten_cast(c->t, p->at[d], DTYPE_I64);
        if (!shape_broadcast(&s, &list[n++]->shape, &s))
            return aten_fail(c, "the indices do not fit together");
    }
    at = n;
    for (int d = 0; d < rank; d++)
        if (!p->at[d])
            perm[at++] = d;
    int before = last - first + 1 == n ? first : 0;
    for (int d = 0; d < before; d++)
        full.dim[full.rank++] = p->x->shape.dim[d];
    for (int d = 0; d < s.rank; d++)
        full.dim[full.rank++ % SHAPE_MAX_RANK] = s.dim[d];
    for (int d = n + before; d < rank; d++)
        full.dim[full.rank++ % SHAPE_MAX_RANK] = p->x->shape.dim[perm[d]];
    struct shape fits;
    if (full.rank > SHAPE_MAX_RANK ||
        !shape_broadcast(&value->shape, &full, &fits) ||
        !shape_eq(&fits, &full))
        return aten_fail(c, "the value does not fit its place");
    value = ten_expand(c->t, value, &full);
    for (int d = 0; d < full.rank; d++) /* before, indices, behind */
        turn[d] = d < s.rank            ? before + d
                  : d < s.rank + before ? d - s.rank
                                        : d;
    value = ten_transpose(c->t, value, turn);
    for (int i = 0; i < n; i++)
        list[i] = op_unsqueeze(c, ten_expand(c->t, list[i], &s), s.rank);
    struct ten *x = ten_transpose(c->t, p->x, perm);
    const char *in[] = {
        ten_name(c->t, x),
        ten_name(c->t, ten_concat(c->t, list, (size_t)n, s.rank)),
        ten_name(c->t, value)};
    struct graph_node *node = graph_node(c->g, "ScatterND", in, 3, 1);
    if (add)
        attr_string(c->g, node, "reduction", "add");
    ten_set(c->t, x, ten_node(c->t, node->out[0], x->type, &x->shape));
    return &c->py->none;
}

static struct val *getitem(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0), *y = read_at(c, x, c->a[1]);

    return give(c, y && x->array && y->shape.rank == 0 ? ten_copy(c->t, y) : y);
}

/* x[at] = value */
static struct val *setitem(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    struct ten *value = arg_ten_as(c, 2, x->type);
    struct val *at = c->a[1];
    struct picks p;
    struct ten *mask = ten_of(at);

    if (mask && mask->type == DTYPE_BOOL && value->shape.rank == 0) {
        while (mask->shape.rank < x->shape.rank)
            mask = op_unsqueeze(c, mask, mask->shape.rank);
        ten_set(c->t, x, op_where(c, mask, ten_cast(c->t, value, x->type), x));
        return &c->py->none;
    }
    if (!subscripts(c, x, at, &p))
        return NULL;
    value = ten_cast(c->t, value, x->type);
    if (p.n == 0) {
        struct shape s;
        while (value->shape.rank > p.x->shape.rank && value->shape.dim[0] == 1)
            value = op_squeeze(c, value, 0);
        if (!shape_broadcast(&value->shape, &p.x->shape, &s) ||
            !shape_eq(&s, &p.x->shape))
            return aten_fail(c, "the value does not fit its place");
        struct ten *full = ten_expand(c->t, value, &s);
        ten_set(c->t, p.x, ten_copy(c->t, full));
        return &c->py->none;
    }
    return write_indices(c, &p, value, false);
}

/* index_put(self, [a, None, b], values, accumulate) */
static struct val *index_put(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0), *value;
    struct val *tuple = index_tuple(c, c->a[1]);
    struct picks p;

    if (strcmp(c->op->name, "index_put") == 0)
        x = ten_copy(c->t, x);
    if (!tuple)
        return NULL;
    if (tuple->as.items.n == 1 && !arg_bool(c, 3)) { /* a mask is possible */
        struct val *all[] = {give(c, x), tuple->as.items.v[0], c->a[2]};
        return aten_invoke(c->py, "__setitem__", 3, all) ? all[0] : NULL;
    }
    value = ten_cast(c->t, arg_ten_as(c, 2, x->type), x->type);
    if (!subscripts(c, x, tuple, &p) || p.n == 0)
        return aten_fail(c, "these indices are not known");
    return write_indices(c, &p, value, arg_bool(c, 3)) ? give(c, x) : NULL;
}

static struct val *index_select(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);

    return give(c, op_gather(c, x, ten_cast(c->t, arg_ten(c, 2), DTYPE_I64),
                             arg_dim(c, 1, x->shape.rank)));
}

static struct val *gather(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0), *at = arg_ten(c, 2);
    int dim = arg_dim(c, 1, x->shape.rank);
    const char *in[] = {ten_name(c->t, x), ten_name(c->t, at)};
    struct graph_node *node = graph_node(c->g, "GatherElements", in, 2, 1);

    attr_int(c->g, node, "axis", dim);
    return give_node(c, node->out[0], x->type, &at->shape);
}

static struct val *scatter(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0), *at = arg_ten(c, 2);
    int dim = arg_dim(c, 1, x->shape.rank);
    struct ten *value = ten_cast(c->t, arg_ten_as(c, 3, x->type), x->type);
    struct shape s;

    if (!shape_broadcast(&value->shape, &at->shape, &s))
        return aten_fail(c, "the source does not fit the index");
    for (int d = 0; d < value->shape.rank; d++)
        if (value->shape.dim[d] > at->shape.dim[d])
            value = ten_slice(c->t, value, d, 0, at->shape.dim[d], 1);
    const char *in[] = {ten_name(c->t, x), ten_name(c->t, at),
                        ten_name(c->t, ten_expand(c->t, value, &at->shape))};
    struct graph_node *node = graph_node(c->g, "ScatterElements", in, 3, 1);
    attr_int(c->g, node, "axis", dim);
    if (c->op->onnx)
        attr_string(c->g, node, "reduction", c->op->onnx);
    return give_node(c, node->out[0], x->type, &x->shape);
}

static struct val *copy_to(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0), *y = arg_ten_as(c, 1, x->type);
    struct shape s;

    y = ten_cast(c->t, y, x->type);
    if (!shape_broadcast(&y->shape, &x->shape, &s) || !shape_eq(&s, &x->shape))
        return aten_fail(c, "the value does not fit its place");
    y = ten_copy(c->t, ten_expand(c->t, y, &s));
    ten_set(c->t, x, y);
    return c->a[0];
}

static struct val *zero(struct aten_call *c)
{
    struct val *a[] = {c->a[0], py_float(c->py, 0)};

    return aten_invoke(c->py, "fill_", 2, a);
}

static struct val *fill_diagonal(struct aten_call *c)
{
    return aten_fail(c, "not known");
}

static struct val *embedding(struct aten_call *c)
{
    struct ten *at = arg_ten(c, 1);

    if (at->type != DTYPE_I64 && at->type != DTYPE_I32)
        return aten_fail(c, "the input must be whole numbers: give --input "
                            "SHAPE:int64");
    return give(c, op_gather(c, arg_ten(c, 0), at, 0));
}

/* Bags of the same length are a matrix of places, also when they are written
 * one after the other with offsets. */
static struct ten *same_bags(struct aten_call *c, struct ten *at,
                             struct ten *offsets)
{
    int64_t n = offsets ? ten_count(offsets) : 0;
    struct shape s = {2, {n, n ? ten_count(at) / n : 0}};

    if (at->shape.rank == 2)
        return at;
    bool same = n > 0 && ten_foldable(offsets) && s.dim[1] * n == ten_count(at);
    for (int64_t i = 0; same && i < n; i++)
        same = ten_i64(offsets, (size_t)i) == i * s.dim[1];
    if (!same) {
        (void)aten_fail(c, "bags of different lengths are not known");
        return at;
    }
    return ten_reshape(c->t, at, &s);
}

static struct val *embedding_bag(struct aten_call *c)
{
    struct ten *rows, *at = same_bags(c, arg_ten(c, 1), arg_ten_or_null(c, 2));
    int64_t mode = arg_int(c, 4), dim = 1;

    rows = op_gather(c, arg_ten(c, 0), at, 0);
    rows = op_reduce(c,
                     mode == 0   ? "ReduceSum"
                     : mode == 1 ? "ReduceMean"
                                 : "ReduceMax",
                     rows, &dim, 1, false);
    struct val *out = py_list(c->py, VAL_TUPLE, 4);
    for (int i = 0; i < 4; i++)
        (void)py_append(c->py, out, give(c, rows));
    return out;
}

const struct aten aten_index[] = {
    {"index", "self, indices", index_list, NULL},
    {"__getitem__", "self, at", getitem, NULL},
    {"__setitem__", "self, at, value", setitem, NULL},
    {"index_put", "self, indices, values, accumulate=False", index_put, NULL},
    {"index_put_", "self, indices, values, accumulate=False", index_put, NULL},
    {"_index_put_impl_",
     "self, indices, values, accumulate=False, unsafe=False", index_put, NULL},
    {"index_select", "self, dim, index", index_select, NULL},
    {"gather", "self, dim, index, sparse_grad=False", gather, NULL},
    {"take_along_dim", "self, dim, index", gather, NULL},
    {"scatter", "self, dim, index, src, reduce=None", scatter, NULL},
    {"scatter_add", "self, dim, index, src", scatter, "add"},
    {"copy_", "self, src, non_blocking=False", copy_to, NULL},
    {"copy", "self, src, non_blocking=False", copy_to, NULL},
    {"fill_", "self, value", copy_to, NULL},
    {"zero_", "self", zero, NULL},
    {"fill_diagonal_", "self, value", fill_diagonal, NULL},
    {"embedding",
     "weight, indices, padding_idx=-1, scale_grad_by_freq=False, sparse=False",
     embedding, NULL},
    {"embedding_bag",
     "weight, indices, offsets=None, scale_grad_by_freq=False, mode=0, "
     "sparse=False, per_sample_weights=None, include_last_offset=False, "
     "padding_idx=None",
     embedding_bag, NULL},
    {NULL, NULL, NULL, NULL},
};
