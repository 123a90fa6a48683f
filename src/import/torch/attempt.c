/* One attempt: a candidate is made in an interpretation of its own, compared
 * with the weights, and its shapes are read: a marker that shows up in one
 * tells where in the file the number stands. */
#include <stdio.h>
#include <string.h>

#include "import/torch/solve_internal.h"

enum {
    TRY_STEPS = 4 * 1000 * 1000,
    LAX_STEPS = 1000 * 1000,
    TRY_MEMORY = 512 << 20,
};

/* ---- making a candidate -------------------------------------------------- */

struct val *solver_callee(struct trace *t, struct scope *globals,
                          const struct candidate *c)
{
    return c->library ? library_find(&t->py, c->name)
                      : table_find(&globals->names, c->name);
}

struct scope *solver_scope(struct trace *t, struct program *p)
{
    t->py.lenient = true; /* also where there is no source */
    return source_scope(t, p);
}

/* Its arguments are most likely their defaults. */
static bool set_defaults(struct trace *t, struct scope *s,
                         const struct py_node *parameters)
{
    for (const struct py_node *p = parameters; p; p = p->next) {
        struct val *v = p->a ? py_eval(&t->py, p->a, s->parent) : NULL;
        if (t->py.failed && !py_recover(&t->py))
            return false;
        if (v && solver_is_tried(v))
            unknown_likely(t, p->text, v);
        else if (v && !table_set(&t->py, &s->names, p->text, v))
            return false;
    }
    return !t->py.failed;
}

/* What stands in a function, as far as it can be made. */
static struct scope *locals_of(struct trace *t, struct scope *globals,
                               const struct py_node *parameters,
                               struct py_node *body)
{
    struct scope *s = py_scope(&t->py, globals);

    if (!s || !body)
        return s;
    s->is_function = true;
    if (!set_defaults(t, s, parameters))
        return NULL;
    return py_load_parsed(&t->py, body, s, PY_LENIENT) ? s : NULL;
}

static struct val *at_site(struct trace *t, struct scope *globals,
                           struct val *callee, const struct candidate *c)
{
    struct py_node *around = c->site.around;
    struct scope *s = locals_of(t, globals, around ? around->a : NULL,
                                around ? around->b : NULL);
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
    struct scope *s = locals_of(t, globals, NULL, body);

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
    callee = solver_callee(t, globals, c);
    if (!callee)
        return py_fail(&t->py, ERR_NOT_FOUND,
                       "there is no class or function '" STR_FMT
                       "' in the source",
                       STR_ARG(c->name));
    if (callee->kind == VAL_OBJECT)
        return callee; /* the source made it already */
    struct function *f = solver_function(callee);
    if (f && !c->site.call &&
        !solver_fill_records(t, globals, f->parameters, c->given))
        return NULL;
    out = c->site.call ? at_site(t, globals, callee, c)
                       : py_call(&t->py, callee, &a);
    /* model, optimizer = build() */
    if (out && (out->kind == VAL_TUPLE || out->kind == VAL_LIST))
        for (size_t i = 0; i < out->as.items.n; i++)
            if (is_module(out->as.items.v[i]))
                return out->as.items.v[i];
    return out;
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
        else if (!e->exact_only && has >= m && has % m == 0 && has / m <= 256 &&
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

    (void)module_walk(&s->attempt.py, module, read_shape, &e);
    e.exact_only = false;
    if (!e.found)
        (void)module_walk(&s->attempt.py, module, read_shape, &e);
    return e.found;
}

/* ---- one attempt --------------------------------------------------------- */

static void note_failure(struct solver *s, const struct candidate *c,
                         const struct err *err)
{
    /* The first that is more than a missing argument says most. */
    if (!s->last_error[0] || strstr(s->last_error, "() needs '"))
        (void)snprintf(s->last_error, sizeof(s->last_error), STR_FMT ": %.200s",
                       STR_ARG(c->name), err->msg);
}

static void note_fit(struct solver *s, const struct candidate *c,
                     const struct outcome *out)
{
    const struct fit *best = &s->best_fit, *fit = &out->fit;
    bool nearer =
        fit->matched > best->matched ||
        (fit->matched == best->matched &&
         (best->expected == 0 || fit->n_differences < best->n_differences));

    if (out->fits || nearer) {
        s->best = *c;
        s->best_fit = *fit;
    }
}

static void make_and_compare(struct solver *s, const struct candidate *c,
                             unsigned wants, struct outcome *out)
{
    struct trace *t = &s->attempt;
    struct candidate here = *c;
    struct val given = {.kind = VAL_DICT, .as.dict = c->given};

    t->py.constructing = true;
    t->unknowns = c->solved;
    t->py.lax = s->lax;
    struct scope *globals = solver_scope(t, s->p);
    /* The source may change what it is given. */
    struct val *copy = globals ? unknown_copy(&t->py, &given, -1) : NULL;
    if (!copy)
        return;
    here.given = copy->as.dict;
    t->py.steps = 0;
    struct val *module = solver_make(t, globals, &here);
    out->made = is_module(module) && !t->py.failed;
    if (!out->made)
        return;
    out->fits = fit_module(t, module, &s->p->weights, false, &out->fit);
    if ((wants & WANTS_EVIDENCE) && !out->fits)
        out->told = read_evidence(s, module, c->solved);
    if (wants & WANTS_STATE)
        out->state = module_state(module);
}

/* Makes the candidate in an interpretation of its own and compares; true: it
 * fits. */
bool solver_attempt(struct solver *s, const struct candidate *c, unsigned wants,
                    struct outcome *out)
{
    struct err err = {.code = ERR_OK};
    struct arena work;

    *out = (struct outcome){.made = false};
    if (s->tries++ >= s->max_tries || s->steps > s->max_steps)
        return false;
    arena_init(&work, TRY_MEMORY);
    if (program_trace(s->p, &s->attempt, &work, s->lax ? LAX_STEPS : TRY_STEPS,
                      &err))
        make_and_compare(s, c, wants, out);
    s->steps += s->attempt.py.steps;
    if (c->solved->foreign[0] && !s->foreign[0])
        memcpy(s->foreign, c->solved->foreign, sizeof(s->foreign));
    unknowns_keep(c->solved, &s->t.py);
    arena_fini(&work);
    if (err.code) {
        out->made = out->fits = false;
        note_failure(s, c, &err);
    } else if (out->made) {
        note_fit(s, c, out);
    }
    return out->fits;
}
