/* select.c - rows of series: at each moment the newest sample that is not older
 * than the lookback. */
#include "promql/eval.h"

int64_t moment_time(const struct query *q, const struct moment *m, int64_t t)
{
    if (m->at == AT_TIME)
        t = m->at_time;
    else if (m->at == AT_START)
        t = q->outer_start;
    else if (m->at == AT_END)
        t = q->outer_end;
    return t - m->offset;
}

/* Fills v for all moments; false when no moment has a value. */
static bool fill(const struct eval *e, const struct moment *m,
                 const struct samples *s, bool times, double *v)
{
    size_t at = 0; /* samples not newer than the moment */
    bool any = false;

    for (size_t i = 0; i < e->n; i++) {
        int64_t t = moment_time(e->q, m, eval_time(e, i));
        int64_t oldest = t - e->q->lookback + !e->q->how->prometheus2;
        while (at < s->n && s->t[at] <= t)
            at++;
        v[i] = NO_VALUE;
        if (at == 0 || s->t[at - 1] < oldest)
            continue;
        if (!has_value(s->v[at - 1])) /* stale */
            continue;
        v[i] = times ? (double)s->t[at - 1] / 1000 : s->v[at - 1];
        any = true;
    }
    return any;
}

static bool push_found(struct eval *e, const struct node *n,
                       const struct tsdb_found *found, bool times,
                       struct sink *out)
{
    const struct moment *m = &n->u.selector.moment;
    struct tsdb *db = e->q->how->db;
    int64_t from = moment_time(e->q, m, e->start) - e->q->lookback;
    int64_t to = moment_time(e->q, m, eval_time(e, e->n - 1));
    struct samples s = {0};
    double *v = eval_values(e);
    bool ok = v != NULL;

    for (size_t i = 0; ok && i < found->n; i++) {
        ok = eval_goes_on(e->q);
        if (ok && tsdb_read(db, found->v[i], from, to, &s))
            ok = eval_fail(e->q, ERR_NOMEM, "out of memory");
        if (!ok || s.n == 0 || !fill(e, m, &s, times, v))
            continue;
        struct row row = {.labels = tsdb_labels(db, found->v[i], e->q->arena),
                          .v = v};
        ok = row.labels.v ? out->push(out, &row) : eval_no_memory(e->q);
    }
    samples_fini(&s);
    return ok;
}

bool eval_find(struct query *q, const struct selector *s,
               struct tsdb_found *out)
{
    struct err err;
    enum errc rc = tsdb_select(q->how->db, s->m, s->n, q->arena, out, &err);

    return !rc || eval_fail(q, rc, "%s", err.msg);
}

bool eval_selector(struct eval *e, const struct node *n, bool times,
                   struct sink *out)
{
    struct tsdb_found found;

    return eval_find(e->q, &n->u.selector, &found) &&
           push_found(e, n, &found, times, out);
}
