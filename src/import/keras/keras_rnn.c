/* Recurrent layers.
 *
 * A step that is masked leaves the state as it is. So the steps that count are
 * moved to the front, the layer runs over as many as there are, and each step
 * of the answer is the one of the last step that counted up to there.
 */
#include <string.h>

#include "import/keras/keras_internal.h"

enum cell { SIMPLE, GRU, LSTM };

struct rnn {
    struct keras *k;
    struct klayer *l;
    enum cell cell;
    int gates;
    int64_t units, features;
    const struct tensor *w; /* this direction's kernel, recurrent, bias */
    size_t n_w;
};

/* What one direction gives, in the order of its processing. */
struct run {
    const char *steps; /* [batch,time,units] */
    const char *state[2];
};

static bool set_cell(struct rnn *r)
{
    struct str name = r->l->class_name;

    if (str_eq(name, STR("LSTM")) || str_eq(name, STR("CuDNNLSTM")))
        r->cell = LSTM;
    else if (str_eq(name, STR("GRU")) || str_eq(name, STR("CuDNNGRU")))
        r->cell = GRU;
    else
        r->cell = SIMPLE;
    r->gates = r->cell == LSTM ? 4 : r->cell == GRU ? 3 : 1;
    return true;
}

static bool check_weights(struct rnn *r)
{
    if (r->n_w < 2 || r->w[0].shape.rank != 2 || r->w[1].shape.rank != 2)
        return k_fail(r->k, r->l, ERR_INVALID,
                      "its weights are not those of Keras 2 or 3");
    r->features = r->w[0].shape.dim[0];
    r->units = r->w[1].shape.dim[0];
    int64_t across = r->units * r->gates;
    if (r->w[0].shape.dim[1] != across || r->w[1].shape.dim[1] != across ||
        (r->n_w > 2 && r->w[2].count != (size_t)across &&
         r->w[2].count != 2 * (size_t)across))
        return k_fail(r->k, r->l, ERR_INVALID, "its weights do not fit");
    return true;
}

/* Which gate of Keras is ONNX' gate i: i,f,c,o -> i,o,f,c. */
static int gate(const struct rnn *r, int i)
{
    static const int lstm[] = {0, 3, 1, 2};

    return r->cell == LSTM ? lstm[i] : i;
}

/* [n, gates*units] as [1, gates*units, n], gates in ONNX' order. */
static const char *put_matrix(struct rnn *r, const struct tensor *t)
{
    struct tensor out;
    int64_t n = t->shape.dim[0], u = r->units, across = u * r->gates;
    const float *in = k_floats(r->k, t);
    float *to = graph_room(r->k->g, DTYPE_F32,
                           &(struct shape){3, {1, across, n}}, &out);

    if (!in || !to)
        return "";
    for (int g = 0; g < r->gates; g++)
        for (int64_t j = 0; j < u; j++)
            for (int64_t i = 0; i < n; i++)
                to[(g * u + j) * n + i] = in[i * across + gate(r, g) * u + j];
    return graph_weight(r->k->g, r->l->name, &out);
}

/* [1, 2*gates*units]: those of the input, then those of the state. */
static const char *put_bias(struct rnn *r)
{
    struct tensor out;
    int64_t u = r->units, across = u * r->gates;
    const float *in = k_floats(r->k, &r->w[2]);
    bool both = r->w[2].count == 2 * (size_t)across;
    float *to = graph_room(r->k->g, DTYPE_F32,
                           &(struct shape){2, {1, 2 * across}}, &out);

    if (!in || !to)
        return "";
    for (int half = 0; half < 2; half++)
        for (int g = 0; g < r->gates; g++)
            for (int64_t j = 0; j < u; j++)
                to[half * across + g * u + j] =
                    half && !both ? 0 : in[half * across + gate(r, g) * u + j];
    return graph_weight(r->k->g, r->l->name, &out);
}

struct activations {
    const char *names[3];
    size_t n;
};

/* ONNX' name for an activation inside of a cell; its parameters must be the
 * operator's defaults, but for hard_sigmoid. */
static const char *cell_activation(struct rnn *r, const char *key,
                                   const char *other)
{
    static const struct {
        const char *keras, *onnx;
    } map[] = {
        {"tanh", "Tanh"},         {"sigmoid", "Sigmoid"},
        {"relu", "Relu"},         {"hard_sigmoid", "HardSigmoid"},
        {"elu", "Elu"},           {"softsign", "Softsign"},
        {"softplus", "Softplus"}, {"linear", "Affine"},
    };
    struct str name = k_activation_name(k_get(r->l, key));

    if (name.n == 0)
        name = str_from_cstr(other);
    for (size_t i = 0; i < COUNT(map); i++)
        if (str_eq(name, str_from_cstr(map[i].keras)))
            return map[i].onnx;
    (void)k_fail(r->k, r->l, ERR_UNSUPPORTED,
                 "the activation '" STR_FMT "' in a recurrent layer",
                 STR_ARG(name));
    return NULL;
}

static bool set_activations(struct rnn *r, struct graph_node *n)
{
    bool cudnn = str_starts(r->l->class_name, STR("CuDNN"));
    /* Until Keras 2.3 the default was hard_sigmoid, but it was written out. */
    const char *inner =
        cudnn ? "Sigmoid"
              : cell_activation(r, "recurrent_activation", "sigmoid");
    const char *outer =
        cudnn ? "Tanh" : cell_activation(r, "activation", "tanh");
    struct activations a = {{inner, outer, outer}, 3};
    float alpha[3], beta[3];

    if (!inner || !outer)
        return false;
    if (r->cell == SIMPLE)
        a = (struct activations){{outer}, 1};
    else if (r->cell == GRU)
        a.n = 2;
    size_t n_alpha = 0, n_beta = 0;
    for (size_t i = 0; i < a.n; i++) { /* only those that have parameters */
        bool hard = strcmp(a.names[i], "HardSigmoid") == 0;
        bool affine = strcmp(a.names[i], "Affine") == 0;
        if (hard || affine || strcmp(a.names[i], "Elu") == 0)
            alpha[n_alpha++] = !hard                ? 1.0F
                               : r->k->version >= 3 ? 1.0F / 6
                                                    : 0.2F;
        if (hard || affine)
            beta[n_beta++] = hard ? 0.5F : 0.0F;
    }
    attr_strings(r->k->g, n, "activations", a.names, a.n);
    if (n_alpha)
        attr_floats(r->k->g, n, "activation_alpha", alpha, n_alpha);
    if (n_beta)
        attr_floats(r->k->g, n, "activation_beta", beta, n_beta);
    return true;
}

static const char *squeeze(struct keras *k, const char *x, int64_t axis)
{
    return graph_op2(k->g, "Squeeze", x, graph_i64s(k->g, &axis, 1));
}

static const char *unsqueeze(struct keras *k, const char *x, int64_t axis)
{
    return graph_op2(k->g, "Unsqueeze", x, graph_i64s(k->g, &axis, 1));
}

/* The operator over [batch,time,features]; lens may be NULL. */
static bool run_steps(struct rnn *r, const char *x, const char *lens,
                      const char *const *initial, struct run *out)
{
    static const int64_t swap[] = {1, 0, 2};
    static const char *const ops[] = {"RNN", "GRU", "LSTM"};
    struct graph *g = r->k->g;
    const char *in[] = {graph_transpose(g, x, swap, 3),
                        put_matrix(r, &r->w[0]),
                        put_matrix(r, &r->w[1]),
                        r->n_w > 2 ? put_bias(r) : "",
                        lens ? lens : "",
                        initial[0] ? unsqueeze(r->k, initial[0], 0) : "",
                        initial[1] ? unsqueeze(r->k, initial[1], 0) : ""};
    struct graph_node *n = graph_node(
        g, ops[r->cell], in, r->cell == LSTM ? 7 : 6, r->cell == LSTM ? 3 : 2);

    attr_int(g, n, "hidden_size", r->units);
    if (!set_activations(r, n))
        return false;
    if (r->cell == GRU) {
        bool after = r->n_w > 2
                         ? r->w[2].count == 6 * (size_t)r->units
                         : k_bool(r->l, "reset_after", r->k->version >= 2);
        attr_int(g, n, "linear_before_reset",
                 after || str_starts(r->l->class_name, STR("CuDNN")));
    }
    out->steps = graph_transpose(g, squeeze(r->k, n->out[0], 1), swap, 3);
    out->state[0] = squeeze(r->k, n->out[1], 0);
    out->state[1] = r->cell == LSTM ? squeeze(r->k, n->out[2], 0) : NULL;
    return true;
}

static const char *reversed(struct keras *k, const char *x)
{
    int64_t last = -1, end = INT64_MIN, time = 1, step = -1;
    const char *in[] = {x, graph_i64s(k->g, &last, 1),
                        graph_i64s(k->g, &end, 1), graph_i64s(k->g, &time, 1),
                        graph_i64s(k->g, &step, 1)};

    return graph_op(k->g, "Slice", in, 5);
}

/* data[b, index[b,t], :] */
static const char *pick(struct keras *k, const char *data, const char *index)
{
    const char *in[] = {data, unsqueeze(k, index, 2)};
    struct graph_node *n = graph_node(k->g, "GatherND", in, 2, 1);

    attr_int(k->g, n, "batch_dims", 1);
    return n->out[0];
}

static const char *count_up(struct keras *k, const char *ones)
{
    int64_t time = 1;
    struct tensor t;
    int64_t *axis = graph_room(k->g, DTYPE_I64, &(struct shape){0}, &t);

    if (!axis)
        return "";
    *axis = time;
    return graph_op2(k->g, "CumSum", ones, graph_weight(k->g, "axis", &t));
}

/* The masked form; see the head of the file. */
static bool run_masked(struct rnn *r, const char *x, const char *mask,
                       const char *const *initial, struct run *out)
{
    struct graph *g = r->k->g;
    int64_t one = 1, big = INT64_C(1) << 40, zero = 0;
    const char *on = graph_cast(g, mask, DTYPE_I64);
    const char *counted = count_up(r->k, on); /* that count, up to t */
    const char *off = graph_op2(g, "Sub", graph_i64s(g, &one, 1), on);
    /* Those that count keep their order in front of the others. */
    const char *ones = graph_op2(g, "Add", on, off);
    const char *key =
        graph_op2(g, "Add", count_up(r->k, ones),
                  graph_op2(g, "Mul", off, graph_i64s(g, &big, 1)));
    const char *shape = graph_op1(g, "Shape", mask);
    const char *slice[] = {shape, graph_i64s(g, &one, 1),
                           graph_i64s(g, (const int64_t[]){2}, 1)};
    const char *in[] = {key, graph_op(g, "Slice", slice, 3)};
    struct graph_node *order = graph_node(g, "TopK", in, 2, 2);
    attr_int(g, order, "axis", 1);
    attr_int(g, order, "largest", 0);

    const char *sum[] = {on, graph_i64s(g, &one, 1)};
    struct graph_node *lens = graph_node(g, "ReduceSum", sum, 2, 1);
    attr_int(g, lens, "keepdims", 0);
    if (!run_steps(r, pick(r->k, x, order->out[1]),
                   graph_cast(g, lens->out[0], DTYPE_I32), initial, out))
        return false;
    const char *last = graph_op2(g, "Sub", counted, graph_i64s(g, &one, 1));
    last = graph_op2(g, "Max", last, graph_i64s(g, &zero, 1));
    const char *begun =
        graph_op2(g, "Greater", counted, graph_i64s(g, &zero, 1));
    out->steps = graph_op2(g, "Mul", pick(r->k, out->steps, last),
                           unsqueeze(r->k, graph_cast(g, begun, DTYPE_F32), 2));
    return true;
}

static bool run(struct rnn *r, const struct kvalue *x, bool backwards,
                const char *const *initial, struct run *out)
{
    const char *steps = x->name, *mask = x->mask;

    if (!set_cell(r) || !check_weights(r))
        return false;
    if (x->shape.rank != 3 ||
        (x->shape.dim[2] >= 0 && x->shape.dim[2] != r->features))
        return k_fail(r->k, r->l, ERR_INVALID,
                      "it takes [batch,time,%lld], the input is another",
                      (long long)r->features);
    if (backwards) {
        steps = reversed(r->k, steps);
        mask =
            mask ? reversed(r->k, graph_cast(r->k->g, mask, DTYPE_I64)) : NULL;
    }
    return mask ? run_masked(r, steps, mask, initial, out)
                : run_steps(r, steps, NULL, initial, out);
}

static void give(struct kcall *c, const char *name, struct shape shape)
{
    c->out[c->n_out++] =
        (struct kvalue){.name = name, .type = DTYPE_F32, .shape = shape};
}

bool k_rnn(struct keras *k, struct klayer *l, struct kcall *c)
{
    struct rnn r = {.k = k, .l = l, .w = l->weights, .n_w = l->n_weights};
    const char *initial[2] = {c->n_in > 1 ? c->in[1].name : NULL,
                              c->n_in > 2 ? c->in[2].name : NULL};
    struct run out;
    struct kvalue x = c->in[0];

    if (!run(&r, &x, k_bool(l, "go_backwards", false), initial, &out))
        return false;
    bool steps = k_bool(l, "return_sequences", false);
    c->n_out = 0;
    if (steps)
        give(c, out.steps, (struct shape){3, {-1, x.shape.dim[1], r.units}});
    else
        give(c, out.state[0], (struct shape){2, {-1, r.units}});
    c->out[0].mask = steps ? x.mask : NULL;
    if (k_bool(l, "return_state", false))
        for (int i = 0; i < (r.cell == LSTM ? 2 : 1); i++)
            give(c, out.state[i], (struct shape){2, {-1, r.units}});
    return true;
}

static bool join(struct keras *k, struct klayer *l, struct kcall *c,
                 const char *a, const char *b, struct shape shape)
{
    struct str how = json_str_or(k_get(l, "merge_mode"), "concat");
    static const struct {
        const char *keras, *onnx;
    } map[] = {{"sum", "Add"}, {"mul", "Mul"}};

    if (!k_get(l, "merge_mode") && json_get(l->config, "merge_mode")) {
        give(c, a, shape); /* null: both, side by side */
        give(c, b, shape);
        return true;
    }
    for (size_t i = 0; i < COUNT(map); i++)
        if (str_eq(how, str_from_cstr(map[i].keras))) {
            give(c, graph_op2(k->g, map[i].onnx, a, b), shape);
            return true;
        }
    if (str_eq(how, STR("ave"))) {
        const char *sum = graph_op2(k->g, "Add", a, b);
        give(c, graph_op2(k->g, "Mul", sum, graph_f32(k->g, 0.5)), shape);
        return true;
    }
    const char *in[] = {a, b};
    struct graph_node *n = graph_node(k->g, "Concat", in, 2, 1);
    attr_int(k->g, n, "axis", -1);
    shape.dim[shape.rank - 1] *= 2;
    give(c, n->out[0], shape);
    return true;
}

bool k_bidirectional(struct keras *k, struct klayer *l, struct kcall *c)
{
    struct klayer *inner = l->children;
    size_t half = inner ? inner->n_weights / 2 : 0;
    struct run runs[2];
    struct rnn r = {.k = k, .l = inner};
    struct kvalue x = c->in[0];
    size_t states = (c->n_in - 1) / 2;

    if (!inner || !inner->class_ || inner->class_->build != k_rnn)
        return k_fail(k, l, ERR_UNSUPPORTED,
                      "only LSTM, GRU and SimpleRNN in both directions");
    bool back = k_bool(inner, "go_backwards", false);
    for (int i = 0; i < 2; i++) {
        const char *initial[2] = {NULL, NULL};
        for (size_t s = 0; s < states && s < 2; s++)
            initial[s] = c->in[1 + (size_t)i * states + s].name;
        r.w = inner->weights + (size_t)i * half;
        r.n_w = half;
        if (!run(&r, &x, i == 1 ? !back : back, initial, &runs[i]))
            return false;
    }
    bool steps = k_bool(inner, "return_sequences", false);
    struct shape shape = {2, {-1, r.units}};
    if (steps)
        shape = (struct shape){3, {-1, x.shape.dim[1], r.units}};
    c->n_out = 0;
    if (!join(k, l, c, steps ? runs[0].steps : runs[0].state[0],
              steps ? reversed(k, runs[1].steps) : runs[1].state[0], shape))
        return false;
    c->out[0].mask = steps ? x.mask : NULL;
    if (k_bool(inner, "return_state", false))
        for (int i = 0; i < 2; i++)
            for (int s = 0; s < (r.cell == LSTM ? 2 : 1); s++)
                give(c, runs[i].state[s], (struct shape){2, {-1, r.units}});
    return true;
}

/* The first n entries of the shape of x, a list of numbers behind them. */
static const char *shape_with(struct keras *k, const char *x, int64_t from,
                              int64_t to, const int64_t *more, size_t n)
{
    const char *slice[] = {graph_op1(k->g, "Shape", x),
                           graph_i64s(k->g, &from, 1),
                           graph_i64s(k->g, &to, 1)};
    const char *in[] = {graph_op(k->g, "Slice", slice, 3),
                        graph_i64s(k->g, more, n)};
    struct graph_node *node = graph_node(k->g, "Concat", in, 2, 1);

    attr_int(k->g, node, "axis", 0);
    return node->out[0];
}

/* [batch,time,...] is called as [batch*time,...]. */
bool k_time_distributed(struct keras *k, struct klayer *l, struct kcall *c)
{
    struct klayer *inner = l->children;
    struct kvalue x = c->in[0], out[K_MAX_VALUES];
    struct kcall call = {.in = &x, .n_in = 1, .out = out};
    int64_t flat[SHAPE_MAX_RANK] = {-1};
    int rank = x.shape.rank - 1;

    if (!inner || x.shape.rank < 3)
        return false;
    x.shape.rank = rank;
    for (int i = 1; i < rank; i++) {
        flat[i] = x.shape.dim[i] = c->in[0].shape.dim[i + 1];
        if (flat[i] < 0)
            return k_fail(k, l, ERR_UNSUPPORTED,
                          "steps with an unknown dimension");
    }
    x.name = graph_reshape(k->g, x.name, flat, (size_t)rank);
    x.mask = NULL;
    if (!keras_call(k, inner, &call) || call.n_out != 1)
        return k->err->msg[0] ? false
                              : k_fail(k, l, ERR_UNSUPPORTED,
                                       "a layer with several outputs");
    struct shape shape = {2, {-1, c->in[0].shape.dim[1]}};
    for (int i = 1; i < out[0].shape.rank; i++) {
        if (out[0].shape.dim[i] < 0)
            return k_fail(k, l, ERR_UNSUPPORTED,
                          "steps with an unknown dimension");
        shape.dim[shape.rank++] = out[0].shape.dim[i];
    }
    const char *to = shape_with(k, c->in[0].name, 0, 2, shape.dim + 2,
                                (size_t)shape.rank - 2);
    const char *mask = c->in[0].mask;
    if (!k_give(c, graph_op2(k->g, "Reshape", out[0].name, to), &shape))
        return false;
    c->out[0].type = out[0].type;
    c->out[0].mask = mask;
    return true;
}
