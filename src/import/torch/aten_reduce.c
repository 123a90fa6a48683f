/* Sums, extremes, sorting. */
#include <math.h>
#include <string.h>

#include "import/torch/aten.h"

/* sum, mean, prod: (self, dim=None, keepdim, dtype), where TorchScript also
 * writes sum(self, dtype=...). */
static struct val *reduce(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    int64_t dims[SHAPE_MAX_RANK];
    size_t n = arg_ints(c, 1, dims, SHAPE_MAX_RANK);
    bool mean = strcmp(c->op->onnx, "ReduceMean") == 0;
    enum dtype type = x->type;
    double total = 0;

    if (!dtype_is_float(type))
        type = mean ? DTYPE_F32 : DTYPE_I64;
    x = ten_cast(c->t, x, arg_type(c, 3, type));
    if (n == 0 && ten_foldable(x) && !arg_bool(c, 2) && ten_count(x) > 0) {
        bool product = strcmp(c->op->onnx, "ReduceProd") == 0;
        total = product;
        for (int64_t i = 0; i < ten_count(x); i++)
            total = product ? total * ten_f64(x, (size_t)i)
                            : total + ten_f64(x, (size_t)i);
        return give(c, ten_scalar(c->t, x->type,
                                  mean ? total / (double)ten_count(x) : total));
    }
    return give(c, op_reduce(c, c->op->onnx, x, dims, n, arg_bool(c, 2)));
}

static struct ten *arg_extreme(struct aten_call *c, const char *onnx,
                               struct ten *x, int dim, bool keep)
{
    const char *in = ten_name(c->t, x);
    struct graph_node *node = graph_node(c->g, onnx, &in, 1, 1);
    struct shape s = {0};

    for (int i = 0; i < x->shape.rank; i++)
        if (i != dim || keep)
            s.dim[s.rank++] = i == dim ? 1 : x->shape.dim[i];
    attr_int(c->g, node, "axis", dim);
    attr_int(c->g, node, "keepdims", keep);
    return ten_node(c->t, node->out[0], DTYPE_I64, &s);
}

/* max(x), max(x, other), max(x, dim, keepdim) */
static struct val *extreme(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    bool max = strcmp(c->op->onnx, "Max") == 0;
    const char *reduce_op = max ? "ReduceMax" : "ReduceMin";

    if (arg_none(c, 1)) {
        if (ten_foldable(x) && ten_count(x) > 0) {
            double best = ten_f64(x, 0);
            for (int64_t i = 1; i < ten_count(x); i++) {
                double v = ten_f64(x, (size_t)i);
                best = max == (v > best) ? v : best;
            }
            return give(c, ten_scalar(c->t, x->type, best));
        }
        return give(c, op_reduce(c, reduce_op, x, NULL, 0, false));
    }
    if (ten_of(c->a[1]) && ten_of(c->a[1])->shape.rank + x->shape.rank > 0)
        return give(c, op2(c, c->op->onnx, x, arg_ten(c, 1)));
    int64_t dim = arg_dim(c, 1, x->shape.rank);
    bool keep = arg_bool(c, 2);
    if (x->shape.rank == 0)
        return give_pair(c, x, ten_scalar(c->t, DTYPE_I64, 0));
    return give_pair(
        c, op_reduce(c, reduce_op, x, &dim, 1, keep),
        arg_extreme(c, max ? "ArgMax" : "ArgMin", x, (int)dim, keep));
}

static struct val *amax(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    int64_t dims[SHAPE_MAX_RANK];
    size_t n = arg_ints(c, 1, dims, SHAPE_MAX_RANK);

    return give(c, op_reduce(c, c->op->onnx, x, dims, n, arg_bool(c, 2)));
}

static struct val *argmax(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);

    if (arg_none(c, 1)) {
        struct shape flat = {1, {ten_count(x)}};
        return give(c, arg_extreme(c, c->op->onnx, ten_reshape(c->t, x, &flat),
                                   0, false));
    }
    return give(c, arg_extreme(c, c->op->onnx, x, arg_dim(c, 1, x->shape.rank),
                               arg_bool(c, 2)));
}

static struct val *any_all(struct aten_call *c)
{
    struct ten *x = ten_cast(c->t, arg_ten(c, 0), DTYPE_BOOL);
    int64_t dims[SHAPE_MAX_RANK];
    size_t n = arg_ints(c, 1, dims, SHAPE_MAX_RANK);
    bool any = strcmp(c->op->name, "any") == 0;

    if (n == 0 && ten_foldable(x)) {
        bool out = !any;
        for (int64_t i = 0; i < ten_count(x); i++)
            if ((ten_i64(x, (size_t)i) != 0) == any)
                out = any;
        return give(c, ten_scalar(c->t, DTYPE_BOOL, out));
    }
    x = op_reduce(c, any ? "ReduceMax" : "ReduceMin",
                  ten_cast(c->t, x, DTYPE_I32), dims, n, arg_bool(c, 2));
    return give(c, ten_cast(c->t, x, DTYPE_BOOL));
}

/* Squared deviations from the mean; *count: how many went into each. */
static struct ten *variance(struct aten_call *c, struct ten *x,
                            const int64_t *dims, size_t n, bool keep,
                            double correction)
{
    struct ten *mean = op_reduce(c, "ReduceMean", x, dims, n, true);
    struct ten *d = op2(c, "Sub", x, mean);
    struct ten *v =
        op_reduce(c, "ReduceMean", op2(c, "Mul", d, d), dims, n, keep);
    double count =
        ten_count(v) ? (double)ten_count(x) / (double)ten_count(v) : 1;

    if (correction != 0)
        v = op_number(c, "Mul", v, count / (count - correction));
    return v;
}

/* var(self, unbiased), var(self, dim, unbiased, keepdim), and with correction
 * by name. */
static struct val *var_std(struct aten_call *c)
{
    struct ten *x = as_float(c, arg_ten(c, 0));
    int64_t dims[SHAPE_MAX_RANK];
    size_t n = 0;
    double correction = 1;

    if (c->a[1] && c->a[1]->kind == VAL_BOOL)
        correction = arg_bool(c, 1);
    else
        n = arg_ints(c, 1, dims, SHAPE_MAX_RANK);
    if (!arg_none(c, 2))
        correction = arg_bool(c, 2);
    if (!arg_none(c, 4))
        correction = arg_float(c, 4);
    struct ten *v = variance(c, x, dims, n, arg_bool(c, 3), correction);
    return give(c, c->op->onnx ? op1(c, "Sqrt", v) : v);
}

static struct val *var_mean(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    int64_t dims[SHAPE_MAX_RANK];
    size_t n = arg_ints(c, 1, dims, SHAPE_MAX_RANK);
    double correction = arg_none(c, 4) ? 1 : arg_float(c, 4);

    if (!arg_none(c, 2))
        correction = arg_bool(c, 2);
    bool keep = arg_bool(c, 3);
    return give_pair(c, variance(c, x, dims, n, keep, correction),
                     op_reduce(c, "ReduceMean", x, dims, n, keep));
}

/* The p-norm; "fro" is 2. */
static struct val *norm(struct aten_call *c)
{
    struct ten *x = as_float(c, arg_ten(c, 0));
    int64_t dims[SHAPE_MAX_RANK];
    size_t n = arg_ints(c, 2, dims, SHAPE_MAX_RANK);
    bool keep = arg_bool(c, 3);
    double p = 2;

    if (!arg_none(c, 1) && c->a[1]->kind != VAL_STR)
        p = arg_float(c, 1);
    if (p == 2)
        return give(c, op_reduce(c, "ReduceL2", x, dims, n, keep));
    if (p == 1)
        return give(c, op_reduce(c, "ReduceL1", x, dims, n, keep));
    x = op1(c, "Abs", x);
    if (isinf(p))
        return give(c, op_reduce(c, p > 0 ? "ReduceMax" : "ReduceMin", x, dims,
                                 n, keep));
    x = op_reduce(c, "ReduceSum", op_number(c, "Pow", x, p), dims, n, keep);
    return give(c, op_number(c, "Pow", x, 1 / p));
}

static struct val *frobenius(struct aten_call *c)
{
    struct val *a[] = {c->a[0], py_int(c->py, 2), c->a[1], c->a[2]};

    return aten_invoke(c->py, "norm", 4, a);
}

static struct val *logsumexp(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    int64_t dims[SHAPE_MAX_RANK];
    size_t n = arg_ints(c, 1, dims, SHAPE_MAX_RANK);

    return give(c, op_reduce(c, "ReduceLogSumExp", x, dims, n, arg_bool(c, 2)));
}

static struct val *cumsum(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    int64_t dim = arg_dim(c, 1, x->shape.rank);
    enum dtype type = dtype_is_float(x->type) ? x->type : DTYPE_I64;

    x = ten_cast(c->t, x, arg_type(c, 2, type));
    const char *in[] = {
        ten_name(c->t, x),
        ten_name(c->t, ten_scalar(c->t, DTYPE_I64, (double)dim))};
    return give_node(c, graph_op(c->g, "CumSum", in, 2), x->type, &x->shape);
}

static struct val *softmax(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);

    x = as_float(c, ten_cast(c->t, x, arg_type(c, 2, x->type)));
    int dim = arg_none(c, 1) ? (x->shape.rank == 0 || x->shape.rank == 1 ||
                                        x->shape.rank == 3
                                    ? 0
                                    : 1)
                             : arg_dim(c, 1, x->shape.rank);
    return give(c, op_softmax(c, c->op->onnx, x, dim));
}

static struct val *softmin(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);

    return give(c, op_softmax(c, "Softmax", op1(c, "Neg", x),
                              arg_dim(c, 1, x->shape.rank)));
}

static struct val *top(struct aten_call *c, struct ten *x, int64_t k, int dim,
                       bool largest)
{
    struct shape s = x->shape;
    const char *in[] = {ten_name(c->t, x), graph_i64s(c->g, &k, 1)};
    struct graph_node *node = graph_node(c->g, "TopK", in, 2, 2);

    attr_int(c->g, node, "axis", dim);
    attr_int(c->g, node, "largest", largest);
    s.dim[dim] = k;
    return give_pair(c, ten_node(c->t, node->out[0], x->type, &s),
                     ten_node(c->t, node->out[1], DTYPE_I64, &s));
}

static struct val *topk(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);

    return top(c, x, arg_int(c, 1), arg_dim(c, 2, x->shape.rank),
               arg_bool(c, 3));
}

static struct val *sort(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    int dim = arg_dim(c, 1, x->shape.rank);
    struct val *both = top(c, x, x->shape.dim[dim], dim, arg_bool(c, 2));

    return both && c->op->onnx ? both->as.items.v[1] : both;
}

static struct val *median(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    struct shape flat = {1, {ten_count(x)}};

    if (!arg_none(c, 1))
        return aten_fail(c, "only of all elements");
    x = ten_reshape(c->t, x, &flat);
    struct val *low = top(c, x, (flat.dim[0] + 1) / 2, 0, false);
    struct ten *v = low ? ten_of(low->as.items.v[0]) : x;
    return give(c, op_select(c, v, 0, v->shape.dim[0] - 1));
}

#define DIM "self, dim=None, keepdim=False, dtype=None"

const struct aten aten_reduce[] = {
    {"sum", DIM, reduce, "ReduceSum"},
    {"mean", DIM, reduce, "ReduceMean"},
    {"prod", DIM, reduce, "ReduceProd"},
    {"max", "self, dim=None, keepdim=False", extreme, "Max"},
    {"min", "self, dim=None, keepdim=False", extreme, "Min"},
    {"amax", "self, dim=None, keepdim=False", amax, "ReduceMax"},
    {"amin", "self, dim=None, keepdim=False", amax, "ReduceMin"},
    {"argmax", "self, dim=None, keepdim=False", argmax, "ArgMax"},
    {"argmin", "self, dim=None, keepdim=False", argmax, "ArgMin"},
    {"any", "self, dim=None, keepdim=False", any_all, NULL},
    {"all", "self, dim=None, keepdim=False", any_all, NULL},
    {"var", "self, dim=None, unbiased=None, keepdim=False, correction=None",
     var_std, NULL},
    {"std", "self, dim=None, unbiased=None, keepdim=False, correction=None",
     var_std, "Sqrt"},
    {"var_mean",
     "self, dim=None, unbiased=None, keepdim=False, correction=None", var_mean,
     NULL},
    {"norm", "self, p=2, dim=None, keepdim=False, dtype=None", norm, NULL},
    {"frobenius_norm", "self, dim=None, keepdim=False", frobenius, NULL},
    {"linalg_vector_norm", "self, ord=2, dim=None, keepdim=False, dtype=None",
     norm, NULL},
    {"linalg_norm", "self, ord=2, dim=None, keepdim=False, dtype=None", norm,
     NULL},
    {"logsumexp", "self, dim, keepdim=False", logsumexp, NULL},
    {"cumsum", "self, dim, dtype=None", cumsum, NULL},
    {"softmax", "self, dim=None, dtype=None", softmax, "Softmax"},
    {"_softmax", "self, dim, half_to_float=None", softmax, "Softmax"},
    {"log_softmax", "self, dim=None, dtype=None", softmax, "LogSoftmax"},
    {"softmin", "self, dim=1", softmin, NULL},
    {"topk", "self, k, dim=-1, largest=True, sorted=True", topk, NULL},
    {"sort", "self, dim=-1, descending=False, stable=None", sort, NULL},
    {"argsort", "self, dim=-1, descending=False, stable=None", sort, "1"},
    {"median", "self, dim=None, keepdim=False", median, NULL},
    {NULL, NULL, NULL, NULL},
};
