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
 *   lenient.c    other people's files
 *   unknown.c    values that are not known yet
 *   builtins.c, builtins_lists.c, methods.c, methods_text.c, standard.c   what
 *                Python brings
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
extern const struct py_builtin_row py_text_methods[];
/* NULL: there are fewer than n arguments. */
struct val *py_need(struct py *py, const struct args *a, size_t n,
                    const char *name);
struct val *py_copy_of(struct py *py, struct val *v, enum val_kind kind);
struct val *py_pair(struct py *py, struct val *a, struct val *b);

/* Methods of Python's own values: f is the method, a->pos[0] the value. */
#define METHOD(name) \
    static struct val *name(struct py *py, struct val *f, const struct args *a)
/* NULL: the method has other arguments. */
struct val *py_wrong(struct py *py, const struct val *f);

/* A method of a str, list, dict ...; NULL without an error: none. */
struct val *py_method(struct py *py, struct val *self, struct str name);
bool py_add_builtins(struct py *py);
bool py_isinstance(struct py *py, struct val *v, struct val *type);
struct val *py_contains(struct py *py, struct val *list, struct val *v);

/* standard.c: what functools.partial() keeps; NULL: it is none, or there is no
 * such thing. */
struct val *py_partial_attr(struct py *py, const struct val *v,
                            struct str name);

/* unknown.c. A value that is known is given back as it is. */
struct val *py_settle(struct py *py, struct val *v, enum py_want want,
                      struct val *hint);
/* What is known of an unknown value; NULL without an error: nothing. */
struct val *py_known(struct py *py, const struct val *v);
struct val *py_unknown_attr(struct py *py, struct val *v, struct str name);
struct val *py_unknown_index(struct py *py, struct val *v, struct val *at);
/* operators.c, for compare.c: is it a list or a tuple; a method such as __add__
 * of an object, NULL without an error: none; what is said when there is no
 * such operator. */
bool py_is_items(const struct val *v);
struct val *py_special(struct py *py, const char *name, struct val *a,
                       struct val *b);
struct val *py_no_operator(struct py *py, enum py_op op, const struct val *a,
                           const struct val *b);
/* An unknown value as text shows it: what stands for it now, or its name. */
struct val *py_shown(struct py *py, struct val *v);
/* A function that gives None whatever it is given. */
struct val *py_nothing(struct py *py, struct val *self, const struct args *a);
/* What the decorators above a function or class make of it. */
struct val *py_decorated(struct py *py, struct py_node *decorators,
                         struct val *v, struct scope *s);
struct val *py_unknown_len(struct py *py, struct val *v);
/* member in v: a truth, what v is known to be, or v. */
struct val *py_unknown_holds(struct py *py, struct val *v,
                             const struct val *member);
struct val *py_unknown_call(struct py *py, struct val *v, const struct args *a);
bool py_unknown_set(struct py *py, struct val *v, struct str name,
                    struct val *value);
/* A place in something: numbers, and slices and tuples of them. */
struct val *py_settle_deep(struct py *py, struct val *v);
/* The arguments of something of the host, which knows no unknowns. */
bool py_settle_args(struct py *py, const struct args *a, struct args *out);
#endif
