/* Normalizations. */
#include <string.h>

#include "import/torch/aten.h"

/* A vector of n equal numbers, for weights that are left out. */
static struct ten *constant(struct aten_call *c, const struct ten *like,
                            int64_t n, double v)
{
    struct shape s = {1, {n}};
    void *data;
    struct ten *x = ten_room(c->t, like->type, &s, &data);

    for (int64_t i = 0; data && i < n; i++)
        ten_put(data, like->type, (size_t)i, v);
    return x;
}

/* A vector along dimension 1 of x. */
static struct ten *along_channels(struct aten_call *c, struct ten *v, int rank)
{
    struct shape s = {rank > 1 ? rank - 1 : 1, {0}};

    for (int i = 0; i < s.rank; i++)
        s.dim[i] = i == 0 ? ten_count(v) : 1;
    return ten_reshape(c->t, v, &s);
}

static struct ten *scaled(struct aten_call *c, struct ten *y, struct ten *w,
                          struct ten *b)
{
    if (w)
        y = op2(c, "Mul", y, along_channels(c, w, y->shape.rank));
    return b ? op2(c, "Add", y, along_channels(c, b, y->shape.rank)) : y;
}

/* (x - mean) / sqrt(var + eps) over the dimensions given. */
static struct ten *normalized(struct aten_call *c, struct ten *x,
                              const int64_t *dims, size_t n, double eps)
{
    struct ten *mean = op_reduce(c, "ReduceMean", x, dims, n, true);
    struct ten *d = op2(c, "Sub", x, mean);
    struct ten *var =
        op_reduce(c, "ReduceMean", op2(c, "Mul", d, d), dims, n, true);

    return op2(c, "Div", d, op1(c, "Sqrt", op_number(c, "Add", var, eps)));
}

static struct val *statistics_of_batch(struct aten_call *c, struct ten *x,
                                       struct ten *w, struct ten *b, double eps)
{
    int64_t dims[SHAPE_MAX_RANK];
    size_t n = 0;

    for (int i = 0; i < x->shape.rank; i++)
        if (i != 1)
            dims[n++] = i;
    return give(c, scaled(c, normalized(c, x, dims, n, eps), w, b));
}

/* batch_norm(input, weight, bias, running_mean, running_var, training,
 * momentum, eps, cudnn_enabled) */
static struct val *batch_norm(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0), *w = arg_ten_or_null(c, 1);
    struct ten *b = arg_ten_or_null(c, 2), *mean = arg_ten_or_null(c, 3);
    struct ten *var = arg_ten_or_null(c, 4);
    double eps = arg_float(c, 7);

    if (!mean || !var || arg_bool(c, 5))
        return statistics_of_batch(c, x, w, b, eps);
    int64_t n = ten_count(mean);
    if (x->shape.rank < 2 || x->shape.dim[1] != n)
        return aten_fail(c, "the input has not %lld channels", (long long)n);
    w = w ? w : constant(c, mean, n, 1);
    b = b ? b : constant(c, mean, n, 0);
    const char *in[] = {ten_name(c->t, x), ten_name(c->t, w), ten_name(c->t, b),
                        ten_name(c->t, mean), ten_name(c->t, var)};
    struct graph_node *node = graph_node(c->g, "BatchNormalization", in, 5, 1);
    attr_float(c->g, node, "epsilon", eps);
    return give_node(c, node->out[0], x->type, &x->shape);
}

static struct val *batch_norm_triple(struct aten_call *c)
{
    struct val *out = py_list(c->py, VAL_TUPLE, 3), *y = batch_norm(c);

    for (int i = 0; i < 3; i++)
        (void)py_append(c->py, out, i ? &c->py->none : y);
    return c->py->failed ? NULL : out;
}

/* _native_batch_norm_legit_no_training(input, weight, bias, mean, var,
 * momentum, eps) */
static struct val *batch_norm_inference(struct aten_call *c)
{
    c->a[7] = c->a[6];
    c->a[5] = &c->py->no;
    return batch_norm_triple(c);
}

/* layer_norm(input, normalized_shape, weight, bias, eps) */
static struct val *layer_norm(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    int64_t dims[SHAPE_MAX_RANK];
    size_t n = arg_ints(c, 1, dims, SHAPE_MAX_RANK);
    struct ten *w = arg_ten_or_null(c, 2), *b = arg_ten_or_null(c, 3);
    struct shape s = {(int)n, {0}};
    void *data;

    if (n == 0 || n > (size_t)x->shape.rank)
        return aten_fail(c, "the shape does not fit the input");
    for (size_t i = 0; i < n; i++) {
        s.dim[i] = dims[i];
        if (x->shape.dim[(size_t)x->shape.rank - n + i] != dims[i])
            return aten_fail(c, "the shape does not fit the input");
    }
    if (!w) {
        w = ten_room(c->t, x->type, &s, &data);
        for (int64_t i = 0; data && i < ten_count(w); i++)
            ten_put(data, x->type, (size_t)i, 1);
    }
    const char *in[] = {ten_name(c->t, x), ten_name(c->t, w),
                        b ? ten_name(c->t, b) : ""};
    struct graph_node *node =
        graph_node(c->g, "LayerNormalization", in, b ? 3 : 2, 1);
    attr_int(c->g, node, "axis", -(int64_t)n);
    attr_float(c->g, node, "epsilon", arg_float(c, 4));
    return give_node(c, node->out[0], x->type, &x->shape);
}

static struct val *native_layer_norm(struct aten_call *c)
{
    struct val *out = py_list(c->py, VAL_TUPLE, 3), *y = layer_norm(c);

    for (int i = 0; i < 3; i++)
        (void)py_append(c->py, out, i ? &c->py->none : y);
    return c->py->failed ? NULL : out;
}

/* group_norm(input, num_groups, weight, bias, eps) */
static struct val *group_norm(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    int64_t groups = arg_int(c, 1), last = 2;
    struct shape s = {3, {x->shape.dim[0], groups, 0}};

    if (groups <= 0 || x->shape.rank < 2 || x->shape.dim[1] % groups ||
        x->shape.dim[0] == 0)
        return aten_fail(c, "the channels do not divide by %lld",
                         (long long)groups);
    s.dim[2] = ten_count(x) / x->shape.dim[0] / groups;
    /* InstanceNormalization over groups is the runtime's fast way. */
    struct ten *flat = ten_reshape(c->t, x, &s), *y;
    struct ten *one = constant(c, x, groups, 1);
    struct ten *zero = constant(c, x, groups, 0);
    if (x->type == DTYPE_F32) {
        const char *in[] = {ten_name(c->t, flat), ten_name(c->t, one),
                            ten_name(c->t, zero)};
        struct graph_node *node =
            graph_node(c->g, "InstanceNormalization", in, 3, 1);
        attr_float(c->g, node, "epsilon", arg_float(c, 4));
        y = ten_node(c->t, node->out[0], x->type, &s);
    } else {
        y = normalized(c, flat, &last, 1, arg_float(c, 4));
    }
    y = ten_reshape(c->t, y, &x->shape);
    return give(c, scaled(c, y, arg_ten_or_null(c, 2), arg_ten_or_null(c, 3)));
}

/* instance_norm(input, weight, bias, running_mean, running_var,
 * use_input_stats, momentum, eps, cudnn_enabled) */
static struct val *instance_norm(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    int64_t dims[SHAPE_MAX_RANK];
    size_t n = 0;

    if (!arg_bool(c, 5) && !arg_none(c, 3))
        return batch_norm(c);
    for (int i = 2; i < x->shape.rank; i++)
        dims[n++] = i;
    if (n == 0)
        return aten_fail(c, "the input has no dimensions to normalize over");
    return give(c, scaled(c, normalized(c, x, dims, n, arg_float(c, 7)),
                          arg_ten_or_null(c, 1), arg_ten_or_null(c, 2)));
}

/* rms_norm(input, normalized_shape, weight, eps) */
static struct val *rms_norm(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0), *w = arg_ten_or_null(c, 2);
    int64_t dims[SHAPE_MAX_RANK];
    size_t n = arg_ints(c, 1, dims, SHAPE_MAX_RANK);
    double eps = arg_none(c, 3) ? 1.1920929e-07 : arg_float(c, 3);

    for (size_t i = 0; i < n; i++)
        dims[i] = (int64_t)i - (int64_t)n;
    struct ten *ms =
        op_reduce(c, "ReduceMean", op2(c, "Mul", x, x), dims, n, true);
    struct ten *y =
        op2(c, "Div", x, op1(c, "Sqrt", op_number(c, "Add", ms, eps)));
    return give(c, w ? op2(c, "Mul", y, w) : y);
}

/* local_response_norm(input, size, alpha, beta, k) */
static struct val *local_response_norm(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    const char *in = ten_name(c->t, x);
    struct graph_node *node = graph_node(c->g, "LRN", &in, 1, 1);

    attr_int(c->g, node, "size", arg_int(c, 1));
    attr_float(c->g, node, "alpha", arg_float(c, 2));
    attr_float(c->g, node, "beta", arg_float(c, 3));
    attr_float(c->g, node, "bias", arg_float(c, 4));
    return give_node(c, node->out[0], x->type, &x->shape);
}

const struct aten aten_norm[] = {
    {"batch_norm",
     "input, weight, bias, running_mean, running_var, training=False, "
     "momentum=0.1, eps=1e-5, cudnn_enabled=True",
     batch_norm, NULL},
    {"native_batch_norm",
     "input, weight, bias, running_mean, running_var, training=False, "
     "momentum=0.1, eps=1e-5",
     batch_norm_triple, NULL},
    {"_native_batch_norm_legit_no_training",
     "input, weight, bias, running_mean, running_var, momentum=0.1, eps=1e-5, "
     "unused=None",
     batch_norm_inference, NULL},
    {"layer_norm",
     "input, normalized_shape, weight=None, bias=None, eps=1e-5, "
     "cudnn_enable=True",
     layer_norm, NULL},
    {"native_layer_norm", "input, normalized_shape, weight, bias, eps",
     native_layer_norm, NULL},
    {"group_norm",
     "input, num_groups, weight=None, bias=None, eps=1e-5, cudnn_enabled=True",
     group_norm, NULL},
    {"instance_norm",
     "input, weight=None, bias=None, running_mean=None, running_var=None, "
     "use_input_stats=True, momentum=0.1, eps=1e-5, cudnn_enabled=True",
     instance_norm, NULL},
    {"rms_norm", "input, normalized_shape, weight=None, eps=None", rms_norm,
     NULL},
    {"local_response_norm", "input, size, alpha=1e-4, beta=0.75, k=1.0",
     local_response_norm, NULL},
    {NULL, NULL, NULL, NULL},
};
