/* tensor.h - values that go into and come out of a model.
 *
 * A tensor borrows its data: from the request's arena, from the body of the
 * request, or from the runtime's result. Elements are row-major and little
 * endian; strings are an array of struct str.
 */
#ifndef MODEL_TENSOR_H
#define MODEL_TENSOR_H

#include "codec/dtype.h"
#include "codec/shape.h"

struct tensor {
    enum dtype type;
    struct shape shape;
    size_t count; /* product of the shape */
    void *data;
};

enum value_kind {
    VALUE_NONE, /* an optional that is absent */
    VALUE_TENSOR,
    VALUE_SEQUENCE,
    VALUE_MAP,
    VALUE_OTHER, /* sparse, opaque: the runtime has it, nobody carries it */
};

/* A sequence's members are items[0..n); a map has two, the tensors of its keys
 * and of its values. */
struct value {
    enum value_kind kind;
    struct tensor tensor;
    struct value *items;
    size_t n;
};

/* Bytes of the data of a tensor that is not of strings. */
static inline size_t tensor_bytes(const struct tensor *t)
{
    return t->count * dtype_size(t->type);
}

#endif
