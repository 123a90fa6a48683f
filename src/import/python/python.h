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

#include "import/python/value.h"

/* What an unknown value is needed as; the hint of each is in brackets. */
enum py_want {
    WANT_NUMBER,
    WANT_COUNT, /* a small number, of layers, say */
    WANT_TRUTH,
    WANT_CHOICE,  /* one of these values (a list) */
    WANT_LENGTH,  /* a list (of that length, if given) */
    WANT_MAPPING, /* a dict */
    WANT_CALL,    /* something to call */
    WANT_KNOWN,   /* nothing: what is known of it, or NULL without an error */
    WANT_TEXT,    /* nothing: what stands for it now, or NULL, as above */
    WANT_IS,      /* nothing: from now on it is that value */
};

/* What the evaluator asks of its host; NULL results are failures unless it
 * says otherwise. */
struct py_host {
    /* What is behind a dotted name; NULL without an error: nothing. */
    struct val *(*name)(struct py *py, struct str path);
    struct val *(*attr)(struct py *py, struct val *self, struct str name);
    struct val *(*binary)(struct py *py, enum py_op op, struct val *a,
                          struct val *b);
    /* a op= b: a itself where it can take the result. */
    struct val *(*in_place)(struct py *py, enum py_op op, struct val *a,
                            struct val *b);
    struct val *(*unary)(struct py *py, enum py_op op, struct val *a);
    struct val *(*index)(struct py *py, struct val *self, struct val *at);
    bool (*set_index)(struct py *py, struct val *self, struct val *at,
                      struct val *value);
    bool (*truth)(struct py *py, struct val *self, bool *out);
    /* The members, for loops and unpacking. */
    struct val *(*list)(struct py *py, struct val *self);
    void (*show)(struct buf *b, const struct val *self);
    /* A value for what is not known; only asked after PY_LENIENT. */
    struct val *(*settle)(struct py *py, struct str path, enum py_want want,
                          struct val *hint);
    /* The class that one is taken to be derived from when its own base is not
     * known; NULL without an error: none. */
    struct klass *(*base)(struct py *py, const struct klass *k);
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
    bool in_library;
    bool lenient; /* names that are not defined are unknown values */
    bool lax;     /* assertions do not fail */
    /* Objects are being made whose numbers come later, from a file: what is
     * computed from those numbers is of no account. */
    bool constructing;
    struct scope *builtins;
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
/* The same of a text that is parsed. */
bool py_load_parsed(struct py *py, struct py_node *list, struct scope *globals,
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
