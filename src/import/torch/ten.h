/* ten.h - a tensor of PyTorch while its program is interpreted: type, shape,
 * and the name of the value in the ONNX graph that is being built.
 *
 * Tensors of PyTorch are shared: x.add_(1) is seen through every name of x, and
 * through every view of it. So a tensor is one object; a view knows its base
 * and how it was cut out of it. Writing to a view writes back to the base,
 * reading one whose base has changed cuts it out again.
 *
 * Constants carry their elements, so that shapes and masks computed by the
 * program are numbers here and not nodes there.
 */
#ifndef IMPORT_TORCH_TEN_H
#define IMPORT_TORCH_TEN_H

#include "import/graph.h"
#include "import/python/python.h"

enum view_kind {
    VIEW_NONE,
    VIEW_RESHAPE,
    VIEW_TRANSPOSE, /* v: the permutation */
    VIEW_SLICE,     /* v: dim, start, stop, step */
    VIEW_EXPAND,
};

struct ten {
    enum dtype type;
    struct shape shape;
    const char *name; /* in the graph; NULL: a constant not used yet */
    const void *data; /* elements of a constant, in order; NULL: not known */
    bool meta;        /* a parameter that waits for its weights */
    struct str open;  /* of it not even the shape is known: the unknown value
                         that it stands for (kept.c) */
    bool array;       /* of numpy: an element of it is a number of its own */
    struct ten *base; /* of a view */
    enum view_kind view;
    int64_t v[SHAPE_MAX_RANK];
    uint32_t version, seen; /* of this one; of the base when it was cut out */
};

/* One interpretation of a program. */
struct unknowns;

struct trace {
    struct py py;
    struct arena *arena;
    struct graph *g;
    struct err *err;
    struct scope *library; /* torch.nn, functional, torchvision as texts */
    /* Names that a front end knows; asked first. NULL results: not known. */
    struct val *(*names)(struct py *py, struct str path);
    void *names_data;
    struct unknowns *unknowns; /* what the source leaves open; may be NULL */
};

enum { TEN_FOLD_MAX = 1 << 16, TEN_MAX_NODES = 100000 };

/* The trace of a running program. */
struct trace *trace_of(struct py *py);

/* Values of the evaluator that are tensors. */
struct val *ten_value(struct trace *t, struct ten *x);
struct ten *ten_of(const struct val *v); /* NULL: it is none */

/* Makes one; a stand-in when memory is out, and the program has failed. */
struct ten *ten_new(struct trace *t, enum dtype type,
                    const struct shape *shape);
/* A value of the graph. */
struct ten *ten_node(struct trace *t, const char *name, enum dtype type,
                     const struct shape *shape);
/* A constant; the data stays where it is. */
struct ten *ten_constant(struct trace *t, const struct tensor *x);
/* Room for the elements of a new constant; *out: where to write them. */
struct ten *ten_room(struct trace *t, enum dtype type,
                     const struct shape *shape, void **out);
struct ten *ten_scalar(struct trace *t, enum dtype type, double v);
struct ten *ten_ints(struct trace *t, const int64_t *v, size_t n);

/* Its name in the graph now. */
const char *ten_name(struct trace *t, struct ten *x);
/* Brings a view up to date with its base. */
void ten_sync(struct trace *t, struct ten *x);
int64_t ten_count(const struct ten *x);
bool ten_is_constant(const struct ten *x);
/* A constant small enough to be computed with. */
bool ten_foldable(const struct ten *x);

/* x takes the value of y, as an in-place operation does. */
void ten_set(struct trace *t, struct ten *x, struct ten *y);

/* Views; of a constant that is small they are constants. */
struct ten *ten_reshape(struct trace *t, struct ten *x, const struct shape *s);
struct ten *ten_transpose(struct trace *t, struct ten *x, const int64_t *perm);
struct ten *ten_slice(struct trace *t, struct ten *x, int dim, int64_t start,
                      int64_t stop, int64_t step);
struct ten *ten_expand(struct trace *t, struct ten *x, const struct shape *s);

/* Values, not views. */
struct ten *ten_cast(struct trace *t, struct ten *x, enum dtype type);
struct ten *ten_copy(struct trace *t, struct ten *x);
struct ten *ten_concat(struct trace *t, struct ten *const *list, size_t n,
                       int dim);

/* The element at i of a constant. */
double ten_f64(const struct ten *x, size_t i);
int64_t ten_i64(const struct ten *x, size_t i);
void ten_put(void *data, enum dtype type, size_t i, double v);
void ten_put_i64(void *data, enum dtype type, size_t i, int64_t v);

/* The shape of two operands together; false: they do not fit. */
bool shape_broadcast(const struct shape *a, const struct shape *b,
                     struct shape *out);

#endif
