/* value.h - what expressions of the evaluator give: Python's own values, and
 * those of the host, of which only the host knows more. They live in the
 * evaluator's arena; numbers and texts are never changed. */
#ifndef IMPORT_PYTHON_VALUE_H
#define IMPORT_PYTHON_VALUE_H

#include "base/buf.h"
#include "import/python/ast.h"

enum val_kind {
    VAL_NONE,
    VAL_BOOL,
    VAL_INT,
    VAL_FLOAT,
    VAL_STR,
    VAL_LIST,
    VAL_TUPLE,
    VAL_SET, /* a list without doubles */
    VAL_DICT,
    VAL_SLICE, /* items: start, stop, step */
    VAL_ELLIPSIS,
    VAL_FUNCTION,
    VAL_BOUND,   /* self, callee */
    VAL_BUILTIN, /* of ours */
    VAL_CLASS,
    VAL_OBJECT,
    VAL_SPACE,   /* a dotted name behind which tables are searched */
    VAL_UNKNOWN, /* stands for a value until one is needed: unknown.c */
    VAL_SUPER,   /* self, from: the class behind which to search */
    VAL_PROPERTY,
    VAL_STATIC, /* staticmethod: callee */
    VAL_CLASSMETHOD,
    VAL_HOST, /* a value of the host */
};

struct py;
struct val;

/* A dictionary in the order of insertion. */
struct table {
    struct entry {
        struct val *key, *value; /* key NULL: removed */
        uint32_t hash;
    } * entries;
    size_t n, cap, live;
    uint32_t *index; /* 1 + place in entries; 0: free */
    size_t mask;
};

struct args {
    struct val **pos;
    size_t n;
    struct table *kw; /* may be NULL */
};

typedef struct val *(*py_function)(struct py *py, struct val *self,
                                   const struct args *a);

struct val {
    enum val_kind kind;
    uint8_t mark; /* for the host */
    union {
        bool boolean;
        int64_t whole;
        double number;
        struct str text; /* also of SPACE, and what an UNKNOWN is called */
        struct {
            struct val **v;
            size_t n, cap;
        } items; /* LIST, TUPLE, SET, SLICE */
        struct table *dict;
        struct function *function;
        struct klass *klass;
        struct {
            struct klass *klass;
            struct table *attrs;
        } object;
        struct {
            struct val *self, *callee; /* BOUND, STATIC, PROPERTY ... */
            struct klass *from;
        } bound;
        struct {
            const char *name;
            py_function call;
            const void *data;
            bool takes_unknown; /* arguments need not be settled */
        } builtin;
        void *host;
    } as;
};

struct scope {
    struct scope *parent;
    struct table names;
    bool is_function, is_class;
};

struct function {
    struct str name;
    struct py_node *parameters, *body;
    bool is_expression;    /* a lambda: body is one */
    struct val **defaults; /* per parameter, NULL: none */
    struct scope *scope;
    struct klass *owner; /* for super() */
};

enum { PY_MAX_BASES = 8 };

struct klass {
    struct str name;
    struct val *value; /* the VAL_CLASS */
    struct klass *bases[PY_MAX_BASES];
    size_t n_bases;
    struct table attrs;
    struct py_node *body; /* annotations, for dataclasses */
    struct scope *scope;
    bool dataclass, enumeration;
    struct str foreign; /* "argparse.Namespace": a base that is not ours */
};

/* Values. */
struct val *py_new(struct py *py, enum val_kind kind);
struct val *py_bool(struct py *py, bool v);
struct val *py_int(struct py *py, int64_t v);
struct val *py_float(struct py *py, double v);
struct val *py_str(struct py *py, struct str s); /* borrowed */
struct val *py_text(struct py *py, const char *s);
struct val *py_list(struct py *py, enum val_kind kind, size_t room);
struct val *py_dict(struct py *py);
struct val *py_builtin(struct py *py, const char *name, py_function call,
                       const void *data);
/* One that takes unknown values as they are. */
struct val *py_generic(struct py *py, const char *name, py_function call,
                       const void *data);
struct val *py_bound(struct py *py, struct val *self, struct val *callee);
struct val *py_space(struct py *py, struct str path);
struct val *py_unknown(struct py *py, struct str path);
struct val *py_object(struct py *py, struct klass *klass);
bool py_append(struct py *py, struct val *list, struct val *v);

/* Tables. A get gives NULL when there is none, without an error. */
struct val *table_get(const struct table *t, const struct val *key);
struct val *table_find(const struct table *t, struct str key);
bool table_put(struct py *py, struct table *t, struct val *key, struct val *v);
/* Puts everything of another one into it; from may be NULL. */
bool table_merge(struct py *py, struct table *to, const struct table *from);
bool table_set(struct py *py, struct table *t, struct str key, struct val *v);
bool table_remove(struct table *t, const struct val *key);

/* Numbers of any kind; false: it is none. */
bool py_to_int(const struct val *v, int64_t *out);
bool py_to_float(const struct val *v, double *out);
bool py_is_number(const struct val *v);

#endif
