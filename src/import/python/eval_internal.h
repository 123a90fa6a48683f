/* eval_internal.h - between the files of the evaluator.
 *
 *   value.c      making and comparing values, tables
 *   show.c       values as texts, arguments by signature
 *   operators.c  arithmetic and comparison of Python's own values
 *   index.c      their members
 *   attr.c       attributes, classes, objects
 *   call.c       functions, arguments
 *   eval.c       expressions
 *   exec.c       statements
 *   builtins.c, builtins_lists.c, methods.c, standard.c   what Python brings
 *                along
 */
#ifndef IMPORT_PYTHON_EVAL_INTERNAL_H
#define IMPORT_PYTHON_EVAL_INTERNAL_H

#include "import/python/python.h"

/* What a statement did. */
enum flow {
    FLOW_NEXT,
    FLOW_BREAK,
    FLOW_CONTINUE,
    FLOW_RETURN,
    FLOW_FAILED,
};

enum flow py_run(struct py *py, struct py_node *list, struct scope *s,
                 struct val **result);
bool py_assign(struct py *py, struct py_node *target, struct val *v,
               struct scope *s);
struct val *py_name(struct py *py, struct str name, struct scope *s);

struct val *py_define(struct py *py, struct py_node *def, struct scope *s);
struct val *py_define_class(struct py *py, struct py_node *node,
                            struct scope *s);
struct val *py_lambda(struct py *py, struct py_node *node, struct scope *s);
struct val *py_make_object(struct py *py, struct klass *k,
                           const struct args *a);

struct val *py_to_str(struct py *py, struct val *v);
void py_format(struct buf *b, const struct val *v, struct str spec);
/* Frees the buffer. */
struct val *py_from_buf(struct py *py, struct buf *b);
struct val *py_literal(struct py *py, struct str s);

/* Functions that Python brings along; the last row has no name. */
struct py_builtin_row {
    const char *name;
    py_function call;
};
extern const struct py_builtin_row py_list_builtins[];
/* NULL: there are fewer than n arguments. */
struct val *py_need(struct py *py, const struct args *a, size_t n,
                    const char *name);
struct val *py_copy_of(struct py *py, struct val *v, enum val_kind kind);
struct val *py_pair(struct py *py, struct val *a, struct val *b);

/* A method of a str, list, dict ...; NULL without an error: none. */
struct val *py_method(struct py *py, struct val *self, struct str name);
bool py_add_builtins(struct py *py);
bool py_isinstance(struct py *py, struct val *v, struct val *type);
struct val *py_contains(struct py *py, struct val *list, struct val *v);
#endif
