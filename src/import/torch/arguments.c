/* Which arguments a candidate leaves open: those of its own, and those that it
 * hands on in **kwargs. */
#include "import/torch/solve_internal.h"

enum { MAX_HANDED = 4, MAX_OPEN = 24 };

struct opening {
    struct solver *s;
    struct candidate *c;
    enum openness open;
    int n;
};

struct function *solver_function(struct val *callee)
{
    struct val *v = callee && callee->kind == VAL_CLASS
                        ? klass_find(callee->as.klass, STR("__init__"), NULL)
                        : callee;

    return v && v->kind == VAL_FUNCTION ? v->as.function : NULL;
}

static bool open_one(struct opening *o, struct str name, struct val *usual)
{
    struct val *v = py_unknown(&o->s->t.py, name);

    if (usual)
        unknown_with_default(&o->s->t, name, usual);
    o->n++;
    return v && table_set(&o->s->t.py, o->c->given, name, v);
}

bool solver_is_tried(const struct val *usual)
{
    bool list = usual->kind == VAL_LIST || usual->kind == VAL_TUPLE;

    for (size_t i = 0; list && i < usual->as.items.n; i++)
        if (usual->as.items.v[i]->kind != VAL_INT)
            return false;
    return usual->kind == VAL_INT || usual->kind == VAL_BOOL ||
           usual->kind == VAL_STR || (list && usual->as.items.n);
}

static bool may_differ(struct str name, const struct val *usual)
{
    return solver_is_tried(usual) ||
           (usual->kind == VAL_FLOAT && unknown_scales_widths(name));
}

static bool says(const struct py_node *call, struct str name)
{
    for (const struct py_node *a = call ? call->b : NULL; a; a = a->next)
        if (a->kind == PY_KEYWORD && str_eq(a->text, name))
            return true;
    return false;
}

static bool is_handed(const struct solver *s, struct str name)
{
    for (size_t i = 0; i < s->n_handed; i++)
        if (str_eq(s->handed[i], name))
            return true;
    return false;
}

/* Is that what the expression says: "args.heads"? */
static bool says_path(const struct py_node *n, struct str path)
{
    size_t last = n->text.n;

    if (n->kind == PY_NAME)
        return str_eq(n->text, path);
    return n->kind == PY_ATTR && str_ends(path, n->text) && path.n > last &&
           path.p[path.n - last - 1] == '.' &&
           says_path(n->a, str_slice(path, 0, path.n - last - 1));
}

void solver_note_handed(struct solver *s, const struct candidate *c,
                        struct str path)
{
    struct val *callee = solver_callee(&s->t, s->globals, c);
    struct function *f = solver_function(callee);
    const struct py_node *p = f ? f->parameters : NULL;

    if (p && callee->kind == VAL_CLASS)
        p = p->next;
    for (const struct py_node *a = c->site.call ? c->site.call->b : NULL; a;
         a = a->next) {
        bool named = a->kind == PY_KEYWORD;
        struct str name = named ? a->text : p ? p->text : (struct str){0};
        p = p && !named ? p->next : p;
        if (says_path(named ? a->a : a, path) && name.n &&
            s->n_handed < COUNT(s->handed) && !is_handed(s, name))
            s->handed[s->n_handed++] = name;
    }
}

/* Puts unknowns in the place of a function's arguments, but for the first ones
 * and for those that the call says. */
static bool open_those(struct opening *o, const struct function *f,
                       size_t first, const struct py_node *call)
{
    const struct py_node *p = f->parameters;

    for (size_t i = 0; p; p = p->next, i++) {
        struct val *usual = is_handed(o->s, p->text) ? NULL : f->defaults[i];
        if (i < first || p->op || p->text.n == 0 || says(call, p->text) ||
            table_find(o->c->given, p->text))
            continue;
        if (usual && (o->open != OPEN_DEFAULTS || !may_differ(p->text, usual)))
            continue;
        if (call && o->n >= MAX_OPEN)
            return true;
        if (!open_one(o, p->text, usual))
            return false;
    }
    return true;
}

/* What the checkpoint says of arguments that have defaults; false: nothing. */
bool solver_tell_arguments(struct solver *s, struct candidate *c)
{
    struct function *f = solver_function(solver_callee(&s->t, s->globals, c));
    const struct py_node *p = f ? f->parameters : NULL;
    bool any = false;

    for (size_t i = 0; p; p = p->next, i++) {
        struct val *told =
            f->defaults[i] && !p->op && !table_find(c->given, p->text)
                ? table_find(&s->t.unknowns->words, p->text)
                : NULL;
        if (!told || py_equal(told, f->defaults[i]))
            continue;
        any = table_set(&s->t.py, c->given, p->text, told);
    }
    return any;
}

/* ---- what is handed on --------------------------------------------------- */

static bool hands_on(const struct py_node *call, struct str rest)
{
    for (const struct py_node *a = call->b; a; a = a->next)
        if (a->kind == PY_DSTAR && a->a && a->a->kind == PY_NAME &&
            str_eq(a->a->text, rest))
            return true;
    return false;
}

/* The call with **rest in what a function does. */
static const struct py_node *find_call(const struct py_node *n, struct str rest,
                                       int depth)
{
    for (; n && depth < PY_MAX_NESTING; n = n->next) {
        if (n->kind == PY_CALL && hands_on(n, rest))
            return n;
        const struct py_node *const parts[] = {n->a, n->b, n->c, n->d};
        for (size_t i = 0; i < COUNT(parts); i++) {
            const struct py_node *found = find_call(parts[i], rest, depth + 1);
            if (found)
                return found;
        }
    }
    return NULL;
}

/* What is called: a class or function of the source, or the base's __init__. */
static struct val *called(struct opening *o, const struct function *f,
                          const struct py_node *call)
{
    const struct py_node *name = call->a;
    const struct klass *owner = f->owner;

    if (name->kind == PY_NAME)
        return table_find(&o->s->globals->names, name->text);
    if (name->kind == PY_ATTR && owner && owner->n_bases &&
        str_eq(name->text, STR("__init__")))
        return klass_find(owner->bases[0], name->text, NULL);
    return NULL;
}

static size_t positional(const struct py_node *call)
{
    size_t n = 0;

    for (const struct py_node *a = call->b; a; a = a->next) {
        if (a->kind == PY_STAR)
            return SIZE_MAX; /* nobody knows how many */
        n += a->kind != PY_KEYWORD && a->kind != PY_DSTAR;
    }
    return n;
}

static bool open_handed(struct opening *o, const struct function *f, int depth)
{
    struct str rest = {0};

    for (const struct py_node *p = f->parameters; p; p = p->next)
        if (p->op == 'd')
            rest = p->text;
    const struct py_node *call =
        rest.n && depth < MAX_HANDED ? find_call(f->body, rest, 0) : NULL;
    struct val *callee = call ? called(o, f, call) : NULL;
    struct function *next = solver_function(callee);
    if (!next || next == f || positional(call) == SIZE_MAX)
        return true;
    size_t first = positional(call) + (next->owner != NULL);
    if (call->a->kind == PY_ATTR && call->a->a &&
        call->a->a->kind == PY_NAME) /* Base.__init__(self, **rest) */
        first--;
    return open_those(o, next, first, call) && open_handed(o, next, depth + 1);
}

bool solver_open_arguments(struct solver *s, struct candidate *c,
                           enum openness open)
{
    struct opening o = {s, c, open, 0};
    struct val *callee = solver_callee(&s->t, s->globals, c);
    struct function *f = solver_function(callee);

    if (f && !open_those(&o, f, callee->kind == VAL_CLASS, NULL))
        return false;
    if (f && !c->library)
        return open_handed(&o, f, 0);
    /* Those of torchvision hand it on, and what else they hand on is theirs. */
    if (c->library && open == OPEN_DEFAULTS &&
        !table_find(c->given, STR("num_classes")))
        return open_one(&o, STR("num_classes"), py_int(&s->t.py, 1000));
    return true;
}
