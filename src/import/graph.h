/* graph.h - an ONNX graph being built.
 *
 * An importer adds nodes that take and give values by name; weights stay where
 * they are (in the model file, or in the arena) until the graph is written.
 * Failure is sticky: when memory runs out g->failed is set, calls give names
 * that may be used, and the writer refuses.
 *
 *     const char *y = graph_op(g, "Relu", &x, 1);
 *
 * Opset 17, IR 8: what ONNX Runtime knows since 1.12. Every node has a name of
 * its own; the runtime's fusions fail otherwise.
 */
#ifndef IMPORT_GRAPH_H
#define IMPORT_GRAPH_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "model/tensor.h"

enum { GRAPH_OPSET = 17, GRAPH_IR = 8 };

struct graph_attribute {
    struct graph_attribute *next;
    const char *name;
    enum {
        ATTR_FLOAT = 1,
        ATTR_INT = 2,
        ATTR_STRING = 3,
        ATTR_FLOATS = 6,
        ATTR_INTS = 7,
        ATTR_STRINGS = 8,
    } type;
    float f;
    int64_t i;
    const char *s;
    const int64_t *ints;
    const float *floats;
    const char **strings;
    size_t n;
};

struct graph_node {
    struct graph_node *next;
    const char *op, *name;
    const char **in, **out;
    size_t n_in, n_out;
    struct graph_attribute *attributes, **tail;
};

/* A constant, with the bytes it has now; strings are not possible. */
struct graph_weight {
    struct graph_weight *next;
    const char *name;
    struct tensor tensor;
};

struct graph_io {
    struct graph_io *next;
    const char *name;
    enum dtype type;
    struct shape shape;
};

struct graph {
    struct arena *arena;
    struct graph_node *nodes, **nodes_tail;
    struct graph_weight *weights, **weights_tail;
    struct graph_io *inputs, **inputs_tail, *outputs, **outputs_tail;
    size_t n_weights, n_nodes;
    uint64_t counter;
    bool failed;
};

void graph_init(struct graph *g, struct arena *arena);

/* A name nobody else has, from a hint that people will read. */
const char *graph_name(struct graph *g, const char *hint);

/* Free dimensions are -1; the first of them is called "batch". */
void graph_input(struct graph *g, const char *name, enum dtype type,
                 const struct shape *shape);
void graph_output(struct graph *g, const char *name, const char *value,
                  enum dtype type, const struct shape *shape);

/* A node with n inputs ("" for one that is left out) and n_out outputs. Never
 * NULL. */
struct graph_node *graph_node(struct graph *g, const char *op,
                              const char *const *in, size_t n, size_t n_out);
void attr_int(struct graph *g, struct graph_node *node, const char *name,
              int64_t v);
void attr_ints(struct graph *g, struct graph_node *node, const char *name,
               const int64_t *v, size_t n);
void attr_float(struct graph *g, struct graph_node *node, const char *name,
                double v);
void attr_string(struct graph *g, struct graph_node *node, const char *name,
                 const char *v);

void attr_floats(struct graph *g, struct graph_node *node, const char *name,
                 const float *v, size_t n);
void attr_strings(struct graph *g, struct graph_node *node, const char *name,
                  const char *const *v, size_t n);

/* The output of a node without attributes and with one output. */
const char *graph_op(struct graph *g, const char *op, const char *const *in,
                     size_t n);
const char *graph_op1(struct graph *g, const char *op, const char *a);
const char *graph_op2(struct graph *g, const char *op, const char *a,
                      const char *b);

/* Constants. The tensor's data must live as long as the graph. */
const char *graph_weight(struct graph *g, const char *hint,
                         const struct tensor *t);
const char *graph_i64s(struct graph *g, const int64_t *v, size_t n);
const char *graph_f32(struct graph *g, double v); /* a scalar */

/* Room for the elements of a constant that is computed; NULL: no memory. */
void *graph_room(struct graph *g, enum dtype type, const struct shape *shape,
                 struct tensor *out);

const char *graph_transpose(struct graph *g, const char *x,
                            const int64_t *order, size_t n);
const char *graph_reshape(struct graph *g, const char *x, const int64_t *shape,
                          size_t n);
const char *graph_cast(struct graph *g, const char *x, enum dtype type);

/* Drops nodes and weights that no output needs. */
void graph_prune(struct graph *g);

/* Where a writer puts the bytes of a weight. */
enum graph_weights {
    GRAPH_INLINE,   /* into the file */
    GRAPH_EXTERNAL, /* nowhere: the loader hands them over by name */
};

/* Appends the bytes of an ONNX file. Small constants are always inside. */
MUST_CHECK enum errc graph_write(const struct graph *g, enum graph_weights how,
                                 struct buf *out, struct err *err);

/* True when graph_write() leaves w out in GRAPH_EXTERNAL. */
bool graph_is_external(const struct graph_weight *w);

#endif
