/* Recurrent layers. PyTorch's gates are in another order than ONNX': their
 * weights are regrouped into new constants. */
#include <string.h>

#include "import/torch/aten.h"
#include "import/torch/host.h"

/* What a kind of layer is in ONNX. */
static const struct kind {
    const char *name, *onnx, *activation;
    int gates;
    int order[4]; /* which of PyTorch's gates stands i-th in ONNX */
} kinds[] = {
    {"lstm", "LSTM", NULL, 4, {0, 3, 1, 2}}, /* i f g o -> i o f g */
    {"gru", "GRU", NULL, 3, {1, 0, 2}},      /* r z n -> z r n */
    {"rnn_tanh", "RNN", "Tanh", 1, {0}},
    {"rnn_relu", "RNN", "Relu", 1, {0}},
};

struct rnn {
    const struct kind *kind;
    struct ten **params;
    size_t n_params, next;
    bool biases;
    int directions;
    int64_t hidden;
    const char *lengths; /* of each sequence, int32; "": all the same */
};

/* Rows of the weights of all directions, gate by gate in ONNX' order:
 * [directions, gates * hidden, columns]. */
static struct ten *regrouped(struct aten_call *c, const struct rnn *r,
                             struct ten *const *w)
{
    const struct kind *k = r->kind;
    int64_t columns = w[0]->shape.rank == 2 ? w[0]->shape.dim[1] : 1;
    size_t size = dtype_size(w[0]->type);
    size_t block = (size_t)(r->hidden * columns) * size;
    struct shape s = {3, {r->directions, k->gates * r->hidden, columns}};
    void *data;

    struct ten *y = ten_room(c->t, w[0]->type, &s, &data);
    for (int d = 0; d < r->directions; d++) {
        ten_sync(c->t, w[d]);
        if (!w[d]->data || !data || w[d]->type != w[0]->type ||
            ten_count(w[d]) != k->gates * r->hidden * columns) {
            (void)aten_fail(c, "the weights are not those of such a layer");
            return y;
        }
        for (int g = 0; g < k->gates; g++)
            memcpy((char *)data + (size_t)(d * k->gates + g) * block,
                   (const char *)w[d]->data + (size_t)k->order[g] * block,
                   block);
    }
    return y;
}

/* Both biases in a row: [directions, 2 * gates * hidden]. */
static struct ten *both_biases(struct aten_call *c, const struct rnn *r,
                               struct ten *const *ih, struct ten *const *hh)
{
    struct ten *parts[2] = {regrouped(c, r, ih), regrouped(c, r, hh)};
    struct shape s = {2, {r->directions, r->kind->gates * r->hidden}};

    for (int i = 0; i < 2 && !c->py->failed; i++)
        parts[i] = ten_reshape(c->t, parts[i], &s);
    return c->py->failed ? parts[0] : ten_concat(c->t, parts, 2, 1);
}

static bool all_zero(const struct ten *x)
{
    if (!ten_foldable(x))
        return false;
    for (int64_t i = 0; i < ten_count(x); i++)
        if (ten_f64(x, (size_t)i) != 0)
            return false;
    return true;
}

/* Type, direction and the like of the node. */
static void describe(struct aten_call *c, const struct rnn *r,
                     struct graph_node *node)
{
    attr_int(c->g, node, "hidden_size", r->hidden);
    attr_string(c->g, node, "direction",
                r->directions == 2 ? "bidirectional" : "forward");
    if (r->kind->gates == 3)
        attr_int(c->g, node, "linear_before_reset", 1);
    if (r->kind->activation) {
        const char *names[] = {r->kind->activation, r->kind->activation};
        attr_strings(c->g, node, "activations", names, (size_t)r->directions);
    }
}

/* One layer over x [time, batch, features]; state: its initial values, or NULL;
 * out: y, h, c. */
static void layer(struct aten_call *c, struct rnn *r, struct ten *x,
                  struct ten *const state[2], struct ten *out[3])
{
    struct ten *w[2], *u[2], *b[2] = {NULL, NULL}, *v[2] = {NULL, NULL};
    int64_t time = x->shape.dim[0], batch = x->shape.dim[1];
    const char *in[7] = {"", "", "", "", "", "", ""};
    static const int64_t perm[] = {0, 2, 1, 3};

    for (int d = 0; d < r->directions; d++) {
        size_t step = r->biases ? 4 : 2;
        if (r->next + step > r->n_params) {
            (void)aten_fail(c, "weights are missing");
            return;
        }
        w[d] = r->params[r->next];
        u[d] = r->params[r->next + 1];
        if (r->biases) {
            b[d] = r->params[r->next + 2];
            v[d] = r->params[r->next + 3];
        }
        r->next += step;
    }
    r->hidden = u[0]->shape.rank == 2 ? u[0]->shape.dim[1] : 0;
    if (w[0]->shape.rank != 2 || x->shape.dim[2] != w[0]->shape.dim[1] ||
        u[0]->shape.dim[0] != r->kind->gates * r->hidden) {
        (void)aten_fail(c, "the input has %lld features, not %lld",
                        (long long)x->shape.dim[2],
                        (long long)w[0]->shape.dim[1]);
        return;
    }
    in[0] = ten_name(c->t, x);
    in[1] = ten_name(c->t, regrouped(c, r, w));
    in[2] = ten_name(c->t, regrouped(c, r, u));
    if (r->biases)
        in[3] = ten_name(c->t, both_biases(c, r, b, v));
    in[4] = r->lengths;
    bool lstm = r->kind->gates == 4;
    if (state[0] && !(all_zero(state[0]) && (!lstm || all_zero(state[1])))) {
        in[5] = ten_name(c->t, state[0]);
        if (lstm)
            in[6] = ten_name(c->t, state[1]);
    }
    struct graph_node *node = graph_node(c->g, r->kind->onnx, in,
                                         *in[6]   ? 7
                                         : *in[5] ? 6
                                         : *in[4] ? 5
                                         : *in[3] ? 4
                                                  : 3,
                                         lstm ? 3 : 2);
    describe(c, r, node);
    struct shape y = {4, {time, r->directions, batch, r->hidden}};
    struct shape h = {3, {r->directions, batch, r->hidden}};
    struct shape flat = {3, {time, batch, r->directions * r->hidden}};
    struct ten *whole = ten_node(c->t, node->out[0], x->type, &y);
    out[0] = ten_reshape(c->t, ten_transpose(c->t, whole, perm), &flat);
    out[1] = ten_node(c->t, node->out[1], x->type, &h);
    out[2] = lstm ? ten_node(c->t, node->out[2], x->type, &h) : out[1];
}

/* The sequence, and the last states of all layers together. */
static struct val *results(struct aten_call *c, const struct rnn *r,
                           struct ten *x, struct ten *ends[2][64],
                           int64_t layers, bool bare)
{
    struct val *all = py_list(c->py, VAL_TUPLE, 3);
    (void)py_append(c->py, all, give(c, x));
    for (int k = 0; k < (r->kind->gates == 4 ? 2 : 1); k++) {
        struct ten *h = layers == 1
                            ? ends[k][0]
                            : ten_concat(c->t, ends[k], (size_t)layers, 0);
        (void)py_append(c->py, all, give(c, bare ? op_squeeze(c, h, 1) : h));
    }
    return c->py->failed ? NULL : all;
}

/* proj_size: a text of the library writes its steps out. */
static struct val *projected(struct aten_call *c)
{
    struct val *f = library_find(c->py, STR("projected_lstm"));
    struct val *a[] = {c->a[0], c->a[1], c->a[2], c->a[3],
                       c->a[4], c->a[7], c->a[8]};

    if (!arg_none(c, 9))
        return aten_fail(c, "proj_size with packed sequences is not known");
    return py_call(c->py, f, &(struct args){a, COUNT(a), NULL});
}

/* lstm(input, hx, params, has_biases, num_layers, dropout, train,
 * bidirectional, batch_first, lengths) -> (y, h, c) */
static struct val *rnn(struct aten_call *c)
{
    struct rnn r = {.biases = arg_bool(c, 3),
                    .directions = arg_bool(c, 7) ? 2 : 1,
                    .lengths = ""};
    struct ten *x = arg_ten(c, 0), *state[2] = {NULL, NULL}, *out[3];
    struct ten *ends[2][64];
    int64_t layers = arg_int(c, 4);
    bool first = arg_bool(c, 8), bare = x->shape.rank == 2;
    size_t n = 0;

    for (size_t i = 0; i < COUNT(kinds); i++)
        if (strcmp(c->op->name, kinds[i].name) == 0)
            r.kind = &kinds[i];
    if (c->a[3]->kind != VAL_BOOL)
        return aten_fail(c, "packed sequences are not known");
    r.params = arg_tens(c, 2, &r.n_params);
    if (!r.params || layers < 1 || layers > 64 || x->shape.rank < 2 ||
        x->shape.rank > 3)
        return aten_fail(c, "the input has %d dimensions", x->shape.rank);
    if (r.kind->gates == 4 &&
        r.n_params == (size_t)(layers * r.directions) * (r.biases ? 5U : 3U))
        return projected(c);
    if (!arg_none(c, 9))
        r.lengths = ten_name(c->t, ten_cast(c->t, arg_ten(c, 9), DTYPE_I32));
    struct val *hx = c->a[1];
    struct ten *only = ten_of(hx);
    struct ten **states = only ? &only : arg_tens(c, 1, &n);
    for (int i = 0; states && i < (r.kind->gates == 4 ? 2 : 1); i++)
        state[i] = i < (int)n || only ? states[i] : NULL;
    if (bare)
        x = op_unsqueeze(c, x, 1);
    else if (first)
        x = op_swap(c, x, 0, 1);
    for (int64_t i = 0; i < layers && !c->py->failed; i++) {
        struct ten *here[2] = {NULL, NULL};
        for (int k = 0; k < 2 && state[k]; k++) {
            struct ten *s = state[k];
            if (s->shape.rank == 2)
                s = op_unsqueeze(c, s, 1);
            if (s->shape.dim[0] != layers * r.directions)
                return aten_fail(c, "the initial state does not fit");
            here[k] = ten_slice(c->t, s, 0, i * r.directions,
                                (i + 1) * r.directions, 1);
        }
        out[0] = out[1] = out[2] = x;
        layer(c, &r, x, here, out);
        x = out[0];
        ends[0][i] = out[1];
        ends[1][i] = out[2];
    }
    if (c->py->failed)
        return NULL;
    if (bare)
        x = op_squeeze(c, x, 1);
    else if (first)
        x = op_swap(c, x, 0, 1);
    return results(c, &r, x, ends, layers, bare);
}

#define RNN                                                       \
    "input, hx, params, has_biases, num_layers, dropout, train, " \
    "bidirectional, batch_first, lengths=None"

const struct aten aten_rnn[] = {
    {"lstm", RNN, rnn, NULL},     {"gru", RNN, rnn, NULL},
    {"rnn_tanh", RNN, rnn, NULL}, {"rnn_relu", RNN, rnn, NULL},
    {NULL, NULL, NULL, NULL},
};
