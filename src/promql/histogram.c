/* histogram.c - quantiles and fractions of classic histograms: counters with a
 * label "le", each the number of observations up to it.
 *
 * https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/sort.h"
#include "promql/functions.h"
#include "promql/rows.h"

struct bucket {
    double upper, count;
};

/* ---- one histogram at one moment ---------------------------------------- */

static int by_upper(const void *a, const void *b)
{
    double x = ((const struct bucket *)a)->upper;
    double y = ((const struct bucket *)b)->upper;

    return x < y ? -1 : x > y;
}

/* Sorts, and adds up those with the same bound. */
static size_t join_buckets(struct bucket *b, size_t n)
{
    size_t kept = 0;

    sort_items(b, n, sizeof(*b), by_upper);
    for (size_t i = 1; i < n; i++) {
        if (b[i].upper == b[kept].upper)
            b[kept].count += b[i].count;
        else
            b[++kept] = b[i];
    }
    return n ? kept + 1 : 0;
}

static bool nearly(double a, double b)
{
    double sum = fabs(a) + fabs(b), difference = fabs(a - b);

    if (a == 0 || b == 0 || sum < DBL_MIN)
        return difference < 1e-12 * DBL_MIN;
    return difference / (sum < DBL_MAX ? sum : DBL_MAX) < 1e-12;
}

/* Makes the counts rise. True when more than rounding had to be mended. */
static bool make_rising(struct bucket *b, size_t n)
{
    double before = b[0].count;
    bool mended = false;

    for (size_t i = 1; i < n; i++) {
        if (b[i].count == before)
            continue;
        bool rounding = nearly(before, b[i].count);
        if (rounding || b[i].count < before) {
            mended = mended || !rounding;
            b[i].count = before;
        } else {
            before = b[i].count;
        }
    }
    return mended;
}

/* n buckets, sorted, the last up to infinity. */
static double quantile(double q, struct bucket *b, size_t n, bool *mended)
{
    size_t i = 0;

    if (isnan(q))
        return q;
    if (q < 0 || q > 1)
        return q < 0 ? -(double)INFINITY : (double)INFINITY;
    if (n == 0 || !isinf(b[n - 1].upper) || b[n - 1].upper < 0)
        return sample_nan();
    *mended = make_rising(b, n);
    if (n < 2 || b[n - 1].count == 0)
        return sample_nan();
    double rank = q * b[n - 1].count;
    while (i < n - 1 && !(b[i].count >= rank))
        i++;
    if (i == n - 1)
        return b[n - 2].upper;
    if (i == 0 && b[0].upper <= 0)
        return b[0].upper;
    double start = i ? b[i - 1].upper : 0, below = i ? b[i - 1].count : 0;
    return start +
           (b[i].upper - start) * ((rank - below) / (b[i].count - below));
}

/* Observations up to v, evenly spread within a bucket. */
static double count_below(double v, const struct bucket *b, size_t n)
{
    double below = 0;

    for (size_t i = 0; i < n; i++) {
        double start = i                ? b[i - 1].upper
                       : b[0].upper > 0 ? 0
                                        : -(double)INFINITY;
        if (v <= start)
            return below;
        if (v < b[i].upper)
            return isinf(start) || isinf(b[i].upper)
                       ? below
                       : below + (b[i].count - below) * (v - start) /
                                     (b[i].upper - start);
        below = b[i].count;
    }
    return below;
}

static double fraction(double low, double high, struct bucket *b, size_t n)
{
    if (n == 0 || !isinf(b[n - 1].upper) || b[n - 1].upper < 0 ||
        b[n - 1].count == 0 || isnan(low) || isnan(high))
        return sample_nan();
    if (low >= high)
        return 0;
    double all = b[n - 1].count;
    double from = isinf(low) ? (low < 0 ? 0 : all) : count_below(low, b, n);
    double to = isinf(high) ? (high < 0 ? 0 : all) : count_below(high, b, n);
    return (to - from) / all;
}

/* ---- finding the buckets of each histogram ------------------------------ */

/* The series that are one histogram: a list through `next`. */
struct part {
    double upper;
    const double *v;
    struct part *next;
};

struct histogram {
    struct part *parts;
    size_t n;
    struct str name;
    bool named; /* the name is to be dropped at the end */
};

struct gather {
    struct sink sink;
    struct eval *e;
    const struct node *of;
    struct rows groups;           /* by labels without le */
    struct histogram *histograms; /* beside groups.v */
    size_t cap;
};

static bool parse_bound(struct str s, double *out)
{
    char text[64], *end;

    if (s.n == 0 || s.n >= sizeof(text))
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    *out = strtod(text, &end);
    return *end == '\0' && text[0] != ' ';
}

static bool take_bucket(struct sink *sink, struct row *row)
{
    struct gather *g = (struct gather *)sink;
    struct str le = LABEL_BUCKET, text = labels_get(row->labels, le);
    struct str name = labels_get(row->labels, LABEL_NAME);
    struct arena *a = g->e->q->arena;
    double upper;

    if (!parse_bound(text, &upper)) {
        eval_note(g->e->q, true, g->of,
                  "bucket label \"le\" is missing or has a malformed value of "
                  "\"" STR_FMT "\" for metric name \"" STR_FMT "\"",
                  STR_ARG(text), STR_ARG(name));
        return true;
    }
    struct labels l = labels_pick(a, row->labels, &le, 1, false);
    struct part *part = arena_new(a, struct part, 1);
    double *v = eval_values(g->e);
    if (!l.v || !part || !v)
        return eval_no_memory(g->e->q);
    memcpy(v, row->v, g->e->n * sizeof(*v));
    struct row *group = rows_find(&g->groups, l, NULL);
    if (!group || !eval_grow(g->e->q, &g->histograms, g->groups.n - 1, &g->cap,
                             sizeof(*g->histograms)))
        return false;
    struct histogram *h = &g->histograms[group - g->groups.v];
    *part = (struct part){upper, v, h->parts};
    h->parts = part;
    h->name = name;
    h->named = h->named || row->unnamed;
    h->n++;
    return true;
}

/* ---- the functions ------------------------------------------------------ */

struct wanted {
    bool fraction;
    double *a, *b; /* the quantile, or both bounds */
};

static double compute(struct gather *g, const struct histogram *h, size_t i,
                      const struct wanted *w, struct bucket *room)
{
    size_t n = 0;
    bool mended = false;

    for (const struct part *p = h->parts; p; p = p->next)
        if (has_value(p->v[i]))
            room[n++] = (struct bucket){p->upper, p->v[i]};
    if (n == 0)
        return NO_VALUE;
    n = join_buckets(room, n);
    if (w->fraction)
        return sample_plain(fraction(w->a[i], w->b[i], room, n));
    double v = quantile(w->a[i], room, n, &mended);
    if (mended)
        eval_note(g->e->q, false, g->of,
                  "input to histogram_quantile needed to be fixed for "
                  "monotonicity (see "
                  "https://prometheus.io/docs/prometheus/latest/querying/"
                  "functions/#histogram_quantile) for metric name \"" STR_FMT
                  "\"",
                  STR_ARG(h->name));
    return sample_plain(v);
}

static bool push_histograms(struct gather *g, const struct wanted *w,
                            struct sink *out)
{
    size_t most = 1;
    struct rows rows;

    for (size_t i = 0; i < g->groups.n; i++)
        most = g->histograms[i].n > most ? g->histograms[i].n : most;
    struct bucket *room = arena_new(g->e->q->arena, struct bucket, most);
    if (!room)
        return eval_no_memory(g->e->q);
    rows_init(&rows, g->e);
    for (size_t i = 0; i < g->groups.n; i++) {
        struct row *row = &g->groups.v[i];
        if (!eval_goes_on(g->e->q))
            return false;
        for (size_t k = 0; k < g->e->n; k++)
            row->v[k] = compute(g, &g->histograms[i], k, w, room);
        if (!eval_unname(g->e, row) || !rows.sink.push(&rows.sink, row))
            return false;
    }
    return rows_push(&rows, out);
}

bool function_histogram_quantile(struct eval *e, const struct node *n,
                                 struct sink *out)
{
    const struct node *const *args = (const struct node *const *)n->u.call.args;
    struct gather g = {.sink.push = take_bucket, .e = e, .of = args[1]};
    struct wanted w = {false, eval_values(e), NULL};

    if (!w.a || !eval_scalar(e, args[0], w.a))
        return false;
    eval_note_quantile(e, args[0], w.a);
    rows_init(&g.groups, e);
    return eval_vector(e, args[1], &g.sink) && push_histograms(&g, &w, out);
}

bool function_histogram_fraction(struct eval *e, const struct node *n,
                                 struct sink *out)
{
    const struct node *const *args = (const struct node *const *)n->u.call.args;
    struct gather g = {.sink.push = take_bucket, .e = e, .of = args[2]};
    struct wanted w = {true, eval_values(e), eval_values(e)};

    if (!w.a || !w.b || !eval_scalar(e, args[0], w.a) ||
        !eval_scalar(e, args[1], w.b))
        return false;
    rows_init(&g.groups, e);
    return eval_vector(e, args[2], &g.sink) && push_histograms(&g, &w, out);
}
