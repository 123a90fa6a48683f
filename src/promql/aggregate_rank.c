/* aggregate_rank.c - aggregations that look at all values of a group at once.
 */
#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "codec/go_float.h"
#include "promql/aggregate.h"
#include "promql/window.h"

/* The rows of one group, by their place. */
struct members {
    size_t *v;
    size_t n, cap;
};

struct ranking {
    struct eval *e;
    const struct aggregate *a;
    struct rows in, groups;
    struct members *members; /* beside groups.v */
    double *param;
    double *room; /* as many as there are rows */
    size_t *order;
};

static bool add_member(struct ranking *r, struct members *m, size_t row)
{
    if (!eval_grow(r->e->q, &m->v, m->n, &m->cap, sizeof(*m->v)))
        return false;
    m->v[m->n++] = row;
    return true;
}

static bool make_groups(struct ranking *r)
{
    struct labels l;

    rows_init(&r->groups, r->e);
    r->members = arena_new(r->e->q->arena, struct members, r->in.n + 1);
    r->room = arena_new(r->e->q->arena, double, r->in.n + 1);
    r->order = arena_new(r->e->q->arena, size_t, r->in.n + 1);
    if (!r->members || !r->room || !r->order)
        return eval_no_memory(r->e->q);
    for (size_t i = 0; i < r->in.n; i++) {
        bool made;
        if (!group_labels(r->e, r->a, r->in.v[i].labels, &l))
            return false;
        struct row *group = rows_find(&r->groups, l, &made);
        if (!group)
            return false;
        group->unnamed = (made || group->unnamed) && r->in.v[i].unnamed;
        if (!add_member(r, &r->members[group - r->groups.v], i))
            return false;
    }
    return true;
}

/* ---- quantile ----------------------------------------------------------- */

static bool push_quantiles(struct ranking *r, struct sink *out)
{
    eval_note_quantile(r->e, r->a->param, r->param);
    for (size_t g = 0; g < r->groups.n; g++) {
        struct row *row = &r->groups.v[g];
        const struct members *m = &r->members[g];
        for (size_t i = 0; i < r->e->n; i++) {
            size_t n = 0;
            for (size_t k = 0; k < m->n; k++)
                if (has_value(r->in.v[m->v[k]].v[i]))
                    r->room[n++] = r->in.v[m->v[k]].v[i];
            if (n)
                row->v[i] = sample_plain(quantile_of(r->param[i], r->room, n));
        }
        if (!eval_goes_on(r->e->q) || !out->push(out, row))
            return false;
    }
    return true;
}

/* ---- topk, bottomk ------------------------------------------------------ */

/* How many are asked for at moment i. */
static bool count_at(struct ranking *r, size_t i, size_t *k)
{
    double v = r->param[i];

    if (isnan(v))
        return eval_fail(r->e->q, ERR_INVALID, "Parameter value is NaN");
    if (v >= 9223372036854775807.0 || v <= -9223372036854775808.0) {
        char text[GO_FLOAT_MAX];
        return eval_fail(r->e->q, ERR_INVALID, "Scalar value %.*s %s int64",
                         (int)go_float(text, 'g', v), text,
                         v > 0 ? "overflows" : "underflows");
    }
    *k = v < 1 ? 0 : (size_t)v;
    return true;
}

/* The k best are kept in a heap with the worst on top, built and used as Go's
 * container/heap does: so the same rows stay when values are equal. */
struct heap {
    struct ranking *r;
    size_t moment;
    bool top; /* topk */
    size_t n; /* of r->order */
};

static double value_at(const struct heap *h, size_t i)
{
    return h->r->in.v[h->r->order[i]].v[h->moment];
}

/* True when i is worse than j; NaN is the worst. */
static bool is_worse(const struct heap *h, size_t i, size_t j)
{
    double a = value_at(h, i), b = value_at(h, j);

    return isnan(a) || (h->top ? a < b : a > b);
}

static void swap(struct heap *h, size_t i, size_t j)
{
    size_t kept = h->r->order[i];

    h->r->order[i] = h->r->order[j];
    h->r->order[j] = kept;
}

static void rise(struct heap *h, size_t i)
{
    while (i) {
        size_t parent = (i - 1) / 2;
        if (!is_worse(h, i, parent))
            return;
        swap(h, i, parent);
        i = parent;
    }
}

static void sink(struct heap *h)
{
    for (size_t i = 0;;) {
        size_t child = 2 * i + 1;
        if (child >= h->n)
            return;
        if (child + 1 < h->n && is_worse(h, child + 1, child))
            child++;
        if (!is_worse(h, child, i))
            return;
        swap(h, i, child);
        i = child;
    }
}

static void offer(struct heap *h, size_t row, size_t k)
{
    double v = h->r->in.v[row].v[h->moment];

    if (h->n < k) {
        h->r->order[h->n++] = row;
        rise(h, h->n - 1);
        return;
    }
    double worst = value_at(h, 0);
    if ((h->top ? worst < v : worst > v) || (isnan(worst) && !isnan(v))) {
        h->r->order[0] = row;
        sink(h);
    }
}

/* Best first; rows with equal values stay in the order they are in. */
static void sort_heap(struct heap *h)
{
    for (size_t i = 1; i < h->n; i++)
        for (size_t k = i; k && is_worse(h, k - 1, k); k--)
            swap(h, k, k - 1);
}

/* The k best of a group at moment i, best first, into r->order. */
static size_t best(struct ranking *r, const struct members *m, size_t i,
                   size_t k)
{
    struct heap h = {r, i, r->a->op == OP_TOPK, 0};

    for (size_t j = 0; k && j < m->n; j++)
        if (has_value(r->in.v[m->v[j]].v[i]))
            offer(&h, m->v[j], k);
    if (!r->e->q->how->range)
        sort_heap(&h);
    return h.n;
}

/* At one moment the best come first; over a range each row keeps what was among
 * the best. */
static bool push_best(struct ranking *r, struct sink *out)
{
    struct rows kept;
    size_t k;

    rows_init(&kept, r->e);
    for (size_t g = 0; g < r->groups.n; g++) {
        for (size_t i = 0; i < r->e->n; i++) {
            if (!count_at(r, i, &k))
                return false;
            size_t n = best(r, &r->members[g], i, k);
            for (size_t j = 0; j < n; j++) {
                const struct row *from = &r->in.v[r->order[j]];
                struct row *row = rows_find(&kept, from->labels, NULL);
                if (!row)
                    return false;
                row->unnamed = from->unnamed;
                row->v[i] = from->v[i];
            }
        }
        if (!eval_goes_on(r->e->q))
            return false;
    }
    return rows_push(&kept, out);
}

/* ---- count_values ------------------------------------------------------- */

static bool count_value(struct ranking *r, struct rows *out,
                        const struct row *group, size_t i, double v)
{
    struct arena *a = r->e->q->arena;
    char text[GO_FLOAT_MAX];
    struct labels_builder b;
    struct labels l;

    size_t n = go_float(text, 'f', v);
    char *copy = arena_cstr(a, (struct str){text, n});
    labels_build(&b, a, group->labels);
    labels_set(&b, eval_text(r->a->param), (struct str){copy, n});
    if (!copy || !labels_built(&b, &l))
        return eval_no_memory(r->e->q);
    struct row *row = rows_find(out, l, NULL);
    if (!row)
        return false;
    row->v[i] = has_value(row->v[i]) ? row->v[i] + 1 : 1;
    return true;
}

static bool push_values(struct ranking *r, struct sink *out)
{
    struct str name = eval_text(r->a->param);
    struct rows counts;

    if (!name.n || !utf8_valid(name)) {
        struct buf quoted;
        buf_init(&quoted, 4 * PROMQL_MAX_BYTES);
        label_quote(&quoted, name);
        (void)eval_fail(r->e->q, ERR_INVALID, "invalid label name " STR_FMT,
                        STR_ARG(buf_str(&quoted)));
        buf_fini(&quoted);
        return false;
    }
    rows_init(&counts, r->e);
    for (size_t g = 0; g < r->groups.n; g++) {
        const struct members *m = &r->members[g];
        for (size_t k = 0; k < m->n; k++) {
            const double *v = r->in.v[m->v[k]].v;
            if (!eval_goes_on(r->e->q))
                return false;
            for (size_t i = 0; i < r->e->n; i++)
                if (has_value(v[i]) &&
                    !count_value(r, &counts, &r->groups.v[g], i, v[i]))
                    return false;
        }
    }
    return rows_push(&counts, out);
}

bool eval_ranking(struct eval *e, const struct node *n, struct sink *out)
{
    struct ranking r = {.e = e, .a = &n->u.aggregate};

    if (r.a->op != OP_COUNT_VALUES) {
        r.param = eval_values(e);
        if (!r.param || !eval_scalar(e, r.a->param, r.param))
            return false;
    }
    if (!rows_take(&r.in, e, r.a->of) || !make_groups(&r))
        return false;
    if (r.a->op == OP_QUANTILE)
        return push_quantiles(&r, out);
    return r.a->op == OP_COUNT_VALUES ? push_values(&r, out)
                                      : push_best(&r, out);
}
