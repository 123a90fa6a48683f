/* query.c - from an expression to a result. */
#include "base/clock.h"
#include "base/sort.h"
#include "promql/eval.h"
#include "promql/rows.h"

enum {
    LOOKBACK_MS = 5 * 60 * 1000,
    TIMEOUT_MS = 2 * 60 * 1000,
    SAMPLES_MAX = 50 * 1000 * 1000,
};

static const size_t MEMORY_MAX = (size_t)1 << 30;

void promql_result_fini(struct promql_result *r)
{
    arena_fini(&r->arena);
    *r = (struct promql_result){0};
}

/* ---- results of each type ----------------------------------------------- */

/* The points of a row, or NULL when it has none or memory ran out. */
static struct promql_point *points_of(struct eval *e, const double *v,
                                      size_t *n)
{
    size_t count = 0;

    for (size_t i = 0; i < e->n; i++)
        count += has_value(v[i]);
    *n = 0;
    struct promql_point *p =
        count ? arena_bytes(e->q->arena, count * sizeof(*p)) : NULL;
    if (count && !p)
        eval_no_memory(e->q);
    for (size_t i = 0; p && i < e->n; i++)
        if (has_value(v[i]))
            p[(*n)++] = (struct promql_point){eval_time(e, i), v[i]};
    return p;
}

static bool make_scalar(struct eval *e, const struct node *root,
                        struct promql_result *out)
{
    double *v = eval_values(e);
    struct promql_series *s = arena_new(e->q->arena, struct promql_series, 1);

    if (!v || !s || !eval_scalar(e, root, v))
        return eval_no_memory(e->q);
    for (size_t i = 0; i < e->n; i++)
        v[i] = has_value(v[i]) ? v[i] : sample_nan();
    s->points = points_of(e, v, &s->n);
    out->series = s;
    out->n = 1;
    return s->points != NULL;
}

/* Names that were to be dropped at the end are dropped now. */
static bool drop_names(struct eval *e, struct rows *rows)
{
    struct rows unnamed;

    rows_init(&unnamed, e);
    for (size_t i = 0; i < rows->n; i++) {
        struct row *row = &rows->v[i];
        if (row->unnamed)
            row->labels = labels_unnamed(e->q->arena, row->labels);
        if (!row->labels.v)
            return eval_no_memory(e->q);
        if (!unnamed.sink.push(&unnamed.sink, row))
            return false;
    }
    *rows = unnamed;
    return true;
}

static int by_labels(const void *a, const void *b)
{
    return labels_compare(((const struct promql_series *)a)->labels,
                          ((const struct promql_series *)b)->labels);
}

static bool make_series(struct eval *e, const struct node *root,
                        struct promql_result *out)
{
    struct rows rows;

    if (!rows_take(&rows, e, root) ||
        (e->q->how->late_names && !drop_names(e, &rows)))
        return false;
    out->series = arena_new(e->q->arena, struct promql_series, rows.n + 1);
    if (!out->series)
        return eval_no_memory(e->q);
    for (size_t i = 0; i < rows.n; i++) {
        struct promql_series *s = &out->series[out->n];
        s->labels = rows.v[i].labels;
        s->points = points_of(e, rows.v[i].v, &s->n);
        out->n += s->points != NULL;
    }
    if (e->q->how->range)
        sort_items(out->series, out->n, sizeof(*out->series), by_labels);
    return !e->q->failed;
}

/* A range vector as it is: the samples of one moment's windows. */
struct raw {
    struct sink sink;
    struct eval *e;
    struct promql_result *out;
    size_t cap;
};

static bool add_raw(struct raw *r, struct labels labels,
                    const struct promql_point *p, size_t n)
{
    if (!eval_grow(r->e->q, &r->out->series, r->out->n, &r->cap,
                   sizeof(*r->out->series)))
        return false;
    r->out->series[r->out->n++] = (struct promql_series){labels, p, n};
    return true;
}

static bool copy_samples(struct raw *r, struct labels labels,
                         const struct samples *s, int64_t after)
{
    size_t n = 0;

    if (!eval_hold(r->e->q, s->n))
        return false;
    struct promql_point *p =
        arena_bytes(r->e->q->arena, (s->n + 1) * sizeof(*p));
    if (!p || !labels.v)
        return eval_no_memory(r->e->q);
    for (size_t i = 0; i < s->n; i++)
        if (has_value(s->v[i]) && s->t[i] >= after)
            p[n++] = (struct promql_point){s->t[i], s->v[i]};
    return n == 0 || add_raw(r, labels, p, n);
}

static bool make_matrix(struct raw *r, const struct node *n)
{
    const struct ranged *range = &n->u.ranged;
    struct query *q = r->e->q;
    struct samples samples = {0};
    struct tsdb_found found;
    int64_t to = moment_time(q, &range->moment, r->e->start);
    int64_t after = to - range->range + !q->how->prometheus2;
    bool ok = true;

    if (!eval_find(q, &range->of->u.selector, &found))
        return false;
    for (size_t i = 0; ok && i < found.n; i++) {
        ok = eval_goes_on(q);
        if (ok && tsdb_read(q->how->db, found.v[i], after, to, &samples))
            ok = eval_fail(q, ERR_NOMEM, "out of memory");
        if (ok)
            ok = copy_samples(r, tsdb_labels(q->how->db, found.v[i], q->arena),
                              &samples, after);
    }
    samples_fini(&samples);
    return ok;
}

static bool take_points(struct sink *sink, struct row *row)
{
    struct raw *r = (struct raw *)sink;
    size_t n;
    struct promql_point *p = points_of(r->e, row->v, &n);

    return p ? add_raw(r, row->labels, p, n) : !r->e->q->failed;
}

static bool make_subquery(struct raw *r, const struct node *n)
{
    struct eval inner;
    struct rows rows;

    if (!eval_inner(r->e, n, &inner))
        return false;
    if (inner.n == 0)
        return true;
    r->sink.push = take_points;
    r->e = &inner;
    return rows_take(&rows, &inner, n->u.ranged.of) &&
           rows_push(&rows, &r->sink);
}

static bool make_ranges(struct eval *e, const struct node *root,
                        struct promql_result *out)
{
    struct raw r = {.e = e, .out = out};
    const struct node *n = node_bare(root);

    return n->kind == NODE_MATRIX ? make_matrix(&r, n) : make_subquery(&r, n);
}

/* ---- the query ---------------------------------------------------------- */

static bool run(struct eval *e, const struct node *root,
                struct promql_result *out)
{
    out->type = root->type;
    switch (root->type) {
    case PROMQL_STRING:
        out->text = eval_text(root);
        return true;
    case PROMQL_SCALAR:
        return make_scalar(e, root, out);
    case PROMQL_VECTOR:
        return make_series(e, root, out);
    case PROMQL_MATRIX:
        return make_ranges(e, root, out);
    }
    return false;
}

enum errc promql_check(const struct promql_expr *x,
                       const struct promql_how *how, struct err *err)
{
    if (!how->range)
        return ERR_OK;
    if (x->root->type != PROMQL_SCALAR && x->root->type != PROMQL_VECTOR)
        return err_set(err, ERR_INVALID,
                       "invalid expression type \"%s\" for range query, must "
                       "be Scalar or instant Vector",
                       promql_type_text(x->root->type));
    if (how->end < how->start)
        return err_set(err, ERR_INVALID,
                       "end timestamp must not be before start time");
    if (how->end > how->start && how->step <= 0)
        return err_set(err, ERR_INVALID,
                       "zero or negative query resolution step widths are not "
                       "accepted. Try a positive integer");
    return ERR_OK;
}

static int64_t or_else(int64_t given, int64_t usual)
{
    return given ? given : usual;
}

enum errc promql_query(const struct promql_expr *x,
                       const struct promql_how *how, struct promql_result *out,
                       struct err *err)
{
    struct err own;
    struct promql_result result = {0};
    struct query q = {.how = how, .x = x, .err = err ? err : &own};
    struct eval e = {.q = &q, .start = how->start, .n = 1};
    enum errc rc = promql_check(x, how, err);

    if (rc)
        return rc;
    arena_init(&result.arena, how->max_memory ? how->max_memory : MEMORY_MAX);
    q.arena = &result.arena;
    q.max_held = how->max_samples ? how->max_samples : SAMPLES_MAX;
    q.deadline = clock_mono_ns() + or_else(how->timeout, TIMEOUT_MS) * 1000000;
    q.lookback = or_else(how->lookback, LOOKBACK_MS);
    q.outer_start = how->start;
    q.outer_end = how->range ? how->end : how->start;
    if (how->range && how->end > how->start) {
        e.step = how->step;
        e.n = (size_t)((how->end - how->start) / how->step) + 1;
    }
    if (!run(&e, x->root, &result)) {
        promql_result_fini(&result);
        return q.rc;
    }
    result.time = how->start;
    result.notes = q.notes;
    result.n_notes = q.n_notes;
    if (how->range)
        result.type = PROMQL_MATRIX;
    *out = result;
    return ERR_OK;
}
