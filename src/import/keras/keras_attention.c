/* Attention layers. */
#include <math.h>
#include <string.h>

#include "import/keras/keras_internal.h"

static const char *softmax(struct keras *k, const char *x)
{
    struct graph_node *n = graph_node(k->g, "Softmax", &x, 1, 1);

    attr_int(k->g, n, "axis", -1);
    return n->out[0];
}

/* -1e9 where the value's step is masked; bool [batch,steps] to the rank of the
 * scores. */
static const char *hide(struct keras *k, const char *scores, const char *mask,
                        const int64_t *axes, size_t n)
{
    struct graph *g = k->g;

    if (!mask)
        return scores;
    const char *off = graph_cast(g, graph_op1(g, "Not", mask), DTYPE_F32);
    const char *low = graph_op2(g, "Mul", off, graph_f32(g, -1e9));
    return graph_op2(g, "Add", scores,
                     graph_op2(g, "Unsqueeze", low, graph_i64s(g, axes, n)));
}

/* Where a step may only see those up to itself: -1e9 above the diagonal. Needs
 * the numbers of steps. */
static const char *causal(struct keras *k, const struct klayer *l,
                          const char *scores, int64_t from, int64_t to)
{
    struct tensor t;

    if (from < 0 || to < 0 || from * to > 1 << 24) {
        (void)k_fail(k, l, ERR_UNSUPPORTED,
                     "a causal mask over an unknown number of steps");
        return NULL;
    }
    float *p = graph_room(k->g, DTYPE_F32, &(struct shape){2, {from, to}}, &t);
    for (int64_t i = 0; p && i < from; i++)
        for (int64_t j = 0; j < to; j++)
            p[i * to + j] = j > i ? -1e9F : 0;
    return graph_op2(k->g, "Add", scores, graph_weight(k->g, "causal", &t));
}

/* Attention (Luong) and AdditiveAttention (Bahdanau): [query, value, key?]. */
bool k_attention(struct keras *k, struct klayer *l, struct kcall *c)
{
    static const int64_t swap[] = {0, 2, 1};
    struct graph *g = k->g;
    bool additive = str_eq(l->class_name, STR("AdditiveAttention"));
    bool scaled = k_bool(l, "use_scale", additive) && l->n_weights > 0;
    int64_t second = 1, third = 2, last = -1;

    if (c->n_in < 2 || c->in[0].shape.rank != 3)
        return k_fail(k, l, ERR_INVALID, "it takes a query and a value");
    if (k_says(l, "score_mode", "concat"))
        return k_fail(k, l, ERR_UNSUPPORTED, "score_mode 'concat'");
    const struct kvalue *q = &c->in[0], *v = &c->in[1];
    const struct kvalue *key = c->n_in > 2 ? &c->in[2] : v;
    const char *scores;
    if (additive) {
        const char *a =
            graph_op2(g, "Unsqueeze", q->name, graph_i64s(g, &third, 1));
        const char *b =
            graph_op2(g, "Unsqueeze", key->name, graph_i64s(g, &second, 1));
        const char *t = graph_op1(g, "Tanh", graph_op2(g, "Add", a, b));
        if (scaled)
            t = graph_op2(g, "Mul", t, k_put(k, l, &l->weights[0]));
        const char *in[] = {t, graph_i64s(g, &last, 1)};
        struct graph_node *sum = graph_node(g, "ReduceSum", in, 2, 1);
        attr_int(g, sum, "keepdims", 0);
        scores = sum->out[0];
    } else {
        scores = graph_op2(g, "MatMul", q->name,
                           graph_transpose(g, key->name, swap, 3));
        if (scaled)
            scores = graph_op2(g, "Mul", scores, k_put(k, l, &l->weights[0]));
    }
    scores = hide(k, scores, v->mask, &second, 1);
    if (k_bool(l, "causal", false) ||
        json_bool_or(json_get(c->kwargs, "use_causal_mask"), false))
        scores = causal(k, l, scores, q->shape.dim[1], v->shape.dim[1]);
    if (!scores)
        return false;
    struct shape shape = q->shape;
    shape.dim[2] = v->shape.dim[2];
    return k_give(c, graph_op2(g, "MatMul", softmax(k, scores), v->name),
                  &shape);
}

struct heads {
    int64_t n, key, value;
};

/* x through a dense layer of shape [features, heads, size]:
 * [batch, heads, steps, size]. */
static const char *project(struct keras *k, struct klayer *l, const char *x,
                           size_t kernel, bool bias)
{
    const char *in[] = {x, k_put(k, l, &l->weights[kernel])};
    struct graph_node *n = graph_node(k->g, "Einsum", in, 2, 1);
    static const int64_t order[] = {0, 2, 1, 3};

    attr_string(k->g, n, "equation", "bsf,fhd->bshd");
    const char *y = n->out[0];
    if (bias)
        y = graph_op2(k->g, "Add", y, k_put(k, l, &l->weights[kernel + 1]));
    return graph_transpose(k->g, y, order, 4);
}

/* Which of the inputs the call names: Keras passes query, value, key by
 * position or by name; positions come first. */
bool k_multi_head(struct keras *k, struct klayer *l, struct kcall *c)
{
    static const int64_t back[] = {0, 2, 1, 3}, swap[] = {0, 1, 3, 2};
    struct graph *g = k->g;
    bool bias = k_bool(l, "use_bias", true);
    size_t step = bias ? 2 : 1;
    const struct kvalue *q = &c->in[0], *v = c->n_in > 1 ? &c->in[1] : q;
    const struct kvalue *key = c->n_in > 2 ? &c->in[2] : v;
    int64_t axes[] = {1, 2};

    if (l->n_weights != 4 * step || q->shape.rank != 3)
        return k_fail(k, l, ERR_INVALID, "its weights or input do not fit");
    for (size_t i = 0; i < 4; i++)
        if (l->weights[i * step].shape.rank != 3)
            return k_fail(k, l, ERR_INVALID, "its weights do not fit");
    /* Weights: query, key, value, output. */
    double size = (double)l->weights[0].shape.dim[2];
    const char *a = project(k, l, q->name, 0, bias);
    const char *b = project(k, l, key->name, step, bias);
    const char *w = project(k, l, v->name, 2 * step, bias);
    a = graph_op2(g, "Mul", a, graph_f32(g, 1 / sqrt(size)));
    const char *scores =
        graph_op2(g, "MatMul", a, graph_transpose(g, b, swap, 4));
    scores = hide(k, scores, v->mask, axes, 2);
    if (json_bool_or(json_get(c->kwargs, "use_causal_mask"), false))
        scores = causal(k, l, scores, q->shape.dim[1], v->shape.dim[1]);
    if (!scores)
        return false;
    const char *weights = softmax(k, scores);
    const char *y =
        graph_transpose(g, graph_op2(g, "MatMul", weights, w), back, 4);
    const char *in[] = {y, k_put(k, l, &l->weights[3 * step])};
    struct graph_node *n = graph_node(g, "Einsum", in, 2, 1);
    attr_string(g, n, "equation", "bshd,hdf->bsf");
    y = n->out[0];
    if (bias)
        y = graph_op2(g, "Add", y, k_put(k, l, &l->weights[3 * step + 1]));
    struct shape shape = q->shape;
    shape.dim[2] = l->weights[3 * step].shape.dim[2];
    const char *mask = q->mask;
    struct shape score_shape = {
        4, {-1, l->weights[0].shape.dim[1], q->shape.dim[1], v->shape.dim[1]}};
    if (!k_give(c, y, &shape))
        return false;
    c->out[0].mask = mask;
    if (json_bool_or(json_get(c->kwargs, "return_attention_scores"), false)) {
        c->out[1] = (struct kvalue){
            .name = weights, .type = DTYPE_F32, .shape = score_shape};
        c->n_out = 2;
    }
    return true;
}
