/* Normalizations. */
#include <math.h>
#include <string.h>

#include "import/keras/keras_internal.h"

/* A layer's axis as a number from the front; -1 if it is not one. */
static int axis_of(const struct klayer *l, int rank)
{
    const struct json_node *v = k_get(l, "axis");

    if (json_is(v, JSON_ARRAY))
        v = v->n == 1 ? json_at(v, 0) : NULL;
    int64_t axis = json_i64_or(v, -1);
    if (axis < 0)
        axis += rank;
    return axis >= 0 && axis < rank ? (int)axis : -1;
}

/* n floats that stand along `axis` of a value of that rank. */
static float *along(struct keras *k, int64_t n, int axis, int rank,
                    struct tensor *t)
{
    struct shape shape = {.rank = rank - axis};

    for (int i = 0; i < shape.rank; i++)
        shape.dim[i] = i == 0 ? n : 1;
    return graph_room(k->g, DTYPE_F32, &shape, t);
}

/* y = x * scale + shift with what was learned folded into both. */
bool k_batch_norm(struct keras *k, struct klayer *l, struct kcall *c)
{
    const struct shape *shape = &c->in->shape;
    bool scaled = k_bool(l, "scale", true),
         centered = k_bool(l, "center", true);
    int axis = axis_of(l, shape->rank);
    size_t i = 0, want = 2U + scaled + centered;
    double eps = k_num(l, "epsilon", 1e-3);
    struct tensor scale, shift;

    if (axis < 0 || l->n_weights != want)
        return k_fail(k, l, ERR_INVALID, "its axis or weights do not fit");
    int64_t n = (int64_t)l->weights[want - 1].count;
    for (size_t w = 0; w < want; w++)
        if ((int64_t)l->weights[w].count != n)
            return k_fail(k, l, ERR_INVALID, "its weights differ in size");
    const float *gamma = scaled ? k_floats(k, &l->weights[i++]) : NULL;
    const float *beta = centered ? k_floats(k, &l->weights[i++]) : NULL;
    const float *mean = k_floats(k, &l->weights[i]);
    const float *var = k_floats(k, &l->weights[i + 1]);
    float *a = along(k, n, axis, shape->rank, &scale);
    float *b = along(k, n, axis, shape->rank, &shift);
    if (!a || !b || !mean || !var || (scaled && !gamma) || (centered && !beta))
        return k_fail(k, l, ERR_NOMEM, "out of memory");
    for (int64_t j = 0; j < n; j++) {
        double s = (gamma ? (double)gamma[j] : 1) / sqrt((double)var[j] + eps);
        a[j] = (float)s;
        b[j] = (float)((beta ? (double)beta[j] : 0) - (double)mean[j] * s);
    }
    const char *y = graph_op2(k->g, "Mul", c->in->name,
                              graph_weight(k->g, l->name, &scale));
    return k_same(
        c, graph_op2(k->g, "Add", y, graph_weight(k->g, l->name, &shift)));
}

static const char *ones(struct keras *k, const struct shape *shape)
{
    struct tensor t;
    float *p = graph_room(k->g, DTYPE_F32, shape, &t);

    for (size_t i = 0; p && i < t.count; i++)
        p[i] = 1;
    return p ? graph_weight(k->g, "ones", &t) : "";
}

/* Over the last dimensions, from the first of the axes on. */
bool k_layer_norm(struct keras *k, struct klayer *l, struct kcall *c)
{
    const struct json_node *axes = k_get(l, "axis");
    const struct shape *shape = &c->in->shape;
    int rank = shape->rank;
    int64_t first = rank - 1,
            n = json_is(axes, JSON_ARRAY) ? (int64_t)axes->n : 1;
    bool scaled = k_bool(l, "scale", true),
         centered = k_bool(l, "center", true);
    struct shape over = {.rank = 0};

    for (int64_t i = 0; i < n; i++) {
        int64_t a = json_i64_or(
            json_is(axes, JSON_ARRAY) ? json_at(axes, (size_t)i) : axes, -1);
        a += a < 0 ? rank : 0;
        first = a < first ? a : first;
    }
    if (first < 1 || rank - first != n)
        return k_fail(k, l, ERR_UNSUPPORTED,
                      "axes that are not the last dimensions");
    for (int i = (int)first; i < rank; i++)
        over.dim[over.rank++] = shape->dim[i];
    int64_t count;
    if (!scaled && !shape_count(&over, &count))
        return k_fail(k, l, ERR_UNSUPPORTED, "an input of unknown size");
    const char *in[] = {c->in->name,
                        scaled ? k_put(k, l, &l->weights[0]) : ones(k, &over),
                        centered ? k_put(k, l, &l->weights[scaled]) : ""};
    struct graph_node *node =
        graph_node(k->g, "LayerNormalization", in, centered ? 3 : 2, 1);
    attr_int(k->g, node, "axis", first);
    attr_float(k->g, node, "epsilon", k_num(l, "epsilon", 1e-3));
    return k_same(c, node->out[0]);
}

static const char *reduce(struct keras *k, const char *op, const char *x,
                          const int64_t *axes, size_t n)
{
    struct graph_node *node = graph_node(k->g, op, &x, 1, 1);

    attr_ints(k->g, node, "axes", axes, n);
    attr_int(k->g, node, "keepdims", 1);
    return node->out[0];
}

/* (x - mean) / sqrt(variance + eps) over some axes. */
static const char *standardized(struct keras *k, const char *x,
                                const int64_t *axes, size_t n, double eps)
{
    struct graph *g = k->g;
    const char *d = graph_op2(g, "Sub", x, reduce(k, "ReduceMean", x, axes, n));
    const char *var =
        reduce(k, "ReduceMean", graph_op2(g, "Mul", d, d), axes, n);
    const char *sd =
        graph_op1(g, "Sqrt", graph_op2(g, "Add", var, graph_f32(g, eps)));

    return graph_op2(g, "Div", d, sd);
}

/* [N, ..., C] seen as [N, ..., groups, C / groups]. */
bool k_group_norm(struct keras *k, struct klayer *l, struct kcall *c)
{
    struct shape shape = c->in->shape;
    int rank = shape.rank, axis = axis_of(l, rank);
    int64_t groups = k_int(l, "groups", 32), split[SHAPE_MAX_RANK + 1];
    int64_t back[SHAPE_MAX_RANK], axes[SHAPE_MAX_RANK];
    size_t n = 0, w = 0;

    if (axis != rank - 1 || shape.dim[axis] < 0 || rank >= SHAPE_MAX_RANK)
        return k_fail(k, l, ERR_UNSUPPORTED, "channels that are not the last");
    if (groups == -1)
        groups = shape.dim[axis];
    if (groups < 1 || shape.dim[axis] % groups)
        return k_fail(k, l, ERR_INVALID, "its groups do not divide channels");
    for (int i = 0; i < rank - 1; i++) {
        bool unknown = i > 0 && shape.dim[i] < 0;
        split[i] = back[i] = 0; /* 0: as it comes */
        if (i > 0)
            axes[n++] = i;
        (void)unknown;
    }
    split[rank - 1] = groups;
    split[rank] = shape.dim[axis] / groups;
    back[rank - 1] = shape.dim[axis];
    axes[n++] = rank;
    const char *x = graph_reshape(k->g, c->in->name, split, (size_t)rank + 1);
    x = standardized(k, x, axes, n, k_num(l, "epsilon", 1e-3));
    x = graph_reshape(k->g, x, back, (size_t)rank);
    if (k_bool(l, "scale", true) && l->n_weights > w)
        x = graph_op2(k->g, "Mul", x, k_put(k, l, &l->weights[w++]));
    if (k_bool(l, "center", true) && l->n_weights > w)
        x = graph_op2(k->g, "Add", x, k_put(k, l, &l->weights[w]));
    return k_same(c, x);
}

bool k_unit_norm(struct keras *k, struct klayer *l, struct kcall *c)
{
    int axis = axis_of(l, c->in->shape.rank);
    int64_t axes[] = {axis};

    if (axis < 0)
        return k_fail(k, l, ERR_UNSUPPORTED, "several axes");
    const char *norm = reduce(k, "ReduceL2", c->in->name, axes, 1);
    return k_same(
        c, graph_op2(k->g, "Div", c->in->name,
                     graph_op2(k->g, "Max", norm, graph_f32(k->g, 1e-6))));
}

/* The mean or variance: a weight, or numbers of the configuration. */
static const float *statistic(struct keras *k, struct klayer *l, size_t i,
                              const char *key, size_t *n)
{
    const struct json_node *v = k_get(l, key);
    struct tensor t;

    if (l->n_weights > i && !v) {
        *n = l->weights[i].count;
        return k_floats(k, &l->weights[i]);
    }
    while (json_is(v, JSON_ARRAY) && v->n == 1 &&
           json_is(json_at(v, 0), JSON_ARRAY))
        v = json_at(v, 0);
    *n = json_is(v, JSON_ARRAY) ? v->n : 1;
    float *out =
        graph_room(k->g, DTYPE_F32, &(struct shape){1, {(int64_t)*n}}, &t);
    for (size_t j = 0; out && j < *n; j++)
        out[j] =
            (float)json_f64_or(json_is(v, JSON_ARRAY) ? json_at(v, j) : v, 0);
    return out;
}

/* (x - mean) / max(sqrt(variance), 1e-7) */
bool k_normalization(struct keras *k, struct klayer *l, struct kcall *c)
{
    int rank = c->in->shape.rank, axis = axis_of(l, rank);
    size_t n, n_var;
    const float *mean = statistic(k, l, 0, "mean", &n);
    const float *var = statistic(k, l, 1, "variance", &n_var);
    struct tensor scale, shift;

    if (!mean || !var || n != n_var || n == 0 || (n > 1 && axis < 0))
        return k_fail(k, l, ERR_INVALID, "its statistics do not fit");
    int at = n == 1 ? rank - 1 : axis;
    float *a = along(k, (int64_t)n, at, rank, &scale);
    float *b = along(k, (int64_t)n, at, rank, &shift);
    for (size_t i = 0; a && b && i < n; i++) {
        double sd = sqrt((double)var[i]);
        a[i] = (float)(sd > 1e-7 ? sd : 1e-7);
        b[i] = mean[i];
    }
    const char *x = c->in->type == DTYPE_F32
                        ? c->in->name
                        : graph_cast(k->g, c->in->name, DTYPE_F32);
    const char *m = graph_weight(k->g, l->name, &shift);
    const char *s = graph_weight(k->g, l->name, &scale);
    bool inverse = k_bool(l, "invert", false);
    if (!a || !b ||
        !k_same(c,
                inverse
                    ? graph_op2(k->g, "Add", graph_op2(k->g, "Mul", x, s), m)
                    : graph_op2(k->g, "Div", graph_op2(k->g, "Sub", x, m), s)))
        return false;
    c->out[0].type = DTYPE_F32;
    return true;
}
