/* Operators that put tensors together, cut them, and pad them. */
#include <string.h>

#include "import/torch/aten.h"

enum { MAX_PIECES = 4096 };

static struct val *concat(struct aten_call *c)
{
    size_t n, kept = 0;
    struct ten **list = arg_tens(c, 0, &n);

    for (size_t i = 0; list && i < n; i++) /* an old habit: empty ones count */
        if (n == 1 || list[i]->shape.rank != 1 || list[i]->shape.dim[0] != 0)
            list[kept++] = list[i];
    if (!list || kept == 0)
        return NULL;
    int dim = arg_dim(c, 1, list[0]->shape.rank);
    enum dtype type = list[0]->type;
    for (size_t i = 1; i < kept; i++) {
        struct ten probe = {.type = type, .shape = list[0]->shape};
        type = promote(&probe, list[i]);
        for (int d = 0; d < list[0]->shape.rank; d++)
            if (list[i]->shape.rank != list[0]->shape.rank ||
                (d != dim && list[i]->shape.dim[d] != list[0]->shape.dim[d]))
                return aten_fail(c, "the tensors do not fit together");
    }
    for (size_t i = 0; i < kept; i++)
        list[i] = ten_cast(c->t, list[i], type);
    return give(c, ten_concat(c->t, list, kept, dim));
}

static struct val *stack(struct aten_call *c)
{
    size_t n;
    struct ten **list = arg_tens(c, 0, &n);

    if (!list)
        return NULL;
    int dim = arg_dim(c, 1, list[0]->shape.rank + 1);
    for (size_t i = 0; i < n; i++) {
        if (!shape_eq(&list[i]->shape, &list[0]->shape))
            return aten_fail(c, "the tensors have different shapes");
        list[i] = ten_cast(c->t, list[i], list[0]->type);
    }
    for (size_t i = 0; i < n; i++)
        list[i] = op_unsqueeze(c, list[i], dim);
    return give(c, ten_concat(c->t, list, n, dim));
}

static struct val *pieces(struct aten_call *c, struct ten *x, int dim,
                          const int64_t *sizes, size_t n)
{
    struct val *out = py_list(c->py, VAL_TUPLE, n);
    int64_t at = 0;

    for (size_t i = 0; i < n; i++) {
        if (sizes[i] < 0 || at + sizes[i] > x->shape.dim[dim])
            return aten_fail(c, "the sizes do not add up");
        if (!py_append(c->py, out,
                       give(c, ten_slice(c->t, x, dim, at, at + sizes[i], 1))))
            return NULL;
        at += sizes[i];
    }
    return out;
}

static struct val *even(struct aten_call *c, struct ten *x, int dim,
                        int64_t size)
{
    int64_t sizes[MAX_PIECES], left = x->shape.dim[dim];
    size_t n = 0;

    if (size <= 0)
        return aten_fail(c, "a size must be positive");
    for (; left > 0 && n < MAX_PIECES; left -= size)
        sizes[n++] = left < size ? left : size;
    if (left > 0)
        return aten_fail(c, "there are too many pieces");
    return pieces(c, x, dim, sizes, n);
}

static struct val *split(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    int dim = arg_dim(c, 2, x->shape.rank);
    int64_t sizes[256];

    if (c->a[1]->kind == VAL_INT)
        return even(c, x, dim, arg_int(c, 1));
    size_t n = arg_ints(c, 1, sizes, COUNT(sizes));
    return pieces(c, x, dim, sizes, n);
}

static struct val *chunk(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    int dim = arg_dim(c, 2, x->shape.rank);
    int64_t n = arg_int(c, 1);

    if (n <= 0)
        return aten_fail(c, "a count must be positive");
    return even(c, x, dim, (x->shape.dim[dim] + n - 1) / n);
}

static struct val *unbind(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    int dim = arg_dim(c, 1, x->shape.rank);
    struct val *out = py_list(c->py, VAL_TUPLE, 4);

    if (x->shape.rank == 0 || x->shape.dim[dim] > MAX_PIECES)
        return aten_fail(c, "this cannot be taken apart");
    for (int64_t i = 0; i < x->shape.dim[dim]; i++)
        if (!py_append(c->py, out, give(c, op_select(c, x, dim, i))))
            return NULL;
    return out;
}

static struct val *select(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);

    return give(c,
                op_select(c, x, arg_dim(c, 1, x->shape.rank), arg_int(c, 2)));
}

static int64_t bounded(int64_t v, int64_t n)
{
    v = v < 0 ? (v < -n ? 0 : v + n) : v;
    return v > n ? n : v;
}

static struct val *slice(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    int dim = arg_dim(c, 1, x->shape.rank);
    int64_t n = x->shape.dim[dim];
    int64_t from = arg_none(c, 2) ? 0 : bounded(arg_int(c, 2), n);
    int64_t to = arg_none(c, 3) ? n : bounded(arg_int(c, 3), n);
    int64_t step = arg_int(c, 4);

    if (step <= 0)
        return aten_fail(c, "a step must be positive");
    return give(c, ten_slice(c->t, x, dim, from, to < from ? from : to, step));
}

static struct val *narrow(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    int dim = arg_dim(c, 1, x->shape.rank);
    int64_t from = bounded(arg_int(c, 2), x->shape.dim[dim]);
    int64_t to = from + arg_int(c, 3);

    if (to < from || to > x->shape.dim[dim])
        return aten_fail(c, "the part lies outside");
    return give(c, ten_slice(c->t, x, dim, from, to, 1));
}

static struct val *flip(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    int64_t dims[SHAPE_MAX_RANK], from[SHAPE_MAX_RANK], to[SHAPE_MAX_RANK],
        step[SHAPE_MAX_RANK];
    size_t n = arg_ints(c, 1, dims, SHAPE_MAX_RANK);

    for (size_t i = 0; i < n; i++) {
        dims[i] = dim_of(c, dims[i], x->shape.rank);
        from[i] = -1;
        to[i] = INT64_MIN;
        step[i] = -1;
    }
    const char *in[] = {ten_name(c->t, x), graph_i64s(c->g, from, n),
                        graph_i64s(c->g, to, n), graph_i64s(c->g, dims, n),
                        graph_i64s(c->g, step, n)};
    return give_node(c, graph_op(c->g, "Slice", in, 5), x->type, &x->shape);
}

static struct val *roll(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    struct shape whole = x->shape;
    int64_t shifts[SHAPE_MAX_RANK], dims[SHAPE_MAX_RANK];
    size_t n = arg_ints(c, 1, shifts, SHAPE_MAX_RANK);
    size_t k = arg_ints(c, 2, dims, SHAPE_MAX_RANK);

    if (k == 0 && n == 1) {
        struct shape flat = {1, {ten_count(x)}};
        x = ten_reshape(c->t, x, &flat);
        dims[0] = 0;
    } else if (n != k) {
        return aten_fail(c, "as many shifts as dimensions are needed");
    }
    for (size_t i = 0; i < n; i++) {
        int dim = dim_of(c, dims[i], x->shape.rank);
        int64_t size = x->shape.dim[dim];
        int64_t cut = size ? ((size - shifts[i]) % size + size) % size : 0;
        if (cut == 0)
            continue;
        struct ten *parts[] = {ten_slice(c->t, x, dim, cut, size, 1),
                               ten_slice(c->t, x, dim, 0, cut, 1)};
        x = ten_concat(c->t, parts, 2, dim);
    }
    return give(c, ten_reshape(c->t, x, &whole));
}

/* "constant", "reflect", "replicate", "circular"; sizes from the last
 * dimension to the first, two each. */
static struct val *pad(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    int64_t sizes[SHAPE_MAX_RANK * 2] = {0}, out[SHAPE_MAX_RANK * 2] = {0};
    size_t n = arg_ints(c, 1, sizes, SHAPE_MAX_RANK * 2);
    struct str mode = arg_none(c, 2) ? STR("constant") : arg_str(c, 2);
    int rank = x->shape.rank;
    struct shape s = x->shape;

    if (n % 2 || n / 2 > (size_t)rank)
        return aten_fail(c, "the sizes do not fit the tensor");
    if (str_eq(mode, STR("circular"))) {
        for (size_t i = 0; i < n / 2; i++) {
            int dim = rank - 1 - (int)i;
            int64_t size = x->shape.dim[dim];
            struct ten *parts[3] = {x, x, x};
            size_t count = 0;
            if (sizes[2 * i] > 0)
                parts[count++] =
                    ten_slice(c->t, x, dim, size - sizes[2 * i], size, 1);
            parts[count++] = x;
            if (sizes[2 * i + 1] > 0)
                parts[count++] =
                    ten_slice(c->t, x, dim, 0, sizes[2 * i + 1], 1);
            x = ten_concat(c->t, parts, count, dim);
        }
        return give(c, x);
    }
    for (size_t i = 0; i < n / 2; i++) {
        int dim = rank - 1 - (int)i;
        out[dim] = sizes[2 * i];
        out[rank + dim] = sizes[2 * i + 1];
        s.dim[dim] += sizes[2 * i] + sizes[2 * i + 1];
        if (s.dim[dim] < 0)
            return aten_fail(c, "more is cut off than there is");
    }
    double value = arg_none(c, 3) ? 0 : arg_float(c, 3);
    const char *in[] = {ten_name(c->t, x),
                        graph_i64s(c->g, out, (size_t)rank * 2),
                        ten_name(c->t, ten_scalar(c->t, x->type, value))};
    struct graph_node *node = graph_node(c->g, "Pad", in, 3, 1);
    attr_string(c->g, node, "mode",
                str_eq(mode, STR("reflect"))     ? "reflect"
                : str_eq(mode, STR("replicate")) ? "edge"
                                                 : "constant");
    return give_node(c, node->out[0], x->type, &s);
}

/* reflection_pad2d and its kin. */
static struct val *pad_mode(struct aten_call *c)
{
    struct val *a[] = {c->a[0], c->a[1], py_text(c->py, c->op->onnx),
                       &c->py->none};

    return aten_invoke(c->py, "pad", 4, a);
}

static struct val *constant_pad(struct aten_call *c)
{
    struct val *a[] = {c->a[0], c->a[1], py_text(c->py, "constant"), c->a[2]};

    return aten_invoke(c->py, "pad", 4, a);
}

const struct aten aten_join[] = {
    {"cat", "tensors, dim=0", concat, NULL},
    {"concat", "tensors, dim=0", concat, NULL},
    {"concatenate", "tensors, dim=0", concat, NULL},
    {"stack", "tensors, dim=0", stack, NULL},
    {"split", "self, split_size_or_sections, dim=0", split, NULL},
    {"split_with_sizes", "self, split_sizes, dim=0", split, NULL},
    {"unsafe_split", "self, split_size, dim=0", split, NULL},
    {"unsafe_split_with_sizes", "self, split_sizes, dim=0", split, NULL},
    {"chunk", "self, chunks, dim=0", chunk, NULL},
    {"unsafe_chunk", "self, chunks, dim=0", chunk, NULL},
    {"unbind", "self, dim=0", unbind, NULL},
    {"select", "self, dim, index", select, NULL},
    {"slice", "self, dim=0, start=None, end=None, step=1", slice, NULL},
    {"narrow", "self, dim, start, length", narrow, NULL},
    {"flip", "self, dims", flip, NULL},
    {"roll", "self, shifts, dims=None", roll, NULL},
    {"pad", "self, pad, mode=None, value=None", pad, NULL},
    {"constant_pad_nd", "self, pad, value=0", constant_pad, NULL},
    {"reflection_pad1d", "self, padding", pad_mode, "reflect"},
    {"reflection_pad2d", "self, padding", pad_mode, "reflect"},
    {"reflection_pad3d", "self, padding", pad_mode, "reflect"},
    {"replication_pad1d", "self, padding", pad_mode, "replicate"},
    {"replication_pad2d", "self, padding", pad_mode, "replicate"},
    {"replication_pad3d", "self, padding", pad_mode, "replicate"},
    {NULL, NULL, NULL, NULL},
};
