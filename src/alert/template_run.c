/* template_run.c - a tree and data become a text. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/template_internal.h"
#include "codec/go_float.h"

enum { MEMORY_MAX = 64 << 20, VARIABLES_MAX = 128 };

struct variable {
    struct str name;
    struct value value;
};

struct scope {
    struct run run;
    struct variable v[VARIABLES_MAX];
    size_t n;
    unsigned depth; /* of templates that call templates */
};

enum errc template_fail(struct run *r, const char *fmt, ...)
{
    char text[300];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return err_set(r->err, ERR_INVALID, "%u:%u: %s", r->line, r->column, text);
}

/* ---- fields ------------------------------------------------------------- */

static struct value labels_of(struct labels l)
{
    return (struct value){.kind = VALUE_LABELS, .labels = l};
}

static bool field_of_data(struct run *r, struct str name, struct value *v)
{
    const struct template_data *d = r->data;

    if (str_eq(name, STR("Labels")))
        *v = labels_of(d->labels);
    else if (str_eq(name, STR("Value")))
        *v = value_of_float(d->value);
    else if (str_eq(name, STR("ExternalLabels")))
        *v = labels_of(d->external);
    else if (str_eq(name, STR("ExternalURL")))
        *v = value_of_text(d->external_url);
    else
        return false;
    return true;
}

static bool field_of_sample(struct str name, struct value *v)
{
    const struct promql_series *s = v->v;

    if (str_eq(name, STR("Labels")))
        *v = labels_of(s->labels);
    else if (str_eq(name, STR("Value")))
        *v = value_of_float(s->points[0].v);
    else
        return false;
    return true;
}

static bool field_of_pairs(struct str name, struct value *v)
{
    uint64_t i;

    if (!str_starts(name, STR("arg")) ||
        !str_to_u64(str_slice(name, 3, name.n), &i) || i >= v->n)
        return false;
    *v = v->pairs[i];
    return true;
}

static enum errc take_field(struct run *r, struct str name, struct value *v)
{
    bool ok = false;
    struct value of = *v;

    switch (v->kind) {
    case VALUE_LABELS: /* a missing one is empty */
        if (v->type && v->type->field(r, &of.labels, name, v))
            return ERR_OK;
        *v = value_of_text(labels_get(v->labels, name));
        return ERR_OK;
    case VALUE_DATA:
        ok = field_of_data(r, name, v);
        break;
    case VALUE_SAMPLE:
        ok = field_of_sample(name, v);
        break;
    case VALUE_PAIRS:
        ok = field_of_pairs(name, v);
        break;
    case VALUE_OBJECT:
        ok = v->type->field && v->type->field(r, of.object, name, v);
        break;
    case VALUE_NIL:
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_FLOAT:
    case VALUE_TEXT:
    case VALUE_VECTOR:
    case VALUE_TEXTS:
        break;
    }
    return ok ? ERR_OK
              : template_fail(r, "can't evaluate field " STR_FMT " in type %s",
                              STR_ARG(name), value_type(v));
}

static enum errc call_method(struct run *r, struct str name,
                             const struct value *args, size_t n,
                             struct value *v)
{
    struct value of = *v;

    if (of.type && of.type->method &&
        of.type->method(r, of.kind == VALUE_LABELS ? &of.labels : of.object,
                        name, args, n, v))
        return ERR_OK;
    return template_fail(r, "can't call " STR_FMT " of %s with these arguments",
                         STR_ARG(name), value_type(&of));
}

/* ---- pipelines ---------------------------------------------------------- */

static enum errc run_pipe(struct scope *s, const struct pipe *p,
                          const struct value *dot, struct value *out);

static struct variable *find(struct scope *s, struct str name)
{
    for (size_t i = s->n; i-- > 0;)
        if (str_eq(s->v[i].name, name))
            return &s->v[i];
    return NULL;
}

static enum errc set(struct scope *s, const struct pipe *p, size_t i,
                     const struct value *v)
{
    struct variable *there = p->assigns ? find(s, p->variable[i]) : NULL;

    if (!there) {
        if (s->n == VARIABLES_MAX)
            return template_fail(&s->run, "too many variables");
        there = &s->v[s->n++];
        there->name = p->variable[i];
    }
    there->value = *v;
    return ERR_OK;
}

static enum errc run_term(struct scope *s, const struct term *t,
                          const struct value *dot, const struct value *args,
                          size_t n, struct value *out)
{
    struct run *r = &s->run;
    enum errc rc = ERR_OK;

    r->line = t->line;
    r->column = t->column;
    *out = (struct value){.kind = VALUE_NIL};
    switch (t->kind) {
    case TERM_DOT:
        *out = *dot;
        break;
    case TERM_VARIABLE:
        *out = find(s, t->name)->value;
        break;
    case TERM_NIL:
        break;
    case TERM_BOOL:
        *out = (struct value){.kind = VALUE_BOOL, .b = t->i != 0};
        break;
    case TERM_INT:
        *out = value_of_int(t->i);
        break;
    case TERM_FLOAT:
        *out = value_of_float(t->f);
        break;
    case TERM_TEXT:
        *out = value_of_text(t->name);
        break;
    case TERM_CALL:
        rc = t->function->call(r, args, n, out);
        break;
    case TERM_PIPE:
        rc = run_pipe(s, t->pipe, dot, out);
        break;
    }
    bool method = n && t->kind != TERM_CALL; /* the last field gets them */
    for (size_t i = 0; i + method < t->n_fields && !rc; i++)
        rc = take_field(r, t->fields[i], out);
    if (method && !rc)
        rc = call_method(r, t->fields[t->n_fields - 1], args, n, out);
    return rc;
}

/* piped: the value of the command before, or NULL. */
static enum errc run_command(struct scope *s, const struct command *c,
                             const struct value *dot, const struct value *piped,
                             struct value *out)
{
    struct value *args = arena_new(&s->run.arena, struct value, c->n + 1);
    size_t n = 0;
    enum errc rc = ERR_OK;

    if (!args)
        return template_fail(&s->run, "out of memory");
    for (size_t i = 1; i < c->n && !rc; i++)
        rc = run_term(s, &c->terms[i], dot, NULL, 0, &args[n++]);
    if (piped)
        args[n++] = *piped;
    return rc ? rc : run_term(s, &c->terms[0], dot, args, n, out);
}

static enum errc run_pipe(struct scope *s, const struct pipe *p,
                          const struct value *dot, struct value *out)
{
    const struct value *piped = NULL;
    struct value v = {0};
    enum errc rc = ERR_OK;

    for (const struct command *c = p->first; c && !rc; c = c->next) {
        struct value next;
        rc = run_command(s, c, dot, piped, &next);
        v = next;
        piped = &v;
    }
    *out = v;
    return rc;
}

/* ---- pieces ------------------------------------------------------------- */

static enum errc run_list(struct scope *s, const struct piece *first,
                          const struct value *dot);

static enum errc run_range(struct scope *s, const struct piece *p,
                           const struct value *of, const struct value *dot)
{
    enum errc rc = ERR_OK;
    size_t n;

    if (!value_count(of, &n))
        return template_fail(&s->run, "range can't iterate over %s",
                             value_type(of));
    if (n == 0)
        return run_list(s, p->otherwise, dot);
    for (size_t i = 0; i < n && !rc; i++) {
        struct value key, item;
        size_t before = s->n, last = p->pipe->variable[1].p ? 1 : 0;
        value_item(of, i, &key, &item);
        if (last == 1)
            rc = set(s, p->pipe, 0, &key);
        if (!rc && p->pipe->variable[0].p)
            rc = set(s, p->pipe, last, &item);
        if (!rc)
            rc = run_list(s, p->body, &item);
        s->n = before;
    }
    return rc;
}

static enum errc run_block(struct scope *s, const struct piece *p,
                           const struct value *dot)
{
    size_t before = s->n;
    struct value v;
    enum errc rc = run_pipe(s, p->pipe, dot, &v);

    if (!rc && p->kind == PIECE_RANGE) {
        rc = run_range(s, p, &v, dot);
    } else if (!rc) {
        bool yes = value_is_true(&v);
        if (p->pipe->variable[0].p)
            rc = set(s, p->pipe, 0, &v);
        if (!rc)
            rc = run_list(s, yes ? p->body : p->otherwise,
                          yes && p->kind == PIECE_WITH ? &v : dot);
    }
    s->n = before;
    return rc;
}

/* {{ template "name" value }}: its own variables, $ is the value. */
static enum errc run_call(struct scope *s, const struct piece *p,
                          const struct value *dot)
{
    enum { DEPTH_MAX = 50 };
    const struct template_named *t = template_find(s->run.data->set, p->text);
    struct value about = {.kind = VALUE_NIL};
    enum errc rc = p->pipe ? run_pipe(s, p->pipe, dot, &about) : ERR_OK;

    if (rc)
        return rc;
    if (!t || ++s->depth > DEPTH_MAX)
        return template_fail(&s->run,
                             t ? "template \"" STR_FMT "\" calls itself"
                               : "template \"" STR_FMT "\" not defined",
                             STR_ARG(p->text));
    size_t before = s->n;
    if (s->n == VARIABLES_MAX)
        return template_fail(&s->run, "too many variables");
    s->v[s->n++] = (struct variable){STR(""), about};
    rc = run_list(s, t->body.first, &about);
    s->n = before;
    s->depth--;
    return rc;
}

static enum errc run_list(struct scope *s, const struct piece *first,
                          const struct value *dot)
{
    enum errc rc = ERR_OK;
    struct value v;

    for (const struct piece *p = first; p && !rc; p = p->next) {
        if (p->kind == PIECE_TEXT) {
            buf_put(s->run.out, p->text);
        } else if (p->kind == PIECE_CALL) {
            rc = run_call(s, p, dot);
        } else if (p->kind != PIECE_PIPE) {
            rc = run_block(s, p, dot);
        } else {
            rc = run_pipe(s, p->pipe, dot, &v);
            if (!rc && p->pipe->variable[0].p)
                rc = set(s, p->pipe, 0, &v);
            else if (!rc)
                value_print(s->run.out, &v);
        }
        if (s->run.out->n > TEMPLATE_MAX_OUTPUT || s->run.out->failed)
            return template_fail(&s->run, "the text is too long");
    }
    return rc;
}

enum errc template_run(const struct template *t,
                       const struct template_data *data, struct buf *out,
                       struct err *err)
{
    struct scope *s = calloc(1, sizeof(*s));
    const struct value dot = {.kind = data->type ? VALUE_OBJECT : VALUE_DATA,
                              .type = data->type,
                              .object = data->about};
    size_t before = out->n;

    if (!s)
        return err_set(err, ERR_NOMEM, "out of memory");
    s->run = (struct run){
        .data = data, .err = err, .out = out, .line = 1, .column = 1};
    arena_init(&s->run.arena, MEMORY_MAX);
    const struct variable known[] = {
        {STR(""), dot},
        {STR("labels"), labels_of(data->labels)},
        {STR("value"), value_of_float(data->value)},
        {STR("externalLabels"), labels_of(data->external)},
        {STR("externalURL"), value_of_text(data->external_url)}};
    memcpy(s->v, known, sizeof(known));
    s->n = COUNT(known);
    enum errc rc = run_list(s, t->first, &dot);
    arena_fini(&s->run.arena);
    free(s);
    if (rc) {
        out->n = before;
        out->failed = false;
    }
    return rc;
}
