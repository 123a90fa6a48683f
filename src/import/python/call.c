/* Functions and calls. */
#include <string.h>

#include "import/python/eval_internal.h"

static size_t count(const struct py_node *list)
{
    size_t n = 0;

    for (; list; list = list->next)
        n++;
    return n;
}

static struct val *make_function(struct py *py, struct str name,
                                 struct py_node *parameters,
                                 struct py_node *body, struct scope *s)
{
    struct function *f = arena_new(py->arena, struct function, 1);
    struct val *v = py_new(py, VAL_FUNCTION);
    size_t i = 0;

    if (!f || !v)
        return py_fail(py, ERR_NOMEM, "out of memory");
    *f = (struct function){
        .name = name, .parameters = parameters, .body = body, .scope = s};
    f->defaults = arena_new(py->arena, struct val *, count(parameters) + 1);
    if (!f->defaults)
        return py_fail(py, ERR_NOMEM, "out of memory");
    for (struct py_node *p = parameters; p; p = p->next, i++)
        if (p->a && !(f->defaults[i] = py_eval(py, p->a, s)))
            return NULL;
    v->as.function = f;
    return v;
}

struct val *py_define(struct py *py, struct py_node *def, struct scope *s)
{
    struct scope *outer = s;

    /* Methods do not see the names of their class. */
    while (outer->is_class && outer->parent)
        outer = outer->parent;
    struct val *v = make_function(py, def->text, def->a, def->b, s);
    if (v)
        v->as.function->scope = outer;
    return v;
}

/* What a decorator of the source's own makes of it; one of a package that is
 * not here leaves it as it is, and so does one that fails. */
static struct val *decorate(struct py *py, struct py_node *d, struct val *v,
                            struct scope *s)
{
    struct py_node *root = d;
    struct val *f;

    while (root->kind == PY_ATTR || root->kind == PY_CALL)
        root = root->a;
    f = root->kind == PY_NAME ? py_eval(py, root, s) : NULL;
    bool own = f && (f->kind == VAL_FUNCTION || f->kind == VAL_OBJECT ||
                     f->kind == VAL_CLASS);
    f = own ? py_eval(py, d, s) : NULL;
    f = f ? py_call1(py, f, v) : NULL;
    if (py->failed)
        return py_recover(py) ? v : NULL;
    return f && (f->kind == VAL_FUNCTION || f->kind == VAL_CLASS ||
                 f->kind == VAL_BOUND || f->kind == VAL_OBJECT)
               ? f
               : v;
}

struct val *py_decorated(struct py *py, struct py_node *decorators,
                         struct val *v, struct scope *s)
{
    if (!v || !decorators)
        return v;
    v = py_decorated(py, decorators->next, v, s); /* the lowest first */
    return v ? decorate(py, decorators, v, s) : NULL;
}

struct val *py_lambda(struct py *py, struct py_node *node, struct scope *s)
{
    struct val *v = make_function(py, STR("lambda"), node->a, node->b, s);

    if (v)
        v->as.function->is_expression = true;
    return v;
}

static struct val *wrong_call(struct py *py, const struct function *f,
                              const char *what, struct str name)
{
    return py_fail(py, ERR_INVALID, STR_FMT "() %s '" STR_FMT "'",
                   STR_ARG(f->name), what, STR_ARG(name));
}

/* Names the argument for which there is no parameter. */
static bool no_parameter(struct py *py, const struct function *f,
                         const struct table *kw)
{
    for (size_t k = 0; k < kw->n; k++) {
        bool known = false;
        if (!kw->entries[k].key)
            continue;
        for (struct py_node *p = f->parameters; p; p = p->next)
            known = known || str_eq(p->text, kw->entries[k].key->as.text);
        if (!known)
            return wrong_call(py, f, "does not know",
                              kw->entries[k].key->as.text) != NULL;
    }
    return !py->failed;
}

/* Binds arguments to parameters in the scope of a call. */
static bool bind(struct py *py, const struct function *f, struct val *self,
                 const struct args *a, struct scope *s)
{
    size_t at = 0, used = 0, i = 0, n = a->n + (self ? 1 : 0);
    bool star = false, rest = false;

    for (struct py_node *p = f->parameters; p; p = p->next, i++) {
        struct val *v = NULL;
        if (p->op == '*') {
            star = true;
            v = py_list(py, VAL_TUPLE, 0);
            for (; p->text.n && v && at < n; at++)
                (void)py_append(py, v,
                                self && at == 0 ? self
                                                : a->pos[at - (self != NULL)]);
            if (p->text.n && (!v || !table_set(py, &s->names, p->text, v)))
                return false;
            continue;
        }
        if (p->op == 'd') {
            rest = true;
            v = py_dict(py);
            for (size_t k = 0; v && a->kw && k < a->kw->n; k++) {
                struct entry *e = &a->kw->entries[k];
                if (e->key && !table_get(&s->names, e->key))
                    (void)table_put(py, v->as.dict, e->key, e->value);
            }
            if (!v || !table_set(py, &s->names, p->text, v))
                return false;
            continue;
        }
        if (!star && at < n) {
            v = self && at == 0 ? self : a->pos[at - (self != NULL)];
            at++;
        }
        struct val *named = a->kw ? table_find(a->kw, p->text) : NULL;
        if (named && v)
            return wrong_call(py, f, "got twice", p->text) != NULL;
        used += named != NULL;
        v = v ? v : named ? named : f->defaults[i];
        if (!v)
            return wrong_call(py, f, "needs", p->text) != NULL;
        if (!table_set(py, &s->names, p->text, v))
            return false;
    }
    if (at < n)
        return py_fail(py, ERR_INVALID, STR_FMT "() takes fewer arguments",
                       STR_ARG(f->name)) != NULL;
    if (!rest && a->kw && used < a->kw->live)
        return no_parameter(py, f, a->kw);
    return !py->failed;
}

static bool of_library(const struct py *py, const struct scope *s)
{
    while (s && s->parent)
        s = s->parent;
    return s && s == py->library;
}

static struct val *call_function(struct py *py, struct val *callee,
                                 struct val *self, const struct args *a)
{
    struct function *f = callee->as.function;
    struct scope *s = py_scope(py, f->scope);
    struct val *result = NULL;
    int line = py->line;

    if (!s)
        return NULL;
    s->is_function = true;
    if (f->owner &&
        !table_set(py, &s->names, STR("__class__"), f->owner->value))
        return NULL;
    if (!bind(py, f, self, a, s))
        return NULL;
    /* The library calls back: Module.__call__() calls a person's forward(). */
    bool outer = py->in_library;
    py->in_library = of_library(py, f->scope);
    if (f->is_expression) {
        struct val *v = py_eval(py, f->body, s);
        py->in_library = outer;
        return v;
    }
    enum flow flow = py_run(py, f->body, s, &result);
    py->in_library = outer;
    if (flow == FLOW_FAILED)
        return NULL;
    py->line = line;
    return result ? result : &py->none;
}

static struct val *call_object(struct py *py, struct val *self,
                               const struct args *a)
{
    struct val *method = py_attr_or_null(py, self, STR("__call__"));

    if (!method && !py->failed)
        return py_fail(py, ERR_UNSUPPORTED, "a " STR_FMT " cannot be called",
                       STR_ARG(self->as.object.klass->name));
    return method ? py_call(py, method, a) : NULL;
}

static struct val *call_space(struct py *py, struct str path,
                              const struct args *a)
{
    struct val v = {.kind = VAL_UNKNOWN, .as.text = path};

    /* In other people's files: something that may not be needed. */
    if (py->lenient && !py->in_library && py->host->settle) {
        struct val *out = py_unknown_call(py, &v, a);
        if (out || !py_recover(py))
            return out;
    }
    return py_fail(py, ERR_UNSUPPORTED,
                   "'%.*s' is not known here; only functions and classes of "
                   "torch and of the given source are",
                   path.n < 120 ? (int)path.n : 120, path.p);
}

static struct val *call_enumeration(struct py *py, struct val *callee,
                                    const struct args *a)
{
    (void)callee;
    return a->n ? a->pos[0] : &py->none;
}

static struct val *call_builtin(struct py *py, struct val *callee,
                                const struct args *a)
{
    struct args settled = *a;

    if (!callee->as.builtin.takes_unknown && !py_settle_args(py, a, &settled))
        return NULL;
    return callee->as.builtin.call(py, callee, &settled);
}

static struct val *dispatch(struct py *py, struct val *callee,
                            const struct args *a)
{
    struct val *fn, *self;

    switch (callee->kind) {
    case VAL_FUNCTION:
        return call_function(py, callee, NULL, a);
    case VAL_BUILTIN:
        return call_builtin(py, callee, a);
    case VAL_CLASS:
        return callee->as.klass->enumeration
                   ? call_enumeration(py, callee, a)
                   : py_make_object(py, callee->as.klass, a);
    case VAL_OBJECT:
        return call_object(py, callee, a);
    case VAL_SPACE:
        return call_space(py, callee->as.text, a);
    case VAL_UNKNOWN:
        return py_unknown_call(py, callee, a);
    case VAL_STATIC:
    case VAL_CLASSMETHOD:
        return py_call(py, callee->as.bound.callee, a);
    case VAL_BOUND:
        fn = callee->as.bound.callee;
        self = callee->as.bound.self;
        if (fn->kind == VAL_FUNCTION)
            return call_function(py, fn, self, a);
        if (fn->kind == VAL_BUILTIN) {
            struct val **all = arena_new(py->arena, struct val *, a->n + 1);
            if (!all)
                return py_fail(py, ERR_NOMEM, "out of memory");
            all[0] = self;
            if (a->n)
                memcpy(all + 1, a->pos, a->n * sizeof(*all));
            return call_builtin(py, fn, &(struct args){all, a->n + 1, a->kw});
        }
        break;
    case VAL_NONE:
    case VAL_BOOL:
    case VAL_INT:
    case VAL_FLOAT:
    case VAL_STR:
    case VAL_LIST:
    case VAL_TUPLE:
    case VAL_SET:
    case VAL_DICT:
    case VAL_SLICE:
    case VAL_ELLIPSIS:
    case VAL_SUPER:
    case VAL_PROPERTY:
    case VAL_HOST:
        break;
    }
    return py_fail(py, ERR_UNSUPPORTED, "a %s cannot be called",
                   py_kind_name(callee));
}

struct val *py_call(struct py *py, struct val *callee, const struct args *a)
{
    if (!callee || !py_work(py, 1 + a->n))
        return NULL;
    if (py->calls >= PY_MAX_CALLS)
        return py_fail(py, ERR_LIMIT, "calls are nested more than %d deep",
                       PY_MAX_CALLS);
    py->calls++;
    struct val *out = dispatch(py, callee, a);
    py->calls--;
    return py->failed ? NULL : out;
}

struct val *py_call1(struct py *py, struct val *callee, struct val *arg)
{
    return arg ? py_call(py, callee, &(struct args){&arg, 1, NULL}) : NULL;
}
