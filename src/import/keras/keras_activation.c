/* Activations, by name or as layers. Formulas: keras.activations, Keras 3.16,
 * and where an older version meant something else, that. */
#include <string.h>

#include "import/keras/keras_internal.h"

/* "relu", {"class_name": "function", "config": "relu"}, {"class_name": "ReLU",
 * "config": {...}} -> the name. */
struct str k_activation_name(const struct json_node *how)
{
    const struct json_node *inner = json_get(how, "config");
    struct str name = json_str_or(how, "");

    if (json_is(how, JSON_OBJECT))
        name = json_is(inner, JSON_STRING)
                   ? inner->text
                   : json_str_or(json_get(how, "class_name"), "");
    /* "keras.activations>gelu" */
    const char *cut = name.n ? memrchr(name.p, '>', name.n) : NULL;
    return cut ? str_slice(name, (size_t)(cut - name.p) + 1, name.n) : name;
}

static const char *with_alpha(struct keras *k, const char *op, const char *x,
                              double alpha)
{
    struct graph_node *n = graph_node(k->g, op, &x, 1, 1);

    attr_float(k->g, n, "alpha", alpha);
    return n->out[0];
}

static const char *clip(struct keras *k, const char *x, double low, double high)
{
    const char *in[] = {x, graph_f32(k->g, low), graph_f32(k->g, high)};

    return graph_op(k->g, "Clip", in, 3);
}

static const char *over_axis(struct keras *k, const char *op, const char *x,
                             int64_t axis)
{
    struct graph_node *n = graph_node(k->g, op, &x, 1, 1);

    attr_int(k->g, n, "axis", axis);
    return n->out[0];
}

static const char *times(struct keras *k, const char *x, const char *y)
{
    return graph_op2(k->g, "Mul", x, y);
}

static const char *scaled(struct keras *k, const char *x, double by)
{
    return times(k, x, graph_f32(k->g, by));
}

static const char *plus(struct keras *k, const char *x, double by)
{
    return graph_op2(k->g, "Add", x, graph_f32(k->g, by));
}

static const char *gelu(struct keras *k, const char *x, bool approximate)
{
    struct graph *g = k->g;

    if (approximate) {
        const char *cube = times(k, times(k, x, x), x);
        const char *in = graph_op2(g, "Add", x, scaled(k, cube, 0.044715));
        const char *t = graph_op1(g, "Tanh", scaled(k, in, 0.7978845608028654));
        return times(k, scaled(k, x, 0.5), plus(k, t, 1));
    }
    const char *erf = graph_op1(g, "Erf", scaled(k, x, 0.70710678118654752));
    return times(k, scaled(k, x, 0.5), plus(k, erf, 1));
}

/* min(max(x * slope + shift, 0), 1) */
static const char *hard_sigmoid(struct keras *k, const char *x)
{
    struct graph_node *n = graph_node(k->g, "HardSigmoid", &x, 1, 1);

    attr_float(k->g, n, "alpha", k->version >= 3 ? 1.0 / 6 : 0.2);
    attr_float(k->g, n, "beta", 0.5);
    return n->out[0];
}

static const char *selu(struct keras *k, const char *x)
{
    struct graph_node *n = graph_node(k->g, "Selu", &x, 1, 1);

    attr_float(k->g, n, "alpha", 1.6732632423543772);
    attr_float(k->g, n, "gamma", 1.0507009873554805);
    return n->out[0];
}

static const char *log_sigmoid(struct keras *k, const char *x)
{
    const char *minus = graph_op1(k->g, "Neg", x);

    return graph_op1(k->g, "Neg", graph_op1(k->g, "Softplus", minus));
}

/* x where |x| > 0.5, else 0; the soft form moves towards 0 by as much. */
static const char *shrink(struct keras *k, const char *x, double bias)
{
    struct graph_node *n = graph_node(k->g, "Shrink", &x, 1, 1);

    attr_float(k->g, n, "lambd", 0.5);
    attr_float(k->g, n, "bias", bias);
    return n->out[0];
}

static const char *named(struct keras *k, struct str name, const char *x)
{
    static const struct {
        const char *keras, *op;
    } plain[] = {
        {"relu", "Relu"},           {"sigmoid", "Sigmoid"},
        {"tanh", "Tanh"},           {"softplus", "Softplus"},
        {"softsign", "Softsign"},   {"exponential", "Exp"},
        {"hard_silu", "HardSwish"}, {"hard_swish", "HardSwish"},
    };
    struct graph *g = k->g;

    for (size_t i = 0; i < COUNT(plain); i++)
        if (str_eq(name, str_from_cstr(plain[i].keras)))
            return graph_op1(g, plain[i].op, x);
    if (name.n == 0 || str_eq(name, STR("linear")))
        return x;
    if (str_eq(name, STR("softmax")))
        return over_axis(k, "Softmax", x, -1);
    if (str_eq(name, STR("log_softmax")))
        return over_axis(k, "LogSoftmax", x, -1);
    if (str_eq(name, STR("hard_sigmoid")))
        return hard_sigmoid(k, x);
    if (str_eq(name, STR("elu")))
        return with_alpha(k, "Elu", x, 1);
    if (str_eq(name, STR("celu")))
        return with_alpha(k, "Celu", x, 1);
    if (str_eq(name, STR("selu")))
        return selu(k, x);
    if (str_eq(name, STR("swish")) || str_eq(name, STR("silu")))
        return times(k, x, graph_op1(g, "Sigmoid", x));
    if (str_eq(name, STR("gelu")))
        return gelu(k, x, false);
    if (str_eq(name, STR("mish")))
        return times(k, x, graph_op1(g, "Tanh", graph_op1(g, "Softplus", x)));
    if (str_eq(name, STR("relu6")))
        return clip(k, x, 0, 6);
    if (str_eq(name, STR("hard_tanh")))
        return clip(k, x, -1, 1);
    if (str_eq(name, STR("leaky_relu")))
        return with_alpha(k, "LeakyRelu", x, 0.2);
    if (str_eq(name, STR("log_sigmoid")))
        return log_sigmoid(k, x);
    if (str_eq(name, STR("tanh_shrink")))
        return graph_op2(g, "Sub", x, graph_op1(g, "Tanh", x));
    if (str_eq(name, STR("hard_shrink")))
        return shrink(k, x, 0);
    if (str_eq(name, STR("soft_shrink")))
        return shrink(k, x, 0.5);
    if (str_eq(name, STR("squareplus")))
        return scaled(
            k,
            graph_op2(g, "Add", x,
                      graph_op1(g, "Sqrt", plus(k, times(k, x, x), 4))),
            0.5);
    return NULL;
}

const char *k_activation(struct keras *k, const struct klayer *l,
                         const struct json_node *how, const char *x)
{
    struct str name = k_activation_name(how);
    const struct json_node *config = json_get(how, "config");

    /* A layer as an activation: with a configuration of its own. */
    if (json_is(config, JSON_OBJECT)) {
        struct klayer layer = {.name = l->name,
                               .class_name = name,
                               .config = config,
                               .class_ = keras_class(name)};
        struct kvalue in = {.name = x, .type = DTYPE_F32}, out;
        struct kcall c = {.in = &in, .n_in = 1, .out = &out};
        if (layer.class_ &&
            (layer.class_->build == k_relu ||
             layer.class_->build == k_leaky_relu ||
             layer.class_->build == k_elu || layer.class_->build == k_softmax))
            return layer.class_->build(k, &layer, &c) ? out.name : NULL;
    }
    const char *y = named(k, name, x);
    if (!y)
        (void)k_fail(k, l, ERR_UNSUPPORTED,
                     "the activation '" STR_FMT "' is not known",
                     STR_ARG(name));
    return y;
}

bool k_activation_layer(struct keras *k, struct klayer *l, struct kcall *c)
{
    return k_same(c, k_activation(k, l, k_get(l, "activation"), c->in->name));
}

/* f(x) = max_value above it, x from threshold on, else slope * (x -
 * threshold). */
bool k_relu(struct keras *k, struct klayer *l, struct kcall *c)
{
    double slope = k_num(l, "negative_slope", 0);
    double threshold = k_num(l, "threshold", 0);
    double most = k_num(l, "max_value", -1);
    struct graph *g = k->g;
    const char *x = c->in->name, *y;

    if (threshold == 0) {
        y = slope == 0 ? graph_op1(g, "Relu", x)
                       : with_alpha(k, "LeakyRelu", x, slope);
    } else {
        const char *limit = graph_f32(g, threshold);
        const char *in[] = {graph_op2(g, "GreaterOrEqual", x, limit), x,
                            scaled(k, graph_op2(g, "Sub", x, limit), slope)};
        y = graph_op(g, "Where", in, 3);
    }
    return k_same(c, most < 0 ? y : graph_op2(g, "Min", y, graph_f32(g, most)));
}

bool k_leaky_relu(struct keras *k, struct klayer *l, struct kcall *c)
{
    double alpha = k_num(l, "negative_slope", k_num(l, "alpha", 0.3));

    return k_same(c, with_alpha(k, "LeakyRelu", c->in->name, alpha));
}

bool k_elu(struct keras *k, struct klayer *l, struct kcall *c)
{
    return k_same(c, with_alpha(k, "Elu", c->in->name, k_num(l, "alpha", 1)));
}

bool k_thresholded_relu(struct keras *k, struct klayer *l, struct kcall *c)
{
    return k_same(
        c, with_alpha(k, "ThresholdedRelu", c->in->name, k_num(l, "theta", 1)));
}

/* alpha has the shape of a row, with 1 where it is shared. */
bool k_prelu(struct keras *k, struct klayer *l, struct kcall *c)
{
    if (l->n_weights != 1)
        return k_fail(k, l, ERR_INVALID, "its weight is missing");
    return k_same(
        c, graph_op2(k->g, "PRelu", c->in->name, k_put(k, l, &l->weights[0])));
}

bool k_softmax(struct keras *k, struct klayer *l, struct kcall *c)
{
    const struct json_node *axis = k_get(l, "axis");

    if (json_is(axis, JSON_ARRAY) && axis->n > 1)
        return k_fail(k, l, ERR_UNSUPPORTED, "a softmax over several axes");
    if (json_is(axis, JSON_ARRAY))
        axis = json_at(axis, 0);
    return k_same(c,
                  over_axis(k, "Softmax", c->in->name, json_i64_or(axis, -1)));
}
