/* Finding operators, binding arguments, what all families share. */
#include "import/torch/aten.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct aten *const families[] = {
    aten_binary, aten_conv,   aten_image, aten_index, aten_join,
    aten_make,   aten_matmul, aten_norm,  aten_pool,  aten_reduce,
    aten_rnn,    aten_shape,  aten_unary};

const struct aten *aten_find(struct str name)
{
    for (size_t i = 0; i < COUNT(families); i++)
        for (const struct aten *op = families[i]; op->name; op++)
            if (str_eq(name, str_from_cstr(op->name)))
                return op;
    return NULL;
}

struct val *aten_fail(struct aten_call *c, const char *fmt, ...)
{
    char text[300];
    va_list list;

    va_start(list, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, list);
    va_end(list);
    return py_fail(c->py, ERR_UNSUPPORTED, "%s: %s", c->op->name, text);
}

/* x.view(2, 3) is x.view((2, 3)): where the sizes begin. */
static const struct {
    const char *name;
    size_t at;
} sizes_at[] = {
    {"view", 1},     {"reshape", 1},   {"permute", 1}, {"expand", 1},
    {"repeat", 1},   {"tile", 1},      {"flip", 1},    {"new_zeros", 1},
    {"new_ones", 1}, {"new_empty", 1}, {"zeros", 0},   {"ones", 0},
    {"empty", 0},    {"randn", 0},     {"rand", 0},    {"randn_meta", 0},
};

static bool gather_sizes(struct py *py, const struct aten *op,
                         const struct args *a, struct args *out)
{
    *out = *a;
    for (size_t i = 0; i < COUNT(sizes_at); i++) {
        size_t at = sizes_at[i].at;
        if (strcmp(op->name, sizes_at[i].name) != 0 || a->n <= at)
            continue;
        struct val *first = a->pos[at];
        bool list = first->kind == VAL_LIST || first->kind == VAL_TUPLE ||
                    first->kind == VAL_SPACE;
        if (list)
            return true;
        struct val *sizes = py_list(py, VAL_LIST, a->n);
        for (size_t k = at; k < a->n; k++)
            if (!py_append(py, sizes, a->pos[k]))
                return false;
        out->pos = arena_new(py->arena, struct val *, at + 1);
        if (!out->pos)
            return false;
        if (at)
            out->pos[0] = a->pos[0];
        out->pos[at] = sizes;
        out->n = at + 1;
        return true;
    }
    return true;
}

struct val *aten_run(struct py *py, const struct aten *op, const struct args *a)
{
    struct aten_call c = {
        .py = py, .t = trace_of(py), .g = trace_of(py)->g, .op = op};
    struct args args;

    if (!gather_sizes(py, op, a, &args) ||
        !py_bind(py, op->name, op->signature, &args, c.a, ATEN_MAX_ARGS))
        return NULL;
    struct val *out = op->call(&c);
    if (c.g->failed)
        (void)py_fail(py, ERR_NOMEM, "out of memory");
    return py->failed ? NULL : out;
}

struct val *aten_invoke(struct py *py, const char *name, size_t n,
                        struct val *const *a)
{
    const struct aten *op = aten_find(str_from_cstr(name));

    if (!op)
        return py_fail(py, ERR_UNSUPPORTED, "the operator '%s' is not known",
                       name);
    for (size_t i = 0; i < n; i++)
        if (!a[i])
            return NULL;
    return aten_run(py, op,
                    &(struct args){(struct val **)(uintptr_t)a, n, NULL});
}

bool arg_none(const struct aten_call *c, size_t i)
{
    return !c->a[i] || c->a[i]->kind == VAL_NONE;
}

static struct ten *stand_in(struct aten_call *c)
{
    return ten_new(c->t, DTYPE_F32, &(struct shape){0});
}

struct ten *arg_ten_or_null(struct aten_call *c, size_t i)
{
    if (arg_none(c, i))
        return NULL;
    return arg_ten(c, i);
}

struct ten *arg_ten_as(struct aten_call *c, size_t i, enum dtype type)
{
    struct val *v = c->a[i];
    double number;

    if (v && py_to_float(v, &number))
        return ten_scalar(c->t, type, number);
    return arg_ten(c, i);
}

struct ten *arg_ten(struct aten_call *c, size_t i)
{
    struct ten *x = ten_of(c->a[i]);
    double number;

    if (x) {
        ten_sync(c->t, x);
        return x;
    }
    if (c->a[i] && py_to_float(c->a[i], &number))
        return ten_scalar(c->t,
                          c->a[i]->kind == VAL_FLOAT  ? DTYPE_F32
                          : c->a[i]->kind == VAL_BOOL ? DTYPE_BOOL
                                                      : DTYPE_I64,
                          number);
    (void)aten_fail(c, "argument %zu is a %s and no tensor", i + 1,
                    c->a[i] ? py_kind_name(c->a[i]) : "missing");
    return stand_in(c);
}

/* The one element of a tensor that is known. */
static bool known(struct aten_call *c, const struct val *v, double *out)
{
    struct ten *x = ten_of(v);

    if (!x)
        return false;
    ten_sync(c->t, x);
    if (!x->data || ten_count(x) != 1)
        return false;
    *out = ten_f64(x, 0);
    return true;
}

/* The end of everything, INT64_MAX, may have passed through a double. */
static int64_t whole_of(double v)
{
    return v >= 9.2e18 ? INT64_MAX : v <= -9.2e18 ? INT64_MIN : (int64_t)v;
}

int64_t arg_int(struct aten_call *c, size_t i)
{
    int64_t v = 0;
    double number;

    if (c->a[i] && py_to_int(c->a[i], &v))
        return v;
    if (c->a[i] &&
        (py_to_float(c->a[i], &number) || known(c, c->a[i], &number)))
        return whole_of(number);
    (void)aten_fail(c, "argument %zu must be a whole number", i + 1);
    return 0;
}

double arg_float(struct aten_call *c, size_t i)
{
    double v = 0;

    if (c->a[i] && (py_to_float(c->a[i], &v) || known(c, c->a[i], &v)))
        return v;
    (void)aten_fail(c, "argument %zu must be a number", i + 1);
    return 0;
}

bool arg_bool(struct aten_call *c, size_t i)
{
    bool v = false;

    return c->a[i] && py_truth(c->py, c->a[i], &v) && v;
}

struct str arg_str(struct aten_call *c, size_t i)
{
    if (c->a[i] && c->a[i]->kind == VAL_STR)
        return c->a[i]->as.text;
    if (!arg_none(c, i))
        (void)aten_fail(c, "argument %zu must be a text", i + 1);
    return STR("");
}

size_t arg_ints(struct aten_call *c, size_t i, int64_t *out, size_t max)
{
    struct val *v = c->a[i];
    size_t n = 0;
    double number;

    if (arg_none(c, i))
        return 0;
    if (v->kind == VAL_INT || v->kind == VAL_BOOL ||
        (ten_of(v) && ten_of(v)->shape.rank == 0)) {
        out[0] = arg_int(c, i);
        return 1;
    }
    struct val *list = py_members(c->py, v);
    for (; list && n < list->as.items.n && n < max; n++) {
        struct val *m = list->as.items.v[n];
        if (py_to_int(m, &out[n]))
            continue;
        if (!known(c, m, &number) && !py_to_float(m, &number)) {
            (void)aten_fail(c, "argument %zu must be whole numbers", i + 1);
            return 0;
        }
        out[n] = whole_of(number);
    }
    if (list && n < list->as.items.n)
        (void)aten_fail(c, "argument %zu has too many numbers", i + 1);
    return n;
}

void arg_ints_n(struct aten_call *c, size_t i, int64_t *out, size_t n)
{
    size_t got = arg_ints(c, i, out, n);

    for (size_t k = got; k < n; k++)
        out[k] = got ? out[got - 1] : 0;
}

int dim_of(struct aten_call *c, int64_t dim, int rank)
{
    int room = rank ? rank : 1;

    if (dim < -room || dim >= room) {
        (void)aten_fail(c, "there is no dimension %lld of %d", (long long)dim,
                        rank);
        return 0;
    }
    return (int)(dim < 0 ? dim + room : dim);
}

int arg_dim(struct aten_call *c, size_t i, int rank)
{
    return dim_of(c, arg_int(c, i), rank);
}

struct ten **arg_tens(struct aten_call *c, size_t i, size_t *n)
{
    struct val *list = c->a[i] ? py_members(c->py, c->a[i]) : NULL;
    size_t count = list ? list->as.items.n : 0;
    struct ten **out = arena_new(c->t->arena, struct ten *, count + 1);

    *n = 0;
    if (!out || count == 0) {
        (void)aten_fail(c, "argument %zu must be a list of tensors", i + 1);
        return NULL;
    }
    for (; *n < count; (*n)++) {
        out[*n] = ten_of(list->as.items.v[*n]);
        if (!out[*n]) {
            (void)aten_fail(c, "argument %zu must be a list of tensors", i + 1);
            return NULL;
        }
        ten_sync(c->t, out[*n]);
    }
    return out;
}

enum dtype arg_type(struct aten_call *c, size_t i, enum dtype other)
{
    if (arg_none(c, i))
        return other;
    enum dtype type = aten_type(c->a[i]);
    if (type == DTYPE_NONE)
        (void)aten_fail(c, "argument %zu names no element type", i + 1);
    return type;
}

struct val *give(struct aten_call *c, struct ten *x)
{
    return ten_value(c->t, x);
}

struct val *give_node(struct aten_call *c, const char *name, enum dtype type,
                      const struct shape *s)
{
    return give(c, ten_node(c->t, name, type, s));
}

struct val *give_pair(struct aten_call *c, struct ten *x, struct ten *y)
{
    struct val *out = py_list(c->py, VAL_TUPLE, 2);

    return py_append(c->py, out, give(c, x)) &&
                   py_append(c->py, out, give(c, y))
               ? out
               : NULL;
}

struct ten *op1(struct aten_call *c, const char *onnx, struct ten *x)
{
    return ten_node(c->t, graph_op1(c->g, onnx, ten_name(c->t, x)), x->type,
                    &x->shape);
}

struct ten *as_float(struct aten_call *c, struct ten *x)
{
    return dtype_is_float(x->type) ? x : ten_cast(c->t, x, DTYPE_F32);
}

struct ten *op_number(struct aten_call *c, const char *onnx, struct ten *x,
                      double v)
{
    return op2(c, onnx, x, ten_scalar(c->t, x->type, v));
}

struct ten *op_reduce(struct aten_call *c, const char *onnx, struct ten *x,
                      const int64_t *dims, size_t n, bool keep)
{
    struct shape s = {0};
    int64_t axes[SHAPE_MAX_RANK] = {0};
    bool gone[SHAPE_MAX_RANK] = {false};
    bool sum = strcmp(onnx, "ReduceSum") == 0; /* axes are an input since 13 */

    for (size_t i = 0; i < n && i < SHAPE_MAX_RANK; i++)
        gone[axes[i] = dim_of(c, dims[i], x->shape.rank)] = true;
    for (int i = 0; n == 0 && i < x->shape.rank; i++)
        gone[axes[i] = i] = true;
    n = n ? n : (size_t)x->shape.rank;
    for (int i = 0; i < x->shape.rank; i++)
        if (!gone[i] || keep)
            s.dim[s.rank++] = gone[i] ? 1 : x->shape.dim[i];
    const char *in[2] = {ten_name(c->t, x), ""};
    if (sum && n)
        in[1] = graph_i64s(c->g, axes, n);
    struct graph_node *node = graph_node(c->g, onnx, in, sum && n ? 2 : 1, 1);
    if (!sum && n)
        attr_ints(c->g, node, "axes", axes, n);
    attr_int(c->g, node, "keepdims", keep);
    return ten_node(c->t, node->out[0], x->type, &s);
}

struct ten *op_softmax(struct aten_call *c, const char *onnx, struct ten *x,
                       int dim)
{
    const char *in = ten_name(c->t, x);
    struct graph_node *node = graph_node(c->g, onnx, &in, 1, 1);

    attr_int(c->g, node, "axis", dim);
    return ten_node(c->t, node->out[0], x->type, &x->shape);
}

struct ten *op_gather(struct aten_call *c, struct ten *x, struct ten *at,
                      int dim)
{
    struct shape s = {0};
    const char *in[] = {ten_name(c->t, x), ten_name(c->t, at)};
    struct graph_node *node = graph_node(c->g, "Gather", in, 2, 1);

    for (int i = 0; i < x->shape.rank; i++) {
        if (i != dim) {
            s.dim[s.rank++ % SHAPE_MAX_RANK] = x->shape.dim[i];
            continue;
        }
        for (int k = 0; k < at->shape.rank; k++)
            s.dim[s.rank++ % SHAPE_MAX_RANK] = at->shape.dim[k];
    }
    if (s.rank > SHAPE_MAX_RANK) {
        (void)aten_fail(c, "the result has too many dimensions");
        s.rank = 0;
    }
    attr_int(c->g, node, "axis", dim);
    return ten_node(c->t, node->out[0], x->type, &s);
}

struct ten *op_swap(struct aten_call *c, struct ten *x, int i, int k)
{
    int64_t perm[SHAPE_MAX_RANK];

    for (int d = 0; d < SHAPE_MAX_RANK; d++)
        perm[d] = d == i ? k : d == k ? i : d;
    return ten_transpose(c->t, x, perm);
}

struct ten *op_unsqueeze(struct aten_call *c, struct ten *x, int dim)
{
    struct shape s = x->shape;

    if (s.rank == SHAPE_MAX_RANK) {
        (void)aten_fail(c, "too many dimensions");
        return x;
    }
    for (int i = s.rank; i > dim; i--)
        s.dim[i] = s.dim[i - 1];
    s.dim[dim] = 1;
    s.rank++;
    return ten_reshape(c->t, x, &s);
}

struct ten *op_squeeze(struct aten_call *c, struct ten *x, int dim)
{
    struct shape s = x->shape;

    if (s.rank == 0 || s.dim[dim] != 1)
        return x;
    for (int i = dim; i + 1 < s.rank; i++)
        s.dim[i] = s.dim[i + 1];
    s.rank--;
    return ten_reshape(c->t, x, &s);
}

struct ten *op_select(struct aten_call *c, struct ten *x, int dim, int64_t i)
{
    int64_t n = x->shape.dim[dim];

    if (i < -n || i >= n || x->shape.rank == 0) {
        (void)aten_fail(c, "%lld is outside the %lld of dimension %d",
                        (long long)i, (long long)n, dim);
        return x;
    }
    i = i < 0 ? i + n : i;
    return op_squeeze(c, ten_slice(c->t, x, dim, i, i + 1, 1), dim);
}
