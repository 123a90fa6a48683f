/* Making a candidate, comparing it with the weights, and finding what its
 * source leaves open (unknowns.h): a marker that shows up in a shape tells
 * where in the file the number stands; counts, flags, words and lengths are
 * tried one after the other, and what brings the names and shapes nearer is
 * kept. */
#include <stdio.h>
#include <string.h>

#include "import/torch/solve_internal.h"

enum {
    MAX_TRIES = 600,
    MAX_ROUNDS = 4,
    TRY_STEPS = 4 * 1000 * 1000,
};

/* ---- making a candidate -------------------------------------------------- */

static struct val *callee_of(struct trace *t, struct scope *globals,
                             const struct candidate *c)
{
    return c->library ? library_find(&t->py, c->name)
                      : table_find(&globals->names, c->name);
}

struct scope *solver_scope(struct trace *t, struct program *p,
                           struct py_node *tree)
{
    struct scope *s = py_scope(&t->py, NULL);
    (void)p;

    t->py.lenient = true;
    t->py.n_stars = 0;
    return s && py_load_parsed(&t->py, tree, s, PY_LENIENT) ? s : NULL;
}

/* What stands in a function, as far as it can be made. */
static struct scope *locals_of(struct trace *t, struct scope *globals,
                               struct py_node *body)
{
    struct scope *s = py_scope(&t->py, globals);

    if (!s || !body)
        return s;
    s->is_function = true;
    return py_load_parsed(&t->py, body, s, PY_LENIENT) ? s : NULL;
}

static struct val *at_site(struct trace *t, struct scope *globals,
                           struct val *callee, const struct candidate *c)
{
    struct py_node *around = c->site.around;
    struct scope *s = locals_of(t, globals, around ? around->b : NULL);
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

static bool is_module(const struct val *v)
{
    return v && v->kind == VAL_OBJECT &&
           klass_named(v->as.object.klass, "Module");
}

/* The last module among a function's variables. */
static struct val *in_body(struct trace *t, struct scope *globals,
                           struct py_node *body)
{
    struct scope *s = locals_of(t, globals, body);

    for (size_t i = s ? s->names.n : 0; i-- > 0;)
        if (s->names.entries[i].key && is_module(s->names.entries[i].value))
            return s->names.entries[i].value;
    return NULL;
}

struct val *solver_make(struct trace *t, struct scope *globals,
                        const struct candidate *c)
{
    struct args a = {NULL, 0, c->given};
    struct val *callee, *out;

    if (c->body)
        return in_body(t, globals, c->body);
    callee = callee_of(t, globals, c);
    if (!callee)
        return py_fail(&t->py, ERR_NOT_FOUND,
                       "there is no class or function '" STR_FMT
                       "' in the source",
                       STR_ARG(c->name));
    if (callee->kind == VAL_OBJECT)
        return callee; /* the source made it already */
    out = c->site.call ? at_site(t, globals, callee, c)
                       : py_call(&t->py, callee, &a);
    /* model, optimizer = build() */
    if (out && (out->kind == VAL_TUPLE || out->kind == VAL_LIST))
        for (size_t i = 0; i < out->as.items.n; i++)
            if (is_module(out->as.items.v[i]))
                return out->as.items.v[i];
    return out;
}

/* ---- one attempt --------------------------------------------------------- */

/* What is made at the top of the source depends on what was settled. */
static bool reload(struct solver *s, const struct candidate *c)
{
    struct val *callee =
        c->library || c->body ? NULL : table_find(&s->globals->names, c->name);

    if (c->library ||
        (!c->body && !c->site.call && callee && callee->kind != VAL_OBJECT))
        return true;
    struct scope *fresh = solver_scope(&s->t, s->p, s->tree);
    s->globals = fresh ? fresh : s->globals;
    return fresh != NULL;
}

static bool give_up(struct solver *s, const struct candidate *c)
{
    struct py *py = &s->t.py;

    /* The first that is more than a missing argument says most. */
    if (!s->last_error[0] || strstr(s->last_error, "() needs '"))
        (void)snprintf(s->last_error, sizeof(s->last_error), STR_FMT ": %.200s",
                       STR_ARG(c->name), py->err->msg);
    py->failed = false;
    *py->err = (struct err){.code = ERR_OK};
    return false;
}

/* Makes the candidate and compares; true: it fits. *module: what was made, also
 * when it does not fit, or NULL. */
static bool attempt(struct solver *s, const struct candidate *c,
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
    py->lax = s->lax;
    s->t.unknowns = c->solved;
    if (reload(s, c))
        *module = solver_make(&s->t, s->globals, c);
    bool fits =
        *module && fit_module(&s->t, *module, &s->p->weights, false, fit);
    py->lax = false;
    if (c->solved->foreign[0] && !s->foreign[0])
        memcpy(s->foreign, c->solved->foreign, sizeof(s->foreign));
    if (py->failed) {
        *module = NULL;
        return give_up(s, c);
    }
    bool nearer = fit->matched > s->best_fit.matched ||
                  (fit->matched == s->best_fit.matched &&
                   (s->best_fit.expected == 0 ||
                    fit->n_differences < s->best_fit.n_differences));
    if (is_module(*module) && (fits || nearer)) {
        s->best = *c;
        s->best_fit = *fit;
    }
    return fits;
}

/* ---- evidence in shapes -------------------------------------------------- */

struct evidence {
    struct trace *t;
    const struct weights *w;
    struct unknowns *all;
    bool exact_only, found;
};

static void tell(struct evidence *e, struct unknown *u, int64_t value)
{
    u->value = py_int(&e->t->py, value);
    u->known = u->from_shape = true;
    e->found = true;
}

/* A dimension that is the marker, a multiple of it, or near it. */
static void read_dimension(struct evidence *e, int64_t has, int64_t wants)
{
    for (size_t i = 0; i < e->all->n; i++) {
        struct unknown *u = &e->all->list[i];
        int64_t m = u->marker;
        if (!m || u->known || u->kind != UNKNOWN_NUMBER)
            continue;
        if (has == m)
            tell(e, u, wants);
        else if (!e->exact_only && has % m == 0 && has / m <= 256 &&
                 wants % (has / m) == 0)
            tell(e, u, wants / (has / m));
        else if (!e->exact_only && has - m > -60 && has - m < 60 &&
                 wants > has - m)
            tell(e, u, wants - (has - m));
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

static bool read_evidence(struct solver *s, struct val *module,
                          struct unknowns *all)
{
    struct evidence e = {
        .t = &s->t, .w = &s->p->weights, .all = all, .exact_only = true};

    (void)module_walk(&s->t.py, module, read_shape, &e);
    e.exact_only = false;
    if (!e.found)
        (void)module_walk(&s->t.py, module, read_shape, &e);
    return e.found;
}

/* ---- trying -------------------------------------------------------------- */

/* How far an attempt is from the weights; less is better. */
struct distance {
    size_t names, shapes;
    size_t named; /* names that agree */
};

static struct distance distance_of(const struct solver *s,
                                   const struct fit *fit,
                                   const struct val *module)
{
    if (!is_module(module))
        return (struct distance){SIZE_MAX, SIZE_MAX, 0};
    return (struct distance){
        (fit->expected - fit->named) +
            (s->p->weights.n > fit->named ? s->p->weights.n - fit->named : 0),
        fit->n_differences, fit->named};
}

static bool nearer(struct distance a, struct distance b)
{
    return a.names != b.names ? a.names < b.names : a.shapes < b.shapes;
}

/* An attempt with what its shapes tell, until they tell nothing new. */
static bool attempt_and_read(struct solver *s, struct candidate *c,
                             struct distance *out)
{
    struct fit fit;
    struct val *module;

    for (int round = 0; round < MAX_ROUNDS; round++) {
        bool fits = attempt(s, c, &fit, &module);
        *out = distance_of(s, &fit, module);
        if (fits)
            return true;
        if (!module || !read_evidence(s, module, c->solved))
            return false;
    }
    return false;
}

/* One unknown after the other: of its values the one that comes nearest. */
static bool try_values(struct solver *s, struct candidate *c, size_t i,
                       struct distance *best)
{
    struct unknowns *all = c->solved;
    struct unknowns *kept = arena_new(s->p->arena, struct unknowns, 1);
    struct unknowns *start = arena_new(s->p->arena, struct unknowns, 1);

    if (!kept || !start)
        return false;
    *kept = *start = *all;
    for (size_t k = 0; s->tries < MAX_TRIES; k++) {
        struct distance now;
        /* Options are met while others are tried: they are kept. */
        struct unknown u = all->list[i];
        *all = *start;
        memcpy(all->list[i].options, u.options, sizeof(u.options));
        all->list[i].n_options = u.n_options;
        if (!unknown_option(&s->t, &all->list[i], k))
            break;
        if (attempt_and_read(s, c, &now))
            return true;
        if (nearer(now, *best)) {
            *best = now;
            *kept = *all;
        }
    }
    *all = *kept;
    return false;
}

static bool try_all(struct solver *s, struct candidate *c,
                    struct distance *best)
{
    for (int round = 0; round < MAX_ROUNDS; round++) {
        struct distance before = *best;
        for (size_t i = 0; i < c->solved->n; i++) {
            const struct unknown *u = &c->solved->list[i];
            if (!u->known && u->kind != UNKNOWN_NUMBER &&
                try_values(s, c, i, best))
                return true;
        }
        if (!nearer(*best, before))
            return false;
    }
    return false;
}

/* Numbers that no shape showed: as they usually are, or small. */
static bool unmark(struct solver *s, struct unknowns *all)
{
    bool any = false;

    for (size_t i = 0; i < all->n; i++) {
        struct unknown *u = &all->list[i];
        if (u->kind != UNKNOWN_NUMBER || u->known || !u->marker)
            continue;
        any = true;
        u->marker = 0;
        u->kind = UNKNOWN_COUNT;
        u->value = u->usual ? u->usual : py_int(&s->t.py, 1);
    }
    return any;
}

/* Where the constructor objects to strange numbers: a marker for one argument
 * at a time, the others as they usually are. */
static void one_by_one(struct solver *s, struct candidate *c)
{
    struct unknowns *all = c->solved;
    struct unknowns *start = arena_new(s->p->arena, struct unknowns, 1);

    if (!start)
        return;
    *start = *all;
    for (size_t i = 0; i < start->n; i++) {
        struct fit fit;
        struct val *module;
        if (start->list[i].kind != UNKNOWN_NUMBER || start->list[i].known)
            continue;
        for (size_t k = 0; k < all->n; k++)
            if (k != i && all->list[k].kind == UNKNOWN_NUMBER &&
                !all->list[k].known)
                all->list[k].value = all->list[k].usual ? all->list[k].usual
                                                        : py_int(&s->t.py, 1);
        all->list[i].value = start->list[i].value;
        (void)attempt(s, c, &fit, &module);
        for (size_t k = 0; k < all->n && k < start->n; k++)
            if (k != i && !all->list[k].known)
                all->list[k].marker = 0;
        if (module)
            (void)read_evidence(s, module, all);
        for (size_t k = 0; k < all->n && k < start->n; k++)
            if (k != i && !all->list[k].known)
                all->list[k].marker = start->list[k].marker;
    }
}

/* ---- is it settled? ------------------------------------------------------ */

static bool ask(struct solver *s, const struct candidate *c, struct str path)
{
    int n = (int)(path.n < 40 ? path.n : 40);

    (void)snprintf(s->open_question, sizeof(s->open_question),
                   "%.*s fits, but its argument '%.*s' is not shown by the "
                   "weights: give --init '{\"%.*s\": ...}'",
                   (int)(c->name.n < 60 ? c->name.n : 60), c->name.p, n, path.p,
                   n, path.p);
    return false;
}

/* Does another value fit as well, and is what it makes another? A difference
 * that only shows in the call is found there (unknown_settle). */
static bool is_free(struct solver *s, struct candidate *c, struct unknown *u)
{
    struct unknown kept = *u;
    struct fit fit;
    struct val *module;
    bool other = false;
    int64_t v;

    (void)attempt(s, c, &fit, &module);
    uint64_t state = module ? module_state(module) : 0;
    bool number = py_to_int(u->value, &v) && u->kind != UNKNOWN_CHOICE;
    size_t n = number ? 2 : u->kind == UNKNOWN_CHOICE ? kept.n_options : 0;
    for (size_t i = 0; i < n && !other; i++) {
        u->value = !number  ? kept.options[i]
                   : i == 0 ? py_int(&s->t.py, v + 1)
                            : py_int(&s->t.py, v * 2 + 2);
        if (!number && py_equal(kept.options[i], kept.value))
            continue;
        if (!attempt(s, c, &fit, &module))
            continue;
        kept.doubtful = true;
        other = module_state(module) != state;
    }
    *u = kept;
    return other;
}

/* What must be given, and of which other values would fit as well: the weights
 * do not say what it was, and a guess would be a wrong answer. */
static bool settled(struct solver *s, struct candidate *c)
{
    struct unknowns *all = c->solved;
    struct fit fit;
    struct val *module;

    s->tries = 0;
    for (size_t i = 0; i < all->n; i++) {
        struct unknown *u = &all->list[i];
        if (u->known || u->kind == UNKNOWN_LENGTH)
            continue;
        if (u->usual) {
            u->value = u->kind == UNKNOWN_NUMBER ? u->usual : u->value;
            continue;
        }
        if (!unknown_is_idle(u->path) && is_free(s, c, u))
            return ask(s, c, u->path);
        if (u->kind == UNKNOWN_NUMBER)
            u->value = py_int(&s->t.py, 1);
    }
    s->lax = false;
    return attempt(s, c, &fit, &module);
}

/* ---- solving ------------------------------------------------------------- */

static struct py_node *parameters_of(struct val *callee, struct function **f)
{
    struct val *v = callee->kind == VAL_CLASS
                        ? klass_find(callee->as.klass, STR("__init__"), NULL)
                        : callee;

    *f = v && v->kind == VAL_FUNCTION ? v->as.function : NULL;
    return *f ? (*f)->parameters : NULL;
}

static bool open_one(struct solver *s, struct candidate *c, struct str name,
                     struct val *usual)
{
    struct val *v = py_unknown(&s->t.py, name);

    if (usual)
        unknown_with_default(&s->t, name, usual);
    return v && table_set(&s->t.py, c->given, name, v);
}

static bool is_tried(const struct val *usual)
{
    bool list = usual->kind == VAL_LIST || usual->kind == VAL_TUPLE;

    for (size_t i = 0; list && i < usual->as.items.n; i++)
        if (usual->as.items.v[i]->kind != VAL_INT)
            return false;
    return usual->kind == VAL_INT || usual->kind == VAL_BOOL ||
           usual->kind == VAL_STR || (list && usual->as.items.n);
}

/* Puts unknowns in the place of arguments. */
static bool open_arguments(struct solver *s, struct candidate *c,
                           enum openness open)
{
    struct val *callee = callee_of(&s->t, s->globals, c);
    struct function *f = NULL;
    struct py_node *p = callee ? parameters_of(callee, &f) : NULL;

    for (size_t i = 0; p; p = p->next, i++) {
        struct val *usual = f->defaults[i];
        bool self = i == 0 && callee->kind == VAL_CLASS;
        if (self || p->op || p->text.n == 0 || table_find(c->given, p->text))
            continue;
        if (usual && (open != OPEN_DEFAULTS || !is_tried(usual)))
            continue;
        if (!open_one(s, c, p->text, usual))
            return false;
    }
    /* Those of torchvision hand it on in **kwargs. */
    if (c->library && open == OPEN_DEFAULTS &&
        !table_find(c->given, STR("num_classes")))
        return open_one(s, c, STR("num_classes"), py_int(&s->t.py, 1000));
    return true;
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

static bool begin(struct solver *s, struct candidate *c,
                  const struct candidate *base, enum openness open)
{
    *c = *base;
    c->given = copy_table(s, base->given);
    c->solved = unknowns_new(&s->t, s->p, s->init);
    s->t.unknowns = c->solved;
    if (!c->given || !c->solved)
        return false;
    bool arguments = open != OPEN_NONE && !c->site.call && !c->body;
    return !arguments || open_arguments(s, c, open);
}

bool solver_solve(struct solver *s, const struct candidate *base,
                  enum openness open)
{
    struct candidate c;
    struct distance best;

    if (!begin(s, &c, base, open))
        return false;
    s->lax = open != OPEN_NONE || c.site.call || c.body;
    bool fits = attempt_and_read(s, &c, &best);
    s->t.unknowns = c.solved;
    if (!fits && unknown_doubt(&s->t))
        fits = attempt_and_read(s, &c, &best);
    if (!fits && best.names == SIZE_MAX && c.solved->n > 1) {
        one_by_one(s, &c);
        fits = attempt_and_read(s, &c, &best);
    }
    /* Nothing is open, or it is another model's part. */
    bool failed = best.names == SIZE_MAX;
    if (!fits && (c.solved->n == 0 || (!failed && best.named == 0)))
        return false;
    fits = fits || try_all(s, &c, &best);
    if (!fits && unmark(s, c.solved))
        fits = attempt_and_read(s, &c, &best) || try_all(s, &c, &best);
    return fits && settled(s, &c);
}
