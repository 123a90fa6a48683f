/* ranges.c - functions of range vectors: windows slid over samples.
 *
 * Samples come from the store, or from an inner query whose rows are looked at
 * as samples (a subquery).
 */
#include <stdlib.h>
#include <string.h>

#include "promql/rows.h"
#include "promql/window.h"

struct slide {
    struct sink sink; /* of a subquery's rows */
    struct eval *e;
    struct eval inner; /* of a subquery */
    const struct function *f;
    const struct node *over; /* the range vector */
    const double *param;     /* NULL: none */
    struct sink *out;
    double *v;           /* the row being made */
    struct samples held; /* of a subquery's row, or of a series */
    double *room;
    size_t cap_room;
};

static bool is_counter_name(struct str name)
{
    return name.n == 0 || str_ends(name, STR("_total")) ||
           str_ends(name, STR("_sum")) || str_ends(name, STR("_count")) ||
           str_ends(name, STR("_bucket"));
}

static void remark_name(struct slide *s, struct labels l)
{
    struct str name = labels_get(l, LABEL_NAME);

    if (s->f->for_counters && !is_counter_name(name))
        eval_note(s->e->q, false, s->over,
                  "metric might not be a counter, name does not end in "
                  "_total/_sum/_count/_bucket: \"" STR_FMT "\"",
                  STR_ARG(name));
}

static bool make_room(struct slide *s, size_t n)
{
    if (n <= s->cap_room)
        return true;
    double *room = realloc(s->room, n * sizeof(*room));
    if (!room)
        return eval_fail(s->e->q, ERR_NOMEM, "out of memory");
    s->room = room;
    s->cap_room = n;
    return true;
}

/* One window after the other; false when none has a result. */
static bool fill(struct slide *s, const struct samples *in)
{
    enum { MANY = 4096, OFTEN = 256 }; /* samples, windows */
    const struct ranged *r = &s->over->u.ranged;
    const struct query *q = s->e->q;
    size_t low = 0, high = 0;
    bool any = false;

    for (size_t i = 0; i < s->e->n; i++) {
        struct window w = {.now = eval_time(s->e, i),
                           .old_rates = q->how->prometheus2,
                           .room = s->room};
        w.end = moment_time(q, &r->moment, w.now);
        w.start = w.end - r->range;
        while (high < in->n && in->t[high] <= w.end)
            high++;
        while (low < high && (in->t[low] < w.start ||
                              (in->t[low] == w.start && !q->how->prometheus2)))
            low++;
        s->v[i] = NO_VALUE;
        if (low == high)
            continue;
        w.t = in->t + low;
        w.v = in->v + low;
        w.n = high - low;
        w.param = s->param ? s->param[i] : 0;
        if ((i % OFTEN == 0 || w.n > MANY) && !eval_goes_on(s->e->q))
            return false;
        double v = s->f->of_window(&w);
        s->v[i] = has_value(v) ? v : NO_VALUE;
        any = any || has_value(v);
    }
    return any;
}

static bool push_windows(struct slide *s, struct row *from,
                         const struct samples *in)
{
    if (in->n == 0 || !make_room(s, in->n))
        return in->n == 0;
    remark_name(s, from->labels);
    if (!fill(s, in))
        return !s->e->q->failed;
    struct row row = {from->labels, from->unnamed, s->v};
    if (!s->f->keeps_name && !eval_unname(s->e, &row))
        return false;
    return s->out->push(s->out, &row);
}

/* ---- from the store ----------------------------------------------------- */

static void drop_stale(struct samples *s)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->n; i++) {
        if (!has_value(s->v[i]))
            continue;
        s->t[kept] = s->t[i];
        s->v[kept++] = s->v[i];
    }
    s->n = kept;
}

static bool slide_over_store(struct slide *s)
{
    const struct ranged *r = &s->over->u.ranged;
    struct query *q = s->e->q;
    struct tsdb *db = q->how->db;
    struct tsdb_found found;
    int64_t from = moment_time(q, &r->moment, s->e->start) - r->range;
    int64_t to = moment_time(q, &r->moment, eval_time(s->e, s->e->n - 1));

    if (!eval_find(q, &r->of->u.selector, &found))
        return false;
    for (size_t i = 0; i < found.n; i++) {
        if (!eval_goes_on(q))
            return false;
        if (tsdb_read(db, found.v[i], from, to, &s->held))
            return eval_fail(q, ERR_NOMEM, "out of memory");
        drop_stale(&s->held);
        struct row row = {.labels = tsdb_labels(db, found.v[i], q->arena)};
        if (!row.labels.v)
            return eval_no_memory(q);
        if (!push_windows(s, &row, &s->held))
            return false;
    }
    return true;
}

/* ---- from an inner query ------------------------------------------------ */

static bool slide_over_row(struct sink *sink, struct row *row)
{
    struct slide *s = (struct slide *)sink;

    if (!eval_goes_on(s->e->q))
        return false;
    s->held.n = 0;
    for (size_t i = 0; i < s->inner.n; i++) {
        if (!has_value(row->v[i]))
            continue;
        s->held.t[s->held.n] = eval_time(&s->inner, i);
        s->held.v[s->held.n++] = row->v[i];
    }
    return push_windows(s, row, &s->held);
}

bool eval_inner(struct eval *e, const struct node *n, struct eval *out)
{
    const struct ranged *r = &n->u.ranged;
    struct query *q = e->q;
    int64_t usual = q->how->subquery_step ? q->how->subquery_step : 60000;
    int64_t step = r->step ? r->step : usual;
    int64_t from = moment_time(q, &r->moment, e->start) - r->range;
    int64_t to = moment_time(q, &r->moment, eval_time(e, e->n - 1));
    int64_t start = from / step * step;

    start -= start > from ? step : 0;
    if (start < from || (start == from && !q->how->prometheus2))
        start += step;
    int64_t count = to < start ? 0 : (to - start) / step + 1;
    if (count > (int64_t)q->max_held)
        return eval_hold(q, (uint64_t)count);
    *out = (struct eval){q, start, step, (size_t)count};
    return true;
}

static bool slide_over_query(struct slide *s)
{
    const struct node *of = s->over->u.ranged.of;
    struct rows rows;

    if (!eval_inner(s->e, s->over, &s->inner))
        return false;
    if (s->inner.n == 0)
        return true;
    s->held.cap = s->inner.n;
    s->held.t = malloc(s->held.cap * sizeof(*s->held.t));
    s->held.v = malloc(s->held.cap * sizeof(*s->held.v));
    if (!s->held.t || !s->held.v)
        return eval_fail(s->e->q, ERR_NOMEM, "out of memory");
    s->sink.push = slide_over_row;
    if (node_bare(of)->kind == NODE_SELECTOR)
        return eval_vector(&s->inner, of, &s->sink);
    return rows_take(&rows, &s->inner, of) && rows_push(&rows, &s->sink);
}

/* ---- the call ----------------------------------------------------------- */

static bool prepare(struct slide *s, const struct node *call)
{
    for (size_t i = 0; i < call->u.call.n; i++) {
        const struct node *arg = call->u.call.args[i];
        if (arg->type == PROMQL_MATRIX) {
            s->over = node_bare(arg);
            continue;
        }
        double *param = eval_values(s->e);
        if (!param || !eval_scalar(s->e, arg, param))
            return false;
        if (s->f->of_window == window_quantile)
            eval_note_quantile(s->e, arg, param);
        s->param = param;
    }
    s->v = eval_values(s->e);
    return s->v != NULL;
}

bool eval_windows(struct eval *e, const struct node *call, struct sink *out)
{
    struct slide s = {.e = e, .f = call->u.call.function, .out = out};
    struct rows rows;
    bool ok = prepare(&s, call);

    if (ok && !s.f->keeps_name)
        s.out = rows_unnamed(&rows, e, s.over, out);
    if (ok)
        ok = s.over->kind == NODE_MATRIX ? slide_over_store(&s)
                                         : slide_over_query(&s);
    if (ok && s.out != out)
        ok = rows_push(&rows, out);
    samples_fini(&s.held);
    free(s.room);
    return ok;
}
