/* The batch made free: a program is run with batches of 2 and of 3, the graphs
 * are compared, and every constant that differs is computed from the batch of
 * the request instead. Whatever else differs means that the program itself
 * depends on the size of the batch.
 */
#include <string.h>

#include "import/torch/program.h"

struct batch {
    struct trace *t;
    struct graph *g;
    const char *size;                 /* [batch], int64 */
    struct graph_node *first, **tail; /* nodes that go in front */
};

static bool same_attributes(const struct graph_attribute *a,
                            const struct graph_attribute *b)
{
    for (; a && b; a = a->next, b = b->next) {
        if (strcmp(a->name, b->name) != 0 || a->type != b->type || a->n != b->n)
            return false;
        if (a->type == ATTR_INT && a->i != b->i)
            return false;
        if (a->type == ATTR_FLOAT && memcmp(&a->f, &b->f, sizeof(a->f)) != 0)
            return false;
        if (a->type == ATTR_INTS &&
            memcmp(a->ints, b->ints, a->n * sizeof(*a->ints)) != 0)
            return false;
    }
    return !a && !b;
}

static bool same_structure(const struct graph *x, const struct graph *y)
{
    const struct graph_node *a = x->nodes, *b = y->nodes;

    for (; a && b; a = a->next, b = b->next) {
        if (strcmp(a->op, b->op) != 0 || a->n_in != b->n_in ||
            a->n_out != b->n_out ||
            !same_attributes(a->attributes, b->attributes))
            return false;
        for (size_t i = 0; i < a->n_in; i++)
            if (strcmp(a->in[i], b->in[i]) != 0)
                return false;
    }
    if (a || b || x->n_weights != y->n_weights)
        return false;
    const struct graph_io *p = x->outputs, *q = y->outputs;
    for (; p && q; p = p->next, q = q->next)
        if (p->type != q->type || p->shape.rank != q->shape.rank)
            return false;
    return !p && !q;
}

/* A node of the part that goes in front. */
static const char *front(struct batch *b, const char *op, const char *const *in,
                         size_t n)
{
    struct graph_node **tail = b->g->nodes_tail;
    struct graph_node *node = graph_node(b->g, op, in, n, 1);

    b->g->nodes_tail = tail;
    *tail = NULL;
    *b->tail = node;
    b->tail = &node->next;
    return node->out[0];
}

static const char *batch_size(struct batch *b)
{
    if (!b->size) {
        const char *in = b->g->inputs->name;
        const int64_t zero = 0, one = 1;
        const char *shape = front(b, "Shape", &in, 1);
        const char *slice[] = {shape, graph_i64s(b->g, &zero, 1),
                               graph_i64s(b->g, &one, 1)};
        b->size = front(b, "Slice", slice, 3);
    }
    return b->size;
}

/* a + b * batch, for a vector of numbers. */
static const char *linear(struct batch *b, const int64_t *v2, const int64_t *v3,
                          size_t n)
{
    int64_t *at = arena_new(b->t->arena, int64_t, n * 2 + 1);

    for (size_t i = 0; at && i < n; i++) {
        at[n + i] = v3[i] - v2[i];
        at[i] = v2[i] - 2 * at[n + i];
    }
    if (!at)
        return NULL;
    const char *times[] = {batch_size(b), graph_i64s(b->g, at + n, n)};
    const char *sum[] = {front(b, "Mul", times, 2), graph_i64s(b->g, at, n)};
    return front(b, "Add", sum, 2);
}

static void rename_input(struct graph *g, const char *from, const char *to)
{
    for (struct graph_node *n = g->nodes; n; n = n->next)
        for (size_t i = 0; i < n->n_in; i++)
            if (strcmp(n->in[i], from) == 0)
                n->in[i] = to;
}

/* The only use of a constant is as the shape of a Reshape. */
static bool only_reshape(const struct graph *g, const char *name)
{
    size_t uses = 0;

    for (const struct graph_node *n = g->nodes; n; n = n->next)
        for (size_t i = 0; i < n->n_in; i++)
            if (strcmp(n->in[i], name) == 0) {
                uses++;
                if (i != 1 || strcmp(n->op, "Reshape") != 0)
                    return false;
            }
    return uses > 0;
}

static bool numbers(struct batch *b, struct graph_weight *a,
                    const struct graph_weight *c)
{
    int64_t *v2 = a->tensor.data;
    const int64_t *v3 = c->tensor.data;
    size_t n = a->tensor.count, differ = 0, at = 0;
    bool zero = false;

    for (size_t i = 0; i < n; i++) {
        differ += v2[i] != v3[i];
        at = v2[i] != v3[i] ? i : at;
        zero = zero || v2[i] == 0 || v2[i] == -1;
    }
    if (differ == 1 && !zero && a->tensor.shape.rank == 1 &&
        only_reshape(b->g, a->name)) {
        v2[at] = -1;
        return true;
    }
    const char *name = linear(b, v2, v3, n);
    if (!name)
        return false;
    if (a->tensor.shape.rank == 0) {
        const char *in[] = {name, graph_i64s(b->g, NULL, 0)};
        name = front(b, "Reshape", in, 2);
    }
    rename_input(b->g, a->name, name);
    return true;
}

/* All slabs along the dimensions that differ are the same: one of them,
 * expanded. */
static bool expanded(struct batch *b, struct graph_weight *a,
                     const struct graph_weight *c)
{
    struct tensor *x = &a->tensor;
    const struct tensor *y = &c->tensor;
    struct shape one = x->shape;
    struct ten whole = {.type = x->type, .shape = x->shape, .data = x->data};
    struct ten *part = &whole;

    if (x->count > TEN_FOLD_MAX || y->count > TEN_FOLD_MAX ||
        x->shape.rank != y->shape.rank)
        return false;
    for (int i = 0; i < one.rank; i++)
        if (x->shape.dim[i] != y->shape.dim[i]) {
            part = ten_slice(b->t, part, i, 0, 1, 1);
            one.dim[i] = 1;
        }
    /* Is it really the slab, over and over, in both? */
    struct ten *again = ten_expand(b->t, ten_copy(b->t, part), &x->shape);
    struct ten *other = ten_expand(b->t, ten_copy(b->t, part), &y->shape);
    if (!again->data || !other->data ||
        memcmp(again->data, x->data, tensor_bytes(x)) != 0 ||
        memcmp(other->data, y->data, tensor_bytes(y)) != 0)
        return false;
    struct tensor slab = {x->type, one, (size_t)ten_count(part),
                          (void *)(uintptr_t)part->data};
    const char *in[] = {graph_weight(b->g, "w", &slab), NULL};
    in[1] = linear(b, x->shape.dim, y->shape.dim, (size_t)one.rank);
    if (!in[1])
        return false;
    rename_input(b->g, a->name, front(b, "Expand", in, 2));
    return true;
}

/* A single float that is linear in the batch, as in x / x.size(0). */
static bool one_float(struct batch *b, struct graph_weight *a,
                      const struct graph_weight *c)
{
    double v2 = (double)*(float *)a->tensor.data;
    double v3 = (double)*(const float *)c->tensor.data, step = v3 - v2;
    double rest = v2 - 2 * step;

    if (a->tensor.shape.rank || step != (double)(int64_t)step ||
        rest != (double)(int64_t)rest)
        return false;
    const char *in = batch_size(b);
    const char *none[] = {in, graph_i64s(b->g, NULL, 0)};
    struct graph_node **tail = b->g->nodes_tail;
    struct graph_node *cast;
    in = front(b, "Reshape", none, 2);
    cast = graph_node(b->g, "Cast", &in, 1, 1);
    attr_int(b->g, cast, "to", DTYPE_F32);
    b->g->nodes_tail = tail;
    *tail = NULL;
    *b->tail = cast;
    b->tail = &cast->next;
    const char *times[] = {cast->out[0], graph_f32(b->g, step)};
    const char *sum[] = {front(b, "Mul", times, 2), graph_f32(b->g, rest)};
    rename_input(b->g, a->name, front(b, "Add", sum, 2));
    return true;
}

static bool weight(struct batch *b, struct graph_weight *a,
                   const struct graph_weight *c)
{
    const struct tensor *x = &a->tensor, *y = &c->tensor;

    if (x->type != y->type || strcmp(a->name, c->name) != 0)
        return false;
    if (shape_eq(&x->shape, &y->shape)) {
        if (x->data == y->data ||
            memcmp(x->data, y->data, tensor_bytes(x)) == 0)
            return true;
        if (x->type == DTYPE_I64 && x->shape.rank <= 1)
            return numbers(b, a, c);
        return x->type == DTYPE_F32 && one_float(b, a, c);
    }
    return expanded(b, a, c);
}

static void free_shapes(struct graph_io *a, const struct graph_io *c)
{
    for (; a && c; a = a->next, c = c->next)
        for (int i = 0; i < a->shape.rank; i++)
            if (a->shape.dim[i] != c->shape.dim[i])
                a->shape.dim[i] = -1;
}

bool batch_free(struct trace *t, struct graph *g2, const struct graph *g3)
{
    struct batch b = {.t = t, .g = g2};
    struct graph_weight *a = g2->weights;
    const struct graph_weight *c = g3->weights;
    size_t n = g2->n_weights;

    b.tail = &b.first;
    if (!g2->inputs || !same_structure(g2, g3))
        return false;
    for (; n-- > 0 && a && c; a = a->next, c = c->next)
        if (!weight(&b, a, c))
            return false;
    free_shapes(g2->inputs, g3->inputs);
    free_shapes(g2->outputs, g3->outputs);
    if (b.first) {
        *b.tail = g2->nodes;
        if (!g2->nodes)
            g2->nodes_tail = b.tail;
        g2->nodes = b.first;
    }
    return !g2->failed && !t->py.failed;
}
