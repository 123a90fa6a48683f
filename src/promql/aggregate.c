/* aggregate.c - aggregations that take in one row after the other: a group is
 * a few numbers for each moment. */
#include "promql/aggregate.h"

#include <math.h>
#include <string.h>

#include "promql/sums.h"

bool group_labels(struct eval *e, const struct aggregate *a, struct labels l,
                  struct labels *out)
{
    *out = labels_grouped(e->q->arena, l, a->labels, a->n, !a->without);
    return out->v || eval_no_memory(e->q);
}

/* The numbers of a group, one for each moment. */
struct group {
    double *value; /* as in the row; NO_VALUE before the first */
    double *rest;  /* lost by rounding; of a spread: the mean */
    double *count;
    bool *stepwise; /* of a mean */
    bool unnamed;
};

/* ---- one row taken in, for each aggregation ----------------------------- */

static void add_sum(struct group *g, const double *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!has_value(v[i]))
            continue;
        if (has_value(g->value[i])) {
            sum_add(&g->value[i], &g->rest[i], v[i]);
        } else {
            g->value[i] = v[i];
            g->rest[i] = 0;
        }
    }
}

static void add_mean(struct group *g, const double *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct mean m = mean_start(v[i]);
        if (!has_value(v[i]))
            continue;
        if (has_value(g->value[i])) {
            m = (struct mean){g->value[i], g->rest[i], g->count[i],
                              g->stepwise[i]};
            mean_add(&m, v[i]);
        }
        g->value[i] = m.sum;
        g->rest[i] = m.rest;
        g->count[i] = m.count;
        g->stepwise[i] = m.stepwise;
    }
}

/* Welford's method: rest is the mean, value the sum of squares. */
static void add_spread(struct group *g, const double *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!has_value(v[i]))
            continue;
        if (!has_value(g->value[i])) {
            g->value[i] = isfinite(v[i]) ? 0 : sample_nan();
            g->rest[i] = v[i];
            g->count[i] = 1;
            continue;
        }
        double delta = v[i] - g->rest[i];
        g->count[i]++;
        g->rest[i] += delta / g->count[i];
        g->value[i] += delta * (v[i] - g->rest[i]);
    }
}

static void add_count(struct group *g, const double *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (has_value(v[i]))
            g->value[i] = has_value(g->value[i]) ? g->value[i] + 1 : 1;
}

static void add_group(struct group *g, const double *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (has_value(v[i]))
            g->value[i] = 1;
}

/* NO_VALUE is a NaN, too, and gives way like one. */
static void add_min(struct group *g, const double *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (has_value(v[i]) && (g->value[i] > v[i] || isnan(g->value[i])))
            g->value[i] = v[i];
}

static void add_max(struct group *g, const double *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (has_value(v[i]) && (g->value[i] < v[i] || isnan(g->value[i])))
            g->value[i] = v[i];
}

/* ---- one value given out ------------------------------------------------ */

static double end_sum(const struct group *g, size_t i)
{
    return isinf(g->value[i]) ? g->value[i] : g->value[i] + g->rest[i];
}

static double end_mean(const struct group *g, size_t i)
{
    struct mean m = {g->value[i], g->rest[i], g->count[i], g->stepwise[i]};

    return mean_value(&m);
}

static double end_stdvar(const struct group *g, size_t i)
{
    return g->value[i] / g->count[i];
}

static double end_stddev(const struct group *g, size_t i)
{
    return sqrt(end_stdvar(g, i));
}

static const struct way {
    void (*add)(struct group *g, const double *v, size_t n);
    double (*end)(const struct group *g, size_t i); /* NULL: as it is */
    bool rest, count;
} ways[] = {
    [OP_SUM] = {add_sum, end_sum, true, false},
    [OP_AVG] = {add_mean, end_mean, true, true},
    [OP_COUNT] = {add_count, NULL, false, false},
    [OP_MIN] = {add_min, NULL, false, false},
    [OP_MAX] = {add_max, NULL, false, false},
    [OP_GROUP] = {add_group, NULL, false, false},
    [OP_STDDEV] = {add_spread, end_stddev, true, true},
    [OP_STDVAR] = {add_spread, end_stdvar, true, true},
};

/* ---- groups ------------------------------------------------------------- */

struct grouping {
    struct sink sink;
    struct eval *e;
    const struct aggregate *a;
    struct way way;
    struct rows rows; /* of the groups */
    struct group *groups;
    size_t cap;
};

static bool make_group(struct grouping *g, struct group *group)
{
    *group = (struct group){0};
    if (g->way.rest && !(group->rest = eval_values(g->e)))
        return false;
    if (g->way.count && !(group->count = eval_values(g->e)))
        return false;
    if (g->way.add != add_mean)
        return true;
    group->stepwise = arena_new(g->e->q->arena, bool, g->e->n);
    return group->stepwise || eval_no_memory(g->e->q);
}

static bool take(struct sink *sink, struct row *row)
{
    struct grouping *g = (struct grouping *)sink;
    struct labels l;
    bool made;

    if (!group_labels(g->e, g->a, row->labels, &l))
        return false;
    struct row *mine = rows_find(&g->rows, l, &made);
    if (!mine || !eval_grow(g->e->q, &g->groups, g->rows.n - 1, &g->cap,
                            sizeof(*g->groups)))
        return false;
    struct group *group = &g->groups[mine - g->rows.v];
    if (made && !make_group(g, group))
        return false;
    group->value = mine->v;
    group->unnamed = (made || group->unnamed) && row->unnamed;
    g->way.add(group, row->v, g->e->n);
    return true;
}

bool eval_aggregate(struct eval *e, const struct node *n, struct sink *out)
{
    const struct aggregate *a = &n->u.aggregate;
    struct grouping g = {.sink.push = take, .e = e, .a = a};

    if (operator_has_param(a->op))
        return eval_ranking(e, n, out);
    g.way = ways[a->op];
    rows_init(&g.rows, e);
    if (!eval_vector(e, a->of, &g.sink))
        return false;
    for (size_t i = 0; i < g.rows.n; i++) {
        struct row *row = &g.rows.v[i];
        row->unnamed = g.groups[i].unnamed;
        for (size_t k = 0; g.way.end && k < e->n; k++)
            if (has_value(row->v[k]))
                row->v[k] = sample_plain(g.way.end(&g.groups[i], k));
        if (!out->push(out, row))
            return false;
    }
    return true;
}
