/* Making a candidate, comparing it with the weights, and solving its arguments
 * from their shapes: the unknown is given a number that nothing else has, and
 * where that number shows up in a shape, the file says what it is. */
#include <stdio.h>
#include <string.h>

#include "import/torch/solve_internal.h"

enum {
    MAX_TRIES = 400,
    MAX_PARAMETERS = 24,
    TRY_STEPS = 4 * 1000 * 1000,
};

/* Primes, far apart, that no layer has. */
static const int64_t markers[] = {199, 331, 463,  587,  719,
                                  853, 983, 1117, 1249, 1381};

/* ---- making a candidate -------------------------------------------------- */

static struct val *callee_of(struct trace *t, struct scope *globals,
                             const struct candidate *c)
{
    return c->library ? library_find(&t->py, c->name)
                      : table_find(&globals->names, c->name);
}

/* The plain assignments of a function, as far as they can be made. */
static struct scope *locals_of(struct trace *t, struct scope *globals,
                               struct py_node *def)
{
    struct scope *s = py_scope(&t->py, globals);

    for (struct py_node *n = s && def ? def->b : NULL; n; n = n->next) {
        struct val *v;
        if (n->kind != PY_ASSIGN || n->a->kind != PY_NAME)
            continue;
        v = py_eval(&t->py, n->b, s);
        if (v)
            (void)table_set(&t->py, &s->names, n->a->text, v);
        else if (!py_recover(&t->py))
            return NULL;
    }
    return s;
}

static struct val *at_site(struct trace *t, struct scope *globals,
                           struct val *callee, const struct candidate *c)
{
    struct scope *s = locals_of(t, globals, c->site.around);
    struct py_node call = {.kind = PY_CALL,
                           .line = c->site.call->line,
                           .a = c->site.call->a,
                           .b = c->site.call->b};
    struct py_node name = {.kind = PY_NAME, .text = STR("the class")};

    if (!s || !table_set(&t->py, &s->names, name.text, callee))
        return NULL;
    call.a = &name;
    return py_eval(&t->py, &call, s);
}

struct val *solver_make(struct trace *t, struct scope *globals,
                        const struct candidate *c)
{
    struct val *callee = callee_of(t, globals, c);
    struct args a = {NULL, 0, c->given};

    if (!callee)
        return py_fail(&t->py, ERR_NOT_FOUND,
                       "there is no class or function '" STR_FMT
                       "' in the source",
                       STR_ARG(c->name));
    if (callee->kind == VAL_OBJECT)
        return callee; /* the source made it already */
    if (c->site.call)
        return at_site(t, globals, callee, c);
    return py_call(&t->py, callee, &a);
}

/* Makes the candidate and compares; true: it fits. */
bool solver_attempt(struct solver *s, const struct candidate *c,
                    struct fit *fit, struct val **module)
{
    struct py *py = &s->t.py;

    *fit = (struct fit){.expected = 0};
    *module = NULL;
    if (s->tries++ >= MAX_TRIES)
        return false;
    py->steps = 0;
    py->max_steps = TRY_STEPS;
    py->calls = 0;
    py->in_library = false;
    *module = solver_make(&s->t, s->globals, c);
    bool fits =
        *module && fit_module(&s->t, *module, &s->p->weights, false, fit);
    if (py->failed) {
        /* The first that is more than a missing argument says most. */
        if (!s->last_error[0] || strstr(s->last_error, "() needs '"))
            (void)snprintf(s->last_error, sizeof(s->last_error),
                           STR_FMT ": %.200s", STR_ARG(c->name), py->err->msg);
        *module = NULL;
        py->failed = false;
        *py->err = (struct err){.code = ERR_OK};
        return false;
    }
    bool nearer = fit->matched > s->best_fit.matched ||
                  (fit->matched == s->best_fit.matched &&
                   (s->best_fit.expected == 0 ||
                    fit->n_differences < s->best_fit.n_differences));
    if (*module && (*module)->kind == VAL_OBJECT && (fits || nearer)) {
        s->best = *c;
        s->best_fit = *fit;
    }
    return fits;
}

/* ---- solving arguments --------------------------------------------------- */

struct unknown {
    struct str name;
    int64_t value, marker; /* marker 0: not from shapes */
    int64_t usual;         /* the default, or 1 */
    bool required, known, small;
};

static struct py_node *parameters_of(struct val *callee, bool *skip_self)
{
    struct val *f = callee;

    *skip_self = callee->kind == VAL_CLASS;
    if (callee->kind == VAL_CLASS)
        f = klass_find(callee->as.klass, STR("__init__"), NULL);
    return f && f->kind == VAL_FUNCTION ? f->as.function->parameters : NULL;
}

static bool contains(struct str s, const char *word)
{
    return memmem(s.p, s.n, word, strlen(word)) != NULL;
}

/* Arguments that no shape shows, by what they are called. */
static struct val *habitual(struct solver *s, struct str name)
{
    if (contains(name, "drop") || str_eq(name, STR("p")))
        return py_float(&s->t.py, 0);
    if (contains(name, "device"))
        return py_space(&s->t.py, STR("cpu"));
    if (contains(name, "bidirectional") || contains(name, "pretrained"))
        return &s->t.py.no;
    return NULL;
}

static bool counts_things(struct str name)
{
    return contains(name, "layers") || contains(name, "depth") ||
           contains(name, "blocks") || contains(name, "head") ||
           contains(name, "num_layer") || contains(name, "n_layer") ||
           contains(name, "repeat");
}

/* Gives every unknown argument a value to begin with. */
static size_t unknowns(struct solver *s, struct val *callee,
                       struct table *given, bool defaults_too,
                       struct unknown *out)
{
    bool skip_self;
    struct py_node *p = parameters_of(callee, &skip_self);
    size_t n = 0, marker = 0;

    for (p = p && skip_self ? p->next : p; p; p = p->next) {
        bool whole = p->a && p->a->kind == PY_NUMBER &&
                     !memchr(p->a->text.p, '.', p->a->text.n) &&
                     !memchr(p->a->text.p, 'e', p->a->text.n);
        if (p->op || p->text.n == 0 || table_find(given, p->text) ||
            (p->a && !(defaults_too && whole)) || n == MAX_PARAMETERS)
            continue;
        struct val *habit = p->a ? NULL : habitual(s, p->text);
        if (habit) {
            (void)table_set(&s->t.py, given, p->text, habit);
            continue;
        }
        struct unknown *u = &out[n];
        *u = (struct unknown){.name = p->text, .required = !p->a};
        u->small = counts_things(p->text);
        uint64_t other = 1;
        if (p->a)
            (void)str_to_u64(p->a->text, &other);
        u->value = u->usual = (int64_t)other;
        if (!u->small && marker < COUNT(markers))
            u->value = u->marker = markers[marker++];
        n++;
    }
    return n;
}

static bool give_unknowns(struct solver *s, struct table *given,
                          const struct unknown *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!table_set(&s->t.py, given, list[i].name,
                       py_int(&s->t.py, list[i].value)))
            return false;
    return true;
}

struct evidence {
    const struct weights *w;
    struct unknown *list;
    size_t n;
    bool exact_only;
};

/* A dimension that is the marker, a multiple of it, or near it. */
static void read_dimension(struct evidence *e, int64_t has, int64_t wants)
{
    for (size_t i = 0; i < e->n; i++) {
        struct unknown *u = &e->list[i];
        int64_t m = u->marker;
        if (!m || u->known)
            continue;
        if (has == m) {
            u->value = wants;
            u->known = true;
        } else if (!e->exact_only && has % m == 0 && has / m <= 256 &&
                   wants % (has / m) == 0) {
            u->value = wants / (has / m);
            u->known = true;
        } else if (!e->exact_only && has - m > -60 && has - m < 60 &&
                   wants > has - m) {
            u->value = wants - (has - m);
            u->known = true;
        }
    }
}

static bool read_shape(void *ctx, struct str name, struct val *tensor)
{
    struct evidence *e = ctx;
    const struct ten *x = ten_of(tensor);
    const struct weight *w = weights_find(e->w, name);

    if (w && w->tensor.shape.rank == x->shape.rank)
        for (int d = 0; d < x->shape.rank; d++)
            read_dimension(e, x->shape.dim[d], w->tensor.shape.dim[d]);
    return true;
}

/* Small counts, one after the other, until everything fits. */
static bool enumerate(struct solver *s, struct candidate *c,
                      struct unknown *list, size_t n)
{
    struct fit fit;
    struct val *module;

    for (size_t i = 0; i < n; i++) {
        int64_t kept = list[i].value, best = kept;
        size_t least = SIZE_MAX;
        if (!list[i].small)
            continue;
        for (int64_t v = 1; v <= 24; v++) {
            list[i].value = v;
            if (!give_unknowns(s, c->given, list, n))
                return false;
            if (solver_attempt(s, c, &fit, &module)) {
                best = v;
                least = 0;
                break;
            }
            if (module && fit.n_differences < least) {
                least = fit.n_differences;
                best = v;
            }
        }
        list[i].value = best;
        if (least == 0)
            return give_unknowns(s, c->given, list, n);
    }
    return give_unknowns(s, c->given, list, n) &&
           solver_attempt(s, c, &fit, &module);
}

static struct table *copy_table(struct solver *s, const struct table *from)
{
    struct table *out = arena_new(s->p->arena, struct table, 1);

    for (size_t i = 0; out && from && i < from->n; i++)
        if (from->entries[i].key)
            (void)table_put(&s->t.py, out, from->entries[i].key,
                            from->entries[i].value);
    return out;
}

/* Arguments that change nothing of what a model computes. */
static bool of_no_consequence(struct str name)
{
    static const char *const words[] = {
        "seed",  "lr",    "learning", "batch", "epoch", "device",
        "name",  "path",  "verbose",  "log",   "init",  "pretrain",
        "debug", "optim", "crit",     "loss",  "drop"};

    for (size_t i = 0; i < COUNT(words); i++)
        if (contains(name, words[i]))
            return true;
    return false;
}

/* An argument that must be given, and of which other values would fit as well:
 * the weights do not say what it was, and a guess would be a wrong answer. */
static bool settled(struct solver *s, struct candidate *c, struct unknown *list,
                    size_t n)
{
    struct candidate best = s->best;
    struct fit best_fit = s->best_fit, fit;
    struct val *module;

    for (size_t i = 0; i < n; i++) {
        int64_t kept = list[i].value;
        if (!list[i].required || list[i].known ||
            of_no_consequence(list[i].name))
            continue;
        list[i].value = kept + 1;
        bool other = give_unknowns(s, c->given, list, n) &&
                     solver_attempt(s, c, &fit, &module);
        list[i].value = kept * 2 + 2;
        other = other || (give_unknowns(s, c->given, list, n) &&
                          solver_attempt(s, c, &fit, &module));
        list[i].value = kept;
        if (!give_unknowns(s, c->given, list, n))
            return false;
        if (other)
            (void)snprintf(s->open_question, sizeof(s->open_question),
                           "%.*s fits, but its argument '%.*s' is not shown by "
                           "the weights: give --init '{\"%.*s\": ...}'",
                           (int)(c->name.n < 60 ? c->name.n : 60), c->name.p,
                           (int)(list[i].name.n < 40 ? list[i].name.n : 40),
                           list[i].name.p,
                           (int)(list[i].name.n < 40 ? list[i].name.n : 40),
                           list[i].name.p);
        if (other)
            return false;
    }
    s->best = best;
    s->best_fit = best_fit;
    return true;
}

static void read_evidence(struct solver *s, struct val *module,
                          struct unknown *list, size_t n)
{
    for (int round = 0; round < 2; round++) {
        struct evidence e = {&s->p->weights, list, n, round == 0};
        (void)module_walk(&s->t.py, module, read_shape, &e);
    }
}

/* Where the constructor objects to strange numbers: a marker for one argument
 * at a time, the others as they are by default. */
static struct val *one_by_one(struct solver *s, struct candidate *c,
                              struct unknown *list, size_t n)
{
    struct val *last = NULL;

    for (size_t i = 0; i < n; i++) {
        struct unknown one[MAX_PARAMETERS];
        struct val *module;
        struct fit fit;
        if (!list[i].marker)
            continue;
        for (size_t k = 0; k < n; k++) {
            one[k] = list[k];
            one[k].value = k == i ? list[k].marker : list[k].usual;
            one[k].marker = k == i ? list[k].marker : 0;
        }
        if (!give_unknowns(s, c->given, one, n))
            return NULL;
        (void)solver_attempt(s, c, &fit, &module);
        if (!module)
            continue;
        read_evidence(s, module, one, n);
        list[i].known = one[i].known;
        list[i].value = one[i].value;
        last = module;
    }
    return last;
}

bool solver_solve(struct solver *s, const struct candidate *base,
                  bool defaults_too)
{
    struct unknown list[MAX_PARAMETERS];
    struct candidate c = *base;
    struct val *callee = callee_of(&s->t, s->globals, &c), *module;
    struct fit fit;

    c.site.call = NULL;
    c.given = copy_table(s, base->given);
    if (!callee || !c.given)
        return false;
    size_t n = unknowns(s, callee, c.given, defaults_too, list);
    /* Those of torchvision hand it on in **kwargs. */
    if (c.library && defaults_too && n < MAX_PARAMETERS &&
        !table_find(c.given, STR("num_classes")))
        list[n++] = (struct unknown){.name = STR("num_classes"),
                                     .value = markers[COUNT(markers) - 1],
                                     .marker = markers[COUNT(markers) - 1],
                                     .usual = 1000};
    if (n == 0 && !c.given->live)
        return false;
    if (!give_unknowns(s, c.given, list, n))
        return false;
    if (solver_attempt(s, &c, &fit, &module))
        return settled(s, &c, list, n);
    if (module)
        read_evidence(s, module, list, n);
    else if (defaults_too)
        module = one_by_one(s, &c, list, n);
    for (size_t i = 0; i < n; i++)
        if (list[i].marker && !list[i].known) {
            list[i].small = list[i].required;
            list[i].value = list[i].usual;
        }
    if (!module || fit.named * 2 < fit.expected) /* another model's part */
        return false;
    if (!give_unknowns(s, c.given, list, n))
        return false;
    return (solver_attempt(s, &c, &fit, &module) ||
            enumerate(s, &c, list, n)) &&
           settled(s, &c, list, n);
}
