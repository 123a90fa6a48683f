/* Which class, and which arguments of its constructor.
 *
 * Candidates are the class or function a person names, else everything in the
 * source that makes a module, else the library's architectures. Arguments come
 * from --init, from the places in the source where the class is called, from
 * defaults; what is left is solved from the shapes of the weights: the unknown
 * is given a number that nothing else has, and where that number shows up in
 * a shape, the file says what it is.
 *
 * A candidate is taken when every name and shape agrees.
 */
#include <stdio.h>
#include <string.h>

#include "codec/json_tree.h"
#include "import/torch/solve_internal.h"

enum {
    MAX_CANDIDATES = 200,
    MAX_SITES = 24,
    MAX_BODIES = 16,
    MAX_RECORDS = 12,
};

/* ---- candidates ---------------------------------------------------------- */

static void find_sites(struct py_node *n, struct py_node *around,
                       struct str name, struct site *out, size_t *count,
                       int depth)
{
    for (; n && depth < PY_MAX_NESTING && *count < MAX_SITES; n = n->next) {
        struct py_node *inside = n->kind == PY_DEF ? n : around;
        if (n->kind == PY_CALL &&
            (n->a->kind == PY_NAME || n->a->kind == PY_ATTR) &&
            str_eq(n->a->text, name))
            out[(*count)++] = (struct site){n, around};
        struct py_node *const parts[] = {n->a, n->b, n->c, n->d};
        for (size_t i = 0; i < COUNT(parts); i++)
            find_sites(parts[i], inside, name, out, count, depth + 1);
    }
}

/* From what is written down to what has to be solved: every candidate goes
 * through one stage before any goes through the next. A function that needs no
 * arguments says more than a class that does, also where it was called with
 * others than its defaults. */
enum stage {
    AS_IT_IS,
    AT_ITS_SITES,
    WITH_RECORDS,
    BUILDERS_SOLVED,
    SOLVED,
    DEFAULTS_SOLVED,
    N_STAGES
};

static bool needs_nothing(const struct py_node *parameters)
{
    for (; parameters; parameters = parameters->next)
        if (!parameters->op && !parameters->a)
            return false;
    return true;
}

/* One of the dicts at the top of the source, or in one of those, in the place
 * of the argument that is a record: cfg_small = {...}. */
static bool with_record(struct solver *s, struct candidate *c, struct str name,
                        struct val *dict, int *left)
{
    struct table given = {0};

    if (dict->kind != VAL_DICT || !dict->as.dict->live || (*left)-- <= 0)
        return false;
    if (!table_merge(&s->t.py, &given, s->init) ||
        !table_set(&s->t.py, &given, name, dict))
        return false;
    c->given = &given;
    if (solver_solve(s, c, OPEN_REQUIRED))
        return true;
    for (size_t i = 0; i < dict->as.dict->n; i++) {
        const struct entry *e = &dict->as.dict->entries[i];
        if (e->key && e->value->kind == VAL_DICT &&
            with_record(s, c, name, e->value, left))
            return true;
    }
    return false;
}

static bool try_records(struct solver *s, struct candidate *c)
{
    struct function *f = solver_function(solver_callee(&s->t, s->globals, c));
    const struct table *t = &s->globals->names;
    int left = MAX_RECORDS;

    for (const struct py_node *p = f ? f->parameters : NULL; p; p = p->next) {
        if (p->op || !solver_names_record(p->text) ||
            table_find(s->init, p->text))
            continue;
        for (size_t i = 0; i < t->n; i++)
            if (t->entries[i].key &&
                with_record(s, c, p->text, t->entries[i].value, &left))
                return true;
    }
    return false;
}

static bool try_stage(struct solver *s, struct str name, bool library,
                      enum stage stage)
{
    struct candidate c = {.name = name, .library = library, .given = s->init};
    struct site sites[MAX_SITES];
    size_t n = 0;

    if (stage == AS_IT_IS)
        return solver_solve(s, &c, OPEN_NONE);
    if (stage == WITH_RECORDS)
        return !library && try_records(s, &c);
    if (stage == BUILDERS_SOLVED) {
        struct val *v = library ? NULL : table_find(&s->globals->names, name);
        return v && v->kind == VAL_FUNCTION &&
               needs_nothing(v->as.function->parameters) &&
               solver_solve(s, &c, OPEN_DEFAULTS);
    }
    if (stage == SOLVED || stage == DEFAULTS_SOLVED)
        return solver_solve(s, &c,
                            stage == SOLVED ? OPEN_REQUIRED : OPEN_DEFAULTS);
    if (!library && !s->init->live)
        find_sites(s->p->source, NULL, name, sites, &n, 0);
    for (size_t i = 0; i < n; i++) {
        c.site = sites[i];
        if (solver_solve(s, &c, OPEN_NONE))
            return true;
    }
    return false;
}

static bool try_candidates(struct solver *s, const struct str *names, size_t n,
                           bool library)
{
    for (int stage = AS_IT_IS; stage < N_STAGES; stage++) {
        for (size_t i = 0; i < n; i++)
            if (try_stage(s, names[i], library, (enum stage)stage))
                return true;
        s->tries = 0; /* of one stage */
    }
    return false;
}

static bool makes_modules(const struct val *v)
{
    return v && ((v->kind == VAL_OBJECT &&
                  klass_named(v->as.object.klass, "Module")) ||
                 (v->kind == VAL_CLASS && klass_named(v->as.klass, "Module")) ||
                 (v->kind == VAL_FUNCTION &&
                  needs_nothing(v->as.function->parameters)));
}

static bool gives_something(const struct py_node *list, int depth)
{
    for (const struct py_node *n = list; n && depth < 20; n = n->next) {
        bool block = n->kind == PY_IF || n->kind == PY_FOR ||
                     n->kind == PY_WHILE || n->kind == PY_WITH ||
                     n->kind == PY_TRY;
        if (n->kind == PY_RETURN && n->a)
            return true;
        if (block && (gives_something(n->b, depth + 1) ||
                      gives_something(n->c, depth + 1) ||
                      gives_something(n->d, depth + 1) ||
                      (n->kind == PY_TRY && gives_something(n->a, depth + 1))))
            return true;
    }
    return false;
}

/* What the source defines, the last first: models stand below their parts. A
 * model that was made and changed at the top of the source comes before all,
 * then classes, then functions. */
static bool try_source(struct solver *s)
{
    static const enum val_kind kinds[] = {VAL_OBJECT, VAL_CLASS, VAL_FUNCTION};
    const struct table *t = &s->globals->names;
    struct str names[MAX_CANDIDATES];
    size_t n = 0;

    for (size_t k = 0; k < COUNT(kinds); k++)
        for (size_t i = t->n; i-- > 0 && n < MAX_CANDIDATES;)
            if (t->entries[i].key && makes_modules(t->entries[i].value) &&
                t->entries[i].value->kind == kinds[k])
                names[n++] = t->entries[i].key->as.text;
    return try_candidates(s, names, n, false);
}

/* Functions that take arguments and give something back: build(hidden). */
static bool try_builders(struct solver *s)
{
    const struct table *t = &s->globals->names;
    struct str names[MAX_CANDIDATES];
    size_t n = 0;

    for (size_t i = t->n; i-- > 0 && n < MAX_CANDIDATES;) {
        const struct val *v = t->entries[i].key ? t->entries[i].value : NULL;
        if (v && v->kind == VAL_FUNCTION && !makes_modules(v) &&
            gives_something(v->as.function->body, 0))
            names[n++] = t->entries[i].key->as.text;
    }
    return try_candidates(s, names, n, false);
}

/* Models that a function makes and keeps: main(). */
static bool try_bodies(struct solver *s)
{
    const struct table *t = &s->globals->names;
    struct candidate list[MAX_BODIES];
    size_t n = 0;

    for (size_t i = t->n; i-- > 0 && n < COUNT(list);) {
        const struct val *v = t->entries[i].key ? t->entries[i].value : NULL;
        if (v && v->kind == VAL_FUNCTION && !v->as.function->is_expression)
            list[n++] = (struct candidate){.name = t->entries[i].key->as.text,
                                           .body = v->as.function->body,
                                           .given = s->init};
    }
    for (size_t i = 0; i < n; i++) {
        s->tries = 0;
        if (solver_solve(s, &list[i], OPEN_NONE))
            return true;
    }
    return false;
}

/* The library says which keys an architecture has: KNOWN is a list of
 * (key, [names of functions]). */
static bool try_library(struct solver *s)
{
    struct val *known = library_find(&s->t.py, STR("KNOWN"));

    for (size_t i = 0; known && i < known->as.items.n; i++) {
        struct val *row = known->as.items.v[i];
        struct val *keys = row->as.items.v[0], *names = row->as.items.v[1];
        bool all = true;
        for (size_t k = 0; k < keys->as.items.n; k++)
            all = all &&
                  weights_find(&s->p->weights, keys->as.items.v[k]->as.text);
        struct str list[16];
        size_t n = names->as.items.n < 16 ? names->as.items.n : 16;
        for (size_t k = 0; k < n; k++)
            list[k] = names->as.items.v[k]->as.text;
        if (all && try_candidates(s, list, n, true))
            return true;
    }
    return false;
}

/* ---- the result ---------------------------------------------------------- */

static struct val *make_found(struct trace *t, struct program *p)
{
    const struct candidate *c = p->found;
    struct fit fit;

    t->py.constructing = true; /* models at the top of the source too */
    t->unknowns = c->solved;
    c->solved->growing = false;
    struct scope *globals = solver_scope(t, p);
    struct val *module = globals ? solver_make(t, globals, c) : NULL;
    t->py.constructing = false;
    if (!module)
        return NULL;
    if (fit_module(t, module, &p->weights, true, &fit))
        return module;
    return py_fail(&t->py, ERR_INTERNAL, "the class does not fit any more: %s",
                   fit.text);
}

static struct val *from_json(struct py *py, const struct json_node *v)
{
    struct val *out;

    switch (v->kind) {
    case JSON_NULL:
        return &py->none;
    case JSON_BOOL:
        return py_bool(py, v->boolean);
    case JSON_NUMBER:
        return v->integer ? py_int(py, v->whole) : py_float(py, v->number);
    case JSON_STRING:
        return py_str(py, v->text);
    case JSON_ARRAY:
        out = py_list(py, VAL_LIST, v->n);
        for (const struct json_node *m = v->first; out && m; m = m->next)
            if (!py_append(py, out, from_json(py, m)))
                return NULL;
        return out;
    case JSON_OBJECT:
        break;
    }
    out = py_dict(py);
    for (const struct json_node *m = v->first; out && m; m = m->next)
        if (!table_set(py, out->as.dict, m->key, from_json(py, m)))
            return NULL;
    return out;
}

static enum errc read_init(struct solver *s)
{
    struct str text = s->p->out->options.init;

    s->init = arena_new(s->p->arena, struct table, 1);
    if (!s->init)
        return err_set(s->p->err, ERR_NOMEM, "out of memory");
    if (!text.n)
        return ERR_OK;
    struct json_node *root = json_tree(text, s->p->arena, s->p->err);
    if (!root)
        return err_wrap(s->p->err, ERR_INVALID, "--init");
    if (root->kind != JSON_OBJECT)
        return err_set(s->p->err, ERR_INVALID,
                       "--init must be a JSON object, as {\"hidden\": 64}");
    struct val *v = from_json(&s->t.py, root);
    if (!v)
        return s->p->err->code;
    s->init = v->as.dict;
    return ERR_OK;
}

static enum errc found(struct solver *s)
{
    struct program *p = s->p;
    struct candidate *kept = arena_new(p->arena, struct candidate, 1);
    struct buf b;

    if (!kept)
        return err_set(p->err, ERR_NOMEM, "out of memory");
    *kept = s->best;
    p->found = kept;
    p->make = make_found;
    char *title = arena_cstr(p->arena, kept->name);
    p->out->report.title = title ? title : "";
    import_saw(p->out, kept->name);
    buf_init(&b, 400);
    for (size_t i = 0; i < kept->solved->n; i++) {
        const struct unknown *u = &kept->solved->list[i];
        if (!u->value || u->kind == UNKNOWN_LENGTH ||
            u->value->kind == VAL_OBJECT || u->value->kind == VAL_CLASS ||
            (u->usual && !u->from_shape))
            continue;
        buf_puts(&b, b.n ? ", " : "");
        buf_put(&b, u->path);
        buf_putc(&b, '=');
        py_show(&b, u->value);
    }
    if (b.n)
        (void)snprintf(p->out->report.note, sizeof(p->out->report.note),
                       "arguments solved from the shapes of the weights: %.*s",
                       b.n < 200 ? (int)b.n : 200, b.p);
    buf_fini(&b);
    return ERR_OK;
}

static enum errc not_found(struct solver *s)
{
    struct program *p = s->p;

    if (s->open_question[0])
        return err_set(p->err, ERR_INVALID, "%s", s->open_question);
    const char *foreign = s->foreign[0] ? ". Not known here: " : "";
    if (s->best_fit.matched || s->best_fit.expected) {
        bool far = s->best_fit.matched * 2 < p->weights.n && s->last_error[0];
        return err_set(p->err, ERR_INVALID,
                       "no class fits the weights; nearest is " STR_FMT
                       " with %zu of %zu: %.240s. Give --class, or --init with "
                       "the arguments that differ%s%.100s%s%.150s",
                       STR_ARG(s->best.name), s->best_fit.matched, p->weights.n,
                       s->best_fit.text, foreign, s->foreign,
                       far ? ". What could not be made: " : "",
                       far ? s->last_error : "");
    }
    return err_set(p->err, ERR_INVALID,
                   "no class of the source could be made: %.250s%s%.100s. Give "
                   "--class and --init",
                   s->last_error[0] ? s->last_error : "there is none", foreign,
                   s->foreign);
}

static bool search(struct solver *s)
{
    struct str name = s->p->out->options.class_name;

    if (name.n)
        return try_candidates(s, &name, 1,
                              !table_find(&s->globals->names, name) &&
                                  library_find(&s->t.py, name));
    if (s->p->out->options.code.n && try_source(s))
        return true;
    if (try_library(s))
        return true;
    return s->p->out->options.code.n && (try_builders(s) || try_bodies(s));
}

enum errc find_class(struct program *p)
{
    struct solver *s = arena_new(p->arena, struct solver, 1);

    if (!s)
        return err_set(p->err, ERR_NOMEM, "out of memory");
    s->p = p;
    if (!program_trace(p, &s->t, p->arena, PROGRAM_STEPS, p->err))
        return p->err->code;
    s->t.py.constructing = true;
    enum errc rc = py_parse(p->out->options.code, p->arena, &p->source, p->err);
    if (!rc)
        rc = read_init(s);
    if (rc)
        return rc;
    s->t.unknowns = unknowns_new(&s->t, p, s->init);
    s->globals = s->t.unknowns ? solver_scope(&s->t, p) : NULL;
    if (!s->globals)
        return p->err->code;
    /* Classes may differ in nothing but their type: the right one first. */
    for (size_t i = 0; i < p->weights.n; i++)
        p->weights.doubles_matter |=
            p->weights.list[i].tensor.type == DTYPE_F64;
    for (;;) {
        if (search(s))
            return found(s);
        if (p->weights.doubles_matter) {
            p->weights.doubles_matter = false;
            if (search(s))
                return found(s);
        }
        struct str prefix = weights_prefix(&p->weights);
        if (!prefix.n)
            return not_found(s);
        weights_strip(&p->weights, prefix.n); /* "net." of a wrapper */
    }
}
