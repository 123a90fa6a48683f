/* Layers with several inputs. */
#include <string.h>

#include "import/keras/keras_internal.h"

/* The shape after broadcasting from the right. */
static void broadcast(struct shape *a, const struct shape *b)
{
    int rank = a->rank > b->rank ? a->rank : b->rank;
    struct shape out = {.rank = rank};

    for (int i = 1; i <= rank; i++) {
        int64_t x = i <= a->rank ? a->dim[a->rank - i] : 1;
        int64_t y = i <= b->rank ? b->dim[b->rank - i] : 1;
        out.dim[rank - i] = x == 1 ? y : y == 1 || x >= 0 ? x : y;
    }
    *a = out;
}

bool k_merge(struct keras *k, struct klayer *l, struct kcall *c)
{
    static const struct {
        const char *keras, *onnx;
    } map[] = {{"Add", "Add"},     {"Multiply", "Mul"}, {"Subtract", "Sub"},
               {"Maximum", "Max"}, {"Minimum", "Min"},  {"Average", "Add"}};
    struct shape shape = c->in[0].shape;
    const char *y = c->in[0].name, *op = NULL;

    for (size_t i = 0; i < COUNT(map); i++)
        if (str_eq(l->class_name, str_from_cstr(map[i].keras)))
            op = map[i].onnx;
    if (!op || (c->n_in < 2 && !str_eq(l->class_name, STR("Add"))))
        return k_fail(k, l, ERR_INVALID, "it takes two inputs or more");
    for (size_t i = 1; i < c->n_in; i++) {
        if (c->in[i].type != c->in[0].type)
            return k_fail(k, l, ERR_UNSUPPORTED, "inputs of several types");
        y = graph_op2(k->g, op, y, c->in[i].name);
        broadcast(&shape, &c->in[i].shape);
    }
    if (str_eq(l->class_name, STR("Average")))
        y = graph_op2(k->g, "Mul", y, graph_f32(k->g, 1.0 / (double)c->n_in));
    const char *mask = c->in[0].mask;
    if (!k_give(c, y, &shape))
        return false;
    c->out[0].mask = mask;
    return true;
}

bool k_concatenate(struct keras *k, struct klayer *l, struct kcall *c)
{
    const char *in[K_MAX_VALUES];
    struct shape shape = c->in[0].shape;
    int64_t axis = k_int(l, "axis", -1);

    axis += axis < 0 ? shape.rank : 0;
    if (axis < 0 || axis >= shape.rank)
        return k_fail(k, l, ERR_INVALID, "its axis does not fit the input");
    for (size_t i = 0; i < c->n_in; i++) {
        const struct kvalue *v = &c->in[i];
        in[i] = v->type == c->in[0].type
                    ? v->name
                    : graph_cast(k->g, v->name, c->in[0].type);
        if (v->shape.rank != shape.rank)
            return k_fail(k, l, ERR_INVALID, "inputs of different ranks");
        if (i == 0)
            continue;
        int64_t *d = &shape.dim[axis];
        *d = *d < 0 || v->shape.dim[axis] < 0 ? -1 : *d + v->shape.dim[axis];
        for (int j = 1; j < shape.rank; j++)
            if (j != axis && shape.dim[j] < 0)
                shape.dim[j] = v->shape.dim[j];
    }
    struct graph_node *n = graph_node(k->g, "Concat", in, c->n_in, 1);
    attr_int(k->g, n, "axis", axis);
    return k_give(c, n->out[0], &shape);
}

static const char *unit_length(struct keras *k, const char *x, int64_t axis)
{
    struct graph_node *n = graph_node(k->g, "LpNormalization", &x, 1, 1);

    attr_int(k->g, n, "axis", axis);
    attr_int(k->g, n, "p", 2);
    return n->out[0];
}

/* The contracted axis last (or first but one), batch first. */
static const char *axis_to(struct keras *k, const char *x, int rank,
                           int64_t axis, bool last)
{
    int64_t order[SHAPE_MAX_RANK] = {0};
    int at = 1;

    if (!last)
        order[at++] = axis;
    for (int i = 1; i < rank; i++)
        if (i != axis)
            order[at++] = i;
    if (last)
        order[at] = axis;
    return graph_transpose(k->g, x, order, (size_t)rank);
}

/* The batched product of a and b, contracted over one axis of each. */
bool k_dot(struct keras *k, struct klayer *l, struct kcall *c)
{
    int64_t axes[2], last = -1, second = 1;

    if (c->n_in != 2)
        return k_fail(k, l, ERR_INVALID, "it takes two inputs");
    int ra = c->in[0].shape.rank, rb = c->in[1].shape.rank;
    k_ints(l, "axes", axes, 2, -1);
    axes[0] += axes[0] < 0 ? ra : 0;
    axes[1] += axes[1] < 0 ? rb : 0;
    if (ra < 2 || rb < 2 || ra > 3 || rb > 3 || axes[0] < 1 || axes[0] >= ra ||
        axes[1] < 1 || axes[1] >= rb)
        return k_fail(k, l, ERR_UNSUPPORTED, "axes of that kind");
    const char *a = c->in[0].name, *b = c->in[1].name;
    if (k_bool(l, "normalize", false)) {
        a = unit_length(k, a, axes[0]);
        b = unit_length(k, b, axes[1]);
    }
    a = axis_to(k, a, ra, axes[0], true);
    b = axis_to(k, b, rb, axes[1], false);
    if (ra == 2)
        a = graph_op2(k->g, "Unsqueeze", a, graph_i64s(k->g, &second, 1));
    if (rb == 2)
        b = graph_op2(k->g, "Unsqueeze", b, graph_i64s(k->g, &last, 1));
    const char *y = graph_op2(k->g, "MatMul", a, b);
    struct shape shape = {.rank = 1, .dim = {-1}};
    for (int i = 1; i < ra; i++)
        if (i != axes[0])
            shape.dim[shape.rank++] = c->in[0].shape.dim[i];
    for (int i = 1; i < rb; i++)
        if (i != axes[1])
            shape.dim[shape.rank++] = c->in[1].shape.dim[i];
    if (rb == 2)
        y = graph_op2(k->g, "Squeeze", y, graph_i64s(k->g, &last, 1));
    if (ra == 2 && (rb == 3))
        y = graph_op2(k->g, "Squeeze", y, graph_i64s(k->g, &second, 1));
    if (shape.rank == 1)
        shape = (struct shape){2, {-1, 1}};
    return k_give(c, y, &shape);
}
