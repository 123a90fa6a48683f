#include "import/graph.h"

#include <stdio.h>
#include <string.h>

enum { NAME_ROOM = 96, EXTERNAL_FROM = 1024 };

void graph_init(struct graph *g, struct arena *arena)
{
    *g = (struct graph){.arena = arena};
    g->nodes_tail = &g->nodes;
    g->weights_tail = &g->weights;
    g->inputs_tail = &g->inputs;
    g->outputs_tail = &g->outputs;
}

const char *graph_name(struct graph *g, const char *hint)
{
    char *name = arena_new(g->arena, char, NAME_ROOM);

    if (!name) {
        g->failed = true;
        return "";
    }
    (void)snprintf(name, NAME_ROOM, "%.64s/%llu", hint,
                   (unsigned long long)g->counter++);
    return name;
}

static void add_io(struct graph *g, struct graph_io ***tail, const char *name,
                   enum dtype type, const struct shape *shape)
{
    struct graph_io *io = arena_new(g->arena, struct graph_io, 1);

    if (!io) {
        g->failed = true;
        return;
    }
    *io = (struct graph_io){.name = name, .type = type, .shape = *shape};
    **tail = io;
    *tail = &io->next;
}

void graph_input(struct graph *g, const char *name, enum dtype type,
                 const struct shape *shape)
{
    add_io(g, &g->inputs_tail, name, type, shape);
}

/* What a stand-in for a node is when there is no memory. */
static struct graph_node *no_node(void)
{
    static _Thread_local struct graph_node node;
    static _Thread_local const char *names[8];

    for (size_t i = 0; i < COUNT(names); i++)
        names[i] = "";
    node = (struct graph_node){.op = "", .name = "", .out = names};
    node.tail = &node.attributes;
    return &node;
}

struct graph_node *graph_node(struct graph *g, const char *op,
                              const char *const *in, size_t n, size_t n_out)
{
    struct graph_node *node = arena_new(g->arena, struct graph_node, 1);

    if (node) {
        node->in = arena_new(g->arena, const char *, n + 1);
        node->out = arena_new(g->arena, const char *, n_out + 1);
    }
    if (!node || !node->in || !node->out) {
        g->failed = true;
        return no_node();
    }
    node->op = op;
    node->name = graph_name(g, op);
    node->n_in = n;
    node->n_out = n_out;
    node->tail = &node->attributes;
    for (size_t i = 0; i < n; i++)
        node->in[i] = in[i];
    for (size_t i = 0; i < n_out; i++)
        node->out[i] = graph_name(g, op);
    *g->nodes_tail = node;
    g->nodes_tail = &node->next;
    g->n_nodes++;
    return node;
}

static struct graph_attribute *add_attribute(struct graph *g,
                                             struct graph_node *node,
                                             const char *name)
{
    struct graph_attribute *a = arena_new(g->arena, struct graph_attribute, 1);

    if (!a) {
        g->failed = true;
        return NULL;
    }
    a->name = name;
    *node->tail = a;
    node->tail = &a->next;
    return a;
}

void attr_int(struct graph *g, struct graph_node *node, const char *name,
              int64_t v)
{
    struct graph_attribute *a = add_attribute(g, node, name);

    if (a) {
        a->type = ATTR_INT;
        a->i = v;
    }
}

void attr_ints(struct graph *g, struct graph_node *node, const char *name,
               const int64_t *v, size_t n)
{
    struct graph_attribute *a = add_attribute(g, node, name);
    int64_t *copy = arena_new(g->arena, int64_t, n + 1);

    if (!a || !copy) {
        g->failed = true;
        return;
    }
    memcpy(copy, v, n * sizeof(*v));
    a->type = ATTR_INTS;
    a->ints = copy;
    a->n = n;
}

void attr_floats(struct graph *g, struct graph_node *node, const char *name,
                 const float *v, size_t n)
{
    struct graph_attribute *a = add_attribute(g, node, name);
    float *copy = arena_new(g->arena, float, n + 1);

    if (!a || !copy) {
        g->failed = true;
        return;
    }
    memcpy(copy, v, n * sizeof(*v));
    a->type = ATTR_FLOATS;
    a->floats = copy;
    a->n = n;
}

void attr_strings(struct graph *g, struct graph_node *node, const char *name,
                  const char *const *v, size_t n)
{
    struct graph_attribute *a = add_attribute(g, node, name);
    const char **copy = arena_new(g->arena, const char *, n + 1);

    if (!a || !copy) {
        g->failed = true;
        return;
    }
    for (size_t i = 0; i < n; i++)
        copy[i] = v[i];
    a->type = ATTR_STRINGS;
    a->strings = copy;
    a->n = n;
}

void attr_float(struct graph *g, struct graph_node *node, const char *name,
                double v)
{
    struct graph_attribute *a = add_attribute(g, node, name);

    if (a) {
        a->type = ATTR_FLOAT;
        a->f = (float)v;
    }
}

void attr_string(struct graph *g, struct graph_node *node, const char *name,
                 const char *v)
{
    struct graph_attribute *a = add_attribute(g, node, name);

    if (a) {
        a->type = ATTR_STRING;
        a->s = v;
    }
}

const char *graph_op(struct graph *g, const char *op, const char *const *in,
                     size_t n)
{
    return graph_node(g, op, in, n, 1)->out[0];
}

const char *graph_op1(struct graph *g, const char *op, const char *a)
{
    return graph_op(g, op, &a, 1);
}

const char *graph_op2(struct graph *g, const char *op, const char *a,
                      const char *b)
{
    return graph_op(g, op, (const char *const[]){a, b}, 2);
}

/* The value may be an input, or the output of several names: hence a node. */
void graph_output(struct graph *g, const char *name, const char *value,
                  enum dtype type, const struct shape *shape)
{
    struct graph_node *node = graph_node(g, "Identity", &value, 1, 1);

    node->out[0] = name;
    add_io(g, &g->outputs_tail, name, type, shape);
}

const char *graph_weight(struct graph *g, const char *hint,
                         const struct tensor *t)
{
    struct graph_weight *w = arena_new(g->arena, struct graph_weight, 1);

    if (!w) {
        g->failed = true;
        return "";
    }
    w->name = graph_name(g, hint);
    w->tensor = *t;
    *g->weights_tail = w;
    g->weights_tail = &w->next;
    g->n_weights++;
    return w->name;
}

void *graph_room(struct graph *g, enum dtype type, const struct shape *shape,
                 struct tensor *out)
{
    int64_t n;

    *out = (struct tensor){.type = type, .shape = *shape};
    if (shape_count(shape, &n) && (uint64_t)n <= SIZE_MAX / 16)
        out->data = arena_bytes(g->arena, (size_t)n * dtype_size(type) + 1);
    if (!out->data) {
        g->failed = true;
        return NULL;
    }
    out->count = (size_t)n;
    return out->data;
}

const char *graph_i64s(struct graph *g, const int64_t *v, size_t n)
{
    struct tensor t;
    int64_t *p = graph_room(g, DTYPE_I64, &(struct shape){1, {(int64_t)n}}, &t);

    if (!p)
        return "";
    memcpy(p, v, n * sizeof(*v));
    return graph_weight(g, "ints", &t);
}

const char *graph_f32(struct graph *g, double v)
{
    struct tensor t;
    float *p = graph_room(g, DTYPE_F32, &(struct shape){0}, &t);

    if (!p)
        return "";
    *p = (float)v;
    return graph_weight(g, "number", &t);
}

const char *graph_transpose(struct graph *g, const char *x,
                            const int64_t *order, size_t n)
{
    struct graph_node *node = graph_node(g, "Transpose", &x, 1, 1);

    attr_ints(g, node, "perm", order, n);
    return node->out[0];
}

const char *graph_reshape(struct graph *g, const char *x, const int64_t *shape,
                          size_t n)
{
    return graph_op2(g, "Reshape", x, graph_i64s(g, shape, n));
}

const char *graph_cast(struct graph *g, const char *x, enum dtype type)
{
    struct graph_node *node = graph_node(g, "Cast", &x, 1, 1);

    attr_int(g, node, "to", (int64_t)type); /* ONNX' own numbers */
    return node->out[0];
}

bool graph_is_external(const struct graph_weight *w)
{
    return tensor_bytes(&w->tensor) >= EXTERNAL_FROM;
}
