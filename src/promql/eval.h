/* eval.h - how a tree is computed.
 *
 * A node is computed for all moments of the query at once: a row is a series
 * with one value for each. Rows are pushed, one after the other, from where
 * they are made (a selector) through what changes them (functions) to what
 * takes them in (an aggregation, the answer), so that `sum(rate(x[5m]))` holds
 * one row of x at a time. What needs several rows at once collects them
 * (rows.h).
 *
 * Where a row has no value it has NO_VALUE, which are the stale marker's bits:
 * it cannot be a value.
 *
 * Failure is sticky: the functions below return false, and eval.q->err says
 * why. One thread a query.
 */
#ifndef PROMQL_EVAL_H
#define PROMQL_EVAL_H

#include "promql/function.h"
#include "promql/promql.h"

/* What all parts of a query share. */
struct query {
    const struct promql_how *how;
    const struct promql_expr *x;
    struct arena *arena;
    struct err *err;
    bool failed;
    enum errc rc;
    uint64_t held, max_held; /* values */
    int64_t deadline;        /* monotonic, ns */
    int64_t lookback;
    int64_t outer_start, outer_end; /* what @ start() and @ end() mean */
    struct promql_note *notes;
    size_t n_notes, cap_notes;
};

/* Where and when: a subquery has an eval of its own. */
struct eval {
    struct query *q;
    int64_t start, step; /* ms */
    size_t n;            /* moments */
};

static inline int64_t eval_time(const struct eval *e, size_t i)
{
    return e->start + (int64_t)i * e->step;
}

static inline bool has_value(double v)
{
    return sample_bits(v) != STALE_BITS;
}

#define NO_VALUE sample_stale()

struct row {
    struct labels labels;
    bool unnamed; /* the metric's name is to be dropped at the end */
    double *v;    /* one for each moment; whoever is given it may change it */
};

/* Takes rows. First member of what a push function needs. */
struct sink {
    bool (*push)(struct sink *s, struct row *row);
};

bool eval_vector(struct eval *e, const struct node *n, struct sink *out);
bool eval_scalar(struct eval *e, const struct node *n, double *out);

/* The text of a string argument. */
struct str eval_text(const struct node *n);

/* Records the first failure; always false. */
bool eval_fail(struct query *q, enum errc rc, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* False when time is up or the query was canceled. */
bool eval_goes_on(struct query *q);

/* Counts values that are going to be held; false when they are too many. */
bool eval_hold(struct query *q, uint64_t n);

/* An array of one value for each moment, all NO_VALUE; NULL: failed. */
double *eval_values(struct eval *e);

/* arena_grow() in the query's arena. */
bool eval_grow(struct query *q, void *array, size_t n, size_t *cap,
               size_t size);

/* Says that memory ran out; always false. */
bool eval_no_memory(struct query *q);

/* A remark with the position of a node, once. */
void eval_note(struct query *q, bool warning, const struct node *at,
               const char *fmt, ...) PRINTF_LIKE(4, 5);

/* Says so if a quantile is none, at any moment. */
void eval_note_quantile(struct eval *e, const struct node *at,
                        const double *quantiles);

/* Takes the metric's name off: at once, or at the end of the query. */
bool eval_unname(struct eval *e, struct row *row);

/* True when all rows of the node have the same name, or none: then dropping
 * names makes no two of them equal. */
bool eval_one_name(const struct node *n);

/* ---- the pieces --------------------------------------------------------- */

bool eval_selector(struct eval *e, const struct node *n, bool times,
                   struct sink *out);
bool eval_windows(struct eval *e, const struct node *call, struct sink *out);

/* The moments of a subquery: multiples of its step that its windows can see. */
bool eval_inner(struct eval *e, const struct node *subquery, struct eval *out);
bool eval_aggregate(struct eval *e, const struct node *n, struct sink *out);
bool eval_binary(struct eval *e, const struct node *n, struct sink *out);

/* a op b; a comparison is a itself where it holds, NO_VALUE where not, or 1 and
 * 0 with `returns_bool`. */
double operator_apply(enum operator op, bool returns_bool, double a, double b);

/* The series that a selector selects. */
bool eval_find(struct query *q, const struct selector *s,
               struct tsdb_found *out);

/* The time that a selector looks at, at moment t. */
int64_t moment_time(const struct query *q, const struct moment *m, int64_t t);

#endif
