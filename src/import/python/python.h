/* python.h - an evaluator for the part of Python in which models are written.
 *
 * Nothing of the machine is reachable: there are numbers, texts, lists, dicts,
 * functions and classes of the source itself, and what the host's tables say
 * (`struct py_host`): names such as torch.nn.Linear, and operations on the
 * host's own values (tensors). An import binds a name to a namespace; whether
 * there is something behind it is asked when it is used.
 *
 *     py_init(&py, &host, arena, steps, &err);
 *     py_load(&py, text, globals, PY_LENIENT)
 *     py_call(&py, function, args)
 *
 * Every function that gives a value gives NULL when the program failed; py->err
 * then says what and in which line. Bounded: steps, calls within calls, memory
 * (the arena). Not thread safe.
 */
#ifndef IMPORT_PYTHON_PYTHON_H
#define IMPORT_PYTHON_PYTHON_H

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
    VAL_SPACE, /* a dotted name behind which tables are searched */
    VAL_SUPER, /* self, from: the class behind which to search */
    VAL_PROPERTY,
    VAL_STATIC,  /* staticmethod: callee */
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
        struct str text; /* also of SPACE */
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
    bool is_expression; /* a lambda: body is one */
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

/* What the evaluator asks of its host; NULL results are failures unless it
 * says otherwise. */
struct py_host {
    /* What is behind a dotted name; NULL without an error: nothing. */
    struct val *(*name)(struct py *py, struct str path);
    struct val *(*attr)(struct py *py, struct val *self, struct str name);
    struct val *(*binary)(struct py *py, enum py_op op, struct val *a,
                          struct val *b);
    struct val *(*unary)(struct py *py, enum py_op op, struct val *a);
    struct val *(*index)(struct py *py, struct val *self, struct val *at);
    bool (*set_index)(struct py *py, struct val *self, struct val *at,
                      struct val *value);
    bool (*truth)(struct py *py, struct val *self, bool *out);
    /* The members, for loops and unpacking. */
    struct val *(*list)(struct py *py, struct val *self);
    void (*show)(struct buf *b, const struct val *self);
};

enum { PY_MAX_CALLS = 120 };

struct py {
    struct arena *arena;
    const struct py_host *host;
    void *host_data;
    struct err *err;
    bool failed;
    uint64_t steps, max_steps;
    int calls, line;
    /* Functions of this scope do not count as the program's own: a failure in
     * them is told with the line that called them. */
    const struct scope *library;
    int in_library;
    struct scope *builtins;
    struct str where[8]; /* innermost functions when it failed */
    size_t n_where;
    struct str stars[16]; /* from X import * */
    size_t n_stars;
    struct val none, yes, no, ellipsis;
};

enum py_load {
    PY_STRICT,  /* every statement must run */
    PY_LENIENT, /* of other people: only what defines names is run, and what
                   fails is a name that says why when it is used */
};

bool py_init(struct py *py, const struct py_host *host, struct arena *arena,
             uint64_t steps, struct err *err);
struct scope *py_scope(struct py *py, struct scope *parent);
bool py_load(struct py *py, struct str text, struct scope *globals,
             enum py_load how);

/* Records a failure, unless there is one; NULL. */
struct val *py_fail(struct py *py, enum errc code, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* Forgets a failure, to try something else; false: it is one of limits. */
bool py_recover(struct py *py);
/* Counts work; false: too much. */
bool py_work(struct py *py, uint64_t steps);

/* What Python's own modules have: math.sqrt, collections.OrderedDict ...; NULL
 * without an error when it is not known. */
struct val *py_standard(struct py *py, struct str path);

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
struct val *py_bound(struct py *py, struct val *self, struct val *callee);
struct val *py_space(struct py *py, struct str path);
struct val *py_object(struct py *py, struct klass *klass);
bool py_append(struct py *py, struct val *list, struct val *v);

/* Tables. A get gives NULL when there is none, without an error. */
struct val *table_get(const struct table *t, const struct val *key);
struct val *table_find(const struct table *t, struct str key);
bool table_put(struct py *py, struct table *t, struct val *key, struct val *v);
bool table_set(struct py *py, struct table *t, struct str key, struct val *v);
bool table_remove(struct table *t, const struct val *key);

/* Language. */
bool py_truth(struct py *py, struct val *v, bool *out);
bool py_equal(const struct val *a, const struct val *b);
struct val *py_attr(struct py *py, struct val *v, struct str name);
/* NULL without an error when there is no such attribute. */
struct val *py_attr_or_null(struct py *py, struct val *v, struct str name);
bool py_set_attr(struct py *py, struct val *v, struct str name,
                 struct val *value);
struct val *py_index(struct py *py, struct val *v, struct val *at);
bool py_set_index(struct py *py, struct val *v, struct val *at,
                  struct val *value);
struct val *py_binary(struct py *py, enum py_op op, struct val *a,
                      struct val *b);
struct val *py_unary(struct py *py, enum py_op op, struct val *a);
struct val *py_compare(struct py *py, enum py_op op, struct val *a,
                       struct val *b);
struct val *py_call(struct py *py, struct val *callee, const struct args *a);
struct val *py_call1(struct py *py, struct val *callee, struct val *arg);
/* A list of the members of anything that can be gone through. */
struct val *py_members(struct py *py, struct val *v);
struct val *py_eval(struct py *py, struct py_node *node, struct scope *s);

/* Class attribute by the order of Python's method resolution (depth first). */
struct val *klass_find(const struct klass *k, struct str name,
                       const struct klass **owner);
bool klass_is(const struct klass *k, const struct klass *base);
bool klass_named(const struct klass *k, const char *base);

/* Numbers of any kind; false: it is none. */
bool py_to_int(const struct val *v, int64_t *out);
bool py_to_float(const struct val *v, double *out);
bool py_is_number(const struct val *v);

void py_show(struct buf *b, const struct val *v);
const char *py_kind_name(const struct val *v);

/* start, stop, step of a slice over n members, as Python counts. */
bool py_slice_range(struct py *py, const struct val *slice, int64_t n,
                    int64_t out[3]);

/* Binds a call's arguments to names, "a, b=1, *c": slots[i] is the i-th, NULL
 * where nothing was given and there is no default. */
bool py_bind(struct py *py, const char *name, const char *signature,
             const struct args *a, struct val **slots, size_t max);

#endif
