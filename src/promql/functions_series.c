/* functions_series.c - functions that change which series there are, in which
 * order, with which labels. */
#include <math.h>
#include <string.h>

#include "base/sort.h"
#include "base/utf8.h"
#include "promql/functions.h"
#include "promql/rows.h"
#include "promql/window.h"

/* ---- absent ------------------------------------------------------------- */

struct presence {
    struct sink sink;
    size_t n;
    double *v; /* 1 while nothing was there */
};

static bool note_presence(struct sink *sink, struct row *row)
{
    struct presence *p = (struct presence *)sink;

    for (size_t i = 0; i < p->n; i++)
        if (has_value(row->v[i]))
            p->v[i] = NO_VALUE;
    return true;
}

/* What the selector says a series would be called: labels with one "=". */
static bool labels_of_absent(struct eval *e, const struct node *of,
                             struct labels *out)
{
    struct labels_builder b;

    of = node_bare(of);
    if (of->kind == NODE_MATRIX)
        of = of->u.ranged.of;
    labels_build(&b, e->q->arena, labels_none());
    for (size_t i = 0; of->kind == NODE_SELECTOR && i < of->u.selector.n; i++) {
        const struct matcher *m = &of->u.selector.m[i];
        size_t others = 0;
        for (size_t k = 0; k < of->u.selector.n; k++)
            others += k != i && str_eq(of->u.selector.m[k].name, m->name);
        if (m->op == MATCH_EQUAL && !others && !str_eq(m->name, LABEL_NAME))
            labels_set(&b, m->name, m->value);
    }
    return labels_built(&b, out) || eval_no_memory(e->q);
}

bool function_absent(struct eval *e, const struct node *n, struct sink *out)
{
    static const struct function present = {.keeps_name = true,
                                            .of_window = window_present};
    const struct node *of = n->u.call.args[0];
    struct presence p = {{note_presence}, e->n, eval_values(e)};
    struct row row = {.v = p.v};
    bool any = false, ok;

    if (!p.v || !labels_of_absent(e, of, &row.labels))
        return false;
    for (size_t i = 0; i < e->n; i++)
        p.v[i] = 1;
    if (of->type == PROMQL_MATRIX) {
        struct node call = *n;
        call.u.call.function = &present;
        ok = eval_windows(e, &call, &p.sink);
    } else {
        ok = eval_vector(e, of, &p.sink);
    }
    for (size_t i = 0; i < e->n; i++)
        any = any || has_value(p.v[i]);
    return ok && (!any || out->push(out, &row));
}

/* ---- sort --------------------------------------------------------------- */

/* NaN comes last, both ways. */
static int rising(const void *a, const void *b)
{
    double x = ((const struct row *)a)->v[0], y = ((const struct row *)b)->v[0];

    if (isnan(x) || isnan(y))
        return isnan(x) - isnan(y);
    return x < y ? -1 : x > y;
}

static int falling(const void *a, const void *b)
{
    double x = ((const struct row *)a)->v[0], y = ((const struct row *)b)->v[0];

    return isnan(x) || isnan(y) ? rising(a, b) : -rising(a, b);
}

/* Over a range there is no order of values, and rows stay as they are. */
static bool sort_rows(struct eval *e, const struct node *n,
                      int (*compare)(const void *, const void *),
                      struct sink *out)
{
    struct rows rows;

    if (e->q->how->range)
        return eval_vector(e, n->u.call.args[0], out);
    if (!rows_take(&rows, e, n->u.call.args[0]))
        return false;
    sort_items(rows.v, rows.n, sizeof(*rows.v), compare);
    return rows_push(&rows, out);
}

bool function_sort(struct eval *e, const struct node *n, struct sink *out)
{
    return sort_rows(e, n, rising, out);
}

bool function_sort_desc(struct eval *e, const struct node *n, struct sink *out)
{
    return sort_rows(e, n, falling, out);
}

/* ---- labels ------------------------------------------------------------- */

struct relabel {
    struct sink sink;
    struct eval *e;
    struct sink *out;
    const struct call *call;
    struct str dst, pattern, template, src; /* of label_replace() */
    struct regex *re;
    struct buf text;
};

static bool set_label(struct relabel *r, struct row *row, struct str value)
{
    struct arena *a = r->e->q->arena;
    struct labels_builder b;
    char *copy = arena_cstr(a, value);

    labels_build(&b, a, row->labels);
    labels_set(&b, r->dst, (struct str){copy, copy ? value.n : 0});
    if (!copy || !labels_built(&b, &row->labels))
        return eval_no_memory(r->e->q);
    if (str_eq(r->dst, LABEL_NAME))
        row->unnamed = false;
    return r->out->push(r->out, row);
}

static bool push_replaced(struct sink *sink, struct row *row)
{
    struct relabel *r = (struct relabel *)sink;

    buf_clear(&r->text);
    switch (regex_expand(r->re, labels_get(row->labels, r->src), r->template,
                         &r->text)) {
    case REGEX_NO:
        return r->out->push(r->out, row);
    case REGEX_YES:
        return set_label(r, row, buf_str(&r->text));
    case REGEX_TOO_COSTLY:
        break;
    }
    return eval_fail(r->e->q, ERR_LIMIT,
                     "the regular expression of label_replace() takes too many "
                     "steps");
}

static bool is_label_name(struct str s)
{
    return s.n && utf8_valid(s);
}

bool function_label_replace(struct eval *e, const struct node *n,
                            struct sink *out)
{
    const struct call *c = &n->u.call;
    struct rows rows;
    struct err err;
    struct relabel r = {.sink.push = push_replaced,
                        .e = e,
                        .out = &rows.sink,
                        .dst = eval_text(c->args[1]),
                        .template = eval_text(c->args[2]),
                        .src = eval_text(c->args[3]),
                        .pattern = eval_text(c->args[4])};

    if (regex_compile(r.pattern, &r.re, &err))
        return eval_fail(
            e->q, ERR_INVALID,
            "invalid regular expression in label_replace(): " STR_FMT,
            STR_ARG(r.pattern));
    bool ok =
        is_label_name(r.dst) ||
        eval_fail(e->q, ERR_INVALID,
                  "invalid destination label name in label_replace(): " STR_FMT,
                  STR_ARG(r.dst));
    rows_init(&rows, e);
    buf_init(&r.text, 1 << 20);
    ok = ok && eval_vector(e, c->args[0], &r.sink);
    buf_fini(&r.text);
    regex_free(r.re);
    return ok && rows_push(&rows, out);
}

static bool push_joined(struct sink *sink, struct row *row)
{
    struct relabel *r = (struct relabel *)sink;

    buf_clear(&r->text);
    for (size_t i = 3; i < r->call->n; i++) {
        if (i > 3)
            buf_put(&r->text, eval_text(r->call->args[2]));
        buf_put(&r->text, labels_get(row->labels, eval_text(r->call->args[i])));
    }
    return set_label(r, row, buf_str(&r->text));
}

bool function_label_join(struct eval *e, const struct node *n, struct sink *out)
{
    const struct call *c = &n->u.call;
    struct rows rows;
    struct relabel r = {.sink.push = push_joined,
                        .e = e,
                        .out = &rows.sink,
                        .call = c,
                        .dst = eval_text(c->args[1])};

    for (size_t i = 3; i < c->n; i++)
        if (!is_label_name(eval_text(c->args[i])))
            return eval_fail(
                e->q, ERR_INVALID,
                "invalid source label name in label_join(): " STR_FMT,
                STR_ARG(eval_text(c->args[i])));
    if (!is_label_name(r.dst))
        return eval_fail(
            e->q, ERR_INVALID,
            "invalid destination label name in label_join(): " STR_FMT,
            STR_ARG(r.dst));
    rows_init(&rows, e);
    buf_init(&r.text, 1 << 20);
    bool ok = eval_vector(e, c->args[0], &r.sink);
    buf_fini(&r.text);
    return ok && rows_push(&rows, out);
}
