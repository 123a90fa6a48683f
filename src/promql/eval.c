/* eval.c - the tree walked; scalars; what a query may use. See eval.h. */
#include "promql/eval.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "codec/json.h"
#include "promql/rows.h"

enum { NOTES_MAX = 1000 };

/* ---- limits ------------------------------------------------------------- */

bool eval_fail(struct query *q, enum errc rc, const char *fmt, ...)
{
    char text[sizeof(q->err->msg)];
    va_list args;

    if (q->failed)
        return false;
    q->failed = true;
    q->rc = rc;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    err_record(q->err, rc, "%s", text);
    return false;
}

bool eval_goes_on(struct query *q)
{
    if (q->how->canceled &&
        atomic_load_explicit(q->how->canceled, memory_order_relaxed))
        return eval_fail(q, ERR_CANCELED,
                         "query was canceled in query execution");
    if (clock_mono_ns() > q->deadline)
        return eval_fail(q, ERR_TIMEOUT,
                         "query timed out in expression evaluation");
    return !q->failed;
}

bool eval_hold(struct query *q, uint64_t n)
{
    q->held += n;
    return q->held <= q->max_held ||
           eval_fail(q, ERR_LIMIT,
                     "query processing would load too many samples into memory "
                     "in query execution");
}

bool eval_no_memory(struct query *q)
{
    return eval_fail(q, ERR_NOMEM, "the query needs too much memory");
}

bool eval_grow(struct query *q, void *array, size_t n, size_t *cap, size_t size)
{
    return arena_grow(q->arena, array, n, cap, size) || eval_no_memory(q);
}

double *eval_values(struct eval *e)
{
    if (!eval_hold(e->q, e->n))
        return NULL;
    double *v = arena_bytes(e->q->arena, e->n * sizeof(*v));
    if (!v) {
        eval_no_memory(e->q);
        return NULL;
    }
    for (size_t i = 0; i < e->n; i++)
        v[i] = NO_VALUE;
    return v;
}

/* ---- remarks ------------------------------------------------------------ */

static void add_note(struct query *q, bool warning, struct str text)
{
    for (size_t i = 0; i < q->n_notes; i++)
        if (str_eq(q->notes[i].text, text))
            return;
    if (q->n_notes >= NOTES_MAX ||
        !eval_grow(q, &q->notes, q->n_notes, &q->cap_notes, sizeof(*q->notes)))
        return;
    const char *copy = arena_cstr(q->arena, text);
    if (copy)
        q->notes[q->n_notes++] = (struct promql_note){{copy, text.n}, warning};
}

void eval_note(struct query *q, bool warning, const struct node *at,
               const char *fmt, ...)
{
    char text[1000];
    size_t line, column;
    struct buf b;
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    buf_init(&b, 2000);
    buf_printf(&b, "PromQL %s: %s", warning ? "warning" : "info", text);
    json_position(q->x->text, q->x->text.p + at->start, &line, &column);
    buf_printf(&b, " (%zu:%zu)", line, column);
    add_note(q, warning, buf_str(&b));
    buf_fini(&b);
}

void eval_note_quantile(struct eval *e, const struct node *at,
                        const double *quantiles)
{
    for (size_t i = 0; i < e->n; i++)
        if (!(quantiles[i] >= 0 && quantiles[i] <= 1))
            eval_note(e->q, true, at,
                      "quantile value should be between 0 and 1, got %g",
                      quantiles[i]);
}

/* ---- names -------------------------------------------------------------- */

bool eval_unname(struct eval *e, struct row *row)
{
    if (e->q->how->late_names) {
        row->unnamed = true;
        return true;
    }
    row->labels = labels_unnamed(e->q->arena, row->labels);
    return row->labels.v || eval_no_memory(e->q);
}

static bool call_one_name(const struct call *c)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->args[i]->type == PROMQL_VECTOR ||
            c->args[i]->type == PROMQL_MATRIX)
            return eval_one_name(c->args[i]);
    return true;
}

bool eval_one_name(const struct node *n)
{
    switch (n->kind) {
    case NODE_SELECTOR:
        for (size_t i = 0; i < n->u.selector.n; i++)
            if (str_eq(n->u.selector.m[i].name, LABEL_NAME) &&
                n->u.selector.m[i].op == MATCH_EQUAL)
                return true;
        return false;
    case NODE_MATRIX:
    case NODE_SUBQUERY:
        return eval_one_name(n->u.ranged.of);
    case NODE_CALL:
        return call_one_name(&n->u.call);
    case NODE_PAREN:
    case NODE_UNARY:
        return eval_one_name(n->u.inner.of);
    case NODE_AGGREGATE:
    case NODE_BINARY:
        return false; /* may be: not worth looking */
    case NODE_NUMBER:
    case NODE_STRING:
        return true;
    }
    return false;
}

/* ---- functions of one value --------------------------------------------- */

struct mapper {
    struct sink sink;
    struct eval *e;
    struct sink *out;
    double (*of_value)(double v);
    double (*of_time)(int64_t days, int64_t ms);
};

static double negated(double v)
{
    return -v;
}

static double map_date(const struct mapper *m, double seconds)
{
    if (isnan(seconds) || fabs(seconds) > 9e15)
        return sample_nan();
    int64_t ms = (int64_t)seconds * 1000, day = 86400000;
    int64_t days = ms / day - (ms % day < 0);
    return m->of_time(days, ms - days * day);
}

static bool push_mapped(struct sink *sink, struct row *row)
{
    struct mapper *m = (struct mapper *)sink;

    for (size_t i = 0; i < m->e->n; i++) {
        double v = row->v[i];
        if (has_value(v))
            row->v[i] =
                m->of_value ? sample_plain(m->of_value(v)) : map_date(m, v);
    }
    return eval_unname(m->e, row) && m->out->push(m->out, row);
}

static bool map_rows(struct mapper *m, const struct node *of)
{
    struct rows rows;
    struct sink *out = m->out;

    m->out = rows_unnamed(&rows, m->e, of, out);
    return eval_vector(m->e, of, &m->sink) && rows_push(&rows, out);
}

/* A date function without an argument is about the time of evaluation. */
static bool push_dates(struct eval *e, struct mapper *m)
{
    struct row row = {.v = eval_values(e), .labels = labels_none()};

    if (!row.v)
        return false;
    for (size_t i = 0; i < e->n; i++)
        row.v[i] = map_date(m, (double)eval_time(e, i) / 1000);
    return m->out->push(m->out, &row);
}

static bool eval_call(struct eval *e, const struct node *n, struct sink *out)
{
    const struct function *f = n->u.call.function;
    struct mapper m = {.sink.push = push_mapped,
                       .e = e,
                       .out = out,
                       .of_value = f->of_value,
                       .of_time = f->of_time};

    if (f->vector)
        return f->vector(e, n, out);
    if (f->of_window)
        return eval_windows(e, n, out);
    if (f->of_time && n->u.call.n == 0)
        return push_dates(e, &m);
    return map_rows(&m, n->u.call.args[0]);
}

/* ---- vectors and scalars ------------------------------------------------ */

bool eval_vector(struct eval *e, const struct node *n, struct sink *out)
{
    struct mapper sign = {
        .sink.push = push_mapped, .e = e, .out = out, .of_value = negated};

    if (!eval_goes_on(e->q))
        return false;
    switch (n->kind) {
    case NODE_PAREN:
        return eval_vector(e, n->u.inner.of, out);
    case NODE_SELECTOR:
        return eval_selector(e, n, false, out);
    case NODE_CALL:
        return eval_call(e, n, out);
    case NODE_AGGREGATE:
        return eval_aggregate(e, n, out);
    case NODE_BINARY:
        return eval_binary(e, n, out);
    case NODE_UNARY:
        if (!n->u.inner.minus)
            return eval_vector(e, n->u.inner.of, out);
        return map_rows(&sign, n->u.inner.of);
    case NODE_NUMBER:
    case NODE_STRING:
    case NODE_MATRIX:
    case NODE_SUBQUERY:
        break;
    }
    return eval_fail(e->q, ERR_INTERNAL, "not a vector");
}

static bool scalar_binary(struct eval *e, const struct binary *b, double *out)
{
    double *right = eval_values(e);

    if (!right || !eval_scalar(e, b->left, out) ||
        !eval_scalar(e, b->right, right))
        return false;
    for (size_t i = 0; i < e->n; i++)
        out[i] = operator_apply(b->op, b->returns_bool, out[i], right[i]);
    return true;
}

bool eval_scalar(struct eval *e, const struct node *n, double *out)
{
    switch (n->kind) {
    case NODE_NUMBER:
        for (size_t i = 0; i < e->n; i++)
            out[i] = n->u.number;
        return true;
    case NODE_PAREN:
        return eval_scalar(e, n->u.inner.of, out);
    case NODE_UNARY:
        if (!eval_scalar(e, n->u.inner.of, out))
            return false;
        for (size_t i = 0; i < e->n && n->u.inner.minus; i++)
            out[i] = -out[i];
        return true;
    case NODE_BINARY:
        return scalar_binary(e, &n->u.binary, out);
    case NODE_CALL:
        return n->u.call.function->scalar(e, n, out);
    case NODE_STRING:
    case NODE_SELECTOR:
    case NODE_MATRIX:
    case NODE_SUBQUERY:
    case NODE_AGGREGATE:
        break;
    }
    return eval_fail(e->q, ERR_INTERNAL, "not a scalar");
}

struct str eval_text(const struct node *n)
{
    return node_bare(n)->u.text;
}
