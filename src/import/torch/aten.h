/* aten.h - the operators of PyTorch, as rows of a table: name, signature,
 * function that adds nodes to the graph.
 *
 * A signature is the argument list of the operator as PyTorch documents it
 * (docs.pytorch.org; native_functions.yaml names them), so that positional and
 * named arguments of every front end find their place. Functions read arguments
 * by place; a failure is sticky in the evaluator and what they give is then
 * ignored, so that they need not look after every step.
 *
 * To add one: a row in the table of its family, and a case in
 * tests/oracle/torch_cases.py.
 */
#ifndef IMPORT_TORCH_ATEN_H
#define IMPORT_TORCH_ATEN_H

#include "import/torch/ten.h"

enum { ATEN_MAX_ARGS = 20 };

struct aten_call {
    struct py *py;
    struct trace *t;
    struct graph *g;
    const struct aten *op;
    struct val *a[ATEN_MAX_ARGS];
};

struct aten {
    const char *name, *signature;
    struct val *(*call)(struct aten_call *c);
    const char *onnx; /* for functions that serve several rows */
};

/* NULL: there is no such operator. */
const struct aten *aten_find(struct str name);
struct val *aten_run(struct py *py, const struct aten *op,
                     const struct args *a);
/* By name, with arguments by place. */
struct val *aten_invoke(struct py *py, const char *name, size_t n,
                        struct val *const *a);

/* Families; each ends with a row without a name. */
extern const struct aten aten_binary[], aten_conv[], aten_image[], aten_index[],
    aten_join[], aten_make[], aten_matmul[], aten_norm[], aten_pool[],
    aten_reduce[], aten_rnn[], aten_shape[], aten_unary[];

/* Arguments. Absent ones are None. */
bool arg_none(const struct aten_call *c, size_t i);
struct ten *arg_ten(struct aten_call *c, size_t i);
/* NULL when it is None. */
struct ten *arg_ten_or_null(struct aten_call *c, size_t i);
/* A number becomes a constant of that type. */
struct ten *arg_ten_as(struct aten_call *c, size_t i, enum dtype type);
int64_t arg_int(struct aten_call *c, size_t i);
double arg_float(struct aten_call *c, size_t i);
bool arg_bool(struct aten_call *c, size_t i);
struct str arg_str(struct aten_call *c, size_t i);
/* Whole numbers: an int, a list, a tensor that is known. How many. */
size_t arg_ints(struct aten_call *c, size_t i, int64_t *out, size_t max);
/* The same, one repeated to n. */
void arg_ints_n(struct aten_call *c, size_t i, int64_t *out, size_t n);
/* A dimension from -rank to rank - 1, as 0 to rank - 1. */
int arg_dim(struct aten_call *c, size_t i, int rank);
int dim_of(struct aten_call *c, int64_t dim, int rank);
/* Tensors of a list. */
struct ten **arg_tens(struct aten_call *c, size_t i, size_t *n);
/* torch.float32 or the number of TorchScript; `other` for None. */
enum dtype arg_type(struct aten_call *c, size_t i, enum dtype other);
enum dtype aten_type(const struct val *v);
struct val *aten_type_value(struct py *py, enum dtype type);

/* Results. */
struct val *give(struct aten_call *c, struct ten *x);
struct val *give_node(struct aten_call *c, const char *name, enum dtype type,
                      const struct shape *s);
/* A tuple of what two values are. */
struct val *give_pair(struct aten_call *c, struct ten *x, struct ten *y);
struct val *aten_fail(struct aten_call *c, const char *fmt, ...)
    PRINTF_LIKE(2, 3);

/* Operators that others are made of. */
struct ten *op1(struct aten_call *c, const char *onnx, struct ten *x);
/* Types and shapes as PyTorch promotes them. */
struct ten *op2(struct aten_call *c, const char *onnx, struct ten *x,
                struct ten *y);
struct ten *op_number(struct aten_call *c, const char *onnx, struct ten *x,
                      double v);
struct ten *op_where(struct aten_call *c, struct ten *cond, struct ten *x,
                     struct ten *y);
/* A reduction over dims[0..n), all when n == 0. */
struct ten *op_reduce(struct aten_call *c, const char *onnx, struct ten *x,
                      const int64_t *dims, size_t n, bool keep);
struct ten *op_matmul(struct aten_call *c, struct ten *x, struct ten *y);
struct ten *op_softmax(struct aten_call *c, const char *onnx, struct ten *x,
                       int dim);
struct ten *op_gather(struct aten_call *c, struct ten *x, struct ten *at,
                      int dim);
/* Swaps two dimensions. */
struct ten *op_swap(struct aten_call *c, struct ten *x, int i, int k);
struct ten *op_unsqueeze(struct aten_call *c, struct ten *x, int dim);
struct ten *op_squeeze(struct aten_call *c, struct ten *x, int dim);
/* The first length of it along dim that is one. */
struct ten *op_select(struct aten_call *c, struct ten *x, int dim, int64_t i);
enum dtype promote(const struct ten *x, const struct ten *y);
/* x as a type that is floating point; floats stay. */
struct ten *as_float(struct aten_call *c, struct ten *x);

/* Operators on Python's numbers, as TorchScript writes them; NULL without an
 * error when it is none of them. */
struct val *aten_scalar(struct py *py, struct str name, const struct args *a);

#endif
