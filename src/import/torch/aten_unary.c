/* Functions of one tensor, element by element: activations and the rest. */
#include <math.h>
#include <string.h>

#include "import/torch/aten.h"

static double fold_f64(const char *onnx, double v)
{
    static const struct {
        const char *onnx;
        double (*f)(double);
    } table[] = {{"Neg", NULL},  {"Abs", fabs},   {"Floor", floor},
                 {"Ceil", ceil}, {"Round", rint}, {"Exp", exp},
                 {"Log", log},   {"Sqrt", sqrt},  {"Sin", sin},
                 {"Cos", cos},   {"Tanh", tanh},  {"Reciprocal", NULL}};

    for (size_t i = 0; i < COUNT(table); i++)
        if (strcmp(onnx, table[i].onnx) == 0)
            return table[i].f ? table[i].f(v) : i == 0 ? -v : 1 / v;
    return (double)NAN;
}

static struct ten *unary_of(struct aten_call *c, const char *onnx,
                            struct ten *x)
{
    void *data;

    if (x->meta)
        return x;
    if (!ten_foldable(x) || isnan(fold_f64(onnx, 1)))
        return op1(c, onnx, x);
    struct ten *y = ten_room(c->t, x->type, &x->shape, &data);
    for (size_t i = 0; data && i < (size_t)ten_count(x); i++)
        ten_put(data, x->type, i, fold_f64(onnx, ten_f64(x, i)));
    return y;
}

/* Of floating point results; whole numbers become float. */
static struct val *real(struct aten_call *c)
{
    return give(c, unary_of(c, c->op->onnx, as_float(c, arg_ten(c, 0))));
}

/* Keeps the type. */
static struct val *same(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    bool rounding = strcmp(c->op->onnx, "Floor") == 0 ||
                    strcmp(c->op->onnx, "Ceil") == 0 ||
                    strcmp(c->op->onnx, "Round") == 0;

    if (rounding && !dtype_is_float(x->type))
        return give(c, x);
    return give(c, unary_of(c, c->op->onnx, x));
}

static struct val *identity(struct aten_call *c)
{
    return c->a[0];
}

static struct val *rsqrt(struct aten_call *c)
{
    struct ten *x = unary_of(c, "Sqrt", as_float(c, arg_ten(c, 0)));

    return give(c, unary_of(c, "Reciprocal", x));
}

static struct val *logarithm(struct aten_call *c)
{
    double base = strcmp(c->op->name, "log2") == 0 ? M_LN2 : M_LN10;
    struct ten *x = unary_of(c, "Log", as_float(c, arg_ten(c, 0)));

    return give(c, op_number(c, "Mul", x, 1 / base));
}

static struct val *log1p_of(struct aten_call *c)
{
    return give(
        c, op1(c, "Log", op_number(c, "Add", as_float(c, arg_ten(c, 0)), 1)));
}

static struct val *expm1_of(struct aten_call *c)
{
    return give(
        c, op_number(c, "Sub", op1(c, "Exp", as_float(c, arg_ten(c, 0))), 1));
}

static struct val *square(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);

    return give(c, op2(c, "Mul", x, x));
}

static struct val *trunc_of(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);

    if (!dtype_is_float(x->type))
        return give(c, x);
    return give(
        c, op2(c, "Mul", op1(c, "Floor", op1(c, "Abs", x)), op1(c, "Sign", x)));
}

static struct val *logical_not(struct aten_call *c)
{
    struct ten *x = ten_cast(c->t, arg_ten(c, 0), DTYPE_BOOL);

    if (ten_foldable(x)) {
        void *data;
        struct ten *y = ten_room(c->t, DTYPE_BOOL, &x->shape, &data);
        for (size_t i = 0; data && i < (size_t)ten_count(x); i++)
            ((uint8_t *)data)[i] = !ten_i64(x, i);
        return give(c, y);
    }
    return give(c, op1(c, "Not", x));
}

static struct val *bitwise_not(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);

    if (x->type == DTYPE_BOOL)
        return logical_not(c);
    return give(c, op_number(c, "Sub", op1(c, "Neg", x), 1)); /* ~x = -x - 1 */
}

/* One node with float attributes a and b from arguments 1 and 2. */
static struct val *activation(struct aten_call *c, const char *onnx,
                              const char *attr_a, double a, const char *attr_b,
                              double b)
{
    struct ten *x = arg_ten(c, 0);
    const char *in = ten_name(c->t, x);
    struct graph_node *node = graph_node(c->g, onnx, &in, 1, 1);

    if (attr_a)
        attr_float(c->g, node, attr_a, a);
    if (attr_b)
        attr_float(c->g, node, attr_b, b);
    return give_node(c, node->out[0], x->type, &x->shape);
}

static struct val *leaky_relu(struct aten_call *c)
{
    return activation(c, "LeakyRelu", "alpha", arg_float(c, 1), NULL, 0);
}

/* Outside training the slope is the middle of its range. */
static struct val *rrelu(struct aten_call *c)
{
    return activation(c, "LeakyRelu", "alpha",
                      (arg_float(c, 1) + arg_float(c, 2)) / 2, NULL, 0);
}

/* scale * (max(0, x) + min(0, alpha * (exp(input_scale * x) - 1))) */
static struct val *elu(struct aten_call *c)
{
    if (arg_float(c, 2) == 1 && arg_float(c, 3) == 1)
        return activation(c, "Elu", "alpha", arg_float(c, 1), NULL, 0);
    return activation(c, "Selu", "alpha", arg_float(c, 1), "gamma",
                      arg_float(c, 2));
}

static struct val *selu(struct aten_call *c)
{
    return activation(c, "Selu", "alpha", 1.6732632423543772848170429916717,
                      "gamma", 1.0507009873554804934193349852946);
}

static struct val *celu(struct aten_call *c)
{
    return activation(c, "Celu", "alpha", arg_float(c, 1), NULL, 0);
}

static struct val *hardsigmoid(struct aten_call *c)
{
    return activation(c, "HardSigmoid", "alpha", 1.0 / 6, "beta", 0.5);
}

static struct val *hardswish(struct aten_call *c)
{
    return activation(c, "HardSwish", NULL, 0, NULL, 0);
}

static struct val *silu(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);

    return give(c, op2(c, "Mul", x, op1(c, "Sigmoid", x)));
}

static struct val *mish(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);

    return give(c, op2(c, "Mul", x, op1(c, "Tanh", op1(c, "Softplus", x))));
}

/* x Phi(x); ONNX Runtime knows this pattern. */
static struct val *gelu(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0), *y;

    if (str_eq(arg_str(c, 1), STR("tanh"))) {
        struct ten *cube = op2(c, "Mul", op2(c, "Mul", x, x), x);
        y = op2(c, "Add", x, op_number(c, "Mul", cube, 0.044715));
        y = op1(c, "Tanh", op_number(c, "Mul", y, M_2_SQRTPI * M_SQRT1_2));
    } else {
        y = op1(c, "Erf", op_number(c, "Div", x, M_SQRT2));
    }
    y = op2(c, "Mul", x, op_number(c, "Add", y, 1));
    return give(c, op_number(c, "Mul", y, 0.5));
}

static struct val *softplus(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    double beta = arg_float(c, 1), limit = arg_float(c, 2);
    struct ten *scaled = beta == 1 ? x : op_number(c, "Mul", x, beta);
    struct ten *y = op1(c, "Softplus", scaled);

    y = beta == 1 ? y : op_number(c, "Div", y, beta);
    struct ten *above =
        op2(c, "Greater", scaled, ten_scalar(c->t, x->type, limit));
    return give(c, op_where(c, above, x, y));
}

static struct val *softsign(struct aten_call *c)
{
    return activation(c, "Softsign", NULL, 0, NULL, 0);
}

static struct val *log_sigmoid(struct aten_call *c)
{
    struct ten *x = op1(c, "Neg", arg_ten(c, 0));

    return give(c, op1(c, "Neg", op1(c, "Softplus", x)));
}

static struct val *threshold(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    struct ten *above =
        op2(c, "Greater", x, ten_scalar(c->t, x->type, arg_float(c, 1)));

    return give(
        c, op_where(c, above, x, ten_scalar(c->t, x->type, arg_float(c, 2))));
}

static struct val *softshrink(struct aten_call *c)
{
    return activation(c, "Shrink", "lambd", arg_float(c, 1), "bias",
                      arg_float(c, 1));
}

static struct val *hardshrink(struct aten_call *c)
{
    return activation(c, "Shrink", "lambd", arg_float(c, 1), "bias", 0);
}

static struct ten *clamped(struct aten_call *c, struct ten *x, struct ten *low,
                           struct ten *high)
{
    if (low)
        x = op2(c, "Max", x, low);
    return high ? op2(c, "Min", x, high) : x;
}

static struct val *clamp(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    struct ten *low = arg_ten_or_null(c, 1), *high = arg_ten_or_null(c, 2);
    const char *in[3] = {"", "", ""};

    if ((low && low->shape.rank) || (high && high->shape.rank) ||
        ten_foldable(x) || (low && promote(x, low) != x->type) ||
        (high && promote(x, high) != x->type))
        return give(c, clamped(c, x, low, high));
    in[0] = ten_name(c->t, x);
    if (low)
        in[1] = ten_name(c->t, ten_cast(c->t, low, x->type));
    if (high)
        in[2] = ten_name(c->t, ten_cast(c->t, high, x->type));
    return give_node(c, graph_op(c->g, "Clip", in, high ? 3 : 2), x->type,
                     &x->shape);
}

static struct val *clamp_max(struct aten_call *c)
{
    return give(c, clamped(c, arg_ten(c, 0), NULL, arg_ten(c, 1)));
}

static struct val *relu6(struct aten_call *c)
{
    struct val *a[] = {c->a[0], py_float(c->py, 0), py_float(c->py, 6)};

    return aten_invoke(c->py, "clamp", 3, a);
}

/* A slope per channel, dimension 1. */
static struct val *prelu(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0), *slope = arg_ten(c, 1);
    struct shape s = {x->shape.rank > 1 ? x->shape.rank - 1 : 1, {0}};

    for (int i = 0; i < s.rank; i++)
        s.dim[i] = i == 0 ? ten_count(slope) : 1;
    slope = ten_reshape(c->t, slope, &s);
    return give_node(
        c, graph_op2(c->g, "PRelu", ten_name(c->t, x), ten_name(c->t, slope)),
        x->type, &x->shape);
}

static struct val *glu(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    int dim = arg_dim(c, 1, x->shape.rank);
    int64_t half = x->shape.dim[dim] / 2;

    return give(
        c, op2(c, "Mul", ten_slice(c->t, x, dim, 0, half, 1),
               op1(c, "Sigmoid", ten_slice(c->t, x, dim, half, half * 2, 1))));
}

static struct val *is_nan(struct aten_call *c)
{
    struct ten *x = op1(c, c->op->onnx, as_float(c, arg_ten(c, 0)));

    x->type = DTYPE_BOOL;
    return give(c, x);
}

static struct val *tanhshrink(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);

    return give(c, op2(c, "Sub", x, op1(c, "Tanh", x)));
}

static struct val *logit(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);

    if (!arg_none(c, 1))
        x = clamped(c, x, ten_scalar(c->t, x->type, arg_float(c, 1)),
                    ten_scalar(c->t, x->type, 1 - arg_float(c, 1)));
    struct ten *rest = op2(c, "Sub", ten_scalar(c->t, x->type, 1), x);
    return give(c, op1(c, "Log", op2(c, "Div", x, rest)));
}

static struct val *nan_to_num(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    struct ten *nan = op1(c, "IsNaN", x);
    double value = arg_none(c, 1) ? 0 : arg_float(c, 1);

    nan->type = DTYPE_BOOL;
    return give(c, op_where(c, nan, ten_scalar(c->t, x->type, value), x));
}

const struct aten aten_unary[] = {
    {"relu", "self", same, "Relu"},
    {"sigmoid", "self", real, "Sigmoid"},
    {"tanh", "self", real, "Tanh"},
    {"exp", "self", real, "Exp"},
    {"log", "self", real, "Log"},
    {"sqrt", "self", real, "Sqrt"},
    {"rsqrt", "self", rsqrt, NULL},
    {"reciprocal", "self", real, "Reciprocal"},
    {"abs", "self", same, "Abs"},
    {"absolute", "self", same, "Abs"},
    {"neg", "self", same, "Neg"},
    {"negative", "self", same, "Neg"},
    {"floor", "self", same, "Floor"},
    {"ceil", "self", same, "Ceil"},
    {"round", "self", same, "Round"},
    {"trunc", "self", trunc_of, NULL},
    {"sign", "self", same, "Sign"},
    {"erf", "self", real, "Erf"},
    {"sin", "self", real, "Sin"},
    {"cos", "self", real, "Cos"},
    {"tan", "self", real, "Tan"},
    {"asin", "self", real, "Asin"},
    {"acos", "self", real, "Acos"},
    {"atan", "self", real, "Atan"},
    {"sinh", "self", real, "Sinh"},
    {"cosh", "self", real, "Cosh"},
    {"asinh", "self", real, "Asinh"},
    {"acosh", "self", real, "Acosh"},
    {"atanh", "self", real, "Atanh"},
    {"log2", "self", logarithm, NULL},
    {"log10", "self", logarithm, NULL},
    {"log1p", "self", log1p_of, NULL},
    {"expm1", "self", expm1_of, NULL},
    {"square", "self", square, NULL},
    {"isnan", "self", is_nan, "IsNaN"},
    {"isinf", "self", is_nan, "IsInf"},
    {"nan_to_num", "self, nan=None, posinf=None, neginf=None", nan_to_num,
     NULL},
    {"logical_not", "self", logical_not, NULL},
    {"bitwise_not", "self", bitwise_not, NULL},
    {"leaky_relu", "self, negative_slope=0.01", leaky_relu, NULL},
    {"elu", "self, alpha=1.0, scale=1.0, input_scale=1.0", elu, NULL},
    {"selu", "self", selu, NULL},
    {"celu", "self, alpha=1.0", celu, NULL},
    {"gelu", "self, approximate='none'", gelu, NULL},
    {"silu", "self", silu, NULL},
    {"mish", "self", mish, NULL},
    {"hardsigmoid", "self", hardsigmoid, NULL},
    {"hardswish", "self", hardswish, NULL},
    {"hardtanh", "self, min_val=-1.0, max_val=1.0", clamp, NULL},
    {"relu6", "self", relu6, NULL},
    {"softplus", "self, beta=1.0, threshold=20.0", softplus, NULL},
    {"softsign", "self", softsign, NULL},
    {"tanhshrink", "self", tanhshrink, NULL},
    {"log_sigmoid", "self", log_sigmoid, NULL},
    {"logsigmoid", "self", log_sigmoid, NULL},
    {"threshold", "self, threshold, value", threshold, NULL},
    {"softshrink", "self, lambd=0.5", softshrink, NULL},
    {"hardshrink", "self, lambd=0.5", hardshrink, NULL},
    {"clamp", "self, min=None, max=None", clamp, NULL},
    {"clip", "self, min=None, max=None", clamp, NULL},
    {"clamp_min", "self, min", clamp, NULL},
    {"clamp_max", "self, max", clamp_max, NULL},
    {"prelu", "self, weight", prelu, NULL},
    {"glu", "self, dim=-1", glu, NULL},
    {"logit", "self, eps=None", logit, NULL},
    {"dropout", "input, p=0.5, train=False", identity, NULL},
    {"feature_dropout", "input, p=0.5, train=False", identity, NULL},
    {"alpha_dropout", "input, p=0.5, train=False", identity, NULL},
    {"feature_alpha_dropout", "input, p=0.5, train=False", identity, NULL},
    {"rrelu", "self, lower=0.125, upper=0.3333333333333333, training=False",
     rrelu, NULL},
    {NULL, NULL, NULL, NULL},
};
