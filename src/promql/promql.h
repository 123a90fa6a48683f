/* promql.h - the query language of Prometheus 3, without native histograms and
 * experimental functions.
 *
 *     struct promql_expr *x;
 *     promql_parse(text, &x, &err)     text -> tree, or what is wrong where
 *     promql_query(x, &how, &r, &err)  tree + store -> values
 *     promql_result_fini(&r)
 *     promql_free(x)
 *
 * Language: https://prometheus.io/docs/prometheus/latest/querying/basics/.
 * Ranges and the lookback are open on the left, as since Prometheus 3.
 *
 * Threads: an expression may be used by any number at once; the store locks
 * for itself.
 */
#ifndef PROMQL_PROMQL_H
#define PROMQL_PROMQL_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "promql/ast.h"
#include "series/labels.h"
#include "series/sample.h"
#include "tsdb/tsdb.h"

enum {
    PROMQL_MAX_BYTES = 1 << 20,
    PROMQL_MAX_DEPTH = 200,
    PROMQL_MAX_OPERATORS = 5000, /* a + b + c ... is a tree as deep as long */
    PROMQL_MAX_POINTS = 11000, /* of a range query, as Prometheus' API allows */
};

/* ---- expressions -------------------------------------------------------- */

struct promql_expr {
    struct arena arena; /* of the text and the tree */
    struct str text;
    struct node *root;
    struct regex **owned; /* the expressions in its matchers */
    size_t n_owned, cap_owned;
};

/* ERR_INVALID: "1:5: parse error: unclosed left parenthesis". ERR_LIMIT,
 * ERR_NOMEM. promql_free() releases *out. */
MUST_CHECK enum errc promql_parse(struct str text, struct promql_expr **out,
                                  struct err *err);
void promql_free(struct promql_expr *x); /* NULL is fine */

/* The tree as text again, on one line, as Prometheus prints it. */
void promql_print(const struct node *n, struct buf *out);

/* The same on several lines, where it is long. */
void promql_pretty(const struct node *n, struct buf *out);

/* A selector alone, as match[] of the API has it; its matchers live as long as
 * the expression. */
MUST_CHECK enum errc promql_parse_selector(struct str text,
                                           struct promql_expr **out,
                                           struct err *err);

/* ---- queries ------------------------------------------------------------ */

struct promql_how {
    struct tsdb *db;
    int64_t start, end;    /* ms; the same for one moment */
    int64_t step;          /* ms; ignored when start == end */
    bool range;            /* answer a matrix even for one moment */
    int64_t lookback;      /* ms; 0: five minutes */
    int64_t subquery_step; /* ms where the query gives none; 0: a minute */
    int64_t timeout;       /* ms; 0: two minutes */
    uint64_t max_samples;  /* held at once; 0: 50 million */
    size_t max_memory;     /* bytes; 0: a gibibyte */
    bool prometheus2;      /* as Prometheus 2: ranges and lookback closed on the
                              left, the old order in rate(), atan2 keeps names */
    bool late_names;       /* drop metric names at the end (feature flag
                              promql-delayed-name-removal) */
    const atomic_bool *canceled; /* NULL: cannot be */
};

struct promql_point {
    int64_t t;
    double v;
};

struct promql_series {
    struct labels labels;
    const struct promql_point *points;
    size_t n;
};

struct promql_note { /* a warning or a remark on the query */
    struct str text; /* "PromQL warning: ..." */
    bool warning;
};

/* Lies in the arena; texts of labels also in the expression and in the store,
 * which must outlive it. */
struct promql_result {
    struct arena arena;
    enum promql_type type;
    int64_t time;                 /* ms: the start of the query */
    struct promql_series *series; /* a vector: one point each; a scalar: one
                                     series without labels */
    size_t n;
    struct str text; /* of a string */
    struct promql_note *notes;
    size_t n_notes;
};

/* What is wrong with a range before anything is computed: the type of the
 * expression, the order of the times, the step. ERR_INVALID. */
MUST_CHECK enum errc promql_check(const struct promql_expr *x,
                                  const struct promql_how *how,
                                  struct err *err);

/* Checks, too. ERR_INVALID: the query cannot be answered ("many-to-many
 * matching ..."); ERR_LIMIT, ERR_TIMEOUT, ERR_CANCELED, ERR_NOMEM. out is to be
 * released after success only. */
MUST_CHECK enum errc promql_query(const struct promql_expr *x,
                                  const struct promql_how *how,
                                  struct promql_result *out, struct err *err);
void promql_result_fini(struct promql_result *r);

#endif
